//! A finished run's ledger with all that scoring it anew needs: what is written beside every result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::attribution::AttributionSpec;
use super::uncertainty::UncertaintySpec;
use super::{CAUSES, FunctionalUnit, GroupFacts, RegionScore, Statement, score_regions};
use crate::grid::SignalInfo;
use crate::ledger::SiteBook;
use crate::types::SimTime;

/// The layout of a saved ledger; a program that meets a later one says so.
pub const FORMAT: u32 = 1;

/// The facts of a ledger: everything but its tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordFacts {
    /// The layout, [`FORMAT`].
    pub format: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The instant of the run's start, UTC.
    pub start: String,
    /// The root seed.
    pub seed: u64,
    /// The run's length \[ns\].
    pub end_ns: u64,
    /// The width of a bin \[ns\].
    pub step_ns: u64,
    /// Rows of the site book by region.
    pub rows: Vec<usize>,
    /// Names of the regions.
    pub regions: Vec<String>,
    /// The host groups.
    pub groups: Vec<GroupFacts>,
    /// What the policies looked at, by region.
    pub decided_on: Vec<SignalInfo>,
    /// What the run's own score rests on, by region.
    pub scored_on: Vec<SignalInfo>,
    /// Length of the periods of accounts.parquet \[ns\]; `null` if it was not written.
    pub account_step_ns: Option<u64>,
    /// Who paid for what nobody used.
    pub attribution: AttributionSpec,
    /// The functional unit of the run.
    pub unit: FunctionalUnit,
    /// R in that unit.
    pub units: f64,
    /// R in every unit that needs no further word, by name.
    pub units_by_name: BTreeMap<String, f64>,
    /// Whether what is sent between regions is counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub network: bool,
    /// What the scenario says is uncertain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertainty: Option<UncertaintySpec>,
}

/// A ledger with its facts.
#[derive(Debug, Clone)]
pub struct Record {
    /// Everything but the tables.
    pub facts: RecordFacts,
    /// The site book.
    pub site: SiteBook,
    /// Intensity that the policies looked at, by region and bin [gCO2e/kWh].
    pub decided_on: Vec<Vec<f64>>,
    /// Intensity of the run's own score, by region and bin [gCO2e/kWh].
    pub scored_on: Vec<Vec<f64>>,
}

/// O, M and R of a run under one signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// O \[gCO2e\].
    pub operational_g: f64,
    /// M \[gCO2e\].
    pub embodied_g: f64,
    /// R.
    pub units: f64,
    /// What R counts.
    pub unit: String,
}

/// Two scores that do not divide by the same unit cannot be added.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a score per {one} and a score per {other} have no sum: SCI adds components only over one functional unit\n  help: score \
     both per the same unit"
)]
pub struct UnequalUnits {
    one: String,
    other: String,
}

impl Score {
    /// (O + M) / R [gCO2e per unit]; `None` where R is 0: undefined, not 0 and not infinite.
    pub fn sci(&self) -> Option<f64> {
        super::intensity(self.operational_g + self.embodied_g, self.units)
    }

    /// The score of both together: sums of O, M and R. Never a mean of scores.
    ///
    /// # Errors
    /// They count different units.
    pub fn plus(&self, other: &Score) -> Result<Score, UnequalUnits> {
        if self.unit != other.unit {
            return Err(UnequalUnits { one: self.unit.clone(), other: other.unit.clone() });
        }
        Ok(Score {
            operational_g: self.operational_g + other.operational_g,
            embodied_g: self.embodied_g + other.embodied_g,
            units: self.units + other.units,
            unit: self.unit.clone(),
        })
    }
}

/// O of regions \[gCO2e\].
pub fn operational_g(regions: &[RegionScore]) -> f64 {
    regions.iter().flat_map(|r| r.operational_g).sum()
}

/// M of regions \[gCO2e\].
pub fn embodied_g(regions: &[RegionScore]) -> f64 {
    regions.iter().map(|r| r.embodied_g).sum()
}

/// All energy of regions \[J\].
pub fn energy_j(regions: &[RegionScore]) -> f64 {
    regions.iter().flat_map(|r| r.energy_j).sum()
}

/// Energy of regions by cause \[J\].
pub fn energy_by_cause_j(regions: &[RegionScore]) -> [f64; CAUSES] {
    super::score::sum_causes(regions.iter().map(|r| &r.energy_j))
}

impl Record {
    /// When the run ended.
    pub fn end(&self) -> SimTime {
        SimTime(self.facts.end_ns)
    }

    /// Whether another run counts the same functional units: of the same name, and defined alike.
    ///
    /// # Errors
    /// It does not.
    pub fn counts_as(&self, other: &Record) -> Result<(), UnequalUnits> {
        let (one, two) = (&self.facts.unit, &other.facts.unit);
        if one == two {
            return Ok(());
        }
        let other =
            if one.name() == two.name() { format!("{} counted otherwise", two.name()) } else { two.name().to_owned() };
        Err(UnequalUnits { one: one.name().to_owned(), other })
    }

    /// What a score of the run on a signal rests on.
    pub fn statement(&self, signal: &[SignalInfo]) -> Statement {
        Statement::new(signal, &self.facts.groups).with_network(self.facts.network)
    }

    /// All energy \[J\].
    pub fn energy_j(&self) -> f64 {
        energy_j(&self.regions(&self.scored_on))
    }

    /// The regions' scores under an intensity by region and bin [gCO2e/kWh].
    pub fn regions(&self, intensity: &[Vec<f64>]) -> Vec<RegionScore> {
        score_regions(&self.site, &self.facts.groups, intensity, self.end())
    }

    /// The run's score under an intensity by region and bin [gCO2e/kWh], per the run's own functional unit.
    pub fn score(&self, intensity: &[Vec<f64>]) -> Score {
        self.score_per(intensity, self.facts.unit.name(), self.facts.units)
    }

    /// The run's score per another unit; `None` if its R was not kept.
    pub fn score_by(&self, intensity: &[Vec<f64>], unit: &str) -> Option<Score> {
        if unit.eq_ignore_ascii_case(self.facts.unit.name()) {
            return Some(self.score(intensity));
        }
        let (name, units) = self.facts.units_by_name.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
        Some(self.score_per(intensity, name, *units))
    }

    fn score_per(&self, intensity: &[Vec<f64>], unit: &str, units: f64) -> Score {
        let regions = self.regions(intensity);
        Score { operational_g: operational_g(&regions), embodied_g: embodied_g(&regions), units, unit: unit.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_add_by_their_sums_and_only_over_one_unit() {
        let score =
            |o: f64, r: f64, unit: &str| Score { operational_g: o, embodied_g: 1.0, units: r, unit: unit.into() };
        let (busy, quiet) = (score(99.0, 1000.0, "call"), score(9.0, 1.0, "call"));
        // 110 g over 1001 calls; the mean of the two scores would be 5.05.
        assert_eq!(busy.plus(&quiet).expect("one unit").sci(), Some(110.0 / 1001.0));
        let error = busy.plus(&score(1.0, 1.0, "tenant-hour")).expect_err("two units");
        assert!(error.to_string().contains("per call and a score per tenant-hour have no sum"));
        assert_eq!(score(5.0, 0.0, "call").sci(), None);
    }
}
