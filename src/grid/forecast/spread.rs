//! How large a model's error is: in g/kWh, or as a share of the signal's mean.

use crate::grid::{GridError, Signal};

/// The standard deviation [g/kWh] that one of two keys gives; `None` where neither does.
pub(super) fn sd(
    model: &'static str,
    signal: &Signal,
    sd_g_per_kwh: Option<f64>,
    relative_sd: Option<f64>,
) -> Result<Option<f64>, GridError> {
    match (sd_g_per_kwh, relative_sd) {
        (Some(_), Some(_)) => {
            Err(wrong(model, "sd_g_per_kwh and relative_sd both say how large the error is; keep one"))
        }
        (Some(sd), None) => not_negative(model, "sd_g_per_kwh", sd).map(Some),
        (None, Some(share)) => Ok(Some(not_negative(model, "relative_sd", share)? * signal.overall_mean())),
        (None, None) => Ok(None),
    }
}

/// A number from 0.
pub(super) fn not_negative(model: &'static str, key: &str, value: f64) -> Result<f64, GridError> {
    within(model, key, value, (0.0, f64::MAX))
}

/// A number in a closed range.
pub(super) fn within(model: &'static str, key: &str, value: f64, range: (f64, f64)) -> Result<f64, GridError> {
    if (range.0..=range.1).contains(&value) {
        return Ok(value);
    }
    let allowed = if range.1 == f64::MAX { format!("from {}", range.0) } else { format!("{} to {}", range.0, range.1) };
    Err(wrong(model, &format!("{key} is {value}; allowed is {allowed}")))
}

/// Hours as nanoseconds, more than 0.
pub(super) fn hours_ns(model: &'static str, key: &str, hours: f64) -> Result<i64, GridError> {
    within(model, key, hours, (0.001, 87_600.0)).map(|hours| (hours * 3.6e12).round() as i64)
}

pub(super) fn wrong(model: &'static str, what: &str) -> GridError {
    GridError::Forecast { model, what: what.to_owned() }
}
