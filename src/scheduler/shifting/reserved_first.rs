//! Start as another policy says, but earlier whenever enough reserved cores are free.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ShiftingSpec;

/// Starts jobs early where enough reserved cores are free, because these are paid for anyway; as the inner policy says otherwise.
///
/// Held jobs are looked at in order of their arrival, at every arrival, start, suspension and end. A job that starts early runs through. One
/// that starts when the inner policy says takes reserved cores if enough are free, else it runs on demand. Calls are left to the inner policy.
///
/// Knows what the inner policy knows, and how many reserved cores are free. Length: as the inner policy.
///
/// Source: Reserved-First of Hanafy et al., Going Green for Less Green (GAIA), ASPLOS 2024.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReservedFirst {
    /// Any shifting policy, as a table: `inner.carbon-time = {}`. No default.
    pub inner: Box<ShiftingSpec>,
}
