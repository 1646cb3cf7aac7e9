//! Deciding step by step, without a forecast: what the online search algorithms have in common.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Plan, Thresholds, Work};
use crate::scheduler::View;
use crate::types::{Duration, SimTime};

/// Between which intensities the prices of a search lie. An intensity outside counts as the bound that it passes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PriceBounds {
    /// The lowest and the highest intensity observed in a window of the past, up to the beginning of the present step.
    Observed {
        /// Length of the window \[h\]. Default 168, a week: assumed, so that weekends are seen.
        #[schemars(range(min = 0.0))]
        #[serde(default = "window_h")]
        window_h: f64,
    },
    /// Bounds that are known beforehand; which of them is the lower does not depend on their order.
    Fixed {
        /// L [gCO2e/kWh].
        #[schemars(range(min = 0.0))]
        lowest_g_per_kwh: f64,
        /// U [gCO2e/kWh].
        #[schemars(range(min = 0.0))]
        highest_g_per_kwh: f64,
    },
    /// The published reading, with hindsight: the lowest and the highest intensity of the whole signal. It reads the forecast from the
    /// run's start to its end: an oracle under a perfect forecast.
    Hindsight {},
}

fn window_h() -> f64 {
    168.0
}

impl Default for PriceBounds {
    fn default() -> Self {
        Self::Observed { window_h: window_h() }
    }
}

/// Which threshold the i-th of k steps has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// The same for all: √(UL).
    OneMin,
    /// k-min search, with a cost of switching [g/kWh].
    KMin(f64),
}

/// A search, and what it need not compute twice.
#[derive(Debug)]
pub(super) struct Online {
    bounds: PriceBounds,
    rule: Rule,
    /// By region.
    seen: Vec<Seen>,
}

/// What holds in one region during one step.
#[derive(Debug, Default)]
struct Seen {
    step: Option<SimTime>,
    low: f64,
    high: f64,
    /// By k.
    thresholds: BTreeMap<u64, Thresholds>,
}

impl Online {
    pub fn new(bounds: PriceBounds, rule: Rule) -> Self {
        Online { bounds, rule, seen: Vec::new() }
    }

    /// L and U in the step that begins at `from`.
    fn look(&self, region: usize, from: SimTime, view: &View<'_>) -> (f64, f64) {
        match self.bounds {
            PriceBounds::Observed { window_h } => {
                view.observed[region].extremes(from, Duration::from_secs_f64(window_h * 3600.0))
            }
            PriceBounds::Fixed { lowest_g_per_kwh: a, highest_g_per_kwh: b } => (a.min(b), a.max(b)),
            PriceBounds::Hindsight {} => {
                let mut steps = Vec::new();
                let forecast = &view.forecasts[region];
                forecast.steps(view.now, SimTime::ZERO, forecast.known_until(view.now), &mut steps);
                let now = view.observed[region].at(view.now).0;
                steps.iter().fold((now, now), |(low, high), s| (low.min(s.g_per_kwh), high.max(s.g_per_kwh)))
            }
        }
    }

    /// The thresholds for k steps of work in the present step, with L and U.
    fn thresholds(&mut self, work: &Work<'_>, view: &View<'_>, k: u64, from: SimTime) -> (Thresholds, f64, f64) {
        let region = work.region.index();
        if self.seen.len() <= region {
            self.seen.resize_with(region + 1, Seen::default);
        }
        if self.seen[region].step != Some(from) {
            let again = matches!(self.bounds, PriceBounds::Observed { .. }) || self.seen[region].step.is_none();
            let before = (self.seen[region].low, self.seen[region].high);
            let (low, high) = if again { self.look(region, from, view) } else { before };
            let seen = &mut self.seen[region];
            if (low, high) != before {
                seen.thresholds.clear();
            }
            (seen.step, seen.low, seen.high) = (Some(from), low, high);
        }
        let beta = match self.rule {
            Rule::OneMin => 0.0,
            Rule::KMin(beta) => beta,
        };
        let seen = &mut self.seen[region];
        let (low, high) = (seen.low, seen.high);
        let of_k = *seen.thresholds.entry(k).or_insert_with(|| Thresholds::new(low, high, k, beta));
        (of_k, low, high)
    }

    /// Plans the present step, and to be asked again at the next.
    ///
    /// A step is one of the signal's own. k is the number of steps that the believed length takes, i the one that comes next. Work that
    /// cannot be suspended is one step, whatever its length; so is work of unknown length, at each of its steps. What remains runs to its end
    /// as soon as it could not be done by its deadline otherwise, checkpoint and restart included.
    pub fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        if work.slack == Duration::FOREVER || work.slack == Duration::ZERO {
            return plan.start(work.wanted.max(view.now));
        }
        let costs = work.kind.and_then(|k| k.interruption).unwrap_or_default();
        let is_running = work.running > 0;
        let has_run = work.done > Duration::ZERO || is_running;
        if has_run && !work.is_interruptible() {
            return plan.start(view.now);
        }
        // When it must run at the latest if it is not let to run now.
        let resume = if has_run { costs.restart } else { Duration::ZERO };
        let pause = if is_running { costs.checkpoint } else { Duration::ZERO };
        let needed = work.left().map(|left| left + resume);
        let last = match needed {
            Some(needed) => SimTime(work.deadline().0.saturating_sub(needed.0)),
            None => SimTime((view.now + work.patience()).0.saturating_sub(resume.0)),
        };
        let is_last = last <= view.now + pause;
        if is_last || work.left().is_some_and(|left| left == Duration::ZERO) {
            return plan.start(view.now);
        }
        let step = view.observed[work.region.index()].step(view.now);
        let (k, i) = match work.length {
            Some(length) if work.is_interruptible() => {
                let of = (step.to - step.from).0;
                let k = length.0.div_ceil(of).max(1);
                (k, (work.done.0 / of + 1).min(k))
            }
            _ => (1, 1),
        };
        let (k, i) = if matches!(self.rule, Rule::OneMin) { (1, 1) } else { (k, i) };
        let (thresholds, low, high) = self.thresholds(work, view, k, step.from);
        let threshold = if is_running { thresholds.running(i) } else { thresholds.paused(i) };
        // Rounding of the thresholds does not refuse a price that equals a bound.
        let price = step.g_per_kwh.clamp(low, high);
        if price > threshold + 1e-12 * high {
            // It waits; should nobody ask again, it runs when it must.
            plan.start(last);
            if step.to < last {
                plan.again = step.to;
            }
            return;
        }
        if !work.is_interruptible() {
            return plan.start(view.now);
        }
        plan.run(view.now, step.to);
        plan.again = step.to;
    }
}
