//! The next host in turn that has room.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InstanceRequest, Packing, Placement, Pool, Request};
use crate::types::HostId;

/// The next host in turn that has room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoundRobin {
    /// Take any idle sandbox of the function first (the lowest host number); the turn then does not move. Default false:
    /// strict turns.
    #[serde(default)]
    pub prefer_warm: bool,
}

/// Whose turn it is, per region.
pub(super) struct Turn {
    spec: RoundRobin,
    next: Vec<usize>,
}

impl Turn {
    pub(super) fn new(spec: RoundRobin) -> Self {
        Self { spec, next: Vec::new() }
    }

    fn next(&mut self, pool: &Pool<'_>) -> &mut usize {
        if self.next.len() <= pool.region.index() {
            self.next.resize(pool.region.index() + 1, 0);
        }
        &mut self.next[pool.region.index()]
    }

    /// The next host in turn that has room; the turn goes on to the one after it.
    fn take(&mut self, memory: u64, cpu: u64, pool: &Pool<'_>) -> Option<usize> {
        let next = self.next(pool);
        let found = pool.index.first_fit_round(*next, memory, cpu)?;
        *next = (found + 1) % pool.index.hosts();
        Some(found)
    }
}

impl Packing for Turn {
    fn place(&mut self, request: &Request, pool: &Pool<'_>) -> Placement {
        if self.spec.prefer_warm
            && let Some(warm) = pool.warm_by(request, |h| h)
        {
            return warm;
        }
        match self.take(request.memory, request.cpu, pool) {
            Some(host) => pool.on(host, request),
            None => pool.last_resort(request),
        }
    }

    fn place_instance(&mut self, request: &InstanceRequest, pool: &Pool<'_>) -> Option<HostId> {
        self.take(request.memory, request.cpu, pool).map(|local| pool.host(local))
    }

    fn overflow(&mut self, _request: &Request, pool: &Pool<'_>) -> HostId {
        let hosts = pool.index.hosts();
        let next = self.next(pool);
        let host = *next;
        *next = (host + 1) % hosts;
        pool.host(host)
    }
}
