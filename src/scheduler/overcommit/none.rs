//! Promise what is there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Capacity, Overcommit};

/// Promises exactly the physical capacity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoOvercommit {}

impl Overcommit for NoOvercommit {
    fn allocatable(&mut self, physical: Capacity) -> Capacity {
        physical
    }
}
