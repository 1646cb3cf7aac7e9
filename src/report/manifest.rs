//! `manifest.json`: what was run, from what, by what, and at what cost. The only file that may differ between two runs of
//! the same scenario and seed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use crate::grid::SignalInfo;
use crate::isolation::Mechanism;
use crate::scenario::Scenario;
use crate::sci::embodied::Item;

/// What a run cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Effort {
    /// Wall time of the whole run, reading and writing included \[s\].
    pub wall_time_s: f64,
    /// Wall time of the simulation alone \[s\].
    pub simulation_time_s: f64,
    /// Calls received per second of simulation.
    pub calls_per_s: f64,
    /// Events per second of simulation.
    pub events_per_s: f64,
    /// Events processed.
    pub events: u64,
    /// The most calls in flight together.
    pub most_calls_in_flight: usize,
    /// Peak resident memory of the process \[MB\]; `null` where the system does not tell.
    pub peak_memory_mb: Option<f64>,
    /// Threads used.
    pub threads: usize,
}

/// An input file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Input {
    /// Its path.
    pub path: PathBuf,
    /// SHA-256 of what was read of it (lower-case hex).
    pub sha256: String,
}

/// The manifest.
#[derive(Debug, Clone, Serialize)]
pub struct Manifest<'a> {
    /// The program.
    pub program: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The commit it was built from; `null` if it was built outside a repository.
    pub git_commit: Option<&'static str>,
    /// The scenario file.
    pub scenario_file: PathBuf,
    /// SHA-256 of the scenario file's text.
    pub scenario_sha256: String,
    /// Overrides from the command line, in order.
    pub set: &'a [String],
    /// The root seed.
    pub seed: u64,
    /// The scenario with all defaults and overrides filled in.
    pub scenario: &'a Scenario,
    /// The embodied emissions of one server by its parts, all its lives together, by server type.
    pub embodied: BTreeMap<String, Vec<Item>>,
    /// The input files.
    pub inputs: Vec<Input>,
    /// The isolation mechanism with the catalogue's figures filled in.
    pub isolation: Mechanism,
    /// What the workload's source says of itself.
    pub workload_notes: Vec<(String, String)>,
    /// The grid signals that score, by region.
    pub signals: Vec<SignalInfo>,
    /// The grid signals that policies looked at, by region.
    pub decision_signals: Vec<SignalInfo>,
    /// What the forecasts say of themselves, by region, model and name.
    pub forecast_notes: Vec<(String, String)>,
    /// What the score covers.
    pub boundary: &'static str,
    /// What the run cost.
    pub effort: Effort,
}

impl Manifest<'_> {
    /// The commit the program was built from.
    pub fn commit() -> Option<&'static str> {
        option_env!("SLACKWATER_COMMIT").filter(|c| !c.is_empty())
    }
}

/// Peak resident memory of this process \[MB\], where the system tells.
pub fn peak_memory_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}
