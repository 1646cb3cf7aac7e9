//! Slackwater (tour to be written).
pub mod stats;
pub mod types;
pub mod workload;
