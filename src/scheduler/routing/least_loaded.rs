//! Run in the least loaded region.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Routing;
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
}

fn margin() -> f64 {
    0.05
}

impl Default for LeastLoaded {
    fn default() -> Self {
        Self { margin: margin() }
    }
}

impl Routing for LeastLoaded {
    fn region(&mut self, call: &CallView<'_>, view: &View<'_>) -> RegionId {
        let home = &view.regions[call.region.index()];
        let fits_at_home = home.largest_function >= call.profile.memory.0;
        let mut best = (call.region, if fits_at_home { home.pressure() - self.margin } else { f64::INFINITY });
        for (i, load) in view.regions.iter().enumerate() {
            let region = RegionId::from_index(i);
            let pressure = load.pressure();
            let fits = load.largest_function >= call.profile.memory.0;
            if region != call.region && fits && pressure < best.1 {
                best = (region, pressure);
            }
        }
        best.0
    }
}
