//! The part of a series between two instants; what lies across an end is cut there.

use crate::grid::import::{ImportError, Interval, Place, stamp};

/// Cuts to [`from`, `to`), which must hold some of it.
pub(in crate::grid::import) fn cut(
    intervals: &mut Vec<Interval>,
    (from, to): (i64, i64),
    file: &str,
) -> Result<(), ImportError> {
    let covered = intervals.first().map(|i| i.start).zip(intervals.last().map(|i| i.end));
    intervals.retain(|i| i.end > from && i.start < to);
    if intervals.is_empty() {
        let what = covered.map_or("no rows".to_owned(), |(a, b)| {
            format!("covers {} to {}, nothing of which is asked for", stamp::time(a), stamp::time(b))
        });
        return Err(ImportError::new(file, Place::File, what, "correct from and to"));
    }
    for interval in intervals {
        interval.start = interval.start.max(from);
        interval.end = interval.end.min(to);
    }
    Ok(())
}
