//! Delivery: what the durable queue does about calls whose end it has not heard of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A call that was handed out is invisible until it is acknowledged (gone for good), refused (offered again after a delay) or its time is up
/// (offered again at once, though it may still run: it is then executed twice).
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
    /// (assumed).
    #[schemars(range(min = 0.0, max = 1.0))]
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
}
