//! `sim table` (only with the feature `polars`).

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use slackwater::report::frames::{self, Aggregate};

use super::Failure;

/// Arguments of `sim table`.
#[derive(Debug, Args)]
pub struct Table {
    /// A CSV or Parquet table, for example results/xfaas/timeseries.csv.
    file: PathBuf,
    /// Columns to group by; repeatable.
    #[arg(long = "group-by", value_name = "COLUMN")]
    group_by: Vec<String>,
    /// What becomes of the numeric columns of a group.
    #[arg(long, value_enum, default_value = "mean")]
    aggregate: How,
    /// Write the table to this CSV or Parquet file instead of printing it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum How {
    Mean,
    Sum,
    Min,
    Max,
    Median,
}

impl Table {
    pub fn execute(self) -> Result<(), Failure> {
        let how = match self.aggregate {
            How::Mean => Aggregate::Mean,
            How::Sum => Aggregate::Sum,
            How::Min => Aggregate::Min,
            How::Max => Aggregate::Max,
            How::Median => Aggregate::Median,
        };
        let mut frame = frames::read(&self.file).map_err(Failure::usage)?;
        if !self.group_by.is_empty() {
            frame = frames::grouped(frame, &self.group_by, how).map_err(Failure::usage)?;
        }
        match self.out {
            Some(path) => frames::write(&mut frame, &path).map_err(Failure::internal),
            None => super::print(&format!("{frame}\n")),
        }
    }
}
