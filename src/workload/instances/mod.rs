//! Instances: VMs and containers that live on a host for minutes or months and use what they use. One file per trace format
//! or generator, all behind [`Instances`].
//!
//! An instance asks for CPU and memory (its *request*), which placement counts, and uses a CPU demand that changes in steps
//! (its *usage*). `docs/instances.md` is the model, `docs/instance-traces.md` the formats.
//!
//! ```text
//!   opendc, bitbrains ─────── whole: all pieces in memory, 12 bytes each ───────────────────────┐
//!   azure-vm, borg ── table ─ feed: usage as a stream in order of time ── Remembered ───────────┼─▶ Instances
//!   azure-packing, synthetic ─ usage made from a random stream of each instance's own ──────────┘
//! ```

mod accounts;
mod anchor;
mod azure_packing;
mod azure_vm;
mod bitbrains;
mod borg;
mod feed;
mod merged;
mod opendc;
mod pieces;
mod remembered;
mod spec;
mod synthetic;
#[cfg(test)]
mod tests;
mod whole;

pub use accounts::AccountBy;
pub use anchor::Anchor;
pub use azure_packing::{AzurePackingSpec, OtherTypes, PackingFiles};
pub use azure_vm::{AfterEviction, AzureVmSpec, Reading};
pub use bitbrains::BitbrainsSpec;
pub use borg::{BorgFiles, BorgSpec, Priorities};
pub use merged::Merged;
pub use opendc::{Dependencies, FrequencyUnit, MemoryUnit, OpenDcSpec, TimeUnit};
pub use remembered::Remembered;
pub use spec::{Context, InstancesSpec};
pub(super) use synthetic::hour_of_day;
pub use synthetic::{
    Arrivals, Draw, IidSpec, Lifetime, LikeBorgSpec, Shape, ShareSpec, Sizes, Synthetic, SyntheticSpec, UsageSpec,
};

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FunctionProfile, WorkloadError};
use crate::types::{Duration, FunctionId, Memory, RegionId, SimTime};

/// Who goes first when CPU or memory do not suffice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Served before batch, and evicted after it.
    #[default]
    LatencySensitive,
    /// Takes the CPU that latency-sensitive work leaves, and is evicted first.
    Batch,
}

impl Class {
    /// The name used in tables.
    pub fn name(self) -> &'static str {
        match self {
            Class::LatencySensitive => "latency-sensitive",
            Class::Batch => "batch",
        }
    }
}

/// No deployment: an instance that is spread from nothing.
pub const NO_DEPLOYMENT: u32 = u32::MAX;

/// One VM or container, as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Its name in tables: the trace's id.
    pub name: Box<str>,
    /// When it is asked for; never before that of the instance handed out before it.
    pub time: SimTime,
    /// How long it lives once it has started; `None`: until its usage ends.
    pub lifetime: Option<Duration>,
    /// The account it is charged to, in the order in which its source announced them. The profile's name is what tables show, its
    /// tenant is who is scored, and its trust domain is what affinity rules look at; the profile's memory and CPU are not used.
    pub account: FunctionId,
    /// Where it is asked for.
    pub region: RegionId,
    /// CPU that placement counts [millionths of a core].
    pub cpu: u64,
    /// CPU that it can never exceed [millionths of a core], at least `cpu` unless the trace says otherwise.
    pub cpu_limit: u64,
    /// Memory that placement counts, and that it holds where its usage does not say.
    pub memory: Memory,
    /// Larger is more important.
    pub priority: u8,
    /// Who goes first.
    pub class: Class,
    /// The deployment (scale set, job) whose instances are spread over failure domains; [`NO_DEPLOYMENT`] for none.
    pub deployment: u32,
}

/// What an instance uses for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// For how long, more than zero.
    pub duration: Duration,
    /// CPU demand while nothing slows it down [millionths of a core]. The engine caps it at the instance's limit.
    pub cpu: u64,
    /// Memory in use; `None`: the memory it asked for. The engine caps it at that.
    pub memory: Option<Memory>,
}

/// Accounts and tenants that appear for the first time, as in [`super::Batch`].
#[derive(Debug, Default)]
pub struct Announced {
    /// Accounts that were not announced before; their `tenant` counts the tenants of this source from 0.
    pub accounts: Vec<FunctionProfile>,
    /// Tenants that were not announced before.
    pub tenants: Vec<Box<str>>,
}

/// A source of instances in order of time, and of what each of them uses.
///
/// Instances are numbered 0, 1, 2, … in the order in which [`next`](Self::next) hands them out. Usage is relative to the
/// instance's start: the engine pulls it piece by piece while the instance runs, so a source needs to hold no more than the
/// instances that are alive (and what it must read ahead to serve them).
pub trait Instances: Send {
    /// The next instance in order of time, with the accounts and tenants that nobody has heard of (appended); `None` at the end.
    ///
    /// # Errors
    /// When the input is unreadable or wrong; the message names file, line and column.
    fn next(&mut self, announced: &mut Announced) -> Result<Option<Instance>, WorkloadError>;

    /// The next piece of the usage of an instance that was handed out; `None` when its usage has ended. After the last piece, the
    /// engine goes on with it until the lifetime is over, if there is one.
    ///
    /// # Errors
    /// As above.
    fn usage(&mut self, instance: u32) -> Result<Option<Usage>, WorkloadError>;

    /// The instance is gone (its end, an eviction for good): its usage is not asked for again.
    fn release(&mut self, instance: u32);

    /// The usage of an instance starts again from its beginning: it was evicted, and is started anew.
    ///
    /// # Errors
    /// As above.
    fn rewind(&mut self, instance: u32) -> Result<(), WorkloadError>;

    /// The share of the input that was handed out so far, in 0..=1, for the progress display.
    fn progress(&self) -> f64;

    /// No instance is asked for later than this, and none that starts at once ends later, where that is known: the span of the trace.
    fn span(&self) -> Option<Duration>;

    /// What a reader of the results should know about this input: `(key, value)` pairs for the manifest.
    fn notes(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Input files with their SHA-256 (lower-case hex).
    fn inputs(&self) -> Vec<(PathBuf, String)> {
        Vec::new()
    }
}

impl Instances for Box<dyn Instances> {
    fn next(&mut self, announced: &mut Announced) -> Result<Option<Instance>, WorkloadError> {
        (**self).next(announced)
    }

    fn usage(&mut self, instance: u32) -> Result<Option<Usage>, WorkloadError> {
        (**self).usage(instance)
    }

    fn release(&mut self, instance: u32) {
        (**self).release(instance);
    }

    fn rewind(&mut self, instance: u32) -> Result<(), WorkloadError> {
        (**self).rewind(instance)
    }

    fn progress(&self) -> f64 {
        (**self).progress()
    }

    fn span(&self) -> Option<Duration> {
        (**self).span()
    }

    fn notes(&self) -> Vec<(String, String)> {
        (**self).notes()
    }

    fn inputs(&self) -> Vec<(PathBuf, String)> {
        (**self).inputs()
    }
}
