//! SimFaaS' steady state of one function: cold starts, servers and their lifespan inside its published ranges.
//!
//! The oracle holds the smallest and largest value of three runs. As its file asks, the mean of at least five of our replications,
//! of the same length and from the same empty pool, is compared with that range widened by its own width on both sides.

use serde_json::Value;

use crate::lab::{Lab, Run, shared};

/// One function on one host that never fills; a cold response is one draw that replaces the warm one; no queue, no overheads.
fn one_function(set: &Value) -> Lab {
    let number = |key: &str| set[key].as_f64().expect("a number of the oracle");
    let (rate, until) = (number("arrival_rate_per_s"), number("max_time_s"));
    Lab::new(&format!(
        r#"
[time]
duration_s = {until:?}
[model]
cpu = "ignored"
queue.scope = "none"
sandbox.reuse_order = "newest-created"
[isolation.container]
start_model = "exponential"
start_mean_s = {cold:?}
start_covers_call = true
start_cpu_core_s = 0.0
memory_overhead_mb = 0.0
memory_per_host_mb = 0.0
limit_creations = false
cpu_factor = 1.0
[scheduler.keep_alive.fixed]
keep_alive_s = {keep:?}
clock_restarts = true
[scheduler.packing.first-fit]
prefer_warm = true
[servers.unlimited]
cores = 1000000.0
memory_mb = 1e9
power.constant.power_w = 0.0
embodied_kg = 0.0
lifetime_years = 1.0
[[regions]]
name = "here"
grid.constant.g_per_kwh = 1.0
hosts = [{{ server = "unlimited", count = 1 }}]
[workload.poisson]
rate_per_s = {rate:?}
calls = {calls}
service.exponential = {{ mean_s = {warm:?} }}
"#,
        cold = number("cold_mean_s"),
        warm = number("warm_mean_s"),
        keep = number("expiration_threshold_s"),
        // Ten standard deviations more than arrive, so that the run is cut by time.
        calls = (rate * until + 10.0 * (rate * until).sqrt()).ceil(),
    ))
}

/// A figure of the oracle by its name there.
fn figure(run: &Run, name: &str) -> f64 {
    let running = run.number("sandboxes.busy_mean") + run.number("sandboxes.starting_mean");
    match name {
        "requests" => run.number("calls.received"),
        "cold_requests" => run.number("calls.cold"),
        "p_cold" => run.number("calls.cold_share"),
        "p_reject" => run.number("calls.rejected") / run.number("calls.received"),
        "avg_servers" => running + run.number("sandboxes.idle_mean"),
        "avg_running" => running,
        "avg_idle" => run.number("sandboxes.idle_mean"),
        // Undefined where nothing expires, hence outside every range.
        "avg_lifespan_s" => run.report.number("sandboxes.lifetime_mean_s").unwrap_or(f64::NAN),
        _ => panic!("the oracle has a figure {name} that is not known here"),
    }
}

/// The figures of a set that lie outside what the oracle accepts, of `replications` runs under other overrides.
#[track_caller]
fn outside(name: &str, replications: u32, set_also: &[&str]) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(shared("oracles/faas/simfaas.json")?).expect("the oracle is readable");
    let oracle: Value = serde_json::from_str(&text).expect("the oracle is JSON");
    let set = oracle["sets"].as_array().and_then(|sets| sets.iter().find(|s| s["name"] == name)).expect("the set");
    let lab = one_function(set);
    let replicate = |seed: u32| lab.run(&[&[format!("seed={seed}").as_str()], set_also].concat());
    let runs: Vec<Run> = (1..=replications).map(replicate).collect();
    let mut outside = Vec::new();
    for (key, range) in set["expected"].as_object().expect("figures") {
        let (low, high) = (range[0].as_f64().expect("a bound"), range[1].as_f64().expect("a bound"));
        let (lowest, highest) = (low - (high - low), high + (high - low));
        let n = f64::from(replications);
        let values: Vec<f64> = runs.iter().map(|run| figure(run, key)).collect();
        let mean = values.iter().sum::<f64>() / n;
        let error = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
        eprintln!("{name} {set_also:?} {key}: {mean:.6} ± {error:.6}, oracle {low} to {high}");
        if !(lowest..=highest).contains(&mean) {
            outside.push(format!("{key}: {mean} is outside {lowest} to {highest}"));
        }
        if set_also.is_empty() {
            // A model that is off by the width of what is accepted is then off by two standard errors or more.
            assert!(error <= (highest - lowest) / 2.0, "{name} {key}: a standard error of {error} says nothing");
            assert!(error <= 0.01 * mean.abs(), "{name} {key}: a standard error of {error} says nothing of {mean}");
        }
    }
    Some(outside)
}

#[track_caller]
fn agrees(name: &str, replications: u32) {
    let Some(outside) = outside(name, replications, &[]) else { return };
    assert!(outside.is_empty(), "set {name}:\n{}", outside.join("\n"));
}

/// Twenty replications: the oracle's range of `avg_servers`, 0.04 %, is narrower than one run's standard deviation, 0.25 %.
#[test]
fn the_readme_example_of_simfaas_is_inside_its_range() {
    agrees("A", 20);
}

#[test]
fn a_short_threshold_is_inside_the_range_of_simfaas() {
    agrees("B", 16);
}

#[test]
fn rare_calls_are_inside_the_range_of_simfaas() {
    agrees("D", 16);
}

/// The comparison can fail: every departure from the semantics is seen by the figures that it moves.
#[test]
fn other_semantics_fall_outside_the_range_of_simfaas() {
    let departures = [
        ("B", "model.sandbox.reuse_order=lru", "avg_servers"),
        ("B", "isolation.container.start_covers_call=false", "avg_running"),
        ("B", "scheduler.keep_alive.fixed.clock_restarts=false", "avg_lifespan_s"),
        ("D", "scheduler.keep_alive.fixed.keep_alive_s=30.5", "avg_idle"),
    ];
    for (set, departure, moved) in departures {
        let Some(outside) = outside(set, 16, &[departure]) else { return };
        assert!(outside.iter().any(|o| o.starts_with(moved)), "{set} {departure}: {moved} is inside; {outside:?}");
    }
}
