//! Why a figure cannot be drawn.

use std::path::{Path, PathBuf};

/// Why a figure cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// The folder is no result.
    #[error("{} is no result of sim: it has neither summary.csv, compare.csv nor points.csv\n  help: give the folder that sim run or sim sweep wrote", path.display())]
    NoResult {
        /// The folder.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {what}\n  help: let sim write the result again", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// There is no such kind of figure.
    #[error("there is no figure \"{name}\"\n  help: one of {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The catalogue.
        known: String,
    },
    /// The result lacks what the figure shows.
    #[error("{what}\n  help: {help}")]
    Lacks {
        /// What it lacks.
        what: String,
        /// What to do.
        help: String,
    },
    /// The picture cannot be made.
    #[error("cannot draw: {0}\n  help: please report this with the result's folder")]
    Draw(String),
}

impl PlotError {
    pub(super) fn lacks(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Lacks { what: what.into(), help: help.into() }
    }

    pub(super) fn table(path: &Path, what: impl ToString) -> Self {
        Self::Table { path: path.to_owned(), what: what.to_string() }
    }
}
