//! Nothing moves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fleet, Migration, MoveOrder};
use crate::types::Duration;

/// Instances stay where they were placed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoMigration {}

impl Migration for NoMigration {
    fn period(&self) -> Option<Duration> {
        None
    }

    fn moves(&mut self, _fleet: &Fleet<'_>, _orders: &mut Vec<MoveOrder>) {}
}
