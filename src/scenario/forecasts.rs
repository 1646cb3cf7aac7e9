//! What policies believe about each region's carbon intensity to come.

use std::path::PathBuf;

use super::Scenario;
use super::build::Problem;
use super::signals::{Context, Signals};
use crate::grid::Forecast;
use crate::grid::forecast::{BuiltForecast, ForecastContext};
use crate::types::Seed;

/// One forecast per region, in their order.
#[derive(Debug, Default)]
pub struct Forecasts {
    /// The beliefs; empty once the engine has them.
    pub forecasts: Vec<Box<dyn Forecast>>,
    /// The files that were read, with the SHA-256 of their text.
    pub inputs: Vec<(PathBuf, String)>,
    /// What they say of themselves, by the region's name and theirs.
    pub notes: Vec<(String, String)>,
}

/// Where the noise of a region's forecast comes from.
pub fn forecast_seed(seed: Seed, region: &str) -> Seed {
    seed.derive("forecast").derive(region)
}

/// Builds all forecasts of the signals that policies look at; what is wrong with them is reported. Each region draws from a stream of
/// its own name.
pub(super) fn build_forecasts(
    scenario: &Scenario,
    signals: &Signals,
    context: &Context<'_>,
    problems: &mut Vec<Problem>,
) -> Forecasts {
    let mut all = Forecasts::default();
    if signals.decide.len() != scenario.regions.len() {
        return all;
    }
    for (i, (region, signal)) in scenario.regions.iter().zip(&signals.decide).enumerate() {
        let seed = forecast_seed(context.seed, &region.name);
        let made_from = ForecastContext { base_dir: context.base_dir, start_utc: context.start, signal, seed };
        match region.forecast.build(&made_from) {
            Ok(BuiltForecast { forecast, inputs, notes }) => {
                all.forecasts.push(forecast);
                all.inputs.extend(inputs);
                let model = region.forecast.name();
                all.notes.extend(notes.into_iter().map(|(key, text)| (format!("{}.{model}.{key}", region.name), text)));
            }
            Err(e) => {
                let key = format!("regions[{i}].forecast.{}", region.forecast.name());
                problems.push(Problem::new(key, e.to_string(), "see docs/forecasts.md, and `sim list forecasts`"));
            }
        }
    }
    all
}
