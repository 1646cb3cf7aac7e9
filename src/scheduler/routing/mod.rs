//! Routing: in which region does the call run?

mod casper;
mod least_loaded;
mod local;

pub use casper::Casper;
pub use least_loaded::LeastLoaded;
pub use local::Local;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spatial::Violations;
use super::{CallView, Known, View};
use crate::types::RegionId;

/// Decides where a released call runs.
pub trait Routing: Send {
    /// The region; must have hosts.
    fn region(&mut self, call: &CallView<'_>, view: &View<'_>) -> RegionId;

    /// What the programs of a policy could not keep; `None` if it solves none.
    fn violations(&self) -> Option<Violations> {
        None
    }

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
    /// Calls go where an integer program over all regions sends them: the least carbon within a longest round trip and the room of the hosts that are on.
    /// Knows what arrived in the last interval or a day ago, the mean CPU time of those calls, the present intensities, round trips and CPU. Loses when traffic
    /// or intensity changes within an interval, and energy where moved calls meet cold sandboxes. Source: CASPER (Souza et al., IGSC 2023).
    Casper(Casper),
}

impl Default for RoutingSpec {
    fn default() -> Self {
        Self::Local(Local {})
    }
}

impl RoutingSpec {
    /// Builds the policy; the seed in `known` is its own.
    pub fn build(&self, known: &Known) -> Box<dyn Routing> {
        match self {
            Self::Local(p) => Box::new(p.clone()),
            Self::LeastLoaded(p) => Box::new(p.clone()),
            Self::Casper(p) => Box::new(casper::Dispatch::new(p.clone(), known.sites.iter().map(|s| s.pue).collect())),
        }
    }

    /// Keys that do not go together, by their path below `scheduler.routing`: key, what is wrong, what to do.
    pub fn conflicts(&self) -> Vec<(&'static str, String, &'static str)> {
        match self {
            Self::Casper(p) => p.conflicts(),
            _ => Vec::new(),
        }
    }
}
