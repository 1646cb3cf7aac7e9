//! Rows of the same instant: alike ones are collapsed and counted, different ones are an error or the last update counts.

use crate::grid::import::raw::RawRow;
use crate::grid::import::{Duplicates, ImportError};

/// Leaves one row per instant; how many were alike, and how many were replaced.
pub(in crate::grid::import) fn collapse(
    rows: &mut Vec<RawRow>,
    policy: Duplicates,
    file: &str,
) -> Result<(usize, usize), ImportError> {
    let (mut alike, mut replaced) = (0, 0);
    let mut kept: Vec<RawRow> = Vec::with_capacity(rows.len());
    for row in rows.drain(..) {
        let Some(last) = kept.last_mut().filter(|last| last.start == row.start) else {
            kept.push(row);
            continue;
        };
        // What has no value has no say.
        let same = last.value.is_none() || row.value.is_none() || last.value == row.value;
        if same {
            alike += 1;
            if last.value.is_none() && row.value.is_some() {
                *last = row;
            }
            continue;
        }
        if policy == Duplicates::Error {
            let what = format!(
                "a second value for {}: {} here, {} before",
                row.start,
                row.value.unwrap_or(f64::NAN),
                last.value.unwrap_or(f64::NAN)
            );
            return Err(ImportError::new(file, row.place, what, "keep one of them, or choose duplicates: keep-last"));
        }
        replaced += 1;
        // Without update times the row further down is the later one.
        if last.updated <= row.updated || row.updated.is_none() {
            *last = row;
        }
    }
    *rows = kept;
    Ok((alike, replaced))
}
