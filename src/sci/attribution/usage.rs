//! `usage`: who computes more pays more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{GroupUse, RowsError, Rule};

/// By dynamic energy, which follows CPU use.
///
/// Formula: w_f = dynamic energy of its calls and starts \[J\].
/// Source: the common choice of tools that see only utilization (shared/reference/sci.md, section 8). When it misleads: a sandbox
/// that sits idle keeps a host on and pays nothing for it; with power models without a dynamic part nobody pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Usage {}

impl Rule for Usage {
    fn name(&self) -> &'static str {
        "usage"
    }

    fn weights(&self, usage: &GroupUse<'_>) -> Result<Vec<f64>, RowsError> {
        Ok(usage.dynamic_j.to_vec())
    }
}
