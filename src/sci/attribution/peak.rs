//! `peak`: who held the most at any time pays the most.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{GroupUse, RowsError, Rule};

/// By a function's own peak.
///
/// Formula: w_f = max over periods of (share of a host held x time / length of the period) \[hosts\].
/// Source: demand charges of electricity tariffs; the non-coincident peak. Assumed for fleets: no publication uses it for carbon. When
/// it misleads: a short burst at night pays as if capacity had been bought for it; and the longer a period, the smaller a burst.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Peak {}

impl Rule for Peak {
    fn name(&self) -> &'static str {
        "peak"
    }

    fn needs_periods(&self) -> bool {
        true
    }

    fn weights(&self, usage: &GroupUse<'_>) -> Result<Vec<f64>, RowsError> {
        let mut largest = vec![0.0f64; usage.held_s.len()];
        usage.periods.held(usage.group, &mut |period, function, held_s| {
            let mean = held_s / usage.periods.length_s(period).max(1e-9);
            largest[function] = largest[function].max(mean);
        })?;
        Ok(largest)
    }
}
