//! The states of a sandbox with their memory and power, who may share one, and how an idle one cools: computed by hand.

use crate::lab::Lab;
use crate::scene::{are, each, figures, integral, is, memory_mb_s, scene, scene_with, starts};

#[test]
fn memory_and_power_are_booked_in_each_state() {
    // Starts from 10 to 11 with half a core, executes from 11 to 31, is idle until 61. 100 MB of 1000 are 10 W of the host's
    // 100 W. Start: 0.5 core·s x 20 J + 1 s x 10 W = 20 J. Execution: 20 s x (20 W + 10 W) = 600 J. Idle: 30 s x 10 W = 300 J.
    // The idle host has the rest of 61 s x 100 W: 6100 - 10 - 200 - 300 = 5590 J.
    let run = scene(&["10,a,20,100"])
        .run(&["isolation.container.start_cpu_core_s=0.5", "scheduler.keep_alive.fixed.keep_alive_s=30"]);
    figures(
        &run,
        &[
            ("run.simulated_s", 61.0),
            ("energy_j.cold_start", 20.0),
            ("energy_j.execution", 600.0),
            ("energy_j.warm_idle", 300.0),
            ("energy_j.idle_host", 5590.0),
            ("energy_j.total", 6510.0),
            ("energy_j.dynamic", 410.0),
            ("sandboxes.lifetime_mean_s", 51.0),
            ("sandboxes.expired", 1.0),
            ("memory.idle_mb_s", 3000.0),
        ],
    );
    let over_time = [("starting", 1.0), ("busy", 20.0), ("idle", 30.0)];
    for (state, seconds) in over_time {
        is(state, integral(&run, &format!("sandboxes.{state}_mean")), seconds);
        is(state, integral(&run, &format!("memory.{state}_mean_mb")), 100.0 * seconds);
    }
    // A tenth of the host for 51 of 61 s.
    let functions = run.table("functions.csv");
    is("embodied", functions.column("embodied_g")[0], 0.1 * 51.0 / 61.0 * run.number("carbon_g.embodied"));
    // 920 J at 360 g/kWh are 0.092 g.
    is("operational", functions.column("operational_g")[0], 0.092);
}

#[test]
fn in_scope_request_every_call_has_a_sandbox_that_goes_with_it() {
    // Each sandbox lives for its start and its call, 3 s, whatever keep-alive would allow; nothing is ever idle.
    let run = scene(&["0,a,2,100", "10,a,2,100", "11,a,2,100"]).run(&["isolation.container.scope=request"]);
    assert_eq!(starts(&run), [(1.0, "cold"), (11.0, "cold"), (12.0, "cold")]);
    figures(
        &run,
        &[
            ("run.simulated_s", 14.0),
            ("calls.cold_share", 1.0),
            ("sandboxes.started", 3.0),
            ("sandboxes.expired", 3.0),
            ("sandboxes.lifetime_mean_s", 3.0),
            ("sandboxes.idle_mean", 0.0),
            ("memory.idle_mb_s", 0.0),
            ("energy_j.warm_idle", 0.0),
        ],
    );
    is("busy memory x time", integral(&run, "memory.busy_mean_mb"), 3.0 * 2.0 * 100.0);
}

#[test]
fn in_scope_tenant_functions_of_one_tenant_share_a_sandbox() {
    // b takes the sandbox that was started for a; c belongs to another tenant. Idle from 3 to 10 after a: 70 J, and from 12
    // to the end at 23 after b: 110 J.
    let calls = ["0,a,2,100,t", "10,b,2,100,t", "20,c,2,100,u"];
    let run = scene_with(",tenant", &calls).run(&["isolation.container.scope=tenant"]);
    assert_eq!(starts(&run), [(1.0, "cold"), (10.0, "warm"), (21.0, "cold")]);
    let functions = run.table("functions.csv");
    assert_eq!(functions.column("cold")[..3], [1.0, 0.0, 1.0]);
    are("idle, by function", &functions.column("warm_idle_j")[..3], &[70.0, 110.0, 0.0]);
    are("started, by function", &functions.column("cold_start_j")[..3], &[10.0, 0.0, 10.0]);
    figures(&run, &[("sandboxes.started", 2.0), ("cold_share_by_app.apps", 2.0)]);
    let own = scene_with(",tenant", &calls).run(&[]);
    assert_eq!(starts(&own)[1], (11.0, "cold"), "by function, b starts one of its own");
}

#[test]
fn in_scope_trust_domain_tenants_share_sandboxes() {
    // Four tenants call by the clock, in two domains: 2, 4 and 4 sandboxes, if no two calls overlap. Calls take 1 ms every 1000 s.
    let lab = Lab::new(
        r#"
[isolation.wasm]
start_median_s = 0.0
start_sigma = 0.0
[scheduler.keep_alive.fixed]
keep_alive_s = inf
[servers.box]
cores = 4
memory_mb = 1000
embodied_kg = 1.0
lifetime_years = 1.0
[[regions]]
name = "here"
grid.constant.g_per_kwh = 360.0
hosts = [{ server = "box", count = 1 }]
[workload.tenants]
tenants = 4
requests_per_hour = 3.6
duration_s = 10000.0
service.constant = { length_s = 0.001 }
trust_domains = 2
shape.timer = {}
"#,
    );
    for (scope, pools) in [("trust-domain", 2.0), ("tenant", 4.0), ("function", 4.0)] {
        let run = lab.run(&[&format!("isolation.wasm.scope={scope}")]);
        figures(&run, &[("sandboxes.started", pools), ("calls.cold", pools), ("cold_share_by_app.apps", pools)]);
        assert_eq!(run.number("calls.executed"), 40.0, "{scope}");
    }
}

#[test]
fn further_calls_at_once_add_their_share_of_memory() {
    // 100 MB and 20 MB overhead, up to 3 calls: 100 x (1 + 2 x share) + 20. By default the share is 1 where functions of a tenant
    // share the sandbox, else 0. The one call executes for 10 s.
    for (scope, share, memory) in [
        ("tenant", None, 320.0),
        ("trust-domain", None, 320.0),
        ("function", None, 120.0),
        ("tenant", Some(0.25), 170.0),
        ("function", Some(0.5), 220.0),
    ] {
        let mut set = vec![
            format!("isolation.container.scope={scope}"),
            "isolation.container.calls_per_sandbox=3".to_owned(),
            "isolation.container.memory_overhead_mb=20".to_owned(),
        ];
        set.extend(share.map(|s| format!("isolation.container.call_memory_share={s}")));
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let run = scene(&["0,a,10,100"]).run(&set);
        is(&format!("{scope} with {share:?}"), integral(&run, "memory.busy_mean_mb"), 10.0 * memory);
    }
}

#[test]
fn a_shared_sandbox_has_room_for_the_largest_function_of_its_pool() {
    // a (100 MB) starts the sandbox that b (300 MB) will run in: it holds 300 MB from the start, 1 s starting and 2 x 2 s busy.
    for calls in [["0,a,2,100,t", "10,b,2,300,t"], ["0,b,2,300,t", "10,a,2,100,t"]] {
        let run = scene_with(",tenant", &calls).run(&["isolation.container.scope=tenant"]);
        assert_eq!(starts(&run), [(1.0, "cold"), (10.0, "warm")]);
        is("starting", integral(&run, "memory.starting_mean_mb"), 300.0);
        is("busy", integral(&run, "memory.busy_mean_mb"), 1200.0);
    }
}

#[test]
fn calls_join_a_starting_and_a_busy_sandbox_and_its_memory_counts_once() {
    // Two places. The second call joins the start of the first; both run from 1 to 5. At 2 that sandbox is full: the third starts
    // another, ready at 3, and the fourth, which arrives just then, joins it: both run from 3 to 7.
    let calls = ["0,a,4,100", "0.5,a,4,100", "2,a,4,100", "3,a,4,100"];
    let run = scene(&calls).run(&["isolation.container.calls_per_sandbox=2", "scheduler.keep_alive=none"]);
    assert_eq!(starts(&run), [(1.0, "cold"), (1.0, "cold"), (3.0, "cold"), (3.0, "warm")]);
    figures(&run, &[("run.simulated_s", 7.0), ("sandboxes.started", 2.0), ("memory.idle_mb_s", 0.0)]);
    is("starting", integral(&run, "memory.starting_mean_mb"), 2.0 * 100.0);
    is("busy", integral(&run, "memory.busy_mean_mb"), 2.0 * 4.0 * 100.0);
    is("calls in execution", integral(&run, "sandboxes.busy_mean"), 16.0);
    // 16 core·s x 20 J, and 2 x 4 s x 10 W of baseline.
    is("execution", run.number("energy_j.execution"), 320.0 + 80.0);
}

#[test]
fn a_partly_busy_sandbox_is_filled_before_an_idle_one_and_its_last_call_leaves_it_idle() {
    // Two starts at once, because the first is full by then. From 2 on, one is idle (the second's), one busy; the call at 3 goes
    // to the busy one, which is idle only from 13 on; the other from 2. After that, idle times are 11 and 0 s until the end at 13.
    let calls = ["0,a,8,100", "0,b,1,100", "0,a,8,100", "3,a,10,100"];
    let run = scene(&calls).run(&["isolation.container.calls_per_sandbox=3"]);
    assert_eq!(starts(&run), [(1.0, "cold"), (1.0, "cold"), (1.0, "cold"), (3.0, "warm")]);
    figures(&run, &[("sandboxes.started", 2.0), ("run.simulated_s", 13.0), ("memory.idle_mb_s", 100.0 * 11.0)]);
    is("all memory", memory_mb_s(&run), 2.0 * 13.0 * 100.0);
}

#[test]
fn functions_in_one_sandbox_share_its_baseline_alike_and_all_books_balance() {
    // 100 MB (no memory per further call). a runs from 1 to 5, b from 2 to 6. Baseline of 10 W: a alone 1 s, both 3 s, b alone 1 s:
    // 10 + 15 = 25 J each; dynamic 4 core·s x 20 J = 80 J each. The start, 10 J, is a's.
    let run = scene_with(",tenant", &["0,a,4,100,t", "2,b,4,100,t"]).run(&[
        "isolation.container.scope=tenant",
        "isolation.container.calls_per_sandbox=2",
        "isolation.container.call_memory_share=0",
        "scheduler.keep_alive=none",
    ]);
    let functions = run.table("functions.csv");
    are("execution", &functions.column("execution_j")[..2], &[105.0, 105.0]);
    are("start", &functions.column("cold_start_j")[..2], &[10.0, 0.0]);
    // 6 s x 100 W and 160 J: 760 J. What nobody held: 600 - 10 - 50 = 540 J, and 0.9 of M.
    figures(
        &run,
        &[
            ("energy_j.total", 760.0),
            ("energy_j.unattributed", 540.0),
            ("energy_j.execution", 210.0),
            ("carbon_g.unattributed_operational", 0.054),
            ("carbon_g.unattributed_embodied", 0.9 * run.number("carbon_g.embodied")),
        ],
    );
    are("operational", &functions.column("operational_g")[..2], &[0.0115, 0.0105]);
    is("embodied", functions.sum("embodied_g"), run.number("carbon_g.embodied"));
}

/// Paused after 10 s, on disk after 30 s, gone after 60 s.
const TIERS: [&str; 7] = [
    "isolation.container.pause_after_s=10",
    "isolation.container.resume_s=0.2",
    "isolation.container.snapshot_after_s=30",
    "isolation.container.restore_s=0.5",
    "isolation.container.warm_memory_share=0.8",
    "isolation.container.paused_memory_share=0.4",
    "scheduler.keep_alive.fixed.keep_alive_s=60",
];

#[test]
fn an_idle_sandbox_is_paused_then_on_disk_and_comes_back_later() {
    // Idle: 3 to 8 ready. 10 to 20 ready, to 25 paused: back after 0.2 s. 27.2 to 37.2 ready, to 57.2 paused, to 80 on disk: back
    // after 0.5 s. 82.5 to 92.5 ready, to 112.5 paused, to 142.5 on disk, then gone.
    let run = scene(&["0,a,2,100", "8,a,2,100", "25,a,2,100", "80,a,2,100"]).run(&TIERS);
    assert_eq!(starts(&run), [(1.0, "cold"), (8.0, "warm"), (25.2, "warm"), (80.5, "warm")]);
    are("latency", &each(&run, |c| c.end - c.arrival), &[3.0, 2.0, 2.2, 2.5]);
    figures(
        &run,
        &[
            ("calls.cold", 1.0),
            ("sandboxes.started", 1.0),
            ("sandboxes.resumed", 2.0),
            ("sandboxes.expired", 1.0),
            ("start_s.resume_mean", 0.35),
            ("start_s.boot_mean", 1.0),
            ("run.simulated_s", 142.5),
            // Ready 35 s with 80 MB, paused 45 s with 40 MB.
            ("memory.idle_mb_s", 2800.0 + 1800.0),
            // 4600 MB·s x 0.1 J.
            ("energy_j.warm_idle", 460.0),
        ],
    );
    // On disk for 22.8 and 30 s: what it would hold, 100 MB.
    for (tier, mb_s) in [("ready", 2800.0), ("paused", 1800.0), ("on_disk", 5280.0)] {
        is(tier, integral(&run, &format!("memory.idle_{tier}_mean_mb")), mb_s);
    }
    // Starting for 1 s, resuming for 0.2 and 0.5 s.
    is("starting", integral(&run, "memory.starting_mean_mb"), 170.0);
    is("cold start", run.number("energy_j.cold_start"), 17.0);
}

/// On a host of 100 MB, a sandbox of 60 MB that is idle for 2 s is paused and gives its memory back.
const SMALL: [&str; 4] = [
    "servers.box.memory_mb=100",
    "isolation.container.pause_after_s=2",
    "isolation.container.resume_s=0.2",
    "isolation.container.paused_memory_share=0",
];

#[test]
fn without_room_to_resume_a_paused_sandbox_goes_and_its_call_starts_elsewhere_or_waits() {
    // a is paused at 4; b takes its room from 5 on and is busy until 26. a's call at 10 can't come back.
    let calls = ["0,a,1,60", "5,b,20,60", "10,a,1,60"];
    let run = scene(&calls).run(&SMALL);
    assert_eq!(starts(&run), [(1.0, "cold"), (6.0, "cold"), (27.0, "cold")]);
    // a's paused sandbox, then b's idle one for a's new one at 26.
    figures(&run, &[("sandboxes.evicted", 2.0), ("sandboxes.resumed", 0.0), ("calls.waited", 1.0)]);
    let two = [&SMALL[..], &["regions[0].hosts[0].count=2"]].concat();
    let run = scene(&calls).run(&two);
    assert_eq!(starts(&run)[2], (11.0, "cold"));
    assert_eq!(each(&run, |c| c.host.into()), [0.0, 0.0, 1.0]);
    figures(&run, &[("sandboxes.evicted", 1.0), ("calls.waited", 0.0)]);
}

#[test]
fn room_to_resume_is_made_by_eviction() {
    // b is idle from 7 and not yet paused at 8: it goes, and a comes back.
    let run = scene(&["0,a,1,60", "5,b,1,60", "8,a,1,60"]).run(&SMALL);
    assert_eq!(starts(&run), [(1.0, "cold"), (6.0, "cold"), (8.2, "warm")]);
    figures(&run, &[("sandboxes.evicted", 1.0), ("sandboxes.resumed", 1.0), ("sandboxes.started", 2.0)]);
    // Where both are paused, there is room for either.
    let run = scene(&["0,a,1,60", "5,b,1,60", "20,a,1,60"]).run(&SMALL);
    assert_eq!(starts(&run)[2], (20.2, "warm"));
    figures(&run, &[("sandboxes.evicted", 0.0)]);
}

#[test]
fn a_sandbox_that_is_paused_makes_room_for_calls_that_wait() {
    // Without eviction, b waits from 3 until a is paused at 4.
    let none = [&SMALL[..], &["model.sandbox.eviction=none"]].concat();
    let run = scene(&["0,a,1,60", "3,b,1,60"]).run(&none);
    assert_eq!(starts(&run), [(1.0, "cold"), (5.0, "cold")]);
    figures(&run, &[("calls.waited", 1.0), ("sandboxes.evicted", 0.0)]);
}
