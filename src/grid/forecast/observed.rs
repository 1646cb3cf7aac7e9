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

    /// Appends the values seen in `[now - window, now]` [g/kWh] and how long each has held in it, in order of time, as far as the
    /// signal reaches back: also before the run's start. The present value is the last, even if it has only just begun.
    pub fn past(&self, now: SimTime, window: Duration, values: &mut Vec<(f64, Duration)>) {
        let until = i64::try_from(now.0).unwrap_or(i64::MAX);
        let from = until.saturating_sub_unsigned(window.0);
        let seen = self.0.intervals_between(from, until);
        values.extend(seen.map(|(a, b, g)| (g.0, Duration(b.min(until).saturating_sub(a.max(from)).max(0) as u64))));
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
        let past = |now, window| {
            let mut values = Vec::new();
            seen.past(SimTime(now), Duration(window), &mut values);
            values
        };
        assert_eq!(past(9, 12), [(7.0, Duration(3)), (100.0, Duration(9))]);
        assert_eq!(past(10, 5), [(100.0, Duration(5)), (50.0, Duration(0))]);
        assert_eq!(past(12, 100), [(7.0, Duration(10)), (100.0, Duration(10)), (50.0, Duration(2))]);
    }
}
