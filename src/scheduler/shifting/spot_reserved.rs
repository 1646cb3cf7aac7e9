//! Short jobs on spot capacity, the others early on free reserved cores; another policy says when otherwise.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ShiftingSpec;

/// Buys spot capacity for short jobs and starts the others early where enough reserved cores are free.
///
/// Formula: a job whose believed length is at most `spot_up_to_s` runs on spot when the inner policy says, as with `spot-first`; all others
/// are treated as with `reserved-first`. Calls are left to the inner policy.
///
/// Knows what the inner policy knows, and how many reserved cores are free. Length: as believed.
///
/// Source: Spot-Reserved of Hanafy et al., Going Green for Less Green (GAIA), ASPLOS 2024.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpotReserved {
    /// Longest job that goes to spot \[s\]. Default 7200 (published: only longer ones may start early on reserved cores).
    #[schemars(range(min = 0.0))]
    #[serde(default = "spot_up_to")]
    pub spot_up_to_s: f64,
    /// Any shifting policy, as a table: `inner.carbon-time = {}`. No default.
    pub inner: Box<ShiftingSpec>,
}

fn spot_up_to() -> f64 {
    7200.0
}
