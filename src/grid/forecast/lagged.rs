//! Beliefs that repeat the past: the value one or several periods ago.

use std::sync::Arc;

use super::pieces::{Piece, Pieces, own_piece, seen_until};
use crate::grid::Signal;
use crate::grid::signal::Points;

const DAY_NS: i64 = 86_400_000_000_000;

/// f(t) = m(t - k · lag) with the smallest k >= 1 for which that time is observed at `now`. m is the signal itself or a mean of
/// values whole lags apart that reaches backwards only.
///
/// Where the signal does not reach back that far: the same with a lag of a day if the lag is longer; without a
/// day of history, the value of now.
#[derive(Debug)]
pub(super) struct Lagged {
    signal: Signal,
    mean: Arc<Points>,
    lag: i64,
}

impl Lagged {
    /// The value one lag ago.
    pub(super) fn last(signal: &Signal, lag: i64) -> Self {
        Lagged { signal: signal.clone(), mean: Arc::clone(signal.points()), lag }
    }

    /// The mean of the values 1 to `count` lags ago, of those that there are.
    pub(super) fn mean(signal: &Signal, lag: i64, count: u32) -> Self {
        let seen = signal.points();
        let (first, end) = (seen.bounds()[0], seen.end());
        let back = |t: i64, k: u32| lag.checked_mul(k.into()).and_then(|shift| t.checked_sub(shift));
        let mut bounds: Vec<i64> = Vec::new();
        for k in 0..count {
            let Some(shift) = lag.checked_mul(k.into()) else { break };
            bounds.extend(seen.bounds().iter().filter_map(|b| b.checked_add(shift)).filter(|&b| b < end));
            bounds.sort_unstable();
            bounds.dedup();
        }
        let mean_at = |&t: &i64| {
            let there = (0..count).filter_map(|k| back(t, k)).take_while(|&u| u >= first);
            let (sum, n) = there.fold((0.0, 0u32), |(sum, n), u| (sum + seen.values()[seen.index(u)], n + 1));
            sum / f64::from(n)
        };
        let values = bounds.iter().map(mean_at).collect();
        bounds.push(end);
        let mean = Arc::new(Points::new(signal.info().zone.clone(), bounds, values));
        Lagged { signal: signal.clone(), mean, lag }
    }

    /// The value of `points` the fewest whole lags before `t` that lies before `seen_until`; or, where `points` does not reach
    /// back so far, until when.
    fn repeated(points: &Points, lag: i64, seen_until: i64, t: i64) -> Result<Piece, i64> {
        let shift = ((t - seen_until) / lag + 1) * lag;
        let first = points.bounds()[0];
        if t - shift < first {
            return Err((first.min(seen_until)).saturating_add(shift));
        }
        let piece = own_piece(points, t - shift);
        Ok(Piece { to: piece.to.min(seen_until).saturating_add(shift), ..piece })
    }
}

impl Pieces for Lagged {
    fn signal(&self) -> &Signal {
        &self.signal
    }

    fn piece(&self, now: i64, t: i64) -> Piece {
        let seen = self.signal.points();
        let known = seen_until(seen, now);
        if t < known {
            return own_piece(seen, t);
        }
        let own = Lagged::repeated(&self.mean, self.lag, known, t);
        let daily = |until: i64| {
            let daily = if self.lag > DAY_NS { Lagged::repeated(seen, DAY_NS, known, t) } else { Err(until) };
            let now = |until: i64| Piece { to: until, g_per_kwh: seen.values()[seen.index(now)] };
            let piece = daily.unwrap_or_else(now);
            Piece { to: piece.to.min(until), ..piece }
        };
        let piece = own.unwrap_or_else(daily);
        Piece { to: piece.to.min(seen.end()), ..piece }
    }
}

#[cfg(test)]
mod tests {
    use crate::grid::forecast::tests::{HOUR, build, h, hourly, steps};
    use crate::types::{Duration, GramsPerKwh, SimTime};

    /// The value a forecast believes at an hour.
    fn at(forecast: &dyn crate::grid::Forecast, now: f64, t: f64) -> f64 {
        forecast.at(h(now), h(t)).map_or(f64::NAN, |g| g.0)
    }

    #[test]
    fn persistence_repeats_the_last_day_that_was_seen() {
        // Hour k has the value k + 100; the run begins at hour 0, history reaches back to hour -48.
        let signal = hourly(-48, (0..400).map(|i| f64::from(52 + i)).collect());
        let f = build("persistence = {}", &signal, 1);
        // At 5:30 hour 5 is under way and known; hour 6 is believed to be like hour -18, hour 29 like hour 5, hour 30 like hour 6 - 24.
        let told = [5.0, 6.0, 29.0, 30.0, 53.0, 54.0].map(|t| at(&*f, 5.5, t));
        assert_eq!(told, [105.0, 82.0, 105.0, 82.0, 105.0, 82.0]);
        let week = build("persistence.lag_h = 168", &signal, 1);
        // A week back there is nothing at hour 6 (-162), so the day before; at hour 150 there is hour -18.
        assert_eq!([6.0, 119.0, 120.0, 150.0].map(|t| at(&*week, 5.5, t)), [82.0, 100.0 - 1.0, 52.0, 82.0]);
    }

    #[test]
    fn without_history_the_value_of_now_is_believed() {
        let signal = hourly(0, (0..100).map(|i| f64::from(100 + i)).collect());
        let f = build("persistence = {}", &signal, 1);
        // At hour 2, hours 0 to 2 are known: hours 24 to 26 repeat them, hours 3 to 23 have no history.
        assert_eq!(
            [2.0, 3.0, 23.0, 24.0, 26.0, 27.0].map(|t| at(&*f, 2.0, t)),
            [102.0, 102.0, 102.0, 100.0, 102.0, 102.0]
        );
        let climatology = build("climatology = {}", &signal, 1);
        assert_eq!([3.0, 24.0].map(|t| at(&*climatology, 2.0, t)), [102.0, 100.0]);
    }

    #[test]
    fn climatology_is_the_mean_of_the_days_there_are() {
        // Days -3, -2, -1 and 0 have 10, 20, 40 and 80 in all hours.
        let days = [10.0, 20.0, 40.0, 80.0, 1000.0, 1000.0];
        let signal = hourly(-72, days.iter().flat_map(|&v| [v; 24]).collect());
        let three = build("climatology.days = 3", &signal, 1);
        let all = build("climatology = {}", &signal, 1);
        // At 5:30 of day 0, hour 7 is the mean of days -3 to -1, hour 24 + 5 that of days -2 to 0, hour 24 + 7 that of -3 to -1.
        assert_eq!([7.0, 29.0, 31.0].map(|t| at(&*three, 5.5, t)), [70.0 / 3.0, 140.0 / 3.0, 70.0 / 3.0]);
        assert_eq!([7.0, 29.0].map(|t| at(&*all, 5.5, t)), [70.0 / 3.0, 150.0 / 4.0]);
        // Four weeks of which each day has the number of its week.
        let weeks = hourly(-21 * 24, (0..28 * 24).map(|i| f64::from(1 + i / 168) * 10.0).collect());
        let weekday = build("climatology = { days = 14, same_weekday = true }", &weeks, 1);
        assert_eq!([30.0, 167.0].map(|t| at(&*weekday, 0.0, t)), [25.0, 25.0]);
    }

    #[test]
    fn steps_that_do_not_fit_the_lag_are_repeated_where_they_were() {
        let signal = hourly(-24, (0..72).map(f64::from).collect());
        let f = build("persistence.lag_h = 7.5", &signal, 1);
        // At 0:00 hour 0 is known. What begins at 1:00 is what began at -6:30, the second half of hour -7.
        let told = steps(&*f, h(0.0), h(1.0), h(2.5));
        assert_eq!(told.iter().map(|s| s.g_per_kwh).collect::<Vec<_>>(), [17.0, 18.0]);
        assert_eq!((told[0].to, told[1].to), (SimTime(HOUR * 3 / 2), h(2.5)));
        let mean = f.mean(h(0.0), h(1.0), h(2.0)).unwrap();
        assert_eq!(mean, GramsPerKwh(17.5));
        assert_eq!(f.lowest_start(h(0.0), h(0.0), h(20.0), Duration(HOUR)), h(1.0));
    }
}
