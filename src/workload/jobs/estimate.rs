//! `[jobs.NAME.estimate]`: what is believed of a job's length before it has run. Policies see this, never the length.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WorkloadError;
use super::raw::{MOST_S, Raw, Rows, range, wrong};
use crate::types::Seed;

/// What is believed of a job's length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum EstimateSpec {
    /// Its length: an upper bound on what a policy can know.
    Exact {},
    /// The mean length of its class over the whole list, later jobs included (GAIA: Hanafy et al., ASPLOS 2024): of the lengths before
    /// truncation, then truncated to `quantum_s`.
    ClassMean {},
    /// Its length with an error: estimate = length x exp(s z - s² / 2), s² = ln(1 + sd²), z standard normal, so that the mean of
    /// estimate / length is 1 and its standard deviation is sd. Drawn once per job. Log-normal: assumed, it keeps estimates above 0.
    Noisy {
        /// Standard deviation of estimate / length \[ratio\].
        #[schemars(range(min = 0.0, max = 10.0))]
        relative_sd: f64,
    },
    /// Its length times a factor: users ask for more than they need.
    Scaled {
        /// Estimate over length \[ratio\].
        #[schemars(range(min = 0.001, max = 1000000.0))]
        factor: f64,
    },
    /// What the source says: `estimate_s`, or the requested time of an SWF log. Of a job without, nothing is believed.
    Requested {},
    /// Nothing.
    Unknown {},
}

impl EstimateSpec {
    /// Values that are out of range.
    pub(super) fn check(&self) -> Result<(), WorkloadError> {
        match self {
            Self::Noisy { relative_sd } => range("estimate.noisy.relative_sd", *relative_sd, 0.0, 10.0),
            Self::Scaled { factor } => range("estimate.scaled.factor", *factor, 0.001, 1e6),
            _ => Ok(()),
        }
    }

    /// The estimate of every job \[ns\]. `whole`: their lengths before truncation to steps of `quantum` \[ns\].
    ///
    /// # Errors
    /// The source has no estimates, and they are asked for.
    pub(super) fn of_all(
        &self,
        rows: &mut Rows,
        whole: &[u64],
        quantum: Option<u64>,
        seed: Seed,
    ) -> Result<Vec<Option<u64>>, WorkloadError> {
        let most = (MOST_S * 1e9) as u64;
        let scaled = |job: &Raw, factor: f64| Some(((job.length as f64 * factor).round() as u64).clamp(1, most));
        let jobs = &rows.jobs;
        let estimates: Vec<Option<u64>> = match self {
            Self::Exact {} => jobs.iter().map(|j| Some(j.length)).collect(),
            Self::ClassMean {} => {
                let means = class_means(rows, whole, quantum);
                rows.jobs.iter().map(|j| means[j.class.unwrap_or(0) as usize]).collect()
            }
            Self::Noisy { relative_sd } => {
                let variance = libm::log1p(relative_sd * relative_sd);
                let draw = |j: &Raw| {
                    let z = seed.stream("estimate", j.number).standard_normal();
                    scaled(j, libm::exp(variance.sqrt() * z - variance / 2.0))
                };
                jobs.iter().map(draw).collect()
            }
            Self::Scaled { factor } => jobs.iter().map(|j| scaled(j, *factor)).collect(),
            Self::Requested {} => jobs.iter().map(|j| j.estimate).collect(),
            Self::Unknown {} => vec![None; jobs.len()],
        };
        if matches!(self, Self::Requested {}) {
            let missing = estimates.iter().filter(|e| e.is_none()).count();
            if missing == estimates.len() && missing > 0 {
                return Err(wrong(
                    "estimate.requested: the source says of no job how long it would take".to_owned(),
                    "fill the column estimate_s (of an SWF log: field 9, requested time), or choose another estimate",
                ));
            }
            rows.count(missing as u64, "without an estimate in the source: nothing is believed of their length");
        }
        Ok(estimates)
    }
}

/// The mean length of every class, in whole steps.
fn class_means(rows: &Rows, whole: &[u64], quantum: Option<u64>) -> Vec<Option<u64>> {
    let mut sums = vec![(0u128, 0u128); rows.classes.list.len().max(1)];
    for (job, length) in rows.jobs.iter().zip(whole) {
        let (sum, count) = &mut sums[job.class.unwrap_or(0) as usize];
        *sum += u128::from(*length);
        *count += 1;
    }
    let step = u128::from(quantum.unwrap_or(1));
    let mean = |(sum, count): (u128, u128)| sum.checked_div(count).map(|mean| (mean / step * step) as u64);
    sums.into_iter().map(mean).collect()
}
