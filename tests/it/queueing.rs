//! Queues with known answers: waiting times, processor sharing, infinite servers, loss, and Little's law.
//!
//! Each closed form is compared with the mean over replications of 200,000 calls under different seeds; the tolerance is
//! three standard errors of that mean (plus, for the start from an empty system, nothing: at these lengths it is far below).

use crate::lab::{Lab, Run, close};

/// One host, one function, calls that need one core each, starts that take no time.
fn station(cores: u32, rate: f64, service: &str, cpu: &str, queue: &str) -> Lab {
    Lab::new(&format!(
        r#"
[model]
cpu = "{cpu}"
queue.scope = "{queue}"
[isolation.container]
start_median_s = 0.0
start_sigma = 0.0
start_cpu_core_s = 0.0
memory_overhead_mb = 0.0
memory_per_host_mb = 0.0
cpu_factor = 1.0
[scheduler.keep_alive.fixed]
keep_alive_s = inf
[scheduler.packing.first-fit]
[servers.station]
cores = {cores}
memory_mb = 1e9
power.constant.power_w = 1.0
embodied_kg = 1.0
lifetime_years = 1.0
[[regions]]
name = "here"
grid.constant.g_per_kwh = 1.0
hosts = [{{ server = "station", count = 1 }}]
[workload.poisson]
rate_per_s = {rate}
calls = 200_000
service.{service}
"#
    ))
}

const EXPONENTIAL: &str = "exponential = { mean_s = 1.0 }";
const REPLICATIONS: u32 = 8;

/// Asserts that the mean of a figure over the replications is the closed form, to three standard errors.
#[track_caller]
fn agrees(what: &str, lab: &Lab, figure: impl Fn(&Run) -> f64, wanted: f64) {
    let figures: Vec<f64> = (1..=REPLICATIONS).map(|seed| figure(&lab.run(&[&format!("seed={seed}")]))).collect();
    let n = f64::from(REPLICATIONS);
    let mean = figures.iter().sum::<f64>() / n;
    let variance = figures.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let error = (variance / n).sqrt();
    let off = (mean - wanted) / error;
    eprintln!("{what}: {mean:.6} for {wanted:.6}, standard error {error:.6}, off by {off:+.2}");
    assert!(error < 0.05 * wanted, "{what}: a standard error of {error} says nothing about {wanted}");
    assert!(off.abs() <= 3.0, "{what}: {mean} is not {wanted}: off by {off:.2} standard errors of {error}");
}

/// Mean wait before execution [s].
fn wait(run: &Run) -> f64 {
    let functions = run.table("functions.csv");
    run.number("latency_s.mean") - functions.sum("busy_s") / run.number("calls.executed")
}

fn sojourn(run: &Run) -> f64 {
    run.number("latency_s.mean")
}

fn erlang_b(servers: u32, load: f64) -> f64 {
    (1..=servers).fold(1.0, |b, k| load * b / (f64::from(k) + load * b))
}

/// Mean wait in M/M/c at service rate 1.
fn erlang_c_wait(servers: u32, load: f64) -> f64 {
    let (c, b) = (f64::from(servers), erlang_b(servers, load));
    b / (1.0 - load / c * (1.0 - b)) / (c - load)
}

#[test]
fn the_erlang_formulas_give_their_published_table() {
    for (c, a, wq) in
        [(1, 0.5, 1.0), (2, 1.6, 1.777778), (5, 4.0, 0.554113), (20, 16.0, 0.064019), (100, 80.0, 0.000982)]
    {
        assert!((erlang_c_wait(c, a) - wq).abs() < 5e-7, "{c} servers at {a}");
    }
}

#[test]
fn calls_wait_as_in_m_m_1() {
    agrees("M/M/1 at 0.5", &station(1, 0.5, EXPONENTIAL, "isolated", "region"), wait, 1.0);
    agrees("M/M/1 at 0.8", &station(1, 0.8, EXPONENTIAL, "isolated", "region"), wait, 4.0);
}

#[test]
fn calls_wait_as_in_m_m_c() {
    for (c, load) in [(2, 1.6), (5, 4.0), (20, 16.0)] {
        let lab = station(c, load, EXPONENTIAL, "isolated", "region");
        agrees(&format!("M/M/{c} at {load}"), &lab, wait, erlang_c_wait(c, load));
    }
}

#[test]
fn calls_of_constant_length_wait_half_as_long() {
    agrees("M/D/1 at 0.8", &station(1, 0.8, "constant = { length_s = 1.0 }", "isolated", "region"), wait, 2.0);
}

/// Log-normal with mean 1: E[S^2] = exp(sigma^2).
const LOGNORMAL: &str = "lognormal = { median_s = 0.7261490370736909, sigma = 0.8 }";

#[test]
fn calls_of_lognormal_length_wait_by_pollaczek_and_khinchine() {
    let wanted = 0.7 * 0.64_f64.exp() / (2.0 * 0.3);
    agrees("M/G/1 at 0.7", &station(1, 0.7, LOGNORMAL, "isolated", "region"), wait, wanted);
}

#[test]
fn shared_cpu_gives_the_same_mean_time_whatever_the_distribution() {
    let lengths = [("M/M/1-PS", EXPONENTIAL), ("M/D/1-PS", "constant = { length_s = 1.0 }"), ("M/G/1-PS", LOGNORMAL)];
    for (what, service) in lengths {
        agrees(what, &station(1, 0.7, service, "contended", "region"), sojourn, 1.0 / 0.3);
    }
}

#[test]
fn with_unlimited_capacity_as_many_calls_run_as_arrive_in_a_mean_length() {
    let lab = station(1, 10.0, LOGNORMAL, "ignored", "region");
    let running = |run: &Run| run.table("functions.csv").sum("busy_s") / run.number("run.simulated_s");
    agrees("M/G/inf at 10", &lab, running, 10.0);
    let lab = station(1, 10.0, LOGNORMAL, "ignored", "region");
    let run = lab.run(&["scheduler.keep_alive=none"]);
    assert_eq!(run.number("calls.cold"), run.number("calls.executed"), "nothing is kept alive");
    let series = run.table("timeseries.csv");
    let area = area(&run, &["running_mean"]);
    close("running x time", area, run.table("functions.csv").sum("busy_s"), 1e-9);
    assert!(series.column("warm_mean").iter().all(|&w| w == 0.0), "nothing is idle");
}

#[test]
fn without_a_queue_calls_are_lost_as_erlang_says() {
    let lost = |run: &Run| run.number("calls.rejected") / run.number("calls.received");
    for (c, load) in [(1, 0.5), (5, 4.0), (20, 16.0)] {
        let lab = station(c, load, EXPONENTIAL, "isolated", "none");
        agrees(&format!("M/M/{c}/{c} at {load}"), &lab, lost, erlang_b(c, load));
    }
    let lab = station(5, 4.0, LOGNORMAL, "isolated", "none");
    agrees("M/G/5/5 at 4", &lab, lost, erlang_b(5, 4.0));
}

/// The integral over time of columns of the time series, which are means over steps of 900 s.
fn area(run: &Run, columns: &[&str]) -> f64 {
    let series = run.table("timeseries.csv");
    let starts = series.column("time_s");
    let end = run.number("run.simulated_s");
    columns
        .iter()
        .map(|c| series.column(c).iter().zip(&starts).map(|(x, t)| x * (end - t).min(900.0)).sum::<f64>())
        .sum()
}

#[test]
fn littles_law_holds_exactly_in_every_run_that_starts_and_ends_empty() {
    let cold = ["isolation.container.start_median_s=0.7", "isolation.container.start_sigma=0.5"];
    let short = ["scheduler.keep_alive.fixed.keep_alive_s=1.0", "workload.poisson.calls=20000"];
    let deferred = [
        "workload.poisson.deadline_s=20000",
        "scheduler.shifting.lowest-window={}",
        "regions[0].grid.typical={ zone = \"GB\" }",
    ];
    for (cores, cpu, shift) in [(3, "isolated", false), (3, "contended", false), (3, "ignored", true)] {
        let lab = station(cores, 2.0, EXPONENTIAL, cpu, "region");
        let mut set: Vec<&str> = cold.iter().chain(&short).copied().collect();
        if shift {
            set.extend(deferred);
        }
        let run = lab.run(&set);
        assert_eq!(run.number("calls.unfinished"), 0.0);
        assert_eq!(run.number("calls.deferred") > 0.0, shift);
        let in_system = area(&run, &["deferred_mean", "queued_mean", "starting_mean", "running_mean"]);
        let latencies = run.number("latency_s.mean") * run.number("calls.executed");
        close(&format!("{cpu}: calls x time"), in_system, latencies, 1e-9);
    }
}
