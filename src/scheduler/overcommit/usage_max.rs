//! Predict the sum of each instance's own highest use so far.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PerInstance, Predictor, Snapshot, SoFar, stored};
use crate::types::HostId;

/// Predicts the sum over warm instances of the highest use since each appeared, plus the limits of the instances that are not warm yet.
///
/// Formula: P = sum of max(own use so far). Source: the predictor `max` of google/cluster-resource-forecast (Apache-2.0), which
/// knows no history length; not the paper's "max predictor" (here `max`). Example: uses of 0.2, 0.3, 0.25: 0.3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UsageMax {
    /// An instance with fewer samples than this counts with its limit. Default 24, two hours of samples: the paper's.
    #[schemars(range(min = 2, max = 100000))]
    #[serde(default = "super::two_hours")]
    pub warmup_samples: u32,
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
pub(super) struct SumOfPeaks {
    spec: UsageMax,
    highest: PerInstance<SoFar>,
}

impl SumOfPeaks {
    pub(super) fn new(p: &UsageMax) -> Self {
        Self { spec: p.clone(), highest: PerInstance::new(SoFar::default) }
    }
}

impl Predictor for SumOfPeaks {
    fn peak(&mut self, host: HostId, snapshot: &Snapshot<'_>) -> f64 {
        let live = self.highest.of(host, snapshot.samples);
        let peaks = live.iter_mut().zip(snapshot.samples).map(|((_, own), sample)| {
            own.heard = own.heard.saturating_add(1);
            own.usage = own.usage.max(stored(sample, self.spec.cap_to_limit));
            if own.heard < self.spec.warmup_samples { sample.limit } else { own.usage }
        });
        peaks.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::peaks;

    #[test]
    fn each_instance_counts_with_its_own_peak_and_forgets_it_when_it_leaves() {
        let series: &[&[(u32, f64, f64)]] =
            &[&[(0, 0.4, 0.5)], &[(0, 0.9, 0.5)], &[], &[(0, 0.1, 0.5)], &[(0, 0.2, 0.5)]];
        assert_eq!(peaks("usage-max = { warmup_samples = 2 }", series), [0.5, 0.5, 0.0, 0.5, 0.2]);
        assert_eq!(peaks("usage-max = { warmup_samples = 2, cap_to_limit = false }", series)[1], 0.9);
    }
}
