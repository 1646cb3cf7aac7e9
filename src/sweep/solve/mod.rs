//! Break-even: at which number of an axis or key two sides are equal, `--solve 'sci(vm) == sci(microvm)' --over keep_alive`.
//!
//! The difference of the sides is computed replication by replication under common random numbers and averaged. It is scanned over the
//! axis first; every change of sign between neighbours is then narrowed down ([`crate::stats::root`]).

mod bracket;
mod meaning;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bracket::{real, whole};
use meaning::{level, meaning, range};

use super::SweepError;
use super::journal::{self, Journal, Kind, Record};
use super::lock::{Hold, Lock};
use super::plan::Plan;
use super::points::{Level, Takes};
use super::run::{Meter, journals, open};
use super::table::write_csv;
use crate::claim::{Claim, Expression, Reference, find_key};
use crate::compare::{lock, one_run};
use crate::report::number;
use crate::stats::{Estimate, Interval};
use crate::types::cell;

/// What is solved for.
#[derive(Debug, Clone, PartialEq)]
pub struct Over {
    /// The name of a numeric axis, or a key of the scenario.
    pub what: String,
    /// Lower end; `None` is the axis's.
    pub from: Option<f64>,
    /// Upper end; `None` is the axis's.
    pub to: Option<f64>,
    /// How near the answer has to be, as a share of it.
    pub tolerance: f64,
}

/// What was found in one combination of the remaining axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// Axis and value.
    pub at: Vec<(String, String)>,
    /// What was found.
    pub solved: Solved,
    /// Numbers at which both sides were computed.
    pub evaluations: usize,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Solved {
    /// The sides are equal here; one for each change of sign.
    Equal(Vec<BreakEven>),
    /// The sides are equal at all numbers that were tried.
    EqualEverywhere,
    /// The left side is below the right one at all numbers that were tried.
    LeftBelow,
    /// The right side is below the left one at all numbers that were tried.
    RightBelow,
    /// It cannot be said, and why.
    Failed(String),
}

/// Where both sides are equal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakEven {
    /// The number.
    pub at: f64,
    /// Lower end of the last bracket.
    pub low: f64,
    /// Upper end of the last bracket.
    pub high: f64,
    /// What the replications leave open: half width of the mean difference there over its slope between the neighbours of the scan.
    pub interval: Interval,
    /// Whether the left side is below the right one before it.
    pub left_below_before: bool,
}

/// A run: its levels and its replication.
type Wanted = (Vec<Level>, u32);

/// What all evaluations share.
struct Solver<'a> {
    plan: &'a Plan,
    claim: &'a Claim,
    /// Resolved keys of the figures.
    keys: Vec<String>,
    /// The axis whose values the claim names, if it names any.
    named: Option<usize>,
    over: OverWhat,
    jobs: usize,
    meter: &'a Meter,
    known: Mutex<HashMap<String, Result<Vec<f64>, String>>>,
    journal: Mutex<Journal>,
}

enum OverWhat {
    Axis(usize),
    Key,
}

/// Solves a claim with `==` over an axis or key, in every combination of the remaining axes; writes solve.csv.
///
/// # Errors
/// The claim or what it is solved over is wrong; nothing can be written. A run that fails is part of the answer.
pub fn solve(
    plan: &Plan,
    text: &str,
    over: &Over,
    out: &Path,
    jobs: usize,
    meter: &Meter,
) -> Result<(String, Vec<Solution>), SweepError> {
    let claim = Claim::parse_one(text).map_err(|e| SweepError::Usage(format!("--solve: {e}")))?;
    let (keys, named) = meaning(plan, &claim)?;
    let (what, unit, key, numbers, integer) = range(plan, over)?;
    if let (OverWhat::Axis(o), Some(n)) = (&what, named)
        && *o == n
    {
        let name = &plan.points.axes[n].name;
        return Err(SweepError::Usage(format!(
            "--over {name}: the claim names values of the same axis\n  help: solve over another axis or key"
        )));
    }
    open(out)?;
    let folder = out.join("solve");
    std::fs::create_dir_all(&folder).map_err(SweepError::io(&folder))?;
    let _lock = Lock::take(&folder, "lock", Hold::Alone)?;
    let path = folder.join("journal.jsonl");
    let mut known = HashMap::new();
    for journal in journals(out)?.into_iter().chain(path.is_file().then(|| path.clone())) {
        remember(&journal, &keys, &mut known)?;
    }
    let journal = Mutex::new(Journal::open(&path, &mut |_| {})?);
    let solver =
        Solver { plan, claim: &claim, keys, named, over: what, jobs, meter, known: Mutex::new(known), journal };
    let mut solutions = Vec::new();
    for rest in solver.rest()? {
        solutions.push(solver.one(rest, &key, &numbers, integer, over.tolerance)?);
    }
    write(plan, &claim, over, unit, &solutions, out)?;
    Ok((unit.to_owned(), solutions))
}

/// The figures of runs that are done, by hash; a run that read files is run again, as they may have changed.
fn remember(
    path: &Path,
    keys: &[String],
    known: &mut HashMap<String, Result<Vec<f64>, String>>,
) -> Result<(), SweepError> {
    let mut records: Vec<Record> = Vec::new();
    let (columns, _) = journal::read(path, &mut |record, _| {
        if record.inputs.is_empty() && record.error.is_none() {
            records.push(record);
        }
    })?;
    for record in records {
        let Some(list) = record.columns.map(|c| &columns[c]) else { continue };
        let value = |key: &String| {
            let at = list.iter().position(|c| c.key == *key && c.kind != Kind::Text);
            at.and_then(|i| record.values[i].as_f64()).unwrap_or(f64::NAN)
        };
        known.insert(record.hash.clone(), Ok(keys.iter().map(value).collect()));
    }
    Ok(())
}

impl Solver<'_> {
    /// A point for every combination of the axes that remain.
    fn rest(&self) -> Result<Vec<usize>, SweepError> {
        let points = &self.plan.points;
        let fixed = |a: usize| self.named == Some(a) || matches!(self.over, OverWhat::Axis(o) if o == a);
        for (a, axis) in points.axes.iter().enumerate() {
            if fixed(a) && self.plan.described.spec.axes[a].zip.is_some() {
                return Err(SweepError::Usage(format!(
                    "--solve: the axis \"{}\" advances together with others\n  help: leave its `zip` out, or solve over another axis or key",
                    axis.name
                )));
            }
            if !fixed(a) && matches!(axis.takes, Takes::Sampled { .. }) {
                return Err(SweepError::Usage(format!(
                    "--solve: the axis \"{}\" is sampled: it has no values to solve at\n  help: give it a `list`, or set it with --set and leave it out",
                    axis.name
                )));
            }
        }
        let first = |&p: &usize| points.at(p).iter().enumerate().all(|(a, &l)| !fixed(a) || l == 0);
        Ok((0..points.combinations()).filter(first).collect())
    }

    /// The levels of a run at a number, at a value that the claim names.
    fn levels(&self, rest: usize, key: &str, x: f64, value: Option<&str>) -> Vec<Level> {
        let mut levels = self.plan.points.point(rest);
        if let (Some(axis), Some(value)) = (self.named, value) {
            levels[axis] = level(self.plan, axis, value).expect("the value was looked up before");
        }
        let number = Level { name: x.to_string(), number: Some(x), overrides: vec![format!("{key}={x}")] };
        match self.over {
            OverWhat::Axis(a) => levels[a] = number,
            OverWhat::Key => levels.push(number),
        }
        levels
    }

    /// Values of the axis that the claim names; a single `None` if it names none.
    fn values(&self) -> Vec<Option<String>> {
        let mut all: Vec<Option<String>> = Vec::new();
        for (reference, _) in self.claim.names() {
            let value = match reference {
                Reference::Call { arguments, .. } => arguments.first().and_then(Expression::word),
                Reference::Name(_) => None,
            };
            if !all.contains(&value) {
                all.push(value);
            }
        }
        all
    }

    /// Runs what is not known yet; every thread takes the next until none is left.
    fn run(&self, wanted: &[Wanted]) -> Result<(), SweepError> {
        let next = AtomicUsize::new(0);
        let failed: Mutex<Option<SweepError>> = Mutex::new(None);
        self.meter.wanted.fetch_add(wanted.len(), Ordering::Relaxed);
        let work = || {
            while let Some((levels, replication)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.meter.running.fetch_add(1, Ordering::Relaxed);
                if let Err(error) = self.run_one(levels, *replication) {
                    lock(&failed).get_or_insert(error);
                    next.store(wanted.len(), Ordering::Relaxed);
                }
                self.meter.running.fetch_sub(1, Ordering::Relaxed);
                self.meter.done.fetch_add(1, Ordering::Relaxed);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.jobs.min(wanted.len()) {
                scope.spawn(work);
            }
            work();
        });
        lock(&failed).take().map_or(Ok(()), Err)
    }

    fn run_one(&self, levels: &[Level], replication: u32) -> Result<(), SweepError> {
        let loaded = self.plan.with(levels, replication)?;
        let hash = self.plan.hash(&loaded);
        if lock(&self.known).contains_key(&hash) {
            self.meter.reused.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let figures = match one_run(&loaded, None)? {
            Ok(measured) => {
                let values = self.keys.iter().map(|key| number(&measured.summary, key).unwrap_or(f64::NAN)).collect();
                let calls = number(&measured.summary, "calls.received").unwrap_or(0.0) as u64;
                self.meter.calls.fetch_add(calls, Ordering::Relaxed);
                let (columns, all) = journal::figures(&measured.summary);
                let record = Record {
                    plan: "solve".to_owned(),
                    point: 0,
                    replication,
                    seed: self.plan.seed(replication),
                    hash: hash.clone(),
                    columns: None,
                    values: all,
                    error: None,
                    inputs: journal::inputs(&measured.inputs),
                    calls,
                    wall_s: measured.effort.wall_time_s,
                };
                lock(&self.journal).append(record, &columns)?;
                Ok(values)
            }
            Err(error) => {
                self.meter.failed.fetch_add(1, Ordering::Relaxed);
                Err(error.trim_end().to_owned())
            }
        };
        lock(&self.known).insert(hash, figures);
        Ok(())
    }

    /// Left less right at a number, replication by replication.
    fn differences(&self, rest: usize, key: &str, x: f64) -> Result<Result<Vec<f64>, String>, SweepError> {
        let replications = self.plan.described.stop.first;
        let mut all = Vec::new();
        for replication in 0..replications {
            let at = |value: Option<&str>| -> Result<Result<Vec<f64>, String>, SweepError> {
                let loaded = self.plan.with(&self.levels(rest, key, x, value), replication)?;
                let hash = self.plan.hash(&loaded);
                Ok(lock(&self.known).get(&hash).cloned().unwrap_or_else(|| Err("the run is missing".to_owned())))
            };
            let mut known: Vec<(Option<String>, Vec<f64>)> = Vec::new();
            for value in self.values() {
                match at(value.as_deref())? {
                    Ok(figures) => known.push((value, figures)),
                    Err(error) => return Ok(Err(error)),
                }
            }
            let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
            let sides = self.claim.sides(&|reference: &Reference<'_>| {
                let (name, value) = match reference {
                    Reference::Name(name) => (*name, None),
                    Reference::Call { name, arguments } => (*name, arguments.first().and_then(Expression::word)),
                };
                let figures = known.iter().find(|(v, _)| *v == value).map(|(_, f)| f);
                let key = find_key(name, &keys).map_err(|e| e.to_string())?;
                let at = self.keys.iter().position(|k| k == key);
                figures.zip(at).map(|(f, i)| f[i]).ok_or_else(|| format!("{reference} is unknown"))
            });
            match sides {
                Ok((left, right)) => all.push(left - right),
                Err(why) => return Ok(Err(format!("{why} at {x}"))),
            }
        }
        Ok(Ok(all))
    }

    fn one(
        &self,
        rest: usize,
        key: &str,
        numbers: &[f64],
        integer: bool,
        tolerance: f64,
    ) -> Result<Solution, SweepError> {
        let round = |x: f64| if integer { x.round() } else { x };
        let wanted = |x: f64| -> Vec<Wanted> {
            let replications = self.plan.described.stop.first;
            let values = self.values();
            values
                .iter()
                .flat_map(|value| {
                    let levels = self.levels(rest, key, round(x), value.as_deref());
                    (0..replications).map(move |r| (levels.clone(), r))
                })
                .collect()
        };
        let at: Vec<(String, String)> = self
            .plan
            .points
            .axes
            .iter()
            .zip(self.plan.points.point(rest))
            .enumerate()
            .filter(|(a, _)| self.named != Some(*a) && !matches!(self.over, OverWhat::Axis(o) if o == *a))
            .map(|(_, (axis, level))| (axis.name.clone(), level.name))
            .collect();
        let all: Vec<Wanted> = numbers.iter().flat_map(|&x| wanted(x)).collect();
        self.run(&all)?;
        let mut evaluations = numbers.len();
        let mut scan: Vec<(f64, f64)> = Vec::new();
        for &x in numbers {
            match self.differences(rest, key, round(x))? {
                Ok(differences) => scan.push((x, Estimate::of(&differences).mean)),
                Err(why) => return Ok(Solution { at, solved: Solved::Failed(why), evaluations }),
            }
        }
        if scan.iter().all(|(_, difference)| *difference == 0.0) {
            return Ok(Solution { at, solved: Solved::EqualEverywhere, evaluations });
        }
        let mut found = Vec::new();
        for (i, pair) in scan.windows(2).enumerate() {
            let ((a, at_a), (b, at_b)) = (pair[0], pair[1]);
            // An exact 0 at a number that two brackets share counts for the first of them.
            if (at_a == 0.0 && i > 0) || (at_a != 0.0 && at_b != 0.0 && (at_a > 0.0) == (at_b > 0.0)) {
                continue;
            }
            let mut stopped = None;
            let mut value = |x: f64| -> Result<f64, String> {
                let value = self.run(&wanted(x)).and_then(|()| self.differences(rest, key, round(x)));
                match value {
                    Ok(Ok(differences)) => Ok(Estimate::of(&differences).mean),
                    Ok(Err(why)) => Err(why),
                    Err(error) => {
                        let why = error.to_string();
                        stopped = Some(error);
                        Err(why)
                    }
                }
            };
            let answer = if integer { whole(&mut value, pair) } else { real(&mut value, a, b, tolerance) };
            if let Some(error) = stopped {
                return Err(error);
            }
            match answer {
                Ok(answer) => {
                    evaluations += answer.evaluations;
                    let x = answer.at;
                    self.run(&wanted(x))?;
                    let there = self.differences(rest, key, x)?.unwrap_or_default();
                    let open = Estimate::of(&there).half_width(self.plan.described.stop.confidence);
                    let slope = ((at_b - at_a) / (b - a)).abs();
                    let half = open / slope;
                    found.push(BreakEven {
                        at: x,
                        low: answer.low,
                        high: answer.high,
                        interval: Interval { low: x - half, high: x + half },
                        left_below_before: at_a < 0.0 || (at_a == 0.0 && at_b > 0.0),
                    });
                }
                Err(why) => return Ok(Solution { at, solved: Solved::Failed(why), evaluations }),
            }
        }
        let solved = match scan.first() {
            _ if !found.is_empty() => Solved::Equal(found),
            Some((_, first)) if *first < 0.0 => Solved::LeftBelow,
            _ => Solved::RightBelow,
        };
        Ok(Solution { at, solved, evaluations })
    }
}

fn write(
    plan: &Plan,
    claim: &Claim,
    over: &Over,
    unit: &str,
    solutions: &[Solution],
    out: &Path,
) -> Result<(), SweepError> {
    let mut header: Vec<String> =
        solutions.first().map_or(Vec::new(), |s| s.at.iter().map(|(name, _)| name.clone()).collect());
    let last = [
        "claim",
        "over",
        "unit",
        "result",
        "at",
        "low",
        "high",
        "interval_low",
        "interval_high",
        "replications",
        "evaluations",
    ];
    header.extend(last.map(str::to_owned));
    let rows = solutions.iter().flat_map(|s| {
        let row = |result: String, numbers: [f64; 5]| -> Vec<String> {
            let first = s.at.iter().map(|(_, value)| value.clone());
            let words = [claim.to_string(), over.what.clone(), unit.to_owned(), result];
            let counts = [plan.described.stop.first.to_string(), s.evaluations.to_string()];
            first.chain(words).chain(numbers.map(cell)).chain(counts).collect()
        };
        let none = [f64::NAN; 5];
        match &s.solved {
            Solved::Equal(found) => found
                .iter()
                .map(|b| {
                    let side = if b.left_below_before { "left" } else { "right" };
                    let numbers = [b.at, b.low, b.high, b.interval.low, b.interval.high];
                    row(format!("equal; {side} side lower before"), numbers)
                })
                .collect(),
            Solved::EqualEverywhere => vec![row("equal everywhere".to_owned(), none)],
            Solved::LeftBelow => vec![row("left side always lower".to_owned(), none)],
            Solved::RightBelow => vec![row("right side never higher".to_owned(), none)],
            Solved::Failed(why) => vec![row(format!("failed: {why}"), none)],
        }
    });
    write_csv(&out.join("solve.csv"), &header, &mut rows.collect::<Vec<_>>().into_iter())
}
