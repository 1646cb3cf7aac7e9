//! A mechanism with its figures settled: all that a run needs to know of it.

use serde::{Serialize, Serializer};

use super::Scope;
use super::start::{Spread, StartModel, seconds};
use crate::types::{Duration, Memory, Stream};

/// A mechanism with its figures settled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mechanism {
    /// Name in the tables.
    pub name: String,
    /// How the start latency arises.
    pub start_model: StartModel,
    /// Spread of single starts under processor sharing; otherwise none.
    pub start_spread: Spread,
    /// Whether the drawn start is the whole response of a cold call.
    pub start_covers_call: bool,
    /// CPU time of one start [core·s].
    pub start_cpu_core_s: f64,
    /// Energy of one start above idle \[J\]. If there is one, the CPU time of a start costs no energy of its own, though it
    /// still slows the neighbours.
    pub start_energy_j: Option<f64>,
    /// Memory per sandbox beyond the function's own \[bytes\].
    #[serde(rename = "memory_overhead_bytes", serialize_with = "bytes")]
    pub memory_overhead: Memory,
    /// Memory once on every host that is on \[bytes\].
    #[serde(rename = "memory_per_host_bytes", serialize_with = "bytes")]
    pub memory_per_host: Memory,
    /// Run-time factor of every call.
    pub cpu_factor: f64,
    /// Further run-time factor of the first call of a sandbox.
    pub first_call_factor: f64,
    /// Limit on starts; `None` is no limit.
    pub creations: Option<CreationLimit>,
    /// Most sandboxes on one host; `None` is no limit.
    pub max_per_host: Option<u32>,
    /// Who may share a sandbox.
    pub scope: Scope,
    /// Most calls at once in one sandbox, at least 1.
    pub calls_per_sandbox: u32,
    /// Share of the function's memory that each further call at once adds.
    pub call_memory_share: f64,
    /// CPU that a sandbox holds against what its host promises, used or not \[cores\]; 0 is none.
    pub reserved_cores: f64,
    /// Share of the reserved memory that is really used while busy.
    pub busy_memory_share: f64,
    /// Share of a sandbox's memory held while idle.
    pub warm_memory_share: f64,
    /// Share of a sandbox's memory held while paused.
    pub paused_memory_share: f64,
    /// Idle time after which a sandbox is paused \[s\].
    #[serde(rename = "pause_after_s", serialize_with = "seconds")]
    pub pause_after: Duration,
    /// Idle time after which a sandbox is snapshotted and leaves memory \[s\].
    #[serde(rename = "snapshot_after_s", serialize_with = "seconds")]
    pub snapshot_after: Duration,
    /// From paused to ready \[s\]; zero where it is not known, and sandboxes are then never paused.
    #[serde(rename = "resume_s", serialize_with = "seconds")]
    pub resume: Duration,
    /// From snapshotted to ready \[s\]; zero where it is not known, and sandboxes are then never snapshotted.
    #[serde(rename = "restore_s", serialize_with = "seconds")]
    pub restore: Duration,
    /// Whether a language runtime has to be initialised after a start.
    pub runtime_init: bool,
    /// Whether platforms let go of all sandboxes of an idle function; for information.
    pub scale_to_zero: bool,
    /// The mechanism of the first start of a function in a region, if that start boots; otherwise none.
    pub base: Option<Box<Mechanism>>,
}

/// A token bucket per host for starts: tokens arrive at the lower of two rates, up to `burst` are kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CreationLimit {
    /// Starts per second and core of the host [1/s]; 0 is no such limit.
    pub per_s_per_core: f64,
    /// Starts per second and host [1/s]; 0 is no such limit.
    pub per_s_per_host: f64,
    /// Starts that may begin at once after a pause.
    pub burst: f64,
}

impl CreationLimit {
    /// Time from one token to the next on a host of so many cores; zero if neither rate limits.
    ///
    /// By hand: 5 per second and core on 36 cores is 5.56 ms, and with 150 per host beside it 6.67 ms.
    pub fn interval(&self, cores: f64) -> Duration {
        let rates = [self.per_s_per_core * cores, self.per_s_per_host];
        let rate = rates.into_iter().filter(|r| *r > 0.0).fold(f64::INFINITY, f64::min);
        Duration::from_secs_f64(1.0 / rate)
    }
}

impl Mechanism {
    /// Draws the latency of one start while `concurrent` starts are in flight on the host, this one included: exactly one
    /// uniform, or none where the latency is constant. Under processor sharing it is the latency on an idle host.
    #[inline]
    pub fn start_latency(&self, concurrent: u32, stream: &mut Stream) -> Duration {
        self.start_model.draw(&self.start_spread, concurrent, stream)
    }

    /// CPU demand during a start of this latency [millionths of a core]: the CPU time spread evenly over the latency.
    pub fn start_demand(&self, latency: Duration) -> u32 {
        if latency == Duration::ZERO {
            return 0;
        }
        (self.start_cpu_core_s / latency.as_secs_f64() * 1e6).round().min(f64::from(u32::MAX)) as u32
    }
}

fn bytes<S: Serializer>(memory: &Memory, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(memory.0)
}
