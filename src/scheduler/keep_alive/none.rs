//! Keep nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IdleView, KeepAlive, Plan};
use crate::scheduler::View;
use crate::types::Duration;

/// Removes a sandbox as soon as it is idle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoKeepAlive {}

impl KeepAlive for NoKeepAlive {
    fn constant(&self) -> Option<Duration> {
        Some(Duration::ZERO)
    }

    fn needs_pools(&self) -> bool {
        false
    }

    fn keep(&mut self, _sandbox: &IdleView<'_>, _view: &View<'_>) -> Plan {
        Duration::ZERO.into()
    }
}
