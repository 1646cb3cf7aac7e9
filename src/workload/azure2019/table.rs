//! A CSV file read row by row: columns by name, strict cells, errors with line and column, SHA-256 on the way.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::workload::WorkloadError;

/// A file that is hashed while it is read.
struct Hashed {
    file: File,
    hash: Sha256,
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.hash.update(&buffer[..n]);
        Ok(n)
    }
}

/// One CSV file and its current row.
pub(super) struct Table {
    path: PathBuf,
    reader: csv::Reader<Hashed>,
    headers: Vec<Box<str>>,
    row: csv::StringRecord,
}

impl Table {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// The file is missing, unreadable or empty.
    pub(super) fn open(path: &Path) -> Result<Self, WorkloadError> {
        let io = |source| WorkloadError::Io { path: path.to_path_buf(), source };
        let file = Hashed { file: File::open(path).map_err(io)?, hash: Sha256::new() };
        let reader = csv::ReaderBuilder::new().flexible(true).buffer_capacity(1 << 16).from_reader(file);
        let mut table = Table { path: path.to_path_buf(), reader, headers: Vec::new(), row: csv::StringRecord::new() };
        let header = match table.reader.headers() {
            Ok(header) => header.clone(),
            Err(e) => return Err(table.csv_error(e)),
        };
        table.headers = header.iter().map(|h| h.trim_start_matches('\u{feff}').trim().into()).collect();
        if table.headers.is_empty() {
            return Err(table.file_error("the file is empty", "download or export it again".into()));
        }
        Ok(table)
    }

    /// The header texts, without blanks around them.
    pub(super) fn headers(&self) -> &[Box<str>] {
        &self.headers
    }

    /// The position of a column that may be absent.
    pub(super) fn optional(&self, name: &str) -> Option<usize> {
        self.headers.iter().position(|h| **h == *name)
    }

    /// The position of a column.
    ///
    /// # Errors
    /// There is no such column.
    pub(super) fn column(&self, name: &str) -> Result<usize, WorkloadError> {
        self.optional(name).ok_or_else(|| self.no_column(&format!("column {name}")))
    }

    /// The error that says that `what` is missing in the header, and which columns there are.
    pub(super) fn no_column(&self, what: &str) -> WorkloadError {
        let mut found = self.headers.iter().take(15).map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
        if self.headers.len() > 15 {
            found.push_str(", …");
        }
        self.file_error(
            &format!("the header has no {what}"),
            format!("check that the right file is given; its columns are {found}"),
        )
    }

    /// Moves to the next row; false at the end.
    ///
    /// # Errors
    /// The file is unreadable, not UTF-8, or the row has another number of fields than the header.
    pub(super) fn next_row(&mut self) -> Result<bool, WorkloadError> {
        match self.reader.read_record(&mut self.row) {
            Ok(false) => return Ok(false),
            Ok(true) => {}
            Err(e) => return Err(self.csv_error(e)),
        }
        if self.row.len() == self.headers.len() {
            return Ok(true);
        }
        Err(self.row_error(
            format!("the row has {} fields, the header {}", self.row.len(), self.headers.len()),
            if self.row.len() < self.headers.len() {
                "the row is truncated: download or export the file again, or delete the row"
            } else {
                "remove the surplus fields, or quote the field that contains a comma"
            },
        ))
    }

    /// A cell of the current row, without blanks around it.
    pub(super) fn text(&self, column: usize) -> &str {
        self.row.get(column).unwrap_or_default().trim()
    }

    /// A cell of the current row as a number: finite and not negative.
    ///
    /// # Errors
    /// It is not.
    pub(super) fn number(&self, column: usize) -> Result<f64, WorkloadError> {
        match self.text(column).parse::<f64>() {
            Ok(x) if x.is_finite() && x >= 0.0 => Ok(x),
            _ => Err(self.cell_error(column, "a finite number of at least 0")),
        }
    }

    /// A cell of the current row as a number of calls; `3.0` counts as 3.
    ///
    /// # Errors
    /// It is not a whole number in 0..2^32.
    pub(super) fn count(&self, column: usize) -> Result<u32, WorkloadError> {
        let text = self.text(column);
        if let Ok(n) = text.parse::<u32>() {
            return Ok(n);
        }
        match text.parse::<f64>() {
            Ok(x) if x >= 0.0 && x <= f64::from(u32::MAX) && x.fract() == 0.0 => Ok(x as u32),
            _ => Err(self.cell_error(column, "a whole number of calls of at least 0")),
        }
    }

    fn cell_error(&self, column: usize, wanted: &str) -> WorkloadError {
        self.row_error(
            format!("column {} holds `{}`, which is not {wanted}", self.headers[column], self.text(column)),
            "correct the cell, or delete the row if the value is unknown",
        )
    }

    /// The line of the row at `position`, counted from 1. The CSV reader's own count is one too low after a CRLF and
    /// ignores blank lines before the row, so that this counts in the file: errors are rare enough.
    fn line(&self, position: Option<&csv::Position>) -> u64 {
        let Some(position) = position else { return 1 };
        let Ok(file) = File::open(&self.path) else { return position.line() };
        let mut line = 1;
        for (i, byte) in io::BufReader::new(file).bytes().enumerate() {
            match byte {
                Ok(b'\n') => line += 1,
                Ok(b'\r') => {}
                Ok(_) if (i as u64) < position.byte() => {}
                _ => break,
            }
        }
        line
    }

    fn row_error(&self, what: String, help: &str) -> WorkloadError {
        WorkloadError::Row { path: self.path.clone(), line: self.line(self.row.position()), what, help: help.into() }
    }

    /// An error about the file as a whole.
    pub(super) fn file_error(&self, what: &str, help: String) -> WorkloadError {
        WorkloadError::File { path: self.path.clone(), what: what.into(), help }
    }

    fn csv_error(&self, error: csv::Error) -> WorkloadError {
        let line = self.line(error.position());
        match error.into_kind() {
            csv::ErrorKind::Io(source) => WorkloadError::Io { path: self.path.clone(), source },
            csv::ErrorKind::Utf8 { err, .. } => WorkloadError::Row {
                path: self.path.clone(),
                line,
                what: format!("the row is not UTF-8 text: {err}"),
                help: "unpack the file if it is compressed, or convert it to UTF-8".into(),
            },
            kind => WorkloadError::Row {
                path: self.path.clone(),
                line,
                what: format!("the row cannot be read: {kind:?}"),
                help: "check that the file is comma-separated text".into(),
            },
        }
    }

    /// The file and its SHA-256 (lower-case hex), once every row was read.
    pub(super) fn finish(self) -> (PathBuf, String) {
        let digest = self.reader.into_inner().hash.finalize();
        (self.path, digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn table(content: &[u8]) -> (tempfile::NamedTempFile, Result<Table, WorkloadError>) {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
        file.write_all(content).expect("a temporary file can be written");
        let opened = Table::open(file.path());
        (file, opened)
    }

    #[test]
    fn crlf_blanks_blank_lines_a_byte_order_mark_and_a_missing_final_newline_are_fine() {
        let (_file, opened) = table(b"\xef\xbb\xbfa, b\r\n1, 2.0\r\n\r\n3,4");
        let mut t = opened.expect("the file is fine");
        let (a, b) = (t.column("a").expect("there is an a"), t.column("b").expect("there is a b"));
        assert!(t.next_row().expect("row 1 is fine"));
        assert_eq!((t.count(a).ok(), t.count(b).ok(), t.line(t.row.position())), (Some(1), Some(2), 2));
        assert!(t.next_row().expect("row 2 is fine"));
        assert_eq!((t.number(a).ok(), t.number(b).ok(), t.line(t.row.position())), (Some(3.0), Some(4.0), 4));
        assert!(!t.next_row().expect("the end is fine"));
    }

    #[test]
    fn the_digest_is_that_of_the_bytes_on_disk() {
        let (_file, opened) = table(b"abc\n");
        let mut t = opened.expect("the file is fine");
        while t.next_row().expect("there are no rows") {}
        // printf 'abc\n' | sha256sum
        assert_eq!(t.finish().1, "edeaaff3f1774ad2888673770c6d64097e391bc362d7d6fb34982ddf0efd18cb");
    }

    #[test]
    fn an_empty_file_and_a_compressed_file_are_refused() {
        assert!(matches!(table(b"").1, Err(WorkloadError::File { .. })));
        assert!(matches!(table(b"\x1f\x8b\x08\xff\xfe,\n").1, Err(WorkloadError::Row { .. })));
    }

    #[test]
    fn a_wrong_cell_is_named_with_file_line_column_value_and_remedy() {
        for wrong in ["-1", "NaN", "inf", "", "x", "1e999"] {
            let (file, opened) = table(format!("a,b\n1,1\n1,{wrong}\n").as_bytes());
            let mut t = opened.expect("the header is fine");
            assert!(t.next_row().expect("row 1 is fine") && t.next_row().expect("row 2 has both fields"));
            for error in [t.number(1).map(drop), t.count(1).map(drop)] {
                let text = error.expect_err("the cell is wrong").to_string();
                assert!(text.contains("line 3") && text.contains("column b"), "{text}");
                assert!(text.contains(&format!("`{wrong}`")) && text.contains("help: correct"), "{text}");
                assert!(text.contains(&file.path().display().to_string()), "{text}");
            }
        }
    }

    #[test]
    fn a_row_with_too_few_or_too_many_fields_is_an_error_that_names_its_line() {
        for (content, hint) in [("a,b\n1,1\n2", "truncated"), ("a,b\n1,1\n2,3,4\n", "surplus")] {
            let mut t = table(content.as_bytes()).1.expect("the header is fine");
            assert!(t.next_row().expect("row 1 is fine"));
            let text = t.next_row().expect_err("row 2 is wrong").to_string();
            assert!(text.contains("line 3") && text.contains(hint), "{text}");
        }
    }
}
