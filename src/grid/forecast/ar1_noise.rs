//! Noise with memory: errors that last for hours, as those of real forecasts do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fixed::{Fixed, Present};
use super::spread::{sd, within, wrong};
use crate::grid::{GridError, Signal, Typical};
use crate::types::{Seed, Stream};

const MODEL: &str = "ar1-noise";

/// Noise with memory: an error lasts.
///
/// Formula: f = c + ε_t, ε_t = ρ ε_(t-1) + σ √(1 - ρ²) N(0, 1) from step to step of the signal, stationary from its first step.
/// Where a key is not given and the signal's zone is one of `sim list zones`, σ is the standard deviation of the zone's residual and
/// ρ its lag-1 autocorrelation in hours, to the power of the signal's step in hours: the error of a forecast that knows no more than
/// the typical day of the month.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ar1Noise {
    /// ρ, correlation of the error with that of the step before. Default: the zone's.
    #[schemars(range(min = 0.0, max = 0.999999))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rho: Option<f64>,
    /// σ [gCO2e/kWh]. Default: `relative_sd`, or the zone's.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sd_g_per_kwh: Option<f64>,
    /// σ [share of the signal's mean], in place of `sd_g_per_kwh`.
    #[schemars(range(min = 0.0, max = 100.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_sd: Option<f64>,
    /// Whether the step under way is known. Default `observed`.
    #[serde(default)]
    pub present: Present,
}

impl Ar1Noise {
    pub(super) fn build(&self, signal: &Signal, seed: Seed) -> Result<Fixed, GridError> {
        let zone = Typical::zones().iter().find(|z| z.zone == signal.info().zone);
        let unknown = |what: &str| {
            let zone = &signal.info().zone;
            wrong(MODEL, &format!("{what} is not given, and zone {zone:?} is none of `sim list zones`; give it"))
        };
        let given = sd(MODEL, signal, self.sd_g_per_kwh, self.relative_sd)?;
        let sd = given.or(zone.map(|z| z.residual_sd_g_per_kwh)).ok_or_else(|| unknown("sd_g_per_kwh or relative_sd"))?;
        let hourly = |rho: f64| libm::pow(rho, signal.info().step_s / 3600.0);
        let rho = self.rho.or(zone.map(|z| hourly(z.residual_lag1_autocorrelation)));
        let rho = within(MODEL, "rho", rho.ok_or_else(|| unknown("rho"))?, (0.0, 0.999_999))?;
        let mut error = Ar1::new(rho, seed.derive(MODEL).into_stream());
        Ok(Fixed::new(signal, self.present, |_, c| c + sd * error.draw()))
    }
}

/// A stationary process of standard normal values with memory.
#[derive(Debug)]
pub(super) struct Ar1 {
    rho: f64,
    stream: Stream,
    last: Option<f64>,
}

impl Ar1 {
    pub(super) fn new(rho: f64, stream: Stream) -> Self {
        Ar1 { rho, stream, last: None }
    }

    pub(super) fn draw(&mut self) -> f64 {
        let e = self.stream.standard_normal();
        let x = self.last.map_or(e, |x| self.rho * x + libm::sqrt(1.0 - self.rho * self.rho) * e);
        self.last = Some(x);
        x
    }
}
