//! Hold deferrable calls in one backlog and drain it so that executions follow the mean rate of the last day.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Plan, Shifting, Work};
use crate::scheduler::{View, WorkToken};
use crate::types::{Duration, SimTime};

/// Paces executions to the mean rate of the last day.
///
/// Formula, per period of the controller, in calls per period:
///
/// ```text
///   m      = mean of calls received over the trailing window (this period included)
///   B      = held calls, this period's included;   f = held share of the window's calls
///   target = min(m + gain (B - set_point n m f) / n, ceiling m)       n = periods in the window
///   room   = max(0, target - urgent calls of this period)             drain the oldest held calls, up to room
/// ```
///
/// A call whose deadline leaves no more time than its expected work and `reserve_s` goes at once, room or not.
///
/// Source: fitted. XFaaS (SOSP 2023) publishes what its controllers do to the curve of executed calls, not their law; this
/// one turns the published Received curve (max/min 4.4) into one of 1.33–1.34 with gain 1 (published: 1.4). First-order
/// pacing and a fixed utilization target do not: see docs/xfaas.md.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacedBacklog {
    /// How often the backlog is drained \[s\]. Default 10 (assumed: short against every deadline held).
    #[schemars(range(min = 0.001))]
    #[serde(default = "period")]
    pub period_s: f64,
    /// Window of the mean \[s\]. Default 86400: one day, the traffic's cycle.
    #[schemars(range(min = 1.0))]
    #[serde(default = "window")]
    pub window_s: f64,
    /// Gain of the backlog's deviation from its set point, per window. Default 1 (fitted).
    #[schemars(range(min = 0.0))]
    #[serde(default = "gain")]
    pub gain: f64,
    /// Set point of the backlog, in windows of held calls. Default 0.25 (fitted).
    #[schemars(range(min = 0.0))]
    #[serde(default = "set_point")]
    pub set_point: f64,
    /// Largest target over the mean. Default 1.515 = 1/0.66: the fleet's capacity at the published utilization of 66 %.
    #[schemars(range(min = 0.0))]
    #[serde(default = "ceiling")]
    pub ceiling: f64,
    /// Calls per second that the mean starts from, until the first window has passed. Default: the mean so far.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior_rate_per_s: Option<f64>,
    /// Time kept free before a deadline \[s\]. Default 900 (assumed).
    #[schemars(range(min = 0.0))]
    #[serde(default = "reserve")]
    pub reserve_s: f64,
    /// Calls whose deadline leaves less slack than this are not held \[s\]. Default 3600 (assumed).
    #[schemars(range(min = 0.0))]
    #[serde(default = "min_slack")]
    pub min_slack_s: f64,
}

fn period() -> f64 {
    10.0
}
fn window() -> f64 {
    86_400.0
}
fn gain() -> f64 {
    1.0
}
fn set_point() -> f64 {
    0.25
}
fn ceiling() -> f64 {
    1.0 / 0.66
}
fn reserve() -> f64 {
    900.0
}
fn min_slack() -> f64 {
    3600.0
}

/// What was received in one period.
#[derive(Debug, Clone, Copy, Default)]
struct Received {
    urgent: u64,
    held: u64,
}

/// The policy with its backlog.
pub(super) struct Backlog {
    spec: PacedBacklog,
    periods: usize,
    /// The last periods, oldest first; the current one is apart.
    past: VecDeque<Received>,
    sum: Received,
    current: Received,
    /// Held calls, oldest first; `None` where a call has gone before its turn. The first has number `first`.
    held: VecDeque<Option<WorkToken>>,
    first: u64,
    /// The numbers of held calls by the latest instant at which they must go. Calls that went in turn stay until they come up
    /// or until they outnumber those that are held.
    latest: BinaryHeap<Reverse<(SimTime, u64)>>,
    /// How many calls are held.
    count: usize,
    /// Room left over from earlier periods, below one call.
    carry: f64,
}

impl Backlog {
    pub(super) fn new(spec: PacedBacklog) -> Self {
        let periods = (spec.window_s / spec.period_s).round().max(1.0) as usize;
        Self {
            spec,
            periods,
            past: VecDeque::new(),
            sum: Received::default(),
            current: Received::default(),
            held: VecDeque::new(),
            first: 0,
            latest: BinaryHeap::new(),
            count: 0,
            carry: 0.0,
        }
    }

    /// The instant at which work must go, whatever the room.
    fn latest(&self, work: &Work<'_>) -> SimTime {
        SimTime(work.latest_start().0.saturating_sub(Duration::from_secs_f64(self.spec.reserve_s).0))
    }

    /// Closes the current period and gives the target for it \[calls\].
    fn target(&mut self) -> f64 {
        self.past.push_back(self.current);
        self.sum.urgent += self.current.urgent;
        self.sum.held += self.current.held;
        if self.past.len() > self.periods
            && let Some(old) = self.past.pop_front()
        {
            self.sum.urgent -= old.urgent;
            self.sum.held -= old.held;
        }
        let n = self.periods as f64;
        let seen = self.past.len() as f64;
        let received = (self.sum.urgent + self.sum.held) as f64;
        let mean = match self.spec.prior_rate_per_s {
            Some(prior) => (received + (n - seen) * prior * self.spec.period_s) / n,
            None => received / seen,
        };
        let share = if received > 0.0 { self.sum.held as f64 / received } else { 0.0 };
        let backlog = self.count as f64;
        let paced = mean + self.spec.gain * (backlog - self.spec.set_point * n * mean * share) / n;
        paced.min(self.spec.ceiling * mean)
    }
}

impl Shifting for Backlog {
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        let latest = self.latest(work);
        let slack = latest.saturating_since(view.now);
        if work.slack == Duration::FOREVER || slack < Duration::from_secs_f64(self.spec.min_slack_s) {
            self.current.urgent += 1;
            return plan.start(work.wanted.max(view.now));
        }
        self.current.held += 1;
        self.latest.push(Reverse((latest, self.first + self.held.len() as u64)));
        self.held.push_back(Some(work.token));
        self.count += 1;
        plan.hold();
    }

    fn period(&self) -> Option<Duration> {
        Some(Duration::from_secs_f64(self.spec.period_s))
    }

    fn tick(&mut self, view: &View<'_>, let_go: &mut Vec<WorkToken>) {
        let target = self.target();
        let room = (target - self.current.urgent as f64).max(0.0) + self.carry;
        self.current = Received::default();
        let mut room_left = room as usize;
        self.carry = if self.count > room_left { room - room_left as f64 } else { 0.0 };
        room_left = room_left.saturating_sub(self.let_due_go(view.now, let_go));
        while room_left > 0
            && let Some(next) = self.held.pop_front()
        {
            self.first += 1;
            if let Some(token) = next {
                let_go.push(token);
                self.count -= 1;
                room_left -= 1;
            }
        }
    }
}

impl Backlog {
    /// Lets go the calls that can wait no longer, whatever their turn; how many they were.
    fn let_due_go(&mut self, now: SimTime, let_go: &mut Vec<WorkToken>) -> usize {
        let before = let_go.len();
        while let Some(&Reverse((latest, number))) = self.latest.peek()
            && (latest <= now || number < self.first)
        {
            self.latest.pop();
            let at = number.checked_sub(self.first);
            if let Some(token) = at.and_then(|at| self.held.get_mut(at as usize)).and_then(Option::take) {
                let_go.push(token);
                self.count -= 1;
            }
        }
        if self.latest.len() > 2 * self.count + 1024 {
            let (first, held) = (self.first, &self.held);
            self.latest.retain(|&Reverse((_, number))| {
                number.checked_sub(first).and_then(|at| held.get(at as usize)).is_some_and(Option::is_some)
            });
        }
        let_go.len() - before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::shifting::lab;

    fn backlog() -> Backlog {
        let spec: PacedBacklog = toml::from_str("reserve_s = 0\nmin_slack_s = 1\nperiod_s = 10").expect("right keys");
        Backlog::new(spec)
    }

    /// A call of a second's work; whether it is held.
    fn arrive(policy: &mut Backlog, token: u32, now_s: f64, deadline_s: f64) -> bool {
        let (now, profile) = (SimTime::from_secs_f64(now_s), lab::profile());
        let call = Work {
            token: WorkToken::Call(token),
            slack: Duration::from_secs_f64(deadline_s - now_s - 1.0),
            length: Some(Duration::from_secs(1)),
            ..lab::work(&profile, now)
        };
        let mut plan = Plan::default();
        policy.plan(&call, &lab::view(now, &[]), &mut plan);
        assert_ne!(plan.held, plan.first() == Some(now));
        plan.held
    }

    fn tick(policy: &mut Backlog, now_s: f64) -> Vec<u32> {
        let mut let_go = Vec::new();
        policy.tick(&lab::view(SimTime::from_secs_f64(now_s), &[]), &mut let_go);
        let number = |token| match token {
            WorkToken::Call(t) => t,
            WorkToken::Job(_) => panic!("no job is held"),
        };
        let_go.into_iter().map(number).collect()
    }

    #[test]
    fn a_call_that_can_wait_no_longer_goes_before_an_older_one_that_can() {
        let mut p = backlog();
        assert!(arrive(&mut p, 1, 0.0, 86_400.0));
        assert!(arrive(&mut p, 2, 0.0, 16.0));
        // Without urgent calls, the backlog is below its set point and leaves no room for either in the first period.
        p.spec.ceiling = 0.0;
        assert_eq!(tick(&mut p, 10.0), Vec::<u32>::new());
        assert_eq!(tick(&mut p, 20.0), [2]);
        assert_eq!(p.count, 1);
    }

    #[test]
    fn a_steady_stream_is_let_go_at_its_own_mean_rate() {
        let mut p = backlog();
        p.spec.window_s = 100.0;
        p.periods = 10;
        p.spec.gain = 0.0;
        let (mut gone, mut token) = (0, 0);
        for period in 0..100 {
            for _ in 0..7 {
                arrive(&mut p, token, f64::from(period) * 10.0, 1e6);
                token += 1;
            }
            gone += tick(&mut p, f64::from(period + 1) * 10.0).len();
        }
        assert_eq!((gone, p.count), (700, 0));
    }

    #[test]
    fn a_call_without_slack_or_deadline_is_not_held() {
        let mut p = backlog();
        assert!(!arrive(&mut p, 1, 5.0, 6.5));
        assert!(!arrive(&mut p, 2, 5.0, f64::INFINITY));
    }
}
