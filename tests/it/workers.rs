//! Workers as XFaaS runs them: locality groups, namespaces, pushes of new code, a limit on calls, and the figures of workers.

use crate::lab::Lab;
use crate::scene::is;

/// One region of twelve workers that share code among the calls of a function.
fn world() -> Lab {
    Lab::new(
        r#"
[time]
duration_s = 14400.0
[output]
workers = true
[servers.worker]
cores = 4
memory_mb = 16000
power.linear = { idle_w = 10.0, max_w = 30.0 }
embodied_kg = 100
lifetime_years = 5
[[regions]]
name = "here"
pue = 1.2
grid.constant.g_per_kwh = 360.0
hosts = [{ server = "worker", count = 12 }]
[isolation.shared-runtime]
[scheduler.keep_alive.fixed]
keep_alive_s = 600
[scheduler.packing.power-of-two-choices]
[workload.poisson]
rate_per_s = 20.0
calls = 288000
functions = 400
memory_mb = 20.0
service.exponential = { mean_s = 0.5 }
"#,
    )
}

const GROUPS: &str = "scheduler.packing.locality-groups={ hosts_per_group = 3, reassign_s = 1800.0 }";

#[test]
fn locality_groups_let_fewer_functions_meet_on_a_worker_and_hold_less_memory() {
    let lab = world();
    let (without, with) = (lab.run(&[]), lab.run(&[GROUPS]));
    for key in [
        "workers.distinct_functions_p50",
        "workers.distinct_functions_p95",
        "workers.memory_share_p50",
        "workers.memory_share_p95",
    ] {
        let (before, after) = (without.number(key), with.number(key));
        assert!(after < 0.9 * before, "{key}: {after} instead of {before}");
    }
    assert_eq!(with.number("calls.executed"), without.number("calls.executed"));
    assert_eq!(with.number("workers.hours"), 12.0 * 4.0);
    assert_eq!(with.number("locality.spilled"), 0.0, "there is room in every group");
    assert_eq!(with.number("locality.reassignments"), 8.0);
    assert!(with.number("locality.functions_moved") > 0.0);
    // What moves no more: popularity does not change, so re-assignment is not a churn.
    assert!(with.number("locality.functions_moved") < 400.0, "{}", with.number("locality.functions_moved"));
    assert_eq!(lab.run(&[GROUPS]).files(), with.files(), "twice the same bytes");
}

#[test]
fn one_group_of_all_workers_is_the_power_of_two_choices() {
    // The same rule over the same workers; only the random stream is another one.
    let lab = world();
    let one = "scheduler.packing.locality-groups={ groups = 1, reassign_s = inf }";
    let (plain, one) = (lab.run(&[]), lab.run(&[one]));
    for key in ["workers.distinct_functions_mean", "workers.memory_share_mean", "utilization.cpu_mean"] {
        let (a, b) = (plain.number(key), one.number(key));
        assert!((a - b).abs() < 0.01 * a, "{key}: {a}, {b}");
    }
}

#[test]
fn counting_workers_changes_nothing_else() {
    let lab = world();
    let (with, without) = (lab.run(&[]), lab.run(&["output.workers=false"]));
    for file in ["functions.csv", "hosts.csv", "timeseries.csv"] {
        assert_eq!(with.files()[file], without.files()[file], "{file}");
    }
    assert!(without.report.number("workers.hours").is_none());
}

/// Calls of one second on two hosts of one core in two groups.
fn two_hosts(rows: &[&str]) -> Lab {
    let scenario = r#"
[servers.worker]
cores = 1
memory_mb = 1000
power.linear = { idle_w = 10.0, max_w = 30.0 }
embodied_kg = 100
lifetime_years = 5
[[regions]]
name = "here"
grid.constant.g_per_kwh = 360.0
hosts = [{ server = "worker", count = 2 }]
[isolation.process]
start_median_s = 0.0
start_sigma = 0.0
start_cpu_core_s = 0.0
memory_overhead_mb = 0.0
[model]
cpu = "isolated"
[scheduler.keep_alive.none]
[workload.calls]
path = "calls.csv"
"#;
    let head = "arrival_time_s,function_id,duration_s,memory_mb,tenant\n";
    Lab::new(scenario).file("calls.csv", &format!("{head}{}\n", rows.join("\n")))
}

#[test]
fn a_call_whose_group_is_full_spills_or_waits() {
    // Two calls of a at once: its group is one worker of one core. b is in the other group.
    let lab = two_hosts(&["0,a,1,100,x", "0,b,0.001,100,x", "5,a,1,100,x", "5,a,1,100,x"]);
    let spill = lab.run(&["scheduler.packing.locality-groups={ groups = 2 }"]);
    is("latency of the last", spill.number("latency_s.max"), 1.0);
    assert_eq!((spill.number("locality.spilled"), spill.number("locality.inside")), (1.0, 3.0));
    let wait = lab.run(&["scheduler.packing.locality-groups={ groups = 2, spill = false }"]);
    is("latency of the one that waits", wait.number("latency_s.max"), 2.0);
    assert_eq!((wait.number("locality.spilled"), wait.number("calls.waited")), (0.0, 1.0));
}

#[test]
fn dedicated_namespaces_need_a_worker_each() {
    // Trust domains are the tenants of the file. Two namespaces on two hosts: each its own, even if the other is empty.
    let rows = ["0,a,1,100,x", "0,b,0.001,100,y", "5,a,1,100,x", "5,a,1,100,x"];
    let dedicated = "scheduler.packing.locality-groups={ namespaces = \"dedicated\" }";
    let run = two_hosts(&rows).run(&[dedicated]);
    is("a waits for its own worker", run.number("latency_s.max"), 2.0);
    let error = two_hosts(&[rows[0], rows[1], "1,c,1,100,z"]).fails(&[dedicated]);
    assert!(error.contains("region here has 2 worker(s), but 3 namespaces"), "{error}");
    assert!(error.contains("namespaces = \"shared\""), "{error}");
}

#[test]
fn both_sizes_of_groups_are_one_too_many() {
    let error =
        two_hosts(&["0,a,1,100,x"]).fails(&["scheduler.packing.locality-groups={ groups = 2, hosts_per_group = 1 }"]);
    assert!(error.contains("leave one of them out"), "{error}");
}

#[test]
fn a_worker_takes_no_more_calls_than_it_may() {
    // Ten calls at once on hosts of 16 cores. Two at a time on each of two hosts: three waves.
    let rows = vec!["0,a,1,50,x"; 10];
    let lab = two_hosts(&rows);
    for cpu in ["contended", "isolated", "ignored"] {
        for packing in ["power-of-two-choices", "locality-groups", "warm-first", "first-fit", "least-loaded"] {
            let set = [
                "servers.worker.cores=16".to_owned(),
                format!("model.cpu={cpu}"),
                format!("scheduler.packing={packing}"),
            ];
            let set: Vec<&str> = set.iter().map(String::as_str).collect();
            let free = lab.run(&set);
            is("all at once", free.number("latency_s.max"), 1.0);
            let limited = lab.run(&[&set[..], &["model.max_calls_per_host=2"]].concat());
            is("three waves", limited.number("latency_s.max"), 3.0);
            is("mean", limited.number("latency_s.mean"), (4.0 + 8.0 + 6.0) / 10.0);
            assert_eq!(limited.number("calls.waited"), 6.0, "{cpu} {packing}");
        }
    }
    // Several in a sandbox, with keep-alive: the sandbox has places, its worker has none.
    let shared = ["servers.worker.cores=16", "model.max_calls_per_host=2", "isolation.process.calls_per_sandbox=100"];
    let run = lab.run(&[&shared[..], &["scheduler.keep_alive={ fixed = { keep_alive_s = 60.0 } }"]].concat());
    is("three waves", run.number("latency_s.max"), 3.0);
    let error = lab.fails(&[
        "model.max_calls_per_host=2",
        "instances.some.synthetic={ count = 1, duration_s = 10.0, sizes = { list = { sizes = [{ cores = 1.0, memory_mb = 10.0 }] } }, usage = { constant = { share = 1.0 } } }",
    ]);
    assert!(error.contains("max_calls_per_host"), "{error}");
}

/// Short calls at 50 a second for a little over four pushes, to workers that are all in the last phase.
fn pushed() -> Lab {
    Lab::new(
        r#"
[time]
duration_s = 36000.0
[servers.worker]
cores = 4
memory_mb = 16000
power.linear = { idle_w = 10.0, max_w = 30.0 }
embodied_kg = 100
lifetime_years = 5
[[regions]]
name = "here"
pue = 1.2
grid.constant.g_per_kwh = 360.0
hosts = [{ server = "worker", count = 20 }]
[model]
cpu = "ignored"
[isolation.process]
start_cpu_core_s = 0.0
[runtime.code_push]
every_s = 7200.0
canaries = 0
seeder_share = 0.0
canary_s = 0.0
seeder_s = 0.0
[scheduler.packing.power-of-two-choices]
[workload.poisson]
rate_per_s = 50.0
calls = 1800000
functions = 10
memory_mb = 20.0
service.constant = { length_s = 0.01 }
"#,
    )
}

#[test]
fn the_extra_cpu_of_pushes_is_the_closed_form_and_cooperation_saves_six_sevenths() {
    // Pushes at 7200, 14400, 21600 and 28800 s; the run ends at 36000. A warm-up of W seconds slows rate x W calls by (F - 1) / 2 on
    // average: four of 180 s x 50/s x 0.01 core·s x 1.
    let lab = pushed();
    let off = lab.run(&["runtime.code_push.initial_factor=1.0"]);
    assert_eq!(off.number("code_push.extra_cpu_core_s"), 0.0);
    let run = |set: &[&str]| {
        let run = lab.run(set);
        (run.number("code_push.slowed_calls"), run.number("code_push.extra_cpu_core_s"), run)
    };
    let mut extra = Vec::new();
    for (set, w) in [("runtime.code_push.cooperative=true", 180.0), ("runtime.code_push.cooperative=false", 1260.0)] {
        let (slowed, core_s, on) = run(&[set]);
        // 36,000 and 252,000 calls are due; Poisson counts of that size are within 2 % and 0.8 % (4 sigma).
        let due = 4.0 * w * 50.0;
        assert!((slowed - due).abs() < 4.0 * due.sqrt(), "{slowed} instead of {due}");
        // Each costs 0.01 x (F - 1) x U, U uniform: the standard error of the sum is 0.58 of its mean over the root of the count.
        let closed = due * 0.01;
        assert!((core_s / closed - 1.0).abs() < 4.0 * (1.0 + 0.58) / due.sqrt(), "{core_s} instead of {closed}");
        // It is what the books show: 20 W for 4 cores are 5 J per core·s, at PUE 1.2 and 360 g/kWh.
        is("joules", on.number("code_push.extra_j"), core_s * 5.0 * 1.2);
        is("grams", on.number("code_push.operational_g"), core_s * 5.0 * 1.2 * 1e-4);
        let dynamic = on.number("energy_j.dynamic") - off.number("energy_j.dynamic");
        assert!((dynamic / (core_s * 5.0) - 1.0).abs() < 1e-6, "{dynamic} J of {core_s} core·s");
        extra.push(core_s);
    }
    assert!((extra[1] / extra[0] - 7.0).abs() < 0.15, "{extra:?}");
    assert!(lab.fails(&["runtime.code_push.seeder_s=7200"]).contains("every_s"));
}

#[test]
fn canaries_and_seeders_get_new_code_first_and_are_warm_last() {
    // Of 20 workers 2 are canaries and 2 seeders (a tenth). In a push the canaries slow for 1260 s from 7200 on, seeders from 7800 on,
    // 16 others for 180 s from 9300 on: (4 x 1260 + 16 x 180) / 20 worker-seconds of 50/s.
    let run = pushed().run(&[
        "runtime.code_push={ every_s = 7200.0, canaries = 2, seeder_share = 0.1, canary_s = 600.0, seeder_s = 1500.0 }",
        "scheduler.packing=random",
        "time.duration_s=14000",
        "workload.poisson.calls=700000",
    ]);
    let due = (4.0 * 1260.0 + 16.0 * 180.0) / 20.0 * 50.0;
    let slowed = run.number("code_push.slowed_calls");
    assert!((slowed - due).abs() < 4.0 * due.sqrt(), "{slowed} instead of {due}");
}
