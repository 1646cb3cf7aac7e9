//! The host whose free room is most like the request in shape.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Candidate, Rank, Vectors};

/// The host with the smallest angle between request and free room that has room.
///
/// Formula: largest d · f / (|d| |f|), with request d and free room f in shares of the host. How much is free does not matter. Where
/// CPU is not counted, all hosts are alike, which is first fit.
///
/// Source: the cosine similarity that dslab-iaas offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cosine {
    /// Apply the rule first to hosts with an idle sandbox of the function. Default true.
    #[serde(default = "super::yes")]
    pub prefer_warm: bool,
}

impl Rank for Cosine {
    type Scale = ();

    fn score(&self, ask: &Ask, _scale: &(), host: &Candidate<'_>) -> Option<f64> {
        Some(Vectors::new(ask, host).cosine())
    }
}
