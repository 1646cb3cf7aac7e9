//! The isolation catalogue against the data it was made from, and the messages for scenarios that contradict themselves.

use std::collections::BTreeMap;

use slackwater::isolation::{IsolationSpec, Overrides, StartModel, catalogue, runtimes};
use slackwater::types::Seed;

use crate::lab::{Lab, shared};

/// A CSV file as rows of cells by column name.
fn table(path: &std::path::Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("the file is readable");
    reader.deserialize().map(|row| row.expect("the file is a table")).collect()
}

fn cell(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().expect("a number")
}

/// Row of the data by mechanism, end point and number of concurrent starts.
const ROWS: [(&str, bool, u32, &str); 13] = [
    ("microvm", false, 1, "FC e2e serial"),
    ("microvm", false, 10, "FC e2e 10par"),
    ("microvm", false, 50, "FC e2e 50par"),
    ("microvm", false, 100, "FC e2e 100par"),
    ("microvm", true, 1, "FC-pre serial"),
    ("microvm", true, 10, "FC-pre 10par"),
    ("microvm", true, 50, "FC-pre 50par"),
    ("microvm", true, 100, "FC-pre 100par"),
    ("cloud-hypervisor", false, 1, "CloudHV serial"),
    ("cloud-hypervisor", false, 50, "CloudHV 50par"),
    ("qemu", false, 1, "QEMU(SeaBIOS) serial"),
    ("qemu", false, 50, "QEMU 50par"),
    ("qemu", false, 100, "QEMU 100par"),
];

#[test]
fn the_shipped_quantiles_of_starts_are_those_of_the_data() {
    let Some(path) = shared("data/isolation/microvm_boot_quantiles_ms.csv") else { return };
    let data = table(&path);
    let columns = ["p1", "p5", "p25", "p50", "p75", "p90", "p95", "p99"];
    let mut levels = 0;
    for e in catalogue() {
        for (guest, table) in [(false, &e.start_quantiles), (true, &e.guest_quantiles)] {
            for level in table.iter().flat_map(|t| t.levels.levels()) {
                let row = ROWS.iter().find(|r| (r.0, r.1, r.2) == (e.name.as_str(), guest, level.concurrent));
                let row =
                    data.iter().find(|d| Some(d["config"].as_str()) == row.map(|r| r.3)).expect("a row of the data");
                for (column, p) in columns.into_iter().zip(slackwater::isolation::START_PROBABILITIES) {
                    let ms = level.quantiles.at(p) * 1000.0;
                    assert!((ms - cell(row, column)).abs() < 1e-6, "{}: {column} {ms}", row["config"]);
                }
                levels += 1;
            }
        }
    }
    assert_eq!(levels, ROWS.len());
}

/// Published results to reproduce, A6: 1e5 starts per level, p50 within 2 %, p99 within 5 % of the data.
#[test]
fn drawn_microvm_starts_have_the_quantiles_of_the_data() {
    let Some(path) = shared("data/isolation/microvm_boot_quantiles_ms.csv") else { return };
    let data = table(&path);
    for (name, guest, concurrent, config) in ROWS {
        let end = if guest { "start_end_point = \"guest\"" } else { "" };
        let spec: IsolationSpec = toml::from_str(&format!("[{name}]\n{end}")).expect("a mechanism");
        let m = spec.build().expect("no contradiction");
        assert!(matches!(m.start_model, StartModel::Empirical(_)));
        let mut stream = Seed(11).stream("cold-start", u64::from(concurrent));
        let mut draws: Vec<f64> =
            (0..100_000).map(|_| m.start_latency(concurrent, &mut stream).as_secs_f64() * 1000.0).collect();
        draws.sort_by(f64::total_cmp);
        let row = data.iter().find(|d| d["config"] == config).expect("a row of the data");
        for (n, column, tolerance) in [(50_000, "p50", 0.02), (99_000, "p99", 0.05)] {
            let ratio = draws[n] / cell(row, column);
            assert!((ratio - 1.0).abs() <= tolerance, "{config}: {column} is {} times the data's", ratio);
        }
    }
}

#[test]
fn the_shipped_runtimes_are_rows_of_the_data() {
    let Some(path) = shared("data/isolation/runtime_init_quantiles.csv") else { return };
    let data = table(&path);
    for r in &runtimes().runtime {
        let package = format!("{:?}", r.package).to_lowercase();
        let is = |d: &&BTreeMap<String, String>| {
            d["runtime"] == r.row && d["package"] == package && d["memory_mb"] == "128" && d["arch"] == "x86_64"
        };
        let row = data.iter().find(is).expect("a row of the data");
        let columns = ["p5_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms"];
        assert_eq!(columns.map(|c| cell(row, c)), r.ms, "{} {package}", r.row);
        assert_eq!((cell(row, "avg_mem_used_mb"), cell(row, "n")), (r.memory_mb, f64::from(r.starts)));
    }
}

const SMALL: &str = "[workload.poisson]\nrate_per_s = 1.0\ncalls = 50\nservice.constant = { length_s = 1.0 }\n\
    [servers.s]\ncores = 8.0\nmemory_mb = 64000.0\nembodied_kg = 1.0\nlifetime_years = 1.0\n\
    [[regions]]\nname = \"r\"\nhosts = [{ server = \"s\", count = 1 }]\n\
    [regions.grid.constant]\ng_per_kwh = 1.0\n";

#[test]
fn a_contradiction_is_reported_at_its_key() {
    let lab = Lab::new(SMALL);
    for (set, place, text) in [
        ("isolation.microvm.start_mean_s=1", "isolation.microvm.start_mean_s", "has no meaning with the start model"),
        ("isolation.kata.guest_memory=included", "isolation.kata.guest_memory", "has no vmm_memory_mb"),
        ("isolation.microvm.start_sigma=11", "isolation.microvm.start_sigma", "10"),
    ] {
        let message = lab.fails(&[set]);
        assert!(message.contains(place) && message.contains(text), "{set}:\n{message}");
    }
}

#[test]
fn every_mechanism_runs_and_is_in_the_manifest_with_its_figures() {
    let lab = Lab::new(SMALL);
    for e in catalogue() {
        let run = lab.run(&[&format!("isolation={}", e.name)]);
        assert_eq!(run.number("calls.executed"), 50.0, "{}", e.name);
    }
    let spec = IsolationSpec::Microvm(Overrides::default());
    let text = serde_json::to_string(&spec.build().expect("no contradiction")).expect("a mechanism is JSON");
    assert!(text.contains("\"pause_after_s\":null") && text.contains("\"concurrent\":50"), "{text}");
}
