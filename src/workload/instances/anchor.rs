//! Where a trace with calendar time stands in the run.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WorkloadError;
use crate::types::Duration;

const NANOS_PER_MS: i128 = 1_000_000;

/// Which instant of a trace is the run's start: `"first"`, `"run"` or an instant in UTC (RFC 3339).
///
/// `first`: that at which the first instance is asked for, whatever its date. `run`: the run's own start, so that the trace
/// meets the grid signals of its own days. An instant: that one. What ended before is left out; what was alive goes on from
/// there with the rest of its life.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Anchor(
    /// As in the scenario; empty for `first`.
    pub String,
);

impl Anchor {
    /// The instant, in milliseconds since 1970 as the trace counts.
    ///
    /// # Errors
    /// The text is none of the three; `key` names it.
    pub(super) fn resolve(&self, key: &str, first_ms: i64, run: Timestamp) -> Result<i64, WorkloadError> {
        match self.0.as_str() {
            "" | "first" => Ok(first_ms),
            "run" => Ok(run.as_millisecond()),
            text => text.parse::<Timestamp>().map(|t| t.as_millisecond()).map_err(|_| WorkloadError::Spec {
                what: format!("{key} = \"{text}\" is neither first nor run nor an instant in UTC"),
                help: "write \"first\", \"run\", or an instant like \"2013-08-12T00:00:00Z\"".to_owned(),
            }),
        }
    }
}

/// Milliseconds of a trace as an instant, for notes; as a number if they are no date.
pub(super) fn instant(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| format!("{ms} ms"), |t| t.to_string())
}

/// The part of `[begin, begin + length)` that lies after `start`, all in milliseconds but the result: how long after the
/// start it begins, and how much of it is cut off. `None`: it ended before.
pub(super) fn visible(start_ms: i64, begin_ms: i64, length: Duration) -> Option<(Duration, Duration)> {
    let offset = (i128::from(begin_ms) - i128::from(start_ms)) * NANOS_PER_MS;
    if offset >= 0 {
        return Some((Duration(u64::try_from(offset).ok()?), Duration::ZERO));
    }
    let cut = u64::try_from(-offset).ok()?;
    (cut < length.0).then_some((Duration::ZERO, Duration(cut)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_first_run_or_an_instant() {
        let run: Timestamp = "2022-06-06T00:00:00Z".parse().expect("an instant");
        let at = |text: &str| Anchor(text.to_owned()).resolve("instances.a.opendc.start", 7, run);
        assert_eq!(at("").expect("valid"), 7);
        assert_eq!(at("first").expect("valid"), 7);
        assert_eq!(at("run").expect("valid"), 1_654_473_600_000);
        assert_eq!(at("1970-01-01T00:00:01Z").expect("valid"), 1000);
        assert_eq!(
            at("monday").expect_err("no instant").to_string(),
            "instances.a.opendc.start = \"monday\" is neither first nor run nor an instant in UTC\n  help: write \
             \"first\", \"run\", or an instant like \"2013-08-12T00:00:00Z\""
        );
    }

    #[test]
    fn what_lies_before_the_start_is_cut() {
        let s = Duration::from_secs;
        assert_eq!(visible(1000, 3000, s(1)), Some((s(2), s(0))));
        assert_eq!(visible(3000, 1000, s(5)), Some((s(0), s(2))));
        assert_eq!(visible(3000, 1000, s(2)), None);
    }
}
