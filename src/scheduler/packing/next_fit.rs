//! The host that was used last, while it has room; then the next one in number that has.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InstanceRequest, Packing, Placement, Pool, Request};
use crate::types::HostId;

/// The host that was used last, while it has room; then the next one in number that has, and from the first one again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NextFit {
    /// Take any idle sandbox of the function first (the lowest host number); the last host then stays the last. Default true.
    #[serde(default = "super::yes")]
    pub prefer_warm: bool,
}

/// The host that was used last, per region.
pub(super) struct Last {
    spec: NextFit,
    last: Vec<usize>,
}

impl Last {
    pub(super) fn new(spec: NextFit) -> Self {
        Self { spec, last: Vec::new() }
    }

    fn last(&mut self, pool: &Pool<'_>) -> &mut usize {
        if self.last.len() <= pool.region.index() {
            self.last.resize(pool.region.index() + 1, 0);
        }
        &mut self.last[pool.region.index()]
    }

    fn next(&mut self, memory: u64, cpu: u64, pool: &Pool<'_>) -> Option<usize> {
        let last = self.last(pool);
        let found = pool.index.first_fit_round(*last, memory, cpu)?;
        *last = found;
        Some(found)
    }
}

impl Packing for Last {
    fn place(&mut self, request: &Request, pool: &Pool<'_>) -> Placement {
        if self.spec.prefer_warm
            && let Some(warm) = pool.warm_by(request, |h| h)
        {
            return warm;
        }
        match self.next(request.memory, request.cpu, pool) {
            Some(host) => pool.on(host, request),
            None => pool.last_resort(request),
        }
    }

    fn place_instance(&mut self, request: &InstanceRequest, pool: &Pool<'_>) -> Option<HostId> {
        self.next(request.memory, request.cpu, pool).map(|local| pool.host(local))
    }

    fn overflow(&mut self, _request: &Request, pool: &Pool<'_>) -> HostId {
        let last = *self.last(pool);
        pool.host(last)
    }
}
