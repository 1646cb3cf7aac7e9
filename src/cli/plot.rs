//! `sim plot`.

use std::path::PathBuf;

use clap::Args;
use slackwater::report;

use super::Failure;

/// Arguments of `sim plot`.
#[derive(Debug, Args)]
pub struct Plot {
    /// A results folder.
    result: PathBuf,
    /// The picture [default: received-executed.svg in the results folder].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Plot {
    pub fn execute(self) -> Result<(), Failure> {
        let out = self.out.unwrap_or_else(|| self.result.join("received-executed.svg"));
        report::received_executed(&self.result, &out).map_err(|e| match e {
            report::PlotError::Table { .. } => Failure::usage(e),
            report::PlotError::Draw { .. } => Failure::internal(e),
        })?;
        super::print(&format!("{}\n", out.display()))
    }
}
