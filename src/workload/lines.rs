//! Splits a plain CSV file into rows and cells, without copying. Rows with quotes go through the csv crate.

use std::io::Read;

const CHUNK: usize = 1 << 18;

/// The lines of a file, with their numbers.
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Unread bytes are `buffer[start..end]`.
    start: usize,
    end: usize,
    /// The line handed out last.
    last: (usize, usize),
    /// Its number, from 1.
    pub line: u64,
    ended: bool,
}

/// The cells of one row: where each begins and ends in the line.
#[derive(Debug, Default)]
pub(super) struct Cells {
    ends: Vec<(u32, u32)>,
    /// The row's text if it had to be unquoted.
    unquoted: Option<csv::ByteRecord>,
}

impl<R: Read> Lines<R> {
    pub fn new(reader: R) -> Self {
        Self { reader, buffer: vec![0; CHUNK], start: 0, end: 0, last: (0, 0), line: 0, ended: false }
    }

    pub fn reader(&self) -> &R {
        &self.reader
    }

    /// The next line that is not blank, without its end; `None` at the end of the file.
    pub fn next(&mut self) -> std::io::Result<Option<&[u8]>> {
        loop {
            let Some((from, to)) = self.find()? else { return Ok(None) };
            self.line += 1;
            let line = &self.buffer[from..to];
            let length = if line.last() == Some(&b'\r') { line.len() - 1 } else { line.len() };
            if length > 0 && !line[..length].iter().all(u8::is_ascii_whitespace) {
                self.last = (from, from + length);
                return Ok(Some(&self.buffer[from..from + length]));
            }
        }
    }

    /// The line handed out last, and its number.
    #[inline]
    pub fn current(&self) -> (&[u8], u64) {
        (&self.buffer[self.last.0..self.last.1], self.line)
    }

    fn find(&mut self) -> std::io::Result<Option<(usize, usize)>> {
        let mut searched = self.start;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[searched..self.end]) {
                let found = (self.start, searched + at);
                self.start = found.1 + 1;
                return Ok(Some(found));
            }
            searched = self.end;
            if self.ended {
                let found = (self.start, self.end);
                self.start = self.end;
                return Ok((found.0 < found.1).then_some(found));
            }
            // Room for more: move what is unread to the front, and grow only for a line longer than the buffer.
            self.buffer.copy_within(self.start..self.end, 0);
            searched -= self.start;
            self.end -= self.start;
            self.start = 0;
            if self.end == self.buffer.len() {
                self.buffer.resize(2 * self.buffer.len(), 0);
            }
            let n = self.reader.read(&mut self.buffer[self.end..])?;
            self.end += n;
            self.ended = n == 0;
        }
    }
}

impl Cells {
    /// Finds the cells of a line. A quoted cell must end on its line.
    pub fn split(&mut self, line: &[u8]) -> Result<(), String> {
        self.ends.clear();
        self.unquoted = None;
        let mut from = 0u32;
        for (at, &byte) in line.iter().enumerate() {
            if byte == b',' {
                self.ends.push((from, at as u32));
                from = at as u32 + 1;
            } else if byte == b'"' {
                return self.unquote(line);
            }
        }
        self.ends.push((from, line.len() as u32));
        Ok(())
    }

    #[cold]
    fn unquote(&mut self, line: &[u8]) -> Result<(), String> {
        self.ends.clear();
        let quotes = line.iter().filter(|&&b| b == b'"').count();
        if quotes % 2 == 1 {
            return Err("a quoted cell does not end on its line".to_owned());
        }
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line);
        let record = reader.byte_records().next().transpose().map_err(|e| e.to_string())?;
        self.unquoted = record;
        Ok(())
    }

    /// How many cells the row has.
    pub fn len(&self) -> usize {
        self.unquoted.as_ref().map_or(self.ends.len(), csv::ByteRecord::len)
    }

    /// One cell of the line that was split last.
    #[inline]
    pub fn get<'a>(&'a self, line: &'a [u8], at: usize) -> Option<&'a [u8]> {
        match &self.unquoted {
            None => self.ends.get(at).map(|&(from, to)| &line[from as usize..to as usize]),
            Some(record) => record.get(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_whatever_the_line_end_and_numbered_as_an_editor_does() {
        let mut lines = Lines::new(&b"a,b\r\n\r\n  \nc\nlast"[..]);
        let mut got = Vec::new();
        while let Some(line) = lines.next().expect("readable") {
            let text = String::from_utf8_lossy(line).into_owned();
            got.push((lines.line, text));
        }
        assert_eq!(got, [(1, "a,b".to_owned()), (4, "c".to_owned()), (5, "last".to_owned())]);
    }

    #[test]
    fn a_line_longer_than_the_buffer_is_read_whole() {
        let text = format!("x\n{}\ny", "z".repeat(3 * CHUNK));
        let mut lines = Lines::new(text.as_bytes());
        let mut lengths = Vec::new();
        while let Some(line) = lines.next().expect("readable") {
            lengths.push(line.len());
        }
        assert_eq!(lengths, [1, 3 * CHUNK, 1]);
    }

    #[test]
    fn quoted_cells_are_unquoted_and_an_open_quote_is_an_error() {
        let mut cells = Cells::default();
        let line = br#"1,"a, ""b""",3"#;
        cells.split(line).expect("a right line");
        assert_eq!((cells.len(), cells.get(line, 1)), (3, Some(&br#"a, "b""#[..])));
        assert!(cells.split(br#"1,"a"#).is_err());
        let plain = b"1,,";
        cells.split(plain).expect("empty cells are cells");
        assert_eq!((cells.len(), cells.get(plain, 2)), (3, Some(&b""[..])));
    }
}
