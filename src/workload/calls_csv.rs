//! One call per row of a CSV file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::lines::{Cells, Lines};
use super::rows::{CallsSpec, Key, MOST_TOGETHER, PlainRow, Row, Rows, nanoseconds, number};
use super::{Arrivals, BATCH_CALLS, Batch, WorkloadError};
use crate::types::{Memory, MilliCores, SimTime};

/// A reader that hashes what passes through it.
pub(super) struct Hashing<R> {
    inner: R,
    hash: Sha256,
    read: u64,
}

impl<R: Read> Hashing<R> {
    pub fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new(), read: 0 }
    }

    /// How many bytes were read.
    pub fn bytes(&self) -> u64 {
        self.read
    }

    /// SHA-256 of what was read.
    pub fn hex(&self) -> String {
        super::hex(&self.hash.clone().finalize())
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hash.update(&buffer[..n]);
        self.read += n as u64;
        Ok(n)
    }
}

/// Positions of the columns in a row.
#[derive(Debug, Clone, Copy)]
struct Columns {
    arrival: usize,
    function: usize,
    duration: usize,
    memory: usize,
    tenant: Option<usize>,
    region: Option<usize>,
    count: Option<usize>,
    deadline: Option<usize>,
    criticality: Option<usize>,
    cpu: Option<usize>,
}

pub(super) const REQUIRED: [&str; 4] = ["arrival_time_s", "function_id", "duration_s", "memory_mb"];
pub(super) const OPTIONAL: [&str; 6] = ["tenant", "region", "count", "deadline_s", "criticality", "cpu_cores"];

/// A CSV file of calls, read as a stream.
pub struct CallsCsv {
    path: PathBuf,
    lines: Lines<Hashing<File>>,
    size: u64,
    columns: Columns,
    width: usize,
    /// Whether the header is exactly the four required columns in their usual order.
    plain: bool,
    cells: Cells,
    rows: Rows,
    done: bool,
}

impl CallsCsv {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// The file cannot be read, a required column is missing, or a column is unknown or doubled.
    pub fn open(path: &Path, spec: &CallsSpec, regions: &[String]) -> Result<Self, WorkloadError> {
        let io = |source| WorkloadError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        let mut lines = Lines::new(Hashing::new(file));
        let first = lines.next().map_err(io)?.unwrap_or_default().to_vec();
        let header = header_of(&first);
        let columns = find_columns(path, &header)?;
        Ok(Self {
            path: path.to_owned(),
            lines,
            size,
            columns,
            width: header.len(),
            plain: header == REQUIRED,
            cells: Cells::default(),
            rows: Rows::new(path, spec, regions)?,
            done: false,
        })
    }

    fn read_row(&mut self, batch: &mut Batch) -> Result<bool, WorkloadError> {
        let Self { path, lines, columns: c, width, plain, cells, rows, .. } = self;
        let io = |source| WorkloadError::Io { path: path.clone(), source };
        let Some(text) = lines.next().map_err(io)? else { return Ok(false) };
        // One pass over the bytes of a plain row; everything else, and every error, goes the general way below.
        if *plain
            && let Some(row) = PlainRow::parse(text)
            && rows.push_plain(row, batch)
        {
            return Ok(true);
        }
        if let Err(what) = cells.split(text) {
            return Err(rows.error(lines.line, what, "close the quote, or remove it"));
        }
        if cells.len() != *width {
            return Err(rows.error(
                lines.line,
                format!("the row has {} cells, the header {width}", cells.len()),
                "complete or correct the row; a file that was cut off ends like this",
            ));
        }
        let (text, line) = lines.current();
        let cell = |at: usize| cells.get(text, at).unwrap_or_default();
        let wrong = |at: usize, name: &str, wanted: &str| {
            let found = String::from_utf8_lossy(cell(at)).into_owned();
            rows.error(line, format!("{name} = \"{found}\" is not {wanted}"), "correct or remove the row")
        };
        const SECONDS: &str = "a finite number of seconds at or above 0";
        let arrival_ns = nanoseconds(cell(c.arrival)).ok_or_else(|| wrong(c.arrival, "arrival_time_s", SECONDS))?;
        let duration_ns = nanoseconds(cell(c.duration)).ok_or_else(|| wrong(c.duration, "duration_s", SECONDS))?;
        let memory = megabytes(cell(c.memory))
            .ok_or_else(|| wrong(c.memory, "memory_mb", "a finite number of megabytes at or above 0"))?;
        let function = Key::Text(cell(c.function));
        let mut row = Row {
            arrival_ns,
            duration_ns,
            memory,
            function,
            tenant: None,
            region: None,
            count: 1,
            deadline_ns: None,
            criticality: 0,
            cpu: None,
        };
        if let Some(at) = c.tenant {
            row.tenant = Some(cell(at));
        }
        if let Some(at) = c.region {
            row.region = Some(cell(at));
        }
        if let Some(at) = c.count {
            row.count = integer(cell(at))
                .and_then(|n| u32::try_from(n).ok())
                .filter(|n| (1..=MOST_TOGETHER).contains(n))
                .ok_or_else(|| wrong(at, "count", "a whole number from 1 to 1000000"))?;
        }
        if let Some(at) = c.deadline {
            let text = cell(at);
            if !text.is_empty() {
                row.deadline_ns = Some(nanoseconds(text).ok_or_else(|| wrong(at, "deadline_s", SECONDS))?);
            }
        }
        if let Some(at) = c.criticality {
            row.criticality = integer(cell(at))
                .and_then(|n| u8::try_from(n).ok())
                .ok_or_else(|| wrong(at, "criticality", "a whole number from 0 to 255"))?;
        }
        if let Some(at) = c.cpu {
            let cores = number(cell(at)).filter(|x| (0.0..=4e6).contains(x));
            let cores = cores.ok_or_else(|| wrong(at, "cpu_cores", "a number of cores from 0 to 4000000"))?;
            row.cpu = Some(MilliCores::from_cores(cores));
        }
        rows.push(&row, line, batch)?;
        Ok(true)
    }
}

#[inline]
fn integer(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

/// Megabytes to bytes: whole numbers by integer arithmetic, the rest by way of a float.
#[inline]
fn megabytes(text: &[u8]) -> Option<Memory> {
    if text.len() <= 10 && !text.is_empty() && text.iter().all(u8::is_ascii_digit) {
        return Some(Memory(text.iter().fold(0, |n, b| n * 10 + u64::from(b - b'0')) * 1_000_000));
    }
    number(text).filter(|mb| (0.0..=1e12).contains(mb)).map(Memory::from_mb)
}

/// Matches a header with the columns.
pub(super) fn check_header(path: &Path, header: &[String]) -> Result<(), WorkloadError> {
    let wrong = |what: String| WorkloadError::File {
        path: path.to_owned(),
        what,
        help: format!("columns are {}, and optionally {}", REQUIRED.join(", "), OPTIONAL.join(", ")),
    };
    for name in REQUIRED {
        if !header.iter().any(|h| h == name) {
            return Err(wrong(format!("column {name} is missing (found: {})", header.join(", "))));
        }
    }
    for (i, name) in header.iter().enumerate() {
        if !REQUIRED.contains(&name.as_str()) && !OPTIONAL.contains(&name.as_str()) {
            return Err(wrong(format!("column \"{name}\" is unknown")));
        }
        if header[..i].contains(name) {
            return Err(wrong(format!("column {name} stands there twice")));
        }
    }
    Ok(())
}

fn find_columns(path: &Path, header: &[String]) -> Result<Columns, WorkloadError> {
    check_header(path, header)?;
    let at = |name: &str| header.iter().position(|h| h == name);
    let required = |name: &str| at(name).expect("check_header has found every required column");
    Ok(Columns {
        arrival: required("arrival_time_s"),
        function: required("function_id"),
        duration: required("duration_s"),
        memory: required("memory_mb"),
        tenant: at("tenant"),
        region: at("region"),
        count: at("count"),
        deadline: at("deadline_s"),
        criticality: at("criticality"),
        cpu: at("cpu_cores"),
    })
}

fn header_of(line: &[u8]) -> Vec<String> {
    let mut cells = Cells::default();
    if cells.split(line).is_err() {
        return vec![String::from_utf8_lossy(line).into_owned()];
    }
    let text = |at| String::from_utf8_lossy(cells.get(line, at).unwrap_or_default()).into_owned();
    (0..cells.len()).map(|at| text(at).trim().trim_start_matches('\u{feff}').to_owned()).collect()
}

impl Arrivals for CallsCsv {
    fn next_batch(&mut self, batch: &mut Batch) -> Result<(), WorkloadError> {
        batch.clear();
        while !self.done && batch.calls.len() < BATCH_CALLS {
            if !self.read_row(batch)? {
                self.done = true;
            }
        }
        Ok(())
    }

    fn progress(&self) -> f64 {
        if self.size == 0 { 1.0 } else { self.lines.reader().bytes() as f64 / self.size as f64 }
    }

    fn notes(&self) -> Vec<(String, String)> {
        self.rows.notes()
    }

    fn inputs(&self) -> Vec<(PathBuf, String)> {
        vec![(self.path.clone(), self.lines.reader().hex())]
    }
}

/// The arrival time in the last row of a CSV file, read from the file's end. `None` if that row is not readable.
///
/// # Errors
/// The file cannot be read.
pub fn last_arrival(path: &Path) -> Result<Option<SimTime>, WorkloadError> {
    const TAIL: u64 = 64 * 1024;
    let io = |source| WorkloadError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(io)?;
    let mut header = vec![0; TAIL as usize];
    let n = file.read(&mut header).map_err(io)?;
    let first_line = header[..n].split(|&b| b == b'\n').next().unwrap_or_default();
    let names = header_of(first_line.trim_ascii_end());
    let Some(at) = names.iter().position(|n| n == "arrival_time_s") else { return Ok(None) };
    let size = file.metadata().map_err(io)?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(TAIL))).map_err(io)?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).map_err(io)?;
    let last = tail.split(|&b| b == b'\n').rfind(|line| !line.trim_ascii().is_empty());
    let mut cells = Cells::default();
    Ok(last.and_then(|line| {
        cells.split(line.trim_ascii_end()).ok()?;
        nanoseconds(cells.get(line.trim_ascii_end(), at)?).map(SimTime)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(text: &str) -> Result<(Vec<super::super::Arrival>, Vec<String>), String> {
        let mut file = tempfile::NamedTempFile::with_suffix(".csv").expect("a temporary file");
        file.write_all(text.as_bytes()).expect("it is writable");
        let spec: CallsSpec = toml::from_str("path = \"x.csv\"").expect("a path is enough");
        let regions = ["north".to_owned(), "south".to_owned()];
        let mut source = CallsCsv::open(file.path(), &spec, &regions).map_err(|e| e.to_string())?;
        let (mut batch, mut calls, mut names) = (Batch::default(), Vec::new(), Vec::new());
        loop {
            source.next_batch(&mut batch).map_err(|e| e.to_string())?;
            if batch.calls.is_empty() {
                return Ok((calls, names));
            }
            calls.append(&mut batch.calls);
            names.extend(batch.functions.drain(..).map(|f| f.name.to_string()));
        }
    }

    #[test]
    fn columns_are_found_by_name_and_optional_ones_are_used() {
        let (calls, names) = read(
            "function_id,arrival_time_s,memory_mb,duration_s,region,count,deadline_s\n\
             f,0.5,128,0.25,south,3,60\n7,0.5,64.5,1,north,1,\n",
        )
        .expect("a right file");
        assert_eq!(names, ["f", "7"]);
        assert_eq!((calls[0].region.0, calls[0].count, calls[0].deadline), (1, 3, SimTime::from_secs_f64(60.5)));
        assert_eq!((calls[1].work.0, calls[1].deadline), (1_000_000_000, SimTime::NEVER));
    }

    #[test]
    fn wrong_rows_are_named_by_line_column_value_and_remedy() {
        let header = "arrival_time_s,function_id,duration_s,memory_mb";
        for (rows, message) in [
            ("2,a,1,1\n1,a,1,1", "line 3: arrival_time_s = 1 comes after 2 on an earlier line\n  help: sort the file"),
            ("-1,a,1,1", "line 2: arrival_time_s = \"-1\" is not a finite number of seconds at or above 0"),
            ("1,a,nan,1", "line 2: duration_s = \"nan\" is not a finite number"),
            ("1,a,1,-5", "line 2: memory_mb = \"-5\" is not"),
            ("1,a,1,1\n2,a,1", "line 3: the row has 3 cells, the header 4"),
            ("1,a,1,1\n2,a,1,2", "line 3: memory_mb = 2 differs from 1 on the function's first line"),
            ("1,,1,1", "line 2: function_id is empty"),
        ] {
            let error = read(&format!("{header}\n{rows}\n")).expect_err(rows);
            assert!(error.contains(message), "{error}\n-- should contain --\n{message}");
        }
    }

    #[test]
    fn a_missing_or_unknown_column_is_refused_with_the_list_of_columns() {
        let error = read("arrival_time_s,function_id,duration_s\n").expect_err("memory is missing");
        assert!(error.contains("column memory_mb is missing") && error.contains("optionally tenant"), "{error}");
        let error = read("arrival_time_s,function_id,duration_s,memory_mb,colour\n").expect_err("colour");
        assert!(error.contains("column \"colour\" is unknown"), "{error}");
    }

    #[test]
    fn the_last_arrival_is_found_without_reading_the_file() {
        let mut file = tempfile::NamedTempFile::with_suffix(".csv").expect("a temporary file");
        write!(file, "arrival_time_s,function_id,duration_s,memory_mb\n1,a,1,1\n99.5,a,1,1\n").expect("writable");
        assert_eq!(last_arrival(file.path()).expect("readable"), Some(SimTime::from_secs_f64(99.5)));
    }
}
