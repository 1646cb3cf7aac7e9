//! The figures of batch jobs, and `jobs.csv`: one row per job whose story is over.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use super::summary::{List, share};
use super::{Column, Finished, ReportError};
use crate::sim::JobEnd;

/// Columns of `jobs.csv`.
pub const JOBS: &[Column] = &[
    ("job", "text", "its name in the trace"),
    ("account", "1", "row of functions.csv, from 0"),
    ("region", "1", "number of its region, from 0"),
    ("class", "text", "its queue class"),
    ("arrival_s", "s", "when the scheduler learned of it"),
    ("wanted_s", "s", "when it would start without shifting"),
    ("started_s", "s", "when it first started; empty if it never did"),
    ("ended_s", "s", "when it was done, or the run was over"),
    ("deadline_s", "s", "wanted_s, slack and length together"),
    ("ending", "text", "finished, or what it did when the run ended: running, waiting"),
    ("length_s", "s", "how long it runs on its base nodes, alone and without a break"),
    ("estimate_s", "s", "what was believed of its length; empty if nothing was"),
    ("cores", "cores", "CPU of all its base nodes"),
    ("starts", "1", "times it was started or resumed"),
    ("evictions", "1", "times it was evicted"),
    ("most_nodes", "1", "most nodes that it had at a time"),
    ("queued_s", "s", "time it waited for room or for admission, against its plan"),
    ("ran_s", "s", "time it used its nodes, restarts and checkpoints included"),
    ("core_s", "core·s", "core time of its nodes, restarts and checkpoints included"),
    ("dynamic_j", "J", "dynamic energy of its nodes, overhead not included"),
];

/// Writes jobs whose story is over.
pub struct JobLogWriter {
    path: PathBuf,
    table: csv::Writer<BufWriter<File>>,
}

impl JobLogWriter {
    /// Creates the file.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(path: &Path) -> Result<Self, ReportError> {
        let failed = |source| ReportError::Io { path: path.to_owned(), source };
        let file = File::create(path).map_err(failed)?;
        let mut table = csv::Writer::from_writer(BufWriter::with_capacity(1 << 16, file));
        table.write_record(JOBS.iter().map(|c| c.0)).map_err(|e| failed(e.into()))?;
        Ok(Self { path: path.to_owned(), table })
    }

    /// Adds one job.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn record(&mut self, end: &JobEnd<'_>) -> Result<(), String> {
        let [starts, evictions, most_nodes] = end.counts;
        self.table
            .write_record([
                end.name,
                &end.account.0.to_string(),
                &end.region.0.to_string(),
                end.class,
                &end.arrival.as_secs_f64().to_string(),
                &end.wanted.as_secs_f64().to_string(),
                &end.started.map_or(String::new(), |at| at.as_secs_f64().to_string()),
                &end.ended.as_secs_f64().to_string(),
                &end.deadline.as_secs_f64().to_string(),
                end.ending.name(),
                &end.length_s.to_string(),
                &end.estimate_s.map_or(String::new(), |s| s.to_string()),
                &end.cores.to_string(),
                &starts.to_string(),
                &evictions.to_string(),
                &most_nodes.to_string(),
                &end.queued_s.to_string(),
                &end.ran_s.to_string(),
                &end.core_s.to_string(),
                &end.dynamic_j.to_string(),
            ])
            .map_err(|e| format!("{}: {e}", self.path.display()))
    }

    /// Writes the rest and closes the file.
    ///
    /// # Errors
    /// The file cannot be written whole.
    pub fn finish(mut self) -> Result<(), ReportError> {
        self.table.flush().map_err(|source| ReportError::Io { path: self.path.clone(), source })
    }
}

/// The figures of jobs.
pub(super) fn figures(list: &mut List, run: &Finished<'_>) {
    let t = &run.outcome.jobs;
    let secs = |ns: f64| ns * 1e-9;
    list.count("jobs.arrived", t.arrived, "jobs that arrived");
    list.count("jobs.finished", t.finished, "jobs that are done");
    list.count("jobs.unfinished", t.unfinished, "jobs that were not when the run ended");
    list.count("jobs.missed_deadline", t.missed, "jobs that ended after their slack was used up, or had not by then");
    list.count("jobs.starts", t.starts, "starts and resumptions");
    list.count("jobs.suspensions", t.suspensions, "planned suspensions");
    list.count("jobs.evicted", t.evicted, "evictions because memory in use did not fit the host");
    let mean = share(secs(t.delay_sum_ns as f64), t.finished as f64);
    let meaning = "end later than without shifting, mean over finished jobs; what ended earlier counts negative";
    list.number("jobs.delay_mean_s", mean, "s", meaning);
    let meaning = "end later than without shifting, over finished jobs; what ended earlier counts as 0";
    for (name, p) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)] {
        let ns = if p == 1.0 { (t.finished > 0).then(|| t.delays.max()) } else { t.delays.quantile(p) };
        list.number(&format!("jobs.delay_{name}_s"), ns.map_or(f64::NAN, |ns| secs(ns as f64)), "s", meaning);
    }
    let mean = share(secs(t.start_wait_sum_ns as f64), t.started as f64);
    let meaning =
        "first start later than without shifting, mean over started jobs; what started earlier counts negative";
    list.number("jobs.start_wait_mean_s", mean, "s", meaning);
    list.count(
        "jobs.queued",
        t.queued,
        "jobs that found no room, or no leave of admission, when their plan said that they run",
    );
    let mean = share(secs(t.queued_ns as f64), t.arrived as f64);
    list.number("jobs.queued_mean_s", mean, "s", "time that jobs waited so, mean over all jobs");
    list.number("jobs.queued_max_s", secs(t.queued_max_ns as f64), "s", "longest such time of a job");
    let meaning = "most nodes that a job had at a time, mean over finished jobs";
    list.number("jobs.most_nodes_mean", share(t.most_nodes as f64, t.finished as f64), "1", meaning);
    list.number("jobs.peak_cores", t.most_cpu as f64 * 1e-6, "cores", "most CPU that jobs computed on together");
    list.count("jobs.peak_jobs", t.most_running, "most jobs that computed together");
    let hours = |core_s: f64| core_s / 3600.0;
    list.number(
        "jobs.core_h",
        hours(t.core_s),
        "core·h",
        "core time on which jobs computed, restarts and checkpoints included",
    );
    list.number(
        "jobs.work_core_h",
        hours(t.work_core_s),
        "core·h",
        "what the finished jobs take on their base nodes without a break",
    );
    list.number("jobs.overhead_core_h", hours(t.overhead_core_s), "core·h", "core time of restarts and checkpoints");
    list.number("jobs.lost_core_h", hours(t.lost_core_s), "core·h", "core time that evictions undid");
    let Some(purchase) = &run.scenario.model.jobs.purchase else { return };
    let [reserved, on_demand, spot] = t.bought_core_s.map(hours);
    let paid = purchase.reserved_cores * t.last_start_s / 3600.0;
    list.number("jobs.reserved_core_h", reserved, "core·h", "core time of jobs on reserved cores");
    list.number("jobs.on_demand_core_h", on_demand, "core·h", "core time of jobs on demand");
    list.number("jobs.spot_core_h", spot, "core·h", "core time of jobs on spot");
    let cost = paid * purchase.reserved_per_core_h
        + on_demand * purchase.on_demand_per_core_h
        + spot * purchase.spot_per_core_h;
    let meaning = "reserved cores up to the last start, used or not, and core time on demand and on spot";
    list.number("jobs.cost", cost, "currency", meaning);
}
