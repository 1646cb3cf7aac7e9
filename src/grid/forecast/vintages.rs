//! Files of forecasts as they were issued: a set of vintages, each with its own idea of the hours to come.

use std::path::Path;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::grid::csv::{describe, hex, line_of, parse_stamp};
use crate::grid::{GridError, RowProblem};

const DAY_NS: i128 = 86_400_000_000_000;
const MODEL: &str = "replay";

/// Which columns of a file are read, and what they mean.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub time: String,
    pub value: String,
    /// When a row's forecast was issued.
    pub issued: Issued,
    /// What a value is multiplied by to be in g/kWh.
    pub factor: f64,
    /// Whether stamps without zone are UTC.
    pub naive_is_utc: bool,
    /// The longest a value holds \[ns\].
    pub longest_step: i64,
}

/// How the instant of issue is known.
#[derive(Debug, Clone)]
pub(super) enum Issued {
    /// By a column.
    Column(String),
    /// All values of a UTC day are issued this long before it begins \[ns\].
    BeforeDay(i64),
}

/// All vintages of a file, in order of issue.
#[derive(Debug, Default)]
pub(super) struct Vintages {
    issues: Vec<Issue>,
    /// The values of all vintages, one after the other.
    steps: Vec<Value>,
}

/// One vintage.
#[derive(Debug)]
struct Issue {
    /// When it is issued [ns from the run's start].
    at: i64,
    /// Its first value.
    first: usize,
    /// The latest end of this vintage and all before it.
    reach: i64,
}

#[derive(Debug, Clone, Copy)]
struct Value {
    from: i64,
    to: i64,
    g_per_kwh: f64,
}

impl Vintages {
    /// Reads a file for a run that starts at `start_utc`; also the SHA-256 of its text.
    ///
    /// Errors: an unreadable file, a header without the columns, a row that cannot be used, vintages or their rows out of order.
    pub(super) fn read(path: &Path, columns: &Columns, start_utc: Timestamp) -> Result<(Self, String), GridError> {
        let file = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|source| GridError::Read { file: file.clone(), source })?;
        Ok((Self::parse(&bytes, &file, columns, start_utc)?, hex(&Sha256::digest(&bytes))))
    }

    pub(super) fn parse(text: &[u8], file: &str, columns: &Columns, start: Timestamp) -> Result<Self, GridError> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .comment(Some(b'#'))
            .trim(::csv::Trim::All)
            .from_reader(text);
        let mut record = ::csv::StringRecord::new();
        let mut places: Option<Places> = None;
        let mut vintages = Vintages::default();
        let mut before: Option<(Timestamp, Timestamp)> = None;
        loop {
            let more = reader.read_record(&mut record).map_err(|e| {
                let line = e.position().map_or(0, |p| line_of(text, p));
                let problem = RowProblem::Unreadable(describe(e.kind()));
                GridError::Row { file: file.into(), line, problem }
            })?;
            if !more {
                break;
            }
            let Some(places) = &places else {
                places = Some(Places::find(&record, file, columns)?);
                continue;
            };
            let at_line = |problem: RowProblem| {
                let line = record.position().map_or(0, |p| line_of(text, p));
                GridError::Row { file: file.into(), line, problem }
            };
            let (issued, time, value) = places.row(&record, columns).map_err(at_line)?;
            match before {
                Some((i, t)) if i == issued && t == time => return Err(at_line(RowProblem::Duplicate(time))),
                Some((i, t)) if i == issued && t > time => return Err(at_line(RowProblem::Unsorted(time, t))),
                Some((i, _)) if i > issued => return Err(at_line(RowProblem::Unsorted(issued, i))),
                _ => {}
            }
            let long =
                || GridError::Forecast { model: MODEL, what: format!("{file} spans more than 292 years; cut it") };
            let relative = |t: Timestamp| {
                i64::try_from(t.as_nanosecond() - start.as_nanosecond()).ok().filter(|ns| ns.abs() < i64::MAX / 4)
            };
            let (at, from) = (relative(issued).ok_or_else(long)?, relative(time).ok_or_else(long)?);
            if before.is_none_or(|(i, _)| i != issued) {
                vintages.issues.push(Issue { at, first: vintages.steps.len(), reach: i64::MIN });
            }
            before = Some((issued, time));
            // An empty cell is a row all the same: it ends the one before, and is taken out below.
            vintages.steps.push(Value { from, to: from, g_per_kwh: value.unwrap_or(f64::NAN) });
        }
        if places.is_none() {
            return Err(columns.wrong_header(file, &::csv::StringRecord::new()));
        }
        vintages.close(columns.longest_step);
        Ok(vintages)
    }

    /// Gives every value its end: the next one of its vintage, the last as long as the one before it, never longer than `longest`.
    /// Empty cells are dropped then.
    fn close(&mut self, longest: i64) {
        let mut kept: Vec<Value> = Vec::with_capacity(self.steps.len());
        let mut reach = i64::MIN;
        for i in 0..self.issues.len() {
            let until = self.issues.get(i + 1).map_or(self.steps.len(), |next| next.first);
            let own = &mut self.steps[self.issues[i].first..until];
            let mut length = longest;
            for j in 0..own.len() {
                length = own.get(j + 1).map_or(length, |next| (next.from - own[j].from).min(longest));
                own[j].to = own[j].from + length;
            }
            self.issues[i].first = kept.len();
            kept.extend(own.iter().filter(|v| !v.g_per_kwh.is_nan()));
            reach = own.iter().filter(|v| !v.g_per_kwh.is_nan()).map(|v| v.to).fold(reach, i64::max);
            self.issues[i].reach = reach;
        }
        self.steps = kept;
    }

    /// What the newest vintage that is out at `now` and covers `t` says: the value and until when; or, if none does, until when none
    /// does.
    pub(super) fn newest(&self, now: i64, t: i64) -> Result<(i64, f64), i64> {
        let mut until = i64::MAX;
        let out = self.issues.partition_point(|issue| issue.at <= now);
        for i in (0..out).rev() {
            let issue = &self.issues[i];
            if issue.reach <= t {
                break;
            }
            let last = self.issues.get(i + 1).map_or(self.steps.len(), |next| next.first);
            let own = &self.steps[issue.first..last];
            let next = own.partition_point(|v| v.from <= t);
            if let Some(v) = next.checked_sub(1).map(|j| own[j]).filter(|v| v.to > t) {
                return Ok((v.to.min(until), v.g_per_kwh));
            }
            until = own.get(next).map_or(until, |v| until.min(v.from));
        }
        Err(until)
    }

    /// How many vintages there are.
    pub(super) fn len(&self) -> usize {
        self.issues.len()
    }
}

impl Columns {
    fn wrong_header(&self, file: &str, found: &::csv::StringRecord) -> GridError {
        let issued = match &self.issued {
            Issued::Column(name) => format!("`{name}`, "),
            Issued::BeforeDay(_) => String::new(),
        };
        let wanted = format!("columns {issued}`{}` and `{}`", self.time, self.value);
        GridError::Header { file: file.into(), found: found.iter().collect::<Vec<_>>().join(","), wanted }
    }
}

/// Where the cells of a row stand.
struct Places {
    cells: usize,
    issued: Option<usize>,
    time: usize,
    value: usize,
}

impl Places {
    fn find(record: &::csv::StringRecord, file: &str, columns: &Columns) -> Result<Self, GridError> {
        let at = |name: &str| {
            let found = record.iter().position(|cell| cell.eq_ignore_ascii_case(name));
            found.ok_or_else(|| columns.wrong_header(file, record))
        };
        let issued = match &columns.issued {
            Issued::Column(name) => Some(at(name)?),
            Issued::BeforeDay(_) => None,
        };
        Ok(Places { cells: record.len(), issued, time: at(&columns.time)?, value: at(&columns.value)? })
    }

    /// When issued, for when, and the value [g/kWh], if there is one.
    fn row(
        &self,
        record: &::csv::StringRecord,
        columns: &Columns,
    ) -> Result<(Timestamp, Timestamp, Option<f64>), RowProblem> {
        if record.len() != self.cells {
            return Err(RowProblem::Cells { found: record.len(), wanted: self.cells });
        }
        let stamp = |place: usize, name: &str| match &record[place] {
            "" => Err(RowProblem::Empty(name.to_owned())),
            cell => parse_stamp(cell, columns.naive_is_utc),
        };
        let time = stamp(self.time, &columns.time)?;
        let issued = match (&columns.issued, self.issued) {
            (Issued::Column(name), Some(place)) => stamp(place, name)?,
            (Issued::BeforeDay(lead), _) => {
                let midnight = time.as_nanosecond().div_euclid(DAY_NS) * DAY_NS;
                let issued = Timestamp::from_nanosecond(midnight - i128::from(*lead));
                issued.map_err(|_| RowProblem::Stamp(record[self.time].into()))?
            }
            (Issued::Column(_), None) => unreachable!("the column was found in the header"),
        };
        let cell = &record[self.value];
        if cell.is_empty() || cell.eq_ignore_ascii_case("nan") || cell.eq_ignore_ascii_case("null") {
            return Ok((issued, time, None));
        }
        let number = cell.parse::<f64>().map_err(|_| RowProblem::Number(format!("{cell:?} is no number [g/kWh]")))?;
        let value = number * columns.factor;
        if value.is_finite() { Ok((issued, time, Some(value))) } else { Err(RowProblem::NotFinite(value)) }
    }
}
