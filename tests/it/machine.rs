//! The rules of the machine as hand-computed cases: who starts when, and where. Reads as a specification.
//!
//! One host of 100 MB unless said otherwise; a start takes 1 s and no CPU; CPU limits nothing; idle sandboxes stay for ever.

use crate::lab::{Call, Lab, Run};

/// A machine with the given calls: lines of arrival_time_s, function_id, duration_s, memory_mb.
fn machine(calls: &[&str]) -> Lab {
    let mut text = "arrival_time_s,function_id,duration_s,memory_mb\n".to_owned();
    calls.iter().for_each(|c| text += &format!("{c}\n"));
    Lab::new(
        r#"
[output]
invocations = true
[model]
cpu = "ignored"
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
cores = 1
memory_mb = 100
power.constant.power_w = 1.0
embodied_kg = 1.0
lifetime_years = 1.0
[[regions]]
name = "here"
grid.constant.g_per_kwh = 1.0
hosts = [{ server = "box", count = 1 }]
[workload.calls]
path = "calls.csv"
"#,
    )
    .file("calls.csv", &text)
}

/// Start of execution and warmth of every finished call, in order of arrival.
fn starts(run: &Run) -> Vec<(f64, &'static str)> {
    let warmth = |c: &Call| if c.cold { "cold" } else { "warm" };
    run.calls().iter().map(|c| (c.start, warmth(c))).collect()
}

#[test]
fn a_warm_sandbox_is_reused_before_a_cold_start() {
    let run = machine(&["0,a,2,30", "5,a,2,30"]).run(&[]);
    assert_eq!(starts(&run), [(1.0, "cold"), (5.0, "warm")]);
}

#[test]
fn a_sandbox_serves_only_its_own_function() {
    let run = machine(&["0,a,2,30", "5,b,2,30"]).run(&[]);
    assert_eq!(starts(&run), [(1.0, "cold"), (6.0, "cold")]);
}

#[test]
fn calls_without_room_wait_in_the_order_of_their_arrival() {
    // The first starts at 1 and ends at 11; the others follow in the same sandbox.
    let run = machine(&["0,a,10,60", "1,a,10,60", "2,a,10,60"]).run(&[]);
    assert_eq!(starts(&run), [(1.0, "cold"), (11.0, "warm"), (21.0, "warm")]);
    assert_eq!(run.number("calls.waited"), 2.0);
}

#[test]
fn without_a_queue_a_call_that_finds_no_room_is_rejected() {
    let run = machine(&["0,a,10,60", "1,a,10,60", "11,a,10,60"]).run(&["model.queue.scope=none"]);
    assert_eq!(starts(&run), [(1.0, "cold"), (11.0, "warm")]);
    assert_eq!((run.number("calls.turned_away"), run.number("calls.rejected")), (1.0, 1.0));
}

#[test]
fn a_full_queue_turns_calls_away() {
    let run = machine(&["0,a,10,60", "1,a,10,60", "2,a,10,60"]).run(&["model.queue.max_waiting=1"]);
    assert_eq!(starts(&run), [(1.0, "cold"), (11.0, "warm")]);
    assert_eq!((run.number("calls.waited"), run.number("calls.turned_away")), (1.0, 1.0));
}

#[test]
fn a_call_that_waits_too_long_is_rejected_and_frees_its_place_in_the_queue() {
    // b waits from 1 to 4 and gives up; a's last call then waits from 8 to 11 and starts just in time.
    let run = machine(&["0,a,10,60", "1,b,10,60", "8.5,a,10,60"]).run(&["model.queue.timeout_s=3"]);
    assert_eq!(starts(&run), [(1.0, "cold"), (11.0, "warm")]);
    assert_eq!(run.number("calls.timed_out"), 1.0);
}

#[test]
fn at_the_instant_of_the_time_out_a_place_that_becomes_free_is_still_taken() {
    // Completions come before time-outs: the call waits from 8 to 11 exactly.
    let run = machine(&["0,a,10,60", "8,a,10,60"]).run(&["model.queue.timeout_s=3"]);
    assert_eq!(starts(&run), [(1.0, "cold"), (11.0, "warm")]);
}

#[test]
fn when_the_first_in_line_gives_up_the_next_one_starts_if_it_fits() {
    // 60 MB are taken until 101. b (50 MB) does not fit and gives up at 12; c (30 MB) fits, and was only behind it.
    let run = machine(&["0,a,100,60", "2,b,10,50", "3,c,10,30"]).run(&["model.queue.timeout_s=10"]);
    assert_eq!(starts(&run), [(1.0, "cold"), (13.0, "cold")]);
}

#[test]
fn when_the_first_in_line_of_a_host_gives_up_the_next_one_starts_if_it_fits() {
    // The same on the second of two hosts. Round robin: a on host 0, a2 on host 1; b waits on host 0 and c on host 1, behind
    // which d waits; c gives up at 13.
    let calls = ["0,a,100,60", "0.5,a2,100,60", "1,b,100,50", "3,c,10,50", "4,b2,100,50", "5,d,10,30"];
    let set = [
        "regions[0].hosts[0].count=2",
        "scheduler.packing.round-robin={}",
        "model.queue.scope=host",
        "model.queue.timeout_s=10",
    ];
    let run = machine(&calls).run(&set);
    assert_eq!(starts(&run), [(1.0, "cold"), (1.5, "cold"), (14.0, "cold")]);
    assert_eq!(run.number("calls.timed_out"), 3.0);
}

#[test]
fn a_new_call_waits_behind_others_unless_it_may_overtake() {
    // b (50 MB) finds no room; c (30 MB) would.
    let calls = ["0,a,10,60", "2,b,10,50", "3,c,10,30"];
    let none = ["model.sandbox.eviction=none", "scheduler.keep_alive=none"];
    let run = machine(&calls).run(&none);
    assert_eq!(starts(&run), [(1.0, "cold"), (12.0, "cold"), (12.0, "cold")]);
    let run = machine(&calls).run(&[none[0], none[1], "model.queue.overtake=true"]);
    assert_eq!(starts(&run), [(1.0, "cold"), (12.0, "cold"), (4.0, "cold")]);
}

#[test]
fn calls_behind_the_first_start_only_with_backfill() {
    // Until 11, a and a2 hold 90 MB; then a2's 30 MB are left: b (80 MB) must wait for 21, c (70 MB) would fit at 11.
    let calls = ["0,a,10,60", "0,a2,20,30", "2,b,10,80", "3,c,5,70"];
    let set = ["scheduler.keep_alive=none"];
    let run = machine(&calls).run(&set);
    assert_eq!(starts(&run)[2..], [(22.0, "cold"), (33.0, "cold")]);
    let run = machine(&calls).run(&[set[0], "model.queue.backfill=true"]);
    assert_eq!(starts(&run)[2..], [(22.0, "cold"), (12.0, "cold")]);
}

#[test]
fn a_region_queue_starts_a_call_on_the_host_that_is_free_first() {
    // Two hosts, full until 21 and 11; the third call waits for either, with queues per host only for the first host.
    let calls = ["0,a,20,60", "0,a,10,60", "5,a,1,60"];
    let two = "regions[0].hosts[0].count=2";
    let run = machine(&calls).run(&[two]);
    assert_eq!((starts(&run)[2], run.calls()[2].host), ((11.0, "warm"), 1));
    let run = machine(&calls).run(&[two, "model.queue.scope=host"]);
    assert_eq!((starts(&run)[2], run.calls()[2].host), ((21.0, "warm"), 0));
}

#[test]
fn a_host_queue_is_passed_by_only_with_overtake() {
    // Host 0 is full until 11; b and, behind it, c wait there. With overtake, c (30 MB) starts at once.
    let calls = ["0,a,10,60", "2,b,10,50", "3,c,10,30"];
    let set = ["model.queue.scope=host", "scheduler.keep_alive=none"];
    let run = machine(&calls).run(&set);
    assert_eq!(starts(&run)[1..], [(12.0, "cold"), (12.0, "cold")]);
    let run = machine(&calls).run(&[set[0], set[1], "model.queue.overtake=true"]);
    assert_eq!(starts(&run)[1..], [(12.0, "cold"), (4.0, "cold")]);
}

#[test]
fn a_call_waits_for_its_own_sandbox_or_takes_any_that_is_freed() {
    // Starts take 10 s. The first call's sandbox is free at 15; the second call's own would be ready at 22.
    let calls = ["0,a,5,30", "12,a,5,30", "16,a,1,30"];
    let slow = "isolation.container.start_median_s=10";
    let bound = machine(&calls).run(&[slow]);
    assert_eq!(starts(&bound), [(10.0, "cold"), (22.0, "cold"), (16.0, "warm")]);
    let freed = machine(&calls).run(&[slow, "model.sandbox.cold_wait=any-freed"]);
    // The second takes the freed one at 15 until 20; the third starts one of its own, but the second's is ready at 22: idle
    // from then on, and nobody asks for it; the third takes the sandbox freed at 20.
    assert_eq!(freed.calls().iter().map(|c| c.start).collect::<Vec<_>>(), [10.0, 15.0, 20.0]);
    assert_eq!(freed.number("sandboxes.started"), 3.0);
}

#[test]
fn eviction_takes_the_sandbox_that_is_idle_longest_and_no_more_than_needed() {
    // a, b and c are idle from 2, 4 and 3 on, 30 MB each. d (40 MB) needs 30 MB more than the free 10: a goes. Then b and c
    // are still warm, a is not.
    let calls = ["0,a,1,30", "0,b,3,30", "0,c,2,30", "10,d,1,40", "20,b,1,30", "20,c,1,30"];
    let run = machine(&calls).run(&[]);
    assert_eq!(starts(&run)[3..], [(11.0, "cold"), (20.0, "warm"), (20.0, "warm")]);
    assert_eq!(run.number("sandboxes.evicted"), 1.0);
    let again = machine(&["0,a,1,30", "0,b,3,30", "0,c,2,30", "10,d,1,40", "20,a,1,30"]).run(&[]);
    // c, idle since 3, has to go for a's new sandbox.
    assert_eq!(starts(&again)[4], (21.0, "cold"));
    assert_eq!(again.number("sandboxes.evicted"), 2.0);
}

#[test]
fn without_eviction_calls_wait_for_the_end_of_the_keep_alive() {
    let set = ["model.sandbox.eviction=none", "scheduler.keep_alive.fixed.keep_alive_s=50"];
    let run = machine(&["0,a,1,60", "10,b,1,60"]).run(&set);
    // a is idle from 2 to 52; then b's sandbox starts.
    assert_eq!(starts(&run), [(1.0, "cold"), (53.0, "cold")]);
}

#[test]
fn a_sandbox_idle_for_exactly_its_keep_alive_has_expired() {
    let set = ["scheduler.keep_alive.fixed.keep_alive_s=10"];
    assert_eq!(starts(&machine(&["0,a,1,30", "12,a,1,30"]).run(&set))[1], (13.0, "cold"));
    assert_eq!(starts(&machine(&["0,a,1,30", "11.999999999,a,1,30"]).run(&set))[1], (11.999999999, "warm"));
}

#[test]
fn a_completion_comes_before_an_arrival_at_the_same_instant() {
    assert_eq!(starts(&machine(&["0,a,1,30", "2,a,1,30"]).run(&[]))[1], (2.0, "warm"));
    // Also where calls share the CPU.
    let contended = machine(&["0,a,1,30", "2,a,1,30"]).run(&["model.cpu=contended"]);
    assert_eq!(starts(&contended)[1], (2.0, "warm"));
}

#[test]
fn the_keep_alive_clock_begins_anew_only_if_it_restarts() {
    // Idle from 2; used from 8 to 9. Restarted: expires at 19. Not restarted: at 12.
    let calls = ["0,a,1,30", "8,a,1,30", "15,a,1,30"];
    let keep = "scheduler.keep_alive.fixed.keep_alive_s=10";
    assert_eq!(starts(&machine(&calls).run(&[keep]))[1..], [(8.0, "warm"), (15.0, "warm")]);
    let once = [keep, "scheduler.keep_alive.fixed.clock_restarts=false"];
    assert_eq!(starts(&machine(&calls).run(&once))[1..], [(8.0, "warm"), (16.0, "cold")]);
    // Busy at the end of its window, a sandbox goes when it next is idle.
    let busy = machine(&["0,a,1,30", "8,a,6,30", "14.5,a,1,30"]).run(&once);
    assert_eq!(starts(&busy)[1..], [(8.0, "warm"), (15.5, "cold")]);
}

/// Which sandbox a call takes when two are idle: its host tells. One sandbox fits a host; with warm-first, the reuse order
/// alone decides.
fn host_of_the_last_call(order: &str, calls: &[&str]) -> i32 {
    let order = format!("model.sandbox.reuse_order={order}");
    let run = machine(calls).run(&[
        &order,
        "regions[0].hosts[0].count=3",
        "scheduler.packing.warm-first={then=\"first-fit\"}",
    ]);
    run.calls().last().expect("calls were made").host
}

#[test]
fn each_reuse_order_takes_the_sandbox_that_it_names() {
    // Created on hosts 0, 1, 2 in this order; idle from 6, 2 and 4 on.
    let calls = ["0,a,5,60", "0,a,1,60", "0,a,3,60", "10,a,1,60"];
    for (order, host) in [("lru", 1), ("mru", 0), ("newest-created", 2), ("dslab", 1)] {
        assert_eq!(host_of_the_last_call(order, &calls), host, "{order}");
    }
    // dslab: the set is 1, 2, 0; 1 is taken and 0 moves to the front; 1 comes back to the end: 0, 2, 1. LRU would take 2.
    let twice = ["0,a,5,60", "0,a,1,60", "0,a,3,60", "10,a,1,60", "20,a,1,60"];
    for (order, host) in [("lru", 2), ("mru", 0), ("newest-created", 2), ("dslab", 0)] {
        assert_eq!(host_of_the_last_call(order, &twice), host, "{order}, second call");
    }
}

#[test]
fn calls_that_share_a_core_slow_down_alike() {
    // Both start at 1. The short one has 1 s of work and ends at 3; the long one then has 2 s left and ends at 5.
    let run = machine(&["0,a,1,30", "0,b,3,30"]).run(&["model.cpu=contended"]);
    assert_eq!(run.calls().iter().map(|c| c.end).collect::<Vec<_>>(), [3.0, 5.0]);
}

#[test]
fn isolated_calls_wait_for_free_cores() {
    let set = ["model.cpu=isolated", "isolation.container.start_median_s=0"];
    let run = machine(&["0,a,10,30", "1,b,10,30", "2,b,10,30"]).run(&set);
    assert_eq!(run.calls().iter().map(|c| c.start).collect::<Vec<_>>(), [0.0, 10.0, 20.0]);
}

#[test]
fn isolated_cores_are_reserved_while_a_sandbox_starts() {
    // One core. The first call's sandbox starts from 0 to 1 and the call runs from 1 to 11; the second, which arrives during
    // the start, must not run beside it.
    let run = machine(&["0,a,10,30", "0.5,b,10,30"]).run(&["model.cpu=isolated"]);
    let calls = run.calls();
    assert!(calls[1].start >= calls[0].end, "two calls of one core each run on one core: {calls:?}");
}

#[test]
fn an_idle_sandbox_on_a_full_host_is_found_whatever_the_packing() {
    // The host is full with the function's own idle sandbox, which stays for ever: the second call takes it.
    for packing in
        ["first-fit", "best-fit", "worst-fit", "least-loaded", "round-robin", "random", "power-of-two-choices"]
    {
        for prefer in [true, false] {
            let packing = format!("scheduler.packing.{packing}={{prefer_warm={prefer}}}");
            let run = machine(&["0,a,1,60", "10,a,1,60"]).run(&[&packing, "model.sandbox.eviction=none"]);
            assert_eq!(run.number("calls.unfinished"), 0.0, "{packing}: the call waits for ever");
            assert_eq!(starts(&run), [(1.0, "cold"), (10.0, "warm")], "{packing}");
        }
    }
}

const BURST: &str = r#"
[workload.calls]
path = "calls.csv"
[model]
cpu = "contended"
[isolation.container]
start_median_s = 0.5
start_sigma = 0.0
start_cpu_core_s = 0.0
memory_overhead_mb = 0.0
memory_per_host_mb = 0.0
cpu_factor = 1.0
[servers.s]
cores = 1
memory_mb = 1000
embodied_kg = 0
lifetime_years = 4
[[regions]]
name = "a"
grid.constant.g_per_kwh = 100.0
hosts = [{ server = "s", count = 8 }]
"#;

#[test]
fn a_burst_of_cold_starts_spreads_over_the_least_loaded_hosts() {
    // Calls that wait for their sandbox count as load: eight of them, 1 ms apart, take eight hosts and nobody shares.
    let calls: String = (0..8).map(|i| format!("{},f,10,100\n", f64::from(i) * 0.001)).collect();
    let text = format!("arrival_time_s,function_id,duration_s,memory_mb\n{calls}");
    for packing in ["warm-first", "least-loaded"] {
        let run = Lab::new(BURST).file("calls.csv", &text).run(&[&format!("scheduler.packing={packing}")]);
        assert!((run.number("latency_s.max") - 10.5).abs() < 1e-6, "{packing}: {}", run.number("latency_s.max"));
    }
}

#[test]
fn least_loaded_routing_leaves_out_regions_whose_hosts_are_too_small() {
    let small = "\n[servers.small]\ncores = 64\nmemory_mb = 50\nembodied_kg = 0\nlifetime_years = 4\n\
                 [[regions]]\nname = \"b\"\ngrid.constant.g_per_kwh = 100.0\nhosts = [{ server = \"small\", count = 1 }]\n";
    let rows: String = (0..20).map(|_| "0,f,10,100\n".to_owned()).collect();
    let text = format!("arrival_time_s,function_id,duration_s,memory_mb\n{rows}");
    let run =
        Lab::new(&format!("{BURST}{small}")).file("calls.csv", &text).run(&["scheduler.routing.least-loaded.margin=0"]);
    assert_eq!(run.number("calls.executed"), 20.0);
}

#[test]
fn warm_first_takes_another_idle_sandbox_if_the_first_ones_host_has_no_core() {
    // Two hosts of one core. Two calls of `a` leave a warm sandbox on each. Then `b` takes the core of the host whose sandbox
    // was idle first, and the next `a` must use the other host's warm sandbox.
    let text = "arrival_time_s,function_id,duration_s,memory_mb\n0,a,1,100\n0.1,a,2,100\n5,b,60,100\n10,a,1,100\n";
    let hosts = ["regions[0].hosts[0].count=2", "model.cpu=isolated", "scheduler.packing.warm-first.then=first-fit"];
    let run = Lab::new(BURST).file("calls.csv", text).run(&hosts);
    assert_eq!(run.number("calls.cold"), 3.0);
    assert_eq!(run.number("calls.waited"), 0.0);
}

#[test]
fn a_row_with_another_tenant_than_the_functions_first_is_refused() {
    let text = "arrival_time_s,function_id,duration_s,memory_mb,tenant\n0,f,1,100,x\n1,f,1,100,y\n";
    let lab = Lab::new(BURST).file("calls.csv", text);
    let error = lab.fails(&[]);
    assert!(error.contains("line 3: tenant = \"y\" differs from \"x\""), "{error}");
}

#[test]
fn unix_times_are_refused_before_the_ledger_grows_without_bounds() {
    let text = "arrival_time_s,function_id,duration_s,memory_mb\n1650000000,f,1,100\n1650000001,f,1,100\n";
    let lab = Lab::new(BURST).file("calls.csv", text);
    let error = lab.fails(&["output.ledger_step_s=60", "output.step_s=60"]);
    assert!(error.contains("subtract the first one if they are Unix times"), "{error}");
}
