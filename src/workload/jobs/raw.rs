//! Jobs as a source has them, before slack, estimates and accounts: what all sources hand over.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::super::WorkloadError;
use super::super::files::Text;
use crate::types::{Memory, RegionId};

/// No time in a job list is longer than this, about 100 years \[s\].
pub(super) const MOST_S: f64 = 3_153_600_000.0;
const NS_PER_S: f64 = 1e9;

/// One job of a source. Times are in nanoseconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Raw {
    pub name: Box<str>,
    /// Its line in the file; 0 if it was made.
    pub line: u64,
    /// Its place in the source, which names its random streams: what is left out moves no other job's.
    pub number: u64,
    /// When it would start without any shifting, since the run's start.
    pub arrival: u64,
    pub length: u64,
    /// CPU of one node [millionths of a core].
    pub cpu: Option<u64>,
    pub memory: Option<Memory>,
    pub nodes: Option<u32>,
    pub slack: Option<u64>,
    pub estimate: Option<u64>,
    /// Its place in the source's classes.
    pub class: Option<u32>,
    /// Its place in the source's tenants.
    pub tenant: Option<u32>,
    pub region: Option<RegionId>,
}

/// Names, numbered in the order in which they appear.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    pub list: Vec<Box<str>>,
    places: FxHashMap<Box<str>, u32>,
}

impl Names {
    /// The place of a name.
    pub fn of(&mut self, name: &str) -> u32 {
        if let Some(&at) = self.places.get(name) {
            return at;
        }
        let at = self.list.len() as u32;
        self.list.push(name.into());
        self.places.insert(name.into(), at);
        at
    }
}

/// All jobs of a source.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub jobs: Vec<Raw>,
    pub tenants: Names,
    pub classes: Names,
    pub path: Option<PathBuf>,
    pub notes: Vec<String>,
    pub inputs: Vec<(PathBuf, String)>,
}

impl Rows {
    /// The rows of a file.
    pub fn of(path: &Path) -> Self {
        Self { path: Some(path.to_owned()), ..Self::default() }
    }

    /// Notes a number of jobs, if there are any: `text` goes on after "3 jobs ".
    pub fn count(&mut self, count: u64, text: &str) {
        if count > 0 {
            self.notes.push(format!("{count} {} {text}", if count == 1 { "job" } else { "jobs" }));
        }
    }

    /// An error in the row of a job.
    pub fn error(&self, job: &Raw, what: String, help: &str) -> WorkloadError {
        match &self.path {
            Some(path) => WorkloadError::Row { path: path.clone(), line: job.line, what, help: help.to_owned() },
            None => WorkloadError::Spec { what: format!("job {}: {what}", job.name), help: help.to_owned() },
        }
    }
}

/// Remembers which line has which id.
#[derive(Debug, Default)]
pub(super) struct Ids(FxHashMap<Box<str>, u64>);

impl Ids {
    /// Takes the id of the current row.
    ///
    /// # Errors
    /// An earlier row has it.
    pub fn take(&mut self, text: &Text, column: &str, id: &str, line: u64) -> Result<(), WorkloadError> {
        match self.0.insert(id.into(), line) {
            None => Ok(()),
            Some(first) => Err(text.error(
                format!("{column} = \"{id}\" stands on line {first}, too"),
                "give every job an id of its own, or remove the row that is there twice",
            )),
        }
    }
}

/// Seconds of a key as nanoseconds.
pub(super) fn ns(seconds: f64) -> u64 {
    (seconds * NS_PER_S).round() as u64
}

/// Cores as millionths.
pub(super) fn micro_cores(cores: f64) -> u64 {
    (cores * 1e6).round() as u64
}

/// An error in a key of the section.
pub(super) fn wrong(what: String, help: &str) -> WorkloadError {
    WorkloadError::Spec { what, help: help.to_owned() }
}

/// Checks that a key's value is inside its range.
pub(super) fn range(key: &str, value: f64, low: f64, high: f64) -> Result<(), WorkloadError> {
    if value >= low && value <= high {
        return Ok(());
    }
    Err(wrong(format!("{key} = {value}"), &format!("write a finite number from {low} to {high}")))
}
