//! Back-pressure: additive increase, multiplicative decrease against a downstream service that throws exceptions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// At the end of every period, a function's rate r is lowered if its service threw more exceptions than its threshold, and raised if it threw none:
///
/// ```text
///   exceptions > threshold:      r <- r M                       r0 = what it started in the period over the period, when it is first lowered
///   exceptions = 0:              r <- r + I r0                  at r >= r0, it is free again
///   in between:                  r stays
/// ```
///
/// A function that started nothing in the period is not lowered: it threw none of the exceptions. After d decreases without an increase it is free
/// again after ceil((1 - M^d) / I) periods without exceptions: 50 after one with M = 0.5 and I = 1 %, 75 after two. I = 0 never sets it free.
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
    /// The rate r0 from which it was slowed [calls/s].
    pub full: f64,
    /// Its rate after the last decrease, in r0.
    base: f64,
    /// Increases since then: the rate is the sum in one step, so that a hundred of 1 % make 1.
    increases: u32,
}

impl Default for Pressed {
    fn default() -> Self {
        Self { rate: f64::INFINITY, full: 0.0, base: 1.0, increases: 0 }
    }
}

impl Pressed {
    /// Its rate over r0.
    fn share(&self, increase: f64) -> f64 {
        self.base + f64::from(self.increases) * increase
    }
}

impl BackPressure {
    /// A period is over in which the function started `started` calls and its service threw `exceptions` of all its callers, of which `threshold`
    /// are tolerated.
    pub fn period_over(&self, state: &mut Pressed, started: u64, exceptions: u64, threshold: u64) {
        let is_slowed = state.rate.is_finite();
        if exceptions > threshold {
            if !is_slowed {
                if started == 0 {
                    return;
                }
                state.full = started as f64 / self.period_s;
            }
            state.base = state.share(self.increase) * self.decrease;
            state.increases = 0;
        } else if exceptions == 0 && is_slowed {
            state.increases = state.increases.saturating_add(1);
        } else {
            return;
        }
        let share = state.share(self.increase);
        // Sums of decimals may lie below 1 by their rounding.
        if share >= 1.0 - 1e-12 && exceptions == 0 {
            *state = Pressed::default();
        } else {
            state.rate = share * state.full;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> BackPressure {
        toml::from_str(text).expect("right keys")
    }

    /// Rates after each of the periods, given by their exceptions against a threshold of 100; 600 calls a minute at first.
    fn rates(spec: &BackPressure, exceptions: &[u64]) -> Vec<f64> {
        let mut state = Pressed::default();
        let after = |&e: &u64| {
            spec.period_over(&mut state, 600, e, 100);
            state.rate
        };
        exceptions.iter().map(after).collect()
    }

    #[test]
    fn rates_fall_by_the_factor_and_rise_by_the_step() {
        let free = f64::INFINITY;
        // r0 = 600/60 = 10 per second.
        let got = rates(&spec(""), &[100, 101, 0, 0, 50, 100, 500, 0]);
        assert_eq!(got, [free, 5.0, 5.1, 5.2, 5.2, 5.2, 2.6, 2.7]);
        let got = rates(&spec("decrease = 0.25\nincrease = 0.5"), &[101, 0, 0, 0]);
        assert_eq!(got, [2.5, 7.5, free, free]);
    }

    #[test]
    fn recovery_takes_what_the_closed_form_says() {
        for (decrease, increase, decreases) in [
            (0.5, 0.01, 1),
            (0.5, 0.01, 2),
            (0.5, 0.01, 9),
            (0.0, 0.01, 1),
            (0.9, 0.003, 5),
            (0.1, 0.1, 1),
            (0.7, 0.3, 1),
        ] {
            let s = BackPressure { decrease, increase, ..spec("") };
            let mut state = Pressed::default();
            (0..decreases).for_each(|_| s.period_over(&mut state, 77, 1000, 100));
            let lowest = f64::powi(decrease, decreases);
            assert!((state.rate / (77.0 / 60.0) - lowest).abs() < 1e-15);
            let mut periods = 0;
            while state.rate.is_finite() {
                s.period_over(&mut state, 1, 0, 100);
                periods += 1;
            }
            let wanted = ((1.0 - lowest) / increase - 1e-9).ceil() as u32;
            assert_eq!(periods, wanted, "M = {decrease}, I = {increase}, {decreases} decreases");
        }
    }

    #[test]
    fn an_hour_of_failure_leaves_next_to_nothing_and_is_undone_in_a_hundred_minutes() {
        let s = spec("");
        let mut state = Pressed::default();
        (0..60).for_each(|_| s.period_over(&mut state, 600, 5001, 5000));
        assert_eq!(state.rate, 10.0 * f64::powi(0.5, 60));
        let mut periods = 0;
        while state.rate.is_finite() {
            s.period_over(&mut state, 0, 0, 5000);
            periods += 1;
        }
        assert_eq!((periods, state), (100, Pressed::default()));
    }

    #[test]
    fn a_function_that_started_nothing_is_not_slowed_and_no_increase_never_frees() {
        let s = spec("increase = 0.0");
        let mut state = Pressed::default();
        s.period_over(&mut state, 0, 1000, 100);
        assert_eq!(state, Pressed::default());
        s.period_over(&mut state, 60, 1000, 100);
        (0..1000).for_each(|_| s.period_over(&mut state, 30, 0, 100));
        assert_eq!((state.rate, state.full), (0.5, 1.0));
        // What it starts later does not move r0.
        s.period_over(&mut state, 6000, 1000, 100);
        assert_eq!((state.rate, state.full), (0.25, 1.0));
        // A factor of 1 lowers nothing, but the function is counted as slowed until a period without exceptions.
        let mut state = Pressed::default();
        spec("decrease = 1.0").period_over(&mut state, 60, 1000, 100);
        assert_eq!(state.rate, 1.0);
        spec("decrease = 1.0").period_over(&mut state, 60, 0, 100);
        assert_eq!(state, Pressed::default());
    }
}
