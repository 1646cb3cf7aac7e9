//! Start in the lowest slot before the latest start.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Plan, Shifting, Work};
use crate::scheduler::View;
use crate::types::Duration;

/// Starts work where the forecast intensity of the start itself is lowest, and lets it run through.
///
/// Formula: start = argmin over t in [now, latest start], both included, of f(t). The first minimum wins. Work without a deadline starts at
/// once, as does work about which nothing is known.
///
/// Knows the forecast over the slack. Length: not used, so a short low slot before a high one misleads it.
///
/// Source: Lowest-Slot of Hanafy et al., Going Green for Less Green (GAIA), ASPLOS 2024.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LowestSlot {}

impl Shifting for LowestSlot {
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        let at_once = work.at_once(view.now);
        let latest = work.latest_start();
        if work.slack == Duration::FOREVER || latest <= view.now {
            return plan.start(at_once);
        }
        let mut steps = Vec::new();
        // The latest start is a start, too.
        view.forecasts[work.region.index()].steps(view.now, view.now, latest + Duration(1), &mut steps);
        let lowest = steps.iter().reduce(|best, s| if s.g_per_kwh < best.g_per_kwh { s } else { best });
        plan.start(lowest.map_or(at_once, |s| s.from));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::shifting::lab::{Lab, Task};

    #[test]
    fn work_starts_in_the_first_of_the_lowest_slots_and_runs_through() {
        let lab = Lab::hourly(&[5.0, 3.0, 9.0, 3.0, 1.0, 9.0]);
        let start = |at_h: f64, slack_h| lab.run(&mut LowestSlot {}, &Task::hours(at_h, 2.0, slack_h)).hours();
        assert_eq!(start(0.0, 3.5), [(1.0, 3.0)]);
        assert_eq!(start(0.0, 0.75), [(0.0, 2.0)]);
        assert_eq!(start(1.5, 2.0), [(1.5, 3.5)]);
    }

    #[test]
    fn the_latest_start_itself_is_one() {
        let lab = Lab::hourly(&[5.0, 3.0, 9.0, 3.0, 1.0, 9.0]);
        assert_eq!(lab.run(&mut LowestSlot {}, &Task::hours(0.0, 1.0, 4.0)).hours(), [(4.0, 5.0)]);
        assert_eq!(lab.run(&mut LowestSlot {}, &Task::hours(0.0, 1.0, 3.999)).hours(), [(1.0, 2.0)]);
    }
}
