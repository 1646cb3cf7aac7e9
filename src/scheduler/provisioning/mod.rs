//! Provisioning: how many hosts are on?

mod always_on;

pub use always_on::AlwaysOn;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::View;
use crate::types::{Duration, RegionId, Seed};

/// Decides how many of a region's hosts are on.
pub trait Provisioning: Send {
    /// How often the policy is asked; `None` if all hosts stay on for the whole run.
    fn period(&self) -> Option<Duration>;

    /// How many hosts the region should have on or booting, of `hosts` that it owns. The engine boots the lowest-numbered
    /// ones that are off, and switches off the highest-numbered ones that hold no sandbox.
    fn wanted(&mut self, region: RegionId, hosts: u32, view: &View<'_>) -> u32;
}

/// The provisioning policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ProvisioningSpec {
    /// All hosts are on for the whole run. Knows nothing. Loses the idle power of hosts that nobody needs.
    AlwaysOn(AlwaysOn),
}

impl Default for ProvisioningSpec {
    fn default() -> Self {
        Self::AlwaysOn(AlwaysOn {})
    }
}

impl ProvisioningSpec {
    /// Builds the policy; `seed` is its own.
    pub fn build(&self, _seed: Seed) -> Box<dyn Provisioning> {
        match self {
            Self::AlwaysOn(p) => Box::new(p.clone()),
        }
    }
}
