//! All hosts on, all the time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Provisioning;
use crate::scheduler::View;
use crate::types::{Duration, RegionId};

/// Keeps every host on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlwaysOn {}

impl Provisioning for AlwaysOn {
    fn period(&self) -> Option<Duration> {
        None
    }

    fn wanted(&mut self, _region: RegionId, hosts: u32, _view: &View<'_>) -> u32 {
        hosts
    }
}
