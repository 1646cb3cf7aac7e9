//! A Parquet file's columns by name, and their values in one of four kinds.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::basic::{LogicalType, TimeUnit};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::workload::WorkloadError;

/// Values of a column, with their rows in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Values {
    Whole(Vec<i64>),
    Real(Vec<f64>),
    Text(Vec<ByteArray>),
    Flag(Vec<bool>),
}

/// An open file.
pub(super) struct Table {
    path: PathBuf,
    pub reader: SerializedFileReader<File>,
    names: Vec<String>,
}

impl Table {
    pub fn open(path: &Path) -> Result<Self, WorkloadError> {
        let file = File::open(path).map_err(|source| WorkloadError::Io { path: path.to_owned(), source })?;
        let reader = SerializedFileReader::new(file).map_err(|e| unreadable(path, &e))?;
        let meta = reader.metadata().file_metadata();
        let parts = meta.schema_descr().columns().iter().map(|c| c.path().parts().first().cloned());
        let names = parts.map(Option::unwrap_or_default).collect();
        Ok(Self { path: path.to_owned(), reader, names })
    }

    /// The columns' names; a list has one.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The position of a column under any of its names.
    pub fn find(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.names.iter().position(|n| n == name))
    }

    /// The position of a column that must be there.
    pub fn need(&self, names: &[&str]) -> Result<usize, WorkloadError> {
        self.find(names).ok_or_else(|| {
            self.error(
                format!("column {} is missing", names.join(" (or ")) + if names.len() > 1 { ")" } else { "" },
                format!("check that the right file is given; its columns are {}", self.names.join(", ")),
            )
        })
    }

    pub fn error(&self, what: String, help: impl Into<String>) -> WorkloadError {
        WorkloadError::File { path: self.path.clone(), what, help: help.into() }
    }

    /// An error in a row, counted from 1.
    #[cold]
    pub fn row_error(&self, row: usize, what: String, help: &str) -> WorkloadError {
        WorkloadError::Row { path: self.path.clone(), line: row as u64, what, help: help.to_owned() }
    }

    pub fn unreadable(&self, error: &dyn std::fmt::Display) -> WorkloadError {
        unreadable(&self.path, error)
    }

    /// Milliseconds per unit of a timestamp column, as (numerator, denominator); `None` for a plain integer.
    pub fn timestamp(&self, at: usize) -> Option<(i64, i64)> {
        let schema = self.reader.metadata().file_metadata().schema_descr();
        match schema.column(at).logical_type_ref() {
            Some(LogicalType::Timestamp(t)) => Some(match t.unit {
                TimeUnit::MILLIS => (1, 1),
                TimeUnit::MICROS => (1, 1000),
                TimeUnit::NANOS => (1, 1_000_000),
            }),
            _ => None,
        }
    }

    /// Opens a column of a row group.
    pub fn column(&self, group: usize, at: usize) -> Result<Column, WorkloadError> {
        let group = self.reader.get_row_group(group).map_err(|e| self.unreadable(&e))?;
        let reader = group.get_column_reader(at).map_err(|e| self.unreadable(&e))?;
        Ok(Column { reader, levels: Vec::new(), repeats: Vec::new() })
    }

    /// All values of a column that has no empty cells.
    pub fn all(&self, at: usize) -> Result<Values, WorkloadError> {
        let mut all: Option<Values> = None;
        for group in 0..self.reader.num_row_groups() {
            let rows = usize::try_from(self.reader.metadata().row_group(group).num_rows()).unwrap_or(0);
            let mut column = self.column(group, at)?;
            let mut left = rows;
            while left > 0 {
                let part = column.read(left).map_err(|what| self.cell_error(at, &what))?;
                let (values, read) = part;
                if read == 0 {
                    return Err(self.cell_error(at, "the column ends too early"));
                }
                left -= read;
                all = Some(match (all.take(), values) {
                    (None, values) => values,
                    (Some(Values::Whole(mut a)), Values::Whole(b)) => {
                        a.extend(b);
                        Values::Whole(a)
                    }
                    (Some(Values::Real(mut a)), Values::Real(b)) => {
                        a.extend(b);
                        Values::Real(a)
                    }
                    (Some(Values::Text(mut a)), Values::Text(b)) => {
                        a.extend(b);
                        Values::Text(a)
                    }
                    (Some(Values::Flag(mut a)), Values::Flag(b)) => {
                        a.extend(b);
                        Values::Flag(a)
                    }
                    _ => return Err(self.cell_error(at, "its type changes within the file")),
                });
            }
        }
        Ok(all.unwrap_or(Values::Whole(Vec::new())))
    }

    /// Whether any cell of a column (also of a list) holds a value that is not 0.
    pub fn holds_something(&self, at: usize) -> Result<bool, WorkloadError> {
        for group in 0..self.reader.num_row_groups() {
            let rows = usize::try_from(self.reader.metadata().row_group(group).num_rows()).unwrap_or(0);
            let mut column = self.column(group, at)?;
            let values = column.read_sparse(rows).map_err(|what| self.cell_error(at, &what))?;
            let found = match values {
                Values::Whole(v) => v.iter().any(|&x| x != 0),
                Values::Real(v) => v.iter().any(|&x| x != 0.0),
                Values::Text(v) => !v.is_empty(),
                Values::Flag(v) => v.contains(&true),
            };
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a list column holds an element in any row, whatever its value.
    pub fn holds_elements(&self, at: usize) -> Result<bool, WorkloadError> {
        for group in 0..self.reader.num_row_groups() {
            let rows = usize::try_from(self.reader.metadata().row_group(group).num_rows()).unwrap_or(0);
            let mut column = self.column(group, at)?;
            let values = column.read_sparse(rows).map_err(|what| self.cell_error(at, &what))?;
            if values.len() > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub fn cell_error(&self, at: usize, what: &str) -> WorkloadError {
        self.error(format!("column {}: {what}", self.names[at]), "correct the file, or export it again")
    }
}

#[cold]
fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> WorkloadError {
    WorkloadError::File {
        path: path.to_owned(),
        what: format!("not readable as Parquet: {error}"),
        help: "check that the file is complete, and compressed with snappy, zstd, gzip or not at all".to_owned(),
    }
}

impl Values {
    pub fn len(&self) -> usize {
        match self {
            Self::Whole(v) => v.len(),
            Self::Real(v) => v.len(),
            Self::Text(v) => v.len(),
            Self::Flag(v) => v.len(),
        }
    }

    /// A number; NaN for text.
    pub fn number(&self, at: usize) -> f64 {
        match self {
            Self::Whole(v) => v[at] as f64,
            Self::Real(v) => v[at],
            Self::Flag(v) => f64::from(u8::from(v[at])),
            Self::Text(_) => f64::NAN,
        }
    }
}

/// One column of one row group.
pub(super) struct Column {
    reader: ColumnReader,
    levels: Vec<i16>,
    repeats: Vec<i16>,
}

impl Column {
    /// Reads up to `rows` values, none of them empty; also how many rows.
    pub fn read(&mut self, rows: usize) -> Result<(Values, usize), String> {
        let values = self.read_sparse(rows)?;
        let read = values.len();
        match self.levels.iter().position(|&l| l == 0) {
            Some(empty) => Err(format!("the cell {} rows into this part is empty (null)", empty + 1)),
            None => Ok((values, read)),
        }
    }

    fn read_sparse(&mut self, rows: usize) -> Result<Values, String> {
        fn read<T: DataType>(
            reader: &mut ColumnReaderImpl<T>,
            rows: usize,
            levels: &mut Vec<i16>,
            repeats: &mut Vec<i16>,
        ) -> Result<Vec<T::T>, String> {
            levels.clear();
            repeats.clear();
            let mut values = Vec::with_capacity(rows);
            reader.read_records(rows, Some(levels), Some(repeats), &mut values).map_err(|e| e.to_string())?;
            Ok(values)
        }
        let (levels, repeats) = (&mut self.levels, &mut self.repeats);
        Ok(match &mut self.reader {
            ColumnReader::Int32ColumnReader(r) => {
                Values::Whole(read(r, rows, levels, repeats)?.into_iter().map(i64::from).collect())
            }
            ColumnReader::Int64ColumnReader(r) => Values::Whole(read(r, rows, levels, repeats)?),
            ColumnReader::FloatColumnReader(r) => {
                Values::Real(read(r, rows, levels, repeats)?.into_iter().map(f64::from).collect())
            }
            ColumnReader::DoubleColumnReader(r) => Values::Real(read(r, rows, levels, repeats)?),
            ColumnReader::ByteArrayColumnReader(r) => Values::Text(read(r, rows, levels, repeats)?),
            ColumnReader::BoolColumnReader(r) => Values::Flag(read(r, rows, levels, repeats)?),
            _ => return Err("its type is neither a number nor text nor true or false".to_owned()),
        })
    }
}
