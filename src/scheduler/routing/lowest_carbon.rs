//! Run where it emits least.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Look, Present, Routing, bound, default_max_load, grams, intensity, lowest_with_room};
use crate::scheduler::shifting::Work;
use crate::scheduler::{CallView, SiteFacts, View};
use crate::types::RegionId;

/// Runs work where it is estimated to emit least, transfers included, of the regions with room.
///
/// Formula: I(region) x dynamic power x cores x expected work x PUE + half of every transfer at either end's intensity; of jobs I is the mean
/// of the forecast over the job's length, from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LowestCarbon {
    /// Round trip from home that is not exceeded \[ms\]. Default: any.
    #[schemars(range(min = 0.0, max = 1000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rtt_ms: Option<f64>,
    /// A region has room while its CPU demand, with this work, is at most this share of its capacity. Default 0.8. Assumed.
    #[schemars(range(min = 0.0, max = 1000.0))]
    #[serde(default = "default_max_load")]
    pub max_load: f64,
    /// Intensity of calls: `present` (default), or the mean of the `forecast` over their expected run. Of jobs it is always the forecast.
    #[serde(default)]
    pub intensity: Look,
}

/// The policy with what it knows of the sites.
pub(super) struct LowestCarbonRouting {
    pub spec: LowestCarbon,
    pub sites: Arc<[SiteFacts]>,
    pub present: Present,
}

impl LowestCarbonRouting {
    fn choose(&mut self, ask: &Ask, view: &View<'_>) -> RegionId {
        let Self { spec, sites, present } = self;
        lowest_with_room(ask, view, (bound(spec.max_rtt_ms), spec.max_load), |region| {
            grams(ask, region, view, sites, |r| intensity(present, spec.intensity, ask, r, view))
        })
    }
}

impl Routing for LowestCarbonRouting {
    fn region(&mut self, call: &CallView<'_>, view: &View<'_>) -> RegionId {
        self.choose(&Ask::of_call(call, view), view)
    }

    fn job_region(&mut self, job: &Work<'_>, view: &View<'_>) -> RegionId {
        self.choose(&Ask::of_job(job), view)
    }
}
