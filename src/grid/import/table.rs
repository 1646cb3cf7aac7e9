//! A CSV file whose columns are found by words, since providers change their headers between exports.

use csv::StringRecord;
use jiff::Timestamp;

use super::{ImportError, Place, stamp};
use crate::grid::csv::{describe, line_of};

/// A table of text.
#[derive(Debug)]
pub(super) struct Table {
    pub file: String,
    header: Vec<String>,
    words: Vec<Vec<String>>,
    comments: String,
    pub rows: Vec<(Place, StringRecord)>,
}

/// The words of a column's name, in lower case; a subscript two is a two.
pub(super) fn words(name: &str) -> Vec<String> {
    let plain = name.to_lowercase().replace('\u{2082}', "2");
    plain.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// The text of the comment lines that a file begins with.
fn head(text: &[u8], comments: bool) -> String {
    let text = if comments { String::from_utf8_lossy(text) } else { String::new().into() };
    let lines = text.lines().take_while(|line| line.starts_with('#'));
    lines.map(|line| format!("{}\n", line.trim_start_matches('#').trim())).collect()
}

impl Table {
    /// Reads a header and rows of as many cells; empty lines and, if `comments`, those that begin with `#` are skipped.
    pub fn read(text: &[u8], file: &str, comments: bool) -> Result<Self, ImportError> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .comment(comments.then_some(b'#'))
            .trim(::csv::Trim::All)
            .from_reader(text);
        let mut table = Self {
            file: file.into(),
            header: Vec::new(),
            words: Vec::new(),
            comments: head(text, comments),
            rows: Vec::new(),
        };
        let mut record = StringRecord::new();
        loop {
            match reader.read_record(&mut record) {
                Ok(false) => break,
                Ok(true) => {}
                Err(e) => {
                    let place = Place::Line(e.position().map_or(0, |p| line_of(text, p)));
                    let what = format!("unreadable row: {}", describe(e.kind()));
                    return Err(ImportError::new(file, place, what, "save the file as UTF-8 CSV"));
                }
            }
            if table.header.is_empty() {
                table.header = record.iter().map(str::to_owned).collect();
                table.words = table.header.iter().map(|name| words(name)).collect();
                continue;
            }
            let place = Place::Line(record.position().map_or(0, |p| line_of(text, p)));
            if record.len() != table.header.len() {
                let what = format!("{} cells, but the header has {}", record.len(), table.header.len());
                return Err(ImportError::new(file, place, what, "complete or remove the row"));
            }
            table.rows.push((place, record.clone()));
        }
        Ok(table)
    }

    /// The comments above the header, without their signs.
    pub fn comments(&self) -> &str {
        &self.comments
    }

    /// The header as it stands in the file.
    pub fn header(&self) -> String {
        self.header.join(",")
    }

    /// How many columns there are.
    pub fn width(&self) -> usize {
        self.header.len()
    }

    /// A column's name.
    pub fn name(&self, at: usize) -> &str {
        &self.header[at]
    }

    /// The column whose words are exactly these.
    pub fn exact(&self, name: &str) -> Option<usize> {
        let wanted = words(name);
        self.words.iter().position(|w| *w == wanted)
    }

    /// The first column that has all of these words.
    pub fn with(&self, wanted: &[&str]) -> Option<usize> {
        self.words.iter().position(|w| wanted.iter().all(|&x| w.iter().any(|y| y == x)))
    }

    /// The column of exactly these words, which must be there.
    pub fn need(&self, name: &str) -> Result<usize, ImportError> {
        self.exact(name).ok_or_else(|| self.lacks(name))
    }

    /// The error of a column that is not there.
    pub fn lacks(&self, name: &str) -> ImportError {
        ImportError::new(
            &self.file,
            Place::Line(1),
            format!("no column `{name}`; the columns are {}", self.header()),
            "give the provider's file unchanged, or say another format",
        )
    }

    /// An error at a place.
    pub fn error(&self, place: Place, what: impl Into<String>, remedy: impl Into<String>) -> ImportError {
        ImportError::new(&self.file, place, what, remedy)
    }

    /// The instant in a cell.
    pub fn instant(&self, place: Place, cell: &str, naive_is_utc: bool) -> Result<Timestamp, ImportError> {
        stamp::instant(cell, naive_is_utc, &self.file, place)
    }

    /// The number in a cell; empty, `null` and `NaN` are gaps.
    pub fn number(&self, place: Place, cell: &str) -> Result<Option<f64>, ImportError> {
        if ["", "null", "nan", "none", "na", "n/a"].iter().any(|gap| cell.eq_ignore_ascii_case(gap)) {
            return Ok(None);
        }
        cell.parse::<f64>().map(Some).map_err(|_| {
            let remedy = "use a decimal point, no unit and no thousands separator; leave a gap empty";
            self.error(place, format!("{cell:?} is no number"), remedy)
        })
    }

    /// The flag in a cell; an empty one says nothing.
    pub fn flag(&self, place: Place, cell: &str) -> Result<Option<bool>, ImportError> {
        match cell.to_lowercase().as_str() {
            "" | "unknown" => Ok(None),
            "true" | "1" | "yes" => Ok(Some(true)),
            "false" | "0" | "no" => Ok(Some(false)),
            _ => Err(self.error(place, format!("{cell:?} says neither true nor false"), "write true, false, 1 or 0")),
        }
    }
}
