//! Several runs of one scenario side by side: `[compare]`.
//!
//! The cells run in parallel, each on one thread; which thread takes which cell changes nothing in the results.

pub(crate) mod chart;
mod crossing;
mod files;
mod fit;
mod plan;
mod slo;
mod table;
mod waterfall;

pub use crossing::{Crossing, Order, Point, order};
pub use fit::{Found, search};
pub(crate) use plan::unit_of;
pub use plan::{Axis, Cell, Plan};
pub use slo::{Slo, SloError};
pub use table::table;
pub use waterfall::{Waterfall, waterfalls};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use crate::report::{Effort, Entry, Folder, Input, ReportError, number, write_summary};
use crate::run::{Measured, Options, RunError, measure};
use crate::scenario::{Keep, Loaded, ScenarioError};

/// The number that a fit found, where a key of the figures is asked for.
const FITTED: &str = "fit.value";

/// One row of a comparison: a run, or in a fit the run at the number found.
#[derive(Debug, Clone)]
pub struct Row {
    /// The number of its value on every axis.
    pub at: Vec<usize>,
    /// All overrides, those of the command line first.
    pub set: Vec<String>,
    /// The seed.
    pub seed: u64,
    /// The figures, or why there are none.
    pub figures: Result<Vec<Entry>, String>,
    /// What the fit found.
    pub fit: Option<Found>,
    /// The figures over the baseline's, in the order of `relative`; not a number where undefined.
    pub relative: Vec<f64>,
    /// How many runs it took, how many calls they received, and what the one shown cost.
    pub cost: Cost,
    /// The files that were read.
    pub inputs: Vec<Input>,
}

/// What a row cost.
#[derive(Debug, Clone, Default)]
pub struct Cost {
    /// Runs.
    pub runs: usize,
    /// Calls received in all of them.
    pub calls: u64,
    /// The effort of the run that is shown.
    pub effort: Option<Effort>,
}

impl Row {
    /// A number of the row, a figure's or the one fitted; `None` if it failed, or the figure is undefined.
    pub fn number(&self, key: &str) -> Option<f64> {
        if key == FITTED {
            return self.fit.and_then(|fit| fit.value).map(|value| value as f64);
        }
        self.figures.as_ref().ok().and_then(|figures| number(figures, key))
    }

    /// A number that a line may be drawn through: not one of a fit that found nothing.
    pub fn point(&self, key: &str) -> Option<f64> {
        self.number(key).filter(|_| self.fit.is_none_or(|fit| fit.value.is_some()))
    }
}

/// The order of the two lines of one of `[[compare.crossings]]`, in one cell of the remaining axes.
#[derive(Debug, Clone)]
pub struct Lines {
    /// Which of the crossings.
    pub crossing: usize,
    /// The number of the value on every axis; meaningless on the first and the one crossed over.
    pub at: Vec<usize>,
    /// Their order.
    pub order: Order,
}

/// A finished comparison.
pub struct Comparison {
    /// What was compared.
    pub plan: Plan,
    /// The rows, in the order of the axes.
    pub rows: Vec<Row>,
    /// The order of the lines of `[[compare.crossings]]`.
    pub lines: Vec<Lines>,
    /// Where the results are.
    pub folder: PathBuf,
    /// Wall time of everything \[s\].
    pub wall_time_s: f64,
    /// Threads used.
    pub threads: usize,
}

/// Why a comparison failed as a whole.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The scenario is wrong.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The results cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Every run failed.
    #[error("every run failed\n{}", .0.join("\n"))]
    All(Vec<String>),
}

/// How far a comparison is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Cells that are done.
    pub done: usize,
    /// All cells.
    pub cells: usize,
}

/// Runs all cells and writes the results.
///
/// # Errors
/// [`CompareError`]; then nothing is left behind, and an earlier result is untouched.
pub fn compare(
    loaded: &Loaded,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Comparison, CompareError> {
    let began = Instant::now();
    let plan = Plan::of(loaded)?;
    let place = options.out.clone().unwrap_or_else(|| PathBuf::from("results").join(loaded.name()));
    let folder = Folder::create(&place)?;
    let mut rows = run_all(&plan, &folder, options.threads, progress)?;
    if rows.iter().all(|row| row.figures.is_err()) {
        let mut errors: Vec<String> = rows.into_iter().filter_map(|row| row.figures.err()).collect();
        errors.dedup();
        return Err(CompareError::All(errors));
    }
    let relative: Vec<Vec<f64>> = rows.iter().map(|row| relative(&plan, &rows, row)).collect();
    rows.iter_mut().zip(relative).for_each(|(row, relative)| row.relative = relative);
    let lines = lines(&plan, &rows);
    let wall_time_s = began.elapsed().as_secs_f64();
    let mut comparison = Comparison { plan, rows, lines, folder: place, wall_time_s, threads: options.threads };
    files::write(&comparison, loaded, &folder)?;
    chart::draw(&comparison, &folder.path("compare.svg"))?;
    chart::waterfall::draw(&comparison, &folder.path("waterfall.svg"))?;
    comparison.folder = folder.publish()?;
    Ok(comparison)
}

/// Every thread takes the next cell until none is left; the first error that concerns all stops them.
fn run_all(
    plan: &Plan,
    folder: &Folder,
    threads: usize,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Vec<Row>, ReportError> {
    let cells = plan.cells.len();
    let rows: Vec<Mutex<Option<Row>>> = (0..cells).map(|_| Mutex::new(None)).collect();
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let stop = AtomicBool::new(false);
    let failed = Mutex::new(None);
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let Some(cell) = plan.cells.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
            match run_cell(plan, cell, folder) {
                Ok(row) => {
                    *lock(&rows[plan.index(&cell.at)]) = Some(row);
                    progress(Progress { done: done.fetch_add(1, Ordering::Relaxed) + 1, cells });
                }
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    lock(&failed).get_or_insert(error);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(cells) {
            scope.spawn(work);
        }
        work();
    });
    if let Some(error) = lock(&failed).take() {
        return Err(error);
    }
    Ok(rows.iter().filter_map(|row| lock(row).take()).collect())
}

/// Locks a mutex; a thread that panicked while it held it has left nothing half-done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The figures of one run, or its error; only what concerns all runs is an error of this function.
pub(crate) type Outcome = Result<Result<Measured, String>, ReportError>;

/// One run on one thread.
pub(crate) fn one_run(loaded: &Loaded, folder: Option<&Folder>) -> Outcome {
    match measure(loaded, 1, folder, &mut |_| {}) {
        Ok(measured) => Ok(Ok(measured)),
        Err(RunError::Report(error)) => Err(error),
        Err(RunError::Scenario(ScenarioError::Problems(report))) => Ok(Err(report.brief())),
        Err(RunError::Scenario(error)) => Ok(Err(error.to_string())),
        Err(RunError::Sim(error)) => Ok(Err(error.to_string())),
    }
}

fn run_cell(plan: &Plan, cell: &Cell, folder: &Folder) -> Result<Row, ReportError> {
    let mut cost = Cost::default();
    let inner = || folder.inside(&Path::new("runs").join(plan.names(&cell.at).iter().collect::<PathBuf>()));
    let whole = plan.spec.keep == Keep::All;
    let (loaded, fit, known) = match fit_cell(plan, cell, &mut cost)? {
        Some((loaded, fit, known)) => (loaded, Some(fit), Some(known)),
        None => (cell.loaded.clone(), None, None),
    };
    let outcome = match known {
        Some(known) if !whole || known.is_err() => known,
        _ if whole => {
            let inner = inner()?;
            let outcome = one_run(&loaded, Some(&inner))?;
            cost.add(&outcome);
            if outcome.is_ok() {
                inner.publish()?;
            }
            outcome
        }
        _ => {
            let outcome = one_run(&loaded, None)?;
            cost.add(&outcome);
            outcome
        }
    };
    if let Some(measured) = outcome.as_ref().ok().filter(|_| !whole) {
        let inner = inner()?;
        write_summary(&measured.summary, &inner)?;
        inner.publish()?;
    }
    let (figures, inputs) = match outcome {
        Ok(measured) => {
            cost.effort = Some(measured.effort);
            (Ok(measured.summary), measured.inputs)
        }
        Err(error) => (Err(error), Vec::new()),
    };
    let (set, seed) = (loaded.set.clone(), loaded.scenario.seed);
    Ok(Row { at: cell.at.clone(), set, seed, figures, fit, relative: Vec::new(), cost, inputs })
}

impl Cost {
    fn add(&mut self, outcome: &Result<Measured, String>) {
        self.runs += 1;
        let received = outcome.as_ref().ok().and_then(|m| number(&m.summary, "calls.received"));
        self.calls += received.unwrap_or(0.0) as u64;
    }
}

/// A cell's scenario with the number of the fit, what the fit found, and the run at that number.
type Fitted = (Loaded, Found, Result<Measured, String>);

/// The number that keeps the objectives of a cell; `None` if nothing is fitted.
fn fit_cell(plan: &Plan, cell: &Cell, cost: &mut Cost) -> Result<Option<Fitted>, ReportError> {
    let Some(fit) = &plan.spec.fit else { return Ok(None) };
    let mut tried = BTreeMap::new();
    let found = search(fit.find, fit.low, fit.high, |n| {
        let outcome = match plan::fitted(&cell.loaded, &fit.key, n, "high") {
            Ok(loaded) => one_run(&loaded, None)?.map(|measured| (loaded, measured)),
            Err(error) => Err(error.to_string()),
        };
        let kept = outcome.as_ref().is_ok_and(|(_, m)| plan.slo.iter().all(|slo| slo.holds(&m.summary)));
        cost.runs += 1;
        if let Ok((_, measured)) = &outcome {
            cost.calls += number(&measured.summary, "calls.received").unwrap_or(0.0) as u64;
        }
        tried.insert(n, outcome);
        Ok::<bool, ReportError>(kept)
    })?;
    let shown = tried.remove(&found.shown).unwrap_or_else(|| Err("the fit tried nothing".to_owned()));
    Ok(Some(match shown {
        Ok((loaded, measured)) => (loaded, found, Ok(measured)),
        Err(error) => (cell.loaded.clone(), found, Err(error)),
    }))
}

/// The figures of a row over those of the baseline.
fn relative(plan: &Plan, rows: &[Row], row: &Row) -> Vec<f64> {
    let baseline = plan.spec.baseline.as_ref().and_then(|b| plan.axes[0].values.iter().position(|v| v == b));
    let base = baseline.and_then(|b| rows.get(plan.index(&[&[b], &row.at[1..]].concat())));
    let ratio = |key: &String| -> Option<f64> {
        let below = base?.number(key).filter(|x| *x != 0.0)?;
        Some(row.number(key)? / below)
    };
    plan.spec.relative.iter().map(|key| ratio(key).unwrap_or(f64::NAN)).collect()
}

/// The order of the two lines in every cell of the axes that remain.
fn lines(plan: &Plan, rows: &[Row]) -> Vec<Lines> {
    (0..plan.spec.crossings.len()).flat_map(|crossing| lines_of(plan, rows, crossing)).collect()
}

fn lines_of(plan: &Plan, rows: &[Row], crossing: usize) -> Vec<Lines> {
    let spec = &plan.spec.crossings[crossing];
    let value = |name: &String| plan.axes[0].values.iter().position(|v| v == name);
    let over = plan.axes.iter().position(|axis| axis.name == spec.over);
    let (Some(a), Some(b), Some(over)) = (value(&spec.between[0]), value(&spec.between[1]), over) else {
        return Vec::new();
    };
    let mut found: Vec<Lines> = Vec::new();
    for row in rows.iter().filter(|row| row.at[0] == a && row.at[over] == 0) {
        let numbers = plan.axes[over].numbers.iter().flatten().enumerate();
        let points: Vec<Point> = numbers
            .map(|(i, &x)| {
                let figure = |line: usize| {
                    let mut at = row.at.clone();
                    (at[0], at[over]) = (line, i);
                    rows.get(plan.index(&at)).and_then(|row| row.point(&spec.metric)).unwrap_or(f64::NAN)
                };
                Point { over: x, a: figure(a), b: figure(b) }
            })
            .collect();
        found.push(Lines { crossing, at: row.at.clone(), order: order(&points) });
    }
    found
}
