//! Predict the largest of what several predictors say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PartSpec, Predictor, Snapshot};
use crate::types::HostId;

/// Predicts the largest of what several predictors say, step by step.
///
/// Formula: P = max of the parts. Source: the "max predictor" of Bashir et al., *Take it to the Limit*, EuroSys 2021: N-sigma and
/// RC-like; its production experiment had n = 3 and the 80th percentile. Example: parts of 0.7 and 0.81 cores: 0.81 cores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Max {
    /// The predictors. No default: the paper's are `[{ n-sigma = {} }, { resource-central = {} }]`.
    #[schemars(length(min = 1))]
    pub of: Vec<PartSpec>,
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
pub(super) struct Largest {
    parts: Vec<Box<dyn Predictor>>,
}

impl Largest {
    pub(super) fn new(p: &Max) -> Self {
        Self { parts: p.of.iter().map(|part| part.predictor(p.sample_s)).collect() }
    }
}

impl Predictor for Largest {
    fn peak(&mut self, host: HostId, snapshot: &Snapshot<'_>) -> f64 {
        self.parts.iter_mut().map(|p| p.peak(host, snapshot)).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::peaks;

    #[test]
    fn the_largest_part_counts_in_each_step() {
        let series: &[&[(u32, f64, f64)]] = &[&[(0, 0.2, 1.0)], &[(0, 0.3, 1.0)], &[(0, 0.9, 1.0)]];
        let spec = "max = { of = [{ borg-default = { phi = 0.5 } }, { usage-max = { warmup_samples = 2 } }] }";
        assert_eq!(peaks(spec, series), [1.0, 0.5, 0.9]);
    }
}
