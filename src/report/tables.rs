//! The CSV tables: their columns stand in one list each, which the writer, the docs and the tests share.

use std::io::Write;

use super::{Finished, Folder, ReportError};
use crate::ledger::{COLUMNS, Column as Rate, Rates};
use crate::sci::{self, Share, Work, joules_by_cause};
use crate::sim::{Counts, FunctionStats};
use crate::types::{Duration, JOULES_PER_KWH, RegionId};
use crate::workload::FunctionProfile;

/// A column of a table: name, unit, meaning.
pub type Column = (&'static str, &'static str, &'static str);

/// Columns of `timeseries.csv`: one row per region and step.
pub const TIMESERIES: &[Column] = &[
    ("time_s", "s", "start of the step, from the run's start"),
    ("region", "text", "region"),
    ("received", "1", "calls that arrived in the region"),
    ("executed", "1", "calls that finished in the region"),
    ("rejected", "1", "calls that arrived in the region and were rejected in this step"),
    ("cold_starts", "1", "sandboxes started in the region for a call"),
    ("deferred_mean", "1", "calls of the region held back by admission or shifting, time mean"),
    ("queued_mean", "1", "calls that wait for room in the region, time mean"),
    ("running_mean", "1", "calls in execution (busy sandboxes), time mean"),
    ("warm_mean", "1", "warm idle sandboxes, time mean"),
    ("starting_mean", "1", "sandboxes being started, time mean"),
    ("hosts_on_mean", "1", "hosts powered on, time mean"),
    ("cpu_utilization", "1", "CPU in use over all cores of the region"),
    ("memory_utilization", "1", "memory held by sandboxes over all memory of the region"),
    ("power_execution_w", "W", "mean power of executing calls"),
    ("power_cold_start_w", "W", "mean power of starting sandboxes"),
    ("power_warm_idle_w", "W", "mean power of warm idle sandboxes"),
    ("power_idle_host_w", "W", "mean power of what no sandbox holds"),
    ("power_boot_w", "W", "mean power of booting hosts"),
    ("power_off_w", "W", "mean power of hosts that are off"),
    ("power_pue_overhead_w", "W", "mean power of cooling and power conversion"),
    ("power_network_w", "W", "mean power of what is sent between regions, this grid's part"),
    ("intensity_g_per_kwh", "gCO2e/kWh", "carbon intensity, time mean"),
    ("operational_g", "gCO2e", "operational emissions of the step, all causes"),
];

/// The columns of a table that [`stats_cells`] and [`share_cells`] fill, behind its own.
macro_rules! with_shared_columns {
    ($($own:expr),+ $(,)?) => {
        &[
            $($own,)+
            ("received", "1", "calls that arrived"),
            ("executed", "1", "calls that finished"),
            ("rejected", "1", "calls rejected"),
            ("cold", "1", "executed calls that waited for the start of a sandbox"),
            ("missed_deadline", "1", "executed after their deadline"),
            ("latency_mean_s", "s", "arrival to end, mean"),
            ("latency_p50_s", "s", "arrival to end, median (to 1.6 %)"),
            ("latency_p95_s", "s", "arrival to end, 95th percentile (to 1.6 %)"),
            ("latency_p99_s", "s", "arrival to end, 99th percentile (to 1.6 %)"),
            ("busy_s", "s", "time in execution, sum over calls"),
            ("work_s", "s", "time that the executed calls run alone: the work asked for, however long it took"),
            ("idle_mb_s", "MB·s", "memory of warm idle sandboxes x time"),
            ("instances", "1", "instances that ran to their end"),
            ("instance_s", "instance·s", "time that instances ran"),
            ("instance_core_s", "core·s", "CPU that instances got"),
            ("instance_gb_s", "GB·s", "memory that instances used x time"),
            ("execution_j", "J", "energy of executing calls, overhead not included"),
            ("cold_start_j", "J", "energy of starting sandboxes, overhead not included"),
            ("warm_idle_j", "J", "energy of keeping sandboxes warm, overhead not included"),
            ("idle_host_j", "J", "energy of hosts that nobody holds, as far as it is charged here"),
            ("boot_j", "J", "energy of booting hosts, as far as it is charged here"),
            ("off_j", "J", "energy of hosts that are off, as far as it is charged here"),
            ("pue_overhead_j", "J", "cooling and power conversion of all of these"),
            ("network_j", "J", "energy of what was sent between regions"),
            ("energy_j", "J", "all energy"),
            ("operational_execution_g", "gCO2e", "operational emissions of execution_j"),
            ("operational_cold_start_g", "gCO2e", "of cold_start_j"),
            ("operational_warm_idle_g", "gCO2e", "of warm_idle_j"),
            ("operational_idle_host_g", "gCO2e", "of idle_host_j"),
            ("operational_boot_g", "gCO2e", "of boot_j"),
            ("operational_off_g", "gCO2e", "of off_j"),
            ("operational_pue_overhead_g", "gCO2e", "of pue_overhead_j"),
            ("operational_network_g", "gCO2e", "of network_j"),
            ("operational_g", "gCO2e", "operational emissions"),
            ("embodied_g", "gCO2e", "embodied emissions of the share of hosts held, or as the rule of sci.attribution says"),
            ("units", "R", "functional units"),
            ("sci_g_per_unit", "gCO2e/R", "(operational + embodied) / R; empty without units"),
        ]
    };
}

/// Columns of `functions.csv`.
pub const FUNCTIONS: &[Column] = with_shared_columns![
    ("function", "text", "function"),
    ("tenant", "text", "its tenant"),
    ("trigger", "text", "why it is called"),
    ("quota", "text", "reserved or opportunistic"),
    ("memory_mb", "MB", "memory of one sandbox, isolation overhead not included"),
    ("cpu_cores", "cores", "CPU that one running call demands"),
];

/// Columns of `tenants.csv`.
pub const TENANTS: &[Column] = with_shared_columns![("tenant", "text", "tenant"), ("functions", "1", "its functions"),];

/// Columns of `hosts.csv`.
pub const HOSTS: &[Column] = &[
    ("host", "1", "number of the host"),
    ("region", "text", "its region"),
    ("server", "text", "its server type"),
    ("executed", "1", "calls that finished on it"),
    ("on_s", "s", "time powered on"),
    ("busy_core_s", "core·s", "CPU in use x time"),
    ("cpu_utilization", "1", "CPU in use over its cores, mean over the run"),
    ("memory_utilization", "1", "memory held by sandboxes over its memory, mean over the run"),
    ("it_energy_j", "J", "energy without overhead"),
    ("energy_j", "J", "energy with overhead"),
    ("embodied_g", "gCO2e", "embodied emissions over the run"),
];

/// Columns of `regions.csv`.
pub const REGIONS: &[Column] = &[
    ("region", "text", "region"),
    ("zone", "text", "its grid zone"),
    ("hosts", "1", "its hosts"),
    ("cores", "cores", "cores of all its hosts"),
    ("received", "1", "calls that arrived here"),
    ("executed", "1", "calls that finished here"),
    ("rejected", "1", "calls that arrived here and were rejected"),
    ("cpu_utilization", "1", "CPU in use over its cores, mean over the run"),
    ("memory_utilization", "1", "memory held by sandboxes over its memory, mean over the run"),
    ("execution_j", "J", "energy of executing calls, overhead not included"),
    ("cold_start_j", "J", "energy of starting sandboxes, overhead not included"),
    ("warm_idle_j", "J", "energy of keeping sandboxes warm, overhead not included"),
    ("idle_host_j", "J", "energy of what no sandbox holds"),
    ("boot_j", "J", "energy of booting hosts"),
    ("off_j", "J", "energy of hosts that are off"),
    ("pue_overhead_j", "J", "energy of cooling and power conversion"),
    ("network_j", "J", "energy of what was sent between regions, this grid's part"),
    ("energy_j", "J", "all energy"),
    ("operational_execution_g", "gCO2e", "operational emissions of execution_j"),
    ("operational_cold_start_g", "gCO2e", "of cold_start_j"),
    ("operational_warm_idle_g", "gCO2e", "of warm_idle_j"),
    ("operational_idle_host_g", "gCO2e", "of idle_host_j"),
    ("operational_boot_g", "gCO2e", "of boot_j"),
    ("operational_off_g", "gCO2e", "of off_j"),
    ("operational_pue_overhead_g", "gCO2e", "of pue_overhead_j"),
    ("operational_network_g", "gCO2e", "of network_j"),
    ("operational_g", "gCO2e", "operational emissions"),
    ("embodied_g", "gCO2e", "embodied emissions of its hosts over the run"),
    ("mean_intensity_g_per_kwh", "gCO2e/kWh", "operational emissions over energy"),
    ("g_per_executed_call", "gCO2e/call", "(operational + embodied) over calls executed here; empty without calls"),
];

/// How many ledger bins make one step of the time series.
pub fn bins_per_step(scenario: &crate::scenario::Scenario) -> usize {
    let bins = Duration::from_secs_f64(scenario.output.step_s).0
        / Duration::from_secs_f64(scenario.output.ledger_step_s).0.max(1);
    usize::try_from(bins).unwrap_or(usize::MAX).max(1)
}

/// Writes all tables.
///
/// # Errors
/// A file cannot be written.
pub fn write_tables(run: &Finished<'_>, folder: &Folder) -> Result<(), ReportError> {
    folder.write("timeseries.csv", |f| timeseries(run, f))?;
    folder.write("regions.csv", |f| regions(run, f))?;
    folder.write("functions.csv", |f| functions(run, f))?;
    folder.write("tenants.csv", |f| tenants(run, f))?;
    folder.write("hosts.csv", |f| hosts(run, f))?;
    folder.write("distributions.csv", |f| super::distributions::table(run, f))?;
    if run.beside.is_empty() { Ok(()) } else { folder.write("beside.csv", |f| super::beside::table(run, f)) }
}

/// Builds rows cell by cell.
pub(super) struct Table<'a> {
    out: csv::Writer<&'a mut dyn Write>,
}

impl<'a> Table<'a> {
    pub(super) fn new(out: &'a mut dyn Write, columns: &[Column]) -> std::io::Result<Self> {
        let mut table = Self { out: csv::Writer::from_writer(out) };
        for (name, _, _) in columns {
            table.text(name)?;
        }
        table.end()?;
        Ok(table)
    }

    pub(super) fn text(&mut self, cell: &str) -> std::io::Result<()> {
        self.out.write_field(cell).map_err(Into::into)
    }

    fn count(&mut self, n: u64) -> std::io::Result<()> {
        self.text(&n.to_string())
    }

    /// A number; what is not finite is undefined and left empty.
    pub(super) fn number(&mut self, x: f64) -> std::io::Result<()> {
        if x.is_finite() { self.text(&x.to_string()) } else { self.text("") }
    }

    pub(super) fn end(&mut self) -> std::io::Result<()> {
        self.out.write_record(None::<&[u8]>).map_err(Into::into)
    }

    pub(super) fn finish(mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

fn timeseries(run: &Finished<'_>, out: &mut dyn Write) -> std::io::Result<()> {
    let mut table = Table::new(out, TIMESERIES)?;
    let ratio = bins_per_step(run.scenario);
    let ledger_s = run.outcome.site.step().as_secs_f64();
    let end_s = run.outcome.end.as_secs_f64();
    let bins = run.intensity.first().map_or(0, Vec::len);
    for step in 0..bins.div_ceil(ratio) {
        let from = step * ratio;
        let to = (from + ratio).min(bins);
        let start_s = from as f64 * ledger_s;
        let length_s = (to as f64 * ledger_s).min(end_s) - start_s;
        for (r, facts) in run.regions.iter().enumerate() {
            let region = RegionId::from_index(r);
            let (row, grams) = sum_bins(run, region, from, to);
            let counts = sum_counts(run.outcome.series.rows(region), from, to);
            table.number(start_s)?;
            table.text(&facts.name)?;
            for n in [counts.received, counts.executed, counts.rejected, counts.cold] {
                table.count(n)?;
            }
            for x in [counts.deferred_s, counts.queued_s] {
                table.number(x / length_s)?;
            }
            for c in [Rate::Running, Rate::Warm, Rate::Starting, Rate::HostsOn] {
                table.number(row[c as usize] / length_s)?;
            }
            table.number(row[Rate::BusyCore as usize] / (facts.cores * length_s))?;
            table.number(row[Rate::UsedMemory as usize] / (facts.memory_mb * length_s))?;
            for joules in joules_by_cause(&row) {
                table.number(joules / length_s)?;
            }
            let signal = &run.intensity[r][from..to];
            table.number(signal.iter().sum::<f64>() / signal.len() as f64)?;
            table.number(grams)?;
            table.end()?;
        }
    }
    table.finish()
}

fn regions(run: &Finished<'_>, out: &mut dyn Write) -> std::io::Result<()> {
    let mut table = Table::new(out, REGIONS)?;
    let run_s = run.outcome.end.as_secs_f64();
    for (r, (facts, score)) in run.regions.iter().zip(&run.scored.regions).enumerate() {
        let region = RegionId::from_index(r);
        let counts = sum_counts(run.outcome.series.rows(region), 0, usize::MAX);
        let total = run.outcome.site.total(region);
        let (energy_j, operational_g) = (score.energy_j.iter().sum::<f64>(), score.operational_g.iter().sum::<f64>());
        table.text(&facts.name)?;
        table.text(&facts.zone)?;
        table.count(facts.hosts.into())?;
        table.number(facts.cores)?;
        for n in [counts.received, counts.executed, counts.rejected] {
            table.count(n)?;
        }
        table.number(total[Rate::BusyCore as usize] / (facts.cores * run_s))?;
        table.number(total[Rate::UsedMemory as usize] / (facts.memory_mb * run_s))?;
        for joules in score.energy_j {
            table.number(joules)?;
        }
        table.number(energy_j)?;
        for grams in score.operational_g {
            table.number(grams)?;
        }
        for x in [operational_g, score.embodied_g, operational_g / (energy_j / JOULES_PER_KWH)] {
            table.number(x)?;
        }
        let per_call = sci::intensity(operational_g + score.embodied_g, counts.executed as f64);
        table.number(per_call.unwrap_or(f64::NAN))?;
        table.end()?;
    }
    table.finish()
}

fn sum_bins(run: &Finished<'_>, region: RegionId, from: usize, to: usize) -> (Rates, f64) {
    let rows = run.outcome.site.rows(region);
    let mut sum = [0.0; COLUMNS];
    let mut grams = 0.0;
    let until = to.min(rows.len());
    let bins = rows[from.min(until)..until].iter().zip(&run.intensity[region.index()][from..to]);
    for (row, g_per_kwh) in bins {
        for (s, x) in sum.iter_mut().zip(row) {
            *s += x;
        }
        let joules: f64 = joules_by_cause(row).iter().sum();
        grams += joules / JOULES_PER_KWH * g_per_kwh;
    }
    (sum, grams)
}

fn sum_counts(rows: &[Counts], from: usize, to: usize) -> Counts {
    let mut sum = Counts::default();
    for row in &rows[from.min(rows.len())..to.min(rows.len())] {
        sum.received += row.received;
        sum.executed += row.executed;
        sum.rejected += row.rejected;
        sum.cold += row.cold;
        sum.queued_s += row.queued_s;
        sum.deferred_s += row.deferred_s;
    }
    sum
}

fn functions(run: &Finished<'_>, out: &mut dyn Write) -> std::io::Result<()> {
    let mut table = Table::new(out, FUNCTIONS)?;
    let unit = &run.scenario.sci.functional_unit;
    let run_s = run.outcome.end.as_secs_f64();
    for (i, (stats, profile)) in run.outcome.functions.iter().zip(&run.outcome.profiles).enumerate() {
        table.text(&profile.name)?;
        table.text(&run.outcome.tenants[profile.tenant.index()])?;
        table.text(profile.trigger.name())?;
        table.text(profile.quota.name())?;
        table.number(profile.memory.as_mb())?;
        table.number(profile.cpu.as_cores())?;
        stats_cells(&mut table, stats)?;
        share_cells(&mut table, &run.scored.functions[i], unit.count([work(profile, stats)], run_s))?;
    }
    rest_row(&mut table, run, FUNCTIONS.len())?;
    table.finish()
}

/// What a function has done, for counting R.
pub(super) fn work<'a>(profile: &'a FunctionProfile, stats: &FunctionStats) -> Work<'a> {
    Work {
        name: &profile.name,
        tenant: profile.tenant.0,
        executed: stats.executed,
        busy_s: stats.busy_s,
        work_s: stats.work_s,
        memory_gb: profile.memory.as_mb() / 1000.0,
        cores: profile.cpu.as_cores(),
        instances: stats.lived.finished,
        instance_s: stats.lived.time_s,
        instance_core_s: stats.lived.core_s,
        instance_gb_s: stats.lived.gb_s,
    }
}

/// The columns from `received` to `instance_gb_s`, which functions and tenants have in common.
fn stats_cells(table: &mut Table<'_>, stats: &FunctionStats) -> std::io::Result<()> {
    for n in [stats.received, stats.executed, stats.rejected, stats.cold, stats.missed] {
        table.count(n)?;
    }
    table.number(stats.latency_sum_ns as f64 / 1e9 / stats.executed as f64)?;
    for p in [0.5, 0.95, 0.99] {
        table.number(stats.latency.quantile(p).map_or(f64::NAN, |ns| ns as f64 / 1e9))?;
    }
    table.number(stats.busy_s)?;
    table.number(stats.work_s)?;
    table.number(stats.idle_mb_s)?;
    table.count(stats.lived.finished)?;
    table.number(stats.lived.time_s)?;
    table.number(stats.lived.core_s)?;
    table.number(stats.lived.gb_s)
}

/// The columns from `execution_j` on, and the end of the row. No R (NaN) leaves its cells empty.
fn share_cells(table: &mut Table<'_>, share: &Share, units: f64) -> std::io::Result<()> {
    for joules in share.energy_j {
        table.number(joules)?;
    }
    table.number(share.total_j())?;
    for grams in share.operational_g {
        table.number(grams)?;
    }
    let operational_g = share.total_operational_g();
    for x in [operational_g, share.embodied_g, units] {
        table.number(x)?;
    }
    table.number(sci::intensity(operational_g + share.embodied_g, units).unwrap_or(f64::NAN))?;
    table.end()
}

/// How many columns [`share_cells`] fills.
const SHARE_CELLS: usize = 2 * sci::CAUSES + 5;

/// The last row: what is charged to no function.
fn rest_row(table: &mut Table<'_>, run: &Finished<'_>, columns: usize) -> std::io::Result<()> {
    table.text("(unattributed)")?;
    for _ in 1..columns - SHARE_CELLS {
        table.text("")?;
    }
    share_cells(table, &run.scored.unattributed, f64::NAN)
}

fn tenants(run: &Finished<'_>, out: &mut dyn Write) -> std::io::Result<()> {
    let mut table = Table::new(out, TENANTS)?;
    #[derive(Default)]
    struct Tenant<'a> {
        stats: FunctionStats,
        share: Share,
        works: Vec<Work<'a>>,
    }
    let mut tenants: Vec<Tenant> = Vec::new();
    tenants.resize_with(run.outcome.tenants.len(), Tenant::default);
    for ((stats, profile), share) in run.outcome.functions.iter().zip(&run.outcome.profiles).zip(&run.scored.functions)
    {
        let t = &mut tenants[profile.tenant.index()];
        t.works.push(work(profile, stats));
        add_stats(&mut t.stats, stats);
        t.share.add(share);
    }
    let run_s = run.outcome.end.as_secs_f64();
    for (t, name) in tenants.into_iter().zip(&run.outcome.tenants) {
        table.text(name)?;
        table.count(t.works.len() as u64)?;
        stats_cells(&mut table, &t.stats)?;
        share_cells(&mut table, &t.share, run.scenario.sci.functional_unit.count(t.works, run_s))?;
    }
    rest_row(&mut table, run, TENANTS.len())?;
    table.finish()
}

fn add_stats(sum: &mut FunctionStats, part: &FunctionStats) {
    sum.received += part.received;
    sum.executed += part.executed;
    sum.rejected += part.rejected;
    sum.cold += part.cold;
    sum.missed += part.missed;
    sum.latency_sum_ns += part.latency_sum_ns;
    sum.latency.merge(&part.latency);
    sum.busy_s += part.busy_s;
    sum.work_s += part.work_s;
    sum.idle_mb_s += part.idle_mb_s;
    sum.starts += part.starts;
    sum.lived.finished += part.lived.finished;
    sum.lived.time_s += part.lived.time_s;
    sum.lived.core_s += part.lived.core_s;
    sum.lived.gb_s += part.lived.gb_s;
}

fn hosts(run: &Finished<'_>, out: &mut dyn Write) -> std::io::Result<()> {
    let mut table = Table::new(out, HOSTS)?;
    let run_s = run.outcome.end.as_secs_f64();
    for (i, host) in run.outcome.hosts.iter().enumerate() {
        let group = &run.groups[host.group.index()];
        let server = &run.servers[host.group.index()];
        table.count(i as u64)?;
        table.text(&run.regions[host.region.index()].name)?;
        table.text(&server.name)?;
        table.count(host.executed)?;
        table.number(host.on_s)?;
        table.number(host.busy_core_s)?;
        table.number(host.busy_core_s / (server.cores * run_s))?;
        table.number(host.memory_mb_s / (server.memory_mb * run_s))?;
        table.number(host.energy_j)?;
        table.number(host.energy_j * group.pue + group.fixed_overhead_w * run_s)?;
        table.number(group.embodied_g(1.0, run_s, host.powered_s()))?;
        table.end()?;
    }
    table.finish()
}
