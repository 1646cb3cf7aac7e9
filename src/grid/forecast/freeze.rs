//! A forecast written as vintages, to be kept, exchanged, and replayed.

use std::io::{self, Write};

use jiff::Timestamp;

use super::{Forecast, Issues};
use crate::types::{Duration, SimTime};

/// The most that one row covers: what `replay` takes for one value by default.
const HOUR: Duration = Duration::from_secs(3600);

/// Writes what is believed at every instant of issue for the `reach` after it: `issued_at_utc,time_utc,g_per_kwh`, with every digit.
/// Steps longer than an hour become several rows. Returns how many vintages were written.
///
/// Replayed, the file gives the same belief at the instants of issue; between them the one of the last issue.
///
/// # Errors
/// Those of `out`.
pub fn freeze(
    forecast: &dyn Forecast,
    start_utc: Timestamp,
    issues: &Issues,
    out: &mut dyn Write,
) -> io::Result<usize> {
    let stamp = |t: SimTime| {
        let ns = start_utc.as_nanosecond() + i128::from(t.0);
        Timestamp::from_nanosecond(ns).map_err(|e| io::Error::other(format!("past the calendar's end: {e}")))
    };
    writeln!(out, "issued_at_utc,time_utc,g_per_kwh")?;
    let mut steps = Vec::new();
    let mut written = 0;
    for now in issues.instants() {
        let to = (now + issues.reach).min(forecast.known_until(now));
        let issued = stamp(now)?;
        steps.clear();
        forecast.steps(now, now, to, &mut steps);
        for step in &steps {
            let mut from = step.from;
            while from < step.to {
                writeln!(out, "{issued},{},{}", stamp(from)?, step.g_per_kwh)?;
                from += HOUR;
            }
        }
        written += usize::from(!steps.is_empty());
    }
    Ok(written)
}
