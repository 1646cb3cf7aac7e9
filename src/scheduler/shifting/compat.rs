//! What published code does beside the rule that its paper states; only to reproduce its figures.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::grid::Forecast;
use crate::types::{Duration, SimTime};

/// A published code whose quirks are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Compat {
    /// Let's Wait Awhile (2021): the forecast's step that begins at the deadline counts as well, so that work has one step of freedom
    /// more than its slack, also without any. It may end by one step too late.
    #[serde(rename = "lets-wait-awhile-2021")]
    LetsWaitAwhile2021,
}

impl Compat {
    /// How much later than `deadline` work may end.
    pub(super) fn beyond(self, forecast: &dyn Forecast, now: SimTime, deadline: SimTime) -> Duration {
        let mut steps = Vec::new();
        let day = Duration::from_secs(86_400);
        forecast.steps(now, deadline, deadline + day, &mut steps);
        steps.first().map_or(Duration::ZERO, |s| s.to - s.from)
    }
}
