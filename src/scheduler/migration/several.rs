//! Several migration policies, one after another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fleet, Migration, MigrationSpec, MoveOrder};
use crate::types::{Duration, SimTime};

/// Several policies: each is asked at its own period, in the order of the list. An instance that an earlier one moves stays out of
/// the later ones' orders, which see the fleet as it was before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Several {
    /// The policies, at least one.
    #[schemars(length(min = 1))]
    pub of: Vec<MigrationSpec>,
}

/// The policies, and when each is next asked.
pub(super) struct Chain {
    parts: Vec<(Box<dyn Migration>, SimTime)>,
}

impl Chain {
    pub fn new(spec: &Several) -> Self {
        let build = |s: &MigrationSpec| {
            let policy = s.build();
            let first = SimTime::ZERO + policy.period().unwrap_or(Duration::FOREVER);
            (policy, first)
        };
        Self { parts: spec.of.iter().map(build).collect() }
    }
}

impl Migration for Chain {
    /// The longest time of which all periods are multiples, to a millisecond.
    fn period(&self) -> Option<Duration> {
        let periods = self.parts.iter().filter_map(|(p, _)| p.period());
        let ms = periods.map(|p| (p.0 / 1_000_000).max(1)).reduce(greatest_common_divisor)?;
        Some(Duration(ms * 1_000_000))
    }

    fn moves(&mut self, fleet: &Fleet<'_>, orders: &mut Vec<MoveOrder>) {
        for (policy, due) in &mut self.parts {
            let Some(period) = policy.period().filter(|_| *due <= fleet.now) else { continue };
            *due = fleet.now + period;
            let before = orders.len();
            policy.moves(fleet, orders);
            let later = orders.split_off(before);
            let is_new = |o: &MoveOrder| orders.iter().all(|(token, _)| *token != o.0);
            let later: Vec<MoveOrder> = later.into_iter().filter(is_new).collect();
            orders.extend(later);
        }
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
