//! A random host.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InstanceRequest, Packing, Placement, Pool, Request};
use crate::types::{HostId, Seed, Stream};

/// A random host; if it has no room, the next one in number that has (so hosts behind full ones are drawn more often).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Random {
    /// Take any idle sandbox of the function first (the lowest host number). Default false.
    #[serde(default)]
    pub prefer_warm: bool,
}

/// The policy with its random stream.
pub(super) struct Dice {
    spec: Random,
    stream: Stream,
}

impl Dice {
    pub(super) fn new(spec: Random, seed: Seed) -> Self {
        Self { spec, stream: seed.stream("random", 0) }
    }

    fn throw(&mut self, memory: u64, cpu: u64, pool: &Pool<'_>) -> Option<usize> {
        let from = self.stream.below(pool.index.hosts() as u64) as usize;
        pool.index.first_fit_round(from, memory, cpu)
    }
}

impl Packing for Dice {
    fn place(&mut self, request: &Request, pool: &Pool<'_>) -> Placement {
        if self.spec.prefer_warm
            && let Some(warm) = pool.warm_by(request, |h| h)
        {
            return warm;
        }
        match self.throw(request.memory, request.cpu, pool) {
            Some(host) => pool.on(host, request),
            None => pool.last_resort(request),
        }
    }

    fn place_instance(&mut self, request: &InstanceRequest, pool: &Pool<'_>) -> Option<HostId> {
        self.throw(request.memory, request.cpu, pool).map(|local| pool.host(local))
    }

    fn overflow(&mut self, _request: &Request, pool: &Pool<'_>) -> HostId {
        pool.host(self.stream.below(pool.index.hosts() as u64) as usize)
    }
}
