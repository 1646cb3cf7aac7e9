use std::fs;
use std::path::Path;

use super::super::{Look, load, unset};

const BASE: &str = r#"
name = "base"
seed = 7
[scheduler.packing.first-fit]
[scheduler.keep_alive.fixed]
keep_alive_s = 60.0
[servers.box]
cores = 4.0
memory_mb = 1000
embodied_kg = 1.0
lifetime_years = 4.0
[[regions]]
name = "here"
grid.constant.g_per_kwh = 1.0
hosts = [{ server = "box", count = 1 }]
[workload.poisson]
calls = 10
rate_per_s = 1.0
memory_mb = 100
service.exponential.mean_s = 1.0
[compare]
[[compare.axes]]
name = "seed"
key = "seed"
numbers = [1]
"#;

struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn load(&self, name: &str, set: &[&str]) -> Result<super::super::Loaded, String> {
        let set: Vec<String> = set.iter().map(|s| (*s).to_owned()).collect();
        let here = self.0.path().display().to_string();
        load(&self.0.path().join(name), &set).map_err(|e| e.render(Look::Plain).replace(&here, "."))
    }
}

/// The message as one line: the drawing breaks long lines and puts bars before them.
#[track_caller]
fn says(result: Result<super::super::Loaded, String>, parts: &[&str]) {
    let message = result.expect_err("wrong");
    let line = message.split_whitespace().filter(|w| *w != "|").collect::<Vec<_>>().join(" ");
    for part in parts {
        assert!(line.contains(part), "no {part:?} in\n{message}");
    }
}

#[test]
fn tables_are_merged_and_everything_else_is_replaced() {
    let own = r#"
extends = "base.toml"
name = "own"
[servers.box]
cores = 8.0
[servers.other]
cores = 2.0
memory_mb = 1
embodied_kg = 1.0
lifetime_years = 4.0
[[regions]]
name = "there"
grid.constant.g_per_kwh = 2.0
hosts = [{ server = "other", count = 3 }]
"#;
    let files = Files::new(&[("base.toml", BASE), ("own.toml", own)]);
    let loaded = files.load("own.toml", &[]).unwrap();
    let scenario = &loaded.scenario;
    assert_eq!((scenario.seed, loaded.name().as_str()), (7, "own"));
    assert_eq!(scenario.servers.len(), 2);
    let box_ = toml::to_string(&scenario.servers["box"]).unwrap();
    assert!(box_.contains("cores = 8.0") && box_.contains("memory_mb = 1000"), "{box_}");
    let regions: Vec<&str> = scenario.regions.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(regions, ["there"], "an array is replaced as a whole");
    assert!(scenario.compare.is_some());
    // The same as one file that says it all.
    let resolved = loaded.resolved().unwrap();
    let whole = Files::new(&[("whole.toml", &resolved)]);
    assert_eq!(
        whole.load("whole.toml", &[]).unwrap().scenario,
        super::super::Scenario { extends: None, ..scenario.clone() }
    );
}

#[test]
fn another_variant_of_a_policy_replaces_the_old_one_and_its_keys() {
    let own = "extends = \"base.toml\"\n[scheduler.packing.round-robin]\n[scheduler.keep_alive.none]\n";
    let files = Files::new(&[("base.toml", BASE), ("own.toml", own)]);
    let scheduler = files.load("own.toml", &[]).unwrap().scenario.scheduler;
    let text = toml::to_string(&scheduler).unwrap();
    assert!(text.contains("[packing.round-robin]") && text.contains("[keep_alive.none]"), "{text}");
    assert!(!text.contains("first-fit") && !text.contains("keep_alive_s"), "{text}");
}

#[test]
fn the_same_variant_keeps_what_is_not_said_anew() {
    let own = "extends = \"base.toml\"\n[workload.poisson]\ncalls = 11\n";
    let files = Files::new(&[("base.toml", BASE), ("own.toml", own)]);
    let text = toml::to_string(&files.load("own.toml", &[]).unwrap().scenario.workload).unwrap();
    assert!(text.contains("calls = 11") && text.contains("rate_per_s = 1.0"), "{text}");
}

#[test]
fn a_chain_is_followed_each_file_relative_to_its_own_folder() {
    let files = Files::new(&[
        ("base.toml", BASE),
        ("sub/middle.toml", "extends = \"../base.toml\"\nseed = 8\nname = \"middle\"\n"),
        ("own.toml", "extends = \"sub/middle.toml\"\nname = \"own\"\n"),
    ]);
    let loaded = files.load("own.toml", &[]).unwrap();
    assert_eq!((loaded.scenario.seed, loaded.name().as_str()), (8, "own"));
    let names: Vec<_> = loaded.extended.iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["middle.toml", "base.toml"]);
}

#[test]
fn the_hash_moves_with_every_file_and_is_that_of_the_text_where_there_is_one() {
    let own = "extends = \"base.toml\"\nname = \"own\"\n";
    let hash = |base: &str| {
        let files = Files::new(&[("base.toml", base), ("own.toml", own)]);
        files.load("own.toml", &[]).unwrap().sha256
    };
    let alone = Files::new(&[("base.toml", BASE)]).load("base.toml", &[]).unwrap().sha256;
    let together = Files::new(&[("base.toml", &format!("{own}{BASE}"))]);
    assert_ne!(hash(BASE), hash(&BASE.replace("seed = 7", "seed = 9")));
    assert_ne!(hash(BASE), alone);
    assert!(together.load("base.toml", &[]).is_err(), "a name twice, and a file that extends itself");
    use sha2::{Digest, Sha256};
    let hex = |text: &str| Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect::<String>();
    assert_eq!((alone, hash(BASE)), (hex(BASE), hex(&format!("{own}{BASE}"))));
}

#[test]
fn keys_of_the_extended_file_are_left_out_before_the_own_ones_come() {
    let own = "extends = \"base.toml\"\nunset = [\"compare\", \"servers.box\"]\n[servers.box]\ncores = 2.0\n";
    let files = Files::new(&[("base.toml", BASE), ("own.toml", own)]);
    let box_ = files.load("own.toml", &[]).unwrap().scenario.servers["box"].clone();
    assert_eq!((box_.cores, box_.memory_mb), (Some(2.0), None), "the box has lost its other keys");
    let own = "extends = \"base.toml\"\nunset = [\"compare\"]\n";
    let files = Files::new(&[("base.toml", BASE), ("own.toml", own)]);
    assert!(files.load("own.toml", &[]).unwrap().scenario.compare.is_none());
}

#[test]
fn elements_of_arrays_are_set_after_the_own_tables() {
    let own = r#"
extends = "base.toml"
set = ["regions[0].hosts[0].count=9", "servers.new.cores=3"]
[servers.new]
cores = 2.0
memory_mb = 1
"#;
    let files = Files::new(&[("base.toml", BASE), ("own.toml", own)]);
    let scenario = files.load("own.toml", &[]).unwrap().scenario;
    assert_eq!((scenario.regions[0].hosts[0].count, scenario.servers["new"].cores), (9, Some(3.0)));
    assert_eq!(scenario.regions[0].name, "here");
    let files = Files::new(&[
        ("base.toml", BASE),
        ("own.toml", "extends = \"base.toml\"\nset = [\"regions[7].pue=1.2\", \"seed=-1\"]\n"),
        ("alone.toml", &format!("set = [\"seed=1\"]\n{BASE}")),
    ]);
    says(files.load("own.toml", &[]), &["./own.toml:2:9", "there is no regions[7]"]);
    says(files.load("alone.toml", &[]), &["./alone.toml:1:8", "the file extends no other"]);
    let files = Files::new(&[("base.toml", BASE), ("own.toml", "extends = \"base.toml\"\nset = [\"seed=-1\"]\n")]);
    says(files.load("own.toml", &[]), &["./own.toml:2:14", "seed must be an integer, 0 or more"]);
}

#[test]
fn a_problem_points_into_the_file_that_it_stands_in() {
    let wrong = BASE.replace("cores = 4.0", "coers = 4.0");
    let files = Files::new(&[("base.toml", &wrong), ("own.toml", "extends = \"base.toml\"\nseed = -1\n")]);
    let parts =
        ["./base.toml:8:1", "unknown key \"coers\"", "./own.toml:2:8", "seed must be", "2 problems in ./own.toml"];
    says(files.load("own.toml", &[]), &parts);
    let files = Files::new(&[("base.toml", "a = \n"), ("own.toml", "extends = \"base.toml\"\n")]);
    says(files.load("own.toml", &[]), &["./base.toml:1:", "this is not TOML"]);
}

#[test]
fn missing_files_and_cycles_are_told_with_the_place() {
    let files = Files::new(&[("own.toml", "seed = 1\nextends = \"bsae.toml\"\n")]);
    says(files.load("own.toml", &[]), &["./own.toml:2:11", "cannot read ./bsae.toml", "relative to the folder"]);
    let files = Files::new(&[
        ("a.toml", "extends = \"b.toml\"\n"),
        ("b.toml", "extends = \"./a.toml\"\n"),
        ("own.toml", "extends = \"a.toml\"\n"),
    ]);
    let parts = ["./b.toml:1:11", "the scenario extends itself: ./own.toml -> ./a.toml ->", "./a.toml ,-["];
    says(files.load("own.toml", &[]), &parts);
    let files = Files::new(&[("own.toml", "extends = 3\n")]);
    says(files.load("own.toml", &[]), &["./own.toml:1:11", "extends must be a string"]);
}

#[test]
fn a_key_is_taken_away_on_the_command_line_before_others_are_set() {
    let files = Files::new(&[("base.toml", BASE)]);
    let set = [&unset("compare"), &unset("scheduler.keep_alive"), "seed=3"];
    let loaded = files.load("base.toml", &set).unwrap();
    assert!(loaded.scenario.compare.is_none());
    assert_eq!(loaded.scenario.scheduler.keep_alive, Default::default());
    assert_eq!(loaded.set, ["unset compare", "unset scheduler.keep_alive", "seed=3"]);
    // Elements of an array have keys, too, but stay where they are.
    says(files.load("base.toml", &[&unset("regions[0].name")]), &["./base.toml:12:1", "name"]);
}

#[test]
fn what_cannot_be_taken_away_is_told_with_a_guess() {
    let files = Files::new(&[("base.toml", BASE)]);
    let wrong = |key: &str, parts: &[&str]| says(files.load("base.toml", &[&unset(key)]), parts);
    wrong(
        "scheduler.keep_alvie",
        &["command line:1:9", "no \"keep_alvie\" in [scheduler]", "did you mean \"keep_alive\"?"],
    );
    wrong("regions[0]", &["an element of an array cannot be left out"]);
    wrong("regions[4].name", &["there is no regions[4]"]);
    wrong("seed.x", &["the key leads into [seed], which is no table"]);
    wrong("extends", &["cannot be overridden"]);
    wrong("", &["an empty key"]);
    says(files.load("base.toml", &["extends=other.toml"]), &["\"extends\" cannot be overridden"]);
    let files = Files::new(&[
        ("base.toml", BASE),
        ("own.toml", "extends = \"base.toml\"\nunset = [\"schedluer\"]\n"),
        ("alone.toml", &format!("unset = [\"compare\"]\n{BASE}")),
    ]);
    says(files.load("own.toml", &[]), &["./own.toml:2:11", "no \"schedluer\"", "did you mean \"scheduler\"?"]);
    says(files.load("alone.toml", &[]), &["./alone.toml:1:10", "the file extends no other"]);
}

#[test]
fn a_run_of_a_comparison_can_leave_keys_out() {
    let own = r#"
extends = "base.toml"
unset = ["compare"]
[[compare.axes]]
name = "part"
values = [{ name = "all" }, { name = "no-keep-alive", unset = ["scheduler.keep_alive"], set = ["seed=1"] }]
"#;
    let files = Files::new(&[
        ("base.toml", BASE),
        ("own.toml", own),
        ("wrong.toml", &own.replace("keep_alive\"", "keepalive\"")),
    ]);
    let plan = crate::compare::Plan::of(&files.load("own.toml", &[]).unwrap()).unwrap();
    let kept: Vec<bool> =
        plan.cells.iter().map(|c| c.loaded.scenario.scheduler.keep_alive == Default::default()).collect();
    assert_eq!(kept, [false, true]);
    assert_eq!(plan.cells[1].loaded.set, ["unset scheduler.keep_alive", "seed=1"]);
    let error = crate::compare::Plan::of(&files.load("wrong.toml", &[]).unwrap()).unwrap_err().render(Look::Plain);
    assert!(error.contains("wrong.toml:6:") && error.contains("did you mean \"keep_alive\"?"), "{error}");
}

#[test]
fn the_shipped_scenarios_extend_only_what_exists() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let text = |path: &Path| fs::read_to_string(path).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "toml") && text(&path).lines().any(|l| l.starts_with("extends")) {
            let loaded = load(&path, &[]).unwrap_or_else(|e| panic!("{}", e.render(Look::Plain)));
            assert!(!loaded.extended.is_empty(), "{}", path.display());
        }
    }
}
