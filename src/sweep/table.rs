//! The tidy table of a sweep: `runs.csv`, `runs.parquet`, `columns.csv`. One run is in memory at a time.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use serde_json::Value as Json;

use super::SweepError;
use super::gather::{Row, Runs};
use super::journal::Kind;
use super::points::{Axis, Takes};
use crate::report::{ReportError, write_file};

/// What a column of runs.csv is for.
struct Described {
    name: String,
    unit: String,
    role: &'static str,
    meaning: String,
    kind: Kind,
}

/// Whether all values of an axis are numbers.
pub fn is_numeric(axis: &Axis) -> bool {
    match &axis.takes {
        Takes::Sampled { .. } => true,
        Takes::Listed(levels) => levels.iter().all(|level| level.number.is_some()),
    }
}

/// The unit of an axis: a key's name carries it, and without one it is a number as such.
pub fn unit(axis: &Axis) -> &str {
    match axis.unit.as_str() {
        "" if is_numeric(axis) => "1",
        "" => "text",
        unit => unit,
    }
}

fn columns(runs: &Runs) -> Vec<Described> {
    let id = |name: &str, meaning: &str| Described {
        name: name.to_owned(),
        unit: "1".to_owned(),
        role: "id",
        meaning: meaning.to_owned(),
        kind: Kind::Count,
    };
    let mut all = vec![
        id("point", "number of the point, from 0: the last axis changes fastest"),
        id("replication", "number of the replication, from 0"),
        id("seed", "seed of the run: that of the scenario + replication"),
    ];
    all.extend(runs.points.axes.iter().map(|axis| Described {
        name: axis.name.clone(),
        unit: unit(axis).to_owned(),
        role: "axis",
        meaning: axis.key.as_ref().map_or_else(|| "name of the value".to_owned(), |key| format!("value of {key}")),
        kind: if is_numeric(axis) { Kind::Number } else { Kind::Text },
    }));
    all.push(Described {
        name: "error".to_owned(),
        unit: "text".to_owned(),
        role: "error",
        meaning: "why the run failed; empty if it went well".to_owned(),
        kind: Kind::Text,
    });
    all.extend(runs.columns.iter().map(|column| Described {
        name: column.key.clone(),
        unit: column.unit.clone(),
        role: if column.kind == Kind::Text { "text" } else { "metric" },
        meaning: column.meaning.clone(),
        kind: column.kind,
    }));
    all
}

/// A value as a cell; null becomes empty.
fn cell(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        // As summary.csv writes it: JSON would write 1.0 and 1e-7.
        Json::Number(n) if n.is_f64() => n.as_f64().map_or_else(String::new, |x| x.to_string()),
        other => other.to_string(),
    }
}

/// A row as JSON values, in the order of the columns.
fn values(row: Row, columns: &[Described]) -> Vec<Json> {
    let mut values: Vec<Json> = vec![row.task.point.into(), row.task.replication.into(), row.seed.into()];
    values.extend(row.levels.into_iter().map(|level| match level.number {
        Some(x) => x.into(),
        None => level.name.into(),
    }));
    // An axis with texts among its numbers is a column of texts.
    for (value, column) in values.iter_mut().zip(columns).skip(3) {
        if column.kind == Kind::Text && value.is_number() {
            *value = cell(value).into();
        }
    }
    values.push(row.error.map_or(Json::Null, Json::String));
    values.extend(row.values);
    values
}

/// Writes the three files, each as a whole.
///
/// # Errors
/// A journal cannot be read, or a file cannot be written.
pub fn write(runs: &Runs, out: &Path) -> Result<(), SweepError> {
    let columns = columns(runs);
    write_file(&out.join("columns.csv"), |f| {
        let mut table = csv::Writer::from_writer(f);
        table.write_record(["column", "unit", "role", "meaning"])?;
        for c in &columns {
            table.write_record([&c.name, &c.unit, c.role, &c.meaning])?;
        }
        table.flush()
    })?;
    let csv_path = out.join("runs.csv");
    let parquet_path = out.join(format!(".runs.parquet.tmp-{}", std::process::id()));
    let mut failed = None;
    let mut parquet = Parquet::create(&parquet_path, &columns)?;
    let written = write_file(&csv_path, |f| {
        let mut table = csv::Writer::from_writer(f);
        table.write_record(columns.iter().map(|c| c.name.as_str()))?;
        let each = runs.each(&mut |row: Row| {
            let values = values(row, &columns);
            table.write_record(values.iter().map(cell)).map_err(|e| SweepError::io(&csv_path)(e.into()))?;
            parquet.add(values)
        });
        failed = each.err();
        table.flush()
    });
    let done = match failed {
        Some(error) => Err(error),
        None => written.map_err(SweepError::from).and_then(|()| parquet.finish()),
    };
    let placed =
        done.and_then(|()| fs::rename(&parquet_path, out.join("runs.parquet")).map_err(SweepError::io(&parquet_path)));
    if placed.is_err() {
        // What is left is half a table under a hidden name; the error that led here is the one to report.
        let _ = fs::remove_file(&parquet_path);
    }
    placed
}

/// A Parquet file with nullable columns, in row groups of bounded size.
struct Parquet {
    path: std::path::PathBuf,
    writer: SerializedFileWriter<File>,
    kinds: Vec<Kind>,
    rows: Vec<Vec<Json>>,
}

/// Rows of a group: some megabytes of figures.
const ROWS: usize = 1024;

impl Parquet {
    fn create(path: &Path, columns: &[Described]) -> Result<Self, SweepError> {
        let file = File::create(path).map_err(SweepError::io(path))?;
        let field = |column: &Described| {
            let (physical, logical) = match column.kind {
                Kind::Count => (Physical::INT64, None),
                Kind::Number => (Physical::DOUBLE, None),
                Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            };
            Type::primitive_type_builder(&column.name, physical)
                .with_repetition(Repetition::OPTIONAL)
                .with_logical_type(logical)
                .build()
                .map(Arc::new)
        };
        let make = || -> Result<_, ParquetError> {
            let fields = columns.iter().map(field).collect::<Result<Vec<_>, _>>()?;
            let schema = Type::group_type_builder("runs").with_fields(fields).build()?;
            // Readers find every unit beside its column.
            let units: Vec<KeyValue> =
                columns.iter().map(|c| KeyValue::new(format!("unit:{}", c.name), c.unit.clone())).collect();
            let properties = WriterProperties::builder()
                .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
                .set_key_value_metadata(Some(units))
                .build();
            SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))
        };
        let writer = make().map_err(|e| wrap(path, &e))?;
        let kinds = columns.iter().map(|c| c.kind).collect();
        Ok(Self { path: path.to_owned(), writer, kinds, rows: Vec::new() })
    }

    fn add(&mut self, row: Vec<Json>) -> Result<(), SweepError> {
        self.rows.push(row);
        if self.rows.len() >= ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), SweepError> {
        let path = self.path.clone();
        let mut write = || -> Result<(), ParquetError> {
            let mut group = self.writer.next_row_group()?;
            for (i, kind) in self.kinds.iter().enumerate() {
                let mut column = group
                    .next_column()?
                    .ok_or_else(|| ParquetError::General("the schema has fewer columns than the list".to_owned()))?;
                let levels: Vec<i16> = self.rows.iter().map(|row| i16::from(!row[i].is_null())).collect();
                let there = self.rows.iter().map(|row| &row[i]).filter(|v| !v.is_null());
                match kind {
                    Kind::Count => {
                        // Seeds have 63 bits, counts fewer.
                        let values: Vec<i64> = there.map(|v| v.as_u64().unwrap_or_default() as i64).collect();
                        column.typed::<Int64Type>().write_batch(&values, Some(&levels), None)?;
                    }
                    Kind::Number => {
                        let values: Vec<f64> = there.map(|v| v.as_f64().unwrap_or(f64::NAN)).collect();
                        column.typed::<DoubleType>().write_batch(&values, Some(&levels), None)?;
                    }
                    Kind::Text => {
                        let values: Vec<ByteArray> = there.map(|v| ByteArray::from(cell(v).as_str())).collect();
                        column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
                    }
                }
                column.close()?;
            }
            group.close().map(|_| ())
        };
        write().map_err(|e| wrap(&path, &e))?;
        self.rows.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<(), SweepError> {
        if !self.rows.is_empty() {
            self.flush()?;
        }
        let path = self.path.clone();
        self.writer.close().map_err(|e| wrap(&path, &e))?;
        File::open(&path).and_then(|f| f.sync_data()).map_err(SweepError::io(&path))
    }
}

fn wrap(path: &Path, error: &ParquetError) -> SweepError {
    ReportError::Table { path: path.to_owned(), what: error.to_string() }.into()
}

/// Writes a small table as a whole.
///
/// # Errors
/// It cannot be written.
pub fn write_csv(
    path: &Path,
    header: &[String],
    rows: &mut dyn Iterator<Item = Vec<String>>,
) -> Result<(), SweepError> {
    let written = write_file(path, |f| {
        let mut table = csv::Writer::from_writer(&mut *f as &mut dyn Write);
        table.write_record(header)?;
        for row in rows {
            table.write_record(row)?;
        }
        table.flush()
    });
    Ok(written?)
}
