//! Whether neighbouring values of a series depend on each other.

use super::Estimate;
use super::estimate::exact_sum;

/// Lag-1 autocorrelation.
///
/// Formula: Σ(x_i - m)(x_i+1 - m) over i < n, divided by Σ(x_i - m)² over all, with the mean m of all.
///
/// Source: Box and Jenkins; the definition that NIST's certified values use (Statistical Reference Datasets).
///
/// Edge cases: not a number for fewer than two values, or equal ones.
///
/// Example: 1, 3, 2 have -1/2: ((-1)(1) + (1)(0)) / 2.
pub fn lag_one(values: &[f64]) -> f64 {
    let mean = Estimate::of(values).mean;
    let squares = exact_sum(values.iter().map(|x| (x - mean) * (x - mean)));
    let products = exact_sum(values.windows(2).map(|w| (w[0] - mean) * (w[1] - mean)));
    if squares > 0.0 { products / squares } else { f64::NAN }
}

/// Von Neumann's test of independence against positive correlation of neighbours: about standard normal if independent, large
/// if neighbours are alike. Above 1.645 independence is rejected at 5 %.
///
/// Formula: C / sqrt((n - 2) / (n² - 1)) with C = 1 - Σ(x_i - x_i+1)² / (2 Σ(x_i - m)²).
///
/// Source: von Neumann, Annals of Mathematical Statistics 12 (1941); as a test of batch means: Fishman, Management Science 24 (1978).
///
/// Errors: the normal approximation holds from about 8 values on (Fishman).
///
/// Edge cases: not a number for fewer than three values, or equal ones.
///
/// Example: 1, 3, 2 have squares of differences 5 and C = 1 - 5/4 = -1/4, over sqrt(1/8): -0.7071.
pub fn von_neumann(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = Estimate::of(values).mean;
    let squares = exact_sum(values.iter().map(|x| (x - mean) * (x - mean)));
    let steps = exact_sum(values.windows(2).map(|w| (w[1] - w[0]) * (w[1] - w[0])));
    if values.len() < 3 || squares.is_nan() || squares <= 0.0 {
        return f64::NAN;
    }
    (1.0 - steps / (2.0 * squares)) / ((n - 2.0) / (n * n - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Seed;

    #[test]
    fn the_examples_of_the_formulas_hold() {
        assert_eq!(lag_one(&[1.0, 3.0, 2.0]), -0.5);
        assert!((von_neumann(&[1.0, 3.0, 2.0]) + 0.5f64.sqrt()).abs() < 1e-15);
        for values in [&[][..], &[1.0], &[2.0, 2.0, 2.0]] {
            assert!(lag_one(values).is_nan() && von_neumann(values).is_nan());
        }
    }

    #[test]
    fn independence_is_rejected_as_rarely_as_stated_and_dependence_often() {
        let mut random = Seed(3).stream("von-neumann", 0);
        let cases = 10_000;
        let mut rejected = [0, 0];
        for (phi, count) in [0.0, 0.8].into_iter().zip(&mut rejected) {
            for _ in 0..cases {
                let mut x = random.standard_normal();
                let series: Vec<f64> = (0..20)
                    .map(|_| {
                        x = phi * x + random.standard_normal();
                        x
                    })
                    .collect();
                *count += usize::from(von_neumann(&series) > 1.645);
            }
        }
        let [under, over] = rejected.map(|r| f64::from(r as u32) / f64::from(cases));
        // Three and a half standard deviations of the binomial share, and half a percent for the normal approximation at n = 20.
        assert!((under - 0.05).abs() < 0.005 + 3.5 * (0.05f64 * 0.95 / f64::from(cases)).sqrt(), "{under}");
        assert!(over > 0.9, "{over}");
    }
}
