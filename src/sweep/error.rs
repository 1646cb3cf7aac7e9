//! Why a sweep stops as a whole; a run that fails is a row, not an error.

use std::path::PathBuf;

use crate::report::ReportError;
use crate::scenario::{Look, Report, ScenarioError};

/// Why a sweep, or a merge of its parts, fails.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The file of the sweep cannot be read.
    #[error("cannot read the sweep {}: {source}\n  help: check the path; sweeps that come with sim are in scenarios/sweeps/", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file of the sweep is wrong: every problem with its place.
    #[error("{0}")]
    Problems(Box<Report>),
    /// The scenario is wrong, or every point of it.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The results cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The folder has runs already.
    #[error("{} has {runs} runs of an earlier sweep\n  help: --resume goes on with them, --overwrite throws them away, --out FOLDER leaves them alone", folder.display())]
    HasRuns {
        /// The results folder.
        folder: PathBuf,
        /// How many.
        runs: usize,
    },
    /// The folder holds something else.
    #[error("{} exists and is not the result of a sweep\n  help: choose another place with --out, or move it away", folder.display())]
    Taken {
        /// The results folder.
        folder: PathBuf,
    },
    /// Another process works in the folder.
    #[error("another sim works in {}{}\n  help: wait for it to end, or choose another place with --out", folder.display(), by.as_deref().map_or(String::new(), |by| format!(" ({by})")))]
    Busy {
        /// What is locked.
        folder: PathBuf,
        /// Who said that it holds the lock.
        by: Option<String>,
    },
    /// A journal has a line that no sweep wrote.
    #[error("{}:{line}: {what}\n  help: the file was changed by something else; move it away, and its runs run again with --resume", path.display())]
    Journal {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// The parts do not belong together, or not all is there.
    #[error("{0}")]
    Parts(String),
    /// What the command line asks for cannot be.
    #[error("{0}")]
    Usage(String),
}

impl SweepError {
    /// The whole message, drawn for the given output.
    pub fn render(&self, look: Look) -> String {
        match self {
            Self::Problems(report) => report.render(look),
            Self::Scenario(error) => error.render(look),
            other => other.to_string(),
        }
    }

    /// A file or folder that cannot be read or written.
    pub(super) fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Report(ReportError::Io { path, source })
    }
}
