//! Accounts by period: they sum to the accounts of the run, agree with the site book in every period, and change nothing.

use std::collections::BTreeMap;

use slackwater::ledger::{Account, Column, PeriodAccount};
use slackwater::report::AccountLog;
use slackwater::scenario::{self, build_loaded};
use slackwater::sci::attribution::Rows;
use slackwater::sim::{Logs, simulate};
use slackwater::types::{FunctionId, GroupId, RegionId};

use crate::lab::{Lab, Run};
use crate::scene::{are, scene};

/// Three host groups in two regions, two trust domains, bursts and pauses, an end between two periods.
pub fn world() -> Lab {
    Lab::new(
        r#"
[output]
ledger_step_s = 25.0
step_s = 100.0
account_step_s = 50.0
[isolation.container]
start_cpu_core_s = 0.3
start_median_s = 0.8
memory_overhead_mb = 50.0
memory_per_host_mb = 30.0
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
grid.constant.g_per_kwh = 300.0
hosts = [{ server = "small", count = 2 }, { server = "large", count = 1, pue = 1.4 }]
[[regions]]
name = "frankfurt"
pue = 1.25
grid.constant.g_per_kwh = 500.0
hosts = [{ server = "small", count = 3 }]
[workload.poisson]
rate_per_s = 4.0
calls = 4000
functions = 40
memory_mb = 300
cpu_cores = 1.5
service.lognormal = { median_s = 1.5, sigma = 1.0 }
"#,
    )
}

/// Settings that lead the run through every part of the machine that credits accounts.
pub const WAYS: &[&[&str]] = &[
    &[],
    &["model.cpu=isolated", "model.queue.backfill=true", "model.queue.timeout_s=0.5"],
    &["model.cpu=ignored", "model.sandbox.cold_wait=any-freed", "isolation.container.start_sigma=1.5"],
    &["isolation.container.calls_per_sandbox=4", "isolation.container.call_memory_share=0.2"],
    &["isolation.container.calls_per_sandbox=3", "isolation.container.scope=tenant", "model.cpu=isolated"],
    &["isolation.container.scope=request"],
    &[
        "isolation.container.pause_after_s=5",
        "isolation.container.snapshot_after_s=20",
        "isolation.container.resume_s=0.4",
        "isolation.container.restore_s=1.1",
        "isolation.container.paused_memory_share=0.3",
        "isolation.container.warm_memory_share=0.7",
    ],
    &[
        "isolation.container.busy_memory_share=0.6",
        "isolation.container.warm_memory_share=0.4",
        "scheduler.overcommit.static-ratio={memory_ratio=3.0}",
        "model.memory.exhaustion=kill",
        "scheduler.keep_alive.fixed.keep_alive_s=inf",
        "servers.small.memory_mb=1500",
    ],
    &[
        "scheduler.overcommit.static-ratio={memory_ratio=2.5}",
        "model.memory.exhaustion=swap",
        "servers.small.memory_mb=1500",
    ],
    &["isolation={ microvm = { start_model = \"processor-sharing\" } }", "runtime.language=python3.12"],
    &["isolation={ microvm = { start_energy = \"measured\" } }", "runtime.language=java21"],
    &["isolation={ microvm = {} }", "servers.small.cores=1.5"],
    &["isolation={ microvm = { creations_per_s_per_host = 0.3 } }"],
    &["scheduler.scaling.provisioned.sandboxes=2", "scheduler.keep_alive=none"],
    &["scheduler.scaling.autoscaled={}", "isolation.container.calls_per_sandbox=2"],
    &["scheduler.scaling.peak={}"],
    &["scheduler.keep_alive.hybrid-histogram={}"],
    &["model.sandbox.eviction=lru", "scheduler.keep_alive.fixed.keep_alive_s=inf", "servers.small.memory_mb=1500"],
    &["time.duration_s=777.25", "time.end=\"fixed\"", "time.drain_limit_s=100.125"],
    &["time.duration_s=800", "time.drain_limit_s=0"],
    &[
        "time.duration_s=734.5",
        "time.drain_limit_s=0",
        "workload.poisson.rate_per_s=30",
        "workload.poisson.calls=30000",
    ],
    &["workload.poisson.rate_per_s=0.01", "workload.poisson.calls=30"],
    &["workload.poisson.deadline_s=3000", "scheduler.shifting.paced-backlog={}", "time.drain_limit_s=4000"],
    &[
        "servers.small.power={ fan = { idle_w = 90.0, max_w = 250.0 } }",
        "servers.small.parts.memory={ idle_w_per_gb = 0.3, active_w_per_gb = 5.0, active_by = \"use\" }",
    ],
];

const STEP_S: f64 = 50.0;

#[track_caller]
fn near(what: &str, ours: f64, wanted: f64, scale: f64) {
    let error = (ours - wanted).abs();
    assert!(error <= 1e-9 * wanted.abs().max(scale), "{what}: {ours} is not {wanted}");
}

/// The seven quantities of an account that periods have.
fn parts(share_s: &[f64; 3], dynamic_j: &[f64; 2]) -> [f64; 5] {
    [share_s[0], share_s[1], share_s[2], dynamic_j[0], dynamic_j[1]]
}

/// The site book's columns of the same five, and the power that makes joules of them.
const COLUMNS: [Column; 5] = [
    Column::ExecutionBaseline,
    Column::ColdStartBaseline,
    Column::WarmIdle,
    Column::ExecutionDynamic,
    Column::ColdStartDynamic,
];

#[test]
fn periods_sum_to_the_run_and_each_agrees_with_the_site_book() {
    let lab = world();
    let mut most = [0.0f64; 5];
    for way in WAYS {
        let set: Vec<String> = way.iter().map(|&s| s.to_owned()).collect();
        let loaded = scenario::load(&lab.scenario(), &set).unwrap_or_else(|e| panic!("{way:?}: {e}"));
        let built = build_loaded(&loaded, false).expect("it builds");
        let mut rows: Vec<PeriodAccount> = Vec::new();
        let mut keep = |row: &PeriodAccount| {
            rows.push(*row);
            Ok(())
        };
        let logs = Logs { accounts: Some(&mut keep), ..Logs::default() };
        let (outcome, _) = simulate(built.setup, built.arrivals, logs, &mut |_| {}).expect("it runs");

        let mut sums: BTreeMap<(FunctionId, GroupId), [f64; 5]> = BTreeMap::new();
        let mut periods: BTreeMap<(u64, usize), [f64; 5]> = BTreeMap::new();
        for row in &rows {
            let values = parts(&row.share_s, &row.dynamic_j);
            assert!(values.iter().all(|&v| v >= 0.0 && v.is_finite()), "{way:?}: {row:?}");
            assert!(row.start < outcome.end, "{way:?}: a period after the end");
            let sum = sums.entry((row.function, row.group)).or_default();
            sum.iter_mut().zip(values).for_each(|(sum, v)| *sum += v);
            let group = &built.groups[row.group.index()];
            let joules = periods.entry((row.start.0, group.region.index())).or_default();
            let watts = [group.held_w, group.held_w, group.held_w, 1.0, 1.0];
            for i in 0..5 {
                joules[i] += values[i] * watts[i];
            }
        }
        // Every account, to a billionth of itself (or of a second of a host, a joule).
        for f in 0..outcome.accounts.functions() {
            for g in 0..built.groups.len() {
                let key = (FunctionId::from_index(f), GroupId::from_index(g));
                let &Account { share_s, dynamic_j, .. } = outcome.accounts.of(key.0, key.1);
                let wanted = parts(&share_s, &dynamic_j);
                let ours = sums.get(&key).copied().unwrap_or_default();
                for i in 0..5 {
                    near(&format!("{way:?}: {key:?} part {i}"), ours[i], wanted[i], 1e-3);
                    most[i] = most[i].max(wanted[i]);
                }
            }
        }
        // Every period of every region, against the other book, which is kept by time and knows no function.
        let bins = (STEP_S / loaded.scenario.output.ledger_step_s) as usize;
        for region in 0..outcome.site.regions() {
            let book = outcome.site.rows(RegionId::from_index(region));
            for (p, bins) in book.chunks(bins).enumerate() {
                let start = (p as f64 * STEP_S * 1e9) as u64;
                let ours = periods.get(&(start, region)).copied().unwrap_or_default();
                for (i, column) in COLUMNS.into_iter().enumerate() {
                    let wanted: f64 = bins.iter().map(|row| row[column as usize]).sum();
                    near(&format!("{way:?}: region {region}, period {p}, {column:?}"), ours[i], wanted, 1.0);
                }
            }
        }
    }
    assert!(most.iter().all(|&m| m > 1.0), "every part is credited somewhere: {most:?}");
}

#[test]
fn accounts_by_period_change_no_byte_of_any_other_file() {
    let lab = world();
    for way in WAYS.iter().step_by(3).chain([&WAYS[19], &WAYS[21]]) {
        let with = [&["output.invocations=true"], *way].concat();
        let with = lab.run(&with);
        let plain = Lab::new(
            &std::fs::read_to_string(lab.scenario()).expect("readable").replace("account_step_s = 50.0\n", ""),
        );
        let plain = plain.run(&[&["output.invocations=true"], *way].concat());
        let mut files = with.files();
        let accounts = files.remove("accounts.parquet").expect("the file is written");
        assert!(accounts.len() > 1000);
        // The facts of the ledger say how long a period is, and nothing else changes in them.
        let facts = String::from_utf8(files["ledger.json"].clone()).expect("text");
        assert!(facts.contains("\"account_step_ns\": 50000000000"), "{facts}");
        let facts = facts.replace("\"account_step_ns\": 50000000000", "\"account_step_ns\": null");
        files.insert("ledger.json".to_owned(), facts.into_bytes());
        assert!(files == plain.files(), "{way:?}");
        assert_eq!(with.report.effort.events, plain.report.effort.events, "{way:?}");
    }
}

fn rows(run: &Run) -> Vec<PeriodAccount> {
    let mut rows = Vec::new();
    AccountLog::new(&run.folder().join("accounts.parquet")).each(&mut |row| rows.push(*row)).expect("readable");
    rows
}

#[test]
fn a_call_over_three_periods_is_credited_in_each() {
    // It starts from 0 to 1 and runs until 11 on half a host, at 20 W; then its sandbox is idle until 15.
    let set = ["output.ledger_step_s=4", "output.step_s=4", "output.account_step_s=4", "time.duration_s=15"];
    let run = scene(&["0,a,10,500"]).run(&set);
    let rows = rows(&run);
    let starts: Vec<f64> = rows.iter().map(|r| r.start.as_secs_f64()).collect();
    are("starts of periods", &starts, &[0.0, 4.0, 8.0, 12.0]);
    let column = |i: usize| -> Vec<f64> { rows.iter().map(|r| parts(&r.share_s, &r.dynamic_j)[i]).collect() };
    are("busy", &column(0), &[1.5, 2.0, 1.5, 0.0]);
    are("starting", &column(1), &[0.5, 0.0, 0.0, 0.0]);
    are("warm", &column(2), &[0.0, 0.0, 0.5, 1.5]);
    are("dynamic of calls", &column(3), &[60.0, 80.0, 60.0, 0.0]);
    are("dynamic of starts", &column(4), &[0.0; 4]);
    let calls = scene(&["0,a,10,500"]).run(&set).calls();
    are("the whole call in the call log", &[calls[0].dynamic_j], &[200.0]);
}

#[test]
fn a_run_that_ends_at_a_period_s_end_has_no_empty_last_period() {
    let set = ["output.ledger_step_s=4", "output.step_s=4", "output.account_step_s=4", "time.duration_s=12"];
    let rows = rows(&scene(&["0,a,10,500"]).run(&set));
    assert_eq!(rows.last().map(|r| r.start.as_secs_f64()), Some(8.0));
}

#[test]
fn a_period_that_is_no_multiple_of_the_ledger_s_step_is_refused() {
    let error = scene(&["0,a,1,100"]).fails(&["output.account_step_s=450"]);
    assert!(error.contains("output.account_step_s") && error.contains("450 is not a whole multiple"), "{error}");
}
