//! Instances in the machine, checked by hand.

use std::path::Path;

use super::{Ending, InstanceEnd};
use crate::ledger::{Column, Held};
use crate::scenario::{self, Built};
use crate::sim::{Logs, Outcome, simulate};
use crate::types::{Duration, FunctionId, Memory, MilliCores, RegionId, Seed, SimTime, TenantId};
use crate::workload::instances::{Announced, Class, Instance, Instances, NO_DEPLOYMENT, Usage};
use crate::workload::{FunctionProfile, NoCalls, Quota, Trigger, WorkloadError};

/// One instance with its usage: (seconds, cores, MB).
#[derive(Clone)]
struct Listed {
    instance: Instance,
    usage: Vec<(f64, f64, Option<f64>)>,
}

/// An instance of so many cores and MB, asked for at a time \[s\].
fn listed(name: &str, at_s: f64, cores: f64, mb: f64, usage: &[(f64, f64)]) -> Listed {
    Listed {
        instance: Instance {
            name: name.into(),
            time: SimTime::from_secs_f64(at_s),
            lifetime: None,
            account: FunctionId(0),
            region: RegionId(0),
            cpu: (cores * 1e6) as u64,
            cpu_limit: u64::MAX,
            memory: Memory::from_mb(mb),
            priority: 0,
            class: Class::LatencySensitive,
            deployment: NO_DEPLOYMENT,
        },
        usage: usage.iter().map(|&(s, cores)| (s, cores, None)).collect(),
    }
}

struct List {
    all: Vec<Listed>,
    next: usize,
    cursors: Vec<usize>,
}

impl Instances for List {
    fn next(&mut self, announced: &mut Announced) -> Result<Option<Instance>, WorkloadError> {
        if self.next == 0 {
            announced.tenants.push("tenant".into());
            announced.accounts.push(FunctionProfile {
                name: "account".into(),
                tenant: TenantId(0),
                memory: Memory(0),
                cpu: MilliCores(0),
                trigger: Trigger::Other,
                criticality: 0,
                quota: Quota::Reserved,
                trust_domain: 0,
                quota_cores: None,
                mean_call: None,
            });
        }
        let next = self.all.get(self.next).map(|l| l.instance.clone());
        self.next += 1;
        self.cursors.push(0);
        Ok(next)
    }

    fn usage(&mut self, instance: u32) -> Result<Option<Usage>, WorkloadError> {
        let at = &mut self.cursors[instance as usize];
        let piece = self.all[instance as usize].usage.get(*at);
        *at += 1;
        Ok(piece.map(|&(s, cores, mb)| Usage {
            duration: Duration::from_secs_f64(s),
            cpu: (cores * 1e6) as u64,
            memory: mb.map(Memory::from_mb),
        }))
    }

    fn release(&mut self, _instance: u32) {}

    fn rewind(&mut self, instance: u32) -> Result<(), WorkloadError> {
        self.cursors[instance as usize] = 0;
        Ok(())
    }

    fn progress(&self) -> f64 {
        0.0
    }

    fn span(&self) -> Option<Duration> {
        Some(Duration::from_secs(0))
    }
}

/// What the log was told of one instance.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    name: String,
    ending: Ending,
    ended_s: f64,
    waited_s: f64,
    core_s: [f64; 2],
    evictions: u32,
}

/// Runs instances, without calls, on hosts of 4 cores and 1,000 MB that draw 100 W to 300 W, PUE 1.
fn run(hosts: u32, instances: &[Listed], more: &str) -> (Outcome, Vec<Told>) {
    run_beside(hosts, instances, more, false)
}

fn run_beside(hosts: u32, instances: &[Listed], more: &str, calls: bool) -> (Outcome, Vec<Told>) {
    let text = format!(
        r#"
[workload.poisson]
calls = 200
rate_per_s = 1.0
functions = 3
service.constant.length_s = 2.0
memory_mb = 50.0
[servers.box]
cores = 4
memory_mb = 1000
power.linear = {{ idle_w = 100.0, max_w = 300.0 }}
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
    let mut scenario: scenario::Scenario = toml::from_str(&text).expect("a scenario");
    // The scenario knows of no instances: they come from the list below.
    let migration = std::mem::take(&mut scenario.scheduler.migration);
    let predicts = scenario.scheduler.overcommit.build(Seed(1)).period().is_some();
    let predictor = predicts.then(|| std::mem::take(&mut scenario.scheduler.overcommit).build(Seed(1)));
    let Built { mut setup, arrivals, .. } = scenario::build(&scenario, Path::new("."), false).expect("it builds");
    setup.migration = migration.build();
    setup.overcommit = predictor.unwrap_or(setup.overcommit);
    let cursors = Vec::new();
    setup.instances = Some(Box::new(List { all: instances.to_vec(), next: 0, cursors }));
    let mut told = Vec::new();
    let mut log = |end: &InstanceEnd<'_>| {
        told.push(Told {
            name: end.name.to_owned(),
            ending: end.ending,
            ended_s: end.ended.as_secs_f64(),
            waited_s: end.waited_s,
            core_s: end.core_s,
            evictions: end.counts[1],
        });
        Ok(())
    };
    let logs = Logs { instances: Some(&mut log), ..Logs::default() };
    let arrivals = if calls { arrivals } else { Box::new(NoCalls) };
    let (outcome, _) = simulate(setup, arrivals, logs, &mut |_| {}).expect("it runs");
    conserves(&outcome);
    (outcome, told)
}

/// Dynamic energy and held shares of the accounts are those of the site, to rounding.
fn conserves(outcome: &Outcome) {
    let site = |c: Column| outcome.site.rows(RegionId(0)).iter().map(|row| row[c as usize]).sum::<f64>();
    let (mut dynamic, mut share) = ([0.0; 2], [0.0; 3]);
    let rows = (0..outcome.accounts.functions()).flat_map(|f| outcome.accounts.row(FunctionId::from_index(f)));
    for account in rows {
        (0..2).for_each(|i| dynamic[i] += account.dynamic_j[i]);
        (0..3).for_each(|i| share[i] += account.share_s[i]);
    }
    close(dynamic[0], site(Column::ExecutionDynamic));
    close(dynamic[1], site(Column::ColdStartDynamic));
    close(share[Held::Busy as usize] * 100.0, site(Column::ExecutionBaseline));
    close(share[Held::Starting as usize] * 100.0, site(Column::ColdStartBaseline));
}

#[track_caller]
fn close(ours: f64, expected: f64) {
    assert!((ours - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{ours} is not {expected}");
}

fn energy_j(outcome: &Outcome) -> f64 {
    outcome.hosts.iter().map(|h| h.energy_j).sum()
}

#[test]
fn the_case_of_opendc_that_can_be_checked_by_hand() {
    let h = 3600.0;
    let tasks = [
        listed("0", 0.0, 2.0, 10.0, &[(h, 2.0), (h, 1.0)]),
        listed("1", h, 4.0, 10.0, &[(h, 4.0)]),
        listed("2", h, 4.0, 10.0, &[(h, 2.0)]),
    ];
    let (outcome, told) = run(2, &tasks, "[scheduler.packing.worst-fit]");
    let ends: Vec<(&str, f64, f64)> = told.iter().map(|t| (&*t.name, t.ended_s, t.waited_s)).collect();
    assert_eq!(ends, [("0", 2.0 * h, 0.0), ("1", 2.0 * h, 0.0), ("2", 3.0 * h, h)]);
    close(energy_j(&outcome), 3_780_000.0);
    let hosts: Vec<f64> = outcome.hosts.iter().map(|h| h.energy_j).collect();
    close(hosts[0], 1_980_000.0);
    close(hosts[1], 1_800_000.0);
    close(outcome.instances.requested_core_s, (2.0 * 2.0 + 4.0 + 4.0) * h);
    close(outcome.instances.got_core_s, (2.0 + 1.0 + 4.0 + 2.0) * h);
}

#[test]
fn what_contention_takes_is_lost_or_made_up_for() {
    // Two instances that have asked for two cores each and want four: each gets two.
    let two = [listed("a", 0.0, 2.0, 10.0, &[(100.0, 4.0)]), listed("b", 0.0, 2.0, 10.0, &[(50.0, 4.0)])];
    let (outcome, told) = run(1, &two, "");
    // Lost: b ends after 50 s with 100 of 200 core·s; a has the host alone from then on.
    assert_eq!((told[0].ended_s, told[1].ended_s), (50.0, 100.0));
    close(told[0].core_s[1], 100.0);
    close(told[1].core_s[1], 100.0 + 200.0);
    close(energy_j(&outcome), 300.0 * 100.0);
    let (outcome, told) = run(1, &two, "[model.instances]\ncontention = \"stretch\"");
    // Made up for: b has its 200 core·s after 100 s; a has had 200 then, and its other 200 after 50 s more.
    close(told[0].ended_s, 100.0);
    close(told[1].ended_s, 150.0);
    close(told[0].core_s[1], 200.0);
    close(told[1].core_s[1], 400.0);
    close(energy_j(&outcome), 300.0 * 150.0);
}

#[test]
fn batch_takes_what_latency_sensitive_instances_leave() {
    let mut all =
        [listed("service", 0.0, 2.0, 10.0, &[(100.0, 3.0)]), listed("batch", 0.0, 2.0, 10.0, &[(100.0, 2.0)])];
    all[1].instance.class = Class::Batch;
    let (outcome, told) = run(1, &all, "");
    close(told[0].core_s[1], 300.0);
    close(told[1].core_s[1], 100.0);
    close(outcome.instances.batch.1, 100.0);
    let (_, told) = run(1, &all, "[model.instances]\ncontention = \"stretch\"");
    // Half its speed for 100 s, then alone.
    assert_eq!(told[1].name, "batch");
    close(told[1].ended_s, 150.0);
    // Nothing is left for it, and nothing happens, until the service ends.
    all[0].usage = vec![(100.0, 4.0, None)];
    let (_, told) = run(1, &all, "[model.instances]\ncontention = \"stretch\"");
    close(told[1].ended_s, 200.0);
}

#[test]
fn an_instance_lives_its_life_and_never_exceeds_its_limit() {
    let mut one = listed("a", 5.0, 1.0, 100.0, &[(10.0, 3.0)]);
    one.instance.lifetime = Some(Duration::from_secs(30));
    one.instance.cpu_limit = 2_000_000;
    let (_, told) = run(1, &[one.clone()], "[model.instances]\nstart_s = 7.0");
    // It starts at 5 s, runs from 12 s on, and holds its last usage.
    close(told[0].ended_s, 42.0);
    close(told[0].core_s[0], 60.0);
    one.instance.lifetime = Some(Duration::from_secs(4));
    let (_, told) = run(1, &[one], "");
    close(told[0].ended_s, 9.0);
}

#[test]
fn memory_that_does_not_suffice_sends_batch_and_the_young_away_first() {
    let grows = |name: &str, at: f64, class: Class, priority: u8| {
        let mut one = listed(name, at, 0.5, 800.0, &[]);
        one.usage = vec![(100.0, 0.5, Some(200.0)), (100.0, 0.5, Some(450.0))];
        one.instance.class = class;
        one.instance.priority = priority;
        one
    };
    let all = [
        grows("important", 0.0, Class::LatencySensitive, 9),
        grows("other", 0.0, Class::LatencySensitive, 1),
        grows("batch", 0.0, Class::Batch, 9),
    ];
    let rules = "[scheduler.overcommit.static-ratio]\nmemory_ratio = 3.0\n[model.memory]\nexhaustion = \"evict\"\n";
    let (outcome, told) = run(1, &all, rules);
    // At 100 s they grow one after another: 450 + 200 + 200 fit, 450 + 450 + 200 do not; the batch instance goes, and then
    // 450 + 450 fit. It is asked for again after 30 s, and goes again and again, until the others have ended.
    let of = |name: &str| told.iter().find(|t| t.name == name).expect("it was told");
    assert_eq!((of("important").evictions, of("other").evictions), (0, 0));
    assert_eq!(outcome.instances.evicted, u64::from(of("batch").evictions));
    assert!(of("batch").evictions >= 1, "{told:?}");
    close(outcome.instances.lost.0, of("batch").core_s[1] - 100.0);
    let (outcome, told) = run(1, &all, &rules.replace("evict", "kill"));
    assert_eq!(told[0].name, "batch");
    assert_eq!((told[0].ending, told[0].ended_s), (Ending::Killed, 100.0));
    assert_eq!((outcome.instances.killed, outcome.instances.finished), (1, 2));
    close(outcome.instances.lost.0, 50.0);
}

#[test]
fn the_queue_is_in_order_unless_it_may_backfill_or_goes_by_priority() {
    let mut all = [
        listed("first", 0.0, 3.0, 10.0, &[(100.0, 1.0)]),
        listed("big", 1.0, 4.0, 10.0, &[(10.0, 1.0)]),
        listed("small", 2.0, 1.0, 10.0, &[(10.0, 1.0)]),
        listed("urgent", 3.0, 4.0, 10.0, &[(10.0, 1.0)]),
    ];
    all[3].instance.priority = 5;
    let ends = |more: &str| run(1, &all, more).1.iter().map(|t| (t.name.clone(), t.ended_s)).collect::<Vec<_>>();
    let named = |list: &[(&str, f64)]| list.iter().map(|&(n, s)| (n.to_owned(), s)).collect::<Vec<_>>();
    assert_eq!(ends(""), named(&[("first", 100.0), ("big", 110.0), ("small", 120.0), ("urgent", 130.0)]));
    let backfill = ends("[model.instances]\nbackfill = 1");
    assert_eq!(backfill, named(&[("small", 12.0), ("first", 100.0), ("big", 110.0), ("urgent", 120.0)]));
    let priority = ends("[model.instances]\norder = \"priority\"");
    assert_eq!(priority, named(&[("first", 100.0), ("urgent", 110.0), ("big", 120.0), ("small", 130.0)]));
}

#[test]
fn calls_and_instances_share_hosts_and_the_books_close() {
    let mut all: Vec<Listed> = (0..6)
        .map(|i| listed(&format!("i{i}"), f64::from(i) * 20.0, 1.0, 150.0, &[(40.0, 0.7), (60.0, 2.5), (30.0, 0.1)]))
        .collect();
    all[2].instance.class = Class::Batch;
    all[4].instance.class = Class::Batch;
    for contention in ["lose", "stretch"] {
        let more = format!("[model.instances]\ncontention = \"{contention}\"\nstart_s = 1.5");
        let (outcome, told) = run_beside(2, &all, &more, true);
        assert_eq!(told.len(), 6);
        assert_eq!(outcome.instances.finished, 6);
        let executed: u64 = outcome.functions.iter().map(|f| f.executed).sum();
        assert_eq!(executed, 200);
        assert!(told.iter().all(|t| t.core_s[1] <= t.core_s[0] + 1e-9));
        if contention == "stretch" {
            // Whatever contention does, everybody gets what it came for: 28 + 150 + 3 core·s.
            told.iter().for_each(|t| close((t.core_s[1] * 1e6).round() * 1e-6, 181.0));
        }
    }
}

#[test]
fn a_live_migration_takes_time_cpu_and_memory_on_both_hosts() {
    // One core and 500 MB each, on a host of its own; consolidation puts them on one host after 300 s.
    let two = [listed("a", 0.0, 1.0, 250.0, &[(1000.0, 1.0)]), listed("b", 0.0, 1.0, 250.0, &[(1000.0, 1.0)])];
    let rules = "[scheduler.packing.worst-fit]\n[scheduler.migration.consolidate]\n[model.instances.migration]\n\
                 bandwidth_mb_per_s = 10.0\ndirty_mb_per_s = 1.0\nrounds = 0\ncores = 2.0\n";
    for contention in ["lose", "stretch"] {
        let (outcome, told) = run(2, &two, &format!("{rules}[model.instances]\ncontention = \"{contention}\""));
        let t = &outcome.instances;
        assert_eq!((t.migrations, t.migrations_broken, t.finished), (1, 0, 2));
        // 250 MB at 10 MB/s while it runs, 25 s; then 25 MB while it stands still, 2.5 s.
        close(t.migrated_bytes, 275e6);
        close(t.downtime_s, 2.5);
        close(t.migration_s, 27.5);
        // Two cores of four on two hosts for 25 s, at 50 W a core.
        close(t.migration_j, 2.0 * 2.0 * 50.0 * 25.0);
        // Both run to their ends, at 100 + 50 W each, and the copying comes on top; nothing else does. What standing still took
        // is lost, or made up for at the end.
        let (lost, late) = if contention == "lose" { (2.5, 0.0) } else { (0.0, 2.5) };
        close(energy_j(&outcome), 2.0 * 100.0 * (1000.0 + late) + 50.0 * (2000.0 + late) + 5000.0);
        let got: f64 = told.iter().map(|t| t.core_s[1]).sum();
        close(got, 2000.0 - lost);
    }
}

#[test]
fn an_instance_that_ends_while_it_is_moved_breaks_the_move_off() {
    let two = [listed("a", 0.0, 1.0, 250.0, &[(310.0, 1.0)]), listed("b", 0.0, 1.0, 250.0, &[(1000.0, 1.0)])];
    let rules = "[scheduler.packing.worst-fit]\n[scheduler.migration.consolidate]\nlow = 0.5\n[model.instances.migration]\n\
                 bandwidth_mb_per_s = 10.0\ndirty_mb_per_s = 1.0\nrounds = 0\ncores = 1.0\n";
    let (outcome, told) = run(2, &two, rules);
    let t = &outcome.instances;
    assert_eq!(t.migrations + t.migrations_broken, 1, "{t:?}");
    assert!(outcome.hosts.iter().all(|h| h.sandboxes == 0 && h.reserved_cpu == 0 && h.reserved_memory == 0));
    assert_eq!(told.iter().map(|t| t.ended_s).collect::<Vec<_>>(), [310.0, 1000.0]);
}

#[test]
fn a_sample_is_the_highest_demand_of_its_own_interval_and_of_no_other() {
    // Steps that end as samples are taken: 1, 3, 2 and 1 cores. The run's last sample is taken as the last step ends.
    let aligned = listed("a", 0.0, 1.0, 10.0, &[(300.0, 1.0), (300.0, 3.0), (300.0, 2.0), (300.0, 1.0)]);
    let sampled = |outcome: &Outcome| outcome.watched.as_ref().expect("there are instances").1.clone();
    let (outcome, _) = run(1, std::slice::from_ref(&aligned), "");
    let report = sampled(&outcome);
    close(report.mean_cores, (1.0 + 3.0 + 2.0 + 1.0) / 4.0);
    close(report.peak_cores, 3.0);
    // Steps that end in between count in both: 1; max(1, 3); max(3, 2); max(2, 1).
    let between = listed("b", 0.0, 1.0, 10.0, &[(450.0, 1.0), (300.0, 3.0), (300.0, 2.0), (150.0, 1.0)]);
    let (outcome, _) = run(1, std::slice::from_ref(&between), "");
    close(sampled(&outcome).mean_cores, (1.0 + 3.0 + 3.0 + 2.0) / 4.0);
    // A demand that a host sees for no time at all is none: b leaves as a sample is taken.
    let (outcome, _) = run(1, &[aligned, listed("b", 0.0, 1.0, 10.0, &[(300.0, 0.5)])], "");
    close(sampled(&outcome).mean_cores, (1.5 + 3.0 + 2.0 + 1.0) / 4.0);
}

#[test]
fn one_that_leaves_gives_back_no_room_that_a_prediction_did_not_count() {
    // Half of the limits: at 300 s the host, with a's 4 cores, may give 2 more, which c takes.
    let rules = "[scheduler.overcommit.borg-default]\nphi = 0.5\n";
    let waits = |c_s: f64| {
        let all = [
            listed("a", 0.0, 4.0, 10.0, &[(400.0, 1.0)]),
            listed("c", 310.0, 2.0, 10.0, &[(c_s, 1.0)]),
            listed("d", 410.0, 2.0, 10.0, &[(100.0, 1.0)]),
        ];
        let mut all = all.to_vec();
        all[0].instance.cpu_limit = 4_000_000;
        all[1].instance.cpu_limit = 2_000_000;
        all[2].instance.cpu_limit = 2_000_000;
        let (_, told) = run(1, &all, rules);
        told.iter().find(|t| t.name == "d").expect("it was told").waited_s
    };
    // a leaves at 400 s, and the host has nothing to give until it is looked at again at 600 s.
    close(waits(1000.0), 190.0);
    // What came since counted with its limit, and gives that back when it leaves at 450 s.
    close(waits(140.0), 40.0);
}

#[test]
fn where_work_is_made_up_for_a_life_lasts_as_long_as_its_usage() {
    // Every trace says how long its instances lived; two that want all four cores take twice as long together.
    let mut two = [listed("a", 0.0, 2.0, 10.0, &[(100.0, 4.0)]), listed("b", 0.0, 2.0, 10.0, &[(50.0, 4.0)])];
    two[0].instance.lifetime = Some(Duration::from_secs(100));
    // It goes on as before after its usage, in a life of 60 s.
    two[1].instance.lifetime = Some(Duration::from_secs(60));
    let (_, told) = run(1, &two, "[model.instances]\ncontention = \"stretch\"");
    close(told[0].ended_s, 120.0);
    close(told[1].ended_s, 160.0);
    close(told[0].core_s[1], 240.0);
    close(told[1].core_s[1], 400.0);
}

#[test]
fn one_that_resumes_does_the_rest_of_its_piece() {
    // The batch instance goes after 50 s, when the other grows, and comes back after 150 s, when that has ended.
    let mut grows = listed("grows", 0.0, 1.0, 800.0, &[]);
    grows.usage = vec![(50.0, 1.0, Some(400.0)), (90.0, 1.0, Some(800.0))];
    let mut batch = listed("batch", 0.0, 1.0, 600.0, &[]);
    batch.usage = vec![(80.0, 1.0, Some(500.0)), (20.0, 0.5, Some(100.0))];
    batch.instance.class = Class::Batch;
    let rules = "[scheduler.overcommit.static-ratio]\nmemory_ratio = 3.0\n[model.memory]\nexhaustion = \"evict\"\n\
                 [model.instances]\nevicted = \"resume\"\nrestart_delay_s = 100.0\n";
    for contention in ["lose", "stretch"] {
        for life in [None, Some(Duration::from_secs(100))] {
            batch.instance.lifetime = life;
            let all = [grows.clone(), batch.clone()];
            let (outcome, told) = run(1, &all, &format!("{rules}contention = \"{contention}\""));
            assert_eq!((outcome.instances.evicted, told[1].name.as_str()), (1, "batch"), "{told:?}");
            // 50 s before and, of the first piece, 30 s after; then the second.
            close(told[1].ended_s, 150.0 + 30.0 + 20.0);
            close(told[1].core_s[1], 80.0 + 10.0);
            close(outcome.instances.lost.0, 0.0);
        }
    }
}

#[test]
fn one_that_was_evicted_goes_before_those_that_came_later() {
    // "big" needs the whole host. "batch", evicted at 50 s, came first, and finds room at 80 s before "big" does.
    let mut grows = listed("grows", 0.0, 1.0, 600.0, &[]);
    grows.usage = vec![(50.0, 1.0, Some(500.0)), (1.0, 1.0, Some(600.0)), (149.0, 1.0, Some(300.0))];
    let mut batch = listed("batch", 0.0, 1.0, 500.0, &[]);
    batch.usage = vec![(60.0, 1.0, Some(450.0)), (10.0, 1.0, Some(100.0))];
    batch.instance.class = Class::Batch;
    let big = listed("big", 60.0, 4.0, 100.0, &[(10.0, 1.0)]);
    let rules = "[scheduler.overcommit.static-ratio]\nmemory_ratio = 1.5\n[model.memory]\nexhaustion = \"evict\"\n";
    let (_, told) = run(1, &[grows, batch, big], rules);
    let names: Vec<_> = told.iter().map(|t| (t.name.as_str(), t.waited_s)).collect();
    assert_eq!(names, [("batch", 0.0), ("grows", 0.0), ("big", 140.0)]);
}
