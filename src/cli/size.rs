//! `sim size`.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use slackwater::scenario;
use slackwater::size::{Options, Progress, Rule, SizeError, Values, Want, size, table};

use super::Failure;

const EXAMPLES: &str = "\
Examples:
  The fewest hosts with a p99 of 0.55 s and at most 1 % of calls rejected, late or unfinished:
    sim size scenarios/isolation-ladder.toml --slo 'p99_latency_s <= 0.55' --slo 'violation_rate <= 0.01' --vary hosts

  The same for every run of [compare]: how many hosts does each isolation mechanism need?
    sim size scenarios/isolation-ladder.toml --slo 'service_latency_s.p99 <= 0.75' --vary hosts --each

  The shortest keep-alive with at most 5 % cold starts:
    sim size scenarios/quickstart.toml --slo 'cold_share <= 0.05' --vary scheduler.keep_alive.fixed.keep_alive_s \\
        --from 10 --to 3600 --want least

  The highest overcommit ratio:
    sim size FILE --slo 'p99_latency_s <= 0.5' --vary scheduler.overcommit.static-ratio.cpu_ratio \\
        --from 1 --to 10 --want most

Exit codes: 0 found · 1 internal error · 2 wrong use or wrong scenario · 3 nothing that was tried holds.
docs/sizing.md has the method and explains the files.";

/// Arguments of `sim size`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Size {
    /// The scenario file.
    scenario: PathBuf,
    /// An objective, KEY OP NUMBER: a figure of summary.csv (or p99_latency_s for latency_s.p99, or violation_rate,
    /// rejected_share, unfinished_share), one of <= >= < >, a bound; repeatable, all have to hold.
    #[arg(long = "slo", value_name = "OBJECTIVE", required = true)]
    slo: Vec<String>,
    /// What is varied: hosts (all groups in proportion, each at least 1), `hosts[REGION]`, or a key of the scenario.
    #[arg(long, value_name = "WHAT", default_value = "hosts")]
    vary: String,
    /// The lowest value [default: for hosts 1 per group; keys must say].
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    from: Option<f64>,
    /// The highest value [default: for hosts 64 times the scenario's; keys must say].
    #[arg(long, visible_alias = "max", value_name = "NUMBER", allow_negative_numbers = true)]
    to: Option<f64>,
    /// Which value is wanted: the least that holds, or the most [default: for hosts least; keys must say].
    #[arg(long, value_enum)]
    want: Option<End>,
    /// Whole numbers only; implied where the key takes nothing else.
    #[arg(long)]
    integer: bool,
    /// Distance of neighbouring real values, as a share: of the value where --from is above 0, else of the range.
    #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
    resolution: f64,
    /// Runs of each value, with the seeds SEED, SEED + 1, …; the same for every value.
    #[arg(long, value_name = "N", default_value_t = 5)]
    replications: u32,
    /// Runs of a value that is still undecided, after which it counts as failing [default: twice --replications].
    #[arg(long, value_name = "N")]
    max_replications: Option<u32>,
    /// Confidence that a value which is said to hold does: one-sided, for the mean over replications.
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    confidence: f64,
    /// A value holds if every replication keeps the objectives, instead of their mean with confidence.
    #[arg(long)]
    every: bool,
    /// Values checked on either side of the answer, for cases that are not monotone.
    #[arg(long, value_name = "N", default_value_t = 4)]
    check: u32,
    /// Size every run of the scenario's `[compare]` instead of the scenario without it.
    #[arg(long)]
    each: bool,
    /// Replace a key of the scenario; repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Take a key out of the scenario, for example scheduler.shifting, before --set; repeatable.
    #[arg(long = "unset", value_name = "KEY")]
    unset: Vec<String>,
    /// The root of all random streams of the first replication; replaces the scenario's.
    #[arg(long)]
    seed: Option<u64>,
    /// Where the results go [default: results/NAME-size].
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Threads to use; the results are the same bytes with any number [default: all cores].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    threads: Option<u32>,
    /// Print nothing but errors.
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum End {
    /// Larger values are assumed to be safer.
    Least,
    /// Smaller values are assumed to be safer.
    Most,
}

impl Size {
    pub fn execute(self) -> Result<(), Failure> {
        let mut set = super::overrides(&self.unset, &self.set);
        if let Some(seed) = self.seed {
            set.push(format!("seed={seed}"));
        }
        let loaded = scenario::load(&self.scenario, &set).map_err(|e| Failure::scenario(&e))?;
        let replications = self.replications as usize;
        let options = Options {
            slo: self.slo,
            vary: self.vary,
            values: Values {
                from: self.from,
                to: self.to,
                integer: self.integer,
                resolution: self.resolution,
                want: self.want.map(|end| match end {
                    End::Least => Want::Least,
                    End::Most => Want::Most,
                }),
            },
            rule: Rule {
                replications,
                most: self.max_replications.map_or(2 * replications, |n| n as usize),
                confidence: self.confidence,
                every: self.every,
            },
            checks: self.check as usize,
            each: self.each,
            out: self.out,
            threads: self
                .threads
                .map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), |n| n as usize),
        };
        let bar = (!self.quiet && std::io::stderr().is_terminal()).then(bar);
        let progress = |p: Progress| {
            if let Some(bar) = &bar {
                bar.set_message(match p.variants {
                    1 => format!("{} runs", p.runs),
                    all => format!("{} of {all} sized, {} runs", p.done, p.runs),
                });
                bar.tick();
            }
        };
        let result = size(&loaded, &options, &progress);
        if let Some(bar) = &bar {
            bar.finish_and_clear();
        }
        let sizing = result.map_err(|e| match e {
            SizeError::Scenario(e) => Failure::scenario(&e),
            SizeError::Usage(e) => Failure::usage(e),
            SizeError::Report(e) => Failure::internal(e),
        })?;
        if !self.quiet {
            super::print(&table(&sizing))?;
        }
        if sizing.holds() { Ok(()) } else { Err(Failure::check("no value that was tried holds all objectives")) }
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg}  {elapsed} elapsed")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}
