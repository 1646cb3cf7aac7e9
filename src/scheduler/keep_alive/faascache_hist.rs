//! The policy called HIST in FaasCache: a time to live from the histogram of times between arrivals.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IdleView, KeepAlive, Plan, Prewarm};
use crate::scheduler::idle_times::{BinCounts, ByPool};
use crate::scheduler::{CallView, Known, PoolView, View};
use crate::types::{Duration, SimTime};

/// FaasCache's HIST: a time to live and a pre-load from the times between arrivals, where these vary little.
///
/// Rule, per pool and region, over whole minutes between arrivals below `range_s`: if variance / mean (of minutes, population
/// variance; a mean of 0 counts) <= `dispersion_threshold`, a sandbox stays for 1.1 x tail after its last use, and one is
/// loaded 0.9 x head after it where there is none by then. Otherwise, and before two samples, it stays for `fallback_s`.
/// head = the minute before the first whose cumulative share exceeds 0.05, tail = the minute after the first that exceeds 0.99.
///
/// **Not** the policy of Serverless in the Wild, which tests the CV of bin counts over idle times and unloads at once: see
/// `hybrid-histogram`. Source: FaasCache (ASPLOS 2021), released simulator. Its time to live counts from the begin of the last
/// call, here from the last arrival. Example: arrivals every 630 s: mean 10 min, variance 0; head 9 min, tail 11 min: kept until
/// 726 s after the last arrival.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaascacheHist {
    /// Range of the histogram \[s\]; longer times are not counted. Default 14400 (released code).
    #[schemars(range(min = 60.0, max = 2_678_400.0))]
    #[serde(default = "range")]
    pub range_s: f64,
    /// Largest variance over mean of a predictable pool \[minutes\]. Default 2 (released code).
    #[schemars(range(min = 0.0))]
    #[serde(default = "dispersion")]
    pub dispersion_threshold: f64,
    /// Time to live of all others \[s\]. Default 7200 (released code).
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    #[serde(default = "fallback")]
    pub fallback_s: f64,
}

fn range() -> f64 {
    14_400.0
}
fn dispersion() -> f64 {
    2.0
}
fn fallback() -> f64 {
    7200.0
}

const MINUTE_S: f64 = 60.0;

/// What is known of one pool.
struct Learnt {
    last: SimTime,
    minutes: BinCounts,
    sum: f64,
    squares: f64,
    /// Time to live and pre-load after the last use, until something new is learnt; `None` where it is not predictable.
    windows: Option<Option<(Duration, Duration)>>,
}

/// The policy with what it has learnt.
pub(super) struct Hist {
    spec: FaascacheHist,
    pools: ByPool<Option<Box<Learnt>>>,
}

impl Hist {
    pub(super) fn new(spec: FaascacheHist, known: &Known) -> Self {
        Self { spec, pools: ByPool::new(known) }
    }
}

impl Learnt {
    /// Time to live and pre-load, where the pool is predictable.
    fn windows(&self, threshold: f64) -> Option<(Duration, Duration)> {
        let n = self.minutes.total() as f64;
        if n < 2.0 {
            return None;
        }
        let mean = self.sum / n;
        let variance = (self.squares / n - mean * mean).max(0.0);
        if mean > 0.0 && variance / mean > threshold {
            return None;
        }
        let head = self.minutes.first_bin(|share| share > 0.05).saturating_sub(1);
        let tail = (self.minutes.first_bin(|share| share > 0.99) + 1).min(self.minutes.bins());
        let seconds = |minutes: usize, factor: f64| Duration::from_secs_f64(minutes as f64 * MINUTE_S * factor);
        Some((seconds(tail, 1.1), seconds(head, 0.9)))
    }
}

impl KeepAlive for Hist {
    fn keep(&mut self, sandbox: &IdleView<'_>, _view: &View<'_>) -> Plan {
        let fallback = Duration::from_secs_f64(self.spec.fallback_s).into();
        let Some(learnt) = self.pools.of(&sandbox.pool) else { return fallback };
        let windows = learnt.windows.unwrap_or_else(|| learnt.windows(self.spec.dispersion_threshold));
        learnt.windows = Some(windows);
        let Some((ttl, load)) = windows else { return fallback };
        let since = sandbox.now.saturating_since(learnt.last);
        let left = |window: Duration| Duration(window.0.saturating_sub(since.0));
        let after = left(load);
        let prewarm = (after > Duration::ZERO).then_some(Prewarm { after, keep: ttl });
        Plan { keep: left(ttl), prewarm }
    }

    fn observes(&self) -> bool {
        true
    }

    fn arrived(&mut self, _call: &CallView<'_>, pool: &PoolView, view: &View<'_>) {
        let known = self.pools.of(pool);
        let Some(learnt) = known else {
            let minutes = BinCounts::new(self.spec.range_s, MINUTE_S);
            *known = Some(Box::new(Learnt { last: view.now, minutes, sum: 0.0, squares: 0.0, windows: None }));
            return;
        };
        let minute = learnt.minutes.bin(view.now.saturating_since(learnt.last));
        learnt.last = view.now;
        if minute < learnt.minutes.bins() {
            learnt.minutes.add(minute);
            learnt.sum += minute as f64;
            learnt.squares += (minute * minute) as f64;
            learnt.windows = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::tests::{arrive, idle, known, pool};

    fn policy() -> Hist {
        Hist::new(toml::from_str("").expect("no key is required"), &known(1))
    }

    #[test]
    fn arrivals_every_630_s_are_kept_until_726_s_after_the_last() {
        let (mut p, pool) = (policy(), pool(0, 0));
        for n in 0..5 {
            arrive(&mut p, &pool, f64::from(n) * 630.0);
        }
        let plan = idle(&mut p, &pool, 4.0 * 630.0 + 6.0);
        assert_eq!(plan.keep, Duration::from_secs(720));
        let prewarm = Prewarm { after: Duration::from_secs(480), keep: Duration::from_secs(726) };
        assert_eq!(plan.prewarm, Some(prewarm), "0.9 x 9 min after the arrival, where the sandbox was evicted");
    }

    #[test]
    fn few_or_erratic_arrivals_are_kept_for_two_hours() {
        let (mut p, pool) = (policy(), pool(0, 0));
        assert_eq!(idle(&mut p, &pool, 1.0), Duration::from_secs(7200).into());
        arrive(&mut p, &pool, 0.0);
        arrive(&mut p, &pool, 60.0);
        assert_eq!(idle(&mut p, &pool, 61.0), Duration::from_secs(7200).into(), "one sample");
        // Minutes 1 and 101: mean 51, variance 2500.
        arrive(&mut p, &pool, 60.0 + 101.0 * 60.0);
        assert_eq!(idle(&mut p, &pool, 7000.0), Duration::from_secs(7200).into(), "variance / mean is 49");
    }
}
