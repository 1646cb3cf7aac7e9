//! Provisioning: how many hosts are on?

mod always_on;
mod casper;
mod predictive;
mod threshold;

pub use always_on::AlwaysOn;
pub use casper::Casper;
pub use predictive::Predictive;
pub use threshold::Threshold;

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Known, View};
pub use crate::cluster::IdleState;
use crate::types::{Duration, RegionId, SimTime};

/// Default of `min_hosts`: assumed.
fn min_hosts() -> u32 {
    1
}

/// Default of `period_s` \[s\]. Source: AutoScale (TOCS 2012).
fn period_s() -> f64 {
    20.0
}

/// Default of `hold_s` \[s\]. Source: AutoScale (TOCS 2012).
fn hold_s() -> f64 {
    120.0
}

/// Decides how many of a region's hosts are on.
///
/// Laws: the answer depends on nothing but what the policy was told; where something waits for room and no host is coming, it is
/// more than what is up, as far as the region owns more, or calls may wait for ever.
pub trait Provisioning: Send {
    /// How often the policy is asked; `None` if all hosts stay on for the whole run.
    fn period(&self) -> Option<Duration>;

    /// How many hosts the region should have on or coming; more than it owns is all. The engine lets hosts come that wait, those
    /// first on which calls wait, then the lowest-numbered ones; and it lets hosts go that hold no sandbox, the
    /// highest-numbered ones first.
    fn wanted(&mut self, fleet: &FleetView, view: &View<'_>) -> u32;

    /// Where hosts wait that nobody needs.
    fn idle_state(&self) -> IdleState {
        IdleState::Off
    }

    /// Whether a host may go that holds idle sandboxes and no call; they go with it.
    fn evicts_idle(&self) -> bool {
        false
    }
}

/// What a policy sees of a region's hosts. Capacities are what hosts promise (overcommitment), means over all that the region owns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FleetView {
    /// The region.
    pub region: RegionId,
    /// Hosts that it owns.
    pub hosts: u32,
    /// Those that are on.
    pub on: u32,
    /// Those that boot or wake.
    pub coming: u32,
    /// CPU of one host [millionths of a core].
    pub cpu_per_host: f64,
    /// Memory of one host \[bytes\].
    pub memory_per_host: f64,
    /// CPU demanded by calls and starts, or reserved, where that is more [millionths of a core].
    pub cpu: u64,
    /// Memory that sandboxes have reserved, idle ones included \[bytes\].
    pub memory: u64,
    /// Calls, and pools that lack sandboxes, that wait for room.
    pub waiting: u32,
    /// CPU that the waiting calls need [millionths of a core].
    pub waiting_cpu: u64,
    /// Memory that they need, each in a sandbox of its own \[bytes\].
    pub waiting_memory: u64,
    /// How long a host takes that is called back from the policy's idle state, at most.
    pub way_back: Duration,
}

impl FleetView {
    /// Hosts that are on or coming.
    pub fn up(&self) -> u32 {
        self.on + self.coming
    }

    /// Full hosts that all calls need, running and waiting: by CPU or by memory, whichever is more.
    ///
    /// Example: hosts of 4 cores and 8 GB, 6 cores in demand and 20 GB reserved or waited for: 2.5 hosts.
    pub fn needed(&self) -> f64 {
        let cpu = (self.cpu + self.waiting_cpu) as f64 / self.cpu_per_host;
        let memory = (self.memory + self.waiting_memory) as f64 / self.memory_per_host;
        cpu.max(memory)
    }

    /// The fewest hosts with which nothing waits for ever: while something waits for room, one more than are up, or, if hosts are
    /// coming already, no fewer.
    pub fn least(&self) -> u32 {
        match (self.waiting, self.coming) {
            (0, _) => 0,
            (_, 0) => self.up() + 1,
            (_, _) => self.up(),
        }
    }
}

/// The provisioning policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ProvisioningSpec {
    /// All hosts are on for the whole run. Knows nothing. Loses the idle power of hosts that nobody needs.
    AlwaysOn(AlwaysOn),
    /// As many hosts as keep the load of those that are up between two marks. Knows the present demand, reserved memory and what
    /// waits. Loses time while hosts come: demand that rises faster than they do waits. Source: reactive provisioning with a wait
    /// before switching off, as AutoScale-- (Gandhi et al., TOCS 2012), on a band of utilization.
    Threshold(Threshold),
    /// As many hosts as the present and the same time of earlier days need, with headroom. Knows the present and its own past
    /// samples. Loses on the first day, where it is merely reactive, and on days unlike the last ones. Source: the highest demand at the same
    /// hour of the last days, after Urgaonkar et al., TAAS 2008 (recalled, not read).
    Predictive(Predictive),
    /// As many hosts as an integer program over all regions needs: the least carbon within a longest round trip, the hosts and their sum. Knows what
    /// arrived in the last interval or a day ago, the mean CPU time of those calls, present intensities and round trips. Loses without the
    /// routing policy of the same name, which moves the calls, and when traffic grows within an interval. Source: CASPER (Souza et al., IGSC 2023).
    Casper(Casper),
}

impl Default for ProvisioningSpec {
    fn default() -> Self {
        Self::AlwaysOn(AlwaysOn {})
    }
}

impl ProvisioningSpec {
    /// Builds the policy; the seed in `known` is its own.
    pub fn build(&self, known: &Known) -> Box<dyn Provisioning> {
        match self {
            Self::AlwaysOn(p) => Box::new(p.clone()),
            Self::Threshold(p) => Box::new(threshold::Band::new(p.clone())),
            Self::Predictive(p) => Box::new(predictive::Seasons::new(p.clone())),
            Self::Casper(p) => Box::new(casper::Plan::new(p.clone(), known.sites.iter().map(|s| s.pue).collect())),
        }
    }

    /// Whether a region may be left without a host that is on.
    pub fn may_leave_none(&self) -> bool {
        match self {
            Self::AlwaysOn(_) => false,
            Self::Threshold(p) => p.min_hosts == 0,
            Self::Predictive(p) => p.min_hosts == 0,
            Self::Casper(p) => p.min_hosts == 0,
        }
    }

    /// Keys that do not go together, by their path below `scheduler.provisioning`: key, what is wrong, what to do.
    pub fn conflicts(&self) -> Vec<(&'static str, String, &'static str)> {
        match self {
            Self::AlwaysOn(_) => Vec::new(),
            Self::Threshold(p) => p.conflicts(),
            Self::Predictive(p) => p.conflicts(),
            Self::Casper(p) => p.conflicts(),
        }
    }
}

/// The largest answer of the last while, per region, so that hosts go only if none of it asked for more. At first, what is up.
#[derive(Debug)]
struct Holds {
    window: Duration,
    regions: Vec<VecDeque<(SimTime, u32)>>,
}

impl Holds {
    fn new(hold_s: f64) -> Self {
        Self { window: Duration::from_secs_f64(hold_s), regions: Vec::new() }
    }

    fn at(&mut self, fleet: &FleetView, now: SimTime, desired: u32) -> u32 {
        let r = fleet.region.index();
        if self.regions.len() <= r {
            self.regions.resize_with(r + 1, VecDeque::new);
        }
        let past = &mut self.regions[r];
        if past.is_empty() {
            past.push_back((now, fleet.up()));
        }
        while past.front().is_some_and(|&(at, _)| at + self.window <= now) {
            past.pop_front();
        }
        // What a later and larger answer outdoes never counts again.
        while past.back().is_some_and(|&(_, n)| n <= desired) {
            past.pop_back();
        }
        past.push_back((now, desired));
        past.front().map_or(desired, |&(_, n)| n)
    }
}

/// The least whole number of hosts that is not below `needed`; rounding errors do not ask for one more.
fn whole(needed: f64) -> u32 {
    (needed - 1e-9).ceil() as u32
}

#[cfg(test)]
mod tests;
