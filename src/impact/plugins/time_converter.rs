//! `TimeConverter`: a figure per one unit of time into the figure per another.
//!
//! Formula: result = x · new / original, both lengths in seconds; `new-time-unit: duration` is the length of the row. A year is
//! 31 556 952 s (the mean Gregorian year, 365.2425 days), a month a twelfth of 365.0467 days, 2 628 336 s. Source: Impact Framework
//! 1.1.0. Difference by design: the result is not rounded (there: to 6 decimals, which turns 4e-7 kWh into 0). Note that SCI's lifespans count
//! years of 365 days. Example: 10 000 kWh per year is 1.14079458 kWh per hour.

use super::{Context, Plugin, each, names_of};
use crate::impact::config::Config;
use crate::impact::error::ImpactError;
use crate::impact::expression::{Operand, Output};
use crate::impact::row::Row;

/// Units of time by their names \[s\].
const UNITS: &[(&[&str], f64)] = &[
    (&["s", "second", "sec", "secs", "seconds"], 1.0),
    (&["min", "mins", "minute", "minutes"], 60.0),
    (&["h", "hs", "hr", "hrs", "hour", "hours"], 3600.0),
    (&["d", "ds", "day", "days"], 86_400.0),
    (&["w", "ws", "wk", "wks", "week", "weeks"], 604_800.0),
    (&["m", "mnth", "mth", "mnths", "mths", "month", "months"], 2_628_336.0),
    (&["y", "ys", "yr", "yrs", "year", "years"], 31_556_952.0),
];

/// The length of a unit of time \[s\].
pub(super) fn seconds(unit: &str) -> Option<f64> {
    UNITS.iter().find(|(names, _)| names.contains(&unit)).map(|(_, s)| *s)
}

#[derive(Debug)]
struct TimeConverter {
    input: Operand,
    original_s: f64,
    /// The row's duration, if none.
    new_s: Option<f64>,
    output: Output,
}

impl Plugin for TimeConverter {
    fn names(&self) -> Vec<String> {
        names_of([&self.input], &["duration", self.output.name()])
    }

    fn run(&self, rows: Vec<Row>, context: Context<'_>) -> Result<Vec<Row>, ImpactError> {
        each(rows, context, |row| {
            let new_s = self.new_s.map_or_else(|| row.positive("duration"), Ok)?;
            let result = self.input.value(row)? / self.original_s * new_s;
            self.output.write(row, result)
        })
    }
}

/// A unit of time named in the config.
fn unit(config: &mut Config, key: &'static str) -> Result<Option<f64>, ImpactError> {
    let name = config.text(key)?.unwrap_or_default();
    if name == "duration" {
        return Ok(None);
    }
    let help = "write second, minute, hour, day, week, month or year, or for the new unit also duration";
    seconds(&name).map(Some).ok_or_else(|| ImpactError::new(format!("{name:?} is no unit of time"), help).at_key(key))
}

pub(super) fn time_converter(config: &mut Config) -> Result<Box<dyn Plugin>, ImpactError> {
    let input = config.operand("input-parameter")?;
    let original_s = unit(config, "original-time-unit")?.ok_or_else(|| {
        ImpactError::new("a duration is no original unit", "write a unit of time").at_key("original-time-unit")
    })?;
    let new_s = unit(config, "new-time-unit")?;
    Ok(Box::new(TimeConverter { input, original_s, new_s, output: config.output("output-parameter")? }))
}
