//! Parts of a server beside its CPU, whose power is added to it: memory, disks, network cards, accelerators.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[servers.NAME.parts]`: what is added to the power model. Default: nothing, for a model of the whole server.
///
/// A power model measured at the plug (SPECpower) holds its parts already; those of CPU packages (`teads`, `logarithmic`)
/// hold none.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// All memory of the server. Default: nothing is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryPart>,
    /// Disks. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<Part>,
    /// Network cards. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nic: Option<Part>,
    /// Accelerators. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accelerators: Option<Part>,
}

/// Like parts whose power rises with CPU utilization, for want of a better driver: no workload says how it uses them.
///
/// Formula: P(u) = n (idle + (active - idle) u).
/// Example: two cards of 5 W idle and 15 W active draw 20 W at half load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// How many. Default 1.
    #[schemars(range(min = 1, max = 1000))]
    #[serde(default = "one")]
    pub count: u32,
    /// Power of one while idle \[W\].
    #[schemars(range(min = 0.0))]
    pub idle_w: f64,
    /// Power of one at full activity, not below `idle_w` \[W\].
    #[schemars(range(min = 0.0))]
    pub active_w: f64,
}

fn one() -> u32 {
    1
}

/// Memory: a power per installed GB, and more of it while it is active.
///
/// Formula, with G the server's memory [GB = 10^9 bytes]: G (idle + (active - idle) x), x = u, or the share of the memory
/// that is in use.
/// Source: 0.392 W/GB (Cloud Carbon Footprint) and 0.284 W/GB (Boavizta), both for all memory at any time: give the same
/// figure twice. A figure for idle memory alone has to come from a measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryPart {
    /// Power of an idle GB [W/GB].
    #[schemars(range(min = 0.0))]
    pub idle_w_per_gb: f64,
    /// Power of an active GB, not below `idle_w_per_gb` [W/GB].
    #[schemars(range(min = 0.0))]
    pub active_w_per_gb: f64,
    /// What makes memory active. Default `cpu`.
    #[serde(default)]
    pub active_by: MemoryDriver,
}

/// What makes memory active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MemoryDriver {
    /// CPU utilization: memory draws more where it is read and written, which is what running calls do.
    #[default]
    Cpu,
    /// The memory in use: what nobody holds could be left unrefreshed. Idle sandboxes then cost more.
    Use,
}

/// Idle power and what comes on top at full activity \[W\].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Range {
    pub idle_w: f64,
    pub more_w: f64,
}

impl Parts {
    /// Whether nothing is added.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Disks, network cards and accelerators together.
    pub(super) fn devices(&self) -> Range {
        let parts = [&self.disk, &self.nic, &self.accelerators].into_iter().flatten();
        parts.fold(Range::default(), |sum, part| {
            let n = f64::from(part.count);
            Range { idle_w: sum.idle_w + n * part.idle_w, more_w: sum.more_w + n * (part.active_w - part.idle_w) }
        })
    }

    /// What is wrong, with the key below `parts`.
    pub(super) fn wrong(&self) -> Vec<(&'static str, String)> {
        let devices = [("disk", &self.disk), ("nic", &self.nic), ("accelerators", &self.accelerators)];
        let mut wrong: Vec<(&'static str, String)> = devices
            .into_iter()
            .filter_map(|(key, part)| Some((key, part.as_ref()?)))
            .filter(|(_, part)| part.active_w < part.idle_w)
            .map(|(key, part)| (key, format!("active_w = {} is below idle_w = {}", part.active_w, part.idle_w)))
            .collect();
        if let Some(MemoryPart { idle_w_per_gb: idle, active_w_per_gb: active, .. }) = self.memory
            && active < idle
        {
            wrong.push(("memory", format!("active_w_per_gb = {active} is below idle_w_per_gb = {idle}")));
        }
        wrong
    }
}
