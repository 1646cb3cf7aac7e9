//! `[jobs.NAME.source.csv]`: this project's own tidy format, one row per job.
//!
//! Columns, in any order, named by the first line: `arrival_s` (since the run's start) or `arrival_utc` (RFC 3339); `length_s`; and
//! optionally `cpu_cores` (of one node), `nodes`, `memory_mb` (of one node), one of `slack_s`, `deadline_s` (since the run's start) and
//! `deadline_utc`, `estimate_s`, `class`, `tenant`, `name` (unique), `region`. An empty cell says nothing. Plain or gzip, and a pipe such
//! as `/dev/stdin` will do.

use std::path::PathBuf;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WorkloadError;
use super::super::files::Text;
use super::super::rows::nanoseconds;
use super::raw::{Ids, MOST_S, Raw, Rows, micro_cores, ns};
use super::spec::JobsContext;
use crate::types::Memory;

const OPTIONAL: [&str; 13] = [
    "arrival_s",
    "arrival_utc",
    "cpu_cores",
    "nodes",
    "memory_mb",
    "slack_s",
    "deadline_s",
    "deadline_utc",
    "estimate_s",
    "class",
    "tenant",
    "name",
    "region",
];
const MOST_CORES: f64 = 4_000_000.0;

/// A file of jobs in this project's own format (docs/jobs.md), read whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobsCsvSpec {
    /// The file, plain or gzip. (path)
    pub path: PathBuf,
}

/// A time on a cell \[ns\].
pub(super) fn time(text: &Text, at: usize, name: &str) -> Result<u64, WorkloadError> {
    let wanted = "a number of seconds from 0 to 3153600000 (100 years)";
    nanoseconds(text.cell(at)).filter(|t| *t <= ns(MOST_S)).ok_or_else(|| text.wrong(at, name, wanted))
}

/// Seconds after the run's start of an instant on a cell \[ns\]; negative before it.
fn instant(text: &Text, at: usize, name: &str, start: Timestamp) -> Result<i128, WorkloadError> {
    let parsed = std::str::from_utf8(text.cell(at)).ok().and_then(|t| t.parse::<Timestamp>().ok());
    let since = parsed.map(|t| t.as_nanosecond() - start.as_nanosecond()).filter(|t| *t <= i128::from(ns(MOST_S)));
    since.ok_or_else(|| text.wrong(at, name, "an instant in UTC like 2022-06-06T09:00:00Z, within 100 years"))
}

/// Reads the file.
pub(super) fn read(spec: &JobsCsvSpec, context: &JobsContext<'_>) -> Result<Rows, WorkloadError> {
    let path = context.base_dir.join(&spec.path);
    let mut text = Text::open(&path)?;
    let ([length], optional, width) = text.header(["length_s"], OPTIONAL)?;
    let [
        arrival_s,
        arrival_utc,
        cpu,
        nodes,
        memory,
        slack_s,
        deadline_s,
        deadline_utc,
        estimate,
        class,
        tenant,
        name,
        region,
    ] = optional;
    let file = |what: &str, help: &str| WorkloadError::File {
        path: path.clone(),
        what: what.to_owned(),
        help: help.to_owned(),
    };
    if arrival_s.is_some() == arrival_utc.is_some() {
        return Err(file(
            "there must be one of the columns arrival_s and arrival_utc",
            "say when jobs arrive, either in seconds since the run's start or as instants in UTC",
        ));
    }
    if [slack_s, deadline_s, deadline_utc].iter().flatten().count() > 1 {
        return Err(file(
            "slack_s, deadline_s and deadline_utc say the same thing, and more than one of them is there",
            "keep one of the three columns",
        ));
    }
    let mut rows = Rows::of(&path);
    let mut ids = Ids::default();
    let (mut number, mut before, mut late) = (0, 0, 0);
    let given = |text: &Text, at: Option<usize>| at.filter(|&at| !text.cell(at).is_empty());
    while text.row(width)? {
        let mut job = Raw { line: text.line_number(), number, ..Raw::default() };
        number += 1;
        let arrival = match (arrival_s, arrival_utc) {
            (Some(at), _) => i128::from(time(&text, at, "arrival_s")?),
            (None, Some(at)) => instant(&text, at, "arrival_utc", context.start)?,
            (None, None) => 0,
        };
        job.length = time(&text, length, "length_s")?;
        if let Some(at) = given(&text, cpu) {
            let cores = text.finite(at).filter(|c| *c > 0.0 && *c <= MOST_CORES);
            let cores = cores.ok_or_else(|| text.wrong(at, "cpu_cores", "a number above 0, up to 4000000"))?;
            job.cpu = Some(micro_cores(cores).max(1));
        }
        if let Some(at) = given(&text, nodes) {
            let nodes = text.whole(at, "nodes").ok().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
            job.nodes = Some(nodes.ok_or_else(|| text.wrong(at, "nodes", "a whole number from 1"))?);
        }
        if let Some(at) = given(&text, memory) {
            job.memory = Some(Memory::from_mb(text.number(at, "memory_mb")?));
        }
        if let Some(at) = given(&text, slack_s) {
            job.slack = Some(time(&text, at, "slack_s")?);
        }
        let deadline = match (given(&text, deadline_s), given(&text, deadline_utc)) {
            (Some(at), _) => Some(i128::from(time(&text, at, "deadline_s")?)),
            (None, Some(at)) => Some(instant(&text, at, "deadline_utc", context.start)?),
            (None, None) => None,
        };
        if let Some(deadline) = deadline {
            let slack = deadline - arrival - i128::from(job.length);
            late += u64::from(slack < 0);
            job.slack = Some(u64::try_from(slack.max(0)).unwrap_or(u64::MAX).min(ns(MOST_S)));
        }
        if let Some(at) = given(&text, estimate) {
            job.estimate = Some(time(&text, at, "estimate_s")?);
        }
        job.class = given(&text, class).map(|at| rows.classes.of(&text.text(at)));
        job.tenant = given(&text, tenant).map(|at| rows.tenants.of(&text.text(at)));
        if let Some(at) = given(&text, region) {
            let found = context.regions.iter().position(|r| r.as_bytes() == text.cell(at));
            let help = format!("the name of a region of this scenario: {}", context.regions.join(", "));
            let found = found.ok_or_else(|| text.wrong(at, "region", &help))?;
            job.region = Some(crate::types::RegionId::from_index(found));
        }
        match name {
            Some(at) => {
                let id = text.text(at);
                if id.is_empty() {
                    return Err(text.error("name is empty".to_owned(), "give every job a name of its own"));
                }
                ids.take(&text, "name", &id, job.line)?;
                job.name = id.into();
            }
            None => job.name = format!("j{}", job.number).into(),
        }
        match u64::try_from(arrival) {
            Ok(arrival) => {
                job.arrival = arrival;
                rows.jobs.push(job);
            }
            Err(_) => before += 1,
        }
    }
    rows.count(before, "left out: before the run's start");
    rows.count(late, "with a deadline that even an immediate start would miss: taken as without slack");
    rows.inputs.push((path, text.sha256()));
    Ok(rows)
}
