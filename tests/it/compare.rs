//! `[compare]`: rows are the single runs, whatever the threads; what cannot be compared is said.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use slackwater::compare::{CompareError, Comparison, Plan, compare, table};
use slackwater::run::Options;
use slackwater::scenario::{self, load};
use tempfile::TempDir;

use crate::lab::{Lab, Table, close, repository};

const WORLD: &str = r#"
[scheduler.keep_alive.fixed]
keep_alive_s = 30.0
[servers.box]
cores = 2
memory_mb = 2000
embodied_kg = 900.0
lifetime_years = 4.0
[[regions]]
name = "here"
grid.constant.g_per_kwh = 300.0
hosts = [{ server = "box", count = 2 }]
[workload.poisson]
rate_per_s = 2.0
calls = 400
functions = 10
memory_mb = 200
service.exponential = { mean_s = 1.0 }
"#;

/// Two mechanisms by three rates.
const COMPARE: &str = r#"
[compare]
show = ["calls.cold_share", "latency_s.p99", "sci.g_per_unit"]
[[compare.axes]]
name = "mechanism"
values = [
    { name = "container", set = ["isolation.container.start_median_s=0.5", 'isolation.container.start_sigma=0'] },
    { name = "vm", set = ["isolation.vm={}", "scheduler.packing=first-fit"] },
]
[[compare.axes]]
name = "rate"
key = "workload.poisson.rate_per_s"
numbers = [0.5, 1, 4]
"#;

fn lab(more: &str) -> Lab {
    Lab::new(&format!("{WORLD}{COMPARE}{more}"))
}

struct Done {
    dir: TempDir,
    comparison: Comparison,
}

fn try_run(lab: &Lab, set: &[&str], threads: usize) -> Result<Done, CompareError> {
    let set: Vec<String> = set.iter().map(|&s| s.to_owned()).collect();
    let loaded = load(&lab.scenario(), &set)?;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let options = Options { out: Some(dir.path().join("out")), threads };
    let comparison = compare(&loaded, &options, &|_| {})?;
    Ok(Done { dir, comparison })
}

#[track_caller]
fn run(lab: &Lab, set: &[&str], threads: usize) -> Done {
    try_run(lab, set, threads).unwrap_or_else(|e| panic!("the comparison fails: {e}"))
}

#[track_caller]
fn fails(lab: &Lab, set: &[&str], words: &[&str]) {
    let Err(error) = try_run(lab, set, 1) else { panic!("the comparison runs with {set:?}") };
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "the message does not say \"{word}\":\n{message}");
    }
}

impl Done {
    fn folder(&self) -> PathBuf {
        self.dir.path().join("out")
    }

    fn table(&self) -> Table {
        Table::read(&self.folder().join("compare.csv"))
    }

    /// Every file by its path, but the manifest.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn visit(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(folder).expect("readable") {
                let path = entry.expect("readable").path();
                if path.is_dir() {
                    visit(&path, found);
                } else if !path.ends_with("manifest.json") {
                    found.insert(path.clone(), fs::read(&path).expect("readable"));
                }
            }
        }
        let mut found = BTreeMap::new();
        visit(&self.folder(), &mut found);
        let short = |path: PathBuf| path.strip_prefix(self.folder()).expect("below").to_owned();
        found.into_iter().map(|(path, bytes)| (short(path), bytes)).collect()
    }
}

#[test]
fn every_row_is_the_single_run_byte_by_byte() {
    let lab = lab("");
    let done = run(&lab, &["seed=7"], 2);
    let csv = done.table();
    assert_eq!(csv.text("mechanism"), ["container", "container", "container", "vm", "vm", "vm"]);
    assert_eq!(csv.column("rate"), [0.5, 1.0, 4.0, 0.5, 1.0, 4.0]);
    let container = ["isolation.container.start_median_s=0.5", "isolation.container.start_sigma=0"];
    let vm = ["isolation.vm={}", "scheduler.packing=first-fit"];
    let mut row = 0;
    for (name, set) in [("container", container), ("vm", vm)] {
        for rate in ["0.5", "1", "4"] {
            let rate_set = format!("workload.poisson.rate_per_s={rate}");
            let alone = lab.run(&[&["seed=7"], &set[..], &[&rate_set]].concat());
            for file in ["summary.csv", "summary.json"] {
                let ours = fs::read(done.folder().join("runs").join(name).join(rate).join(file)).expect("written");
                assert!(ours == fs::read(alone.folder().join(file)).expect("written"), "{name}/{rate}/{file} differs");
            }
            for entry in &alone.report.summary {
                assert_eq!(csv.text(&entry.key)[row], entry.cell(), "{name}/{rate} {}", entry.key);
            }
            row += 1;
        }
    }
    let columns = Table::read(&done.folder().join("compare_columns.csv")).text("key");
    assert_eq!(columns.len(), 2 + done.comparison.plan.figures.len() + 1);
    assert_eq!((columns[0].as_str(), columns.last().map(String::as_str)), ("mechanism", Some("error")));
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let lab = lab("");
    let (one, four) = (run(&lab, &["compare.keep=all"], 1).files(), run(&lab, &["compare.keep=all"], 4).files());
    assert!(one.contains_key(Path::new("runs/vm/4/timeseries.csv")), "{:?}", one.keys());
    assert!(one.contains_key(Path::new("compare.svg")) && one.contains_key(Path::new("compare.json")));
    assert_eq!(one.keys().collect::<Vec<_>>(), four.keys().collect::<Vec<_>>());
    for (path, bytes) in &one {
        assert!(*bytes == four[path], "{} differs", path.display());
    }
}

#[test]
fn figures_relative_to_the_baseline_are_quotients_in_the_same_cell() {
    let done = run(&lab(""), &["compare.baseline=vm", "compare.relative=[\"latency_s.mean\"]"], 1);
    let csv = done.table();
    let (plain, relative) = (csv.column("latency_s.mean"), csv.column("relative.latency_s.mean"));
    for i in 0..6 {
        close("relative", relative[i], plain[i] / plain[3 + i % 3], 1e-12);
    }
    assert!(table(&done.comparison).contains("/ vm"));
}

#[test]
fn a_fit_finds_what_brute_force_finds() {
    let fit = r#"
[compare.fit]
key = "regions[0].hosts[0].count"
low = 1
high = 12
slo = ["service_latency_s.p99 <= 8", "calls.unfinished <= 0"]
"#;
    let lab = lab(fit);
    let set = ["compare.fit.high=9", "workload.poisson.calls=600", "isolation.microvm={}"];
    let done = run(&lab, &set, 2);
    let csv = done.table();
    let (found, container) = (csv.column("fit.value"), ["0.5", "1", "4"]);
    for (i, rate) in container.iter().enumerate() {
        let kept = (1..=9).find(|n| {
            let (count, rate) =
                (format!("regions[0].hosts[0].count={n}"), format!("workload.poisson.rate_per_s={rate}"));
            let own = ["isolation.container.start_median_s=0.5", "isolation.container.start_sigma=0"];
            let alone = lab.run(&[&set[1..], &own, &[&rate, &count]].concat());
            alone.number("service_latency_s.p99") <= 8.0 && alone.number("calls.unfinished") <= 0.0
        });
        assert_eq!(kept.map(f64::from), Some(found[i]), "rate {rate}");
        assert_eq!(csv.column("hosts.total")[i], found[i], "the figures are those of the number found");
    }
    // A VM takes half a minute to start: no number of hosts keeps eight seconds.
    assert!(found[3].is_nan() && csv.text("fit.holds")[3] == "false");
    assert_eq!(csv.column("hosts.total")[3], 9.0, "the figures are those at the end of the range");
    assert!(table(&done.comparison).contains("none"));
}

#[test]
fn the_number_found_can_be_drawn_and_crossed() {
    let fit = r#"
[compare.fit]
key = "regions[0].hosts[0].count"
low = 1
high = 64
slo = ["service_latency_s.p99 <= 100"]
[[compare.crossings]]
metric = "fit.value"
between = ["vm", "container"]
over = "rate"
"#;
    let lab = lab(fit);
    let done = run(&lab, &["compare.plot=fit.value"], 2);
    let svg = fs::read_to_string(done.folder().join("compare.svg")).expect("written");
    assert!(svg.contains("smallest regions[0].hosts[0].count that keeps the objectives"), "{svg}");
    let [vm, container] = ["vm", "container"].map(|name| {
        let row = |n: &usize| done.table().text("mechanism")[*n] == name && done.table().column("rate")[*n] == 4.0;
        done.table().column("fit.value")[(0..6).find(row).expect("a row")]
    });
    assert!(vm > container, "a VM's start takes room for half a minute: {vm} and {container} hosts");
    let crossings = Table::read(&done.folder().join("crossings.csv"));
    assert_eq!(crossings.text("metric"), ["fit.value"]);
    assert_eq!(crossings.text("result"), ["no crossing: container is lower throughout"]);
    fails(&lab, &["compare.plot=fit.valve"], &["no run has the figure \"fit.valve\""]);
}

#[test]
fn rows_that_keep_no_objectives_have_no_bar_and_wide_spans_have_dots() {
    let axis = |values: &str| format!("{WORLD}[compare]\n[[compare.axes]]\nname = \"what\"\nvalues = [{values}]\n");
    let drawn = |text: &str, set: &[&str]| {
        let done = run(&Lab::new(text), &[set, &["compare.plot=sci.g_per_unit"]].concat(), 1);
        let svg = fs::read_to_string(done.folder().join("compare.svg")).expect("written");
        let count = |what: &str| svg.matches(what).count();
        // One rectangle is the background.
        (count("<rect") - 1, count("<circle"), count("objectives not kept"), count("logarithmic scale"))
    };
    let mechanisms = r#"{ name = "c", set = ["isolation.container={}"] }, { name = "v", set = ["isolation.vm={}"] }"#;
    let fit = "[compare.fit]\nkey = \"regions[0].hosts[0].count\"\nlow = 1\nhigh = 9\nslo = [\"service_latency_s.p99 <= 9\"]\n";
    assert_eq!(drawn(&axis(mechanisms), &[]), (2, 0, 0, 0));
    assert_eq!(drawn(&(axis(mechanisms) + fit), &[]), (1, 0, 1, 0), "a VM takes half a minute to start");
    // A hundredth of the calls per second carry a hundred times the idle power and embodied carbon each.
    let rates = r#"{ name = "few", set = ["workload.poisson.rate_per_s=0.02"] }, { name = "many" }"#;
    assert_eq!(drawn(&axis(rates), &[]), (0, 2, 0, 1));
}

#[test]
fn crossings_are_written_and_told() {
    let crossing = r#"
[[compare.crossings]]
metric = "latency_s.mean"
between = ["vm", "container"]
over = "rate"
"#;
    let done = run(&lab(crossing), &[], 1);
    let found = Table::read(&done.folder().join("crossings.csv"));
    assert_eq!(found.text("crosses"), ["false"]);
    assert_eq!(found.text("result"), ["no crossing: container is lower throughout"]);
    assert!(table(&done.comparison).contains("no crossing: container is lower throughout"));
}

#[test]
fn a_failing_run_is_a_row_and_the_others_go_on() {
    let lab = lab("");
    // Two hundred megabytes and a VM's overhead of 372 are more than a host has; a container fits.
    let small = "servers.box.memory_mb=400";
    let done = run(&lab, &[small], 2);
    let errors = done.table().text("error");
    assert!(errors[..3].iter().all(String::is_empty), "{errors:?}");
    assert!(errors[3..].iter().all(|e| e.contains("function f") && e.contains("MB")), "{errors:?}");
    assert!(done.table().text("calls.cold")[3].is_empty());
    assert!(!done.folder().join("runs/vm/1").exists());
    assert!(table(&done.comparison).contains("3 of 6 runs failed"));
    fails(&lab, &["servers.box.memory_mb=100"], &["every run failed", "function f"]);
}

#[test]
fn what_is_wrong_with_a_comparison_is_shown_where_it_stands() {
    let replaced = |from: &str, to: &str| Lab::new(&format!("{WORLD}{COMPARE}").replace(from, to));
    fails(&replaced("vm={}", "vn={}"), &[], &["\"vn\"", "did you mean", "scenario.toml", "run mechanism=vm rate=0.5"]);
    fails(&replaced("0.5, 1, 4", "0.5, -1"), &[], &["rate_per_s", "-1", "numbers = [0.5, -1]", "rate=-1"]);
    fails(&replaced("p99", "p98"), &[], &["\"latency_s.p98\"", "did you mean"]);
    fails(&replaced("0.5, 1, 4", "1, 1.0"), &[], &["\"1\" is there twice"]);
    fails(&replaced("key = \"workload.poisson.rate_per_s\"\n", ""), &[], &["need the `key`"]);
    fails(&replaced("name = \"rate\"", "name = \"mechanism\""), &[], &["two axes are called \"mechanism\""]);
    fails(&replaced("name = \"vm\"", "name = \"../vm\""), &[], &["\"../vm\" cannot be the name"]);
    fails(&replaced("isolation.vm={}", "compare.keep=all"), &[], &["cannot set [compare]"]);
    fails(&lab(""), &["compare.baseline=wasm"], &["\"wasm\" is no value of the first axis", "container, vm"]);
    fails(&lab(""), &["compare.relative=[\"calls.cold\"]"], &["no baseline"]);
    fails(&lab(""), &["compare.axes=[]"], &["compare.axes", "at least 1"]);
    let fit = |slo: &str, low: i64| {
        format!("[compare.fit]\nkey = \"regions[0].hosts[0].count\"\nlow = {low}\nhigh = 3\nslo = [\"{slo}\"]\n")
    };
    fails(&lab(&fit("calls.cold < many", 1)), &[], &["\"many\"", "KEY OP NUMBER"]);
    fails(&lab(&fit("calls.hot < 1", 1)), &[], &["no run has the figure \"calls.hot\""]);
    fails(&lab(&fit("calls.cold < 1", 0)), &[], &["regions[0].hosts[0].count", "low = 0"]);
    fails(&lab(&fit("calls.cold < 1", 5)), &[], &["low = 5 is above high = 3"]);
    let fitted = lab(&fit("calls.cold < 1", 1));
    let show = "compare.show=[\"fit.value\"]";
    fails(&fitted, &[show], &["is no figure of a run", "the first figure of the table", "plot = \"fit.value\""]);
    fails(&lab(""), &[show], &["is no figure of a run", "only with [compare.fit]"]);
    let key = |key: &str| format!("compare.fit.key=\"{key}\"");
    fails(&fitted, &[&key("description")], &["\"description\" takes a text, not a number", "compare.fit.key"]);
    fails(
        &fitted,
        &[&key("regions[3].pue")],
        &["there is no regions[3]: regions has 1 element", "only element is [0]"],
    );
    let rate = key("workload.poisson.rate_per_s");
    fails(&fitted, &[&rate], &["is set by the axis \"rate\" and fitted, too", "fit another key"]);
    run(&fitted, &[&rate, "compare.axes[1].numbers=[1]"], 1);
    let text = ["compare.axes[1].key=\"regions[0].name\""];
    fails(&lab(""), &text, &["\"regions[0].name\" takes a text, not a number"]);
}

#[test]
fn a_check_finds_the_problems_of_every_run_once() {
    let text = format!("{WORLD}{COMPARE}").replace("first-fit\"", "first-fit\", \"regions[0].hosts[0].server=crate\"");
    let lab = Lab::new(&text);
    let loaded = load(&lab.scenario(), &[]).expect("the base is right");
    scenario::build_loaded(&loaded, false).expect("the base can be put together");
    let error = Plan::of(&loaded).and_then(|plan| plan.build_all()).expect_err("no server is called crate").to_string();
    assert_eq!(error.matches("no server type is called \"crate\"").count(), 1, "{error}");
    assert!(error.contains("run mechanism=vm rate=0.5"), "{error}");
}

#[test]
fn the_program_runs_a_comparison_and_replaces_its_result_as_a_whole() {
    let lab = lab("");
    let sim = |arguments: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_sim"))
            .current_dir(lab.folder())
            .args(arguments)
            .output()
            .expect("sim runs");
        (out.status.code(), String::from_utf8_lossy(&out.stdout).into_owned())
    };
    let (code, text) = sim(&["run", "scenario.toml"]);
    assert_eq!(code, Some(0));
    assert!(text.contains("cold_share") && text.contains("6 runs"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let result = lab.folder().join("results/scenario");
    let before = fs::read(result.join("compare.csv")).expect("written");
    assert_eq!(sim(&["run", "scenario.toml", "--set", "servers.box.memory_mb=100"]).0, Some(2));
    assert!(before == fs::read(result.join("compare.csv")).expect("still there"), "a failing comparison changed it");
    assert_eq!(sim(&["run", "scenario.toml", "--quiet", "--seed", "5", "--threads", "1"]), (Some(0), String::new()));
    assert!(before != fs::read(result.join("compare.csv")).expect("written"), "--seed reaches every run");
    assert_eq!(fs::read_dir(lab.folder().join("results")).expect("readable").count(), 1);
    let (code, text) = sim(&["check", "scenario.toml"]);
    assert_eq!((code, text.contains("compares 6 runs")), (Some(0), true), "{text}");
}

#[test]
fn the_commented_comparison_of_the_reference_is_right() {
    let text = fs::read_to_string(repository("scenarios/reference.toml")).expect("readable");
    let at = text.find("# [compare]").expect("the reference shows [compare]");
    let section: Vec<&str> = text[at..].lines().map(|line| line.strip_prefix("# ").unwrap_or(line)).collect();
    let lab = Lab::new(&format!("{}{}", &text[..at], section.join("\n")));
    let loaded = load(&lab.scenario(), &[]).expect("every key is right");
    let plan = Plan::of(&loaded).expect("every figure exists");
    assert_eq!((plan.cells.len(), plan.slo.len()), (6, 2));
}
