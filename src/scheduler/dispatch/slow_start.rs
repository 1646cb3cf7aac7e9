//! Slow start: the calls of a function may not grow too fast.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::{Duration, SimTime};

/// In each window, a function may start at most `max(calls, (1 + growth) x those of the window before)` calls.
///
/// Source: XFaaS (SOSP 2023): W = 1 minute, T = 100 calls, alpha = 20 %.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowStart {
    /// Window W \[s\]. Default 60 (published).
    #[schemars(range(min = 0.001))]
    #[serde(default = "window")]
    pub window_s: f64,
    /// Calls T of a window below which nothing is limited. Default 100 (published).
    #[schemars(range(min = 0))]
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
}

impl SlowStart {
    fn roll(&self, state: &mut Started, now: SimTime) {
        let width = Duration::from_secs_f64(self.window_s).0.max(1);
        let window = now.0 / width;
        if window != state.window {
            state.before = if window == state.window + 1 { state.now } else { 0 };
            (state.window, state.now) = (window, 0);
        }
    }

    /// How many calls the function may still start in the window of this instant.
    pub fn room(&self, state: &mut Started, now: SimTime) -> u32 {
        self.roll(state, now);
        let most = (f64::from(state.before) * (1.0 + self.growth)).floor().min(f64::from(u32::MAX)) as u32;
        most.max(self.calls).saturating_sub(state.now)
    }

    /// A call of the function has started.
    pub fn count(&self, state: &mut Started, now: SimTime) {
        self.roll(state, now);
        state.now += 1;
    }
}
