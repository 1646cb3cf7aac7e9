//! What every format's reader hands over: rows as they stand in the file, and what the format says about them.

use jiff::Timestamp;

use super::table::Table;
use super::{ImportError, Place};
use crate::grid::{SignalKind, Unit};

/// One row as it stands in the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RawRow {
    pub place: Place,
    /// Start of the interval.
    pub start: Timestamp,
    /// End of the interval, where the format says it.
    pub end: Option<Timestamp>,
    /// The value in the file's unit; `None` is a gap.
    pub value: Option<f64>,
    /// Whether the provider estimated it, where it says so.
    pub estimated: Option<bool>,
    /// When the provider last changed it, where it says so.
    pub updated: Option<Timestamp>,
}

impl RawRow {
    /// A row of which nothing but a value and its start is known.
    pub(super) fn plain(place: Place, start: Timestamp, value: Option<f64>) -> Self {
        Self { place, start, end: None, value, estimated: None, updated: None }
    }
}

/// A file as its reader found it.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub rows: Vec<RawRow>,
    /// The unit, where the file or its format says it.
    pub unit: Option<Unit>,
    /// The unit as the file writes it, where it does.
    pub unit_text: Option<String>,
    pub says: Says,
    /// Longest distance of stamps that is no gap \[ns\], where the format says it.
    pub longest_step_ns: Option<i64>,
    /// Of our own files: whether the values are drawn rather than observed, and from which seed.
    pub synthetic: Option<(bool, Option<u64>)>,
    /// What whoever imports the file should know.
    pub notes: Vec<String>,
}

impl Raw {
    /// Takes the rows of a table of which nothing but a column of starts and one of values is read.
    pub(super) fn take_plain(
        &mut self,
        table: &Table,
        (time, value): (usize, usize),
        naive_is_utc: bool,
    ) -> Result<(), ImportError> {
        for (place, cells) in &table.rows {
            let start = table.instant(*place, &cells[time], naive_is_utc)?;
            self.rows.push(RawRow::plain(*place, start, table.number(*place, &cells[value])?));
        }
        Ok(())
    }
}

/// What a format documents, or the file says, about its numbers.
#[derive(Debug, Default, Clone)]
pub(super) struct Says {
    pub zone: Option<String>,
    pub kind: Option<SignalKind>,
    pub factor_basis: Option<String>,
    pub boundary: Option<String>,
    pub source: Option<String>,
    pub licence: Option<String>,
    pub dataset_version: Option<String>,
}
