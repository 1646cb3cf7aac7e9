//! The oracle.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Forecast, Step};
use crate::grid::Signal;
use crate::types::{Duration, GramsPerKwh, SimTime};

/// Table of the model `perfect`: no keys.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Perfect {}

/// The oracle: believes exactly what will happen, whenever it is asked. Knows everything; no error.
///
/// Use it as the upper bound of what shifting can save, not as a result. Source: the "optimal forecast" of Wiesner et al.,
/// Let's Wait Awhile (Middleware 2021).
#[derive(Debug, Clone)]
pub struct PerfectForecast(Signal);

impl PerfectForecast {
    /// An oracle of `signal`.
    pub fn new(signal: Signal) -> Self {
        PerfectForecast(signal)
    }
}

impl Forecast for PerfectForecast {
    fn known_until(&self, _now: SimTime) -> SimTime {
        self.0.end()
    }

    fn at(&self, _now: SimTime, t: SimTime) -> Option<GramsPerKwh> {
        self.0.covers(t).then(|| self.0.at(t))
    }

    fn mean(&self, _now: SimTime, from: SimTime, to: SimTime) -> Option<GramsPerKwh> {
        (from <= to && self.0.covers(to)).then(|| self.0.mean(from, to))
    }

    fn lowest_start(&self, _now: SimTime, earliest: SimTime, latest: SimTime, length: Duration) -> SimTime {
        self.0.lowest_start(earliest, latest, length)
    }

    fn steps(&self, _now: SimTime, from: SimTime, to: SimTime, steps: &mut Vec<Step>) {
        self.0.steps(from, to.min(self.0.end()), steps);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perfect_forecast_knows_nothing_past_the_end_of_its_signal() {
        let info = Signal::constant("X", 0.0).unwrap().info().clone();
        let signal = Signal::new(info, vec![0, 10], vec![100.0, 50.0], 20).unwrap();
        let forecast: Box<dyn Forecast> = Box::new(PerfectForecast::new(signal));
        let now = SimTime::ZERO;
        assert_eq!(forecast.known_until(now), SimTime(20));
        assert_eq!(forecast.at(now, SimTime(10)), Some(GramsPerKwh(50.0)));
        assert_eq!(forecast.at(now, SimTime(21)), None);
        assert_eq!(forecast.mean(now, SimTime(5), SimTime(15)), Some(GramsPerKwh(75.0)));
        assert_eq!(forecast.mean(now, SimTime(5), SimTime(21)), None);
        assert_eq!(forecast.mean(now, SimTime(6), SimTime(5)), None);
        assert_eq!(forecast.lowest_start(now, SimTime(0), SimTime(20), Duration(5)), SimTime(10));
        assert_eq!(forecast.lowest_start(now, SimTime(3), SimTime(20), Duration(19)), SimTime(3));
        let mut steps = Vec::new();
        forecast.steps(now, SimTime(5), SimTime(30), &mut steps);
        let step = |from, to, g_per_kwh| Step { from: SimTime(from), to: SimTime(to), g_per_kwh };
        assert_eq!(steps, [step(5, 10, 100.0), step(10, 20, 50.0)]);
        steps.clear();
        forecast.steps(now, SimTime(2), SimTime(2), &mut steps);
        assert!(steps.is_empty());
    }
}
