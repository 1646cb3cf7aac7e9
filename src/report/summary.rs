//! `summary.json` and `summary.csv`: every figure of a run with its unit and meaning, from one list.

use super::beside;
use super::machine::{self, total};
use super::{Finished, Folder, ReportError};
use crate::grid::SignalInfo;
use crate::ledger::{Cause, Column};
use crate::sci::uncertainty::{Books, Parts, sample};
use crate::sci::{self, Statement, Work};
use crate::stats::LogHistogram;
use crate::types::{RegionId, Seed};

/// A figure's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A count.
    Count(u64),
    /// A number; not finite means undefined.
    Number(f64),
    /// A text.
    Text(String),
}

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Dotted key.
    pub key: String,
    /// Its value.
    pub value: Value,
    /// Its unit; `1` for counts and shares.
    pub unit: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

impl Entry {
    /// The value as JSON; undefined becomes `null`.
    pub fn json(&self) -> serde_json::Value {
        match &self.value {
            Value::Count(n) => (*n).into(),
            Value::Number(x) => serde_json::Number::from_f64(*x).map_or(serde_json::Value::Null, Into::into),
            Value::Text(t) => t.clone().into(),
        }
    }

    /// The value as a cell; undefined becomes empty.
    pub fn cell(&self) -> String {
        match &self.value {
            Value::Count(n) => n.to_string(),
            Value::Number(x) if x.is_finite() => x.to_string(),
            Value::Number(_) => String::new(),
            Value::Text(t) => t.clone(),
        }
    }
}

/// A number of a summary; `None` if there is no such key, or it is undefined or a text.
pub fn number(summary: &[Entry], key: &str) -> Option<f64> {
    summary.iter().find(|e| e.key == key).and_then(|e| match &e.value {
        Value::Count(n) => Some(*n as f64),
        Value::Number(x) => x.is_finite().then_some(*x),
        Value::Text(_) => None,
    })
}

/// A summary as JSON: the part of the key before the dot is an object.
pub fn sections(summary: &[Entry]) -> serde_json::Map<String, serde_json::Value> {
    let mut root = serde_json::Map::new();
    for entry in summary {
        let (section, key) = entry.key.split_once('.').expect("every key of the summary has a section");
        root.entry(section)
            .or_insert_with(|| serde_json::Value::Object(serde_json::Map::new()))
            .as_object_mut()
            .expect("sections are objects")
            .insert(key.to_owned(), entry.json());
    }
    root
}

/// Writes `summary.json` and `summary.csv`.
///
/// # Errors
/// A file cannot be written whole.
pub fn write_summary(summary: &[Entry], folder: &Folder) -> Result<(), ReportError> {
    folder.write("summary.json", |f| {
        serde_json::to_writer_pretty(&mut *f, &sections(summary))?;
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

/// Collects the figures.
pub(super) struct List(Vec<Entry>);

impl List {
    /// No figures yet.
    pub fn new() -> Self {
        List(Vec::new())
    }

    /// The figures.
    pub fn into_entries(self) -> Vec<Entry> {
        self.0
    }

    /// A count.
    pub fn count(&mut self, key: &str, value: u64, meaning: &'static str) {
        self.0.push(Entry { key: key.to_owned(), value: Value::Count(value), unit: "1", meaning });
    }

    /// A number.
    pub fn number(&mut self, key: &str, value: f64, unit: &'static str, meaning: &'static str) {
        self.0.push(Entry { key: key.to_owned(), value: Value::Number(value), unit, meaning });
    }

    /// A text.
    pub fn text(&mut self, key: &str, value: &str, meaning: &'static str) {
        self.0.push(Entry { key: key.to_owned(), value: Value::Text(value.to_owned()), unit: "text", meaning });
    }
}

/// All figures of a run, in the order of the files.
pub fn summarize(run: &Finished<'_>) -> Vec<Entry> {
    let mut list = List::new();
    let run_s = run.outcome.end.as_secs_f64();
    list.number("run.simulated_s", run_s, "s", "from the run's start to its end");
    calls(&mut list, run);
    latency(&mut list, run);
    resources(&mut list, run, run_s);
    if run.outcome.instance_source.is_some() {
        super::instances::figures(&mut list, run, run_s);
    }
    if run.outcome.job_list.is_some() {
        super::jobs::figures(&mut list, run);
    }
    if let Some(totals) = &run.outcome.dispatch {
        super::dispatch::figures(&mut list, totals);
    }
    if run.scenario.shows_curve() {
        super::curve::figures(&mut list, run);
    }
    super::network::figures(&mut list, run);
    carbon(&mut list, run);
    beside::figures(&mut list, run);
    super::meter::figures(&mut list, run);
    super::workers::figures(&mut list, run);
    list.0
}

fn calls(list: &mut List, run: &Finished<'_>) {
    let sum = |part: fn(&crate::sim::FunctionStats) -> u64| run.outcome.functions.iter().map(part).sum::<u64>();
    let (executed, cold) = (sum(|f| f.executed), sum(|f| f.cold));
    let t = &run.outcome.totals;
    list.count("calls.received", sum(|f| f.received), "calls that arrived");
    list.count("calls.executed", executed, "calls that finished");
    list.count("calls.rejected", sum(|f| f.rejected), "calls that were refused, turned away or gave up");
    list.count("calls.cold", cold, "executed calls that waited for the start of a sandbox");
    list.number("calls.cold_share", share(cold as f64, executed as f64), "1", "cold over executed");
    machine::cold_by_app(list, run);
    list.count("calls.waited", t.waited, "calls that had to wait for room");
    list.count("calls.refused", t.refused, "rejected by admission");
    list.count("calls.turned_away", t.turned_away, "rejected because the queue was full or there is none");
    list.count("calls.timed_out", t.timed_out, "rejected because they waited too long");
    list.count("calls.missed_deadline", sum(|f| f.missed), "executed after their deadline");
    list.count("calls.deferred", t.deferred_latency.count(), "executed calls that admission or shifting held back");
    list.count("calls.unfinished", run.outcome.unfinished, "calls still in flight at the drain limit");
    if let Some(v) = &run.outcome.violations {
        list.count("calls.casper_programs", v.programs, "programs that routing solved");
        list.count("calls.casper_planned", v.calls, "calls that these planned, as expected");
        list.count("calls.casper_late", v.late, "of these, sent beyond max_rtt_ms, as nothing nearer had room");
        list.count("calls.casper_unplaced", v.unplaced, "of these, left at home, as no region had room");
    }
}

/// A part of a whole; undefined where there is none.
pub(super) fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { f64::NAN }
}

fn latency(list: &mut List, run: &Finished<'_>) {
    let t = &run.outcome.totals;
    let n = (t.undeferred.count() + t.deferred_latency.count()) as f64;
    let mut all = t.undeferred.clone();
    all.merge(&t.deferred_latency);
    quantiles(list, "latency_s", share(t.latency_sum_ns as f64 / 1e9, n), &all, "arrival to end of executed calls");
    let mut service = t.undeferred.clone();
    service.merge(&t.deferred_service);
    quantiles(
        list,
        "service_latency_s",
        share(t.service_sum_ns as f64 / 1e9, n),
        &service,
        "release to end of executed calls: latency without deliberate deferral",
    );
    let deferred = t.deferred_latency.count() as f64;
    list.number(
        "deferral_s.mean",
        share(t.deferral_sum_ns as f64 / 1e9, deferred),
        "s",
        "arrival to release, mean over deferred calls",
    );
    list.number("deferral_s.max", t.deferral_max.as_secs_f64(), "s", "longest time from arrival to release");
}

fn quantiles(list: &mut List, key: &str, mean: f64, histogram: &LogHistogram<10>, meaning: &'static str) {
    list.number(&format!("{key}.mean"), mean, "s", meaning);
    for (name, p) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999), ("max", 1.0)] {
        let ns = if p == 1.0 { (histogram.count() > 0).then(|| histogram.max()) } else { histogram.quantile(p) };
        list.number(&format!("{key}.{name}"), ns.map_or(f64::NAN, |ns| ns as f64 / 1e9), "s", meaning);
    }
}

fn resources(list: &mut List, run: &Finished<'_>, run_s: f64) {
    machine::sandboxes(list, run, run_s);
    machine::memory(list, run, run_s);
    let cores: f64 = run.regions.iter().map(|r| r.cores).sum();
    let memory: f64 = run.regions.iter().map(|r| r.memory_mb).sum();
    let column = |c: Column| total(run, c);
    list.number(
        "utilization.cpu_mean",
        share(column(Column::BusyCore), cores * run_s),
        "1",
        "CPU in use over all cores, mean over the run",
    );
    list.number(
        "utilization.cpu_max",
        cpu_max(run, cores),
        "1",
        "CPU in use over all cores, largest mean over one step of timeseries.csv",
    );
    list.number(
        "utilization.memory_mean",
        share(column(Column::UsedMemory), memory * run_s),
        "1",
        "memory held by sandboxes over all memory, mean over the run",
    );
    machine::hosts(list, run, run_s);
}

fn cpu_max(run: &Finished<'_>, cores: f64) -> f64 {
    let ratio = super::tables::bins_per_step(run.scenario);
    let ledger_s = run.outcome.site.step().as_secs_f64();
    let end_s = run.outcome.end.as_secs_f64();
    let rows = (0..run.regions.len()).map(|r| run.outcome.site.rows(RegionId::from_index(r)));
    let longest = rows.clone().map(<[_]>::len).max().unwrap_or(0);
    (0..longest.div_ceil(ratio))
        .map(|step| {
            let bins = step * ratio..((step + 1) * ratio).min(longest);
            let busy: f64 = rows
                .clone()
                .flat_map(|r| r.get(bins.start.min(r.len())..bins.end.min(r.len())).into_iter().flatten())
                .map(|row| row[Column::BusyCore as usize])
                .sum();
            let from = (step * ratio) as f64 * ledger_s;
            let length = ((step + 1) * ratio) as f64 * ledger_s;
            share(busy, cores * (length.min(end_s) - from))
        })
        .fold(f64::NAN, f64::max)
}

fn carbon(list: &mut List, run: &Finished<'_>) {
    let s = run.scored;
    list.number("energy_j.total", s.energy_j(), "J", "all energy of the facility");
    let by_cause = s.energy_by_cause_j();
    // Without a network nothing is ever sent, and nothing is said of it.
    let causes = || Cause::ALL.iter().filter(|&&c| c != Cause::Network || run.scenario.network.is_some());
    for (cause, joules) in causes().zip(by_cause) {
        list.number(&format!("energy_j.{}", cause.name()), joules, "J", cause_meaning(*cause));
    }
    let dynamic = total(run, Column::ExecutionDynamic) + total(run, Column::ColdStartDynamic);
    let other = by_cause[Cause::Overhead as usize] + by_cause[Cause::Network as usize];
    list.number("energy_j.dynamic", dynamic, "J", "IT energy above the power at no load");
    list.number(
        "energy_j.baseline",
        s.energy_j() - dynamic - other,
        "J",
        "IT energy at no load, boots and off included",
    );
    list.number(
        "energy_j.attributed",
        s.energy_j() - s.unattributed.total_j(),
        "J",
        "energy of functions, overhead included",
    );
    list.number(
        "energy_j.unattributed",
        s.unattributed.total_j(),
        "J",
        "energy that no function is charged: what none held, unless a rule spreads it; overhead included",
    );
    let (o, m) = (s.operational_g(), s.embodied_g());
    list.number("carbon_g.operational", o, "gCO2e", "O: energy x intensity");
    for (cause, grams) in causes().zip(s.operational_by_cause_g()) {
        list.number(&format!("carbon_g.operational_{}", cause.name()), grams, "gCO2e", cause_meaning(*cause));
    }
    list.number("carbon_g.embodied", m, "gCO2e", "M: embodied emissions of all hosts over the run, straight line");
    list.number("carbon_g.total", o + m, "gCO2e", "O + M");
    list.number(
        "carbon_g.unattributed_operational",
        s.unattributed.total_operational_g(),
        "gCO2e",
        "part of O that no function is charged",
    );
    list.number(
        "carbon_g.unattributed_embodied",
        s.unattributed.embodied_g,
        "gCO2e",
        "part of M that no function is charged",
    );
    let joules = s.energy_j();
    list.number(
        "carbon_g.mean_intensity",
        share(o, joules / crate::types::JOULES_PER_KWH),
        "gCO2e/kWh",
        "O over energy: intensity as met by this run",
    );
    let units = units(run);
    let per_unit = |g: f64| sci::intensity(g, units).unwrap_or(f64::NAN);
    list.text("sci.unit", run.scenario.sci.functional_unit.name(), "the functional unit R");
    let rules = &run.scenario.sci.attribution;
    let meaning = "who pays for the energy of hosts that nobody uses";
    list.text("sci.attribution_idle", rules.idle.name(), meaning);
    let meaning = "who pays for M, and whether the rule spreads the pool that nobody held or all";
    list.text("sci.attribution_embodied", &rules.embodied.name(), meaning);
    list.number("sci.units", units, "R", "how many functional units");
    list.number("sci.g_per_unit", per_unit(o + m), "gCO2e/R", "(O + M) / R; undefined without units");
    list.number("sci.operational_g_per_unit", per_unit(o), "gCO2e/R", "O / R");
    list.number("sci.embodied_g_per_unit", per_unit(m), "gCO2e/R", "M / R");
    uncertain(list, run, units);
    statement(list, run);
}

/// The interval of the score, where the scenario says what is uncertain.
fn uncertain(list: &mut List, run: &Finished<'_>, units: f64) {
    let Some(spec) = &run.scenario.sci.uncertainty else { return };
    let names: Vec<String> = run.regions.iter().map(|r| r.name.clone()).collect();
    let books = Books {
        site: &run.outcome.site,
        groups: run.groups,
        regions: &names,
        intensity: run.intensity,
        end: run.outcome.end,
        unit: run.scenario.sci.functional_unit.name(),
        units,
    };
    let sci = sample(&Parts::of(&books), spec, spec.samples, Seed(run.scenario.seed)).sci_g_per_unit;
    let [p05, p50, p95] = sci.map_or([f64::NAN; 3], |e| [e.p05, e.p50, e.p95]);
    list.number("sci.p05_g_per_unit", p05, "gCO2e/R", "score that 5 % of the samples of sci.uncertainty are below");
    list.number("sci.p50_g_per_unit", p50, "gCO2e/R", "median of the score over the samples of sci.uncertainty");
    list.number("sci.p95_g_per_unit", p95, "gCO2e/R", "score that 95 % of the samples of sci.uncertainty are below");
}

/// What the score rests on, beside it.
fn statement(list: &mut List, run: &Finished<'_>) {
    let info: Vec<SignalInfo> = run.signals.score.iter().map(|s| s.info().clone()).collect();
    let said = Statement::new(&info, run.groups).with_network(run.scenario.network.is_some());
    list.text("sci.standard", said.standard, "the specification that the score follows");
    list.text("sci.boundary", said.boundary, "what the score covers");
    list.text("sci.signal", &said.signal, "grid zones, and who published their numbers");
    list.text("sci.signal_kind", &said.kind, "average or marginal intensity");
    list.text("sci.factor_basis", &said.factor_basis, "emission factors: direct or life cycle, and whose");
    list.text("sci.dataset_version", &said.dataset_version, "year, export or vintage of the signal");
    list.text("sci.lifetime_years", &said.lifetime, "expected lifespan of the hosts, years of 365 days");
    list.text("sci.embodied", &said.embodied, "embodied emissions of a host, share of this life, what it stands in");
}

/// What all functions have done, for counting R.
pub fn works<'a>(run: &'a Finished<'_>) -> impl Iterator<Item = Work<'a>> {
    run.outcome.functions.iter().zip(&run.outcome.profiles).map(|(f, p)| super::tables::work(p, f))
}

/// R of the whole run.
pub fn units(run: &Finished<'_>) -> f64 {
    run.scenario.sci.functional_unit.count(works(run), run.outcome.end.as_secs_f64())
}

fn cause_meaning(cause: Cause) -> &'static str {
    match cause {
        Cause::Execution => "executing calls: dynamic, and the baseline of the memory that busy sandboxes hold",
        Cause::ColdStart => "starting sandboxes: dynamic, and the baseline of the memory they hold",
        Cause::WarmIdle => "baseline of the memory that warm idle sandboxes hold",
        Cause::IdleHost => "baseline of hosts that are on, as far as no sandbox holds their memory",
        Cause::Boot => "hosts booting",
        Cause::Off => "hosts switched off",
        Cause::Overhead => "cooling and power conversion: (PUE - 1) x IT energy",
        Cause::Network => "what is sent between regions",
    }
}
