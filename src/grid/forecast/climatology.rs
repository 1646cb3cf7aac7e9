//! The mean day of the last weeks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lagged::Lagged;
use super::spread::within;
use crate::grid::{GridError, Signal};

const DAY_NS: i64 = 86_400_000_000_000;

/// The mean of the same time of day over the last days.
///
/// Formula: f(t) = mean of c(t - k · 24 h) over the latest `days` whole k for which that step has begun, of those that the signal
/// reaches back to. With `same_weekday` only every seventh. The step under way is known. Without a day of history: the value of now;
/// with `same_weekday` and less than a week: the value of the day before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Climatology {
    /// Over how many days \[d\]. Default 28. Assumed: four whole weeks, long enough to average weather out, short enough for the season.
    #[schemars(range(min = 1, max = 3660))]
    #[serde(default = "four_weeks")]
    pub days: u32,
    /// Only the same day of the week, `days` / 7 of them; needs at least 7 days. Default false.
    #[serde(default)]
    pub same_weekday: bool,
}

fn four_weeks() -> u32 {
    28
}

impl Default for Climatology {
    fn default() -> Self {
        Self { days: four_weeks(), same_weekday: false }
    }
}

impl Climatology {
    pub(super) fn build(&self, signal: &Signal) -> Result<Lagged, GridError> {
        let lag_days: u32 = if self.same_weekday { 7 } else { 1 };
        within("climatology", "days", f64::from(self.days), (f64::from(lag_days), 3660.0))?;
        Ok(Lagged::mean(signal, DAY_NS * i64::from(lag_days), self.days / lag_days))
    }
}
