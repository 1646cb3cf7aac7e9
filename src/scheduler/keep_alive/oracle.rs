//! Keep an idle sandbox exactly until it is called again: the bound of every keep-alive policy.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IdleView, KeepAlive, Plan, Prewarm};
use crate::scheduler::{Known, View};
use crate::types::{Duration, SimTime};
use crate::workload::Future;

/// Knows every arrival, and keeps a sandbox exactly until the one that is left for it, or not at all.
///
/// Rule: the sandbox that becomes idle beside n idle ones of its pool looks at arrival n + 1 from now. If that is at most
/// `max_idle_s` away it stays until then, to the nanosecond; otherwise it goes at once, and with `prewarm` a new one is begun so
/// that it is ready just then. Without a next arrival it goes.
///
/// What it does not know: how long calls run, so that a busy sandbox that becomes free earlier may take the arrival; and with
/// several slots per sandbox, that one sandbox may serve several arrivals. It reads the times of arrival, not of release: with
/// shifting or routing it is no longer a bound. With `prewarm` the last idle sandbox of a pool alone comes back.
/// Source: the oracle baselines of EcoLife (SC 2024), which know the next arrival. Example: idle at 10 s with the next arrival
/// at 70 s: kept for 60 s and one nanosecond, because expiry comes before an arrival at the same instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Oracle {
    /// Longest idle time that is kept \[s\]. Default inf: every sandbox that is ever called again stays.
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    #[serde(default = "max_idle")]
    pub max_idle_s: f64,
    /// Whether a sandbox that goes is started anew in time. Default false. Matters only with a finite `max_idle_s`.
    #[serde(default)]
    pub prewarm: bool,
    /// How long before the arrival that start begins \[s\]. Default 0: as long as the sandbox's own start took.
    #[schemars(range(min = 0.0))]
    #[serde(default)]
    pub lead_s: f64,
}

fn max_idle() -> f64 {
    f64::INFINITY
}

/// The policy with the future it knows.
pub(super) struct Knowing {
    max_idle: Duration,
    prewarm: bool,
    lead: Duration,
    /// Absent where a scenario is only checked.
    future: Option<Arc<Future>>,
}

impl Knowing {
    pub(super) fn new(spec: &Oracle, known: &Known) -> Self {
        Self {
            max_idle: Duration::from_secs_f64(spec.max_idle_s),
            prewarm: spec.prewarm,
            lead: Duration::from_secs_f64(spec.lead_s),
            future: known.future.clone(),
        }
    }

    /// Time until the arrival that is left for this sandbox.
    fn gap(&self, sandbox: &IdleView<'_>) -> Option<Duration> {
        let pool = &sandbox.pool;
        // Completions come before arrivals at one instant, so that an arrival at `now` is still to come. One nanosecond
        // earlier, `next` counts it.
        let before = SimTime(sandbox.now.0.saturating_sub(1));
        let future = self.future.as_ref().expect("who runs a policy with needs_future() gives it the future");
        let next = future.next(pool.pool, pool.region, before, pool.idle as usize)?;
        Some(next.saturating_since(sandbox.now))
    }
}

impl KeepAlive for Knowing {
    fn keep(&mut self, sandbox: &IdleView<'_>, _view: &View<'_>) -> Plan {
        const INSTANT: Duration = Duration(1);
        let Some(gap) = self.gap(sandbox) else { return Duration::ZERO.into() };
        let lead = if self.lead == Duration::ZERO { sandbox.start } else { self.lead };
        if gap <= self.max_idle {
            return (gap + INSTANT).into();
        }
        if !self.prewarm {
            return Duration::ZERO.into();
        }
        if gap <= lead {
            // Too near for a new start: going and coming back would be later than the arrival.
            return (gap + INSTANT).into();
        }
        let prewarm = Prewarm { after: Duration(gap.0 - lead.0), keep: lead + INSTANT };
        Plan { keep: Duration::ZERO, prewarm: Some(prewarm) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::tests::{idle, known, pool};

    fn oracle(keys: &str, arrivals_s: &[u64]) -> Knowing {
        let mut known = known(1);
        let times = arrivals_s.iter().map(|&s| SimTime::ZERO + Duration::from_secs(s)).collect();
        known.future = Some(Future::new(1, &[times]).into());
        Knowing::new(&toml::from_str(keys).expect("right keys"), &known)
    }

    fn until(seconds: u64) -> Plan {
        (Duration::from_secs(seconds) + Duration(1)).into()
    }

    #[test]
    fn each_idle_sandbox_waits_for_the_arrival_that_is_left_for_it() {
        let mut p = oracle("", &[5, 70, 100]);
        let mut pool = pool(0, 0);
        assert_eq!(idle(&mut p, &pool, 10.0), until(60));
        pool.idle = 1;
        assert_eq!(idle(&mut p, &pool, 10.0), until(90));
        pool.idle = 2;
        assert_eq!(idle(&mut p, &pool, 10.0), Duration::ZERO.into(), "nobody is left to come");
        pool.idle = 0;
        assert_eq!(idle(&mut p, &pool, 70.0), until(0), "an arrival at this instant is still to come");
    }

    #[test]
    fn past_the_longest_idle_time_it_goes_and_comes_back_in_time_for_the_call() {
        let mut p = oracle("max_idle_s = 59", &[70]);
        assert_eq!(idle(&mut p, &pool(0, 0), 10.0), Duration::ZERO.into());
        let mut p = oracle("max_idle_s = 0\nprewarm = true", &[70]);
        let prewarm = Some(Prewarm { after: Duration::from_secs(58), keep: Duration::from_secs(2) + Duration(1) });
        assert_eq!(idle(&mut p, &pool(0, 0), 10.0), Plan { keep: Duration::ZERO, prewarm }, "its start takes 2 s");
        assert_eq!(idle(&mut p, &pool(0, 0), 69.0), until(1), "too near for a new start");
    }
}
