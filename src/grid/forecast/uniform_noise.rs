//! Independent bounded noise, in proportion to the value: the error model of the EuroSys'24 bounds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fixed::{Fixed, Present};
use super::spread::within;
use crate::grid::{GridError, Signal};
use crate::types::Seed;

/// Independent bounded noise in proportion to the value.
///
/// Formula: f = c (1 ± U(0, e / 2)) with a random sign, which is c (1 + U(-e / 2, e / 2)): one draw per step of the signal, in order
/// from its first step. The standard deviation is c e / √12. Never negative.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UniformNoise {
    /// e, from the lowest to the highest error [share of the value]. No default.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub relative_width: f64,
    /// Whether the step under way is known; `forecast` is what the published code does. Default `observed`.
    #[serde(default)]
    pub present: Present,
}

impl UniformNoise {
    pub(super) fn build(&self, signal: &Signal, seed: Seed) -> Result<Fixed, GridError> {
        let width = within("uniform-noise", "relative_width", self.relative_width, (0.0, 2.0))?;
        let mut stream = seed.derive("uniform-noise").into_stream();
        Ok(Fixed::new(signal, self.present, |_, c| c * (1.0 + width * (stream.uniform() - 0.5))))
    }
}
