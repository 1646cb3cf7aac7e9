//! Turns the ledger into grams: operational emissions O, embodied emissions M, and the score (O + M) / R.
//!
//! Software Carbon Intensity, ISO/IEC 21031:2024 and SCI v1.1:
//!
//! ```text
//!   O = sum over regions and time of  E x I          E from the site book, I from the region's signal
//!   M = sum over hosts of             TE x TS x RS   TS = time / lifetime, RS = share of the host held; see `embodied`
//!   SCI = (O + M) / R                                R counts functional units; undefined for R = 0, never 0
//! ```
//!
//! The boundary is the whole fleet: idle and switched-off hosts count. What no function held is its own line,
//! "unattributed", so that functions + unattributed = total, for energy, for O and for M. Rules of [`attribution`] may spread it.
//!
//! This room reads the ledger and the signals; it knows neither the simulation nor any policy.

pub mod attribution;
pub mod beside;
pub mod embodied;
mod record;
mod score;
pub mod shapley;
mod signals;
mod statement;
pub mod uncertainty;
mod unit;

pub use record::{
    FORMAT, Record, RecordFacts, Score, UnequalUnits, embodied_g, energy_by_cause_j, energy_j, operational_g,
};
pub use score::{
    CAUSES, GroupFacts, RegionScore, Scored, Share, bin_intensity, intensities, joules_by_cause, score, score_regions,
};
pub use signals::{SignalSet, SignalSetError};
pub use statement::{BOUNDARY, Statement, boundary, distinct};
pub use unit::{FunctionalUnit, UserUnit, Work};

use attribution::AttributionSpec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use score::charge;

/// `[sci]`: what the score divides by, and who pays for what nobody uses.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SciSpec {
    /// The functional unit R. Default `call`.
    #[serde(default)]
    pub functional_unit: FunctionalUnit,
    /// Who pays for capacity that nobody uses. Default: nobody, it is a line of its own.
    #[serde(default)]
    pub attribution: AttributionSpec,
    /// How uncertain the figures behind the score are; adds the median and the 90 % interval of the score to the summary.
    /// Default: nothing is uncertain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertainty: Option<uncertainty::UncertaintySpec>,
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
