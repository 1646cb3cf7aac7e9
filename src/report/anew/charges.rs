//! Functions and tenants of a finished run charged anew, from its accounts by period: under other signals, by other rules.

use std::path::{Path, PathBuf};

use super::scores::aligned;
use super::{AccountLog, Column, significant};
use crate::ledger::{Accounts, Cause};
use crate::sci::attribution::{AttributionSpec, Periods, Rows, RowsError, attribute};
use crate::sci::{FunctionalUnit, Record, Scored, Share, SignalSet, Work, intensity, score};
use crate::types::{Duration, GroupId, SimTime};

/// The row of what is charged to nobody.
const NOBODY: &str = "(unattributed)";

/// Who is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Every function.
    Function,
    /// Every tenant.
    Tenant,
}

/// What one function or tenant, or nobody, comes to under each signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Charged {
    /// Its name; `(unattributed)` for what is charged to nobody.
    pub name: String,
    /// Functional units; NaN for nobody.
    pub units: f64,
    /// One share per signal.
    pub shares: Vec<Share>,
}

/// Why nobody can be charged anew.
#[derive(Debug, thiserror::Error)]
pub enum ChargeError {
    /// The run kept no accounts by period.
    #[error(
        "the run kept no accounts by period, and without them functions have no other emissions than those that it printed\n  help: run the \
         scenario with output.account_step_s, for example --set output.account_step_s=3600"
    )]
    NoPeriods,
    /// A rule does not fit the periods.
    #[error("{key}: {message}\n  help: {help}")]
    Rule {
        /// Which rule.
        key: String,
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// The accounts cannot be read.
    #[error("{0}\n  help: the result is damaged or was changed; run the scenario again")]
    Rows(#[from] RowsError),
    /// A table cannot be read.
    #[error("cannot read {}: {what}\n  help: the result is damaged or was changed; run the scenario again", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// Charges functions or tenants of a run anew under each signal.
///
/// A row of the accounts is charged the time mean of the intensity over its period: exact where no signal changes inside a period
/// ([`changes_inside`] tells), and the sum is exact in any case.
///
/// # Errors
/// The run kept no accounts by period, they are damaged, or a rule does not go with them.
pub fn charge_anew(
    folder: &Path,
    record: &Record,
    signals: &[SignalSet],
    rules: Option<&AttributionSpec>,
    (by, unit): (By, &FunctionalUnit),
) -> Result<Vec<Charged>, ChargeError> {
    let step = Duration(record.facts.account_step_ns.ok_or(ChargeError::NoPeriods)?);
    let rules = rules.unwrap_or(&record.facts.attribution);
    if let Some((key, message, help)) = rules.problems(Some(step)).into_iter().next() {
        return Err(ChargeError::Rule { key, message, help });
    }
    let log = AccountLog::new(&folder.join("accounts.parquet"));
    let work = Worked::read(&folder.join("functions.csv"))?;
    let scored = signals
        .iter()
        .map(|signal| scored_anew(record, &signal.intensity, rules, (&log, step), work.len()))
        .collect::<Result<Vec<_>, _>>()?;
    let (names, owner) = match by {
        By::Function => (work.iter().map(|w| w.name.clone()).collect(), (0..work.len()).collect()),
        By::Tenant => tenants(&work),
    };
    let run_s = record.end().as_secs_f64();
    let mut own: Vec<Vec<Work<'_>>> = vec![Vec::new(); names.len()];
    work.iter().zip(&owner).for_each(|(w, &to)| own[to].push(w.work(to)));
    let rows = names.into_iter().zip(own).map(|(name, own)| (name, unit.count(own, run_s)));
    let mut charged: Vec<Charged> =
        rows.map(|(name, units)| Charged { name, units, shares: vec![Share::default(); signals.len()] }).collect();
    for (s, scored) in scored.iter().enumerate() {
        for (share, &to) in scored.functions.iter().zip(&owner) {
            charged[to].shares[s].add(share);
        }
    }
    let nobody = scored.iter().map(|s| s.unattributed).collect();
    charged.push(Charged { name: NOBODY.to_owned(), units: f64::NAN, shares: nobody });
    Ok(charged)
}

fn scored_anew(
    record: &Record,
    intensity: &[Vec<f64>],
    rules: &AttributionSpec,
    (log, step): (&AccountLog, Duration),
    functions: usize,
) -> Result<Scored, ChargeError> {
    let mut groups = record.facts.groups.clone();
    let regions = record.regions(intensity);
    for group in groups.iter_mut().filter(|g| g.carbon_pue.is_some()) {
        // Overhead that depends on the weather has a mean of its own under every signal.
        let grams = &regions[group.region.index()].operational_g;
        const OVERHEAD: usize = Cause::Overhead as usize;
        let it: f64 = grams[..OVERHEAD].iter().sum();
        group.carbon_pue = (it > 0.0).then(|| 1.0 + grams[OVERHEAD] / it).or(Some(group.pue));
    }
    let mut accounts = Accounts::new(groups.len());
    accounts.grow(functions);
    let mut means = PeriodMeans { record, intensity, step, start: None, of_region: Vec::new() };
    let mut odd = None;
    log.each(&mut |row| {
        if row.function.index() >= functions || row.group.index() >= groups.len() {
            odd = Some((row.function, row.group));
            return;
        }
        let weight = means.of(row.start, groups[row.group.index()].region.index());
        let account = accounts.of_mut(row.function, GroupId::from_index(row.group.index()));
        for i in 0..3 {
            account.share_s[i] += row.share_s[i];
            account.share_weight[i] += row.share_s[i] * weight;
        }
        for i in 0..2 {
            account.dynamic_j[i] += row.dynamic_j[i];
            account.dynamic_weight[i] += row.dynamic_j[i] * weight;
        }
        account.network_j += row.network_j;
        account.network_weight += row.network_j * weight;
    })?;
    if let Some((function, group)) = odd {
        let what =
            format!("it has an account of function {} with group {}, which the run has not", function.0, group.0);
        return Err(ChargeError::Rows(RowsError(what)));
    }
    let scored = score(&record.site, &accounts, &groups, intensity, record.end());
    let periods = Periods { step, end: record.end(), rows: log };
    Ok(attribute(rules, scored, &accounts, &groups, periods)?)
}

/// Mean intensity of the period at hand, by region; rows come period by period.
struct PeriodMeans<'a> {
    record: &'a Record,
    intensity: &'a [Vec<f64>],
    step: Duration,
    start: Option<SimTime>,
    of_region: Vec<f64>,
}

impl PeriodMeans<'_> {
    fn of(&mut self, start: SimTime, region: usize) -> f64 {
        if self.start != Some(start) {
            self.start = Some(start);
            let (record, step) = (self.record, self.step);
            self.of_region = self.intensity.iter().map(|of| period_mean(record, of, start, step)).collect();
        }
        self.of_region[region]
    }
}

/// Bins of a period.
fn bins(record: &Record, start: SimTime, step: Duration) -> std::ops::Range<usize> {
    let end = (start.0 + step.0).min(record.facts.end_ns);
    let bin = record.facts.step_ns;
    (start.0 / bin) as usize..end.div_ceil(bin) as usize
}

/// Time mean of a region's intensity over a period [gCO2e/kWh].
fn period_mean(record: &Record, of: &[f64], start: SimTime, step: Duration) -> f64 {
    let bins = bins(record, start, step);
    let inside = &of[bins.start.min(of.len())..bins.end.min(of.len())];
    let (Some(first), Some(last)) = (inside.first(), inside.last()) else { return 0.0 };
    if inside.iter().all(|x| x == first) {
        return *first;
    }
    let bin_s = record.facts.step_ns as f64;
    let end = (start.0 + step.0).min(record.facts.end_ns);
    let cut = end as f64 - (bins.end - 1) as f64 * bin_s;
    let whole: f64 = inside[..inside.len() - 1].iter().map(|x| x * bin_s).sum();
    (whole + last * cut) / (end - start.0) as f64
}

/// Whether a signal changes inside a period of the run's accounts: then functions are charged means.
pub fn changes_inside(record: &Record, signal: &SignalSet) -> bool {
    let Some(step) = record.facts.account_step_ns else { return false };
    let starts = (0..record.facts.end_ns).step_by(usize::try_from(step).unwrap_or(usize::MAX).max(1));
    starts.into_iter().any(|start| {
        let bins = bins(record, SimTime(start), Duration(step));
        signal.intensity.iter().any(|of| {
            let inside = &of[bins.start.min(of.len())..bins.end.min(of.len())];
            // Means over bins that end with a step are right to a rounding.
            inside.iter().any(|x| (x - inside[0]).abs() > 1e-12 * inside[0].abs())
        })
    })
}

/// What a function has done: a row of functions.csv.
struct Worked {
    name: String,
    tenant: String,
    executed: u64,
    busy_s: f64,
    work_s: f64,
    memory_gb: f64,
    cores: f64,
    /// Instances, their time, CPU and memory: nothing in tables of runs before there were any.
    lived: [f64; 4],
}

impl Worked {
    /// The rows of functions.csv without the last, which is nobody's.
    fn read(path: &Path) -> Result<Vec<Self>, ChargeError> {
        let wrong = |what: String| ChargeError::Table { path: path.to_owned(), what };
        let mut table = csv::Reader::from_path(path).map_err(|e| wrong(e.to_string()))?;
        let header = table.headers().map_err(|e| wrong(e.to_string()))?.clone();
        let column = |name: &str| {
            header.iter().position(|h| h == name).ok_or_else(|| wrong(format!("there is no column \"{name}\"")))
        };
        let texts = [column("function")?, column("tenant")?];
        let numbers = ["executed", "busy_s", "work_s", "memory_mb", "cpu_cores"].map(&column);
        let numbers = numbers.into_iter().collect::<Result<Vec<_>, _>>()?;
        let lived = ["instances", "instance_s", "instance_core_s", "instance_gb_s"].map(|name| column(name).ok());
        let mut rows = Vec::new();
        for record in table.records() {
            let record = record.map_err(|e| wrong(e.to_string()))?;
            let [name, tenant] = texts.map(|at| record[at].to_owned());
            if name == NOBODY {
                return Ok(rows);
            }
            let number = |i: usize| {
                record[numbers[i]]
                    .parse::<f64>()
                    .map_err(|_| wrong(format!("\"{}\" is no number", &record[numbers[i]])))
            };
            let mut of_instances = [0.0; 4];
            for (value, at) in of_instances.iter_mut().zip(lived) {
                let Some(at) = at else { continue };
                *value = record[at].parse().map_err(|_| wrong(format!("\"{}\" is no number", &record[at])))?;
            }
            let (executed, memory_gb) = (number(0)? as u64, number(3)? / 1000.0);
            rows.push(Self {
                name,
                tenant,
                executed,
                busy_s: number(1)?,
                work_s: number(2)?,
                memory_gb,
                cores: number(4)?,
                lived: of_instances,
            });
        }
        Err(wrong(format!("its last row is not {NOBODY}")))
    }

    fn work(&self, tenant: usize) -> Work<'_> {
        let Self { name, executed, busy_s, work_s, memory_gb, cores, lived, .. } = self;
        let [instances, instance_s, instance_core_s, instance_gb_s] = *lived;
        Work {
            name,
            tenant: u32::try_from(tenant).unwrap_or(u32::MAX),
            executed: *executed,
            busy_s: *busy_s,
            work_s: *work_s,
            memory_gb: *memory_gb,
            cores: *cores,
            instances: instances as u64,
            instance_s,
            instance_core_s,
            instance_gb_s,
        }
    }
}

/// The tenants in the order of their first function, and the tenant of every function.
fn tenants(work: &[Worked]) -> (Vec<String>, Vec<usize>) {
    let mut names: Vec<String> = Vec::new();
    let mut places = std::collections::BTreeMap::new();
    let owner = work.iter().map(|w| {
        *places.entry(w.tenant.as_str()).or_insert_with(|| {
            names.push(w.tenant.clone());
            names.len() - 1
        })
    });
    let owner = owner.collect();
    (names, owner)
}

/// Columns of the table by function or tenant.
pub const CHARGED: &[Column] = &[
    ("signal", "text", "what the signal is called"),
    ("name", "text", "function or tenant; (unattributed) for what is charged to nobody"),
    ("units", "R", "functional units"),
    ("execution_j", "J", "energy by cause, overhead apart"),
    ("cold_start_j", "J", "the same"),
    ("warm_idle_j", "J", "the same"),
    ("idle_host_j", "J", "the same"),
    ("boot_j", "J", "the same"),
    ("off_j", "J", "the same"),
    ("pue_overhead_j", "J", "cooling and power conversion of all of these"),
    ("network_j", "J", "what was sent between regions"),
    ("operational_execution_g", "gCO2e", "operational emissions by cause"),
    ("operational_cold_start_g", "gCO2e", "the same"),
    ("operational_warm_idle_g", "gCO2e", "the same"),
    ("operational_idle_host_g", "gCO2e", "the same"),
    ("operational_boot_g", "gCO2e", "the same"),
    ("operational_off_g", "gCO2e", "the same"),
    ("operational_pue_overhead_g", "gCO2e", "the same"),
    ("operational_network_g", "gCO2e", "the same"),
    ("operational_g", "gCO2e", "O"),
    ("embodied_g", "gCO2e", "M"),
    ("sci_g_per_unit", "gCO2e/R", "(O + M) / R; empty without units"),
];

/// All rows under all signals as CSV, with every digit.
///
/// # Errors
/// `out` cannot be written.
pub fn charged_csv(charged: &[Charged], signals: &[SignalSet], out: &mut dyn std::io::Write) -> std::io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(CHARGED.iter().map(|c| c.0))?;
    for (s, signal) in signals.iter().enumerate() {
        for row in charged {
            let share = &row.shares[s];
            let (operational_g, embodied_g) = (share.total_operational_g(), share.embodied_g);
            let sci = intensity(operational_g + embodied_g, row.units).unwrap_or(f64::NAN);
            let numbers = std::iter::once(row.units).chain(share.energy_j).chain(share.operational_g);
            let numbers = numbers.chain([operational_g, embodied_g, sci]);
            let cells = numbers.map(|x| if x.is_finite() { x.to_string() } else { String::new() });
            let names = [signal.name.clone(), row.name.clone()].into_iter();
            table.write_record(names.chain(cells))?;
        }
    }
    table.flush()
}

/// The largest `top` rows under the first signal, what the others come to together, and nobody's.
pub fn charged_text(charged: &[Charged], unit: &str, top: usize) -> String {
    let total = |share: &Share| share.total_operational_g() + share.embodied_g;
    let signals = charged.first().map_or(0, |c| c.shares.len());
    let (nobody, known) = charged.split_last().expect("there is always a row of nobody");
    let mut order: Vec<&Charged> = known.iter().collect();
    order.sort_by(|a, b| total(&b.shares[0]).total_cmp(&total(&a.shares[0])));
    let shown = top.min(order.len());
    let mut rows: Vec<Charged> = order[..shown].iter().map(|&c| c.clone()).collect();
    if shown < order.len() {
        let mut others = Charged {
            name: format!("({} others)", order.len() - shown),
            units: 0.0,
            shares: vec![Share::default(); signals],
        };
        for c in &order[shown..] {
            others.units += c.units;
            others.shares.iter_mut().zip(&c.shares).for_each(|(sum, share)| sum.add(share));
        }
        rows.push(others);
    }
    rows.push(nobody.clone());
    let mut header = vec![String::new(), "R".to_owned()];
    for s in 1..=signals {
        header.extend([format!("[{s}] O g"), "M g".to_owned(), format!("SCI g/{unit}")]);
    }
    let mut table = vec![header];
    for row in &rows {
        let mut cells = vec![row.name.clone(), if row.units.is_nan() { String::new() } else { significant(row.units) }];
        for share in &row.shares {
            let sci = if row.units.is_nan() { None } else { intensity(total(share), row.units) };
            cells.extend([significant(share.total_operational_g()), significant(share.embodied_g)]);
            cells.push(match sci {
                None if row.units.is_nan() => String::new(),
                sci => significant(sci.unwrap_or(f64::NAN)),
            });
        }
        table.push(cells);
    }
    aligned(&table, 1)
}
