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
        let sd =
            given.or(zone.map(|z| z.residual_sd_g_per_kwh)).ok_or_else(|| unknown("sd_g_per_kwh or relative_sd"))?;
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

#[cfg(test)]
mod tests {
    use crate::grid::forecast::tests::{build, h, hourly, steps};
    use crate::grid::{Residual, Signal, Typical};
    use crate::types::{Duration, Seed, SimTime};

    const N: usize = 40_000;

    /// Mean, standard deviation and lag-1 autocorrelation of belief less fact.
    fn errors(text: &str, signal: &Signal) -> (f64, f64, f64) {
        let f = build(text, signal, 11);
        let told = steps(&*f, h(0.0), h(1.0), signal.end());
        let mut actual = Vec::new();
        signal.steps(h(1.0), signal.end(), &mut actual);
        let e: Vec<f64> = told.iter().zip(&actual).map(|(f, c)| f.g_per_kwh - c.g_per_kwh).collect();
        let n = e.len() as f64;
        let mean = e.iter().sum::<f64>() / n;
        let var = e.iter().map(|e| (e - mean) * (e - mean)).sum::<f64>() / n;
        let lag = e.windows(2).map(|w| (w[0] - mean) * (w[1] - mean)).sum::<f64>() / n / var;
        (mean, var.sqrt(), lag)
    }

    fn wavy() -> Signal {
        hourly(0, (0..N).map(|i| if i % 2 == 0 { 150.0 } else { 250.0 }).collect())
    }

    #[track_caller]
    fn within(value: f64, wanted: f64, standard_error: f64) {
        assert!((value - wanted).abs() < 3.0 * standard_error, "{value} is not {wanted} ± 3 x {standard_error}");
    }

    #[test]
    fn iid_noise_has_the_share_of_the_mean_and_no_memory() {
        let n = N as f64;
        let (mean, sd, lag) = errors("iid-noise.relative_sd = 0.1", &wavy());
        within(mean, 0.0, 20.0 / n.sqrt());
        within(sd, 20.0, 20.0 / (2.0 * n).sqrt());
        within(lag, 0.0, 1.0 / n.sqrt());
    }

    #[test]
    fn uniform_noise_is_bounded_in_proportion() {
        let n = N as f64;
        let flat = hourly(0, vec![200.0; N]);
        let (mean, sd, lag) = errors("uniform-noise.relative_width = 0.3", &flat);
        let wanted = 200.0 * 0.3 / 12f64.sqrt();
        within(mean, 0.0, wanted / n.sqrt());
        // The fourth moment of a uniform is 1.8 of the squared variance.
        within(sd, wanted, wanted * (0.8 / 4.0 / n).sqrt());
        within(lag, 0.0, 1.0 / n.sqrt());
        let f = build("uniform-noise.relative_width = 0.3", &wavy(), 1);
        let told = steps(&*f, h(0.0), h(1.0), h(5000.0));
        let (mut lowest, mut highest) = (f64::INFINITY, f64::NEG_INFINITY);
        for (i, step) in told.iter().enumerate() {
            let ratio = step.g_per_kwh / if i % 2 == 0 { 250.0 } else { 150.0 };
            (lowest, highest) = (lowest.min(ratio), highest.max(ratio));
        }
        assert!((0.85..0.851).contains(&lowest) && (1.149..=1.15).contains(&highest), "{lowest} {highest}");
    }

    #[test]
    fn ar1_noise_has_its_spread_and_its_memory() {
        let (n, rho) = (N as f64, 0.9);
        let (mean, sd, lag) = errors("ar1-noise = { rho = 0.9, sd_g_per_kwh = 30 }", &wavy());
        within(mean, 0.0, 30.0 * ((1.0 + rho) / (1.0 - rho) / n).sqrt());
        within(sd, 30.0, 30.0 * ((1.0 + rho * rho) / (1.0 - rho * rho) / (2.0 * n)).sqrt());
        within(lag, rho, ((1.0 - rho * rho) / n).sqrt());
    }

    #[test]
    fn a_zone_of_the_embedded_data_has_its_own_figures() {
        let year = Duration::from_secs(8760 * 3600);
        let start = crate::grid::forecast::tests::start();
        let signal = Typical::synthesize("DE-LU", start, year, Residual::None {}, Seed(1)).unwrap();
        let zone = Typical::zone("DE-LU").unwrap();
        let (_, sd, lag) = errors("ar1-noise = {}", &signal);
        let (rho, n) = (zone.residual_lag1_autocorrelation, 8760.0);
        let spread = ((1.0 + rho * rho) / (1.0 - rho * rho) / (2.0 * n)).sqrt();
        within(sd, zone.residual_sd_g_per_kwh, zone.residual_sd_g_per_kwh * spread);
        within(lag, rho, ((1.0 - rho * rho) / n).sqrt());
    }

    #[test]
    fn horizon_noise_is_nothing_now_and_grows_with_the_root() {
        let signal = wavy();
        let f = build("horizon-noise.sd_g_per_kwh = 24", &signal, 4);
        let error = |now: f64, t: f64| f.at(h(now), h(t)).unwrap().0 - signal.at(h(t)).0;
        // One step, asked earlier and earlier: the same number times the root of the horizon, the same from 96 h on.
        let one = error(200.0, 201.0);
        assert_eq!(error(201.0, 201.0), 0.0);
        assert_eq!(error(201.9, 201.0), 0.0);
        for hours in [4.0, 9.0, 25.0, 64.0, 96.0] {
            assert!((error(201.0 - hours, 201.0) / one - f64::sqrt(hours)).abs() < 1e-9, "{hours}");
        }
        assert_eq!(error(5.0, 201.0), error(105.0, 201.0));
        // 24 h ahead the standard deviation is the one given, over many steps.
        let all: Vec<f64> = (0..20_000).map(|i| error(f64::from(i), f64::from(i + 24))).collect();
        let sd = (all.iter().map(|e| e * e).sum::<f64>() / 20_000.0).sqrt();
        within(sd, 24.0, 24.0 / 40_000f64.sqrt());
    }

    #[test]
    fn horizon_noise_may_have_a_memory_too() {
        let signal = wavy();
        let f = build("horizon-noise = { sd_g_per_kwh = 24, rho = 0.95 }", &signal, 4);
        let told = steps(&*f, h(0.0), h(200.0), signal.end());
        let e: Vec<f64> = told.iter().map(|s| s.g_per_kwh - signal.at(s.from).0).collect();
        let product: f64 = e.windows(2).map(|w| w[0] * w[1]).sum();
        let lag = product / e.iter().map(|e| e * e).sum::<f64>();
        within(lag, 0.95, ((1.0 - 0.95f64.powi(2)) / e.len() as f64).sqrt());
    }

    #[test]
    fn the_step_under_way_is_forecast_only_when_asked_for() {
        let signal = wavy();
        let seen = build("iid-noise.relative_sd = 0.1", &signal, 1);
        let disturbed = build("iid-noise = { relative_sd = 0.1, present = 'forecast' }", &signal, 1);
        let now = h(3.5);
        assert_eq!(seen.at(now, now).unwrap().0, 250.0);
        assert_ne!(disturbed.at(now, now).unwrap().0, 250.0);
        // The same noise otherwise, whenever it is asked.
        assert_eq!(seen.at(now, h(4.0)), disturbed.at(SimTime::ZERO, h(4.0)));
        assert_eq!(disturbed.at(now, h(2.0)).unwrap().0, 150.0);
    }
}
