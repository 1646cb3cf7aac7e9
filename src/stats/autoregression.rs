//! The next value of a short series, from an autoregressive model of small order.

/// The next value of `series`, oldest first; `None` of an empty series.
///
/// Model: x_t - m = a_1 (x_{t-1} - m) + … + a_p (x_{t-p} - m) + e, with m the mean. The coefficients are the Yule–Walker
/// estimates (Levinson–Durbin recursion on the biased autocovariances, which keeps the model stationary). The order is the
/// one of the lowest AIC = n ln(variance of e) + 2 (p + 1), the smallest of equals, among 0 to `max_order` and at most
/// (n - 1) / 4 (assumed: four values per coefficient). With fewer than five values, or a constant series, it is the mean.
///
/// Source: Yule 1927, Walker 1931; Akaike 1974. Example: the alternating series 1, 3, 1, 3, 1, 3, 1, 3, 1 has a mean of 17/9
/// and a first autocorrelation near -0.9; its next value is forecast well above the mean.
pub fn next_value(series: &[f64], max_order: usize) -> Option<f64> {
    let n = series.len();
    let last = n.checked_sub(1)?;
    let mean = series.iter().sum::<f64>() / n as f64;
    let max_order = max_order.min(last / 4);
    let covariance = |lag: usize| {
        let pairs = series.iter().zip(&series[lag..]);
        pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / n as f64
    };
    let mut error = covariance(0);
    // Below this, the deviations are rounding errors of equal values.
    if error <= mean * mean * 1e-18 {
        return Some(mean);
    }
    let aic = |error: f64, order: usize| n as f64 * libm::log(error) + 2.0 * (order + 1) as f64;
    let mut coefficients: Vec<f64> = Vec::new();
    let (mut best, mut chosen) = (aic(error, 0), Vec::new());
    for order in 1..=max_order {
        let explained: f64 = coefficients.iter().enumerate().map(|(i, a)| a * covariance(order - 1 - i)).sum();
        let reflection = (covariance(order) - explained) / error;
        let reversed: Vec<f64> = coefficients.iter().rev().copied().collect();
        for (a, b) in coefficients.iter_mut().zip(&reversed) {
            *a -= reflection * b;
        }
        coefficients.push(reflection);
        error *= 1.0 - reflection * reflection;
        if error <= 0.0 {
            break;
        }
        let criterion = aic(error, order);
        if criterion < best {
            best = criterion;
            chosen.clone_from(&coefficients);
        }
    }
    Some(mean + chosen.iter().zip(series.iter().rev()).map(|(a, x)| a * (x - mean)).sum::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_or_equal_values_are_forecast_by_their_mean() {
        assert_eq!(next_value(&[], 3), None);
        assert_eq!(next_value(&[7.0], 3), Some(7.0));
        assert_eq!(next_value(&[1.0, 2.0, 6.0], 3), Some(3.0));
        assert_eq!(next_value(&[5.0; 40], 3), Some(5.0));
    }

    #[test]
    fn an_alternating_series_of_nine_is_forecast_by_hand() {
        // Deviations from 17/9 are -8/9 (five times) and 10/9 (four): c0 = (5·64 + 4·100)/729, c1 = -8·80/729.
        let series = [1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 1.0];
        let a = -640.0 / 720.0;
        let forecast = next_value(&series, 1).expect("not empty");
        assert!((forecast - (17.0 / 9.0 + a * (-8.0 / 9.0))).abs() < 1e-12, "{forecast}");
    }

    #[test]
    fn a_period_of_three_needs_the_second_order() {
        let series: Vec<f64> = (0..60).map(|i| [10.0, 40.0, 10.0][i % 3]).collect();
        let forecasts: Vec<f64> = (50..60).map(|n| next_value(&series[..n], 3).expect("not empty")).collect();
        for (n, f) in (50..60).zip(forecasts) {
            assert!((f - series[n]).abs() < 5.0, "{n}: {f}, not {}", series[n]);
        }
    }
}
