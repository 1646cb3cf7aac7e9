//! `accounts.parquet`: what each function drew and held of each host group, period by period, written as the run goes on, in row
//! groups of bounded size, and read back by the rules of attribution that look at time.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{DoubleType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use super::row_groups::RowGroups;
use super::{Column, ReportError, columns};
use crate::ledger::PeriodAccount;
use crate::sci::attribution::{Rows, RowsError};
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
    ("network_j", "J", "energy of what was sent between regions for it, with the region's first group"),
];

/// Writes the accounts of periods to a Parquet file.
pub struct AccountLogWriter {
    rows: RowGroups,
    log: AccountLog,
}

impl AccountLogWriter {
    /// Creates the file.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(path: &Path) -> Result<Self, ReportError> {
        Self::open(AccountLog::new(path))
    }

    /// Creates a file in the system's folder for temporary files, which is gone when the log is dropped: for runs that leave no folder.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn temporary() -> Result<Self, ReportError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("slackwater-accounts-{}-{number}.parquet", std::process::id());
        Self::open(AccountLog { path: std::env::temp_dir().join(name), temporary: true })
    }

    fn open(log: AccountLog) -> Result<Self, ReportError> {
        Ok(Self { rows: RowGroups::create(&log.path, "accounts", COLUMNS)?, log })
    }

    /// Adds one row.
    ///
    /// # Errors
    /// A full row group cannot be written.
    pub fn record(&mut self, row: &PeriodAccount) -> Result<(), String> {
        let [busy, starting, warm] = row.share_s;
        let [calls, starts] = row.dynamic_j;
        let doubles = [row.start.as_secs_f64(), busy, starting, warm, calls, starts, row.network_j];
        self.rows.add(&doubles, &[row.function.0, row.group.0], &[])
    }

    /// Writes the rest, closes the file, and hands it over for reading.
    ///
    /// # Errors
    /// The file cannot be written whole.
    pub fn finish(self) -> Result<AccountLog, ReportError> {
        self.rows.finish()?;
        Ok(self.log)
    }
}

/// A finished file of accounts, to be read as often as is needed.
#[derive(Debug)]
pub struct AccountLog {
    path: PathBuf,
    temporary: bool,
}

impl AccountLog {
    /// The file at `path`.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), temporary: false }
    }

    fn read(&self, each: &mut dyn FnMut(&PeriodAccount)) -> Result<(), ParquetError> {
        let reader = SerializedFileReader::new(File::open(&self.path)?)?;
        for g in 0..reader.num_row_groups() {
            let group = reader.get_row_group(g)?;
            let [starts, busy, starting, warm, calls, cold] = doubles(&*group, [0, 3, 4, 5, 6, 7])?;
            let [functions, groups] = integers(&*group, [1, 2])?;
            // Files from before there was a network end before this column: nothing was sent.
            let sent = if group.num_columns() > 8 { doubles(&*group, [8])? } else { [vec![0.0; starts.len()]] };
            for i in 0..starts.len() {
                each(&PeriodAccount {
                    start: SimTime::from_secs_f64(starts[i]),
                    function: FunctionId(functions[i] as u32),
                    group: GroupId(groups[i] as u32),
                    share_s: [busy[i], starting[i], warm[i]],
                    dynamic_j: [calls[i], cold[i]],
                    network_j: sent[0][i],
                });
            }
        }
        Ok(())
    }
}

fn rows(group: &dyn RowGroupReader) -> usize {
    usize::try_from(group.metadata().num_rows()).unwrap_or(0)
}

fn doubles<const N: usize>(group: &dyn RowGroupReader, at: [usize; N]) -> Result<[Vec<f64>; N], ParquetError> {
    let mut found = [const { Vec::new() }; N];
    for (values, column) in found.iter_mut().zip(at) {
        columns::fill::<DoubleType>(get_typed_column_reader(group.get_column_reader(column)?), values, rows(group))?;
    }
    Ok(found)
}

fn integers<const N: usize>(group: &dyn RowGroupReader, at: [usize; N]) -> Result<[Vec<i32>; N], ParquetError> {
    let mut found = [const { Vec::new() }; N];
    for (values, column) in found.iter_mut().zip(at) {
        columns::fill::<Int32Type>(get_typed_column_reader(group.get_column_reader(column)?), values, rows(group))?;
    }
    Ok(found)
}

impl Rows for AccountLog {
    /// Hands over all rows, in the order in which they were written: by period, function and group.
    fn each(&self, row: &mut dyn FnMut(&PeriodAccount)) -> Result<(), RowsError> {
        self.read(row).map_err(|e| RowsError(format!("{}: {e}", self.path.display())))
    }
}

impl Drop for AccountLog {
    fn drop(&mut self) {
        if self.temporary {
            // What cannot be removed is left to the system's own tidying.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
