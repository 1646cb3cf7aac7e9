//! Start where waiting saves most carbon per time until the end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Plan, Shifting, Work};
use crate::scheduler::View;
use crate::types::{Duration, SimTime};

/// A saving below this share of the emissions without waiting is rounding.
const TIE: f64 = 1e-9;

/// Starts work where the carbon saved per time until its end is highest, and lets it run through.
///
/// Formula: start = now + argmax over i in 0, step, 2 step, … up to the slack of (C(0) - C(i)) / (i + e); C(i) = integral of f over
/// [now + i, now + i + e], e = the believed length. The first maximum wins; if nothing is saved, it starts when it wants to. Starts whose
/// run passes the end of the forecast are not considered.
///
/// Work without a deadline starts at once. Length: as believed, be it exact or a mean of the class; if nothing is believed, or more is
/// done than was believed, one `step_s`.
///
/// Source: Carbon-Time of Hanafy et al., Going Green for Less Green (GAIA), ASPLOS 2024.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CarbonTime {
    /// Distance of the starts that are tried \[s\]. Default 3600 (published).
    #[schemars(range(min = 1.0))]
    #[serde(default = "step")]
    pub step_s: f64,
}

fn step() -> f64 {
    3600.0
}

impl Default for CarbonTime {
    fn default() -> Self {
        Self { step_s: step() }
    }
}

impl CarbonTime {
    /// The best start; `None` if none is better than now.
    fn best(&self, work: &Work<'_>, view: &View<'_>) -> Option<SimTime> {
        let forecast = &view.forecasts[work.region.index()];
        let step = Duration::from_secs_f64(self.step_s);
        let length = work.left().filter(|&left| left > Duration::ZERO).unwrap_or(step);
        let mean = |start: SimTime| forecast.mean(view.now, start, start + length).map(|g| g.0);
        let at_once = mean(view.now)?;
        let (mut best, mut highest) = (None, 0.0);
        let mut start = view.now + step;
        while start <= work.latest_start() {
            if let Some(mean) = mean(start)
                && at_once - mean > TIE * at_once.abs()
            {
                // Times the length, which is the same for all.
                let rate = (at_once - mean) / (start - view.now + length).as_secs_f64();
                if rate > highest * (1.0 + TIE) {
                    (best, highest) = (Some(start), rate);
                }
            }
            start += step;
        }
        best
    }
}

impl Shifting for CarbonTime {
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        let at_once = work.at_once(view.now);
        if work.slack == Duration::FOREVER {
            return plan.start(at_once);
        }
        plan.start(self.best(work, view).unwrap_or(at_once));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::shifting::lab::{Lab, Task, at_h};

    fn start(lab: &Lab, task: &Task) -> f64 {
        lab.run(&mut CarbonTime::default(), task).hours()[0].0
    }

    #[test]
    fn an_early_saving_beats_a_larger_late_one() {
        // One hour: at 1 h saves 4 in 2 h, at 4 h saves 9 in 5 h: 2 > 1.8.
        let lab = Lab::hourly(&[10.0, 6.0, 10.0, 10.0, 1.0, 10.0]);
        assert_eq!(start(&lab, &Task::hours(0.0, 1.0, 4.0)), 1.0);
        // At 4 h saves 10 in 5 h: 2 as well, and the first maximum wins.
        let lab = Lab::hourly(&[10.0, 6.0, 10.0, 10.0, 0.0, 10.0]);
        assert_eq!(start(&lab, &Task::hours(0.0, 1.0, 4.0)), 1.0);
        // At 1 h saves 3.5 in 2 h.
        let lab = Lab::hourly(&[10.0, 6.5, 10.0, 10.0, 0.0, 10.0]);
        assert_eq!(start(&lab, &Task::hours(0.0, 1.0, 4.0)), 4.0);
        assert_eq!(start(&lab, &Task::hours(0.0, 1.0, 3.9)), 1.0);
    }

    #[test]
    fn nothing_saved_is_nothing_moved() {
        let lab = Lab::hourly(&[1.0, 2.0, 3.0, 1.0, 4.0]);
        assert_eq!(start(&lab, &Task::hours(0.0, 1.0, 3.0)), 0.0);
        // Announced an hour beforehand, it could start at 1 h.
        let early = Task { wanted: at_h(2.0), ..Task::hours(1.0, 1.0, 3.0) };
        assert_eq!(start(&lab, &early), 3.0);
        assert_eq!(start(&Lab::hourly(&[0.1; 9]), &early), 2.0);
    }
}
