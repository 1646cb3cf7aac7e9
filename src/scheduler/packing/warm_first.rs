//! Any idle sandbox of the function in the region, in the reuse order; else a new one by another rule.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InstanceRequest, Packing, Placement, Pool, Request, WARM_CANDIDATES};
use crate::cluster::{Orders, WarmScope};
use crate::types::{HostId, SandboxId};

/// Which host gets a new sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ThenFit {
    /// The lowest-numbered host with room.
    FirstFit,
    /// The host with the least free memory that has room.
    BestFit,
    /// The host with the most free memory.
    WorstFit,
    /// The host with the lowest CPU demand over capacity that has room.
    #[default]
    LeastLoaded,
}

/// Any idle sandbox of the function in the region, in the reuse order; else a new one by the rule in `then`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WarmFirst {
    /// Which host gets a new sandbox. Default `least-loaded`.
    #[serde(default)]
    pub then: ThenFit,
}

impl WarmFirst {
    fn cold(&self, memory: u64, cpu: u64, pool: &Pool<'_>) -> Option<usize> {
        match self.then {
            ThenFit::FirstFit => pool.index.first_fit(0, memory, cpu),
            ThenFit::BestFit => pool.index.best_fit(memory, cpu),
            ThenFit::WorstFit => pool.index.worst_fit(memory, cpu),
            ThenFit::LeastLoaded => pool.index.least_loaded(memory, cpu),
        }
    }
}

impl Packing for WarmFirst {
    #[inline]
    fn place(&mut self, request: &Request, pool: &Pool<'_>) -> Placement {
        if let Some(sandbox) = pool.warm.in_region(request.pool, pool.region) {
            let room = |id: SandboxId| pool.index.cpu_fits(pool.local(pool.sandboxes[id].host), request.warm_cpu);
            if room(sandbox) {
                return Placement::Warm(sandbox);
            }
            let (own, region) = (request.pool, pool.region);
            let other = pool.warm.in_region_where(pool.sandboxes, own, region, WARM_CANDIDATES, room);
            if let Some(sandbox) = other {
                return Placement::Warm(sandbox);
            }
        }
        match self.cold(request.memory, request.cpu, pool) {
            Some(host) => Placement::Cold(pool.host(host)),
            None => Placement::Nowhere,
        }
    }

    fn place_instance(&mut self, request: &InstanceRequest, pool: &Pool<'_>) -> Option<HostId> {
        self.cold(request.memory, request.cpu, pool).map(|local| pool.host(local))
    }

    fn warm_scope(&self) -> WarmScope {
        WarmScope::Region
    }

    fn orders(&self) -> Orders {
        Orders {
            memory: matches!(self.then, ThenFit::BestFit | ThenFit::WorstFit),
            load: self.then == ThenFit::LeastLoaded,
            ..Orders::default()
        }
    }

    fn overflow(&mut self, _request: &Request, pool: &Pool<'_>) -> HostId {
        pool.host(self.cold(0, 0, pool).unwrap_or(0))
    }
}
