//! Result tables as polars data frames: group, aggregate and convert. The only file that knows polars.

use std::path::{Path, PathBuf};

use polars::prelude::*;

/// How the rows of a group become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// Arithmetic mean.
    Mean,
    /// Sum.
    Sum,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// Median.
    Median,
}

/// Why a table cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Polars said no.
    #[error("{}: {source}", path.display())]
    Polars {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: PolarsError,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The ending of a file's name says nothing.
    #[error("{} ends neither in .csv nor in .parquet", path.display())]
    Ending {
        /// The file.
        path: PathBuf,
    },
}

/// Reads a CSV or Parquet table, by its name's ending.
///
/// # Errors
/// The file cannot be read, or its name ends otherwise.
pub fn read(path: &Path) -> Result<DataFrame, FrameError> {
    let failed = |source| FrameError::Polars { path: path.to_owned(), source };
    let name = PlRefPath::try_from_path(path).map_err(failed)?;
    let lazy = match path.extension().and_then(|e| e.to_str()) {
        Some("csv") => LazyCsvReader::new(name).with_infer_schema_length(Some(10_000)).finish(),
        Some("parquet") => LazyFrame::scan_parquet(name, ScanArgsParquet::default()),
        _ => return Err(FrameError::Ending { path: path.to_owned() }),
    };
    lazy.and_then(LazyFrame::collect).map_err(failed)
}

/// Groups by the given columns, in order of first appearance, and aggregates every numeric column.
///
/// # Errors
/// A column does not exist.
pub fn grouped(frame: DataFrame, by: &[String], how: Aggregate) -> PolarsResult<DataFrame> {
    let numeric: Vec<Expr> = frame
        .columns()
        .iter()
        .filter(|c| c.dtype().is_numeric() && !by.iter().any(|b| b == c.name().as_str()))
        .map(|c| {
            let column = col(c.name().clone());
            match how {
                Aggregate::Mean => column.mean(),
                Aggregate::Sum => column.sum(),
                Aggregate::Min => column.min(),
                Aggregate::Max => column.max(),
                Aggregate::Median => column.median(),
            }
        })
        .collect();
    let keys: Vec<Expr> = by.iter().map(|b| col(b.as_str())).collect();
    frame.lazy().group_by_stable(keys).agg(numeric).collect()
}

/// Writes a CSV or Parquet table, by its name's ending.
///
/// # Errors
/// The file cannot be written, or its name ends otherwise.
pub fn write(frame: &mut DataFrame, path: &Path) -> Result<(), FrameError> {
    let file = || std::fs::File::create(path).map_err(|source| FrameError::Io { path: path.to_owned(), source });
    let failed = |source| FrameError::Polars { path: path.to_owned(), source };
    match path.extension().and_then(|e| e.to_str()) {
        Some("csv") => CsvWriter::new(file()?).finish(frame).map_err(failed),
        Some("parquet") => ParquetWriter::new(file()?).finish(frame).map(|_| ()).map_err(failed),
        _ => Err(FrameError::Ending { path: path.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_grouped_in_order_and_written_and_read_back() {
        let frame = df!("region" => ["b", "a", "b"], "received" => [1.0, 2.0, 4.0]).expect("equal lengths");
        let mut sums = grouped(frame, &["region".to_owned()], Aggregate::Sum).expect("the column exists");
        let dir = tempfile::tempdir().expect("a temporary folder");
        for name in ["t.csv", "t.parquet"] {
            let path = dir.path().join(name);
            write(&mut sums, &path).expect("writable");
            assert!(read(&path).expect("readable").equals(&sums), "{name}");
        }
        assert_eq!(sums.column("received").expect("it is numeric").f64().expect("floats").get(0), Some(5.0));
    }
}
