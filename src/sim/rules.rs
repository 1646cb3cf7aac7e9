//! The rules of the machine: every choice that peers leave implicit is a key here, with a stated default.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::instances::InstanceRules;
use super::jobs::JobRules;
use crate::cluster::{CpuModel, EvictionOrder, ReuseOrder};

/// `[model]`: how hosts, sandboxes and queues behave.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// What happens when running calls demand more CPU than the host has. Default `contended`.
    #[serde(default)]
    pub cpu: CpuModel,
    /// Sandboxes.
    #[serde(default)]
    pub sandbox: SandboxRules,
    /// Memory that is promised more than once.
    #[serde(default)]
    pub memory: MemoryRules,
    /// Calls that find no room.
    #[serde(default)]
    pub queue: QueueRules,
    /// Most calls at once on one host, executing or waiting for their sandbox to start: the threads of a worker's runtime. Not with
    /// instances or jobs. Default: no limit.
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_calls_per_host: Option<u32>,
    /// Instances: VMs and containers beside calls.
    #[serde(default)]
    pub instances: InstanceRules,
    /// Batch jobs.
    #[serde(default)]
    pub jobs: JobRules,
}

/// `[model.sandbox]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SandboxRules {
    /// Which of several idle sandboxes a call takes. Default `lru`; `mru` where idle ones are paused or written to disk, so that
    /// a ready one goes before those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reuse_order: Option<ReuseOrder>,
    /// Who may take a sandbox that becomes free while calls wait for theirs to start. Default `bound`.
    #[serde(default)]
    pub cold_wait: ColdWait,
    /// What happens to idle sandboxes when a new one finds no memory. Default `lru`.
    #[serde(default)]
    pub eviction: Eviction,
}

impl SandboxRules {
    /// The order of reuse; `cools`: whether idle sandboxes are paused or written to disk.
    pub fn reuse_order(&self, cools: bool) -> ReuseOrder {
        self.reuse_order.unwrap_or(if cools { ReuseOrder::Mru } else { ReuseOrder::Lru })
    }
}

/// Who may take a sandbox that becomes free while calls wait for theirs to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ColdWait {
    /// A call waits for the sandbox that was started for it, even if another becomes free meanwhile (AWS Lambda, SimFaaS,
    /// dslab-faas).
    #[default]
    Bound,
    /// The call of the same function that has waited longest takes the freed sandbox; the one started for it becomes idle
    /// when it is ready (Knative-like).
    AnyFreed,
}

/// What happens to idle sandboxes when a new one finds no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Eviction {
    /// The sandboxes of the chosen host that are idle longest go until the new one fits.
    #[default]
    Lru,
    /// Those of the lowest greedy-dual priority go: clock + uses x start time / memory (FaasCache, ASPLOS 2021).
    GreedyDual,
    /// Those that hold most memory go.
    Largest,
    /// Idle sandboxes stay until their keep-alive ends; calls wait (dslab-faas).
    None,
}

impl Eviction {
    /// The order in which idle sandboxes go; `None` if they never do.
    pub fn order(self) -> Option<EvictionOrder> {
        match self {
            Eviction::Lru => Some(EvictionOrder::Lru),
            Eviction::GreedyDual => Some(EvictionOrder::GreedyDual),
            Eviction::Largest => Some(EvictionOrder::Largest),
            Eviction::None => None,
        }
    }
}

/// `[model.memory]`: what happens when sandboxes together use more memory than their host has, which takes a host that
/// promises more than it has (`scheduler.overcommit`). How long hosts are in that state is reported whatever the rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryRules {
    /// Whether idle sandboxes of the host go first, in the order of `sandbox.eviction`. Default true.
    #[serde(default = "yes")]
    pub reclaim: bool,
    /// What happens if that is not enough. Default `count`.
    #[serde(default)]
    pub exhaustion: Exhaustion,
    /// With `swap`: all calls of the host run slower by the factor 1 + this x the share of the memory in use that does not
    /// fit. Default 10 (assumed: no source; a tenth too much halves the speed).
    #[schemars(range(min = 0.0, max = 1000000.0))]
    #[serde(default = "ten")]
    pub swap_slowdown: f64,
    /// With `kill`: how long after it was killed a call is tried again \[s\]; not 0, at which calls whose starts take no time would be
    /// tried and killed for ever at one instant. Default 1 (assumed).
    #[schemars(range(min = 0.001))]
    #[serde(default = "one")]
    pub retry_delay_s: f64,
}

impl Default for MemoryRules {
    fn default() -> Self {
        Self { reclaim: yes(), exhaustion: Exhaustion::default(), swap_slowdown: ten(), retry_delay_s: one() }
    }
}

fn yes() -> bool {
    true
}

fn ten() -> f64 {
    10.0
}

fn one() -> f64 {
    1.0
}

/// What happens when the memory in use does not fit its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Exhaustion {
    /// Nothing: it is counted, and nobody suffers. A bound, not a claim.
    #[default]
    Count,
    /// Pages go to disk: all calls of the host run slower until enough is free again. Needs `cpu = "contended"`.
    Swap,
    /// The sandbox that was created last is killed, as soon as it is busy, and the next, until the rest fits; its calls start
    /// again from the beginning, and what they had done is lost work. One that still starts is not killed before it is ready.
    /// Instances are killed for good: batch before sandboxes, latency-sensitive ones after them, each by priority, then the youngest.
    Kill,
    /// As `kill`, but instances are evicted, and asked for again after `model.instances.restart_delay_s`.
    Evict,
}

/// `[model.queue]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueRules {
    /// Where a call waits that finds no room. Default `region`.
    #[serde(default)]
    pub scope: QueueScope,
    /// Whether a new arrival may start while others wait. Default false: it goes to the end of the queue.
    #[serde(default)]
    pub overtake: bool,
    /// Whether calls behind the first may start while the first still finds no room. Default false: strictly in order.
    #[serde(default)]
    pub backfill: bool,
    /// How long a call waits at most before it is rejected \[s\]; `inf` never rejects. Default `inf`.
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    #[serde(default = "forever")]
    pub timeout_s: f64,
    /// How many calls one queue holds at most; further ones are rejected. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_waiting: Option<u32>,
}

fn forever() -> f64 {
    f64::INFINITY
}

impl Default for QueueRules {
    fn default() -> Self {
        Self { scope: QueueScope::default(), overtake: false, backfill: false, timeout_s: forever(), max_waiting: None }
    }
}

/// Where a call waits that finds no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QueueScope {
    /// In one queue per region: it starts on whichever host has room first.
    #[default]
    Region,
    /// On the host that packing names for it, and nowhere else (dslab-faas).
    Host,
    /// Nowhere: it is rejected.
    None,
}
