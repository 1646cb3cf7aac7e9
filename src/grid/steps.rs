//! A step function of simulated time of any quantity, negative or not: a price, a temperature.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::csv::{Row, read_rows};
use super::{GridError, Layout, PastEnd, Quantity};
use crate::types::{Duration, SimTime};

const DAY_NS: i64 = 86_400_000_000_000;

/// A CSV file with the column `time_utc` and one of values, each of which holds until the next stamp.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepsFile {
    /// The file, relative to the scenario's folder.
    pub path: PathBuf,
    /// Who published the numbers, and when; kept in the manifest.
    #[schemars(length(min = 1))]
    pub source: String,
    /// What lies past the end of the file: `error` (default), `repeat` or `hold`.
    #[serde(default)]
    pub past_end: PastEnd,
}

impl StepsFile {
    /// The step function of a run that starts at `start_utc` and lasts at most `horizon`; the file that was read and the
    /// SHA-256 of its text. Paths are relative to `base_dir`.
    ///
    /// # Errors
    /// Those of [`super::parse_rows`]; an unreadable file, a blank source, a file that does not cover the run.
    pub fn read(
        &self,
        quantity: Quantity,
        base_dir: &Path,
        start_utc: Timestamp,
        horizon: Duration,
    ) -> Result<(Steps, PathBuf, String), GridError> {
        let path = base_dir.join(&self.path);
        let (rows, file, sha256) = read_rows(&path, &Layout::of(quantity))?;
        if self.source.trim().is_empty() {
            return Err(GridError::Span { file, what: "source is blank; say who published the numbers".into() });
        }
        Ok((Steps::from_rows(&rows, &file, start_utc, horizon, self.past_end)?, path, sha256))
    }
}

/// Values over simulated time: interval i holds `values[i]` on [`bounds[i]`, `bounds[i + 1]`).
#[derive(Debug, Clone, PartialEq)]
pub struct Steps {
    /// Interval starts and, last, the end [ns from the run's start].
    bounds: Vec<i64>,
    values: Vec<f64>,
}

impl Steps {
    /// The same value at all times.
    pub fn constant(value: f64) -> Self {
        Self { bounds: vec![0, i64::MAX], values: vec![value] }
    }

    /// Rows in order of time, the last one as long as the one before it, continued to `horizon` after the start as `past_end`
    /// says.
    ///
    /// # Errors
    /// Fewer than two rows, a start outside them, an end before `horizon` that may not be continued, more than 292 years.
    pub fn from_rows(
        rows: &[Row],
        file: &str,
        start_utc: Timestamp,
        horizon: Duration,
        past_end: PastEnd,
    ) -> Result<Self, GridError> {
        let (Some(first), [.., before, last]) = (rows.first(), rows) else {
            return Err(GridError::TooFewRows { file: file.into(), rows: rows.len() });
        };
        let wrong = |what: String| GridError::Span { file: file.into(), what };
        let long = || wrong("spans more than 292 years; cut it".into());
        let start = start_utc.as_nanosecond();
        let after = |ns: i128| i64::try_from(ns - start).map_err(|_| long());
        let end_ns = 2 * last.time.as_nanosecond() - before.time.as_nanosecond();
        if first.time > start_utc || end_ns <= start {
            let end = Timestamp::from_nanosecond(end_ns).map_or_else(|_| "the year 9999".into(), |t| t.to_string());
            return Err(wrong(format!(
                "covers {} to {end} but the run starts at {start_utc}; move the scenario's start into that span or give \
                 another file",
                first.time
            )));
        }
        let mut starts = rows.iter().map(|r| after(r.time.as_nanosecond())).collect::<Result<Vec<_>, _>>()?;
        let mut values: Vec<f64> = rows.iter().map(|r| r.value).collect();
        let mut end = after(end_ns)?;
        let needed = i64::try_from(horizon.0).map_err(|_| long())?;
        if end < needed {
            match past_end {
                PastEnd::Error => {
                    return Err(wrong(format!(
                        "ends {} s after the run's start but the run needs {} s; shorten the run, give a longer file, or choose \
                         past_end = \"repeat\" (the last whole days again) or \"hold\" (the last value)",
                        end as f64 / 1e9,
                        horizon.as_secs_f64()
                    )));
                }
                PastEnd::Hold => end = needed,
                PastEnd::Repeat => {
                    let length = end.checked_sub(starts[0]).ok_or_else(long)?;
                    let period = if length >= DAY_NS { length / DAY_NS * DAY_NS } else { length };
                    let from = starts.partition_point(|&s| s <= end - period) - 1;
                    let (known, first_end) = (starts.len(), end);
                    while end < needed {
                        let shift = (end - first_end).checked_add(period).ok_or_else(long)?;
                        for i in from..known {
                            starts.push(starts[i].max(first_end - period).checked_add(shift).ok_or_else(long)?);
                            values.push(values[i]);
                        }
                        end = first_end.checked_add(shift).ok_or_else(long)?;
                    }
                }
            }
        }
        starts.push(end);
        Ok(Self { bounds: starts, values })
    }

    /// The first change after the run's start that is not at the edge of a bin of `step`; then means over bins hide it.
    pub fn change_inside(&self, step: Duration) -> Option<SimTime> {
        let starts = &self.bounds[..self.values.len()];
        let inside = |from: u64| (from > 0 && !from.is_multiple_of(step.0)).then_some(SimTime(from));
        starts.iter().filter_map(|&from| u64::try_from(from).ok()).find_map(inside)
    }

    /// The time-weighted mean over [`from`, `to`); the value at `from` where both are equal. Past the end the last value holds.
    pub fn mean(&self, from: SimTime, to: SimTime) -> f64 {
        let offset = |t: SimTime| i64::try_from(t.0).unwrap_or(i64::MAX);
        let (from, to) = (offset(from), offset(to));
        let last = self.values.len() - 1;
        let at = |t: i64| self.bounds.partition_point(|&b| b <= t).saturating_sub(1).min(last);
        let (first, until) = (at(from), at((to - 1).max(from)));
        if first == until {
            return self.values[first];
        }
        let sum: f64 = (first..=until)
            .map(|i| {
                let end = if i == last { to } else { self.bounds[i + 1].min(to) };
                self.values[i] * (end - self.bounds[i].max(from)) as f64
            })
            .sum();
        sum / (to - from) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::parse_rows;

    fn steps(rows: &str, horizon_s: u64, past_end: PastEnd) -> Result<Steps, GridError> {
        let text = format!("time_utc,price_per_mwh\n{rows}");
        let rows = parse_rows(text.as_bytes(), "p.csv", &Layout::of(Quantity::PRICE))?;
        let start = "2022-01-01T00:00:00Z".parse().expect("an instant");
        Steps::from_rows(&rows, "p.csv", start, Duration::from_secs(horizon_s), past_end)
    }

    fn mean(steps: &Steps, from: f64, to: f64) -> f64 {
        steps.mean(SimTime::from_secs_f64(from), SimTime::from_secs_f64(to))
    }

    const TWO: &str = "2022-01-01T00:00:00Z,100\n2022-01-01T01:00:00Z,-40\n";

    #[test]
    fn means_weigh_by_time_and_may_be_negative() {
        let s = steps(TWO, 7200, PastEnd::Error).expect("it covers two hours");
        assert_eq!(mean(&s, 0.0, 3600.0), 100.0);
        assert_eq!(mean(&s, 0.0, 7200.0), 30.0);
        assert_eq!(mean(&s, 1800.0, 5400.0), 30.0);
        assert_eq!(mean(&s, 3600.0, 3600.0), -40.0);
        assert_eq!(mean(&s, 2700.0, 6300.0), (900.0 * 100.0 - 2700.0 * 40.0) / 3600.0);
        assert_eq!(mean(&Steps::constant(-3.5), 0.0, 1e9), -3.5);
        assert_eq!(s.change_inside(Duration::from_secs(3600)), None);
        assert_eq!(s.change_inside(Duration::from_secs(7000)), Some(SimTime::from_secs_f64(3600.0)));
    }

    #[test]
    fn what_lies_past_the_end_is_refused_repeated_or_held() {
        let error = steps(TWO, 7201, PastEnd::Error).expect_err("too short").to_string();
        assert!(error.contains("p.csv: ends 7200 s") && error.contains("needs 7201 s"), "{error}");
        let repeated = steps(TWO, 20_000, PastEnd::Repeat).expect("it may repeat");
        assert_eq!([mean(&repeated, 7200.0, 10_800.0), mean(&repeated, 18_000.0, 20_000.0)], [100.0, -40.0]);
        let held = steps(TWO, 20_000, PastEnd::Hold).expect("it may hold");
        assert_eq!(mean(&held, 7200.0, 20_000.0), -40.0);
        // 30 hours: the last 24 come again, so that hour 30 is hour 6.
        let hours: String = (0..30).map(|h| format!("2022-01-0{}T{:02}:00:00Z,{h}\n", 1 + h / 24, h % 24)).collect();
        let days = steps(&hours, 80 * 3600, PastEnd::Repeat).expect("it may repeat");
        let at = |h: f64| mean(&days, h * 3600.0, (h + 1.0) * 3600.0);
        assert_eq!([at(29.0), at(30.0), at(53.0), at(54.0)], [29.0, 6.0, 29.0, 6.0]);
    }

    #[test]
    fn files_that_cannot_be_used_are_refused() {
        for (rows, part) in [
            ("2022-01-01T00:00:00Z,1\n", "1 data row(s)"),
            ("2022-01-02T00:00:00Z,1\n2022-01-03T00:00:00Z,1\n", "but the run starts at 2022-01-01T00:00:00Z"),
            ("2021-01-02T00:00:00Z,1\n2021-01-03T00:00:00Z,1\n", "move the scenario's start"),
            ("2022-01-01T00:00:00Z,1\n2022-01-01T00:00:00Z,1\n", "p.csv:3: duplicate time"),
            ("2022-01-01T00:00:00Z,NaN\n", "not finite"),
            ("2022-01-01T00:00:00Z,x\n", "is no number [currency/MWh]"),
            ("2022-01-01T00:00:00Z\n", "1 cells, expected 2"),
        ] {
            let error = steps(rows, 10, PastEnd::Error).expect_err(rows).to_string();
            assert!(error.contains(part), "{part} is missing in: {error}");
        }
        let celsius = Layout::of(Quantity::TEMPERATURE);
        let kelvin = b"time_utc,temperature_c\n2022-01-01T00:00:00Z,288.15\n";
        let error = parse_rows(kelvin, "t.csv", &celsius).expect_err("kelvin").to_string();
        assert!(error.contains("t.csv:2: 288.15 °C cannot be a temperature: -90 to 60 °C"), "{error}");
        let error = parse_rows(b"time_utc,temperature_f\n", "t.csv", &celsius).expect_err("°F").to_string();
        assert!(error.contains("expected exactly `time_utc,temperature_c`"), "{error}");
    }
}
