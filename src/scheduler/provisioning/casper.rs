//! CASPER's provisioning: a program over all regions says how many hosts are on in each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FleetView, IdleState, Provisioning, min_hosts};
use crate::scheduler::View;
use crate::scheduler::spatial::{Expects, Objective, Program, Traffic, calls_in, weights};
use crate::types::{Duration, SimTime};

/// Solves, every `period_s`, where the calls of all regions should run and how many hosts that takes.
///
/// Formula, with λ\[i\] the calls expected of region i in the interval, c\[j\] the present intensity of region j times its PUE, s\[j\] its hosts that are on:
///
/// ```text
/// min Σ x[i,j] c[j]                     (objective "latency": min Σ x[i,j] RTT[i,j])
/// Σ_j x[i,j] = λ[i],   x[i,j] = 0 where RTT[i,j] > max_rtt_ms
/// Σ_i x[i,j] <= s[j] floor(utilization × cores of a host in j × period_s / mean core-s of a call)
/// min_hosts <= s[j] <= hosts of j,   Σ_j s[j] <= max_hosts,   s whole
/// ```
///
/// The fewest hosts that carry the best x are on; what moves the calls is the routing policy of the same name. In the first interval all hosts are on, as
/// nothing is known. Every `check_s`, a region in which something waits for room while no host is coming gets one host more until the next
/// program, beyond `max_hosts` too.
///
/// Source: Souza et al., *CASPER: Carbon-Aware Scheduling and Provisioning for Distributed Web Services*, IGSC 2023: hourly, `max_rtt_ms` as there; the
/// other defaults are assumed. There regions without planned calls have no server: `min_hosts` = 0.
/// Example: 200 calls expected in all, hosts of 60 calls, 2 in each of two regions of 100 and 300 g/kWh: 2 hosts are on in the first, 2 in the second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Casper {
    /// What is least: `carbon` or `latency`. Default `carbon`.
    #[serde(default)]
    pub objective: Objective,
    /// Longest round trip from a call's home \[ms\]. Default 100 (CASPER).
    #[schemars(range(min = 0.0))]
    #[serde(default = "max_rtt_ms")]
    pub max_rtt_ms: f64,
    /// Hosts that may be on in all regions together. Default: all.
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_hosts: Option<u32>,
    /// Hosts that stay up in each region whatever the plan. Default 1 (assumed).
    #[serde(default = "min_hosts")]
    pub min_hosts: u32,
    /// How often the program is solved \[s\]; at least `check_s`. Default 3600 (CASPER).
    #[schemars(range(min = 0.001, max = 31_536_000.0))]
    #[serde(default = "period_s")]
    pub period_s: f64,
    /// How often what waits for room is looked at \[s\]. Default 20 (assumed; as the other policies).
    #[schemars(range(min = 0.001))]
    #[serde(default = "super::period_s")]
    pub check_s: f64,
    /// How much of the cores that are on calls may take \[share\]. Default 0.7 (assumed).
    #[schemars(range(min = 0.001, max = 1000.0))]
    #[serde(default = "utilization")]
    pub utilization: f64,
    /// Which traffic is expected: that of the `last-interval`, or of the `same-time-yesterday`. Default `last-interval`.
    #[serde(default)]
    pub expects: Expects,
    /// Where hosts wait: off or sleep. Default `off`.
    #[serde(default)]
    pub idle_state: IdleState,
    /// Whether hosts may go that hold idle sandboxes and no call; these are evicted. Default false: keep-alive is kept.
    #[serde(default)]
    pub evict_idle: bool,
}

fn max_rtt_ms() -> f64 {
    100.0
}
fn period_s() -> f64 {
    3600.0
}
fn utilization() -> f64 {
    0.7
}

impl Casper {
    pub(super) fn conflicts(&self) -> Vec<(&'static str, String, &'static str)> {
        let mut found = Vec::new();
        if self.period_s < self.check_s {
            let message = format!("period_s = {} is shorter than check_s = {}", self.period_s, self.check_s);
            found.push(("casper.check_s", message, "choose a check_s that divides period_s"));
        }
        let help = "choose a period that divides a day, or expects = \"last-interval\"";
        found.extend(Traffic::conflict(self.period_s, self.expects).map(|what| ("casper.period_s", what, help)));
        found
    }
}

/// The policy with its present plan.
pub(super) struct Plan {
    spec: Casper,
    pue: Vec<f64>,
    traffic: Traffic,
    /// Each region as it was last seen.
    fleets: Vec<FleetView>,
    /// The hosts that each region should have; empty: all.
    hosts: Vec<u32>,
}

impl Plan {
    pub(super) fn new(spec: Casper, pue: Vec<f64>) -> Self {
        let traffic = Traffic::new(spec.period_s, spec.expects);
        Self { spec, pue, traffic, fleets: Vec::new(), hosts: Vec::new() }
    }

    fn solve(&mut self, view: &View<'_>) {
        let expected = self.traffic.close(view.now, view.regions, None);
        let regions = view.regions.len();
        let Some(core_s) = expected.core_s.filter(|c| *c > 0.0 && self.fleets.len() == regions) else { return };
        let Casper { utilization, period_s, .. } = self.spec;
        let takes = |f: &FleetView| calls_in(utilization * f.cpu_per_host * 1e-6 * period_s, core_s).max(1);
        let calls_per_host: Vec<u64> = self.fleets.iter().map(takes).collect();
        let hosts: Vec<u32> = self.fleets.iter().map(|f| f.hosts).collect();
        let most = Duration::from_secs_f64(self.spec.max_rtt_ms / 1e3);
        let cost = self.spec.objective.costs(&weights(view, &self.pue), view.network, most);
        let program = Program {
            supply: &expected.calls,
            calls_per_host: &calls_per_host,
            hosts: &hosts,
            least_hosts: self.spec.min_hosts,
            most_hosts: self.spec.max_hosts,
            cost: &cost,
        };
        self.hosts = program.solve().hosts;
    }
}

impl Provisioning for Plan {
    fn period(&self) -> Option<Duration> {
        Some(Duration::from_secs_f64(self.spec.check_s))
    }

    fn wanted(&mut self, fleet: &FleetView, view: &View<'_>) -> u32 {
        // Regions are asked in turn at one instant; the first one solves for all, from what was seen of the others last.
        if self.traffic.is_due(view.now) && view.now > SimTime::ZERO {
            self.solve(view);
        }
        let r = fleet.region.index();
        if self.fleets.len() <= r {
            self.fleets.resize(r + 1, FleetView { region: fleet.region, ..*fleet });
        }
        self.fleets[r] = *fleet;
        let Some(planned) = self.hosts.get_mut(r) else { return fleet.hosts };
        *planned = (*planned).max(fleet.least()).min(fleet.hosts);
        *planned
    }

    fn idle_state(&self) -> IdleState {
        self.spec.idle_state
    }

    fn evicts_idle(&self) -> bool {
        self.spec.evict_idle
    }
}
