//! A type like a scenario, with everything that schemars derives for the real ones, and a document of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// A scenario in small: everything that the real types use, and what they may come to use.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub seed: u64,
    #[serde(default)]
    #[schemars(extend("format" = "date-time"))]
    pub start: Option<String>,
    #[serde(default)]
    pub scheduler: Scheduler,
    #[serde(default)]
    pub servers: BTreeMap<String, Server>,
    /// The regions with their hosts, at least one. And so on.
    #[schemars(length(min = 1))]
    pub regions: Vec<Region>,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scheduler {
    pub packing: Packing,
    pub shifting: Option<Shifting>,
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    pub keep_alive_s: f64,
}

#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Packing {
    #[serde(rename = "first-fit")]
    First(Fit),
    #[serde(rename = "best-fit")]
    Best(Fit),
    #[serde(rename = "worst-fit")]
    Worst(Fit),
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fit {
    pub prefer_warm: bool,
}

impl Default for Packing {
    fn default() -> Self {
        Packing::First(Fit::default())
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Shifting {
    /// Start at once.
    Now,
    Never,
    CarbonThreshold {
        /// Above this intensity calls wait.
        #[schemars(range(min = 0.0))]
        ceiling_g_per_kwh: f64,
        #[serde(default)]
        #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
        share: Option<f64>,
    },
}

#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    #[schemars(range(min = 0.001))]
    pub cores: f64,
    #[serde(default)]
    pub points: Vec<(f64, f64)>,
    #[serde(default)]
    pub level: Level,
    #[serde(default)]
    pub table: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    #[default]
    Low,
    High,
}

#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    #[schemars(length(min = 1))]
    pub name: String,
    #[serde(default)]
    pub on: bool,
    pub hosts: Vec<Hosts>,
    #[serde(default)]
    pub grid: Option<Shifting>,
}

#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hosts {
    pub server: String,
    /// How many hosts.
    #[schemars(range(min = 1))]
    pub count: u32,
    #[schemars(range(min = 1.0, max = 10.0))]
    #[serde(default)]
    pub pue: Option<f64>,
}

/// A document without problems.
pub const GOOD: &str = r#"seed = 7
start = 2022-06-06T00:00:00Z

[scheduler]
keep_alive_s = inf

[scheduler.packing.best-fit]
prefer_warm = true

[scheduler.shifting.carbon-threshold]
ceiling_g_per_kwh = 250

[servers.old]
cores = 16
points = [[0, 90.0], [1, 200]]
level = "high"

[[regions]]
name = "north"
hosts = [{ server = "old", count = 3 }, { server = "old", count = 1, pue = 1 }]

[[regions]]
name = "south"

[[regions.hosts]]
server = "old"
count = 2

[regions.grid.carbon-threshold]
ceiling_g_per_kwh = 1.5
share = 1
"#;

pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Sample).to_value()
}
