//! The mean of one long run and how sure it is: batch means.

use super::{Estimate, Interval, lag_one, von_neumann};

/// The most batches that are made.
pub const MOST_BATCHES: usize = 30;
/// The fewest.
const FEWEST_BATCHES: usize = 20;
/// One-sided quantile of the standard normal at 5 %, rounded.
const CRITICAL: f64 = 1.645;

/// A series in batches of equal length.
///
/// Formula: with k batches of b neighbouring values and their means Y_j, the mean is the mean of the Y_j, its standard error s_Y / sqrt(k),
/// and its interval Student's with k - 1 degrees of freedom. Batches much longer than the series remembers have nearly independent means.
///
/// Source: Law, Simulation Modeling and Analysis, 5th ed. (2015), section 9.5.3; the number of batches: Schmeiser, Operations Research 30
/// (1982): 10 to 30, as more gain little even if the means were independent, and longer batches are less dependent.
///
/// Errors: where neighbouring batches are still correlated the interval is too narrow. `dependence` says so, not surely: of 30 batches
/// it finds a correlation of 0.3 about every second time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchMeans {
    /// How many batches.
    pub batches: usize,
    /// Values in each.
    pub length: usize,
    /// Values at the beginning that fill no batch and do not count.
    pub left_out: usize,
    /// Mean, deviation and extremes of the batch means.
    pub means: Estimate,
    /// Lag-1 autocorrelation of the batch means.
    pub lag_one: f64,
    /// Von Neumann's statistic of the batch means: above 1.645 they are not independent (one-sided, 5 %).
    pub dependence: f64,
    /// So many independent values would know the mean as well.
    ///
    /// Formula: s_x² / (s_Y² / k), with the variance s_x² of the values. More than there are if neighbours balance each
    /// other. All, if the values are equal; infinite, if only the batch means are.
    pub effective: f64,
}

/// Batch means of a series without its warm-up ([`super::mser_5`]); nothing for fewer than two values per batch, or if one is not finite.
///
/// Without a number of batches it is the one in 20 to 30 that leaves out the fewest values; of several, the largest. Values that
/// fill no batch are left out at the beginning, next to the warm-up.
///
/// Example: 1, 3, 2, 4, 6, 8 in three batches have means 2, 3 and 7: 4 ± t · 2.6458 / sqrt(3).
pub fn batch_means(values: &[f64], batches: Option<usize>) -> Option<BatchMeans> {
    let n = values.len();
    // `max_by_key` takes the last of equals.
    let batches = batches.or_else(|| (FEWEST_BATCHES..=MOST_BATCHES).max_by_key(|k| n - n % k))?;
    if batches < 2 || n < 2 * batches || values.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let length = n / batches;
    let left_out = n - length * batches;
    let used = &values[left_out..];
    let means: Vec<f64> = used.chunks_exact(length).map(super::estimate::mean).collect();
    let (all, estimate) = (Estimate::of(used), Estimate::of(&means));
    let variance_of_mean = estimate.standard_error * estimate.standard_error;
    let effective =
        if all.deviation == 0.0 { used.len() as f64 } else { all.deviation * all.deviation / variance_of_mean };
    Some(BatchMeans {
        batches,
        length,
        left_out,
        means: estimate,
        lag_one: lag_one(&means),
        dependence: von_neumann(&means),
        effective,
    })
}

impl BatchMeans {
    /// Student's two-sided interval of the mean.
    pub fn interval(&self, confidence: f64) -> Interval {
        self.means.t_interval(confidence)
    }

    /// Whether nothing speaks against independent batch means (at 5 %); equal ones are.
    pub fn independent(&self) -> bool {
        self.dependence.is_nan() || self.dependence <= CRITICAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Seed, Stream};

    #[test]
    fn the_example_of_the_formula_holds() {
        let b = batch_means(&[1.0, 3.0, 2.0, 4.0, 6.0, 8.0], Some(3)).expect("two values per batch");
        assert_eq!((b.length, b.left_out, b.means.mean, b.means.min), (2, 0, 4.0, 2.0));
        assert!((b.interval(0.95).half_width() - 4.302_652_73 * 7f64.sqrt() / 3f64.sqrt()).abs() < 1e-8);
        let b = batch_means(&[99.0, 1.0, 3.0, 2.0, 4.0, 6.0, 8.0], Some(3)).expect("two values per batch");
        assert_eq!((b.left_out, b.means.mean), (1, 4.0));
    }

    #[test]
    fn batches_are_twenty_to_thirty_and_leave_out_little() {
        for (n, batches) in [(40, 20), (60, 30), (96, 24), (1000, 25), (2880, 30), (101, 25)] {
            let series: Vec<f64> = (0..n).map(|i| f64::from(i % 7)).collect();
            let b = batch_means(&series, None).expect("long enough");
            assert_eq!((b.batches, b.length * b.batches + b.left_out), (batches, n as usize));
        }
        assert_eq!(batch_means(&[1.0; 39], None), None);
        assert_eq!(batch_means(&[1.0, f64::NAN, 1.0, 1.0], Some(2)), None);
    }

    #[test]
    fn equal_values_are_certain() {
        let b = batch_means(&[0.1; 40], None).expect("long enough");
        assert_eq!(b.interval(0.95), Interval { low: 0.1, high: 0.1 });
        assert!(b.effective == 40.0 && b.independent());
    }

    /// x_i = φ x_i-1 + noise, stationary from its beginning.
    fn autoregressive(phi: f64, n: usize, random: &mut Stream) -> Vec<f64> {
        let mut x = random.standard_normal() / (1.0 - phi * phi).sqrt();
        (0..n)
            .map(|_| {
                x = phi * x + random.standard_normal();
                x
            })
            .collect()
    }

    #[test]
    fn the_interval_of_a_series_with_memory_covers_as_often_as_it_says() {
        // Var(mean) = σ²/n · ((1 + φ)/(1 - φ) - 2φ (1 - φ^n) / (n (1 - φ)²)), with the variance σ² of the values.
        let (phi, n, cases) = (0.8f64, 6000, 2000);
        let mut random = Seed(10).stream("batch-means", 0);
        let (mut covered, mut naive, mut share, mut dependent) = (0, 0, 0.0, 0);
        for _ in 0..cases {
            let series = autoregressive(phi, n, &mut random);
            let b = batch_means(&series, None).expect("long enough");
            covered += usize::from(b.interval(0.95).contains(0.0));
            naive += usize::from(Estimate::of(&series).t_interval(0.95).contains(0.0));
            share += 1.0 / b.effective / f64::from(cases);
            dependent += usize::from(!b.independent());
        }
        let [covered, naive, dependent] = [covered, naive, dependent].map(|c: usize| c as f64 / f64::from(cases));
        eprintln!("AR(1) 0.8: batch means cover {covered}, naive {naive}, 1/effective {share}, dependent {dependent}");
        let sigma = (0.95f64 * 0.05 / f64::from(cases)).sqrt();
        // Batches of 200 with a memory of 9: their means are correlated by about φ/(b (1 - φ²)) = 2 %, which costs up to 1 %.
        assert!((covered - 0.95).abs() < 3.5 * sigma + 0.01, "{covered}");
        assert!(naive < 0.6, "{naive}: the test series has no memory");
        assert!((dependent - 0.05).abs() < 0.03, "{dependent}");
        let m = n as f64;
        let wanted = ((1.0 + phi) / (1.0 - phi) - 2.0 * phi / (m * (1.0 - phi) * (1.0 - phi))) / m;
        // One estimate is uncertain by sqrt(2/29) = 26 %, their mean by 0.6 %; batches see 2-4 % too little.
        assert!((share / wanted - 1.0).abs() < 0.05, "{share} instead of {wanted}");
    }

    #[test]
    fn batches_that_are_too_short_are_found_out() {
        let mut random = Seed(10).stream("batch-means", 1);
        let found = (0..200)
            .filter(|_| {
                let series = autoregressive(0.98, 300, &mut random);
                !batch_means(&series, None).expect("long enough").independent()
            })
            .count();
        assert!(found > 180, "{found} of 200");
    }
}
