//! `[isolation.NAME]`: the keys with which a scenario replaces figures of the catalogue or chooses how they are used.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Figures that replace the catalogue's, and choices. Leave a key out to take the catalogue's figure or the default.
///
/// Keys that contradict each other are errors, never silently ranked.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// How the start latency arises. Default: `empirical` where the catalogue has quantiles and neither `start_median_s`
    /// nor `start_sigma` is given, else `lognormal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_model: Option<StartKind>,
    /// Median start latency of the log-normal model \[s\].
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_median_s: Option<f64>,
    /// Standard deviation of the logarithm of the start latency (log-normal and processor-sharing models); 0 makes it
    /// constant.
    #[schemars(range(min = 0.0, max = 10.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_sigma: Option<f64>,
    /// Mean start latency of the exponential model \[s\]; required with it.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_mean_s: Option<f64>,
    /// Part of a start that does not depend on load \[s\], in the processor-sharing model; the rest is `start_cpu_core_s`.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_floor_s: Option<f64>,
    /// Where an empirical start ends. Default `end-to-end`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_end_point: Option<EndPoint>,
    /// Whether the drawn start is the whole response of a cold call, which then has no run time of its own (as in
    /// SimFaaS). Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_covers_call: Option<bool>,
    /// CPU time that one start uses [core·s]: spread over its latency, or the demand of the processor-sharing model.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_cpu_core_s: Option<f64>,
    /// Where the dynamic energy of a start comes from; never both. Default `cpu`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_energy: Option<StartEnergy>,
    /// Energy of one start above idle \[J\], with `start_energy = "measured"`.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_energy_j: Option<f64>,
    /// Which memory a sandbox takes beyond the function's own. Default `measured`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_overhead: Option<MemoryCounting>,
    /// Memory that one sandbox holds beyond the function's own \[MB\].
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_overhead_mb: Option<f64>,
    /// What the function's memory means in a virtual machine. Default `extra`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_memory: Option<GuestMemory>,
    /// Memory held once on every host that is on, with or without a sandbox \[MB\].
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_per_host_mb: Option<f64>,
    /// By how much longer a call runs than without isolation; 1 is not at all.
    #[schemars(range(min = 0.01, max = 1000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_factor: Option<f64>,
    /// By how much longer still the first call of a sandbox runs (page faults after a restore); 1 is not at all.
    #[schemars(range(min = 0.01, max = 1000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_call_factor: Option<f64>,
    /// Limit on starts per core of a host [1/s]; 0 is no such limit. The lower of the two limits holds.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creations_per_s_per_core: Option<f64>,
    /// Limit on starts per host [1/s]; 0 is no such limit.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creations_per_s_per_host: Option<f64>,
    /// Starts that a host may begin at once after a pause (depth of the token bucket). Default 1.
    #[schemars(range(min = 1.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation_burst: Option<f64>,
    /// Whether the limits on starts hold; where there is none, nothing is limited. Default true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_creations: Option<bool>,
    /// Most sandboxes on one host. Default: the catalogue's, mostly none.
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_host: Option<u32>,
    /// Who may share a sandbox, one call after the other or at once. Default: the catalogue's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Most calls at once in one sandbox. Default 1.
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_per_sandbox: Option<u32>,
    /// Share of the function's memory that each further call at once in a sandbox adds. Default 0 in scopes `request` and
    /// `function` (the memory is the instance's limit), 1 in `tenant` and `trust-domain`.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_memory_share: Option<f64>,
    /// CPU that a sandbox holds against what its host promises, from its creation until it goes, used or not \[cores\]. The
    /// calls in it hold none of their own. Default: nothing is reserved per sandbox.
    #[schemars(range(min = 0.001, max = 4000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved_cores: Option<f64>,
    /// Share of the reserved memory that is really used while busy. Default 1 (assumed).
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_memory_share: Option<f64>,
    /// Share of a sandbox's memory held while it is idle. Default 1 (assumed).
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_memory_share: Option<f64>,
    /// Share of a sandbox's memory held while it is paused. Default 1 (assumed).
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_memory_share: Option<f64>,
    /// Idle time after which a sandbox is paused \[s\]. Default `inf`: never.
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_after_s: Option<f64>,
    /// Idle time after which a sandbox is written to a snapshot and leaves memory \[s\]. Default `inf`: never.
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_after_s: Option<f64>,
    /// From paused to ready \[s\].
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_s: Option<f64>,
    /// From snapshotted to ready \[s\].
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_s: Option<f64>,
    /// Whether the first start of a function in a region boots the base mechanism, and only later ones restore its
    /// snapshot. Default false: the snapshot is made when the function is deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_start_boots: Option<bool>,
}

/// A model of the start latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StartKind {
    /// Published quantiles, by the number of starts in flight on the host; they hold for a host of 48 cores.
    Empirical,
    /// Log-normal around the median, whatever else happens on the host.
    Lognormal,
    /// Exponential with a mean, whatever else happens on the host.
    Exponential,
    /// A floor, then CPU demand that shares the host's cores with everything else that runs there.
    ProcessorSharing,
}

/// Where an empirical start ends and begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EndPoint {
    /// From the fork of the monitor to the guest's init.
    EndToEnd,
    /// The guest's part alone: a monitor that is set up before the call, or a comparison with published guest figures.
    Guest,
}

/// Where the dynamic energy of a start comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StartEnergy {
    /// From the CPU time of the start, by the server's power model.
    Cpu,
    /// A constant per start, measured over the whole path with idle power subtracted; the CPU time then costs none.
    Measured,
}

/// Which memory a sandbox takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MemoryCounting {
    /// What it really holds.
    Measured,
    /// What a scheduler charges for it.
    Charged,
}

/// What the function's memory means in a virtual machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GuestMemory {
    /// The function's own: guest kernel and userland come on top.
    Extra,
    /// The size of the guest: guest kernel and userland are inside, only the monitor comes on top.
    Included,
}

/// Who may share a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Nobody: a sandbox for every call.
    Request,
    /// The calls of one function.
    Function,
    /// The functions of one tenant.
    Tenant,
    /// The functions of one trust domain.
    TrustDomain,
}
