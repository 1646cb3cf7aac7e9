//! The journal of a part: one line per finished run, appended at once, so that a process that is killed loses at most what it had not
//! finished.
//!
//! A line is either a list of columns (key, unit, meaning, kind), which later lines refer to by its number, or a run: where it
//! stands in the plan, what it hashes to, and its figures or its error. Only the end of the file may be torn; it is cut off when the file
//! is opened for writing, and ignored by readers.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::SweepError;
use crate::report::{Entry, Input, Value};

/// A column of figures.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Column {
    /// Its key in summary.csv.
    pub key: String,
    /// Its unit.
    pub unit: String,
    /// What it means.
    pub meaning: String,
    /// What its values are.
    pub kind: Kind,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Whole numbers.
    Count,
    /// Numbers.
    Number,
    /// Texts.
    Text,
}

/// A finished run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The plan that it stands in.
    pub plan: String,
    /// The number of its point.
    pub point: usize,
    /// The number of its replication.
    pub replication: u32,
    /// Its seed.
    pub seed: u64,
    /// Of the resolved scenario and the code.
    pub hash: String,
    /// Number of its list of columns in this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<usize>,
    /// Its figures in their order; null is undefined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Json>,
    /// Why it has no figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The files that it read, with their SHA-256.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<(PathBuf, String)>,
    /// Calls received.
    #[serde(default)]
    pub calls: u64,
    /// Wall time \[s\]; no table has it.
    #[serde(default)]
    pub wall_s: f64,
}

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Columns(Vec<Column>),
    Run(Record),
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first byte.
    pub start: u64,
    /// Its bytes, with the end of the line.
    pub length: usize,
}

/// The figures of a summary as a list of columns and the values.
pub fn figures(summary: &[Entry]) -> (Vec<Column>, Vec<Json>) {
    let column = |e: &Entry| {
        let kind = match e.value {
            Value::Count(_) => Kind::Count,
            Value::Number(_) => Kind::Number,
            Value::Text(_) => Kind::Text,
        };
        Column { key: e.key.clone(), unit: e.unit.to_owned(), meaning: e.meaning.to_owned(), kind }
    };
    summary.iter().map(|e| (column(e), e.json())).unzip()
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    columns: Vec<Vec<Column>>,
}

impl Journal {
    /// Opens a journal, or makes one, and cuts off a torn end. Every record that is there is shown to `seen`.
    ///
    /// # Errors
    /// The file cannot be read or written, or has a line that no sweep wrote.
    pub fn open(path: &Path, seen: &mut dyn FnMut(Record)) -> Result<Self, SweepError> {
        let io = |source| SweepError::io(path)(source);
        let (columns, whole) = if path.exists() { read(path, &mut |record, _| seen(record))? } else { (Vec::new(), 0) };
        let file = OpenOptions::new().append(true).create(true).open(path).map_err(io)?;
        file.set_len(whole).map_err(io)?;
        Ok(Self { path: path.to_owned(), file, columns })
    }

    /// Appends a run with these columns; for a run that failed there are none.
    ///
    /// # Errors
    /// The file cannot be written, for example because the disk is full; what was there before is untouched.
    pub fn append(&mut self, mut record: Record, columns: &[Column]) -> Result<(), SweepError> {
        let mut text = String::new();
        let mut add = |line: &Line| {
            text += &serde_json::to_string(line).expect("numbers, texts and lists are JSON");
            text.push('\n');
        };
        let mut new = None;
        if record.error.is_none() {
            let known = self.columns.iter().position(|c| c == columns);
            if known.is_none() {
                add(&Line::Columns(columns.to_vec()));
                new = Some(columns.to_vec());
            }
            record.columns = Some(known.unwrap_or(self.columns.len()));
        }
        add(&Line::Run(record));
        let before = self.file.metadata().map_err(SweepError::io(&self.path))?.len();
        if let Err(source) = self.file.write_all(text.as_bytes()) {
            // Half a line is cut off again; if that fails, too, the next opening does it.
            let _ = self.file.set_len(before);
            return Err(SweepError::io(&self.path)(source));
        }
        self.columns.extend(new);
        Ok(())
    }

    /// Brings everything to the disk.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn sync(&self) -> Result<(), SweepError> {
        self.file.sync_data().map_err(SweepError::io(&self.path))
    }
}

/// Reads a journal: its lists of columns, and how many bytes are whole lines; every record is shown with its place.
///
/// # Errors
/// The file cannot be read, or has a line that no sweep wrote.
pub fn read(path: &Path, seen: &mut dyn FnMut(Record, Span)) -> Result<(Vec<Vec<Column>>, u64), SweepError> {
    let io = |source| SweepError::io(path)(source);
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path).map_err(io)?);
    let (mut columns, mut at, mut number) = (Vec::new(), 0u64, 0usize);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(io)?;
        if line.last() != Some(&b'\n') {
            return Ok((columns, at));
        }
        number += 1;
        let wrong = |what: String| SweepError::Journal { path: path.to_owned(), line: number, what };
        match serde_json::from_slice(&line).map_err(|e| wrong(format!("this is no line of a journal: {e}")))? {
            Line::Columns(list) => columns.push(list),
            Line::Run(record) => {
                let list = record.columns.map(|c| columns.get(c).map(Vec::len));
                if list.is_some_and(|length| length != Some(record.values.len())) {
                    return Err(wrong("the figures do not fit their columns".to_owned()));
                }
                seen(record, Span { start: at, length });
            }
        }
        at += length as u64;
    }
}

/// Reads single records of a journal.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
}

impl Reader {
    /// Opens a journal for reading.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: &Path) -> Result<Self, SweepError> {
        let file = File::open(path).map_err(SweepError::io(path))?;
        Ok(Self { path: path.to_owned(), file, buffer: Vec::new() })
    }

    /// The record at a place.
    ///
    /// # Errors
    /// It is not there any more.
    pub fn record(&mut self, span: Span) -> Result<Record, SweepError> {
        self.buffer.resize(span.length, 0);
        let read = self.file.seek(SeekFrom::Start(span.start)).and_then(|_| self.file.read_exact(&mut self.buffer));
        read.map_err(SweepError::io(&self.path))?;
        match serde_json::from_slice(&self.buffer) {
            Ok(Line::Run(record)) => Ok(record),
            _ => Err(SweepError::Journal {
                path: self.path.clone(),
                line: 0,
                what: "the file changed while it was read".to_owned(),
            }),
        }
    }
}

/// The files that a run read, as a record has them.
pub fn inputs(inputs: &[Input]) -> Vec<(PathBuf, String)> {
    inputs.iter().map(|input| (input.path.clone(), input.sha256.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(point: usize, values: Vec<Json>) -> Record {
        Record {
            plan: "p".to_owned(),
            point,
            replication: 0,
            seed: 42,
            hash: format!("h{point}"),
            columns: None,
            values,
            error: None,
            inputs: Vec::new(),
            calls: 0,
            wall_s: 0.0,
        }
    }

    fn columns(keys: &[&str]) -> Vec<Column> {
        let column = |key: &&str| Column {
            key: (*key).to_owned(),
            unit: "s".to_owned(),
            meaning: String::new(),
            kind: Kind::Number,
        };
        keys.iter().map(column).collect()
    }

    #[test]
    fn cut_at_any_byte_a_journal_loses_at_most_its_last_line_and_goes_on() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal.jsonl");
        let mut journal = Journal::open(&path, &mut |_| {}).expect("a new one");
        journal.append(record(0, vec![1.5.into()]), &columns(&["a"])).expect("written");
        journal.append(record(1, vec![2.5.into(), Json::Null]), &columns(&["a", "b"])).expect("written");
        journal.append(record(2, vec![0.1.into()]), &columns(&["a"])).expect("written");
        drop(journal);
        let whole = std::fs::read(&path).expect("readable");
        let ends: Vec<usize> = (0..whole.len()).filter(|&i| whole[i] == b'\n').map(|i| i + 1).collect();
        assert_eq!(ends.len(), 5, "two lists of columns and three runs");
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).expect("writable");
            let mut found = Vec::new();
            let mut journal = Journal::open(&path, &mut |r| found.push(r.point)).expect("a torn end is no error");
            // Runs end with lines 2, 4 and 5.
            let kept = [1, 3, 4].iter().filter(|&&line| ends[line] <= cut).count();
            assert_eq!(found, (0..kept).collect::<Vec<_>>(), "cut at {cut}");
            journal.append(record(9, vec![7.into()]), &columns(&["a"])).expect("goes on");
            let mut after = Vec::new();
            read(&path, &mut |r, _| after.push(r.point)).expect("whole again");
            assert_eq!(after.last(), Some(&9));
            assert_eq!(after.len(), kept + 1);
        }
    }

    #[test]
    fn a_record_is_found_again_by_its_place_with_every_digit() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal.jsonl");
        let mut journal = Journal::open(&path, &mut |_| {}).expect("a new one");
        let written = record(3, vec![0.1f64.next_up().into(), u64::MAX.into(), "text".into()]);
        journal.append(written.clone(), &columns(&["a", "b", "c"])).expect("written");
        let mut spans = Vec::new();
        let (lists, _) = read(&path, &mut |_, span| spans.push(span)).expect("whole");
        let found = Reader::open(&path).and_then(|mut r| r.record(spans[0])).expect("there");
        assert_eq!(found, Record { columns: Some(0), ..written });
        assert_eq!(lists, [columns(&["a", "b", "c"])]);
    }

    #[test]
    fn a_line_that_no_sweep_wrote_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal.jsonl");
        std::fs::write(&path, "{\"columns\":[]}\nhello\n").expect("writable");
        let error = Journal::open(&path, &mut |_| {}).expect_err("wrong").to_string();
        assert!(error.contains("journal.jsonl:2") && error.contains("help"), "{error}");
    }
}
