//! Streaming statistics in constant memory: quantile histograms, and the normal quantile that sampling rests on.

mod histogram;
mod normal;

pub use histogram::LogHistogram;
pub use normal::normal_quantile;
