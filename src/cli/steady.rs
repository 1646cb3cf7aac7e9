//! `sim steady`.

use std::path::PathBuf;

use clap::Args;
use slackwater::report;

use super::Failure;

const EXAMPLES: &str = "\
Examples:
  Has the run settled, and how sure are its means?
    sim steady results/quickstart

  Columns of one region, with 99 % intervals:
    sim steady results/xfaas power_execution_w warm_mean --region region-01 --confidence 0.99

docs/statistics.md has the method.";

/// Arguments of `sim steady`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Steady {
    /// A results folder of `sim run`.
    result: PathBuf,
    /// Columns of timeseries.csv [default: cpu_utilization, executed, running_mean, and queued_mean where something waits].
    columns: Vec<String>,
    /// One region instead of all together.
    #[arg(long, value_name = "NAME")]
    region: Option<String>,
    /// Confidence of the intervals, two-sided.
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    confidence: f64,
}

impl Steady {
    pub fn execute(self) -> Result<(), Failure> {
        let found = report::steady(&self.result, &self.columns, self.region.as_deref(), self.confidence);
        super::print(&report::steady_text(&found.map_err(Failure::usage)?))
    }
}
