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
