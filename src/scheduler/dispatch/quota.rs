//! Quotas: how many calls per second a function's CPU quota is worth.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::SimTime;

/// A function's rate limit r0 [calls/s] is its owner's quota \[cores\] over its mean cost per call [core·s].
///
/// ```text
///   r0 = q / c                                   q: quota; c: mean cost
///   c <- c + (x - c) / min(k, n)                 after the k-th call, which cost x: the plain mean up to n = mean_over_calls, then exponential
///   tokens <- min(tokens + r dt, max(1, r burst_s))      one per call; calls start while there is a whole one
/// ```
///
/// In any stretch of t seconds, at most r (t + burst_s) calls start (t r + 1 where r burst_s is below one). A call that goes because it is
/// due takes no token: it goes beyond the rate.
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
        self.calls = (self.calls + 1.0).min(over_calls.max(1.0));
        self.mean += (cost - self.mean) / self.calls;
    }

    /// The mean [core·s]; 0 before the first call.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The rate that a quota of so many cores is worth [calls/s]: 0 for none, infinite before the first call and for calls that cost nothing.
    pub fn rate(&self, cores: f64) -> f64 {
        if cores <= 0.0 {
            0.0
        } else if self.mean > 0.0 {
            cores / self.mean
        } else {
            f64::INFINITY
        }
    }
}

/// How near below a whole number of tokens counts as whole: what adding up has lost to rounding.
const WHOLE: f64 = 1e-9;

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
        self.since = self.since.max(now);
        if rate == f64::INFINITY {
            self.tokens = f64::INFINITY;
            return self.tokens;
        }
        self.tokens = (self.tokens + rate * dt).min((rate * burst_s).max(1.0));
        let whole = self.tokens.round();
        if whole > self.tokens && whole - self.tokens < WHOLE {
            self.tokens = whole;
        }
        self.tokens
    }

    /// Takes one token, whether there is one or not.
    pub fn take(&mut self) {
        self.tokens -= 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Seed;

    fn at(seconds: f64) -> SimTime {
        SimTime::from_secs_f64(seconds)
    }

    #[test]
    fn the_mean_is_plain_at_first_and_then_forgets() {
        let mut cost = MeanCost::default();
        assert_eq!((cost.rate(2.0), cost.rate(0.0)), (f64::INFINITY, 0.0));
        for (x, mean) in [(4.0, 4.0), (8.0, 6.0), (0.0, 4.0), (8.0, 5.0)] {
            cost.add(x, 4.0);
            assert_eq!(cost.mean(), mean);
        }
        // From the fourth on each has a weight of a quarter: 5 + (13 - 5)/4.
        cost.add(13.0, 4.0);
        assert_eq!((cost.mean(), cost.rate(3.5)), (7.0, 0.5));
        // After a step, what is left of the old mean after k calls is (1 - 1/n)^k.
        (0..20).for_each(|_| cost.add(0.0, 4.0));
        assert!((cost.mean() - 7.0 * f64::powi(0.75, 20)).abs() < 1e-12);
        let mut free = MeanCost::default();
        free.add(0.0, 1000.0);
        assert_eq!(free.rate(1.0), f64::INFINITY);
    }

    /// How many calls start within so many seconds, polled every `step_s`, of a function with calls without end.
    fn started(rate: f64, burst_s: f64, step_s: f64, seconds: f64) -> u64 {
        let (mut bucket, mut calls) = (Bucket::new(at(0.0)), 0);
        for k in 0..=(seconds / step_s).round() as u64 {
            bucket.fill(rate, burst_s, at(k as f64 * step_s));
            while bucket.tokens >= 1.0 {
                bucket.take();
                calls += 1;
            }
        }
        calls
    }

    #[test]
    fn a_rate_is_kept_to_the_call_however_often_it_is_polled() {
        // One at once, then the rate; a poll of more than the burst loses what is above it.
        for (rate, wanted) in [(0.1, 101), (1.0, 1001), (0.3, 301), (7.0, 7001), (1.0 / 3.0, 334), (0.0, 1)] {
            for step_s in [0.1, 1.0, 10.0] {
                assert_eq!(started(rate, 60.0, step_s, 1000.0), wanted, "{rate}/s every {step_s} s");
            }
        }
        assert_eq!(started(7.0, 5.0, 10.0, 1000.0), 1 + 100 * 35);
        assert_eq!(started(0.25, 1.0, 1.0, 100.0), 26, "a bucket holds one call at least");
    }

    #[test]
    fn no_stretch_has_more_calls_than_the_rate_and_a_burst() {
        let mut random = Seed(4).stream("bucket", 0);
        let (rate, burst_s) = (2.5, 8.0);
        let (mut bucket, mut starts, mut now) = (Bucket::new(at(0.0)), Vec::new(), 0.0);
        for _ in 0..2000 {
            let mean = if random.uniform() < 0.05 { 30.0 } else { 0.1 };
            now += random.exponential(mean);
            if bucket.fill(rate, burst_s, at(now)) >= 1.0 {
                bucket.take();
                starts.push(now);
            }
        }
        let most = |t: f64| rate * (t + burst_s);
        for (i, from) in starts.iter().enumerate() {
            for (n, to) in starts[i..].iter().enumerate() {
                assert!((n + 1) as f64 <= most(to - from) + 1e-6);
            }
        }
        assert!(starts.len() > 500);
    }

    #[test]
    fn calls_that_went_without_a_token_are_paid_back() {
        let mut bucket = Bucket::new(at(0.0));
        (0..6).for_each(|_| bucket.take());
        assert_eq!(bucket.fill(0.5, 60.0, at(10.0)), 0.0);
        assert_eq!(bucket.fill(0.5, 60.0, at(12.0)), 1.0);
    }

    #[test]
    fn no_rate_gives_nothing_and_no_limit_gives_all_and_is_forgotten() {
        let mut bucket = Bucket::new(at(0.0));
        bucket.take();
        assert_eq!(bucket.fill(0.0, 60.0, at(1e6)), 0.0);
        assert_eq!(bucket.fill(f64::INFINITY, 60.0, at(1e6)), f64::INFINITY);
        bucket.take();
        assert_eq!(bucket.fill(2.0, 60.0, at(1e6)), 120.0, "a limit that comes later begins with its burst");
    }
}
