//! The less loaded of two random workers inside the function's locality group.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Cut, Fleet, Grouping, InstanceRequest, LocalityCounts, Moves, NoWorkers, Packing, Placement, Pool, Request, Size,
    probe,
};
use crate::cluster::Orders;
use crate::types::{Duration, FunctionId, HostId, RegionId, Seed, Stream};
use crate::workload::FunctionProfile;

/// Functions and workers of a region are divided into matching groups; a call goes to the less loaded of two random workers of its
/// function's group.
///
/// Source: XFaaS (Sahraei et al., SOSP 2023) for groups, for two choices, for memory-hungry functions that are spread, and for groups
/// that follow profiles and load. How functions are assigned is not published; `docs/workers.md`, section 2, has ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LocalityGroups {
    /// Groups in every region, at most one per worker; not with `hosts_per_group`. Default: as `hosts_per_group` says (not published).
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<u32>,
    /// Workers in a group, on average. Default 10 (not published; assumed).
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts_per_group: Option<u32>,
    /// How often functions and workers are assigned anew \[s\]; `inf`: never. Default 3600 (not published; assumed).
    #[schemars(range(min = 1.0), extend("x-allow-infinite" = true))]
    #[serde(default = "hour")]
    pub reassign_s: f64,
    /// Whether namespaces (trust domains) share workers. Default `shared`.
    #[serde(default)]
    pub namespaces: Namespaces,
    /// Whether a call that finds no room in its group goes to any other worker that it may use; otherwise it waits for one of the
    /// group. Default true (assumed).
    #[serde(default = "super::yes")]
    pub spill: bool,
    /// By how much a group may be heavier than the mean before functions leave it [share of the mean]. Default 0.1 (assumed).
    #[schemars(range(min = 0.0, max = 10.0))]
    #[serde(default = "tenth")]
    pub tolerance: f64,
    /// Weight of the last period in the estimate of a function's load; the rest is the estimate before. Default 0.5 (assumed).
    #[schemars(range(min = 0.01, max = 1.0))]
    #[serde(default = "half")]
    pub load_weight: f64,
}

fn hour() -> f64 {
    3600.0
}

fn tenth() -> f64 {
    0.1
}

fn half() -> f64 {
    0.5
}

/// Whether namespaces share workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Namespaces {
    /// Functions of all trust domains are in the same groups.
    #[default]
    Shared,
    /// Every trust domain has workers of its own in every region, in proportion to its load, at least one (published: a namespace has
    /// one runtime and a dedicated pool of workers).
    Dedicated,
}

impl LocalityGroups {
    /// What is wrong with it: key, message, help.
    pub(super) fn problems(&self) -> Vec<(&'static str, String, String)> {
        match (self.groups, self.hosts_per_group) {
            (Some(groups), Some(hosts)) => vec![(
                "hosts_per_group",
                format!("groups = {groups} and hosts_per_group = {hosts} both say how fine the groups are"),
                "leave one of them out".to_owned(),
            )],
            _ => Vec::new(),
        }
    }
}

/// The policy with its groups by region.
pub(super) struct Groups {
    spec: LocalityGroups,
    stream: Stream,
    regions: Vec<Grouping>,
    counts: LocalityCounts,
}

impl Groups {
    pub(super) fn new(spec: LocalityGroups, seed: Seed, fleet: &Arc<Fleet>) -> Self {
        let regions = fleet.groups.iter().map(|g| g.region.index() + 1).max().unwrap_or(0);
        let mut workers = vec![0; regions];
        for (group, _) in &fleet.hosts {
            workers[fleet.groups[group.index()].region.index()] += 1;
        }
        let size = match spec.groups {
            Some(groups) => Size::Groups(groups),
            None => Size::Workers(spec.hosts_per_group.unwrap_or(10)),
        };
        let cut = Cut { size, tolerance: spec.tolerance, load_weight: spec.load_weight };
        let regions = workers.into_iter().map(|n| Grouping::new(n, cut)).collect();
        let stream = seed.stream("locality-groups", 0);
        Self { spec, stream, regions, counts: LocalityCounts::default() }
    }

    /// Two of a number of workers.
    fn draw(&mut self, among: usize) -> (usize, usize) {
        let n = among as u64;
        (self.stream.below(n) as usize, self.stream.below(n) as usize)
    }

    /// The less loaded of two random hosts of the region with room, for what belongs to no group.
    fn anywhere(&mut self, memory: u64, cpu: u64, pool: &Pool<'_>) -> Option<usize> {
        let (a, b) = self.draw(pool.index.hosts());
        less_loaded(a, b, pool, |h| pool.index.fits(h, memory, cpu))
            .or_else(|| pool.index.first_fit_round(a, memory, cpu))
    }
}

/// The less loaded of two hosts that suit.
#[inline]
fn less_loaded(a: usize, b: usize, pool: &Pool<'_>, suits: impl Fn(usize) -> bool) -> Option<usize> {
    match (suits(a), suits(b)) {
        (true, true) => Some(if pool.index.load(b) < pool.index.load(a) { b } else { a }),
        (true, false) => Some(a),
        (false, true) => Some(b),
        (false, false) => None,
    }
}

impl Packing for Groups {
    fn place(&mut self, request: &Request, pool: &Pool<'_>) -> Placement {
        let (function, region) = (request.function.index(), pool.region.index());
        let Some((group, _)) = self.regions[region].of(function) else {
            return match self.anywhere(request.memory, request.cpu, pool) {
                Some(host) => pool.on(host, request),
                None => pool.last_resort(request),
            };
        };
        let (i, j) = self.draw(group.len());
        let (group, namespace) = self.regions[region].of(function).expect("it has a group: looked up above");
        let room = |h: usize| {
            pool.index.fits(h, request.memory, request.cpu)
                || pool.index.cpu_fits(h, request.warm_cpu)
                    && pool.warm.on_host(request.pool, pool.region, pool.host(h)).is_some()
        };
        let inside = less_loaded(group[i] as usize, group[j] as usize, pool, room).or_else(|| probe(group, i, room));
        if let Some(host) = inside {
            self.counts.inside += 1;
            return pool.on(host, request);
        }
        if !self.spec.spill {
            return Placement::Nowhere;
        }
        let outside = match self.spec.namespaces {
            Namespaces::Dedicated => probe(namespace, i, room),
            Namespaces::Shared => pool.index.first_fit_round(group[i] as usize, request.memory, request.cpu),
        };
        let placement = match outside {
            Some(host) => pool.on(host, request),
            None if self.spec.namespaces == Namespaces::Shared => pool.last_resort(request),
            None => Placement::Nowhere,
        };
        self.counts.spilled += u64::from(placement != Placement::Nowhere);
        placement
    }

    /// Instances belong to no group: the less loaded of two random hosts of the region.
    fn place_instance(&mut self, request: &InstanceRequest, pool: &Pool<'_>) -> Option<HostId> {
        self.anywhere(request.memory, request.cpu, pool).map(|local| pool.host(local))
    }

    fn orders(&self) -> Orders {
        Orders { load: true, ..Orders::default() }
    }

    fn overflow(&mut self, request: &Request, pool: &Pool<'_>) -> HostId {
        let region = pool.region.index();
        let among = self.regions[region].of(request.function.index()).map_or(pool.index.hosts(), |(g, _)| g.len());
        let (i, j) = self.draw(among);
        let (a, b) = match self.regions[region].of(request.function.index()) {
            Some((group, _)) => (group[i] as usize, group[j] as usize),
            None => (i, j),
        };
        pool.host(if pool.index.load(b) < pool.index.load(a) { b } else { a })
    }

    fn announced(&mut self, function: FunctionId, profile: &FunctionProfile, memory: u64) -> Result<(), NoWorkers> {
        let domain = if self.spec.namespaces == Namespaces::Dedicated { profile.trust_domain } else { 0 };
        for (r, region) in self.regions.iter_mut().enumerate() {
            if !region.announce(function.index(), domain, memory as f64) {
                return Err(NoWorkers { region: RegionId::from_index(r), namespaces: region.namespaces() as u32 + 1 });
            }
        }
        Ok(())
    }

    fn observes(&self) -> bool {
        self.period().is_some()
    }

    #[inline]
    fn executed(&mut self, function: FunctionId, region: RegionId, cpu_core_s: f64) {
        self.regions[region.index()].executed(function.index(), cpu_core_s);
    }

    fn period(&self) -> Option<Duration> {
        self.spec.reassign_s.is_finite().then(|| Duration::from_secs_f64(self.spec.reassign_s))
    }

    fn reassign(&mut self) {
        self.counts.reassignments += 1;
        for region in &mut self.regions {
            let Moves { functions, workers } = region.reassign(self.spec.reassign_s);
            self.counts.functions_moved += functions;
            self.counts.workers_moved += workers;
        }
    }

    fn locality(&self) -> Option<LocalityCounts> {
        Some(self.counts)
    }
}
