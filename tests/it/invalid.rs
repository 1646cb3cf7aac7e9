//! What goes wrong is said: the exit code, the message, and nothing left behind.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::lab::Lab;

const WORLD: &str = r#"
[scheduler.packing.first-fit]
[servers.box]
cores = 1
memory_mb = 1000
embodied_kg = 1.0
lifetime_years = 1.0
[[regions]]
name = "here"
grid.constant.g_per_kwh = 1.0
hosts = [{ server = "box", count = 1 }]
[workload.calls]
path = "calls.csv"
"#;
const CALLS: &str = "arrival_time_s,function_id,duration_s,memory_mb\n1,a,1,100\n2,a,1,100\n";

fn lab() -> Lab {
    Lab::new(WORLD).file("calls.csv", CALLS)
}

/// Runs `sim run` in the scenario's folder: exit code and standard error.
fn sim(lab: &Lab, arguments: &[&str]) -> (i32, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_sim"))
        .current_dir(lab.folder())
        .env("NO_COLOR", "1")
        .args(["run", "scenario.toml", "--quiet", "--out", "out"])
        .args(arguments)
        .output()
        .expect("sim runs");
    (out.status.code().expect("sim ends by itself"), String::from_utf8(out.stderr).expect("messages are text"))
}

/// The message as one line: the drawing breaks long lines and puts bars before them.
fn plain(message: &str) -> String {
    message.split_whitespace().filter(|w| *w != "|").collect::<Vec<_>>().join(" ")
}

fn entries(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).expect("readable").map(|e| e.expect("readable").file_name());
    let mut names: Vec<String> = names.map(|n| n.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Asserts that a run fails with a code and a message that holds all these words, leaves nothing behind, and leaves an
/// earlier result as it was.
#[track_caller]
fn fails(lab: &Lab, arguments: &[&str], code: i32, words: &[&str]) {
    let before = entries(lab.folder());
    let (found, message) = sim(lab, arguments);
    assert_eq!(found, code, "{message}");
    for word in words {
        assert!(plain(&message).contains(word), "the message does not say \"{word}\":\n{message}");
    }
    assert!(!message.contains("panicked"), "{message}");
    assert_eq!(entries(lab.folder()), before, "something is left behind");
}

#[test]
fn a_good_run_ends_with_code_0_and_a_whole_result() {
    let lab = lab();
    assert_eq!(sim(&lab, &[]), (0, String::new()));
    assert_eq!(entries(lab.folder()), ["calls.csv", "out", "scenario.toml"]);
    let files = entries(&lab.folder().join("out"));
    let wanted = [
        "distributions.csv",
        "functions.csv",
        "hosts.csv",
        "ledger.json",
        "ledger.parquet",
        "manifest.json",
        "regions.csv",
        "summary.csv",
        "summary.json",
        "tenants.csv",
        "timeseries.csv",
    ];
    assert_eq!(files, wanted);
}

#[test]
fn a_missing_scenario_is_wrong_use() {
    let out = Command::new(env!("CARGO_BIN_EXE_sim")).args(["run", "no/such.toml"]).output().expect("sim runs");
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("cannot read the scenario no/such.toml"));
}

#[test]
fn an_unknown_argument_is_wrong_use() {
    fails(&lab(), &["--treads", "2"], 2, &["--treads", "--threads"]);
    fails(&lab(), &["--threads", "0"], 2, &["--threads"]);
}

#[test]
fn an_unknown_key_is_shown_with_its_line_and_the_nearest_key() {
    let lab = Lab::new(&WORLD.replace("memory_mb", "memory_gb")).file("calls.csv", CALLS);
    fails(&lab, &[], 2, &["memory_gb", "memory_mb", "scenario.toml:5"]);
}

#[test]
fn an_unknown_policy_is_shown_with_those_that_exist() {
    let lab = Lab::new(&WORLD.replace("first-fit", "firstfit")).file("calls.csv", CALLS);
    fails(&lab, &[], 2, &["firstfit", "first-fit", "scenario.toml:2"]);
}

#[test]
fn all_problems_are_shown_together() {
    let text = WORLD.replace("cores = 1", "cores = -1").replace("count = 1", "count = 0").replace("name =", "nam =");
    fails(&Lab::new(&text).file("calls.csv", CALLS), &[], 2, &["cores", "-1", "count", "nam"]);
}

#[test]
fn zero_hosts_are_too_few() {
    fails(&lab(), &["--set", "regions[0].hosts[0].count=0"], 2, &["count", "0"]);
    fails(&lab(), &["--set", "regions[0].hosts=[]"], 2, &["hosts"]);
    fails(&lab(), &["--set", "regions=[]"], 2, &["regions"]);
}

#[test]
fn numbers_out_of_range_are_refused() {
    for bad in ["-1.0", "nan", "inf"] {
        fails(&lab(), &["--set", &format!("servers.box.embodied_kg={bad}")], 2, &["embodied_kg"]);
    }
    fails(&lab(), &["--set", "regions[0].pue=0.9"], 2, &["pue", "0.9"]);
    fails(&lab(), &["--set", "regions[0].grid.constant.g_per_kwh=-5.0"], 2, &["g_per_kwh", "-5"]);
}

#[test]
fn a_bad_override_is_shown_with_what_would_be_right() {
    fails(&lab(), &["--set", "scheduler.keep_alive.fixed.keep_alive=60"], 2, &["keep_alive_s"]);
    fails(&lab(), &["--set", "seed"], 2, &["seed"]);
    fails(&lab(), &["--set", "regions[3].name=\"x\""], 2, &["regions"]);
    fails(&lab(), &["--set", "seed=many"], 2, &["seed"]);
}

#[test]
fn a_missing_workload_is_wrong_use() {
    fails(&Lab::new(WORLD), &[], 2, &["calls.csv", "No such file"]);
}

#[test]
fn a_bad_row_is_shown_with_its_line() {
    let header = "arrival_time_s,function_id,duration_s,memory_mb\n";
    let rows = [
        ("1,a,1,100\n0.5,a,1,100\n", "line 3:", "0.5"),
        ("1,a,-1,100\n", "line 2:", "-1"),
        ("-1,a,1,100\n", "line 2:", "-1"),
        ("1,a,1,-100\n", "line 2:", "-100"),
        ("1,a,NaN,100\n", "line 2:", "NaN"),
        ("inf,a,1,100\n", "line 2:", "inf"),
        ("1,a,1,100\n2,a,1\n", "line 3:", "3 cells"),
        ("1,a,1,100\n2,a,1,100,9\n", "line 3:", "5 cells"),
        ("1,a,1,100\n2,a,1,200\n", "line 3:", "200"),
        ("1,a,,100\n", "line 2:", "duration_s"),
    ];
    for (text, line, word) in rows {
        for threads in ["1", "2"] {
            let lab = Lab::new(WORLD).file("calls.csv", &format!("{header}{text}"));
            fails(&lab, &["--threads", threads], 2, &["calls.csv", line, word]);
        }
    }
    for header in
        ["arrival_time_s,function_id,duration_s\n", "arrival_time_s,function_id,duration_s,memory_mb,colour\n", ""]
    {
        fails(&Lab::new(WORLD).file("calls.csv", header), &[], 2, &["calls.csv"]);
    }
}

#[test]
fn a_function_bigger_than_any_host_is_named() {
    let lab = Lab::new(WORLD).file("calls.csv", &CALLS.replace("100", "2000"));
    // The microVM's host process holds 1.8 of the 1000 MB.
    fails(&lab, &[], 2, &["function a", "998.2 MB"]);
    let cores = ["--set", "model.cpu=isolated", "--set", "workload.calls.cpu_cores=2.0"];
    fails(&self::lab(), &cores, 2, &["function a", "2 core", "1 core"]);
}

#[test]
fn a_signal_shorter_than_the_run_is_refused_unless_it_may_repeat_or_hold() {
    let grid = r#"grid.csv = { path = "grid.csv", zone = "X", kind = "average", factor_basis = "direct", source = "s", licence = "l", dataset_version = "1" }"#;
    let lab = Lab::new(&WORLD.replace("grid.constant.g_per_kwh = 1.0", grid))
        .file("calls.csv", CALLS)
        .file("grid.csv", "time_utc,g_per_kwh\n2022-06-06T00:00:00Z,100\n2022-06-06T01:00:00Z,200\n");
    fails(&lab, &[], 2, &["scenario.toml:10", "zone X", "past"]);
    for rule in ["repeat", "hold"] {
        let set = format!("regions[0].grid.csv.past_end={rule}");
        assert_eq!(sim(&lab, &["--set", &set]).0, 0, "{rule}");
    }
}

#[test]
fn results_are_never_written_over_something_else() {
    let lab = lab();
    fs::create_dir(lab.folder().join("out")).expect("writable");
    fs::write(lab.folder().join("out/thesis.tex"), "years of work").expect("writable");
    fails(&lab, &[], 1, &["out exists and is not a result", "--out"]);
    assert_eq!(fs::read_to_string(lab.folder().join("out/thesis.tex")).expect("still there"), "years of work");
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let lab = lab();
    let place = lab.folder().join("calls.csv/out");
    let out = Command::new(env!("CARGO_BIN_EXE_sim"))
        .current_dir(lab.folder())
        .args(["run", "scenario.toml", "--out", "calls.csv/out"])
        .output()
        .expect("sim runs");
    assert_eq!(out.status.code(), Some(1), "{} cannot be made", place.display());
    assert!(String::from_utf8_lossy(&out.stderr).contains("cannot write calls.csv"));
    assert_eq!(entries(lab.folder()), ["calls.csv", "scenario.toml"]);
}

#[test]
fn an_earlier_result_survives_a_failing_run_and_is_replaced_by_a_good_one() {
    let lab = lab();
    assert_eq!(sim(&lab, &[]).0, 0);
    let read = |name: &str| fs::read(lab.folder().join("out").join(name)).expect("the result is there");
    let all = || entries(&lab.folder().join("out")).into_iter().map(|n| (n.clone(), read(&n))).collect::<Vec<_>>();
    let before = all();
    // Fails at once, when it is put together, and in the middle of the run.
    fails(&lab, &["--set", "seed=-1"], 2, &["seed"]);
    fails(&lab, &["--set", "workload.calls.path=\"gone.csv\""], 2, &["gone.csv"]);
    fs::write(lab.folder().join("calls.csv"), format!("{CALLS}3,a,1,9999\n")).expect("writable");
    fails(&lab, &["--set", "output.invocations=true"], 2, &["calls.csv, line 4:"]);
    assert!(all() == before, "the earlier result has changed");
    fs::write(lab.folder().join("calls.csv"), format!("{CALLS}3,a,1,100\n")).expect("writable");
    assert_eq!(sim(&lab, &[]).0, 0);
    assert!(read("summary.json") != before.iter().find(|(n, _)| n == "summary.json").expect("written").1);
    assert_eq!(entries(lab.folder()), ["calls.csv", "out", "scenario.toml"]);
}

/// A world of instances, with something wrong added.
fn instances(more: &str) -> (i32, String) {
    let world = WORLD.replace("[workload.calls]\npath = \"calls.csv\"\n", "");
    sim(&Lab::new(&format!("{world}{more}")), &[])
}

#[test]
fn what_looks_at_instances_needs_some() {
    let calls = format!("{WORLD}[scheduler.overcommit.n-sigma]\n");
    let (code, said) = sim(&Lab::new(&calls).file("calls.csv", CALLS), &[]);
    assert_eq!(code, 2);
    assert!(said.contains("this looks at instances, and the scenario has none"), "{said}");
    assert!(said.contains("[instances.NAME.synthetic]"), "{said}");
}

const SOME: &str = "[instances.some.synthetic]\ncount = 1\nduration_s = 600.0\nusage.constant.share = 1.0\n";

#[test]
fn an_instance_that_no_host_can_hold_is_named_with_what_it_needs() {
    let (code, said) = instances(&format!("{SOME}sizes.list.sizes = [{{ cores = 2.0, memory_mb = 10.0 }}]\n"));
    assert_eq!(code, 2);
    assert!(said.contains("instance i0 needs 10.0 MB and 2 core(s), but no host of region here can hold it"), "{said}");
    assert!(said.contains("give the region larger hosts"), "{said}");
}

#[test]
fn hosts_are_sampled_at_one_pace() {
    let watch = "[overcommit_watch]\nsample_s = 60.0\nhorizon_s = 600.0\n\
                 predictors = [{ name = \"a\", policy.borg-default = { sample_s = 60.0 } }]\n";
    let (code, said) = instances(&format!("{SOME}[scheduler.overcommit.borg-default]\n{watch}"));
    assert_eq!(code, 2);
    assert!(said.contains("hosts are sampled every 300 s by scheduler.overcommit"), "{said}");
}

#[test]
fn a_migration_must_be_able_to_catch_up() {
    let (code, said) = instances(&format!("{SOME}[model.instances.migration]\ndirty_mb_per_s = 2000.0\n"));
    assert_eq!(code, 2);
    assert!(said.contains("copying would never catch up"), "{said}");
}
