//! Promise a fixed multiple of what is there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Capacity, Overcommit};

/// Promises a fixed multiple of the physical capacity.
///
/// Formula: allocatable = ratio x physical, rounded down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StaticRatio {
    /// CPU promised over CPU there: for instances always; for calls where CPU is `isolated` or sandboxes reserve cores. Default 1: no
    /// overcommitment.
    #[schemars(range(min = 0.01, max = 1000.0))]
    #[serde(default = "one")]
    pub cpu_ratio: f64,
    /// Memory promised over memory there. Default 1: no overcommitment.
    #[schemars(range(min = 0.01, max = 1000.0))]
    #[serde(default = "one")]
    pub memory_ratio: f64,
}

fn one() -> f64 {
    1.0
}

impl Overcommit for StaticRatio {
    fn allocatable(&mut self, physical: Capacity) -> Capacity {
        let times = |x: u64, ratio: f64| (x as f64 * ratio) as u64;
        Capacity { cpu: times(physical.cpu, self.cpu_ratio), memory: times(physical.memory, self.memory_ratio) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_of_two_doubles_what_may_be_promised() {
        let mut p = StaticRatio { cpu_ratio: 2.0, memory_ratio: 1.5 };
        assert_eq!(p.allocatable(Capacity { cpu: 10, memory: 10 }), Capacity { cpu: 20, memory: 15 });
    }
}
