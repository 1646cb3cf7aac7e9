//! Constant power: the same at every utilization.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The same power at every utilization \[W\].
///
/// Formula: P(u) = P. Source: the base case of every power survey; use it for hosts whose power is not of interest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// Power at any load \[W\].
    #[schemars(range(min = 0.0))]
    pub power_w: f64,
}

impl super::PowerModel for Constant {
    fn watts(&self, _u: f64) -> f64 {
        self.power_w
    }

    fn linear_w(&self) -> Option<f64> {
        Some(0.0)
    }
}
