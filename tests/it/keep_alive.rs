//! Keep-alive policies in a run, end to end: how long sandboxes stay, and when they are loaded ahead of a call. By hand.

use crate::lab::Lab;
use crate::scene::{are, each, figures, scene, starts};

#[test]
fn break_even_keeps_a_sandbox_until_it_has_cost_as_much_as_its_start() {
    // A start of 0.5 core·s is 10 J; 100 MB hold 10 W: 1 s. Idle from 2 to 3.
    let cpu = "isolation.container.start_cpu_core_s=0.5";
    let run = scene(&["0,a,1,100"]).run(&[cpu, "scheduler.keep_alive.break-even={}"]);
    figures(&run, &[("run.simulated_s", 3.0), ("memory.idle_mb_s", 100.0), ("energy_j.warm_idle", 10.0)]);
    // A start of 40 J: 4 s. Twice the memory: 2 s.
    let run = scene(&["0,a,1,100", "10,b,1,200"]).run(&[cpu, "scheduler.keep_alive.break-even.start_energy_j=40"]);
    figures(&run, &[("run.simulated_s", 14.0), ("memory.idle_mb_s", 400.0 + 400.0), ("energy_j.warm_idle", 80.0)]);
    // Just in time, and too late.
    let calls = ["0,a,1,100", "2.9,a,1,100", "5,a,1,100"];
    let run = scene(&calls).run(&[cpu, "scheduler.keep_alive.break-even={}"]);
    assert_eq!(starts(&run)[1..], [(2.9, "warm"), (6.0, "cold")]);
}

/// Two functions of the Azure trace's shape, called at 0 and 240 s for one second: one by a timer, one by HTTP.
fn timer_and_http() -> Lab {
    let second = ["1000"; 11].join(",");
    let percentiles = ["0", "1", "25", "50", "75", "99", "100"].map(|p| format!("percentile_Average_{p}")).join(",");
    let durations = format!(
        "HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,{percentiles}\no,t,ft,{second}\no,h,fh,{second}\n"
    );
    scene(&[])
        .file(
            "invocations.csv",
            "HashOwner,HashApp,HashFunction,Trigger,1,2,3,4,5\no,t,ft,timer,1,0,0,0,1\no,h,fh,http,1,0,0,0,1\n",
        )
        .file("durations.csv", &durations)
        .file(
            "memory.csv",
            "HashOwner,HashApp,HashFunction,AverageAllocatedMb,AverageAllocatedMb_pct100\no,t,ft,100,100\no,h,fh,100,100\n",
        )
}

const AZURE: &str = "workload={ azure-functions-2019 = { invocations = \"invocations.csv\", durations = \"durations.csv\", \
                     memory = \"memory.csv\", spread = { start = {} } } }";

#[test]
fn by_trigger_keeps_timers_and_requests_for_times_of_their_own() {
    // Idle from 2 on. The timer's sandbox is gone at 62, the request's is warm at 240.
    let run = timer_and_http().run(&[AZURE, "scheduler.keep_alive.by-trigger={ timer_s = 60.0, http_s = 600.0 }"]);
    let functions = run.table("functions.csv");
    let cold = |trigger: &str| -> f64 {
        let rows = functions.text("trigger").into_iter().zip(functions.column("cold"));
        rows.filter(|(t, _)| t == trigger).map(|(_, cold)| cold).sum()
    };
    assert_eq!((cold("timer"), cold("http")), (2.0, 1.0));
    // Timer: 60 s twice. Request: 238 s, then 600 s from 241 on.
    figures(&run, &[("memory.idle_mb_s", 100.0 * (60.0 + 60.0 + 238.0 + 600.0)), ("calls.executed", 4.0)]);
}

#[test]
fn the_hybrid_histogram_loads_a_timer_just_before_it_fires() {
    // Every 1800 s a call of 1 s. The first is cold and its sandbox, for want of an idle time, is kept for the range of 4 h. The
    // idle times, 1798 and then 1799 s, lie in the bin from 1740 to 1800 s: head 1740, tail 1800. From the second call on a
    // sandbox goes at once and is loaded 0.9 x 1740 = 1566 s later, ready 1 s after that, and waits 1800 - 1 - 1567 = 232 s.
    let calls: Vec<String> = (0..6).map(|i| format!("{},a,1,100", 1800 * i)).collect();
    let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
    let run = scene(&calls).run(&["scheduler.keep_alive.hybrid-histogram={}"]);
    figures(
        &run,
        &[
            ("calls.cold", 1.0),
            ("sandboxes.started", 5.0),
            ("sandboxes.prewarmed", 4.0),
            ("sandboxes.prewarmed_in_vain", 0.0),
            ("memory.idle_mb_s", 100.0 * (1798.0 + 4.0 * 232.0)),
            ("latency_s.mean", (2.0 + 5.0) / 6.0),
            ("run.simulated_s", 9001.0),
        ],
    );
    // A fixed time of the usual 600 s would be too short for all of them.
    let fixed = scene(&calls).run(&["scheduler.keep_alive.fixed.keep_alive_s=600"]);
    figures(&fixed, &[("calls.cold", 6.0), ("memory.idle_mb_s", 100.0 * 6.0 * 600.0)]);
}

#[test]
fn a_sandbox_that_is_loaded_in_vain_goes_after_its_window() {
    // As above, but the timer stops after two calls: loaded at 1801 + 1566 = 3367, it waits for 1.1 x 1800 = 1980 s, to 5347. The
    // run goes on to 7000.
    let set = ["scheduler.keep_alive.hybrid-histogram={}", "time.duration_s=7000"];
    let run = scene(&["0,a,1,100", "1800,a,1,100"]).run(&set);
    figures(
        &run,
        &[
            ("sandboxes.prewarmed", 1.0),
            ("sandboxes.prewarmed_in_vain", 1.0),
            ("sandboxes.expired", 2.0),
            ("memory.idle_mb_s", 100.0 * (1798.0 + 1979.0)),
        ],
    );
}

#[test]
fn the_oracle_keeps_sandboxes_for_their_next_arrival_and_not_longer() {
    // Idle 3 to 10 and 12 to 25; after the last call it goes at once. Nothing but the first call is cold.
    let run = scene(&["0,a,2,100", "10,a,2,100", "25,a,2,100"]).run(&["scheduler.keep_alive.oracle={}"]);
    assert_eq!(starts(&run), [(1.0, "cold"), (10.0, "warm"), (25.0, "warm")]);
    figures(&run, &[("memory.idle_mb_s", 2000.0), ("sandboxes.expired", 1.0), ("run.simulated_s", 27.0)]);
    // Two calls at once, then two, then one: both stay for 7 s, then one for 8 s.
    let calls = ["0,a,2,100", "0,a,2,100", "10,a,2,100", "10,a,2,100", "20,a,2,100"];
    let run = scene(&calls).run(&["scheduler.keep_alive.oracle={}"]);
    figures(&run, &[("calls.cold", 2.0), ("memory.idle_mb_s", 100.0 * (14.0 + 8.0))]);
}

#[test]
fn an_oracle_that_loads_ahead_wastes_no_memory_but_the_starts() {
    // Nothing is kept. After the end at 3, a start begins at 9 so that it is ready at 10; after that at 12, one begins at 24.
    let set = ["scheduler.keep_alive.oracle={ max_idle_s = 0.0, prewarm = true }"];
    let run = scene(&["0,a,2,100", "10,a,2,100", "25,a,2,100"]).run(&set);
    are("latency", &each(&run, |c| c.end - c.arrival), &[3.0, 2.0, 2.0]);
    figures(
        &run,
        &[
            ("calls.cold", 1.0),
            ("memory.idle_mb_s", 0.0),
            ("sandboxes.prewarmed", 2.0),
            ("sandboxes.started", 3.0),
            // Three starts of 1 s with 10 W of baseline.
            ("energy_j.cold_start", 30.0),
            ("energy_j.warm_idle", 0.0),
        ],
    );
    // Where the next call is nearer than a start, the sandbox stays.
    let near = scene(&["0,a,2,100", "3.5,a,2,100"]).run(&set);
    figures(&near, &[("calls.cold", 1.0), ("sandboxes.prewarmed", 0.0), ("memory.idle_mb_s", 50.0)]);
}

#[test]
fn break_even_and_carbon_aware_weigh_the_energy_by_which_starts_are_booked() {
    // 100 MB cost 10 W; the start needs no CPU and is booked with 50 J, worth 5 s. Idle from 2 to 7, again from 7 on, when the next call is
    // 6 s away: it is cold.
    let calls = ["0,a,1,100", "6,a,1,100", "13,a,1,100"];
    let measured = "isolation.container={ start_median_s = 1.0, start_sigma = 0.0, start_cpu_core_s = 0.0, memory_overhead_mb = 0.0, \
                    memory_per_host_mb = 0.0, start_energy = \"measured\", start_energy_j = 50.0 }";
    let run = scene(&calls).run(&[measured, "scheduler.keep_alive.break-even={}"]);
    assert_eq!(starts(&run), [(1.0, "cold"), (6.0, "warm"), (14.0, "cold")]);
    // carbon alone: 4 s of memory are 40 J, less than a start; 9 s are more than it.
    let carbon = "scheduler.keep_alive.carbon-aware={ lambda = 0.0, step_s = 1.0, max_keep_s = 30.0, include_embodied = false, fallback_s = 20.0 }";
    for (gap, warmth) in [(4, "warm"), (9, "cold")] {
        let calls: Vec<String> = (0..4).map(|n| format!("{},a,1,100", n * (gap + 1) + i32::from(n > 0))).collect();
        let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
        let run = scene(&calls).run(&[measured, carbon]);
        assert_eq!(starts(&run)[2].1, warmth, "gap of {gap} s");
    }
}
