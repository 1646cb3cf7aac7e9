//! The host group of lowest emissions first.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fleet, Grams, InstanceRequest, Packing, Placement, Pool, Request};
use crate::cluster::Orders;
use crate::types::HostId;

/// The group of the lowest emissions per core at full load first; in it, the host that the rule in `then` names.
///
/// Formula: operational = P(1) x PUE / cores; sci = (P(1) x PUE x I + M / lifetime) / cores, with the mean intensity I of the region's
/// grid over the run, which is what the published comparison takes.
///
/// Source: Bashir et al., *The Sunk Carbon Fallacy: Rethinking Carbon Footprint Metrics for Effective
/// Carbon-Aware Scheduling*, SoCC 2024, which orders servers by SCI and by operational emissions, and shows that the first can emit
/// more: what is embodied is emitted already, wherever the work goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LowestCarbon {
    /// Apply the rule first to hosts with an idle sandbox of the function. Default true.
    #[serde(default = "super::yes")]
    pub prefer_warm: bool,
    /// What groups are ordered by. Default `operational`.
    #[serde(default)]
    pub objective: Objective,
    /// Which host of the group. Default `first-fit`.
    #[serde(default)]
    pub then: ThenInGroup,
}

/// What groups are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Emissions of electricity.
    #[default]
    Operational,
    /// Emissions of electricity and embodied ones, as the SCI specification adds them.
    Sci,
}

/// Which host of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ThenInGroup {
    /// The lowest-numbered host with room.
    #[default]
    FirstFit,
    /// The host with the lowest CPU demand over capacity that has room.
    LeastLoaded,
}

/// The hosts of a region's groups, from the first choice to the last: local numbers from, to.
pub(super) struct InOrder {
    spec: LowestCarbon,
    runs: Vec<Vec<(usize, usize)>>,
}

impl InOrder {
    pub(super) fn new(spec: LowestCarbon, fleet: &Arc<Fleet>) -> Self {
        let of = match spec.objective {
            Objective::Operational => Grams::Operational,
            Objective::Sci => Grams::Sci,
        };
        let rate = |group: u32| fleet.groups[group as usize].full_rate_per_core(of);
        let mut runs: Vec<Vec<(u32, usize, usize)>> = Vec::new();
        let mut local = 0;
        for (i, &(group, _)) in fleet.hosts.iter().enumerate() {
            let region = fleet.groups[group.index()].region.index();
            if runs.len() <= region {
                runs.resize_with(region + 1, Vec::new);
                local = 0;
            }
            match runs[region].last_mut() {
                Some((last, _, to)) if *last == group.0 => *to = local + 1,
                _ => runs[region].push((group.0, local, local + 1)),
            }
            local += 1;
            debug_assert!(i == 0 || fleet.hosts[i - 1].0.index() <= group.index(), "hosts come group by group");
        }
        for own in &mut runs {
            own.sort_by(|a, b| rate(a.0).total_cmp(&rate(b.0)).then(a.1.cmp(&b.1)));
        }
        let plain = |own: Vec<(u32, usize, usize)>| own.into_iter().map(|(_, from, to)| (from, to)).collect();
        Self { spec, runs: runs.into_iter().map(plain).collect() }
    }

    fn choose(&self, memory: u64, cpu: u64, pool: &Pool<'_>) -> Option<usize> {
        let runs = self.runs.get(pool.region.index())?;
        runs.iter().find_map(|&(from, to)| match self.spec.then {
            ThenInGroup::FirstFit => pool.index.first_fit_in(from, to, memory, cpu),
            ThenInGroup::LeastLoaded => pool.index.least_loaded_in(from, to, memory, cpu),
        })
    }

    /// The place of a host's group in the order.
    fn turn(&self, local: usize, pool: &Pool<'_>) -> usize {
        let runs = self.runs.get(pool.region.index()).map_or(&[][..], Vec::as_slice);
        runs.iter().position(|&(from, to)| from <= local && local < to).unwrap_or(runs.len())
    }
}

impl Packing for InOrder {
    fn place(&mut self, request: &Request, pool: &Pool<'_>) -> Placement {
        let load = |local| match self.spec.then {
            ThenInGroup::FirstFit => 0,
            ThenInGroup::LeastLoaded => pool.index.load(local),
        };
        if self.spec.prefer_warm
            && let Some(warm) = pool.warm_by(request, |local| (self.turn(local, pool), load(local)))
        {
            return warm;
        }
        match self.choose(request.memory, request.cpu, pool) {
            Some(host) => pool.on(host, request),
            None => pool.last_resort(request),
        }
    }

    fn place_instance(&mut self, request: &InstanceRequest, pool: &Pool<'_>) -> Option<HostId> {
        self.choose(request.memory, request.cpu, pool).map(|local| pool.host(local))
    }

    fn orders(&self) -> Orders {
        Orders { load: self.spec.then == ThenInGroup::LeastLoaded, ..Orders::default() }
    }

    fn overflow(&mut self, _request: &Request, pool: &Pool<'_>) -> HostId {
        pool.host(self.choose(0, 0, pool).unwrap_or(0))
    }
}
