//! Concurrency limits: how many calls of one function run together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// At most so many calls of one function run at a time, over all regions: `of` by name, else `calls`, else no limit.
///
/// A limit of n and a mean execution time of p seconds let at most n/p calls per second through (Little's law).
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
    /// Limits of functions by name, at least 1 each. Default: none.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub of: std::collections::BTreeMap<String, u32>,
}

impl Concurrency {
    /// The limit of the function of this name.
    pub fn limit(&self, function: &str) -> u32 {
        self.of.get(function).copied().or(self.calls).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_goes_before_the_rest_and_the_rest_before_none() {
        let limits: Concurrency = toml::from_str("calls = 10\nof = { resize = 3, train = 400 }").expect("right keys");
        assert_eq!(["resize", "train", "other"].map(|f| limits.limit(f)), [3, 400, 10]);
        let some: Concurrency = toml::from_str("of.resize = 3").expect("right keys");
        assert_eq!((some.limit("resize"), some.limit("other")), (3, u32::MAX));
        assert_eq!(toml::from_str::<Concurrency>("").expect("no key is needed").limit("any"), u32::MAX);
    }
}
