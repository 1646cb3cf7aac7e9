//! Learn the idle times of each pool: unload, load again before the next call, and keep until it is late.

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IdleView, KeepAlive, Plan, Prewarm};
use crate::scheduler::idle_times::{BinCounts, ByPool, Gaps};
use crate::scheduler::{CallView, Known, PoolView, View};
use crate::stats::next_value;
use crate::types::{Duration, SimTime};

/// How idle times beyond the histogram are forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IdleForecast {
    /// By an autoregressive model of order 0 to 3 (AIC) of the last idle times; the mean where they are few. It stands in for
    /// the published ARIMA (auto_arima), without differences and moving averages.
    Autoregressive,
    /// Not at all: such pools are kept for the whole range (the published variant without ARIMA).
    None,
}

/// From where the keep-alive window counts after a pre-warming one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WindowOrigin {
    /// From the end of the pre-warming window, when the sandbox is loaded again.
    Prewarm,
    /// From the end of the last execution.
    ExecutionEnd,
}

/// The hybrid histogram policy, per pool and region, over idle times: from the end of the last execution to the next arrival.
///
/// Rules, in this order, over bins of `bin_s` up to `range_s`:
///
/// ```text
/// fewer than min_samples idle times            keep = range
/// share beyond the range >= oob_threshold      x = forecast: prewarm after (1 - m) x, keep 2 m x     m = forecast_margin
/// CV of the bin counts < cv_threshold          keep = range
/// else                                         prewarm after (1 - m) head, keep (1 + m) tail         m = histogram_margin
/// ```
///
/// head = lower edge of the first bin whose cumulative share reaches `head_quantile`, tail = upper edge for `tail_quantile`.
/// A pre-warming window of 0 means no unloading, and the keep-alive window counts from the end of execution.
///
/// Left open by the paper, and chosen here: what is done before the first idle time (range); how many samples make a histogram
/// (one); several sandboxes of one app (each gets the same windows; an idle time exists only while none executes).
///
/// Source: Shahrad et al., Serverless in the Wild, USENIX ATC 2020. Example: idle times of 10.5 min (5 %), 20.5 min (90 %) and
/// 30.5 min (5 %): head 10 min, tail 31 min, loaded again after 9 min and kept 34.1 min from then on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HybridHistogram {
    /// Range of the histogram, a whole multiple of `bin_s` \[s\]. Default 14400 (published).
    #[schemars(range(min = 1.0, max = 2_678_400.0))]
    #[serde(default = "range")]
    pub range_s: f64,
    /// Width of a bin \[s\]. Default 60 (published).
    #[schemars(range(min = 1.0, max = 2_678_400.0))]
    #[serde(default = "bin")]
    pub bin_s: f64,
    /// Idle times before which a pool is kept for the range. Default 1 (assumed: the paper does not say).
    #[schemars(range(min = 1))]
    #[serde(default = "min_samples")]
    pub min_samples: u32,
    /// Share of idle times beyond the range from which they are forecast. Default 0.5 (published).
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "oob_threshold")]
    pub oob_threshold: f64,
    /// Coefficient of variation of the bin counts below which the histogram is not representative. Default 2 (published).
    #[schemars(range(min = 0.0))]
    #[serde(default = "cv_threshold")]
    pub cv_threshold: f64,
    /// Quantile of the idle times before which the sandbox is loaded. Default 0.05 (published).
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "head_quantile")]
    pub head_quantile: f64,
    /// Quantile of the idle times until which it is kept. Default 0.99 (published).
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "tail_quantile")]
    pub tail_quantile: f64,
    /// Safety margin of head and tail. Default 0.1 (published).
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "histogram_margin")]
    pub histogram_margin: f64,
    /// How idle times beyond the range are forecast. Default `autoregressive`.
    #[serde(default = "autoregressive")]
    pub forecast: IdleForecast,
    /// Safety margin of the forecast, on either side. Default 0.15 (published).
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "forecast_margin")]
    pub forecast_margin: f64,
    /// How many of the last idle times the forecast looks at. Default 50 (assumed: the paper fits all of them).
    #[schemars(range(min = 1, max = 10_000))]
    #[serde(default = "forecast_samples")]
    pub forecast_samples: u32,
    /// From where the keep-alive window of the histogram counts. Default `prewarm` (recalled from the paper).
    #[serde(default = "prewarm")]
    pub window_origin: WindowOrigin,
}

fn range() -> f64 {
    14_400.0
}
fn bin() -> f64 {
    60.0
}
fn min_samples() -> u32 {
    1
}
fn oob_threshold() -> f64 {
    0.5
}
fn cv_threshold() -> f64 {
    2.0
}
fn head_quantile() -> f64 {
    0.05
}
fn tail_quantile() -> f64 {
    0.99
}
fn histogram_margin() -> f64 {
    0.1
}
fn autoregressive() -> IdleForecast {
    IdleForecast::Autoregressive
}
fn forecast_margin() -> f64 {
    0.15
}
fn forecast_samples() -> u32 {
    50
}
fn prewarm() -> WindowOrigin {
    WindowOrigin::Prewarm
}

impl Default for HybridHistogram {
    fn default() -> Self {
        Self {
            range_s: range(),
            bin_s: bin(),
            min_samples: min_samples(),
            oob_threshold: oob_threshold(),
            cv_threshold: cv_threshold(),
            head_quantile: head_quantile(),
            tail_quantile: tail_quantile(),
            histogram_margin: histogram_margin(),
            forecast: autoregressive(),
            forecast_margin: forecast_margin(),
            forecast_samples: forecast_samples(),
            window_origin: prewarm(),
        }
    }
}

/// How production departs from the published simulation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Production {
    /// How many days count, today included.
    pub(super) days: u64,
    /// How long before the head the sandbox is loaded \[s\]; the margin of the head is not used.
    pub(super) lead_s: f64,
}

/// What was counted on one day, by bin; bins in order.
struct Day {
    number: u64,
    bins: Vec<(usize, u32)>,
}

/// What is known of one pool.
struct Learnt {
    gaps: Gaps,
    histogram: BinCounts,
    /// The last idle times \[s\], oldest first, where they are forecast.
    recent: VecDeque<f64>,
    /// The days that count, oldest first; empty where nothing is forgotten.
    days: VecDeque<Day>,
    /// The answer, until something new is learnt.
    plan: Option<Plan>,
}

impl Learnt {
    fn forget(&mut self, today: u64, days: u64) {
        while self.days.front().is_some_and(|day| day.number + days <= today)
            && let Some(day) = self.days.pop_front()
        {
            for (bin, times) in day.bins {
                self.histogram.take_back(bin, times);
            }
            self.plan = None;
        }
    }

    fn note(&mut self, today: u64, bin: usize) {
        if self.days.back().is_none_or(|day| day.number != today) {
            self.days.push_back(Day { number: today, bins: Vec::new() });
        }
        let Some(day) = self.days.back_mut() else { return };
        match day.bins.binary_search_by_key(&bin, |&(b, _)| b) {
            Ok(at) => day.bins[at].1 += 1,
            Err(at) => day.bins.insert(at, (bin, 1)),
        }
    }
}

/// The policy with what it has learnt.
pub(super) struct Windows {
    spec: HybridHistogram,
    production: Option<Production>,
    pools: ByPool<Option<Box<Learnt>>>,
}

fn day(now: SimTime) -> u64 {
    now.0 / Duration::from_secs(86_400).0
}

impl Windows {
    pub(super) fn new(spec: HybridHistogram, production: Option<Production>, known: &Known) -> Self {
        Self { spec, production, pools: ByPool::new(known) }
    }
}

/// Load after `prewarm_s` and keep for `keep_s` from then on; from the end of execution if `prewarm_s` is 0.
fn windows(prewarm_s: f64, keep_s: f64) -> Plan {
    let (after, keep) = (Duration::from_secs_f64(prewarm_s), Duration::from_secs_f64(keep_s));
    if after == Duration::ZERO || keep == Duration::ZERO {
        return keep.into();
    }
    Plan { keep: Duration::ZERO, prewarm: Some(Prewarm { after, keep }) }
}

impl HybridHistogram {
    fn plan(&self, production: Option<Production>, learnt: &Learnt) -> Plan {
        let histogram = &learnt.histogram;
        let range = Duration::from_secs_f64(self.range_s).into();
        if histogram.total() < u64::from(self.min_samples) {
            return range;
        }
        if histogram.share_beyond() >= self.oob_threshold {
            let recent: Vec<f64> = learnt.recent.iter().copied().collect();
            return match next_value(&recent, 3) {
                Some(x) if x > 0.0 => windows((1.0 - self.forecast_margin) * x, 2.0 * self.forecast_margin * x),
                _ => range,
            };
        }
        if histogram.cv() < self.cv_threshold {
            return range;
        }
        let edge = |bin: usize| bin as f64 * self.bin_s;
        let head = edge(histogram.first_bin(|share| share >= self.head_quantile));
        let tail = edge(histogram.first_bin(|share| share >= self.tail_quantile) + 1);
        let prewarm = match production {
            Some(p) => (head - p.lead_s).max(0.0),
            None => (1.0 - self.histogram_margin) * head,
        };
        let keep = (1.0 + self.histogram_margin) * tail;
        match self.window_origin {
            WindowOrigin::Prewarm => windows(prewarm, keep),
            WindowOrigin::ExecutionEnd => windows(prewarm, keep - prewarm),
        }
    }
}

impl KeepAlive for Windows {
    fn keep(&mut self, sandbox: &IdleView<'_>, _view: &View<'_>) -> Plan {
        let Some(learnt) = self.pools.of(&sandbox.pool) else {
            return Duration::from_secs_f64(self.spec.range_s).into();
        };
        if let Some(p) = self.production {
            learnt.forget(day(sandbox.now), p.days);
        }
        if let Some(plan) = learnt.plan {
            return plan;
        }
        let plan = self.spec.plan(self.production, learnt);
        learnt.plan = Some(plan);
        plan
    }

    fn observes(&self) -> bool {
        true
    }

    fn arrived(&mut self, _call: &CallView<'_>, pool: &PoolView, view: &View<'_>) {
        let spec = &self.spec;
        let learnt = self.pools.of(pool).get_or_insert_with(|| {
            Box::new(Learnt {
                gaps: Gaps::default(),
                histogram: BinCounts::new(spec.range_s, spec.bin_s),
                recent: VecDeque::new(),
                days: VecDeque::new(),
                plan: None,
            })
        });
        let Some(gap) = learnt.gaps.gap(pool, view.now) else { return };
        let bin = learnt.histogram.bin(gap);
        learnt.histogram.add(bin);
        learnt.plan = None;
        if let Some(p) = self.production {
            learnt.note(day(view.now), bin);
            learnt.forget(day(view.now), p.days);
        }
        if spec.forecast == IdleForecast::Autoregressive {
            if learnt.recent.len() >= spec.forecast_samples as usize {
                learnt.recent.pop_front();
            }
            learnt.recent.push_back(gap.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::tests::{feed, idle, known, pool};

    /// What is planned after these idle times \[s\].
    fn after(keys: &str, gaps_s: &[f64]) -> Plan {
        let mut p = Windows::new(toml::from_str(keys).expect("right keys"), None, &known(1));
        let mut pool = pool(0, 0);
        let end = feed(&mut p, &mut pool, 0.0, gaps_s);
        idle(&mut p, &pool, end)
    }

    fn prewarm(after_s: f64, keep_s: f64) -> Plan {
        windows(after_s, keep_s)
    }

    fn three_peaks() -> Vec<f64> {
        [vec![630.0; 5], vec![1230.0; 90], vec![1830.0; 5]].concat()
    }

    #[test]
    fn the_example_is_loaded_after_9_min_and_kept_34_1_min() {
        assert_eq!(after("", &three_peaks()), prewarm(540.0, 2046.0));
        let from_the_end = after("window_origin = \"execution-end\"", &three_peaks());
        assert_eq!(from_the_end, prewarm(540.0, 1506.0));
    }

    #[test]
    fn nothing_known_or_nothing_representative_keeps_for_the_range() {
        let range = Plan::from(Duration::from_secs(14_400));
        assert_eq!(after("", &[]), range);
        let flat: Vec<f64> = (0..240).map(|bin| f64::from(bin) * 60.0 + 30.0).collect();
        assert_eq!(after("", &flat), range);
        assert_eq!(after("min_samples = 3", &[630.0, 630.0]), range);
    }

    #[test]
    fn a_head_of_0_means_no_unloading() {
        assert_eq!(after("", &[30.0; 20]), Duration::from_secs(66).into());
    }

    #[test]
    fn idle_times_beyond_the_range_are_forecast_with_a_margin_of_15_percent() {
        // Half of them lie beyond: the threshold is reached. The forecast of two values is their mean, 5 h.
        let gaps = [3.0 * 3600.0, 7.0 * 3600.0];
        assert_eq!(after("", &gaps), prewarm(4.25 * 3600.0, 1.5 * 3600.0));
        assert_eq!(after("forecast = \"none\"", &gaps), Duration::from_secs(14_400).into());
        assert_eq!(after("forecast_samples = 1", &gaps), prewarm(5.95 * 3600.0, 2.1 * 3600.0), "7 h alone");
    }

    #[test]
    fn what_is_learnt_of_one_pool_says_nothing_of_another() {
        let mut p = Windows::new(HybridHistogram::default(), None, &known(2));
        let mut first = pool(0, 0);
        feed(&mut p, &mut first, 0.0, &[630.0]);
        assert_eq!(idle(&mut p, &first, 700.0), prewarm(540.0, 726.0));
        assert_eq!(idle(&mut p, &pool(0, 1), 700.0), Duration::from_secs(14_400).into());
        assert_eq!(idle(&mut p, &pool(1, 0), 700.0), Duration::from_secs(14_400).into());
    }
}
