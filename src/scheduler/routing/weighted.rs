//! Run where a weighted sum of latency, load, carbon and cost is lowest.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Look, Present, Routing, bound, default_max_load, grams, intensity, lowest, lowest_with_room, price};
use crate::grid::Steps;
use crate::scheduler::shifting::Work;
use crate::scheduler::{CallView, SiteFacts, View};
use crate::types::RegionId;

/// Runs work where a weighted sum of normalised terms is lowest, of the regions with room.
///
/// Formula: sum of weight x term / the largest such term of the regions where it may go (a term that is nowhere above 0 counts nothing): round
/// trip, load with this work, estimated emissions, estimated cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Weighted {
    /// Weight of the round trip. Default 1.
    #[schemars(range(min = 0.0, max = 1000000.0))]
    #[serde(default = "one")]
    pub latency: f64,
    /// Weight of the load. Default 1.
    #[schemars(range(min = 0.0, max = 1000000.0))]
    #[serde(default = "one")]
    pub load: f64,
    /// Weight of emissions, estimated as `lowest-carbon` does. Default 1.
    #[schemars(range(min = 0.0, max = 1000000.0))]
    #[serde(default = "one")]
    pub carbon: f64,
    /// Weight of cost, estimated as `lowest-cost` does; above 0 it needs prices. Default 0.
    #[schemars(range(min = 0.0, max = 1000000.0))]
    #[serde(default)]
    pub cost: f64,
    /// Round trip from home that is not exceeded \[ms\]. Default: any.
    #[schemars(range(min = 0.0, max = 1000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rtt_ms: Option<f64>,
    /// A region has room while its CPU demand, with this work, is at most this share of its capacity. Default 0.8. Assumed.
    #[schemars(range(min = 0.0, max = 1000.0))]
    #[serde(default = "default_max_load")]
    pub max_load: f64,
}

fn one() -> f64 {
    1.0
}

/// The policy with what it knows of the sites and the prices.
pub(super) struct WeightedRouting {
    pub spec: Weighted,
    pub sites: Arc<[SiteFacts]>,
    pub prices: Arc<[Option<Steps>]>,
    pub present: Present,
}

impl WeightedRouting {
    fn choose(&mut self, ask: &Ask, view: &View<'_>) -> RegionId {
        let Self { spec, sites, prices, present } = self;
        let max_rtt = bound(spec.max_rtt_ms);
        let weights = [spec.latency, spec.load, spec.carbon, spec.cost];
        let mut terms = |region: RegionId| {
            let load = ask.load(&view.regions[region.index()]);
            [
                view.network.rtt(ask.home, region).as_secs_f64(),
                if load.is_finite() { load } else { 0.0 },
                grams(ask, region, view, sites, |r| intensity(present, Look::Present, ask, r, view)),
                if spec.cost > 0.0 { price(ask, region, view, sites, prices) } else { 0.0 },
            ]
        };
        let mut largest = [0.0f64; 4];
        lowest(ask, view, max_rtt, |region| {
            let of_region = terms(region);
            largest.iter_mut().zip(of_region).for_each(|(most, term)| *most = most.max(term));
            0.0
        });
        lowest_with_room(ask, view, (max_rtt, spec.max_load), |region| {
            let normal =
                terms(region).into_iter().zip(largest).map(|(t, most)| if most > 0.0 { t / most } else { 0.0 });
            normal.zip(weights).map(|(term, weight)| term * weight).sum()
        })
    }
}

impl Routing for WeightedRouting {
    fn region(&mut self, call: &CallView<'_>, view: &View<'_>) -> RegionId {
        self.choose(&Ask::of_call(call, view), view)
    }

    fn job_region(&mut self, job: &Work<'_>, view: &View<'_>) -> RegionId {
        self.choose(&Ask::of_job(job), view)
    }
}
