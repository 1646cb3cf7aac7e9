//! `[jobs.NAME.source.gaia]`: job lists as released with GAIA (Hanafy et al., *Going Green for Less Green*, ASPLOS 2024).
//!
//! Columns: `arrival_time` \[s\], `length` \[s\], `cpus`; second 0 is the run's start. The published steps of 5 s are `quantum_s = 5`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WorkloadError;
use super::super::files::Text;
use super::csv::time;
use super::raw::{Raw, Rows, micro_cores};
use super::spec::JobsContext;

/// Jobs as in the traces of GAIA: arrival_time, length (both in seconds), cpus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GaiaSpec {
    /// The file, plain or gzip. (path)
    pub path: PathBuf,
}

/// Reads the file.
pub(super) fn read(spec: &GaiaSpec, context: &JobsContext<'_>) -> Result<Rows, WorkloadError> {
    let path = context.base_dir.join(&spec.path);
    let mut text = Text::open(&path)?;
    let ([arrival, length, cpus], [], width) = text.header(["arrival_time", "length", "cpus"], [])?;
    let mut rows = Rows::of(&path);
    while text.row(width)? {
        let number = rows.jobs.len() as u64;
        let cores = text.number(cpus, "cpus")?;
        if cores <= 0.0 || cores > 4e6 {
            return Err(text.wrong(cpus, "cpus", "a number above 0, up to 4000000"));
        }
        rows.jobs.push(Raw {
            name: format!("j{number}").into(),
            line: text.line_number(),
            number,
            arrival: time(&text, arrival, "arrival_time")?,
            length: time(&text, length, "length")?,
            cpu: Some(micro_cores(cores).max(1)),
            ..Raw::default()
        });
    }
    rows.inputs.push((path, text.sha256()));
    Ok(rows)
}
