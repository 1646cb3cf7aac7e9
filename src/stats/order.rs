//! Figures of a handful of values that are all there: a quantile, mean and deviation.

/// Quantile of sorted values, linear between order statistics (Hyndman and Fan, type 7; numpy's default).
///
/// Formula: with h = (N - 1) q, x_floor(h) + (h - floor(h)) (x_floor(h)+1 - x_floor(h)). `q` is in 0 to 1; 0 of no values. Example: the
/// 0.95-quantile of 0.4, 0.5, 0.6 is at position 1.9: 0.59.
pub fn quantile_of_sorted(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let at = q.clamp(0.0, 1.0) * last as f64;
    let below = at as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (at - below as f64)
}

/// The same of values in any order, which are partly sorted on the way: faster than sorting them for one quantile.
pub fn quantile_of_unsorted(values: &mut [f64], q: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    let at = q.clamp(0.0, 1.0) * last as f64;
    let (_, &mut below, larger) = values.select_nth_unstable_by(at as usize, f64::total_cmp);
    let above = larger.iter().copied().min_by(f64::total_cmp).unwrap_or(below);
    below + (above - below) * (at - at.floor())
}

/// Mean and sample standard deviation (divisor N - 1), in two passes; the deviation of fewer than two values is 0.
///
/// Example: 0.4, 0.5, 0.6 have mean 0.5 and deviation 0.1.
pub fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    if values.is_empty() {
        return (0.0, 0.0);
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    (mean, (squares / (n - 1.0).max(1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_linear_between_order_statistics() {
        let sorted = [0.4, 0.5, 0.6];
        assert!((quantile_of_sorted(&sorted, 0.95) - 0.59).abs() < 1e-15);
        assert_eq!([0.0, 0.5, 1.0].map(|q| quantile_of_sorted(&sorted, q)), [0.4, 0.5, 0.6]);
        assert_eq!((quantile_of_sorted(&[], 0.5), quantile_of_sorted(&[3.0], 0.99)), (0.0, 3.0));
    }

    #[test]
    fn a_quantile_does_not_depend_on_the_order() {
        let mut random = crate::types::Seed(2).stream("order", 0);
        for n in 0..40 {
            let mut values: Vec<f64> = (0..n).map(|_| random.below(20) as f64).collect();
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            for q in [0.0, 0.3, 0.5, 0.95, 0.99, 1.0] {
                assert_eq!(quantile_of_unsorted(&mut values, q), quantile_of_sorted(&sorted, q), "{n} {q}");
            }
        }
    }

    #[test]
    fn the_deviation_is_the_samples() {
        let (mean, deviation) = mean_and_deviation(&[0.4, 0.6, 0.5]);
        assert!((mean - 0.5).abs() < 1e-15 && (deviation - 0.1).abs() < 1e-15);
        assert_eq!(mean_and_deviation(&[7.0]), (7.0, 0.0));
    }
}
