//! One call per row of a Parquet file, with the same columns as the CSV format.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::basic::Type as Physical;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::calls_csv::{Hashing, check_header};
use super::rows::{CallsSpec, Key, MOST_TOGETHER, PlainRow, Row, Rows, seconds_to_ns};
use super::{Arrivals, BATCH_CALLS, Batch, WorkloadError};
use crate::types::{Memory, MilliCores, SimTime};

/// One column's reader and the values of the current chunk, in the physical type of the file.
enum Column {
    Double(ColumnReaderImpl<DoubleType>, Vec<f64>),
    Float(ColumnReaderImpl<FloatType>, Vec<f32>),
    Int32(ColumnReaderImpl<Int32Type>, Vec<i32>),
    Int64(ColumnReaderImpl<Int64Type>, Vec<i64>),
    Text(ColumnReaderImpl<ByteArrayType>, Vec<ByteArray>),
}

impl Column {
    fn new(reader: ColumnReader, name: &str) -> Result<Self, String> {
        Ok(match reader {
            ColumnReader::DoubleColumnReader(_) => Self::Double(get_typed_column_reader(reader), Vec::new()),
            ColumnReader::FloatColumnReader(_) => Self::Float(get_typed_column_reader(reader), Vec::new()),
            ColumnReader::Int32ColumnReader(_) => Self::Int32(get_typed_column_reader(reader), Vec::new()),
            ColumnReader::Int64ColumnReader(_) => Self::Int64(get_typed_column_reader(reader), Vec::new()),
            ColumnReader::ByteArrayColumnReader(_) => Self::Text(get_typed_column_reader(reader), Vec::new()),
            _ => return Err(format!("column {name} has a type that is neither a number nor text")),
        })
    }

    /// Reads up to `rows` values; the number read. An empty cell is an error.
    fn fill(&mut self, rows: usize, levels: &mut Vec<i16>) -> Result<usize, ParquetError> {
        fn read<T: DataType>(
            reader: &mut ColumnReaderImpl<T>,
            values: &mut Vec<T::T>,
            rows: usize,
            levels: &mut Vec<i16>,
        ) -> Result<usize, ParquetError> {
            values.clear();
            levels.clear();
            let (records, present, _) = reader.read_records(rows, Some(levels), None, values)?;
            if present != records {
                let empty = levels.iter().position(|&l| l == 0).unwrap_or(0);
                return Err(ParquetError::General(format!("the cell {empty} rows into this part is empty (null)")));
            }
            Ok(records)
        }
        match self {
            Self::Double(r, v) => read(r, v, rows, levels),
            Self::Float(r, v) => read(r, v, rows, levels),
            Self::Int32(r, v) => read(r, v, rows, levels),
            Self::Int64(r, v) => read(r, v, rows, levels),
            Self::Text(r, v) => read(r, v, rows, levels),
        }
    }

    #[inline]
    fn number(&self, at: usize) -> f64 {
        match self {
            Self::Double(_, v) => v[at],
            Self::Float(_, v) => f64::from(v[at]),
            Self::Int32(_, v) => f64::from(v[at]),
            Self::Int64(_, v) => v[at] as f64,
            Self::Text(..) => f64::NAN,
        }
    }

    /// Maps all numbers of the chunk.
    #[inline]
    fn map_into(&self, out: &mut Vec<u64>, map: impl Fn(f64) -> u64) {
        out.clear();
        match self {
            Self::Double(_, v) => out.extend(v.iter().map(|&x| map(x))),
            Self::Float(_, v) => out.extend(v.iter().map(|&x| map(f64::from(x)))),
            Self::Int32(_, v) => out.extend(v.iter().map(|&x| map(f64::from(x)))),
            Self::Int64(_, v) => out.extend(v.iter().map(|&x| map(x as f64))),
            Self::Text(_, v) => out.extend(v.iter().map(|_| map(f64::NAN))),
        }
    }

    #[inline]
    fn key(&self, at: usize) -> Key<'_> {
        match self {
            Self::Text(_, v) => Key::Text(v[at].data()),
            Self::Int32(_, v) => Key::Number(i64::from(v[at])),
            Self::Int64(_, v) => Key::Number(v[at]),
            Self::Double(..) | Self::Float(..) => Key::Text(b""),
        }
    }

    #[inline]
    fn text(&self, at: usize) -> Option<&[u8]> {
        match self {
            Self::Text(_, v) => Some(v[at].data()),
            _ => None,
        }
    }
}

/// A chunk's required columns, converted column by column where the file has no optional ones: the type of each column is
/// looked at once per chunk instead of once per value.
#[derive(Debug, Default)]
struct Plain {
    arrival_ns: Vec<u64>,
    duration_ns: Vec<u64>,
    memory: Vec<u64>,
    function: Vec<i64>,
}

/// A value that only the general way can read, or refuse.
const UNREADABLE: u64 = u64::MAX;

impl Plain {
    /// Converts a chunk; false if the file's columns are not plain.
    fn convert(&mut self, c: &Columns) -> bool {
        let optional = [&c.tenant, &c.region, &c.count, &c.deadline, &c.criticality, &c.cpu];
        if optional.iter().any(|column| column.is_some()) {
            return false;
        }
        self.function.clear();
        match &c.function {
            Column::Int32(_, v) => self.function.extend(v.iter().map(|&n| i64::from(n))),
            Column::Int64(_, v) => self.function.extend_from_slice(v),
            _ => return false,
        }
        c.arrival.map_into(&mut self.arrival_ns, |s| seconds_to_ns(s).unwrap_or(UNREADABLE));
        c.duration.map_into(&mut self.duration_ns, |s| seconds_to_ns(s).unwrap_or(UNREADABLE));
        c.memory.map_into(&mut self.memory, |mb| whole_megabytes(mb).unwrap_or(UNREADABLE));
        true
    }

    #[inline]
    fn row(&self, at: usize) -> Option<PlainRow> {
        let row = PlainRow {
            arrival_ns: *self.arrival_ns.get(at)?,
            duration_ns: *self.duration_ns.get(at)?,
            memory: Memory(*self.memory.get(at)?),
            function: *self.function.get(at)?,
        };
        (row.arrival_ns.max(row.duration_ns).max(row.memory.0) != UNREADABLE).then_some(row)
    }
}

/// Whole megabytes in bytes; `None` if there is a fraction, which has to be rounded, or it is out of range.
#[inline]
fn whole_megabytes(mb: f64) -> Option<u64> {
    let whole = mb as i64;
    ((0..=1_000_000_000).contains(&whole) && whole as f64 == mb).then(|| whole as u64 * 1_000_000)
}

/// The columns of one row group.
struct Columns {
    arrival: Column,
    function: Column,
    duration: Column,
    memory: Column,
    tenant: Option<Column>,
    region: Option<Column>,
    count: Option<Column>,
    deadline: Option<Column>,
    criticality: Option<Column>,
    cpu: Option<Column>,
    left: usize,
}

/// A Parquet file of calls, read in chunks.
pub struct CallsParquet {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    header: Vec<String>,
    sha256: String,
    group: usize,
    columns: Option<Columns>,
    rows: Rows,
    read: u64,
    total: u64,
    levels: Vec<i16>,
    plain: Plain,
}

fn failed(path: &Path, error: impl std::fmt::Display) -> WorkloadError {
    WorkloadError::File {
        path: path.to_owned(),
        what: format!("not readable as Parquet: {error}"),
        help:
            "check that the file is complete, has no empty cells, and is compressed with snappy, zstd, gzip or not at \
               all"
            .to_owned(),
    }
}

impl CallsParquet {
    /// Opens a file and checks its columns.
    ///
    /// # Errors
    /// The file cannot be read, or its columns are not those of the format.
    pub fn open(path: &Path, spec: &CallsSpec, regions: &[String]) -> Result<Self, WorkloadError> {
        let io = |source| WorkloadError::Io { path: path.to_owned(), source };
        let mut whole = Hashing::new(File::open(path).map_err(io)?);
        std::io::copy(&mut whole, &mut std::io::sink()).map_err(io)?;
        let reader = SerializedFileReader::new(File::open(path).map_err(io)?).map_err(|e| failed(path, e))?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let header: Vec<String> = schema.columns().iter().map(|c| c.name().to_owned()).collect();
        check_header(path, &header)?;
        for column in schema.columns() {
            let text = matches!(column.name(), "tenant" | "region");
            let is_text = column.physical_type() == Physical::BYTE_ARRAY;
            if column.name() != "function_id" && text != is_text {
                let wanted = if text { "text" } else { "a number" };
                return Err(failed(path, format!("column {} is not {wanted}", column.name())));
            }
            if column.name() == "function_id"
                && !matches!(column.physical_type(), Physical::BYTE_ARRAY | Physical::INT32 | Physical::INT64)
            {
                return Err(failed(path, "column function_id is neither text nor integer"));
            }
            if column.max_rep_level() > 0 || column.max_def_level() > 1 {
                return Err(failed(path, format!("column {} is nested", column.name())));
            }
        }
        let total = u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0);
        Ok(Self {
            path: path.to_owned(),
            reader,
            header,
            sha256: whole.hex(),
            group: 0,
            columns: None,
            rows: Rows::new(path, spec, regions)?,
            read: 0,
            total,
            levels: Vec::new(),
            plain: Plain::default(),
        })
    }

    /// The arrival time in the last row, from the last row group's column.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn last_arrival(&self) -> Result<Option<SimTime>, WorkloadError> {
        let groups = self.reader.num_row_groups();
        let Some(last) = groups.checked_sub(1) else { return Ok(None) };
        let mut column = self.open_column(last, "arrival_time_s")?;
        let Some(mut column) = column.take() else { return Ok(None) };
        let mut levels = Vec::new();
        let mut latest = None;
        loop {
            let n = column.fill(BATCH_CALLS, &mut levels).map_err(|e| failed(&self.path, e))?;
            if n == 0 {
                return Ok(latest);
            }
            latest = seconds_to_ns(column.number(n - 1)).map(SimTime);
        }
    }

    fn open_column(&self, group: usize, name: &str) -> Result<Option<Column>, WorkloadError> {
        let Some(at) = self.header.iter().position(|h| h == name) else { return Ok(None) };
        let group = self.reader.get_row_group(group).map_err(|e| failed(&self.path, e))?;
        let reader = group.get_column_reader(at).map_err(|e| failed(&self.path, e))?;
        Column::new(reader, name).map(Some).map_err(|e| failed(&self.path, e))
    }

    fn open_group(&self, group: usize) -> Result<Columns, WorkloadError> {
        let required = |name: &str| {
            Ok::<_, WorkloadError>(self.open_column(group, name)?.expect("check_header has found the column"))
        };
        let rows = self.reader.metadata().row_group(group).num_rows();
        Ok(Columns {
            arrival: required("arrival_time_s")?,
            function: required("function_id")?,
            duration: required("duration_s")?,
            memory: required("memory_mb")?,
            tenant: self.open_column(group, "tenant")?,
            region: self.open_column(group, "region")?,
            count: self.open_column(group, "count")?,
            deadline: self.open_column(group, "deadline_s")?,
            criticality: self.open_column(group, "criticality")?,
            cpu: self.open_column(group, "cpu_cores")?,
            left: usize::try_from(rows).unwrap_or(0),
        })
    }

    /// Reads the next chunk of the current row group into the batch.
    fn read_chunk(&mut self, columns: &mut Columns, batch: &mut Batch) -> Result<(), WorkloadError> {
        let rows = columns.left.min(BATCH_CALLS);
        let levels = &mut self.levels;
        let all = [
            Some(&mut columns.arrival),
            Some(&mut columns.function),
            Some(&mut columns.duration),
            Some(&mut columns.memory),
            columns.tenant.as_mut(),
            columns.region.as_mut(),
            columns.count.as_mut(),
            columns.deadline.as_mut(),
            columns.criticality.as_mut(),
            columns.cpu.as_mut(),
        ];
        for column in all.into_iter().flatten() {
            let n =
                column.fill(rows, levels).map_err(|e| failed(&self.path, format!("after row {}: {e}", self.read)))?;
            if n != rows {
                return Err(failed(&self.path, format!("a column ends after row {}", self.read + n as u64)));
            }
        }
        let plain = self.plain.convert(columns);
        batch.calls.reserve(rows);
        for at in 0..rows {
            if plain
                && let Some(row) = self.plain.row(at)
                && self.rows.push_plain(row, batch)
            {
                continue;
            }
            let line = self.read + at as u64 + 1;
            let row = self.row(columns, at, line)?;
            self.rows.push(&row, line, batch)?;
        }
        columns.left -= rows;
        self.read += rows as u64;
        Ok(())
    }

    #[inline]
    fn row<'a>(&self, c: &'a Columns, at: usize, line: u64) -> Result<Row<'a>, WorkloadError> {
        let wrong = |name: &str, found: f64, wanted: &str| {
            self.rows.error(line, format!("{name} = {found} is not {wanted}"), "correct or remove the row")
        };
        const SECONDS: &str = "a finite number of seconds at or above 0";
        let seconds = |name: &str, x: f64| seconds_to_ns(x).ok_or_else(|| wrong(name, x, SECONDS));
        let whole = |name: &str, column: &Option<Column>, least: f64, most: f64, missing: f64| match column {
            None => Ok(missing),
            Some(column) => {
                let x = column.number(at);
                if x.fract() == 0.0 && (least..=most).contains(&x) {
                    Ok(x)
                } else {
                    Err(wrong(name, x, &format!("a whole number from {least} to {most}")))
                }
            }
        };
        let mb = c.memory.number(at);
        if !(0.0..=1e12).contains(&mb) {
            return Err(wrong("memory_mb", mb, "a finite number of megabytes at or above 0"));
        }
        let cpu = match c.cpu.as_ref().map(|column| column.number(at)) {
            None => None,
            Some(cores) if (0.0..=4e6).contains(&cores) => Some(MilliCores::from_cores(cores)),
            Some(cores) => return Err(wrong("cpu_cores", cores, "a number of cores from 0 to 4000000")),
        };
        Ok(Row {
            arrival_ns: seconds("arrival_time_s", c.arrival.number(at))?,
            duration_ns: seconds("duration_s", c.duration.number(at))?,
            memory: Memory::from_mb(mb),
            function: c.function.key(at),
            tenant: c.tenant.as_ref().and_then(|t| t.text(at)),
            region: c.region.as_ref().and_then(|t| t.text(at)),
            count: whole("count", &c.count, 1.0, f64::from(MOST_TOGETHER), 1.0)? as u32,
            deadline_ns: match &c.deadline {
                None => None,
                Some(d) => Some(seconds("deadline_s", d.number(at))?),
            },
            criticality: whole("criticality", &c.criticality, 0.0, 255.0, 0.0)? as u8,
            cpu,
        })
    }
}

impl Arrivals for CallsParquet {
    fn next_batch(&mut self, batch: &mut Batch) -> Result<(), WorkloadError> {
        batch.clear();
        loop {
            let mut columns = match self.columns.take() {
                Some(columns) if columns.left > 0 => columns,
                _ if self.group < self.reader.num_row_groups() => {
                    self.group += 1;
                    self.open_group(self.group - 1)?
                }
                _ => return Ok(()),
            };
            self.read_chunk(&mut columns, batch)?;
            self.columns = Some(columns);
            if !batch.calls.is_empty() {
                return Ok(());
            }
        }
    }

    fn progress(&self) -> f64 {
        if self.total == 0 { 1.0 } else { self.read as f64 / self.total as f64 }
    }

    fn notes(&self) -> Vec<(String, String)> {
        self.rows.notes()
    }

    fn inputs(&self) -> Vec<(PathBuf, String)> {
        vec![(self.path.clone(), self.sha256.clone())]
    }
}
