//! `sim sweep`.

use std::io::IsTerminal;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use slackwater::report::{significant, write_file};
use slackwater::scenario::Look;
use slackwater::sweep::emit::{Job, Target, script};
use slackwater::sweep::{
    Earlier, Figures, Finished, Meter, Options, Over, Plan, Runs, Shard, Solution, Solved, SweepError, merge, solve,
    sweep,
};

use super::Failure;

const EXAMPLES: &str = "\
Examples:
  All runs, on all cores; after a crash or kill, go on where it stopped:
    sim sweep scenarios/sweeps/keep-alive.toml
    sim sweep scenarios/sweeps/keep-alive.toml --resume

  On four machines, then joined:
    sim sweep FILE --shard 1/4 --out DIR      (… 2/4, 3/4, 4/4)
    sim sweep merge DIR

  As a job array on a Slurm cluster (or dask, parallel):
    sim sweep FILE --emit slurm --shards 16 --jobs 4 --emit-to job.sh && bash job.sh

  Where two isolation mechanisms break even:
    sim sweep scenarios/sweeps/keep-alive.toml --solve 'sci(microvm) == sci(container)' --over keep_alive

Exit codes: 0 done · 1 internal error · 2 wrong use or wrong scenario · 3 every run failed, or parts are missing.
docs/sweeps.md explains the file and the results, docs/cluster.md how to use many machines.";

/// Arguments of `sim sweep`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Sweep {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Join the parts of a sweep into its tables; says what is missing or double.
    Merge(Merge),
}

#[derive(Debug, Args)]
struct Run {
    /// The sweep file.
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// Replace a key of the scenario in all runs; repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Take a key out of the scenario in all runs, before --set; repeatable.
    #[arg(long = "unset", value_name = "KEY")]
    unset: Vec<String>,
    /// Where the results go [default: results/NAME].
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Runs at the same time; the results are the same bytes with any number [default: all cores].
    #[arg(long, short, value_parser = clap::value_parser!(u32).range(1..=4096))]
    jobs: Option<u32>,
    /// Go on with the runs that the folder has: a run with the same code, scenario, seed and input files is not run again.
    #[arg(long, conflicts_with = "overwrite")]
    resume: bool,
    /// With --resume, run again what failed.
    #[arg(long, requires = "resume")]
    retry_failed: bool,
    /// Throw away the runs that the folder has.
    #[arg(long)]
    overwrite: bool,
    /// Run only part I of N, into FOLDER/parts/I-of-N; `sim sweep merge` joins the parts.
    #[arg(long, value_name = "I/N", value_parser = Shard::parse)]
    shard: Option<Shard>,
    /// Print a job script for a cluster that runs the sweep in --shards parts and merges them, instead of running it.
    #[arg(long, value_enum, value_name = "TARGET", requires = "shards", conflicts_with_all = ["shard", "solve", "dry_run", "resume", "overwrite"])]
    emit: Option<Scheduler>,
    /// With --emit: how many parts.
    #[arg(long, value_name = "N", requires = "emit")]
    shards: Option<NonZeroU32>,
    /// With --emit slurm: after how many seconds Slurm ends a part [default: the cluster's limit].
    #[arg(long, value_name = "SECONDS", requires = "emit")]
    time_limit_s: Option<NonZeroU64>,
    /// With --emit slurm: memory that Slurm sets aside for a part [default: the cluster's].
    #[arg(long, value_name = "MIB", requires = "emit")]
    memory_mib: Option<NonZeroU64>,
    /// With --emit: write the script here [default: standard output].
    #[arg(long, value_name = "FILE", requires = "emit")]
    emit_to: Option<PathBuf>,
    /// Say what would run, and check it, but run nothing.
    #[arg(long)]
    dry_run: bool,
    /// Instead of the sweep's runs: where both sides are equal, in every combination of the other axes.
    #[arg(long, value_name = "CLAIM", requires = "over", conflicts_with_all = ["shard", "dry_run", "overwrite", "resume"])]
    solve: Option<String>,
    /// With --solve: the numeric axis or key that is solved for.
    #[arg(long, value_name = "AXIS", requires = "solve")]
    over: Option<String>,
    /// With --solve: lower end of the search [default: the axis's].
    #[arg(long, value_name = "NUMBER", requires = "solve", allow_negative_numbers = true)]
    from: Option<f64>,
    /// With --solve: upper end of the search [default: the axis's].
    #[arg(long, value_name = "NUMBER", requires = "solve", allow_negative_numbers = true)]
    to: Option<f64>,
    /// With --solve: how near the answer has to be, as a share of its size.
    #[arg(long, value_name = "SHARE", requires = "solve", default_value_t = 0.001, value_parser = tolerance)]
    tolerance: f64,
    /// Print nothing but errors.
    #[arg(long, short)]
    quiet: bool,
}

/// Who runs the parts.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scheduler {
    /// A batch script with an array of tasks.
    Slurm,
    /// A Python script for Dask.
    Dask,
    /// A bash script for GNU parallel.
    Parallel,
}

#[derive(Debug, Args)]
struct Merge {
    /// The results folder with the parts, or the folders of single parts.
    #[arg(required = true)]
    places: Vec<PathBuf>,
    /// Where the tables go [default: the first place].
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Write the tables of what is there, even if runs are missing or still running.
    #[arg(long)]
    partial: bool,
    /// Print nothing but errors.
    #[arg(long, short)]
    quiet: bool,
}

/// A share above 0 and below 1.
fn tolerance(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|x| *x > 0.0 && *x < 1.0);
    share.ok_or_else(|| "it is a share above 0 and below 1, for example 0.001".to_owned())
}

fn failure(error: SweepError) -> Failure {
    let text = error.render(Look::of_stderr());
    match error {
        SweepError::Report(_) => Failure::internal(text),
        SweepError::Parts(_) => Failure::check(text),
        _ => Failure::usage(text),
    }
}

impl Sweep {
    pub fn execute(self) -> Result<(), Failure> {
        match self.command {
            Some(Command::Merge(merge)) => merge.execute(),
            None => self.run.execute(),
        }
    }
}

impl Run {
    fn execute(self) -> Result<(), Failure> {
        let file = self.file.as_deref().ok_or_else(|| Failure::usage("give the file of a sweep"))?;
        let set = super::overrides(&self.unset, &self.set);
        let plan = Plan::read(file, &set).map_err(failure)?;
        let described = &plan.described;
        let out = self.out.clone().unwrap_or_else(|| PathBuf::from("results").join(&described.name));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = self.jobs.map_or(cores, |jobs| jobs as usize);
        if let Some(scheduler) = self.emit {
            return self.script(scheduler, file, &out, &described.name);
        }
        if self.dry_run {
            return super::print(&plan_text(&plan, &out));
        }
        let meter = Meter::default();
        if let Some(claim) = &self.solve {
            let what = self.over.clone().unwrap_or_default();
            let over = Over { what, from: self.from, to: self.to, tolerance: self.tolerance };
            let solved = watched(&meter, self.quiet, || solve(&plan, claim, &over, &out, jobs, &meter));
            let (unit, solutions) = solved.map_err(failure)?;
            return if self.quiet { Ok(()) } else { super::print(&solved_text(claim, &over, &unit, &solutions, &out)) };
        }
        let earlier = match (self.resume, self.overwrite) {
            (true, _) => Earlier::Resume,
            (_, true) => Earlier::Overwrite,
            _ => Earlier::Refuse,
        };
        let shard = self.shard.unwrap_or(Shard::WHOLE);
        let options = Options { out: out.clone(), jobs, earlier, retry_failed: self.retry_failed, shard };
        let finished = watched(&meter, self.quiet, || sweep(&plan, &options, &meter));
        let Finished { ran, runs } = finished.map_err(|error| {
            let (done, Failure { code, message }) = (meter.done.load(Ordering::Relaxed), failure(error));
            let kept = if done > 0 {
                format!("\n  the {done} runs that are done are kept: --resume goes on")
            } else {
                String::new()
            };
            Failure { code, message: format!("{}{kept}", message.trim_end()) }
        })?;
        if !self.quiet {
            let mut text = String::new();
            if let Some(runs) = &runs {
                text += &points_text(runs).map_err(failure)?;
            }
            text += &format!(
                "{} runs{}{} in {} s",
                ran.done,
                if ran.reused > 0 { format!(", {} of them taken over", ran.reused) } else { String::new() },
                if ran.failed > 0 {
                    format!(", {} failed (column error of runs.csv)", ran.failed)
                } else {
                    String::new()
                },
                significant((ran.wall_time_s * 100.0).round() / 100.0),
            );
            if ran.done > ran.reused {
                let busy = ran.run_time_s / (ran.wall_time_s * jobs as f64);
                text += &format!(
                    ", {:.2} million calls/s, {:.1} of {jobs} threads busy with runs",
                    ran.calls as f64 / ran.wall_time_s / 1e6,
                    busy * jobs as f64
                );
            }
            text += &match runs {
                Some(_) => format!("\nresults in {}\n", out.display()),
                None => format!(
                    "\npart {} in {}; when all parts are there: sim sweep merge {}\n",
                    shard.folder(),
                    out.display(),
                    out.display()
                ),
            };
            super::print(&text)?;
        }
        if ran.done > 0 && ran.failed == ran.done {
            return Err(Failure::check(
                "every run failed: see the column error of runs.csv, or a part's journal.jsonl",
            ));
        }
        Ok(())
    }
}

impl Run {
    /// Writes the job script.
    fn script(&self, scheduler: Scheduler, file: &Path, out: &Path, name: &str) -> Result<(), Failure> {
        let slurm = matches!(scheduler, Scheduler::Slurm);
        if !slurm && (self.time_limit_s.is_some() || self.memory_mib.is_some()) {
            let help = "give them to the cluster that you start, or leave them out";
            return Err(Failure::usage(format!(
                "--time-limit-s and --memory-mib are for --emit slurm\n  help: {help}"
            )));
        }
        let command: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
        // As it was typed: found in PATH there as it was here, or by its path.
        let program = command.first().map_or("sim", String::as_str);
        let text = |path: &Path| {
            path.to_str().map(str::to_owned).ok_or_else(|| {
                Failure::usage(format!("{} is no text\n  help: a script needs paths in UTF-8", path.display()))
            })
        };
        let (sweep, out) = (text(file)?, text(out)?);
        let threads = self.jobs.and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        let job = Job {
            command: &command,
            program,
            sweep: &sweep,
            out: &out,
            name,
            unset: &self.unset,
            set: &self.set,
            shards: self.shards.unwrap_or(NonZeroU32::MIN),
            threads,
            time_limit_s: self.time_limit_s,
            memory_mib: self.memory_mib,
        };
        let target = match scheduler {
            Scheduler::Slurm => Target::Slurm,
            Scheduler::Dask => Target::Dask,
            Scheduler::Parallel => Target::Parallel,
        };
        let script = script(target, &job).map_err(Failure::usage)?;
        match &self.emit_to {
            None => super::print(&script),
            Some(path) => write_file(path, |f| f.write_all(script.as_bytes())).map_err(Failure::internal),
        }
    }
}

impl Merge {
    fn execute(self) -> Result<(), Failure> {
        let out = match &self.out {
            Some(out) => out.clone(),
            None if self.places[0].join("journal.jsonl").is_file() => {
                let help = "say where the tables go with --out FOLDER";
                return Err(Failure::usage(format!(
                    "{} is a part of a sweep\n  help: {help}",
                    self.places[0].display()
                )));
            }
            None => self.places[0].clone(),
        };
        let merged = merge(&self.places, &out, self.partial).map_err(failure)?;
        let runs = &merged.runs;
        let mut text = format!("{} runs of {} points are there", runs.len(), runs.described.points);
        if runs.double > 0 {
            text += &format!("; {} are double, with the same figures, and count once", runs.double);
        }
        if runs.left_out > 0 {
            text += &format!("; {} of another plan are left out", runs.left_out);
        }
        text.push('\n');
        if merged.written {
            text += &format!("results in {}\n", out.display());
        }
        if !self.quiet {
            super::print(&text)?;
        }
        if runs.missing.is_empty() {
            return Ok(());
        }
        /// More lines would push the rest from the screen.
        const SHOWN: usize = 20;
        let mut said: Vec<String> = runs.missing.iter().take(SHOWN).cloned().collect();
        if runs.missing.len() > SHOWN {
            said.push(format!("… and {} more", runs.missing.len() - SHOWN));
        }
        let help = if merged.written {
            "the tables have what is there"
        } else {
            "run the missing parts with --resume, or take what is there with --partial"
        };
        Err(Failure::check(format!("{} runs are missing\n  {}\n  help: {help}", runs.missing_runs, said.join("\n  "))))
    }
}

/// Shows how far the work is while it is done: a bar on a terminal, a line every half minute elsewhere.
fn watched<T>(meter: &Meter, quiet: bool, work: impl FnOnce() -> T) -> T {
    /// How often a bar is drawn, and how often a log gets a line.
    const DRAWN: Duration = Duration::from_millis(200);
    const LINE: Duration = Duration::from_secs(30);
    if quiet {
        return work();
    }
    let bar = std::io::stderr().is_terminal().then(|| {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} runs  {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()).with_style(style)
    });
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let shown = scope.spawn(|| {
            let began = Instant::now();
            let mut told = began;
            while !over.load(Ordering::Relaxed) {
                std::thread::park_timeout(DRAWN);
                let message = Progress::of(meter, began.elapsed()).text();
                match &bar {
                    Some(bar) => {
                        bar.set_length(meter.wanted.load(Ordering::Relaxed) as u64);
                        bar.set_position(meter.done.load(Ordering::Relaxed) as u64);
                        bar.set_message(message);
                    }
                    None if told.elapsed() >= LINE => {
                        told = Instant::now();
                        let (done, wanted) = (meter.done.load(Ordering::Relaxed), meter.wanted.load(Ordering::Relaxed));
                        eprintln!("{done} of {wanted} runs, {message}");
                    }
                    None => {}
                }
            }
            if let Some(bar) = &bar {
                bar.finish_and_clear();
            }
        });
        let result = work();
        over.store(true, Ordering::Relaxed);
        shown.thread().unpark();
        result
    })
}

/// What is told beside the count of runs.
struct Progress {
    running: usize,
    failed: usize,
    calls_per_s: f64,
    left: Option<Duration>,
}

impl Progress {
    fn of(meter: &Meter, elapsed: Duration) -> Self {
        let read = |counter: &std::sync::atomic::AtomicUsize| counter.load(Ordering::Relaxed);
        let (done, reused, wanted) = (read(&meter.done), read(&meter.reused), read(&meter.wanted));
        let ran = done.saturating_sub(reused);
        let left = (ran > 0).then(|| elapsed.mul_f64(wanted.saturating_sub(done) as f64 / ran as f64));
        let calls_per_s = meter.calls.load(Ordering::Relaxed) as f64 / elapsed.as_secs_f64().max(1e-9);
        Self { running: read(&meter.running), failed: read(&meter.failed), calls_per_s, left }
    }

    fn text(&self) -> String {
        let left = match self.left.map(|left| left.as_secs()) {
            None => "?".to_owned(),
            Some(s) if s < 60 => format!("{s} s"),
            Some(s) if s < 3600 => format!("{}:{:02} min", s / 60, s % 60),
            Some(s) => format!("{}:{:02} h", s / 3600, s / 60 % 60),
        };
        format!(
            "{} running, {} failed, {left} left, {:.2} million calls/s",
            self.running,
            self.failed,
            self.calls_per_s / 1e6
        )
    }
}

fn plan_text(plan: &Plan, out: &Path) -> String {
    let d = &plan.described;
    let mut text = format!("{} points", d.points);
    text += &match d.stop.until.is_empty() {
        true => format!(" x {} replications = {} runs\n", d.stop.first, d.points * d.stop.first as usize),
        false => {
            let rules: Vec<&str> = d.stop.until.iter().map(|u| u.text.as_str()).collect();
            format!(" x {} to {} replications, until {}\n", d.stop.first, d.stop.most, rules.join(" and "))
        }
    };
    for axis in &d.axes {
        let takes = match &axis.takes {
            slackwater::sweep::Takes::Listed(levels) => {
                levels.iter().map(|l| l.name.as_str()).collect::<Vec<_>>().join(", ")
            }
            slackwater::sweep::Takes::Sampled { ends, logarithmic, .. } => {
                let how = if *logarithmic { "log-uniform" } else { "uniform" };
                format!("{how} from {} to {}", ends.from, ends.to)
            }
        };
        text += &format!(
            "  {}: {takes}{}\n",
            axis.name,
            axis.key.as_ref().map_or(String::new(), |key| format!("  ({key})"))
        );
    }
    text += &format!("results would go to {}\n", out.display());
    text
}

/// The means of all points, as far as a screen takes them.
fn points_text(runs: &Runs) -> Result<String, SweepError> {
    /// More points are for points.csv.
    const SHOWN: usize = 40;
    let figures = Figures::read(runs)?;
    let mut table: Vec<Vec<String>> = Vec::new();
    let axes: Vec<String> = runs.points.axes.iter().map(|a| a.name.clone()).collect();
    let metrics = &runs.described.metrics;
    let unit = |key: &String| runs.columns.iter().find(|c| c.key == *key).map_or("", |c| c.unit.as_str()).to_owned();
    table.push(axes.iter().cloned().chain(metrics.iter().cloned()).collect());
    table.push(axes.iter().map(|_| String::new()).chain(metrics.iter().map(unit)).collect());
    let mut last = None;
    for mean in figures.means() {
        if last != Some(mean.point) {
            if table.len() == SHOWN + 2 {
                break;
            }
            last = Some(mean.point);
            table.push(runs.points.point(mean.point).into_iter().map(|l| l.name).collect());
        }
        let half = mean.interval.half_width();
        let text = if half.is_finite() {
            format!("{} ±{}", digits(mean.estimate.mean), digits(half))
        } else {
            digits(mean.estimate.mean)
        };
        table.last_mut().expect("a row was just begun").push(text);
    }
    let widths: Vec<usize> = (0..table[0].len())
        .map(|c| table.iter().filter_map(|row| row.get(c)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in &table {
        let cells = row.iter().enumerate().map(|(c, cell)| {
            let pad = " ".repeat(widths[c] - cell.chars().count());
            if c < axes.len() { format!("{cell}{pad}") } else { format!("{pad}{cell}") }
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    let hidden = runs.described.points.saturating_sub(SHOWN);
    if hidden > 0 {
        text += &format!("… and {hidden} more points in points.csv\n");
    }
    text.push('\n');
    Ok(text)
}

/// Four significant digits.
fn digits(x: f64) -> String {
    if x.is_finite() {
        format!("{x:.3e}").parse().map_or_else(|_| x.to_string(), significant)
    } else {
        "–".to_owned()
    }
}

fn solved_text(claim: &str, over: &Over, unit: &str, solutions: &[Solution], out: &Path) -> String {
    let mut text = String::new();
    for solution in solutions {
        let at: Vec<String> = solution.at.iter().map(|(axis, value)| format!("{axis} = {value}")).collect();
        let place = if at.is_empty() { String::new() } else { format!("{}: ", at.join(", ")) };
        match &solution.solved {
            Solved::Equal(found) => {
                for b in found {
                    let half = b.interval.half_width();
                    let sure = if half.is_finite() { format!(" ±{}", digits(half)) } else { String::new() };
                    let side = if b.left_below_before { "left" } else { "right" };
                    text += &format!(
                        "{place}{claim} at {} = {}{sure} {unit} (in {} to {}); the {side} side is lower before\n",
                        over.what,
                        digits(b.at),
                        digits(b.low),
                        digits(b.high)
                    );
                }
            }
            Solved::EqualEverywhere => text += &format!("{place}both sides are equal everywhere in the range\n"),
            Solved::LeftBelow => text += &format!("{place}the left side is lower everywhere in the range\n"),
            Solved::RightBelow => {
                text += &format!("{place}the right side is lower, or equal, everywhere in the range\n")
            }
            Solved::Failed(why) => text += &format!("{place}no answer: {why}\n"),
        }
    }
    text += &format!("results in {}\n", out.join("solve.csv").display());
    text
}
