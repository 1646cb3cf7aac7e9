//! Start when the work's own run has the lowest mean carbon intensity before its deadline.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Compat, Plan, Shifting, Work};
use crate::grid::Forecast;
use crate::scheduler::View;
use crate::types::{Duration, SimTime};

/// A start must beat the best one by this share to count as lower: rounding moves no work.
const TIE: f64 = 1e-9;

/// Starts work where the mean intensity forecast for its own run is lowest, and lets it run through.
///
/// Formula: start = argmin over s in [now, latest start - reserve] of the mean of f over [s, s + length]. The minimum of a step function's
/// moving mean lies where the run begins or ends at a step's edge, or at an end of the interval, so only those starts are tried; with
/// `step_s` the starts tried are now, now + step, … instead. The first minimum wins. Runs that pass the end of the forecast are not
/// considered; if that leaves none, it starts now.
///
/// Work with no deadline or too little slack starts at once. Length: as believed, be it exact or a mean of the class; if nothing is
/// believed, `assumed_length_s`, and without that only the intensity of the start counts, as for `lowest-slot`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LowestWindow {
    /// Time kept free between the planned end and the deadline, for cold starts and queueing \[s\]. Default 900 (assumed).
    #[schemars(range(min = 0.0))]
    #[serde(default = "reserve")]
    pub reserve_s: f64,
    /// Work whose deadline leaves less slack than this starts at once \[s\]. Default 3600 (assumed: shorter waits are not deferral).
    #[schemars(range(min = 0.0))]
    #[serde(default = "min_slack")]
    pub min_slack_s: f64,
    /// Distance of the starts that are tried \[s\]. GAIA: 3600. Default: every start that can be the lowest.
    #[schemars(range(min = 1.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_s: Option<f64>,
    /// What work of unknown length is taken to last \[s\]. Default: nothing.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assumed_length_s: Option<f64>,
    /// What published code does beside the rule. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compat: Option<Compat>,
}

fn reserve() -> f64 {
    900.0
}

fn min_slack() -> f64 {
    3600.0
}

impl Default for LowestWindow {
    fn default() -> Self {
        Self { reserve_s: reserve(), min_slack_s: min_slack(), step_s: None, assumed_length_s: None, compat: None }
    }
}

impl Shifting for LowestWindow {
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        let now = view.now;
        if work.slack == Duration::FOREVER {
            return plan.start(work.at_once(now));
        }
        let forecast = view.forecasts[work.region.index()].as_ref();
        let assumed = || self.assumed_length_s.map_or(Duration::ZERO, Duration::from_secs_f64);
        let length = work.left().unwrap_or_else(assumed);
        let mut latest = SimTime(work.latest_start().0.saturating_sub(Duration::from_secs_f64(self.reserve_s).0));
        if let Some(compat) = self.compat {
            latest += compat.beyond(forecast, now, latest + length);
        }
        if latest <= now || latest - now < Duration::from_secs_f64(self.min_slack_s) {
            return plan.start(work.at_once(now));
        }
        plan.start(match self.step_s {
            None => forecast.lowest_start(now, now, latest, length),
            Some(step) => lowest_on_grid(forecast, now, latest, length, Duration::from_secs_f64(step)),
        });
    }
}

/// The start among now, now + step, … up to `latest` whose window is lowest.
fn lowest_on_grid(forecast: &dyn Forecast, now: SimTime, latest: SimTime, length: Duration, step: Duration) -> SimTime {
    let (mut best, mut lowest) = (now, f64::INFINITY);
    let mut start = now;
    while start <= latest {
        if let Some(mean) = forecast.mean(now, start, start + length)
            && (lowest == f64::INFINITY || mean.0 < lowest - TIE * lowest.abs())
        {
            (best, lowest) = (start, mean.0);
        }
        start += step;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::shifting::lab::{Lab, Task};

    fn plain() -> LowestWindow {
        LowestWindow { reserve_s: 0.0, min_slack_s: 0.0, ..LowestWindow::default() }
    }

    fn start(mut policy: LowestWindow, task: &Task) -> f64 {
        Lab::hourly(&[5.0, 3.0, 9.0, 4.0, 4.0, 9.0, 1.0, 9.0]).run(&mut policy, task).hours()[0].0
    }

    #[test]
    fn work_runs_in_its_lowest_window() {
        assert_eq!(start(plain(), &Task::hours(0.0, 1.0, 4.0)), 1.0);
        assert_eq!(start(plain(), &Task::hours(0.0, 2.0, 4.0)), 0.0);
        assert_eq!(start(plain(), &Task::hours(0.5, 2.0, 4.0)), 3.0);
        // 1.5 h from 0.5 on would begin at 5: ending at the edge of the high hour is lower than beginning at the edge.
        assert_eq!(start(plain(), &Task::hours(0.0, 1.5, 2.0)), 0.5);
    }

    #[test]
    fn a_grid_of_starts_begins_now() {
        let grid = LowestWindow { step_s: Some(3600.0), ..plain() };
        assert_eq!(start(grid.clone(), &Task::hours(1.5, 1.0, 3.0)), 3.5);
        assert_eq!(start(plain(), &Task::hours(1.5, 1.0, 3.0)), 3.0);
        assert_eq!(start(grid.clone(), &Task::hours(0.0, 1.0, 6.0)), 6.0);
        assert_eq!(start(grid, &Task::hours(0.0, 1.0, 5.9)), 1.0);
    }

    #[test]
    fn an_unknown_length_is_assumed_or_only_the_start_counts() {
        let unknown = |slack_h| Task { estimate: None, ..Task::hours(0.5, 2.0, slack_h) };
        assert_eq!(start(plain(), &unknown(5.5)), 6.0);
        assert_eq!(start(LowestWindow { assumed_length_s: Some(7200.0), ..plain() }, &unknown(5.5)), 3.0);
    }

    #[test]
    fn little_slack_and_the_reserve_are_left_alone() {
        let task = Task::hours(0.0, 1.0, 1.0);
        assert_eq!(start(plain(), &task), 1.0);
        assert_eq!(start(LowestWindow { reserve_s: 900.0, ..plain() }, &task), 0.75);
        assert_eq!(start(LowestWindow { min_slack_s: 3601.0, ..plain() }, &task), 0.0);
    }

    #[test]
    fn the_published_code_of_lets_wait_awhile_looks_one_step_further() {
        let compat = LowestWindow { compat: Some(Compat::LetsWaitAwhile2021), ..plain() };
        assert_eq!(start(compat.clone(), &Task::hours(0.0, 1.0, 0.0)), 1.0);
        assert_eq!(start(compat, &Task::hours(2.0, 1.0, 3.0)), 6.0);
        assert_eq!(start(plain(), &Task::hours(2.0, 1.0, 3.0)), 3.0);
    }
}
