//! Order: which of the calls that may start goes first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::SimTime;

/// Which of the calls that may start goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The more critical first, among equals the one with the earlier deadline (XFaaS).
    #[default]
    CriticalityThenDeadline,
    /// The one with the earlier deadline.
    Deadline,
    /// The one that came first.
    Arrival,
}

/// A call's place among others: the least goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(u8, u64);

impl Order {
    /// The place of a call.
    pub fn rank(self, criticality: u8, deadline: SimTime, arrival: SimTime) -> Rank {
        match self {
            Self::CriticalityThenDeadline => Rank(u8::MAX - criticality, deadline.0),
            Self::Deadline => Rank(0, deadline.0),
            Self::Arrival => Rank(0, arrival.0),
        }
    }
}
