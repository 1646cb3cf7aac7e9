//! Run in the nearest region with room.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Routing, bound, default_max_load, lowest_with_room};
use crate::scheduler::shifting::Work;
use crate::scheduler::{CallView, View};
use crate::types::RegionId;

/// Runs work in the nearest region whose load stays below a limit with it: at home, as long as there is room.
///
/// Formula: lowest RTT of the regions with load <= `max_load`; where none is, the lowest load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nearest {
    /// Round trip from home that is not exceeded \[ms\]. Default: any.
    #[schemars(range(min = 0.0, max = 1000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rtt_ms: Option<f64>,
    /// A region has room while its CPU demand, with this work, is at most this share of its capacity. Default 0.8. Assumed: above it calls
    /// slow each other down more often; lower values move more.
    #[schemars(range(min = 0.0, max = 1000.0))]
    #[serde(default = "default_max_load")]
    pub max_load: f64,
}

impl Nearest {
    fn choose(&self, ask: &Ask, view: &View<'_>) -> RegionId {
        let limits = (bound(self.max_rtt_ms), self.max_load);
        lowest_with_room(ask, view, limits, |region| view.network.rtt(ask.home, region).as_secs_f64())
    }
}

impl Routing for Nearest {
    fn region(&mut self, call: &CallView<'_>, view: &View<'_>) -> RegionId {
        self.choose(&Ask::of_call(call, view), view)
    }

    fn job_region(&mut self, job: &Work<'_>, view: &View<'_>) -> RegionId {
        self.choose(&Ask::of_job(job), view)
    }
}
