//! As many hosts as keep the load of those that are up between two marks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FleetView, Holds, IdleState, Provisioning, hold_s, min_hosts, period_s, whole};
use crate::scheduler::View;
use crate::types::Duration;

/// Keeps the load of the hosts that are up between two marks: up at once, down slowly.
///
/// Formula, every `period_s` in each region, with N hosts on or coming and L the full hosts that running and waiting calls need
/// (CPU demand over a host's cores, or reserved memory over its memory, whichever is more):
///
/// ```text
/// desired = ceil(L / ((low + high) / 2)), if L > high N or L < low N;   N, otherwise
/// wanted  = the largest max(desired, min_hosts) of the last hold_s
/// ```
///
/// While something waits for room, wanted is at least N, and N + 1 if no host is coming. Hosts go only once they hold no sandbox
/// (`evict_idle`: no call), highest numbers first: packing that fills low numbers first (`first-fit`) empties them.
///
/// Source: Gandhi et al., "AutoScale", ACM TOCS 30(4), 2012: asked every 20 s (section 3.2), 120 s of waiting before a host goes, with
/// little effect between 60 and 260 s (section 3.5). There each host has a timer of its own; here demand has one for the region. The
/// marks are assumed. Example: 10 hosts up, L = 3: 0.3 < `low`, so 5 are wanted after 120 s; at L = 8.1 of 10, 14 at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// Load below which hosts go [share of the hosts that are up]. Default 0.4 (assumed). Lower keeps more hosts idle.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "low")]
    pub low: f64,
    /// Load above which hosts come [share of the hosts that are up]; above `low`. Default 0.8 (assumed). Higher lets more calls wait.
    #[schemars(range(min = 0.001, max = 1000.0))]
    #[serde(default = "high")]
    pub high: f64,
    /// Hosts that stay up in each region whatever the load. Default 1 (assumed): with 0, the first call after a pause waits for a
    /// whole boot; refused where there is no queue.
    #[serde(default = "min_hosts")]
    pub min_hosts: u32,
    /// How often the number is decided \[s\]. Default 20 (AutoScale).
    #[schemars(range(min = 0.001))]
    #[serde(default = "period_s")]
    pub period_s: f64,
    /// How long fewer hosts must have been enough before any go \[s\]. Default 120 (AutoScale).
    #[schemars(range(min = 0.0))]
    #[serde(default = "hold_s")]
    pub hold_s: f64,
    /// Where hosts wait: off or sleep. Default `off`.
    #[serde(default)]
    pub idle_state: IdleState,
    /// Whether hosts may go that hold idle sandboxes and no call; these are evicted. Default false: keep-alive is kept.
    #[serde(default)]
    pub evict_idle: bool,
}

fn low() -> f64 {
    0.4
}
fn high() -> f64 {
    0.8
}

impl Threshold {
    pub(super) fn conflicts(&self) -> Vec<(&'static str, String, &'static str)> {
        let crossed = self.low >= self.high;
        let message =
            || format!("low = {} is not below high = {}: hosts would come and go all the time", self.low, self.high);
        crossed
            .then(|| ("threshold.low", message(), "choose a low well below high, such as half of it"))
            .into_iter()
            .collect()
    }
}

/// The policy with what it wanted lately.
pub(super) struct Band {
    spec: Threshold,
    holds: Holds,
}

impl Band {
    pub(super) fn new(spec: Threshold) -> Self {
        Self { holds: Holds::new(spec.hold_s), spec }
    }
}

impl Provisioning for Band {
    fn period(&self) -> Option<Duration> {
        Some(Duration::from_secs_f64(self.spec.period_s))
    }

    fn wanted(&mut self, fleet: &FleetView, view: &View<'_>) -> u32 {
        let Threshold { low, high, min_hosts, .. } = self.spec;
        let (needed, up) = (fleet.needed(), f64::from(fleet.up()));
        let within = needed >= low * up && needed <= high * up;
        let desired = if within { fleet.up() } else { whole(needed / ((low + high) / 2.0)) };
        let held = self.holds.at(fleet, view.now, desired.max(min_hosts).min(fleet.hosts));
        held.max(fleet.least()).min(fleet.hosts)
    }

    fn idle_state(&self) -> IdleState {
        self.spec.idle_state
    }

    fn evicts_idle(&self) -> bool {
        self.spec.evict_idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::provisioning::tests::{ask, fleet};

    fn band(keys: &str) -> Band {
        Band::new(toml::from_str(keys).expect("right keys"))
    }

    #[test]
    fn hosts_come_at_once_and_go_when_the_hold_has_passed() {
        let mut p = band("");
        // Hosts of 10 cores: 81 cores on 10 hosts are above 0.8, 30 below 0.4.
        assert_eq!(ask(&mut p, &fleet(10, 81.0, 0.0), 0.0), 14);
        assert_eq!(ask(&mut p, &fleet(14, 30.0, 0.0), 20.0), 14);
        assert_eq!(ask(&mut p, &fleet(14, 30.0, 0.0), 100.0), 14, "what was wanted at 0 s still counts");
        assert_eq!(ask(&mut p, &fleet(14, 30.0, 0.0), 120.0), 5);
        assert_eq!(ask(&mut p, &fleet(5, 30.0, 0.0), 140.0), 5, "0.6 is between the marks");
    }

    #[test]
    fn memory_counts_like_cpu_and_waiting_calls_like_running_ones() {
        let mut p = band("hold_s = 0");
        let mut f = fleet(4, 8.0, 3.7);
        assert_eq!(ask(&mut p, &f, 0.0), 7, "3.7 hosts of memory over 0.6");
        (f.memory, f.waiting, f.waiting_memory) = (0, 3, 37 << 30);
        assert_eq!(ask(&mut p, &f, 20.0), 7);
    }

    #[test]
    fn the_least_number_stays_and_a_call_that_waits_gets_a_host() {
        let mut p = band("min_hosts = 0\nhold_s = 0");
        assert_eq!(ask(&mut p, &fleet(3, 0.0, 0.0), 0.0), 0);
        let waits = FleetView { waiting: 1, waiting_cpu: 1000, ..fleet(0, 0.0, 0.0) };
        assert_eq!(ask(&mut p, &waits, 20.0), 1);
        let full = FleetView { waiting: 1, ..fleet(3, 18.0, 0.0) };
        assert_eq!(ask(&mut p, &full, 40.0), 4, "between the marks, but there is no room for one");
        assert_eq!(ask(&mut p, &FleetView { on: 3, coming: 1, ..full }, 60.0), 4, "one is on its way");
    }

    #[test]
    fn marks_that_cross_are_refused() {
        let spec: Threshold = toml::from_str("low = 0.8\nhigh = 0.8").expect("right keys");
        assert_eq!(spec.conflicts().len(), 1);
        assert!(toml::from_str::<Threshold>("").expect("right keys").conflicts().is_empty());
    }
}
