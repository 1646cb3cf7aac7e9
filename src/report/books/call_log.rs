//! `invocations.parquet`: one row per finished call, written as the run goes on, in row groups of bounded size.

use std::path::Path;

use super::row_groups::RowGroups;
use super::{Column, ReportError};
use crate::sim::Finished;

/// Names and meanings of the columns.
pub const COLUMNS: &[Column] = &[
    ("arrival_time_s", "s", "when the call arrived"),
    ("release_time_s", "s", "when admission and shifting let it go"),
    ("start_time_s", "s", "when it began to execute"),
    ("end_time_s", "s", "when it ended"),
    ("function", "1", "row of functions.csv, from 0"),
    ("region", "1", "number of the region where it arrived, from 0"),
    ("host", "1", "host on which it ran, row of hosts.csv"),
    ("cold", "bool", "whether a sandbox was started for it"),
    ("dynamic_j", "J", "dynamic energy of its execution, overhead not included"),
];

/// Writes finished calls to a Parquet file.
pub struct CallLogWriter(RowGroups);

impl CallLogWriter {
    /// Creates the file.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(path: &Path) -> Result<Self, ReportError> {
        RowGroups::create(path, "invocations", COLUMNS).map(Self)
    }

    /// Adds one call.
    ///
    /// # Errors
    /// A full row group cannot be written.
    pub fn record(&mut self, call: &Finished) -> Result<(), String> {
        let [arrival, released, began, ended] =
            [call.arrival, call.released, call.began, call.ended].map(|t| t.as_secs_f64());
        let ids = [call.function.0, call.home.0, call.host.0];
        self.0.add(&[arrival, released, began, ended, call.dynamic_j], &ids, &[call.cold])
    }

    /// Writes the rest and closes the file.
    ///
    /// # Errors
    /// The file cannot be written whole.
    pub fn finish(self) -> Result<(), ReportError> {
        self.0.finish()
    }
}
