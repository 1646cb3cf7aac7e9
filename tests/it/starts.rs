//! How a sandbox starts: limits on creations, phases, shared CPU, energy. Computed by hand.

use slackwater::isolation::catalogue;

use crate::lab::{Call, Run};
use crate::scene::{NO_BASELINE, are, each, figures, integral, is, scene, starts};

/// Calls that all take the same function and length.
fn calls(arrivals: impl IntoIterator<Item = f64>, rest: &str) -> Vec<String> {
    arrivals.into_iter().map(|t| format!("{t},{rest}")).collect()
}

fn run(calls: &[String], set: &[&str]) -> Run {
    let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
    scene(&calls).run(set)
}

fn begun(c: &Call) -> f64 {
    c.start
}

const TWO_PER_SECOND: [&str; 3] =
    ["isolation.container.creations_per_s_per_host=2", "isolation.container.creation_burst=3", "model.cpu=ignored"];

#[test]
fn a_burst_of_starts_queues_for_tokens() {
    // Three tokens at once, then one every half second: the starts begin at 0, 0, 0, 0.5, 1 and 1.5, and take 1 s. At 2.5 the
    // bucket, full again at 3, holds two.
    let arrivals = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.5, 2.5, 2.5];
    let run = run(&calls(arrivals, "a,10,10"), &TWO_PER_SECOND);
    are("starts", &each(&run, begun), &[1.0, 1.0, 1.0, 1.5, 2.0, 2.5, 3.5, 3.5, 4.0]);
    figures(
        &run,
        &[
            ("sandboxes.creations_limited", 4.0),
            ("start_s.limit_mean", (0.5 + 1.0 + 1.5 + 0.5) / 9.0),
            ("start_s.boot_mean", 1.0),
            // 11 s each and what they waited.
            ("latency_s.mean", 11.0 + 3.5 / 9.0),
        ],
    );
    // While a creation waits, its sandbox counts as starting and holds no memory.
    is("starting", integral(&run, "sandboxes.starting_mean"), 9.0 + 3.5);
    is("memory", integral(&run, "memory.starting_mean_mb"), 9.0 * 10.0);
}

#[test]
fn a_call_of_a_limited_start_holds_its_room_while_it_waits() {
    // 100 MB: the fourth start waits for its token until 0.5, and its 40 MB are taken from 0 on: b (30 MB) finds no room.
    let rows = ["0,a,10,20", "0,a,10,20", "0,a,10,20", "0,c,10,40", "0.1,b,10,30"];
    let run = scene(&rows).run(&[&TWO_PER_SECOND[..], &["servers.box.memory_mb=100"]].concat());
    assert_eq!(starts(&run)[3], (1.5, "cold"));
    figures(&run, &[("calls.waited", 1.0)]);
    // At 11 three sandboxes are idle, of which two go for b; a token is there.
    assert_eq!(starts(&run)[4], (12.0, "cold"));
}

#[test]
fn the_lower_of_the_rates_per_core_and_per_host_holds_on_each_host() {
    // 0.25 per core on 4 cores is 1 per second. Two hosts, round robin: each has its own tokens.
    let set = [
        "isolation.container.creations_per_s_per_core=0.25",
        "isolation.container.creations_per_s_per_host=3",
        "model.cpu=ignored",
    ];
    let six = calls([0.0; 6], "a,10,10");
    are("one host", &each(&run(&six, &set), begun), &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let two = [&set[..], &["regions[0].hosts[0].count=2", "scheduler.packing.round-robin={}"]].concat();
    are("two hosts", &each(&run(&six, &two), begun), &[1.0, 1.0, 2.0, 2.0, 3.0, 3.0]);
    let high = [set[0], "isolation.container.creations_per_s_per_host=0.5", set[2]];
    are("per host", &each(&run(&six, &high), begun), &[1.0, 3.0, 5.0, 7.0, 9.0, 11.0]);
}

/// Three megabytes at 0.1 s/MB and a connection of 0.2 s: 0.5 s after the boot.
const INIT: [&str; 3] = ["runtime.dependencies_mb=3", "runtime.load_s_per_mb=0.1", "runtime.connect_s=0.2"];

#[test]
fn a_start_is_boot_then_load_then_connection() {
    let run = scene(&["0,a,2,100"]).run(&INIT);
    assert_eq!(starts(&run), [(1.5, "cold")]);
    figures(&run, &[("start_s.boot_mean", 1.0), ("start_s.init_mean", 0.5), ("start_s.limit_mean", 0.0)]);
    is("starting", integral(&run, "memory.starting_mean_mb"), 150.0);
    // Loading needs a core, 0.3 core·s x 20 J; connecting none; beside 1.5 s x 10 W of baseline.
    is("energy", run.number("energy_j.cold_start"), 6.0 + 15.0);
    let idle_cpu = [&INIT[..], &["runtime.init_cores=0"]].concat();
    is("without CPU", scene(&["0,a,2,100"]).run(&idle_cpu).number("energy_j.cold_start"), 15.0);
}

#[test]
fn mechanisms_that_restore_or_run_in_a_live_engine_skip_initialisation_but_connect() {
    let skip = ["microvm-snapshot", "microvm-prefetch", "wasm", "wasm-pooled", "v8-isolate", "shared-runtime"];
    for e in catalogue() {
        let isolation = format!("isolation={{ {} = {{}} }}", e.name);
        let run = scene(&["0,a,2,10"]).run(&[&INIT[..], &[isolation.as_str()]].concat());
        let wanted = if skip.contains(&e.name.as_str()) { 0.2 } else { 0.5 };
        is(&e.name, run.number("start_s.init_mean"), wanted);
    }
}

#[test]
fn a_restored_snapshot_connects_again_but_does_not_initialise_again() {
    // On disk from 13 on. The call at 30 waits 0.5 s for the restore and 0.2 s for the connection.
    let tiers = ["isolation.container.snapshot_after_s=10", "isolation.container.restore_s=0.5"];
    let run = scene(&["0,a,2,100", "30,a,2,100"]).run(&[&INIT[..], &tiers].concat());
    assert_eq!(starts(&run), [(1.5, "cold"), (30.7, "warm")]);
    is("resume", run.number("start_s.resume_mean"), 0.7);
    // Paused, it keeps its connections.
    let paused = ["isolation.container.pause_after_s=10", "isolation.container.resume_s=0.5"];
    let run = scene(&["0,a,2,100", "30,a,2,100"]).run(&[&INIT[..], &paused].concat());
    assert_eq!(starts(&run)[1], (30.5, "warm"));
}

#[test]
fn first_calls_run_longer_by_every_factor_that_applies_to_them() {
    // Calls of 1 s. First: 2 (isolation) x 1.5 (fresh) x 3 (not compiled) = 9; second: 2 x 3 = 6; third: 2.
    let factors = [
        "isolation.container.cpu_factor=2",
        "isolation.container.first_call_factor=1.5",
        "runtime.warmup_calls=2",
        "runtime.warmup_factor=3",
    ];
    let length = |c: &Call| c.end - c.start;
    let run = scene(&["0,a,1,100", "20,a,1,100", "40,a,1,100"]).run(&factors);
    are("lengths", &each(&run, length), &[9.0, 6.0, 2.0]);
    // A restore makes a sandbox fresh again, but its code stays compiled: 9, 2 x 1.5 x 3 (second call), 2 x 1.5.
    let tiers = ["isolation.container.snapshot_after_s=5", "isolation.container.restore_s=0.5"];
    let run = scene(&["0,a,1,100", "20,a,1,100", "40,a,1,100"]).run(&[&factors[..], &tiers].concat());
    are("restored", &each(&run, length), &[9.0, 9.0, 3.0]);
}

#[test]
fn where_the_start_covers_the_call_a_cold_response_is_the_start_alone() {
    let run = scene(&["0,a,5,100", "10,a,5,100"]).run(&["isolation.container.start_covers_call=true"]);
    are("latency", &each(&run, |c| c.end - c.arrival), &[1.0, 5.0]);
}

#[test]
fn the_first_start_of_a_snapshot_boots_and_initialises_and_its_call_is_no_first_after_a_restore() {
    // In scope request every call starts a sandbox. The first boots a microVM and loads (0.3 + 0.2 s); the second restores (28 ms)
    // and connects (0.2 s), and its call runs twice as long.
    let snapshot = "isolation={ microvm-snapshot = { first_start_boots = true, scope = \"request\", cpu_factor = 1.0, \
                    first_call_factor = 2.0, start_sigma = 0.0 } }";
    let run = scene(&["0,a,1,100", "10,a,1,100"]).run(&[&INIT[..], &[snapshot]].concat());
    is("init", run.number("start_s.init_mean"), (0.5 + 0.2) / 2.0);
    let calls = run.calls();
    is("second start", calls[1].start, 10.228);
    assert!(calls[0].start > 0.5 + 0.1, "the first start boots: {calls:?}");
    are("lengths", &each(&run, |c| c.end - c.start), &[1.0, 2.0]);
}

#[test]
fn initialisation_slows_the_neighbours_of_a_full_host() {
    // One core. a boots from 0 to 1, initialises to 1.5, runs 10 s. b boots from 5 to 6 without CPU and initialises to 6.5: for
    // half a second a has half a core and loses 0.25 s: it ends at 11.75. b itself needs nothing.
    let set = ["servers.box.cores=1", "runtime.dependencies_mb=5", "runtime.load_s_per_mb=0.1", NO_BASELINE];
    let run = scene(&["0,a,10,100", "5,b,0,100"]).run(&set);
    are("ends", &each(&run, |c| c.end), &[11.75, 6.5]);
    // 80 W at full load. a's init alone 40 J; b's init half of 0.5 s x 80 W, 20 J; the calls' 10 core·s 800 J.
    figures(&run, &[("energy_j.cold_start", 60.0), ("energy_j.execution", 800.0), ("energy_j.total", 860.0)]);
}

/// The microVM of the published 4-core Haswell host: 65 ms, then 62 core-ms, without spread.
const HASWELL: &str = "isolation={ microvm = { start_model = \"processor-sharing\", start_floor_s = 0.065, \
                       start_cpu_core_s = 0.062, start_sigma = 0.0, limit_creations = false, memory_overhead_mb = 0.0, \
                       memory_per_host_mb = 0.0, cpu_factor = 1.0 } }";

#[test]
fn starts_at_once_share_the_cores_after_their_floor() {
    // n at once on 4 cores: 0.065 + 0.062 x max(1, n / 4). Ten take 0.22 s, above the bound of 10 x 0.062 / 4 = 0.155 s and above
    // the published median of ten concurrent starts, 0.1854 s, which did not begin at one instant.
    for (n, seconds) in [(1, 0.127), (4, 0.127), (10, 0.22), (50, 0.84)] {
        let run = run(&calls(vec![0.0; n], "a,0,1"), &[HASWELL, NO_BASELINE]);
        are(&format!("{n} starts"), &each(&run, begun), &vec![seconds; n]);
        // However long it takes, a start is 0.062 core·s x 20 J.
        figures(&run, &[("start_s.boot_mean", seconds), ("energy_j.cold_start", n as f64 * 1.24)]);
        is("total", run.number("energy_j.total"), n as f64 * 1.24);
    }
}

#[test]
fn a_start_competes_with_the_calls_that_run() {
    // Four calls on four cores from 0.127 on. The start at 5 has its floor until 5.065; then five share four cores:
    // 0.062 x 5 / 4 = 0.0775 s. The calls lose a fifth of that time, 0.0155 s.
    let mut rows = calls([0.0; 4], "a,10,1");
    rows.push("5,b,0,1".to_owned());
    let run = run(&rows, &[HASWELL, NO_BASELINE]);
    are("start", &[run.calls()[4].start], &[5.1425]);
    are("ends", &each(&run, |c| c.end)[..4], &[10.1425; 4]);
    figures(&run, &[("energy_j.cold_start", 5.0 * 1.24), ("energy_j.execution", 4.0 * 10.0 * 20.0)]);
}

/// Processor sharing by brute force: the work that is left of every job, stepped from one event to the next.
fn shared(cores: f64, arrivals: &[f64], work: f64) -> Vec<f64> {
    let mut done = vec![0.0; arrivals.len()];
    let mut left: Vec<(usize, f64)> = Vec::new();
    let (mut now, mut next) = (0.0, 0);
    while next < arrivals.len() || !left.is_empty() {
        let speed = (cores / left.len().max(1) as f64).min(1.0);
        let ends = left.iter().map(|j| now + j.1 / speed).fold(f64::INFINITY, f64::min);
        let arrives = arrivals.get(next).copied().unwrap_or(f64::INFINITY);
        let at = ends.min(arrives);
        left.iter_mut().for_each(|j| j.1 -= (at - now) * speed);
        now = at;
        if arrives <= ends {
            left.push((next, work));
            next += 1;
        } else {
            left.iter().filter(|j| j.1 <= 1e-12).for_each(|j| done[j.0] = now);
            left.retain(|j| j.1 > 1e-12);
        }
    }
    done
}

#[test]
fn starts_above_the_saturating_rate_pile_up() {
    // 4 cores / 0.062 core·s = 64.5 starts per second. At 50 per second, starts stay short; at 100 per second for 10 s they
    // cannot be done before 62 core·s / 4 = 15.5 s, and all of them agree with a calculation by brute force.
    for (interval, n) in [(0.02, 500), (0.01, 1000)] {
        let arrivals: Vec<f64> = (0..n).map(|i| f64::from(i) * interval).collect();
        let run = run(&calls(arrivals.iter().copied(), "a,0,1"), &[HASWELL, "scheduler.keep_alive=none"]);
        let after_floor: Vec<f64> = arrivals.iter().map(|t| t + 0.065).collect();
        let wanted = shared(4.0, &after_floor, 0.062);
        for (ours, wanted) in each(&run, begun).iter().zip(&wanted) {
            assert!((ours - wanted).abs() < 1e-6, "every {interval} s: {ours} is not {wanted}");
        }
        let last = each(&run, begun).into_iter().fold(0.0, f64::max);
        if interval > 0.0155 {
            assert!(run.number("latency_s.max") < 0.13, "below saturation, starts take as long as alone");
        } else {
            // The cores are busy from 0.095 on, after 0.06 core·s were left unused: 0.065 + 62.06 / 4.
            assert!((last - 15.58).abs() < 1e-3, "above saturation the last is ready at {last}");
        }
    }
}

const METERED: [&str; 3] =
    ["isolation.container.start_energy=measured", "isolation.container.start_energy_j=8.4", NO_BASELINE];

#[test]
fn measured_energy_of_starts_is_booked_once_and_exactly() {
    // Five starts of 8.4 J, each 0.8 core·s, and five calls of 2 core·s. By CPU time a start would be 16 J.
    let rows = ["0,a,2,100", "5,b,2,100", "5.5,c,2,100", "9,d,2,100", "9.25,e,2,100"];
    let cpu = "isolation.container.start_cpu_core_s=0.8";
    let run = scene(&rows).run(&[&METERED[..], &[cpu]].concat());
    figures(&run, &[("energy_j.cold_start", 42.0), ("energy_j.execution", 200.0), ("energy_j.total", 242.0)]);
    is("of functions", run.table("functions.csv").sum("cold_start_j"), 42.0);
    is("unattributed", run.number("energy_j.unattributed"), 0.0);
    let by_cpu = scene(&rows).run(&[cpu, NO_BASELINE]);
    figures(&by_cpu, &[("energy_j.cold_start", 80.0), ("energy_j.execution", 200.0)]);
    assert_eq!(starts(&run), starts(&by_cpu), "how energy is counted moves no start");
}

#[test]
fn measured_energy_covers_all_phases_and_a_limited_start() {
    // Initialisation with one core after the boot; the second start waits for its token. 2 x 8.4 J all the same.
    let set = ["isolation.container.start_cpu_core_s=0.5", "isolation.container.creations_per_s_per_host=1"];
    let run = scene(&["0,a,2,100", "0,b,2,100"]).run(&[&METERED[..], &INIT, &set].concat());
    assert_eq!(starts(&run), [(1.5, "cold"), (2.5, "cold")]);
    figures(&run, &[("energy_j.cold_start", 16.8), ("energy_j.execution", 80.0)]);
    is("of functions", run.table("functions.csv").sum("cold_start_j"), 16.8);
}

#[test]
fn a_measured_start_slows_its_neighbours_but_its_cpu_costs_nothing_on_a_full_host_either() {
    // One core of 80 W. a runs 10 core·s from 1 on, in 800 J. b's start from 5 to 6 demands 0.8 core: a has 1/1.8 of the core for
    // that second and loses 0.8/1.8 s. What a draws is its own work, no more.
    let set = ["isolation.container.start_cpu_core_s=0.8", "servers.box.cores=1"];
    let run = scene(&["0,a,10,100", "5,b,0,100"]).run(&[&METERED[..], &set].concat());
    assert!((run.calls()[0].end - (11.0 + 0.8 / 1.8)).abs() < 1e-8, "{:?}", run.calls());
    assert!((run.number("energy_j.cold_start") - 16.8).abs() < 1e-9);
    assert!((run.number("energy_j.execution") - 800.0).abs() < 1e-5, "{}", run.number("energy_j.execution"));
}

#[test]
fn with_measured_energy_a_first_start_that_boots_is_measured_too() {
    // The catalogue's 18.4 J of a microVM, then 5 J of the restore. In scope request every call starts a sandbox.
    let snapshot = "isolation={ microvm-snapshot = { first_start_boots = true, scope = \"request\", \
                    start_energy = \"measured\", start_energy_j = 5.0, start_sigma = 0.0, cpu_factor = 1.0 } }";
    let run = scene(&["0,a,1,100", "10,a,0,100"]).run(&[snapshot, NO_BASELINE]);
    is("starts", run.number("energy_j.cold_start"), 23.4);
    is("of functions", run.table("functions.csv").sum("cold_start_j"), 23.4);
}

#[test]
fn a_measured_energy_of_nothing_is_nothing() {
    let set = ["isolation.container.start_energy=measured", "isolation.container.start_energy_j=0", NO_BASELINE];
    let cpu = "isolation.container.start_cpu_core_s=0.8";
    let run = scene(&["0,a,10,100", "5,b,2,100"]).run(&[&set[..], &[cpu]].concat());
    figures(&run, &[("energy_j.cold_start", 0.0), ("energy_j.total", 240.0)]);
    is("of functions", run.table("functions.csv").sum("cold_start_j"), 0.0);
}
