//! Isolation mechanisms: what a sandbox costs to start, to hold and to run in.
//!
//! The catalogue is `data/isolation/mechanisms.toml`, one entry per mechanism and a source for every number. A scenario
//! names one and may override any figure. The start latency here is the isolation part alone: no language runtime, no
//! code load (a later issue adds those phases).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::{Duration, Memory, Stream};

/// `[isolation.NAME]`: the mechanism that every sandbox of the run uses, with optional overrides of its figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum IsolationSpec {
    /// A cloud virtual machine, booted for the function.
    Vm(Overrides),
    /// A container through an engine.
    Container(Overrides),
    /// A microVM (Firecracker), booted for the function.
    Microvm(Overrides),
    /// A WebAssembly instance in a running host process.
    Wasm(Overrides),
    /// An operating-system process.
    Process(Overrides),
}

impl Default for IsolationSpec {
    fn default() -> Self {
        Self::Microvm(Overrides::default())
    }
}

/// Figures that replace the catalogue's. Leave a key out to take the catalogue's figure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// Median start latency \[s\].
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_median_s: Option<f64>,
    /// Standard deviation of the logarithm of the start latency; 0 makes it constant.
    #[schemars(range(min = 0.0, max = 10.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_sigma: Option<f64>,
    /// CPU time that one start uses [core·s], spread over its latency.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_cpu_core_s: Option<f64>,
    /// Memory that one sandbox holds beyond the function's own \[MB\].
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_overhead_mb: Option<f64>,
    /// By how much longer a call runs than without isolation; 1 is not at all.
    #[schemars(range(min = 0.01, max = 1000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_factor: Option<f64>,
}

/// One entry of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The name that scenarios use.
    pub name: String,
    /// What it is and where its start is measured.
    pub description: String,
    /// Median start latency \[s\].
    pub start_median_s: f64,
    /// Source of the median.
    pub start_median_s_source: String,
    /// Sigma of the logarithm of the start latency.
    pub start_sigma: f64,
    /// Source of sigma.
    pub start_sigma_source: String,
    /// Published 99th percentile, where there is one \[s\]; information only.
    #[serde(default)]
    pub start_p99_s: Option<f64>,
    /// Source of the 99th percentile.
    #[serde(default)]
    pub start_p99_s_source: Option<String>,
    /// CPU time of one start [core·s].
    pub start_cpu_core_s: f64,
    /// Source of the CPU time.
    pub start_cpu_core_s_source: String,
    /// Memory per sandbox beyond the function's own \[MB\].
    pub memory_overhead_mb: f64,
    /// Source of the memory.
    pub memory_overhead_mb_source: String,
    /// Run-time factor, 1 = none.
    pub cpu_factor: f64,
    /// Source of the factor.
    pub cpu_factor_source: String,
    /// What the boundary is and around what.
    pub boundary: String,
    /// Source of the boundary.
    #[serde(default)]
    pub boundary_source: Option<String>,
}

/// The catalogue, by name.
pub fn catalogue() -> &'static [Entry] {
    static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        let file: BTreeMap<String, Entry> = toml::from_str(include_str!("../../data/isolation/mechanisms.toml"))
            .expect("the embedded catalogue parses: a test reads it");
        file.into_values().collect()
    });
    &ENTRIES
}

/// A mechanism with its figures settled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mechanism {
    /// Name in the tables.
    pub name: String,
    /// Median start latency \[s\].
    pub start_median_s: f64,
    /// Sigma of the logarithm of the start latency.
    pub start_sigma: f64,
    /// CPU time of one start [core·s].
    pub start_cpu_core_s: f64,
    /// Memory per sandbox beyond the function's own \[bytes\].
    #[serde(rename = "memory_overhead_bytes", serialize_with = "bytes")]
    pub memory_overhead: Memory,
    /// Run-time factor.
    pub cpu_factor: f64,
    #[serde(skip)]
    pub start_model: StartModel,
    #[serde(skip)]
    pub start_energy_j: Option<f64>,
    #[serde(skip)]
    pub start_covers_call: bool,
    #[serde(skip)]
    pub memory_per_host: Memory,
    #[serde(skip)]
    pub first_call_factor: f64,
    #[serde(skip)]
    pub creations: Option<CreationLimit>,
    #[serde(skip)]
    pub max_per_host: Option<u32>,
    #[serde(skip)]
    pub scope: Scope,
    #[serde(skip)]
    pub calls_per_sandbox: u32,
    #[serde(skip)]
    pub call_memory_share: f64,
    #[serde(skip)]
    pub busy_memory_share: f64,
    #[serde(skip)]
    pub warm_memory_share: f64,
    #[serde(skip)]
    pub paused_memory_share: f64,
    #[serde(skip)]
    pub pause_after: Duration,
    #[serde(skip)]
    pub snapshot_after: Duration,
    #[serde(skip)]
    pub resume: Duration,
    #[serde(skip)]
    pub restore: Duration,
    #[serde(skip)]
    pub runtime_init: bool,
    #[serde(skip)]
    pub base: Option<Box<Mechanism>>,
}
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StartModel {
    Lognormal,
    ProcessorSharing { floor: Duration, demand: Duration },
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Request,
    Function,
    Tenant,
    TrustDomain,
}
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CreationLimit {
    pub per_s_per_core: f64,
    pub per_s_per_host: f64,
    pub burst: f64,
}
impl CreationLimit {
    pub fn interval(&self, cores: f64) -> Duration {
        Duration::from_secs_f64(1.0 / (self.per_s_per_core * cores + self.per_s_per_host))
    }
}
#[derive(Debug, Clone)]
pub struct Runtime {
    pub has_init: bool,
    pub load: Duration,
    pub connect: Duration,
    pub init_cores: f64,
    pub warmup_calls: u32,
    pub warmup_factor: f64,
}
impl Runtime {
    pub fn none() -> Self {
        Self {
            has_init: false,
            load: Duration::ZERO,
            connect: Duration::ZERO,
            init_cores: 1.0,
            warmup_calls: 0,
            warmup_factor: 1.0,
        }
    }
    pub fn init(&self, _s: &mut Stream) -> Duration {
        Duration::ZERO
    }
}

impl IsolationSpec {
    /// The mechanism's name and the overrides.
    pub fn parts(&self) -> (&'static str, &Overrides) {
        match self {
            Self::Vm(o) => ("vm", o),
            Self::Container(o) => ("container", o),
            Self::Microvm(o) => ("microvm", o),
            Self::Wasm(o) => ("wasm", o),
            Self::Process(o) => ("process", o),
        }
    }

    /// The catalogue's figures with the overrides applied.
    pub fn build(&self) -> Mechanism {
        let (name, o) = self.parts();
        let entry = catalogue().iter().find(|e| e.name == name).expect("every variant has a catalogue entry: tested");
        Mechanism {
            name: name.to_owned(),
            start_median_s: o.start_median_s.unwrap_or(entry.start_median_s),
            start_sigma: o.start_sigma.unwrap_or(entry.start_sigma),
            start_cpu_core_s: o.start_cpu_core_s.unwrap_or(entry.start_cpu_core_s),
            memory_overhead: Memory::from_mb(o.memory_overhead_mb.unwrap_or(entry.memory_overhead_mb)),
            cpu_factor: o.cpu_factor.unwrap_or(entry.cpu_factor),
            start_model: StartModel::Lognormal,
            start_energy_j: None,
            start_covers_call: false,
            memory_per_host: Memory(0),
            first_call_factor: 1.0,
            creations: None,
            max_per_host: None,
            scope: Scope::Function,
            calls_per_sandbox: 1,
            call_memory_share: 0.0,
            busy_memory_share: 1.0,
            warm_memory_share: 1.0,
            paused_memory_share: 1.0,
            pause_after: Duration::FOREVER,
            snapshot_after: Duration::FOREVER,
            resume: Duration::ZERO,
            restore: Duration::ZERO,
            runtime_init: true,
            base: None,
        }
    }
}

fn bytes<S: serde::Serializer>(memory: &Memory, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(memory.0)
}

impl Mechanism {
    /// Draws one start latency: log-normal with the median and sigma; exactly the median if sigma is 0.
    pub fn start_latency(&self, _concurrent: u32, stream: &mut Stream) -> Duration {
        if self.start_sigma == 0.0 {
            return Duration::from_secs_f64(self.start_median_s);
        }
        Duration::from_secs_f64(stream.lognormal(self.start_median_s, self.start_sigma))
    }

    /// CPU demand during a start of this latency [millionths of a core]: the CPU time spread evenly over the latency.
    pub fn start_demand(&self, latency: Duration) -> u32 {
        if latency == Duration::ZERO {
            return 0;
        }
        (self.start_cpu_core_s / latency.as_secs_f64() * 1e6).round().min(f64::from(u32::MAX)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Seed;

    #[test]
    fn every_variant_has_a_catalogue_entry_and_every_entry_a_variant() {
        let o = Overrides::default;
        let specs = [
            IsolationSpec::Vm(o()),
            IsolationSpec::Container(o()),
            IsolationSpec::Microvm(o()),
            IsolationSpec::Wasm(o()),
            IsolationSpec::Process(o()),
        ];
        let mut named: Vec<String> = specs.iter().map(|s| s.build().name).collect();
        let mut listed: Vec<String> = catalogue().iter().map(|e| e.name.clone()).collect();
        named.sort();
        listed.sort();
        assert_eq!(named, listed);
    }

    #[test]
    fn the_ladder_of_start_latencies_is_vm_container_microvm_wasm() {
        let median = |s: IsolationSpec| s.build().start_median_s;
        let o = Overrides::default;
        assert!(median(IsolationSpec::Vm(o())) > median(IsolationSpec::Container(o())));
        assert!(median(IsolationSpec::Container(o())) > median(IsolationSpec::Microvm(o())));
        assert!(median(IsolationSpec::Microvm(o())) > median(IsolationSpec::Wasm(o())));
    }

    #[test]
    fn a_start_uses_its_cpu_time_whatever_its_latency() {
        let m = IsolationSpec::Microvm(Overrides::default()).build();
        let mut s = Seed(1).stream("cold-start", 0);
        for _ in 0..100 {
            let latency = m.start_latency(1, &mut s);
            let core_s = f64::from(m.start_demand(latency)) * 1e-6 * latency.as_secs_f64();
            assert!((core_s / m.start_cpu_core_s - 1.0).abs() < 1e-4);
        }
    }
}
