//! Two sets of runs in pairs, under common random numbers: their difference and their ratio, with intervals.

use super::estimate::exact_sum;
use super::{Estimate, Interval, student_quantile};

/// Runs with something (a) against runs without (b), run by run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// The differences a - b, in the figure's unit; its interval is `difference.t_interval`.
    pub difference: Estimate,
    /// What is compared with: b alone.
    pub baseline: Estimate,
    /// Sample covariance of difference and baseline (divisor n - 1).
    covariance: f64,
}

/// The differences a - b of runs in pairs, and what their ratio needs.
///
/// Formula: d_j = a_j - b_j; mean, deviation and Student's interval of d. Under common random numbers a and b are positively
/// correlated and Var(d) = Var(a) + Var(b) - 2 Cov(a, b) is smaller than for independent runs.
///
/// Source: Law, Simulation Modeling and Analysis, 5th ed. (2015), section 10.2.1 (the paired-t interval).
///
/// Edge cases: as of [`Estimate`]; pairs of which one is not a number are the caller's to leave out. Surplus values of the longer
/// list are ignored.
///
/// Example: 3, 5 and 4 against 2, 3 and 4 differ by 1, 2 and 0: 1 ± 2.484 at 0.95.
pub fn paired(a: &[f64], b: &[f64]) -> Paired {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let difference = Estimate::of(&differences);
    let b = &b[..differences.len()];
    let baseline = Estimate::of(b);
    let products = exact_sum(differences.iter().zip(b).map(|(d, b)| (d - difference.mean) * (b - baseline.mean)));
    let covariance = if b.len() > 1 { products / (b.len() as f64 - 1.0) } else { f64::NAN };
    Paired { difference, baseline, covariance }
}

impl Paired {
    /// By which share a is above b: mean(a) / mean(b) - 1; not a number where mean(b) is 0.
    pub fn relative(&self) -> f64 {
        if self.baseline.mean == 0.0 { f64::NAN } else { self.difference.mean / self.baseline.mean }
    }

    /// Fieller's interval of [`Paired::relative`].
    ///
    /// Formula: all r for which Student's test of d_j - r b_j does not reject mean 0: |d - r b| <= t sqrt((s_dd - 2 r s_db + r² s_bb) / n),
    /// with means d and b, (co)variances s, and t of n - 1 degrees of freedom. Solved for r: (d b - t² s_db / n ± t sqrt(D)) / (b² - t² s_bb / n) with
    /// D = (b² s_dd - 2 d b s_db + d² s_bb) / n - t² (s_dd s_bb - s_db²) / n².
    ///
    /// Source: Fieller, Journal of the Royal Statistical Society B 16 (1954). Chosen over the delta method because it is exact for
    /// normal pairs also where b varies much; where b varies little, both agree.
    ///
    /// Edge cases: where mean(b) is not significantly different from 0 (b² <= t² s_bb / n) the set of r is unbounded, and there is no interval: ends
    /// that are not numbers. Likewise with fewer than two pairs.
    ///
    /// Example: a = 1.1 b with whatever b whose own interval excludes 0 gives 0.1 to 0.1.
    pub fn relative_interval(&self, confidence: f64) -> Interval {
        let n = self.difference.runs;
        if n < 2 {
            return Interval::UNDEFINED;
        }
        let t = student_quantile(f64::midpoint(1.0, confidence), n - 1);
        let n = n as f64;
        let (d, b) = (self.difference.mean, self.baseline.mean);
        let (dd, bb, db) = (
            self.difference.standard_error * self.difference.standard_error,
            self.baseline.standard_error * self.baseline.standard_error,
            self.covariance / n,
        );
        let lead = b * b - t * t * bb;
        if lead.is_nan() || lead <= 0.0 {
            return Interval::UNDEFINED;
        }
        let root = (b * b * dd - 2.0 * d * b * db + d * d * bb - t * t * (dd * bb - db * db)).max(0.0).sqrt();
        let middle = d * b - t * t * db;
        Interval { low: (middle - t * root) / lead, high: (middle + t * root) / lead }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Seed, Stream};

    #[test]
    fn the_example_of_the_formula_holds() {
        let p = paired(&[3.0, 5.0, 4.0], &[2.0, 3.0, 4.0]);
        assert_eq!((p.difference.mean, p.difference.deviation, p.baseline.mean), (1.0, 1.0, 3.0));
        assert!((p.difference.half_width(0.95) - 4.302_652_73 / 3f64.sqrt()).abs() < 1e-9);
        assert!((p.relative() - 1.0 / 3.0).abs() < 1e-15);
        let b = [3.0, 3.5, 2.9, 3.2];
        let p = paired(&b.map(|x| 1.1 * x), &b);
        let i = p.relative_interval(0.95);
        assert!((i.low - 0.1).abs() < 1e-7 && (i.high - 0.1).abs() < 1e-7, "{i:?}");
    }

    #[test]
    fn fiellers_interval_is_the_set_that_the_test_does_not_reject() {
        let (a, b) = ([3.0, 5.1, 4.2, 4.9, 3.3], [2.0, 3.0, 4.1, 2.8, 3.2]);
        let i = paired(&a, &b).relative_interval(0.9);
        let rejected = |r: f64| {
            let rest: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b - r * b).collect();
            !Estimate::of(&rest).t_interval(0.9).contains(0.0)
        };
        for (end, outside) in [(i.low, -1.0), (i.high, 1.0)] {
            assert!(rejected(end + outside * 1e-9), "{i:?}");
            assert!(!rejected(end - outside * 1e-9), "{i:?}");
        }
    }

    #[test]
    fn where_the_baseline_may_be_zero_there_is_no_interval() {
        let p = paired(&[1.0, 2.0, 3.0], &[-1.0, 0.5, 1.0]);
        assert!(p.relative_interval(0.95).low.is_nan());
        assert!(paired(&[1.0], &[2.0]).relative_interval(0.95).low.is_nan());
        assert!(paired(&[1.0, 1.0], &[1.0, -1.0]).relative().is_nan());
    }

    #[test]
    fn intervals_of_ratio_and_difference_cover_as_often_as_they_say() {
        // Pairs that share a normal part; the baseline varies by 30 %.
        let draw = |random: &mut Stream| {
            let common = random.standard_normal();
            let own = |random: &mut Stream| 0.3 * random.standard_normal();
            (12.0 + 3.0 * common + own(random), 10.0 + 3.0 * common + own(random))
        };
        let mut random = Seed(5).stream("paired", 0);
        let cases = 10_000;
        let (mut ratio, mut difference) = (0, 0);
        for _ in 0..cases {
            let (a, b): (Vec<f64>, Vec<f64>) = (0..6).map(|_| draw(&mut random)).unzip();
            let p = paired(&a, &b);
            ratio += usize::from(p.relative_interval(0.95).contains(0.2));
            difference += usize::from(p.difference.t_interval(0.95).contains(2.0));
        }
        let sigma = (0.95f64 * 0.05 / f64::from(cases)).sqrt();
        for covered in [ratio, difference] {
            let share = covered as f64 / f64::from(cases);
            assert!((share - 0.95).abs() < 3.5 * sigma, "{share}");
        }
    }
}
