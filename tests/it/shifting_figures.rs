//! What is said of shifting beside its saving: marginal intensity, waterfalls, and what is wrong with a scenario.

use std::fs;

use slackwater::compare::{CompareError, compare};
use slackwater::run::Options;
use slackwater::scenario::load;

use crate::lab::{Lab, Table, close};
use crate::shifting::{WORLD, hourly};

/// One job of one hour on one core, which may wait an hour; hours of average and of marginal intensity, the last of which lasts.
fn lab(average: &[f64], marginal: Option<&[f64]>, more: &str) -> Lab {
    let file = |values: &[f64]| {
        let last = values[values.len() - 1];
        hourly(0, &values.iter().copied().chain(std::iter::repeat(last)).take(20 * 24).collect::<Vec<_>>())
    };
    let own = r#"marginal_grid.csv = { path = "marginal.csv", zone = "X", kind = "marginal", factor_basis = "made up", source = "me", licence = "none", dataset_version = "1" }"#;
    let grid = if marginal.is_some() { own } else { "" };
    let jobs = "[jobs.work]\nsource.periodic = { every_s = 3600.0, count = 1, length_s = 3600.0 }\nslack.fixed.wait_s = 3600.0\n";
    Lab::new(&format!("{WORLD}{grid}\n{jobs}{more}"))
        .file("grid.csv", &file(average))
        .file("marginal.csv", &file(marginal.unwrap_or(&[1.0])))
}

const WINDOW: &str = "scheduler.shifting={ lowest-window = { reserve_s = 0.0, min_slack_s = 0.0 } }";

#[test]
fn what_is_saved_on_average_intensity_can_be_lost_on_marginal_intensity() {
    // Both agree on hour 0 and 1 in nothing: 0.01 kWh at PUE 1.25, moved by one hour.
    let lab = lab(&[300.0, 100.0], Some(&[200.0, 500.0, 0.0]), "");
    let run = lab.run(&[WINDOW]);
    let kwh = 0.01 * 1.25;
    // Idle power is the same on both sides; its share of the overhead, too.
    let idle_marginal_g = 0.1 * 1.25 * (200.0 + 500.0);
    for (key, wanted) in [
        ("shifting.saved_operational_g", kwh * 200.0),
        ("shifting.saved_marginal_g", kwh * -300.0),
        ("shifting.saved_marginal_share", kwh * -300.0 / (idle_marginal_g + kwh * 200.0)),
        // Over the same whole as the rest: the work's average emissions at once.
        ("shifting.saved_net_marginal_of_work_share", -300.0 / 300.0),
        ("shifting.saved_of_work_share", 200.0 / 300.0),
        ("shifting.saved_of_bound_share", 1.0),
    ] {
        close(key, run.number(key), wanted, 1e-9);
    }
}

#[test]
fn a_schedule_chosen_on_marginal_intensity_loses_on_average_intensity() {
    // Decided on marginal intensity, scored on the average.
    let lab = lab(&[300.0, 100.0], Some(&[500.0, 200.0, 0.0]), "");
    let swapped = r#"regions[0].scoring_grid.csv={ path = "other.csv", zone = "X", kind = "average", factor_basis = "made up", source = "me", licence = "none", dataset_version = "1" }"#;
    let lab =
        lab.file("other.csv", &hourly(0, &[100.0, 300.0].iter().copied().chain([300.0; 478]).collect::<Vec<_>>()));
    let run = lab.run(&[WINDOW, swapped]);
    close("scored", run.number("shifting.saved_operational_g"), -0.0125 * 200.0, 1e-9);
    close("marginal", run.number("shifting.saved_marginal_g"), 0.0125 * 300.0, 1e-9);
}

#[test]
fn without_marginal_intensity_its_figures_are_undefined() {
    let run = lab(&[300.0, 100.0], None, "").run(&[WINDOW]);
    for key in ["saved_marginal_g", "saved_marginal_share", "saved_net_marginal_of_work_share"] {
        assert_eq!(run.report.number(&format!("shifting.{key}")), None, "{key}");
    }
    assert!(run.number("shifting.saved_operational_g") > 0.0);
}

/// Claimed, with a bad forecast, and less what the peak costs; in two places.
const WATERFALL: &str = r#"
[compare]
show = ["shifting.saved_of_work_share"]
[[compare.axes]]
name = "what"
values = [{ name = "perfect", set = [] }, { name = "noisy", set = ["regions[0].forecast.bias={ relative_bias = 100.0 }"] }]
[[compare.axes]]
name = "slack"
values = [{ name = "1 h", set = [] }, { name = "2 h", set = ["jobs.work.slack.fixed.wait_s=7200"] }]
[compare.waterfall]
title = "What is left of a claim"
steps = [
    { label = "claimed", at = "perfect", figure = "shifting.saved_of_work_share" },
    { label = "with a bad forecast", at = "noisy", figure = "shifting.saved_of_work_share" },
    { label = "less the hosts at the peak", at = "noisy", figure = "shifting.saved_net_of_work_share" },
]
"#;

/// The comparison of a scenario, in a folder of its own.
fn compared(lab: &Lab, set: &[&str]) -> Result<std::path::PathBuf, CompareError> {
    let set: Vec<String> = set.iter().map(|&s| s.to_owned()).collect();
    let loaded = load(&lab.scenario(), &set)?;
    let out = lab.folder().join("out");
    compare(&loaded, &Options { out: Some(out.clone()), threads: 2 }, &|_| {})?;
    Ok(out)
}

fn waterfall_lab() -> Lab {
    lab(&[400.0, 200.0, 100.0, 300.0], None, WATERFALL)
}

#[test]
fn a_waterfall_has_the_figures_of_its_runs_step_by_step() {
    let lab = waterfall_lab();
    let out = compared(&lab, &[WINDOW, "output.against_run_now=true"]).unwrap_or_else(|e| panic!("{e}"));
    let (rows, runs) = (Table::read(&out.join("waterfall.csv")), Table::read(&out.join("compare.csv")));
    assert_eq!(rows.text("slack"), ["1 h", "1 h", "1 h", "2 h", "2 h", "2 h"]);
    assert_eq!(rows.text("step"), ["1", "2", "3", "1", "2", "3"]);
    assert_eq!(rows.text("at"), ["perfect", "noisy", "noisy", "perfect", "noisy", "noisy"]);
    assert_eq!(rows.text("unit"), ["1"; 6]);
    assert_eq!(&rows.text("label")[..2], ["claimed", "with a bad forecast"]);
    let (values, changes) = (rows.column("value"), rows.column("change"));
    let [what, slack] = ["what", "slack"].map(|name| runs.text(name));
    for r in 0..6 {
        let same = |i: &usize| what[*i] == rows.text("at")[r] && slack[*i] == rows.text("slack")[r];
        let run = (0..4).find(same).expect("a run");
        assert_eq!(values[r], runs.column(&rows.text("figure")[r])[run], "row {r}");
        if r % 3 == 0 {
            assert!(changes[r].is_nan(), "the first step changes nothing");
        } else {
            close("change", changes[r], values[r] - values[r - 1], 1e-12);
        }
    }
    // 400 to 200 and to 100 g/kWh; a forecast of a future a hundred times as dirty moves nothing.
    close("1 h", values[0], 0.5, 1e-9);
    close("2 h", values[3], 0.75, 1e-9);
    assert_eq!((values[1], values[4]), (0.0, 0.0));
    let svg = fs::read_to_string(out.join("waterfall.svg")).expect("written");
    for words in ["What is left of a claim", "claimed", "with a bad forecast"] {
        assert!(svg.contains(words), "the picture lacks {words}");
    }
}

#[track_caller]
fn says(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "the message does not say \"{word}\":\n{message}");
    }
}

#[test]
fn a_waterfall_that_cannot_be_is_refused() {
    let lab = waterfall_lab();
    let fails = |set: &str, words: &[&str]| {
        let Err(error) = compared(&lab, &[WINDOW, "output.against_run_now=true", set]) else {
            panic!("the comparison runs with {set}")
        };
        says(&error.to_string(), words);
    };
    let key = "compare.waterfall.steps[1]";
    fails(&format!("{key}.at=noisier"), &["\"noisier\" is no value of the first axis", "perfect, noisy"]);
    fails(&format!("{key}.figure=shifting.saved"), &["shifting.saved", "waterfall"]);
    fails(
        &format!("{key}.figure=shifting.saved_operational_g"),
        &["this is in gCO2e, the first step in 1", "choose figures of one unit"],
    );
    fails("compare.waterfall.steps=[]", &["steps"]);
}

#[test]
fn a_waterfall_of_figures_against_run_now_needs_them() {
    let lab = waterfall_lab();
    let Err(error) = compared(&lab, &[WINDOW]) else { panic!("no run has these figures") };
    says(&error.to_string(), &["shifting.saved_of_work_share"]);
}

#[test]
fn what_is_wrong_with_shifting_is_said_with_its_key() {
    let lab = lab(&[300.0, 100.0], Some(&[200.0, 500.0]), "");
    let average = lab.fails(&[r#"regions[0].marginal_grid.csv.kind=average"#]);
    says(&average, &["marginal_grid", "is average intensity", "scoring_grid"]);
    let second = r#"regions=[{ name = "a", hosts = [{ server = "box", count = 1 }], grid.constant.g_per_kwh = 1.0, marginal_grid.constant = { g_per_kwh = 1.0, kind = "marginal" } }, { name = "b", hosts = [{ server = "box", count = 1 }], grid.constant.g_per_kwh = 1.0 }]"#;
    says(
        &lab.fails(&[second]),
        &["other regions have marginal intensity and this one has none", "give all regions a marginal_grid, or none"],
    );
    let key = "scheduler.shifting={ wait-awhile = { extension = 1.0 } }";
    says(&lab.fails(&[key]), &["extension", "extension_s"]);
    says(&lab.fails(&["scheduler.shifting={ wait-a-while = {} }"]), &["wait-a-while", "wait-awhile"]);
    says(&lab.fails(&["scheduler.shifting={ carbon-threshold = {} }"]), &["ceiling_g_per_kwh"]);
    says(&lab.fails(&["scheduler.shifting={ reserved-first = {} }"]), &["inner"]);
    says(&lab.fails(&["scheduler.admission={ cap = { guaranteed_share = 1.5 } }"]), &["guaranteed_share", "1.5"]);
    says(&lab.fails(&["jobs.work.source={}"]), &["jobs.work", "source"]);
    says(&lab.fails(&["jobs={}"]), &["workload", "jobs"]);
    says(&lab.fails(&["model.jobs.purchase.spot_per_core_h=-1"]), &["spot_per_core_h"]);
}
