//! What can be typed: one file per subcommand.
//!
//! Exit codes: 0 done, 1 internal error, 2 wrong use or wrong scenario, 3 ran, but what was asked for does not hold (`sim size`, `sim compare --assert`,
//! `sim sweep merge`, `sim validate`, `sim run --check-published`).

mod check;
mod compare;
mod completions;
mod grid;
mod grid_bound;
mod grid_forecast;
mod impact;
mod list;
mod plot;
mod run;
mod run_compare;
mod schema;
mod score;
mod size;
mod steady;
mod sweep;
#[cfg(feature = "polars")]
mod table;
mod uncertainty;
mod validate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use slackwater::scenario::{Look, ScenarioError};

/// A discrete-event datacenter simulator for carbon-aware scheduling research.
#[derive(Debug, Parser)]
#[command(name = "sim", version, about, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a scenario, or all runs of its [compare], and write results/NAME.
    Run(run::Run),
    /// Check a scenario: all problems at once, with line, caret, allowed keys and a hint.
    Check(check::Check),
    /// Show what exists: policies, isolation mechanisms, language runtimes, power models, grid zones, forecasts, workloads, outputs.
    List(list::List),
    /// Draw a finished run: calls received and executed, utilization by region (SVG).
    Plot(plot::Plot),
    /// Score a finished run on other signals, or against another run, from its ledger.
    Score(score::Score),
    /// Lay finished results side by side: paired differences, what differs in their scenarios, claims that guard them.
    Compare(compare::Compare),
    /// Find the fewest hosts, or the value of a key, that keep objectives, with replications and confidence.
    Size(size::Size),
    /// Run many points of a scenario from one file, with replications, resume and parts; or solve for a break-even.
    Sweep(sweep::Sweep),
    /// Exchange with the Impact Framework: compute its manifests, write a finished run as one.
    Impact(impact::Impact),
    /// Carbon intensity: import any provider's file, show its figures, draw a synthetic one, measure forecasts.
    Grid(grid::Grid),
    /// Say how sure a finished run's score is: median, 90 % interval, and what matters most; with two runs, which is lower.
    Uncertainty(uncertainty::Uncertainty),
    /// Say whether a finished run has settled: warm-up, means with intervals from batch means, what its steps are worth.
    Steady(steady::Steady),
    /// Run every published result and oracle that the program is held against: published, ours, tolerance, verdict.
    Validate(validate::Validate),
    /// Group, aggregate or convert a result table.
    #[cfg(feature = "polars")]
    Table(table::Table),
    /// Print the JSON Schema of scenario files, for editors.
    Schema,
    /// Print a completion script for a shell.
    Completions(completions::Completions),
}

/// A failure with its exit code.
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// Wrong use or wrong scenario.
    pub fn usage(error: impl std::fmt::Display) -> Self {
        Self { code: 2, message: error.to_string() }
    }

    /// A wrong scenario, drawn for the terminal.
    pub fn scenario(error: &ScenarioError) -> Self {
        Self { code: 2, message: error.render(Look::of_stderr()) }
    }

    /// Ran, but what was asked for does not hold.
    pub fn check(error: impl std::fmt::Display) -> Self {
        Self { code: 3, message: error.to_string() }
    }

    /// Everything else.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        Self { code: 1, message: error.to_string() }
    }
}

/// The overrides of a command line in the order in which they hold: what is taken out, then what is set.
pub fn overrides(unset: &[String], set: &[String]) -> Vec<String> {
    unset.iter().map(|key| slackwater::scenario::unset(key)).chain(set.iter().cloned()).collect()
}

/// Prints to standard output; a reader that went away (`| head`) is no error.
pub fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::internal(e)),
        _ => Ok(()),
    }
}

/// Parses the command line and does what it says.
pub fn main() -> ExitCode {
    use std::io::Write;
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Run(run) => run.execute(),
        Command::Check(check) => check.execute(),
        Command::List(list) => list.execute(),
        Command::Plot(plot) => plot.execute(),
        Command::Score(score) => score.execute(),
        Command::Compare(compare) => compare.execute(),
        Command::Size(size) => size.execute(),
        Command::Sweep(sweep) => sweep.execute(),
        Command::Impact(impact) => impact.execute(),
        Command::Grid(grid) => grid.execute(),
        Command::Uncertainty(uncertainty) => uncertainty.execute(),
        Command::Steady(steady) => steady.execute(),
        Command::Validate(validate) => validate.execute(),
        #[cfg(feature = "polars")]
        Command::Table(table) => table.execute(),
        Command::Schema => schema::execute(),
        Command::Completions(completions) => completions.execute(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // A reader that went away (`2>&1 | head`) is no reason to panic, and nobody is left to be told.
            let _ = writeln!(std::io::stderr().lock(), "{}", failure.message.trim_end_matches('\n'));
            ExitCode::from(failure.code)
        }
    }
}
