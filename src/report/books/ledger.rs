//! `ledger.json` and `ledger.parquet`: the books of a run, from which `sim score` scores it anew without simulating.

use std::path::{Path, PathBuf};

use super::columns::{self, Cells};
use super::summary::{units, works};
use super::{Finished, Folder, ReportError};
use crate::ledger::{COLUMNS, Column, Rates, SiteBook};
use crate::sci::{FORMAT, FunctionalUnit, Record, RecordFacts};
use crate::types::{Duration, RegionId};

const FACTS: &str = "ledger.json";
const TABLE: &str = "ledger.parquet";
const DECIDED: &str = "decided_on_g_per_kwh";
const SCORED: &str = "scored_on_g_per_kwh";

/// Columns of `ledger.parquet` beside region, bin and the two intensities: one per [`Column`], in its order.
pub const LEDGER: [(&str, &str, &str); COLUMNS] = [
    ("busy_core_s", "core·s", "CPU in use"),
    ("used_memory_mb_s", "MB·s", "memory held by sandboxes"),
    ("running_call_s", "call·s", "calls in execution"),
    ("warm_sandbox_s", "sandbox·s", "warm idle sandboxes"),
    ("starting_sandbox_s", "sandbox·s", "sandboxes being started"),
    ("hosts_on_s", "host·s", "hosts powered on"),
    ("execution_dynamic_j", "J", "dynamic energy of calls"),
    ("cold_start_dynamic_j", "J", "dynamic energy of starts"),
    ("execution_baseline_j", "J", "idle power of what busy sandboxes hold"),
    ("cold_start_baseline_j", "J", "idle power of what starting sandboxes hold"),
    ("warm_idle_j", "J", "idle power of what warm sandboxes hold"),
    ("idle_host_j", "J", "idle power of what no sandbox holds"),
    ("boot_j", "J", "hosts booting"),
    ("off_j", "J", "hosts that are off"),
    ("pue_overhead_j", "J", "cooling and power conversion"),
    ("warm_memory_mb_s", "MB·s", "memory held by warm sandboxes"),
    ("network_j", "J", "what is sent between regions"),
];

/// Why a ledger cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The folder has none.
    #[error(
        "{} has no {FACTS}: it is no result of `sim run`, or of a version that kept no ledger\n  help: {}",
        folder.display(),
        match folder.join("compare.csv").is_file() {
            true => "this is a comparison: name one of the runs below its folder runs/",
            false => "name a results folder, or run the scenario again",
        }
    )]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// It is damaged.
    #[error("cannot read {}: {what}\n  help: the result is damaged or was changed; run the scenario again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// It was written by another version.
    #[error(
        "{} has layout {found}, this program reads layout {FORMAT}\n  help: run the scenario again, or use the version of sim \
         that wrote it",
        path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: u32,
    },
}

/// Writes the books of a run.
///
/// # Errors
/// A file cannot be written whole.
pub fn write_ledger(run: &Finished<'_>, name: &str, folder: &Folder) -> Result<(), ReportError> {
    let record = record(run, name);
    folder.write(FACTS, |f| {
        serde_json::to_writer_pretty(&mut *f, &record.facts)?;
        f.write_all(b"\n")
    })?;
    let path = folder.path(TABLE);
    columns::write(&path, "ledger", &cells(&record)).map_err(|e| ReportError::Table { path, what: e.to_string() })
}

/// The books of a finished run.
pub fn record(run: &Finished<'_>, name: &str) -> Record {
    let run_s = run.outcome.end.as_secs_f64();
    let info = |signals: &[crate::grid::Signal]| signals.iter().map(|s| s.info().clone()).collect();
    let site = run.outcome.site.clone();
    let facts = RecordFacts {
        format: FORMAT,
        scenario: name.to_owned(),
        start: run.scenario.time.start.clone(),
        seed: run.scenario.seed,
        end_ns: run.outcome.end.0,
        step_ns: site.step().0,
        rows: (0..site.regions()).map(|r| site.rows(RegionId::from_index(r)).len()).collect(),
        regions: run.regions.iter().map(|r| r.name.clone()).collect(),
        groups: run.groups.to_vec(),
        decided_on: info(&run.signals.decide),
        scored_on: info(&run.signals.score),
        account_step_ns: run.scenario.output.account_step_s.map(|s| Duration::from_secs_f64(s).0),
        attribution: run.scenario.sci.attribution.clone(),
        unit: run.scenario.sci.functional_unit.clone(),
        units: units(run),
        units_by_name: FunctionalUnit::NAMED
            .iter()
            .map(|unit| (unit.name().to_owned(), unit.count(works(run), run_s)))
            .collect(),
        network: run.scenario.network.is_some(),
        uncertainty: run.scenario.sci.uncertainty.clone(),
    };
    let decided_on = crate::sci::intensities(&site, &run.signals.decide, run.outcome.end);
    Record { facts, site, decided_on, scored_on: run.intensity.to_vec() }
}

fn cells(record: &Record) -> Vec<(&'static str, Cells)> {
    let bins = record.scored_on.first().map_or(0, Vec::len);
    let regions = record.site.regions();
    let places = |of: fn(usize, usize) -> i32| {
        Cells::Places((0..regions).flat_map(|r| (0..bins).map(move |b| of(r, b))).collect())
    };
    let mut table = vec![("region", places(|r, _| r as i32)), ("bin", places(|_, b| b as i32))];
    for (c, (name, _, _)) in LEDGER.iter().enumerate() {
        let rows = (0..regions).flat_map(|r| {
            let rows = record.site.rows(RegionId::from_index(r));
            (0..bins).map(|b| rows.get(b).map_or(0.0, |row| row[c]))
        });
        table.push((name, Cells::Numbers(rows.collect())));
    }
    table.push((DECIDED, Cells::Numbers(record.decided_on.concat())));
    table.push((SCORED, Cells::Numbers(record.scored_on.concat())));
    table
}

/// Reads the books of a results folder.
///
/// # Errors
/// There are none, or they are damaged, or of another version.
pub fn read_ledger(folder: &Path) -> Result<Record, LedgerError> {
    let path = folder.join(FACTS);
    let damaged = |path: &Path, what: String| LedgerError::Damaged { path: path.to_owned(), what };
    let text = std::fs::read_to_string(&path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
            LedgerError::Missing { folder: folder.to_owned() }
        }
        _ => damaged(&path, e.to_string()),
    })?;
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|e| damaged(&path, e.to_string()))?;
    match value["format"].as_u64() {
        Some(n) if n == u64::from(FORMAT) => {}
        Some(n) => return Err(LedgerError::Format { path, found: u32::try_from(n).unwrap_or(u32::MAX) }),
        None => return Err(damaged(&path, "it names no format".to_owned())),
    }
    let facts: RecordFacts = serde_json::from_value(value).map_err(|e| damaged(&path, e.to_string()))?;
    let table = folder.join(TABLE);
    let names: Vec<&str> = LEDGER.iter().map(|c| c.0).chain([DECIDED, SCORED]).collect();
    // Ledgers from before there was a network have no such column: nothing was sent.
    let network = Column::Network as usize;
    let sent = columns::has(&table, LEDGER[network].0).map_err(|e| damaged(&table, e.to_string()))?;
    let there: Vec<&str> = names.iter().enumerate().filter(|&(c, _)| sent || c != network).map(|(_, n)| *n).collect();
    let read = columns::read(&table, &there).map_err(|e| damaged(&table, e.to_string()))?;
    let mut numbers: Vec<Vec<f64>> = read
        .into_iter()
        .map(|cells| match cells {
            Cells::Numbers(v) => Ok(v),
            Cells::Places(_) => Err(damaged(&table, "a column of numbers holds places".to_owned())),
        })
        .collect::<Result<_, _>>()?;
    if !sent {
        numbers.insert(network, vec![0.0; numbers[0].len()]);
    }
    assemble(facts, &numbers).map_err(|what| damaged(&table, what))
}

fn assemble(facts: RecordFacts, numbers: &[Vec<f64>]) -> Result<Record, String> {
    let regions = facts.regions.len();
    let (length, step) = (facts.end_ns, facts.step_ns.max(1));
    let bins = usize::try_from(length.div_ceil(step)).unwrap_or(usize::MAX).max(1);
    let wanted = regions.checked_mul(bins).ok_or("the ledger's facts are too large")?;
    if numbers.iter().any(|v| v.len() != wanted) {
        return Err(format!("it has {} rows; {FACTS} says {wanted}", numbers[0].len()));
    }
    // Sums of rates may be a rounding below 0, intensities may not.
    let least = |column: usize| if column < COLUMNS { -1e-6 } else { 0.0 };
    if numbers.iter().enumerate().any(|(c, column)| column.iter().any(|x| !(x.is_finite() && *x >= least(c)))) {
        return Err("it holds a number that is not finite or below 0".to_owned());
    }
    let fine = |g: &crate::sci::GroupFacts| {
        let known = [g.held_w, g.pue - 1.0, g.fixed_overhead_w, g.embodied_kg, g.powered_s, g.surroundings_g_per_s];
        known.iter().all(|x| x.is_finite() && *x >= 0.0) && g.lifetime_s.is_finite() && g.lifetime_s > 0.0
    };
    if let Some(group) = facts.groups.iter().find(|g| !fine(g)) {
        return Err(format!("{FACTS} has a figure below 0, or no lifespan, for server type {}", group.server));
    }
    let odd = facts.rows.len() != regions
        || facts.rows.iter().any(|&rows| rows > bins)
        || facts.groups.iter().any(|g| g.region.index() >= regions)
        || [&facts.decided_on, &facts.scored_on].iter().any(|signals| signals.len() != regions);
    if odd {
        return Err(format!("it does not go with {FACTS}"));
    }
    let site = facts.rows.iter().enumerate().map(|(r, &rows)| {
        (r * bins..r * bins + rows).map(|at| std::array::from_fn(|c| numbers[c][at])).collect::<Vec<Rates>>()
    });
    let site = SiteBook::from_rows(Duration(facts.step_ns), site.collect());
    let by_region = |of: &[f64]| of.chunks(bins).map(<[f64]>::to_vec).collect::<Vec<_>>();
    let decided_on = by_region(&numbers[COLUMNS]);
    let scored_on = by_region(&numbers[COLUMNS + 1]);
    Ok(Record { facts, site, decided_on, scored_on })
}

const _: () = assert!(Column::Network as usize + 1 == COLUMNS);
