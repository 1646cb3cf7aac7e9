//! Scaling: how many sandboxes does a pool have?
//!
//! On demand, a call that finds no sandbox starts one. A policy may also keep a number of them ready for each pool, or fix the
//! number altogether: then a call that finds none waits for one of its pool.

mod autoscaled;
mod on_demand;
mod peak;
mod pre_warmed;
mod provisioned;

pub use autoscaled::Autoscaled;
pub use on_demand::OnDemand;
pub use peak::Peak;
pub use pre_warmed::PreWarmed;
pub use provisioned::Provisioned;

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
    /// A number of sandboxes per pool that is always there; more on demand. Knows nothing. Loses memory on quiet pools and cold
    /// starts on busy ones. Source: provisioned concurrency of AWS Lambda.
    Provisioned(Provisioned),
    /// The sandboxes that each pool's own traffic needs at its peak, at all times, and never more. Knows the peak of the whole
    /// workload beforehand. Loses everything between mean and peak: the dedicated servers that sharing is compared with.
    Peak(Peak),
    /// Follows mean demand towards a target utilization, up at once and down after a while. Knows the demand of the last
    /// period. Loses on bursts shorter than a period, and memory for the length of its window. Source: Kubernetes' horizontal
    /// pod autoscaler, defaults recalled.
    Autoscaled(Autoscaled),
    /// A stock of ready sandboxes per pool beyond the busy ones; more on demand. Knows what is busy. Loses the stock's memory on
    /// every pool, quiet ones too. Source: pre-warmed pools of public platforms; one stock per pool is assumed.
    PreWarmed(PreWarmed),
}

impl Default for ScalingSpec {
    fn default() -> Self {
        Self::OnDemand(OnDemand {})
    }
}

impl ScalingSpec {
    /// Whether the policy decides nothing: sandboxes are started by calls alone.
    pub fn is_passive(&self) -> bool {
        matches!(self, Self::OnDemand(_))
    }

    /// How the peak of each pool's traffic must be measured before the run, if the policy must know it.
    pub fn sizing(&self) -> Option<Sizing> {
        match self {
            Self::Peak(p) => Some(p.sizing()),
            _ => None,
        }
    }

    /// Builds the policy.
    pub fn build(&self, known: &Known) -> Box<dyn Scaling> {
        match self {
            Self::OnDemand(p) => Box::new(p.clone()),
            Self::Provisioned(p) => Box::new(p.clone()),
            Self::Peak(p) => Box::new(p.clone()),
            Self::Autoscaled(p) => Box::new(autoscaled::Follower::new(p.clone(), known)),
            Self::PreWarmed(p) => Box::new(p.clone()),
        }
    }
}

/// The least whole number that is not below `needed`; rounding errors do not ask for one more.
fn whole(needed: f64) -> u32 {
    (needed - 1e-9).ceil() as u32
}

#[cfg(test)]
mod tests;
