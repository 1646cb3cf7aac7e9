//! What must not get lost: energy, carbon, calls, across causes, hosts, functions, tenants and time steps.

use crate::lab::{Lab, Run, close, repository, run_file};

/// Three host groups in two regions, all isolation costs on, a typical grid with noise, an end between two steps.
fn world() -> Lab {
    Lab::new(
        r#"
[isolation.container]
start_cpu_core_s = 0.3
memory_overhead_mb = 50.0
[scheduler.routing.least-loaded]
[scheduler.keep_alive.fixed]
keep_alive_s = 45.0
[servers.small]
cores = 4
memory_mb = 4000
embodied_kg = 900
lifetime_years = 5
[servers.large]
cores = 16
memory_mb = 6000
power.table.power_w = [80.0, 150.0, 190.0, 260.0]
embodied_kg = 1900
lifetime_years = 4
[[regions]]
name = "london"
grid.typical.zone = "GB"
hosts = [{ server = "small", count = 2 }, { server = "large", count = 1, pue = 1.4 }]
[[regions]]
name = "frankfurt"
pue = 1.25
grid.typical.zone = "DE-LU"
hosts = [{ server = "small", count = 3 }]
[workload.poisson]
rate_per_s = 4.0
calls = 30_000
functions = 40
memory_mb = 300
cpu_cores = 1.5
service.lognormal = { median_s = 1.5, sigma = 1.0 }
"#,
    )
}

/// Settings that lead the run through every part of the machine.
const WAYS: &[&[&str]] = &[
    &[],
    &["model.cpu=isolated", "model.queue.backfill=true", "model.queue.timeout_s=0.5", "servers.small.cores=1.5"],
    &["model.cpu=ignored", "model.sandbox.cold_wait=any-freed", "isolation.container.start_sigma=1.5"],
    &["scheduler.overcommit.static-ratio={memory_ratio=2.5}", "scheduler.packing.best-fit={}"],
    &["scheduler.keep_alive.fixed.keep_alive_s=inf", "model.sandbox.eviction=lru", "servers.small.memory_mb=1500"],
    &["time.duration_s=5000.25", "time.end=\"fixed\"", "time.drain_limit_s=100.125"],
    &["time.duration_s=1234.5", "time.drain_limit_s=0", "model.queue.max_waiting=5"],
    &["workload.poisson.deadline_s=30000", "scheduler.shifting.lowest-window={}", "time.drain_limit_s=40000"],
    &["workload.poisson.deadline_s=30000", "scheduler.shifting.paced-backlog={}", "time.drain_limit_s=40000"],
    &["model.queue.scope=none", "model.cpu=isolated"],
    &["model.queue.scope=host", "scheduler.packing.round-robin={}", "model.sandbox.eviction=none"],
];

#[track_caller]
pub fn all_books_balance(what: &str, run: &Run) {
    let n = |key: &str| run.number(key);
    let causes = ["execution", "cold_start", "warm_idle", "idle_host", "boot", "off"];
    let by_cause = |section: &str| -> f64 {
        let keys: Vec<&str> = run.report.summary.iter().map(|e| e.key.as_str()).collect();
        let overhead =
            keys.iter().find(|k| k.starts_with(section) && k.contains("overhead")).expect("overhead is a cause");
        let sent = keys.iter().find(|k| k.starts_with(section) && k.ends_with("network")).map_or(0.0, |k| n(k));
        causes.iter().map(|c| n(&format!("{section}{c}"))).sum::<f64>() + n(overhead) + sent
    };
    let sent = run.report.number("energy_j.network").unwrap_or(0.0);
    let close = |part: &str, ours, wanted| close(&format!("{what}: {part}"), ours, wanted, 1e-9);
    let (functions, tenants, hosts) = (run.table("functions.csv"), run.table("tenants.csv"), run.table("hosts.csv"));
    let series = run.table("timeseries.csv");

    close("energy by cause", by_cause("energy_j."), n("energy_j.total"));
    close("energy by host", hosts.sum("energy_j") + sent, n("energy_j.total"));
    // The tables' last row is what is charged to no function.
    let last = |column: &str| functions.column(column).last().copied().expect("a last row");
    let own = functions.sum("energy_j") - last("energy_j");
    close("energy of functions", own, n("energy_j.attributed"));
    close("energy by function", own + n("energy_j.unattributed"), n("energy_j.total"));
    for cause in causes.iter().chain(&["pue_overhead"]) {
        close(&format!("{cause} by function"), functions.sum(&format!("{cause}_j")), n(&format!("energy_j.{cause}")));
        let grams = functions.sum(&format!("operational_{cause}_g"));
        close(&format!("O of {cause} by function"), grams, n(&format!("carbon_g.operational_{cause}")));
    }
    close("sent by function", functions.sum("network_j").max(1e-12), sent.max(1e-12));
    close("sent by region", run.table("regions.csv").sum("network_j").max(1e-12), sent.max(1e-12));
    close(
        "energy by kind",
        n("energy_j.dynamic") + n("energy_j.baseline") + by_cause("energy_j.")
            - causes.iter().map(|c| n(&format!("energy_j.{c}"))).sum::<f64>(),
        n("energy_j.total"),
    );

    let end = n("run.simulated_s");
    let step = 900.0;
    let powers = ["execution", "cold_start", "warm_idle", "idle_host", "boot", "off", "pue_overhead", "network"];
    let starts = series.column("time_s");
    let over_time: f64 = powers
        .iter()
        .map(|p| series.column(&format!("power_{p}_w")))
        .map(|w| w.iter().zip(&starts).map(|(w, t)| w * (end - t).min(step)).sum::<f64>())
        .sum();
    close("energy over time", over_time, n("energy_j.total"));

    close("operational by cause", by_cause("carbon_g.operational_"), n("carbon_g.operational"));
    close("operational over time", series.sum("operational_g"), n("carbon_g.operational"));
    close("operational by function", functions.sum("operational_g"), n("carbon_g.operational"));
    close("embodied by function", functions.sum("embodied_g"), n("carbon_g.embodied"));
    close("embodied by host", hosts.sum("embodied_g"), n("carbon_g.embodied"));
    for column in ["execution_j", "cold_start_j", "operational_g", "embodied_g", "received", "executed", "busy_s"] {
        close(&format!("{column} by tenant"), tenants.sum(column), functions.sum(column));
    }
    let rest = last("operational_g");
    close("unattributed operational", rest.max(1e-300), n("carbon_g.unattributed_operational").max(1e-300));

    assert_eq!(
        n("calls.received"),
        n("calls.executed") + n("calls.rejected") + n("calls.unfinished"),
        "{what}: every call is executed, rejected or unfinished"
    );
    let queues = |key: &str| run.report.number(&format!("dispatch.{key}")).unwrap_or(0.0);
    let rejected = n("calls.refused") + n("calls.turned_away") + n("calls.timed_out") + queues("given_up");
    assert_eq!(n("calls.rejected"), rejected, "{what}");
    for column in ["received", "executed", "rejected"] {
        let total = n(&format!("calls.{column}"));
        assert_eq!((series.sum(column), functions.sum(column)), (total, total), "{what}: {column}");
    }
    // Hosts count what a service refused, too, and what was executed once more.
    let executions = n("calls.executed") + queues("executed_again") + queues("refused");
    assert_eq!(hosts.sum("executed"), executions, "{what}: executed by host");
    assert_eq!(series.sum("cold_starts"), n("sandboxes.started"), "{what}: started over time");
}

#[test]
fn all_books_balance_in_every_part_of_the_machine() {
    let lab = world();
    let mut seen = [0.0; 5];
    for way in WAYS {
        let run = lab.run(way);
        all_books_balance(&format!("{way:?}"), &run);
        let keys = ["sandboxes.evicted", "calls.timed_out", "calls.turned_away", "calls.unfinished", "calls.deferred"];
        for (s, key) in seen.iter_mut().zip(keys) {
            *s += run.number(key);
        }
    }
    assert!(seen.iter().all(|&n| n > 0.0), "the ways lead past evictions, rejections or deferral: {seen:?}");
}

#[test]
fn all_books_balance_with_every_power_model() {
    let lab = world();
    for (name, toml) in crate::power::MODELS {
        let power = ["small", "large"].map(|s| format!("servers.{s}.power={{ {toml} }}"));
        let run = lab.run(&[&power[0], &power[1], "workload.poisson.calls=4000", "servers.small.cores=2"]);
        all_books_balance(name, &run);
    }
}

#[test]
fn all_books_balance_with_parts_and_losses() {
    let devices =
        "nic = { count = 2, idle_w = 4.0, active_w = 9.0 }, accelerators = { idle_w = 30.0, active_w = 90.0 }";
    let memory = "memory = { idle_w_per_gb = 0.3, active_w_per_gb = 5.0, active_by";
    let curve = "curve = { rated_w = 1200.0, load = [0.1, 0.5, 1.0], efficiency = [0.9, 0.96, 0.91] }";
    let ways = [
        (format!("{{ {devices}, {memory} = \"cpu\" }} }}"), curve),
        (format!("{{ {devices}, {memory} = \"use\" }} }}"), "constant = { efficiency = 0.93 }"),
    ];
    for (parts, psu) in ways {
        let mut set =
            vec!["workload.poisson.calls=4000".to_owned(), "isolation.container.memory_per_host_mb=700".to_owned()];
        for server in ["small", "large"] {
            set.push(format!("servers.{server}.parts={parts}"));
            set.push(format!("servers.{server}.power={{ fan = {{ idle_w = 90.0, max_w = 250.0 }} }}"));
            set.push(format!("servers.{server}.supply={{ vr_efficiency = 0.9, psu = {{ {psu} }} }}"));
        }
        set.extend(["regions[0].pue=1.3".to_owned(), "regions[0].pue_idle=1.5".to_owned()]);
        for more in [None, Some("scheduler.overcommit.static-ratio={memory_ratio=2.5}")] {
            let set: Vec<&str> = set.iter().map(String::as_str).chain(more).collect();
            all_books_balance(&format!("{set:?}"), &world().run(&set));
        }
    }
}

#[test]
fn all_books_balance_when_more_memory_is_held_than_there_is() {
    let run = world().run(&[
        "scheduler.overcommit.static-ratio={memory_ratio=2.5}",
        "scheduler.keep_alive.fixed.keep_alive_s=inf",
        "scheduler.packing.first-fit={}",
    ]);
    let most = run.table("timeseries.csv").column("memory_utilization").into_iter().fold(0.0, f64::max);
    let host = run.table("hosts.csv").column("memory_utilization").into_iter().fold(0.0, f64::max);
    assert!(most.max(host) > 1.0, "no host holds more than it has: {most} {host}");
    all_books_balance("memory ratio 2.5", &run);
}

#[test]
fn an_idle_host_draws_its_idle_power_for_the_whole_run() {
    let run = world().run(&[
        "workload.poisson.calls=1",
        "workload.poisson.service={ constant = { length_s=0.0 } }",
        "time.duration_s=5000",
        "time.end=\"fixed\"",
        "time.drain_limit_s=77.5",
    ]);
    let hosts = run.table("hosts.csv");
    let idle = (121.0 * 2.0 * 1.1 + 80.0 * 1.4 + 121.0 * 3.0 * 1.25) * 5077.5;
    // The one call's start may use CPU for a moment: at most 0.3 core-seconds on one host.
    assert!((hosts.sum("energy_j") - idle).abs() < 500.0, "{} is not {idle}", hosts.sum("energy_j"));
    let energies = hosts.column("energy_j");
    let exact = energies.iter().zip([121.0 * 1.1, 121.0 * 1.1, 80.0 * 1.4, 121.0 * 1.25, 121.0 * 1.25, 121.0 * 1.25]);
    let untouched = exact.filter(|(e, w)| (**e / (w * 5077.5) - 1.0).abs() < 1e-12).count();
    assert_eq!(untouched, 5, "five hosts do nothing at all: {energies:?}");
}

const CONSTANT: [&str; 2] =
    ["regions[0].grid={ constant = { g_per_kwh = 200.0 } }", "regions[1].grid={ constant = { g_per_kwh = 500.0 } }"];
const DOUBLE: [&str; 2] =
    ["regions[0].grid={ constant = { g_per_kwh = 400.0 } }", "regions[1].grid={ constant = { g_per_kwh = 1000.0 } }"];

#[test]
fn twice_the_intensity_gives_twice_the_operational_and_the_same_embodied_carbon() {
    let (once, twice) = (world().run(&CONSTANT), world().run(&DOUBLE));
    assert_eq!(twice.number("carbon_g.operational"), 2.0 * once.number("carbon_g.operational"));
    assert_eq!(twice.number("carbon_g.embodied"), once.number("carbon_g.embodied"));
    assert_eq!(twice.number("energy_j.total"), once.number("energy_j.total"));
}

#[test]
fn steps_of_output_and_ledger_change_no_total() {
    let lab = world();
    let ways: [&[&str]; 3] = [&[], &["output.step_s=3600"], &["output.ledger_step_s=60", "output.step_s=60"]];
    let runs: Vec<Run> = ways.iter().map(|w| lab.run(w)).collect();
    for run in &runs[1..] {
        for (ours, first) in run.report.summary.iter().zip(&runs[0].report.summary) {
            assert_eq!(ours.key, first.key);
            // The largest mean over a step is a property of the step.
            if let Some(wanted) = runs[0].report.number(&first.key)
                && first.key != "utilization.cpu_max"
            {
                let tolerance = if wanted == 0.0 { 0.0 } else { 1e-12 };
                close(&ours.key, run.number(&ours.key), wanted, tolerance);
            }
        }
    }
}

fn quickstart_with(set: &[&str]) -> Run {
    let first = ["workload.poisson.calls=3000", "workload.poisson.rate_per_s=0.1"];
    run_file(&repository("scenarios/reference.toml"), &first.iter().chain(set).copied().collect::<Vec<_>>(), 1)
}

#[test]
fn without_slack_nothing_is_shifted() {
    for policy in ["lowest-window", "paced-backlog"] {
        let shifting = format!("scheduler.shifting={policy}");
        let run = quickstart_with(&[&shifting, "workload.poisson.deadline_s=0.0"]);
        assert_eq!(run.number("calls.deferred"), 0.0, "{policy} without slack");
        let run = quickstart_with(&[&shifting, "workload.poisson.deadline_s=40000.0"]);
        assert!(run.number("calls.deferred") > 0.0, "{policy} with slack");
    }
}

#[test]
fn under_constant_intensity_the_lowest_window_is_now() {
    let grids = [
        "regions[0].grid={ constant = { g_per_kwh = 200.0 } }",
        "regions[1].grid={ constant = { g_per_kwh = 200.0 } }",
    ];
    let alone = "output.against_run_now=false";
    let shifted = quickstart_with(&[grids[0], grids[1], "scheduler.shifting=lowest-window", alone]);
    let now = quickstart_with(&[grids[0], grids[1], "scheduler.shifting=run-now"]);
    assert_eq!(shifted.number("calls.deferred"), 0.0);
    assert_eq!(shifted.files(), now.files());
}

#[test]
fn a_host_group_split_in_two_keeps_all_totals() {
    let lab = world();
    let packing = "scheduler.packing.first-fit={}";
    let whole = lab.run(&[packing, "regions[1].hosts=[{ server = \"small\", count = 4 }]"]);
    let halves =
        lab.run(&[packing, "regions[1].hosts=[{ server = \"small\", count = 2 }, { server = \"small\", count = 2 }]"]);
    for entry in &whole.report.summary {
        if let Some(wanted) = whole.report.number(&entry.key) {
            close(&entry.key, halves.number(&entry.key), wanted, if wanted == 0.0 { 0.0 } else { 1e-12 });
        }
    }
    assert_eq!(whole.table("hosts.csv").rows.len(), halves.table("hosts.csv").rows.len());
}
