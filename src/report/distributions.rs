//! `distributions.csv`: how latencies and starts are distributed, at some two hundred shares.

use std::io::Write;

use super::tables::Table;
use super::{Column, Finished};
use crate::stats::LogHistogram;

/// Columns of `distributions.csv`: one row per distribution and share; a distribution of nothing has no rows.
pub const DISTRIBUTIONS: &[Column] = &[
    (
        "distribution",
        "text",
        "latency_s and service_latency_s of executed calls, start_s of sandboxes from creation to ready",
    ),
    ("unit", "text", "unit of the values"),
    ("share", "1", "share of all values, from 0 (the smallest) to 1 (the largest)"),
    ("value", "see unit", "of n values in order, number floor((n - 1) share), from 0; to within 0.05 %"),
];

/// Every half percent, then the last percent in tenths and its last tenth in hundredths.
///
/// 0, 0.005, …, 0.99 (199 shares), 0.991, …, 0.999 (9), 0.9991, …, 0.9999 (9), 1: 218 in all.
fn shares() -> Vec<f64> {
    let halves = (0..=198).map(|i| f64::from(i) / 200.0);
    let tenths = (991..=999).map(|i| f64::from(i) / 1000.0);
    let hundredths = (9991..=9999).map(|i| f64::from(i) / 10_000.0);
    halves.chain(tenths).chain(hundredths).chain([1.0]).collect()
}

/// Writes `distributions.csv`.
pub(super) fn table(run: &Finished<'_>, out: &mut dyn Write) -> std::io::Result<()> {
    let totals = &run.outcome.totals;
    let with = |deferred: &LogHistogram<10>| {
        let mut all = totals.undeferred.clone();
        all.merge(deferred);
        all
    };
    let all = [
        ("latency_s", with(&totals.deferred_latency)),
        ("service_latency_s", with(&totals.deferred_service)),
        ("start_s", totals.starts.clone()),
    ];
    let mut table = Table::new(out, DISTRIBUTIONS)?;
    let shares = shares();
    for (name, histogram) in all {
        for (&share, ns) in shares.iter().zip(histogram.quantiles(&shares)) {
            table.text(name)?;
            table.text("s")?;
            table.number(share)?;
            table.number(ns as f64 * 1e-9)?;
            table.end()?;
        }
    }
    table.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_grow_from_nothing_to_all() {
        let shares = shares();
        assert_eq!((shares.len(), shares[0], shares[217]), (218, 0.0, 1.0));
        assert!(shares.windows(2).all(|w| w[0] < w[1]));
        assert!([0.5, 0.95, 0.99, 0.999].iter().all(|p| shares.contains(p)));
    }
}
