//! A belief told piece by piece: the one question a model answers, and every other answer made from it.

use super::{Forecast, Step};
use crate::grid::Signal;
use crate::grid::signal::{Points, TIE, offset, secs};
use crate::types::{Duration, GramsPerKwh, SimTime};

/// A value and until when it holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    /// Where the piece ends [ns from the run's start].
    pub to: i64,
    /// Carbon intensity [g/kWh].
    pub g_per_kwh: f64,
}

/// A model of forecasts that knows its belief at every instant of its signal. It is a [`Forecast`] by that: nothing is believed
/// past the signal's end, means and the lowest start walk over the pieces, without allocation.
pub trait Pieces: std::fmt::Debug + Send + Sync {
    /// What is forecast.
    fn signal(&self) -> &Signal;

    /// What is believed at `now` for `t`, from the run's start to before the signal's end, and until when: after `t`, at most
    /// the signal's end.
    fn piece(&self, now: i64, t: i64) -> Piece;

    /// The integral believed for `[from, to]` [g/kWh · s], both inside the signal.
    fn integral(&self, now: i64, from: i64, to: i64) -> f64 {
        let mut sum = 0.0;
        let mut t = from;
        while t < to {
            let piece = self.piece(now, t);
            let until = piece.to.min(to);
            sum += piece.g_per_kwh * secs(until - t);
            t = until;
        }
        sum
    }
}

/// The end of the step that is under way at `now`: what begins before it is observed, what begins there or later is not.
pub(super) fn seen_until(seen: &Points, now: i64) -> i64 {
    if now >= seen.end() { seen.end() } else { seen.bounds()[seen.index(now) + 1] }
}

/// The interval of `points` that holds `t`.
pub(super) fn own_piece(points: &Points, t: i64) -> Piece {
    let i = points.index(t);
    Piece { to: points.bounds()[i + 1], g_per_kwh: points.values()[i] }
}

impl<P: Pieces> Forecast for P {
    fn known_until(&self, _now: SimTime) -> SimTime {
        self.signal().end()
    }

    fn at(&self, now: SimTime, t: SimTime) -> Option<GramsPerKwh> {
        let last = offset(self.signal().end()) - 1;
        let value = || self.piece(offset(now), offset(t).min(last)).g_per_kwh;
        self.signal().covers(t).then(|| GramsPerKwh(value()))
    }

    fn mean(&self, now: SimTime, from: SimTime, to: SimTime) -> Option<GramsPerKwh> {
        if from > to || !self.signal().covers(to) {
            return None;
        }
        if from == to {
            return self.at(now, from);
        }
        let (now, from, to) = (offset(now), offset(from), offset(to));
        let first = self.piece(now, from);
        if first.to >= to {
            return Some(GramsPerKwh(first.g_per_kwh));
        }
        Some(GramsPerKwh(self.integral(now, from, to) / secs(to - from)))
    }

    /// As [`Signal::lowest_start`]: the integral of a moving window is piecewise linear and bends only where the window begins
    /// or ends at the edge of a piece. It is carried from bend to bend: a few operations per piece.
    fn lowest_start(&self, now: SimTime, earliest: SimTime, latest: SimTime, length: Duration) -> SimTime {
        let end = offset(self.signal().end());
        let now = offset(now);
        let length = i64::try_from(length.0).unwrap_or(i64::MAX);
        let mut s = offset(earliest);
        let latest = offset(latest).min(end - length);
        if latest <= s {
            return earliest;
        }
        let last = end - 1;
        // The pieces in which the window begins and ends.
        let mut head = self.piece(now, s);
        let mut tail = self.piece(now, (s + length).min(last));
        let mut cost = if length == 0 { head.g_per_kwh } else { self.integral(now, s, s + length) };
        let (mut best, mut lowest) = (s, cost);
        while s < latest {
            let next = head.to.min(tail.to - length).min(latest);
            cost += (tail.g_per_kwh - head.g_per_kwh) * secs(next - s);
            s = next;
            if s == head.to {
                head = self.piece(now, s.min(last));
            }
            if s + length == tail.to {
                tail = self.piece(now, (s + length).min(last));
            }
            if length == 0 {
                cost = head.g_per_kwh;
            }
            if cost < lowest - TIE * lowest.abs() {
                (best, lowest) = (s, cost);
            }
        }
        SimTime(best as u64)
    }

    fn steps(&self, now: SimTime, from: SimTime, to: SimTime, steps: &mut Vec<Step>) {
        let (now, to) = (offset(now), offset(to.min(self.signal().end())));
        let mut t = offset(from);
        while t < to {
            let piece = self.piece(now, t);
            let until = piece.to.min(to);
            steps.push(Step { from: SimTime(t as u64), to: SimTime(until as u64), g_per_kwh: piece.g_per_kwh });
            t = until;
        }
    }
}
