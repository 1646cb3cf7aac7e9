//! Back-pressure: additive increase, multiplicative decrease against a downstream service that throws exceptions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every period, a function's rate is multiplied by `decrease` if its service threw more exceptions than its threshold, and raised by
/// `increase` if it threw none.
///
/// Source: XFaaS (SOSP 2023): per function, exceptions above the downstream's threshold: r <- r M; none: r <- r + I. M and I are not published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackPressure {
    /// Length of a period \[s\]. Default 60: the published threshold is per minute.
    #[schemars(range(min = 0.001))]
    #[serde(default = "period")]
    pub period_s: f64,
    /// Factor M of the decrease. Default 0.5 (not published).
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "decrease")]
    pub decrease: f64,
    /// Increase I, as a share of the function's rate when it was first slowed. Default 0.01 (not published).
    #[schemars(range(min = 0.0))]
    #[serde(default = "increase")]
    pub increase: f64,
}

fn period() -> f64 {
    60.0
}
fn decrease() -> f64 {
    0.5
}
fn increase() -> f64 {
    0.01
}

/// How far a function is slowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pressed {
    /// Its rate r now [calls/s]; infinite while it is not slowed.
    pub rate: f64,
    /// The rate from which it was slowed [calls/s].
    pub full: f64,
}

impl Default for Pressed {
    fn default() -> Self {
        Self { rate: f64::INFINITY, full: 0.0 }
    }
}

impl BackPressure {
    /// A period is over in which the function started `started` calls and its service threw `exceptions` of all its callers, of which `threshold`
    /// are tolerated.
    pub fn period_over(&self, state: &mut Pressed, started: u64, exceptions: u64, threshold: u64) {
        if exceptions > threshold {
            if state.rate.is_infinite() {
                state.full = started as f64 / self.period_s;
                state.rate = state.full;
            }
            state.rate *= self.decrease;
        } else if exceptions == 0 && state.rate.is_finite() {
            state.rate += self.increase * state.full;
            if state.rate >= state.full {
                *state = Pressed::default();
            }
        }
    }
}
