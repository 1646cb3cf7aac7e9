//! `[jobs.NAME.source.lets-wait-awhile]`: the machine-learning jobs of Wiesner et al., *Let's Wait Awhile* (Middleware 2021).
//!
//! Columns: `job_id, arrival_min, duration_min`; arrivals count from 2020-01-01 00:00 UTC, both in whole half hours. A job is one unit of
//! power; `power_w = 2036.6` gives the paper's tonnes.

use std::path::PathBuf;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WorkloadError;
use super::super::files::Text;
use super::super::rows::nanoseconds;
use super::anchor::{JobsStart, anchor};
use super::raw::{Ids, MOST_S, Raw, Rows, ns};
use super::spec::JobsContext;

/// 2020-01-01T00:00:00Z in seconds since 1970.
const ZERO_S: i64 = 1_577_836_800;

/// Jobs as in *Let's Wait Awhile*: job_id, arrival_min (since 2020-01-01 00:00 UTC), duration_min.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LetsWaitAwhileSpec {
    /// The file, plain or gzip. (path)
    pub path: PathBuf,
    /// Which instant of the list is the run's start: `zero` (2020-01-01 00:00), its `first` job, the `run`'s own start, or an instant in
    /// UTC. Default `run`: the jobs have their own dates, and weekdays.
    #[serde(default = "JobsStart::run")]
    pub start: JobsStart,
}

fn minutes(text: &Text, at: usize, name: &str) -> Result<u64, WorkloadError> {
    let time = nanoseconds(text.cell(at)).and_then(|t| t.checked_mul(60)).filter(|t| *t <= ns(MOST_S));
    time.ok_or_else(|| text.wrong(at, name, "a number of minutes from 0 to 52560000 (100 years)"))
}

/// Reads the file.
pub(super) fn read(spec: &LetsWaitAwhileSpec, context: &JobsContext<'_>) -> Result<Rows, WorkloadError> {
    let path = context.base_dir.join(&spec.path);
    let mut text = Text::open(&path)?;
    let ([id, arrival, duration], [], width) = text.header(["job_id", "arrival_min", "duration_min"], [])?;
    let mut rows = Rows::of(&path);
    let mut ids = Ids::default();
    while text.row(width)? {
        let name = text.text(id);
        let line = text.line_number();
        ids.take(&text, "job_id", &name, line)?;
        rows.jobs.push(Raw {
            line,
            number: rows.jobs.len() as u64,
            arrival: minutes(&text, arrival, "arrival_min")?,
            length: minutes(&text, duration, "duration_min")?,
            name: name.into(),
            ..Raw::default()
        });
    }
    rows.inputs.push((path, text.sha256()));
    let zero = Timestamp::from_second(ZERO_S).expect("2020 is a date");
    anchor(rows, &spec.start, "source.lets-wait-awhile.start", Some(zero), context)
}
