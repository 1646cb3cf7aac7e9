//! Each pool has, at all times, the sandboxes that its own traffic needs at its peak.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Scaling, Sizing, whole};
use crate::scheduler::{PoolView, View};

/// Sizes each pool for the peak of its own traffic and leaves it on: dedicated servers, the baseline that shared ones beat.
///
/// Formula: sandboxes = max(min, ceil(peak x headroom / slots)), with peak the number of the pool's calls in execution in the
/// region, at `quantile` over time, measured on the whole workload beforehand, and slots the calls that a sandbox takes at once.
/// Nothing is started on demand: a call that finds no sandbox waits for one of its pool.
///
/// Example: 7 calls at the peak, headroom 1.5 and 4 slots: ceil(10.5 / 4) = 3 sandboxes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Peak {
    /// Quantile over time of the number of calls in execution. Default 1: the maximum (assumed).
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "one")]
    pub quantile: f64,
    /// Factor on the peak. Default 1: none (assumed).
    #[schemars(range(min = 0.0, max = 1000.0))]
    #[serde(default = "one")]
    pub headroom: f64,
    /// Sandboxes of the smallest pool. Default 1 (assumed). Not 0: calls of a pool without a peak would wait for ever.
    #[schemars(range(min = 1))]
    #[serde(default = "at_least")]
    pub min: u32,
}

fn one() -> f64 {
    1.0
}
fn at_least() -> u32 {
    1
}

impl Peak {
    /// How the peak is measured.
    pub(super) fn sizing(&self) -> Sizing {
        Sizing { quantile: self.quantile }
    }
}

impl Scaling for Peak {
    fn on_demand(&self) -> bool {
        false
    }

    fn wanted(&mut self, pool: &PoolView, _view: &View<'_>) -> u32 {
        let calls = f64::from(pool.peak.unwrap_or(0)) * self.headroom;
        whole(calls / f64::from(pool.slots.max(1))).max(self.min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::scaling::tests::ask;
    use crate::scheduler::tests::pool;

    #[test]
    fn seven_calls_with_headroom_1_5_need_three_sandboxes_of_four_slots() {
        let mut p: Peak = toml::from_str("headroom = 1.5").expect("right keys");
        assert_eq!(ask(&mut p, &PoolView { peak: Some(7), slots: 4, ..pool(0, 0) }, 0.0), 3);
        assert_eq!(p.sizing(), Sizing { quantile: 1.0 });
        assert!(!p.on_demand());
    }

    #[test]
    fn a_pool_without_traffic_has_the_smallest_size() {
        let mut p: Peak = toml::from_str("min = 2").expect("right keys");
        assert_eq!(ask(&mut p, &pool(0, 0), 0.0), 2);
        assert_eq!(ask(&mut p, &PoolView { peak: Some(1), ..pool(0, 0) }, 0.0), 2);
    }

    #[test]
    fn ten_calls_with_headroom_1_1_need_eleven_sandboxes_not_twelve() {
        let mut p: Peak = toml::from_str("headroom = 1.1").expect("right keys");
        assert_eq!(ask(&mut p, &PoolView { peak: Some(10), ..pool(0, 0) }, 0.0), 11);
    }
}
