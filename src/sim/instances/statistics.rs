//! What is counted of instances.

use crate::stats::LogHistogram;
use crate::types::{FunctionId, HostId, RegionId, SimTime};
use crate::workload::instances::Class;

/// What is counted over all instances.
#[derive(Debug, Clone, Default)]
pub struct InstanceTotals {
    /// Instances that were asked for.
    pub asked: u64,
    /// Instances that have run and come to their end.
    pub finished: u64,
    /// Instances that ran, or started, when the run ended.
    pub running: u64,
    /// Instances that waited for room, or to be asked for again, when the run ended.
    pub waiting: u64,
    /// Instances that found no room at once.
    pub waited: u64,
    /// Waits for room of all placements \[ns\], those of no time included, to within 0.05 %.
    pub waits: LogHistogram<10>,
    /// Sum of these waits \[ns\].
    pub wait_sum_ns: u128,
    /// Placements: first ones, and those after an eviction.
    pub placements: u64,
    /// Instances evicted because memory in use did not fit their host.
    pub evicted: u64,
    /// Instances killed for it, for good.
    pub killed: u64,
    /// CPU that evicted and killed ones had got in vain [core·s], its dynamic energy \[J\] and that weighted.
    pub lost: (f64, f64),
    /// CPU that instances wanted and got [core·s].
    pub wanted_core_s: f64,
    /// CPU that they got.
    pub got_core_s: f64,
    /// The same of batch instances.
    pub batch: (f64, f64),
    /// CPU that they had asked for, while they started or ran [core·s].
    pub requested_core_s: f64,
    /// Live migrations.
    pub migrations: u64,
    /// Migrations that were broken off because the instance ended or had to go.
    pub migrations_broken: u64,
    /// Bytes that they carried.
    pub migrated_bytes: f64,
    /// Time from their beginning to their end \[s\].
    pub migration_s: f64,
    /// Time that instances stood still for them \[s\].
    pub downtime_s: f64,
    /// Dynamic energy of the copying \[J\].
    pub migration_j: f64,
    /// Most instances on hosts together.
    pub most: u64,
}

/// What an account's instances have done: what functional units count.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Lived {
    /// Instances that came to their end.
    pub finished: u64,
    /// Time that instances ran [instance·s].
    pub time_s: f64,
    /// CPU that they got [core·s].
    pub core_s: f64,
    /// Memory that they used [GB·s].
    pub gb_s: f64,
}

/// How an instance's story ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Its lifetime or its usage was over.
    Finished,
    /// It was killed.
    Killed,
    /// The run ended while it ran or started.
    Running,
    /// The run ended while it waited.
    Waiting,
}

impl Ending {
    /// The name used in tables.
    pub fn name(self) -> &'static str {
        match self {
            Ending::Finished => "finished",
            Ending::Killed => "killed",
            Ending::Running => "running",
            Ending::Waiting => "waiting",
        }
    }
}

/// One instance whose story is over, for a log.
#[derive(Debug, Clone, Copy)]
pub struct InstanceEnd<'a> {
    /// Its name.
    pub name: &'a str,
    /// Who is charged.
    pub account: FunctionId,
    /// Its region.
    pub region: RegionId,
    /// Its last host; `None` if it never had one.
    pub host: Option<HostId>,
    /// Who goes first.
    pub class: Class,
    /// Larger is more important.
    pub priority: u8,
    /// CPU it asked for \[cores\].
    pub cores: f64,
    /// Memory it asked for \[MB\].
    pub memory_mb: f64,
    /// When it was asked for.
    pub asked: SimTime,
    /// When it was over.
    pub ended: SimTime,
    /// How it ended.
    pub ending: Ending,
    /// Times it was started, evicted, and moved.
    pub counts: [u32; 3],
    /// Time it waited for room \[s\].
    pub waited_s: f64,
    /// Time it ran \[s\].
    pub ran_s: f64,
    /// CPU it wanted, and got [core·s].
    pub core_s: [f64; 2],
    /// Dynamic energy of its execution \[J\].
    pub dynamic_j: f64,
}

/// A consumer of instances whose story is over.
pub type InstanceLog<'a> = &'a mut dyn FnMut(&InstanceEnd<'_>) -> Result<(), String>;
