//! What the tests of the scaling, online and capacity policies have in common: a job on an hourly signal, planned once or followed to its
//! end.

use std::path::{Path, PathBuf};

use super::{Plan, Shifting, Work, lab};
use crate::grid::{Forecast, Observed, PerfectForecast, Signal};
use crate::scheduler::{RegionLoad, Reserved, View};
use crate::types::{Duration, SimTime};
use crate::workload::jobs::JobKind;

/// A job.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    pub kind: Option<&'a JobKind>,
    pub now: SimTime,
    pub hours: f64,
    pub slack_h: f64,
    pub nodes: u32,
    pub length_known: bool,
}

impl Default for Sample<'_> {
    fn default() -> Self {
        Sample { kind: None, now: SimTime::ZERO, hours: 1.0, slack_h: 0.0, nodes: 1, length_known: true }
    }
}

fn secs(hours: f64) -> Duration {
    Duration::from_secs_f64(hours * 3600.0)
}

/// A signal of one value per hour [g/kWh].
pub fn signal(g: &[f64]) -> Signal {
    let hour = 3_600_000_000_000;
    let info = Signal::constant("X", 0.0).expect("a constant").info().clone();
    let starts = (0..g.len() as i64).map(|h| h * hour).collect();
    Signal::new(info, starts, g.to_vec(), g.len() as i64 * hour).expect("an hourly signal")
}

/// A perfect forecast of it.
pub fn hourly(g: &[f64]) -> Vec<Box<dyn Forecast>> {
    vec![Box::new(PerfectForecast::new(signal(g)))]
}

/// A file or folder of the validation data, unless it is absent: then says so.
pub fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SLACKWATER_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("skipped: {} is absent; set SLACKWATER_SHARED to the folder that holds it", found.display());
    None
}

/// The life-cycle intensity of a zone in 2022, hour by hour [g/kWh]; an empty cell has the value before it.
pub fn ci_lca(zone: &str) -> Option<Vec<f64>> {
    let path = shared(&format!("data/grid/electricitymaps/{zone}_2022.csv"))?;
    let text = std::fs::read_to_string(path).expect("a zone's file");
    let mut g: Vec<f64> = Vec::new();
    for line in text.lines().skip(1) {
        let cell = line.split(',').nth(2).expect("a column ci_lca").trim();
        let value = if cell.is_empty() { g[g.len() - 1] } else { cell.parse().expect("a number") };
        g.push(value);
    }
    Some(g)
}

/// Throughput [units/s] and power \[W\] on 1 to 7 nodes of the N-body code, as published with CarbonScaler.
pub fn nbody(name: &str) -> (Vec<f64>, Vec<f64>) {
    let rows = match name {
        "nbody10k" => [
            (16130.263301548106, 51.98662779725372),
            (26084.902766614217, 104.8738026807935),
            (34977.82018587672, 154.72681313525464),
            (41228.85476314777, 207.53221233212847),
            (47430.986825779524, 259.09560823722086),
            (52196.29225924978, 311.5850399494926),
            (56212.42180881337, 366.3482810890281),
        ],
        _ => [
            (1757.8908686976195, 54.77962427087617),
            (3496.3996474651103, 109.80497076152103),
            (5104.3944617012185, 161.22449885915682),
            (6661.952186308102, 217.60732958554),
            (8073.214680924454, 273.1548352612487),
            (9447.749384138653, 331.2253152799572),
            (10747.782862749653, 390.73159215346425),
        ],
    };
    rows.into_iter().unzip()
}

/// What a policy plans for a job that arrives now.
pub fn plan(policy: &mut dyn Shifting, g: &[f64], sample: Sample<'_>) -> Plan {
    plan_on(policy, &hourly(g), sample)
}

/// The same with the forecast given.
pub fn plan_on(policy: &mut dyn Shifting, forecasts: &[Box<dyn Forecast>], sample: Sample<'_>) -> Plan {
    let profile = lab::profile();
    let mut plan = Plan::default();
    policy.plan(&work(&profile, sample), &lab::view(sample.now, forecasts), &mut plan);
    plan
}

fn work<'a>(profile: &'a crate::workload::FunctionProfile, sample: Sample<'a>) -> Work<'a> {
    Work {
        slack: secs(sample.slack_h),
        length: sample.length_known.then(|| secs(sample.hours)),
        kind: sample.kind,
        nodes: sample.nodes,
        ..lab::work(profile, sample.now)
    }
}

/// Where a job ran on base nodes: from when until when, restarts and checkpoints included.
pub type Runs = Vec<(SimTime, SimTime)>;

/// Follows a job of one size to its end: runs, suspends and asks the policy as the engine does, with room for everything.
pub fn follow(policy: &mut dyn Shifting, g: &[f64], sample: Sample<'_>) -> Runs {
    let profile = lab::profile();
    let (forecasts, observed) = (hourly(g), [Observed::new(signal(g))]);
    let (arrival, length) = (sample.now, secs(sample.hours));
    let costs = sample.kind.and_then(|k| k.interruption);
    let (mut now, mut done, mut ran) = (arrival, Duration::ZERO, Duration::ZERO);
    let mut runs: Runs = Vec::new();
    // While it runs: how much of its restart is still to come.
    let mut restart: Option<Duration> = None;
    for _ in 0..100_000 {
        let mut plan = Plan::default();
        let view = View {
            now,
            regions: &[],
            forecasts: &forecasts,
            observed: &observed,
            reserved: Reserved::default(),
            network: &crate::network::NOWHERE,
        };
        let asked = Work {
            arrival,
            wanted: arrival,
            done,
            waited: Duration((now - arrival).0 - ran.0),
            running: u32::from(restart.is_some()),
            ..work(&profile, sample)
        };
        policy.plan(&asked, &view, &mut plan);
        assert!(plan.again > now, "it is asked again in the past");
        assert!(!plan.pieces.is_empty() || plan.again != SimTime::NEVER, "nobody will ever look at this job again");
        let asked_again = plan.again;
        for piece in plan.pieces {
            if costs.is_none() && runs.is_empty() {
                // It cannot be suspended: the first start counts, unless the policy is asked again before.
                if piece.from >= asked_again {
                    break;
                }
                return vec![(piece.from, piece.from + length)];
            }
            let from = piece.from.max(now);
            if restart.is_some() && from > now {
                let end = now + costs.expect("it may be suspended").checkpoint;
                runs.last_mut().expect("it runs").1 = end;
                ran = ran + (end - now);
                (restart, now) = (None, end);
            }
            if from >= asked_again {
                break;
            }
            now = now.max(from);
            if restart.is_none() {
                runs.push((now, now));
                restart = Some(if done.0 > 0 { costs.expect("it may be suspended").restart } else { Duration::ZERO });
            }
            let left = restart.unwrap_or_default() + Duration(length.0 - done.0);
            let until = piece.until.min(asked_again).min(now + left);
            let passed = until.saturating_since(now);
            let resumed = restart.unwrap_or_default().0.min(passed.0);
            done = done + Duration(passed.0 - resumed);
            restart = restart.map(|r| Duration(r.0 - resumed));
            (ran, now) = (ran + passed, now + passed);
            runs.last_mut().expect("it runs").1 = now;
            if done >= length {
                return runs;
            }
        }
        if asked_again != SimTime::NEVER && now < asked_again {
            if restart.is_some() {
                let end = now + costs.expect("it may be suspended").checkpoint;
                runs.last_mut().expect("it runs").1 = end;
                ran = ran + (end - now);
                (restart, now) = (None, end);
            }
            now = now.max(asked_again);
        }
    }
    panic!("the job never ends");
}

/// What so many runs of 1 kW emit \[g\].
pub fn grams(runs: &Runs, g: &[f64]) -> f64 {
    let signal = signal(g);
    runs.iter().map(|&(from, to)| signal.integral(from, to) / 3600.0).sum()
}

/// Regions of so many cores, of which so many are held by others and so many by jobs.
pub fn region(cores: f64, others: f64, jobs: f64) -> RegionLoad {
    let cpu = |cores: f64| (cores * 1e6) as u64;
    RegionLoad {
        cpu_capacity: cpu(cores),
        cpu_demand: cpu(others + jobs),
        jobs_cpu: cpu(jobs),
        jobs_demand: cpu(jobs),
        ..RegionLoad::default()
    }
}
