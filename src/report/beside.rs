//! The ledgers beside carbon in the outputs: figures of the summary, and `beside.csv`.

use std::io::Write;

use super::Finished;
use super::summary::{List, share, units};
use super::tables::{Column, Table};
use crate::sci;
use crate::sci::beside::{CostBook, FacilityMetrics, HeatBook, OutdoorBook, RegionBook, WaterBook};
use crate::types::JOULES_PER_KWH;

/// Columns of `beside.csv`: one row per region; written where a ledger beside carbon is on. Cells of others are empty.
pub const BESIDE: &[Column] = &[
    ("region", "text", "region"),
    ("it_energy_j", "J", "IT energy"),
    ("facility_energy_j", "J", "IT energy and overhead"),
    ("pue", "1", "facility over IT energy"),
    ("outdoor_mean_c", "°C", "outdoor air, mean over the run"),
    ("outdoor_clamped_share", "1", "share of the run with air outside the curve of PUE"),
    ("heat_reused_j", "J", "heat that left the site and was used"),
    ("heat_inside_j", "J", "heat that was used inside the boundary, which does not count"),
    ("erf", "1", "reused over facility energy"),
    ("ere", "1", "(facility - reused) over IT energy"),
    ("avoided_gas_g", "gCO2e", "emissions of the gas that the heat stands in for; in no score"),
    ("water_site_l", "L", "water used at the site"),
    ("water_source_l", "L", "water used where its electricity is made"),
    ("cost_electricity", "currency", "electricity"),
    ("cost_on_demand", "currency", "hosts on demand"),
    ("cost_reserved", "currency", "reserved hosts, on or off"),
    ("cost_spot", "currency", "spot hosts"),
    ("cost_owned", "currency", "owned hosts, straight line over their lifespan"),
    ("cost_total", "currency", "all of these"),
];

/// Writes `beside.csv`.
pub(super) fn table(run: &Finished<'_>, out: &mut dyn Write) -> std::io::Result<()> {
    let mut table = Table::new(out, BESIDE)?;
    for (facts, book) in run.regions.iter().zip(&run.beside.regions) {
        let RegionBook { it_j, facility_j, outdoor, heat, water, cost } = book;
        let or = f64::NAN;
        let m = metrics(*facility_j, *it_j, heat.map_or(0.0, |h| h.reused_j));
        let hosts = cost.and_then(|c| c.hosts).unwrap_or([or; 4]);
        table.text(&facts.name)?;
        for x in [
            *it_j,
            *facility_j,
            m.pue,
            outdoor.map_or(or, |o| share(o.temperature_c_s, o.run_s)),
            outdoor.map_or(or, |o| share(o.clamped_s, o.run_s)),
            heat.map_or(or, |h| h.reused_j),
            heat.map_or(or, |h| h.inside_j),
            heat.map_or(or, |_| m.erf),
            heat.map_or(or, |_| m.ere),
            heat.and_then(|h| h.avoided_gas_g).unwrap_or(or),
            water.map_or(or, |w| w.site_l),
            water.map_or(or, |w| w.source_l),
            cost.and_then(|c| c.electricity).unwrap_or(or),
            hosts[0],
            hosts[1],
            hosts[2],
            hosts[3],
            cost.map_or(or, |c| c.total()),
        ] {
            table.number(x)?;
        }
        table.end()?;
    }
    table.finish()
}

/// PUE, ERF and ERE; undefined without IT energy.
fn metrics(facility_j: f64, it_j: f64, reused_j: f64) -> FacilityMetrics {
    let none = FacilityMetrics { pue: f64::NAN, erf: f64::NAN, ere: f64::NAN };
    FacilityMetrics::new(facility_j, it_j, reused_j).unwrap_or(none)
}

/// Adds the figures of the ledgers that are on.
pub(super) fn figures(list: &mut List, run: &Finished<'_>) {
    let regions = &run.beside.regions;
    outdoor(list, regions);
    if let Some(sum) = sum(regions.iter().map(|r| r.heat), HeatBook::plus) {
        heat(list, regions, &sum);
    }
    let per_unit = |x: f64| sci::intensity(x, units(run)).unwrap_or(f64::NAN);
    if let Some(sum) = sum(regions.iter().map(|r| r.water), WaterBook::plus) {
        let it_kwh = regions.iter().map(|r| r.it_j).sum::<f64>() / JOULES_PER_KWH;
        list.number("water.site_l", sum.site_l, "L", "water used at the sites");
        list.number("water.source_l", sum.source_l, "L", "water used where their electricity is made");
        list.number("water.total_l", sum.total_l(), "L", "site and source");
        list.number("water.wue_l_per_kwh", share(sum.site_l, it_kwh), "L/kWh", "WUE: site water over IT energy");
        let source = "WUE_source: all water over IT energy";
        list.number("water.wue_source_l_per_kwh", share(sum.total_l(), it_kwh), "L/kWh", source);
        list.number("water.l_per_unit", per_unit(sum.total_l()), "L/R", "site and source over R");
    }
    if let Some(sum) = sum(regions.iter().map(|r| r.cost), CostBook::plus) {
        list.text("cost.currency", run.beside.currency.as_deref().unwrap_or_default(), "the currency of all costs");
        if let Some(electricity) = sum.electricity {
            list.number(
                "cost.electricity",
                electricity,
                "currency",
                "facility energy at its price, which may be negative",
            );
        }
        for ((key, meaning), cost) in PURCHASES.iter().zip(sum.hosts.into_iter().flatten()) {
            list.number(key, cost, "currency", meaning);
        }
        super::network::total_cost(list, run, sum.total());
    }
}

const PURCHASES: [(&str, &str); 4] = [
    ("cost.hosts_on_demand", "hosts on demand, while they are on"),
    ("cost.hosts_reserved", "reserved hosts for the whole run, on or off"),
    ("cost.hosts_spot", "spot hosts, while they are on"),
    ("cost.hosts_owned", "owned hosts, straight line over their lifespan"),
];

/// The sum over those regions that have a book; `None` if no region has one.
fn sum<B>(books: impl Iterator<Item = Option<B>>, plus: impl Fn(&B, &B) -> B) -> Option<B> {
    books.flatten().reduce(|a, b| plus(&a, &b))
}

fn outdoor(list: &mut List, regions: &[RegionBook]) {
    let own = || regions.iter().filter_map(|r| r.outdoor.map(|o| (r, o)));
    if own().next().is_none() {
        return;
    }
    let all = |of: fn(&OutdoorBook) -> f64| own().map(|(_, o)| of(&o)).sum::<f64>();
    let (facility_j, it_j) = own().fold((0.0, 0.0), |(f, i), (r, _)| (f + r.facility_j, i + r.it_j));
    let run_s = all(|o| o.run_s);
    list.number(
        "outdoor.temperature_mean_c",
        share(all(|o| o.temperature_c_s), run_s),
        "°C",
        "outdoor air, mean over the run and over regions whose PUE follows it",
    );
    list.number("outdoor.pue", share(facility_j, it_j), "1", "facility over IT energy of those regions");
    list.number(
        "outdoor.clamped_share",
        share(all(|o| o.clamped_s), run_s),
        "1",
        "share of their time with air outside the curve, where the curve's nearest point is taken",
    );
}

fn heat(list: &mut List, regions: &[RegionBook], sum: &HeatBook) {
    let (facility_j, it_j) = regions.iter().fold((0.0, 0.0), |(f, i), r| (f + r.facility_j, i + r.it_j));
    let m = metrics(facility_j, it_j, sum.reused_j);
    list.number("heat.reused_j", sum.reused_j, "J", "heat that left its site and was used");
    list.number("heat.inside_j", sum.inside_j, "J", "heat that was used inside the boundary, which does not count");
    list.number("heat.pue", m.pue, "1", "PUE: facility over IT energy, all regions");
    list.number("heat.erf", m.erf, "1", "ERF: reused over facility energy, all regions");
    list.number("heat.ere", m.ere, "1", "ERE: (facility - reused) over IT energy, all regions");
    if let Some(demand_j) = sum.demand_j {
        list.number("heat.demand_j", demand_j, "J", "heat that was wanted, where there is a limit");
    }
    if let Some(grams) = sum.avoided_gas_g {
        let meaning = "emissions of the gas that reused heat stands in for; a line of its own, in no score";
        list.number("heat.avoided_gas_g", grams, "gCO2e", meaning);
    }
}
