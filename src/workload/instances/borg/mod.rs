//! Usage of Borg tasks: windows of about five minutes with what each task used, asked for and may use.
//!
//! The files are read twice: the first time finds out which instances there are, from when to when; the second time streams
//! their usage. A task whose next window begins more than `longest_gap_s` after the one before it was away: it comes back as
//! an instance of its own (`17/3#2`). Quantities are fractions of the largest machine, whose size the traces do not tell.
//!
//! Sources: Google cluster data 2011-2 and 2019 (CC-BY); Tirmazi et al., "Borg: the Next Generation", EuroSys 2020; Reiss,
//! Wilkes, Hellerstein, "Google cluster-usage traces: format + schema", 2011. `docs/instance-traces.md` has the query.

mod events2011;
mod rows;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WorkloadError;
use super::accounts::AccountBy;
use super::azure_vm::AfterEviction;
use super::feed::{Feed, Listed};
use super::spec::Context;
use super::synthetic::wrong;
use super::{Class, Instances, Remembered};
use crate::types::{Duration, Memory, SimTime};

const MICRO: f64 = 1e6;
/// Length of a usual window \[s\].
const STEP_S: u64 = 300;

/// Tasks of Borg with their usage.
///
/// Memory: about 200 bytes per instance; usage only of live ones, a few windows each while all run on time, and 12 bytes per
/// window of a live one with `after_eviction = "replay"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BorgSpec {
    /// The trace.
    pub files: BorgFiles,
    /// CPU of the largest machine, of which requests and usage are fractions \[cores\]. No default: the traces do not say.
    #[schemars(range(min = 0.001, max = 1000000.0))]
    pub host_cores: f64,
    /// Memory of the largest machine \[MB\]. No default: the traces do not say.
    #[schemars(range(min = 1.0, max = 1000000000.0))]
    pub host_memory_mb: f64,
    /// Time of the trace that is the run's start \[us\]; what was before is cut off. Default 600000000: both traces begin at 600 s.
    #[serde(default = "origin_us")]
    pub origin_us: u64,
    /// The longest time without a window that a task lives through \[s\]; it keeps the value before it. Assumed: 900, three windows.
    #[schemars(range(min = 0.0, max = 31536000.0))]
    #[serde(default = "longest_gap_s")]
    pub longest_gap_s: f64,
    /// Priorities: `as-is`, up to 255 (2011 has 0 to 11), or `tiers-2019`: free (up to 99) is 0, best-effort batch (to 115) 1,
    /// mid (to 119) 2, production (to 359) 3, monitoring 4. Default as-is.
    #[serde(default)]
    pub priorities: Priorities,
    /// An evicted task that starts anew: `replay` its usage from the beginning, or `go-on` with what comes next. Default replay.
    #[serde(default)]
    pub after_eviction: AfterEviction,
    /// Name of the tenant where the rows have no `user`. Default `borg`.
    #[serde(default = "tenant")]
    pub tenant: String,
    /// One account per tenant or per instance. Default tenant.
    #[serde(default)]
    pub account_by: AccountBy,
    /// Region in which tasks are asked for. Default: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// The trace's files. In each list a folder stands for its .csv and .csv.gz files in order of their numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum BorgFiles {
    /// CSV with a header, plain or gzip, in order of start_time_us over all files: start_time_us, end_time_us, collection_id,
    /// instance_index, priority, scheduling_class, cpu_request, memory_request, cpu_usage, and if wanted cpu_limit, memory_usage,
    /// user, machine_id.
    Csv {
        /// The files. (paths)
        usage: Vec<PathBuf>,
    },
    /// The trace of 2011 as published, without header: `part-NNNNN-of-NNNNN.csv.gz`.
    Trace2011 {
        /// Files of the table task_events: what tasks ask for. (paths)
        task_events: Vec<PathBuf>,
        /// Files of the table task_usage, in order of start time. (paths)
        task_usage: Vec<PathBuf>,
    },
}

/// How priorities are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Priorities {
    /// As they are, from 0 to 255.
    #[default]
    AsIs,
    /// By the five tiers of the trace of 2019.
    #[serde(rename = "tiers-2019")]
    Tiers2019,
}

fn origin_us() -> u64 {
    600_000_000
}

fn longest_gap_s() -> f64 {
    900.0
}

fn tenant() -> String {
    "borg".to_owned()
}

impl Priorities {
    fn read(self, priority: u64) -> Option<u8> {
        match self {
            Self::AsIs => u8::try_from(priority).ok(),
            Self::Tiers2019 => Some(match priority {
                0..=99 => 0,
                100..=115 => 1,
                116..=119 => 2,
                120..=359 => 3,
                _ => 4,
            }),
        }
    }
}

/// The two classes of `scheduling_class`: 2 and 3 serve somebody who waits, 0 and 1 do not.
fn class(scheduling_class: u64) -> Option<Class> {
    match scheduling_class {
        0 | 1 => Some(Class::Batch),
        2 | 3 => Some(Class::LatencySensitive),
        _ => None,
    }
}

/// Reads the files once, and opens them for the second time.
pub(super) fn open(spec: &BorgSpec, context: &Context<'_>) -> Result<Box<dyn Instances>, WorkloadError> {
    let range = |key: &str, value: f64, low: f64, high: f64| {
        let help = || format!("write a finite number from {low} to {high}");
        let inside = value >= low && value <= high;
        inside.then_some(()).ok_or_else(|| wrong("borg", &format!("{key} = {value}"), help()))
    };
    range("host_cores", spec.host_cores, 0.001, 1e6)?;
    range("host_memory_mb", spec.host_memory_mb, 1.0, 1e9)?;
    range("longest_gap_s", spec.longest_gap_s, 0.0, 31_536_000.0)?;
    let region = context.region(spec.region.as_deref(), "borg.region")?;
    let base: &Path = context.base_dir;
    let source = rows::Source::open(&spec.files, base, None)?;
    let mut windows = rows::Windows::new(source, spec);
    let mut table: Vec<Listed> = Vec::new();
    let mut names = rows::Names::default();
    while let Some((window, row)) = windows.step()? {
        if let Some(listed) = table.get_mut(window.number as usize) {
            listed.end = listed.end.max(window.end);
            continue;
        }
        let priority = spec.priorities.read(row.priority).ok_or_else(|| {
            let what = format!("priority = {} is above 255", row.priority);
            windows.error(what, "set priorities = \"tiers-2019\"")
        })?;
        let class = class(row.scheduling_class).ok_or_else(|| {
            let what = format!("scheduling_class = {} is not 0, 1, 2 or 3", row.scheduling_class);
            windows.error(what, "correct or remove the row")
        })?;
        let cores = |fraction: f64| (fraction * spec.host_cores * MICRO).round() as u64;
        let life = windows.life(&row);
        let suffix = if life > 1 { format!("#{life}") } else { String::new() };
        table.push(Listed {
            name: format!("{}/{}{suffix}", row.collection, row.index).into(),
            tenant: names.tenant(row.user.as_deref().unwrap_or(&spec.tenant)),
            deployment: names.deployment(row.collection),
            begin: window.begin,
            end: window.end,
            cpu: cores(row.cpu_request),
            cpu_limit: cores(row.cpu_limit),
            memory: Memory::from_mb(row.memory_request * spec.host_memory_mb),
            priority,
            class,
            fallback: None,
        });
    }
    let mut notes = windows.notes();
    notes.push(("dates".to_owned(), format!("the trace has none: its time {} us is the run's start", spec.origin_us)));
    notes.push((
        "units".to_owned(),
        format!("1 is {} cores and {} MB, as host_cores and host_memory_mb say", spec.host_cores, spec.host_memory_mb),
    ));
    let inputs = windows.inputs();
    let source = rows::Source::open(&spec.files, base, windows.into_requests())?;
    let readings = rows::Second(rows::Windows::new(source, spec));
    let step = Duration::from_secs(STEP_S);
    let feed = Feed::new(table, names.tenants, spec.account_by, region, step, readings, notes, inputs);
    Ok(match spec.after_eviction {
        AfterEviction::Replay => Box::new(Remembered::new(feed)),
        AfterEviction::GoOn => Box::new(feed),
    })
}

/// A time of the trace in the run; what lies before the origin is the run's start.
fn time(us: u64, origin_us: u64) -> SimTime {
    SimTime(us.saturating_sub(origin_us).saturating_mul(1000))
}
