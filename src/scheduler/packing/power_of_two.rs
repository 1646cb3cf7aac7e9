//! The less loaded of two random hosts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InstanceRequest, Packing, Placement, Pool, Request};
use crate::cluster::Orders;
use crate::types::{HostId, Seed, Stream};

/// The less loaded of two random hosts with room; if neither has any, the next one in number that has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PowerOfTwo {
    /// Take the less loaded of the hosts with an idle sandbox of the function first. Default false: as published.
    #[serde(default)]
    pub prefer_warm: bool,
}

/// The policy with its random stream.
pub(super) struct Dice {
    spec: PowerOfTwo,
    stream: Stream,
}

impl Dice {
    pub(super) fn new(spec: PowerOfTwo, seed: Seed) -> Self {
        Self { spec, stream: seed.stream("power-of-two", 0) }
    }

    fn draw(&mut self, pool: &Pool<'_>) -> (usize, usize) {
        let hosts = pool.index.hosts() as u64;
        (self.stream.below(hosts) as usize, self.stream.below(hosts) as usize)
    }

    fn choose(&mut self, memory: u64, cpu: u64, pool: &Pool<'_>) -> Option<usize> {
        let (a, b) = self.draw(pool);
        let room = |h: usize| pool.index.fits(h, memory, cpu);
        match (room(a), room(b)) {
            (true, true) => Some(if pool.index.load(b) < pool.index.load(a) { b } else { a }),
            (true, false) => Some(a),
            (false, true) => Some(b),
            (false, false) => pool.index.first_fit_round(a, memory, cpu),
        }
    }
}

impl Packing for Dice {
    fn place(&mut self, request: &Request, pool: &Pool<'_>) -> Placement {
        if self.spec.prefer_warm
            && let Some(warm) = pool.warm_by(request, |h| pool.index.load(h))
        {
            return warm;
        }
        match self.choose(request.memory, request.cpu, pool) {
            Some(host) => pool.on(host, request),
            None => pool.last_resort(request),
        }
    }

    fn place_instance(&mut self, request: &InstanceRequest, pool: &Pool<'_>) -> Option<HostId> {
        self.choose(request.memory, request.cpu, pool).map(|local| pool.host(local))
    }

    fn orders(&self) -> Orders {
        Orders { load: true, ..Orders::default() }
    }

    fn overflow(&mut self, _request: &Request, pool: &Pool<'_>) -> HostId {
        let (a, b) = self.draw(pool);
        pool.host(if pool.index.load(b) < pool.index.load(a) { b } else { a })
    }
}
