//! Start when the call's own run has the lowest mean carbon intensity before its deadline.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Plan, Shifting, Work};
use crate::scheduler::View;
use crate::types::{Duration, SimTime};

/// Runs a call at the lowest-carbon time before its deadline.
///
/// Formula: start = argmin over s in [now, deadline - reserve - work] of the mean forecast intensity over [s, s + work]
/// in the region where the call arrived. The minimum of a step function's moving mean lies where the run begins or ends
/// at a step's edge, or at an end of the interval, so only those starts are tried. The first minimum wins.
///
/// A call that needs no shifting (no deadline, or too little slack) starts at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LowestCarbonHour {
    /// Time kept free between the planned end and the deadline, for cold starts and queueing \[s\]. Assumed.
    #[schemars(range(min = 0.0))]
    #[serde(default = "reserve")]
    pub reserve_s: f64,
    /// Calls whose deadline leaves less slack than this start at once \[s\]. Assumed: shorter waits are not deferral.
    #[schemars(range(min = 0.0))]
    #[serde(default = "min_slack")]
    pub min_slack_s: f64,
}

fn reserve() -> f64 {
    900.0
}

fn min_slack() -> f64 {
    3600.0
}

impl Default for LowestCarbonHour {
    fn default() -> Self {
        Self { reserve_s: reserve(), min_slack_s: min_slack() }
    }
}

impl Shifting for LowestCarbonHour {
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        let latest = SimTime(work.latest_start().0.saturating_sub(Duration::from_secs_f64(self.reserve_s).0));
        let (Some(left), true) = (work.left(), work.slack != Duration::FOREVER) else {
            return plan.start(work.wanted.max(view.now));
        };
        if latest.saturating_since(view.now) < Duration::from_secs_f64(self.min_slack_s) {
            return plan.start(work.wanted.max(view.now));
        }
        let forecast = &view.forecasts[work.region.index()];
        plan.start(forecast.lowest_start(view.now, view.now, latest, left));
    }
}
