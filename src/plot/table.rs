//! A CSV table of a result, by the names of its columns.

use std::path::{Path, PathBuf};

use super::error::PlotError;

/// A table in memory.
#[derive(Debug)]
pub struct Table {
    pub path: PathBuf,
    pub header: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    /// Reads a file.
    ///
    /// # Errors
    /// It is absent or damaged.
    pub fn read(path: &Path) -> Result<Self, PlotError> {
        let failed = |e: csv::Error| match e.kind() {
            csv::ErrorKind::Io(io) if io.kind() == std::io::ErrorKind::NotFound => {
                let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
                PlotError::lacks(format!("the result has no {name}"), format!("{} would hold it", path.display()))
            }
            _ => PlotError::table(path, e),
        };
        let mut reader = csv::Reader::from_path(path).map_err(failed)?;
        let header = reader.headers().map_err(failed)?.iter().map(str::to_owned).collect();
        let rows = reader.records().collect::<Result<_, _>>().map_err(failed)?;
        Ok(Self { path: path.to_owned(), header, rows })
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn find(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|h| h == name)
    }

    /// The number of a column.
    ///
    /// # Errors
    /// It is missing.
    pub fn column(&self, name: &str) -> Result<usize, PlotError> {
        self.find(name).ok_or_else(|| PlotError::table(&self.path, format!("column {name} is missing")))
    }

    pub fn text(&self, row: usize, column: usize) -> &str {
        self.rows[row].get(column).unwrap_or_default()
    }

    /// A number; undefined where the cell is empty.
    ///
    /// # Errors
    /// The cell holds something else.
    pub fn number(&self, row: usize, column: usize) -> Result<f64, PlotError> {
        match self.text(row, column) {
            "" => Ok(f64::NAN),
            text => text.parse().map_err(|_| {
                let what = format!("\"{text}\" in row {}, column {} is no number", row + 2, self.header[column]);
                PlotError::table(&self.path, what)
            }),
        }
    }

    /// All numbers of a column.
    ///
    /// # Errors
    /// The column is missing or a cell holds something else.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>, PlotError> {
        let column = self.column(name)?;
        (0..self.len()).map(|row| self.number(row, column)).collect()
    }
}
