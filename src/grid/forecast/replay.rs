//! Forecasts as they were issued, from a file: the only realistic model.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lagged::Lagged;
use super::pieces::{Piece, Pieces, own_piece, seen_until};
use super::spread::{hours_ns, within, wrong};
use super::vintages::{Columns, Issued, Vintages};
use crate::grid::{GridError, Signal, Unit};

const MODEL: &str = "replay";
const DAY_NS: i64 = 86_400_000_000_000;

/// Forecasts as they were issued, from a file: at any time the newest vintage that is out by then is believed.
///
/// The file has a row per vintage and step, in order of issue, then of time: `issued_at_utc,time_utc,g_per_kwh`; or, with `lead_h`, one
/// value per step, all values of a UTC day being one vintage. A value holds until the next stamp of its vintage, the last one as long as
/// the one before it, none longer than `longest_step_s`. Steps that the newest vintage does not cover are taken from the one before it,
/// and so on; where no vintage helps, from persistence of 24 h. The step under way is known. Values may be negative, empty cells are
/// missing steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// The file, relative to the scenario's folder.
    pub path: PathBuf,
    /// Who made the forecasts, and when.
    #[schemars(length(min = 1))]
    pub source: String,
    /// Column of issue; default `issued_at_utc`. Not with `lead_h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_column: Option<String>,
    /// There is no column of issue: the values of each UTC day are issued this long before that day begins \[h\]. 24 is the midnight
    /// before, 0 the day's own. Default: there is such a column.
    #[schemars(range(min = 0.0, max = 8760.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_h: Option<f64>,
    /// Column of times; default `time_utc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_column: Option<String>,
    /// Column of values; default `g_per_kwh`. Another one needs a `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_column: Option<String>,
    /// Unit of the values; default `g-per-kwh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// Whether stamps without zone are UTC; default false, then they are refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub naive_stamps_are_utc: bool,
    /// The longest a value holds \[s\]: a longer time between two stamps is a gap. Default 3600, the step of most published forecasts.
    #[schemars(range(min = 1.0, max = 604800.0))]
    #[serde(default = "hour")]
    pub longest_step_s: f64,
}

fn hour() -> f64 {
    3600.0
}

/// The belief, with what is to be said of its file.
#[derive(Debug)]
pub(super) struct Replayed {
    vintages: Vintages,
    /// Also holds the signal.
    fallback: Lagged,
}

/// A replayed forecast, the SHA-256 of its file, and what the run should know of it.
pub(super) type Read = (Replayed, (PathBuf, String), Vec<(String, String)>);

impl Replay {
    pub(super) fn build(&self, signal: &Signal, base_dir: &Path, start: Timestamp) -> Result<Read, GridError> {
        if self.source.trim().is_empty() {
            return Err(wrong(MODEL, "source is blank; say who made the forecasts"));
        }
        let path = base_dir.join(&self.path);
        let (vintages, sha256) = Vintages::read(&path, &self.columns()?, start)?;
        let replayed = Replayed { vintages, fallback: Lagged::last(signal, DAY_NS) };
        let (missing, steps) = replayed.missing();
        if missing == steps && steps > 0 {
            let what = format!(
                "{} covers none of the {steps} steps of the run's signal before they begin; give forecasts of that time, or \
                 move the scenario's start",
                path.display()
            );
            return Err(wrong(MODEL, &what));
        }
        let vintages = replayed.vintages.len();
        let text = format!(
            "{vintages} vintages; {missing} of {steps} steps begin before a vintage covers them: persistence of 24 h there"
        );
        Ok((replayed, (path, sha256), vec![("source".into(), self.source.clone()), ("coverage".into(), text)]))
    }

    fn columns(&self) -> Result<Columns, GridError> {
        let issued = match (&self.issued_column, self.lead_h) {
            (Some(_), Some(_)) => {
                return Err(wrong(MODEL, "issued_column and lead_h both say when values are issued; keep one"));
            }
            (None, Some(0.0)) => Issued::BeforeDay(0),
            (None, Some(lead_h)) => Issued::BeforeDay(hours_ns(MODEL, "lead_h", lead_h)?),
            (Some(column), None) => Issued::Column(column.clone()),
            (None, None) => Issued::Column("issued_at_utc".into()),
        };
        let value = self.value_column.clone().unwrap_or_else(|| "g_per_kwh".into());
        if self.unit.is_none() && !value.eq_ignore_ascii_case("g_per_kwh") {
            let what =
                format!("reads the column `{value}` and does not say its unit; add unit = \"g-per-kwh\" or another");
            return Err(wrong(MODEL, &what));
        }
        let longest_s = within(MODEL, "longest_step_s", self.longest_step_s, (1.0, 604_800.0))?;
        Ok(Columns {
            time: self.time_column.clone().unwrap_or_else(|| "time_utc".into()),
            value,
            issued,
            factor: self.unit.map_or(1.0, Unit::factor),
            naive_is_utc: self.naive_stamps_are_utc,
            longest_step: (longest_s * 1e9) as i64,
        })
    }
}

impl Replayed {
    /// How many steps of the signal after the run's start begin without any vintage that covers them and is out, and of how many.
    fn missing(&self) -> (usize, usize) {
        let begins = || self.signal().points().bounds()[..self.signal().points().values().len()].iter();
        let after = || begins().filter(|&&t| t > 0);
        (after().filter(|&&t| self.vintages.newest(t - 1, t).is_err()).count(), after().count())
    }
}

impl Pieces for Replayed {
    fn signal(&self) -> &Signal {
        self.fallback.signal()
    }

    fn piece(&self, now: i64, t: i64) -> Piece {
        let seen = self.signal().points();
        if t < seen_until(seen, now) {
            return own_piece(seen, t);
        }
        match self.vintages.newest(now, t) {
            Ok((to, g_per_kwh)) => Piece { to: to.min(seen.end()), g_per_kwh },
            Err(until) => {
                let piece = self.fallback.piece(now, t);
                Piece { to: piece.to.min(until), ..piece }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::grid::forecast::tests::{build, build_in, h, hourly, start, steps};
    use crate::grid::forecast::{BuiltForecast, Issues, freeze};
    use crate::grid::{GridError, Signal};
    use crate::types::{Duration, SimTime};

    const HEAD: &str = "issued_at_utc,time_utc,g_per_kwh\n";

    /// Two days of 100 in hour 0, 101 in hour 1, …, from the day before the run.
    fn signal() -> Signal {
        hourly(-24, (0..96).map(|i| f64::from(100 + i % 24)).collect())
    }

    fn read(text: &str, keys: &str) -> Result<BuiltForecast, GridError> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("v.csv"), text).unwrap();
        build_in(dir.path(), &format!("replay = {{ path = 'v.csv', source = 'me', {keys} }}"), &signal(), 1)
    }

    #[test]
    fn the_newest_vintage_that_is_out_is_believed_then_older_ones_then_yesterday() {
        let text = format!(
            "{HEAD}2022-01-01T18:00:00Z,2022-01-02T03:00:00Z,1\n2022-01-01T18:00:00Z,2022-01-02T04:00:00Z,2\n\
             2022-01-01T18:00:00Z,2022-01-02T05:00:00Z,3\n2022-01-02T02:30:00Z,2022-01-02T04:00:00Z,-7\n\
             2022-01-02T02:30:00Z,2022-01-02T05:00:00Z,\n2022-01-02T02:30:00Z,2022-01-02T06:00:00Z,9\n"
        );
        let f = read(&text, "").unwrap().forecast;
        let at = |now: f64| [2.0, 3.0, 4.0, 5.0, 6.0, 7.0].map(|t| f.at(h(now), h(t)).unwrap().0);
        // Before the second vintage is out; hours 6 and 7 are in none and have yesterday's values.
        assert_eq!(at(2.4), [102.0, 1.0, 2.0, 3.0, 106.0, 107.0]);
        // From its issue on: hour 3 from the older one, hour 5 is an empty cell and comes from there too, 6 is as long as 4.
        assert_eq!(at(2.5), [102.0, 1.0, -7.0, 3.0, 9.0, 107.0]);
        // At 4:00 hours 3 and 4 are observed.
        assert_eq!(at(4.0), [102.0, 103.0, 104.0, 3.0, 9.0, 107.0]);
        let mut edges =
            steps(&*f, h(2.5), h(2.5), h(8.0)).iter().map(|s| s.from.as_secs_f64() / 3600.0).collect::<Vec<_>>();
        edges.dedup();
        assert_eq!(edges, [2.5, 3.0, 4.0, 5.0, 6.0, 7.0]);
    }

    #[test]
    fn steps_that_no_vintage_covers_are_counted() {
        let rows: String = (1..72)
            .filter(|h| *h != 30)
            .map(|h| {
                let issue = if h < 24 { "2022-01-01T00:00:00Z" } else { "2022-01-02T00:00:00Z" };
                format!("{issue},2022-01-{:02}T{:02}:00:00Z,5\n", 2 + h / 24, h % 24)
            })
            .collect();
        let built = read(&format!("{HEAD}{rows}"), "").unwrap();
        let coverage = &built.notes.iter().find(|n| n.0 == "coverage").unwrap().1;
        assert_eq!(coverage, "2 vintages; 1 of 71 steps begin before a vintage covers them: persistence of 24 h there");
        assert_eq!(built.inputs[0].1.len(), 64);
        assert_eq!(built.forecast.at(h(2.0), h(30.0)).unwrap().0, 106.0);
        assert_eq!(built.forecast.at(h(2.0), h(29.0)).unwrap().0, 5.0);
        // A longest step of two hours bridges the gap.
        let bridged = read(&format!("{HEAD}{rows}"), "longest_step_s = 7200").unwrap();
        assert_eq!(bridged.forecast.at(h(2.0), h(30.0)).unwrap().0, 5.0);
    }

    #[test]
    fn day_ahead_values_are_out_a_lead_before_their_day() {
        let rows: String =
            (0..48).map(|h| format!("2022-01-{:02} {:02}:00:00,1,{}\n", 2 + h / 24, h % 24, h)).collect();
        let text = format!("UTC time,actual,forecast\n{rows}");
        let keys =
            "time_column = 'utc time', value_column = 'forecast', unit = 'g-per-kwh', naive_stamps_are_utc = true";
        let f = read(&text, &format!("{keys}, lead_h = 24")).unwrap().forecast;
        // At hour 1 the next day is out, issued at hour 0.
        assert_eq!([2.0, 23.0, 24.0, 47.0].map(|t| f.at(h(1.0), h(t)).unwrap().0), [2.0, 23.0, 24.0, 47.0]);
        let own = read(&text, &format!("{keys}, lead_h = 0")).unwrap().forecast;
        assert_eq!([2.0, 23.0, 24.0, 47.0].map(|t| own.at(h(1.0), h(t)).unwrap().0), [2.0, 23.0, 100.0, 123.0]);
        assert_eq!(own.at(h(24.0), h(47.0)).unwrap().0, 47.0);
        let half = read(&text, &format!("{keys}, lead_h = 12")).unwrap().forecast;
        assert_eq!([11.9, 12.0].map(|now| half.at(h(now), h(47.0)).unwrap().0), [123.0, 47.0]);
    }

    #[test]
    fn a_frozen_forecast_is_believed_again() {
        let signal = hourly(-60, (0..400u32).map(|i| f64::from(100 + (i * 7919) % 211) / 3.0).collect());
        let issues = Issues {
            first: SimTime::ZERO,
            end: h(100.0),
            every: Duration::from_secs(3600),
            reach: Duration::from_secs(48 * 3600),
        };
        let dir = tempfile::tempdir().unwrap();
        for text in ["persistence = {}", "climatology.days = 2", "horizon-noise.sd_g_per_kwh = 90"] {
            let f = build(text, &signal, 1);
            let mut file = Vec::new();
            assert_eq!(freeze(&*f, start(), &issues, &mut file).unwrap(), 100);
            std::fs::write(dir.path().join("v.csv"), &file).unwrap();
            let replay =
                build_in(dir.path(), "replay = { path = 'v.csv', source = 'frozen' }", &signal, 1).unwrap().forecast;
            for i in 0..100 {
                // Persistence and climatology believe the same all through the hour, the growing error only at the issue.
                let now = h(f64::from(i) + if text.starts_with("horizon") { 0.0 } else { 0.4 });
                let to = h(f64::from(i) + 48.0);
                assert_eq!(steps(&*replay, now, now, to), steps(&*f, now, now, to), "{text} at {i}");
            }
        }
    }

    #[test]
    fn files_that_cannot_be_used_are_refused_with_their_line() {
        let good = "2022-01-02T00:00:00Z,2022-01-02T01:00:00Z,5\n";
        for (text, part) in [
            (
                "time_utc,g_per_kwh\n".to_owned(),
                "v.csv:1: unknown header \"time_utc,g_per_kwh\"; expected columns `issued_at_utc`",
            ),
            (format!("{HEAD}{good}{good}"), "v.csv:3: duplicate time 2022-01-02T01:00:00Z"),
            (
                format!("{HEAD}{good}2022-01-02T00:00:00Z,2022-01-02T00:00:00Z,5\n"),
                "v.csv:3: time 2022-01-02T00:00:00Z is earlier",
            ),
            (
                format!("{HEAD}{good}2022-01-01T00:00:00Z,2022-01-02T05:00:00Z,5\n"),
                "v.csv:3: time 2022-01-01T00:00:00Z is earlier",
            ),
            (format!("{HEAD}{good}2022-01-02T00:00:00Z,2022-01-02T05:00:00Z\n"), "v.csv:3: 2 cells, expected 3"),
            (
                format!("{HEAD}{good}2022-01-02T00:00:00Z,2022-01-02T05:00:00Z,x\n"),
                "v.csv:3: \"x\" is no number [g/kWh]",
            ),
            (format!("{HEAD}{good}2022-01-02T00:00:00Z,2022-01-02T05:00:00Z,inf\n"), "v.csv:3: inf is not finite"),
            (
                format!("{HEAD}{good}2022-01-02T00:00:00Z,2022-01-02T05:00:00,5\n"),
                "v.csv:3: time \"2022-01-02T05:00:00\" has no zone",
            ),
            (format!("{HEAD}{good}2022-01-02T00:00:00Z,,5\n"), "v.csv:3: empty `time_utc` cell"),
            (format!("{HEAD}2021-01-02T00:00:00Z,2021-01-02T05:00:00Z,5\n"), "covers none of the 71 steps"),
            (HEAD.to_owned(), "covers none of the 71 steps"),
        ] {
            let error = read(&text, "").unwrap_err().to_string();
            assert!(error.contains(part), "{part} is missing in: {error}");
        }
        assert!(
            build_in(Path::new(""), "replay = { path = 'x', source = 's', longest_step_s = 0.5 }", &signal(), 1)
                .is_err()
        );
    }
}
