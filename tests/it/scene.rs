//! One host of round figures and the calls that are made to it: where the hand-computed cases of the sandboxes' life play.
//!
//! The host: 4 cores, 1000 MB, 100 W at no load and 20 W more for every busy core; PUE 1. A megabyte held for a second is 0.1 J
//! of its baseline, a core-second 20 J. A start takes 1 s and no CPU, a sandbox has no overhead, and stays for ever.

use crate::lab::{Call, Lab, Run};

/// The columns that every file of calls has.
const COLUMNS: &str = "arrival_time_s,function_id,duration_s,memory_mb";

const SCENE: &str = r#"
[output]
invocations = true
[isolation.container]
start_median_s = 1.0
start_sigma = 0.0
start_cpu_core_s = 0.0
memory_overhead_mb = 0.0
memory_per_host_mb = 0.0
cpu_factor = 1.0
[scheduler.packing.first-fit]
[scheduler.keep_alive.fixed]
keep_alive_s = inf
[servers.box]
cores = 4
memory_mb = 1000
power.linear = { idle_w = 100.0, max_w = 180.0 }
embodied_kg = 1.0
lifetime_years = 1.0
[[regions]]
name = "here"
pue = 1.0
grid.constant.g_per_kwh = 360.0
hosts = [{ server = "box", count = 1 }]
[workload.calls]
path = "calls.csv"
"#;

/// No power at no load: what is left is the energy of CPU work, 20 J per core-second.
pub const NO_BASELINE: &str = "servers.box.power={ linear = { idle_w = 0.0, max_w = 80.0 } }";

/// The scene with rows of arrival_time_s, function_id, duration_s, memory_mb.
pub fn scene(calls: &[&str]) -> Lab {
    scene_with("", calls)
}

/// The scene with further columns, such as ",tenant".
pub fn scene_with(columns: &str, calls: &[&str]) -> Lab {
    let rows: String = calls.iter().map(|c| format!("{c}\n")).collect();
    Lab::new(SCENE).file("calls.csv", &format!("{COLUMNS}{columns}\n{rows}"))
}

/// Start of execution and warmth of every finished call, in order of arrival.
pub fn starts(run: &Run) -> Vec<(f64, &'static str)> {
    run.calls().iter().map(|c| (c.start, if c.cold { "cold" } else { "warm" })).collect()
}

/// One figure of every finished call, in order of arrival.
pub fn each(run: &Run, of: impl Fn(&Call) -> f64) -> Vec<f64> {
    run.calls().iter().map(of).collect()
}

/// Asserts figures to a billionth, of 1 or of themselves.
#[track_caller]
pub fn are(what: &str, ours: &[f64], wanted: &[f64]) {
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * b.abs().max(1.0);
    assert!(ours.len() == wanted.len() && ours.iter().zip(wanted).all(near), "{what}: {ours:?} is not {wanted:?}");
}

/// Asserts one figure to a billionth.
#[track_caller]
pub fn is(what: &str, ours: f64, wanted: f64) {
    are(what, &[ours], &[wanted]);
}

/// Asserts figures of the summary, to a billionth.
#[track_caller]
pub fn figures(run: &Run, wanted: &[(&str, f64)]) {
    for (key, wanted) in wanted {
        is(key, run.number(key), *wanted);
    }
}

/// A mean over the run as an integral over time.
#[track_caller]
pub fn integral(run: &Run, mean: &str) -> f64 {
    run.number(mean) * run.number("run.simulated_s")
}

/// Memory in use by all sandboxes, over time [MB·s].
#[track_caller]
pub fn memory_mb_s(run: &Run) -> f64 {
    ["busy", "starting", "idle"].iter().map(|state| integral(run, &format!("memory.{state}_mean_mb"))).sum()
}
