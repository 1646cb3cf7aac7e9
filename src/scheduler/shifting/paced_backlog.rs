//! Hold deferrable calls in one backlog and drain it so that executions follow the mean rate of the last day.

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Shifting, Start};
use crate::scheduler::{CallToken, CallView, View};
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
    held: VecDeque<(CallToken, SimTime)>,
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
            carry: 0.0,
        }
    }

    /// The instant at which a call must go, whatever the room.
    fn latest(&self, call: &CallView<'_>) -> SimTime {
        let needed = call.expected_work + Duration::from_secs_f64(self.spec.reserve_s);
        SimTime(call.deadline.0.saturating_sub(needed.0))
    }

    /// Closes the current period and gives the target for it [calls].
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
        let backlog = self.held.len() as f64;
        let paced = mean + self.spec.gain * (backlog - self.spec.set_point * n * mean * share) / n;
        paced.min(self.spec.ceiling * mean)
    }
}

impl Shifting for Backlog {
    fn start(&mut self, call: &CallView<'_>, view: &View<'_>) -> Start {
        let latest = self.latest(call);
        let slack = latest.saturating_since(view.now);
        if call.deadline == SimTime::NEVER || slack < Duration::from_secs_f64(self.spec.min_slack_s) {
            self.current.urgent += 1;
            return Start::At(view.now);
        }
        self.current.held += 1;
        self.held.push_back((call.token, latest));
        Start::Held
    }

    fn period(&self) -> Option<Duration> {
        Some(Duration::from_secs_f64(self.spec.period_s))
    }

    fn tick(&mut self, view: &View<'_>, let_go: &mut Vec<CallToken>) {
        let target = self.target();
        let room = (target - self.current.urgent as f64).max(0.0) + self.carry;
        self.current = Received::default();
        let mut count = room as usize;
        self.carry = if self.held.len() > count { room - count as f64 } else { 0.0 };
        while let Some(&(token, latest)) = self.held.front() {
            if count == 0 && latest > view.now {
                break;
            }
            count = count.saturating_sub(1);
            let_go.push(token);
            self.held.pop_front();
        }
    }
}
