//! Predict the mean of what several predictors say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PartSpec, Predictor, Snapshot};
use crate::types::HostId;

/// Predicts the mean of what several predictors say, step by step.
///
/// Formula: P = sum of the parts / their number. Source: the averaging decorator of google/cluster-resource-forecast (Apache-2.0); not in the
/// paper. Example: parts of 0.7 and 0.8 cores: 0.75 cores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mean {
    /// The predictors. No default.
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
pub(super) struct MeanOf {
    parts: Vec<Box<dyn Predictor>>,
}

impl MeanOf {
    pub(super) fn new(p: &Mean) -> Self {
        Self { parts: p.of.iter().map(|part| part.predictor(p.sample_s)).collect() }
    }
}

impl Predictor for MeanOf {
    fn peak(&mut self, host: HostId, snapshot: &Snapshot<'_>) -> f64 {
        let sum: f64 = self.parts.iter_mut().map(|p| p.peak(host, snapshot)).sum();
        sum / self.parts.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::peaks;

    #[test]
    fn the_parts_count_alike() {
        let series: &[&[(u32, f64, f64)]] = &[&[(0, 0.2, 1.0)], &[(0, 0.3, 1.0)]];
        let spec = "mean = { of = [{ borg-default = { phi = 0.5 } }, { usage-max = { warmup_samples = 2 } }] }";
        assert_eq!(peaks(spec, series), [0.75, 0.4]);
    }
}
