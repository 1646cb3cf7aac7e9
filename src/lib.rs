//! Slackwater (tour to be written).
pub mod cluster;
pub mod grid;
pub mod isolation;
pub mod ledger;
pub mod report;
pub mod run;
pub mod scenario;
pub mod scheduler;
pub mod sci;
pub mod sim;
pub mod stats;
pub mod types;
pub mod workload;
