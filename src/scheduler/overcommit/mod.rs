//! Overcommit: how much may a host promise?

mod none;
mod static_ratio;

pub use none::NoOvercommit;
pub use static_ratio::StaticRatio;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::Seed;

/// What a host has, or may promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// CPU [millionths of a core].
    pub cpu: u64,
    /// Memory \[bytes\].
    pub memory: u64,
}

/// Decides how much a host may promise in all.
pub trait Overcommit: Send {
    /// What a host with this physical capacity may promise. Law: never less than nothing, and with no overcommitment
    /// exactly the physical capacity.
    fn allocatable(&mut self, physical: Capacity) -> Capacity;
}

/// The overcommit policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum OvercommitSpec {
    /// A host promises what it has. Knows nothing. Loses the capacity that tenants reserve and do not use.
    None(NoOvercommit),
    /// A host promises a fixed multiple of what it has. Knows nothing of use. Loses when more tenants are busy together than fit:
    /// `exhaustion.*` says how often, `model.memory` what it costs; `cpu_ratio` matters only where CPU is `isolated` or
    /// sandboxes reserve cores. Source:
    /// OpenStack-style allocation ratios. Example: scenarios/soft-allocation.toml.
    StaticRatio(StaticRatio),
}

impl Default for OvercommitSpec {
    fn default() -> Self {
        Self::None(NoOvercommit {})
    }
}

impl OvercommitSpec {
    /// Builds the policy; `seed` is its own.
    pub fn build(&self, _seed: Seed) -> Box<dyn Overcommit> {
        match self {
            Self::None(p) => Box::new(p.clone()),
            Self::StaticRatio(p) => Box::new(p.clone()),
        }
    }
}
