//! Independent normal noise: the error model of Let's Wait Awhile.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fixed::{Fixed, Present};
use super::spread::not_negative;
use crate::grid::{GridError, Signal};
use crate::types::Seed;

/// Independent normal noise on every step.
///
/// Formula: f = c + N(0, e · mean of c), drawn once per step of the signal, in order from its first step, for the whole run; the mean is
/// over the whole signal. Not clipped: beliefs may be negative.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IidNoise {
    /// e, the standard deviation [share of the signal's mean]. Let's Wait Awhile has 0.05 and 0.1. No default.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub relative_sd: f64,
    /// Whether the step under way is known; `forecast` is what the published code does. Default `observed`.
    #[serde(default)]
    pub present: Present,
}

impl IidNoise {
    pub(super) fn build(&self, signal: &Signal, seed: Seed) -> Result<Fixed, GridError> {
        let sd = not_negative("iid-noise", "relative_sd", self.relative_sd)? * signal.overall_mean();
        let mut stream = seed.derive("iid-noise").into_stream();
        Ok(Fixed::new(signal, self.present, |_, c| c + sd * stream.standard_normal()))
    }
}
