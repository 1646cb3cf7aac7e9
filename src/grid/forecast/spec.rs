//! The catalogue of forecasts: what a scenario can write, and how it becomes a belief.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Ar1Noise, Bias, Climatology, Forecast, HorizonNoise, IidNoise, Perfect, PerfectForecast, Persistence, Replay,
    UniformNoise,
};
use crate::grid::{GridError, Signal};
use crate::types::Seed;

/// What policies believe about a region's carbon intensity to come.
///
/// ```toml
/// [regions.forecast.persistence]
/// lag_h = 24.0
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ForecastSpec {
    /// What will happen. Knows all of the future: an upper bound of what shifting saves, not a result. Source: the optimal forecast of
    /// Wiesner et al., Let's Wait Awhile (Middleware 2021).
    Perfect(Perfect),
    /// The value a day or a week before. Knows the past alone: an honest baseline that costs nothing. Loses when weather turns. Source:
    /// the naive seasonal forecast (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, section 5.2).
    Persistence(Persistence),
    /// The mean of the same time of day over the last weeks. Knows the past alone. Loses where days differ, because it tells no
    /// two of them apart. Source: climatology, the reference forecast of meteorology.
    Climatology(Climatology),
    /// What will happen, with independent normal noise. Knows the future but for the noise; flatters long windows, inside which errors
    /// average out. Source: Wiesner et al., Let's Wait Awhile (Middleware 2021).
    IidNoise(IidNoise),
    /// What will happen, with independent bounded noise in proportion. Knows the future but for the noise; flatters long windows too.
    /// Source: Sukprasert et al., On the Limitations of Carbon-Aware Temporal and Spatial Workload Shifting in the Cloud (EuroSys 2024),
    /// published code.
    UniformNoise(UniformNoise),
    /// What will happen, with noise that has a memory of hours. Knows the future but for the noise, which does not average out so
    /// quickly; as bad for the next hour as for next week. Source: autoregressive process of order 1; σ and ρ of data/grid/zones.csv.
    Ar1Noise(Ar1Noise),
    /// What will happen, with noise that grows with the square root of the horizon. Knows the near future well, the far one badly.
    /// Source: a random walk of the error, capped. Assumed: real errors grow otherwise from zone to zone; take σ from `sim grid
    /// forecast` of a real one.
    HorizonNoise(HorizonNoise),
    /// What will happen, too high or too low throughout. Changes no choice between times of one region; shifts thresholds and the
    /// choice between regions. Source: any systematic error, for example of emission factors.
    Bias(Bias),
    /// Forecasts as they were issued, from a file. Knows what their maker knew: the only realistic one. Source: the file's.
    Replay(Replay),
}

impl Default for ForecastSpec {
    fn default() -> Self {
        ForecastSpec::Perfect(Perfect {})
    }
}

/// What a forecast is made from.
#[derive(Debug, Clone, Copy)]
pub struct ForecastContext<'a> {
    /// The folder that paths are relative to.
    pub base_dir: &'a Path,
    /// The instant of the run's start.
    pub start_utc: Timestamp,
    /// What is forecast.
    pub signal: &'a Signal,
    /// Where noise comes from: one seed per region and run.
    pub seed: Seed,
}

/// A forecast, and what is to be said of it.
#[derive(Debug)]
pub struct BuiltForecast {
    /// The belief.
    pub forecast: Box<dyn Forecast>,
    /// The files that were read, with the SHA-256 of their text.
    pub inputs: Vec<(PathBuf, String)>,
    /// What it says of itself, by name: for `replay`, where its forecasts come from and how many steps they miss.
    pub notes: Vec<(String, String)>,
}

impl ForecastSpec {
    /// The model's name in scenarios.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Perfect(_) => "perfect",
            Self::Persistence(_) => "persistence",
            Self::Climatology(_) => "climatology",
            Self::IidNoise(_) => "iid-noise",
            Self::UniformNoise(_) => "uniform-noise",
            Self::Ar1Noise(_) => "ar1-noise",
            Self::HorizonNoise(_) => "horizon-noise",
            Self::Bias(_) => "bias",
            Self::Replay(_) => "replay",
        }
    }

    /// The forecast of a signal.
    ///
    /// # Errors
    /// Keys outside their range, that exclude or need each other; a file that cannot be read or does not fit the run.
    pub fn build(&self, context: &ForecastContext<'_>) -> Result<BuiltForecast, GridError> {
        let ForecastContext { base_dir, start_utc, signal, seed } = *context;
        let forecast: Box<dyn Forecast> = match self {
            Self::Perfect(Perfect {}) => Box::new(PerfectForecast::new(signal.clone())),
            Self::Persistence(spec) => Box::new(spec.build(signal)?),
            Self::Climatology(spec) => Box::new(spec.build(signal)?),
            Self::IidNoise(spec) => Box::new(spec.build(signal, seed)?),
            Self::UniformNoise(spec) => Box::new(spec.build(signal, seed)?),
            Self::Ar1Noise(spec) => Box::new(spec.build(signal, seed)?),
            Self::HorizonNoise(spec) => Box::new(spec.build(signal, seed)?),
            Self::Bias(spec) => Box::new(spec.build(signal)?),
            Self::Replay(spec) => {
                let (forecast, input, notes) = spec.build(signal, base_dir, start_utc)?;
                return Ok(BuiltForecast { forecast: Box::new(forecast), inputs: vec![input], notes });
            }
        };
        Ok(BuiltForecast { forecast, inputs: Vec::new(), notes: Vec::new() })
    }
}
