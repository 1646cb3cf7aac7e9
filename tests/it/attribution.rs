//! Rules of attribution in whole runs: they conserve, agree with the accounts by period, and are chosen from the command line.

use std::collections::BTreeMap;
use std::process::Command;

use slackwater::ledger::PeriodAccount;
use slackwater::report::AccountLog;
use slackwater::sci::attribution::Rows;
use slackwater::sci::shapley::coalitions;

use crate::accounts::{WAYS, world};
use crate::lab::{Run, Table, close, repository, run_file};
use crate::scene::scene;
use crate::validate::hold;

#[test]
fn shapley_values_are_those_of_the_published_oracles() {
    hold(&["O-shapley"]);
}

const CAUSES: [&str; 7] = ["execution", "cold_start", "warm_idle", "idle_host", "boot", "off", "pue_overhead"];

/// Rules for both, with what else they need.
const RULES: [[&str; 2]; 6] = [
    ["idle.unattributed={}", "embodied.allocation={}"],
    ["idle.allocation={}", "embodied.usage={ spread = \"all\" }"],
    ["idle.usage={}", "embodied.peak={}"],
    ["idle.peak={}", "embodied.temporal-shapley={ levels_s = [200, 100, 50] }"],
    ["idle.temporal-shapley={ levels_s = [400, 100] }", "embodied.peak={ spread = \"all\" }"],
    ["idle.temporal-shapley={ levels_s = [50] }", "embodied.temporal-shapley={ levels_s = [50], spread = \"pool\" }"],
];

#[test]
fn every_rule_conserves_every_cause_in_every_part_of_the_machine() {
    let lab = world();
    for (i, way) in WAYS.iter().enumerate().step_by(2) {
        let rules = RULES[(i / 2) % RULES.len()].map(|rule| format!("sci.attribution.{rule}"));
        let set: Vec<&str> = way.iter().copied().chain(rules.iter().map(String::as_str)).collect();
        let (run, plain) = (lab.run(&set), lab.run(way));
        for table in ["functions.csv", "tenants.csv"] {
            let (ours, before) = (run.table(table), plain.table(table));
            let sum = |column: &str, key: &str| {
                let wanted = run.number(key);
                // A cause that nothing had has no relative error.
                close(&format!("{set:?}: {table} {column}"), ours.sum(column) + 1e-30, wanted + 1e-30, 1e-9);
                assert_eq!(wanted, plain.number(key), "{set:?}: no rule moves a total");
                assert!(ours.column(column).iter().all(|x| *x >= 0.0), "{set:?}: {table} {column}");
            };
            for cause in CAUSES {
                sum(&format!("{cause}_j"), &format!("energy_j.{cause}"));
                sum(&format!("operational_{cause}_g"), &format!("carbon_g.operational_{cause}"));
            }
            sum("energy_j", "energy_j.total");
            sum("operational_g", "carbon_g.operational");
            sum("embodied_g", "carbon_g.embodied");
            for cause in &CAUSES[..3] {
                let column = format!("{cause}_j");
                assert_eq!(ours.column(&column), before.column(&column), "{set:?}: own causes stay");
            }
        }
    }
}

const SCENARIO: &str = "scenarios/attribution.toml";

/// What a tenant, or nobody, pays: idle hosts [J], and M [g].
fn pays(table: &Table) -> BTreeMap<String, (f64, f64)> {
    let (idle, embodied) = (table.column("idle_host_j"), table.column("embodied_g"));
    table.text("tenant").into_iter().zip(idle.into_iter().zip(embodied)).collect()
}

fn rows(run: &Run) -> Vec<PeriodAccount> {
    let mut rows = Vec::new();
    AccountLog::new(&run.folder().join("accounts.parquet")).each(&mut |row| rows.push(*row)).expect("readable");
    rows
}

#[test]
fn tenants_pay_what_the_accounts_by_period_say() {
    // Eight blocks of three hours, few enough to enumerate the game instead of using its closed form.
    const BLOCK_S: f64 = 10_800.0;
    let run = |rule: &str, more: &str| {
        let set = [
            format!("sci.attribution.idle.{rule}={{ {more} }}"),
            format!("sci.attribution.embodied.{rule}={{ {more} }}"),
        ];
        run_file(&repository(SCENARIO), &[&set[0], &set[1]], 1)
    };
    let plain = run("unattributed", "");
    let before = pays(&plain.table("tenants.csv"));
    let pool = before["(unattributed)"];
    let names = plain.table("tenants.csv").text("tenant");
    let rows = rows(&plain);
    let by_tenant = |of: &dyn Fn(&PeriodAccount) -> f64| -> Vec<f64> {
        (0..2).map(|f| rows.iter().filter(|r| r.function.index() == f).map(of).sum()).collect()
    };
    let held = by_tenant(&|r| r.held_s());
    let used = by_tenant(&|r| r.dynamic_j[0] + r.dynamic_j[1]);
    let peak: Vec<f64> = (0..2)
        .map(|f| rows.iter().filter(|r| r.function.index() == f).map(|r| r.held_s()).fold(0.0, f64::max))
        .collect();
    let mut blocks = [[0.0; 2]; 8];
    let mut peaks = [0.0f64; 8];
    let mut periods: BTreeMap<u64, f64> = BTreeMap::new();
    for row in &rows {
        blocks[(row.start.as_secs_f64() / BLOCK_S) as usize][row.function.index()] += row.held_s();
        *periods.entry(row.start.0).or_default() += row.held_s() / 300.0;
    }
    for (start, hosts) in periods {
        let block = (start as f64 * 1e-9 / BLOCK_S) as usize;
        peaks[block] = peaks[block].max(hosts);
    }
    let alone: Vec<Vec<f64>> = (0..8).map(|b| (0..8).map(|t| if t == b { peaks[b] } else { 0.0 }).collect()).collect();
    let phi = coalitions(&alone).expect("eight players");
    let shapley: Vec<f64> = (0..2).map(|f| (0..8).map(|b| phi[b] * blocks[b][f]).sum()).collect();
    for (rule, more, weights) in [
        ("allocation", "", held),
        ("usage", "", used),
        ("peak", "", peak),
        ("temporal-shapley", "levels_s = [10800]", shapley),
    ] {
        let ours = pays(&run(rule, more).table("tenants.csv"));
        let total: f64 = weights.iter().sum();
        assert!(total > 0.0, "{rule}");
        for (f, name) in names[..2].iter().enumerate() {
            let part = weights[f] / total;
            close(&format!("{rule}: idle hosts of {name}"), ours[name].0, pool.0 * part, 1e-9);
            let all = before.values().map(|p| p.1).sum::<f64>();
            let wanted = if rule == "temporal-shapley" { all * part } else { before[name].1 + pool.1 * part };
            close(&format!("{rule}: M of {name}"), ours[name].1, wanted, 1e-9);
        }
        assert_eq!(ours["(unattributed)"], (0.0, 0.0), "{rule}");
    }
}

#[test]
fn the_rules_are_compared_from_the_command_line_with_and_without_files() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let temporary = dir.path().join("tmp");
    std::fs::create_dir(&temporary).expect("writable");
    let compare = |keep: &str| {
        let out = dir.path().join(keep);
        let status = Command::new(env!("CARGO_BIN_EXE_sim"))
            .args(["run", "--quiet", "--out"])
            .arg(&out)
            .args(["--set", &format!("compare.keep={keep}")])
            .arg(repository(SCENARIO))
            .env("TMPDIR", &temporary)
            .status();
        assert!(status.expect("sim runs").success());
        out
    };
    let (all, summary) = (compare("all"), compare("summary"));
    let table = |folder: &std::path::Path| std::fs::read_to_string(folder.join("compare.csv")).expect("a table");
    assert_eq!(table(&all), table(&summary), "what is kept changes no figure");
    assert_eq!(std::fs::read_dir(&temporary).expect("readable").count(), 0, "nothing is left behind");
    let figures = Table::read(&all.join("compare.csv"));
    let who = figures.text("who");
    assert_eq!(who.len(), 6);
    let unattributed = figures.column("carbon_g.unattributed_embodied");
    assert!(unattributed[0] > 1000.0 && unattributed[1..].iter().all(|&g| g == 0.0), "{unattributed:?}");
    let tenants = |rule: &str| pays(&Table::read(&all.join(format!("runs/{rule}/tenants.csv"))));
    let (by_time, by_peak) = (tenants("allocation"), tenants("temporal-shapley"));
    assert!(by_peak["office"].1 > 1.3 * by_time["office"].1, "who makes the peak pays more");
    assert!(by_peak["batch"].1 < 0.7 * by_time["batch"].1, "who calls all day pays less");
}

#[test]
fn rules_that_look_at_time_need_periods_that_fit() {
    let fails = |set: &[&str], wanted: &[&str]| {
        let error = scene(&["0,a,1,100"]).fails(set);
        assert!(wanted.iter().all(|w| error.contains(w)), "{error}");
    };
    fails(&["sci.attribution.idle.peak={}"], &["sci.attribution.idle", "set output.account_step_s"]);
    fails(
        &["sci.attribution.embodied.temporal-shapley={}"],
        &["sci.attribution.embodied", "set output.account_step_s"],
    );
    let levels = "sci.attribution.embodied.temporal-shapley={ levels_s = [3600, 500] }";
    fails(&[levels, "output.account_step_s=300"], &["3600 is not a whole multiple of the next level, 500"]);
    fails(&["sci.attribution.idle.fair={}"], &["temporal-shapley"]);
    fails(&["sci.attribution.idle.allocation={ spread = \"all\" }"], &["spread"]);
}

#[test]
fn the_reference_shows_every_rule() {
    let text = std::fs::read_to_string(repository("scenarios/reference.toml")).expect("the reference scenario");
    let schema = slackwater::scenario::schema();
    for (key, rules) in [("idle", "IdleRule"), ("embodied", "EmbodiedRule")] {
        let variants = schema["$defs"][rules]["oneOf"].as_array().expect("the rules");
        assert_eq!(variants.len(), 5);
        for variant in variants {
            let name = variant["properties"].as_object().and_then(|p| p.keys().next()).expect("a name");
            assert!(text.contains(&format!("{key}.{name} = {{")), "scenarios/reference.toml lacks {key}.{name}");
        }
    }
}
