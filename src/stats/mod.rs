//! Streaming statistics in constant memory: quantile histograms; forecasts of short series; figures of
//! a handful of values.

mod autoregression;
mod histogram;
mod order;

pub use autoregression::next_value;
pub use histogram::LogHistogram;
pub use order::{mean_and_deviation, quantile_of_sorted, quantile_of_unsorted};
