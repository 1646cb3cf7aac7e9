//! The host whose free room is best aligned with the request, each host measured by what it has.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Candidate, Rank, Vectors};

/// The host with the largest alignment score that has room.
///
/// Formula: d_cpu f_cpu + d_memory f_memory, with request d and free room f in shares of the host's own capacity: on hosts of one size
/// the same as `dot-product` with equal weights, in a mixed fleet not.
///
/// Source: Grandl, Ananthanarayanan, Kandula, Rao and Akella, *Multi-resource Packing for Cluster Schedulers* (Tetris), SIGCOMM 2014:
/// the alignment score. Not here: disk and network, the penalty for remote input, and the order of jobs by remaining work (what
/// waits is placed in the order of the queue).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tetris {
    /// Apply the rule first to hosts with an idle sandbox of the function. Default true.
    #[serde(default = "super::yes")]
    pub prefer_warm: bool,
}

impl Rank for Tetris {
    type Scale = ();

    fn score(&self, ask: &Ask, _scale: &(), host: &Candidate<'_>) -> Option<f64> {
        Some(Vectors::new(ask, host).dot([1.0, 1.0]))
    }
}
