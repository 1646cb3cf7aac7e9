//! The hybrid histogram policy as its authors describe it in production.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HybridHistogram, IdleForecast, Known, Production, Windows};

/// The hybrid histogram with daily histograms over two weeks, loading 90 s before the head.
///
/// Rules: those of `hybrid-histogram`, where the histogram is the sum of the daily ones of the last `history_days`, today
/// included, and the sandbox is loaded `lead_s` before the head instead of at (1 - margin) head; a head within `lead_s` means
/// no unloading. Idle times beyond the range keep it for the range: no forecast is described for production.
///
/// Source: Shahrad et al., Serverless in the Wild, USENIX ATC 2020, on production: the two figures are published. Assumed: days
/// count alike (the paper speaks of weights and gives none); the thresholds, quantiles and the tail's margin are those of the
/// simulation. Days are those of the run, from its start. Example: idle times of 630 s: head 600 s, tail 660 s, loaded again
/// after 510 s and kept 726 s from then on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HybridHistogramProduction {
    /// How many days count, today included. Default 14 (published).
    #[schemars(range(min = 1, max = 366))]
    #[serde(default = "history")]
    pub history_days: u32,
    /// How long before the head the sandbox is loaded \[s\]. Default 90 (published).
    #[schemars(range(min = 0.0))]
    #[serde(default = "lead")]
    pub lead_s: f64,
}

fn history() -> u32 {
    14
}
fn lead() -> f64 {
    90.0
}

impl HybridHistogramProduction {
    /// The policy.
    pub(super) fn windows(&self, known: &Known) -> Windows {
        let rules = HybridHistogram { forecast: IdleForecast::None, ..HybridHistogram::default() };
        let production = Production { days: u64::from(self.history_days), lead_s: self.lead_s };
        Windows::new(rules, Some(production), known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::keep_alive::{Plan, Prewarm};
    use crate::scheduler::tests::{feed, idle, known, pool};
    use crate::types::Duration;

    fn policy(keys: &str) -> Windows {
        toml::from_str::<HybridHistogramProduction>(keys).expect("right keys").windows(&known(1))
    }

    #[test]
    fn it_loads_90_s_before_the_head() {
        let (mut p, mut pool) = (policy(""), pool(0, 0));
        let end = feed(&mut p, &mut pool, 0.0, &[630.0; 10]);
        let prewarm = Prewarm { after: Duration::from_secs(510), keep: Duration::from_secs(726) };
        assert_eq!(idle(&mut p, &pool, end), Plan { keep: Duration::ZERO, prewarm: Some(prewarm) });
    }

    #[test]
    fn a_head_within_the_lead_means_no_unloading() {
        let (mut p, mut pool) = (policy(""), pool(0, 0));
        let end = feed(&mut p, &mut pool, 0.0, &[70.0; 10]);
        assert_eq!(idle(&mut p, &pool, end), Duration::from_secs(132).into());
    }

    #[test]
    fn a_day_is_forgotten_when_it_leaves_the_history() {
        let (mut p, mut pool) = (policy("history_days = 2"), pool(0, 0));
        feed(&mut p, &mut pool, 0.0, &[630.0; 10]);
        feed(&mut p, &mut pool, 86_400.0, &[70.0; 10]);
        let both = idle(&mut p, &pool, 100_000.0);
        assert_eq!(both.keep, Duration::from_secs(726), "head of the second day, tail of the first");
        assert_eq!(idle(&mut p, &pool, 172_800.0), Duration::from_secs(132).into(), "the second day alone");
        assert_eq!(idle(&mut p, &pool, 259_200.0), Duration::from_secs(14_400).into(), "nothing is left");
    }
}
