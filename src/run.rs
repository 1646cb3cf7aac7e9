//! One run, top to bottom: read, build, simulate, account, report.

use std::path::PathBuf;
use std::time::Instant;

use crate::cluster::Host;
use crate::ledger::PeriodAccount;
use crate::report::{
    self, AccountLogWriter, CallLogWriter, Compared, Effort, Entry, Finished, Folder, Input, InstanceLogWriter,
    JobLogWriter, Manifest, ReportError, Shifted, against_run_now, doubts, summarize, write_ledger, write_meter,
    write_summary, write_tables, write_watch,
};
use crate::scenario::{self, Built, KeyProblem, Loaded, ScenarioError};
use crate::sci::attribution::{Periods, Rows, attribute};
use crate::sci::{self, FunctionalUnit};
use crate::sim::{self, Progress, SimError};
use crate::types::Duration;
use crate::workload::NoCalls;

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
    /// Published figures beside the run's own, where the scenario has any.
    pub published: Vec<Compared>,
    /// What the scenario says in vain.
    pub warnings: Vec<String>,
    /// Where the results are.
    pub folder: PathBuf,
    /// What the run cost.
    pub effort: Effort,
}

impl Report {
    /// A number of the summary; `None` if there is no such key, or it is undefined.
    pub fn number(&self, key: &str) -> Option<f64> {
        report::number(&self.summary, key)
    }
}

/// What a run measured.
pub struct Measured {
    /// All figures.
    pub summary: Vec<Entry>,
    /// Published figures beside the run's own, where the scenario has any.
    pub published: Vec<Compared>,
    /// What the scenario says in vain.
    pub warnings: Vec<String>,
    /// What the run cost.
    pub effort: Effort,
    /// The files that were read.
    pub inputs: Vec<Input>,
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
    check_published(loaded)?;
    let place = options.out.clone().unwrap_or_else(|| PathBuf::from("results").join(loaded.name()));
    let folder = Folder::create(&place)?;
    let mut loaded = loaded.clone();
    loaded.scenario.output.against_run_now.get_or_insert(true);
    let Measured { summary, published, warnings, effort, .. } =
        measure(&loaded, options.threads, Some(&folder), progress)?;
    let folder = folder.publish()?;
    Ok(Report { summary, published, warnings, folder, effort })
}

/// Finds figures of `[[published]]` that a run of this scenario does not have, before it runs.
///
/// # Errors
/// The scenario is wrong, or there is no such figure.
pub fn check_published(loaded: &Loaded) -> Result<(), ScenarioError> {
    if loaded.scenario.published.is_empty() {
        return Ok(());
    }
    let mut loaded = loaded.clone();
    loaded.scenario.output.against_run_now.get_or_insert(true);
    let known = match figures(&loaded) {
        Ok(known) => known,
        Err(RunError::Scenario(error)) => return Err(error),
        // Without a call the simulation has nothing to stop at: the report will tell.
        Err(RunError::Sim(_) | RunError::Report(_)) => return Ok(()),
    };
    let unknown = report::unknown_figures(&loaded.scenario.published, &known);
    let problem = |(i, message, help)| KeyProblem::new(format!("published[{i}].figure"), message, help);
    let problems: Vec<KeyProblem> = unknown.into_iter().map(problem).collect();
    if problems.is_empty() { Ok(()) } else { Err(loaded.wrong(problems)) }
}

/// Runs a scenario and writes its results into a folder that the caller publishes, or, without one, nothing. Where the scenario asks for
/// it and shifts anything, the same traffic runs at once, too: on a second thread if there are two.
///
/// # Errors
/// [`RunError`]; files may have been written into the folder.
pub fn measure(
    loaded: &Loaded,
    threads: usize,
    folder: Option<&Folder>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Measured, RunError> {
    if !compares(loaded) {
        return measure_one(loaded, threads, folder, progress, &mut |_, _| Ok(Vec::new()));
    }
    let mut at_once = loaded.clone();
    at_once.scenario.run_at_once();
    let shifted = || -> Result<Shifted, RunError> {
        let mut facts = None;
        measure_one(&at_once, 1, None, &mut |_| {}, &mut |run, _| {
            facts = Some(Shifted::of(run).with_bound(run));
            Ok(Vec::new())
        })?;
        Ok(facts.expect("a run that ends well has been looked at"))
    };
    std::thread::scope(|scope| {
        let mut beside = (threads >= 2).then(|| scope.spawn(shifted));
        measure_one(loaded, threads, folder, progress, &mut |run, summary| {
            let base = match beside.take() {
                Some(thread) => thread.join().expect("a run does not panic")?,
                None => shifted()?,
            };
            let shifted = Shifted::of(run);
            insert(summary, against_run_now(&shifted, &base));
            Ok(doubts(&shifted, &base))
        })
    })
}

/// Whether a run is compared with the same traffic that runs at once.
fn compares(loaded: &Loaded) -> bool {
    loaded.scenario.output.against_run_now == Some(true) && loaded.scenario.shifts()
}

/// What else is made of a finished run: further figures, and warnings.
type Look<'a> = &'a mut dyn FnMut(&Finished<'_>, &mut Vec<Entry>) -> Result<Vec<String>, RunError>;

fn measure_one(
    loaded: &Loaded,
    threads: usize,
    folder: Option<&Folder>,
    progress: &mut dyn FnMut(Progress),
    look: Look<'_>,
) -> Result<Measured, RunError> {
    let began = Instant::now();
    let Built { setup, arrivals, mut groups, signals, forecasts, regions, servers, beside } =
        scenario::build_loaded(loaded, threads >= 2)?;

    let mut log = match folder.filter(|_| loaded.scenario.output.invocations) {
        Some(folder) => Some(CallLogWriter::create(&folder.path("invocations.parquet"))?),
        None => None,
    };
    let attribution = &loaded.scenario.sci.attribution;
    let mut accounts = match (setup.account_step, folder) {
        (Some(_), Some(folder)) => Some(AccountLogWriter::create(&folder.path("accounts.parquet"))?),
        (Some(_), None) if attribution.needs_periods() => Some(AccountLogWriter::temporary()?),
        _ => None,
    };
    let mut instance_log = match folder.filter(|_| loaded.scenario.output.instances) {
        Some(folder) => Some(InstanceLogWriter::create(&folder.path("instances.csv"))?),
        None => None,
    };
    let mut job_log = match folder.filter(|_| loaded.scenario.output.jobs) {
        Some(folder) => Some(JobLogWriter::create(&folder.path("jobs.csv"))?),
        None => None,
    };
    let account_step = setup.account_step;
    let simulating = Instant::now();
    let (mut outcome, mut arrivals) = {
        let mut record = log.as_mut().map(|log| |call: &sim::Finished| log.record(call));
        let mut book = accounts.as_mut().map(|log| |row: &PeriodAccount| log.record(row));
        let mut tell = instance_log.as_mut().map(|log| |end: &sim::InstanceEnd<'_>| log.record(end));
        let mut note = job_log.as_mut().map(|log| |end: &sim::JobEnd<'_>| log.record(end));
        let logs = sim::Logs {
            calls: record.as_mut().map(|r| r as &mut dyn FnMut(&sim::Finished) -> Result<(), String>),
            instances: tell.as_mut().map(|t| t as &mut dyn FnMut(&sim::InstanceEnd<'_>) -> Result<(), String>),
            jobs: note.as_mut().map(|t| t as &mut dyn FnMut(&sim::JobEnd<'_>) -> Result<(), String>),
            accounts: book.as_mut().map(|r| r as &mut dyn FnMut(&PeriodAccount) -> Result<(), String>),
        };
        sim::simulate(setup, arrivals, logs, progress)?
    };
    let simulation_time_s = simulating.elapsed().as_secs_f64();
    if let Some(log) = log {
        log.finish()?;
    }
    if let Some(log) = instance_log {
        log.finish()?;
    }
    if let Some(log) = job_log {
        log.finish()?;
    }
    let accounts = accounts.map(AccountLogWriter::finish).transpose()?;
    arrivals.finish();

    beside.add_overhead(&mut outcome.site, outcome.end);
    count_powered(&mut groups, &outcome.hosts);
    let intensity = sci::intensities(&outcome.site, &signals.score, outcome.end);
    let groups = beside.charged(groups, &outcome.site, &intensity);
    let scored = sci::score(&outcome.site, &outcome.accounts, &groups, &intensity, outcome.end);
    let no_rows: Vec<PeriodAccount> = Vec::new();
    let periods = Periods {
        step: account_step.unwrap_or(Duration::FOREVER),
        end: outcome.end,
        rows: accounts.as_ref().map_or(&no_rows as &dyn Rows, |log| log),
    };
    let scored = attribute(attribution, scored, &outcome.accounts, &groups, periods).map_err(ReportError::from)?;
    let finished = Finished {
        scenario: &loaded.scenario,
        outcome: &outcome,
        scored: &scored,
        groups: &groups,
        servers: &servers,
        regions: &regions,
        signals: &signals,
        intensity: &intensity,
        beside: &beside.books(&outcome.site, outcome.end, &groups),
    };
    let mut summary = summarize(&finished);
    let doubtful = look(&finished, &mut summary)?;
    let published = report::compare_published(&loaded.scenario.published, &summary);
    if let Some(folder) = folder {
        write_tables(&finished, folder)?;
        write_ledger(&finished, &loaded.name(), folder)?;
        write_meter(&finished, folder)?;
        write_watch(&finished, folder)?;
        write_summary(&summary, folder)?;
        report::write_published(&published, folder)?;
    }
    let received: u64 = outcome.functions.iter().map(|f| f.received).sum();
    let effort = Effort {
        wall_time_s: began.elapsed().as_secs_f64(),
        simulation_time_s,
        calls_per_s: received as f64 / simulation_time_s,
        events_per_s: outcome.events as f64 / simulation_time_s,
        events: outcome.events,
        most_calls_in_flight: outcome.most_in_flight,
        peak_memory_mb: crate::report::peak_memory_mb(),
        threads,
    };
    let source = outcome.instance_source.as_ref();
    let read = arrivals.inputs().into_iter().chain(source.map_or(Vec::new(), |s| s.inputs()));
    let list = outcome.job_list.as_ref();
    let read = read.chain(list.map_or(Vec::new(), |l| l.inputs.clone())).chain(beside.inputs.clone());
    let read = read.chain(signals.files.iter().cloned()).chain(forecasts.inputs).chain(loaded.extended.iter().cloned());
    let inputs: Vec<Input> = read.map(|(path, sha256)| Input { path, sha256 }).collect();
    let names: Vec<&str> = outcome.profiles.iter().map(|p| &*p.name).collect();
    let unknown = loaded.scenario.sci.functional_unit.unknown(&names);
    let counts_no_instances =
        matches!(loaded.scenario.sci.functional_unit, FunctionalUnit::Call | FunctionalUnit::Request);
    let nothing_counted = (received == 0 && outcome.instances.asked + outcome.jobs.arrived > 0 && counts_no_instances).then(|| {
        "sci.functional_unit counts calls, and there are none: for instances and jobs choose instance-hour, instance, cpu-hour or gb-hour"
            .to_owned()
    });
    let warnings: Vec<String> = unknown
        .into_iter()
        .map(|name| {
            format!("no function is called \"{name}\", which sci.functional_unit.user-defined.by_function counts")
        })
        .chain(nothing_counted)
        .chain(report::unknown_figures(&loaded.scenario.published, &summary).into_iter().map(no_figure))
        .chain(doubtful)
        .collect();
    let Some(folder) = folder else { return Ok(Measured { summary, published, warnings, effort, inputs }) };
    let filled_in = loaded.scenario.filled_in();
    let manifest = Manifest {
        program: "slackwater sim",
        version: env!("CARGO_PKG_VERSION"),
        git_commit: Manifest::commit(),
        scenario_file: loaded.path.clone(),
        scenario_sha256: loaded.sha256.clone(),
        set: &loaded.set,
        seed: loaded.scenario.seed,
        scenario: &filled_in,
        embodied: filled_in.embodied_parts(),
        inputs: inputs.clone(),
        isolation: loaded.scenario.isolation.build().expect("the same table was built before the run"),
        workload_notes: arrivals
            .notes()
            .into_iter()
            .chain(source.map_or(Vec::new(), |s| s.notes()))
            .chain(list.into_iter().flat_map(|l| l.notes.iter().map(|note| ("jobs".to_owned(), note.clone()))))
            .collect(),
        signals: signals.score.iter().map(|s| s.info().clone()).collect(),
        decision_signals: signals.decide.iter().map(|s| s.info().clone()).collect(),
        forecast_notes: forecasts.notes,
        boundary: sci::boundary(loaded.scenario.network.is_some()),
        effort: effort.clone(),
    };
    folder.write("manifest.json", |f| {
        serde_json::to_writer_pretty(&mut *f, &manifest)?;
        f.write_all(b"\n")
    })?;
    Ok(Measured { summary, published, warnings, effort, inputs })
}

fn no_figure((_, message, help): (usize, String, String)) -> String {
    format!("published: {message}\n  help: {}", help.replace('\n', " "))
}

/// Puts figures into a summary, before those of the meter, which changes nothing that comes before it.
fn insert(summary: &mut Vec<Entry>, figures: Vec<Entry>) {
    let at = summary.iter().position(|e| e.key.starts_with("meter.")).unwrap_or(summary.len());
    summary.splice(at..at, figures);
}

/// Every figure that a run of this scenario would have, with unit and meaning: the summary of a run without a call.
///
/// # Errors
/// The scenario is wrong.
pub fn figures(loaded: &Loaded) -> Result<Vec<Entry>, RunError> {
    let Built { mut setup, mut groups, signals, regions, servers, beside, .. } = scenario::build_loaded(loaded, false)?;
    (setup.duration, setup.drain_limit, setup.fixed_end) = (Some(Duration(1)), Duration::ZERO, false);
    let (mut outcome, _) = sim::simulate(setup, Box::new(NoCalls), sim::Logs::default(), &mut |_| {})?;
    beside.add_overhead(&mut outcome.site, outcome.end);
    count_powered(&mut groups, &outcome.hosts);
    let intensity = sci::intensities(&outcome.site, &signals.score, outcome.end);
    let groups = beside.charged(groups, &outcome.site, &intensity);
    let scored = sci::score(&outcome.site, &outcome.accounts, &groups, &intensity, outcome.end);
    let finished = Finished {
        scenario: &loaded.scenario,
        outcome: &outcome,
        scored: &scored,
        groups: &groups,
        servers: &servers,
        regions: &regions,
        signals: &signals,
        intensity: &intensity,
        beside: &beside.books(&outcome.site, outcome.end, &groups),
    };
    let mut summary = summarize(&finished);
    if loaded.scenario.shows_curve() {
        insert(&mut summary, report::trigger_figures());
    }
    if compares(loaded) {
        let shifted = Shifted::of(&finished);
        insert(&mut summary, against_run_now(&shifted, &shifted));
    }
    Ok(summary)
}

/// Tells accounting how long the hosts of each group were powered on.
pub fn count_powered(groups: &mut [sci::GroupFacts], hosts: &[Host]) {
    groups.iter_mut().for_each(|g| g.powered_s = 0.0);
    for host in hosts {
        groups[host.group.index()].powered_s += host.powered_s();
    }
}
