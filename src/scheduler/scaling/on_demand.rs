//! A call that finds no sandbox starts one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Scaling;
use crate::scheduler::{PoolView, View};

/// Starts sandboxes for calls, and for nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnDemand {}

impl Scaling for OnDemand {
    fn is_passive(&self) -> bool {
        true
    }

    fn wanted(&mut self, _pool: &PoolView, _view: &View<'_>) -> u32 {
        0
    }
}
