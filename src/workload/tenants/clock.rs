//! When one tenant calls: a point process for each [`Shape`], exact, one call at a time.

use std::f64::consts::TAU;

use super::Shape;
use crate::types::{Seed, SimTime, Stream};

const HOUR_S: f64 = 3600.0;
const DAY_S: f64 = 24.0 * HOUR_S;

/// The calls of one tenant in order of time.
///
/// Example: mean 1/s in bursts with `on_share` 0.25 is 4/s during a quarter of the time.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    /// The last call, or as far as the process is known to be silent \[s\].
    now: f64,
    /// Mean time between calls (candidates, if some are refused) while the process runs \[s\].
    gap: f64,
    times: Stream,
    pattern: Pattern,
}

#[derive(Debug, Clone)]
enum Pattern {
    Steady,
    /// Candidates arrive at the highest rate; each is taken with probability rate / highest rate (Lewis and Shedler,
    /// Naval Research Logistics 26, 1979).
    Diurnal {
        amplitude: f64,
        peak_s: f64,
        choices: Stream,
    },
    /// At the end of a period the time to the next call is drawn anew: exponential times have no memory.
    Bursty {
        on: bool,
        until: f64,
        on_mean: f64,
        off_mean: f64,
        periods: Stream,
    },
    Timer {
        /// When the next call is due, in periods; the first is the one before the start, which may be late enough.
        due: f64,
        jitter: f64,
    },
}

impl Clock {
    /// The process of one tenant with a mean rate \[1/s\], in its stationary state at time 0 (a day has no such state).
    pub fn new(shape: &Shape, rate_per_s: f64, seed: Seed, tenant: u64) -> Self {
        let mut phase = seed.stream("phase", tenant);
        let mean_gap = 1.0 / rate_per_s;
        let (gap, pattern) = match *shape {
            Shape::Steady {} => (mean_gap, Pattern::Steady),
            Shape::Diurnal { peak_to_trough, peak_hour_utc, phase_spread_h, start_hour_utc } => {
                let amplitude = (peak_to_trough - 1.0) / (peak_to_trough + 1.0);
                let peak_hour = peak_hour_utc + phase_spread_h * (phase.uniform() - 0.5);
                let peak_s = (peak_hour - start_hour_utc) * HOUR_S;
                let choices = seed.stream("thinning", tenant);
                (mean_gap / (1.0 + amplitude), Pattern::Diurnal { amplitude, peak_s, choices })
            }
            Shape::Bursty { on_share, on_mean_s } => {
                let off_mean = on_mean_s * (1.0 / on_share - 1.0);
                let mut periods = seed.stream("periods", tenant);
                let on = phase.uniform() < on_share;
                let until = periods.exponential(if on { on_mean_s } else { off_mean });
                (mean_gap * on_share, Pattern::Bursty { on, until, on_mean: on_mean_s, off_mean, periods })
            }
            Shape::Timer { jitter_s } => {
                (mean_gap, Pattern::Timer { due: phase.uniform() - 1.0, jitter: jitter_s.min(mean_gap) })
            }
        };
        Self { now: 0.0, gap, times: seed.stream("times", tenant), pattern }
    }

    /// The next call before `end`; `None` from then on if there is none.
    pub fn next(&mut self, end: SimTime) -> Option<SimTime> {
        while self.now < end.as_secs_f64() {
            match &mut self.pattern {
                Pattern::Steady => self.now += self.times.exponential(self.gap),
                Pattern::Diurnal { amplitude, peak_s, choices } => {
                    self.now += self.times.exponential(self.gap);
                    let wave = libm::cos(TAU * ((self.now - *peak_s) / DAY_S));
                    if choices.uniform() * (1.0 + *amplitude) >= 1.0 + *amplitude * wave {
                        continue;
                    }
                }
                Pattern::Bursty { on, until, on_mean, off_mean, periods } => {
                    let call = if *on { self.now + self.times.exponential(self.gap) } else { f64::INFINITY };
                    if call >= *until {
                        self.now = *until;
                        *on = !*on;
                        *until += periods.exponential(if *on { *on_mean } else { *off_mean });
                        continue;
                    }
                    self.now = call;
                }
                Pattern::Timer { due, jitter } => {
                    let late = if *jitter > 0.0 { *jitter * self.times.uniform() } else { 0.0 };
                    let call = *due * self.gap + late;
                    *due += 1.0;
                    if call < 0.0 {
                        continue;
                    }
                    // Only rounding could put a call before its predecessor.
                    self.now = call.max(self.now);
                }
            }
            // Rounding to the nanosecond can move a call onto the end, which is outside.
            return Some(SimTime::from_secs_f64(self.now)).filter(|&time| time < end);
        }
        None
    }
}
