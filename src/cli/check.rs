//! `sim check`.

use std::path::{Path, PathBuf};

use clap::Args;
use slackwater::compare::Plan;
use slackwater::run::check_published;
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
    /// Take a key out of the scenario, for example scheduler.shifting, before --set; repeatable.
    #[arg(long = "unset", value_name = "KEY")]
    unset: Vec<String>,
    /// Print what the files, those that they extend and the overrides say together, as TOML.
    #[arg(long)]
    resolved: bool,
}

impl Check {
    pub fn execute(self) -> Result<(), Failure> {
        let set = super::overrides(&self.unset, &self.set);
        let mut wrong = Vec::new();
        for path in &self.scenarios {
            match check(path, &set) {
                Ok((loaded, _)) if self.resolved => super::print(&loaded.resolved().map_err(Failure::internal)?)?,
                Ok((_, right)) => super::print(&format!("{}: right ({right})\n", path.display()))?,
                Err(e) => wrong.push(e.render(scenario::Look::of_stderr())),
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(Failure::usage(wrong.join("\n"))) }
    }
}

/// Checks a scenario, and if it compares, every run of it; says what it is.
fn check(path: &Path, set: &[String]) -> Result<(scenario::Loaded, String), scenario::ScenarioError> {
    let loaded = scenario::load(path, set)?;
    let built = scenario::build_loaded(&loaded, false)?;
    if loaded.scenario.compare.is_none() {
        check_published(&loaded)?;
    }
    let hosts: u32 = built.regions.iter().map(|r| r.hosts).sum();
    let counted = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let size = format!("{}, {}", counted(built.regions.len(), "region"), counted(hosts as usize, "host"));
    if loaded.scenario.compare.is_none() {
        return Ok((loaded, size));
    }
    let plan = Plan::of(&loaded)?;
    plan.build_all()?;
    let size = format!("{size}; compares {}", counted(plan.cells.len(), "run"));
    Ok((loaded, size))
}
