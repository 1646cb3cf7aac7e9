//! Migration: which instances move to another host while they run?

mod consolidate;
mod defragment;
mod none;
mod relieve;
mod several;

pub use consolidate::Consolidate;
pub use defragment::Defragment;
pub use none::NoMigration;
pub use relieve::RelieveOverload;
pub use several::Several;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::overcommit::Capacity;
use super::packing::InstanceRequest;
use crate::types::{Duration, HostId, RegionId, SimTime};

/// Names an instance on a host, for a policy that moves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstanceToken(pub(crate) u32);

/// What a policy may know of a host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HostView {
    /// Its region.
    pub region: RegionId,
    /// Whether it is on.
    pub on: bool,
    /// What it has.
    pub physical: Capacity,
    /// What it may promise.
    pub promised: Capacity,
    /// What it has promised, to instances and others, those on their way to it included.
    pub reserved: Capacity,
    /// CPU demanded [millionths of a core].
    pub demand: u64,
    /// Memory in use \[bytes\].
    pub used: u64,
    /// Sandboxes of calls, and instances on their way from or to it, which keep it from being emptied.
    pub others: u32,
    /// Its instances: a range of [`Fleet::residents`].
    pub residents: (u32, u32),
}

impl HostView {
    /// What it may still promise.
    pub fn free(&self) -> Capacity {
        Capacity {
            cpu: self.promised.cpu.saturating_sub(self.reserved.cpu),
            memory: self.promised.memory.saturating_sub(self.reserved.memory),
        }
    }

    /// Whether it may promise this much more.
    pub fn has_room(&self, request: &InstanceRequest) -> bool {
        let free = self.free();
        self.on && free.cpu >= request.cpu && free.memory >= request.memory
    }

    /// Whether it may take this instance: promised room, and memory that is there for what is in use.
    pub fn takes(&self, resident: &ResidentView) -> bool {
        self.has_room(&resident.request) && self.used + resident.used <= self.physical.memory
    }

    /// Memory in use over memory there.
    pub fn memory_load(&self) -> f64 {
        self.used as f64 / self.physical.memory.max(1) as f64
    }

    /// CPU demand over capacity.
    pub fn load(&self) -> f64 {
        self.demand as f64 / self.physical.cpu as f64
    }

    /// The larger of the shares of CPU and memory that are promised.
    pub fn filled(&self) -> f64 {
        let share = |part: u64, of: u64| part as f64 / of.max(1) as f64;
        share(self.reserved.cpu, self.promised.cpu).max(share(self.reserved.memory, self.promised.memory))
    }

    /// The host with an instance more (or, with `leave`, one less).
    fn with(mut self, resident: &ResidentView, leave: bool) -> Self {
        let change = |x: u64, by: u64| if leave { x.saturating_sub(by) } else { x + by };
        self.reserved.cpu = change(self.reserved.cpu, resident.request.cpu);
        self.reserved.memory = change(self.reserved.memory, resident.request.memory);
        self.demand = change(self.demand, resident.demand);
        self.used = change(self.used, resident.used);
        self
    }
}

/// What a policy may know of an instance that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResidentView {
    /// Its name for the engine.
    pub token: InstanceToken,
    /// What it has asked for.
    pub request: InstanceRequest,
    /// CPU it demands now [millionths of a core].
    pub demand: u64,
    /// Memory in use: what has to be copied \[bytes\].
    pub used: u64,
}

/// All hosts, and the instances that could be moved.
pub struct Fleet<'a> {
    /// The present.
    pub now: SimTime,
    /// By [`HostId`].
    pub hosts: &'a [HostView],
    /// Instances that run and are not on their way, host after host, by number.
    pub residents: &'a [ResidentView],
    /// The first instance that waits for room, by region.
    pub waiting: &'a [Option<InstanceRequest>],
}

impl Fleet<'_> {
    /// The instances of a host.
    pub fn residents_of(&self, host: &HostView) -> &[ResidentView] {
        &self.residents[host.residents.0 as usize..host.residents.1 as usize]
    }
}

/// One instance, and where it is to go.
pub type MoveOrder = (InstanceToken, HostId);

/// Decides which instances are moved.
///
/// Laws: every order names an instance of the fleet and another host of its region that is on and has room for all that it is
/// sent, by what it may promise and by the memory that is in use. An order that has become impossible is passed over.
pub trait Migration: Send {
    /// How often it is asked; `None`: never.
    fn period(&self) -> Option<Duration>;

    /// Appends the moves that it wants begun now.
    fn moves(&mut self, fleet: &Fleet<'_>, orders: &mut Vec<MoveOrder>);
}

/// The migration policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum MigrationSpec {
    /// Instances stay where they were placed.
    None(NoMigration),
    /// Empties the least filled hosts onto fuller ones, so that provisioning can switch them off. Knows requests and demand.
    /// Loses when load returns before the energy of the copying is earned back. Source: Beloglazov and Buyya, CCPE 2012.
    Consolidate(Consolidate),
    /// Takes instances off hosts whose CPU demand is too high, those with least memory first. Knows present demand. Loses when demand falls by
    /// itself. Source: Beloglazov and Buyya, CCPE 2012 (static threshold, minimum migration time).
    RelieveOverload(RelieveOverload),
    /// Makes room for an instance that waits although its region has enough room in pieces. Knows the first one that waits.
    Defragment(Defragment),
    /// Several policies, one after another.
    Several(Several),
}

impl Default for MigrationSpec {
    fn default() -> Self {
        Self::None(NoMigration {})
    }
}

impl MigrationSpec {
    /// Builds the policy.
    pub fn build(&self) -> Box<dyn Migration> {
        match self {
            Self::None(p) => Box::new(p.clone()),
            Self::Consolidate(p) => Box::new(p.clone()),
            Self::RelieveOverload(p) => Box::new(p.clone()),
            Self::Defragment(p) => Box::new(p.clone()),
            Self::Several(p) => Box::new(several::Chain::new(p)),
        }
    }
}

/// Every five minutes: the interval of published traces and controllers.
fn five_minutes() -> f64 {
    300.0
}

#[cfg(test)]
mod tests;
