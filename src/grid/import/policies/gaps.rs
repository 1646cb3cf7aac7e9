//! Gaps: an error, or filled from the value before or from the week before. What is filled counts as estimated.

use crate::grid::import::spec::MAX_HOLD_H;
use crate::grid::import::{Gaps, ImportError, ImportSpec, Interval, Place, stamp};

const HOUR_NS: f64 = 3.6e12;
const WEEK_NS: i64 = 7 * 24 * 3_600_000_000_000;

/// Fills the gaps that touch [`from`, `to`); how many intervals were filled. `intervals` stand side by side.
pub(in crate::grid::import) fn fill(
    intervals: &mut [Interval],
    spec: &ImportSpec,
    (from, to): (i64, i64),
    file: &str,
) -> Result<usize, ImportError> {
    let mut filled = 0;
    let mut at = 0;
    while at < intervals.len() {
        if intervals[at].value.is_some() {
            at += 1;
            continue;
        }
        let begin = at;
        while at < intervals.len() && intervals[at].value.is_none() {
            at += 1;
        }
        let (start, end) = (intervals[begin].start, intervals[at - 1].end);
        if end <= from || start >= to {
            continue;
        }
        let hours = (end - start) as f64 / HOUR_NS;
        let gap =
            format!("no value from {} to {} ({hours} h, {} rows)", stamp::time(start), stamp::time(end), at - begin);
        let fails = |what: String, remedy: String| Err(ImportError::new(file, Place::File, what, remedy));
        match spec.gaps {
            Gaps::Error => {
                let others = runs(intervals, (from, to));
                let what = if others > 1 { format!("{gap}, the first of {others} gaps") } else { gap };
                let remedy =
                    "choose gaps: hold (with max_hold_h) or same-hour-last-week, or cut them off with from and to";
                return fails(what, remedy.into());
            }
            Gaps::Hold => {
                let most = spec.max_hold_h.unwrap_or(MAX_HOLD_H);
                if hours > most {
                    let what = format!("{gap}, longer than the {most} h that a value is held");
                    let remedy =
                        "choose gaps: same-hour-last-week, a longer max_hold_h, or cut it off with from and to";
                    return fails(what, remedy.into());
                }
                let Some(value) = begin.checked_sub(1).and_then(|before| intervals[before].value) else {
                    return fails(
                        format!("{gap}, and no value before it"),
                        format!("begin with from = {}", stamp::time(end)),
                    );
                };
                for interval in &mut intervals[begin..at] {
                    (interval.value, interval.estimated) = (Some(value), Some(true));
                }
            }
            Gaps::SameHourLastWeek => {
                for i in begin..at {
                    let (a, b) = (intervals[i].start - WEEK_NS, intervals[i].end - WEEK_NS);
                    let Some(value) = mean(&intervals[..i], a, b) else {
                        let remedy = "choose gaps: hold, or cut the gap off with from and to";
                        return fails(format!("{gap}, and no value a week before"), remedy.into());
                    };
                    (intervals[i].value, intervals[i].estimated) = (Some(value), Some(true));
                }
            }
        }
        filled += at - begin;
    }
    Ok(filled)
}

/// How many gaps touch a span.
fn runs(intervals: &[Interval], (from, to): (i64, i64)) -> usize {
    let inside = |i: &Interval| i.value.is_none() && i.end > from && i.start < to;
    let first = usize::from(intervals.first().is_some_and(inside));
    first + intervals.windows(2).filter(|w| inside(&w[1]) && w[0].value.is_some()).count()
}

/// The time-weighted mean over [`from`, `to`), where all of it has values.
pub(in crate::grid::import) fn mean(intervals: &[Interval], from: i64, to: i64) -> Option<f64> {
    let first = intervals.partition_point(|i| i.end <= from);
    if intervals.get(first)?.start > from {
        return None;
    }
    let (mut sum, mut at) = (0.0, from);
    for interval in &intervals[first..] {
        let value = interval.value?;
        let end = interval.end.min(to);
        // One interval that holds all of it gives its value to the last digit.
        if at == from && end == to {
            return Some(value);
        }
        sum += value * (end - at) as f64;
        at = end;
        if at >= to {
            return Some(sum / (to - from) as f64);
        }
    }
    None
}
