//! The isolation catalogue against the data it was made from, and the messages for scenarios that contradict themselves.

use std::collections::BTreeMap;

use slackwater::isolation::{IsolationSpec, Overrides, StartModel, catalogue, runtimes};
use slackwater::types::Seed;

use crate::lab::{Lab, close, shared};

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

/// One host on which at most `concurrent` sandboxes exist, and a queue of calls that are over as soon as theirs is ready: as in the
/// published measurement, the next start begins when one ends, and `concurrent` starts are in flight at all times.
fn closed_loop(name: &str, guest: bool, concurrent: u32, starts: usize) -> Vec<f64> {
    let end = if guest { "start_end_point = \"guest\"" } else { "" };
    let calls: String = (0..starts).map(|k| format!("{:.6},f,0.001,1\n", k as f64 * 1e-6)).collect();
    let lab = Lab::new(&format!(
        "output.invocations = true\n[model]\ncpu = \"ignored\"\n[isolation.{name}]\n{end}\nlimit_creations = false\n\
        start_covers_call = true\nmax_per_host = {concurrent}\n[scheduler.keep_alive.none]\n[workload.calls]\n\
        path = \"calls.csv\"\n[servers.s]\ncores = 48.0\nmemory_mb = 1e9\nembodied_kg = 1.0\nlifetime_years = 1.0\n\
        [[regions]]\nname = \"r\"\nhosts = [{{ server = \"s\", count = 1 }}]\n[regions.grid.constant]\ng_per_kwh = 1.0\n"
    ))
    .file("calls.csv", &format!("arrival_time_s,function_id,duration_s,memory_mb\n{calls}"));
    let calls = lab.run(&[]).calls();
    assert_eq!(calls.len(), starts);
    assert!(calls.iter().all(|c| c.cold && c.start == c.end), "a call is over when its sandbox is ready");
    // First come, first served: start k begins when as many have ended that its place is free.
    let mut ends: Vec<f64> = calls.iter().map(|c| c.end).collect();
    ends.sort_by(f64::total_cmp);
    let begins = calls.iter().take(concurrent as usize).map(|c| c.arrival).chain(ends);
    calls.iter().zip(begins).map(|(call, begin)| call.end - begin).collect()
}

/// Asserts that latencies \[s\] have the quantiles of a row of the data: p50 within 2 %, p99 within 5 %.
#[track_caller]
fn agrees_with_the_data(what: &str, mut latencies: Vec<f64>, row: &BTreeMap<String, String>) {
    latencies.sort_by(f64::total_cmp);
    for (column, p, tolerance) in [("p50", 0.50, 0.02), ("p99", 0.99, 0.05)] {
        let at = (p * latencies.len() as f64) as usize;
        let ratio = latencies[at] * 1000.0 / cell(row, column);
        eprintln!("{what} {}: {column} is {ratio:.4} times the data's", row["config"]);
        assert!((ratio - 1.0).abs() <= tolerance, "{what} {}: {column} is {ratio} times the data's", row["config"]);
    }
}

/// A6 of the published results through the whole program: what the calls of a run waited.
#[test]
fn microvms_that_start_n_at_a_time_have_the_quantiles_of_the_data() {
    let Some(path) = shared("data/isolation/microvm_boot_quantiles_ms.csv") else { return };
    let data = table(&path);
    for (name, guest, concurrent, config) in ROWS {
        let row = data.iter().find(|d| d["config"] == config).expect("a row of the data");
        agrees_with_the_data("in a closed loop", closed_loop(name, guest, concurrent, 20_000), row);
    }
}

/// Starts of bursts of `at_once` calls at the same instant on an idle host, a burst every ten seconds.
fn bursts(name: &str, guest: bool, at_once: u32, starts: usize) -> Vec<f64> {
    let end = if guest { "start_end_point = \"guest\"" } else { "" };
    let calls: String = (0..starts).map(|k| format!("{},f,0.001,1\n", k / at_once as usize * 10)).collect();
    let lab = Lab::new(&format!(
        "output.invocations = true\n[model]\ncpu = \"ignored\"\n[isolation.{name}]\n{end}\nlimit_creations = false\n\
        [scheduler.keep_alive.none]\n[workload.calls]\npath = \"calls.csv\"\n[servers.s]\ncores = 48.0\nmemory_mb = 1e9\n\
        embodied_kg = 1.0\nlifetime_years = 1.0\n[[regions]]\nname = \"r\"\nhosts = [{{ server = \"s\", count = 1 }}]\n\
        [regions.grid.constant]\ng_per_kwh = 1.0\n"
    ))
    .file("calls.csv", &format!("arrival_time_s,function_id,duration_s,memory_mb\n{calls}"));
    lab.run(&[]).calls().iter().map(|c| c.start - c.arrival).collect()
}

/// The same of bursts on an idle host, of which every start is slowed down by all of its burst, not only by those before it.
#[test]
fn n_calls_at_once_on_one_host_have_the_quantiles_of_the_data() {
    let Some(path) = shared("data/isolation/microvm_boot_quantiles_ms.csv") else { return };
    let data = table(&path);
    for (name, guest, at_once, config) in ROWS {
        let row = data.iter().find(|d| d["config"] == config).expect("a row of the data");
        agrees_with_the_data("in bursts", bursts(name, guest, at_once, 20_000), row);
    }
}

/// However long a start turns out to take among others, its CPU time and its joules are booked once.
#[test]
fn starts_at_once_cost_their_cpu_time_or_their_joules_and_no_more() {
    let calls = "0,f,0.001,1\n".repeat(60);
    let lab = Lab::new(SMALL).file("calls.csv", &format!("arrival_time_s,function_id,duration_s,memory_mb\n{calls}"));
    let run = |set: &[&str]| {
        let all = [
            "workload.calls={path=\"calls.csv\",cpu_cores=0}",
            "isolation.microvm.limit_creations=false",
            "servers.s.cores=1000",
            "servers.s.power.linear={idle_w=0.0,max_w=2000.0}",
            "model.cpu=ignored",
            "scheduler.keep_alive=none",
        ];
        lab.run(&[&all, set].concat())
    };
    for runtime in ["runtime.connect_s=0", "runtime.connect_s=0.3"] {
        let metered = run(&["isolation.microvm.start_energy=measured", runtime]);
        close("measured joules", metered.number("energy_j.dynamic"), 60.0 * 18.4, 1e-9);
        close(
            "all are the function's, with PUE",
            metered.table("functions.csv").sum("cold_start_j") + metered.table("functions.csv").sum("pue_overhead_j"),
            1.1 * 60.0 * 18.4,
            1e-9,
        );
        // Two watts per core, and 0.073 core-seconds a start, of demands in millionths of a core.
        let by_cpu = run(&[runtime, "runtime.init_cores=0"]);
        close("CPU time", by_cpu.number("energy_j.dynamic"), 60.0 * 0.073 * 2.0, 1e-5);
        close("boots", metered.number("start_s.boot_mean"), by_cpu.number("start_s.boot_mean"), 1e-9);
        // 60 at once take about what 50 to 100 at once take in the data: 205 to 218 ms.
        assert!((0.204..0.220).contains(&by_cpu.number("start_s.boot_mean")));
    }
}

/// MB per MiB.
const MIB: f64 = 1.048576;

/// Memory of the monitor by Agache et al. (NSDI 2020), Fig. 7 \[MiB\]: the same beside guests of 128 MiB to 8 GiB.
#[test]
fn a_monitor_holds_its_published_memory_beside_guests_of_every_size() {
    let lab = Lab::new(SMALL);
    for (name, published_mib) in [("microvm", 2.5), ("cloud-hypervisor", 13.3), ("qemu", 131.0)] {
        for guest_mib in [128.0, 1024.0, 8192.0] {
            let run = lab.run(&[
                &format!("isolation.{name}.guest_memory=included"),
                &format!("isolation.{name}.start_median_s=0"),
                &format!("isolation.{name}.start_sigma=0"),
                &format!("isolation.{name}.limit_creations=false"),
                &format!("isolation.{name}.cpu_factor=1"),
                "scheduler.keep_alive=none",
                &format!("workload.poisson.memory_mb={}", guest_mib * MIB),
                "workload.poisson.rate_per_s=0.01",
            ]);
            let busy_s = run.table("functions.csv").sum("busy_s");
            let held_mb = run.number("memory.busy_mean_mb") * run.number("run.simulated_s") / busy_s;
            let monitor_mib = held_mb / MIB - guest_mib;
            assert!((monitor_mib - published_mib).abs() <= 0.1, "{name} beside {guest_mib} MiB: {monitor_mib} MiB");
        }
    }
}

/// Published results to reproduce, A7: 8,000 guests of 128 MiB in 1 TiB, here within 1 %.
#[test]
fn eight_thousand_small_microvms_run_on_one_host_of_a_terabyte() {
    let calls = "0,f,100,134.217728\n".repeat(8200);
    let set = [
        "isolation.microvm.guest_memory=included",
        "isolation.microvm.limit_creations=false",
        "model.queue.scope=none",
        "model.cpu=ignored",
        "workload.calls.path=calls.csv",
        &format!("servers.s.memory_mb={}", 1024.0 * 1024.0 * MIB),
    ];
    let lab = Lab::new(SMALL).file("calls.csv", &format!("arrival_time_s,function_id,duration_s,memory_mb\n{calls}"));
    let packed = lab.run(&set).number("calls.executed");
    assert!((packed / 8000.0 - 1.0).abs() <= 0.01, "{packed} microVMs in 1 TiB");
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
