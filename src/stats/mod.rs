//! Streaming statistics in constant memory: quantile histograms; forecasts of short series.

mod autoregression;
mod histogram;

pub use autoregression::next_value;
pub use histogram::LogHistogram;
