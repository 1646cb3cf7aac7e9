//! Quotas: how many calls per second a function's CPU quota is worth.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::SimTime;

/// A function's rate limit r0 [calls/s] is its owner's quota \[cores\] over its mean cost per call [core·s].
///
/// Source: XFaaS (SOSP 2023): the central rate limiter turns a quota of CPU cycles per second into requests per second by the mean cost of a
/// call. The averaging window is not published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaRules {
    /// Over how many of its latest calls a function's mean cost is taken, with weights that fall off exponentially. Default 1000 (not published).
    #[schemars(range(min = 1.0))]
    #[serde(default = "memory")]
    pub mean_over_calls: f64,
    /// How long an unused rate may be saved up \[s\]. Default 60 (not published).
    #[schemars(range(min = 0.001))]
    #[serde(default = "burst")]
    pub burst_s: f64,
}

fn memory() -> f64 {
    1000.0
}
fn burst() -> f64 {
    60.0
}

/// A function's mean cost per call.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MeanCost {
    mean: f64,
    calls: f64,
}

impl MeanCost {
    /// A call has cost this [core·s].
    pub fn add(&mut self, cost: f64, over_calls: f64) {
        self.calls = (self.calls + 1.0).min(over_calls);
        self.mean += (cost - self.mean) / self.calls;
    }

    /// The mean cost [core·s]; 0 before the first call.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The rate that a quota of so many cores is worth [calls/s]; infinite before the first call.
    pub fn rate(&self, cores: f64) -> f64 {
        if self.mean > 0.0 { cores / self.mean } else { f64::INFINITY }
    }
}

/// A token bucket: calls that may start now.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bucket {
    tokens: f64,
    since: SimTime,
}

impl Bucket {
    /// A bucket with one token.
    pub fn new(now: SimTime) -> Self {
        Self { tokens: 1.0, since: now }
    }

    /// Fills it at a rate [calls/s] up to what `burst_s` gives, at least one call; how many tokens there are.
    pub fn fill(&mut self, rate: f64, burst_s: f64, now: SimTime) -> f64 {
        let dt = now.saturating_since(self.since).as_secs_f64();
        self.since = now;
        self.tokens = (self.tokens + rate * dt).min((rate * burst_s).max(1.0));
        self.tokens
    }

    /// Takes one token.
    pub fn take(&mut self) {
        self.tokens -= 1.0;
    }
}
