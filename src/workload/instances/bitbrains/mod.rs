//! Bitbrains (GWA-T-12): one CSV file per VM, a row about every five minutes, cells separated by `;` and a tab.
//!
//! A row holds from its time to that of the next, so that a gap keeps the value before it; the last row holds for the usual step.
//! The header says milliseconds, the values are seconds: told by their magnitude. KB are 1024 bytes.
//!
//! Source: Shen, van Beek, Iosup, "Statistical Characterization of Business-Critical Workloads Hosted in Cloud Datacenters",
//! CCGrid 2015; Grid Workloads Archive.

mod file;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WorkloadError;
use super::Class;
use super::accounts::AccountBy;
use super::anchor::{Anchor, instant};
use super::pieces::Pieces;
use super::spec::Context;
use super::whole::{Common, Found, Whole};
use crate::workload::files::{Text, expand};

/// VMs of the Bitbrains trace, one file each.
///
/// Memory: 12 bytes per row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BitbrainsSpec {
    /// Files, one per VM, in the trace's CSV format, plain or gzip; a folder stands for its .csv and .csv.gz files. (paths)
    pub files: Vec<PathBuf>,
    /// Which instant of the trace is the run's start: `first` row, the `run`'s own start, or an instant in UTC. Default `first`.
    #[serde(default)]
    pub start: Anchor,
    /// How long a file's last row holds, and the step above which a gap is counted \[s\]. Default 300, the trace's step.
    #[schemars(range(min = 0.001, max = 86400.0))]
    #[serde(default = "step_s")]
    pub step_s: f64,
    /// Use the column of memory usage; false: the memory provisioned, always. Default true.
    #[serde(default = "yes")]
    pub memory_usage: bool,
    /// Class of all VMs; the trace has none. Default latency-sensitive: business-critical, as its authors say.
    #[serde(default)]
    pub class: Class,
    /// Priority of all VMs; the trace has none. Default 0.
    #[serde(default)]
    pub priority: u8,
    /// Name of the tenant of all VMs; the trace has none. Default `bitbrains`.
    #[serde(default = "tenant")]
    pub tenant: String,
    /// One account per tenant or per instance. Default tenant.
    #[serde(default)]
    pub account_by: AccountBy,
    /// Region in which VMs are asked for. Default: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

fn step_s() -> f64 {
    300.0
}

fn yes() -> bool {
    true
}

fn tenant() -> String {
    "bitbrains".to_owned()
}

/// Reads all files.
pub(super) fn open(spec: &BitbrainsSpec, context: &Context<'_>) -> Result<Whole, WorkloadError> {
    if !(0.001..=86_400.0).contains(&spec.step_s) {
        return Err(WorkloadError::Spec {
            what: format!("bitbrains: step_s = {}", spec.step_s),
            help: "write a finite number from 0.001 to 86400".to_owned(),
        });
    }
    let region = context.region(spec.region.as_deref(), "bitbrains.region")?;
    let paths = expand(context.base_dir, &spec.files)?;
    if paths.is_empty() {
        return Err(WorkloadError::Spec {
            what: "bitbrains: files is empty".to_owned(),
            help: "name a folder, or one file per VM".to_owned(),
        });
    }
    let mut pieces = Pieces::default();
    let mut found: Vec<Found> = Vec::with_capacity(paths.len());
    let mut inputs = Vec::with_capacity(paths.len());
    let mut counts = file::Counts::default();
    for path in paths {
        let mut text = Text::open(&path)?;
        found.push(file::read(&mut text, spec, &mut pieces, &mut counts)?);
        inputs.push((path, text.sha256()));
    }
    let mut names: Vec<&str> = found.iter().map(|f| &*f.name).collect();
    names.sort_unstable();
    if let Some(double) = names.windows(2).find(|w| w[0] == w[1]) {
        return Err(WorkloadError::Spec {
            what: format!("bitbrains: two files are named {}", double[0]),
            help: "a VM's name is its file's name without its ending: rename one".to_owned(),
        });
    }
    let first_ms = found.iter().map(|f| f.begin_ms).min().unwrap_or(0);
    let start_ms = spec.start.resolve("bitbrains.start", first_ms, context.start)?;
    let mut notes = vec![
        ("trace_instant_at_the_run_start".to_owned(), instant(start_ms)),
        ("unit_of_times".to_owned(), "s (the header says ms), or ms from 10^11 on, by their magnitude".to_owned()),
        ("a_row_holds".to_owned(), "until the next; a gap keeps the value before it".to_owned()),
    ];
    notes.extend(counts.notes());
    let common =
        Common { tenant: spec.tenant.as_str().into(), account_by: spec.account_by, region, priority: spec.priority };
    Ok(Whole::new(common, found, pieces, start_ms, notes, inputs))
}
