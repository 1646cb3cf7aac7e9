//! Which idle sandboxes go when memory is short, or when they hold more than their budget: computed by hand.

use crate::scene::{figures, scene, starts};

/// On a host of 300 MB: a (60 MB) is idle from 2, b (120 MB) from 4, 6 and 8, c (100 MB) from 11. d (50 MB) needs 30 MB more than
/// are free, which any of them can give.
const CALLS: [&str; 6] = ["0,a,1,60", "3,b,1,120", "5,b,1,120", "7,b,1,120", "9,c,1,100", "20,d,1,50"];

#[test]
fn each_order_evicts_the_sandbox_that_it_names() {
    // lru: a, idle longest. largest: b. greedy-dual, uses x 1 s / MB: a 1/60, b 3/120, c 1/100: c.
    for (order, gone) in [("lru", "a"), ("largest", "b"), ("greedy-dual", "c")] {
        for (function, mb) in [("a", 60), ("b", 120), ("c", 100)] {
            let again = format!("40,{function},1,{mb}");
            let calls: Vec<&str> = CALLS.iter().copied().chain([again.as_str()]).collect();
            let run = scene(&calls).run(&["servers.box.memory_mb=300", &format!("model.sandbox.eviction={order}")]);
            let wanted = if function == gone { (41.0, "cold") } else { (40.0, "warm") };
            assert_eq!(starts(&run)[5..], [(21.0, "cold"), wanted], "{function} after eviction by {order}");
        }
        let run = scene(&CALLS).run(&["servers.box.memory_mb=300", &format!("model.sandbox.eviction={order}")]);
        figures(&run, &[("sandboxes.evicted", 1.0), ("calls.waited", 0.0)]);
    }
}

#[test]
fn without_eviction_the_call_waits_for_the_end_of_a_keep_alive() {
    // a goes 100 s after it became idle at 2.
    let set =
        ["servers.box.memory_mb=300", "model.sandbox.eviction=none", "scheduler.keep_alive.fixed.keep_alive_s=100"];
    let run = scene(&CALLS).run(&set);
    assert_eq!(starts(&run)[5], (103.0, "cold"));
    figures(&run, &[("sandboxes.evicted", 0.0), ("calls.waited", 1.0)]);
}

#[test]
fn the_clock_of_greedy_dual_lets_old_uses_age() {
    // FaasCache by hand. d evicts c (1/100): clock 0.01, d's priority 0.01 + 1/50 = 0.03. e (100 MB) at 30 finds 70 free and
    // evicts a (1/60): clock 0.016667, e's priority 0.026667. f (100 MB) at 40 finds 30 free: the lowest is b, 3/120 = 0.025, used
    // long ago. Without the clock it would be e, 0.01. Then d, e and f are there.
    let more = ["30,e,1,100", "40,f,1,100", "50,e,1,100", "60,d,1,50", "70,f,1,100"];
    let calls: Vec<&str> = CALLS.iter().chain(&more).copied().collect();
    for policy in ["scheduler.keep_alive.greedy-dual={}", "scheduler.keep_alive.fixed.keep_alive_s=inf"] {
        let run = scene(&calls).run(&["servers.box.memory_mb=300", "model.sandbox.eviction=greedy-dual", policy]);
        assert_eq!(starts(&run)[6..8], [(31.0, "cold"), (41.0, "cold")], "{policy}");
        assert_eq!(starts(&run)[8..], [(50.0, "warm"), (60.0, "warm"), (70.0, "warm")], "{policy}");
        figures(&run, &[("sandboxes.evicted", 3.0), ("sandboxes.started", 6.0)]);
    }
}

#[test]
fn a_budget_of_idle_memory_is_held_by_letting_the_longest_idle_go() {
    // 100 MB each, 250 MB of budget. a, b, c are idle from 2, 5, 8: at 8 a goes. At 22 a is idle again: b goes. c is warm at 30,
    // and while it is busy the two others have room, so that b, started at 40, sends nobody but a when it ends at 42.
    let calls = ["0,a,1,100", "3,b,1,100", "6,c,1,100", "20,a,1,100", "30,c,1,100", "40,b,1,100", "50,c,1,100"];
    let run = scene(&calls).run(&["scheduler.keep_alive.lru-budget.budget_mb=250"]);
    assert_eq!(starts(&run)[3..], [(21.0, "cold"), (30.0, "warm"), (41.0, "cold"), (50.0, "warm")]);
    figures(
        &run,
        &[
            ("sandboxes.over_budget", 3.0),
            ("sandboxes.evicted", 0.0),
            ("sandboxes.expired", 0.0),
            // a 2 to 8 and 22 to 42, b 5 to 22 and 42 to 51, c 8 to 30 and 31 to 50.
            ("memory.idle_mb_s", 100.0 * (6.0 + 20.0 + 17.0 + 9.0 + 22.0 + 19.0)),
        ],
    );
    // A longest time holds beside the budget: a is gone after 3 s.
    let run = scene(&calls[..3]).run(&["scheduler.keep_alive.lru-budget={ budget_mb = 250.0, keep_alive_s = 3.0 }"]);
    figures(&run, &[("sandboxes.over_budget", 0.0), ("sandboxes.expired", 3.0), ("memory.idle_mb_s", 900.0)]);
}

#[test]
fn a_budget_by_greedy_dual_lets_the_least_valuable_go() {
    // 100 MB each. a has two uses (0.02), b one (0.01), c one (0.01, and idle later): b goes when c becomes idle at 11.
    let calls = ["0,a,1,100", "3,a,1,100", "6,b,1,100", "9,c,1,100", "20,a,1,100", "30,c,1,100", "40,b,1,100"];
    let run = scene(&calls).run(&["scheduler.keep_alive.greedy-dual.budget_mb=250"]);
    assert_eq!(starts(&run)[4..], [(20.0, "warm"), (30.0, "warm"), (41.0, "cold")]);
    // At 42 b is idle again with 0.01 + 2 x 0.01 = 0.03. c's second use, at 30, made 0.01 + 2 x 0.01 = 0.03, and a's third 0.04: of
    // the two equal ones c, idle from 31, goes.
    figures(&run, &[("sandboxes.over_budget", 2.0)]);
}
