//! What online policies may look at: the present and the past.

use super::Step;
use crate::grid::Signal;
use crate::types::{Duration, GramsPerKwh, SimTime};

/// What has been observed of a region's carbon intensity: the present and the past, never the future.
#[derive(Debug, Clone)]
pub struct Observed(Signal);

impl Observed {
    /// Observations of `signal`.
    pub fn new(signal: Signal) -> Self {
        Observed(signal)
    }

    /// The intensity at this instant [g/kWh].
    pub fn at(&self, now: SimTime) -> GramsPerKwh {
        self.0.at(now)
    }

    /// When the value of this instant has held since, and until when it will: the publisher's clock, not its next value.
    pub fn step(&self, now: SimTime) -> Step {
        self.0.step_at(now)
    }

    /// The lowest and the highest intensity seen in `[now - window, now]` [g/kWh], as far as the signal reaches back.
    pub fn extremes(&self, now: SimTime, window: Duration) -> (f64, f64) {
        let from = i64::try_from(now.0).unwrap_or(i64::MAX).saturating_sub_unsigned(window.0);
        let seen = self.0.intervals_between(from, i64::try_from(now.0).unwrap_or(i64::MAX));
        seen.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, _, g)| (low.min(g.0), high.max(g.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observed_sees_the_past_and_the_present_alone() {
        let info = Signal::constant("X", 0.0).unwrap().info().clone();
        let seen = Observed::new(Signal::new(info, vec![-10, 0, 10], vec![7.0, 100.0, 50.0], 20).unwrap());
        assert_eq!(seen.at(SimTime(9)), GramsPerKwh(100.0));
        assert_eq!(seen.step(SimTime(12)), Step { from: SimTime(10), to: SimTime(20), g_per_kwh: 50.0 });
        assert_eq!(seen.extremes(SimTime(9), Duration(5)), (100.0, 100.0));
        assert_eq!(seen.extremes(SimTime(9), Duration(10)), (7.0, 100.0));
        assert_eq!(seen.extremes(SimTime(10), Duration(100)), (7.0, 100.0));
        assert_eq!(seen.extremes(SimTime(10), Duration(0)), (50.0, 50.0));
    }
}
