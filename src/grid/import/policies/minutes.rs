//! Only the rows whose stamp has a listed minute are kept: how Let's Wait Awhile reads quarter-hours as half-hours.

use jiff::tz::Offset;

use crate::grid::import::raw::RawRow;
use crate::grid::import::{ImportError, ImportSpec, Place};

/// Drops the other rows; how many. A kept row then holds until the next kept one.
pub(in crate::grid::import) fn keep(
    rows: &mut Vec<RawRow>,
    spec: &ImportSpec,
    file: &str,
) -> Result<usize, ImportError> {
    if spec.keep_minutes.is_empty() {
        return Ok(0);
    }
    if let Some(wrong) = spec.keep_minutes.iter().find(|m| **m > 59) {
        let what = format!("keep_minutes has {wrong}");
        return Err(ImportError::new(file, Place::File, what, "minutes are 0 to 59"));
    }
    let before = rows.len();
    rows.retain(|row| spec.keep_minutes.contains(&(Offset::UTC.to_datetime(row.start).minute() as u8)));
    // An explicit end was that of the shorter interval.
    rows.iter_mut().for_each(|row| row.end = None);
    if rows.is_empty() {
        return Err(ImportError::new(file, Place::File, "keep_minutes keeps no row", "list minutes that stamps have"));
    }
    Ok(before - rows.len())
}
