//! Optional ledgers beside carbon: heat reuse, water, money; and PUE by outdoor temperature. None of them is in the score.
//!
//! ```text
//!   site book ──► add_overhead (PUE by air) ──► site book ──► SCI          PUE is physics: it is in energy and in O
//!                                                   └──────► Books         heat, water, money: lines of their own
//! ```
//!
//! Everything here is a function of the finished site book, of the hours that hosts were on, and of the scenario's figures.

mod cost;
mod heat;
mod outdoor;
mod water;

pub use cost::{CostBook, CostSpec, ElectricityPrice, Purchase};
pub use heat::{CapturedOf, FacilityMetrics, GasBoiler, HeatBook, HeatSpec, NoMetrics, avoided_gas_g};
pub use outdoor::{Air, Curve, Outdoor, OutdoorBook, PueOutdoor, Temperature, TypicalTemperature};
pub use water::{WaterBook, WaterSpec};

use std::path::PathBuf;

use jiff::Timestamp;

use super::{GroupFacts, joules_by_cause};
use crate::grid::Steps;
use crate::ledger::{Cause, Rates, SiteBook};
use crate::types::{Duration, RegionId, SimTime};

/// What one region keeps beside carbon.
#[derive(Debug, Clone, Default)]
pub struct RegionBeside {
    /// Its air and PUE.
    pub outdoor: Option<Outdoor>,
    /// Its heat.
    pub heat: Option<HeatSpec>,
    /// Its water.
    pub water: Option<WaterSpec>,
    /// The price of its electricity [currency/MWh].
    pub electricity: Option<Steps>,
}

/// The ledgers beside carbon that a scenario asks for; by default none.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// When the run starts; `None` only if no ledger is on.
    pub start: Option<Timestamp>,
    /// The regions.
    pub regions: Vec<RegionBeside>,
    /// How the hosts of each group are paid for; empty if no group says.
    pub purchases: Vec<Purchase>,
    /// The currency of all prices.
    pub currency: Option<String>,
    /// The files that were read, with the SHA-256 of their text.
    pub inputs: Vec<(PathBuf, String)>,
}

/// What one region has beside carbon.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RegionBook {
    /// IT energy \[J\].
    pub it_j: f64,
    /// IT energy and overhead \[J\].
    pub facility_j: f64,
    /// Its air, where PUE follows it.
    pub outdoor: Option<OutdoorBook>,
    /// Its heat.
    pub heat: Option<HeatBook>,
    /// Its water.
    pub water: Option<WaterBook>,
    /// Its cost.
    pub cost: Option<CostBook>,
}

/// What a run has beside carbon.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Books {
    /// The currency of all costs.
    pub currency: Option<String>,
    /// By region.
    pub regions: Vec<RegionBook>,
}

impl Books {
    /// Whether no ledger is on.
    pub fn is_empty(&self) -> bool {
        self.regions.iter().all(|r| {
            let RegionBook { it_j: _, facility_j: _, outdoor, heat, water, cost } = r;
            outdoor.is_none() && heat.is_none() && water.is_none() && cost.is_none()
        })
    }
}

impl Beside {
    /// Fills in the overhead of the regions whose PUE follows the air. Once, after the simulation and before any score.
    pub fn add_overhead(&self, site: &mut SiteBook, end: SimTime) {
        for (r, region) in self.regions.iter().enumerate() {
            if let Some(outdoor) = &region.outdoor {
                outdoor.add_overhead(site, RegionId::from_index(r), end);
            }
        }
    }

    /// The groups with the overhead that is charged in those regions: the region's mean over the run, by energy for energy, by
    /// emissions under `intensity` for emissions. So functions and what is unattributed add up to the region.
    pub fn charged(&self, groups: Vec<GroupFacts>, site: &SiteBook, intensity: &[Vec<f64>]) -> Vec<GroupFacts> {
        let mut groups = groups;
        for r in (0..self.regions.len()).filter(|&r| self.regions[r].outdoor.is_some()) {
            let id = RegionId::from_index(r);
            let (energy, carbon) = outdoor::means(site.rows(id), &intensity[r]);
            for group in groups.iter_mut().filter(|g| g.region == id) {
                (group.pue, group.carbon_pue) = (energy, Some(carbon));
            }
        }
        groups
    }

    /// All ledgers of a finished site book and of groups that know how long their hosts were powered on.
    pub fn books(&self, site: &SiteBook, end: SimTime, groups: &[GroupFacts]) -> Books {
        let (step, run_s) = (site.step(), end.as_secs_f64());
        let book = |(r, region): (usize, &RegionBeside)| {
            let id = RegionId::from_index(r);
            let rows = site.rows(id);
            let it: f64 = rows.iter().map(it_j).sum();
            let facility: f64 = rows.iter().map(facility_j).sum();
            let own = self.purchases.iter().zip(groups).filter(|(_, g)| g.region == id);
            let cost = CostBook {
                electricity: region.electricity.as_ref().map(|p| cost::electricity(rows, p, step, end)),
                hosts: (!self.purchases.is_empty())
                    .then(|| cost::by_purchase(own.map(|(p, g)| (*p, p.cost(g, run_s))))),
            };
            RegionBook {
                it_j: it,
                facility_j: facility,
                outdoor: region.outdoor.as_ref().map(|o| o.book(step, end)),
                heat: region.heat.as_ref().zip(self.start).map(|(h, start)| h.book(rows, step, end, start)),
                water: region.water.map(|w| w.book(it, facility)),
                cost: self.currency.as_ref().map(|_| cost),
            }
        };
        Books { currency: self.currency.clone(), regions: self.regions.iter().enumerate().map(book).collect() }
    }
}

/// IT energy of a row \[J\].
fn it_j(row: &Rates) -> f64 {
    joules_by_cause(row)[..Cause::Overhead as usize].iter().sum()
}

/// All energy of the facility in a row \[J\]: what is sent between regions is drawn outside it.
fn facility_j(row: &Rates) -> f64 {
    joules_by_cause(row)[..=Cause::Overhead as usize].iter().sum()
}

/// How many bins a run has.
fn bins(step: Duration, end: SimTime) -> usize {
    usize::try_from(end.0.div_ceil(step.0)).unwrap_or(usize::MAX)
}

/// From when to when a bin lasts, cut at the run's end.
fn bounds(step: Duration, bin: usize, end: SimTime) -> (SimTime, SimTime) {
    let from = bin as u64 * step.0;
    (SimTime(from), SimTime((from + step.0).min(end.0).max(from + 1)))
}
