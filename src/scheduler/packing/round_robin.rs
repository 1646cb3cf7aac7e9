//! The next host in turn that has room.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Packing, Placement, Pool, Request};
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
}

impl Packing for Turn {
    fn place(&mut self, request: &Request, pool: &Pool<'_>) -> Placement {
        if self.spec.prefer_warm
            && let Some(warm) = pool.warm_by(request, |h| h)
        {
            return warm;
        }
        let next = self.next(pool);
        let found = pool
            .index
            .first_fit(*next, request.memory, request.cpu)
            .or_else(|| pool.index.first_fit(0, request.memory, request.cpu));
        match found {
            Some(host) => {
                *next = (host + 1) % pool.index.hosts();
                pool.on(host, request)
            }
            None => pool.last_resort(request),
        }
    }

    fn overflow(&mut self, _request: &Request, pool: &Pool<'_>) -> HostId {
        let hosts = pool.index.hosts();
        let next = self.next(pool);
        let host = *next;
        *next = (host + 1) % hosts;
        pool.host(host)
    }
}
