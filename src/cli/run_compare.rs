//! `sim run` of a scenario with `[compare]`: all its runs.

use indicatif::{ProgressBar, ProgressStyle};
use slackwater::compare::{CompareError, Progress, compare, table};
use slackwater::run::Options;
use slackwater::scenario::Loaded;

use super::Failure;

/// Runs all cells and prints the table.
pub fn execute(loaded: &Loaded, options: &Options, quiet: bool, bar: bool) -> Result<(), Failure> {
    let bar = bar.then(|| {
        let style = ProgressStyle::with_template("{bar:40} {pos} of {len} runs  {elapsed} elapsed, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::new(0).with_style(style)
    });
    let progress = |p: Progress| {
        if let Some(bar) = &bar {
            bar.set_length(p.cells as u64);
            bar.set_position(p.done as u64);
        }
    };
    let result = compare(loaded, options, &progress);
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    let comparison = result.map_err(|e| match e {
        CompareError::Scenario(e) => Failure::scenario(&e),
        CompareError::Report(e) => Failure::internal(e),
        CompareError::All(_) => Failure::usage(e),
    })?;
    if quiet { Ok(()) } else { super::print(&table(&comparison)) }
}
