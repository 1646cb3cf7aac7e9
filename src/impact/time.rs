//! Instants as a manifest writes them: RFC 3339, or without a zone, which is UTC.

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::Offset};
use serde_json::Value;

use super::error::ImpactError;

/// Reads an instant.
///
/// # Errors
/// It is absent, or none.
pub fn parse(value: Option<&Value>) -> Result<Timestamp, ImpactError> {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    let zoned = text.parse::<Timestamp>().ok();
    let plain = || text.parse::<DateTime>().ok().and_then(|t| Offset::UTC.to_timestamp(t).ok());
    zoned.or_else(plain).ok_or_else(|| {
        let found = value.map_or_else(|| "nothing".to_owned(), Value::to_string);
        ImpactError::new(format!("{found} is no instant"), "write it as 2023-12-12T00:00:00.000Z")
    })
}

/// Writes an instant: milliseconds, or more digits where they matter.
pub fn print(at: Timestamp) -> String {
    let whole = at.subsec_nanosecond() % 1_000_000 == 0;
    at.strftime(if whole { "%Y-%m-%dT%H:%M:%S%.3fZ" } else { "%Y-%m-%dT%H:%M:%S%.9fZ" }).to_string()
}

/// The time from one instant to another \[ns\], negative if it comes before.
///
/// # Errors
/// It is longer than 292 years.
pub fn nanos_between(from: Timestamp, to: Timestamp) -> Result<i64, ImpactError> {
    i64::try_from(to.duration_since(from).as_nanos())
        .ok()
        .filter(|ns| ns.abs() < i64::MAX / 4)
        .ok_or_else(|| ImpactError::new("the instants lie too far apart", "check the years"))
}

/// An instant some time after another \[ns\].
///
/// # Errors
/// There is no such instant.
pub fn after(from: Timestamp, ns: i64) -> Result<Timestamp, ImpactError> {
    from.checked_add(SignedDuration::from_nanos(ns))
        .map_err(|_| ImpactError::new("an instant lies beyond the year 9999", "check the years"))
}
