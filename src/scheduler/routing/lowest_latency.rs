//! Run where the answer is expected first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Routing, bound, lowest};
use crate::scheduler::shifting::Work;
use crate::scheduler::{CallView, View};
use crate::types::RegionId;

/// Runs work where round trip, transfers and expected queueing together are shortest.
///
/// Formula: way there + way back + W (max(0, load − 1) + queued x cpu / capacity), with W the expected work and load the CPU demand with this
/// work over capacity: above 1, processor sharing slows everything down alike, and each waiting call is taken to need what this one needs.
/// Starts of sandboxes are not estimated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LowestLatency {
    /// Round trip from home that is not exceeded \[ms\]. Default: any.
    #[schemars(range(min = 0.0, max = 1000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rtt_ms: Option<f64>,
}

impl LowestLatency {
    fn choose(&self, ask: &Ask, view: &View<'_>) -> RegionId {
        lowest(ask, view, bound(self.max_rtt_ms), |region| {
            let load = &view.regions[region.index()];
            if load.cpu_capacity == 0 {
                return f64::INFINITY;
            }
            let there = view.network.way_there(&ask.traffic, ask.home, region);
            let ways = there + view.network.way_back(&ask.traffic, ask.home, region);
            let capacity = load.cpu_capacity as f64;
            let claimed = ask.load(load) - f64::from(load.queued) * 1e6 / capacity;
            let waits = f64::from(load.queued) * ask.cpu as f64 / capacity;
            ways.as_secs_f64() + ask.work.as_secs_f64() * ((claimed - 1.0).max(0.0) + waits)
        })
    }
}

impl Routing for LowestLatency {
    fn region(&mut self, call: &CallView<'_>, view: &View<'_>) -> RegionId {
        self.choose(&Ask::of_call(call, view), view)
    }

    fn job_region(&mut self, job: &Work<'_>, view: &View<'_>) -> RegionId {
        self.choose(&Ask::of_job(job), view)
    }
}
