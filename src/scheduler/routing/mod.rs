//! Routing: in which region does the call run?

mod least_loaded;
mod local;

pub use least_loaded::LeastLoaded;
pub use local::Local;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CallView, View};
use crate::types::{RegionId, Seed};

/// Decides where a released call runs.
pub trait Routing: Send {
    /// The region; must have hosts.
    fn region(&mut self, call: &CallView<'_>, view: &View<'_>) -> RegionId;

    /// Whether every call runs where it arrived, so that the engine need not ask.
    fn is_passive(&self) -> bool {
        false
    }
}

/// The routing policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RoutingSpec {
    /// A call runs where it arrives. Knows nothing. Loses when regions are unevenly loaded.
    Local(Local),
    /// A call runs in the region with the lowest CPU demand over capacity, waiting calls counted as one core each. Knows
    /// the present load of every region, without delay. Loses on latency and data transfer between regions, which are
    /// not modelled here. Regions whose hosts are too small for the function are left out. Ties go to the region where the call arrived, then to the lowest number.
    LeastLoaded(LeastLoaded),
}

impl Default for RoutingSpec {
    fn default() -> Self {
        Self::Local(Local {})
    }
}

impl RoutingSpec {
    /// Builds the policy; `seed` is its own.
    pub fn build(&self, _seed: Seed) -> Box<dyn Routing> {
        match self {
            Self::Local(p) => Box::new(p.clone()),
            Self::LeastLoaded(p) => Box::new(p.clone()),
        }
    }
}
