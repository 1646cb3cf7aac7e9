//! Text files, plain or compressed with gzip, read line by line and hashed on the way; folders of numbered files.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::WorkloadError;
use super::calls_csv::Hashing;
use super::lines::{Cells, Lines};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const COMPRESSED_CHUNK: usize = 1 << 16;

/// A file's first bytes, which were looked at, and the rest: a pipe cannot be read twice.
type Stored = Hashing<io::Chain<Cursor<Vec<u8>>, File>>;

/// A file that is decompressed if it begins as a gzip file does.
enum Input {
    Plain(Stored),
    Gzip(Box<MultiGzDecoder<BufReader<Stored>>>),
}

impl Input {
    fn hashing(&self) -> &Stored {
        match self {
            Self::Plain(file) => file,
            Self::Gzip(gz) => gz.get_ref().get_ref(),
        }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(buffer),
            Self::Gzip(gz) => gz.read(buffer),
        }
    }
}

/// Where the required and the optional columns stand, and how many columns there are.
pub(super) type Header<const R: usize, const O: usize> = ([usize; R], [Option<usize>; O], usize);

/// The rows of a text file.
pub(super) struct Text {
    path: PathBuf,
    lines: Lines<Input>,
    cells: Cells,
    size: u64,
}

impl Text {
    /// Opens a file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(path: &Path) -> Result<Self, WorkloadError> {
        let io = |source| WorkloadError::Io { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        let mut magic = Vec::new();
        file.by_ref().take(GZIP_MAGIC.len() as u64).read_to_end(&mut magic).map_err(io)?;
        let is_gzip = magic == GZIP_MAGIC;
        let file = Hashing::new(Cursor::new(magic).chain(file));
        let input = if is_gzip {
            Input::Gzip(Box::new(MultiGzDecoder::new(BufReader::with_capacity(COMPRESSED_CHUNK, file))))
        } else {
            Input::Plain(file)
        };
        Ok(Self { path: path.to_owned(), lines: Lines::new(input), cells: Cells::default(), size })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next line that is not blank.
    ///
    /// # Errors
    /// The file cannot be read, or is a damaged gzip file.
    pub fn line(&mut self) -> Result<Option<&[u8]>, WorkloadError> {
        let Self { path, lines, .. } = self;
        let line = lines.line;
        let is_gzip = matches!(lines.reader(), Input::Gzip(_));
        match lines.next() {
            Ok(text) => Ok(text),
            Err(_) if is_gzip => Err(WorkloadError::File {
                path: path.clone(),
                what: format!("the gzip data are cut off or damaged after line {line}"),
                help: "download or compress the file again".to_owned(),
            }),
            Err(source) => Err(WorkloadError::Io { path: path.clone(), source }),
        }
    }

    /// Reads the next row of `width` cells; false at the end.
    ///
    /// # Errors
    /// As [`line`](Self::line), or the row has another number of cells.
    pub fn row(&mut self, width: usize) -> Result<bool, WorkloadError> {
        if self.line()?.is_none() {
            return Ok(false);
        }
        let (text, _) = self.lines.current();
        if let Err(what) = self.cells.split(text) {
            return Err(self.error(what, "close the quote, or remove it"));
        }
        if self.cells.len() != width {
            return Err(self.error(
                format!("the row has {} cells instead of {width}", self.cells.len()),
                "complete or correct the row; a file that was cut off ends like this",
            ));
        }
        Ok(true)
    }

    /// The number of the current line, from 1.
    pub fn line_number(&self) -> u64 {
        self.lines.line
    }

    /// A cell of the current row, without blanks around it.
    pub fn cell(&self, at: usize) -> &[u8] {
        let (text, _) = self.lines.current();
        self.cells.get(text, at).unwrap_or_default().trim_ascii()
    }

    /// A cell as text.
    pub fn text(&self, at: usize) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.cell(at))
    }

    /// A cell as a finite number at or above 0.
    ///
    /// # Errors
    /// It is not one; `name` is the column's.
    pub fn number(&self, at: usize, name: &str) -> Result<f64, WorkloadError> {
        self.finite(at).filter(|x| *x >= 0.0).ok_or_else(|| self.wrong(at, name, "a finite number at or above 0"))
    }

    /// A cell as a finite number.
    pub fn finite(&self, at: usize) -> Option<f64> {
        parse(self.cell(at))
    }

    /// A cell as a whole number from 0.
    ///
    /// # Errors
    /// It is not one; `name` is the column's.
    pub fn whole(&self, at: usize, name: &str) -> Result<u64, WorkloadError> {
        let text = std::str::from_utf8(self.cell(at)).unwrap_or_default();
        text.parse().map_err(|_| self.wrong(at, name, "a whole number from 0"))
    }

    /// The error that a cell of the current row is not what it should be.
    #[cold]
    pub fn wrong(&self, at: usize, name: &str, wanted: &str) -> WorkloadError {
        self.error(format!("{name} = \"{}\" is not {wanted}", self.text(at)), "correct or remove the row")
    }

    /// An error in the current row.
    #[cold]
    pub fn error(&self, what: String, help: &str) -> WorkloadError {
        WorkloadError::Row { path: self.path.clone(), line: self.lines.line, what, help: help.to_owned() }
    }

    /// The share of the file that was read, in 0..=1.
    pub fn progress(&self) -> f64 {
        if self.size == 0 { 1.0 } else { self.lines.reader().hashing().bytes() as f64 / self.size as f64 }
    }

    /// SHA-256 of the file as it is stored, once it was read to its end.
    pub fn sha256(&self) -> String {
        self.lines.reader().hashing().hex()
    }

    /// Reads the header, and finds the columns that are required and those that are optional.
    ///
    /// # Errors
    /// A required column is missing, one is unknown, or one stands there twice.
    pub fn header<const R: usize, const O: usize>(
        &mut self,
        required: [&str; R],
        optional: [&str; O],
    ) -> Result<Header<R, O>, WorkloadError> {
        let first = self.line()?.unwrap_or_default().to_vec();
        let text = String::from_utf8_lossy(&first);
        let names: Vec<&str> =
            text.trim_start_matches('\u{feff}').split(',').map(|c| c.trim().trim_matches('"')).collect();
        let all = required.iter().chain(&optional).copied().collect::<Vec<_>>().join(", ");
        let wrong = |what: String| WorkloadError::File {
            path: self.path.clone(),
            what,
            help: format!("the first line names the columns: {} are required, of {all}", required.join(", ")),
        };
        for (at, name) in names.iter().enumerate() {
            if !required.contains(name) && !optional.contains(name) {
                return Err(wrong(format!("column \"{name}\" is unknown")));
            }
            if names[..at].contains(name) {
                return Err(wrong(format!("column {name} is there twice")));
            }
        }
        let find = |name: &str| names.iter().position(|n| *n == name);
        let mut found = [0; R];
        for (slot, name) in found.iter_mut().zip(required) {
            *slot = find(name).ok_or_else(|| wrong(format!("column {name} is missing")))?;
        }
        Ok((found, optional.map(find), names.len()))
    }
}

/// Parses a finite number.
pub(super) fn parse(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.trim().parse::<f64>().ok().filter(|x| x.is_finite())
}

/// Hashes a file that is read otherwise.
pub(super) fn sha256(path: &Path) -> Result<String, WorkloadError> {
    let io = |source| WorkloadError::Io { path: path.to_owned(), source };
    let mut whole = Hashing::new(File::open(path).map_err(io)?);
    io::copy(&mut whole, &mut io::sink()).map_err(io)?;
    Ok(whole.hex())
}

/// The files of a list in its order, where a folder stands for the files in it that end in `.csv` or `.csv.gz`, ordered by
/// name with numbers compared as numbers: `file-2-of-125` comes before `file-10-of-125`.
///
/// # Errors
/// A folder cannot be read, or holds no such file.
pub(super) fn expand(base: &Path, list: &[PathBuf]) -> Result<Vec<PathBuf>, WorkloadError> {
    let mut all = Vec::new();
    for entry in list {
        let path = base.join(entry);
        if !path.is_dir() {
            all.push(path);
            continue;
        }
        let io = |source| WorkloadError::Io { path: path.clone(), source };
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(io)? {
            let file = entry.map_err(io)?.path();
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.ends_with(".csv") || name.ends_with(".csv.gz") {
                found.push(file);
            }
        }
        if found.is_empty() {
            return Err(WorkloadError::File {
                path,
                what: "the folder holds no file that ends in .csv or .csv.gz".to_owned(),
                help: "name the folder that holds the trace's files".to_owned(),
            });
        }
        found.sort_by(|a, b| natural(&a.to_string_lossy(), &b.to_string_lossy()));
        all.append(&mut found);
    }
    Ok(all)
}

/// Compares texts with runs of digits as numbers.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut x, mut y) = (a.as_bytes(), b.as_bytes());
    while let (Some(p), Some(q)) = (x.first(), y.first()) {
        if p.is_ascii_digit() && q.is_ascii_digit() {
            let digits = |s: &[u8]| s.iter().take_while(|c| c.is_ascii_digit()).count();
            let (n, m) = (digits(x), digits(y));
            let value = |s: &[u8]| s.iter().position(|&c| c != b'0').map_or(Vec::new(), |at| s[at..].to_vec());
            let (v, w) = (value(&x[..n]), value(&y[..m]));
            let order = v.len().cmp(&w.len()).then_with(|| v.cmp(&w)).then(n.cmp(&m));
            if order != Ordering::Equal {
                return order;
            }
            (x, y) = (&x[n..], &y[m..]);
        } else if p != q {
            return p.cmp(q);
        } else {
            (x, y) = (&x[1..], &y[1..]);
        }
    }
    x.len().cmp(&y.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_compared_as_numbers() {
        let mut names = ["f-10-of-125", "f-9-of-125", "f-100-of-125", "e", "f-09-of-125"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["e", "f-9-of-125", "f-09-of-125", "f-10-of-125", "f-100-of-125"]);
    }
}
