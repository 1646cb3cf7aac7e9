//! The host with the lowest CPU demand over capacity that has room.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InstanceRequest, Packing, Placement, Pool, Request};
use crate::cluster::Orders;
use crate::types::HostId;

/// The host with the lowest CPU demand over capacity that has room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeastLoaded {
    /// Apply the rule first to hosts with an idle sandbox of the function. Default true.
    #[serde(default = "super::yes")]
    pub prefer_warm: bool,
}

impl Packing for LeastLoaded {
    #[inline]
    fn place(&mut self, request: &Request, pool: &Pool<'_>) -> Placement {
        if self.prefer_warm
            && let Some(warm) = pool.warm_by(request, |h| pool.index.load(h))
        {
            return warm;
        }
        match pool.index.least_loaded(request.memory, request.cpu) {
            Some(host) => pool.on(host, request),
            None => pool.last_resort(request),
        }
    }

    fn place_instance(&mut self, request: &InstanceRequest, pool: &Pool<'_>) -> Option<HostId> {
        pool.index.least_loaded(request.memory, request.cpu).map(|local| pool.host(local))
    }

    fn orders(&self) -> Orders {
        Orders { load: true, ..Orders::default() }
    }

    fn overflow(&mut self, _request: &Request, pool: &Pool<'_>) -> HostId {
        pool.host(pool.index.least_loaded(0, 0).unwrap_or(0))
    }
}
