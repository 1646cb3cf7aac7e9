//! Another step, by time-weighted means only, so that energy-weighted carbon stays what it was.

use super::gaps::mean;
use crate::grid::import::Interval;

/// Means over bins of `step` nanoseconds at whole multiples of it since 1970; the first and the last bin may be shorter.
/// A bin is estimated if any part of it is, and not known to be measured if any part of it is not.
pub(in crate::grid::import) fn resample(intervals: &[Interval], step: i64) -> Vec<Interval> {
    let (Some(first), Some(last)) = (intervals.first(), intervals.last()) else { return Vec::new() };
    let mut bins = Vec::new();
    let mut at = first.start;
    while at < last.end {
        let end = ((at.div_euclid(step) + 1) * step).min(last.end);
        let from = intervals.partition_point(|i| i.end <= at);
        let parts = intervals[from..].iter().take_while(|i| i.start < end);
        // One that is estimated makes the mean estimated; else one of which nobody knows leaves it open.
        let mut estimated = Some(false);
        for part in parts {
            match part.estimated {
                Some(true) => {
                    estimated = Some(true);
                    break;
                }
                None => estimated = None,
                Some(false) => {}
            }
        }
        bins.push(Interval { start: at, end, value: mean(&intervals[from..], at, end), estimated });
        at = end;
    }
    bins
}
