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
    /// The one with the earlier deadline, whatever its criticality (earliest deadline first); without a deadline last.
    Deadline,
    /// The one that came first.
    Arrival,
}

/// Which of the regions whose schedulers may pull from a queue pulls the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pull {
    /// The one that is furthest behind its share of the matrix, counted in work.
    #[default]
    ByShare,
    /// The one that would use the least share of its CPU with the call. The matrix then says who may pull, and not how much: schedulers pull
    /// as fast as they have room. Not published; the paper says that a growing RunQ slows pulling.
    WhereRoom,
}

/// A call's place among others: the least goes first. Calls of one rank go in the order in which they came into the queue.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of calls (criticality, deadline, arrival) in the order in which they go.
    fn order(order: Order, calls: &[(u8, u64, u64)]) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..calls.len()).collect();
        let time = |seconds: u64| if seconds == u64::MAX { SimTime::NEVER } else { SimTime(seconds * 1_000_000_000) };
        numbers.sort_by_key(|&i| order.rank(calls[i].0, time(calls[i].1), time(calls[i].2)));
        numbers
    }

    #[test]
    fn the_critical_go_first_then_the_urgent_and_the_rest_as_they_came() {
        let never = u64::MAX;
        let calls = [(0, 10, 0), (2, never, 1), (2, 90, 2), (255, never, 3), (0, 10, 4), (0, never, 5), (2, 50, 6)];
        assert_eq!(order(Order::default(), &calls), [3, 6, 2, 1, 0, 4, 5]);
        assert_eq!(order(Order::Deadline, &calls), [0, 4, 6, 2, 1, 3, 5]);
        assert_eq!(order(Order::Arrival, &calls), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn names_are_those_of_the_scenario() {
        for (name, wanted) in [
            ("criticality-then-deadline", Order::CriticalityThenDeadline),
            ("deadline", Order::Deadline),
            ("arrival", Order::Arrival),
        ] {
            assert_eq!(serde_json::from_value::<Order>(name.into()).expect("a name"), wanted);
        }
    }
}
