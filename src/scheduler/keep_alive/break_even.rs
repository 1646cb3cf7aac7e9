//! Keep an idle sandbox until keeping it has cost as much energy as starting it anew.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IdleView, KeepAlive, Plan};
use crate::scheduler::{Known, SiteFacts, View};
use crate::types::Duration;

/// Keeps an idle sandbox for the break-even time of energy, by ski rental at most twice the energy of a policy that knows when
/// the next call comes.
///
/// Formula: T = E / (p s), with E the energy of a start \[J\], p the idle power per byte of memory \[W/byte\], mean over the
/// region's hosts, and s the memory of the sandbox \[bytes\]. E is the CPU time of the sandbox's own start times the power of a
/// busy core above idle, or the measured energy where starts are booked by that (`isolation.NAME.start_energy`). Where memory
/// costs nothing, it is kept for ever. PUE is on both sides and cancels; so does intensity.
///
/// Source: HotCarbon 2022 (Sharma), which gives the comparison and publishes no value. Its p assumes that released memory
/// saves idle power: true only where hosts are emptied and switched off. Example: a start of 1 core·s at 2 W above idle, 2 J,
/// against 100 MB at 1 W/GB, 0.1 W: 20 s.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakEven {
    /// Energy of a start above idle \[J\]. Default: as starts are booked, from their CPU time or as measured. HotCarbon
    /// measured 8.4 J for a container
    /// and 18.4 J for a microVM on a laptop, plain request subtracted.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_energy_j: Option<f64>,
}

/// The policy with the machines it weighs.
pub(super) struct Balance {
    start_energy_j: Option<f64>,
    sites: Arc<[SiteFacts]>,
}

impl Balance {
    pub(super) fn new(spec: &BreakEven, known: &Known) -> Self {
        Self { start_energy_j: spec.start_energy_j, sites: Arc::clone(&known.sites) }
    }
}

impl KeepAlive for Balance {
    fn keep(&mut self, sandbox: &IdleView<'_>, _view: &View<'_>) -> Plan {
        let site = self.sites.get(sandbox.pool.region.index()).copied().unwrap_or_default();
        let start_j =
            self.start_energy_j.or(sandbox.start_energy_j).unwrap_or(sandbox.start_core_s * site.dynamic_w_per_core);
        let held_w = site.idle_w_per_byte * sandbox.memory.0 as f64;
        if held_w > 0.0 { Duration::from_secs_f64(start_j / held_w).into() } else { Duration::FOREVER.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::tests::{idle, known, pool};

    #[test]
    fn two_joules_are_worth_twenty_seconds_of_100_mb_at_a_watt_per_gb() {
        let mut p = Balance::new(&BreakEven { start_energy_j: None }, &known(1));
        assert_eq!(idle(&mut p, &pool(0, 0), 0.0), Duration::from_secs(20).into());
        let mut p = Balance::new(&BreakEven { start_energy_j: Some(8.4) }, &known(1));
        assert_eq!(idle(&mut p, &pool(0, 0), 0.0), Duration::from_secs(84).into());
    }

    #[test]
    fn memory_that_costs_nothing_is_kept_for_ever_and_a_free_start_not_at_all() {
        let mut nothing = known(1);
        nothing.sites = vec![SiteFacts::default()].into();
        let mut p = Balance::new(&BreakEven { start_energy_j: None }, &nothing);
        assert_eq!(idle(&mut p, &pool(0, 0), 0.0), Duration::FOREVER.into());
        let mut p = Balance::new(&BreakEven { start_energy_j: Some(0.0) }, &known(1));
        assert_eq!(idle(&mut p, &pool(0, 0), 0.0), Duration::ZERO.into());
    }
}
