//! Runs a sweep, or a part of it: threads take runs from the queue, and every finished run is in the journal before the next begins.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use sha2::{Digest, Sha256};

use super::SweepError;
use super::gather::rule_values;
use super::journal::{self, Column, Journal, Record};
use super::lock::{Hold, Lock};
use super::plan::Plan;
use super::queue::{Queue, Shard, Task};
use super::spec::KeepRuns;
use crate::compare::lock;
use crate::report::{Folder, ReportError, write_file, write_summary};
use crate::run::{Measured, RunError, measure};
use crate::scenario::ScenarioError;
use crate::sim;

/// What a sweep's tables are called; the manifest, which makes a folder a result, first.
pub const TABLES: [&str; 8] = [
    "manifest.json",
    "runs.csv",
    "runs.parquet",
    "columns.csv",
    "points.csv",
    "differences.csv",
    "frontier.csv",
    "sensitivity.csv",
];

/// What to do with the runs that the folder has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// There must be none.
    Refuse,
    /// Those that are the same run, by their hash, are not run again.
    Resume,
    /// They are thrown away.
    Overwrite,
}

/// How to run a sweep.
#[derive(Debug, Clone)]
pub struct Options {
    /// The results folder.
    pub out: PathBuf,
    /// Runs at the same time.
    pub jobs: usize,
    /// What to do with the runs that the folder has.
    pub earlier: Earlier,
    /// Whether runs that failed run again; only with [`Earlier::Resume`].
    pub retry_failed: bool,
    /// Which part of the sweep.
    pub shard: Shard,
}

/// How far a sweep is: read by whoever shows it, while it runs.
#[derive(Debug, Default)]
pub struct Meter {
    /// Runs that are known to be wanted.
    pub wanted: AtomicUsize,
    /// Runs that are done, those of earlier sweeps included.
    pub done: AtomicUsize,
    /// Of these, runs that were taken over.
    pub reused: AtomicUsize,
    /// Runs that failed.
    pub failed: AtomicUsize,
    /// Runs that are going on.
    pub running: AtomicUsize,
    /// Calls received by the runs of this sweep so far.
    pub calls: AtomicU64,
}

/// What a sweep, or a part of it, came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran {
    /// Runs that are done.
    pub done: usize,
    /// Of these, taken over from earlier sweeps.
    pub reused: usize,
    /// Of these, failed.
    pub failed: usize,
    /// Calls received by the runs that were run now.
    pub calls: u64,
    /// Sum of the wall times of the runs that were run now \[s\].
    pub run_time_s: f64,
    /// Wall time \[s\].
    pub wall_time_s: f64,
}

/// The folder of the parts.
pub fn parts(out: &Path) -> PathBuf {
    out.join("parts")
}

/// All journals of a results folder, by the names of their parts.
///
/// # Errors
/// The folder cannot be read.
pub fn journals(out: &Path) -> Result<Vec<PathBuf>, SweepError> {
    let folder = parts(out);
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in fs::read_dir(&folder).map_err(SweepError::io(&folder))? {
        let path = entry.map_err(SweepError::io(&folder))?.path().join("journal.jsonl");
        if path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Runs of earlier sweeps in the folder, by what they are.
#[derive(Default)]
struct Known {
    hashed: HashMap<String, (usize, journal::Span)>,
    journals: Vec<PathBuf>,
    columns: Vec<Vec<Vec<Column>>>,
    runs: usize,
}

impl Known {
    fn read(out: &Path) -> Result<Self, SweepError> {
        let mut known = Self { journals: journals(out)?, ..Self::default() };
        for (j, path) in known.journals.iter().enumerate() {
            // Of a run that is there more than once the last one counts.
            let (columns, _) = journal::read(path, &mut |record, span| {
                known.runs += 1;
                known.hashed.insert(record.hash, (j, span));
            })?;
            known.columns.push(columns);
        }
        Ok(known)
    }
}

/// Files by path, with the SHA-256 that they have now; none if they cannot be read.
#[derive(Default)]
struct Files(Mutex<HashMap<PathBuf, Option<String>>>);

impl Files {
    /// Whether all these files are as they were.
    fn unchanged(&self, inputs: &[(PathBuf, String)]) -> bool {
        inputs.iter().all(|(path, sha256)| {
            let known = lock(&self.0).get(path).cloned();
            let now = known.unwrap_or_else(|| {
                let now = sha256_of(path);
                lock(&self.0).insert(path.clone(), now.clone());
                now
            });
            now.as_ref() == Some(sha256)
        })
    }
}

fn sha256_of(path: &Path) -> Option<String> {
    let mut file = fs::File::open(path).ok()?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).ok()? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    Some(hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

/// What a sweep may find in its folder before it has parts: locks, logs of job scripts, break-evens.
const BESIDE: [&str; 5] = ["lock", "tables.lock", "logs", "solve", "solve.csv"];

/// Opens the results folder for a sweep: it is empty, or holds a sweep; another result is left alone.
///
/// # Errors
/// It holds something else, or cannot be made.
pub fn open(out: &Path) -> Result<(), SweepError> {
    let taken = || SweepError::Taken { folder: out.to_owned() };
    if out.exists() && !out.is_dir() {
        return Err(taken());
    }
    if out.exists() && !parts(out).is_dir() {
        let other = |name: &std::ffi::OsStr| BESIDE.iter().all(|beside| name != *beside);
        if fs::read_dir(out).map_err(SweepError::io(out))?.any(|entry| entry.is_ok_and(|e| other(&e.file_name()))) {
            return Err(taken());
        }
    }
    fs::create_dir_all(parts(out)).map_err(SweepError::io(out))
}

/// Runs all that is wanted of a sweep, or a part of it, into the folder's journals. The caller holds the folder's lock.
///
/// # Errors
/// [`SweepError`]; the runs that were finished are in the journal.
pub fn run(plan: &Plan, options: &Options, meter: &Meter) -> Result<Ran, SweepError> {
    let began = Instant::now();
    let mine = parts(&options.out).join(options.shard.folder());
    fs::create_dir_all(&mine).map_err(SweepError::io(&mine))?;
    let _alone = Lock::take(&mine, "lock", Hold::Alone)?;
    if options.earlier == Earlier::Overwrite {
        throw_away(&options.out, options.shard)?;
    }
    let earlier = Known::read(&options.out)?;
    if options.earlier == Earlier::Refuse {
        let own = mine.join("journal.jsonl");
        // Another part's runs are no obstacle: every part is started for itself.
        let runs = if options.shard == Shard::WHOLE { earlier.runs } else { count(&own)? };
        if runs > 0 {
            return Err(SweepError::HasRuns { folder: options.out.clone(), runs });
        }
    }
    write_plan(plan, &mine.join("plan.json"))?;
    let journal = Journal::open(&mine.join("journal.jsonl"), &mut |_| {})?;
    let stop = &plan.described.stop;
    let queue = Queue::new(stop, plan.points.len(), options.shard);
    meter.wanted.store(queue.least(), Ordering::Relaxed);
    let work = Work {
        plan,
        options,
        meter,
        queue: &queue,
        earlier,
        files: Files::default(),
        journal: Mutex::new(journal),
        failed: Mutex::new(None),
        run_time_s: Mutex::new(0.0),
    };
    std::thread::scope(|scope| {
        for _ in 1..options.jobs {
            scope.spawn(|| work.go());
        }
        work.go();
    });
    if let Some(error) = lock(&work.failed).take() {
        return Err(error);
    }
    lock(&work.journal).sync()?;
    let read = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    Ok(Ran {
        done: read(&meter.done),
        reused: read(&meter.reused),
        failed: read(&meter.failed),
        calls: meter.calls.load(Ordering::Relaxed),
        run_time_s: *lock(&work.run_time_s),
        wall_time_s: began.elapsed().as_secs_f64(),
    })
}

fn count(path: &Path) -> Result<usize, SweepError> {
    let mut runs = 0;
    if path.exists() {
        journal::read(path, &mut |_, _| runs += 1)?;
    }
    Ok(runs)
}

/// Throws away the runs of a part, or of all parts with the tables that were made of them: first what calls itself a result, last the runs. The
/// caller holds the locks; they stay.
fn throw_away(out: &Path, shard: Shard) -> Result<(), SweepError> {
    let gone = |path: PathBuf| {
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match removed {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(SweepError::io(&path)(e)),
            _ => Ok(()),
        }
    };
    let mine = shard.folder();
    if shard == Shard::WHOLE {
        for table in TABLES {
            gone(out.join(table))?;
        }
        gone(out.join("runs"))?;
        let folder = parts(out);
        for entry in fs::read_dir(&folder).map_err(SweepError::io(&folder))? {
            let entry = entry.map_err(SweepError::io(&folder))?;
            if entry.file_name() != *mine {
                gone(entry.path())?;
            }
        }
    }
    gone(parts(out).join(mine).join("journal.jsonl"))
}

fn write_plan(plan: &Plan, path: &Path) -> Result<(), SweepError> {
    let write = write_file(path, |f| {
        serde_json::to_writer_pretty(&mut *f, &plan.described)?;
        f.write_all(b"\n")
    });
    Ok(write?)
}

/// What the threads share.
struct Work<'a> {
    plan: &'a Plan,
    options: &'a Options,
    meter: &'a Meter,
    queue: &'a Queue<'a>,
    earlier: Known,
    files: Files,
    journal: Mutex<Journal>,
    failed: Mutex<Option<SweepError>>,
    run_time_s: Mutex<f64>,
}

impl Work<'_> {
    /// Takes runs until none is left, or something concerns all.
    fn go(&self) {
        while let Some(task) = self.queue.take() {
            self.meter.running.fetch_add(1, Ordering::Relaxed);
            let outcome = self.one(task);
            self.meter.running.fetch_sub(1, Ordering::Relaxed);
            match outcome {
                Ok(values) => {
                    self.meter.done.fetch_add(1, Ordering::Relaxed);
                    let more = self.queue.done(task, values);
                    self.meter.wanted.fetch_add(more, Ordering::Relaxed);
                }
                Err(error) => {
                    lock(&self.failed).get_or_insert(error);
                    self.queue.done(task, None);
                    self.queue.stop();
                }
            }
        }
    }

    /// One run: taken over, or run and written down. Gives the figures of the rules.
    fn one(&self, task: Task) -> Result<Option<Vec<f64>>, SweepError> {
        let described = &self.plan.described;
        let loaded = self.plan.scenario(task);
        let hash = match &loaded {
            Ok(loaded) => self.plan.hash(loaded),
            Err(_) => self.plan.hash_of_number(task),
        };
        if let Some(&(j, span)) = self.earlier.hashed.get(&hash) {
            let mut record = journal::Reader::open(&self.earlier.journals[j])?.record(span)?;
            let here =
                record.plan == described.plan && (record.point, record.replication) == (task.point, task.replication);
            let wanted = !(record.error.is_some() && self.options.retry_failed);
            if wanted && self.files.unchanged(&record.inputs) && self.kept(task, here, record.error.is_some()) {
                let values = rule_values(described, &record, &self.earlier.columns[j]);
                self.meter.reused.fetch_add(1, Ordering::Relaxed);
                self.meter.failed.fetch_add(usize::from(record.error.is_some()), Ordering::Relaxed);
                if !here {
                    let columns = record.columns.map_or(&[][..], |c| &self.earlier.columns[j][c]);
                    record.plan.clone_from(&described.plan);
                    (record.point, record.replication) = (task.point, task.replication);
                    lock(&self.journal).append(record, columns)?;
                }
                return Ok(values);
            }
        }
        let began = Instant::now();
        let outcome = match &loaded {
            Ok(loaded) => self.measure(task, loaded)?,
            Err(error) => Err(brief(error)),
        };
        let wall_s = began.elapsed().as_secs_f64();
        *lock(&self.run_time_s) += wall_s;
        let mut record = Record {
            plan: self.plan.described.plan.clone(),
            point: task.point,
            replication: task.replication,
            seed: self.plan.seed(task.replication),
            hash,
            columns: None,
            values: Vec::new(),
            error: None,
            inputs: Vec::new(),
            calls: 0,
            wall_s,
        };
        match outcome {
            Ok(measured) => {
                let (columns, values) = journal::figures(&measured.summary);
                record.values = values;
                record.inputs = journal::inputs(&measured.inputs);
                record.calls =
                    crate::report::number(&measured.summary, "calls.received").map_or(0, |received| received as u64);
                let rules = &self.plan.described.stop.until;
                let figure = |key: &str| crate::report::number(&measured.summary, key).unwrap_or(f64::NAN);
                let values = rules.iter().map(|until| figure(&until.key)).collect();
                lock(&self.journal).append(record, &columns)?;
                Ok(Some(values))
            }
            Err(error) => {
                self.meter.failed.fetch_add(1, Ordering::Relaxed);
                record.error = Some(error.trim_end().to_owned());
                lock(&self.journal).append(record, &[])?;
                Ok(None)
            }
        }
    }

    /// Whether the folder of a run that is taken over is there, if one is wanted: at its number, not at that of another plan.
    fn kept(&self, task: Task, here: bool, failed: bool) -> bool {
        self.plan.described.spec.keep == KeepRuns::None
            || here && (failed || self.place(task).join("manifest.json").is_file())
    }

    /// Where the folder of a run goes.
    fn place(&self, task: Task) -> PathBuf {
        self.options.out.join("runs").join(task.point.to_string()).join(task.replication.to_string())
    }

    /// Runs a scenario; only what concerns all runs is an error of this function.
    fn measure(&self, task: Task, loaded: &crate::scenario::Loaded) -> Result<Result<Measured, String>, SweepError> {
        let keep = self.plan.described.spec.keep;
        let place = self.place(task);
        let folder = match keep {
            KeepRuns::None => None,
            KeepRuns::Summary | KeepRuns::All => Some(Folder::create(&place)?),
        };
        let mut counted = 0;
        let mut progress = |p: sim::Progress| {
            self.meter.calls.fetch_add(p.calls.saturating_sub(counted), Ordering::Relaxed);
            counted = counted.max(p.calls);
        };
        let whole = folder.as_ref().filter(|_| keep == KeepRuns::All);
        // A fault of the program in one run must not cost the others.
        let measured = catch_unwind(AssertUnwindSafe(|| measure(loaded, 1, whole, &mut progress)));
        let outcome = match measured {
            Err(panic) => return Ok(Err(format!("the run panicked, a fault of sim: {}", said(panic.as_ref())))),
            Ok(outcome) => outcome,
        };
        let outcome = match outcome {
            Ok(measured) => measured,
            Err(RunError::Report(error)) => return Err(error.into()),
            Err(RunError::Scenario(error)) => return Ok(Err(brief(&error))),
            Err(RunError::Sim(error)) => return Ok(Err(error.to_string())),
        };
        let received = crate::report::number(&outcome.summary, "calls.received").unwrap_or(0.0) as u64;
        self.meter.calls.fetch_add(received.saturating_sub(counted), Ordering::Relaxed);
        if let Some(folder) = folder {
            if keep == KeepRuns::Summary {
                write_summary(&outcome.summary, &folder)?;
                self.manifest(task, loaded, &folder)?;
            }
            folder.publish()?;
        }
        Ok(Ok(outcome))
    }

    /// What a folder with a summary alone says of its run.
    fn manifest(&self, task: Task, loaded: &crate::scenario::Loaded, folder: &Folder) -> Result<(), ReportError> {
        let described = &self.plan.described;
        let manifest = serde_json::json!({
            "program": described.program,
            "version": described.version,
            "git_commit": described.git_commit,
            "sweep": described.name,
            "point": task.point,
            "replication": task.replication,
            "scenario_file": loaded.path,
            "scenario_sha256": loaded.sha256,
            "set": loaded.set,
            "seed": loaded.scenario.seed,
            "scenario": loaded.scenario.filled_in(),
        });
        folder.write("manifest.json", |f| {
            serde_json::to_writer_pretty(&mut *f, &manifest)?;
            f.write_all(b"\n")
        })
    }
}

/// What a panic says.
fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

fn brief(error: &ScenarioError) -> String {
    match error {
        ScenarioError::Problems(report) => report.brief(),
        other => other.to_string(),
    }
}
