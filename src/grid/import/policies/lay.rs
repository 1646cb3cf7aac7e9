//! Rows become intervals without a hole between them: where each ends, and what is a gap.

use crate::grid::import::raw::RawRow;
use crate::grid::import::{ImportError, Interval, Place, stamp};

/// Intervals side by side; those without a value are gaps.
#[derive(Debug)]
pub(in crate::grid::import) struct Laid {
    pub intervals: Vec<Interval>,
    /// Every length of interval \[ns\] and how often it occurs, the shortest first.
    pub steps: Vec<(i64, usize)>,
    /// Rows that are missing, and rows without a value.
    pub missing: usize,
    pub empty: usize,
}

/// Lays rows, in order and one per instant, side by side.
///
/// A row ends where it says or else at the next one. A distance above `longest` is a gap: the row then ends after the step before
/// it, and the gap goes on to the next row, cut into as many steps. Without `longest` it is the longest distance that two rows in a
/// succession have, so that steps may be mixed and a single longer distance is a gap. The last row is as long as the one before.
pub(in crate::grid::import) fn lay(rows: &[RawRow], longest: Option<i64>, file: &str) -> Result<Laid, ImportError> {
    let starts = rows.iter().map(|r| stamp::nanos(r.start, file, r.place)).collect::<Result<Vec<_>, _>>()?;
    let distances: Vec<i64> = starts.windows(2).map(|w| w[1] - w[0]).collect();
    let common = most_common(&distances);
    let repeated = distances.windows(2).filter(|w| w[0] == w[1]).map(|w| w[0]).max();
    let longest = longest.or(repeated).or(common).unwrap_or(0);
    let mut usual = distances.iter().copied().find(|d| *d <= longest).or(common);
    let mut laid = Laid { intervals: Vec::with_capacity(rows.len()), steps: Vec::new(), missing: 0, empty: 0 };
    for (i, row) in rows.iter().enumerate() {
        let (start, next) = (starts[i], starts.get(i + 1).copied());
        let near = next.filter(|next| next - start <= longest);
        let end = match row.end {
            Some(end) => stamp::nanos(end, file, row.place)?,
            None => match (near, usual) {
                (Some(next), _) => next,
                (None, Some(usual)) => start + usual,
                (None, None) => {
                    let what = "one row, and the format does not say how long its value holds";
                    return Err(ImportError::new(file, Place::File, what, "give at least two rows"));
                }
            },
        };
        if let Some(next) = next.filter(|next| end > *next) {
            let what = format!("the interval {} to {} reaches past {}", row.start, stamp::time(end), stamp::time(next));
            return Err(ImportError::new(file, rows[i + 1].place, what, "correct the end, or remove one of the rows"));
        }
        if end <= start {
            let what = format!("the interval ends at {}, not after {}", stamp::time(end), row.start);
            return Err(ImportError::new(file, row.place, what, "correct the end"));
        }
        usual = Some(end - start);
        laid.empty += usize::from(row.value.is_none());
        laid.intervals.push(Interval { start, end, value: row.value, estimated: row.estimated });
        let mut at = end;
        while let Some(next) = next.filter(|next| at < *next) {
            let until = next.min(at + (end - start));
            laid.intervals.push(Interval { start: at, end: until, value: None, estimated: None });
            laid.missing += 1;
            at = until;
        }
    }
    let mut lengths: Vec<i64> = laid.intervals.iter().map(|i| i.end - i.start).collect();
    lengths.sort_unstable();
    laid.steps = lengths.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect();
    Ok(laid)
}

/// The most common length, the shortest among equals.
fn most_common(lengths: &[i64]) -> Option<i64> {
    let mut sorted = lengths.to_vec();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|a, b| a == b).map(|run| (run.len(), std::cmp::Reverse(run[0])));
    runs.max().map(|(_, length)| length.0)
}
