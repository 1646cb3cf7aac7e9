//! Where a job list that counts from an instant of its own stands in the run.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WorkloadError;
use super::raw::{MOST_S, Rows, ns, wrong};
use super::spec::JobsContext;

/// Which instant of a job list is the run's start: `"zero"`, `"first"`, `"run"` or an instant in UTC (RFC 3339).
///
/// `zero`: its second 0, whatever its date. `first`: its first job. `run`: the run's own start, so that the list meets the grid signals of
/// its own days. An instant: that one. Jobs before it are left out and counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct JobsStart(
    /// As in the scenario.
    pub String,
);

impl JobsStart {
    /// Second 0 of the list is the run's start.
    pub fn zero() -> Self {
        Self("zero".to_owned())
    }

    /// The list has its own date.
    pub fn run() -> Self {
        Self("run".to_owned())
    }

    /// The time of the list at which the run starts \[ns after its second 0\]. `zero` is the instant of second 0, if the list says.
    ///
    /// # Errors
    /// The text is none of the four, or the list has no date and the text needs one.
    fn offset(&self, key: &str, first: u64, zero: Option<Timestamp>, run: Timestamp) -> Result<i128, WorkloadError> {
        let wanted = match self.0.as_str() {
            "zero" => return Ok(0),
            "first" => return Ok(first.into()),
            "run" => run,
            text => text.parse().map_err(|_| {
                wrong(
                    format!("{key} = \"{text}\" is neither zero nor first nor run nor an instant in UTC"),
                    "write \"zero\", \"first\", \"run\", or an instant like \"2020-01-01T00:00:00Z\"",
                )
            })?,
        };
        let zero = zero.ok_or_else(|| {
            wrong(
                format!(
                    "{key} = \"{}\" needs to know when the list begins, and its header has no UnixStartTime",
                    self.0
                ),
                "write \"zero\" or \"first\", or add the header line `; UnixStartTime: SECONDS`",
            )
        })?;
        Ok(wanted.as_nanosecond() - zero.as_nanosecond())
    }
}

/// A time of the list [ns after its second 0] in the run; `None` if it is before the run's start.
fn place(time: u64, offset: i128) -> Option<u64> {
    u64::try_from(i128::from(time) - offset).ok()
}

/// Moves a list to where it stands in the run, and leaves out what was before.
pub(super) fn anchor(
    mut rows: Rows,
    start: &JobsStart,
    key: &str,
    zero: Option<Timestamp>,
    context: &JobsContext<'_>,
) -> Result<Rows, WorkloadError> {
    let first = rows.jobs.iter().map(|j| j.arrival).min().unwrap_or(0);
    let offset = start.offset(key, first, zero, context.start)?;
    let all = rows.jobs.len();
    rows.jobs.retain_mut(|job| match place(job.arrival, offset) {
        Some(arrival) if arrival <= ns(MOST_S) => {
            job.arrival = arrival;
            true
        }
        _ => false,
    });
    let left_out = all - rows.jobs.len();
    rows.count(left_out as u64, "left out: before the run's start");
    if left_out == all && all > 0 {
        return Err(wrong_dates(key, &rows, zero, context));
    }
    Ok(rows)
}

#[cold]
fn wrong_dates(key: &str, rows: &Rows, zero: Option<Timestamp>, context: &JobsContext<'_>) -> WorkloadError {
    let zero = zero.map_or_else(|| "an unknown date".to_owned(), |z| z.to_string());
    WorkloadError::File {
        path: rows.path.clone().unwrap_or_default(),
        what: format!("no job is left: the list counts from {zero}, and the run starts at {}", context.start),
        help: format!("set time.start to a day of the list, or {key} to \"first\" or to an instant of the list"),
    }
}
