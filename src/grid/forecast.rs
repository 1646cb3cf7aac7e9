//! Forecasts: the only way a policy sees the future of the grid, so that an oracle is declared and never an accident.

use super::Signal;
use crate::types::{Duration, GramsPerKwh, SimTime};

/// What is believed at `now` about carbon intensity at later times.
///
/// A policy holds a `&dyn Forecast` and cannot tell a perfect one from a noisy or replayed one. The belief may depend on
/// `now` (new vintages, observations made so far), never on anything after `now` unless the forecast says so in its name.
/// Equal arguments give equal answers within a run: implementations key their noise by (`now`'s vintage, time), they do not
/// draw in order of the calls.
pub trait Forecast: std::fmt::Debug + Send + Sync {
    /// The last instant about which anything is believed at `now`.
    fn known_until(&self, now: SimTime) -> SimTime;

    /// The intensity believed for `t` [g/kWh], or `None` past [`Forecast::known_until`].
    fn at(&self, now: SimTime, t: SimTime) -> Option<GramsPerKwh>;

    /// The mean believed for `[from, to]` [g/kWh], or `None` when a part lies past [`Forecast::known_until`] or `to` is
    /// before `from`.
    fn mean(&self, now: SimTime, from: SimTime, to: SimTime) -> Option<GramsPerKwh>;

    /// The start in `[earliest, latest]` whose window of `length` is believed to have the lowest mean, the first of equals.
    /// Windows that pass [`Forecast::known_until`] are not considered; when that leaves none, the answer is `earliest`.
    fn lowest_start(&self, now: SimTime, earliest: SimTime, latest: SimTime, length: Duration) -> SimTime;

    /// Appends the steps believed for `[from, to)`, in order and without gaps: the first begins at `from`, the last ends at `to`
    /// or, where less is known, at [`Forecast::known_until`]. Neighbours may have the same value.
    fn steps(&self, now: SimTime, from: SimTime, to: SimTime, steps: &mut Vec<Step>);
}

/// A value that holds for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// From when on.
    pub from: SimTime,
    /// Until when.
    pub to: SimTime,
    /// Carbon intensity [g/kWh]. A forecast may be wrong enough to be negative.
    pub g_per_kwh: f64,
}

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
