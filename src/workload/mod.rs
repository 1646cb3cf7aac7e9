//! Where calls come from: one file per trace format or generator, all behind [`Arrivals`], all streaming.

pub mod azure2019;
mod calls_csv;
mod calls_parquet;
mod files;
pub mod instances;
pub mod jobs;
mod lines;
mod poisson;
mod prefetch;
mod rows;
mod spec;
pub mod spread;
mod survey;
pub mod tenants;
pub mod xfaas;
mod zipf;

pub use calls_csv::{CallsCsv, last_arrival};
pub use calls_parquet::CallsParquet;
pub use poisson::{Poisson, PoissonSpec, Service};
pub use prefetch::Prefetch;
pub use rows::{CallsSpec, MemoryChanges};
pub use spec::{Context, Opened, WorkloadSpec};
pub use survey::{Future, Survey, SurveyRequest, survey};

use std::path::PathBuf;

use crate::types::{Duration, Memory, MilliCores, RegionId, SimTime};
use crate::types::{FunctionId, TenantId};

/// Why a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Trigger {
    /// An HTTP request.
    Http,
    /// A message taken from a queue.
    Queue,
    /// An event or data stream.
    Event,
    /// A clock.
    Timer,
    /// A change in stored data.
    Storage,
    /// A workflow engine.
    Orchestration,
    /// Anything else, or unknown.
    #[default]
    Other,
}

impl Trigger {
    /// The name used in tables and traces.
    pub fn name(self) -> &'static str {
        match self {
            Trigger::Http => "http",
            Trigger::Queue => "queue",
            Trigger::Event => "event",
            Trigger::Timer => "timer",
            Trigger::Storage => "storage",
            Trigger::Orchestration => "orchestration",
            Trigger::Other => "other",
        }
    }
}

/// How a function's calls are entitled to capacity (XFaaS, SOSP 2023).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Quota {
    /// A call starts within seconds.
    #[default]
    Reserved,
    /// A call may wait until its deadline for spare capacity.
    Opportunistic,
}

impl Quota {
    /// The name used in tables.
    pub fn name(self) -> &'static str {
        match self {
            Quota::Reserved => "reserved",
            Quota::Opportunistic => "opportunistic",
        }
    }
}

/// What is known of a function before it is called.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionProfile {
    /// Name in the tables; unique in a run.
    pub name: Box<str>,
    /// Who owns it and is scored for it.
    pub tenant: TenantId,
    /// Memory of one sandbox of this function, without the isolation mechanism's overhead.
    pub memory: Memory,
    /// CPU that one running call demands (its average use while it runs alone).
    pub cpu: MilliCores,
    /// Why it is called.
    pub trigger: Trigger,
    /// Larger is more important.
    pub criticality: u8,
    /// Reserved or opportunistic.
    pub quota: Quota,
    /// Functions of one trust domain may share a boundary.
    pub trust_domain: u32,
    /// CPU that its owner has asked for, over all regions together \[cores\]; `None` without a quota.
    pub quota_cores: Option<f64>,
    /// What its mean call asks for; `None` where the workload does not say beforehand.
    pub mean_call: Option<MeanCall>,
}

/// What the mean call of a function asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanCall {
    /// How long it would run with all the cores that it could use.
    pub time: Duration,
    /// CPU time [core·s].
    pub core_s: f64,
}

/// One or more identical calls that arrive together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// When they arrive.
    pub time: SimTime,
    /// When the caller wants them to start, not before they arrive; a later start than `time` is a future start.
    pub start: SimTime,
    /// How long each runs when nothing slows it down.
    pub work: Duration,
    /// When each must have finished; [`SimTime::NEVER`] if there is no deadline.
    pub deadline: SimTime,
    /// What they call.
    pub function: FunctionId,
    /// Where they arrive.
    pub region: RegionId,
    /// How many they are, at least 1.
    pub count: u32,
}

/// A piece of the arrival stream, with the tenants and functions that appear for the first time in it.
///
/// Identifiers count up from 0 in the order in which tenants and functions were first announced, over all batches.
#[derive(Debug, Default)]
pub struct Batch {
    /// Calls in order of time.
    pub calls: Vec<Arrival>,
    /// Functions that earlier batches did not announce.
    pub functions: Vec<FunctionProfile>,
    /// Tenants that earlier batches did not announce.
    pub tenants: Vec<Box<str>>,
}

impl Batch {
    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.calls.clear();
        self.functions.clear();
        self.tenants.clear();
    }
}

/// How many calls a source puts into one batch, about: large enough to make hand-over free, small enough for the cache.
pub const BATCH_CALLS: usize = 4096;

/// A source of calls in order of time.
pub trait Arrivals: Send {
    /// Clears `batch` and fills it with the next calls (about [`BATCH_CALLS`]). An empty batch means the end.
    ///
    /// # Errors
    /// When the input is unreadable or wrong; the message names file, line and column.
    fn next_batch(&mut self, batch: &mut Batch) -> Result<(), WorkloadError>;

    /// The share of the input that was handed out so far, in 0..=1, for the progress display.
    fn progress(&self) -> f64;

    /// What a reader of the results should know about this input: `(key, value)` pairs for the manifest, complete
    /// once the stream has ended.
    fn notes(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Input files with their SHA-256 (lower-case hex), complete once the stream has ended.
    fn inputs(&self) -> Vec<(PathBuf, String)> {
        Vec::new()
    }

    /// Tells the source that no more calls are wanted: afterwards its notes and inputs are as complete as they get.
    fn finish(&mut self) {}
}

/// A workload without a call.
pub struct NoCalls;

impl Arrivals for NoCalls {
    fn next_batch(&mut self, batch: &mut Batch) -> Result<(), WorkloadError> {
        batch.clear();
        Ok(())
    }

    fn progress(&self) -> f64 {
        1.0
    }
}

/// Why a workload cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum WorkloadError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A row or a header is wrong.
    #[error("{}, line {line}: {what}\n  help: {help}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// Line number, counted from 1, header included.
        line: u64,
        /// What is wrong, with the value found.
        what: String,
        /// What to do about it.
        help: String,
    },
    /// The input as a whole is wrong.
    #[error("{}: {what}\n  help: {help}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
        /// What to do about it.
        help: String,
    },
    /// The parameters of a generator contradict each other.
    #[error("{what}\n  help: {help}")]
    Spec {
        /// What is wrong.
        what: String,
        /// What to do about it.
        help: String,
    },
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
