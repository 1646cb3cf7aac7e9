//! What the per-call file formats share: names become identifiers, rows become calls, and wrong rows become errors.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Arrival, Batch, FunctionProfile, Quota, Trigger, WorkloadError};
use crate::types::{Duration, FunctionId, Memory, MilliCores, RegionId, SimTime, TenantId};

/// `[workload.calls]`: a file with one row per call, CSV or Parquet (by its name's ending).
///
/// Columns, in any order: `arrival_time_s` (sorted), `function_id` (text or integer), `duration_s`, `memory_mb`; optional
/// `tenant`, `region`, `count`, `deadline_s` (after arrival), `criticality`, `cpu_cores`. Times are seconds from the run's start.
/// Tenant and memory belong to the function: a later row that differs is an error. Criticality and CPU (in thousandths of a
/// core) are those of the function's first row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallsSpec {
    /// The file, relative to the scenario's folder; ends in `.csv` or `.parquet`.
    pub path: PathBuf,
    /// CPU that one running call demands where the file has no column `cpu_cores` \[cores\]. Assumed: one busy core.
    #[schemars(range(min = 0.0, max = 4000000.0))]
    #[serde(default = "one_core")]
    pub cpu_cores: f64,
    /// What to do when a later row of a function has another memory than its first row. Default `error`.
    #[serde(default)]
    pub memory_changes: MemoryChanges,
    /// The region of rows without a column `region`. Default: the first region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The deadline of rows without a column `deadline_s` [s after arrival]. Default: none.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_s: Option<f64>,
}

fn one_core() -> f64 {
    1.0
}

/// What to do when a later row of a function has another memory than its first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MemoryChanges {
    /// Stop with an error that names the line.
    #[default]
    Error,
    /// Keep the memory of the function's first row and count the others in the notes.
    KeepFirst,
}

/// A function's or tenant's name as it stands in a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key<'a> {
    /// Text.
    Text(&'a [u8]),
    /// An integer column; the same name as its decimal text.
    Number(i64),
}

/// One row, with the units of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub arrival_ns: u64,
    pub duration_ns: u64,
    pub memory: Memory,
    pub function: Key<'a>,
    pub tenant: Option<&'a [u8]>,
    pub region: Option<&'a [u8]>,
    pub count: u32,
    pub deadline_ns: Option<u64>,
    pub criticality: u8,
    pub cpu: Option<MilliCores>,
}

/// A row of the four required columns, its function named by a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlainRow {
    pub arrival_ns: u64,
    pub duration_ns: u64,
    pub memory: Memory,
    pub function: i64,
}

impl PlainRow {
    /// Reads `seconds,number,seconds,megabytes` in plain decimals. `None` for everything less plain, right or wrong.
    #[inline]
    pub fn parse(line: &[u8]) -> Option<Self> {
        let mut bytes = line.iter();
        let arrival_ns = plain_seconds(&mut bytes)?;
        let (function, digits, end) = digits(&mut bytes);
        // A leading zero belongs to the name: only the general way keeps it.
        let has_leading_zero = digits > 1 && function < SMALL_POWERS[digits.min(8) - 1];
        if end != Some(b',') || digits == 0 || digits > 7 || has_leading_zero {
            return None;
        }
        let duration_ns = plain_seconds(&mut bytes)?;
        let (megabytes, digits, end) = self::digits(&mut bytes);
        let memory = (end.is_none() && (1..=10).contains(&digits)).then_some(Memory(megabytes * 1_000_000))?;
        Some(Self { arrival_ns, duration_ns, memory, function: function as i64 })
    }
}

const SMALL_POWERS: [u64; 8] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000];

/// Reads digits and the byte after them: their value (meaningless beyond 19), how many they are, and that byte.
#[inline]
fn digits(bytes: &mut std::slice::Iter<'_, u8>) -> (u64, usize, Option<u8>) {
    let (mut value, mut count) = (0u64, 0);
    for &byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return (value, count, Some(byte));
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        count += 1;
    }
    (value, count, None)
}

/// Reads a cell of at most nine digits before and nine after the point, and the comma after it, as nanoseconds.
#[inline]
fn plain_seconds(bytes: &mut std::slice::Iter<'_, u8>) -> Option<u64> {
    let (whole, count, end) = digits(bytes);
    let (fraction, decimals, end) = if end == Some(b'.') { digits(bytes) } else { (0, 0, end) };
    let is_plain = end == Some(b',') && (1..=9).contains(&count) && decimals <= 9;
    is_plain.then(|| whole * 1_000_000_000 + fraction * SCALE[decimals])
}

/// Nanoseconds per unit of the last digit, by the number of decimals.
const SCALE: [u64; 10] = [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1000, 100, 10, 1];

/// The largest `count` of one row: each of its calls is in flight on its own.
pub(super) const MOST_TOGETHER: u32 = 1_000_000;

const SMALL: i64 = 1 << 20;
const UNSEEN: u32 = u32::MAX;

/// Turns rows into calls. Memory grows with the number of functions and tenants, never with the number of rows.
#[derive(Debug)]
pub(super) struct Rows {
    path: PathBuf,
    cpu: MilliCores,
    memory_changes: MemoryChanges,
    home: RegionId,
    deadline_ns: Option<u64>,
    regions: Vec<String>,
    small: Vec<u32>,
    named: FxHashMap<Box<[u8]>, u32>,
    tenants: FxHashMap<Box<[u8]>, u32>,
    memory: Vec<Memory>,
    /// Each function's tenant, by name.
    owners: Vec<Box<[u8]>>,
    last_ns: u64,
    changed_memory: u64,
    calls: u64,
}

impl Rows {
    pub fn new(path: &Path, spec: &CallsSpec, regions: &[String]) -> Result<Self, WorkloadError> {
        let home = match &spec.region {
            None => 0,
            Some(name) => regions.iter().position(|r| r == name).ok_or_else(|| WorkloadError::Spec {
                what: format!("workload.calls.region = \"{name}\" is not a region of this scenario"),
                help: format!("name one of: {}", regions.join(", ")),
            })?,
        };
        Ok(Self {
            path: path.to_owned(),
            cpu: MilliCores::from_cores(spec.cpu_cores),
            memory_changes: spec.memory_changes,
            home: RegionId::from_index(home),
            deadline_ns: spec.deadline_s.map(|d| Duration::from_secs_f64(d).0),
            regions: regions.to_vec(),
            small: Vec::new(),
            named: FxHashMap::default(),
            tenants: FxHashMap::default(),
            memory: Vec::new(),
            owners: Vec::new(),
            last_ns: 0,
            changed_memory: 0,
            calls: 0,
        })
    }

    /// Adds one row to a batch.
    #[inline]
    pub fn push(&mut self, row: &Row<'_>, line: u64, batch: &mut Batch) -> Result<(), WorkloadError> {
        if row.arrival_ns < self.last_ns {
            return Err(self.error(
                line,
                format!(
                    "arrival_time_s = {} comes after {} on an earlier line",
                    row.arrival_ns as f64 / 1e9,
                    self.last_ns as f64 / 1e9
                ),
                "sort the file by arrival_time_s",
            ));
        }
        self.last_ns = row.arrival_ns;
        let function = self.function(row, line, batch)?;
        if self.memory[function.index()] != row.memory {
            self.memory_changed(row, function, line)?;
        }
        if let Some(tenant) = row.tenant
            && self.owners[function.index()].as_ref() != tenant
        {
            return Err(self.tenant_changed(tenant, function, line));
        }
        let region = match row.region {
            None => self.home,
            Some(name) => self.region(name, line)?,
        };
        let time = SimTime(row.arrival_ns);
        let deadline = row.deadline_ns.or(self.deadline_ns).map_or(SimTime::NEVER, |d| time + Duration(d));
        self.calls += u64::from(row.count);
        batch.calls.push(Arrival {
            time,
            start: time,
            work: Duration(row.duration_ns),
            deadline,
            function,
            region,
            count: row.count,
        });
        Ok(())
    }

    /// Adds the most common kind of row, if it is one: a function that was seen before under a small number, with its known
    /// memory, in order of time, and nothing optional. False leaves everything as it was, and the row to [`Rows::push`].
    #[inline]
    pub fn push_plain(&mut self, row: PlainRow, batch: &mut Batch) -> bool {
        let Some(&id) = usize::try_from(row.function).ok().and_then(|n| self.small.get(n)) else { return false };
        if row.arrival_ns < self.last_ns || self.memory.get(id as usize) != Some(&row.memory) {
            return false;
        }
        self.last_ns = row.arrival_ns;
        self.calls += 1;
        let time = SimTime(row.arrival_ns);
        batch.calls.push(Arrival {
            time,
            start: time,
            work: Duration(row.duration_ns),
            deadline: self.deadline_ns.map_or(SimTime::NEVER, |d| time + Duration(d)),
            function: FunctionId(id),
            region: self.home,
            count: 1,
        });
        true
    }

    #[inline]
    fn function(&mut self, row: &Row<'_>, line: u64, batch: &mut Batch) -> Result<FunctionId, WorkloadError> {
        let number = match row.function {
            Key::Number(n) => Some(n),
            Key::Text(t) => small_number(t),
        };
        if let Some(n) = number.filter(|n| (0..SMALL).contains(n)) {
            if let Some(&id) = self.small.get(n as usize)
                && id != UNSEEN
            {
                return Ok(FunctionId(id));
            }
            let id = self.open(row, n.to_string().into(), batch);
            if self.small.len() <= n as usize {
                self.small.resize(n as usize + 1, UNSEEN);
            }
            self.small[n as usize] = id.0;
            return Ok(id);
        }
        let owned;
        let text = match row.function {
            Key::Text(t) => t,
            Key::Number(n) => {
                owned = n.to_string();
                owned.as_bytes()
            }
        };
        if let Some(&id) = self.named.get(text) {
            return Ok(FunctionId(id));
        }
        let Ok(name) = std::str::from_utf8(text) else {
            return Err(self.error(line, "function_id is not UTF-8 text".into(), "re-encode the file as UTF-8"));
        };
        if name.is_empty() {
            return Err(self.error(line, "function_id is empty".into(), "give every call a function"));
        }
        let id = self.open(row, name.into(), batch);
        self.named.insert(text.into(), id.0);
        Ok(id)
    }

    /// Announces a function, and its tenant if that is new too.
    fn open(&mut self, row: &Row<'_>, name: Box<str>, batch: &mut Batch) -> FunctionId {
        let tenant_name = row.tenant.unwrap_or(b"default");
        let tenant = match self.tenants.get(tenant_name) {
            Some(&t) => t,
            None => {
                let t = self.tenants.len() as u32;
                self.tenants.insert(tenant_name.into(), t);
                batch.tenants.push(String::from_utf8_lossy(tenant_name).into());
                t
            }
        };
        let id = FunctionId::from_index(self.memory.len());
        self.memory.push(row.memory);
        self.owners.push(tenant_name.into());
        batch.functions.push(FunctionProfile {
            name,
            tenant: TenantId(tenant),
            memory: row.memory,
            cpu: row.cpu.unwrap_or(self.cpu),
            trigger: Trigger::Other,
            criticality: row.criticality,
            quota: Quota::Reserved,
            trust_domain: tenant,
            quota_cores: None,
            mean_call: None,
        });
        id
    }

    #[cold]
    fn tenant_changed(&self, tenant: &[u8], function: FunctionId, line: u64) -> WorkloadError {
        let name = String::from_utf8_lossy;
        let first = name(&self.owners[function.index()]);
        self.error(
            line,
            format!("tenant = \"{}\" differs from \"{first}\" on the function's first line", name(tenant)),
            "give each function one tenant; name functions of different tenants differently",
        )
    }

    #[cold]
    fn memory_changed(&mut self, row: &Row<'_>, function: FunctionId, line: u64) -> Result<(), WorkloadError> {
        self.changed_memory += 1;
        if self.memory_changes == MemoryChanges::KeepFirst {
            return Ok(());
        }
        Err(self.error(
            line,
            format!(
                "memory_mb = {} differs from {} on the function's first line",
                row.memory.as_mb(),
                self.memory[function.index()].as_mb()
            ),
            "give each function one memory, or set workload.calls.memory_changes = \"keep-first\"",
        ))
    }

    fn region(&self, name: &[u8], line: u64) -> Result<RegionId, WorkloadError> {
        match self.regions.iter().position(|r| r.as_bytes() == name) {
            Some(at) => Ok(RegionId::from_index(at)),
            None => Err(self.error(
                line,
                format!("region = \"{}\" is not a region of this scenario", String::from_utf8_lossy(name)),
                &format!("use one of: {}", self.regions.join(", ")),
            )),
        }
    }

    #[cold]
    pub fn error(&self, line: u64, what: String, help: &str) -> WorkloadError {
        WorkloadError::Row { path: self.path.clone(), line, what, help: help.to_owned() }
    }

    pub fn notes(&self) -> Vec<(String, String)> {
        let mut notes =
            vec![("calls".to_owned(), self.calls.to_string()), ("functions".to_owned(), self.memory.len().to_string())];
        if self.changed_memory > 0 {
            notes.push(("rows_with_changed_memory".to_owned(), self.changed_memory.to_string()));
        }
        notes
    }
}

/// The value of a short decimal number without sign or leading zeros.
#[inline]
fn small_number(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 7 || (text[0] == b'0' && text.len() > 1) {
        return None;
    }
    let mut n = 0;
    for &b in text {
        if !b.is_ascii_digit() {
            return None;
        }
        n = n * 10 + i64::from(b - b'0');
    }
    Some(n)
}

/// Parses decimal seconds into nanoseconds, exactly for plain decimals; digits past the ninth decimal round half up.
/// `None` for anything that is not a finite number at or above zero.
#[inline]
pub(super) fn nanoseconds(text: &[u8]) -> Option<u64> {
    let mut whole: u64 = 0;
    let mut i = 0;
    while i < text.len() && text[i].is_ascii_digit() {
        whole = whole.checked_mul(10)?.checked_add(u64::from(text[i] - b'0'))?;
        i += 1;
    }
    if i == text.len() && i > 0 {
        return whole.checked_mul(1_000_000_000);
    }
    if i == 0 || text[i] != b'.' {
        return general(text);
    }
    i += 1;
    let (mut fraction, mut digits, mut round) = (0u64, 0, 0u64);
    while i < text.len() && text[i].is_ascii_digit() {
        let d = u64::from(text[i] - b'0');
        if digits < 9 {
            fraction = fraction * 10 + d;
            digits += 1;
        } else if digits == 9 {
            round = u64::from(d >= 5);
            digits += 1;
        }
        i += 1;
    }
    if i != text.len() {
        return general(text);
    }
    whole.checked_mul(1_000_000_000)?.checked_add(fraction * SCALE[digits.min(9)] + round)
}

/// Spaces, signs, exponents: the slow way.
#[cold]
fn general(text: &[u8]) -> Option<u64> {
    let seconds = number(text)?;
    seconds_to_ns(seconds)
}

/// Parses a finite number.
pub(super) fn number(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.trim().parse::<f64>().ok().filter(|x| x.is_finite())
}

/// Seconds to nanoseconds; `None` for negative, NaN or more than 584 years.
#[inline]
pub(super) fn seconds_to_ns(seconds: f64) -> Option<u64> {
    // Below 2^52 ns the same rounding as `Duration::from_secs_f64` needs no unsigned conversion, which costs twice as much.
    if (0.0..4.5e6).contains(&seconds) {
        return Some((seconds * 1e9 + 0.5) as i64 as u64);
    }
    (0.0..1.8e10).contains(&seconds).then(|| Duration::from_secs_f64(seconds).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_decimals_become_exact_nanoseconds() {
        for (text, ns) in [
            ("0.001655", Some(1_655_000)),
            ("12", Some(12_000_000_000)),
            ("1005.820606", Some(1_005_820_606_000)),
            ("0.1234567894", Some(123_456_789)),
            ("0.1234567895", Some(123_456_790)),
            ("0.", Some(0)),
            ("1e-3", Some(1_000_000)),
            (" 2.5", Some(2_500_000_000)),
            (".5", Some(500_000_000)),
            ("-1", None),
            ("nan", None),
            ("inf", None),
            ("", None),
            ("1,5", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(nanoseconds(text.as_bytes()), ns, "{text}");
        }
    }

    #[test]
    fn a_plain_row_reads_as_the_general_way_reads_it() {
        for text in ["0.001655,943,1.364797,512", "12,0,0.,1", "999999999.123456789,1234567,3,9999999999"] {
            let row = PlainRow::parse(text.as_bytes()).expect(text);
            let cells: Vec<&[u8]> = text.as_bytes().split(|&b| b == b',').collect();
            assert_eq!((Some(row.arrival_ns), Some(row.duration_ns)), (nanoseconds(cells[0]), nanoseconds(cells[2])));
            assert_eq!(Some(row.function), small_number(cells[1]));
            assert_eq!(Some(row.memory.0 as f64), number(cells[3]).map(|mb| mb * 1e6));
        }
        for text in [
            "1,007,1,1",
            "1,1,1",
            "1,1,1,1,1",
            "1,a,1,1",
            "1,1,1,1.5",
            "-1,1,1,1",
            ".5,1,1,1",
            "1,,1,1",
            "1,1,1,",
            "1,12345678,1,1",
            "0.1234567891,1,1,1",
            "1234567890,1,1,1",
            "1,00,1,1",
            "\"1\",1,1,1",
            " 1,1,1,1",
        ] {
            assert_eq!(PlainRow::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn only_plain_short_numbers_take_the_fast_way_to_an_identifier() {
        assert_eq!(small_number(b"943"), Some(943));
        assert_eq!(small_number(b"0"), Some(0));
        for text in ["", "007", "+1", "1.0", "99999999", "f1"] {
            assert_eq!(small_number(text.as_bytes()), None, "{text}");
        }
    }
}
