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
        let text = format!("{vintages} vintages; {missing} of {steps} steps in none: persistence of 24 h there");
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
            let what = format!("reads the column `{value}` and does not say its unit; add unit = \"g-per-kwh\" or another");
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
