//! `[jobs.NAME.source.swf]`: logs in the Standard Workload Format, as the Parallel Workloads Archive keeps them.
//!
//! Lines that begin with `;` are the header, all others have 18 fields; -1 is a missing value, and floats occur. What is used: job number,
//! submit time, run time, processors, requested time, memory, status, user, group, queue. What is not: waiting times and processor time
//! of the machine that the log comes from, partitions, dependencies (fields 17 and 18).
//!
//! Source: Standard Workload Format 2.2, Parallel Workloads Archive (Feitelson); acknowledge a log's provider.

use std::path::PathBuf;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WorkloadError;
use super::super::files::{Text, parse};
use super::anchor::{JobsStart, anchor};
use super::raw::{Ids, MOST_S, Raw, Rows, micro_cores, ns};
use super::spec::JobsContext;
use crate::types::Memory;

const FIELDS: [&str; 18] = [
    "job number",
    "submit time",
    "wait time",
    "run time",
    "allocated processors",
    "average CPU time",
    "used memory",
    "requested processors",
    "requested time",
    "requested memory",
    "status",
    "user",
    "group",
    "executable",
    "queue",
    "partition",
    "preceding job",
    "think time",
];
const SUBMIT: usize = 1;
const RUN: usize = 3;
const ALLOCATED: usize = 4;
const USED_MEMORY: usize = 6;
const REQUESTED: usize = 7;
const REQUESTED_TIME: usize = 8;
const REQUESTED_MEMORY: usize = 9;
const STATUS: usize = 10;
const USER: usize = 11;
const GROUP: usize = 12;
const QUEUE: usize = 14;
const BYTES_PER_KB: f64 = 1024.0;

/// A log in the Standard Workload Format (Parallel Workloads Archive), plain or gzip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwfSpec {
    /// The file, plain or gzip. (path)
    pub path: PathBuf,
    /// Which instant of the log is the run's start: `zero` (its second 0), its `first` job, the `run`'s own start, or an instant in UTC;
    /// the last two need UnixStartTime in the header. Default zero.
    #[serde(default = "JobsStart::zero")]
    pub start: JobsStart,
    /// Which jobs are taken, by their status: 1 completed, 0 failed, 5 cancelled, -1 unknown; 2, 3, 4 are parts of jobs that have a line of
    /// their own. Default \[-1, 0, 1, 5\]: every job that ran, since one that failed or was cancelled has used the machine, too.
    #[serde(default = "statuses")]
    pub statuses: Vec<i32>,
    /// Whose number counts, that of processors allocated or that requested; the other stands in where it is missing. Default allocated.
    #[serde(default)]
    pub processors: SwfProcessors,
    /// What a processor is: a node of `cpu_cores`, so that a job may be spread over hosts, or a core of the job's only node. Default node.
    #[serde(default)]
    pub processor_is: SwfProcessor,
    /// Whose memory per processor counts; where it is missing, `memory_mb`. Default none: `memory_mb`.
    #[serde(default)]
    pub memory: SwfMemory,
    /// Who a tenant is. Default user.
    #[serde(default)]
    pub tenant_by: SwfTenant,
    /// Whether a job's queue is its class. Default true.
    #[serde(default = "yes")]
    pub class_by_queue: bool,
}

/// Which number of processors counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SwfProcessors {
    /// Field 5.
    #[default]
    Allocated,
    /// Field 8.
    Requested,
}

/// What a processor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SwfProcessor {
    /// A node of its own.
    #[default]
    Node,
    /// A core of the job's only node.
    Core,
}

/// Which memory counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SwfMemory {
    /// None of the log's.
    #[default]
    None,
    /// Field 7, KB (1024 bytes) per processor.
    Used,
    /// Field 10, KB (1024 bytes) per processor.
    Requested,
}

/// Who a tenant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SwfTenant {
    /// Field 12.
    #[default]
    User,
    /// Field 13.
    Group,
    /// The section's `tenant`.
    None,
}

fn statuses() -> Vec<i32> {
    vec![-1, 0, 1, 5]
}

fn yes() -> bool {
    true
}

/// What was left out, and why.
#[derive(Debug, Default)]
struct LeftOut {
    status: u64,
    no_run_time: u64,
    no_submit_time: u64,
    no_processors: u64,
    other_processors: u64,
}

/// The 18 fields of a line.
fn fields(text: &Text, line: &[u8]) -> Result<[f64; 18], WorkloadError> {
    let mut values = [0.0; 18];
    let mut count = 0;
    for field in line.split(u8::is_ascii_whitespace).filter(|f| !f.is_empty()) {
        if let Some(value) = values.get_mut(count) {
            *value = parse(field).ok_or_else(|| {
                let found = String::from_utf8_lossy(field);
                let what = format!("field {}, {} = \"{found}\", is not a number", count + 1, FIELDS[count]);
                text.error(what, "correct or remove the line; a header line begins with a semicolon")
            })?;
        }
        count += 1;
    }
    if count != values.len() {
        return Err(text.error(
            format!("the line has {count} fields instead of 18"),
            "complete or correct the line; a file that was cut off ends like this",
        ));
    }
    Ok(values)
}

/// Reads the log.
pub(super) fn read(spec: &SwfSpec, context: &JobsContext<'_>) -> Result<Rows, WorkloadError> {
    let path = context.base_dir.join(&spec.path);
    let mut text = Text::open(&path)?;
    let mut rows = Rows::of(&path);
    let (mut ids, mut out) = (Ids::default(), LeftOut::default());
    let (mut zero, mut number, mut failed) = (None, 0, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        match text.line()? {
            Some(found) => line.extend_from_slice(found.trim_ascii()),
            None => break,
        }
        if let Some(header) = line.strip_prefix(b";") {
            zero = zero.or(unix_start(&text, header)?);
            continue;
        }
        let values = fields(&text, &line)?;
        number += 1;
        let Some(mut job) = job(spec, &values, &mut out, &text)? else { continue };
        (job.number, job.line) = (number - 1, text.line_number());
        ids.take(&text, "job number", &job.name, job.line)?;
        failed += u64::from(values[STATUS] == 0.0 || values[STATUS] == 5.0);
        let tenant = match spec.tenant_by {
            SwfTenant::User => Some(("user", values[USER])),
            SwfTenant::Group => Some(("group", values[GROUP])),
            SwfTenant::None => None,
        };
        let named = |(what, value): (&str, f64)| (value >= 0.0).then(|| format!("{what}-{value}"));
        job.tenant = tenant.and_then(named).map(|name| rows.tenants.of(&name));
        let queue = Some(("queue", values[QUEUE])).filter(|_| spec.class_by_queue);
        job.class = queue.and_then(named).map(|name| rows.classes.of(&name));
        rows.jobs.push(job);
    }
    rows.count(out.status, "left out: their status is not in source.swf.statuses");
    rows.count(out.no_run_time, "left out: without a run time");
    rows.count(out.no_submit_time, "left out: without a submit time");
    rows.count(out.no_processors, "left out: without processors");
    rows.count(out.other_processors, "without the number of processors asked for: the other one was taken");
    rows.count(failed, "that had failed or been cancelled, taken as they ran");
    rows.inputs.push((path, text.sha256()));
    anchor(rows, &spec.start, "source.swf.start", zero, context)
}

/// The instant of second 0, if this header line says.
fn unix_start(text: &Text, header: &[u8]) -> Result<Option<Timestamp>, WorkloadError> {
    let header = String::from_utf8_lossy(header);
    let Some(value) = header.trim().strip_prefix("UnixStartTime:") else { return Ok(None) };
    let parsed = value.trim().parse().ok().and_then(|s| Timestamp::from_second(s).ok());
    match parsed {
        Some(instant) => Ok(Some(instant)),
        None => Err(text.error(
            format!("UnixStartTime = \"{}\" is not a number of seconds since 1970", value.trim()),
            "correct or remove the header line",
        )),
    }
}

/// The job of a line; `None` if it is left out.
fn job(spec: &SwfSpec, values: &[f64; 18], out: &mut LeftOut, text: &Text) -> Result<Option<Raw>, WorkloadError> {
    if !spec.statuses.iter().any(|s| f64::from(*s) == values[STATUS]) {
        out.status += 1;
        return Ok(None);
    }
    for (at, count) in [(RUN, &mut out.no_run_time), (SUBMIT, &mut out.no_submit_time)] {
        if values[at] == -1.0 {
            *count += 1;
            return Ok(None);
        }
        if values[at] < 0.0 || values[at] > MOST_S {
            let what = format!("field {}, {} = {}, is not from 0 to 3153600000 s", at + 1, FIELDS[at], values[at]);
            return Err(text.error(what, "correct or remove the line; -1 stands for a missing value"));
        }
    }
    let (first, second) = match spec.processors {
        SwfProcessors::Allocated => (ALLOCATED, REQUESTED),
        SwfProcessors::Requested => (REQUESTED, ALLOCATED),
    };
    let processors = if values[first] >= 1.0 { values[first] } else { values[second] };
    if !(1.0..=f64::from(u32::MAX)).contains(&processors) {
        out.no_processors += 1;
        return Ok(None);
    }
    out.other_processors += u64::from(values[first] < 1.0);
    let memory = match spec.memory {
        SwfMemory::None => -1.0,
        SwfMemory::Used => values[USED_MEMORY],
        SwfMemory::Requested => values[REQUESTED_MEMORY],
    };
    let (nodes, cpu, share) = match spec.processor_is {
        SwfProcessor::Node => (processors as u32, None, 1.0),
        SwfProcessor::Core => (1, Some(micro_cores(processors.trunc())), processors.trunc()),
    };
    let estimate = values[REQUESTED_TIME];
    Ok(Some(Raw {
        name: format!("{}", values[0]).into(),
        arrival: ns(values[SUBMIT]),
        length: ns(values[RUN]),
        cpu,
        nodes: Some(nodes),
        memory: (memory > 0.0).then_some(Memory((memory * share * BYTES_PER_KB) as u64)),
        estimate: (estimate > 0.0).then(|| ns(estimate.min(MOST_S))),
        ..Raw::default()
    }))
}
