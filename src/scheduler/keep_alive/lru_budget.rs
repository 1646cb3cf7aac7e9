//! Keep idle sandboxes within a budget of memory, the longest idle first to go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IdleBudget, IdleView, KeepAlive, Plan};
use crate::cluster::EvictionOrder;
use crate::scheduler::View;
use crate::types::{Duration, Memory};

/// Keeps idle sandboxes for a time, and no more of them than a budget of memory holds: the longest idle goes first.
///
/// Source: least recently used, a baseline of FaasCache (ASPLOS 2021). Example: a budget of 250 MB holds two idle sandboxes of
/// 100 MB; when a third becomes idle, the one that is idle longest goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LruBudget {
    /// Memory that idle sandboxes of one host may hold together \[MB\]; `inf` is no limit. No default: it depends on the host.
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    pub budget_mb: f64,
    /// How long an idle sandbox stays at most \[s\]. Default inf: only the budget decides (as in FaasCache).
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    #[serde(default = "keep_alive")]
    pub keep_alive_s: f64,
}

fn keep_alive() -> f64 {
    f64::INFINITY
}

impl KeepAlive for LruBudget {
    fn keep(&mut self, _sandbox: &IdleView<'_>, _view: &View<'_>) -> Plan {
        Duration::from_secs_f64(self.keep_alive_s).into()
    }

    fn budget(&self) -> Option<IdleBudget> {
        Some(IdleBudget { per_host: Memory::from_mb(self.budget_mb), order: EvictionOrder::Lru })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::tests::{idle, pool};

    #[test]
    fn the_budget_is_per_host_and_the_longest_idle_goes_first() {
        let mut p: LruBudget = toml::from_str("budget_mb = 250\nkeep_alive_s = 60").expect("right keys");
        assert_eq!(idle(&mut p, &pool(0, 0), 1.0), Duration::from_secs(60).into());
        assert_eq!(p.budget(), Some(IdleBudget { per_host: Memory(250_000_000), order: EvictionOrder::Lru }));
    }

    #[test]
    fn the_budget_has_no_default_and_the_time_is_for_ever() {
        assert!(toml::from_str::<LruBudget>("").is_err());
        let mut p: LruBudget = toml::from_str("budget_mb = 0").expect("right keys");
        assert_eq!(idle(&mut p, &pool(0, 0), 1.0), Duration::FOREVER.into());
    }
}
