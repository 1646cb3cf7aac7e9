//! What a results folder of `sim run` says, as far as an export needs it: manifest.json, summary.json, regions.csv, timeseries.csv.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::impact::error::ImpactError;
use crate::types::JOULES_PER_KWH;

const HELP: &str =
    "give the results folder of one sim run, such as results/quickstart or a folder below runs/ of a comparison";

/// One step of one region.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Observation {
    /// From the run's start \[s\].
    pub time_s: f64,
    /// Its length \[s\].
    pub length_s: f64,
    /// Facility energy \[kWh\].
    pub energy_kwh: f64,
    /// Operational emissions \[gCO2e\].
    pub operational_g: f64,
    /// Intensity · length [g/kWh · s].
    pub intensity_s: f64,
    /// Executed calls.
    pub executed: f64,
    /// Calls in execution · length \[s\].
    pub running_s: f64,
    /// CPU utilization · length \[s\].
    pub utilization_s: f64,
}

/// One region.
#[derive(Debug, Clone)]
pub struct Region {
    /// Its name.
    pub name: String,
    /// Embodied emissions of its hosts over the run \[gCO2e\].
    pub embodied_g: f64,
    /// Its steps in order of time.
    pub steps: Vec<Observation>,
}

/// A finished run.
#[derive(Debug, Clone)]
pub struct Finished {
    /// manifest.json.
    pub manifest: Value,
    /// summary.json.
    pub summary: Value,
    /// Its regions, in the order of the scenario.
    pub regions: Vec<Region>,
    /// Its length \[s\].
    pub length_s: f64,
}

/// Facility power by cause, as timeseries.csv names it.
const POWER: &[&str] = &[
    "power_execution_w",
    "power_cold_start_w",
    "power_warm_idle_w",
    "power_idle_host_w",
    "power_boot_w",
    "power_off_w",
    "power_pue_overhead_w",
];

/// Power of what is sent between regions: no column of results from before there was a network.
const SENDING: &str = "power_network_w";

/// A figure of a JSON document, by keys.
///
/// # Errors
/// It is absent.
pub fn number(document: &Value, keys: &[&str]) -> Result<f64, ImpactError> {
    let found = keys.iter().try_fold(document, |v, k| v.get(k));
    found.and_then(Value::as_f64).ok_or_else(|| ImpactError::new("the figure is missing", HELP).at_key(&keys.join(".")))
}

/// A text of a JSON document, by keys.
///
/// # Errors
/// It is absent.
pub fn text<'a>(document: &'a Value, keys: &[&str]) -> Result<&'a str, ImpactError> {
    let found = keys.iter().try_fold(document, |v, k| v.get(k));
    found.and_then(Value::as_str).ok_or_else(|| ImpactError::new("the text is missing", HELP).at_key(&keys.join(".")))
}

fn json(path: &Path) -> Result<Value, ImpactError> {
    let wrong = |e: String| ImpactError::new(format!("cannot be read: {e}"), HELP).in_file(path);
    let bytes = fs::read(path).map_err(|e| wrong(e.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|e| wrong(e.to_string()))
}

/// A CSV table by the names of its columns.
struct Table {
    path: PathBuf,
    columns: BTreeMap<String, usize>,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    fn read(path: PathBuf) -> Result<Self, ImpactError> {
        let wrong = |e: csv::Error| ImpactError::new(format!("cannot be read: {e}"), HELP).in_file(&path);
        let mut reader = csv::Reader::from_path(&path).map_err(wrong)?;
        let header = reader.headers().map_err(wrong)?.clone();
        let columns = header.iter().enumerate().map(|(n, name)| (name.to_owned(), n)).collect();
        let rows = reader.records().collect::<Result<_, _>>().map_err(wrong)?;
        Ok(Self { path, columns, rows })
    }

    fn text(&self, row: usize, name: &str) -> Result<&str, ImpactError> {
        let cell = self.columns.get(name).and_then(|n| self.rows[row].get(*n));
        cell.ok_or_else(|| ImpactError::new("the column is missing", HELP).at_key(name).in_file(&self.path))
    }

    fn number(&self, row: usize, name: &str) -> Result<f64, ImpactError> {
        let cell = self.text(row, name)?;
        cell.parse().ok().filter(|x: &f64| x.is_finite() && *x >= 0.0).ok_or_else(|| {
            let what = format!("{cell:?} is not a number of at least 0");
            ImpactError::new(what, "run the scenario again").at_key(name).in_row(row).in_file(&self.path)
        })
    }
}

impl Finished {
    /// Reads a results folder.
    ///
    /// # Errors
    /// A file is missing or not as `sim run` writes it.
    pub fn read(folder: &Path) -> Result<Self, ImpactError> {
        let manifest = json(&folder.join("manifest.json"))?;
        let summary = json(&folder.join("summary.json"))?;
        let length_s =
            number(&summary, &["run", "simulated_s"]).map_err(|e| e.in_file(&folder.join("summary.json")))?;
        let table = Table::read(folder.join("regions.csv"))?;
        let mut regions = Vec::new();
        for row in 0..table.rows.len() {
            let (name, embodied_g) = (table.text(row, "region")?.to_owned(), table.number(row, "embodied_g")?);
            regions.push(Region { name, embodied_g, steps: Vec::new() });
        }
        let table = Table::read(folder.join("timeseries.csv"))?;
        for row in 0..table.rows.len() {
            let name = table.text(row, "region")?;
            let region = regions.iter_mut().find(|r| r.name == name).ok_or_else(|| {
                let what = format!("region {name:?} is not in regions.csv");
                ImpactError::new(what, "run the scenario again").in_row(row).in_file(&table.path)
            })?;
            let time_s = table.number(row, "time_s")?;
            if let Some(last) = region.steps.last_mut() {
                last.length_s = time_s - last.time_s;
            }
            region.steps.push(Observation { time_s, length_s: length_s - time_s, ..Observation::default() });
        }
        // The lengths are known now; means become sums.
        let mut next = vec![0; regions.len()];
        for row in 0..table.rows.len() {
            let name = table.text(row, "region")?;
            let at = regions.iter().position(|r| r.name == name).expect("the first pass found every region");
            let step = &mut regions[at].steps[next[at]];
            next[at] += 1;
            if step.length_s.is_nan() || step.length_s <= 0.0 {
                let error = ImpactError::new(
                    "the steps are not in order of time, or end after the run",
                    "run the scenario again",
                );
                return Err(error.at_key("time_s").in_row(row).in_file(&table.path));
            }
            let mut watts = 0.0;
            for cause in POWER {
                watts += table.number(row, cause)?;
            }
            if table.columns.contains_key(SENDING) {
                watts += table.number(row, SENDING)?;
            }
            step.energy_kwh = watts * step.length_s / JOULES_PER_KWH;
            step.operational_g = table.number(row, "operational_g")?;
            step.intensity_s = table.number(row, "intensity_g_per_kwh")? * step.length_s;
            step.executed = table.number(row, "executed")?;
            step.running_s = table.number(row, "running_mean")? * step.length_s;
            step.utilization_s = table.number(row, "cpu_utilization")? * step.length_s;
        }
        if let Some(empty) = regions.iter().find(|r| r.steps.is_empty()) {
            let what = format!("region {:?} has no steps in timeseries.csv", empty.name);
            return Err(ImpactError::new(what, "run the scenario again").in_file(&table.path));
        }
        Ok(Self { manifest, summary, regions, length_s })
    }
}
