//! The host with the least free memory (or CPU) that has room.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, By, Candidate, InstanceRequest, Packing, Placement, Pool, Rank, Request};
use crate::cluster::Orders;
use crate::types::HostId;

/// The host with the least of one resource free that has room.
///
/// Formula: least free memory, or CPU, or max(free CPU / CPU, free memory / memory), each before the request is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BestFit {
    /// Apply the rule first to hosts with an idle sandbox of the function. Default true.
    #[serde(default = "super::yes")]
    pub prefer_warm: bool,
    /// Of which resource. Default `memory`.
    #[serde(default)]
    pub by: By,
}

impl BestFit {
    fn find(&self, memory: u64, cpu: u64, pool: &Pool<'_>) -> Option<usize> {
        match self.by {
            By::Memory | By::Dominant => pool.index.best_fit(memory, cpu),
            By::Cpu => pool.index.best_fit_by_cpu(memory, cpu),
        }
    }
}

impl Packing for BestFit {
    #[inline]
    fn place(&mut self, request: &Request, pool: &Pool<'_>) -> Placement {
        let free = |h: usize| if self.by == By::Cpu { pool.index.slot(h).cpu } else { pool.index.memory(h) };
        if self.prefer_warm
            && let Some(warm) = pool.warm_by(request, free)
        {
            return warm;
        }
        match self.find(request.memory, request.cpu, pool) {
            Some(host) => pool.on(host, request),
            None => pool.last_resort(request),
        }
    }

    fn place_instance(&mut self, request: &InstanceRequest, pool: &Pool<'_>) -> Option<HostId> {
        self.find(request.memory, request.cpu, pool).map(|local| pool.host(local))
    }

    fn orders(&self) -> Orders {
        Orders { memory: self.by != By::Cpu, cpu: self.by == By::Cpu, ..Orders::default() }
    }

    fn overflow(&mut self, _request: &Request, pool: &Pool<'_>) -> HostId {
        let most = if self.by == By::Cpu { pool.index.worst_fit_by_cpu(0, 0) } else { pool.index.worst_fit(0, 0) };
        pool.host(most.unwrap_or(0))
    }
}

/// By the dominant resource: there is no order of hosts by it, but a score.
impl Rank for BestFit {
    type Scale = ();

    fn score(&self, _ask: &Ask, _scale: &(), host: &Candidate<'_>) -> Option<f64> {
        let memory = host.free_memory();
        Some(-host.free_cpu().map_or(memory, |cpu| cpu.max(memory)))
    }
}
