//! The mean of a handful of runs and how sure it is: deviation, standard error, Student's interval.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// An interval. Ends that are not numbers say that there is none; infinite ends, that it is unbounded there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// No interval.
    pub const UNDEFINED: Self = Self { low: f64::NAN, high: f64::NAN };

    /// Whether a value lies in it, the ends included; nothing lies in an undefined one.
    pub fn contains(self, x: f64) -> bool {
        self.low <= x && x <= self.high
    }

    /// Half its width; not a number where there is none.
    pub fn half_width(self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

/// A figure over runs that are independent and alike (replications), in the figure's unit.
///
/// Formula: mean m = Σx / n; deviation s = sqrt(Σ(x - m)² / (n - 1)); standard error s / sqrt(n). In two passes, with sums
/// whose rounding errors are carried along.
///
/// Source: Chan, Golub and LeVeque, The American Statistician 37 (1983), the corrected two-pass algorithm; Neumaier, ZAMM 54
/// (1974), the sums.
///
/// Errors: the last digits. NIST's certified values are met to 12 digits and more, as far as the data can be written as binary
/// numbers (tests).
///
/// Edge cases: without a value all but `runs` is not a number; with one, deviation and standard error are not. A value that
/// is not a number makes everything so: the caller leaves such runs out, and says so.
///
/// Example: 0.4, 0.5 and 0.6 have mean 0.5, deviation 0.1 and standard error 0.057735.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// How many values.
    pub runs: usize,
    /// Their mean.
    pub mean: f64,
    /// Their sample standard deviation (divisor n - 1).
    pub deviation: f64,
    /// Standard deviation of the mean.
    pub standard_error: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Estimate {
    /// The estimate from values.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        if values.is_empty() {
            let nan = f64::NAN;
            return Self { runs: 0, mean: nan, deviation: nan, standard_error: nan, min: nan, max: nan };
        }
        let mean = mean(values);
        let squares = exact_sum(values.iter().map(|x| (x - mean) * (x - mean)));
        let rest = exact_sum(values.iter().map(|x| x - mean));
        let variance = ((squares - rest * rest / n) / (n - 1.0)).max(0.0);
        // `max` would turn what is not a number into 0.
        let known = values.len() > 1 && !squares.is_nan();
        let deviation = if known { variance.sqrt() } else { f64::NAN };
        let least = |a: f64, b: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) };
        let most = |a: f64, b: f64| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) };
        Self {
            runs: values.len(),
            mean,
            deviation,
            standard_error: deviation / n.sqrt(),
            min: values.iter().copied().fold(f64::INFINITY, least),
            max: values.iter().copied().fold(f64::NEG_INFINITY, most),
        }
    }

    /// Half the width of Student's two-sided interval; not a number with fewer than two values.
    ///
    /// Formula: t s / sqrt(n), t being the (1 + confidence) / 2 quantile of Student's distribution with n - 1 degrees of freedom.
    ///
    /// Source: Law, Simulation Modeling and Analysis, 5th ed. (2015), section 4.5.
    ///
    /// Errors: exact for normal values; for others it covers the less, the fewer and the more skewed they are.
    ///
    /// Example: for 0.4, 0.5, 0.6 at 0.95, t = 4.303 and the half width is 0.2484.
    pub fn half_width(&self, confidence: f64) -> f64 {
        match self.runs {
            0 | 1 => f64::NAN,
            // Equal values are certain whatever the quantile.
            _ if self.standard_error == 0.0 => 0.0,
            n => student_quantile(f64::midpoint(1.0, confidence), n - 1) * self.standard_error,
        }
    }

    /// Student's two-sided interval: the mean and the half width on either side.
    pub fn t_interval(&self, confidence: f64) -> Interval {
        let half = self.half_width(confidence);
        Interval { low: self.mean - half, high: self.mean + half }
    }
}

/// The quantile of Student's distribution with so many degrees of freedom, rounded to nine digits behind the point because the
/// rest differs between machines; not a number without a degree of freedom or for a level outside (0, 1).
///
/// Example: the level 0.975 with 10 degrees of freedom is at 2.228138852.
pub fn student_quantile(level: f64, freedom: usize) -> f64 {
    const DIGITS: f64 = 1e9;
    if !(level > 0.0 && level < 1.0) {
        return f64::NAN;
    }
    let Ok(student) = StudentsT::new(0.0, 1.0, freedom as f64) else { return f64::NAN };
    (student.inverse_cdf(level) * DIGITS).round() / DIGITS
}

/// A sum that carries the rounding errors along.
pub(super) fn exact_sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0f64, 0.0f64);
    for x in values {
        let next = sum + x;
        lost += if sum.abs() >= x.abs() { (sum - next) + x } else { (x - next) + sum };
        sum = next;
    }
    // An infinite sum has lost what is not a number.
    if sum.is_finite() { sum + lost } else { sum }
}

/// The mean, corrected by the mean of what it leaves; of no values it is not a number.
pub(super) fn mean(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let rough = exact_sum(values.iter().copied()) / n;
    if rough.is_finite() { rough + exact_sum(values.iter().map(|x| x - rough)) / n } else { rough }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Seed;

    #[test]
    fn the_example_of_the_formula_holds() {
        let e = Estimate::of(&[0.4, 0.6, 0.5]);
        assert_eq!((e.runs, e.min, e.max), (3, 0.4, 0.6));
        assert!((e.mean - 0.5).abs() < 1e-15 && (e.deviation - 0.1).abs() < 1e-15);
        assert!((e.standard_error - 0.1 / 3f64.sqrt()).abs() < 1e-15);
        assert!((e.half_width(0.95) - 4.302_652_73 * 0.1 / 3f64.sqrt()).abs() < 1e-9);
        let interval = e.t_interval(0.95);
        assert!(interval.contains(0.5) && !interval.contains(0.75));
        assert!((interval.half_width() - e.half_width(0.95)).abs() < 1e-15);
    }

    #[test]
    fn what_is_not_defined_is_not_a_number() {
        let none = Estimate::of(&[]);
        assert!(none.runs == 0 && none.mean.is_nan() && none.min.is_nan() && none.half_width(0.95).is_nan());
        let one = Estimate::of(&[7.0]);
        assert!((one.mean, one.min, one.max) == (7.0, 7.0, 7.0) && one.deviation.is_nan());
        assert!(one.t_interval(0.95).low.is_nan() && !one.t_interval(0.95).contains(7.0));
        let nan = Estimate::of(&[1.0, f64::NAN, 2.0]);
        assert!(nan.mean.is_nan() && nan.deviation.is_nan() && nan.min.is_nan() && nan.max.is_nan());
        let infinite = Estimate::of(&[1.0, f64::INFINITY]);
        assert!(infinite.mean == f64::INFINITY && infinite.deviation.is_nan());
    }

    #[test]
    fn equal_values_have_an_interval_of_no_width() {
        // Five times this number over five is not this number.
        let x = 6.976_154_236_289_542;
        let e = Estimate::of(&[x; 5]);
        assert_eq!((e.mean, e.deviation, e.t_interval(0.99)), (x, 0.0, Interval { low: x, high: x }));
    }

    #[test]
    fn quantiles_are_those_of_the_printed_table() {
        // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, upper critical values of Student's distribution.
        let table = [
            (1, [3.078, 6.314, 12.706, 31.821, 63.657]),
            (2, [1.886, 2.920, 4.303, 6.965, 9.925]),
            (5, [1.476, 2.015, 2.571, 3.365, 4.032]),
            (10, [1.372, 1.812, 2.228, 2.764, 3.169]),
            (30, [1.310, 1.697, 2.042, 2.457, 2.750]),
            (100, [1.290, 1.660, 1.984, 2.364, 2.626]),
        ];
        for (freedom, row) in table {
            for (level, wanted) in [0.90, 0.95, 0.975, 0.99, 0.995].into_iter().zip(row) {
                let ours = student_quantile(level, freedom);
                assert!((ours - wanted).abs() <= 0.0005 + 1e-9, "{level} {freedom}: {ours} is not {wanted}");
            }
        }
        // The closed forms of one and two degrees of freedom: tan(π (p - 1/2)), and (2p - 1) / sqrt(2 p (1 - p)).
        let exact = [(1, (std::f64::consts::PI * 0.475).tan()), (2, 0.95 / (2.0f64 * 0.975 * 0.025).sqrt())];
        for (freedom, wanted) in exact {
            assert!((student_quantile(0.975, freedom) - wanted).abs() < 2e-9, "{freedom}");
        }
        assert!(student_quantile(0.975, 0).is_nan() && student_quantile(1.0, 3).is_nan());
    }

    #[test]
    fn the_interval_covers_as_often_as_it_says() {
        let mut random = Seed(11).stream("estimate", 0);
        let cases = 20_000;
        for (n, confidence) in [(3, 0.95), (10, 0.90)] {
            let covered = (0..cases)
                .filter(|_| {
                    let values: Vec<f64> = (0..n).map(|_| 5.0 + random.standard_normal()).collect();
                    Estimate::of(&values).t_interval(confidence).contains(5.0)
                })
                .count();
            let share = covered as f64 / f64::from(cases);
            let sigma = (confidence * (1.0 - confidence) / f64::from(cases)).sqrt();
            assert!((share - confidence).abs() < 3.5 * sigma, "{n} values: {share} instead of {confidence}");
        }
    }
}
