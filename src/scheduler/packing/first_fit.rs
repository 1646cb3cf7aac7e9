//! The lowest-numbered host with room.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InstanceRequest, Packing, Placement, Pool, Request};
use crate::types::HostId;

/// The lowest-numbered host with room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstFit {
    /// Apply the rule first to hosts with an idle sandbox of the function. Default true.
    #[serde(default = "super::yes")]
    pub prefer_warm: bool,
}

impl Packing for FirstFit {
    #[inline]
    fn place(&mut self, request: &Request, pool: &Pool<'_>) -> Placement {
        if self.prefer_warm
            && let Some(warm) = pool.warm_by(request, |h| h)
        {
            return warm;
        }
        match pool.index.first_fit(0, request.memory, request.cpu) {
            Some(host) => pool.on(host, request),
            None => pool.last_resort(request),
        }
    }

    fn place_instance(&mut self, request: &InstanceRequest, pool: &Pool<'_>) -> Option<HostId> {
        pool.index.first_fit(0, request.memory, request.cpu).map(|local| pool.host(local))
    }
}
