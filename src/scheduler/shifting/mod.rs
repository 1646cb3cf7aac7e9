//! Shifting: when does the call start?

mod lowest_carbon_hour;
mod paced_backlog;
mod run_now;

pub use lowest_carbon_hour::LowestCarbonHour;
pub use paced_backlog::PacedBacklog;
pub use run_now::RunNow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CallToken, CallView, View};
use crate::types::{Duration, Seed, SimTime};

/// When a call starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At this instant: the present or later.
    At(SimTime),
    /// When the policy lets it go in one of its ticks.
    Held,
}

/// Decides when an admitted call is let go.
pub trait Shifting: Send {
    /// When the call is let go.
    ///
    /// Law: never so late that the expected work no longer ends by the deadline, unless the present already is. Only a
    /// policy with a period may hold calls.
    fn start(&mut self, call: &CallView<'_>, view: &View<'_>) -> Start;

    /// How often the policy's tick comes; `None` for never.
    fn period(&self) -> Option<Duration> {
        None
    }

    /// Names the held calls that are let go now, in order.
    fn tick(&mut self, _view: &View<'_>, _let_go: &mut Vec<CallToken>) {}

    /// Whether every call starts at once, so that the engine need not ask.
    fn is_passive(&self) -> bool {
        false
    }
}

/// The shifting policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ShiftingSpec {
    /// Every call starts at once. Knows nothing. The baseline that every saving is measured against.
    RunNow(RunNow),
    /// A call with a deadline starts when its own run has the lowest mean carbon intensity before that deadline. Knows
    /// the forecast up to the deadline and the expected run time. Loses when many calls choose the same hour and the
    /// hosts are finite: the peak moves and queues form. Source: Wiesner et al., Let's Wait Awhile, Middleware 2021 (the
    /// non-interrupting strategy).
    LowestCarbonHour(LowestCarbonHour),
    /// Calls with a deadline wait in one backlog, drained oldest first so that all executions together follow the mean
    /// rate of the last day. Knows the calls received so far. Loses when urgent calls alone exceed the mean. The control
    /// law is fitted: it reproduces XFaaS' published Executed curve, whose own law is not published.
    PacedBacklog(PacedBacklog),
}

impl Default for ShiftingSpec {
    fn default() -> Self {
        Self::RunNow(RunNow {})
    }
}

impl ShiftingSpec {
    /// Builds the policy; `seed` is its own.
    pub fn build(&self, _seed: Seed) -> Box<dyn Shifting> {
        match self {
            Self::RunNow(p) => Box::new(p.clone()),
            Self::LowestCarbonHour(p) => Box::new(p.clone()),
            Self::PacedBacklog(p) => Box::new(paced_backlog::Backlog::new(p.clone())),
        }
    }
}
