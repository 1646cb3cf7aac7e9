//! Run while intensity is in the lowest part of what is forecast, or of what was seen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Plan, Shifting, Work, run_while_low, share_of_time};
use crate::scheduler::View;
use crate::types::Duration;

const HOUR_S: f64 = 3600.0;

/// Runs work while the present carbon intensity is within the lowest share of a moving window, and once its patience is spent.
///
/// Formula: runs at t if c(t) <= theta(t), or if it has waited for its whole slack; theta(t) = the lowest value at or below which the
/// intensity stays for `percentile` of the window's time. The window moves: theta is found anew whenever the intensity changes. Work that
/// can be suspended is suspended when it is exceeded; other work runs through from its first start. Work without a deadline, and work
/// about whose window nothing is known, starts at once.
///
/// Knows the present intensity and the window. Length: not used. Unlike `ecovisor` its threshold moves with time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CarbonPercentile {
    /// Share of the window's time in which work may run \[ratio\]. Default 0.3 (as Ecovisor's 30th percentile).
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "percentile")]
    pub percentile: f64,
    /// The window. Default: the forecast of the next 24 h.
    #[serde(default)]
    pub window: PercentileWindow,
}

/// What a percentile is taken of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PercentileWindow {
    /// What is forecast for the time to come.
    Forecast(LookAhead),
    /// What was observed: no forecast is needed.
    Observed(LookBack),
}

/// The window ahead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookAhead {
    /// Its length \[h\]. Default 24: a day, the signal's cycle.
    #[schemars(range(min = 0.001))]
    #[serde(default = "day")]
    pub look_ahead_h: f64,
}

/// The window behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookBack {
    /// Its length \[h\]. Default 168 (assumed: a week holds weekdays and a weekend). Shorter where the signal begins later.
    #[schemars(range(min = 0.001))]
    #[serde(default = "week")]
    pub look_back_h: f64,
}

fn percentile() -> f64 {
    0.3
}
fn day() -> f64 {
    24.0
}
fn week() -> f64 {
    168.0
}

impl Default for PercentileWindow {
    fn default() -> Self {
        Self::Forecast(LookAhead { look_ahead_h: day() })
    }
}

impl CarbonPercentile {
    /// The threshold of this instant [g/kWh]; `None` where nothing is known.
    fn threshold(&self, region: usize, view: &View<'_>) -> Option<f64> {
        let mut values = Vec::new();
        match &self.window {
            PercentileWindow::Forecast(LookAhead { look_ahead_h }) => {
                let mut steps = Vec::new();
                let until = view.now + Duration::from_secs_f64(look_ahead_h * HOUR_S);
                view.forecasts[region].steps(view.now, view.now, until, &mut steps);
                values.extend(steps.iter().map(|s| (s.g_per_kwh, s.to - s.from)));
            }
            PercentileWindow::Observed(LookBack { look_back_h }) => {
                view.observed[region].past(view.now, Duration::from_secs_f64(look_back_h * HOUR_S), &mut values);
            }
        }
        share_of_time(&mut values, self.percentile)
    }
}

impl Shifting for CarbonPercentile {
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        if work.slack == Duration::FOREVER {
            return plan.start(work.at_once(view.now));
        }
        let region = work.region.index();
        let present = view.observed[region].at(view.now).0;
        let low = self.threshold(region, view).is_none_or(|theta| present <= theta);
        run_while_low(work, view, plan, low);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::shifting::lab::{Lab, Task};

    fn policy(keys: &str) -> CarbonPercentile {
        toml::from_str(keys).expect("right keys")
    }

    #[test]
    fn work_runs_in_the_lowest_hours_of_the_window_ahead() {
        // At or below 2 at hours 0 to 2, at or below 7 at hour 3: half of the next four hours each.
        let lab = Lab::hourly(&[4.0, 3.0, 1.0, 2.0, 9.0, 8.0, 7.0, 1.0]);
        let mut p = policy("percentile = 0.5\nwindow.forecast.look_ahead_h = 4");
        let task = Task { suspends: true, ..Task::hours(0.0, 2.0, 5.0) };
        assert_eq!(lab.run(&mut p, &task).hours(), [(2.0, 4.0)]);
    }

    #[test]
    fn a_window_behind_needs_no_forecast() {
        let lab = Lab::hourly(&[4.0, 3.0, 1.0, 2.0, 9.0, 8.0, 7.0, 1.0]);
        let mut p = policy("percentile = 0.3\nwindow.observed.look_back_h = 3");
        // At hour 4 the last three hours held 3, 1 and 2, then 9.
        let task = Task { suspends: true, ..Task::hours(4.5, 1.0, 2.75) };
        assert_eq!(lab.run(&mut p, &task).hours(), [(7.0, 8.0)]);
        let task = Task { suspends: true, ..Task::hours(0.0, 1.0, 2.75) };
        assert_eq!(lab.run(&mut p, &task).hours(), [(0.0, 1.0)]);
    }
}
