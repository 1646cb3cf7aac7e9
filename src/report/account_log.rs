//! `accounts.parquet`: what each function drew and held of each host group, period by period, written as the run goes on, in row
//! groups of bounded size, and read back by the rules of attribution that look at time.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;

use super::row_groups::RowGroups;
use super::{Column, ReportError};
use crate::ledger::PeriodAccount;
use crate::types::{FunctionId, GroupId, SimTime};

/// Names and meanings of the columns.
pub const COLUMNS: &[Column] = &[
    ("period_start_s", "s", "start of the period, from the run's start"),
    ("function", "1", "row of functions.csv, from 0"),
    ("group", "1", "number of the host group, from 0: those of the first region first, in the order of the scenario"),
    ("busy_host_s", "host·s", "share of a host held by busy sandboxes x time"),
    ("starting_host_s", "host·s", "share of a host held by starting sandboxes x time"),
    ("warm_host_s", "host·s", "share of a host held by warm idle sandboxes x time"),
    ("execution_dynamic_j", "J", "dynamic energy of its calls, overhead not included"),
    ("cold_start_dynamic_j", "J", "dynamic energy of its starts, overhead not included"),
];

/// Writes the accounts of periods to a Parquet file.
pub struct AccountLogWriter(RowGroups);

impl AccountLogWriter {
    /// Creates the file.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(path: &Path) -> Result<Self, ReportError> {
        RowGroups::create(path, "accounts", COLUMNS).map(Self)
    }

    /// Adds one row.
    ///
    /// # Errors
    /// A full row group cannot be written.
    pub fn record(&mut self, row: &PeriodAccount) -> Result<(), String> {
        let [busy, starting, warm] = row.share_s;
        let [calls, starts] = row.dynamic_j;
        let doubles = [row.start.as_secs_f64(), busy, starting, warm, calls, starts];
        self.0.add(&doubles, &[row.function.0, row.group.0], &[])
    }

    /// Writes the rest and closes the file.
    ///
    /// # Errors
    /// The file cannot be written whole.
    pub fn finish(self) -> Result<(), ReportError> {
        self.0.finish()
    }
}

/// A finished file of accounts, to be read as often as is needed.
#[derive(Debug, Clone)]
pub struct AccountLog {
    path: PathBuf,
}

impl AccountLog {
    /// The file at `path`.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Hands over all rows, in the order in which they were written: by period, function and group.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn each(&self, row: &mut dyn FnMut(&PeriodAccount)) -> Result<(), ReportError> {
        let io = |source| ReportError::Io { path: self.path.clone(), source };
        let file = File::open(&self.path).map_err(io)?;
        self.read(file, row).map_err(|e| ReportError::Table { path: self.path.clone(), what: e.to_string() })
    }

    fn read(&self, file: File, each: &mut dyn FnMut(&PeriodAccount)) -> Result<(), ParquetError> {
        for row in SerializedFileReader::new(file)?.get_row_iter(None)? {
            let row = row?;
            let number = |column: usize| row.get_double(column);
            each(&PeriodAccount {
                start: SimTime::from_secs_f64(number(0)?),
                function: FunctionId(row.get_int(1)? as u32),
                group: GroupId(row.get_int(2)? as u32),
                share_s: [number(3)?, number(4)?, number(5)?],
                dynamic_j: [number(6)?, number(7)?],
            });
        }
        Ok(())
    }
}
