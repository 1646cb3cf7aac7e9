//! Concurrency limits: how many calls of one function run together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// At most so many calls of one function run at a time, over all regions.
///
/// Source: XFaaS (SOSP 2023) lets owners set a limit per function; without one a function reaches up to R = r p instances, r its rate limit and p its
/// execution time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Concurrency {
    /// The limit of every function that `of` does not name. Default: none.
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<u32>,
    /// Limits of functions by name. Default: none.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub of: std::collections::BTreeMap<String, u32>,
}

impl Concurrency {
    /// The limit of the function of this name.
    pub fn limit(&self, function: &str) -> u32 {
        self.of.get(function).copied().or(self.calls).unwrap_or(u32::MAX)
    }
}
