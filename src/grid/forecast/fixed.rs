//! Beliefs that are made once for the whole signal: only what is observed by then changes with the time of asking.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pieces::{Piece, Pieces, own_piece, seen_until};
use crate::grid::Signal;
use crate::grid::signal::Points;

/// Whether the step under way is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Present {
    /// It is known exactly: whoever asks reads it off the publisher.
    #[default]
    Observed,
    /// It has the forecast's error like all later ones, as in studies that disturb a whole series once and decide on that.
    Forecast,
}

/// One erroneous value per step of the signal, drawn or computed beforehand; the past is as observed.
#[derive(Debug)]
pub(super) struct Fixed {
    signal: Signal,
    believed: Arc<Points>,
    present: Present,
}

impl Fixed {
    /// A belief with `value(i, c)` for step i of intensity c.
    pub(super) fn new(signal: &Signal, present: Present, mut value: impl FnMut(usize, f64) -> f64) -> Self {
        let points = signal.points();
        let values = points.values().iter().enumerate().map(|(i, &c)| value(i, c)).collect();
        Fixed { signal: signal.clone(), believed: Arc::new(points.with_values(values)), present }
    }

    /// Where observations end and the belief begins.
    fn seam(&self, now: i64) -> i64 {
        let seen = self.signal.points();
        match self.present {
            Present::Observed => seen_until(seen, now),
            Present::Forecast if now >= seen.end() => seen.end(),
            Present::Forecast => seen.bounds()[seen.index(now)],
        }
    }
}

impl Pieces for Fixed {
    fn signal(&self) -> &Signal {
        &self.signal
    }

    fn piece(&self, now: i64, t: i64) -> Piece {
        own_piece(if t < self.seam(now) { self.signal.points() } else { &self.believed }, t)
    }

    /// In constant time, through the prefix sums on both sides of the seam.
    fn integral(&self, now: i64, from: i64, to: i64) -> f64 {
        let seam = self.seam(now).clamp(from, to);
        let part = |points: &Points, from: i64, to: i64| {
            if from < to { points.window(from, points.index(from), to, points.index(to)) } else { 0.0 }
        };
        part(self.signal.points(), from, seam) + part(&self.believed, seam, to)
    }
}
