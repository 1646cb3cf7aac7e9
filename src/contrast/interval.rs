//! The difference of two results with its interval: of pairs, or of runs that have nothing to do with each other.

use crate::stats::{Estimate, Interval, paired, student_quantile};

/// How far a mean of runs is from another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The mean of one less the mean of the other.
    pub value: f64,
    /// Its standard error; not a number where it cannot be known.
    pub error: f64,
    /// Degrees of freedom; 0 where there are none.
    pub freedom: usize,
    /// Pairs, or runs of both together.
    pub runs: usize,
    /// Whether they are pairs.
    pub paired: bool,
}

impl Difference {
    /// From numbers that are differences already.
    pub fn of_pairs(differences: &[f64]) -> Self {
        let e = Estimate::of(differences);
        let (error, freedom, runs) = (e.standard_error, e.runs.saturating_sub(1), e.runs);
        Self { value: e.mean, error, freedom, runs, paired: true }
    }

    /// From two lists of runs that are independent.
    ///
    /// Formula: mean(a) - mean(b), with standard error sqrt(u + v), u = s_a² / n_a and v = s_b² / n_b, and
    /// (u + v)² / (u² / (n_a - 1) + v² / (n_b - 1)) degrees of freedom, rounded down, at least 1. A list of one constant has no part in either.
    ///
    /// Source: Welch, Biometrika 34 (1947), 28–35; Satterthwaite, Biometrics Bulletin 2 (1946), 110–114. Rounding down makes the
    /// interval a little too wide, never too narrow.
    ///
    /// Errors: an approximation; the true confidence is near the nominal one from about five runs of each.
    ///
    /// Example: 4, 6, 8 (mean 6, s² = 4) less 1, 2, 3 (mean 2, s² = 1): 4, standard error sqrt(4/3 + 1/3) = 1.291, and
    /// (5/3)² / ((4/3)²/2 + (1/3)²/2) = 2.94, so 2 degrees of freedom.
    pub fn of_apart(a: &[f64], b: &[f64]) -> Self {
        let (a, b) = (Estimate::of(a), Estimate::of(b));
        let square = |e: &Estimate| e.standard_error * e.standard_error;
        let (u, v) = (square(&a), square(&b));
        let part = |u: f64, e: &Estimate| if u == 0.0 { 0.0 } else { u * u / (e.runs as f64 - 1.0) };
        let freedom = (u + v) * (u + v) / (part(u, &a) + part(v, &b));
        // Without any variance there is nothing to be unsure of; the smaller list then says how much was seen.
        let least = a.runs.min(b.runs).saturating_sub(1);
        let freedom = if freedom.is_finite() { (freedom.floor() as usize).max(1) } else { least };
        Self { value: a.mean - b.mean, error: (u + v).sqrt(), freedom, runs: a.runs + b.runs, paired: false }
    }

    /// How far the mean may be off to one side with a confidence; not a number where that cannot be known.
    ///
    /// Formula: t s, with standard error s and the quantile t of Student's distribution.
    pub fn margin(&self, confidence: f64) -> f64 {
        if self.freedom == 0 || self.error.is_nan() {
            return f64::NAN;
        }
        // Equal differences are certain whatever the quantile.
        if self.error == 0.0 { 0.0 } else { student_quantile(confidence, self.freedom) * self.error }
    }

    /// The two-sided interval.
    pub fn interval(&self, confidence: f64) -> Interval {
        let margin = self.margin(f64::midpoint(1.0, confidence));
        Interval { low: self.value - margin, high: self.value + margin }
    }
}

/// The share by which paired runs are above their baseline, with Fieller's interval.
pub(super) fn relative(own: &[f64], base: &[f64], confidence: f64) -> (f64, Interval) {
    let pairs = paired(own, base);
    (pairs.relative(), pairs.relative_interval(confidence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_formula_holds() {
        let d = Difference::of_apart(&[4.0, 6.0, 8.0], &[1.0, 2.0, 3.0]);
        assert_eq!((d.value, d.freedom, d.runs, d.paired), (4.0, 2, 6, false));
        assert!((d.error - (5.0f64 / 3.0).sqrt()).abs() < 1e-15);
        // t of 0.975 with 2 degrees of freedom, from the printed table: 4.303.
        assert!((d.interval(0.95).low - (4.0 - 4.302_652_73 * (5.0f64 / 3.0).sqrt())).abs() < 1e-8);
    }

    #[test]
    fn pairs_are_much_surer_than_the_same_runs_apart() {
        let (a, b) = ([10.0, 20.0, 30.0], [9.0, 19.1, 28.9]);
        let pairs = Difference::of_pairs(&[1.0, 0.9, 1.1]);
        let apart = Difference::of_apart(&a, &b);
        assert!((pairs.value - apart.value).abs() < 1e-12 && pairs.margin(0.95) < 0.02 * apart.margin(0.95));
        // t of 0.95 with 2 degrees of freedom: 2.920; s = 0.1.
        assert!((pairs.margin(0.95) - 2.919_985_58 * 0.1 / 3f64.sqrt()).abs() < 1e-8);
    }

    #[test]
    fn a_single_run_has_no_interval_and_equal_runs_have_one_of_no_width() {
        assert!(Difference::of_pairs(&[1.0]).margin(0.95).is_nan());
        assert!(Difference::of_apart(&[1.0], &[2.0]).margin(0.95).is_nan());
        assert!(Difference::of_apart(&[1.0], &[2.0, 3.0]).margin(0.95).is_nan());
        assert_eq!(Difference::of_pairs(&[0.3; 3]).margin(0.95), 0.0);
        assert_eq!(Difference::of_apart(&[0.3; 3], &[0.1; 3]).margin(0.95), 0.0);
    }
}
