//! The host whose free room points most, and furthest, in the direction of the request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Candidate, Rank, Vectors};

/// The host with the largest dot product of request and free room that has room.
///
/// Formula: w_cpu d_cpu f_cpu + w_memory d_memory f_memory, with request d and free room f in shares of the region's largest host, so
/// that hosts of all sizes are measured in one unit. Where CPU is not counted, memory alone decides.
///
/// Source: Panigrahy, Talwar, Uyeda and Wieder, *Heuristics for Vector Bin Packing*, Microsoft Research 2011 (dot-product heuristic;
/// there it chooses the item for a bin, here, online, the bin for an item).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DotProduct {
    /// Apply the rule first to hosts with an idle sandbox of the function. Default true.
    #[serde(default = "super::yes")]
    pub prefer_warm: bool,
    /// Weight of CPU. Default 1: the source weighs by mean demand, which a run does not know beforehand.
    #[schemars(range(min = 0.0, max = 1000.0))]
    #[serde(default = "super::one")]
    pub cpu_weight: f64,
    /// Weight of memory. Default 1.
    #[schemars(range(min = 0.0, max = 1000.0))]
    #[serde(default = "super::one")]
    pub memory_weight: f64,
}

impl Rank for DotProduct {
    type Scale = ();

    fn score(&self, ask: &Ask, _scale: &(), host: &Candidate<'_>) -> Option<f64> {
        Some(Vectors::of_largest(ask, host).dot([self.cpu_weight, self.memory_weight]))
    }
}
