//! Predict a fixed share of the limits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Predictor, Snapshot};
use crate::types::HostId;

/// Predicts a fixed share of the sum of limits.
///
/// Formula: P = phi x L. Source: `borg-default` in Bashir et al., *Take it to the Limit*, EuroSys 2021: the limit-based rule in use
/// at Google since about 2016; phi = 0.9 because the 95th percentile of usage over limit lies below 0.9 in all cells. It saves
/// 1 - phi by construction. Example: limits of 0.5 and 0.4 cores: 0.81 cores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BorgDefault {
    /// Share of the limits that is expected to be used at the peak. Default 0.9: the paper's.
    #[schemars(range(min = 0.01, max = 1.0))]
    #[serde(default = "nine_tenths")]
    pub phi: f64,
    /// How often hosts are sampled \[s\]. Default 300: the paper's.
    #[schemars(range(min = 1.0, max = 86400.0))]
    #[serde(default = "super::five_minutes")]
    pub sample_s: f64,
    /// Memory promised over memory there: predictors act on CPU alone. Default 1: no overcommitment.
    #[schemars(range(min = 0.01, max = 1000.0))]
    #[serde(default = "super::unit_ratio")]
    pub memory_ratio: f64,
}

fn nine_tenths() -> f64 {
    0.9
}

/// The predictor.
pub(super) struct ShareOfLimits {
    phi: f64,
}

impl ShareOfLimits {
    pub(super) fn new(spec: &BorgDefault) -> Self {
        Self { phi: spec.phi }
    }
}

impl Predictor for ShareOfLimits {
    fn peak(&mut self, _host: HostId, snapshot: &Snapshot<'_>) -> f64 {
        self.phi * snapshot.limit()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::peaks;

    #[test]
    fn nine_tenths_of_the_limits_are_predicted() {
        let found = peaks("borg-default", &[&[(0, 0.1, 0.5)], &[(0, 0.1, 0.5), (1, 0.4, 0.4)]]);
        assert!((found[0] - 0.45).abs() < 1e-12 && (found[1] - 0.81).abs() < 1e-12, "{found:?}");
    }
}
