//! Run while intensity is at or below a ceiling.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Plan, Shifting, Work, run_while_low};
use crate::scheduler::View;
use crate::types::Duration;

/// Runs work while the present carbon intensity is at or below a ceiling, and once its patience is spent.
///
/// Formula: runs at t if c(t) <= ceiling, or if it has waited for its whole slack. Work that can be suspended is suspended when the
/// intensity rises above the ceiling; other work runs through from its first start. Work without a deadline starts at once.
///
/// Knows the present intensity. Length: not used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CarbonThreshold {
    /// Highest intensity at which work runs [gCO2e/kWh]. No default: it depends on the zone.
    #[schemars(range(min = 0.0))]
    pub ceiling_g_per_kwh: f64,
}

impl Shifting for CarbonThreshold {
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        if work.slack == Duration::FOREVER {
            return plan.start(work.at_once(view.now));
        }
        let present = view.observed[work.region.index()].at(view.now).0;
        run_while_low(work, view, plan, present <= self.ceiling_g_per_kwh);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::shifting::lab::{Lab, Task};

    #[test]
    fn work_runs_in_the_hours_below_the_ceiling_until_its_patience_is_spent() {
        let lab = Lab::hourly(&[300.0, 200.0, 300.0, 200.0, 300.0, 300.0]);
        let run = |slack_h: f64, suspends: bool| {
            let task = Task { suspends, ..Task::hours(0.0, 2.0, slack_h) };
            lab.run(&mut CarbonThreshold { ceiling_g_per_kwh: 200.0 }, &task).hours()
        };
        assert_eq!(run(3.0, true), [(1.0, 2.0), (3.0, 4.0)]);
        assert_eq!(run(1.5, true), [(1.0, 2.0), (2.5, 3.5)]);
        assert_eq!(run(3.0, false), [(1.0, 3.0)]);
        assert_eq!(run(0.5, false), [(0.5, 2.5)]);
        assert_eq!(run(0.0, true), [(0.0, 2.0)]);
    }
}
