//! The join: invocations, durations and memory of one day become functions with their counts per minute.
//!
//! Durations and memory are read first into maps, then the invocations row by row, so that a function that is dropped
//! or not sampled never takes memory.

use std::path::{Path, PathBuf};

use rustc_hash::{FxHashMap, FxHashSet};

use super::Spec;
use super::table::Table;
use crate::types::Seed;
use crate::workload::{Trigger, WorkloadError};

/// Percentiles of the duration file, as shares.
const QUANTILES: [f64; 7] = [0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0];
/// Their columns.
const PERCENTILES: [&str; 7] = [
    "percentile_Average_0",
    "percentile_Average_1",
    "percentile_Average_25",
    "percentile_Average_50",
    "percentile_Average_75",
    "percentile_Average_99",
    "percentile_Average_100",
];
/// Characters of an app's and of a function's identifier that make its short name.
const SHORT: usize = 8;

/// What the duration file says about one function.
#[derive(Debug, Clone)]
pub(super) struct Durations {
    /// Mean duration \[ms\].
    pub average_ms: f64,
    /// Median of the 30-second means \[ms\].
    pub median_ms: f64,
    /// Longest duration, or the last percentile if that was not recorded \[ms\].
    pub maximum_ms: f64,
    /// Number of executions in the log that the file was made from, if given.
    pub count: Option<f64>,
    /// Durations at `QUANTILES`, ascending, none below the floor \[s\].
    knots_s: [f64; 7],
    percentile_0_is_zero: bool,
    average_outside: bool,
    minimum_unrecorded: bool,
    maximum_unrecorded: bool,
    floored: u64,
    unordered: bool,
}

impl Durations {
    /// The duration at quantile `u` in 0..=1: linear between the knots \[s\].
    pub(super) fn quantile_s(&self, u: f64) -> f64 {
        let i = QUANTILES[1..6].iter().filter(|q| **q <= u).count();
        let share = (u - QUANTILES[i]) / (QUANTILES[i + 1] - QUANTILES[i]);
        self.knots_s[i] + (self.knots_s[i + 1] - self.knots_s[i]) * share
    }

    /// The mean of the durations that [`Self::quantile_s`] draws \[s\].
    pub(super) fn drawn_mean_s(&self) -> f64 {
        (0..6).map(|i| (QUANTILES[i + 1] - QUANTILES[i]) * (self.knots_s[i] + self.knots_s[i + 1]) / 2.0).sum()
    }
}

/// What the memory file says about one function, or about its app.
#[derive(Debug, Clone, Copy)]
struct MemoryRow {
    mean_mb: f64,
    peak_mb: f64,
    samples: Option<f64>,
}

/// A joined function.
#[derive(Debug, Clone)]
pub(super) struct Function {
    /// Stable hash of owner, app and function identifier: the key of the function's random streams.
    pub id: u64,
    /// Unique name, short where possible.
    pub name: Box<str>,
    /// Position of its owner.
    pub tenant: u32,
    /// Position of its app.
    pub app: u32,
    /// Why it is called.
    pub trigger: Trigger,
    /// Average memory \[MB\].
    pub mean_memory_mb: f64,
    /// Largest memory, or the average where the file has no largest \[MB\].
    pub peak_memory_mb: f64,
    /// Memory samples, if given.
    pub samples: Option<f64>,
    /// Its durations.
    pub durations: Durations,
    /// Calls over all minutes.
    pub calls: u64,
}

/// What was read, dropped and corrected.
///
/// A row that is wrong for two reasons is counted for the first in the order of the fields. Anomalies are counted
/// over the joined functions, before sampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct JoinCounts {
    /// Rows of the invocation file.
    pub invocation_rows: u64,
    /// Rows of the duration file.
    pub duration_rows: u64,
    /// Rows of the memory file.
    pub memory_rows: u64,
    /// Rows of the invocation file removed because their (app, function) occurred before.
    pub duplicate_invocation_rows: u64,
    /// Rows of the duration file removed because their (owner, app, function) occurred before.
    pub duplicate_duration_rows: u64,
    /// Rows of the memory file removed because their key occurred before.
    pub duplicate_memory_rows: u64,
    /// Functions dropped because the duration file lacks them.
    pub dropped_without_durations: u64,
    /// Functions dropped because the memory file lacks them.
    pub dropped_without_memory: u64,
    /// Functions present in all three files.
    pub joined: u64,
    /// Joined functions left out by `sample_functions`.
    pub not_sampled: u64,
    /// Joined functions without any call.
    pub never_called: u64,
    /// Joined functions whose percentile 0 is 0 ms.
    pub percentile_0_is_zero: u64,
    /// Joined functions whose Average is 0 ms.
    pub average_is_zero: u64,
    /// Percentile knots of joined functions lifted to the floor.
    pub floored_percentiles: u64,
    /// Joined functions whose Average lies outside [Minimum, Maximum].
    pub average_outside_extremes: u64,
    /// Joined functions whose Minimum was replaced by percentile 0: 0 while percentile 0 is not, or above percentile 1.
    pub minimum_unrecorded: u64,
    /// Joined functions whose Maximum was replaced by percentile 100: below percentile 99.
    pub maximum_unrecorded: u64,
    /// Joined functions whose percentiles decrease somewhere; each is lifted to the one before.
    pub unordered_percentiles: u64,
    /// Joined functions whose Count is below the sum of their minutes.
    pub count_below_minutes: u64,
}

/// The three files, joined.
#[derive(Debug)]
pub(super) struct Joined {
    pub functions: Vec<Function>,
    pub tenants: Vec<Box<str>>,
    pub apps: u32,
    /// Per minute: the functions called in it, ascending, with how many calls.
    pub minutes: Vec<Vec<(u32, u32)>>,
    /// Header texts of the minute columns.
    pub labels: Vec<Box<str>>,
    pub memory_per_app: bool,
    pub counts: JoinCounts,
    pub inputs: Vec<(PathBuf, String)>,
}

/// Owner, app and function identifier.
type Key = (Box<str>, Box<str>, Box<str>);

/// Columns of the identifiers.
struct KeyColumns {
    owner: usize,
    app: usize,
    function: Option<usize>,
}

impl KeyColumns {
    fn find(table: &Table) -> Result<Self, WorkloadError> {
        Ok(KeyColumns {
            owner: table.column("HashOwner")?,
            app: table.column("HashApp")?,
            function: table.optional("HashFunction"),
        })
    }

    fn key(&self, table: &Table) -> Key {
        let function = self.function.map_or("", |column| table.text(column));
        (table.text(self.owner).into(), table.text(self.app).into(), function.into())
    }
}

/// Reads and joins the three files.
///
/// # Errors
/// A file is missing or unreadable, lacks a column, or holds a wrong row; or no function is left.
pub(super) fn join(spec: &Spec, base_dir: &Path) -> Result<Joined, WorkloadError> {
    let mut counts = JoinCounts::default();
    let mut inputs = Vec::new();
    let durations = read_durations(spec, base_dir, &mut counts, &mut inputs)?;
    let (memory, memory_per_app) = read_memory(spec, base_dir, &mut counts, &mut inputs)?;
    let mut joined = read_invocations(spec, base_dir, counts, &durations, &memory, memory_per_app)?;
    inputs.append(&mut joined.inputs);
    inputs.rotate_right(1);
    joined.inputs = inputs;
    Ok(joined)
}

fn read_durations(
    spec: &Spec,
    base_dir: &Path,
    counts: &mut JoinCounts,
    inputs: &mut Vec<(PathBuf, String)>,
) -> Result<FxHashMap<Key, Durations>, WorkloadError> {
    let mut table = Table::open(&base_dir.join(&spec.durations))?;
    let key = KeyColumns::find(&table)?;
    table.column("HashFunction")?;
    let (average, minimum, maximum) = (table.column("Average")?, table.column("Minimum")?, table.column("Maximum")?);
    let count = table.optional("Count");
    let mut percentiles = [0; 7];
    for (column, name) in percentiles.iter_mut().zip(PERCENTILES) {
        *column = table.column(name)?;
    }
    let mut map = FxHashMap::default();
    while table.next_row()? {
        counts.duration_rows += 1;
        let mut knots_ms = [0.0; 7];
        for (knot, column) in knots_ms.iter_mut().zip(percentiles) {
            *knot = table.number(column)?;
        }
        let count = count.map(|column| table.number(column)).transpose()?;
        let extremes = (table.number(minimum)?, table.number(maximum)?);
        let row = durations_of(table.number(average)?, extremes, knots_ms, count, spec.duration_floor_s);
        insert_first(&mut map, key.key(&table), row, &mut counts.duplicate_duration_rows);
    }
    inputs.push(table.finish());
    Ok(map)
}

/// The knots from which durations are drawn, and what was odd about them.
fn durations_of(average_ms: f64, extremes: (f64, f64), knots: [f64; 7], count: Option<f64>, floor_s: f64) -> Durations {
    let (minimum, maximum) = extremes;
    let mut ordered = knots;
    for i in 1..7 {
        ordered[i] = ordered[i].max(ordered[i - 1]);
    }
    let unordered = ordered != knots;
    let minimum_unrecorded = minimum > ordered[1] || (minimum == 0.0 && knots[0] > 0.0);
    let maximum_unrecorded = maximum < ordered[5];
    if !minimum_unrecorded {
        ordered[0] = minimum;
    }
    if !maximum_unrecorded {
        ordered[6] = maximum;
    }
    Durations {
        average_ms,
        median_ms: knots[3],
        maximum_ms: ordered[6],
        count,
        knots_s: ordered.map(|ms| (ms / 1000.0).max(floor_s)),
        percentile_0_is_zero: knots[0] == 0.0,
        average_outside: average_ms < minimum || average_ms > maximum,
        minimum_unrecorded,
        maximum_unrecorded,
        floored: ordered.iter().filter(|ms| **ms / 1000.0 < floor_s).count() as u64,
        unordered,
    }
}

/// The memory rows by key (function empty if the file is per app), and whether it is per app.
fn read_memory(
    spec: &Spec,
    base_dir: &Path,
    counts: &mut JoinCounts,
    inputs: &mut Vec<(PathBuf, String)>,
) -> Result<(FxHashMap<Key, MemoryRow>, bool), WorkloadError> {
    let mut table = Table::open(&base_dir.join(&spec.memory))?;
    let key = KeyColumns::find(&table)?;
    let (mean, peak) = match (table.optional("AverageAllocatedMb"), table.optional("AverageAllocatedMb_pct100")) {
        (Some(mean), peak) => (mean, peak.unwrap_or(mean)),
        (None, Some(peak)) => (peak, peak),
        (None, None) => return Err(table.no_column("column AverageAllocatedMb_pct100 or AverageAllocatedMb")),
    };
    let samples = table.optional("SampleCount");
    let mut map = FxHashMap::default();
    while table.next_row()? {
        counts.memory_rows += 1;
        let samples = samples.map(|column| table.number(column)).transpose()?;
        let row = MemoryRow { mean_mb: table.number(mean)?, peak_mb: table.number(peak)?, samples };
        insert_first(&mut map, key.key(&table), row, &mut counts.duplicate_memory_rows);
    }
    inputs.push(table.finish());
    Ok((map, key.function.is_none()))
}

/// Keeps the first value of a key and counts the others.
fn insert_first<V>(map: &mut FxHashMap<Key, V>, key: Key, value: V, duplicates: &mut u64) {
    match map.entry(key) {
        std::collections::hash_map::Entry::Occupied(_) => *duplicates += 1,
        std::collections::hash_map::Entry::Vacant(entry) => drop(entry.insert(value)),
    }
}

/// A header that is a number, `minute_1` or `1_minute`.
fn is_minute(header: &str) -> bool {
    let digits = header.strip_prefix("minute_").or_else(|| header.strip_suffix("_minute")).unwrap_or(header);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn trigger(text: &str) -> Trigger {
    const KNOWN: [Trigger; 6] =
        [Trigger::Http, Trigger::Queue, Trigger::Event, Trigger::Timer, Trigger::Storage, Trigger::Orchestration];
    KNOWN.into_iter().find(|t| text.eq_ignore_ascii_case(t.name())).unwrap_or_default()
}

/// The position of `key` in the order in which keys were first seen.
fn number<K: std::hash::Hash + Eq>(seen: &mut FxHashMap<K, u32>, key: K) -> u32 {
    let next = u32::try_from(seen.len()).expect("a day file holds fewer than 2^32 rows");
    *seen.entry(key).or_insert(next)
}

fn read_invocations(
    spec: &Spec,
    base_dir: &Path,
    mut counts: JoinCounts,
    durations: &FxHashMap<Key, Durations>,
    memory: &FxHashMap<Key, MemoryRow>,
    memory_per_app: bool,
) -> Result<Joined, WorkloadError> {
    let mut table = Table::open(&base_dir.join(&spec.invocations))?;
    let columns = KeyColumns::find(&table)?;
    table.column("HashFunction")?;
    let trigger_column = table.optional("Trigger");
    let minute_columns: Vec<usize> = (0..table.headers().len()).filter(|i| is_minute(&table.headers()[*i])).collect();
    if minute_columns.is_empty() {
        return Err(table.no_column("minute columns (1, 2, … or minute_1, … or 1_minute, …)"));
    }
    let labels = minute_columns.iter().map(|i| table.headers()[*i].clone()).collect();
    let mut minutes = vec![Vec::new(); minute_columns.len()];
    let mut functions: Vec<Function> = Vec::new();
    let mut full_names: Vec<Box<str>> = Vec::new();
    let mut tenants: Vec<Box<str>> = Vec::new();
    let (mut tenant_numbers, mut app_numbers) = (FxHashMap::default(), FxHashMap::default());
    let mut short_names: FxHashMap<Box<str>, u32> = FxHashMap::default();
    let mut seen: FxHashSet<(Box<str>, Box<str>)> = FxHashSet::default();
    let mut row_counts = vec![0; minute_columns.len()];

    while table.next_row()? {
        counts.invocation_rows += 1;
        for (n, column) in row_counts.iter_mut().zip(&minute_columns) {
            *n = table.count(*column)?;
        }
        let key = columns.key(&table);
        if !seen.insert((key.1.clone(), key.2.clone())) {
            counts.duplicate_invocation_rows += 1;
            continue;
        }
        let Some(durations) = durations.get(&key) else {
            counts.dropped_without_durations += 1;
            continue;
        };
        let mut memory_key = key.clone();
        if memory_per_app {
            memory_key.2 = "".into();
        }
        let Some(memory) = memory.get(&memory_key) else {
            counts.dropped_without_memory += 1;
            continue;
        };
        let calls = row_counts.iter().map(|n| u64::from(*n)).sum();
        count_anomalies(&mut counts, durations, calls);
        let (owner, app, function) = key;
        let name: Box<str> = format!("{}/{}", short(&app), short(&function)).into();
        *short_names.entry(name.clone()).or_insert(0) += 1;
        let id = Seed(0).derive(&owner).derive(&app).derive(&function).0;
        if spec.sample_functions.is_some_and(|share| Seed(id).derive("sample").into_stream().uniform() >= share) {
            counts.not_sampled += 1;
            continue;
        }
        let f = u32::try_from(functions.len()).expect("a day file holds fewer than 2^32 rows");
        for (minute, n) in minutes.iter_mut().zip(&row_counts).filter(|(_, n)| **n > 0) {
            minute.push((f, *n));
        }
        full_names.push(format!("{app}/{function}").into());
        let tenant = number(&mut tenant_numbers, owner.clone());
        if tenant as usize == tenants.len() {
            tenants.push(owner.clone());
        }
        functions.push(Function {
            id,
            name,
            tenant,
            app: number(&mut app_numbers, (owner, app)),
            trigger: trigger_column.map_or(Trigger::Other, |column| trigger(table.text(column))),
            mean_memory_mb: memory.mean_mb,
            peak_memory_mb: memory.peak_mb,
            samples: memory.samples,
            durations: durations.clone(),
            calls,
        });
    }
    for (function, full) in functions.iter_mut().zip(full_names) {
        if short_names.get(&function.name).is_some_and(|bearers| *bearers > 1) {
            function.name = full;
        }
    }
    if functions.is_empty() {
        return Err(table.file_error(&nothing_left(&counts), nothing_left_help(&counts)));
    }
    let apps = u32::try_from(app_numbers.len()).expect("a day file holds fewer than 2^32 rows");
    let inputs = vec![table.finish()];
    Ok(Joined { functions, tenants, apps, minutes, labels, memory_per_app, counts, inputs })
}

fn short(id: &str) -> &str {
    id.char_indices().nth(SHORT).map_or(id, |(end, _)| &id[..end])
}

fn count_anomalies(counts: &mut JoinCounts, durations: &Durations, calls: u64) {
    counts.joined += 1;
    counts.never_called += u64::from(calls == 0);
    counts.percentile_0_is_zero += u64::from(durations.percentile_0_is_zero);
    counts.average_is_zero += u64::from(durations.average_ms == 0.0);
    counts.floored_percentiles += durations.floored;
    counts.average_outside_extremes += u64::from(durations.average_outside);
    counts.minimum_unrecorded += u64::from(durations.minimum_unrecorded);
    counts.maximum_unrecorded += u64::from(durations.maximum_unrecorded);
    counts.unordered_percentiles += u64::from(durations.unordered);
    counts.count_below_minutes += u64::from(durations.count.is_some_and(|count| count < calls as f64));
}

fn nothing_left(counts: &JoinCounts) -> String {
    format!(
        "no function is left of {} rows ({} without durations, {} without memory, {} not sampled)",
        counts.invocation_rows, counts.dropped_without_durations, counts.dropped_without_memory, counts.not_sampled
    )
}

fn nothing_left_help(counts: &JoinCounts) -> String {
    if counts.not_sampled > 0 {
        "raise sample_functions".into()
    } else if counts.invocation_rows == 0 {
        "the file has a header but no rows: download or export it again".into()
    } else {
        "give the three files of the same day and of the same release".into()
    }
}
