//! `sim run`.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use slackwater::report::{Entry, Value, grouped, published_text, significant};
use slackwater::run::{Options, Report, RunError, run};
use slackwater::scenario;

use super::Failure;

/// Arguments of `sim run`.
#[derive(Debug, Args)]
pub struct Run {
    /// The scenario file.
    scenario: PathBuf,
    /// Replace a key of the scenario, for example scheduler.keep_alive.fixed.keep_alive_s=60; repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Take a key out of the scenario, for example scheduler.shifting, before --set; repeatable.
    #[arg(long = "unset", value_name = "KEY")]
    unset: Vec<String>,
    /// The root of all random streams; replaces the scenario's.
    #[arg(long)]
    seed: Option<u64>,
    /// Where the results go [default: results/NAME].
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Threads to use; the results are the same bytes with any number [default: all cores; for a single run at most 2].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    threads: Option<u32>,
    /// Exit with 3 if a figure under `published` is outside of its tolerance, or has one and cannot be computed.
    #[arg(long)]
    check_published: bool,
    /// Print nothing but errors.
    #[arg(long, short)]
    quiet: bool,
}

impl Run {
    pub fn execute(self) -> Result<(), Failure> {
        let mut set = super::overrides(&self.unset, &self.set);
        if let Some(seed) = self.seed {
            set.push(format!("seed={seed}"));
        }
        let loaded = scenario::load(&self.scenario, &set).map_err(|e| Failure::scenario(&e))?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let shown = !self.quiet && std::io::stderr().is_terminal();
        let threads = self.threads.map(|n| n as usize);
        if loaded.scenario.compare.is_some() {
            if self.check_published {
                let help = "run one of its runs with --set or --unset, without [compare]";
                let message = "--check-published judges one run, and the scenario has [compare]";
                return Err(Failure::usage(format!("{message}\n  help: {help}: --unset compare")));
            }
            let options = Options { out: self.out, threads: threads.unwrap_or(cores) };
            return super::run_compare::execute(&loaded, &options, self.quiet, shown);
        }
        let options = Options { out: self.out, threads: threads.unwrap_or(cores.min(2)) };
        let bar = shown.then(bar);
        let mut last = std::time::Instant::now();
        let mut progress = |p: slackwater::sim::Progress| {
            if let Some(bar) = &bar
                && last.elapsed().as_millis() >= 100
            {
                last = std::time::Instant::now();
                bar.set_position((p.share * 1000.0) as u64);
                let days = p.now.as_secs_f64() / 86_400.0;
                bar.set_message(format!("{:.2} million events, day {days:.2}", p.events as f64 / 1e6));
            }
        };
        let result = run(&loaded, &options, &mut progress);
        if let Some(bar) = &bar {
            bar.finish_and_clear();
        }
        let report = result.map_err(|e| match e {
            RunError::Scenario(e) => Failure::scenario(&e),
            RunError::Report(e) => Failure::internal(e),
            RunError::Sim(e) => Failure::usage(e),
        })?;
        for warning in &report.warnings {
            eprintln!("warning: {warning}");
        }
        if !self.quiet {
            super::print(&table(&report))?;
        }
        let failed: Vec<&str> = report.published.iter().filter(|p| p.fails()).map(|p| p.spec.figure.as_str()).collect();
        if self.check_published && !failed.is_empty() {
            let message = format!("published figures that do not hold: {}", failed.join(", "));
            return Err(Failure::check(format!(
                "{message}\n  help: {}",
                report.folder.join("published.csv").display()
            )));
        }
        Ok(())
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}  {elapsed} elapsed, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(1000).with_style(style)
}

/// One line per watched predictor; nothing without any.
fn watched(report: &Report) -> String {
    let names: Vec<&str> = report
        .summary
        .iter()
        .filter_map(|e| e.key.strip_prefix("overcommit.")?.strip_suffix(".violation_rate"))
        .collect();
    if names.is_empty() {
        return String::new();
    }
    let width = names.iter().map(|n| n.len()).max().unwrap_or(0).max("watched predictor".len());
    let mut text =
        format!("{:<width$} {:>10} {:>15} {:>10}\n", "watched predictor", "savings", "violation rate", "severity");
    for name in names {
        let figure =
            |of: &str| report.number(&format!("overcommit.{name}.{of}")).map_or("undefined".to_owned(), significant);
        let [savings, rate, severity] = ["savings", "violation_rate", "severity"].map(figure);
        text += &format!("{name:<width$} {savings:>10} {rate:>15} {severity:>10}\n");
    }
    text
}

/// The figures that a person reads first.
const SHOWN: &[(&str, &str)] = &[
    ("simulated time", "run.simulated_s"),
    ("calls received", "calls.received"),
    ("      executed", "calls.executed"),
    ("      rejected", "calls.rejected"),
    ("      cold", "calls.cold"),
    ("      deferred", "calls.deferred"),
    ("      missed deadline", "calls.missed_deadline"),
    ("latency mean", "latency_s.mean"),
    ("        p50", "latency_s.p50"),
    ("        p99", "latency_s.p99"),
    ("service latency p99", "service_latency_s.p99"),
    ("idle memory", "memory.idle_mean_mb"),
    ("instances asked for", "instances.asked"),
    ("          finished", "instances.finished"),
    ("          waited", "instances.waited"),
    ("          evicted", "instances.evicted"),
    ("          moved", "migrations.done"),
    ("jobs arrived", "jobs.arrived"),
    ("     finished", "jobs.finished"),
    ("     missed deadline", "jobs.missed_deadline"),
    ("     peak", "jobs.peak_cores"),
    ("     cost", "jobs.cost"),
    ("CPU wanted, not got", "instances.cpu_unserved_share"),
    ("CPU used / requested", "utilization.used_over_requested"),
    ("requested / capacity", "utilization.requested_over_capacity"),
    ("CPU utilization mean", "utilization.cpu_mean"),
    ("                max", "utilization.cpu_max"),
    ("memory utilization", "utilization.memory_mean"),
    ("energy", "energy_j.total"),
    ("operational O", "carbon_g.operational"),
    ("embodied M", "carbon_g.embodied"),
    ("SCI (O + M) / R", "sci.g_per_unit"),
    ("    R", "sci.unit"),
    ("    follows", "sci.standard"),
    ("    intensity", "sci.signal_kind"),
    ("    factors", "sci.factor_basis"),
    ("    data", "sci.dataset_version"),
    ("    lifespan of hosts", "sci.lifetime_years"),
    ("    embodied per host", "sci.embodied"),
    ("shifting, O claimed", "shifting.saved_operational_share"),
    ("    of the work's own O", "shifting.saved_of_work_share"),
    ("    of offline optimum", "shifting.saved_of_bound_share"),
    ("    on marginal signal", "shifting.saved_marginal_share"),
    ("    hosts at peak", "shifting.hosts_at_peak"),
    ("      running at once", "shifting.run_now_hosts_at_peak"),
    ("    embodied in those", "shifting.extra_embodied_g"),
    ("    net of that", "shifting.saved_net_share"),
    ("    delay mean", "shifting.delay_mean_s"),
    ("    missed deadline", "shifting.missed_deadline"),
    ("    against plan, queued", "shifting.queued_mean_s"),
    ("PUE by outdoor air", "outdoor.pue"),
    ("    outside its curve", "outdoor.clamped_share"),
    ("heat reused, ERF", "heat.erf"),
    ("    avoided gas, not SCI", "heat.avoided_gas_g"),
    ("water", "water.total_l"),
    ("cost", "cost.total"),
    ("    currency", "cost.currency"),
];

fn table(report: &Report) -> String {
    let mut text = String::new();
    // What counts calls says nothing of a run that has none, but instances or jobs.
    let number = |key: &str| report.number(key).unwrap_or(0.0);
    let without_calls = number("calls.received") == 0.0 && number("instances.asked") + number("jobs.arrived") > 0.0;
    let of_calls = ["calls.", "latency_s.", "service_latency_s.", "memory.idle_mean_mb"];
    for (label, key) in SHOWN {
        if without_calls && of_calls.iter().any(|start| key.starts_with(start)) {
            continue;
        }
        let Some(entry) = report.summary.iter().find(|e| e.key == *key) else { continue };
        if matches!(&entry.value, Value::Number(x) if !x.is_finite()) && key.starts_with("shifting.") {
            continue;
        }
        let (value, unit) = match &entry.value {
            Value::Count(n) => (grouped(*n), ""),
            Value::Number(x) => (significant(*x), if entry.unit == "1" { "" } else { entry.unit }),
            Value::Text(t) => (t.clone(), ""),
        };
        text += format!("{label:<22} {value:>16} {unit}").trim_end();
        text.push('\n');
    }
    text += &watched(report);
    if !report.published.is_empty() {
        text += &format!("\n{}\n", published_text(&report.published));
    }
    for (label, key) in [("signal", "sci.signal"), ("boundary", "sci.boundary")] {
        if let Some(Entry { value: Value::Text(said), .. }) = report.summary.iter().find(|e| e.key == key) {
            text += &format!("{label}: {said}\n");
        }
    }
    let e = &report.effort;
    text += &format!(
        "{:.2} s wall, {}{:.2} million events/s, peak memory {} MB\n",
        e.wall_time_s,
        if without_calls { String::new() } else { format!("{:.2} million calls/s, ", e.calls_per_s / 1e6) },
        e.events_per_s / 1e6,
        e.peak_memory_mb.map_or("?".to_owned(), |mb| format!("{mb:.0}")),
    );
    text += &format!("results in {}\n", report.folder.display());
    text
}
