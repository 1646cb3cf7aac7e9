//! The network of a scenario, and what routing needs of the rest of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::Scenario;
use super::build::Problem;
use crate::network::{Network, Place};
use crate::scheduler::Known;
use crate::scheduler::routing::{RoutingContext, RoutingNeeds};
use crate::sci::beside::Beside;
use crate::types::Duration;

/// The network, and the file that was read for it with the SHA-256 of its text.
pub(super) fn build_network(
    scenario: &Scenario,
    base_dir: &Path,
    names: &[String],
    problems: &mut Vec<Problem>,
) -> (Network, Option<(PathBuf, String)>) {
    let places = places(scenario, problems);
    check_routing(scenario, names, places.iter().all(Option::is_some), problems);
    for (name, _) in scenario.jobs.iter().filter(|(_, jobs)| jobs.data_gb.is_some() && scenario.network.is_none()) {
        let what = "there is no network over which data could be sent";
        problems.push(Problem::new(format!("jobs.{name}.data_gb"), what, "write [network], or leave it out"));
    }
    let local = || Network::local(scenario.regions.len());
    let Some(spec) = &scenario.network else { return (local(), None) };
    match spec.build(names, &places, base_dir) {
        Ok((network, read)) => {
            let hash = |text: &str| Sha256::digest(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
            (network, read.map(|(path, text)| (path, hash(&text))))
        }
        Err(wrong) => {
            let place = |(key, what, help)| Problem::new(format!("network.{key}"), what, help);
            problems.extend(wrong.into_iter().map(place));
            (local(), None)
        }
    }
}

/// Where the regions lie, as far as they say so.
fn places(scenario: &Scenario, problems: &mut Vec<Problem>) -> Vec<Option<Place>> {
    let mut places = Vec::new();
    for (i, region) in scenario.regions.iter().enumerate() {
        let half = match (region.latitude_deg, region.longitude_deg) {
            (Some(_), None) => Some("latitude_deg"),
            (None, Some(_)) => Some("longitude_deg"),
            _ => None,
        };
        if let Some(key) = half {
            let what = "a region lies at a latitude and a longitude, and one of them is missing";
            problems.push(Problem::new(format!("regions[{i}].{key}"), what, "give both, or none"));
        }
        if region.latitude_deg.is_some() && scenario.network.is_none() {
            let what = "without a network nobody asks where a region lies";
            problems.push(Problem::new(format!("regions[{i}].latitude_deg"), what, "write [network], or leave it out"));
        }
        let place = region.latitude_deg.zip(region.longitude_deg);
        places.push(place.map(|(latitude_deg, longitude_deg)| Place { latitude_deg, longitude_deg }));
    }
    places
}

fn check_routing(scenario: &Scenario, names: &[String], places: bool, problems: &mut Vec<Problem>) {
    let routing = &scenario.scheduler.routing;
    let has = RoutingNeeds {
        network: scenario.network.is_some(),
        prices: scenario.regions.iter().all(|r| r.electricity_price.is_some()),
        places,
        regions: names,
    };
    for (key, what, help) in routing.problems(has) {
        let key = if key.is_empty() { String::new() } else { format!(".{key}") };
        problems.push(Problem::new(format!("scheduler.routing.{}{key}", routing.name()), what, help));
    }
}

/// What routing is built from.
pub(super) fn routing_context(
    known: Known,
    names: &[String],
    beside: &Beside,
    since_midnight: Duration,
) -> RoutingContext {
    let prices: Arc<[_]> = beside.regions.iter().map(|r| r.electricity.clone()).collect();
    RoutingContext { known, regions: names.to_vec(), prices, since_midnight }
}
