//! Cores that sandboxes or calls hold of what their host promises. By hand.

use crate::scene::{are, each, figures, is, scene, starts};

/// Every sandbox holds two of the host's four cores.
const TWO_CORES: &str = "isolation.container.reserved_cores=2";

#[test]
fn a_sandbox_holds_its_cores_whatever_runs_in_it() {
    // a and b hold all four cores from 0 to 11, though each call demands one. c waits for b's end at 11, when an idle sandbox goes for
    // it, and begins at 12.
    let calls = ["0,a,20,100", "0,b,10,100", "2,c,1,100"];
    let run = scene(&calls).run(&[TWO_CORES]);
    are("begins", &each(&run, |c| c.start), &[1.0, 1.0, 12.0]);
    figures(&run, &[("calls.waited", 1.0), ("sandboxes.evicted", 1.0), ("calls.cold", 3.0)]);
    // Idle ones hold their cores, too: without eviction c waits for ever.
    let stay = ["model.sandbox.eviction=none", "time.drain_limit_s=100", TWO_CORES];
    figures(&scene(&calls).run(&stay), &[("calls.unfinished", 1.0)]);
    // A host that promises twice its cores takes four of them; they share what there is, which is enough.
    let twice = ["scheduler.overcommit.static-ratio={ cpu_ratio = 2.0 }", TWO_CORES];
    are("begins", &each(&scene(&calls).run(&twice), |c| c.start), &[1.0, 1.0, 3.0]);
    // The same calls without a reservation find room at once.
    are("begins", &each(&scene(&calls).run(&[]), |c| c.start), &[1.0, 1.0, 3.0]);
}

#[test]
fn calls_in_a_sandbox_with_cores_of_its_own_hold_none() {
    // One sandbox of two cores takes four calls of a core each at once, even where CPU is isolated: its cores are the four's to share.
    let calls = ["0,a,10,100", "0,a,10,100", "0,a,10,100", "0,a,10,100"];
    let set = [TWO_CORES, "isolation.container.calls_per_sandbox=4", "model.cpu=isolated"];
    let run = scene(&calls).run(&set);
    are("begins", &each(&run, |c| c.start), &[1.0; 4]);
    figures(&run, &[("sandboxes.started", 1.0)]);
}

#[test]
fn a_reservation_that_no_host_has_is_named() {
    let outcome = std::panic::catch_unwind(|| scene(&["0,a,1,100"]).run(&["isolation.container.reserved_cores=5"]));
    let message =
        outcome.err().and_then(|e| e.downcast_ref::<String>().cloned()).expect("five cores fit on a host of four");
    assert!(message.contains("5 core(s)") && message.contains("and 4 core(s)"), "{message}");
}

#[test]
fn where_cpu_is_isolated_a_call_joins_no_start_whose_host_has_no_core_left() {
    // One core. The first call starts a sandbox with four places and holds the core until 11; each of the others takes it in turn.
    let calls = ["0,a,10,100", "0,a,10,100", "0,a,10,100"];
    let set = ["isolation.container.calls_per_sandbox=4", "model.cpu=isolated", "servers.box.cores=1"];
    let run = scene(&calls).run(&set);
    are("begins", &each(&run, |c| c.start), &[1.0, 11.0, 21.0]);
    // Two cores: two at a time.
    let run =
        scene(&calls).run(&["isolation.container.calls_per_sandbox=4", "model.cpu=isolated", "servers.box.cores=2"]);
    are("begins", &each(&run, |c| c.start), &[1.0, 1.0, 11.0]);
}

#[test]
fn a_ready_sandbox_goes_before_a_paused_one_unless_told_otherwise() {
    // Two sandboxes: one idle from 2 on, paused at 7, the other idle from 10 on. At 11 the ready one is taken; with lru the paused one,
    // which resumes for half a second.
    let calls = ["0,a,1,100", "0,a,9,100", "11,a,1,100"];
    let pause = ["isolation.container.pause_after_s=5", "isolation.container.resume_s=0.5"];
    assert_eq!(starts(&scene(&calls).run(&pause))[2], (11.0, "warm"));
    let lru = [&pause[..], &["model.sandbox.reuse_order=lru"]].concat();
    let run = scene(&calls).run(&lru);
    is("begins", run.calls()[2].start, 11.5);
    figures(&run, &[("sandboxes.resumed", 1.0)]);
}

#[test]
fn places_that_a_start_leaves_go_to_those_who_wait() {
    // Two places; at 0 the first call starts a sandbox, which takes all memory; b has to wait, and a's second call, behind it in the queue
    // at 0.5, may go before it (backfill): it takes the second place at 1.
    let calls = ["0,a,10,900", "0.25,b,1,900", "0.5,a,1,900"];
    let set = ["isolation.container.calls_per_sandbox=2", "model.queue.backfill=true"];
    let run = scene(&calls).run(&set);
    let begins: Vec<(i32, f64)> = run.calls().iter().map(|c| (c.function, c.start)).collect();
    assert_eq!(begins[0], (0, 1.0));
    assert!(begins.contains(&(0, 1.0)) && begins.iter().filter(|b| **b == (0, 1.0)).count() == 2, "{begins:?}");
    assert!(begins.contains(&(1, 12.0)), "{begins:?}");
}
