//! A stock of ready sandboxes per pool, refilled as calls take from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Scaling;
use crate::scheduler::{PoolView, View};
use crate::types::Duration;

/// Keeps this many sandboxes per pool and region beyond those that are busy; more are started on demand.
///
/// Formula: sandboxes = ceil(running / slots) + idle, asked every `period_s`.
///
/// Source: pools of pre-warmed sandboxes on public platforms, which share them between functions before these are loaded; here
/// each pool has its own (assumed). Example: 5 calls in sandboxes of 4 slots keep 2 busy; with `idle = 3`, 5 are wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreWarmed {
    /// How many sandboxes of each pool are ready beyond those that are busy. No default: it depends on the traffic.
    pub idle: u32,
    /// How often the stock is refilled \[s\]. Default 1 (assumed: short against arrivals of one pool).
    #[schemars(range(min = 0.001))]
    #[serde(default = "period")]
    pub period_s: f64,
}

fn period() -> f64 {
    1.0
}

impl Scaling for PreWarmed {
    fn period(&self) -> Option<Duration> {
        Some(Duration::from_secs_f64(self.period_s))
    }

    fn wanted(&mut self, pool: &PoolView, _view: &View<'_>) -> u32 {
        pool.running.div_ceil(pool.slots.max(1)).saturating_add(self.idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::scaling::tests::ask;
    use crate::scheduler::tests::pool;

    #[test]
    fn the_stock_is_beyond_the_busy_sandboxes() {
        let mut p: PreWarmed = toml::from_str("idle = 3").expect("right keys");
        assert_eq!(ask(&mut p, &PoolView { running: 5, slots: 4, ..pool(0, 0) }, 0.0), 5);
        assert_eq!(p.period(), Some(Duration::from_secs(1)));
        assert!(p.on_demand());
    }

    #[test]
    fn a_quiet_pool_has_the_stock_alone() {
        let mut p: PreWarmed = toml::from_str("idle = 3").expect("right keys");
        assert_eq!(ask(&mut p, &pool(0, 0), 0.0), 3);
        p.idle = u32::MAX;
        assert_eq!(ask(&mut p, &PoolView { running: 5, ..pool(0, 0) }, 0.0), u32::MAX);
    }
}
