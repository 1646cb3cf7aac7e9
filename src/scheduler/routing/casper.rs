//! CASPER's dispatch: calls go where a program over all regions sends them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Routing, confined};
use crate::scheduler::spatial::{Deal, Expects, Objective, Planned, Program, Traffic, Violations, calls_in, weights};
use crate::scheduler::{CallView, View};
use crate::types::{Duration, RegionId};

/// Solves, every `period_s`, which share of each region's calls runs where, and deals calls by these shares.
///
/// Formula, with λ\[i\] the calls expected of region i in the interval, c\[j\] the present intensity of region j times its PUE and x\[i,j\] the calls from i
/// that run in j:
///
/// ```text
/// min Σ x[i,j] c[j]                     (objective "latency": min Σ x[i,j] RTT[i,j])
/// Σ_j x[i,j] = λ[i]
/// Σ_i x[i,j] <= room[j] = floor(utilization × cores that are on in j × period_s / mean core-s of a call)
/// x[i,j] = 0 where RTT[i,j] > max_rtt_ms
/// ```
///
/// It is a transportation problem, solved exactly in whole calls; of equal answers the one with the lowest sum of round-trip times is taken. Where
/// no way that is short enough leads to room, calls go to the nearest region with room; where there is none at all, they stay at home; both are
/// counted as violations. Calls of a region are dealt by its x\[i,j\] in a fixed order (smooth weighted round robin). A region whose hosts are too small for the
/// function, or of which no host is on, is passed over. In the first interval, and while no call is expected of a region, its calls stay at home.
///
/// Source: Souza et al., *CASPER: Carbon-Aware Scheduling and Provisioning for Distributed Web Services*, IGSC 2023; `max_rtt_ms` as there, the other
/// defaults are not published. Its code aborts the run where a program is infeasible; the overflow is an addition.
/// Example: two regions of 100 calls each, room for 150 in each, 100 and 300 g/kWh: half of the second region's calls run in the first.
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
    /// How often the program is solved \[s\]. Default 900 (assumed; "every r minutes").
    #[schemars(range(min = 0.001, max = 31_536_000.0))]
    #[serde(default = "period_s")]
    pub period_s: f64,
    /// How much of the cores that are on calls may take \[share\]. Default 0.7 (assumed).
    #[schemars(range(min = 0.001, max = 1000.0))]
    #[serde(default = "utilization")]
    pub utilization: f64,
    /// Which traffic is expected: that of the `last-interval`, or of the `same-time-yesterday`. Default `last-interval`.
    #[serde(default)]
    pub expects: Expects,
}

fn max_rtt_ms() -> f64 {
    100.0
}
fn period_s() -> f64 {
    900.0
}
fn utilization() -> f64 {
    0.7
}

impl Casper {
    pub(super) fn conflicts(&self) -> Vec<(&'static str, String, &'static str)> {
        let help = "choose a period that divides a day, or expects = \"last-interval\"";
        Traffic::conflict(self.period_s, self.expects).map(|what| ("casper.period_s", what, help)).into_iter().collect()
    }
}

/// The policy with the present deal.
pub(super) struct Dispatch {
    spec: Casper,
    pue: Vec<f64>,
    traffic: Traffic,
    deals: Vec<Deal>,
    violations: Violations,
}

impl Dispatch {
    pub(super) fn new(spec: Casper, pue: Vec<f64>) -> Self {
        let traffic = Traffic::new(spec.period_s, spec.expects);
        Self { traffic, pue, deals: Vec::new(), violations: Violations::default(), spec }
    }

    #[cold]
    fn plan(&mut self, call: &CallView<'_>, view: &View<'_>) {
        let fresh = (call.arrival == view.now).then_some(call.region);
        let expected = self.traffic.close(view.now, view.regions, fresh);
        let regions = view.regions.len();
        let Some(core_s) = expected.core_s.filter(|c| *c > 0.0) else { return };
        let room = |cpu: u64| calls_in(self.spec.utilization * cpu as f64 * 1e-6 * self.spec.period_s, core_s);
        let rooms: Vec<u64> = view.regions.iter().map(|load| room(load.cpu_capacity)).collect();
        let most = Duration::from_secs_f64(self.spec.max_rtt_ms / 1e3);
        let cost = self.spec.objective.costs(&weights(view, &self.pue), view.network, most);
        // Hosts are given: each region is one host of the room that it has.
        let program = Program {
            supply: &expected.calls,
            calls_per_host: &rooms,
            hosts: &vec![1; regions],
            least_hosts: 0,
            most_hosts: None,
            cost: &cost,
        };
        let Planned { dealt, .. } = program.solve();
        self.violations.count(&dealt, &cost);
        self.deals = (0..regions)
            .map(|home| {
                let mut shares = dealt.sent[home * regions..(home + 1) * regions].to_vec();
                shares[home] += dealt.unplaced[home];
                Deal::new(shares)
            })
            .collect();
    }
}

impl Routing for Dispatch {
    fn region(&mut self, call: &CallView<'_>, view: &View<'_>) -> RegionId {
        if self.traffic.is_due(view.now) {
            self.plan(call, view);
        }
        let Some(deal) = self.deals.get_mut(call.region.index()) else { return call.region };
        let open = |r: usize| {
            let load = &view.regions[r];
            load.hosts_on > 0
                && load.largest_function >= call.profile.memory.0
                && (!view.network.confines() || view.network.allows(call.function, RegionId::from_index(r)))
        };
        let dealt = deal.next(open).map_or(call.region, RegionId::from_index);
        if view.network.confines() { confined(dealt, &Ask::of_call(call, view), view) } else { dealt }
    }

    fn violations(&self) -> Option<Violations> {
        Some(self.violations)
    }
}
