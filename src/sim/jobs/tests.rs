//! Jobs in the machine, checked by hand.

use std::path::Path;

use super::{JobEnd, JobEnding};
use crate::ledger::{Column, Held};
use crate::scenario::{self, Built};
use crate::scheduler::shifting::{Plan, Shifting, Work};
use crate::scheduler::{View, WorkToken};
use crate::sim::{Logs, Outcome, simulate};
use crate::types::{Duration, FunctionId, Memory, MilliCores, RegionId, SimTime, TenantId};
use crate::workload::jobs::{Interruption, Job, JobKind, JobList, Scale};
use crate::workload::{FunctionProfile, NoCalls, Quota, Trigger};

const H: f64 = 3600.0;

/// A job of so many hours on so many cores of one node, which arrives at an hour.
fn job(name: &str, at_h: f64, hours: f64, cores: f64) -> Job {
    Job {
        name: name.into(),
        arrival: SimTime::from_secs_f64(at_h * H),
        wanted: SimTime::from_secs_f64(at_h * H),
        length: Duration::from_secs_f64(hours * H),
        estimate: None,
        slack: Duration::from_secs(24 * 3600),
        account: FunctionId(0),
        region: RegionId(0),
        kind: 0,
        class: 0,
        cpu: (cores * 1e6) as u64,
        memory: Memory::from_mb(100.0),
        nodes: 1,
    }
}

fn list(jobs: Vec<Job>, kind: JobKind) -> JobList {
    JobList {
        jobs,
        kinds: vec![kind],
        accounts: vec![FunctionProfile {
            name: "account".into(),
            tenant: TenantId(0),
            memory: Memory(0),
            cpu: MilliCores(0),
            trigger: Trigger::Other,
            criticality: 0,
            quota: Quota::Opportunistic,
            trust_domain: 0,
            quota_cores: None,
            mean_call: None,
        }],
        tenants: vec!["tenant".into()],
        classes: vec!["jobs".into()],
        ..JobList::default()
    }
}

fn interruptible(checkpoint_s: u64, restart_s: u64) -> JobKind {
    let (checkpoint, restart) = (Duration::from_secs(checkpoint_s), Duration::from_secs(restart_s));
    JobKind { interruption: Some(Interruption { checkpoint, restart }), ..JobKind::default() }
}

/// Plans the same for every job: (from, until, nodes) in hours, whichever are still to come.
struct Script(Vec<(f64, f64, u32)>);

impl Shifting for Script {
    fn plan(&mut self, _work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        for &(from, until, nodes) in &self.0 {
            let (from, until) = (SimTime::from_secs_f64(from * H), SimTime::from_secs_f64(until * H));
            if until > view.now {
                plan.run_on(from.max(view.now), until, nodes);
            }
        }
        if plan.pieces.is_empty() {
            plan.start(view.now);
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Told {
    name: String,
    started_h: f64,
    ended_h: f64,
    queued_h: f64,
    ran_h: f64,
    starts: u32,
    evictions: u32,
    ending: JobEnding,
    kwh: f64,
}

/// Runs jobs on hosts of 4 cores and 1,000 MB that draw 100 W to 500 W, 100 W per core; PUE 1, 100 g/kWh.
fn run(hosts: u32, jobs: JobList, shifting: Option<Box<dyn Shifting>>, more: &str) -> (Outcome, Vec<Told>) {
    let text = format!(
        r#"
[workload.poisson]
calls = 1
rate_per_s = 1.0
functions = 1
service.constant.length_s = 2.0
memory_mb = 50.0
[servers.box]
cores = 4
memory_mb = 1000
power.linear = {{ idle_w = 100.0, max_w = 500.0 }}
embodied_kg = 1000
lifetime_years = 5
[[regions]]
name = "here"
pue = 1.0
grid.constant.g_per_kwh = 100.0
hosts = [{{ server = "box", count = {hosts} }}]
{more}
"#
    );
    let scenario: scenario::Scenario = toml::from_str(&text).expect("a scenario");
    let Built { mut setup, .. } = scenario::build(&scenario, Path::new("."), false).expect("it builds");
    setup.jobs = Some(jobs);
    setup.shifting = shifting.unwrap_or(setup.shifting);
    let mut told = Vec::new();
    let mut log = |end: &JobEnd<'_>| {
        told.push(Told {
            name: end.name.to_owned(),
            started_h: end.started.map_or(f64::NAN, |at| at.as_secs_f64() / H),
            ended_h: end.ended.as_secs_f64() / H,
            queued_h: end.queued_s / H,
            ran_h: end.ran_s / H,
            starts: end.counts[0],
            evictions: end.counts[1],
            ending: end.ending,
            kwh: end.dynamic_j / 3.6e6,
        });
        Ok(())
    };
    let logs = Logs { jobs: Some(&mut log), ..Logs::default() };
    let (outcome, _) = simulate(setup, Box::new(NoCalls), logs, &mut |_| {}).expect("it runs");
    conserves(&outcome);
    (outcome, told)
}

/// Dynamic energy and held shares of the accounts are those of the site, to rounding.
fn conserves(outcome: &Outcome) {
    let site = |c: Column| outcome.site.rows(RegionId(0)).iter().map(|row| row[c as usize]).sum::<f64>();
    let (mut dynamic, mut weighted, mut share) = (0.0, 0.0, 0.0);
    let rows = (0..outcome.accounts.functions()).flat_map(|f| outcome.accounts.row(FunctionId::from_index(f)));
    for account in rows {
        dynamic += account.dynamic_j[0];
        weighted += account.dynamic_weight[0];
        share += account.share_s[Held::Busy as usize];
    }
    close(dynamic, site(Column::ExecutionDynamic));
    close(weighted, 100.0 * dynamic);
    close(share * 100.0, site(Column::ExecutionBaseline));
}

#[track_caller]
fn close(ours: f64, expected: f64) {
    assert!((ours - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{ours} is not {expected}");
}

#[test]
fn a_job_runs_at_once_and_draws_the_power_of_its_cores() {
    let (outcome, told) = run(1, list(vec![job("a", 1.0, 2.0, 2.0)], JobKind::default()), None, "");
    assert_eq!((told[0].started_h, told[0].ended_h, told[0].starts), (1.0, 3.0, 1));
    close(told[0].kwh, 0.4);
    let t = &outcome.jobs;
    assert_eq!((t.arrived, t.finished, t.missed, t.most_cpu, t.most_running), (1, 1, 0, 2_000_000, 1));
    close(t.core_s, 4.0 * H);
    close(outcome.functions[0].lived.core_s, 4.0 * H);
    assert_eq!(outcome.functions[0].lived.finished, 1);
}

#[test]
fn a_full_host_lets_jobs_wait_in_their_order_and_the_next_begins_when_one_ends() {
    let jobs = vec![job("a", 0.0, 2.0, 3.0), job("b", 0.5, 1.0, 2.0), job("c", 0.5, 1.0, 1.0)];
    let (outcome, told) = run(1, list(jobs, JobKind::default()), None, "");
    // c would fit beside a, but b came first.
    let seen: Vec<_> = told.iter().map(|t| (&*t.name, t.started_h, t.ended_h, t.queued_h)).collect();
    assert_eq!(seen, [("a", 0.0, 2.0, 0.0), ("b", 2.0, 3.0, 1.5), ("c", 2.0, 3.0, 1.5)]);
    assert_eq!((outcome.jobs.queued, outcome.jobs.most_cpu, outcome.jobs.most_running), (2, 3_000_000, 2));
    let (_, told) = run(
        1,
        list(vec![job("a", 0.0, 2.0, 3.0), job("b", 0.5, 1.0, 2.0), job("c", 0.5, 1.0, 1.0)], JobKind::default()),
        None,
        "[model.instances]\nbackfill = 1",
    );
    let seen: Vec<_> = told.iter().map(|t| (&*t.name, t.started_h)).collect();
    assert_eq!(seen, [("c", 0.5), ("a", 0.0), ("b", 2.0)]);
}

#[test]
fn an_interruptible_job_is_suspended_and_pays_its_checkpoints_and_restarts() {
    let plan = || Some(Box::new(Script(vec![(1.0, 2.0, 0), (4.0, 5.0, 0), (6.0, 99.0, 0)])) as Box<dyn Shifting>);
    let (outcome, told) = run(1, list(vec![job("a", 0.0, 3.0, 2.0)], interruptible(0, 0)), plan(), "");
    assert_eq!((told[0].started_h, told[0].ended_h, told[0].ran_h, told[0].starts), (1.0, 7.0, 3.0, 3));
    close(told[0].kwh, 0.6);
    assert_eq!((outcome.jobs.suspensions, outcome.jobs.delay_sum_ns), (2, 4 * 3_600_000_000_000));
    // Six minutes to write down, twelve to come back: 1 h, then 48 min, then the other 72 min after 12.
    let (outcome, told) = run(1, list(vec![job("a", 0.0, 3.0, 2.0)], interruptible(360, 720)), plan(), "");
    close(told[0].ended_h, 6.0 + 0.2 + 1.2);
    close(told[0].ran_h, 1.1 + 1.1 + 1.4);
    close(outcome.jobs.overhead_core_s, 2.0 * 2.0 * (360.0 + 720.0));
    close(told[0].kwh, 0.2 * 3.6);
    // One that cannot be suspended runs on.
    let (_, told) = run(1, list(vec![job("a", 0.0, 3.0, 2.0)], JobKind::default()), plan(), "");
    assert_eq!((told[0].started_h, told[0].ended_h, told[0].starts), (1.0, 4.0, 1));
}

#[test]
fn what_is_not_placed_in_its_piece_waits_for_the_next() {
    let plan = Some(Box::new(Script(vec![(1.0, 2.0, 0), (4.0, 9.0, 0)])) as Box<dyn Shifting>);
    let jobs = vec![job("a", 0.0, 1.5, 4.0), job("b", 0.0, 1.0, 4.0)];
    let (_, told) = run(1, list(jobs, interruptible(0, 0)), plan, "");
    let seen: Vec<_> = told.iter().map(|t| (&*t.name, t.started_h, t.ended_h, t.queued_h)).collect();
    assert_eq!(seen, [("a", 1.0, 4.5, 0.0), ("b", 4.5, 5.5, 1.5)]);
}

#[test]
fn a_job_of_several_nodes_computes_when_it_has_all_of_them() {
    let nodes = |j: Job, nodes| Job { nodes, ..j };
    let jobs = vec![job("a", 0.0, 1.0, 3.0), nodes(job("b", 0.0, 1.0, 2.0), 3), job("c", 0.0, 1.0, 1.0)];
    let (outcome, told) =
        run(2, list(jobs, JobKind::default()), None, "[scheduler.packing.first-fit]\n[model.instances]\nbackfill = 5");
    // b has two nodes on the second host and waits for its third until a ends; c fits beside a, but may not overtake a part of b.
    let seen: Vec<_> = told.iter().map(|t| (&*t.name, t.started_h, t.ended_h)).collect();
    assert_eq!(seen, [("a", 0.0, 1.0), ("b", 1.0, 2.0), ("c", 1.0, 2.0)]);
    close(outcome.jobs.core_s, (3.0 + 6.0 + 1.0) * H);
    close(told[1].kwh, 0.6);
}

#[test]
fn an_elastic_job_follows_its_plan_of_nodes_at_its_measured_speed_and_power() {
    let scale = Scale { throughput: vec![10.0, 15.0, 18.0], power_w: vec![50.0, 80.0, 120.0] };
    let kind = JobKind { scale: Some(scale), ..interruptible(0, 0) };
    // 4 h on one node: an hour on three (1.8 h), a pause, an hour on two (1.5 h), the rest on one (0.7 h).
    let plan = Script(vec![(0.0, 1.0, 3), (2.0, 3.0, 2), (3.0, 9.0, 1)]);
    let (outcome, told) = run(1, list(vec![job("a", 0.0, 4.0, 1.0)], kind), Some(Box::new(plan)), "");
    close(told[0].ended_h, 3.7);
    close(told[0].kwh, 0.120 + 0.080 + 0.7 * 0.050);
    close(outcome.jobs.core_s, (3.0 + 2.0 + 0.7) * H);
    assert_eq!((outcome.jobs.most_cpu, outcome.jobs.suspensions, told[0].starts), (3_000_000, 1, 2));
    let dynamic: f64 = outcome.hosts.iter().map(|h| h.energy_j).sum::<f64>() - 100.0 * outcome.end.as_secs_f64();
    close(dynamic, told[0].kwh * 3.6e6);
}

#[test]
fn known_power_stands_for_the_power_of_its_demand_and_leaves_that_of_others_alone() {
    let mut jobs = list(
        vec![job("a", 0.0, 2.0, 2.0), job("b", 1.0, 2.0, 1.0)],
        JobKind { power_w: Some(30.0), ..JobKind::default() },
    );
    jobs.kinds.push(JobKind::default());
    jobs.jobs[1].kind = 1;
    let (outcome, told) = run(1, jobs, None, "");
    close(told[0].kwh, 0.060);
    close(told[1].kwh, 0.200);
    close(outcome.hosts[0].energy_j, 100.0 * 3.0 * H + (0.060 + 0.200) * 3.6e6);
}

#[test]
fn contention_slows_a_job_down_and_a_faster_host_hastens_it() {
    let jobs = vec![job("a", 0.0, 3.0, 4.0), job("b", 0.0, 1.0, 4.0)];
    let (_, told) =
        run(1, list(jobs, JobKind::default()), None, "[scheduler.overcommit.static-ratio]\ncpu_ratio = 2.0");
    // Half speed each until b is done after two hours; a then has two hours of its three left.
    let seen: Vec<_> = told.iter().map(|t| (&*t.name, t.ended_h)).collect();
    assert_eq!(seen, [("b", 2.0), ("a", 4.0)]);
    close(told[0].kwh, 0.4);
    close(told[1].kwh, 1.2);
}

/// Holds every job and lets it go when enough of what is reserved is free.
#[derive(Default)]
struct Patient(Vec<(WorkToken, u64)>);

impl Shifting for Patient {
    fn plan(&mut self, work: &Work<'_>, _view: &View<'_>, plan: &mut Plan) {
        self.0.push((work.token, work.cores()));
        plan.start(work.latest_start());
        plan.hold();
    }

    fn follows_jobs(&self) -> bool {
        true
    }

    fn started(&mut self, token: WorkToken) {
        self.0.retain(|(t, _)| *t != token);
    }

    fn next_to_go(&mut self, view: &View<'_>) -> Option<WorkToken> {
        self.0.iter().find(|(_, cores)| *cores <= view.reserved.free()).map(|(token, _)| *token)
    }
}

#[test]
fn held_jobs_go_when_what_is_reserved_is_free_and_in_the_end_without() {
    let wait = |mut j: Job, hours: u64| {
        j.slack = Duration::from_secs(hours * 3600);
        j
    };
    let jobs = vec![job("a", 0.0, 3.0, 2.0), wait(job("b", 0.0, 1.0, 2.0), 6), wait(job("c", 0.0, 1.0, 1.0), 1)];
    let prices = "[model.jobs.purchase]\nreserved_cores = 2.0";
    let (outcome, told) = run(2, list(jobs, JobKind::default()), Some(Box::<Patient>::default()), prices);
    let seen: Vec<_> = told.iter().map(|t| (&*t.name, t.started_h)).collect();
    assert_eq!(seen, [("c", 1.0), ("a", 0.0), ("b", 3.0)]);
    assert_eq!(outcome.jobs.bought_core_s, [8.0 * H, H, 0.0]);
    assert_eq!(outcome.jobs.last_start_s, 3.0 * H);
}

#[test]
fn jobs_that_the_run_cuts_off_are_counted_with_what_they_had() {
    let jobs = vec![job("a", 0.0, 3.0, 4.0), job("b", 0.0, 1.0, 4.0)];
    let (outcome, told) =
        run(1, list(jobs, JobKind::default()), None, "[time]\nduration_s = 3600\ndrain_limit_s = 3600");
    let seen: Vec<_> = told.iter().map(|t| (&*t.name, t.ending, t.ran_h, t.queued_h)).collect();
    assert_eq!(seen, [("a", JobEnding::Running, 2.0, 0.0), ("b", JobEnding::Waiting, 0.0, 2.0)]);
    assert_eq!((outcome.jobs.unfinished, outcome.jobs.finished, outcome.jobs.missed), (2, 0, 0));
}

#[test]
fn a_node_that_is_ready_as_its_piece_ends_computes_in_the_next_one() {
    // b gets its host in the instant in which its first piece ends and its second, on the same nodes but planned anew, begins.
    struct ByTheHour;
    impl Shifting for ByTheHour {
        fn plan(&mut self, _work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
            let hour = 3_600_000_000_000;
            plan.run(view.now, SimTime((view.now.0 / hour + 1) * hour));
        }
    }
    let jobs = vec![job("a", 0.0, 1.0, 4.0), job("b", 0.5, 1.0, 4.0)];
    let (_, told) = run(1, list(jobs, interruptible(0, 0)), Some(Box::new(ByTheHour)), "");
    let seen: Vec<_> = told.iter().map(|t| (&*t.name, t.started_h, t.ended_h)).collect();
    assert_eq!(seen, [("a", 0.0, 1.0), ("b", 1.0, 2.0)]);
}
