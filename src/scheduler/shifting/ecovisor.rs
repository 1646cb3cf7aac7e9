//! Run while intensity is below a threshold that was fixed on arrival (Ecovisor).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Plan, Shifting, Work, run_while_low, sampled_quantile};
use crate::scheduler::View;
use crate::types::Duration;

/// Runs work while the present carbon intensity is below a percentile of the day after its arrival, and once its patience is spent.
///
/// Formula: theta = quantile of f at arrival, arrival + `sample_s`, … in [arrival, arrival + look ahead), by linear interpolation between
/// order statistics; at t it runs if c(t) < theta, or if it has waited for its whole slack. Work that can be suspended is suspended when
/// the intensity is not below theta; other work runs through from its first start. Work without a deadline, and work on whose arrival
/// nothing was known, starts at once.
///
/// Knows the forecast on arrival and the present intensity. Length: not used.
///
/// Source: Souza et al., Ecovisor, ASPLOS 2023, in the form that GAIA's released code (Hanafy et al., ASPLOS 2024) gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ecovisor {
    /// The percentile \[ratio\]. Default 0.3 (published: the 30th).
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "percentile")]
    pub percentile: f64,
    /// Window of the percentile \[h\]. Default 24 (published).
    #[schemars(range(min = 0.001))]
    #[serde(default = "day")]
    pub look_ahead_h: f64,
    /// Distance of the samples \[s\]. Default 5 (published: the step of GAIA's code).
    #[schemars(range(min = 0.001))]
    #[serde(default = "sample")]
    pub sample_s: f64,
}

fn percentile() -> f64 {
    0.3
}
fn day() -> f64 {
    24.0
}
fn sample() -> f64 {
    5.0
}

impl Default for Ecovisor {
    fn default() -> Self {
        Self { percentile: percentile(), look_ahead_h: day(), sample_s: sample() }
    }
}

impl Shifting for Ecovisor {
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        if work.slack == Duration::FOREVER {
            return plan.start(work.at_once(view.now));
        }
        // What was believed on arrival stays what it was: the threshold need not be kept.
        let (region, from) = (work.region.index(), work.arrival);
        let mut steps = Vec::new();
        let until = from + Duration::from_secs_f64(self.look_ahead_h * 3600.0);
        view.forecasts[region].steps(from, from, until, &mut steps);
        let theta = sampled_quantile(&steps, from, Duration::from_secs_f64(self.sample_s), self.percentile);
        let present = view.observed[region].at(view.now).0;
        run_while_low(work, view, plan, theta.is_none_or(|theta| present < theta));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::shifting::lab::{Lab, Task};

    #[test]
    fn the_threshold_stays_as_it_was_on_arrival() {
        // Of 4, 3, 1, 2 the median is 2.5 with a sample per hour: hours 2 and 3 are below it, later ones too if they are.
        let lab = Lab::hourly(&[4.0, 3.0, 1.0, 2.0, 9.0, 2.4, 2.6, 0.0]);
        let mut p = Ecovisor { percentile: 0.5, look_ahead_h: 4.0, sample_s: 3600.0 };
        let task = |length, slack| Task { suspends: true, ..Task::hours(0.0, length, slack) };
        assert_eq!(lab.run(&mut p, &task(3.0, 5.0)).hours(), [(2.0, 4.0), (5.0, 6.0)]);
        assert_eq!(lab.run(&mut p, &task(3.5, 2.5)).hours(), [(2.0, 4.0), (4.5, 6.0)]);
        let stays = Task { suspends: false, ..task(3.0, 5.0) };
        assert_eq!(lab.run(&mut p, &stays).hours(), [(2.0, 5.0)]);
    }

    #[test]
    fn nothing_is_below_a_constant() {
        let lab = Lab::hourly(&[7.0; 12]);
        let task = Task { suspends: true, ..Task::hours(0.5, 2.0, 3.0) };
        assert_eq!(lab.run(&mut Ecovisor::default(), &task).hours(), [(3.5, 5.5)]);
    }
}
