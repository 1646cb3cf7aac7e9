//! `unattributed`: nobody pays, what nobody uses is a line of its own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{GroupUse, RowsError, Rule};

/// Nobody pays for what nobody uses.
///
/// Formula: w_f = 0. Source: SCI v1.1, M = TE x TS x RS with RS by reservation, which leaves a rest. Loses nothing and blames nobody:
/// the only rule under which a function's figures do not depend on what others do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unattributed {}

impl Rule for Unattributed {
    fn name(&self) -> &'static str {
        "unattributed"
    }

    fn weights(&self, usage: &GroupUse<'_>) -> Result<Vec<f64>, RowsError> {
        Ok(vec![0.0; usage.held_s.len()])
    }
}
