//! The ledgers beside carbon of a scenario: what goes together is checked, files are read.

use super::Scenario;
use super::build::Problem;
use super::signals::Context;
use crate::grid::{Quantity, Steps, StepsFile};
use crate::ledger::MeterScope;
use crate::sci::beside::{Air, Beside, Curve, ElectricityPrice, Outdoor, PueOutdoor, RegionBeside, Temperature};

/// Builds what the scenario asks for; what is wrong with it is reported.
pub(super) fn build_beside(scenario: &Scenario, context: &Context<'_>, problems: &mut Vec<Problem>) -> Beside {
    check_together(scenario, problems);
    let mut beside = Beside {
        start: Some(context.start),
        currency: scenario.cost.as_ref().map(|c| c.currency.clone()),
        purchases: scenario.regions.iter().flat_map(|r| &r.hosts).filter_map(|h| h.purchase).collect(),
        ..Beside::default()
    };
    for (i, region) in scenario.regions.iter().enumerate() {
        let mut read = |key: String, file: &StepsFile, quantity: Quantity, problems: &mut Vec<Problem>| match file.read(
            quantity,
            context.base_dir,
            context.start,
            context.horizon,
        ) {
            Ok((steps, path, sha256)) => {
                beside.inputs.push((path, sha256));
                Some(steps)
            }
            Err(e) => {
                problems.push(Problem::new(key, e.to_string(), "see docs/beside-carbon.md for what a file must be"));
                None
            }
        };
        let outdoor = region.pue_outdoor.as_ref().and_then(|spec| {
            let key = format!("regions[{i}].pue_outdoor");
            let PueOutdoor { temperature, curve } = spec;
            let curve = Curve::new(curve).map_err(|message| {
                let help = "write points of [°C, PUE], for example [[10.0, 1.08], [35.0, 1.3]]";
                problems.push(Problem::new(format!("{key}.curve"), message, help));
            });
            let air = match temperature {
                Temperature::Constant { temperature_c } => Air::Steps(Steps::constant(*temperature_c)),
                Temperature::Typical(waves) => Air::waves(*waves, context.start),
                Temperature::Csv(file) => {
                    Air::Steps(read(format!("{key}.temperature.csv"), file, Quantity::TEMPERATURE, problems)?)
                }
            };
            Some(Outdoor { air, curve: curve.ok()? })
        });
        let electricity = region.electricity_price.as_ref().and_then(|price| match price {
            ElectricityPrice::Constant { price_per_mwh } => Some(Steps::constant(*price_per_mwh)),
            ElectricityPrice::Csv(file) => {
                let key = format!("regions[{i}].electricity_price.csv");
                let steps = read(key.clone(), file, Quantity::PRICE, problems)?;
                if let Some(at) = steps.change_inside(context.step) {
                    problems.push(Problem::new(
                        key,
                        format!(
                            "the price changes {} s after the run's start, inside a ledger bin of {} s",
                            at.as_secs_f64(),
                            context.step.as_secs_f64()
                        ),
                        "start the run on a step of the prices, or choose an output.ledger_step_s that divides their steps",
                    ));
                }
                Some(steps)
            }
        });
        beside.regions.push(RegionBeside { outdoor, heat: region.heat.clone(), water: region.water, electricity });
    }
    beside
}

/// Keys that exclude or need each other.
fn check_together(scenario: &Scenario, problems: &mut Vec<Problem>) {
    for (i, region) in scenario.regions.iter().enumerate() {
        if let Some(Err((key, message, help))) = region.heat.as_ref().map(|h| h.check()) {
            problems.push(Problem::new(format!("regions[{i}].heat.{key}"), message, help));
        }
        if region.pue_outdoor.is_none() {
            continue;
        }
        let of_region = [("pue", region.pue), ("pue_idle", region.pue_idle)];
        let mut given: Vec<String> =
            of_region.iter().filter_map(|(k, v)| v.map(|_| format!("regions[{i}].{k}"))).collect();
        for (g, hosts) in region.hosts.iter().enumerate() {
            let of_group = [("pue", hosts.pue), ("pue_idle", hosts.pue_idle)];
            given.extend(of_group.iter().filter_map(|(k, v)| v.map(|_| format!("regions[{i}].hosts[{g}].{k}"))));
        }
        for key in given {
            let message = format!("{key} and regions[{i}].pue_outdoor both say what PUE is");
            problems.push(Problem::new(key, message, "leave one of them out"));
        }
    }
    let outdoor = scenario.regions.iter().position(|r| r.pue_outdoor.is_some());
    let at_the_door = scenario.meter.as_ref().is_some_and(|m| m.scope == MeterScope::Facility);
    if let Some(i) = outdoor.filter(|_| at_the_door) {
        problems.push(Problem::new(
            "meter.scope",
            format!("a meter of the facility cannot read overhead that follows the air (regions[{i}].pue_outdoor)"),
            "it is added to the books when the run is over: choose another scope, or give the region a pue",
        ));
    }
    let water: Vec<bool> = scenario.regions.iter().map(|r| r.water.is_some()).collect();
    let price: Vec<bool> = scenario.regions.iter().map(|r| r.electricity_price.is_some()).collect();
    for (key, given) in [("water", &water), ("electricity_price", &price)] {
        all_or_none(given, |i| format!("regions[{i}]"), key, "region", problems);
    }
    let groups =
        || scenario.regions.iter().enumerate().flat_map(|(r, of)| of.hosts.iter().enumerate().map(move |h| (r, h)));
    let purchase: Vec<bool> = groups().map(|(_, (_, h))| h.purchase.is_some()).collect();
    let places: Vec<String> = groups().map(|(r, (g, _))| format!("regions[{r}].hosts[{g}]")).collect();
    all_or_none(&purchase, |i| places[i].clone(), "purchase", "host group", problems);
    let sending = scenario.network.as_ref().is_some_and(|n| n.price_per_gb.is_some());
    let priced = price.contains(&true) || purchase.contains(&true) || sending;
    match &scenario.cost {
        None if priced => problems.push(Problem::new(
            "",
            "there are prices but no currency",
            "add [cost] with currency = \"EUR\", or in which currency they are",
        )),
        Some(_) if !priced => problems.push(Problem::new(
            "cost",
            "[cost] names a currency but nothing has a price",
            "give electricity_price to all regions, purchase to all host groups or the network a price_per_gb, or leave [cost] out",
        )),
        Some(cost) if cost.currency.trim().is_empty() => {
            problems.push(Problem::new("cost.currency", "the currency is blank", "write for example \"EUR\""));
        }
        _ => {}
    }
}

/// A sum over some regions would be taken for the sum over all.
fn all_or_none(given: &[bool], place: impl Fn(usize) -> String, key: &str, what: &str, problems: &mut Vec<Problem>) {
    let Some(with) = given.iter().position(|g| *g) else { return };
    for without in given.iter().enumerate().filter(|(_, g)| !**g).map(|(i, _)| place(i)) {
        let message = format!("{without} has no {key}, but {} has: the total would leave it out", place(with));
        let help = format!("give {key} to every {what}, with 0.0 where it is nothing, or to none");
        problems.push(Problem::new(without, message, help));
    }
}
