//! What the tests of shifting policies have in common: samples, and one job alone with unlimited capacity.

use super::{Piece, Plan, Shifting, Work};
use crate::grid::{Forecast, Observed, PerfectForecast, Signal};
use crate::scheduler::{View, WorkToken};
use crate::types::{Duration, FunctionId, Memory, MilliCores, RegionId, SimTime, TenantId};
use crate::workload::jobs::{Interruption, JobKind};
use crate::workload::{FunctionProfile, Quota, Trigger};

/// An account.
pub fn profile() -> FunctionProfile {
    FunctionProfile {
        name: "f".into(),
        tenant: TenantId(0),
        memory: Memory(1),
        cpu: MilliCores(1),
        trigger: Trigger::Queue,
        criticality: 0,
        quota: Quota::Opportunistic,
        trust_domain: 0,
        quota_cores: None,
        mean_call: None,
    }
}

/// A job of an hour on one core, without slack, that arrives now.
pub fn work(profile: &FunctionProfile, now: SimTime) -> Work<'_> {
    Work {
        token: WorkToken::Job(0),
        account: FunctionId(0),
        profile,
        region: RegionId(0),
        arrival: now,
        wanted: now,
        slack: Duration::ZERO,
        length: Some(Duration::from_secs(3600)),
        done: Duration::ZERO,
        waited: Duration::ZERO,
        class: 0,
        cpu: 1_000_000,
        nodes: 1,
        kind: None,
        running: 0,
    }
}

/// What there is to see.
pub fn view(now: SimTime, forecasts: &[Box<dyn Forecast>]) -> View<'_> {
    View {
        now,
        regions: &[],
        forecasts,
        observed: &[],
        reserved: crate::scheduler::Reserved::default(),
        network: &crate::network::NOWHERE,
    }
}

/// So many hours.
pub fn hours(h: f64) -> Duration {
    Duration::from_secs_f64(h * 3600.0)
}

/// So many hours after the run's start.
pub fn at_h(h: f64) -> SimTime {
    SimTime::ZERO + hours(h)
}

/// One call or job.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    pub arrival: SimTime,
    pub wanted: SimTime,
    pub length: Duration,
    pub estimate: Option<Duration>,
    pub slack: Duration,
    /// Whether it can be suspended.
    pub suspends: bool,
    /// Whether it is a call.
    pub call: bool,
}

impl Task {
    /// A job whose length is known, which cannot be suspended.
    pub fn hours(at: f64, length: f64, slack: f64) -> Self {
        Self::job(at_h(at), hours(length), hours(slack))
    }

    pub fn job(arrival: SimTime, length: Duration, slack: Duration) -> Self {
        Self { arrival, wanted: arrival, length, estimate: Some(length), slack, suspends: false, call: false }
    }
}

/// When a task ran.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran(pub Vec<(SimTime, SimTime)>);

impl Ran {
    pub fn start(&self) -> SimTime {
        self.0[0].0
    }

    pub fn end(&self) -> SimTime {
        self.0[self.0.len() - 1].1
    }

    /// The stretches \[h\].
    pub fn hours(&self) -> Vec<(f64, f64)> {
        self.0.iter().map(|(a, b)| (a.as_secs_f64() / 3600.0, b.as_secs_f64() / 3600.0)).collect()
    }

    /// Grams of one kilowatt while it ran.
    pub fn g_per_kw(&self, signal: &Signal) -> f64 {
        self.0.iter().map(|&(a, b)| signal.integral(a, b)).sum::<f64>() / 3600.0
    }

    fn run(&mut self, from: SimTime, to: SimTime) {
        match self.0.last_mut() {
            Some(last) if last.1 == from => last.1 = to,
            _ => self.0.push((from, to)),
        }
    }
}

/// A grid and what is believed of it: tasks run in it one at a time, on as many hosts as they like, and suspending costs nothing.
pub struct Lab {
    pub truth: Signal,
    forecasts: Vec<Box<dyn Forecast>>,
    observed: Vec<Observed>,
}

impl Lab {
    pub fn new(truth: Signal, forecast: Box<dyn Forecast>) -> Self {
        Self { observed: vec![Observed::new(truth.clone())], forecasts: vec![forecast], truth }
    }

    /// A perfect forecast.
    pub fn perfect(truth: Signal) -> Self {
        Self::new(truth.clone(), Box::new(PerfectForecast::new(truth)))
    }

    /// A perfect forecast of one intensity per hour.
    pub fn hourly(g_per_kwh: &[f64]) -> Self {
        Self::perfect(steps(3600, g_per_kwh))
    }

    pub fn view(&self, now: SimTime) -> View<'_> {
        View { observed: &self.observed, ..view(now, &self.forecasts) }
    }

    /// Runs a task as [`Plan`] is documented, and asserts what the law of [`Shifting::plan`] says of plans.
    pub fn run(&self, policy: &mut dyn Shifting, task: &Task) -> Ran {
        let profile = profile();
        let kind = JobKind { interruption: task.suspends.then(Interruption::default), ..JobKind::default() };
        let (mut ran, mut now, mut done, mut running) = (Ran(Vec::new()), task.arrival, Duration::ZERO, false);
        let mut plan = Plan::default();
        for _ in 0..100_000 {
            let after_wanted = |&(a, b): &(SimTime, SimTime)| b.saturating_since(a.max(task.wanted)).0;
            let ran_after: u64 = ran.0.iter().map(after_wanted).sum();
            let work = Work {
                token: if task.call { WorkToken::Call(0) } else { WorkToken::Job(0) },
                arrival: task.arrival,
                wanted: task.wanted,
                slack: task.slack,
                length: task.estimate,
                done,
                waited: Duration(now.saturating_since(task.wanted).0 - ran_after),
                kind: (!task.call).then_some(&kind),
                running: u32::from(running),
                ..work(&profile, now)
            };
            plan.clear();
            policy.plan(&work, &self.view(now), &mut plan);
            self.is_lawful(policy, &plan, now);
            if plan.held && policy.period().is_some() {
                now = self.ticked(policy, &plan, now);
                plan.clear();
                plan.start(now);
            } else if plan.held {
                assert_eq!(policy.next_to_go(&self.view(now)), None, "nothing is reserved");
            }
            if !task.suspends {
                plan.pieces.truncate(1);
                plan.pieces.iter_mut().for_each(|p| p.until = SimTime::NEVER);
            }
            running = false;
            for Piece { from, until, .. } in plan.pieces.drain(..) {
                if from >= plan.again {
                    break;
                }
                if !task.call {
                    policy.started(work.token);
                }
                let left = Duration(task.length.0 - done.0);
                let end = until.min(from + left).min(if task.suspends { plan.again } else { SimTime::NEVER });
                ran.run(from, end);
                done = done + (end - from);
                now = end;
                running = end == plan.again;
                if done == task.length {
                    if !task.call {
                        policy.ended(work.token);
                    }
                    return ran;
                }
            }
            if plan.again < SimTime::NEVER {
                now = plan.again;
            }
        }
        panic!("{task:?} is never done");
    }

    #[track_caller]
    fn is_lawful(&self, policy: &dyn Shifting, plan: &Plan, now: SimTime) {
        let says = !plan.pieces.is_empty() || plan.held || plan.again < SimTime::NEVER;
        assert!(says, "neither planned, nor held, nor to be asked about again");
        assert!(plan.again > now, "asked again at once");
        assert!(!plan.held || policy.period().is_some() || policy.follows_jobs(), "held for ever");
        assert!(plan.pieces.iter().all(|p| p.from >= now && p.from < p.until), "{plan:?} at {now:?}");
        assert!(plan.pieces.windows(2).all(|w| w[0].until <= w[1].from), "{plan:?}");
    }

    /// When a policy with a clock of its own lets held work go.
    fn ticked(&self, policy: &mut dyn Shifting, plan: &Plan, now: SimTime) -> SimTime {
        let period = policy.period().expect("it has a clock");
        let mut let_go = Vec::new();
        let mut at = SimTime(now.0.div_ceil(period.0) * period.0);
        while let_go.is_empty() {
            assert!(at < SimTime::ZERO + Duration::from_secs(365 * 86_400), "held for ever");
            if plan.first().is_some_and(|fallback| fallback <= at) {
                return plan.pieces[0].from;
            }
            at += period;
            policy.tick(&self.view(at), &mut let_go);
        }
        at
    }
}

/// A signal of so many seconds per value.
pub fn steps(step_s: u64, g_per_kwh: &[f64]) -> Signal {
    let step = step_s as i64 * 1_000_000_000;
    let starts = (0..g_per_kwh.len() as i64).map(|i| i * step).collect();
    let info = Signal::constant("X", 0.0).expect("a constant").info().clone();
    Signal::new(info, starts, g_per_kwh.to_vec(), g_per_kwh.len() as i64 * step).expect("a signal")
}
