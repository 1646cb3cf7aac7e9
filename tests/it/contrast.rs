//! `sim compare`: finished results side by side, and claims that guard them.

use std::fs;
use std::process::Command;

use slackwater::claim::find_key;

use crate::lab::{Lab, Table, close, repository};

const WORLD: &str = r#"
seed = 7
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
calls = 300
functions = 10
memory_mb = 200
service.exponential = { mean_s = 0.5 }
"#;

const LADDER: &str = r#"
[compare]
[[compare.axes]]
name = "mechanism"
values = [{ name = "container", set = ["isolation.container={}"] }, { name = "vm", set = ["isolation.vm={}"] }]
[[compare.axes]]
name = "rate"
key = "workload.poisson.rate_per_s"
numbers = [0.5, 1]
"#;

/// Half the intensity, all else the same.
const GREENER: &str = "regions[0].grid.constant.g_per_kwh=150";

fn sim(lab: &Lab, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    let out = command.args(arguments).current_dir(lab.folder()).env("NO_COLOR", "1").output().expect("sim runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (out.status.code().expect("sim ends by itself"), text(out.stdout), text(out.stderr))
}

#[track_caller]
fn run(lab: &Lab, more: &[&str]) {
    let (code, _, error) = sim(lab, &[&["run", "scenario.toml", "--quiet"], more].concat());
    assert_eq!(code, 0, "{error}");
}

/// Runs with the seeds 1 to 3 as `old-SEED`, and with half the intensity as `new-SEED`.
fn replications() -> Lab {
    let lab = Lab::new(WORLD);
    for seed in ["1", "2", "3"] {
        run(&lab, &["--seed", seed, "--out", &format!("old-{seed}")]);
        run(&lab, &["--seed", seed, "--out", &format!("new-{seed}"), "--set", GREENER]);
    }
    lab
}

#[track_caller]
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no \"{word}\" in\n{text}");
    }
}

#[test]
fn replications_are_paired_and_claims_hold_with_confidence_or_do_not() {
    let lab = replications();
    let places = ["compare", "old=old-*", "new=new-1,new-2,new-3"];
    let (code, text, error) = sim(
        &lab,
        &[
            &places[..],
            &["--assert", "sci < 0.9 * baseline and operational < 51 % * operational(old)", "--csv", "out.csv"],
        ]
        .concat(),
    );
    assert_eq!(code, 0, "{error}");
    says(&text, &["sci.g_per_unit", "3 pairs", "regions[here].grid.constant.g_per_kwh: 300.0 -> 150.0", ": holds ("]);
    // Half the intensity is half of O, in every pair: the interval has no width but rounding's.
    let table = Table::read(&lab.folder().join("out.csv"));
    let row = table.text("figure").iter().position(|f| f == "sci.operational_g_per_unit").expect("O is shown") + 1;
    assert_eq!((table.text("result")[row].as_str(), table.text("pairs")[row].as_str()), ("new", "3"));
    for column in ["relative", "relative_low", "relative_high"] {
        close(column, table.column(column)[row], -0.5, 1e-6);
    }
    // The mean is that of the three summaries.
    let summary = |n| {
        let summary = Table::read(&lab.folder().join(format!("new-{n}/summary.csv")));
        let at = summary.text("key").iter().position(|k| k == "sci.operational_g_per_unit").expect("O");
        summary.text("value")[at].parse::<f64>().expect("a number")
    };
    close("mean", table.column("mean")[row], (summary(1) + summary(2) + summary(3)) / 3.0, 1e-12);

    let (code, text, error) = sim(&lab, &[&places[..], &["--assert", "sci < 0.1 * baseline"]].concat());
    assert_eq!(code, 3, "{text}");
    says(
        &error,
        &["claims that do not hold with a confidence of 0.95: 1 of 1", "sci < 0.1 * baseline for new: does not hold"],
    );
    says(&text, &["What new has otherwise than old"]);

    // O of one seed is above that of another: three seeds do not tell on which side of their mean O is.
    let (old, _) = (table.column("mean")[row - 1], table.column("mean")[row]);
    let claim = format!("operational(old) < {old}");
    let (code, text, error) = sim(&lab, &[&places[..], &["--quiet", "--assert", &claim]].concat());
    assert_eq!((code, text.as_str()), (3, ""));
    says(&error, &["undecided", "the difference is between", "more replications"]);
}

#[test]
fn a_result_beside_itself_differs_in_nothing() {
    let lab = Lab::new(WORLD);
    run(&lab, &["--out", "a"]);
    run(&lab, &["--out", "b"]);
    let (code, text, _) = sim(&lab, &["compare", "a", "b", "--all", "--json", "out.json"]);
    assert_eq!(code, 0);
    says(&text, &["b and a have the same scenario, seed, program and inputs"]);
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(lab.folder().join("out.json")).expect("written")).expect("JSON");
    let figures = json["figures"].as_array().expect("figures");
    assert!(figures.len() > 60, "{} figures", figures.len());
    for figure in figures {
        let own = &figure["values"][1];
        assert!(own["difference"] == 0.0 || own["mean"].is_null(), "{figure}");
    }
    let (code, _, error) = sim(&lab, &["compare", "a", "b", "--assert", "sci < baseline"]);
    assert_eq!(code, 3);
    says(&error, &["sci < baseline for b: does not hold"]);
    let (code, ..) = sim(&lab, &["compare", "a", "b", "--assert", "sci == baseline and sci <= baseline"]);
    assert_eq!(code, 0);
}

#[test]
fn comparisons_are_joined_on_the_axes_they_share() {
    let lab = Lab::new(&format!("{WORLD}{LADDER}"));
    run(&lab, &["--out", "a"]);
    run(&lab, &["--out", "b", "--set", GREENER, "--set", "compare.axes[1].numbers=[1, 2]"]);
    run(&lab, &["--out", "single", "--unset", "compare"]);
    let (code, text, error) =
        sim(&lab, &["compare", "a", "b", "--figure", "operational", "--assert", "operational < baseline"]);
    assert_eq!(code, 0, "{error}");
    says(
        &text,
        &[
            "  mechanism = vm, rate = 1\n",
            "only in a, not in b: mechanism = container, rate = 0.5; mechanism = vm, rate = 0.5",
            "only in b, not in a: mechanism = container, rate = 2; mechanism = vm, rate = 2",
            "compare.axes[rate].numbers: [0.5,1.0] -> [1.0,2.0]",
            "one run each: no interval is known",
        ],
    );
    // Values of an axis stand for results.
    let (code, text, _) = sim(&lab, &["compare", "a", "--assert", "boot_mean(container) < boot_mean(vm)"]);
    assert_eq!(code, 0, "{text}");
    says(&text, &["for a at rate = 0.5: holds", "for a at rate = 1: holds"]);
    // A single run stands beside every point.
    let (code, text, _) = sim(&lab, &["compare", "single", "a", "--figure", "sci", "--csv", "out.csv"]);
    assert_eq!((code, Table::read(&lab.folder().join("out.csv")).rows.len()), (0, 8), "{text}");
}

#[test]
fn wrong_use_is_exit_code_two_and_says_what_to_do() {
    let lab = Lab::new(WORLD);
    fs::create_dir(lab.folder().join("folder")).expect("writable");
    run(&lab, &["--out", "a"]);
    run(&lab, &["--out", "other-seed", "--seed", "8"]);
    run(&lab, &["--out", "greener", "--set", GREENER]);
    for (arguments, words) in [
        (
            &["a", "--assert", "sci < 0.9 * baselin"][..],
            &["--assert: no run has the figure", "    sci < 0.9 * baselin\n                ^^^^^^^\n"][..],
        ),
        (&["a", "--assert", "sci = 1"], &["\"=\" means nothing here", "write =="]),
        (&["a", "--assert", "sci(b) < 1"], &["no result is named \"b\"", "the results are a"]),
        (&["a", "--figure", "latency_s.mea"], &["--figure: no run has the figure", "did you mean \"latency_s.mean\"?"]),
        (&["a", "nowhere"], &["nowhere: there is no such folder", "help: "]),
        (&["a", "folder"], &["no finished result of sim (it has no manifest.json)", "help: "]),
        (&["x=a,greener"], &["no replication of a: regions[here].grid.constant.g_per_kwh differs", "help: "]),
        (&["a", "--baseline", "b"], &["--baseline: no result is named \"b\"", "the results are a"]),
    ] {
        let (code, _, error) = sim(&lab, &[&["compare"], arguments].concat());
        assert_eq!(code, 2, "{arguments:?}: {error}");
        says(&error, words);
    }
    // Different seeds are no pairs, and that is said.
    let (code, text, _) = sim(&lab, &["compare", "a", "other-seed", "--assert", "sci < 2 * baseline"]);
    assert_eq!(code, 0);
    says(&text, &["  seed: 7 -> 8", "do not share seeds", "one run each"]);
}

#[test]
fn the_short_names_of_the_document_are_those_of_the_program() {
    let text =
        fs::read_to_string(repository("docs/comparing.md")).expect("docs/comparing.md has the language of claims");
    let lab = Lab::new(WORLD);
    let summary = lab.run(&[]).report.summary;
    let keys: Vec<&str> = summary.iter().map(|e| e.key.as_str()).collect();
    for (alias, key) in slackwater::claim::ALIASES {
        assert!(
            text.contains(&format!("`{alias}`")) && text.contains(&format!("`{key}`")),
            "{alias} is not documented"
        );
        assert_eq!(find_key(alias, &keys), Ok(key), "a run has no figure {key}");
    }
}
