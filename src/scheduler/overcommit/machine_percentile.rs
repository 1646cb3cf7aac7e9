//! Predict a percentile of a host's use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Predictor, Semantics, Snapshot, Totals};
use crate::stats::quantile_of_unsorted;
use crate::types::HostId;

/// Predicts a percentile of the total use of the host's warm instances over their last samples, plus the limits of the instances
/// that are not warm yet.
///
/// Formula: that of `n-sigma` with the percentile, linear between order statistics, in place of mean and deviation; `paper` of the use in cores,
/// `compat` of the shares of the limits. The paper has no such predictor, its released simulator has: `paper` is ours by analogy.
/// Source: google/cluster-resource-forecast (Apache-2.0). Example: uses of 0.2, 0.3 and 0.25 cores, 50th percentile: 0.25.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachinePercentile {
    /// The percentile. Default 99: that of the paper's `resource-central`.
    #[schemars(range(min = 0.0, max = 100.0))]
    #[serde(default = "super::ninety_nine")]
    pub percentile: f64,
    /// `paper` as published, `compat` as the released simulator computes it. Default paper.
    #[serde(default)]
    pub semantics: Semantics,
    /// An instance with fewer samples than this counts with its limit. Default 24, two hours of samples: the paper's.
    #[schemars(range(min = 2, max = 100000))]
    #[serde(default = "super::two_hours")]
    pub warmup_samples: u32,
    /// How many samples are remembered per instance. Default 120, ten hours of samples: the paper's.
    #[schemars(range(min = 2, max = 100000))]
    #[serde(default = "super::ten_hours")]
    pub history_samples: u32,
    /// Whether a use above the limit is taken for the limit. Default true: the paper's.
    #[serde(default = "super::yes")]
    pub cap_to_limit: bool,
    /// How often hosts are sampled \[s\]. Default 300: the paper's.
    #[schemars(range(min = 1.0, max = 86400.0))]
    #[serde(default = "super::five_minutes")]
    pub sample_s: f64,
    /// Memory promised over memory there: predictors act on CPU alone. Default 1: no overcommitment.
    #[schemars(range(min = 0.01, max = 1000.0))]
    #[serde(default = "super::unit_ratio")]
    pub memory_ratio: f64,
}

/// The predictor.
pub(super) struct Percentile {
    quantile: f64,
    semantics: Semantics,
    totals: Totals,
}

impl Percentile {
    pub(super) fn new(p: &MachinePercentile) -> Self {
        let totals = Totals::new(p.semantics, p.warmup_samples, p.history_samples, p.cap_to_limit);
        Self { quantile: p.percentile / 100.0, semantics: p.semantics, totals }
    }
}

impl Predictor for Percentile {
    fn peak(&mut self, host: HostId, snapshot: &Snapshot<'_>) -> f64 {
        let now = self.totals.hear(host, snapshot.samples);
        now.peak(self.semantics, |series| quantile_of_unsorted(series, self.quantile))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::peaks;

    #[test]
    fn the_percentile_is_of_the_sum_not_the_sum_of_percentiles() {
        let series: &[&[(u32, f64, f64)]] = &[&[(0, 0.0, 1.0), (1, 1.0, 1.0)], &[(0, 1.0, 1.0), (1, 0.0, 1.0)]];
        for semantics in ["paper", "compat"] {
            let spec = format!(
                "machine-percentile = {{ percentile = 100.0, warmup_samples = 2, semantics = \"{semantics}\" }}"
            );
            assert_eq!(peaks(&spec, series), [2.0, 1.0], "{semantics}");
        }
    }
}
