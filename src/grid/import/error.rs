//! What can go wrong while a grid file is imported, with the place and the remedy.

use std::fmt;

/// A file could not be imported. Messages are lower-case and fit after "failed to …".
#[derive(Debug, thiserror::Error)]
#[error("{file}{place}: {what}; {remedy}")]
pub struct ImportError {
    /// The file.
    pub file: String,
    /// Where in the file.
    pub place: Place,
    /// What was found.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// Where something stands in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    File,
    /// A line of a text, counted from 1.
    Line(u64),
    /// An element of a list in a JSON file, counted from 0.
    Entry(&'static str, usize),
    /// A row of a table without lines, counted from 1.
    Row(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Line(line) => write!(f, ":{line}"),
            Self::Entry(list, at) => write!(f, " at {list}[{at}]"),
            Self::Row(row) => write!(f, " in row {row}"),
        }
    }
}

impl ImportError {
    pub(in crate::grid) fn new(file: &str, place: Place, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { file: file.into(), place, what: what.into(), remedy: remedy.into() }
    }
}
