//! Streaming statistics in constant memory: quantile histograms.

mod histogram;

pub use histogram::LogHistogram;
