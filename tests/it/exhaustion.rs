//! Hosts that promise more memory than they have, and what happens when it is used: computed by hand.
//!
//! The scene's host with 100 MB, 1 W of baseline each, that promises 200.

use crate::lab::{Lab, Run};
use crate::scene::{NO_BASELINE, are, each, figures, integral, is, scene, starts};

const PROMISE: [&str; 2] = ["servers.box.memory_mb=100", "scheduler.overcommit.static-ratio={ memory_ratio = 2.0 }"];

#[track_caller]
fn run(lab: &Lab, set: &[&str]) -> Run {
    lab.run(&[&PROMISE[..], set].concat())
}

#[test]
fn counted_exhaustion_slows_nobody_and_its_time_is_known() {
    // 160 MB of 100 from 2 to 11. Shares of the baseline are then of what is held. a: starts at 80 W for 1 s; runs 1 s at 80 W, 9 s
    // at 50 W, and 10 core·s: 730 J. b: starts at 50 W; runs 8 s at 50 W, 2 s at 80 W, and 10 core·s: 760 J. Nobody holds
    // 20 W before 2 and after 11: 80 J.
    let run = run(&scene(&["0,a,10,80", "2,b,10,80"]), &["scheduler.keep_alive=none"]);
    are("ends", &each(&run, |c| c.end), &[11.0, 13.0]);
    figures(
        &run,
        &[
            ("exhaustion.memory_share", 9.0 / 13.0),
            ("exhaustion.memory_events", 1.0),
            ("exhaustion.killed", 0.0),
            ("exhaustion.reclaimed", 0.0),
            ("energy_j.cold_start", 130.0),
            ("energy_j.execution", 1490.0),
            ("energy_j.idle_host", 80.0),
            ("energy_j.total", 1700.0),
        ],
    );
    are("by function", &run.table("functions.csv").column("execution_j")[..2], &[730.0, 760.0]);
}

#[test]
fn an_exhaustion_that_grows_is_one_event() {
    // 120 MB from 2 on and 180 from 4 on, until a ends at 11 and b at 13. Then again from 32 on.
    let calls = ["0,a,10,60", "2,b,10,60", "4,c,10,60", "30,a,10,60", "32,b,10,60"];
    let run = run(&scene(&calls), &["scheduler.keep_alive=none"]);
    figures(&run, &[("exhaustion.memory_events", 2.0), ("exhaustion.memory_share", (11.0 + 9.0) / 43.0)]);
}

#[test]
fn cpu_exhaustion_is_the_time_with_more_demand_than_cores() {
    // Five calls of one core on four cores: they run together from 1 to 6, 4 s of work each at 4/5 of the speed.
    let run = scene(&["0,a,4,10"; 5]).run(&[]);
    figures(&run, &[("run.simulated_s", 6.0), ("exhaustion.cpu_share", 5.0 / 6.0), ("exhaustion.memory_share", 0.0)]);
}

#[test]
fn idle_sandboxes_are_reclaimed_in_the_order_of_eviction() {
    // a is idle from 2, b from 4. c makes it 140 MB at 10: a goes. b is still warm at 20. At 30 a makes it 140 again: c, idle
    // from 16, goes before b, idle from 21.
    let calls = ["0,a,1,40", "3,b,1,40", "10,c,5,60", "20,b,1,40", "30,a,1,40", "40,b,1,40"];
    let lru = run(&scene(&calls), &[]);
    assert_eq!(starts(&lru)[3..], [(20.0, "warm"), (31.0, "cold"), (40.0, "warm")]);
    figures(
        &lru,
        &[
            ("exhaustion.reclaimed", 2.0),
            ("exhaustion.memory_events", 2.0),
            ("exhaustion.memory_share", 0.0),
            ("sandboxes.evicted", 0.0),
        ],
    );
    // The largest first, of equal ones the one idle longest: a at 10 as well, and c at 30.
    let largest = run(&scene(&calls), &["model.sandbox.eviction=largest"]);
    assert_eq!(starts(&largest), starts(&lru));
    // Without it, they stay, and the host is over from 10 to the end at 16.
    let off = run(&scene(&calls[..3]), &["model.memory.reclaim=false"]);
    figures(&off, &[("exhaustion.reclaimed", 0.0), ("exhaustion.memory_share", 6.0 / 16.0)]);
}

#[test]
fn memory_that_grows_when_a_call_ends_is_looked_at_too() {
    // Busy sandboxes use half of their 80 MB, idle ones all: at 11 the first to end makes it 120 MB and goes; the other stays.
    let run = run(&scene(&["0,a,10,80", "0,b,10,80"]), &["isolation.container.busy_memory_share=0.5"]);
    figures(&run, &[("exhaustion.reclaimed", 1.0), ("exhaustion.memory_share", 0.0), ("run.simulated_s", 11.0)]);
}

#[test]
fn busy_sandboxes_may_use_less_than_they_reserve() {
    // 80 MB reserved, 40 used: two fit into the memory that is there, and a third does not fit the promise until 11.
    let set = ["isolation.container.busy_memory_share=0.5", "scheduler.keep_alive=none"];
    let run = run(&scene(&["0,a,10,80", "0,b,10,80", "0,c,10,80"]), &set);
    assert_eq!(starts(&run), [(1.0, "cold"), (1.0, "cold"), (12.0, "cold")]);
    figures(&run, &[("exhaustion.memory_events", 0.0), ("calls.waited", 1.0)]);
    is("busy", integral(&run, "memory.busy_mean_mb"), 3.0 * 10.0 * 40.0);
    is("starting", integral(&run, "memory.starting_mean_mb"), 3.0 * 40.0);
}

#[test]
fn swapping_slows_all_calls_by_the_share_that_does_not_fit() {
    // From 5 on 160 MB: 60/160 don't fit, and calls are slower by 1 + 4 x 0.375 = 2.5. a has 6 s left and ends at 5 + 15 = 20. b,
    // which runs from 6 on, has done 14 / 2.5 = 5.6 s by then, and ends at 24.4.
    let calls = ["0,a,10,80", "5,b,10,80"];
    let set = ["model.memory.exhaustion=swap", "scheduler.keep_alive=none"];
    let four = run(&scene(&calls), &[&set[..], &["model.memory.swap_slowdown=4"]].concat());
    are("ends", &each(&four, |c| c.end), &[20.0, 24.4]);
    figures(&four, &[("exhaustion.memory_share", 15.0 / 24.4), ("exhaustion.memory_events", 1.0)]);
    // By default 1 + 10 x 0.375 = 4.75: 5 + 28.5 = 33.5, and 10 - 27.5/4.75 s later.
    let ten = run(&scene(&calls), &set);
    are("ends", &each(&ten, |c| c.end), &[33.5, 43.5 - 27.5 / 4.75]);
}

const KILL: &str = "model.memory.exhaustion=kill";

#[test]
fn the_newcomer_is_killed_and_tried_again_until_there_is_memory() {
    // a runs from 1 to 21. b is ready at 6 and killed at once, tried again at 7, ready at 8, and so on, eight times, the last at
    // 20. Tried again at 21, when a ends, it runs from 22 to 32. Every start of b's is a second with too much memory.
    let run = run(&scene(&["0,a,20,60", "5,b,10,60"]), &[KILL, "scheduler.keep_alive=none"]);
    assert_eq!(starts(&run), [(1.0, "cold"), (22.0, "cold")]);
    are("ends", &each(&run, |c| c.end), &[21.0, 32.0]);
    figures(
        &run,
        &[
            ("exhaustion.killed", 8.0),
            ("exhaustion.retried", 8.0),
            ("exhaustion.lost_s", 0.0),
            ("exhaustion.memory_events", 8.0),
            ("exhaustion.memory_share", 8.0 / 32.0),
            ("sandboxes.started", 10.0),
            ("calls.received", 2.0),
            ("calls.executed", 2.0),
            ("calls.cold", 2.0),
        ],
    );
    let patient = ["model.memory.retry_delay_s=30", KILL, "scheduler.keep_alive=none"];
    let once = self::run(&scene(&["0,a,20,60", "5,b,10,60"]), &patient);
    assert_eq!(starts(&once)[1], (37.0, "cold"));
    figures(&once, &[("exhaustion.killed", 1.0)]);
}

#[test]
fn two_starts_at_once_that_do_not_fit_together_kill_the_younger() {
    // Neither is busy while they start. At 1 both are ready; the first stays and ends at 6; the second is tried again at 2 and 4 (killed
    // at 3 and 5), and at 6.
    let run = run(&scene(&["0,a,5,60", "0,b,5,60"]), &[KILL, "scheduler.keep_alive=none"]);
    assert_eq!(starts(&run), [(1.0, "cold"), (7.0, "cold")]);
    figures(&run, &[("exhaustion.killed", 3.0), ("calls.executed", 2.0)]);
}

/// Idle sandboxes use nothing, so that a warm call makes more memory used at once.
const FREE_WHILE_IDLE: [&str; 3] = [KILL, "isolation.container.warm_memory_share=0", NO_BASELINE];

#[test]
fn a_killed_call_loses_its_work_and_its_energy_stays_booked() {
    // x's sandbox is the older one, idle from 2. y runs from 4 on. x's call at 8 makes it 120 MB: y is killed after 4 s, tried
    // again at 9 (x ends at 9.5), runs from 10 to 20. 20 J per core-second: x 1 + 1.5, y 4 + 10.
    let run = run(&scene(&["0,x,1,60", "3,y,10,60", "8,x,1.5,60"]), &FREE_WHILE_IDLE);
    assert_eq!(starts(&run), [(1.0, "cold"), (10.0, "cold"), (8.0, "warm")]);
    are("ends", &each(&run, |c| c.end), &[2.0, 20.0, 9.5]);
    figures(
        &run,
        &[
            ("exhaustion.killed", 1.0),
            ("exhaustion.retried", 1.0),
            ("exhaustion.lost_s", 4.0),
            ("exhaustion.lost_j", 80.0),
            ("energy_j.execution", 330.0),
            ("energy_j.total", 330.0),
            ("calls.executed", 3.0),
            ("exhaustion.memory_share", 0.5 / 20.0),
        ],
    );
    let functions = run.table("functions.csv");
    are("by function", &functions.column("execution_j")[..2], &[50.0, 280.0]);
    // Latency is from the first arrival on, and only the execution that counted is busy time.
    are("busy", &functions.column("busy_s")[..2], &[2.5, 10.0]);
    are("latency", &functions.column("latency_mean_s")[..2], &[1.75, 17.0]);
}

#[test]
fn as_many_as_needed_are_killed_the_youngest_first() {
    // 90 MB busy; x's 80 MB at 10 leave room for 20: all three go, after 6, 5 and 4 s. They are tried again at 11, when x is done.
    let calls = ["0,x,1,80", "3,a,20,30", "4,b,20,30", "5,c,20,30", "10,x,0.5,80"];
    let run = run(&scene(&calls), &FREE_WHILE_IDLE);
    figures(&run, &[("exhaustion.killed", 3.0), ("exhaustion.lost_s", 15.0), ("exhaustion.lost_j", 300.0)]);
    are("starts", &each(&run, |c| c.start), &[1.0, 12.0, 12.0, 12.0, 10.0]);
    // With 40 MB for x, 130 in all, c alone is enough.
    let less = ["0,x,1,40", "3,a,20,30", "4,b,20,30", "5,c,20,30", "10,x,0.5,40"];
    let run = self::run(&scene(&less), &FREE_WHILE_IDLE);
    figures(&run, &[("exhaustion.killed", 1.0), ("exhaustion.lost_s", 4.0)]);
    are("starts", &each(&run, |c| c.start), &[1.0, 4.0, 5.0, 12.0, 10.0]);
}

#[test]
fn all_calls_of_a_killed_sandbox_are_tried_again() {
    // Two of y's calls in one sandbox are killed after 4 s each; at 9 the first starts a sandbox and the second joins it.
    let calls = ["0,x,1,60", "3,y,10,60", "3,y,10,60", "8,x,1.5,60"];
    let run = run(&scene(&calls), &[&FREE_WHILE_IDLE[..], &["isolation.container.calls_per_sandbox=2"]].concat());
    are("starts", &each(&run, |c| c.start), &[1.0, 10.0, 10.0, 8.0]);
    figures(
        &run,
        &[
            ("exhaustion.killed", 1.0),
            ("exhaustion.retried", 2.0),
            ("exhaustion.lost_s", 8.0),
            ("exhaustion.lost_j", 160.0),
            ("energy_j.execution", 50.0 + 160.0 + 400.0),
            ("sandboxes.started", 3.0),
        ],
    );
    is("of functions", run.table("functions.csv").sum("execution_j"), 610.0);
}

#[test]
fn nothing_is_started_ahead_of_calls_that_memory_in_use_has_no_room_for() {
    // 60 MB of 100 each, one provisioned of each: a is started at 0, b is not. Its call at 10 starts one and has a's reclaimed, which
    // is not started again before its call at 20 reclaims b's.
    let calls = ["5,a,1,60", "10,b,1,60", "20,a,1,60"];
    let set = ["scheduler.scaling.provisioned.sandboxes=1", "time.duration_s=40"];
    let kept = run(&scene(&calls), &set);
    assert_eq!(starts(&kept), [(5.0, "warm"), (11.0, "cold"), (21.0, "cold")]);
    let wanted = [("sandboxes.started", 3.0), ("sandboxes.prewarmed", 1.0), ("exhaustion.reclaimed", 2.0)];
    figures(&kept, &wanted);
    // Where exhaustion is only counted, both stand there from the beginning.
    let counted = run(&scene(&calls), &[&set[..], &["model.memory.reclaim=false"]].concat());
    assert_eq!(starts(&counted), [(5.0, "warm"), (10.0, "warm"), (20.0, "warm")]);
    figures(&counted, &[("sandboxes.started", 2.0), ("exhaustion.reclaimed", 0.0)]);
}
