//! What can go wrong while a carbon-intensity signal is built, with the place and the remedy.

use super::Quantity;
use crate::types::SimTime;

/// A signal could not be built. Messages are lower-case and fit after "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum GridError {
    /// A zone that the embedded typical days do not hold.
    #[error("unknown grid zone {zone:?}{hint}; known zones: {known}")]
    UnknownZone {
        /// The name that was asked for.
        zone: String,
        /// `; did you mean "…"?`, or nothing.
        hint: String,
        /// All known zones, separated by commas.
        known: String,
    },
    /// A value that is not finite or is below zero.
    #[error(
        "carbon intensity of zone {zone} is {value} g/kWh in interval {index}; every value must be finite and >= 0 \
         (convert units on import, and fill gaps before)"
    )]
    BadValue {
        /// The signal's zone.
        zone: String,
        /// Position of the interval, from 0.
        index: usize,
        /// The value found [g/kWh].
        value: f64,
    },
    /// Interval starts that do not increase strictly, or an end that is not after the last start.
    #[error("breakpoints of zone {zone} do not increase at interval {index}; sort them and drop duplicates")]
    NotIncreasing {
        /// The signal's zone.
        zone: String,
        /// Position of the first interval that has no positive length, from 0.
        index: usize,
    },
    /// No interval, or as many values as starts are needed and are not there.
    #[error("signal of zone {zone} has {starts} interval starts and {values} values; give as many, at least one")]
    Shape {
        /// The signal's zone.
        zone: String,
        /// Number of starts.
        starts: usize,
        /// Number of values.
        values: usize,
    },
    /// The run's start lies outside the signal.
    #[error(
        "signal of zone {zone} covers {first} to {end} but the run starts at {run_start}; move the scenario's start \
         into that span or give another file"
    )]
    StartNotCovered {
        /// The signal's zone, and its file where it has one.
        zone: String,
        /// First covered instant.
        first: String,
        /// First instant that is no longer covered.
        end: String,
        /// The run's start.
        run_start: String,
    },
    /// The signal ends before the run does.
    #[error(
        "signal of zone {zone} ends {} s after the run's start but the run needs {} s; stop the run there \
         (time.duration_s), give a longer file, or choose what lies past the end: past_end = \"error\" (chosen, refuses), \
         \"repeat\" (the last whole days again) or \"hold\" (the last value)",
        signal_end.as_secs_f64(), run_end.as_secs_f64()
    )]
    EndsEarly {
        /// The signal's zone.
        zone: String,
        /// End of the signal.
        signal_end: SimTime,
        /// End that is needed.
        run_end: SimTime,
    },
    /// The time span does not fit: calendar past the year 9999, or more than 292 years of simulated time.
    #[error("time span of zone {zone} is too long: {what}; shorten the run or move its start")]
    SpanTooLong {
        /// The signal's zone.
        zone: String,
        /// What did not fit.
        what: String,
    },
    /// A file that cannot be read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// The file.
        file: String,
        /// What the operating system or the CSV reader said.
        source: std::io::Error,
    },
    /// A header other than the expected one.
    #[error("{file}:1: unknown header {found:?}; expected {wanted}")]
    Header {
        /// The file.
        file: String,
        /// The header found.
        found: String,
        /// The columns that are needed.
        wanted: String,
    },
    /// A file of another quantity that does not cover the run.
    #[error("{file}: {what}")]
    Span {
        /// The file.
        file: String,
        /// What it covers and what is needed.
        what: String,
    },
    /// A column of values whose unit is not said.
    #[error(
        "signal of zone {zone} reads the column `{column}` and does not say its unit; add unit = \"g-per-kwh\", \"lb-per-mwh\" or \
         \"g-per-mj\" (nothing is guessed)"
    )]
    NoUnit {
        /// The signal's zone.
        zone: String,
        /// The column.
        column: String,
    },
    /// A row that cannot be used.
    #[error("{file}:{line}: {problem}")]
    Row {
        /// The file.
        file: String,
        /// Line, counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: RowProblem,
    },
    /// Fewer than two rows: the step, and so the end of the last interval, is unknown.
    #[error(
        "{file}: {rows} data row(s); at least two are needed, because the last interval is as long as the one before"
    )]
    TooFewRows {
        /// The file.
        file: String,
        /// Rows found.
        rows: usize,
    },
    /// A file of another provider that cannot be imported.
    #[error(transparent)]
    Import(#[from] Box<super::import::ImportError>),
    /// A forecast that cannot be made.
    #[error("forecast {model}: {what}")]
    Forecast {
        /// The model.
        model: &'static str,
        /// What is wrong, and what to do.
        what: String,
    },
    /// Mandatory metadata left blank.
    #[error(
        "grid source of zone {zone:?} leaves `{key}` blank; say what the numbers are, results cannot be read without it"
    )]
    BlankMetadata {
        /// The signal's zone.
        zone: String,
        /// The key that is blank.
        key: &'static str,
    },
}

/// What is wrong with one row of a CSV file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RowProblem {
    /// Another number of cells than the header has.
    #[error("{found} cells, expected {wanted} as in the header")]
    Cells {
        /// How many there are.
        found: usize,
        /// How many the header has.
        wanted: usize,
    },
    /// Nothing in a cell.
    #[error("empty `{0}` cell; fill the gap or remove the row (gaps are not read as zero)")]
    Empty(String),
    /// A stamp without `Z` or offset.
    #[error("time {0:?} has no zone; append `Z` if it is UTC, or its offset such as `+01:00` (no guess is made)")]
    Naive(String),
    /// Text that is no ISO 8601 instant.
    #[error("{0:?} is no ISO 8601 instant such as `2022-01-01T00:00:00Z`")]
    Stamp(String),
    /// The same instant as in the row before.
    #[error("duplicate time {0}; keep one row per instant")]
    Duplicate(jiff::Timestamp),
    /// An instant before that of the row before.
    #[error("time {0} is earlier than {1} in the row before; sort the file by time")]
    Unsorted(jiff::Timestamp, jiff::Timestamp),
    /// Text that is no number: says which, and in what unit one is expected.
    #[error("{0}; use a decimal point, no unit and no thousands separator")]
    Number(String),
    /// NaN or infinity.
    #[error("{0} is not finite; fill the gap or remove the row")]
    NotFinite(f64),
    /// A negative value.
    #[error("{0} {unit} is negative; {name} must be >= 0", unit = .1.unit, name = .1.name)]
    Negative(f64, Box<Quantity>),
    /// A value that cannot be in the column's unit.
    #[error(
        "{0} {unit} cannot be {name}: {low} to {high} {unit} are possible; convert the unit before",
        unit = .1.unit, name = .1.name, low = .1.range.0, high = .1.range.1
    )]
    Outside(f64, Box<Quantity>),
    /// Text that is not UTF-8, or quotes that do not close.
    #[error("unreadable row: {0}")]
    Unreadable(String),
}
