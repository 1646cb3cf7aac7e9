//! The decision pipeline: ten seams, each a trait, one file per policy, and a catalogue.
//!
//! ```text
//! call ──> admission ──> shifting ──> routing ──> packing ──> host
//!          may it in?    when?        which       which host,   │
//!                                     region?     which sandbox?│
//!          dispatch: through which queues does it come there? ──┤
//!          overcommit: how much may a host promise?  ───────────┤
//!          keep_alive: how long does an idle sandbox stay? ─────┤
//!          scaling: how many sandboxes does a pool have? ───────┤
//!          provisioning: how many hosts are on? ────────────────┤
//!          migration: which instances move? ────────────────────┘
//! ```
//!
//! A policy gets a read-only view and knows the future only through [`crate::grid::Forecast`], so that an oracle is
//! declared, never an accident.

pub mod admission;
pub mod bound;
pub mod dispatch;
mod idle_times;
pub mod keep_alive;
pub mod migration;
pub mod overcommit;
pub mod packing;
pub mod provisioning;
pub mod routing;
pub mod scaling;
pub mod shifting;
pub mod spatial;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::grid::{Forecast, Observed};
use crate::network::Network;
use crate::types::{Duration, FunctionId, PoolId, RegionId, Seed, SimTime};
use crate::workload::{FunctionProfile, Future};

/// `[scheduler]`: one policy per seam. A seam that is left out takes its default.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SchedulerSpec {
    /// May the call in? Default: `admit-all`.
    #[serde(default)]
    pub admission: admission::AdmissionSpec,
    /// When does it start? Default: `run-now`.
    #[serde(default)]
    pub shifting: shifting::ShiftingSpec,
    /// How does it come to that region? Default: `direct`.
    #[serde(default)]
    pub dispatch: dispatch::DispatchSpec,
    /// In which region does it run? Default: `local`.
    #[serde(default)]
    pub routing: routing::RoutingSpec,
    /// On which host, in which sandbox? Default: `warm-first`.
    #[serde(default)]
    pub packing: packing::PackingSpec,
    /// How much may a host promise? Default: `none`.
    #[serde(default)]
    pub overcommit: overcommit::OvercommitSpec,
    /// How long does an idle sandbox stay? Default: `fixed`, 600 s.
    #[serde(default)]
    pub keep_alive: keep_alive::KeepAliveSpec,
    /// How many sandboxes does a pool have? Default: `on-demand`.
    #[serde(default)]
    pub scaling: scaling::ScalingSpec,
    /// How many hosts are on? Default: `always-on`.
    #[serde(default)]
    pub provisioning: provisioning::ProvisioningSpec,
    /// Which instances move to another host while they run? Default: `none`.
    #[serde(default)]
    pub migration: migration::MigrationSpec,
}

/// Names a call or a job in flight, for a policy that holds it back and lets it go later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkToken {
    /// A call, by its slot.
    Call(u32),
    /// A job, by its place in the list of jobs.
    Job(u32),
}

/// CPU that is paid for in advance, whether it is used or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reserved {
    /// All of it [millionths of a core].
    pub cpu: u64,
    /// What jobs use of it [millionths of a core].
    pub in_use: u64,
}

impl Reserved {
    /// What is free of it [millionths of a core].
    pub fn free(&self) -> u64 {
        self.cpu - self.in_use
    }
}

/// What a policy may know of a call.
#[derive(Debug, Clone, Copy)]
pub struct CallView<'a> {
    /// Its name while it is in flight.
    pub token: WorkToken,
    /// The function that is called.
    pub function: FunctionId,
    /// What is known of the function.
    pub profile: &'a FunctionProfile,
    /// When it arrived.
    pub arrival: SimTime,
    /// When it must have finished; [`SimTime::NEVER`] without a deadline.
    pub deadline: SimTime,
    /// How long it is expected to run alone, the isolation mechanism's CPU factor included. Today this is the true length: a
    /// perfect estimate, declared as such.
    pub expected_work: Duration,
    /// Where it arrived.
    pub region: RegionId,
}

/// What a policy may know of a region at this instant. Kept up to date by the engine in constant time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RegionLoad {
    /// Hosts that are on.
    pub hosts_on: u32,
    /// CPU capacity of the hosts that are on [millionths of a core].
    pub cpu_capacity: u64,
    /// CPU demanded by calls, also those whose sandbox is still starting, by starts, instances and jobs [millionths of a core].
    pub cpu_demand: u64,
    /// Memory of the largest function that any host of the region can ever hold \[bytes\].
    pub largest_function: u64,
    /// Memory held by sandboxes \[bytes\].
    pub memory_held: u64,
    /// Executing calls.
    pub running: u32,
    /// Calls that wait for room.
    pub queued: u32,
    /// Instances that wait for room, and nodes of jobs.
    pub instances_waiting: u32,
    /// CPU of the nodes that jobs have on hosts or have asked for [millionths of a core].
    pub jobs_cpu: u64,
    /// The part of `cpu_demand` that jobs demand: of those that compute [millionths of a core].
    pub jobs_demand: u64,
    /// CPU in use: what is demanded of each host that is on, at most what it has [millionths of a core].
    pub cpu_used: u64,
    /// Calls that have arrived here since the run began.
    pub arrived: u64,
    /// CPU time that these calls take, the isolation mechanism's CPU factor included \[core-s\].
    pub work: f64,
}

impl RegionLoad {
    /// CPU demand over capacity, counting each waiting call as one core; infinite for a region of which no host is on.
    pub fn pressure(&self) -> f64 {
        if self.cpu_capacity == 0 {
            return f64::INFINITY;
        }
        (self.cpu_demand as f64 + f64::from(self.queued) * 1e6) / self.cpu_capacity as f64
    }
}

/// What a policy may know of a pool in one region: the functions that share sandboxes, by the scope of isolation (one
/// function, a tenant, or a trust domain).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoolView {
    /// The pool.
    pub pool: PoolId,
    /// The region.
    pub region: RegionId,
    /// Its sandboxes in any state.
    pub sandboxes: u32,
    /// Those that are idle.
    pub idle: u32,
    /// Those that are starting.
    pub starting: u32,
    /// Its calls that execute or are bound to a sandbox that starts.
    pub running: u32,
    /// Its calls that wait for a sandbox or for room.
    pub waiting: u32,
    /// How many calls one sandbox takes at a time.
    pub slots: u32,
    /// When its last call ended; `None` before the first end.
    pub last_end: Option<SimTime>,
    /// Mean number of running and waiting calls since the scaling policy was last asked about this pool \[calls\].
    pub mean_demand: f64,
    /// Calls of its own traffic in execution at their peak, by the quantile asked for, known beforehand: only where a policy
    /// declares that it needs it ([`scaling::ScalingSpec::sizing`]).
    pub peak: Option<u32>,
}

/// What a policy may know of the machines of one region, to weigh memory against starts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SiteFacts {
    /// Idle power of a host, of all its memory in use, and what overhead is fixed over `pue`, over its memory; mean over hosts [W/byte].
    pub idle_w_per_byte: f64,
    /// Power of one busy core above idle, mean over hosts [W/core].
    pub dynamic_w_per_core: f64,
    /// Embodied emissions of a host over its memory, straight line over its life [gCO2e/(s·byte)].
    pub embodied_g_per_s_per_byte: f64,
    /// Power usage effectiveness, mean over hosts.
    pub pue: f64,
}

/// What a policy is built from, beside its own parameters.
#[derive(Clone)]
pub struct Known {
    /// The root of the policy's random streams.
    pub seed: Seed,
    /// The machines, by region.
    pub sites: std::sync::Arc<[SiteFacts]>,
    /// Every future arrival: only where the policy is a declared oracle ([`keep_alive::KeepAliveSpec::needs_future`]).
    pub future: Option<std::sync::Arc<Future>>,
}

/// What every policy may look at.
pub struct View<'a> {
    /// The present.
    pub now: SimTime,
    /// The regions, indexed by [`RegionId`].
    pub regions: &'a [RegionLoad],
    /// What is forecast of each region's carbon intensity.
    pub forecasts: &'a [Box<dyn Forecast>],
    /// What has been observed of each region's carbon intensity.
    pub observed: &'a [Observed],
    /// CPU that is paid for in advance.
    pub reserved: Reserved,
    /// What lies between the regions.
    pub network: &'a Network,
}

#[cfg(test)]
mod tests;
