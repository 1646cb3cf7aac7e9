//! Turns the ledger into grams: operational emissions O, embodied emissions M, and the score (O + M) / R.
//!
//! Software Carbon Intensity, ISO/IEC 21031:2024 and SCI v1.1:
//!
//! ```text
//!   O = sum over regions and time of  E x I          E from the site book, I from the region's signal
//!   M = sum over hosts of             TE x TS x RS   TS = time / lifetime, RS = share of the host held
//!   SCI = (O + M) / R                                R counts functional units; undefined for R = 0, never 0
//! ```
//!
//! The boundary is the whole fleet: idle and switched-off hosts count. What no function held is its own line,
//! "unattributed", so that functions + unattributed = total, for energy, for O and for M.
//!
//! This room reads the ledger and the signals; it knows neither the simulation nor any policy.

mod score;
pub mod shapley;

pub use score::{FunctionShare, GroupFacts, RegionScore, Scored, bin_intensity, joules_by_cause, score};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[sci]`: what the score divides by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SciSpec {
    /// The functional unit R. Default `call`.
    #[serde(default)]
    pub functional_unit: FunctionalUnit,
}

/// What R counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FunctionalUnit {
    /// Executed calls.
    #[default]
    Call,
    /// Hours of calls in execution: sum of their time from begin to end, in hours.
    ExecutionHour,
    /// Gigabyte-hours of memory held by busy sandboxes' functions while executing.
    GbHour,
}

impl FunctionalUnit {
    /// The unit's name, for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::ExecutionHour => "execution-hour",
            Self::GbHour => "GB-hour",
        }
    }

    /// R from what was executed: calls, seconds in execution, and memory of the function \[GB\].
    pub fn count(self, calls: u64, busy_s: f64, memory_gb: f64) -> f64 {
        match self {
            Self::Call => calls as f64,
            Self::ExecutionHour => busy_s / 3600.0,
            Self::GbHour => busy_s / 3600.0 * memory_gb,
        }
    }
}

/// (O + M) / R [gCO2e per functional unit]; `None` where R is 0: the score is undefined, not 0.
///
/// Example: 5.02 g over 100 units is 0.0502 g per unit.
pub fn intensity(carbon_g: f64, units: f64) -> Option<f64> {
    (units > 0.0).then(|| carbon_g / units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_division_holds_to_the_last_bit_and_no_unit_means_no_score() {
        // Impact Framework unit test: carbon 5.02 over 100.
        assert_eq!(intensity(5.02, 100.0), Some(0.050199999999999995));
        assert_eq!(intensity(5.02, 0.0), None);
    }
}
