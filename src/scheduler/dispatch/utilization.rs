//! The utilization controller: by how much the rates of opportunistic functions are scaled.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use std::collections::VecDeque;

/// How the scale S of r = r0 S follows from what is observed.
///
/// Source: XFaaS (SOSP 2023) publishes what S does, not its law; ours are fitted or assumed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum UtilizationLaw {
    /// Executions are paced to the mean rate of the last day, with a correction that holds the backlog near a set point. Fitted: it gives the
    /// published curve.
    Paced(Paced),
}

/// Paces executions to the mean of the last day.
///
/// ```text
///   m      = mean of calls received per period over the trailing window
///   B      = deferrable calls that wait;   f = deferrable share of the window's calls
///   target = min(m + gain (B - set_point n m f) / n, ceiling m)          n = periods in the window
///   room   = max(0, target - urgent calls of this period)
///   S      = room / sum of r0 over the opportunistic functions with calls that wait, per period
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Paced {
    /// Window of the mean \[s\]. Default 86400: one day, the traffic's cycle.
    #[schemars(range(min = 1.0))]
    #[serde(default = "window")]
    pub window_s: f64,
    /// Gain of the backlog's deviation from its set point, per window. Default 1 (fitted).
    #[schemars(range(min = 0.0))]
    #[serde(default = "gain")]
    pub gain: f64,
    /// Set point of the backlog, in windows of deferrable calls. Default 0.25 (fitted).
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

/// What the controller sees of one period of polling.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Seen {
    /// Calls of reserved functions that were received [calls].
    pub urgent: u64,
    /// Calls of opportunistic functions that were received [calls].
    pub deferrable: u64,
    /// Opportunistic calls that wait now, those of this period included [calls].
    pub backlog: u64,
    /// Sum of r0 over the opportunistic functions that have calls waiting, times the period [calls].
    pub quota: f64,
    /// CPU in use over CPU capacity, mean over the period and over all regions.
    pub utilization: f64,
}

/// The controller with what it remembers.
pub struct Controller {
    law: UtilizationLaw,
    periods: usize,
    period_s: f64,
    past: VecDeque<(u64, u64)>,
    sum: (u64, u64),
}

impl Controller {
    /// A controller that is asked every `period_s`.
    pub fn new(law: UtilizationLaw, period_s: f64) -> Self {
        let UtilizationLaw::Paced(p) = &law;
        let periods = (p.window_s / period_s).round().max(1.0) as usize;
        Self { law, periods, period_s, past: VecDeque::new(), sum: (0, 0) }
    }

    /// A period is over: the scale S for the next.
    pub fn scale(&mut self, seen: &Seen) -> f64 {
        let UtilizationLaw::Paced(p) = &self.law;
        self.past.push_back((seen.urgent, seen.deferrable));
        self.sum = (self.sum.0 + seen.urgent, self.sum.1 + seen.deferrable);
        if self.past.len() > self.periods
            && let Some(old) = self.past.pop_front()
        {
            self.sum = (self.sum.0 - old.0, self.sum.1 - old.1);
        }
        let (n, known) = (self.periods as f64, self.past.len() as f64);
        let received = (self.sum.0 + self.sum.1) as f64;
        let mean = match p.prior_rate_per_s {
            Some(prior) => (received + (n - known) * prior * self.period_s) / n,
            None => received / known,
        };
        let share = if received > 0.0 { self.sum.1 as f64 / received } else { 0.0 };
        let paced = mean + p.gain * (seen.backlog as f64 - p.set_point * n * mean * share) / n;
        let target = paced.min(p.ceiling * mean);
        let room = (target - seen.urgent as f64).max(0.0);
        if seen.quota > 0.0 { room / seen.quota } else { 0.0 }
    }
}
