//! Scaling: how many sandboxes does a pool have?
//!
//! On demand, a call that finds no sandbox starts one. A policy may also keep a number of them ready for each pool, or fix the
//! number altogether: then a call that finds none waits for one of its pool.

mod on_demand;

pub use on_demand::OnDemand;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Known, PoolView, View};
use crate::types::Duration;

/// Decides how many sandboxes each pool has.
pub trait Scaling: Send {
    /// Whether nothing is ever decided, so that the engine need not ask.
    fn is_passive(&self) -> bool {
        false
    }

    /// Whether a call that finds no sandbox starts one. If not, it waits for a sandbox of its pool.
    fn on_demand(&self) -> bool {
        true
    }

    /// How often the policy is asked; `None` if only once for each pool, when the pool is first known.
    fn period(&self) -> Option<Duration> {
        None
    }

    /// How many sandboxes the pool should have in the region, at least; where the policy is not on demand, also at most. The
    /// engine starts what is missing as far as there is room, and lets idle ones go that are more than that.
    fn wanted(&mut self, pool: &PoolView, view: &View<'_>) -> u32;
}

/// How a policy wants the peak of each pool's own traffic measured beforehand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizing {
    /// The quantile over time of the number of calls in execution; 1 is the maximum.
    pub quantile: f64,
}

/// The scaling policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ScalingSpec {
    /// A call that finds no sandbox starts one; keep-alive decides how long it stays. Knows nothing. Loses a cold start on
    /// every first call.
    OnDemand(OnDemand),
}

impl Default for ScalingSpec {
    fn default() -> Self {
        Self::OnDemand(OnDemand {})
    }
}

impl ScalingSpec {
    /// How the peak of each pool's traffic must be measured before the run, if the policy must know it.
    pub fn sizing(&self) -> Option<Sizing> {
        None
    }

    /// Builds the policy.
    pub fn build(&self, _known: &Known) -> Box<dyn Scaling> {
        match self {
            Self::OnDemand(p) => Box::new(p.clone()),
        }
    }
}
