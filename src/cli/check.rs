//! `sim check`.

use std::path::PathBuf;

use clap::Args;
use slackwater::scenario;

use super::Failure;

/// Arguments of `sim check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The scenario files.
    #[arg(required = true)]
    scenarios: Vec<PathBuf>,
    /// Replace a key of the scenario; repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Check {
    pub fn execute(self) -> Result<(), Failure> {
        let mut wrong = Vec::new();
        for path in &self.scenarios {
            let result = scenario::load(path, &self.set)
                .and_then(|loaded| scenario::build_loaded(&loaded, false).map(|built| (loaded, built)));
            match result {
                Ok((_, built)) => {
                    let hosts: u32 = built.regions.iter().map(|r| r.hosts).sum();
                    let regions = built.regions.len();
                    super::print(&format!("{}: right ({regions} regions, {hosts} hosts)\n", path.display()))?;
                }
                Err(e) => wrong.push(e.render(scenario::Look::of_stderr())),
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(Failure::usage(wrong.join("\n"))) }
    }
}
