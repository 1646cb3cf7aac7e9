//! Scaling policies in a run: how many sandboxes a pool has at which time, and what calls beyond them do. By hand.

use crate::scene::{are, each, figures, is, memory_mb_s, scene, starts};

#[test]
fn provisioned_sandboxes_are_always_there_and_more_start_on_demand() {
    // Two are started at 0, before the first call, which waits for one of them. At 10 two calls find them; the third starts a third. All
    // are idle from 12 and 13 on; the one that is due first, at 17, goes, the others are what is provisioned.
    let calls = ["0,a,2,100", "10,a,2,100", "10,a,2,100", "10,a,2,100"];
    let set = [
        "scheduler.scaling.provisioned.sandboxes=2",
        "scheduler.keep_alive.fixed.keep_alive_s=5",
        "time.duration_s=30",
    ];
    let run = scene(&calls).run(&set);
    assert_eq!(starts(&run), [(1.0, "cold"), (10.0, "warm"), (10.0, "warm"), (11.0, "cold")]);
    figures(
        &run,
        &[
            ("sandboxes.started", 3.0),
            ("sandboxes.prewarmed", 2.0),
            ("sandboxes.expired", 1.0),
            ("calls.waited", 0.0),
            ("run.simulated_s", 30.0),
        ],
    );
    is("sandboxes x time", memory_mb_s(&run), 100.0 * (2.0 * 30.0 + 7.0));
}

#[test]
fn a_budget_of_idle_memory_leaves_alone_what_scaling_keeps() {
    // Two of 100 MB are provisioned, the budget is 150. Those two stay, over the budget; the third, started on demand, goes when it
    // becomes idle last. Nothing is started a second time.
    let calls = ["0,a,2,100", "10,a,2,100", "10,a,2,100", "10,a,2,100", "20,a,2,100"];
    for policy in ["lru-budget={ budget_mb = 150 }", "greedy-dual={ budget_mb = 150 }"] {
        let set = ["scheduler.scaling.provisioned.sandboxes=2", &format!("scheduler.keep_alive.{policy}")];
        let run = scene(&calls).run(&set);
        assert_eq!(starts(&run)[3..], [(11.0, "cold"), (20.0, "warm")], "{policy}");
        figures(&run, &[("sandboxes.started", 3.0), ("sandboxes.prewarmed", 2.0), ("sandboxes.over_budget", 1.0)]);
    }
}

#[test]
fn a_sandbox_that_scaling_keeps_outlives_a_window_that_does_not_restart() {
    // Both sandboxes are idle from 3, beyond the floor of one, with a window to 8: one goes then, the other is kept. It stays after
    // its next call too, though its window is over.
    let calls = ["0,a,2,100", "0,a,2,100", "20,a,2,100", "30,a,2,100"];
    let set = [
        "scheduler.scaling.provisioned.sandboxes=1",
        "scheduler.keep_alive.fixed={ keep_alive_s = 5, clock_restarts = false }",
        "time.duration_s=40",
    ];
    let run = scene(&calls).run(&set);
    assert_eq!(starts(&run)[2..], [(20.0, "warm"), (30.0, "warm")]);
    figures(&run, &[("sandboxes.started", 2.0), ("sandboxes.expired", 1.0)]);
}

#[test]
fn a_call_may_wait_for_a_sandbox_that_was_started_ahead() {
    // Both calls come while the provisioned ones start, and begin with them at 1.
    let run = scene(&["0,a,5,100", "0.5,a,5,100"]).run(&["scheduler.scaling.provisioned.sandboxes=2"]);
    assert_eq!(starts(&run), [(1.0, "cold"), (1.0, "cold")]);
    figures(&run, &[("sandboxes.started", 2.0), ("sandboxes.prewarmed", 2.0)]);
}

#[test]
fn what_finds_no_room_ahead_of_calls_is_counted_and_not_forced() {
    // Four sandboxes of 100 MB on a host of 250: two fit, and the pool is counted once as short of room.
    let set = ["scheduler.scaling.provisioned.sandboxes=4", "servers.box.memory_mb=250"];
    let run = scene(&["0,a,5,100"]).run(&set);
    let counted = ("sandboxes.prewarm_without_room", 1.0);
    figures(&run, &[("sandboxes.started", 2.0), ("sandboxes.prewarmed", 2.0), counted]);
}

#[test]
fn pools_without_room_get_it_in_turn_when_others_let_go() {
    // Peaks of one each, 100 MB each, on a host of 250 MB: a and b get theirs at 0, c lacks it. Theirs never go, and c's call waits
    // for ever.
    let calls = ["1,a,3,100", "1,b,9,100", "3,c,1,100"];
    let set = ["servers.box.memory_mb=250", "time.drain_limit_s=100", "model.sandbox.eviction=none"];
    let run = scene(&calls).run(&[&set[..], &["scheduler.scaling.peak={}"]].concat());
    figures(&run, &[("calls.unfinished", 1.0), ("sandboxes.prewarm_without_room", 1.0)]);
    let follow =
        "scheduler.scaling.autoscaled={ min = 0, target_utilization = 1.0, period_s = 1.0, stabilisation_s = 0.0 }";
    let run = scene(&calls).run(&[&set[..], &[follow]].concat());
    // Where the number follows demand, room comes back: a and b are wanted at 2 (demand 1 from 1 on), ready at 3; a ends at 6, at 7 its floor is 0 and it goes. c is wanted at 4, finds no
    // room, and gets it at 7: ready and served at 8.
    let begins: Vec<f64> = run.calls().iter().map(|c| c.start).collect();
    are("begins", &begins, &[3.0, 3.0, 8.0]);
    figures(&run, &[("calls.unfinished", 0.0), ("calls.cold", 3.0)]);
}

/// Three calls at once at 10, and one later.
const PEAK: [&str; 4] = ["10,a,5,100", "10,a,5,100", "10,a,5,100", "40,a,5,100"];

#[test]
fn a_pool_of_its_peak_starts_nothing_on_demand() {
    // Three sandboxes from 0 to the end at 45, ready at 1.
    let run = scene(&PEAK).run(&["scheduler.scaling.peak={}", "scheduler.keep_alive=none"]);
    assert_eq!(starts(&run), [(10.0, "warm"), (10.0, "warm"), (10.0, "warm"), (40.0, "warm")]);
    figures(
        &run,
        &[
            ("calls.cold", 0.0),
            ("sandboxes.started", 3.0),
            ("sandboxes.prewarmed", 3.0),
            ("sandboxes.expired", 0.0),
            ("run.simulated_s", 45.0),
        ],
    );
    is("sandboxes x time", memory_mb_s(&run), 100.0 * 3.0 * 45.0);
}

#[test]
fn calls_beyond_the_pool_wait_for_one_of_its_sandboxes() {
    // Half of the peak of three is two sandboxes, rounded up: the third call starts when the first ends.
    let half = "scheduler.scaling.peak.headroom=0.5";
    let run = scene(&PEAK).run(&[half]);
    assert_eq!(starts(&run), [(10.0, "warm"), (10.0, "warm"), (15.0, "warm"), (40.0, "warm")]);
    figures(&run, &[("calls.waited", 1.0), ("calls.cold", 0.0), ("sandboxes.started", 2.0)]);
    is("sandboxes x time", memory_mb_s(&run), 100.0 * 2.0 * 45.0);
    // It gives up after 3 s, does not fit into a queue of none, or there is no queue.
    for (rule, key) in [
        ("model.queue.timeout_s=3", "calls.timed_out"),
        ("model.queue.max_waiting=0", "calls.turned_away"),
        ("model.queue.scope=none", "calls.turned_away"),
    ] {
        let run = scene(&PEAK).run(&[half, rule]);
        figures(&run, &[(key, 1.0), ("calls.rejected", 1.0), ("calls.executed", 3.0), ("sandboxes.started", 2.0)]);
    }
    // At the instant of the time-out a place that becomes free is still taken.
    let run = scene(&PEAK).run(&[half, "model.queue.timeout_s=5"]);
    figures(&run, &[("calls.timed_out", 0.0)]);
    assert_eq!(starts(&run)[2], (15.0, "warm"));
}

#[test]
fn a_pool_of_its_peak_counts_places_and_pools() {
    // Two places per sandbox: ceil(3 / 2) = 2. b's peak is 1, and the smallest pool has one.
    let calls = ["10,a,5,100", "10,a,5,100", "10,a,5,100", "20,b,5,100"];
    let run = scene(&calls).run(&["scheduler.scaling.peak={}", "isolation.container.calls_per_sandbox=2"]);
    are("starts", &each(&run, |c| c.start), &[10.0, 10.0, 10.0, 20.0]);
    figures(&run, &[("sandboxes.started", 3.0), ("calls.waited", 0.0)]);
    // In scope tenant the four functions' calls are one pool, and never more than three at once.
    let run = scene(&calls).run(&["scheduler.scaling.peak={}", "isolation.container.scope=tenant"]);
    figures(&run, &[("sandboxes.started", 3.0), ("calls.cold", 0.0)]);
}

#[test]
fn a_stock_of_ready_sandboxes_is_refilled_every_period() {
    // One beyond the busy ones, looked at every second. One is started at 0, for which the first call waits; at 1 another is started, which the
    // call at 5 takes; at 6 the next, which is just starting when the call at 6.5 comes: it begins with it at 7. At 7 the stock's
    // next, never used. Calls end at 21, 25 and 27; at 21 and 25 one idle sandbox is too many, and the longest idle goes.
    let run = scene(&["0,a,20,100", "5,a,20,100", "6.5,a,20,100"]).run(&["scheduler.scaling.pre-warmed.idle=1"]);
    assert_eq!(starts(&run), [(1.0, "cold"), (5.0, "warm"), (7.0, "cold")]);
    figures(
        &run,
        &[
            ("sandboxes.started", 4.0),
            ("sandboxes.prewarmed", 4.0),
            ("sandboxes.prewarmed_in_vain", 1.0),
            ("sandboxes.expired", 2.0),
            ("run.simulated_s", 27.0),
        ],
    );
    // 1 until 1, 2 until 6, 3 until 7, 4 until 21, 3 until 25, 2 until 27.
    is("sandboxes x time", memory_mb_s(&run), 100.0 * (1.0 + 10.0 + 3.0 + 56.0 + 12.0 + 4.0));
}

/// Decides every 10 s for half of the places in use, and remembers 30 s.
const AUTOSCALED: &str =
    "scheduler.scaling.autoscaled={ target_utilization = 0.5, period_s = 10.0, stabilisation_s = 30.0";

#[test]
fn the_number_of_sandboxes_follows_a_step_of_load_up_at_once_and_down_after_its_window() {
    // Two calls of 40 s at 0, one sandbox at first: the first waits for it and runs from 1 to 41, the second queues. At 10 the demand was 2: 2 / 0.5 =
    // 4 sandboxes are wanted, three are started, and the second call runs from 11 to 51. Demand 2 until 40: 4. From 40 to 50 it is
    // 1.1: 2.2, so 3; from 50 to 60 0.1: 1; then 0. The 4 of 40 holds until 70, the 3 of 50 until 80: at 80 there are 3, at 90 the
    // one of the least number, to the end at 120.
    let run = scene(&["0,a,40,100", "0,a,40,100"]).run(&[&format!("{AUTOSCALED} }}"), "time.duration_s=120"]);
    assert_eq!(starts(&run), [(1.0, "cold"), (11.0, "cold")]);
    figures(
        &run,
        &[
            ("sandboxes.started", 4.0),
            ("sandboxes.prewarmed", 4.0),
            ("sandboxes.expired", 3.0),
            ("calls.cold", 2.0),
            ("calls.waited", 1.0),
            ("run.simulated_s", 120.0),
        ],
    );
    is("sandboxes x time", memory_mb_s(&run), 100.0 * (10.0 + 4.0 * 70.0 + 3.0 * 10.0 + 30.0));
}

#[test]
fn an_autoscaled_pool_keeps_to_its_bounds_and_its_tolerance() {
    // At most 2: one more at 10, and two until 70, when the desires of 4 before 40 are forgotten... the last one, of 40, holds until
    // 70, that of 50 (3, so 2) until 80, then 1 (at 60) until 90 and 0, so the least.
    let set = [format!("{AUTOSCALED}, max = 2 }}"), "time.duration_s=120".to_owned()];
    let run = scene(&["0,a,40,100", "0,a,40,100"]).run(&[&set[0], &set[1]]);
    figures(&run, &[("sandboxes.started", 2.0)]);
    is("sandboxes x time", memory_mb_s(&run), 100.0 * (10.0 + 2.0 * 80.0 + 30.0));
    // With a tolerance of 3, four times the target is near enough.
    let run = scene(&["0,a,40,100", "0,a,40,100"]).run(&[&format!("{AUTOSCALED}, tolerance = 3.0 }}")]);
    figures(&run, &[("sandboxes.started", 1.0)]);
    are("starts", &each(&run, |c| c.start), &[1.0, 41.0]);
    // On demand, the calls start their own at once.
    let run = scene(&["0,a,40,100", "0,a,40,100"]).run(&[&format!("{AUTOSCALED}, on_demand = true }}")]);
    assert_eq!(starts(&run), [(1.0, "cold"), (1.0, "cold")]);
}
