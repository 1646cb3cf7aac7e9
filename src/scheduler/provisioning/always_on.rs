//! All hosts on, all the time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FleetView, Provisioning};
use crate::scheduler::View;
use crate::types::Duration;

/// Keeps every host on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlwaysOn {}

impl Provisioning for AlwaysOn {
    fn period(&self) -> Option<Duration> {
        None
    }

    fn wanted(&mut self, fleet: &FleetView, _view: &View<'_>) -> u32 {
        fleet.hosts
    }
}
