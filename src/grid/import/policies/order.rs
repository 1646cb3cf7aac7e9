//! Rows out of order: an error, or sorted when asked. Equal instants stay in the order of the file.

use crate::grid::import::ImportError;
use crate::grid::import::raw::RawRow;

/// Sorts rows if `sort`; how many were earlier than the one before.
pub(in crate::grid::import) fn order(rows: &mut [RawRow], sort: bool, file: &str) -> Result<usize, ImportError> {
    let earlier = |w: &[RawRow]| w[1].start < w[0].start;
    let Some(first) = rows.windows(2).position(earlier) else { return Ok(0) };
    let count = rows.windows(2).filter(|w| earlier(w)).count();
    if !sort {
        let (before, row) = (&rows[first], &rows[first + 1]);
        let what = format!("time {} is earlier than {} in the row before ({count} such rows)", row.start, before.start);
        return Err(ImportError::new(file, row.place, what, "sort the file, or ask with sort"));
    }
    rows.sort_by_key(|row| row.start);
    Ok(count)
}
