//! Money: electricity by a price that may be negative, and hosts on demand, reserved, spot, or owned.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{bounds, facility_j};
use crate::grid::{Steps, StepsFile};
use crate::ledger::Rates;
use crate::sci::GroupFacts;
use crate::types::{Duration, JOULES_PER_KWH, SimTime};

/// `[cost]`: in which currency all prices are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CostSpec {
    /// The currency of every price of the scenario, for example `EUR`. Nothing is converted.
    #[schemars(length(min = 1))]
    pub currency: String,
}

/// What a region's electricity costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ElectricityPrice {
    /// The same price at all times.
    Constant {
        /// Price [currency/MWh], negative or not.
        price_per_mwh: f64,
    },
    /// A CSV file `time_utc,price_per_mwh`; each value holds until the next stamp. Prices may be negative.
    Csv(StepsFile),
}

/// How the hosts of a group are paid for. Interruptions of spot hosts are not modelled.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Purchase {
    /// Paid for the time that they are on.
    OnDemand {
        /// Price of a host [currency/h].
        #[schemars(range(min = 0.0))]
        per_hour: f64,
    },
    /// Paid for the whole run, on or off, used or not.
    Reserved {
        /// Price of a host [currency/h].
        #[schemars(range(min = 0.0))]
        per_hour: f64,
    },
    /// Paid for the time that they are on, at the price of spare capacity.
    Spot {
        /// Price of a host [currency/h].
        #[schemars(range(min = 0.0))]
        per_hour: f64,
    },
    /// Bought, and written off in a straight line over the server's `lifetime_years`.
    Owned {
        /// Price of a host \[currency\].
        #[schemars(range(min = 0.0))]
        price: f64,
    },
}

impl Purchase {
    /// What a group costs over a run of `run_s` seconds \[currency\].
    ///
    /// Formula: on demand and spot price x host-hours powered on, booting included; reserved price x hosts x hours of the run; owned price x hosts x
    /// run / lifespan.
    pub fn cost(&self, group: &GroupFacts, run_s: f64) -> f64 {
        let hosts = f64::from(group.hosts);
        match self {
            Self::OnDemand { per_hour } | Self::Spot { per_hour } => per_hour * group.powered_s / 3600.0,
            Self::Reserved { per_hour } => per_hour * hosts * run_s / 3600.0,
            Self::Owned { price } => price * hosts * run_s / group.lifetime_s,
        }
    }
}

/// What a region, or all, cost \[currency\]. A part is `None` where nothing is priced for it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CostBook {
    /// Electricity; may be negative.
    pub electricity: Option<f64>,
    /// Hosts on demand, reserved, spot and owned.
    pub hosts: Option<[f64; 4]>,
}

impl CostBook {
    /// Everything.
    pub fn total(&self) -> f64 {
        self.electricity.unwrap_or(0.0) + self.hosts.iter().flatten().sum::<f64>()
    }

    /// Both together.
    pub fn plus(&self, other: &CostBook) -> CostBook {
        let sum = |a: Option<f64>, b: Option<f64>| a.map_or(b, |a| Some(a + b.unwrap_or(0.0)));
        let hosts = match (self.hosts, other.hosts) {
            (Some(a), Some(b)) => Some(std::array::from_fn(|i| a[i] + b[i])),
            (a, b) => a.or(b),
        };
        CostBook { electricity: sum(self.electricity, other.electricity), hosts }
    }
}

/// What the energy of rows costs \[currency\]: for every bin facility energy x the bin's price.
///
/// Exact where no price changes inside a bin: the builder of a run checks that.
pub fn electricity(rows: &[Rates], price_per_mwh: &Steps, step: Duration, end: SimTime) -> f64 {
    let cost = |(bin, row): (usize, &Rates)| {
        let (from, to) = bounds(step, bin, end);
        facility_j(row) / JOULES_PER_KWH / 1000.0 * price_per_mwh.mean(from, to)
    };
    rows.iter().enumerate().map(cost).sum()
}

/// What hosts cost by purchase, from pairs of a group's purchase and its cost.
pub fn by_purchase(groups: impl Iterator<Item = (Purchase, f64)>) -> [f64; 4] {
    let mut sum = [0.0; 4];
    for (purchase, cost) in groups {
        let at = match purchase {
            Purchase::OnDemand { .. } => 0,
            Purchase::Reserved { .. } => 1,
            Purchase::Spot { .. } => 2,
            Purchase::Owned { .. } => 3,
        };
        sum[at] += cost;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sci::embodied::{LifetimeBasis, Lives};
    use crate::types::{RegionId, SECONDS_PER_YEAR};

    #[test]
    fn reserved_hosts_are_paid_whether_they_are_on_or_not_and_others_only_while_they_are() {
        let group = GroupFacts {
            server: "box".into(),
            region: RegionId(0),
            hosts: 10,
            memory_mb: 1000.0,
            held_w: 100.0,
            pue: 1.0,
            carbon_pue: None,
            fixed_overhead_w: 0.0,
            server_kg: 1000.0,
            lives: Lives::default(),
            embodied_kg: 1000.0,
            lifetime_s: 4.0 * SECONDS_PER_YEAR,
            lifetime_basis: LifetimeBasis::Existence,
            surroundings_g_per_s: 0.0,
            powered_s: 60.0 * 3600.0,
        };
        // A day; the ten hosts were on for 60 hours together. GAIA's prices per core: 0.0624, 0.4 of it, 0.01248.
        let cost = |p: Purchase| p.cost(&group, 86_400.0);
        let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-12, "{a} is not {b}");
        near(cost(Purchase::OnDemand { per_hour: 0.0624 }), 60.0 * 0.0624);
        near(cost(Purchase::Spot { per_hour: 0.01248 }), 60.0 * 0.01248);
        near(cost(Purchase::Reserved { per_hour: 0.4 * 0.0624 }), 240.0 * 0.02496);
        near(cost(Purchase::Owned { price: 14_600.0 }), 100.0);
        let parts =
            by_purchase([(Purchase::Spot { per_hour: 1.0 }, 3.0), (Purchase::Spot { per_hour: 2.0 }, 4.0)].into_iter());
        assert_eq!(parts, [0.0, 0.0, 7.0, 0.0]);
    }
}
