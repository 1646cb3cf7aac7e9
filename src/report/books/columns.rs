//! Small Parquet tables of whole columns: written and read back to the last bit.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, Repetition, Type as Physical, ZstdLevel};
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{DataType, DoubleType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

const ROWS_PER_GROUP: usize = 1 << 16;

/// A column of a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cells {
    /// Numbers.
    Numbers(Vec<f64>),
    /// Positions in another table.
    Places(Vec<i32>),
}

impl Cells {
    fn len(&self) -> usize {
        match self {
            Self::Numbers(v) => v.len(),
            Self::Places(v) => v.len(),
        }
    }
}

/// Writes columns of equal length under their names.
pub(super) fn write(path: &Path, table: &str, columns: &[(&str, Cells)]) -> Result<(), ParquetError> {
    let fields = columns
        .iter()
        .map(|(name, cells)| {
            let physical = match cells {
                Cells::Numbers(_) => Physical::DOUBLE,
                Cells::Places(_) => Physical::INT32,
            };
            Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED).build().map(Arc::new)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let schema = Type::group_type_builder(table).with_fields(fields).build()?;
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?)).build();
    let mut writer = SerializedFileWriter::new(File::create(path)?, Arc::new(schema), Arc::new(properties))?;
    let rows = columns.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
    for from in (0..rows).step_by(ROWS_PER_GROUP) {
        let part = from..(from + ROWS_PER_GROUP).min(rows);
        let mut group = writer.next_row_group()?;
        for (_, cells) in columns {
            let missing = || ParquetError::General("the schema has fewer columns than the table".to_owned());
            let mut column = group.next_column()?.ok_or_else(missing)?;
            match cells {
                Cells::Numbers(v) => column.typed::<DoubleType>().write_batch(&v[part.clone()], None, None)?,
                Cells::Places(v) => column.typed::<Int32Type>().write_batch(&v[part.clone()], None, None)?,
            };
            column.close()?;
        }
        group.close()?;
    }
    writer.close()?.file_metadata();
    Ok(())
}

/// Whether a table has a column.
///
/// Errors: an unreadable or truncated file.
pub(super) fn has(path: &Path, name: &str) -> Result<bool, ParquetError> {
    let reader = SerializedFileReader::new(File::open(path)?)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    Ok((0..schema.num_columns()).any(|i| schema.column(i).name() == name))
}

/// Reads the numbers of the named columns, in the order of `names`.
///
/// Errors: an unreadable or truncated file, a column that is missing or of another type.
pub(super) fn read(path: &Path, names: &[&str]) -> Result<Vec<Cells>, ParquetError> {
    let reader = SerializedFileReader::new(File::open(path)?)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let mut columns = Vec::with_capacity(names.len());
    for name in names {
        let found = (0..schema.num_columns()).find(|&i| schema.column(i).name() == *name);
        let at = found.ok_or_else(|| ParquetError::General(format!("there is no column \"{name}\"")))?;
        let mut cells = match schema.column(at).physical_type() {
            Physical::DOUBLE => Cells::Numbers(Vec::new()),
            Physical::INT32 => Cells::Places(Vec::new()),
            other => return Err(ParquetError::General(format!("column \"{name}\" holds {other}"))),
        };
        for g in 0..reader.num_row_groups() {
            let group = reader.get_row_group(g)?;
            let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
            let column = group.get_column_reader(at)?;
            match &mut cells {
                Cells::Numbers(v) => fill::<DoubleType>(get_typed_column_reader(column), v, rows)?,
                Cells::Places(v) => fill::<Int32Type>(get_typed_column_reader(column), v, rows)?,
            }
        }
        columns.push(cells);
    }
    Ok(columns)
}

pub(super) fn fill<T: DataType>(
    mut reader: parquet::column::reader::ColumnReaderImpl<T>,
    values: &mut Vec<T::T>,
    rows: usize,
) -> Result<(), ParquetError> {
    let wanted = values.len() + rows;
    while values.len() < wanted {
        let (read, _, _) = reader.read_records(wanted - values.len(), None, None, values)?;
        if read == 0 {
            return Err(ParquetError::EOF(format!("{} of {wanted} rows are there", values.len())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_back_to_the_last_bit() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("t.parquet");
        let numbers: Vec<f64> = (0..200_000).map(|i| (f64::from(i) * 0.1).sin() * 1e-9).collect();
        let places: Vec<i32> = (0..200_000).collect();
        let columns = [("x", Cells::Numbers(numbers)), ("at", Cells::Places(places))];
        write(&path, "t", &columns).expect("a table can be written");
        let back = read(&path, &["at", "x"]).expect("it can be read");
        assert_eq!(back, [columns[1].1.clone(), columns[0].1.clone()]);
        assert!(read(&path, &["y"]).expect_err("no such column").to_string().contains("no column \"y\""));
        let bytes = std::fs::read(&path).expect("the file");
        std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("half of it");
        assert!(read(&path, &["x"]).is_err());
    }
}
