//! Predict the true peak: the bound of every predictor.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Predictor, Semantics, Snapshot};
use crate::types::{Duration, HostId};

/// Knows the true peak of the instances present: a bound, not a policy that anybody can run.
///
/// Formula: P = the highest sum of their uses, each at most its limit and 0 once it left, over `[now, now + horizon]` (`paper`) or `(now, now +
/// horizon]` (`compat`). Instances yet to come are not counted. Where the horizon ends after the run, the sum of limits.
/// Source: the peak oracle of Bashir et al., *Take it to the Limit*, EuroSys 2021; over 24 h it is close to that over 72 h for more than
/// 95 % of tasks. It never violates in its own semantics, and nothing that never violates saves more. Example: two instances use 0.2 + 0.5
/// now, 0.6 + 0.3 in the next interval, and 0.8 alone thereafter: 0.9.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeakOracle {
    /// How far it sees \[s\]. Default 86400: the paper's 24 hours.
    #[schemars(range(min = 1.0, max = 31622400.0))]
    #[serde(default = "super::one_day")]
    pub horizon_s: f64,
    /// `paper` as published, `compat` as the released simulator computes it. Default paper.
    #[serde(default)]
    pub semantics: Semantics,
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
pub(super) struct Foresight {
    horizon: Duration,
    semantics: Semantics,
}

impl Foresight {
    pub(super) fn new(p: &PeakOracle) -> Self {
        Self { horizon: Duration::from_secs_f64(p.horizon_s), semantics: p.semantics }
    }
}

impl Predictor for Foresight {
    fn peak(&mut self, _host: HostId, snapshot: &Snapshot<'_>) -> f64 {
        match (snapshot.future_peak, self.semantics) {
            (None, _) => snapshot.limit(),
            (Some(peak), Semantics::Compat) => peak,
            (Some(peak), Semantics::Paper) => snapshot.capped_usage().max(peak),
        }
    }

    fn oracle_horizon(&self) -> Option<Duration> {
        Some(self.horizon)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{OvercommitSpec, Sample, Snapshot};
    use super::*;
    use crate::types::Seed;

    #[test]
    fn the_paper_counts_the_present_and_the_code_does_not() {
        let samples = [Sample { instance: 0, usage: 0.9, limit: 0.5 }, Sample { instance: 3, usage: 0.2, limit: 0.4 }];
        for (semantics, wanted) in [("paper", [0.9, 0.7, 0.8]), ("compat", [0.9, 0.3, 0.8])] {
            let spec = format!("peak-oracle = {{ semantics = \"{semantics}\" }}");
            let mut policy = toml::from_str::<OvercommitSpec>(&spec).expect("right keys").build(Seed(1));
            assert_eq!(policy.oracle_horizon(), Some(Duration::from_secs(86_400)));
            let mut ask = |future_peak| {
                policy.predict(HostId(0), &Snapshot { samples: &samples, future_peak }).expect("it predicts").peak
            };
            assert_eq!([ask(None), ask(Some(0.3)), ask(Some(0.8))], wanted, "{semantics}");
        }
    }
}
