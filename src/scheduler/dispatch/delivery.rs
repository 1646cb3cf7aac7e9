//! Delivery: what the durable queue does about calls whose end it has not heard of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A call that was handed out is invisible until it is acknowledged (gone for good), refused (offered again after a delay) or its time is up
/// (offered again at once, though it may still run: it is then executed twice).
///
/// ```text
///   delay after the a-th refusal = min(longest_delay_s, retry_delay_s x backoff^(a - 1))
///   executions per call, where a share p of the acknowledgements is lost and nothing else goes wrong = 1/(1 - p) in the mean
/// ```
///
/// Source: XFaaS (SOSP 2023) for the rules; the numbers are not published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// How long after it was handed out a call is offered again if nothing was heard \[s\]. Default 3600 (not published; longer than the longest
    /// execution, so that nothing is executed twice without a fault).
    #[schemars(range(min = 0.001))]
    #[serde(default = "timeout")]
    pub timeout_s: f64,
    /// Delay before a refused call is offered again \[s\]. Default 10 (not published).
    #[schemars(range(min = 0.001))]
    #[serde(default = "retry_delay")]
    pub retry_delay_s: f64,
    /// By how much the delay grows from attempt to attempt. Default 2 (not published).
    #[schemars(range(min = 1.0))]
    #[serde(default = "backoff")]
    pub backoff: f64,
    /// The longest delay \[s\]. Default 600 (not published).
    #[schemars(range(min = 0.001))]
    #[serde(default = "longest")]
    pub longest_delay_s: f64,
    /// Attempts after which a refused call is given up and counted as rejected. Default: never.
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// Share of the acknowledgements that are lost on the way: the call has been executed and is executed again after the timeout. Default 0
    /// (assumed). Below 1: a call that is never acknowledged would be executed for ever.
    #[schemars(range(min = 0.0, max = 0.99))]
    #[serde(default)]
    pub lost_acknowledgements: f64,
}

fn timeout() -> f64 {
    3600.0
}
fn retry_delay() -> f64 {
    10.0
}
fn backoff() -> f64 {
    2.0
}
fn longest() -> f64 {
    600.0
}

impl Delivery {
    /// Delay before the next attempt after `attempts` refused ones \[s\].
    pub fn delay_s(&self, attempts: u32) -> f64 {
        let exponent = f64::from(attempts.saturating_sub(1).min(1000));
        (self.retry_delay_s * libm::pow(self.backoff, exponent)).min(self.longest_delay_s)
    }

    /// Whether a call is given up after `attempts` refused ones.
    pub fn gives_up(&self, attempts: u32) -> bool {
        self.attempts.is_some_and(|most| attempts >= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> Delivery {
        toml::from_str(text).expect("right keys")
    }

    #[test]
    fn delays_double_up_to_the_longest() {
        let d = spec("");
        let delays: Vec<f64> = (1..=9).map(|a| d.delay_s(a)).collect();
        assert_eq!(delays, [10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 600.0, 600.0, 600.0]);
        assert_eq!((d.delay_s(0), d.delay_s(u32::MAX)), (10.0, 600.0));
        let steady = spec("backoff = 1.0\nretry_delay_s = 0.5");
        assert_eq!((steady.delay_s(1), steady.delay_s(u32::MAX)), (0.5, 0.5));
        assert_eq!(spec("backoff = 1e300").delay_s(1000), 600.0);
    }

    #[test]
    fn a_call_is_given_up_after_its_attempts_and_never_without_a_limit() {
        let three = spec("attempts = 3");
        assert_eq!([1, 2, 3, 4].map(|a| three.gives_up(a)), [false, false, true, true]);
        assert!(!spec("").gives_up(u32::MAX));
    }
}
