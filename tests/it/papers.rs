//! `scenarios/papers`: the whole program reproduces the figures that released codes of four papers give.
//!
//! The figures stand in `shared/oracles/carbon`; without that folder, these tests say that they were skipped. Rows with noise differ by chance
//! and are held to three standard errors; in this build, for a part of the windows alone.

use std::fs;

use slackwater::compare::compare;
use slackwater::run::Options;
use slackwater::scenario::load;

use crate::lab::{Lab, Table, repository, shared};

/// The comparison of a paper's scenario, whose text is changed first; nothing where the shared data are absent.
#[track_caller]
fn paper(name: &str, change: impl Fn(String) -> String) -> Option<Table> {
    let data = shared("data")?;
    let root = data.parent().expect("the data lie in a folder").canonicalize().expect("it exists");
    let text = fs::read_to_string(repository(&format!("scenarios/papers/{name}.toml"))).expect("a scenario");
    let text = change(text.replace("../../../shared", root.to_str().expect("text")));
    let lab = Lab::new(&text);
    let out = lab.folder().join("out");
    let loaded = load(&lab.scenario(), &[]).unwrap_or_else(|e| panic!("{name}: {e}"));
    let options = Options { out: Some(out.clone()), threads: 2 };
    compare(&loaded, &options, &|_| {}).unwrap_or_else(|e| panic!("{name}: {e}"));
    Some(Table::read(&out.join("compare.csv")))
}

fn oracle(name: &str) -> Option<Table> {
    Some(Table::read(&shared(&format!("oracles/carbon/{name}"))?))
}

/// Replaces a part of a text, which must be there.
#[track_caller]
fn swap(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the scenario lacks {from}");
    text.replace(from, to)
}

const SEEDS: &str = "numbers = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
const NOISE: &str = "numbers = [0.0, 0.05, 0.1]";

/// One run of each cell without noise.
fn without_noise(text: String) -> String {
    swap(&swap(&text, SEEDS, "numbers = [0]"), NOISE, "numbers = [0.0]")
}

/// The numbers of the rows in which each of these columns has this text.
fn rows(table: &Table, wanted: &[(&str, &str)]) -> Vec<usize> {
    let columns: Vec<(Vec<String>, &str)> = wanted.iter().map(|(name, text)| (table.text(name), *text)).collect();
    (0..table.rows.len()).filter(|&r| columns.iter().all(|(column, text)| column[r] == *text)).collect()
}

/// A figure of the only row in which each of these columns has this text.
#[track_caller]
fn figure(table: &Table, wanted: &[(&str, &str)], figure: &str) -> f64 {
    let found = rows(table, wanted);
    assert_eq!(found.len(), 1, "{wanted:?}");
    table.column(figure)[found[0]]
}

#[track_caller]
fn within(what: &str, ours: f64, wanted: f64, tolerance: f64) {
    assert!((ours - wanted).abs() <= tolerance, "{what}: {ours} is not {wanted} to {tolerance:e}");
}

/// Ours and theirs are means of ten draws each: three standard errors of their difference.
#[track_caller]
fn by_chance(what: &str, draws: &[f64], wanted: f64) {
    assert_eq!(draws.len(), 10, "{what}");
    let mean = draws.iter().sum::<f64>() / 10.0;
    let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 9.0;
    // Where nothing can move, noise moves nothing.
    let bar = (3.0 * (variance * 2.0 / 10.0).sqrt()).max(1e-9 * wanted);
    within(what, mean, wanted, bar);
}

#[test]
fn gaia_is_its_released_codes_eight_policies() {
    let (Some(ours), Some(theirs)) = (paper("gaia", |text| text), oracle("gaia_pai_1k.csv")) else { return };
    assert_eq!((ours.rows.len(), theirs.rows.len()), (8, 8));
    for (r, policy) in theirs.text("policy").iter().enumerate() {
        let own = |key: &str| figure(&ours, &[("policy", policy)], key);
        within(policy, own("carbon_g.operational") / theirs.column("carbon")[r], 1.0, 1e-6);
        within(policy, own("jobs.start_wait_mean_s") / 3600.0, theirs.column("mean_start_wait_h")[r], 1e-6);
        within(policy, own("jobs.delay_mean_s") / 3600.0, theirs.column("mean_completion_delay_h")[r], 1e-6);
        assert_eq!(own("jobs.peak_cores"), theirs.column("peak_cpus")[r], "{policy}");
        let saved = 100.0 * (1.0 - own("relative.carbon_g.operational"));
        within(policy, saved, theirs.column("saved_pct")[r], 1e-6);
    }
}

#[test]
fn the_limits_of_shifting_are_those_of_the_study_in_thirteen_zones() {
    let Some(theirs) = oracle("shifting_upper_bound_2022.csv") else { return };
    let Some(ours) = paper("limits-of-shifting", |text| text) else { return };
    assert_eq!((ours.rows.len(), theirs.rows.len()), (390, 130));
    let [zones, hours, slacks] = ["zone", "job_h", "slack_h"].map(|name| theirs.text(name));
    for r in 0..130 {
        let cell = format!("{} h job, {} h slack", hours[r], slacks[r]);
        let own = |policy: &str, key: &str| {
            figure(&ours, &[("policy", policy), ("zone", &zones[r]), ("job and slack", &cell)], key)
        };
        let what = format!("{}, {cell}", zones[r]);
        within(&what, own("at once", "sci.g_per_unit") / theirs.column("base_ci")[r], 1.0, 1e-6);
        for (policy, column) in [("defer", "defer_saved_pct"), ("interrupt", "interrupt_saved_pct")] {
            let saved = 100.0 * (1.0 - own(policy, "relative.sci.g_per_unit"));
            within(&what, saved, theirs.column(column)[r], 1e-6);
        }
        assert_eq!(own("interrupt", "jobs.finished"), own("at once", "jobs.finished"), "{what}");
    }
}

#[test]
fn carbon_scaler_is_its_published_table_to_the_printed_digits() {
    let Some(file) = shared("oracles/carbon/carbonscaler.txt") else { return };
    let Some(ours) = paper("carbonscaler", |text| text) else { return };
    let lines = fs::read_to_string(file).expect("readable");
    assert_eq!(lines.lines().count(), 6);
    for line in lines.lines() {
        // nbody10k 24 24 agnostic gCO2 327.27 suspend-resume saved%  0.0 CarbonScaler saved% 3.19 mean peak nodes 2.29
        let words: Vec<&str> = line.split_whitespace().collect();
        let numbers: Vec<f64> = [5, 8, 11, 15].iter().map(|&at| words[at].parse().expect("a number")).collect();
        let deadline = format!("{} h", words[2]);
        let own = |policy: &str, key: &str| {
            figure(&ours, &[("policy", policy), ("profile", words[0]), ("deadline", &deadline)], key)
        };
        let saved = |policy: &str| 100.0 * (1.0 - own(policy, "relative.sci.g_per_unit"));
        // Half of the last printed digit; "0.0" has one digit, all others two.
        within(line, own("at once", "sci.g_per_unit"), numbers[0], 0.005 + 1e-9);
        within(line, saved("suspend-resume"), numbers[1], 0.005 + 1e-9);
        within(line, saved("carbon-scaler"), numbers[2], 0.005 + 1e-9);
        within(line, own("carbon-scaler", "jobs.most_nodes_mean"), numbers[3], 0.005 + 1e-9);
        for policy in ["at once", "suspend-resume", "carbon-scaler"] {
            assert_eq!(own(policy, "jobs.missed_deadline"), 0.0, "{line}");
        }
    }
}

#[test]
fn lets_wait_awhile_periodic_without_noise_is_its_released_code() {
    let Some(theirs) = oracle("lets_wait_awhile_periodic.csv") else { return };
    let Some(ours) = paper("lets-wait-awhile-periodic", without_noise) else { return };
    let exact = rows(&theirs, &[("err", "0.0")]);
    assert_eq!((ours.rows.len(), exact.len()), (34, 34));
    let (regions, windows) = (theirs.text("region"), theirs.text("w"));
    for r in exact {
        let own = figure(&ours, &[("region", &regions[r]), ("w", &windows[r])], "carbon_g.operational");
        within(&format!("{} {}", regions[r], windows[r]), own / theirs.column("ci")[r], 1.0, 1e-9);
    }
}

#[test]
fn lets_wait_awhile_periodic_with_noise_is_its_released_code_by_chance() {
    let Some(theirs) = oracle("lets_wait_awhile_periodic.csv") else { return };
    // Three of the 17 windows, to save twenty seconds of two cores.
    let some = ["1", "8", "16"];
    let change = |text: String| {
        let text = swap(&text, NOISE, "numbers = [0.05, 0.1]");
        let stays = |line: &&str| {
            let name = line.trim().strip_prefix("{ name = \"").and_then(|rest| rest.split('"').next());
            name.is_none_or(|name| name.parse::<u32>().is_err() || some.contains(&name))
        };
        text.lines().filter(stays).map(|line| format!("{line}\n")).collect()
    };
    let Some(ours) = paper("lets-wait-awhile-periodic", change) else { return };
    assert_eq!(ours.rows.len(), 2 * 2 * 10 * some.len());
    let carbon = ours.column("carbon_g.operational");
    for region in ["ger", "gb"] {
        for noise in ["0.05", "0.1"] {
            for w in some {
                let wanted = figure(&theirs, &[("region", region), ("err", noise), ("w", w)], "ci");
                let own = rows(&ours, &[("region", region), ("noise", noise), ("w", w)]);
                let draws: Vec<f64> = own.into_iter().map(|r| carbon[r]).collect();
                by_chance(&format!("{region}, noise {noise}, w {w}"), &draws, wanted);
            }
        }
    }
}

/// What a row of the machine-learning jobs is called here.
fn constraint(theirs: &Table, r: usize) -> String {
    let suffix = if theirs.text("interrupting")[r] == "True" { " interrupting" } else { "" };
    format!("{}{suffix}", theirs.text("constraint")[r])
}

#[test]
fn lets_wait_awhile_ml_jobs_without_noise_are_its_released_code() {
    let Some(theirs) = oracle("lets_wait_awhile_ml_jobs.csv") else { return };
    let Some(ours) = paper("lets-wait-awhile-ml", without_noise) else { return };
    let exact = rows(&theirs, &[("err", "0.0")]);
    assert_eq!((ours.rows.len(), exact.len()), (12, 12));
    for r in exact {
        let (name, region) = (constraint(&theirs, r), &theirs.text("region")[r]);
        let own = |key: &str| figure(&ours, &[("constraint", &name), ("region", region)], key);
        let what = format!("{region}, {name}");
        within(&what, own("carbon_g.operational") / 1e6 / theirs.column("tCO2")[r], 1.0, 1e-9);
        assert_eq!(own("jobs.peak_jobs"), theirs.column("peak_jobs")[r], "{what}");
    }
}

#[test]
fn lets_wait_awhile_ml_jobs_with_noise_are_its_released_code_by_chance() {
    let Some(theirs) = oracle("lets_wait_awhile_ml_jobs.csv") else { return };
    // The rows that the oracle has: the two constraints that move anything.
    let change = |text: String| {
        let text = swap(&text, NOISE, "numbers = [0.05, 0.1]");
        let goes = |line: &str| line.contains("name = \"none(strict)\"") || line.contains("name = \"baseline(repo)\"");
        text.lines().filter(|line| !goes(line)).map(|line| format!("{line}\n")).collect()
    };
    let Some(ours) = paper("lets-wait-awhile-ml", change) else { return };
    assert_eq!(ours.rows.len(), 4 * 2 * 2 * 10);
    let (carbon, mut seen) = (ours.column("carbon_g.operational"), 0);
    for r in 0..theirs.rows.len() {
        let (name, region, noise) = (constraint(&theirs, r), &theirs.text("region")[r], &theirs.text("err")[r]);
        if noise == "0.0" {
            continue;
        }
        seen += 1;
        let own = rows(&ours, &[("constraint", &name), ("region", region), ("noise", noise)]);
        let draws: Vec<f64> = own.into_iter().map(|r| carbon[r] / 1e6).collect();
        by_chance(&format!("{region}, {name}, noise {noise}"), &draws, theirs.column("tCO2")[r]);
    }
    assert_eq!(seen, 16, "rows with noise");
}
