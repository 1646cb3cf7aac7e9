//! Predict the mean of a host's use and some standard deviations more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Predictor, Semantics, Snapshot, Totals};
use crate::stats::mean_and_deviation;
use crate::types::HostId;

/// Predicts the mean of the total use of the host's warm instances over their last samples, plus n standard deviations, plus the
/// limits of the instances that are not warm yet.
///
/// Formula, `paper`: P = mean(U) + n x sd(U) + cold limits, with U_i = the sum over warm instances of their use i intervals ago
/// \[cores\]; an instance that was not there yet contributes nothing. Not capped: P may exceed the sum of limits.
/// `compat`: the same of the shares U_i / (sum of the limits of the instances that were there), at most 1, times the present limits.
/// The paper does not say which deviation; both take the sample's (divisor N - 1), as its authors' code does: with 120 samples the
/// population's is 0.4 % smaller.
/// Source: Bashir et al., *Take it to the Limit*, EuroSys 2021; `compat` after google/cluster-resource-forecast (Apache-2.0).
/// Example: `data/overcommit/predictor_vectors.csv`; by hand, a limit of 0.5 and uses of 0.2, 0.3, 0.25, n = 2: 0.25 + 2 x 0.05 = 0.35.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NSigma {
    /// Standard deviations above the mean. Default 5: the paper's simulations; its production experiment had 3.
    #[schemars(range(min = 0.0, max = 1000.0))]
    #[serde(default = "five")]
    pub n: f64,
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

fn five() -> f64 {
    5.0
}

/// The predictor.
pub(super) struct Deviations {
    n: f64,
    semantics: Semantics,
    totals: Totals,
}

impl Deviations {
    pub(super) fn new(p: &NSigma) -> Self {
        let totals = Totals::new(p.semantics, p.warmup_samples, p.history_samples, p.cap_to_limit);
        Self { n: p.n, semantics: p.semantics, totals }
    }
}

impl Predictor for Deviations {
    fn peak(&mut self, host: HostId, snapshot: &Snapshot<'_>) -> f64 {
        self.totals.hear(host, snapshot.samples).peak(self.semantics, |series| {
            let (mean, deviation) = mean_and_deviation(series);
            mean + self.n * deviation
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::peaks;

    /// A is warm from its third sample on; B comes with the third.
    const SERIES: &[&[(u32, f64, f64)]] =
        &[&[(0, 0.2, 0.5)], &[(0, 0.3, 0.5)], &[(0, 0.25, 0.5), (1, 0.1, 0.4)], &[(1, 0.2, 0.4)], &[(1, 0.3, 0.4)]];

    #[test]
    fn two_deviations_of_the_absolute_use_are_added_to_its_mean() {
        let found = peaks("n-sigma = { n = 2.0, warmup_samples = 3, history_samples = 5 }", SERIES);
        // Cold: the limit. Then A: mean 0.25, sample deviation 0.05; B, cold: 0.4. Then B alone: cold; mean 0.2, deviation 0.1.
        let wanted = [0.5, 0.5, 0.25 + 0.1 + 0.4, 0.4, 0.2 + 0.2];
        assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
    }

    #[test]
    fn only_the_last_samples_count_and_the_paper_knows_no_cap() {
        let calm: Vec<&[(u32, f64, f64)]> =
            vec![&[(0, 1.0, 1.0)], &[(0, 0.0, 1.0)], &[(0, 0.5, 1.0)], &[(0, 0.5, 1.0)]];
        let found = peaks("n-sigma = { n = 5.0, warmup_samples = 2, history_samples = 2 }", &calm);
        // Mean 0.5, deviation sqrt(0.5): far above the limit of 1. At the end two samples of 0.5.
        assert!((found[1] - (0.5 + 5.0 * 0.5f64.sqrt())).abs() < 1e-12 && (found[3] - 0.5).abs() < 1e-12, "{found:?}");
        let capped =
            peaks("n-sigma = { n = 5.0, warmup_samples = 2, history_samples = 2, semantics = \"compat\" }", &calm);
        assert_eq!(capped[1], 1.0);
    }
}
