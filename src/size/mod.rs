//! How large it has to be: the value of a key, first of all the number of hosts, that keeps declared objectives.
//!
//! `docs/sizing.md` has the method. `objective` reads what has to hold, `vary` what is varied, `search` looks for the
//! border, `runs` runs values, `confidence` says when replications suffice; the rest shows what was found.

mod chart;
mod confidence;
mod files;
mod objective;
mod runs;
mod search;
mod table;
mod vary;

pub use confidence::{Estimate, Figures, Next, Rule, Verdict};
pub use objective::{Objective, SHARES, Share};
pub use runs::{Outcome, Replication};
pub use search::{Evaluate, FAN_OUT, Found, Monotone, Range, search};
pub use table::table;
pub use vary::{Lattice, Values, Vary, Want};

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use crate::compare::{Plan, lock};
use crate::report::{Entry, Folder, Input, ReportError};
use crate::run::{RunError, figures};
use crate::scenario::{Loaded, ScenarioError, parse_path};

use runs::Runs;

/// The figures of the frontier, beside those of the objectives: keys of summary.csv.
pub const FRONTIER: [&str; 9] = [
    "hosts.total",
    "utilization.cpu_mean",
    "utilization.memory_mean",
    "energy_j.total",
    "carbon_g.operational",
    "carbon_g.embodied",
    "sci.operational_g_per_unit",
    "sci.embodied_g_per_unit",
    "sci.g_per_unit",
];

/// How to size.
#[derive(Debug, Clone)]
pub struct Options {
    /// The objectives, all of which have to hold.
    pub slo: Vec<String>,
    /// What is varied.
    pub vary: String,
    /// Its values.
    pub values: Values,
    /// How sure an answer has to be.
    pub rule: Rule,
    /// Values of the coarse check on either side of the answer.
    pub checks: usize,
    /// Size every cell of `[compare]`.
    pub each: bool,
    /// Where the results go; `None` is `results/NAME-size`.
    pub out: Option<PathBuf>,
    /// Threads to use.
    pub threads: usize,
}

/// One value of the frontier.
#[derive(Debug, Clone)]
pub struct Row {
    /// The value.
    pub value: f64,
    /// The verdict; `None` if it was run once, to find the border.
    pub verdict: Option<Verdict>,
    /// Its runs.
    pub replications: Vec<Replication>,
    /// The figures of the objectives.
    pub objectives: Vec<Estimate>,
    /// The figures of [`FRONTIER`], means over the runs that have them.
    pub frontier: Vec<f64>,
    /// Why a run failed; `None` if none did.
    pub error: Option<String>,
}

/// What was found for one scenario.
#[derive(Debug, Clone)]
pub struct Variant {
    /// The names of its values on the axes of `[compare]`; empty without `--each`.
    pub names: Vec<String>,
    /// All its overrides but the value's.
    pub set: Vec<String>,
    /// The answer as a row of the frontier.
    pub answer: Option<usize>,
    /// The value on the wanted side of the answer, which does not hold, as a row.
    pub before: Option<usize>,
    /// Whether verdicts agree with the assumption of the search.
    pub monotone: Monotone,
    /// Rows between which no judged value fails, first and last.
    pub holding: Vec<(usize, usize)>,
    /// The frontier, in the order of the values.
    pub rows: Vec<Row>,
    /// The ends of the range.
    pub range: (f64, f64),
    /// Which end is wanted.
    pub want: Want,
    /// The files that were read.
    pub inputs: Vec<Input>,
}

impl Variant {
    /// Runs of all values.
    pub fn runs(&self) -> usize {
        self.rows.iter().map(|row| row.replications.len()).sum()
    }
}

/// A finished sizing.
pub struct Sizing {
    /// What was asked.
    pub options: Options,
    /// The objectives.
    pub objectives: Vec<Objective>,
    /// What was varied.
    pub vary: Vary,
    /// The axes of `[compare]`; empty without `--each`.
    pub axes: Vec<String>,
    /// What was found.
    pub variants: Vec<Variant>,
    /// Every figure of a run: key, unit and meaning.
    pub figures: Vec<Entry>,
    /// Where the results are.
    pub folder: PathBuf,
    /// Wall time of everything \[s\].
    pub wall_time_s: f64,
}

impl Sizing {
    /// Whether any variant has an answer.
    pub fn holds(&self) -> bool {
        self.variants.iter().any(|v| v.answer.is_some())
    }
}

/// Why a sizing failed.
#[derive(Debug, thiserror::Error)]
pub enum SizeError {
    /// The scenario is wrong.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// What was asked is wrong.
    #[error("{0}")]
    Usage(String),
    /// The results cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
}

/// How far a sizing is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Runs so far.
    pub runs: usize,
    /// Variants that are sized.
    pub done: usize,
    /// All variants.
    pub variants: usize,
}

/// Counts runs and variants and tells them.
pub struct Meter<'a> {
    tell: &'a (dyn Fn(Progress) + Sync),
    runs: AtomicUsize,
    done: AtomicUsize,
    variants: usize,
}

impl Meter<'_> {
    fn tell(&self) {
        let (runs, done) = (self.runs.load(Ordering::Relaxed), self.done.load(Ordering::Relaxed));
        (self.tell)(Progress { runs, done, variants: self.variants });
    }

    fn ran(&self) {
        self.runs.fetch_add(1, Ordering::Relaxed);
        self.tell();
    }

    fn finished(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.tell();
    }
}

/// A scenario to be sized, with its names on the axes.
struct Subject {
    names: Vec<String>,
    loaded: Loaded,
    vary: Vary,
    lattice: Lattice,
}

/// Sizes a scenario, or every cell of its `[compare]`, and writes the results.
///
/// # Errors
/// [`SizeError`]; then nothing is left behind, and an earlier result is untouched.
pub fn size(loaded: &Loaded, options: &Options, progress: &(dyn Fn(Progress) + Sync)) -> Result<Sizing, SizeError> {
    let began = Instant::now();
    let place = options.out.clone().unwrap_or_else(|| PathBuf::from("results").join(format!("{}-size", loaded.name())));
    // What is wrong with the place shows before anything runs; nothing stays there until all is done.
    drop(Folder::create(&place)?);
    check(options)?;
    let (axes, cells) = cells(loaded, options)?;
    let figures = known_figures(&cells)?;
    let parsed: Vec<Result<Objective, String>> =
        options.slo.iter().map(|slo| Objective::parse(slo, &figures)).collect();
    let wrong: Vec<String> = parsed.iter().filter_map(|o| o.as_ref().err().cloned()).collect();
    if !wrong.is_empty() {
        return Err(SizeError::Usage(wrong.join("\n")));
    }
    let objectives: Vec<Objective> = parsed.into_iter().flatten().collect();
    if loaded.scenario.workload.is_none()
        && let Some(of_calls) = objectives.iter().find(|o| o.is_share_of_calls())
    {
        return Err(SizeError::Usage(format!(
            "--slo {}: this is a share of calls, and the scenario has none\n  help: for instances see instances.*, exhaustion.* and \
             overcommit.NAME.violation_rate in docs/outputs.md",
            of_calls.text
        )));
    }
    let subjects = subjects(cells, &axes, options)?;
    let meter = Meter { tell: progress, runs: 0.into(), done: 0.into(), variants: subjects.len() };
    let variants = size_all(&subjects, &objectives, options, &meter)?;
    let mut sizing = Sizing {
        options: options.clone(),
        objectives,
        vary: Vary::parse(&options.vary, loaded).map_err(SizeError::Usage)?,
        axes,
        variants,
        figures,
        folder: place.clone(),
        wall_time_s: began.elapsed().as_secs_f64(),
    };
    let folder = Folder::create(&place)?;
    files::write(&sizing, loaded, &folder)?;
    chart::draw(&sizing, &folder.path("size.svg"))?;
    sizing.folder = folder.publish()?;
    Ok(sizing)
}

/// What is wrong with the options themselves.
fn check(options: &Options) -> Result<(), SizeError> {
    let rule = options.rule;
    let wrong = |text: String| Err(SizeError::Usage(text));
    if options.slo.is_empty() {
        return wrong("no objective\n  help: give at least one --slo 'KEY OP NUMBER'".to_owned());
    }
    if rule.replications == 0 || rule.most < rule.replications {
        return wrong(format!("--max-replications {} is below --replications {}", rule.most, rule.replications));
    }
    // Below one half the "upper" bound lies below the mean.
    if !(rule.confidence >= 0.5 && rule.confidence < 1.0) {
        return wrong(format!("--confidence {} is not from 0.5 to below 1", rule.confidence));
    }
    if !(options.values.resolution > 0.0 && options.values.resolution <= 1.0) {
        return wrong(format!("--resolution {} is not above 0 and at most 1", options.values.resolution));
    }
    Ok(())
}

type Cells = Vec<(Vec<String>, Loaded)>;

/// The scenarios to be sized: the base, or every cell of the comparison.
fn cells(loaded: &Loaded, options: &Options) -> Result<(Vec<String>, Cells), SizeError> {
    if !options.each {
        return Ok((Vec::new(), vec![(Vec::new(), loaded.with("the scenario", &[])?)]));
    }
    let plan = Plan::of(loaded)?;
    let name = |cell: &crate::compare::Cell| plan.names(&cell.at).into_iter().map(str::to_owned).collect();
    let cells = plan.cells.iter().map(|cell| (name(cell), cell.loaded.clone())).collect();
    Ok((plan.axes.iter().map(|axis| axis.name.clone()).collect(), cells))
}

/// The figures of the first scenario that can be put together.
fn known_figures(cells: &Cells) -> Result<Vec<Entry>, SizeError> {
    let mut errors = Vec::new();
    for (_, loaded) in cells {
        match figures(loaded) {
            Ok(found) => return Ok(found),
            Err(RunError::Scenario(error)) => errors.push(error),
            Err(RunError::Sim(error)) => return Err(SizeError::Usage(error.to_string())),
            Err(RunError::Report(error)) => return Err(error.into()),
        }
    }
    Err(ScenarioError::several(errors).into())
}

/// The values of every scenario; both ends of each range have to be allowed.
fn subjects(cells: Cells, axes: &[String], options: &Options) -> Result<Vec<Subject>, SizeError> {
    let mut subjects: Vec<Subject> = Vec::new();
    for (names, loaded) in cells {
        let vary = Vary::parse(&options.vary, &loaded).map_err(SizeError::Usage)?;
        let lattice = vary.lattice(options.values, &loaded).map_err(SizeError::Usage)?;
        for value in [0, lattice.count() - 1] {
            let set = vary.overrides(&lattice, value, &loaded);
            loaded.with(&format!("{} = {}", vary.name(), lattice.text(value)), &set)?;
        }
        subjects.push(Subject { names, loaded, vary, lattice });
    }
    // A key that differs between the cells would be undone by the search.
    let keys: Vec<_> = subjects.iter().flat_map(|s| s.vary.keys(&s.loaded)).map(|key| parse_path(&key)).collect();
    let own = |subject: &Subject| {
        let set = subject.loaded.set.iter().filter_map(|s| s.split_once('='));
        set.filter(|(key, _)| keys.contains(&parse_path(key))).map(|(_, v)| v.to_owned()).collect::<Vec<_>>()
    };
    if subjects.windows(2).any(|pair| own(&pair[0]) != own(&pair[1])) {
        let text = format!("--vary {}: an axis of [compare] ({}) sets it, too", options.vary, axes.join(", "));
        return Err(SizeError::Usage(format!(
            "{text}\n  help: the search would undo what the axis sets: vary another key"
        )));
    }
    Ok(subjects)
}

/// Every thread takes the next scenario; threads that are left over run its replications.
fn size_all(
    subjects: &[Subject],
    objectives: &[Objective],
    options: &Options,
    meter: &Meter<'_>,
) -> Result<Vec<Variant>, ReportError> {
    let variants: Vec<Mutex<Option<Variant>>> = subjects.iter().map(|_| Mutex::new(None)).collect();
    let (next, stop, failed) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::new(None));
    let outer = options.threads.min(subjects.len()).max(1);
    let inner = (options.threads / outer).max(1);
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(subject) = subjects.get(i) else { break };
            match size_one(subject, objectives, options, inner, meter) {
                Ok(variant) => *lock(&variants[i]) = Some(variant),
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    lock(&failed).get_or_insert(error);
                }
            }
            meter.finished();
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..outer {
            scope.spawn(work);
        }
        work();
    });
    if let Some(error) = lock(&failed).take() {
        return Err(error);
    }
    Ok(variants.iter().filter_map(|variant| lock(variant).take()).collect())
}

fn size_one(
    subject: &Subject,
    objectives: &[Objective],
    options: &Options,
    threads: usize,
    meter: &Meter<'_>,
) -> Result<Variant, ReportError> {
    let Subject { names, loaded, vary, lattice } = subject;
    let (done, inputs) = (BTreeMap::new(), Vec::new());
    let rule = options.rule;
    let mut runs = Runs { loaded, vary, lattice: *lattice, objectives, rule, threads, meter, done, inputs };
    let found = search(lattice.range(vary.own(loaded), options.checks), &mut runs)?;
    let mut numbers: Vec<usize> = runs.done.keys().copied().collect();
    if lattice.want() == Want::Most {
        numbers.reverse();
    }
    let at = |n: usize| numbers.iter().position(|&m| m == n);
    let ordered = |(a, b): &(usize, usize)| Some((at(*a)?.min(at(*b)?), at(*a)?.max(at(*b)?)));
    let rows = numbers.iter().map(|n| {
        let replications = runs.done.get(n).cloned().unwrap_or_default();
        row(lattice.value(*n), found.verdicts.get(n).copied(), replications, objectives, rule)
    });
    let ends = (lattice.value(0), lattice.value(lattice.count() - 1));
    Ok(Variant {
        names: names.clone(),
        set: loaded.set.clone(),
        answer: found.answer.and_then(at),
        before: found.before.and_then(at),
        monotone: found.monotone,
        holding: found.holding.iter().filter_map(ordered).collect(),
        rows: rows.collect(),
        range: (ends.0.min(ends.1), ends.0.max(ends.1)),
        want: lattice.want(),
        inputs: runs.inputs,
    })
}

fn row(
    value: f64,
    verdict: Option<Verdict>,
    replications: Vec<Replication>,
    objectives: &[Objective],
    rule: Rule,
) -> Row {
    let right: Vec<&Outcome> = replications.iter().filter_map(|r| r.outcome.as_ref().ok()).collect();
    let column = |figures: &dyn Fn(&Outcome) -> f64| -> Vec<f64> {
        right.iter().map(|o| figures(o)).filter(|x| x.is_finite()).collect()
    };
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    let objectives: Vec<Estimate> =
        objectives.iter().enumerate().map(|(i, o)| rule.estimate(o, &column(&|r| r.objectives[i]))).collect();
    let frontier = (0..FRONTIER.len()).map(|i| mean(column(&|r| r.frontier[i]))).collect();
    let error = replications.iter().find_map(|r| r.outcome.as_ref().err().cloned());
    Row { value, verdict, replications, objectives, frontier, error }
}
