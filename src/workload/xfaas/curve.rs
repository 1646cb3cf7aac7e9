//! The published week of received calls, as a rate that is constant within each quarter of an hour.

/// Quarters of an hour in a week.
pub(super) const BINS: usize = 672;
/// Minutes in one bin.
pub(super) const MINUTES_PER_BIN: usize = 15;

/// Calls per minute of one week, by bin.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    per_minute: Vec<f64>,
}

impl Curve {
    /// The received curve, scaled to `calls` calls in the week and turned so that it begins at bin `start`.
    ///
    /// Source: computed from the paper's Fig. 2, `data/xfaas/received_executed_15min.csv`.
    pub fn received(calls: f64, start: usize) -> Self {
        let mut shape = column(1);
        debug_assert_eq!(shape.len(), BINS);
        let sum: f64 = shape.iter().sum();
        shape.rotate_left(start % BINS);
        let scale = calls / sum / MINUTES_PER_BIN as f64;
        Self { per_minute: shape.iter().map(|w| w * scale).collect() }
    }

    /// Expected calls in a minute, counted from the run's start; the week repeats.
    #[inline]
    pub fn calls_in_minute(&self, minute: usize) -> f64 {
        self.per_minute[minute / MINUTES_PER_BIN % BINS]
    }

    /// Largest expected number of calls in one minute.
    pub fn peak(&self) -> f64 {
        self.per_minute.iter().copied().fold(0.0, f64::max)
    }

    /// Ratio of the busiest to the quietest quarter of an hour, in expectation.
    pub fn peak_to_trough(&self) -> f64 {
        self.peak() / self.per_minute.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// Ratio of the busiest quarter of an hour to the week's mean, in expectation.
    pub fn peak_to_mean(&self) -> f64 {
        self.peak() * BINS as f64 / self.per_minute.iter().sum::<f64>()
    }
}

/// One column of the embedded table.
fn column(at: usize) -> Vec<f64> {
    include_str!("../../../data/xfaas/received_executed_15min.csv")
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()))
        .map(|line| {
            let cell = line.split(',').nth(at).and_then(|cell| cell.parse().ok());
            cell.expect("the embedded table is complete: a test reads every row")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_week_has_the_published_ratios() {
        let curve = Curve::received(12e6, 0);
        assert!((curve.peak_to_trough() - 4.409).abs() < 0.05, "{}", curve.peak_to_trough());
        assert!((curve.peak_to_mean() - 2.20).abs() < 0.01, "{}", curve.peak_to_mean());
        let executed = column(2);
        let least = executed.iter().copied().fold(f64::INFINITY, f64::min);
        let most = executed.iter().copied().fold(0.0, f64::max);
        assert!((most / least - 1.405).abs() < 0.005 && executed.len() == BINS);
    }

    #[test]
    fn the_week_adds_up_to_the_calls_and_turns_with_the_start() {
        let [a, b] = [0, 100].map(|start| Curve::received(12e6, start));
        let total: f64 = (0..BINS * MINUTES_PER_BIN).map(|m| b.calls_in_minute(m)).sum();
        assert!((total / 12e6 - 1.0).abs() < 1e-12);
        assert_eq!(a.calls_in_minute(1500), b.calls_in_minute(0));
        assert_eq!(a.calls_in_minute(7), a.calls_in_minute(7 + 10_080));
    }
}
