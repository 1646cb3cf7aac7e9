//! Heat that leaves the site: reused energy, ERF, ERE, and the gas that it avoids. Beside the score, never in it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{bounds, facility_j, it_j};
use crate::ledger::Rates;
use crate::types::{Duration, JOULES_PER_KWH, SimTime};

/// `[regions.heat]`: what becomes of a region's heat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeatSpec {
    /// Share of the energy below that is captured as heat \[0 to 1\]. No default: it depends on how heat is taken off.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub captured_share: f64,
    /// Of which energy. Default `it`.
    #[serde(default)]
    pub captured_of: CapturedOf,
    /// The most heat that its user takes \[W\]. Default: all.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demand_w: Option<f64>,
    /// The share of `demand_w` that is wanted in each month of the year (UTC), January first. Default: 1 in every month.
    #[schemars(inner(range(min = 0.0, max = 1.0)))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demand_by_month: Option<[f64; 12]>,
    /// Whether the heat leaves the site's boundary. Only then it counts as reused. Default true.
    #[serde(default = "leaves_site")]
    pub leaves_site: bool,
    /// The gas boiler that it stands in for. Default: none, no avoided gas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas: Option<GasBoiler>,
}

fn leaves_site() -> bool {
    true
}

/// Of which energy heat is captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CapturedOf {
    /// Of what the IT draws.
    #[default]
    It,
    /// Of what the facility draws, overhead included.
    Facility,
}

/// A boiler that need not burn gas.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GasBoiler {
    /// Heat that it makes of the energy in the gas, on the basis of `g_per_kwh`. No default.
    #[schemars(range(min = 0.01, max = 1.2))]
    pub efficiency: f64,
    /// Emissions of the gas per energy in it [gCO2e/kWh]. No default; see docs/beside-carbon.md.
    #[schemars(range(min = 0.0))]
    pub g_per_kwh: f64,
}

/// A region's heat over the run.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HeatBook {
    /// Heat that left the site and was used \[J\].
    pub reused_j: f64,
    /// Heat that was used inside the boundary, and does not count \[J\].
    pub inside_j: f64,
    /// Heat that was wanted, where there is a limit \[J\].
    pub demand_j: Option<f64>,
    /// Emissions of the gas that was not burnt, where a boiler is named \[gCO2e\].
    pub avoided_gas_g: Option<f64>,
}

impl HeatSpec {
    /// What goes wrong between the keys.
    ///
    /// # Errors
    /// The key, the problem and the remedy.
    pub fn check(&self) -> Result<(), (&'static str, &'static str, &'static str)> {
        if self.demand_by_month.is_some() && self.demand_w.is_none() {
            let help = "give demand_w, the demand at a share of 1, or leave demand_by_month out";
            return Err(("demand_by_month", "demand_by_month is a share of demand_w, which is not given", help));
        }
        Ok(())
    }

    /// The heat of a region's rows: for every bin the smaller of captured share x energy, and demand x time.
    pub fn book(&self, rows: &[Rates], step: Duration, end: SimTime, start: Timestamp) -> HeatBook {
        let (mut used, mut demand) = (0.0, 0.0);
        for bin in 0..super::bins(step, end) {
            let energy = rows.get(bin).map_or(0.0, |row| match self.captured_of {
                CapturedOf::It => it_j(row),
                CapturedOf::Facility => facility_j(row),
            });
            let (from, to) = bounds(step, bin, end);
            let captured = self.captured_share * energy;
            used += match self.demand_w {
                None => captured,
                Some(watts) => {
                    let share = self.demand_by_month.map_or(1.0, |shares| shares[month(start, from)]);
                    let wanted = watts * share * to.saturating_since(from).as_secs_f64();
                    demand += wanted;
                    captured.min(wanted)
                }
            };
        }
        let (reused_j, inside_j) = if self.leaves_site { (used, 0.0) } else { (0.0, used) };
        let avoided_gas_g = self.gas.map(|gas| avoided_gas_g(reused_j, &gas));
        HeatBook { reused_j, inside_j, demand_j: self.demand_w.map(|_| demand), avoided_gas_g }
    }
}

impl HeatBook {
    /// Both together.
    pub fn plus(&self, other: &HeatBook) -> HeatBook {
        let both = |a: Option<f64>, b: Option<f64>| a.map_or(b, |a| Some(a + b.unwrap_or(0.0)));
        HeatBook {
            reused_j: self.reused_j + other.reused_j,
            inside_j: self.inside_j + other.inside_j,
            demand_j: both(self.demand_j, other.demand_j),
            avoided_gas_g: both(self.avoided_gas_g, other.avoided_gas_g),
        }
    }
}

/// Emissions of the gas that heat stands in for \[gCO2e\].
///
/// Formula: heat / efficiency x factor. Example: 90 kWh at an efficiency of 0.9 and 202 g/kWh are 20,200 g.
pub fn avoided_gas_g(heat_j: f64, gas: &GasBoiler) -> f64 {
    heat_j / JOULES_PER_KWH / gas.efficiency * gas.g_per_kwh
}

/// The month of an instant, from 0.
fn month(start: Timestamp, at: SimTime) -> usize {
    let instant = start.as_nanosecond() + i128::from(at.0);
    let stamp = Timestamp::from_nanosecond(instant).unwrap_or(Timestamp::MAX);
    usize::from(jiff::tz::Offset::UTC.to_datetime(stamp).month().unsigned_abs()) - 1
}

/// PUE, ERF and ERE of a facility.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FacilityMetrics {
    /// Facility energy over IT energy, at least 1.
    pub pue: f64,
    /// Reused over facility energy, 0 to 1.
    pub erf: f64,
    /// (Facility - reused) over IT energy = (1 - ERF) x PUE, 0 to PUE.
    pub ere: f64,
}

/// Why there are no metrics.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum NoMetrics {
    /// Nothing to divide by.
    #[error("the IT drew no energy: PUE, ERF and ERE have no value")]
    NoIt,
    /// A part is larger than the whole.
    #[error("{what} of {part} is more than all energy of the facility, {whole}\n  help: check units and meters")]
    MoreThanAll {
        /// Which part.
        what: &'static str,
        /// The part.
        part: f64,
        /// The whole.
        whole: f64,
    },
    /// No energy at all.
    #[error("{0} is no energy: it must be finite and not negative")]
    NotEnergy(f64),
}

impl FacilityMetrics {
    /// The metrics of energies in one unit. ISO/IEC 30134-2 (PUE) and 30134-6 (ERF); ERE of The Green Grid.
    ///
    /// A part may exceed the whole by a billionth of it: that is rounding.
    ///
    /// # Errors
    /// No IT energy, IT or reused energy above the total, or no energies.
    ///
    /// ```
    /// use slackwater::sci::beside::FacilityMetrics;
    /// let m = FacilityMetrics::new(1_250_000.0, 820_000.0, 210_000.0).unwrap();
    /// assert!((m.pue - 1.524390).abs() < 1e-6 && (m.erf - 0.168).abs() < 1e-12 && (m.ere - 1.268292).abs() < 1e-6);
    /// ```
    pub fn new(total: f64, it: f64, reused: f64) -> Result<Self, NoMetrics> {
        if let Some(&wrong) = [total, it, reused].iter().find(|x| !(x.is_finite() && **x >= 0.0)) {
            return Err(NoMetrics::NotEnergy(wrong));
        }
        for (what, part) in [("IT energy", it), ("reused energy", reused)] {
            if part > total * (1.0 + 1e-9) {
                return Err(NoMetrics::MoreThanAll { what, part, whole: total });
            }
        }
        if it == 0.0 {
            return Err(NoMetrics::NoIt);
        }
        Ok(Self { pue: total / it, erf: reused / total, ere: (total - reused) / it })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vector_holds() {
        let m = FacilityMetrics::new(1_250_000.0, 820_000.0, 210_000.0).expect("right energies");
        for (ours, wanted) in [(m.pue, 1.250 / 0.820), (m.erf, 0.168), (m.ere, 1.040 / 0.820)] {
            assert!((ours / wanted - 1.0).abs() < 1e-12, "{ours} is not {wanted}");
        }
        assert_eq!([m.pue, m.ere].map(|x| (x * 1e6).floor()), [1_524_390.0, 1_268_292.0]);
        assert!((m.ere - (1.0 - m.erf) * m.pue).abs() < 1e-12);
        // All energy reused is legal, and so is an ERE below 1.
        assert_eq!(FacilityMetrics::new(10.0, 8.0, 10.0).map(|m| (m.erf, m.ere)), Ok((1.0, 0.0)));
    }

    #[test]
    fn parts_larger_than_the_whole_and_no_it_energy_are_refused() {
        assert_eq!(FacilityMetrics::new(10.0, 0.0, 0.0), Err(NoMetrics::NoIt));
        let text = |r: Result<FacilityMetrics, NoMetrics>| r.expect_err("a wrong input").to_string();
        assert!(text(FacilityMetrics::new(10.0, 11.0, 0.0)).contains("IT energy of 11"));
        assert!(text(FacilityMetrics::new(10.0, 8.0, 11.0)).contains("reused energy of 11"));
        assert!(text(FacilityMetrics::new(f64::NAN, 8.0, 0.0)).contains("NaN is no energy"));
        assert!(text(FacilityMetrics::new(10.0, -1.0, 0.0)).contains("-1 is no energy"));
    }

    #[test]
    fn months_are_those_of_the_calendar() {
        let start: Timestamp = "2022-01-31T23:00:00Z".parse().expect("an instant");
        assert_eq!([0.0, 3599.0, 3600.0].map(|s| month(start, SimTime::from_secs_f64(s))), [0, 0, 1]);
    }
}
