//! Start as another policy says; short jobs on spot capacity.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ShiftingSpec;

/// Buys spot capacity for short jobs, because these are seldom caught by an eviction; the inner policy says when they run.
///
/// Formula: a job whose believed length is at most `spot_up_to_s` runs on spot; all others on reserved cores if enough are free, else on
/// demand. Jobs about whose length nothing is believed do not go to spot. Calls are left to the inner policy.
///
/// Knows what the inner policy knows. Length: as believed.
///
/// Source: Spot-First of Hanafy et al., Going Green for Less Green (GAIA), ASPLOS 2024.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpotFirst {
    /// Longest job that goes to spot \[s\]. Default 7200 (published: GAIA's short queue).
    #[schemars(range(min = 0.0))]
    #[serde(default = "spot_up_to")]
    pub spot_up_to_s: f64,
    /// Any shifting policy, as a table: `inner.carbon-time = {}`. No default.
    pub inner: Box<ShiftingSpec>,
}

fn spot_up_to() -> f64 {
    7200.0
}
