//! Shifting: when does the call start?

mod lowest_carbon_hour;
mod run_now;

pub use lowest_carbon_hour::LowestCarbonHour;
pub use run_now::RunNow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CallView, View};
use crate::types::SimTime;

/// Decides when an admitted call is let go.
pub trait Shifting: Send {
    /// The instant at which the call is let go: the present or later.
    ///
    /// Law: never so late that the expected work no longer ends by the deadline, unless the present already is.
    fn start(&mut self, call: &CallView<'_>, view: &View<'_>) -> SimTime;

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
}

impl Default for ShiftingSpec {
    fn default() -> Self {
        Self::RunNow(RunNow {})
    }
}

impl ShiftingSpec {
    /// Builds the policy.
    pub fn build(&self) -> Box<dyn Shifting> {
        match self {
            Self::RunNow(p) => Box::new(p.clone()),
            Self::LowestCarbonHour(p) => Box::new(p.clone()),
        }
    }
}
