//! Is serverless greener: figures of docs/serverless-greener.md against the runs, and the runs against bounds by hand.

use slackwater::compare::{Comparison, Row, compare};
use slackwater::run::Options;
use slackwater::scenario::load;

use crate::lab::{Lab, close, repository};

/// Runs a scenario of the repository with fewer values on its axes, and without its crossings.
fn part(scenario: &str, keep: [&[&str]; 2]) -> Comparison {
    let text = std::fs::read_to_string(repository(scenario)).expect("the scenario");
    let mut scenario: toml::Table = toml::from_str(&text).expect("TOML");
    let section = scenario["compare"].as_table_mut().expect("a table");
    section.remove("crossings");
    for (axis, names) in keep.into_iter().enumerate() {
        let axis = section["axes"][axis].as_table_mut().expect("an axis");
        let list = if axis.contains_key("values") { "values" } else { "numbers" };
        let values = axis[list].as_array_mut().expect("a list");
        let name = |v: &toml::Value| v.get("name").and_then(|n| n.as_str()).map_or(v.to_string(), str::to_owned);
        values.retain(|value| names.contains(&name(value).as_str()));
        assert_eq!(values.len(), names.len(), "{names:?}");
    }
    let lab = Lab::new(&toml::to_string(&scenario).expect("TOML"));
    let loaded = load(&lab.scenario(), &[]).expect("it is right");
    let options = Options { out: Some(lab.folder().join("out")), threads: 2 };
    compare(&loaded, &options, &|_| {}).expect("it runs")
}

fn number(row: &Row, key: &str) -> f64 {
    row.number(key).unwrap_or(f64::NAN)
}

/// The cells of the first row of a table that begins with this one, after a heading.
fn cells(heading: &str, first: &str) -> Vec<String> {
    let text = std::fs::read_to_string(repository("docs/serverless-greener.md")).expect("the document");
    let section = text.split(&format!("## {heading}")).nth(1).expect("the section");
    let row = section.lines().find(|line| line.starts_with(&format!("| {first} |"))).expect("the row");
    row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// As the document writes numbers: three significant digits.
fn three(x: f64) -> String {
    let digits = (2 - x.abs().log10().floor() as i32).max(0) as usize;
    format!("{x:.digits$}")
}

#[test]
fn modes_by_the_number_of_tenants_are_those_of_the_document_and_of_arithmetic() {
    let modes = ["vm-peak", "container-peak-4x", "scale-to-zero"];
    let done = part("scenarios/serverless-greener-tenants.toml", [&modes, &["1", "10", "40"]]);
    for (i, row) in done.rows.iter().enumerate() {
        let (mode, tenants) = (modes[i / 3], [1.0, 10.0, 40.0][i % 3]);
        let what = format!("{mode}, {tenants} tenants");
        let hosts = row.number("fit.value").or(row.fit.and_then(|f| f.value).map(|v| v as f64)).expect("a number");
        // A core for every sandbox, of four cores, or of sixteen that are promised; each tenant needs one at least.
        let least = match mode {
            "vm-peak" => (tenants / 4.0_f64).ceil(),
            "container-peak-4x" => (tenants / 16.0_f64).ceil(),
            _ => 1.0,
        };
        assert!(hosts >= least && hosts <= 1.2 * least, "{what}: {hosts} hosts, at least {least}");
        // 89.6 kg over 4 years, for 13 hours.
        let calls = number(row, "calls.executed");
        let embodied = hosts * 89_600.0 * 13.0 / (4.0 * 8760.0) / calls;
        close(&format!("{what}: M"), number(row, "sci.embodied_g_per_unit"), embodied, 1e-9);
        // Hosts draw 7.5625 W when idle, at a PUE of 1.1, and 8.765625 W for every busy core.
        let busy = number(row, "utilization.cpu_mean") * 4.0 * hosts;
        let watts = 1.1 * (7.5625 * hosts + 8.765_625 * busy);
        let operational = watts * 13.0 * 0.222 / calls;
        close(&format!("{what}: O"), number(row, "sci.operational_g_per_unit"), operational, 1e-9);
        let wanted = &cells("5. Number of tenants", mode)[[1, 3, 5][i % 3]];
        assert_eq!(*wanted, format!("{} ({hosts})", three(1000.0 * number(row, "sci.g_per_unit"))), "{what}");
    }
}

#[test]
fn the_ladder_holds_for_its_objective_and_falls_by_measured_joules() {
    let rungs = ["microvm", "microvm-measured", "container", "wasm"];
    let rows = part("scenarios/isolation-ladder.toml", [&rungs, &["10-min"]]).rows;
    let sci: Vec<f64> = rows.iter().map(|row| number(row, "sci.g_per_unit")).collect();
    let [microvm, measured, container, wasm] = sci[..] else { panic!("four rungs") };
    assert!(container > microvm && microvm > wasm, "{sci:?}: the ladder");
    assert!(measured > container, "{sci:?}: by measured joules a microVM costs more than a container");
    // What measuring adds: for every start 18.4 J instead of 0.073 core-s x 8.765625 W, at a PUE of 1.1 and 222 g/kWh.
    let cold = number(&rows[0], "calls.cold_share");
    let added = cold * (18.4 - 0.073 * 8.765_625) * 1.1 * 222.0 / 3.6e6;
    // The CPU time of starts that the run's end cuts off, and of those without a finished call, is the difference.
    close("what measuring adds", measured - microvm, added, 1e-3);
    for (row, name) in rows.iter().zip(["microvm", "microvm, measured joules", "container", "wasm"]) {
        let cells = cells("7. The isolation ladder", name);
        assert_eq!(cells[11], three(1000.0 * number(row, "sci.g_per_unit")), "{name}: SCI");
        assert_eq!(cells[2], format!("{} %", short(100.0 * cold_of(row))), "{name}: cold");
        let p99 = 1000.0 * number(row, "service_latency_s.p99");
        assert_eq!(cells[4], three(p99), "{name}: p99");
    }
}

fn cold_of(row: &Row) -> f64 {
    number(row, "calls.cold_share")
}

/// Two significant digits.
fn short(x: f64) -> String {
    if x >= 10.0 { format!("{x:.0}") } else { format!("{x:.1}") }
}
