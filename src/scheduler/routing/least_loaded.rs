//! Run in the least loaded region.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Routing, bound, lowest};
use crate::scheduler::shifting::Work;
use crate::scheduler::{CallView, View};
use crate::types::RegionId;

/// Runs a call in the least loaded region, with a bonus for the region where it arrived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeastLoaded {
    /// A call leaves its own region only if another one's load is lower by more than this [share of capacity]. Assumed;
    /// 0 spreads every difference, larger values keep calls local.
    #[schemars(range(min = 0.0))]
    #[serde(default = "margin")]
    pub margin: f64,
    /// Round trip from home that is not exceeded \[ms\]. Default: any.
    #[schemars(range(min = 0.0, max = 1000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rtt_ms: Option<f64>,
}

fn margin() -> f64 {
    0.05
}

impl Default for LeastLoaded {
    fn default() -> Self {
        Self { margin: margin(), max_rtt_ms: None }
    }
}

impl LeastLoaded {
    fn choose(&self, ask: &Ask, view: &View<'_>, load: impl Fn(RegionId) -> f64) -> RegionId {
        lowest(ask, view, bound(self.max_rtt_ms), |region| {
            load(region) - if region == ask.home { self.margin } else { 0.0 }
        })
    }
}

impl Routing for LeastLoaded {
    fn region(&mut self, call: &CallView<'_>, view: &View<'_>) -> RegionId {
        self.choose(&Ask::of_call(call, view), view, |region| view.regions[region.index()].pressure())
    }

    fn job_region(&mut self, job: &Work<'_>, view: &View<'_>) -> RegionId {
        let ask = Ask::of_job(job);
        self.choose(&ask, view, |region| ask.load(&view.regions[region.index()]))
    }
}
