//! The values of one variant as runs: replications in parallel, in an order that does not depend on the threads.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::confidence::{Next, Rule, Verdict};
use super::objective::Objective;
use super::search::Evaluate;
use super::vary::{Lattice, Vary, Want};
use super::{FRONTIER, Meter};
use crate::compare::{lock, one_run};
use crate::report::{Input, ReportError, number};
use crate::scenario::Loaded;

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct Replication {
    /// Its seed.
    pub seed: u64,
    /// The figures, or why there are none.
    pub outcome: Result<Outcome, String>,
}

/// What is kept of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The figures of the objectives; not a number where undefined.
    pub objectives: Vec<f64>,
    /// The figures of [`FRONTIER`]; not a number where undefined.
    pub frontier: Vec<f64>,
    /// Calls received.
    pub calls: u64,
}

/// All runs of one variant.
pub struct Runs<'a> {
    /// The scenario.
    pub loaded: &'a Loaded,
    /// What is varied.
    pub vary: &'a Vary,
    /// Its values.
    pub lattice: Lattice,
    /// The objectives.
    pub objectives: &'a [Objective],
    /// How sure an answer has to be.
    pub rule: Rule,
    /// Threads to use.
    pub threads: usize,
    /// What is told of progress.
    pub meter: &'a Meter<'a>,
    /// The replications of every value.
    pub done: BTreeMap<usize, Vec<Replication>>,
    /// The files that were read.
    pub inputs: Vec<Input>,
}

/// The seed of a replication, the same for every value: values are compared under the same calls (common random numbers).
///
/// Formula: the scenario's seed + n, n from 0, so that `sim run --seed` repeats it.
pub fn seed_of(loaded: &Loaded, n: usize) -> u64 {
    /// TOML's integers have 63 bits.
    const MASK: u64 = i64::MAX as u64;
    loaded.scenario.seed.wrapping_add(n as u64) & MASK
}

/// A run and the files that it read.
type Ran = (Replication, Vec<Input>);

impl Runs<'_> {
    /// The scenario of one replication of a value.
    ///
    /// # Errors
    /// The value is not allowed.
    pub fn scenario(&self, value: usize, n: usize) -> Result<Loaded, crate::scenario::ScenarioError> {
        let mut set = self.vary.overrides(&self.lattice, value, self.loaded);
        set.push(format!("seed={}", seed_of(self.loaded, n)));
        let run = format!("{} = {}", self.vary.name(), self.lattice.text(value));
        self.loaded.with(&run, &set)
    }

    fn run(&self, value: usize, n: usize) -> Result<Ran, ReportError> {
        let seed = seed_of(self.loaded, n);
        let measured = match self.scenario(value, n) {
            Ok(loaded) => one_run(&loaded, None)?,
            Err(error) => Err(error.to_string()),
        };
        self.meter.ran();
        Ok(match measured {
            Ok(measured) => {
                let figures = &measured.summary;
                let objectives = self.objectives.iter().map(|o| o.figure(figures).unwrap_or(f64::NAN)).collect();
                let frontier = FRONTIER.iter().map(|key| number(figures, key).unwrap_or(f64::NAN)).collect();
                let calls = number(figures, "calls.received").unwrap_or(0.0) as u64;
                (Replication { seed, outcome: Ok(Outcome { objectives, frontier, calls }) }, measured.inputs)
            }
            Err(error) => (Replication { seed, outcome: Err(error.trim_end().to_owned()) }, Vec::new()),
        })
    }

    /// Runs replications; every thread takes the next until none is left.
    fn run_all(&mut self, tasks: &[(usize, usize)]) -> Result<(), ReportError> {
        let results: Vec<Mutex<Option<Ran>>> = tasks.iter().map(|_| Mutex::new(None)).collect();
        let (next, stop, failed) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::new(None));
        let this = &*self;
        let work = || {
            while !stop.load(Ordering::Relaxed) {
                let i = next.fetch_add(1, Ordering::Relaxed);
                let Some(&(value, n)) = tasks.get(i) else { break };
                match this.run(value, n) {
                    Ok(run) => *lock(&results[i]) = Some(run),
                    Err(error) => {
                        stop.store(true, Ordering::Relaxed);
                        lock(&failed).get_or_insert(error);
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.threads.min(tasks.len()) {
                scope.spawn(work);
            }
            work();
        });
        if let Some(error) = lock(&failed).take() {
            return Err(error);
        }
        for (&(value, _), result) in tasks.iter().zip(&results) {
            let Some((replication, inputs)) = lock(result).take() else { continue };
            self.done.entry(value).or_default().push(replication);
            for input in inputs {
                if !self.inputs.contains(&input) {
                    self.inputs.push(input);
                }
            }
        }
        Ok(())
    }

    fn so_far(&self, value: usize) -> usize {
        self.done.get(&value).map_or(0, Vec::len)
    }

    /// What the objectives see of a value's replications: an undefined figure is a failed run.
    fn figures(&self, value: usize) -> Vec<Result<Vec<f64>, String>> {
        let one = |replication: &Replication| match &replication.outcome {
            Err(error) => Err(error.clone()),
            Ok(outcome) => match outcome.objectives.iter().position(|x| x.is_nan()) {
                Some(i) => Err(format!("{} is undefined", self.objectives[i].key)),
                None => Ok(outcome.objectives.clone()),
            },
        };
        self.done.get(&value).into_iter().flatten().map(one).collect()
    }
}

impl Evaluate for Runs<'_> {
    type Error = ReportError;

    fn glimpse(&mut self, values: &[usize]) -> Result<Vec<bool>, ReportError> {
        let tasks: Vec<(usize, usize)> =
            values.iter().filter(|v| self.so_far(**v) == 0).map(|&value| (value, 0)).collect();
        self.run_all(&tasks)?;
        let kept = |value: &usize| match self.figures(*value).first() {
            Some(Ok(figures)) => self.objectives.iter().zip(figures).all(|(o, &x)| o.holds(x)),
            _ => false,
        };
        Ok(values.iter().map(kept).collect())
    }

    fn judge(&mut self, values: &[usize]) -> Result<Vec<Verdict>, ReportError> {
        loop {
            let next = |runs: &Self, value: usize| runs.rule.next(runs.objectives, &runs.figures(value));
            let mut tasks = Vec::new();
            for &value in values {
                if let Next::Run(wanted) = next(self, value) {
                    tasks.extend((self.so_far(value)..wanted).map(|n| (value, n)));
                }
            }
            if tasks.is_empty() {
                let settled = |&value: &usize| match next(self, value) {
                    Next::Settled(verdict) => verdict,
                    Next::Run(_) => Verdict::Undecided,
                };
                return Ok(values.iter().map(settled).collect());
            }
            self.run_all(&tasks)?;
        }
    }

    /// Work has to be done by somebody: fewer hosts than would be full on average with what the start's run used (CPU or memory,
    /// whichever is more) are not likely to hold.
    fn floor(&self, start: usize) -> Option<usize> {
        if !matches!(self.vary, Vary::Hosts { .. }) || self.lattice.want() != Want::Least {
            return None;
        }
        let outcome = self.done.get(&start)?.first()?.outcome.as_ref().ok()?;
        let used = |key: &str| FRONTIER.iter().position(|k| *k == key).map_or(0.0, |i| outcome.frontier[i]);
        let share = used("utilization.cpu_mean").max(used("utilization.memory_mean"));
        share.is_finite().then(|| self.lattice.nearest((share * self.lattice.value(start)).ceil()))
    }
}
