//! `sim compare`.

use std::path::PathBuf;

use clap::Args;
use slackwater::contrast::{Options, Outcome, Verdict, contrast, text, write_csv, write_json};

use super::Failure;

const EXAMPLES: &str = "\
Examples:
  Two runs side by side, the first is the baseline:
    sim compare results/containers results/microvms

  Runs that differ in their seed are the replications of one result:
    sim compare now='results/now-*' shifted='results/shifted-*' --figure sci --figure p99_latency_s

  A guard for CI, exit code 3 when it does not hold:
    sim compare now=results/now shifted=results/shifted --assert 'sci < 0.9 * baseline and p99_latency_s <= 1.5'

  Results by name:
    sim compare a=results/a b=results/b c=results/c --assert 'sci(c) < min(sci(a), sci(b))'

Exit codes: 0 done · 1 internal error · 2 wrong use · 3 a claim does not hold, or that is undecided.
docs/comparing.md explains the table and has the language of claims.";

/// Arguments of `sim compare`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Compare {
    /// Finished results: folders of `sim run` (also with `[compare]`) or `sim sweep`. NAME=FOLDER gives one a name, NAME=FOLDER,FOLDER or
    /// NAME='FOLDER-*' makes single runs with different seeds its replications.
    #[arg(value_name = "[NAME=]FOLDER", required = true)]
    results: Vec<String>,
    /// Which result the others are compared with [default: the one named baseline, else the first].
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    /// A figure to show, a key of summary.csv or its short name; repeatable [default: a handful].
    #[arg(long = "figure", value_name = "KEY")]
    figures: Vec<String>,
    /// Show all figures (unless --figure names some), all points and all keys that differ.
    #[arg(long)]
    all: bool,
    /// Confidence of intervals (two-sided) and of claims (one-sided).
    #[arg(long, value_name = "SHARE", default_value_t = 0.95, value_parser = share)]
    confidence: f64,
    /// A claim that has to hold, for example 'sci < 0.9 * baseline', for every other result; repeatable.
    #[arg(long = "assert", value_name = "CLAIM")]
    claims: Vec<String>,
    /// Write figures, differences and intervals to this CSV file.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write everything to this JSON file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Print nothing but errors, and claims that do not hold.
    #[arg(long, short)]
    quiet: bool,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x > 0.0 && x < 1.0 => Ok(x),
        _ => Err("a share between 0 and 1 is wanted, for example 0.95".to_owned()),
    }
}

impl Compare {
    pub fn execute(self) -> Result<(), Failure> {
        let options = Options {
            baseline: self.baseline,
            figures: self.figures,
            all: self.all,
            confidence: self.confidence,
            claims: self.claims,
        };
        let found = contrast(&self.results, &options).map_err(Failure::usage)?;
        if let Some(path) = &self.csv {
            write_csv(&found, path).map_err(Failure::internal)?;
        }
        if let Some(path) = &self.json {
            write_json(&found, path).map_err(Failure::internal)?;
        }
        if !self.quiet {
            super::print(&text(&found))?;
        }
        let broken = found.broken();
        if broken.is_empty() {
            return Ok(());
        }
        // The numbers stand in the table, if there is one.
        let line = |v: &&Verdict| if self.quiet { format!("  {v}") } else { format!("  {v:#}") };
        let lines: Vec<String> = broken.iter().map(line).collect();
        let undecided = broken.iter().any(|v| v.outcome == Outcome::Undecided);
        let help = if undecided {
            "\n  help: more replications, with the same seeds in all results, decide what is undecided"
        } else {
            ""
        };
        Err(Failure::check(format!(
            "claims that do not hold with a confidence of {}: {} of {}\n{}{help}",
            found.confidence,
            broken.len(),
            found.verdicts.len(),
            lines.join("\n")
        )))
    }
}
