//! Predict the sum of the percentiles of each instance's own use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PerInstance, Predictor, Semantics, Snapshot, Sorted, State, share, stored};
use crate::stats::quantile_of_sorted;
use crate::types::HostId;

/// Predicts the sum over warm instances of a percentile of each one's own use over its last samples, plus the limits of the
/// instances that are not warm yet.
///
/// Formula: P = sum of percentile_k(own use), linear between order statistics (position (N - 1) k / 100); `compat`: percentile_k(use / limit) x
/// present limit, the same wherever limits are constant. Source: the "RC-like" predictor of Bashir et al., *Take it to the Limit*,
/// EuroSys 2021, named after Resource Central (SOSP 2017). Example: uses of 0.2, 0.3, 0.25, 95th percentile: position 1.9, 0.295.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceCentral {
    /// The percentile. Default 99: the paper's simulations; its production experiment had 80.
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

struct Own {
    heard: u32,
    values: Sorted,
}

impl State for Own {
    fn clear(&mut self) {
        self.heard = 0;
        self.values.clear();
    }
}

/// The predictor.
pub(super) struct SumOfPercentiles {
    quantile: f64,
    spec: ResourceCentral,
    own: PerInstance<Own>,
}

impl SumOfPercentiles {
    pub(super) fn new(p: &ResourceCentral) -> Self {
        let history = p.history_samples as usize;
        let own = PerInstance::new(move || Own { heard: 0, values: Sorted::new(history) });
        Self { quantile: p.percentile / 100.0, spec: p.clone(), own }
    }
}

impl Predictor for SumOfPercentiles {
    fn peak(&mut self, host: HostId, snapshot: &Snapshot<'_>) -> f64 {
        let compat = self.spec.semantics == Semantics::Compat;
        let own = self.own.of(host, snapshot.samples);
        let peaks = own.iter_mut().zip(snapshot.samples).map(|((_, own), sample)| {
            own.heard = own.heard.saturating_add(1);
            let used = stored(sample, self.spec.cap_to_limit);
            own.values.push(if compat { share(used, sample.limit) } else { used });
            if own.heard < self.spec.warmup_samples {
                return sample.limit;
            }
            quantile_of_sorted(own.values.ascending(), self.quantile) * if compat { sample.limit } else { 1.0 }
        });
        peaks.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::peaks;

    #[test]
    fn the_percentile_of_each_instances_own_use_is_added_up() {
        let series: &[&[(u32, f64, f64)]] =
            &[&[(0, 0.2, 0.5), (4, 1.0, 1.0)], &[(0, 0.3, 0.5), (4, 0.0, 1.0)], &[(0, 0.25, 0.5), (5, 2.0, 0.7)]];
        for semantics in ["paper", "compat"] {
            let keys = format!("percentile = 95.0, warmup_samples = 2, semantics = \"{semantics}\"");
            let found = peaks(&format!("resource-central = {{ {keys} }}"), series);
            let wanted = [1.5, 0.295 + 0.95, 0.295 + 0.7];
            assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12), "{semantics}: {found:?}");
        }
    }
}
