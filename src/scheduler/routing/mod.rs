//! Routing: in which region does the call run?

mod candidates;
mod casper;
mod estimate;
mod follow_the_sun;
mod least_loaded;
mod local;
mod lowest_carbon;
mod lowest_cost;
mod lowest_latency;
mod nearest;
#[cfg(test)]
mod tests;
mod weighted;

use candidates::bound;
pub use candidates::{Ask, confined, lowest, lowest_with_room};
pub use casper::Casper;
pub use estimate::{Look, Present, grams, intensity, joules, price};
use follow_the_sun::FollowTheSunRouting;
pub use follow_the_sun::{FollowTheSun, FromHour};
pub use least_loaded::LeastLoaded;
pub use local::Local;
pub use lowest_carbon::LowestCarbon;
use lowest_carbon::LowestCarbonRouting;
pub use lowest_cost::LowestCost;
use lowest_cost::LowestCostRouting;
pub use lowest_latency::LowestLatency;
pub use nearest::Nearest;
pub use weighted::Weighted;
use weighted::WeightedRouting;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::shifting::Work;
use super::spatial::Violations;
use super::{CallView, Known, View};
use crate::grid::Steps;
use crate::types::{Duration, RegionId};

/// Decides where a released call runs, and where a job that arrives does.
///
/// Laws: residency holds; a bound on round trips holds wherever home or anything within it is a place where the work may run; of regions
/// within these limits one without hosts on is chosen only if all are; equal views get equal answers.
pub trait Routing: Send {
    /// The region; must have hosts.
    fn region(&mut self, call: &CallView<'_>, view: &View<'_>) -> RegionId;

    /// The region of a job, decided once, when it arrives and before shifting plans it. Default: it stays.
    fn job_region(&mut self, job: &Work<'_>, _view: &View<'_>) -> RegionId {
        job.region
    }

    /// What the programs of a policy could not keep; `None` if it solves none.
    fn violations(&self) -> Option<Violations> {
        None
    }

    /// Whether every call runs where it arrived, so that the engine need not ask.
    fn is_passive(&self) -> bool {
        false
    }
}

/// What a routing policy is built from, beside its own parameters.
#[derive(Clone)]
pub struct RoutingContext {
    /// Its random streams and the machines.
    pub known: Known,
    /// The regions' names.
    pub regions: Vec<String>,
    /// The price of every region's electricity [currency/MWh].
    pub prices: Arc<[Option<Steps>]>,
    /// Time of day at the run's start.
    pub since_midnight: Duration,
}

/// The routing policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RoutingSpec {
    /// A call runs where it arrives. Knows nothing. Loses when regions are unevenly loaded.
    Local(Local),
    /// A call runs in the region with the lowest CPU demand over capacity, waiting calls counted as one core each. Knows
    /// the present load of every region, without delay. Loses on latency and data transfer between regions, which it does not weigh.
    /// Regions whose hosts are too small for the function are left out. Ties go to the region where the call arrived, then to the lowest number.
    LeastLoaded(LeastLoaded),
    /// Work runs in the nearest region with room: at home, as long as that has any. Knows round trips and the present load, without delay, but
    /// not what is on its way. Loses where the nearest are dirty or dear; spills over only once home is nearly full.
    Nearest(Nearest),
    /// Work runs where round trip, transfers and expected queueing together are shortest. Knows round trips, the present load and the work's
    /// length. Loses on starts of sandboxes, which it does not estimate, and on carbon.
    LowestLatency(LowestLatency),
    /// Work runs where it is estimated to emit least, transfers included, of the regions with room. Knows present intensity (or the forecast; of
    /// jobs always the forecast) and the work's length. Loses on latency within its bound, where idle capacity elsewhere would have to be
    /// switched on, and where a grid's mean says little of what one more kWh emits. After CASPER (IGSC 2023) and GreenCourier (WoSC 2023), by
    /// call and without their hourly plan.
    LowestCarbon(LowestCarbon),
    /// Work runs where electricity and transfers cost least, of the regions with room. Knows the present prices and the work's length. Loses on
    /// carbon where cheap power is dirty, and on latency within its bound. Needs prices.
    LowestCost(LowestCost),
    /// Work runs where local solar time is nearest to noon, or where a schedule says. Knows the clock and the map, not the grid. Loses wherever
    /// the grid is not solar; the baseline that a policy which looks at intensity must beat. Needs coordinates, or the schedule.
    FollowTheSun(FollowTheSun),
    /// Work runs where a weighted sum of round trip, load, emissions and cost is lowest, each over the largest among the candidates. Knows what
    /// `lowest-carbon` and `lowest-cost` know. Loses where its weights, which are nobody's units, are wrong.
    Weighted(Weighted),
    /// Calls go where an integer program over all regions sends them: the least carbon within a longest round trip and the room of the hosts that are on.
    /// Knows what arrived in the last interval or a day ago, the mean CPU time of those calls, the present intensities, round trips and CPU. Loses when traffic
    /// or intensity changes within an interval, and energy where moved calls meet cold sandboxes. Source: CASPER (Souza et al., IGSC 2023).
    Casper(Casper),
}

impl Default for RoutingSpec {
    fn default() -> Self {
        Self::Local(Local {})
    }
}

/// Largest load with which a region counts as one with room.
fn default_max_load() -> f64 {
    0.8
}

/// What a scenario has that a policy may need.
#[derive(Debug, Clone, Copy)]
pub struct RoutingNeeds<'a> {
    /// A network.
    pub network: bool,
    /// Prices of electricity.
    pub prices: bool,
    /// Coordinates of all regions.
    pub places: bool,
    /// The regions' names.
    pub regions: &'a [String],
}

impl RoutingSpec {
    /// Name in scenarios.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Local(_) => "local",
            Self::LeastLoaded(_) => "least-loaded",
            Self::Nearest(_) => "nearest",
            Self::LowestLatency(_) => "lowest-latency",
            Self::LowestCarbon(_) => "lowest-carbon",
            Self::LowestCost(_) => "lowest-cost",
            Self::FollowTheSun(_) => "follow-the-sun",
            Self::Weighted(_) => "weighted",
            Self::Casper(_) => "casper",
        }
    }

    /// Keys that the scenario cannot honour: each below the policy's name, with what is wrong and what to do.
    pub fn problems(&self, has: RoutingNeeds<'_>) -> Vec<(String, String, String)> {
        let mut found = Vec::new();
        let mut say =
            |key: &str, what: &str, help: &str| found.push((key.to_owned(), what.to_owned(), help.to_owned()));
        let max_rtt_ms = match self {
            Self::Local(_) | Self::Casper(_) => None,
            Self::LeastLoaded(p) => p.max_rtt_ms,
            Self::Nearest(p) => p.max_rtt_ms,
            Self::LowestLatency(p) => p.max_rtt_ms,
            Self::LowestCarbon(p) => p.max_rtt_ms,
            Self::LowestCost(p) => p.max_rtt_ms,
            Self::FollowTheSun(p) => p.max_rtt_ms,
            Self::Weighted(p) => p.max_rtt_ms,
        };
        if max_rtt_ms.is_some() && !has.network {
            say(
                "max_rtt_ms",
                "there is no network, and every round trip takes no time",
                "write [network], or leave it out",
            );
        }
        let prices = "electricity has no price";
        let give = "give every region an electricity_price, and [cost] a currency";
        match self {
            Self::LowestCost(_) if !has.prices => say("", prices, give),
            Self::Weighted(p) if p.cost > 0.0 && !has.prices => say("cost", prices, give),
            Self::FollowTheSun(p) if p.schedule.is_empty() && !(has.places && has.network) => {
                let help = "write [network] and latitude_deg and longitude_deg of every region, or a schedule";
                say("", "nobody knows where the sun is", help);
            }
            Self::FollowTheSun(p) => {
                for (i, entry) in p.schedule.iter().enumerate() {
                    if !has.regions.contains(&entry.region) {
                        let what = format!("no region is called \"{}\"", entry.region);
                        let help = format!("name one of: {}", has.regions.join(", "));
                        say(&format!("schedule[{i}].region"), &what, &help);
                    }
                }
                if p.schedule.windows(2).any(|two| two[0].hour_utc >= two[1].hour_utc) {
                    say("schedule", "its hours do not rise", "write its entries in order of time");
                }
            }
            _ => {}
        }
        found
    }

    /// Builds the policy.
    pub fn build(&self, context: &RoutingContext) -> Box<dyn Routing> {
        let sites = || Arc::clone(&context.known.sites);
        let prices = || Arc::clone(&context.prices);
        match self {
            Self::Local(p) => Box::new(p.clone()),
            Self::LeastLoaded(p) => Box::new(p.clone()),
            Self::Nearest(p) => Box::new(p.clone()),
            Self::LowestLatency(p) => Box::new(p.clone()),
            Self::LowestCarbon(p) => {
                Box::new(LowestCarbonRouting { spec: p.clone(), sites: sites(), present: Present::default() })
            }
            Self::LowestCost(p) => Box::new(LowestCostRouting { spec: p.clone(), sites: sites(), prices: prices() }),
            Self::FollowTheSun(p) => {
                let place = |name: &String| context.regions.iter().position(|r| r == name);
                let entry = |e: &FromHour| place(&e.region).map(|at| (e.hour_utc, RegionId::from_index(at)));
                let schedule = p.schedule.iter().filter_map(entry).collect();
                Box::new(FollowTheSunRouting { spec: p.clone(), schedule, since_midnight: context.since_midnight })
            }
            Self::Weighted(p) => Box::new(WeightedRouting {
                spec: p.clone(),
                sites: sites(),
                prices: prices(),
                present: Present::default(),
            }),
            Self::Casper(p) => {
                Box::new(casper::Dispatch::new(p.clone(), context.known.sites.iter().map(|s| s.pue).collect()))
            }
        }
    }

    /// Keys that do not go together, by their path below `scheduler.routing`: key, what is wrong, what to do.
    pub fn conflicts(&self) -> Vec<(&'static str, String, &'static str)> {
        match self {
            Self::Casper(p) => p.conflicts(),
            _ => Vec::new(),
        }
    }
}
