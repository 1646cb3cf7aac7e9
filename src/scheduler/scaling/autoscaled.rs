//! The number of sandboxes follows demand, up at once and down slowly.

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Scaling, whole};
use crate::scheduler::idle_times::ByPool;
use crate::scheduler::{Known, PoolView, View};
use crate::types::{Duration, SimTime};

/// Follows the mean demand of each pool and region towards a target utilization, after Kubernetes' horizontal autoscaler.
///
/// Formula, every `period_s`, with demand the mean number of running and waiting calls since the last time:
///
/// ```text
/// ratio   = demand / (current slots target)
/// desired = current, if |ratio - 1| <= tolerance;   ceil(demand / (slots target)), otherwise
/// wanted  = the largest desired of the last stabilisation_s, within min and max
/// ```
///
/// so that it grows at once and shrinks only when nothing in the window asked for more. `current` is what was last wanted,
/// `min` at first.
///
/// Source: Kubernetes' horizontal pod autoscaler; the four defaults that are not assumed are recalled from its documentation,
/// not read again. Its limit on the speed of growth (double or four pods per 15 s) is not modelled. Example: 2 sandboxes of one
/// slot and a demand of 2.8 calls at target 0.7: the ratio is 2, and 4 are wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Autoscaled {
    /// Fewest sandboxes. Default 1 (Kubernetes, recalled).
    #[serde(default = "at_least")]
    pub min: u32,
    /// Most sandboxes; wins over `min`. Default: no limit.
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// Share of the slots that should be in use. Default 0.7 (assumed).
    #[schemars(range(min = 0.001, max = 1000.0))]
    #[serde(default = "target")]
    pub target_utilization: f64,
    /// How often the number is decided \[s\]. Default 15 (Kubernetes, recalled).
    #[schemars(range(min = 0.001))]
    #[serde(default = "period")]
    pub period_s: f64,
    /// How long a larger number stays in force \[s\]. Default 300 (Kubernetes, recalled).
    #[schemars(range(min = 0.0))]
    #[serde(default = "stabilisation")]
    pub stabilisation_s: f64,
    /// Deviation of the ratio from 1 that changes nothing. Default 0.1 (Kubernetes, recalled).
    #[schemars(range(min = 0.0))]
    #[serde(default = "tolerance")]
    pub tolerance: f64,
    /// Whether a call that finds no sandbox starts one all the same. Default false: it waits for one of its pool.
    #[serde(default)]
    pub on_demand: bool,
}

fn at_least() -> u32 {
    1
}
fn target() -> f64 {
    0.7
}
fn period() -> f64 {
    15.0
}
fn stabilisation() -> f64 {
    300.0
}
fn tolerance() -> f64 {
    0.1
}

/// The policy with what it decided for each pool.
pub(super) struct Follower {
    spec: Autoscaled,
    pools: ByPool<Past>,
}

/// What was decided for one pool.
#[derive(Default)]
struct Past {
    current: Option<u32>,
    /// What was desired within the window, by time; what a later and larger one outdoes is left out.
    desired: VecDeque<(SimTime, u32)>,
}

impl Follower {
    pub(super) fn new(spec: Autoscaled, known: &Known) -> Self {
        Self { spec, pools: ByPool::new(known) }
    }
}

impl Scaling for Follower {
    fn on_demand(&self) -> bool {
        self.spec.on_demand
    }

    fn period(&self) -> Option<Duration> {
        Some(Duration::from_secs_f64(self.spec.period_s))
    }

    fn wanted(&mut self, pool: &PoolView, view: &View<'_>) -> u32 {
        let spec = &self.spec;
        let past = self.pools.of(pool);
        let within = |n: u32| n.max(spec.min).min(spec.max.unwrap_or(u32::MAX));
        let current = past.current.unwrap_or_else(|| within(spec.min));
        let needed = pool.mean_demand / (f64::from(pool.slots.max(1)) * spec.target_utilization);
        // The ratio is infinite, or no number, without sandboxes: then it is never within the tolerance.
        let close = (needed / f64::from(current) - 1.0).abs() <= spec.tolerance;
        let desired = if close { current } else { whole(needed) };
        while past.desired.back().is_some_and(|&(_, n)| n <= desired) {
            past.desired.pop_back();
        }
        past.desired.push_back((view.now, desired));
        let window = Duration::from_secs_f64(spec.stabilisation_s);
        while past.desired.front().is_some_and(|&(at, _)| at + window < view.now) {
            past.desired.pop_front();
        }
        let wanted = within(past.desired.front().map_or(desired, |&(_, n)| n));
        past.current = Some(wanted);
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::scaling::tests::ask;
    use crate::scheduler::tests::{known, pool};

    fn follower(keys: &str) -> Follower {
        Follower::new(toml::from_str(keys).expect("right keys"), &known(1))
    }

    fn demand(calls: f64) -> PoolView {
        PoolView { mean_demand: calls, ..pool(0, 0) }
    }

    #[test]
    fn it_grows_at_once_and_shrinks_when_the_window_has_passed() {
        let mut p = follower("min = 2");
        assert_eq!(ask(&mut p, &demand(0.0), 0.0), 2);
        assert_eq!(ask(&mut p, &demand(2.8), 15.0), 4);
        assert_eq!(ask(&mut p, &demand(0.0), 30.0), 4);
        assert_eq!(ask(&mut p, &demand(0.0), 315.0), 4, "300 s later, what was desired at 15 s still counts");
        assert_eq!(ask(&mut p, &demand(0.0), 330.0), 2);
        assert!(!p.on_demand());
    }

    #[test]
    fn small_deviations_change_nothing_and_the_limits_hold() {
        let mut p = follower("min = 10\nmax = 12\nstabilisation_s = 0");
        assert_eq!(ask(&mut p, &demand(7.6), 0.0), 10, "10.86 desired, 8.6 % more");
        assert_eq!(ask(&mut p, &demand(7.8), 15.0), 12, "11.14 desired, 11.4 % more");
        assert_eq!(ask(&mut p, &demand(70.0), 30.0), 12);
        assert_eq!(ask(&mut p, &demand(0.0), 45.0), 10);
    }

    #[test]
    fn from_nothing_it_starts_with_the_first_demand() {
        let mut p = follower("min = 0\nstabilisation_s = 0");
        assert_eq!(ask(&mut p, &demand(0.0), 0.0), 0);
        assert_eq!(ask(&mut p, &demand(0.1), 15.0), 1);
        assert_eq!(ask(&mut p, &demand(0.0), 30.0), 0);
    }
}
