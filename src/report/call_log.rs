//! `invocations.parquet`: one row per finished call, written as the run goes on, in row groups of bounded size.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, DoubleType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::ReportError;
use crate::sim::Finished;

const ROWS_PER_GROUP: usize = 1 << 16;

/// Names and meanings of the columns.
pub const COLUMNS: &[(&str, &str, &str)] = &[
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
pub struct CallLogWriter {
    path: PathBuf,
    writer: SerializedFileWriter<File>,
    doubles: [Vec<f64>; 5],
    integers: [Vec<i32>; 3],
    cold: Vec<bool>,
}

impl CallLogWriter {
    /// Creates the file.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(path: &Path) -> Result<Self, ReportError> {
        let file = File::create(path).map_err(|source| ReportError::Io { path: path.to_owned(), source })?;
        let wrap = |e: ParquetError| ReportError::Table { path: path.to_owned(), what: e.to_string() };
        let fields = COLUMNS
            .iter()
            .map(|(name, unit, _)| {
                let physical = match *unit {
                    "1" => Physical::INT32,
                    "bool" => Physical::BOOLEAN,
                    _ => Physical::DOUBLE,
                };
                Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED).build().map(Arc::new)
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(wrap)?;
        let schema = Type::group_type_builder("invocations").with_fields(fields).build().map_err(wrap)?;
        let level = ZstdLevel::try_new(1).map_err(wrap)?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties)).map_err(wrap)?;
        Ok(Self {
            path: path.to_owned(),
            writer,
            doubles: Default::default(),
            integers: Default::default(),
            cold: Vec::new(),
        })
    }

    /// Adds one call.
    ///
    /// # Errors
    /// A full row group cannot be written.
    pub fn record(&mut self, call: &Finished) -> Result<(), String> {
        let times = [call.arrival, call.released, call.began, call.ended];
        for (column, t) in self.doubles.iter_mut().zip(times) {
            column.push(t.as_secs_f64());
        }
        self.doubles[4].push(call.dynamic_j);
        let ids = [call.function.0, call.home.0, call.host.0];
        for (column, id) in self.integers.iter_mut().zip(ids) {
            column.push(id as i32);
        }
        self.cold.push(call.cold);
        if self.cold.len() >= ROWS_PER_GROUP {
            self.flush().map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        let mut doubles = self.doubles.iter_mut();
        let mut integers = self.integers.iter_mut();
        for (_, unit, _) in COLUMNS {
            let mut column = group
                .next_column()?
                .ok_or_else(|| ParquetError::General("the schema has fewer columns than the list".to_owned()))?;
            match *unit {
                "1" => {
                    let values = integers.next().expect("three integer columns are listed");
                    column.typed::<Int32Type>().write_batch(values, None, None)?;
                    values.clear();
                }
                "bool" => {
                    column.typed::<BoolType>().write_batch(&self.cold, None, None)?;
                    self.cold.clear();
                }
                _ => {
                    let values = doubles.next().expect("five number columns are listed");
                    column.typed::<DoubleType>().write_batch(values, None, None)?;
                    values.clear();
                }
            }
            column.close()?;
        }
        group.close()?;
        Ok(())
    }

    /// Writes the rest and closes the file.
    ///
    /// # Errors
    /// The file cannot be written whole.
    pub fn finish(mut self) -> Result<(), ReportError> {
        let path = self.path.clone();
        let close = || {
            if !self.cold.is_empty() {
                self.flush()?;
            }
            self.writer.close().map(|_| ())
        };
        close().map_err(|e| ReportError::Table { path, what: e.to_string() })
    }
}
