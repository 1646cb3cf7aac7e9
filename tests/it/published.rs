//! Published figures beside a run's own: the table, the file, the exit code, and figures of a run's course by hand.

use std::fs;
use std::process::Command;

use crate::lab::Lab;

/// One core, calls of a second each: ten in the first hour, twenty in the second, ten in the third; the fourth is drain.
fn lab(published: &str) -> Lab {
    let mut calls = String::from("arrival_time_s,function_id,duration_s,memory_mb\n");
    for (hour, count) in [(0, 10), (1, 20), (2, 10)] {
        for i in 0..count {
            calls += &format!("{},a,1,100\n", hour * 3600 + i * 60);
        }
    }
    let world = r#"
[time]
duration_s = 10800.0
drain_limit_s = 3600.0
end = "fixed"
[output]
step_s = 1800.0
[scheduler.packing.first-fit]
[isolation.process]
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
    Lab::new(&format!("{world}{published}")).file("calls.csv", &calls)
}

/// Runs `sim run` in the scenario's folder: exit code, standard output and error.
fn sim(lab: &Lab, arguments: &[&str]) -> (i32, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_sim"))
        .current_dir(lab.folder())
        .env("NO_COLOR", "1")
        .args(["run", "scenario.toml", "--out", "out"])
        .args(arguments)
        .output()
        .expect("sim runs");
    let text = |bytes| String::from_utf8(bytes).expect("messages are text");
    (out.status.code().expect("sim ends by itself"), text(out.stdout), text(out.stderr))
}

const PUBLISHED: &str = r#"
[[published]]
figure = "curve.received_max_min"
value = 10.0
within = 0.5
source = "by hand"
[[published]]
figure = "curve.executed_hourly_max_min"
value = 2.0
low = 1.9
high = 2.1
source = "by hand"
[[published]]
figure = "triggers.other.exec_s_p50"
value = 3.0
within_share = 0.1
label = "computed"
source = "wrong on purpose"
"#;

#[test]
fn the_table_the_file_and_the_exit_code_agree() {
    let lab = lab(PUBLISHED);
    let (code, table, _) = sim(&lab, &[]);
    assert_eq!(code, 0, "a figure outside of its tolerance is no failure unless it is asked for");
    assert!(table.contains("curve.executed_hourly_max_min") && table.contains("1.9 to 2.1  within"), "{table}");
    assert!(table.contains("of 3 published figures within their tolerance; C computed from the source"), "{table}");
    let file = fs::read_to_string(lab.folder().join("out/published.csv")).expect("written");
    let rows: Vec<Vec<&str>> = file.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let verdicts: Vec<(&str, &str)> = rows.iter().map(|row| (row[0], row[7])).collect();
    // In half hours: 10, 0, 20, 0, 10, 0 calls arrive: over nothing the ratio is undefined.
    let wanted = [
        ("curve.received_max_min", "not computed"),
        ("curve.executed_hourly_max_min", "within"),
        ("triggers.other.exec_s_p50", "outside"),
    ];
    assert_eq!(verdicts, wanted);
    let (code, _, error) = sim(&lab, &["--check-published", "--quiet"]);
    assert_eq!(code, 3, "{error}");
    assert!(error.contains("do not hold: curve.received_max_min, triggers.other.exec_s_p50"), "{error}");
    assert!(lab.folder().join("out/summary.csv").exists(), "the results are there all the same");
    let (code, ..) = sim(&lab, &["--check-published", "--quiet", "--set", "published=[]"]);
    assert_eq!(code, 0);
}

#[test]
fn an_unknown_figure_is_told_before_anything_runs() {
    let lab = lab(&PUBLISHED.replace("triggers.other.exec_s_p50", "triggers.other.exce_s_p50"));
    let (code, _, error) = sim(&lab, &[]);
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("no run has the figure \"triggers.other.exce_s_p50\""), "{error}");
    assert!(error.contains("did you mean \"triggers.other.exec_s_p50\"?"), "{error}");
    assert!(!lab.folder().join("out").exists());
}

#[test]
fn the_course_is_cut_to_the_time_of_arrivals_without_what_settles() {
    let lab = lab("");
    let figure = |set: &[&str], key: &str| {
        let set: Vec<&str> = set.iter().flat_map(|s| ["--set", s]).chain(["--quiet"]).collect();
        let (code, _, error) = sim(&lab, &set);
        assert_eq!(code, 0, "{error}");
        let summary = fs::read_to_string(lab.folder().join("out/summary.csv")).expect("written");
        summary.lines().find_map(|line| line.strip_prefix(&format!("{key},"))?.split(',').next().map(str::to_owned))
    };
    let curve = "output.curve=true";
    assert_eq!(figure(&[], "curve.steps"), None, "nobody asks for it");
    assert_eq!(figure(&[curve], "curve.steps").as_deref(), Some("6"), "the hour of drain is no part of it");
    assert_eq!(figure(&[curve, "output.settle_s=1801"], "curve.steps").as_deref(), Some("4"));
    assert_eq!(figure(&[curve], "curve.received_hourly_max_min").as_deref(), Some("2"));
    assert_eq!(figure(&[curve], "curve.received_peak_mean").as_deref(), Some("3"), "20 over 40/6");
    assert_eq!(figure(&[curve, "output.settle_s=7200"], "curve.received_hourly_max_min").as_deref(), Some("1"));
    // Without a duration the last bin with an arrival may be partial: 2 h 9 min lie in the bin from 2 h 5 min on.
    let open = [curve, "output.step_s=300", "output.curve=true"];
    let (code, _, error) = sim(&lab, &["--unset", "time.duration_s", "--set", open[0], "--set", open[1], "--quiet"]);
    assert_eq!(code, 0, "{error}");
    let summary = fs::read_to_string(lab.folder().join("out/summary.csv")).expect("written");
    assert!(summary.contains("\ncurve.steps,25,1,"), "{summary}");
}

#[test]
fn tolerances_that_contradict_themselves_and_comparisons_are_refused() {
    let both = PUBLISHED.replace("within = 0.5", "within = 0.5\nlow = 12.0\nhigh = 8.0");
    let (code, _, error) = sim(&lab(&both), &[]);
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("has several tolerances") && error.contains("low = 12 is above high = 8"), "{error}");
    let compare = "[compare]\nshow = [\"calls.received\"]\nkeep = \"all\"\n[[compare.axes]]\nname = \"seed\"\nkey = \"seed\"\nnumbers = [1]\n";
    let lab = lab(&format!("{PUBLISHED}{compare}"));
    let (code, _, error) = sim(&lab, &["--check-published"]);
    assert!(code == 2 && error.contains("judges one run"), "{error}");
    let (code, _, error) = sim(&lab, &["--quiet"]);
    assert_eq!(code, 0, "{error}");
    assert!(lab.folder().join("out/runs/1/published.csv").exists(), "each run has its own where all is kept");
}
