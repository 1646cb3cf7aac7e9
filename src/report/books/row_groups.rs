//! A Parquet file of plain columns, written as a stream in row groups of bounded size.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, DoubleType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::{Column, ReportError};

const ROWS_PER_GROUP: usize = 1 << 16;

/// Values of one column that are not yet written.
enum Values {
    Doubles(Vec<f64>),
    Integers(Vec<i32>),
    Booleans(Vec<bool>),
}

/// Writes rows to a Parquet file. Columns with the unit `1` are whole numbers, those with `bool` yes or no, all others floats.
pub(super) struct RowGroups {
    path: PathBuf,
    writer: SerializedFileWriter<File>,
    columns: Vec<Values>,
    rows: usize,
}

impl RowGroups {
    /// Creates the file.
    pub fn create(path: &Path, table: &str, columns: &[Column]) -> Result<Self, ReportError> {
        let file = File::create(path).map_err(|source| ReportError::Io { path: path.to_owned(), source })?;
        let wrap = |e: ParquetError| ReportError::Table { path: path.to_owned(), what: e.to_string() };
        let values = |unit: &str| match unit {
            "1" => Values::Integers(Vec::new()),
            "bool" => Values::Booleans(Vec::new()),
            _ => Values::Doubles(Vec::new()),
        };
        let columns: Vec<(&str, Values)> = columns.iter().map(|(name, unit, _)| (*name, values(unit))).collect();
        let fields = columns
            .iter()
            .map(|(name, values)| {
                let physical = match values {
                    Values::Doubles(_) => Physical::DOUBLE,
                    Values::Integers(_) => Physical::INT32,
                    Values::Booleans(_) => Physical::BOOLEAN,
                };
                Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED).build().map(Arc::new)
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(wrap)?;
        let schema = Type::group_type_builder(table).with_fields(fields).build().map_err(wrap)?;
        let level = ZstdLevel::try_new(1).map_err(wrap)?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties)).map_err(wrap)?;
        let columns = columns.into_iter().map(|(_, values)| values).collect();
        Ok(Self { path: path.to_owned(), writer, columns, rows: 0 })
    }

    /// Adds one row, its values in the order of the columns of their kind.
    pub fn add(&mut self, doubles: &[f64], integers: &[u32], booleans: &[bool]) -> Result<(), String> {
        let (mut doubles, mut integers, mut booleans) = (doubles.iter(), integers.iter(), booleans.iter());
        let complete = "a row has a value for every column";
        for column in &mut self.columns {
            match column {
                Values::Doubles(values) => values.push(*doubles.next().expect(complete)),
                Values::Integers(values) => values.push(*integers.next().expect(complete) as i32),
                Values::Booleans(values) => values.push(*booleans.next().expect(complete)),
            }
        }
        self.rows += 1;
        if self.rows >= ROWS_PER_GROUP { self.flush().map_err(|e| e.to_string()) } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for values in &mut self.columns {
            let mut column = group
                .next_column()?
                .ok_or_else(|| ParquetError::General("the schema has fewer columns than the list".to_owned()))?;
            match values {
                Values::Doubles(values) => {
                    column.typed::<DoubleType>().write_batch(values, None, None)?;
                    values.clear();
                }
                Values::Integers(values) => {
                    column.typed::<Int32Type>().write_batch(values, None, None)?;
                    values.clear();
                }
                Values::Booleans(values) => {
                    column.typed::<BoolType>().write_batch(values, None, None)?;
                    values.clear();
                }
            }
            column.close()?;
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }

    /// Writes the rest and closes the file.
    pub fn finish(mut self) -> Result<(), ReportError> {
        let path = self.path.clone();
        let close = || {
            if self.rows > 0 {
                self.flush()?;
            }
            self.writer.close().map(|_| ())
        };
        close().map_err(|e| ReportError::Table { path, what: e.to_string() })
    }
}
