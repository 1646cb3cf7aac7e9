//! The figures of instances, and `instances.csv`: one row per instance whose story is over.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use super::summary::{List, share};
use super::{Column, Finished, Folder, ReportError};
use crate::scheduler::overcommit::watch::{CELL_COLUMNS, MACHINE_COLUMNS};
use crate::sim::InstanceEnd;

/// Columns of `instances.csv`.
pub const INSTANCES: &[Column] = &[
    ("instance", "text", "its name in the trace"),
    ("account", "1", "row of functions.csv, from 0"),
    ("region", "1", "number of its region, from 0"),
    ("host", "1", "its last host, row of hosts.csv; empty if it never had one"),
    ("class", "text", "latency-sensitive or batch"),
    ("priority", "1", "larger is more important"),
    ("requested_cores", "cores", "CPU it asked for"),
    ("requested_memory_mb", "MB", "memory it asked for"),
    ("asked_s", "s", "when it was asked for"),
    ("ended_s", "s", "when it was over"),
    ("ending", "text", "finished, killed, or what it did when the run ended: running, waiting"),
    ("starts", "1", "times it was placed"),
    ("evictions", "1", "times it was evicted"),
    ("migrations", "1", "times it was moved"),
    ("waited_s", "s", "time it waited for room"),
    ("ran_s", "s", "time it ran"),
    ("wanted_core_s", "core·s", "CPU it wanted while it ran"),
    ("got_core_s", "core·s", "CPU it got"),
    ("dynamic_j", "J", "dynamic energy of its execution, overhead not included"),
];

/// Writes instances whose story is over.
pub struct InstanceLogWriter {
    path: PathBuf,
    table: csv::Writer<BufWriter<File>>,
}

impl InstanceLogWriter {
    /// Creates the file.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(path: &Path) -> Result<Self, ReportError> {
        let failed = |source| ReportError::Io { path: path.to_owned(), source };
        let file = File::create(path).map_err(failed)?;
        let mut table = csv::Writer::from_writer(BufWriter::with_capacity(1 << 16, file));
        table.write_record(INSTANCES.iter().map(|c| c.0)).map_err(|e| failed(e.into()))?;
        Ok(Self { path: path.to_owned(), table })
    }

    /// Adds one instance.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn record(&mut self, end: &InstanceEnd<'_>) -> Result<(), String> {
        let [starts, evictions, migrations] = end.counts;
        self.table
            .write_record([
                end.name,
                &end.account.0.to_string(),
                &end.region.0.to_string(),
                &end.host.map_or(String::new(), |h| h.0.to_string()),
                end.class.name(),
                &end.priority.to_string(),
                &end.cores.to_string(),
                &end.memory_mb.to_string(),
                &end.asked.as_secs_f64().to_string(),
                &end.ended.as_secs_f64().to_string(),
                end.ending.name(),
                &starts.to_string(),
                &evictions.to_string(),
                &migrations.to_string(),
                &end.waited_s.to_string(),
                &end.ran_s.to_string(),
                &end.core_s[0].to_string(),
                &end.core_s[1].to_string(),
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

/// The figures of instances.
pub(super) fn figures(list: &mut List, run: &Finished<'_>, run_s: f64) {
    let (o, t) = (run.outcome, &run.outcome.instances);
    list.count("instances.asked", t.asked, "instances that were asked for");
    list.count("instances.finished", t.finished, "instances that ran to their end");
    list.count("instances.running", t.running, "instances that ran or started when the run ended");
    list.count("instances.waiting", t.waiting, "instances that waited when the run ended");
    list.count("instances.waited", t.waited, "instances that found no room at once");
    list.count("instances.placements", t.placements, "placements, those after evictions included");
    list.count("instances.most", t.most, "most instances on hosts together");
    let wait = share(t.wait_sum_ns as f64 * 1e-9, t.placements as f64);
    list.number("instances.wait_mean_s", wait, "s", "wait for room, mean over placements");
    for (name, p) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)] {
        let value = t.waits.quantile(p).map_or(f64::NAN, |ns| ns as f64 * 1e-9);
        list.number(&format!("instances.wait_{name}_s"), value, "s", "wait for room, over placements");
    }
    usage(list, run, run_s);
    multiplexing(list, run);
    list.count("instances.evicted", t.evicted, "evictions because memory in use did not fit the host");
    list.count("instances.killed", t.killed, "instances killed for it, for good");
    list.number("instances.lost_core_s", t.lost.0, "core·s", "CPU that evicted and killed instances had got in vain");
    list.number("instances.lost_j", t.lost.1, "J", "dynamic energy of that");
    let energy_j: f64 = o.hosts.iter().map(|h| h.energy_j).sum();
    let operational_g = run.scored.operational_g();
    let lost_g = share(t.lost.1, energy_j) * operational_g;
    let meaning =
        "operational emissions of that, overhead included, at the run's mean emissions per joule of its hosts";
    list.number("instances.lost_g", lost_g, "gCO2e", meaning);
    list.count("migrations.done", t.migrations, "live migrations");
    list.count("migrations.broken_off", t.migrations_broken, "migrations whose instance ended or had to go meanwhile");
    list.number("migrations.network_gb", t.migrated_bytes * 1e-9, "GB", "what they sent from host to host");
    list.number("migrations.time_s", t.migration_s, "s", "from their beginning to their end, sum");
    list.number("migrations.downtime_s", t.downtime_s, "s", "time that instances stood still for them, sum");
    let meaning = "dynamic energy of the copying on both hosts; part of cold_start";
    list.number("migrations.energy_j", t.migration_j, "J", meaning);
}

/// Writes `overcommit.csv` and `overcommit_machines.csv`, where predictors are watched.
///
/// # Errors
/// A file cannot be written whole.
pub fn write_watch(run: &Finished<'_>, folder: &Folder) -> Result<(), ReportError> {
    let Some((Some(watch), _)) = &run.outcome.watched else { return Ok(()) };
    folder.write("overcommit.csv", |f| {
        let mut table = csv::Writer::from_writer(f);
        table.write_record(CELL_COLUMNS.iter().map(|c| c.0))?;
        for row in &watch.cell {
            let values = row.values().into_iter().map(|x| x.to_string());
            table.write_record(std::iter::once(row.predictor.clone()).chain(values))?;
        }
        table.flush()
    })?;
    folder.write("overcommit_machines.csv", |f| {
        let mut table = csv::Writer::from_writer(f);
        table.write_record(MACHINE_COLUMNS.iter().map(|c| c.0))?;
        for row in &watch.machines {
            let values = row.values().into_iter().map(|x| x.to_string());
            table.write_record(std::iter::once(row.predictor.clone()).chain(values))?;
        }
        table.flush()
    })
}

/// What sharing gains: peaks of sums against sums of peaks.
fn multiplexing(list: &mut List, run: &Finished<'_>) {
    let Some((watch, m)) = &run.outcome.watched else { return };
    let meaning = "sum of the instances' own peaks so far, at most, over the peak of their sum, median over hosts (1.5 in Google's trace, EuroSys 2021)";
    list.number("multiplexing.peaks_over_peak_p50", m.standing_ratio.p50, "1", meaning);
    let meaning = "the same, mean over hosts";
    list.number("multiplexing.peaks_over_peak_mean", m.standing_ratio.mean, "1", meaning);
    list.number("multiplexing.peaks_over_peak_cell", m.cell_standing_ratio, "1", "the same for all hosts as one");
    let meaning = "sum of the hosts' peaks over the peak of all together";
    list.number("multiplexing.hosts_over_cell", m.hosts_over_cell, "1", meaning);
    list.number(
        "multiplexing.demand_mean_cores",
        m.mean_cores,
        "cores",
        "CPU demand of all instances, mean over samples",
    );
    list.number("multiplexing.demand_p99_cores", m.p99_cores, "cores", "the same, 99th percentile");
    list.number("multiplexing.demand_p9999_cores", m.p9999_cores, "cores", "the same, 99.99th percentile");
    list.number("multiplexing.demand_max_cores", m.peak_cores, "cores", "the same, largest");
    let meaning = "mean over 99th percentile: utilization of a pool that is provisioned for the latter";
    list.number("multiplexing.mean_over_p99", m.utilization_at_p99, "1", meaning);
    list.number("multiplexing.p9999_over_mean", m.p9999_over_mean, "1", "99.99th percentile over mean");
    for row in watch.iter().flat_map(|w| &w.cell) {
        let name = &row.predictor;
        let meaning = "steps at which this watched predictor was below the peak to come, over all";
        list.number(&format!("overcommit.{name}.violation_rate"), row.violation_rate, "1", meaning);
        let meaning = "its mean shortfall, over the peak";
        list.number(&format!("overcommit.{name}.severity"), row.severity, "1", meaning);
        let meaning = "what it would have saved: (limits - predictions) / limits of all machines, mean over steps";
        list.number(&format!("overcommit.{name}.savings"), row.savings.mean, "1", meaning);
        let meaning =
            "increase of the p99 of CPU scheduling latency that went with its violation rate in a published regression";
        list.number(&format!("overcommit.{name}.latency_proxy"), row.latency_proxy, "1", meaning);
    }
}

/// Requested, used and physical CPU, kept apart.
fn usage(list: &mut List, run: &Finished<'_>, run_s: f64) {
    let (o, t) = (run.outcome, &run.outcome.instances);
    list.number("instances.requested_core_s", t.requested_core_s, "core·s", "CPU asked for x time on hosts");
    list.number("instances.wanted_core_s", t.wanted_core_s, "core·s", "CPU that instances wanted");
    list.number("instances.used_core_s", t.got_core_s, "core·s", "CPU that instances got");
    let lost = share((t.wanted_core_s - t.got_core_s).max(0.0), t.wanted_core_s);
    list.number("instances.cpu_unserved_share", lost, "1", "CPU wanted and not got when it was wanted, over wanted");
    let lost = share((t.batch.0 - t.batch.1).max(0.0), t.batch.0);
    list.number("instances.cpu_unserved_share_batch", lost, "1", "the same of batch instances");
    let cores = |h: &crate::cluster::Host| run.servers[h.group.index()].cores;
    let there: f64 = o.hosts.iter().map(|h| cores(h) * run_s).sum();
    let on: f64 = o.hosts.iter().map(|h| cores(h) * h.on_s).sum();
    let used: f64 = o.hosts.iter().map(|h| h.busy_core_s).sum();
    let meaning = "CPU used over CPU asked for (Sysdig 2023: 0.31)";
    list.number("utilization.used_over_requested", share(t.got_core_s, t.requested_core_s), "1", meaning);
    let meaning = "CPU asked for by instances over CPU of all hosts, on or off";
    list.number("utilization.requested_over_capacity", share(t.requested_core_s, there), "1", meaning);
    let meaning = "CPU used, by calls too, over CPU of all hosts, on or off";
    list.number("utilization.used_over_capacity", share(used, there), "1", meaning);
    list.number("utilization.used_over_on", share(used, on), "1", "CPU used over CPU of the hosts while they are on");
}
