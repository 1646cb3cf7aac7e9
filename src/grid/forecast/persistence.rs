//! Tomorrow is as today, or next week as this one: the honest forecast that costs nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lagged::Lagged;
use super::spread::hours_ns;
use crate::grid::{GridError, Signal};

/// The latest value a whole number of lags before.
///
/// Formula: f(t) = c(t - k · lag) with the smallest k >= 1 for which that step has begun. The step under way is known. Where the signal
/// does not reach back a lag: a lag of 24 h if the lag is longer, else the value of now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Persistence {
    /// The lag \[h\]: 24 repeats the day, 168 the week. Default 24.
    #[schemars(range(min = 0.001, max = 87600.0))]
    #[serde(default = "day")]
    pub lag_h: f64,
}

fn day() -> f64 {
    24.0
}

impl Default for Persistence {
    fn default() -> Self {
        Self { lag_h: day() }
    }
}

impl Persistence {
    pub(super) fn build(&self, signal: &Signal) -> Result<Lagged, GridError> {
        Ok(Lagged::last(signal, hours_ns("persistence", "lag_h", self.lag_h)?))
    }
}
