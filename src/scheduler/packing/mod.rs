//! Packing: on which host, in which sandbox?

mod best_fit;
mod first_fit;
mod least_loaded;
mod power_of_two;
mod random;
mod round_robin;
mod warm_first;
mod worst_fit;

pub use best_fit::BestFit;
pub use first_fit::FirstFit;
pub use least_loaded::LeastLoaded;
pub use power_of_two::PowerOfTwo;
pub use random::Random;
pub use round_robin::RoundRobin;
pub use warm_first::{ThenFit, WarmFirst};
pub use worst_fit::WorstFit;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::{HostIndex, Orders, Sandboxes, WarmPools, WarmScope};
use crate::types::{HostId, PoolId, RegionId, SandboxId, Seed};
use crate::workload::instances::Class;

/// How many of the hosts that hold a warm sandbox of the function are compared, at most. Keeps a placement's cost
/// bounded for functions that are warm on very many hosts; below this number the choice is exact.
pub const WARM_CANDIDATES: usize = 64;

/// What has to be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
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
/// `Nowhere` is returned only if no host has room and no idle sandbox of the function can take the call.
pub trait Packing: Send {
    /// Places one call.
    fn place(&mut self, request: &Request, pool: &Pool<'_>) -> Placement;

    /// Places one instance; `None` if no host has room (or none that the policy's rules allow).
    ///
    /// Law: the host has room for the request, by `pool.index`.
    fn place_instance(&mut self, request: &InstanceRequest, pool: &Pool<'_>) -> Option<HostId> {
        pool.index.first_fit(0, request.memory, request.cpu).map(|local| pool.host(local))
    }

    /// An instance now stands on this host, for policies that remember who stands where.
    fn instance_placed(&mut self, _request: &InstanceRequest, _host: HostId) {}

    /// An instance has left this host.
    fn instance_left(&mut self, _request: &InstanceRequest, _host: HostId) {}

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
    /// The host with the least free memory that has room. Knows free memory. Loses time slices to fragments too small to use.
    BestFit(BestFit),
    /// The host with the most free memory. Knows free memory. Spreads load and leaves no host empty.
    WorstFit(WorstFit),
    /// The next host in turn that has room. Knows whose turn it is. Loses when calls differ much in length.
    RoundRobin(RoundRobin),
    /// A random host; if it has no room, the next one in number that has. Knows nothing but room.
    Random(Random),
    /// The less loaded of two random hosts with room. Knows the load of two hosts. Source: Mitzenmacher, IEEE TPDS 2001;
    /// XFaaS' worker load balancer uses it inside a locality group.
    PowerOfTwoChoices(PowerOfTwo),
    /// The host with the lowest CPU demand over capacity that has room. Knows every host's load, without delay.
    LeastLoaded(LeastLoaded),
}

impl Default for PackingSpec {
    fn default() -> Self {
        Self::WarmFirst(WarmFirst::default())
    }
}

impl PackingSpec {
    /// Builds the policy; `seed` is its own.
    pub fn build(&self, seed: Seed) -> Box<dyn Packing> {
        match self {
            Self::WarmFirst(p) => Box::new(p.clone()),
            Self::FirstFit(p) => Box::new(p.clone()),
            Self::BestFit(p) => Box::new(p.clone()),
            Self::WorstFit(p) => Box::new(p.clone()),
            Self::RoundRobin(p) => Box::new(round_robin::Turn::new(p.clone())),
            Self::Random(p) => Box::new(random::Dice::new(p.clone(), seed)),
            Self::PowerOfTwoChoices(p) => Box::new(power_of_two::Dice::new(p.clone(), seed)),
            Self::LeastLoaded(p) => Box::new(p.clone()),
        }
    }
}

/// `prefer_warm` is on unless switched off.
fn yes() -> bool {
    true
}
