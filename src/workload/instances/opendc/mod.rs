//! OpenDC's Parquet format: `tasks.parquet` names tasks and what they ask for, `fragments.parquet` what they use, in order.
//!
//! A fragment holds from the end of the one before it; the first begins when its task starts. What is data: submission, cores,
//! capacity, memory, demand. What is not simulated: graphics processors, dependencies between tasks, deadlines. A task ends when
//! its fragments do, as in OpenDC, whatever its column `duration` says; the notes count where the two differ.
//!
//! Source: the format of OpenDC (AtLarge Research), traces SURF and Bitbrains; `docs/instance-traces.md`.

mod fragments;
mod table;
mod tasks;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WorkloadError;
use super::accounts::AccountBy;
use super::anchor::{Anchor, instant};
use super::spec::Context;
use super::whole::{Common, Whole};
use super::{Class, whole};
use crate::workload::files::sha256;

/// Tasks and fragments in the Parquet format of OpenDC.
///
/// Memory: 12 bytes per fragment, where equal ones in a row are one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenDcSpec {
    /// File of tasks: id, submission_time, duration, cpu_count, cpu_capacity, mem_capacity (version 2.0: submissionTime, endTime,
    /// maxCores, requiredMemory). (path)
    pub tasks: PathBuf,
    /// File of fragments: id, duration, cpu_usage. (path)
    pub fragments: PathBuf,
    /// Which instant of the trace is the run's start: `first` submission, the `run`'s own start, or an instant in UTC. Default
    /// `first`.
    #[serde(default)]
    pub start: Anchor,
    /// Speed of a core: cpu_usage divided by this is the demand in cores, and cpu_capacity divided by it the limit \[MHz\]. Default:
    /// each task's own, cpu_capacity / cpu_count.
    #[schemars(range(min = 1.0, max = 1000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core_mhz: Option<f64>,
    /// Unit of mem_capacity: MB (10^6 bytes), as the format says, or KB (1024 bytes), as the Bitbrains files hold it. Default MB.
    #[serde(default)]
    pub memory_unit: MemoryUnit,
    /// Unit of times that are plain integers. Default auto: ms, as the format says, unless the first submission lies between 10^9
    /// and 10^10, which is a date in seconds.
    #[serde(default)]
    pub time_unit: TimeUnit,
    /// Unit of cpu_capacity and cpu_usage. Default auto: MHz, as the format says, unless a core has 10^6 or more, which is Hz.
    #[serde(default)]
    pub frequency_unit: FrequencyUnit,
    /// Tasks that wait for others: `refuse` such a trace, or `ignore` it and start them when they are submitted. Default refuse.
    #[serde(default)]
    pub dependencies: Dependencies,
    /// Class of tasks; those with `deferrable` true are batch. Default latency-sensitive.
    #[serde(default)]
    pub class: Class,
    /// Priority of all tasks; the format has none. Default 0.
    #[serde(default)]
    pub priority: u8,
    /// Name of the tenant of all tasks; the format has none. Default `opendc`.
    #[serde(default = "tenant")]
    pub tenant: String,
    /// One account per tenant or per instance. Default tenant.
    #[serde(default)]
    pub account_by: AccountBy,
    /// Region in which tasks are submitted. Default: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// Unit of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum MemoryUnit {
    /// 10^6 bytes.
    #[default]
    MB,
    /// 1024 bytes.
    KB,
}

/// Unit of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TimeUnit {
    /// By magnitude.
    #[default]
    Auto,
    /// Milliseconds.
    Ms,
    /// Seconds.
    S,
}

/// Unit of CPU speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum FrequencyUnit {
    /// By magnitude.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// 10^6 per second.
    MHz,
    /// 1 per second.
    Hz,
}

/// What to do with tasks that wait for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Dependencies {
    /// Refuse the trace.
    #[default]
    Refuse,
    /// Start every task when it is submitted.
    Ignore,
}

fn tenant() -> String {
    "opendc".to_owned()
}

/// Reads the two files.
pub(super) fn open(spec: &OpenDcSpec, context: &Context<'_>) -> Result<Whole, WorkloadError> {
    if let Some(mhz) = spec.core_mhz.filter(|mhz| !(1.0..=1e6).contains(mhz)) {
        return Err(WorkloadError::Spec {
            what: format!("opendc: core_mhz = {mhz}"),
            help: "write a finite number from 1 to 1000000, or leave the key out".to_owned(),
        });
    }
    let region = context.region(spec.region.as_deref(), "opendc.region")?;
    let tasks_path = context.base_dir.join(&spec.tasks);
    let fragments_path = context.base_dir.join(&spec.fragments);
    let tasks = tasks::read(&tasks_path, spec)?;
    let read = fragments::read(&fragments_path, &tasks)?;
    let mut notes = tasks.notes;
    notes.extend(read.notes);
    let first_ms = tasks.tasks.iter().map(|t| t.submission_ms).min().unwrap_or(0);
    let start_ms = spec.start.resolve("opendc.start", first_ms, context.start)?;
    notes.push(("trace_instant_at_the_run_start".to_owned(), instant(start_ms)));
    let found = tasks.tasks.into_iter().zip(read.ranges).map(|(task, pieces)| whole::Found {
        name: task.name,
        begin_ms: task.submission_ms,
        cpu: task.cpu,
        cpu_limit: task.cpu_limit,
        memory: task.memory,
        class: task.class,
        pieces,
    });
    let common =
        Common { tenant: spec.tenant.as_str().into(), account_by: spec.account_by, region, priority: spec.priority };
    let hashes = [sha256(&tasks_path)?, sha256(&fragments_path)?];
    let inputs = [tasks_path, fragments_path].into_iter().zip(hashes).collect();
    Ok(Whole::new(common, found.collect(), read.pieces, start_ms, notes, inputs))
}
