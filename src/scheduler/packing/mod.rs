//! Packing: on which host, in which sandbox?

mod best_fit;
mod cosine;
mod dot_product;
mod first_fit;
mod fleet;
mod grouping;
mod l2_norm;
mod least_loaded;
mod locality_groups;
mod lowest_carbon;
mod next_fit;
mod power_of_two;
mod random;
mod residents;
mod round_robin;
mod rules;
mod scored;
mod tetris;
mod tournament;
mod vectors;
mod warm_first;
mod worst_fit;

pub use best_fit::BestFit;
pub use cosine::Cosine;
pub use dot_product::DotProduct;
pub use first_fit::FirstFit;
pub use fleet::{Fleet, HostFacts};
pub use l2_norm::L2Norm;
pub use least_loaded::LeastLoaded;
pub use locality_groups::{LocalityGroups, Namespaces};
pub use lowest_carbon::{LowestCarbon, Objective, ThenInGroup};
pub use next_fit::NextFit;
pub use power_of_two::PowerOfTwo;
pub use random::Random;
pub use round_robin::RoundRobin;
pub use rules::{Filters, Preset, Rules, TrustDomains, Value, Weigher};
pub use tetris::Tetris;
pub use warm_first::{ThenFit, WarmFirst};
pub use worst_fit::WorstFit;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::{HostIndex, Orders, Sandboxes, WarmPools, WarmScope};
use crate::types::{Duration, FunctionId, HostId, PoolId, RegionId, SandboxId, Seed};
use crate::workload::FunctionProfile;
use crate::workload::instances::Class;

use fleet::Grams;
use grouping::{Cut, Grouping, Moves, Size, probe};
use residents::Residents;
use scored::{Ask, Candidate, Looks, Rank, Scored};
use tournament::{Layout, NOT_ALLOWED, Tournament, fixed};
use vectors::Vectors;

/// How many of the hosts that hold a warm sandbox of the function are compared, at most. Keeps a placement's cost
/// bounded for functions that are warm on very many hosts; below this number the choice is exact.
pub const WARM_CANDIDATES: usize = 64;

/// How many workers of a locality group or of a namespace are looked at, at most, when neither of two random ones has room. Keeps a
/// placement's cost bounded in large groups; up to this size the search is exact.
pub const PROBES: usize = 64;

/// What has to be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// What is called.
    pub function: FunctionId,
    /// The pool whose sandboxes can take the call.
    pub pool: PoolId,
    /// Memory that a new sandbox would hold \[bytes\].
    pub memory: u64,
    /// CPU that must be free for a new sandbox and its call [millionths of a core]; 0 unless CPU is `isolated` or sandboxes
    /// reserve it.
    pub cpu: u64,
    /// CPU that must be free for the call in an idle sandbox [millionths of a core].
    pub warm_cpu: u64,
}

/// An instance that has to be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstanceRequest {
    /// The instance's number; an instance that is moved or started anew keeps it.
    pub instance: u32,
    /// CPU that must be free [millionths of a core].
    pub cpu: u64,
    /// Memory that must be free \[bytes\].
    pub memory: u64,
    /// Who trusts whom: what affinity rules look at.
    pub trust_domain: u32,
    /// Whose instances are spread over failure domains; [`NO_DEPLOYMENT`](crate::workload::instances::NO_DEPLOYMENT) for none.
    pub deployment: u32,
    /// Who goes first.
    pub class: Class,
    /// Larger is more important.
    pub priority: u8,
}

/// Which resource best fit and worst fit compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Free memory.
    #[default]
    Memory,
    /// Free CPU; where CPU is not counted all hosts are alike.
    Cpu,
    /// The larger of the free shares of CPU and memory; memory where CPU is not counted.
    Dominant,
}

/// How often scores could be reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheCounts {
    /// Requests of a kind whose scores were kept: only the hosts that had changed since were scored.
    pub hits: u64,
    /// Requests of a kind whose scores were kept, but more hosts had changed than the log of changes holds: all were scored.
    pub stale: u64,
    /// Requests of a new kind, or of one that had given way to others: all hosts were scored.
    pub misses: u64,
    /// Hosts that were scored in all.
    pub rescored: u64,
}

/// What a policy with locality groups has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LocalityCounts {
    /// Placements on a worker of the function's group.
    pub inside: u64,
    /// Placements on another worker, because none of the group had room.
    pub spilled: u64,
    /// How often groups were assigned anew.
    pub reassignments: u64,
    /// Functions that changed their group then, all regions.
    pub functions_moved: u64,
    /// Workers that changed their group then, all regions.
    pub workers_moved: u64,
}

/// A region has fewer workers than namespaces that need one of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoWorkers {
    /// The region.
    pub region: RegionId,
    /// How many namespaces there are by now.
    pub namespaces: u32,
}

/// Where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Into this idle sandbox.
    Warm(SandboxId),
    /// Into a new sandbox on this host.
    Cold(HostId),
    /// There is no room now.
    Nowhere,
}

/// A region's hosts, read only.
pub struct Pool<'a> {
    /// The region.
    pub region: RegionId,
    /// The region's first host; its hosts are numbered without gaps.
    pub first_host: u32,
    /// The hosts by free memory, CPU and load, numbered from 0 within the region.
    pub index: &'a HostIndex,
    /// The idle sandboxes of each function.
    pub warm: &'a WarmPools,
    /// The sandboxes themselves.
    pub sandboxes: &'a Sandboxes,
}

impl Pool<'_> {
    fn host(&self, local: usize) -> HostId {
        HostId(self.first_host + local as u32)
    }

    fn local(&self, host: HostId) -> usize {
        (host.0 - self.first_host) as usize
    }

    /// The host's idle sandbox if it has one, else a new one there.
    fn on(&self, local: usize, request: &Request) -> Placement {
        let host = self.host(local);
        match self.warm.on_host(request.pool, self.region, host) {
            Some(sandbox) => Placement::Warm(sandbox),
            None => Placement::Cold(host),
        }
    }

    /// When no host has room for a new sandbox: any idle sandbox of the function all the same, wherever the policy's rule
    /// would rather have gone; it needs no room. A call never waits while an idle sandbox of its function stands ready.
    #[cold]
    fn last_resort(&self, request: &Request) -> Placement {
        self.warm_by(request, |host| host).unwrap_or(Placement::Nowhere)
    }

    /// Among the hosts with an idle sandbox of the function and enough CPU, the sandbox on the one of the lowest rank;
    /// ties go to the lowest host number. At most [`WARM_CANDIDATES`] hosts are compared.
    fn warm_by<K: Ord>(&self, request: &Request, rank: impl Fn(usize) -> K) -> Option<Placement> {
        let room = |h: &HostId| self.index.cpu_fits(self.local(*h), request.warm_cpu);
        let mut hosts = self.warm.hosts(request.pool, self.region).filter(room).take(WARM_CANDIDATES);
        let first = hosts.next()?;
        let host = match hosts.next() {
            None => first,
            Some(second) => [first, second].into_iter().chain(hosts).min_by_key(|&h| (rank(self.local(h)), h))?,
        };
        self.warm.on_host(request.pool, self.region, host).map(Placement::Warm)
    }
}

/// Chooses a host and a sandbox.
///
/// Laws: a warm placement names an idle sandbox of the function; a cold one names a host on which the request fits;
/// `Nowhere` is returned only if no host has room and no idle sandbox of the function can take the call, among the hosts that the
/// policy's rules allow (all, but for locality groups that don't spill or that keep namespaces apart).
pub trait Packing: Send {
    /// Places one call.
    fn place(&mut self, request: &Request, pool: &Pool<'_>) -> Placement;

    /// Places one instance; `None` if no host has room (or none that the policy's rules allow).
    ///
    /// Law: the host has room for the request, by `pool.index`.
    fn place_instance(&mut self, request: &InstanceRequest, pool: &Pool<'_>) -> Option<HostId>;

    /// An instance now stands on this host, for policies that remember who stands where.
    fn instance_placed(&mut self, _request: &InstanceRequest, _host: HostId) {}

    /// An instance has left this host.
    fn instance_left(&mut self, _request: &InstanceRequest, _host: HostId) {}

    /// A function that may be called is known from now on, and how much memory a sandbox for it reserves \[bytes\]. Not told of the
    /// accounts of instances and jobs.
    ///
    /// # Errors
    /// A region has no worker for it.
    fn announced(&mut self, _function: FunctionId, _profile: &FunctionProfile, _memory: u64) -> Result<(), NoWorkers> {
        Ok(())
    }

    /// Whether it is to be told of calls that have ended.
    fn observes(&self) -> bool {
        false
    }

    /// A call has ended in a region after so much CPU time [core·s].
    fn executed(&mut self, _function: FunctionId, _region: RegionId, _cpu_core_s: f64) {}

    /// How often [`reassign`](Packing::reassign) is asked for; `None`: never.
    fn period(&self) -> Option<Duration> {
        None
    }

    /// Functions and workers are assigned to each other anew.
    fn reassign(&mut self) {}

    /// What locality groups have done, for policies that have some.
    fn locality(&self) -> Option<LocalityCounts> {
        None
    }

    /// How often scores could be reused, for policies that keep them.
    fn cache(&self) -> Option<CacheCounts> {
        None
    }

    /// Among which idle sandboxes the reuse order chooses.
    fn warm_scope(&self) -> WarmScope {
        WarmScope::Host
    }

    /// Which orders of hosts the engine must keep for this policy.
    fn orders(&self) -> Orders {
        Orders::default()
    }

    /// On which host a call waits that has no room anywhere, where queues are per host: the first host, unless the
    /// policy knows better.
    fn overflow(&mut self, _request: &Request, pool: &Pool<'_>) -> HostId {
        pool.host(0)
    }
}

/// The packing policies. All but `warm-first` take an idle sandbox on the host they choose; with `prefer_warm` they first
/// apply their rule to the hosts that have an idle sandbox of the function, and only then to all hosts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PackingSpec {
    /// Any idle sandbox of the function in the region, in the reuse order; a new sandbox by the rule in `then`.
    /// Knows all idle sandboxes of the region. Loses when the reuse order gathers calls on loaded hosts.
    WarmFirst(WarmFirst),
    /// The lowest-numbered host with room. Knows free memory (and CPU if isolated). Fills hosts one after another: few
    /// hosts are used, the first ones are crowded. Source: classic bin packing.
    FirstFit(FirstFit),
    /// The host that was used last, then the next one with room. Knows where it was. Leaves gaps behind that it comes back to only
    /// after a round. Source: classic bin packing.
    NextFit(NextFit),
    /// The host with the least free memory (or CPU, or larger share) that has room. Knows free memory and CPU. Loses time slices to
    /// fragments too small to use.
    BestFit(BestFit),
    /// The host with the most free memory (or CPU, or larger share). Knows free memory and CPU. Spreads load and leaves no host empty.
    WorstFit(WorstFit),
    /// The next host in turn that has room. Knows whose turn it is. Loses when calls differ much in length.
    RoundRobin(RoundRobin),
    /// A random host; if it has no room, the next one in number that has. Knows nothing but room.
    Random(Random),
    /// The less loaded of two random hosts with room. Knows the load of two hosts. Source: Mitzenmacher, IEEE TPDS 2001;
    /// XFaaS' worker load balancer uses it inside a locality group.
    PowerOfTwoChoices(PowerOfTwo),
    /// The less loaded of two random workers of the function's locality group: functions and workers of a region are divided into groups
    /// by load and memory, anew every so often. Knows the load of two hosts, and what functions have used. Fewer functions meet on a
    /// worker; a group of few workers balances worse. Source: XFaaS, SOSP 2023; the assignment is ours; docs/workers.md.
    LocalityGroups(LocalityGroups),
    /// The host with the lowest CPU demand over capacity that has room. Knows every host's load, without delay.
    LeastLoaded(LeastLoaded),
    /// The host with the largest dot product of request and free room. Knows free CPU and memory. Keeps both in proportion; prefers
    /// empty hosts, so few become free. Source: Panigrahy et al., Microsoft Research 2011.
    DotProduct(DotProduct),
    /// The host whose free room is closest to the request. Knows free CPU and memory. Fills hosts to the brim and leaves those of a
    /// single resource left over. Source: Panigrahy et al., Microsoft Research 2011.
    L2Norm(L2Norm),
    /// The host whose free room is most like the request in shape. Knows free CPU and memory. Looks at shape alone: full and empty
    /// hosts are alike to it. Source: as dslab-iaas offers it.
    Cosine(Cosine),
    /// The host with the best alignment of request and free room, each host by its own capacity. Knows free CPU and memory. Like
    /// dot-product, from which it differs in a mixed fleet. Source: Grandl et al., Tetris, SIGCOMM 2014.
    Tetris(Tetris),
    /// A chain of filters and weighers, free or by the presets kubernetes and openstack: packing or spreading, failure domains,
    /// affinity and anti-affinity of trust domains, operational carbon or SCI. Knows all of these. Filters can turn away what would
    /// fit. Source: Kubernetes scheduler, OpenStack Nova, Protean (OSDI 2020); docs/packing.md.
    Rules(Rules),
    /// The host group of the lowest emissions per core at full load first, by operational emissions or by SCI. Knows power, embodied
    /// emissions and the run's mean intensity. By SCI it prefers old machines, and can emit more. Source: The Sunk Carbon Fallacy,
    /// SoCC 2024.
    LowestCarbon(LowestCarbon),
}

impl Default for PackingSpec {
    fn default() -> Self {
        Self::WarmFirst(WarmFirst::default())
    }
}

impl PackingSpec {
    /// Builds the policy; `seed` is its own, and these are the machines.
    pub fn build(&self, seed: Seed, fleet: &Arc<Fleet>) -> Box<dyn Packing> {
        fn scored<R: Rank + 'static>(rank: R, prefer_warm: bool, fleet: &Arc<Fleet>) -> Box<dyn Packing> {
            Box::new(Scored::new(rank, prefer_warm, Arc::clone(fleet)))
        }
        match self {
            Self::WarmFirst(p) => Box::new(p.clone()),
            Self::FirstFit(p) => Box::new(p.clone()),
            Self::NextFit(p) => Box::new(next_fit::Last::new(p.clone())),
            Self::BestFit(p) if p.by == By::Dominant => scored(p.clone(), p.prefer_warm, fleet),
            Self::BestFit(p) => Box::new(p.clone()),
            Self::WorstFit(p) if p.by == By::Dominant => scored(p.clone(), p.prefer_warm, fleet),
            Self::WorstFit(p) => Box::new(p.clone()),
            Self::RoundRobin(p) => Box::new(round_robin::Turn::new(p.clone())),
            Self::Random(p) => Box::new(random::Dice::new(p.clone(), seed)),
            Self::PowerOfTwoChoices(p) => Box::new(power_of_two::Dice::new(p.clone(), seed)),
            Self::LocalityGroups(p) => Box::new(locality_groups::Groups::new(p.clone(), seed, fleet)),
            Self::LeastLoaded(p) => Box::new(p.clone()),
            Self::DotProduct(p) => scored(p.clone(), p.prefer_warm, fleet),
            Self::L2Norm(p) => scored(p.clone(), p.prefer_warm, fleet),
            Self::Cosine(p) => scored(p.clone(), p.prefer_warm, fleet),
            Self::Tetris(p) => scored(p.clone(), p.prefer_warm, fleet),
            Self::Rules(p) => scored(rules::Chain::new(p, fleet), p.prefer_warm, fleet),
            Self::LowestCarbon(p) => Box::new(lowest_carbon::InOrder::new(p.clone(), fleet)),
        }
    }

    /// What is wrong with it, where servers of these types exist: key below the policy's table, message, help.
    pub fn problems(&self, servers: &[&str]) -> Vec<(&'static str, String, String)> {
        match self {
            Self::Rules(p) => p.problems(servers),
            Self::LocalityGroups(p) => p.problems(),
            _ => Vec::new(),
        }
    }
}

/// `prefer_warm` is on unless switched off.
fn yes() -> bool {
    true
}

/// Weights are 1 unless set.
fn one() -> f64 {
    1.0
}

#[cfg(test)]
mod tests;
