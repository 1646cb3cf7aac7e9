//! Where a run's beginning ends: the marginal standard error rule (MSER).

/// Values in a batch of MSER-5.
pub const MSER_BATCH: usize = 5;

/// How many values at the beginning to leave out, so that the mean of the rest is known best; nothing if that is undetermined.
///
/// Formula: the d in 0 ..= n/2 that minimises Σ(x_i - m_d)² over i > d, divided by (n - d)², m_d being the mean of what is
/// left; of several, the smallest. Leaving out more removes bias, and pays with fewer values.
///
/// Source: White, Simulation 69 (1997); the search over the first half only, and giving up where the minimum is at its end: White, Cobb and
/// Spratt, Winter Simulation Conference 2000; Hoad, Robinson and Davies, Journal of Simulation 4 (2010).
///
/// Errors: it finds a transient that fades within half the series. It is no test of stationarity: a trend or a daily rhythm has a
/// minimum, too; a level that lasts for much more than half the series is taken for the steady one. A single value far off near the end can hide the transient.
///
/// Edge cases: undetermined (`None`) for fewer than four values, if one is not a number, and where the minimum is at the end of the search:
/// then the series is too short, run it longer. A constant series needs no cut.
///
/// Example: of 9, 9, 1, 2, 1, 2, 1, 2 two are left out: the rest has 1.5 / 36 = 0.042, all have 85.875 / 64 = 1.34.
pub fn mser(values: &[f64]) -> Option<usize> {
    let n = values.len();
    if n < 4 || values.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let end = n / 2;
    let (mut mean, mut squares) = (0.0, 0.0);
    let mut best = (f64::INFINITY, end);
    // From the last value to the first, so that each step adds one (Welford 1962).
    for (i, x) in values.iter().enumerate().rev() {
        let count = (n - i) as f64;
        let off = x - mean;
        mean += off / count;
        squares += off * (x - mean);
        let error = squares / (count * count);
        if i <= end && error <= best.0 {
            best = (error, i);
        }
    }
    Some(best.1).filter(|cut| *cut < end)
}

/// The same of means of five neighbours, which smooths out single values: how many values to leave out, a multiple of five.
///
/// Formula: [`mser`] of the batch means, times 5. The values behind the last whole batch do not count.
///
/// Source: White, Cobb and Spratt, Winter Simulation Conference 2000.
///
/// Edge cases: as of [`mser`]; undetermined for fewer than 20 values.
pub fn mser_5(values: &[f64]) -> Option<usize> {
    let means: Vec<f64> = values.chunks_exact(MSER_BATCH).map(|b| b.iter().sum::<f64>() / MSER_BATCH as f64).collect();
    mser(&means).map(|cut| cut * MSER_BATCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Estimate;
    use crate::types::Seed;

    /// By the formula, each cut on its own.
    fn by_force(values: &[f64]) -> Option<usize> {
        let n = values.len();
        let error = |d: usize| {
            let e = Estimate::of(&values[d..]);
            e.deviation * e.deviation * (n - d - 1) as f64 / ((n - d) * (n - d)) as f64
        };
        let best = (0..=n / 2).min_by(|a, b| error(*a).total_cmp(&error(*b)))?;
        Some(best).filter(|b| *b < n / 2)
    }

    #[test]
    fn the_example_of_the_formula_holds() {
        assert_eq!(mser(&[9.0, 9.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0]), Some(2));
    }

    #[test]
    fn a_constant_series_needs_no_cut() {
        assert_eq!((mser(&[0.3; 40]), mser_5(&[0.3; 40])), (Some(0), Some(0)));
    }

    #[test]
    fn a_step_is_cut_where_it_ends() {
        for at in [0, 1, 7, 19] {
            let series: Vec<f64> = (0..40).map(|i| if i < at { 5.0 } else { 1.0 }).collect();
            assert_eq!(mser(&series), Some(at), "{at}");
        }
        let series: Vec<f64> = (0..100).map(|i| if i < 23 { 5.0 } else { 1.0 }).collect();
        assert_eq!(mser_5(&series), Some(25));
    }

    #[test]
    fn a_transient_longer_than_half_the_series_is_undetermined() {
        let series: Vec<f64> = (0..40).map(|i| if i < 22 { 5.0 } else { 1.0 + f64::from(i % 2) }).collect();
        assert_eq!((mser(&series), by_force(&series)), (None, None));
        // Of a much longer one it takes the end for the exception.
        let series: Vec<f64> = (0..40).map(|i| if i < 30 { 5.0 } else { 1.0 + f64::from(i % 2) }).collect();
        assert_eq!((mser(&series), by_force(&series)), (Some(0), Some(0)));
        let trend: Vec<f64> = (0..40).map(f64::from).collect();
        assert_eq!((mser(&trend), by_force(&trend)), (None, None));
        assert_eq!((mser(&[1.0, 2.0, 3.0]), mser(&[1.0, f64::NAN, 3.0, 4.0]), mser_5(&[1.0; 19])), (None, None, None));
    }

    #[test]
    fn a_decay_without_noise_is_cut_where_calculus_says() {
        // Of x_i = e^(-i/τ) on a line of alternating ±c, as of every series, brute force gives the minimum. For τ << n the error after d is
        // (c² n' + τ/2 e^(-2d/τ)) / n'² with n' = n - d (the mean's own part is of order 1/n'); its minimum solves (1 - τ/n') e^(-2d/τ) = c², so
        // near d = -τ ln c.
        let (n, tau, c) = (4000, 50.0f64, 0.01f64);
        let series: Vec<f64> =
            (0..n).map(|i| libm::exp(-f64::from(i) / tau) + if i % 2 == 0 { c } else { -c }).collect();
        let cut = mser(&series).expect("a short transient is determined");
        assert_eq!(Some(cut), by_force(&series));
        let calculus = -tau * libm::log(c);
        assert!((cut as f64 - calculus).abs() < 3.0, "{cut} instead of {calculus}");
    }

    #[test]
    fn the_cut_is_that_of_brute_force() {
        let mut random = Seed(8).stream("mser", 0);
        for case in 0..200 {
            let n = 4 + random.below(120) as usize;
            let (start, tau) = (10.0 * random.uniform(), 20.0 * random.uniform());
            let series: Vec<f64> =
                (0..n).map(|i| start * libm::exp(-(i as f64) / tau) + random.standard_normal()).collect();
            assert_eq!(mser(&series), by_force(&series), "case {case}");
        }
    }

    #[test]
    fn the_mean_after_the_cut_is_nearly_free_of_the_transient() {
        let mut random = Seed(8).stream("mser", 1);
        let mut error = 0.0;
        for _ in 0..200 {
            let series: Vec<f64> =
                (0..1000).map(|i| 4.0 * libm::exp(-f64::from(i) / 30.0) + random.standard_normal()).collect();
            let cut = mser_5(&series).expect("determined");
            error += Estimate::of(&series[cut..]).mean;
        }
        // Uncut, the mean is 4 · 30 / 1000 = 0.12 too high.
        assert!(error / 200.0 < 0.02, "{}", error / 200.0);
    }
}
