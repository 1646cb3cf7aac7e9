//! Noise that grows with the horizon: what is near is known better than what is far.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ar1_noise::Ar1;
use super::pieces::{Piece, Pieces, own_piece, seen_until};
use super::spread::{hours_ns, sd, within, wrong};
use crate::grid::{GridError, Signal};
use crate::types::Seed;

const MODEL: &str = "horizon-noise";

/// Noise that grows with the square root of the horizon, up to a cap.
///
/// Formula: f = c + z σ √(min(h, cap) / h0), h being the time from now to the step's beginning. z is one standard normal number per step
/// of the signal, whenever it is asked for: who asks again later gets the same error, smaller. Without error at h = 0: the step
/// under way is known. Not clipped: beliefs may be negative.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HorizonNoise {
    /// σ, the standard deviation at h0 [gCO2e/kWh]. This or `relative_sd` is required.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sd_g_per_kwh: Option<f64>,
    /// σ [share of the signal's mean].
    #[schemars(range(min = 0.0, max = 100.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_sd: Option<f64>,
    /// h0, the horizon at which σ holds \[h\]. Default 24, day-ahead.
    #[schemars(range(min = 0.001, max = 87600.0))]
    #[serde(default = "day")]
    pub h0_h: f64,
    /// The horizon from which on the error no longer grows \[h\]. Default 96, the reach of published multi-day forecasts (CarbonCast,
    /// BuildSys 2022). Assumed: that nothing is gained or lost beyond it.
    #[schemars(range(min = 0.001, max = 87600.0))]
    #[serde(default = "four_days")]
    pub cap_h: f64,
    /// Correlation of z with that of the step before. Default 0; 0.9 and more for hourly steps is what forecasts show.
    #[schemars(range(min = 0.0, max = 0.999999))]
    #[serde(default)]
    pub rho: f64,
}

fn day() -> f64 {
    24.0
}

fn four_days() -> f64 {
    96.0
}

impl HorizonNoise {
    pub(super) fn build(&self, signal: &Signal, seed: Seed) -> Result<Horizon, GridError> {
        let sd = sd(MODEL, signal, self.sd_g_per_kwh, self.relative_sd)?
            .ok_or_else(|| wrong(MODEL, "sd_g_per_kwh or relative_sd is required: how large the error is at h0_h"))?;
        let rho = within(MODEL, "rho", self.rho, (0.0, 0.999_999))?;
        let mut z = Ar1::new(rho, seed.derive(MODEL).into_stream());
        Ok(Horizon {
            errors: signal.points().values().iter().map(|_| sd * z.draw()).collect(),
            signal: signal.clone(),
            h0_ns: hours_ns(MODEL, "h0_h", self.h0_h)?,
            cap_ns: hours_ns(MODEL, "cap_h", self.cap_h)?,
        })
    }
}

/// The belief.
#[derive(Debug)]
pub(super) struct Horizon {
    signal: Signal,
    /// The error of every step at horizon h0 [g/kWh].
    errors: Vec<f64>,
    h0_ns: i64,
    cap_ns: i64,
}

impl Pieces for Horizon {
    fn signal(&self) -> &Signal {
        &self.signal
    }

    fn piece(&self, now: i64, t: i64) -> Piece {
        let seen = self.signal.points();
        let known = own_piece(seen, t);
        if t < seen_until(seen, now) {
            return known;
        }
        let i = seen.index(t);
        let horizon = (seen.bounds()[i] - now).min(self.cap_ns) as f64 / self.h0_ns as f64;
        Piece { g_per_kwh: known.g_per_kwh + self.errors[i] * libm::sqrt(horizon), ..known }
    }
}
