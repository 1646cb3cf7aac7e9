//! CSV files of a time and a carbon intensity: `time_utc,g_per_kwh`, or two named columns of a wider table in a stated unit.
//! Rows are read and checked first, a signal is built from rows afterwards, so that other formats bring only a reader of rows.

use std::path::Path;

use jiff::tz::Offset;
use jiff::{Timestamp, civil};
use sha2::{Digest, Sha256};

use super::{GridError, RowProblem, Signal, SignalInfo};

/// What the values of a file are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    /// The column's usual name, with the unit in it.
    pub column: &'static str,
    /// What it is, in messages.
    pub name: &'static str,
    /// Its unit, in messages.
    pub unit: &'static str,
    /// The lowest and the highest value there can be: what lies outside is in another unit.
    pub range: (f64, f64),
}

impl Quantity {
    /// Carbon intensity, never negative.
    pub const INTENSITY: Quantity =
        Quantity { column: "g_per_kwh", name: "carbon intensity", unit: "g/kWh", range: (0.0, f64::INFINITY) };
    /// Price of electricity in the currency of the scenario, negative or not.
    pub const PRICE: Quantity = Quantity {
        column: "price_per_mwh",
        name: "a price",
        unit: "currency/MWh",
        range: (f64::NEG_INFINITY, f64::INFINITY),
    };
    /// Outdoor air. The coldest and the hottest air ever measured lie inside (-89.2 and 56.7 °C, World Meteorological
    /// Organization), kelvins and a summer's degrees Fahrenheit outside.
    pub const TEMPERATURE: Quantity =
        Quantity { column: "temperature_c", name: "a temperature", unit: "°C", range: (-90.0, 60.0) };
}

/// Which columns of a file are read, and in what unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Name of the column of times.
    pub time: String,
    /// Name of the column of values.
    pub value: String,
    /// What the values are.
    pub quantity: Quantity,
    /// What a value is multiplied by to be in the quantity's unit.
    pub factor: f64,
    /// Whether the file has other columns, which are passed over.
    pub wider: bool,
    /// Whether stamps without zone are UTC; otherwise they are refused.
    pub naive_is_utc: bool,
}

impl Default for Layout {
    /// `time_utc,g_per_kwh` and nothing else.
    fn default() -> Self {
        Layout::of(Quantity::INTENSITY)
    }
}

impl Layout {
    /// `time_utc` and the quantity's column, and nothing else.
    pub fn of(quantity: Quantity) -> Self {
        let (time, value) = ("time_utc".into(), quantity.column.into());
        Self { time, value, quantity, factor: 1.0, wider: false, naive_is_utc: false }
    }
}

/// One value of a series and the instant from which it holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Start of the interval.
    pub time: Timestamp,
    /// The value, finite and inside the quantity's range; carbon intensity in g/kWh.
    pub value: f64,
}

/// A signal from a CSV file, for a run that starts at `start_utc`. `info` says what the numbers are; its step and hash are
/// filled in here. The signal ends where the file does: continue it with [`Signal::extend_to`].
///
/// Errors: those of [`parse_rows`] and [`signal_from_rows`], and a file that cannot be read.
pub fn read_csv(path: &Path, layout: &Layout, start_utc: Timestamp, mut info: SignalInfo) -> Result<Signal, GridError> {
    let (rows, file, sha256) = read_rows(path, layout)?;
    info.sha256 = Some(sha256);
    signal_from_rows(&rows, &file, start_utc, info)
}

/// The rows of a CSV file, its name for messages, and the SHA-256 of its text.
///
/// Errors: those of [`parse_rows`], and a file that cannot be read.
pub(super) fn read_rows(path: &Path, layout: &Layout) -> Result<(Vec<Row>, String, String), GridError> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|source| GridError::Read { file: file.clone(), source })?;
    Ok((parse_rows(&bytes, &file, layout)?, file, hex(&Sha256::digest(&bytes))))
}

/// The rows of a CSV text with the header of `layout` (any case), ISO 8601 instants with `Z` or offset that increase strictly,
/// and numbers in the layout's unit. Lines that begin with `#` and empty lines are skipped. `file` is for messages.
///
/// Errors: another header; and with the line's number: another count of cells, an empty cell, a stamp without zone, an
/// unreadable stamp or number, NaN or infinity, a number outside the quantity's range, a duplicate or earlier instant.
pub fn parse_rows(text: &[u8], file: &str, layout: &Layout) -> Result<Vec<Row>, GridError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(::csv::Trim::All)
        .from_reader(text);
    let mut rows: Vec<Row> = Vec::new();
    let mut header: Option<Header<'_>> = None;
    let mut record = ::csv::StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(e) => {
                let line = e.position().map_or(0, |p| line_of(text, p));
                return Err(match e.into_kind() {
                    ::csv::ErrorKind::Io(source) => GridError::Read { file: file.into(), source },
                    kind => {
                        GridError::Row { file: file.into(), line, problem: RowProblem::Unreadable(describe(&kind)) }
                    }
                });
            }
        }
        let Some(header) = &header else {
            header = Some(Header::find(&record, layout).ok_or_else(|| wrong_header(file, &record, layout))?);
            continue;
        };
        rows.push(header.row(&record, rows.last()).map_err(|problem| {
            let line = record.position().map_or(0, |p| line_of(text, p));
            GridError::Row { file: file.into(), line, problem }
        })?);
    }
    if header.is_none() {
        return Err(wrong_header(file, &::csv::StringRecord::new(), layout));
    }
    Ok(rows)
}

fn wrong_header(file: &str, record: &::csv::StringRecord, layout: &Layout) -> GridError {
    let Layout { time, value, wider, .. } = layout;
    let wanted = if *wider { format!("columns `{time}` and `{value}`") } else { format!("exactly `{time},{value}`") };
    GridError::Header { file: file.into(), found: record.iter().collect::<Vec<_>>().join(","), wanted }
}

/// Where the cells of a row stand.
struct Header<'a> {
    layout: &'a Layout,
    cells: usize,
    time: usize,
    value: usize,
}

impl<'a> Header<'a> {
    fn find(record: &::csv::StringRecord, layout: &'a Layout) -> Option<Self> {
        let at = |name: &str| record.iter().position(|cell| cell.eq_ignore_ascii_case(name));
        let header = Self { layout, cells: record.len(), time: at(&layout.time)?, value: at(&layout.value)? };
        (layout.wider || (header.cells, header.time, header.value) == (2, 0, 1)).then_some(header)
    }

    /// One row, checked by itself and against the one before.
    fn row(&self, record: &::csv::StringRecord, before: Option<&Row>) -> Result<Row, RowProblem> {
        let Layout { time: time_name, value: value_name, factor, naive_is_utc, quantity, .. } = self.layout;
        if record.len() != self.cells {
            return Err(RowProblem::Cells { found: record.len(), wanted: self.cells });
        }
        let (stamp, number) = (&record[self.time], &record[self.value]);
        if let Some((_, column)) = [(stamp, time_name), (number, value_name)].iter().find(|(cell, _)| cell.is_empty()) {
            return Err(RowProblem::Empty((*column).clone()));
        }
        let time = parse_stamp(stamp, *naive_is_utc)?;
        let value: f64 = number
            .parse::<f64>()
            .map_err(|_| RowProblem::Number(format!("{number:?} is no number [{}]", quantity.unit)))?
            * factor;
        if !value.is_finite() {
            return Err(RowProblem::NotFinite(value));
        }
        if value < 0.0 && quantity.range.0 == 0.0 {
            return Err(RowProblem::Negative(value, Box::new(*quantity)));
        }
        if value < quantity.range.0 || value > quantity.range.1 {
            return Err(RowProblem::Outside(value, Box::new(*quantity)));
        }
        match before {
            Some(b) if b.time == time => Err(RowProblem::Duplicate(time)),
            Some(b) if b.time > time => Err(RowProblem::Unsorted(time, b.time)),
            _ => Ok(Row { time, value }),
        }
    }
}

/// An ISO 8601 instant; one without zone only where it is known to be UTC.
pub(super) fn parse_stamp(stamp: &str, naive_is_utc: bool) -> Result<Timestamp, RowProblem> {
    match (stamp.parse::<Timestamp>(), stamp.parse::<civil::DateTime>()) {
        (Ok(time), _) => Ok(time),
        (Err(_), Ok(naive)) if naive_is_utc => {
            Offset::UTC.to_timestamp(naive).map_err(|_| RowProblem::Stamp(stamp.into()))
        }
        (Err(_), Ok(_)) => Err(RowProblem::Naive(stamp.into())),
        (Err(_), Err(_)) => Err(RowProblem::Stamp(stamp.into())),
    }
}

/// A signal from rows in order of time, for a run that starts at `start_utc`. Every value holds until the next stamp, the
/// last one for as long as the one before it; steps may be mixed.
///
/// Errors: fewer than two rows, a start outside the rows' span, and those of [`Signal::new`].
pub fn signal_from_rows(rows: &[Row], file: &str, start_utc: Timestamp, info: SignalInfo) -> Result<Signal, GridError> {
    let [.., before, last] = rows else {
        return Err(GridError::TooFewRows { file: file.into(), rows: rows.len() });
    };
    let end = last.time.as_nanosecond() + (last.time.as_nanosecond() - before.time.as_nanosecond());
    let start = start_utc.as_nanosecond();
    if rows[0].time > start_utc || end <= start {
        return Err(GridError::StartNotCovered {
            zone: format!("{} ({file})", info.zone),
            first: rows[0].time.to_string(),
            end: Timestamp::from_nanosecond(end).map_or_else(|_| "the year 9999".into(), |t| t.to_string()),
            run_start: start_utc.to_string(),
        });
    }
    let relative = |instant: i128| {
        i64::try_from(instant - start)
            .map_err(|_| GridError::SpanTooLong { zone: info.zone.clone(), what: "more than 292 years".into() })
    };
    let starts = rows.iter().map(|r| relative(r.time.as_nanosecond())).collect::<Result<_, _>>()?;
    let end = relative(end)?;
    Signal::new(info, starts, rows.iter().map(|r| r.value).collect(), end)
}

/// The line of the record whose reading began at `position`, which lies before the empty and comment lines skipped.
pub(super) fn line_of(text: &[u8], position: &::csv::Position) -> u64 {
    let rest = text.get(position.byte() as usize..).unwrap_or_default();
    let skipped = |line: &&[u8]| line.starts_with(b"#") || line.iter().all(|b| b"\r\n".contains(b));
    position.line() + rest.split_inclusive(|&b| b == b'\n').take_while(skipped).count() as u64
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A CSV problem in words.
pub(super) fn describe(kind: &::csv::ErrorKind) -> String {
    match kind {
        ::csv::ErrorKind::Utf8 { err, .. } => err.to_string(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{GramsPerKwh, SimTime};

    fn signal(text: &str, start: &str) -> Result<Signal, GridError> {
        let info = Signal::constant("X", 0.0).unwrap().info().clone();
        signal_from_rows(
            &parse_rows(text.as_bytes(), "f.csv", &Layout::default())?,
            "f.csv",
            start.parse().unwrap(),
            info,
        )
    }

    fn error_of(rows: &str) -> String {
        signal(&format!("time_utc,g_per_kwh\n{rows}"), "2022-01-01T00:00:00Z").unwrap_err().to_string()
    }

    #[test]
    fn rows_become_a_step_function_from_before_the_runs_start() {
        let text = "\u{feff}# made up\nTime_UTC, g_per_kWh\n2022-01-01T00:00Z,100\n2022-01-01T02:00:00+01:00,200.5\n\n\
                    2022-01-01 01:30:00Z,300\n2022-01-01T02:30:00Z,0\n";
        let signal = signal(text, "2022-01-01T00:15:00Z").unwrap();
        let minutes: Vec<_> =
            signal.intervals().map(|(a, b, v)| (a / 60_000_000_000, b / 60_000_000_000, v.0)).collect();
        assert_eq!(minutes, [(-15, 45, 100.0), (45, 75, 200.5), (75, 135, 300.0), (135, 195, 0.0)]);
        assert_eq!((signal.info().step_s, signal.at(SimTime::ZERO)), (3600.0, GramsPerKwh(100.0)));
    }

    #[test]
    fn faulty_rows_are_refused_with_their_line_and_a_remedy() {
        let good = "2022-01-01T00:00:00Z,100\n";
        for (row, line, part) in [
            ("2021-12-31T23:00:00Z,100", 3, "is earlier than 2022-01-01T00:00:00Z"),
            ("2022-01-01T00:00:00Z,100", 3, "duplicate time"),
            ("2022-01-01T01:00:00+01:00,100", 3, "duplicate time 2022-01-01T00:00:00Z"),
            ("2022-01-01T01:00:00Z,-0.5", 3, "-0.5 g/kWh is negative"),
            ("2022-01-01T01:00:00Z,NaN", 3, "not finite"),
            ("2022-01-01T01:00:00Z,inf", 3, "not finite"),
            ("2022-01-01T01:00:00Z,", 3, "empty `g_per_kwh` cell"),
            (",5", 3, "empty `time_utc` cell"),
            ("2022-01-01T01:00:00,5", 3, "append `Z` if it is UTC"),
            ("2022-01-01 01:00,5", 3, "append `Z` if it is UTC"),
            ("1640998800,5", 3, "no ISO 8601 instant"),
            ("2022-01-01T01:00:00Z,\"1,5\"", 3, "is no number"),
            ("2022-01-01T01:00:00Z,1,5", 3, "3 cells"),
            ("\n# note\n2022-01-01T01:00:00Z,x", 5, "is no number"),
        ] {
            let error = error_of(&format!("{good}{row}\n"));
            assert!(error.starts_with(&format!("f.csv:{line}: ")), "{error}");
            assert!(error.contains(part), "{part} is missing in: {error}");
            let error = error_of(&format!("{good}{row}\n").replace('\n', "\r\n"));
            assert!(error.starts_with(&format!("f.csv:{line}: ")), "with CRLF: {error}");
        }
    }

    #[test]
    fn unknown_header_is_refused() {
        for header in ["datetime,ci\n", "time_utc,g_per_kwh,note\n", ""] {
            let error = signal(header, "2022-01-01T00:00:00Z").unwrap_err().to_string();
            assert!(error.contains("expected exactly `time_utc,g_per_kwh`"), "{error}");
        }
    }

    #[test]
    fn named_columns_of_a_wider_table_are_read_in_their_unit() {
        let layout = Layout {
            quantity: Quantity::INTENSITY,
            time: "datetime".into(),
            value: "marginal".into(),
            factor: 0.45359237,
            wider: true,
            naive_is_utc: true,
        };
        let text = "datetime,average,Marginal\n2022-01-01 00:00:00,1,1000\n2022-01-01 01:00:00+00:00,1,2000\n";
        let rows = parse_rows(text.as_bytes(), "f.csv", &layout).unwrap();
        assert_eq!(rows.iter().map(|r| r.value).collect::<Vec<_>>(), [453.59237, 907.18474]);
        let error = parse_rows(b"datetime,average\n", "f.csv", &layout).unwrap_err().to_string();
        assert!(error.contains("expected columns `datetime` and `marginal`"), "{error}");
        let strict = Layout { naive_is_utc: false, ..layout };
        assert!(parse_rows(text.as_bytes(), "f.csv", &strict).unwrap_err().to_string().contains("has no zone"));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_with_their_line() {
        let error = parse_rows(b"time_utc,g_per_kwh\n2022-01-01T00:00:00Z,\xff\n", "f.csv", &Layout::default())
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("f.csv:2: unreadable row: invalid utf-8"), "{error}");
    }

    #[test]
    fn one_row_is_too_few_because_its_length_is_unknown() {
        assert!(error_of("2022-01-01T00:00:00Z,100\n").starts_with("f.csv: 1 data row(s)"));
    }

    #[test]
    fn start_outside_the_file_is_refused_with_all_three_times() {
        let text = "time_utc,g_per_kwh\n2022-01-01T00:00:00Z,1\n2022-01-01T01:00:00Z,2\n";
        for start in ["2021-12-31T23:59:59Z", "2022-01-01T02:00:00Z"] {
            let error = signal(text, start).unwrap_err().to_string();
            assert!(error.contains("covers 2022-01-01T00:00:00Z to 2022-01-01T02:00:00Z"), "{error}");
            assert!(error.contains(start) && error.contains("f.csv"), "{error}");
        }
        assert!(signal(text, "2022-01-01T01:59:59Z").is_ok());
    }
}
