//! A fixed number of sandboxes per pool is always there; more are started on demand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Scaling;
use crate::scheduler::{PoolView, View};

/// Keeps at least this many sandboxes per pool and region, from when the pool is first known; more are started on demand.
///
/// Source: AWS Lambda's provisioned concurrency, which is a number per function. Example: with `sandboxes = 2` and three calls at
/// once, the third is a cold start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provisioned {
    /// How many sandboxes each pool has at least, in each region. No default: it depends on the traffic.
    pub sandboxes: u32,
}

impl Scaling for Provisioned {
    fn wanted(&mut self, _pool: &PoolView, _view: &View<'_>) -> u32 {
        self.sandboxes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::scaling::tests::ask;
    use crate::scheduler::tests::pool;

    #[test]
    fn every_pool_has_the_same_number_whatever_its_traffic_and_may_have_more() {
        let mut p: Provisioned = toml::from_str("sandboxes = 2").expect("right keys");
        let busy = PoolView { running: 9, ..pool(0, 0) };
        assert_eq!((ask(&mut p, &pool(0, 0), 0.0), ask(&mut p, &busy, 0.0)), (2, 2));
        assert!(p.on_demand() && p.period().is_none());
    }

    #[test]
    fn the_number_has_no_default() {
        assert!(toml::from_str::<Provisioned>("").is_err());
    }
}
