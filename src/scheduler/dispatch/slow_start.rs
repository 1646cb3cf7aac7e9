//! Slow start: the calls of a function may not grow too fast.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::{Duration, SimTime};

/// In each window, a function may start at most so many calls:
///
/// ```text
///   limit(k) = max(T, floor((1 + alpha) x started(k - 1)))        started(k): calls that began in window k
/// ```
///
/// Windows follow each other without gaps, all functions' together, from the run's start. Calls are whole: the limit is rounded down. With T = 100,
/// alpha = 20 % and calls without end: 100, 120, 144, 172 (of 172.8), 206 (of 206.4), 247, 296, … calls per window. A window in which nothing
/// starts takes the limit back to T. A growth below 1/T never leaves T, since one call more would be more than alpha.
///
/// Source: XFaaS (SOSP 2023): W = 1 minute, T = 100 calls, alpha = 20 %. Whether its windows slide and how it rounds is not published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowStart {
    /// Window W \[s\]. Default 60 (published).
    #[schemars(range(min = 0.001))]
    #[serde(default = "window")]
    pub window_s: f64,
    /// Calls T of a window up to which nothing is limited. Default 100 (published).
    #[schemars(range(min = 1))]
    #[serde(default = "calls")]
    pub calls: u32,
    /// Growth alpha from window to window. Default 0.2 (published).
    #[schemars(range(min = 0.0))]
    #[serde(default = "growth")]
    pub growth: f64,
}

fn window() -> f64 {
    60.0
}
fn calls() -> u32 {
    100
}
fn growth() -> f64 {
    0.2
}

/// What a function has started in the present window and in the one before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Started {
    window: u64,
    now: u32,
    before: u32,
    /// When the present window ends.
    until: SimTime,
}

impl SlowStart {
    fn roll(&self, state: &mut Started, now: SimTime) {
        if now < state.until {
            return;
        }
        let width = Duration::from_secs_f64(self.window_s).0.max(1);
        let window = now.0 / width;
        state.until = self.next_window(now);
        if window != state.window {
            state.before = if window == state.window + 1 { state.now } else { 0 };
            (state.window, state.now) = (window, 0);
        }
    }

    /// The limit of a window after one with so many calls.
    fn limit(&self, before: u32) -> u32 {
        // The growth as it is written, 0.15, may lie below the number that is meant by half a unit in the last place, and the product by another.
        let more = (f64::from(before) * self.growth * (1.0 + 2.0 * f64::EPSILON)).floor();
        let more = more.min(f64::from(u32::MAX)) as u32;
        before.saturating_add(more).max(self.calls)
    }

    /// How many calls the function may still start in the window of this instant.
    pub fn room(&self, state: &mut Started, now: SimTime) -> u32 {
        self.roll(state, now);
        self.limit(state.before).saturating_sub(state.now)
    }

    /// A call of the function has started.
    pub fn count(&self, state: &mut Started, now: SimTime) {
        self.roll(state, now);
        state.now = state.now.saturating_add(1);
    }

    /// When the window of this instant ends and the next limit holds.
    pub fn next_window(&self, now: SimTime) -> SimTime {
        let width = Duration::from_secs_f64(self.window_s).0.max(1);
        SimTime((now.0 / width).saturating_add(1).saturating_mul(width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> SlowStart {
        toml::from_str(text).expect("right keys")
    }

    fn at(seconds: f64) -> SimTime {
        SimTime::from_secs_f64(seconds)
    }

    /// What starts in each minute of a function that is asked for so many calls at the minute's start.
    fn started(spec: &SlowStart, demand: &[u32]) -> Vec<u32> {
        let mut state = Started::default();
        let minute = |(k, &demand): (usize, &u32)| {
            let now = at(60.0 * k as f64 + 30.0);
            let start = spec.room(&mut state, now).min(demand);
            (0..start).for_each(|_| spec.count(&mut state, now));
            start
        };
        demand.iter().enumerate().map(minute).collect()
    }

    #[test]
    fn calls_without_end_grow_by_a_fifth_per_minute_rounded_down() {
        let got = started(&spec(""), &[u32::MAX; 12]);
        assert_eq!(got, [100, 120, 144, 172, 206, 247, 296, 355, 426, 511, 613, 735]);
    }

    #[test]
    fn an_idle_minute_begins_anew_and_a_weak_one_counts_as_it_was() {
        let much = u32::MAX;
        let got = started(&spec(""), &[much, much, much, 0, much, much, 110, much, 5, much]);
        assert_eq!(got, [100, 120, 144, 0, 100, 120, 110, 132, 5, 100]);
    }

    #[test]
    fn a_longer_pause_begins_anew_too() {
        let (s, mut state) = (spec(""), Started::default());
        (0..500).for_each(|_| s.count(&mut state, at(59.0)));
        assert_eq!((s.room(&mut state, at(59.999)), s.room(&mut state, at(60.0))), (0, 600));
        assert_eq!(s.room(&mut state, at(180.0)), 100);
    }

    #[test]
    fn growth_of_nothing_stays_at_the_floor_and_decimals_mean_what_they_say() {
        assert_eq!(started(&spec("growth = 0.0"), &[u32::MAX; 3]), [100, 100, 100]);
        // 100 x 1.15 is 114.99999999999999 in binary, and 100 x 1.29 likewise 128.99999999999997 by some orders of multiplying.
        for percent in 0..=100_u32 {
            let s = SlowStart { growth: f64::from(percent) / 100.0, ..spec("") };
            assert_eq!(s.limit(100), 100 + percent);
            assert_eq!(s.limit(1_000_000), 1_000_000 + 10_000 * percent);
        }
        assert_eq!(started(&spec("growth = 0.005"), &[u32::MAX; 3]), [100, 100, 100]);
        assert_eq!(spec("growth = 1e300").limit(3_000_000_000), u32::MAX);
        assert_eq!(spec("calls = 1\ngrowth = 1.0").limit(1), 2);
    }

    #[test]
    fn windows_have_their_length_and_their_edges_belong_to_the_next() {
        let s = spec("window_s = 10.0\ncalls = 2");
        assert_eq!((s.next_window(at(0.0)), s.next_window(at(10.0))), (at(10.0), at(20.0)));
        let mut state = Started::default();
        s.count(&mut state, at(9.9));
        s.count(&mut state, at(9.9));
        assert_eq!((s.room(&mut state, at(9.999_999)), s.room(&mut state, at(10.0))), (0, 2));
    }
}
