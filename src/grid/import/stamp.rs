//! Instants as files write them. Without zone they are UTC only where the format is documented so.

use jiff::tz::Offset;
use jiff::{Timestamp, civil};

use super::{ImportError, Place};

/// An ISO 8601 instant, with `T` or a space, seconds or not. Without zone it is UTC if `naive_is_utc`, else refused.
pub(super) fn instant(text: &str, naive_is_utc: bool, file: &str, place: Place) -> Result<Timestamp, ImportError> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let wrong = |what: String, remedy: &str| Err(ImportError::new(file, place, what, remedy));
    match text.parse::<civil::DateTime>().map(|naive| Offset::UTC.to_timestamp(naive)) {
        Ok(Ok(time)) if naive_is_utc => Ok(time),
        Ok(Ok(_)) => wrong(
            format!("time {text:?} has no zone, and the format is not documented as UTC"),
            "append `Z` if it is UTC, or its offset such as `+01:00` (no guess is made)",
        ),
        _ => wrong(
            format!("{text:?} is no ISO 8601 instant"),
            "write instants such as `2022-01-01T00:00:00Z`, or say another format",
        ),
    }
}

/// An instant given by whoever imports: with zone, or a date, which is its UTC midnight.
pub(super) fn given(key: &str, text: &str, file: &str) -> Result<Timestamp, ImportError> {
    let date = text.trim().parse::<civil::Date>().ok().filter(|_| text.trim().len() == 10);
    let midnight = date.and_then(|d| Offset::UTC.to_timestamp(d.to_datetime(civil::Time::midnight())).ok());
    midnight.map_or_else(
        || {
            instant(text, false, file, Place::File)
                .map_err(|e| ImportError::new(file, Place::File, format!("{key} = {text:?}: {}", e.what), e.remedy))
        },
        Ok,
    )
}

/// Nanoseconds since 1970.
pub(super) fn nanos(time: Timestamp, file: &str, place: Place) -> Result<i64, ImportError> {
    i64::try_from(time.as_nanosecond()).map_err(|_| {
        ImportError::new(file, place, format!("{time} is outside the years 1678 to 2262"), "correct the stamp")
    })
}

/// The instant of nanoseconds since 1970.
pub(super) fn time(ns: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(ns)).expect("64 bits of nanoseconds end in the year 2262")
}
