//! How many tenants fit on a host, and how often they exhaust it: the scenarios against bounds by hand and binomial tails.

use slackwater::compare::compare;
use slackwater::run::Options;
use slackwater::scenario::load;
use statrs::distribution::{Binomial, DiscreteCDF};

use crate::lab::{Lab, close, repository, run_file};

const CORES: f64 = 8.0;
const MEMORY_MB: f64 = 32_000.0;
const APP_MB: f64 = 15.0;
const WORK_S: f64 = 0.010;

/// What the bounds need of a mechanism, by hand from docs/isolation.md and not from the catalogue: memory beyond the function's,
/// memory once per host \[MB\], factor on work, CPU of a start \[core-s\].
struct Figures(&'static str, f64, f64, f64, f64);

const WASM: Figures = Figures("wasm", 0.006, 50.0, 1.4, 0.000_018);
const PROCESS: Figures = Figures("process", 1.0, 0.0, 1.0, 0.000_52);
const RUNC: Figures = Figures("runc", 4.1, 0.0, 1.0, 0.0271);
const CONTAINER: Figures = Figures("container", 4.1, 100.0, 1.0, 0.027);
const MICROVM: Figures = Figures("microvm", 68.4, 1.8, 1.03, 0.073);
/// Every call is the first of its sandbox: 1.03 x 1.95.
const SNAPSHOT: Figures = Figures("microvm-snapshot", 68.4, 1.8, 1.03 * 1.95, 0.012);
const VM: Figures = Figures("vm", 372.0, 0.0, 1.03, 3.0);

impl Figures {
    /// Tenants whose sandboxes fit into memory together.
    fn by_memory(&self) -> f64 {
        ((MEMORY_MB - self.2) / (APP_MB + self.1)).floor()
    }

    /// Tenants whose calls keep all cores busy, each with a start of its own or without.
    fn by_cpu(&self, requests_per_hour: f64, starts: bool) -> f64 {
        let core_s = WORK_S * self.3 + if starts { self.4 } else { 0.0 };
        CORES / (requests_per_hour / 3600.0 * core_s)
    }
}

/// The numbers of tenants that scenarios/density.toml finds for these mechanisms, in one deployment, at one rate, up to `high`.
fn fitted(mechanisms: &[&Figures], deployment: &str, requests_per_hour: i64, high: i64) -> Vec<f64> {
    let text = std::fs::read_to_string(repository("scenarios/density.toml")).expect("the scenario");
    let mut scenario: toml::Table = toml::from_str(&text).expect("TOML");
    let comparison = scenario["compare"].as_table_mut().expect("a table");
    comparison.remove("crossings");
    comparison["fit"]["high"] = high.into();
    let mut keep = |axis: usize, names: &[&str]| {
        let values = comparison["axes"][axis]["values"].as_array_mut().expect("named values");
        values.retain(|value| value["name"].as_str().is_some_and(|name| names.contains(&name)));
        assert_eq!(values.len(), names.len(), "{names:?}");
    };
    keep(0, &mechanisms.iter().map(|m| m.0).collect::<Vec<_>>());
    keep(1, &[deployment]);
    comparison["axes"][2]["numbers"] = vec![requests_per_hour].into();
    let lab = Lab::new(&toml::to_string(&scenario).expect("TOML"));
    let loaded = load(&lab.scenario(), &[]).expect("it is right");
    let options = Options { out: Some(lab.folder().join("out")), threads: 2 };
    let rows = compare(&loaded, &options, &|_| {}).expect("it runs").rows;
    mechanisms.iter().zip(rows).map(|(_, row)| row.number("fit.value").unwrap_or(f64::NAN)).collect()
}

#[test]
fn resident_tenants_fill_the_memory_to_the_last_sandbox() {
    let mechanisms = [&WASM, &PROCESS, &RUNC, &MICROVM, &VM];
    let wanted: Vec<f64> = mechanisms.iter().map(|m| m.by_memory()).collect();
    assert_eq!(wanted, [2129.0, 2000.0, 1675.0, 383.0, 82.0]);
    assert_eq!(fitted(&mechanisms, "resident", 600, 2500), wanted);
}

/// The work of 50,000 calls is random by sqrt(2 / 50,000) = 0.6 %: a run may have a little more room than its bound says.
const SAMPLING: f64 = 1.02;

#[test]
fn busy_resident_tenants_come_close_to_the_bound_of_the_cores() {
    let mechanisms = [&WASM, &PROCESS, &CONTAINER];
    for (m, found) in mechanisms.iter().zip(fitted(&mechanisms, "resident", 5400, 800)) {
        let bound = m.by_cpu(5400.0, false);
        assert!(bound < m.by_memory(), "{}: the cores bind", m.0);
        assert!(found <= SAMPLING * bound && found >= 0.93 * bound, "{}: {found} of {bound}", m.0);
    }
}

#[test]
fn tenants_that_scale_to_zero_pay_for_every_start() {
    let mechanisms = [&WASM, &PROCESS, &RUNC, &SNAPSHOT];
    for (m, found) in mechanisms.iter().zip(fitted(&mechanisms, "scale-to-zero", 1800, 2000)) {
        let bound = m.by_cpu(1800.0, true);
        assert!(found <= SAMPLING * bound && found >= 0.93 * bound, "{}: {found} of {bound}", m.0);
    }
    // A host creates 5 microVMs a second and core; a container's or VM's start alone breaks the objective of half a second.
    let [container, microvm, vm] = fitted(&[&CONTAINER, &MICROVM, &VM], "scale-to-zero", 1800, 300)[..] else {
        panic!("three mechanisms")
    };
    let bound = 5.0 * CORES / 0.5;
    assert!(bound < MICROVM.by_cpu(1800.0, true));
    assert!(microvm <= bound && microvm >= 0.75 * bound, "{microvm} of {bound}");
    assert!(container.is_nan() && vm.is_nan());
}

#[test]
fn a_thousand_wasm_apps_fit_as_long_as_each_needs_less_than_a_thousandth_of_the_cores() {
    let file = repository("scenarios/density.toml");
    let most = CORES / 1000.0 / (WORK_S * WASM.3) * 3600.0;
    close("requests per hour at which 1,000 apps need 8 cores", most, 2057.142857, 1e-6);
    for (share, fits) in [(0.95, true), (1.05, false)] {
        let rate = format!("workload.tenants.requests_per_hour={}", share * most);
        let run = run_file(&file, &["isolation.wasm={}", "scheduler.scaling.peak.headroom=0", &rate], 1);
        let (p99, unserved) =
            (run.number("service_latency_s.p99"), run.number("calls.rejected") + run.number("calls.unfinished"));
        assert_eq!(p99 <= 0.5 && unserved == 0.0, fits, "at {share}: p99 {p99} s, {unserved} unserved");
    }
}

/// A host of scenarios/soft-allocation.toml.
struct Worker {
    tenants: u64,
    /// Share of the time that a tenant is busy.
    busy: f64,
}

const SLOTS: u64 = 32;
const MEAN_S: f64 = 24.0 * 1.03;

impl Worker {
    fn new(ratio: u64, requests_per_hour: f64) -> Self {
        Self { tenants: SLOTS * ratio, busy: requests_per_hour / 3600.0 * MEAN_S }
    }

    /// The most busy sandboxes whose memory fits: each reserves 1769 + 2.6 MB, of which half is used when busy and 2.71 % when
    /// idle; 1.8 MB of the host are shared.
    fn memory_allows(&self) -> u64 {
        let sandbox = 1_771.6;
        let (busy, idle) = (0.5 * sandbox, 0.0271 * sandbox);
        ((56_700.0 - 1.8 - self.tenants as f64 * idle) / (busy - idle)).floor() as u64
    }

    /// Probability that more than this many tenants are busy.
    fn more_than(&self, most: u64) -> f64 {
        tail(self.tenants, self.busy, most)
    }
}

fn tail(tenants: u64, busy: f64, most: u64) -> f64 {
    Binomial::new(busy, tenants).expect("a probability").sf(most)
}

/// Shares of the time with exhausted CPU and memory, one pair per seed. CPU slows nothing, so that tenants stay independent.
fn shares(ratio: u64, requests_per_hour: f64, shape: &str, seeds: std::ops::Range<u64>) -> Vec<(f64, f64)> {
    let (count, promise) = (
        format!("regions[0].hosts[0].count={}", 80 / ratio),
        format!("scheduler.overcommit.static-ratio.memory_ratio={ratio}"),
    );
    let rate = format!("workload.tenants.requests_per_hour={requests_per_hour}");
    let run = |seed: u64| {
        let set = ["model.cpu=ignored", &count, &promise, &rate, shape, &format!("seed={seed}")];
        let run = run_file(&repository("scenarios/soft-allocation.toml"), &set, 1);
        assert_eq!(run.number("sandboxes.prewarm_without_room"), 0.0, "every tenant has its sandbox");
        assert_eq!(run.number("calls.unfinished"), 0.0);
        (run.number("exhaustion.cpu_share"), run.number("exhaustion.memory_share"))
    };
    seeds.map(run).collect()
}

fn mean(x: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = x.len() as f64;
    x.sum::<f64>() / n
}

#[test]
fn exhaustion_of_independent_tenants_is_the_tail_of_a_binomial() {
    let worker = Worker::new(16, 7.5);
    assert_eq!(worker.memory_allows(), 38);
    let found = shares(16, 7.5, "workload.tenants.shape.steady={}", 0..4);
    let (cpu, memory) = (mean(found.iter().map(|f| f.0)), mean(found.iter().map(|f| f.1)));
    // A tenant is an M/M/1 queue, reversible with spectral gap mu (1 - sqrt(rho))²; many independent ones have the same gap.
    // So the variance of a share over time T is at most 2 q (1 - q) / (gap T).
    let gap = (1.0 - worker.busy.sqrt()).powi(2) / MEAN_S;
    let host_s = 4.0 * 5.0 * 86_400.0;
    for (what, ours, most) in [("CPU", cpu, SLOTS), ("memory", memory, worker.memory_allows())] {
        let wanted = worker.more_than(most);
        let sd = (2.0 * wanted * (1.0 - wanted) / (gap * host_s)).sqrt();
        assert!((ours - wanted).abs() < 4.0 * sd, "{what}: {ours} is not {wanted} ± {sd}");
        // It would notice if the bound were off by one sandbox.
        assert!((worker.more_than(most - 1) - wanted).abs() > 4.0 * sd, "{what}: too few runs to tell");
    }
}

#[test]
fn bursts_of_independent_tenants_exhaust_a_host_no_more_often() {
    // At any instant a tenant is busy with the same probability, in bursts or not: the marginal is the same binomial.
    let wanted = Worker::new(16, 7.5).more_than(SLOTS);
    let found = shares(16, 7.5, "workload.tenants.shape.bursty={on_share=0.2,on_mean_s=600}", 0..6);
    let ours = mean(found.iter().map(|f| f.0));
    let variance = found.iter().map(|f| (f.0 - ours).powi(2)).sum::<f64>() / 5.0;
    let error = (variance / 6.0).sqrt();
    assert!(error < 0.05 * wanted, "{error} of {wanted}");
    assert!((ours - wanted).abs() < 5.0 * error, "{ours} is not {wanted} ± {error}");
}

#[test]
fn a_common_peak_exhausts_a_host_as_the_hours_do_one_by_one() {
    let worker = Worker::new(10, 7.5);
    let amplitude = 3.3 / 5.3;
    let hour = |i: u32| {
        let wave = (std::f64::consts::TAU * f64::from(i) / 1440.0).cos();
        tail(worker.tenants, worker.busy * (1.0 + amplitude * wave), SLOTS)
    };
    let wanted = (0..1440).map(hour).sum::<f64>() / 1440.0;
    close("mean over the day of the binomial tail", wanted, 0.024_47, 1e-3);
    assert!(wanted > 100.0 * worker.more_than(SLOTS), "the common peak costs two orders of magnitude");
    let found = shares(10, 7.5, "workload.tenants.shape.diurnal={peak_to_trough=4.3}", 0..3);
    let ours = mean(found.iter().map(|f| f.0));
    let gap = (1.0 - (worker.busy * (1.0 + amplitude)).sqrt()).powi(2) / MEAN_S;
    let sd = (2.0 * wanted / (gap * 3.0 * 8.0 * 86_400.0)).sqrt();
    assert!((ours - wanted).abs() < 4.0 * sd + 0.01 * wanted, "{ours} is not {wanted} ± {sd}");
}

/// The largest whole ratio with which a host of so many slots is free of contention for CPU 99.99 % of the time.
fn largest_ratio(slots: u64, busy: f64) -> u64 {
    (1..=1000).take_while(|ratio| tail(slots * ratio, busy, slots) <= 1e-4).last().unwrap_or(0)
}

#[test]
fn the_table_of_ratios_in_the_documentation_is_the_binomial() {
    let text = std::fs::read_to_string(repository("docs/density.md")).expect("docs/density.md");
    let rows = text.lines().filter(|line| line.starts_with("| **"));
    let mut seen = 0;
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(|c| c.trim().trim_matches('*')).collect();
        let slots: u64 = cells[0].parse().expect("a number of slots");
        for (cell, busy) in cells[1..].iter().zip([0.01, 0.02, 0.05, 0.07, 0.1, 0.2]) {
            assert_eq!(cell.parse(), Ok(largest_ratio(slots, busy)), "{slots} slots, busy {busy}");
            seen += 1;
        }
    }
    assert_eq!(seen, 4 * 6, "four rows of six ratios");
}
