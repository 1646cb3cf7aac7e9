//! Shifting: when does work run?
//!
//! Calls with a deadline and batch jobs pass through the same seam. A policy looks at [`Work`] and answers a [`Plan`]: of a call, and of a
//! job that cannot be suspended, only the first start counts; of an interruptible or elastic job, all pieces do.

#[cfg(test)]
mod lab;
mod lowest_carbon_hour;
mod paced_backlog;
mod run_now;
mod work;

pub use lowest_carbon_hour::LowestCarbonHour;
pub use paced_backlog::PacedBacklog;
pub use run_now::RunNow;
pub use work::{Piece, Plan, Purchase, Work};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{View, WorkToken};
use crate::types::{Duration, Seed};

/// Decides when admitted work runs.
pub trait Shifting: Send {
    /// Plans work that has arrived, whose plan has ended before it was done, or that was to be asked about again. The plan is empty.
    ///
    /// Laws: it plans a piece, or holds the work, or wants to be asked again later. Work does not start after [`Work::latest_start`] unless
    /// the present already is, and has no patience left when that is used up, as far as its length is known. Only a policy with a period or
    /// one that follows jobs holds work.
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan);

    /// How often the policy's tick comes; `None` for never.
    fn period(&self) -> Option<Duration> {
        None
    }

    /// Names the held work that is let go now, in order.
    fn tick(&mut self, _view: &View<'_>, _let_go: &mut Vec<WorkToken>) {}

    /// Whether the policy wants to be told of the starts and ends of jobs, and asked whom it lets go after each.
    fn follows_jobs(&self) -> bool {
        false
    }

    /// A job has started or resumed: it is not held any more.
    fn started(&mut self, _token: WorkToken) {}

    /// A job is done.
    fn ended(&mut self, _token: WorkToken) {}

    /// Names the held jobs that are let go now, one at a time: asked again, after each has started, until there is none. Asked after every
    /// arrival, start, suspension and end of a job.
    fn next_to_go(&mut self, _view: &View<'_>) -> Option<WorkToken> {
        None
    }

    /// Whether everything starts at once, so that the engine need not ask about calls.
    fn is_passive(&self) -> bool {
        false
    }
}

/// The shifting policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ShiftingSpec {
    /// Everything starts when it wants to. Knows nothing. The baseline that every saving is measured against.
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
