//! `[model.jobs]`: how jobs share hosts with others, and what their CPU costs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::workload::instances::Class;

/// How jobs share hosts with others, and what their CPU costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobRules {
    /// Whether jobs take the CPU that latency-sensitive work leaves (`batch`), or share it with that (`latency-sensitive`), where hosts have
    /// promised more than they have. Default `batch`.
    #[serde(default = "batch")]
    pub class: Class,
    /// How the CPU of jobs is bought. Default: its cost is not counted, and no cores are reserved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase: Option<JobPurchase>,
}

fn batch() -> Class {
    Class::Batch
}

impl Default for JobRules {
    fn default() -> Self {
        Self { class: batch(), purchase: None }
    }
}

/// How the CPU of jobs is bought: on demand, spot, or reserved, which is paid whether it is used or not.
///
/// Formula: cost = on-demand core-hours x price + spot core-hours x price + reserved cores x hours to the last start x reserved price.
/// Source: the cost model of GAIA (ASPLOS 2024), with its prices as defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobPurchase {
    /// Cores that are paid for in advance. Default 0.
    #[schemars(range(min = 0.0))]
    #[serde(default)]
    pub reserved_cores: f64,
    /// Price of a core-hour on demand, in the scenario's currency or, without one, in US dollars. Default 0.0624.
    #[schemars(range(min = 0.0))]
    #[serde(default = "on_demand")]
    pub on_demand_per_core_h: f64,
    /// Price of a core-hour on spot. Default 0.01248.
    #[schemars(range(min = 0.0))]
    #[serde(default = "spot")]
    pub spot_per_core_h: f64,
    /// Price of a reserved core-hour, used or not. Default 0.02496: 0.4 of the price on demand.
    #[schemars(range(min = 0.0))]
    #[serde(default = "reserved")]
    pub reserved_per_core_h: f64,
}

fn on_demand() -> f64 {
    0.0624
}

fn spot() -> f64 {
    0.01248
}

fn reserved() -> f64 {
    0.02496
}
