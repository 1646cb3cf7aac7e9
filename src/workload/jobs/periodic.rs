//! `[jobs.NAME.source.periodic]`: the same job again and again: nightly builds, hourly arrivals of upper-bound studies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WorkloadError;
use super::raw::{MOST_S, Raw, Rows, ns, range};

/// The same job again and again.
///
/// *Let's Wait Awhile*, scenario I: first_s = 3600 in a run that starts at midnight, every_s = 86400, count = 365, length_s = 1800.
/// Upper bounds (EuroSys'24): every_s = 3600. CarbonScaler: every_s = 86400.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodicSpec {
    /// When the first is wanted, after the run's start \[s\]. Default 0.
    #[schemars(range(min = 0.0, max = 3153600000.0))]
    #[serde(default)]
    pub first_s: f64,
    /// Time between two of them \[s\].
    #[schemars(range(min = 0.001, max = 3153600000.0))]
    pub every_s: f64,
    /// How many there are.
    #[schemars(range(min = 1, max = 10000000))]
    pub count: u32,
    /// How long each runs \[s\].
    #[schemars(range(min = 0.001, max = 3153600000.0))]
    pub length_s: f64,
}

/// Makes the jobs.
pub(super) fn make(spec: &PeriodicSpec) -> Result<Rows, WorkloadError> {
    let key = |key: &str| format!("source.periodic.{key}");
    range(&key("first_s"), spec.first_s, 0.0, MOST_S)?;
    range(&key("every_s"), spec.every_s, 0.001, MOST_S)?;
    range(&key("count"), spec.count.into(), 1.0, 1e7)?;
    range(&key("length_s"), spec.length_s, 0.001, MOST_S)?;
    let last = spec.first_s + spec.every_s * f64::from(spec.count - 1);
    range("source.periodic: arrival of the last job", last, 0.0, MOST_S)?;
    let (first, every, length) = (ns(spec.first_s), ns(spec.every_s), ns(spec.length_s));
    let job =
        |k: u64| Raw { name: format!("p{k}").into(), number: k, arrival: first + k * every, length, ..Raw::default() };
    Ok(Rows { jobs: (0..u64::from(spec.count)).map(job).collect(), ..Rows::default() })
}
