//! `sim grid`: signals and forecasts of carbon intensity.

use clap::{Args, Subcommand};

use super::Failure;
use super::grid_forecast::GridForecast;

/// Arguments of `sim grid`.
#[derive(Debug, Args)]
pub struct Grid {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure the error that a scenario's forecasts achieve, or write one as vintages.
    Forecast(GridForecast),
}

impl Grid {
    pub fn execute(self) -> Result<(), Failure> {
        match self.command {
            Command::Forecast(forecast) => forecast.execute(),
        }
    }
}
