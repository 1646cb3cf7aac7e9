//! Policies that hold jobs until reserved cores are free, on fleets that are full: nothing hangs, nothing is forgotten.

use crate::lab::{Lab, Run};

const SCENE: &str = r#"
[time]
drain_limit_s = 1_500_000.0
end = "fixed"
[output]
ledger_step_s = 3600.0
step_s = 3600.0
[sci]
functional_unit = "instance"
[model.jobs.purchase]
reserved_cores = 12.0
[servers.node]
cores = 8
memory_mb = 64_000.0
power.linear = { idle_w = 50.0, max_w = 250.0 }
embodied_kg = 1000.0
lifetime_years = 5.0
[[regions]]
name = "here"
grid.typical = { zone = "GB" }
hosts = [{ server = "node", count = 3 }]
[jobs.made]
slack.fixed.wait_s = 86_400.0
[jobs.made.source.synthetic]
arrivals = { rate_per_h = 3.0 }
count = 120
length.lognormal = { median_s = 5400.0, sigma = 1.0 }
cores = [{ cores = 1.0 }, { cores = 4.0 }, { cores = 8.0 }]
"#;

const INNER: &[&str] = &[
    "run-now = {}",
    "lowest-window = {}",
    "wait-awhile = {}",
    "ecovisor = {}",
    "carbon-threshold = { ceiling_g_per_kwh = 180.0 }",
    "one-min = {}",
    "pause-and-resume = {}",
    "carbon-scaler = {}",
    "greedy-capacity = {}",
    "paced-backlog = { reserve_s = 0.0 }",
];

fn run(policy: &str, more: &[&str]) -> Run {
    let policy = format!("scheduler.shifting={{ {policy} }}");
    Lab::new(SCENE).run(&[&[policy.as_str()], more].concat())
}

#[track_caller]
fn all_are_done(what: &str, run: &Run) {
    assert_eq!((run.number("jobs.finished"), run.number("jobs.unfinished")), (120.0, 0.0), "{what}");
    let bought = ["reserved", "on_demand", "spot"].map(|terms| run.number(&format!("jobs.{terms}_core_h")));
    let all: f64 = bought.iter().sum();
    assert!((all - run.number("jobs.core_h")).abs() < 1e-9 * all, "{what}: {bought:?} is not all core time");
    let most = 12.0 * run.number("run.simulated_s") / 3600.0;
    assert!(bought[0] <= most, "{what}: more is used than is reserved");
}

#[test]
fn every_wrapper_around_every_policy_lets_every_job_end_on_a_full_fleet() {
    let suspends = "jobs.made.interruption={ checkpoint_s = 30.0, restart_s = 60.0 }";
    all_are_done("all-wait-threshold", &run("all-wait-threshold = {}", &[]));
    for inner in INNER {
        for wrapper in ["reserved-first", "spot-first", "spot-reserved"] {
            let policy = format!("{wrapper} = {{ inner = {{ {inner} }} }}");
            all_are_done(&policy, &run(&policy, &[]));
            all_are_done(&policy, &run(&policy, &[suspends]));
        }
        // Below a ceiling that holds most jobs back.
        let policy = format!("reserved-first = {{ inner = {{ {inner} }} }}");
        let cap = "scheduler.admission={ cap = { guaranteed_share = 0.4 } }";
        all_are_done(&format!("{policy} below a ceiling"), &run(&policy, &[suspends, cap]));
    }
}

#[test]
fn what_is_let_go_holds_its_reserved_cores_until_it_has_its_hosts() {
    // 400 reserved cores on a fleet of 24: everything is let go at once, and waits in line for hosts.
    let run = run("all-wait-threshold = {}", &["model.jobs.purchase.reserved_cores=400.0"]);
    all_are_done("more reserved than there is", &run);
    assert_eq!(run.number("jobs.on_demand_core_h"), 0.0);
}

#[test]
fn a_job_that_its_region_cannot_hold_is_refused_by_name() {
    let error = Lab::new(SCENE).fails(&["jobs.made.nodes=7", "jobs.made.source.synthetic.cores=[{ cores = 4.0 }]"]);
    assert!(error.contains("needs 7 node(s) of 4 core(s)") && error.contains("hold 6 of that size"), "{error}");
}

#[test]
fn savings_of_runs_that_did_not_finish_alike_are_undefined() {
    let short = run("lowest-window = { reserve_s = 0.0 }", &["time.drain_limit_s=3600.0"]);
    assert!(short.number("shifting.unfinished") > short.number("shifting.run_now_unfinished"));
    assert!(short.report.number("shifting.saved_operational_share").is_none());
    assert!(
        short.report.warnings.iter().any(|w| w.contains("what is not done is not saved")),
        "{:?}",
        short.report.warnings
    );
    let longer = run("lowest-window = { reserve_s = 0.0 }", &["time.end=when-done"]);
    assert!(
        longer.report.warnings.iter().any(|w| w.contains("idle hosts count for longer")),
        "{:?}",
        longer.report.warnings
    );
    assert!(longer.number("shifting.saved_of_work_share") > 0.0);
}
