//! Keep everything until memory is short, then let the least valuable go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IdleBudget, IdleView, KeepAlive, Plan};
use crate::cluster::EvictionOrder;
use crate::scheduler::View;
use crate::types::{Duration, Memory};

/// Keeps idle sandboxes until the budget or the host's memory is short; then the one of the lowest priority goes.
///
/// Formula: priority = clock + uses x start time / memory, read when a sandbox is used; uses are those of all sandboxes of
/// the function; the clock is the priority of the last one that went. The engine keeps the order.
///
/// Source: FaasCache (ASPLOS 2021), released code. There, the cost is the run time of a cold call less that of a warm one.
/// Example: 3 uses of a sandbox that starts in 2 s and holds 100 MB, at clock 0, are worth 0.06; 1 use of one that starts in
/// 1 s and holds 10 MB is worth 0.1 and stays longer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GreedyDual {
    /// Memory that idle sandboxes of one host may hold together \[MB\]. Default inf: what the host has (as published).
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    #[serde(default = "budget")]
    pub budget_mb: f64,
}

fn budget() -> f64 {
    f64::INFINITY
}

impl KeepAlive for GreedyDual {
    fn keep(&mut self, _sandbox: &IdleView<'_>, _view: &View<'_>) -> Plan {
        Duration::FOREVER.into()
    }

    fn budget(&self) -> Option<IdleBudget> {
        Some(IdleBudget { per_host: Memory::from_mb(self.budget_mb), order: EvictionOrder::GreedyDual })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::tests::{idle, pool};

    #[test]
    fn a_sandbox_stays_for_ever_within_a_budget_in_greedy_dual_order() {
        let mut p: GreedyDual = toml::from_str("budget_mb = 2.5").expect("right keys");
        assert_eq!(idle(&mut p, &pool(0, 0), 1.0), Duration::FOREVER.into());
        assert_eq!(p.budget(), Some(IdleBudget { per_host: Memory(2_500_000), order: EvictionOrder::GreedyDual }));
    }

    #[test]
    fn without_a_key_the_budget_is_no_limit() {
        let p: GreedyDual = toml::from_str("").expect("no key is required");
        assert_eq!(p.budget().map(|b| b.per_host), Some(Memory(u64::MAX)));
    }
}
