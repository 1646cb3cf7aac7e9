//! Run where electricity and transfers cost least.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Routing, bound, default_max_load, lowest_with_room, price};
use crate::grid::Steps;
use crate::scheduler::shifting::Work;
use crate::scheduler::{CallView, SiteFacts, View};
use crate::types::RegionId;

/// Runs work where it costs least, of the regions with room.
///
/// Formula: present price of electricity x dynamic power x cores x expected work x PUE + price of what is sent. Hosts are paid for anyway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LowestCost {
    /// Round trip from home that is not exceeded \[ms\]. Default: any.
    #[schemars(range(min = 0.0, max = 1000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rtt_ms: Option<f64>,
    /// A region has room while its CPU demand, with this work, is at most this share of its capacity. Default 0.8. Assumed.
    #[schemars(range(min = 0.0, max = 1000.0))]
    #[serde(default = "default_max_load")]
    pub max_load: f64,
}

/// The policy with what it knows of the sites and the prices.
pub(super) struct LowestCostRouting {
    pub spec: LowestCost,
    pub sites: Arc<[SiteFacts]>,
    pub prices: Arc<[Option<Steps>]>,
}

impl LowestCostRouting {
    fn choose(&self, ask: &Ask, view: &View<'_>) -> RegionId {
        let limits = (bound(self.spec.max_rtt_ms), self.spec.max_load);
        lowest_with_room(ask, view, limits, |region| price(ask, region, view, &self.sites, &self.prices))
    }
}

impl Routing for LowestCostRouting {
    fn region(&mut self, call: &CallView<'_>, view: &View<'_>) -> RegionId {
        self.choose(&Ask::of_call(call, view), view)
    }

    fn job_region(&mut self, job: &Work<'_>, view: &View<'_>) -> RegionId {
        self.choose(&Ask::of_job(job), view)
    }
}
