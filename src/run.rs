//! One run, top to bottom: read, build, simulate, account, report.

use std::path::PathBuf;
use std::time::Instant;

use crate::report::{
    CallLogWriter, Effort, Entry, Finished, Folder, Manifest, ReportError, Value, summarize, write_tables,
};
use crate::scenario::{self, Built, Loaded, ScenarioError};
use crate::sci;
use crate::sim::{self, Progress, SimError};
use crate::types::SimTime;

/// How to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the results go; `None` is `results/NAME`.
    pub out: Option<PathBuf>,
    /// Threads to use; with two or more, the workload is read or generated in a thread of its own.
    pub threads: usize,
}

/// What a run hands back.
pub struct Report {
    /// All figures.
    pub summary: Vec<Entry>,
    /// Where the results are.
    pub folder: PathBuf,
    /// What the run cost.
    pub effort: Effort,
}

impl Report {
    /// A number of the summary; `None` if there is no such key, or it is undefined.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.summary.iter().find(|e| e.key == key).and_then(|e| match &e.value {
            Value::Count(n) => Some(*n as f64),
            Value::Number(x) => x.is_finite().then_some(*x),
            Value::Text(_) => None,
        })
    }
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The scenario is wrong.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The simulation stopped.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// The results cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
}

/// Runs a scenario and writes its results.
///
/// # Errors
/// [`RunError`]; then nothing is left behind, and an earlier result is untouched.
pub fn run(loaded: &Loaded, options: &Options, progress: &mut dyn FnMut(Progress)) -> Result<Report, RunError> {
    let began = Instant::now();
    let place = options.out.clone().unwrap_or_else(|| PathBuf::from("results").join(loaded.name()));
    let folder = Folder::create(&place)?;
    let Built { setup, arrivals, groups, signals, regions, servers } =
        scenario::build_loaded(loaded, options.threads >= 2)?;

    let mut log = match loaded.scenario.output.invocations {
        true => Some(CallLogWriter::create(&folder.path("invocations.parquet"))?),
        false => None,
    };
    let simulating = Instant::now();
    let (outcome, mut arrivals) = {
        let mut record = log.as_mut().map(|log| |call: &sim::Finished| log.record(call));
        let sink = record.as_mut().map(|r| r as &mut dyn FnMut(&sim::Finished) -> Result<(), String>);
        sim::simulate(setup, arrivals, sink, progress)?
    };
    let simulation_time_s = simulating.elapsed().as_secs_f64();
    if let Some(log) = log {
        log.finish()?;
    }
    arrivals.finish();

    let scored = sci::score(&outcome.site, &outcome.accounts, &groups, &signals, outcome.end);
    let bins = bins_until(outcome.end, outcome.site.step().0);
    let intensity: Vec<Vec<f64>> = signals
        .iter()
        .map(|s| (0..bins).map(|bin| sci::bin_intensity(&outcome.site, s, bin, outcome.end)).collect())
        .collect();
    let finished = Finished {
        scenario: &loaded.scenario,
        outcome: &outcome,
        scored: &scored,
        groups: &groups,
        servers: &servers,
        regions: &regions,
        intensity: &intensity,
    };
    let summary = summarize(&finished);
    write_tables(&finished, &folder)?;
    write_summary(&summary, &folder)?;
    let received: u64 = outcome.functions.iter().map(|f| f.received).sum();
    let effort = Effort {
        wall_time_s: began.elapsed().as_secs_f64(),
        simulation_time_s,
        calls_per_s: received as f64 / simulation_time_s,
        events_per_s: outcome.events as f64 / simulation_time_s,
        events: outcome.events,
        most_calls_in_flight: outcome.most_in_flight,
        peak_memory_mb: crate::report::peak_memory_mb(),
        threads: options.threads,
    };
    let manifest = Manifest {
        program: "slackwater sim",
        version: env!("CARGO_PKG_VERSION"),
        git_commit: Manifest::commit(),
        scenario_file: loaded.path.clone(),
        scenario_sha256: loaded.sha256.clone(),
        set: &loaded.set,
        seed: loaded.scenario.seed,
        scenario: &loaded.scenario,
        inputs: arrivals.inputs().into_iter().map(|(path, sha256)| crate::report::Input { path, sha256 }).collect(),
        isolation: loaded.scenario.isolation.build().expect("the same table was built before the run"),
        workload_notes: arrivals.notes(),
        signals: signals.iter().map(|s| s.info().clone()).collect(),
        boundary: crate::report::BOUNDARY,
        effort: effort.clone(),
    };
    folder.write("manifest.json", |f| {
        serde_json::to_writer_pretty(&mut *f, &manifest)?;
        f.write_all(b"\n")
    })?;
    let folder = folder.publish()?;
    Ok(Report { summary, folder, effort })
}

fn bins_until(end: SimTime, step: u64) -> usize {
    usize::try_from(end.0.div_ceil(step)).unwrap_or(usize::MAX).max(1)
}

fn write_summary(summary: &[Entry], folder: &Folder) -> Result<(), ReportError> {
    folder.write("summary.json", |f| {
        let mut root = serde_json::Map::new();
        for entry in summary {
            let (section, key) = entry.key.split_once('.').expect("every key of the summary has a section");
            root.entry(section)
                .or_insert_with(|| serde_json::Value::Object(serde_json::Map::new()))
                .as_object_mut()
                .expect("sections are objects")
                .insert(key.to_owned(), entry.json());
        }
        serde_json::to_writer_pretty(&mut *f, &root)?;
        f.write_all(b"\n")
    })?;
    folder.write("summary.csv", |f| {
        let mut table = csv::Writer::from_writer(f);
        table.write_record(["key", "value", "unit", "meaning"])?;
        for entry in summary {
            table.write_record([entry.key.as_str(), &entry.cell(), entry.unit, entry.meaning])?;
        }
        table.flush()
    })
}
