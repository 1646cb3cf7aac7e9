//! What the meter showed beside the truth, and what usual ways of attribution make of it: `meter.csv`, `meter_functions.csv` and the
//! figures `meter.*`. Only of runs with `[meter]`; formulas and literature: docs/measurement.md.

use std::io::Write;

use super::summary::{List, share};
use super::tables::Column;
use super::{Finished, Folder, ReportError};
use crate::ledger::{Account, MeterScope, Metered};
use crate::sci::GroupFacts;
use crate::types::{FunctionId, RegionId};

/// Columns of `meter.csv`: one row per reading and region.
pub const METER: &[Column] = &[
    ("time_s", "s", "when the meter was read, from the run's start"),
    ("length_s", "s", "until it was read again, or the run ended"),
    ("region", "text", "region"),
    ("true_w", "W", "true mean power of what the meter sees, until it was read again"),
    ("metered_w", "W", "what the meter makes of it"),
    ("true_j", "J", "true energy"),
    ("metered_j", "J", "metered energy"),
    ("error_j", "J", "metered less true energy"),
];

/// Columns of `meter_functions.csv`: one row per function, and one for what is nobody's.
pub const METER_FUNCTIONS: &[Column] = &[
    ("function", "text", "function"),
    ("tenant", "text", "its tenant"),
    ("executed", "1", "calls that finished"),
    ("cpu_time_core_s", "core·s", "CPU that its finished calls demanded x their time in execution"),
    ("memory_time_mb_s", "MB·s", "memory that its sandboxes held in any state x time"),
    ("true_j", "J", "true energy: execution, cold starts and warm idle, as far as the meter sees it"),
    ("cpu_time_j", "J", "metered energy by CPU time"),
    ("cpu_time_above_idle_j", "J", "metered energy above idle by CPU time, idle energy by memory x time"),
    ("calls_j", "J", "metered energy by number of calls"),
    ("memory_time_j", "J", "metered energy by memory x time"),
];

/// Names of the ways of attribution, in the order of their columns.
const METHODS: [&str; 4] = ["cpu_time", "cpu_time_above_idle", "calls", "memory_time"];

/// What a tool can know of a function, and what only the ledger knows.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    calls: f64,
    cpu_core_s: f64,
    memory_mb_s: f64,
    true_j: f64,
}

/// Metered energy as it is spread over functions.
struct Attribution {
    known: Vec<Known>,
    /// By way and function \[J\].
    spread: [Vec<f64>; 4],
    true_j: f64,
    metered_j: f64,
}

/// True and metered energy of all regions \[J\].
fn energy(metered: &Metered) -> (f64, f64) {
    let rows = (0..metered.regions()).flat_map(|r| metered.rows(RegionId::from_index(r)));
    rows.fold((0.0, 0.0), |(truth, shown), m| (truth + m.true_j(), shown + m.metered_j()))
}

fn attribute(run: &Finished<'_>, metered: &Metered) -> Attribution {
    let known = |(f, (stats, profile)): (usize, (&crate::sim::FunctionStats, &crate::workload::FunctionProfile))| {
        let accounts = run.outcome.accounts.row(FunctionId::from_index(f)).iter().zip(run.groups);
        let mut known = Known {
            calls: stats.executed as f64,
            cpu_core_s: stats.busy_s * profile.cpu.as_cores(),
            ..Known::default()
        };
        for (account, group) in accounts {
            known.memory_mb_s += account.share_s.iter().sum::<f64>() * group.memory_mb;
            known.true_j += true_j(account, group, metered.spec.scope);
        }
        known
    };
    let known: Vec<Known> = run.outcome.functions.iter().zip(&run.outcome.profiles).enumerate().map(known).collect();
    let (true_j, metered_j) = energy(metered);
    let idle_j = metered.idle_j.min(metered_j);
    let by = |joules: f64, part: fn(&Known) -> f64| {
        let whole: f64 = known.iter().map(part).sum();
        known.iter().map(|k| if whole > 0.0 { joules * (part(k) / whole) } else { 0.0 }).collect::<Vec<f64>>()
    };
    let (cpu, memory) = (|k: &Known| k.cpu_core_s, |k: &Known| k.memory_mb_s);
    let above =
        by(metered_j - idle_j, cpu).iter().zip(by(idle_j, memory)).map(|(dynamic, idle)| dynamic + idle).collect();
    let spread = [by(metered_j, cpu), above, by(metered_j, |k| k.calls), by(metered_j, memory)];
    Attribution { known, spread, true_j, metered_j }
}

/// What a function drew on one host group, as far as a meter of this scope sees it \[J\].
fn true_j(account: &Account, group: &GroupFacts, scope: MeterScope) -> f64 {
    let share_s: f64 = account.share_s.iter().sum();
    let it_j = account.dynamic_j.iter().sum::<f64>() + share_s * group.held_w;
    match scope {
        MeterScope::Host => it_j,
        MeterScope::Facility => it_j * group.pue + share_s * group.fixed_overhead_w,
    }
}

/// The figures `meter.*`.
pub(super) fn figures(list: &mut List, run: &Finished<'_>) {
    let Some(metered) = &run.outcome.metered else { return };
    let a = attribute(run, metered);
    let deviation: f64 = (0..metered.regions())
        .flat_map(|r| metered.rows(RegionId::from_index(r)))
        .map(|m| (m.metered_j() - m.true_j()).abs())
        .sum();
    list.count("meter.samples", metered.samples() as u64, "readings of one meter before the run's end");
    list.number("meter.energy_j", a.metered_j, "J", "energy that the meters show");
    list.number("meter.true_j", a.true_j, "J", "true energy of what they see");
    list.number("meter.error_j", a.metered_j - a.true_j, "J", "metered less true energy");
    list.number(
        "meter.error_share",
        share(a.metered_j - a.true_j, a.true_j),
        "1",
        "metered less true energy, over true energy",
    );
    list.number(
        "meter.interval_error_share",
        share(deviation, a.true_j),
        "1",
        "sum over all intervals and regions of the size of their error, over true energy",
    );
    list.count("meter.wraps", metered.wraps, "times a counter began again and its reader noticed");
    list.count(
        "meter.wraps_unseen",
        metered.wraps_unseen,
        "times a counter began again unnoticed: that energy is missing",
    );
    let functions_j: f64 = a.known.iter().map(|k| k.true_j).sum();
    list.number(
        "meter.functions_true_j",
        functions_j,
        "J",
        "true energy of all functions, as far as the meters see it",
    );
    for (method, spread) in METHODS.iter().zip(&a.spread) {
        let total: f64 = spread.iter().sum();
        let pairs = || a.known.iter().zip(spread).map(|(k, &charged)| (k.true_j, charged));
        let off: f64 = pairs().map(|(truth, charged)| (charged - truth).abs()).sum();
        let wrong: f64 =
            pairs().map(|(truth, charged)| (share(charged, total) - share(truth, functions_j)).abs()).sum();
        let most = pairs().filter(|p| p.0 > 0.0).map(|(t, charged)| (charged - t).abs() / t).fold(f64::NAN, f64::max);
        let mut figure =
            |name: &str, value, meaning| list.number(&format!("meter.{method}_{name}"), value, "1", meaning);
        figure(
            "error_mean",
            share(off, functions_j),
            "attributed less true energy of a function over its true energy: size, mean weighted by true energy",
        );
        figure("error_max", most, "the same: the largest of any function");
        figure(
            "wrong_share",
            0.5 * wrong,
            "share of what is attributed that would have to go to another function to have the true proportions",
        );
    }
}

/// Writes `meter.csv` and `meter_functions.csv`, where there is a meter.
///
/// # Errors
/// A file cannot be written.
pub fn write_meter(run: &Finished<'_>, folder: &Folder) -> Result<(), ReportError> {
    let Some(metered) = &run.outcome.metered else { return Ok(()) };
    folder.write("meter.csv", |f| readings(run, metered, f))?;
    folder.write("meter_functions.csv", |f| functions(run, metered, f))
}

/// A number as a cell; what is not finite is undefined and left empty.
fn cell(x: f64) -> String {
    if x.is_finite() { x.to_string() } else { String::new() }
}

fn table<'a>(out: &'a mut dyn Write, columns: &[Column]) -> std::io::Result<csv::Writer<&'a mut dyn Write>> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(columns.iter().map(|c| c.0))?;
    Ok(table)
}

fn readings(run: &Finished<'_>, metered: &Metered, out: &mut dyn Write) -> std::io::Result<()> {
    let mut table = table(out, METER)?;
    let mut regions: Vec<_> = (0..metered.regions()).map(|r| metered.rows(RegionId::from_index(r))).collect();
    for _ in 0..metered.samples() {
        for (rows, facts) in regions.iter_mut().zip(run.regions) {
            let Some(m) = rows.next() else { continue };
            let (truth, shown) = (m.true_j(), m.metered_j());
            let numbers = [m.true_w, m.metered_w, truth, shown, shown - truth].map(cell);
            let place = [cell(m.from.as_secs_f64()), cell(m.length.as_secs_f64()), facts.name.clone()];
            table.write_record(place.iter().chain(&numbers))?;
        }
    }
    table.flush()
}

fn functions(run: &Finished<'_>, metered: &Metered, out: &mut dyn Write) -> std::io::Result<()> {
    let mut table = table(out, METER_FUNCTIONS)?;
    let a = attribute(run, metered);
    for (i, (known, profile)) in a.known.iter().zip(&run.outcome.profiles).enumerate() {
        let tenant = &run.outcome.tenants[profile.tenant.index()];
        let mut row = vec![profile.name.to_string(), tenant.to_string(), cell(known.calls)];
        row.extend([known.cpu_core_s, known.memory_mb_s, known.true_j].map(cell));
        row.extend(a.spread.iter().map(|way| cell(way[i])));
        table.write_record(&row)?;
    }
    // What is nobody's: idle hosts in truth, and what a way finds nobody to charge for.
    let rest = |whole: f64, parts: f64| {
        let left = whole - parts;
        cell(if left.abs() <= 1e-9 * whole.abs() { 0.0 } else { left })
    };
    let mut row = vec!["(unattributed)".to_owned()];
    row.resize(5, String::new());
    row.push(rest(a.true_j, a.known.iter().map(|k| k.true_j).sum()));
    row.extend(a.spread.iter().map(|way| rest(a.metered_j, way.iter().sum())));
    table.write_record(&row)?;
    table.flush()
}
