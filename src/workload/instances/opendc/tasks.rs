//! `tasks.parquet`: what each task asks for; units are told by their magnitude.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::super::Class;
use super::table::{Table, Values};
use super::{Dependencies, FrequencyUnit, MemoryUnit, OpenDcSpec, TimeUnit};
use crate::types::Memory;
use crate::workload::WorkloadError;

/// Dates in seconds: 2001 to 2286. As milliseconds of a trace that begins at 0, the first submission would be at 11 days.
const DATES_IN_SECONDS: std::ops::Range<i64> = 1_000_000_000..10_000_000_000;
/// No core has this many MHz (1 THz); as Hz it is 1 MHz.
const LEAST_HZ_OF_A_CORE: f64 = 1e6;
const MS_PER_S: i64 = 1000;
const MHZ_PER_HZ: f64 = 1e-6;
const MICRO: f64 = 1e6;
const BYTES_PER_KIB: f64 = 1024.0;
/// Every column of the format that is read or spoken of.
const KNOWN: [&str; 19] = [
    "id",
    "name",
    "submission_time",
    "submissionTime",
    "duration",
    "endTime",
    "cpu_count",
    "maxCores",
    "cpu_capacity",
    "mem_capacity",
    "requiredMemory",
    "gpu_count",
    "gpu_capacity",
    "parents",
    "children",
    "deferrable",
    "deadline",
    "gpu_mem_capacity",
    "gpu_memory",
];

/// One task.
#[derive(Debug)]
pub(super) struct Task {
    pub name: Box<str>,
    pub submission_ms: i64,
    pub duration_ms: i64,
    pub cpu: u64,
    pub cpu_limit: u64,
    pub memory: Memory,
    pub class: Class,
    /// Millionths of a core per unit of cpu_usage.
    pub micro_cores_per_unit: f64,
}

/// All tasks, and where each identifier is.
pub(super) struct Tasks {
    pub tasks: Vec<Task>,
    pub numbers: FxHashMap<i64, u32>,
    pub texts: FxHashMap<Box<[u8]>, u32>,
    /// Milliseconds per unit of a fragment's duration.
    pub ms_per_unit: i64,
    pub notes: Vec<(String, String)>,
}

pub(super) fn read(path: &Path, spec: &OpenDcSpec) -> Result<Tasks, WorkloadError> {
    let table = Table::open(path)?;
    let ids = table.all(table.need(&["id"])?)?;
    let count = ids.len();
    let submission_at = table.need(&["submission_time", "submissionTime"])?;
    let submission = table.all(submission_at)?;
    let (duration, duration_is_end) = match table.find(&["duration"]) {
        Some(at) => (table.all(at)?, false),
        None => (table.all(table.need(&["endTime"])?)?, true),
    };
    let cores = table.all(table.need(&["cpu_count", "maxCores"])?)?;
    let memory = table.all(table.need(&["mem_capacity", "requiredMemory"])?)?;
    let capacity = table.find(&["cpu_capacity"]).map(|at| table.all(at)).transpose()?;
    let deferrable = table.find(&["deferrable"]).map(|at| table.all(at)).transpose()?;
    let mut notes = remarks(&table, spec)?;

    let whole = |values: &Values, row: usize, name: &str| match values {
        Values::Whole(v) => Ok(v[row]),
        _ => {
            let what = format!("{name} = {} is not a whole number", values.number(row));
            Err(table.row_error(row + 1, what, "store times as 64-bit integers or timestamps"))
        }
    };
    let first = (0..count).map(|row| whole(&submission, row, "submission_time")).collect::<Result<Vec<_>, _>>()?;
    let unit = table.timestamp(submission_at);
    let seconds = match spec.time_unit {
        TimeUnit::S => true,
        TimeUnit::Ms => false,
        TimeUnit::Auto => unit.is_none() && first.iter().min().is_some_and(|t| DATES_IN_SECONDS.contains(t)),
    };
    let ms_per_unit = if seconds { MS_PER_S } else { 1 };
    let (numerator, denominator) = unit.unwrap_or((ms_per_unit, 1));
    let told = if spec.time_unit == TimeUnit::Auto { "by their magnitude" } else { "as time_unit says" };
    let times = if seconds { "s" } else { "ms" };
    notes.push(("unit_of_times".to_owned(), format!("{times}, {told}")));

    let hz = frequency(&table, spec, capacity.as_ref(), &cores, &mut notes)?;
    let mhz_per_unit = if hz { MHZ_PER_HZ } else { 1.0 };
    let unit_of_memory = match spec.memory_unit {
        MemoryUnit::MB => "MB (10^6 bytes), as memory_unit says",
        MemoryUnit::KB => "KB (1024 bytes), as memory_unit says",
    };
    notes.push(("unit_of_mem_capacity".to_owned(), unit_of_memory.to_owned()));

    let (mut numbers, mut texts) = (FxHashMap::default(), FxHashMap::default());
    let mut tasks = Vec::with_capacity(count);
    for row in 0..count {
        let line = row + 1;
        let (name, is_double) = match &ids {
            Values::Whole(v) => (v[row].to_string(), numbers.insert(v[row], row as u32).is_some()),
            Values::Text(v) => {
                let bytes = v[row].data();
                (String::from_utf8_lossy(bytes).into_owned(), texts.insert(bytes.into(), row as u32).is_some())
            }
            _ => return Err(table.error("column id is neither text nor integer".to_owned(), "export the file again")),
        };
        if is_double {
            return Err(table.row_error(line, format!("id {name} is there twice"), "give each task an id of its own"));
        }
        let positive = |value: f64, name: &str, most: f64| {
            if value > 0.0 && value <= most {
                return Ok(value);
            }
            let what = format!("{name} = {value} is not above 0 and at most {most}");
            Err(table.row_error(line, what, "correct or remove the task"))
        };
        let submission_ms = first[row].saturating_mul(numerator) / denominator;
        let raw = whole(&duration, row, if duration_is_end { "endTime" } else { "duration" })?;
        let duration_ms = if duration_is_end {
            raw.saturating_mul(numerator) / denominator - submission_ms
        } else {
            raw.saturating_mul(ms_per_unit)
        };
        if duration_ms < 0 {
            let what = format!("the task lasts {duration_ms} ms");
            return Err(table.row_error(line, what, "correct or remove the task"));
        }
        let count = positive(cores.number(row), "cpu_count", 1e6)?;
        let own_mhz = match &capacity {
            Some(values) => Some(positive(values.number(row) * mhz_per_unit, "cpu_capacity [MHz]", 1e12)?),
            None => None,
        };
        let core_mhz = spec.core_mhz.or(own_mhz.map(|mhz| mhz / count)).ok_or_else(|| {
            let what = "column cpu_capacity is missing, so the speed of a core is not known".to_owned();
            table.error(what, "say it with the key core_mhz")
        })?;
        let bytes = memory.number(row);
        let bytes = match spec.memory_unit {
            MemoryUnit::MB => bytes * MICRO,
            MemoryUnit::KB => bytes * BYTES_PER_KIB,
        };
        if !(0.0..=1e18).contains(&bytes) {
            let what = format!("mem_capacity = {} is not a size of memory", memory.number(row));
            return Err(table.row_error(line, what, "correct or remove the task"));
        }
        let cpu = (count * MICRO).round() as u64;
        let cpu_limit = match (spec.core_mhz, own_mhz) {
            (Some(core), Some(own)) => (own / core * MICRO).round() as u64,
            _ => cpu,
        };
        let is_deferrable = deferrable.as_ref().is_some_and(|d| d.number(row) == 1.0);
        tasks.push(Task {
            name: name.into(),
            submission_ms,
            duration_ms,
            cpu,
            cpu_limit,
            memory: Memory(bytes.round() as u64),
            class: if is_deferrable { Class::Batch } else { spec.class },
            micro_cores_per_unit: MICRO * mhz_per_unit / core_mhz,
        });
    }
    Ok(Tasks { tasks, numbers, texts, ms_per_unit, notes })
}

/// Whether cpu_capacity is in Hz.
fn frequency(
    table: &Table,
    spec: &OpenDcSpec,
    capacity: Option<&Values>,
    cores: &Values,
    notes: &mut Vec<(String, String)>,
) -> Result<bool, WorkloadError> {
    let by_magnitude = match capacity {
        None => false,
        Some(values) => {
            let rows = 0..values.len();
            let fast = rows.clone().filter(|&r| values.number(r) / cores.number(r) >= LEAST_HZ_OF_A_CORE).count();
            if spec.frequency_unit == FrequencyUnit::Auto && fast != 0 && fast != rows.len() {
                return Err(table.error(
                    format!(
                        "cpu_capacity is in Hz in {fast} of {} rows by its magnitude, in MHz in the others",
                        rows.len()
                    ),
                    "bring all rows to one unit, or say it with frequency_unit",
                ));
            }
            fast != 0
        }
    };
    let (hz, told) = match spec.frequency_unit {
        FrequencyUnit::Auto => (by_magnitude, "by their magnitude"),
        FrequencyUnit::MHz => (false, "as frequency_unit says"),
        FrequencyUnit::Hz => (true, "as frequency_unit says"),
    };
    notes.push(("unit_of_cpu_capacity_and_usage".to_owned(), format!("{}, {told}", if hz { "Hz" } else { "MHz" })));
    let core = match spec.core_mhz {
        Some(mhz) => format!("{mhz} MHz, as core_mhz says"),
        None => "cpu_capacity / cpu_count of each task".to_owned(),
    };
    notes.push(("speed_of_a_core".to_owned(), core));
    Ok(hz)
}

/// What the file holds that is not simulated.
fn remarks(table: &Table, spec: &OpenDcSpec) -> Result<Vec<(String, String)>, WorkloadError> {
    let mut notes = Vec::new();
    if let Some(at) = table.find(&["gpu_count"])
        && table.holds_something(at)?
    {
        notes.push(("not_simulated_gpus".to_owned(), "tasks ask for graphics processors; they get none".to_owned()));
    }
    if let Some(at) = table.find(&["parents"])
        && table.holds_elements(at)?
    {
        if spec.dependencies == Dependencies::Refuse {
            return Err(table.error(
                "tasks wait for others (column parents), which is not simulated".to_owned(),
                "set dependencies = \"ignore\" to start every task when it is submitted",
            ));
        }
        let what = "every task starts when it is submitted, whatever its parents";
        notes.push(("not_simulated_dependencies".to_owned(), what.to_owned()));
    }
    if table.find(&["deferrable"]).is_some() {
        let what = "read as class batch; tasks are not shifted in time";
        notes.push(("deferrable".to_owned(), what.to_owned()));
    }
    if table.find(&["deadline"]).is_some() {
        notes.push(("not_simulated_deadlines".to_owned(), "column deadline is not used".to_owned()));
    }
    let unknown: Vec<&str> = table.names().iter().map(String::as_str).filter(|n| !KNOWN.contains(n)).collect();
    if !unknown.is_empty() {
        notes.push(("columns_not_used".to_owned(), unknown.join(", ")));
    }
    Ok(notes)
}
