//! `allocation`: who holds more for longer pays more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{GroupUse, RowsError, Rule};

/// By resource-time held.
///
/// Formula: w_f = ∫ share of a host held dt, busy, starting and warm [host·s].
/// Source: the resource-time proportional baseline of Fair-CO2 (ISCA 2025); idle by reservation as in Google's internal accounting
/// (arXiv 2406.09645). When it misleads: an hour at the peak, for which capacity was bought, costs as much as one at night.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allocation {}

impl Rule for Allocation {
    fn name(&self) -> &'static str {
        "allocation"
    }

    fn weights(&self, usage: &GroupUse<'_>) -> Result<Vec<f64>, RowsError> {
        Ok(usage.held_s.to_vec())
    }
}
