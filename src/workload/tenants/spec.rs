//! `[workload.tenants]`: the keys of the traffic of many tenants, their defaults and their ranges.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::workload::{Service, WorkloadError};

/// Most functions of all tenants together: each costs about 100 bytes.
const MOST_FUNCTIONS: u64 = 10_000_000;
const SECONDS_PER_HOUR: f64 = 3600.0;

/// `[workload.tenants]`: many tenants that call independently of each other, all with the same shape of traffic.
///
/// Compare shapes at equal load: `requests_per_hour` is the long-run mean whatever the shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantsSpec {
    /// How many tenants.
    #[schemars(range(min = 1, max = 1000000))]
    pub tenants: u32,
    /// Functions of each tenant; a call picks one by Zipf's law. Default 1.
    #[schemars(range(min = 1, max = 10000))]
    #[serde(default = "one_function")]
    pub functions_per_tenant: u32,
    /// Exponent of Zipf's law over the functions of a tenant; 0 makes them equally popular. Assumed: 1.
    #[schemars(range(min = 0.0, max = 10.0))]
    #[serde(default = "one")]
    pub zipf_exponent: f64,
    /// Mean calls of one tenant in the long run, whatever the shape \[1/h\].
    #[schemars(range(min = 0.000001, max = 100000000.0))]
    pub requests_per_hour: f64,
    /// Spread of the tenants' mean rates: sigma of a log-normal distribution whose mean is `requests_per_hour`. Default 0:
    /// all alike.
    #[schemars(range(min = 0.0, max = 5.0))]
    #[serde(default)]
    pub rate_sigma: f64,
    /// Calls that would arrive before this are left out \[s\]: time to deploy before a load test begins. Default 0.
    #[schemars(range(min = 0.0, max = 3153600000.0))]
    #[serde(default)]
    pub begin_s: f64,
    /// How long calls arrive: from `begin_s` up to, not including, this \[s\].
    #[schemars(range(min = 0.001, max = 3153600000.0))]
    pub duration_s: f64,
    /// How a tenant's calls are spread over time.
    pub shape: Shape,
    /// How long a call runs alone.
    pub service: Service,
    /// Memory of a function; the median over functions if `memory_sigma` is above 0 \[MB\]. Default 128.
    #[schemars(range(min = 0.0, max = 1000000000.0))]
    #[serde(default = "memory")]
    pub memory_mb: f64,
    /// Spread of the functions' memory: sigma of a log-normal distribution whose median is `memory_mb`. Default 0: all
    /// alike.
    #[schemars(range(min = 0.0, max = 5.0))]
    #[serde(default)]
    pub memory_sigma: f64,
    /// CPU that one running call demands \[cores\]. Default 1.
    #[schemars(range(min = 0.0, max = 4000000.0))]
    #[serde(default = "one")]
    pub cpu_cores: f64,
    /// Deadline \[s after arrival\]. Default: none.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_s: Option<f64>,
    /// Trust domains over which the tenants are dealt in turn. Default: one per tenant.
    #[schemars(range(min = 1, max = 1000000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_domains: Option<u32>,
}

/// How the calls of one tenant are spread over time. All shapes have the same mean rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Shape {
    /// A Poisson process of constant rate. At a low rate this is sparse traffic.
    Steady {},
    /// A Poisson process whose rate follows a cosine over the day.
    ///
    /// Formula: rate(t) = mean (1 + a cos(2 pi (t - peak) / 24 h)), a = (r - 1) / (r + 1), r = `peak_to_trough`.
    Diurnal {
        /// Highest rate over lowest rate. 1 is steady. For comparison: published 4.3 for XFaaS (SOSP 2023).
        #[schemars(range(min = 1.0, max = 1000000000.0))]
        peak_to_trough: f64,
        /// Hour of the day at which the rate peaks \[h, UTC\]. Assumed: 14.
        #[schemars(range(min = 0.0, max = 24.0))]
        #[serde(default = "peak_hour")]
        peak_hour_utc: f64,
        /// Width of the interval around that hour over which the tenants' peaks lie, uniformly \[h\]; 24 makes the sum of
        /// all tenants flat. Default 0.
        #[schemars(range(min = 0.0, max = 24.0))]
        #[serde(default)]
        phase_spread_h: f64,
        /// Hour of the day at the run's start, which `time.start` does not set \[h, UTC\]. Default 0.
        #[schemars(range(min = 0.0, max = 24.0))]
        #[serde(default)]
        start_hour_utc: f64,
    },
    /// A Poisson process that is on and off in turn, both for exponential times (an interrupted Poisson process).
    ///
    /// Formula: rate while on = mean / `on_share`, while off 0; mean off time = `on_mean_s` (1 / `on_share` - 1).
    Bursty {
        /// Share of the time that a tenant is on.
        #[schemars(range(min = 0.000001, max = 1.0))]
        on_share: f64,
        /// Mean length of an on period \[s\].
        #[schemars(range(min = 0.001, max = 1000000000.0))]
        on_mean_s: f64,
    },
    /// One call per period 1 / rate, at a phase of the tenant's own that is uniform over the period.
    Timer {
        /// Each call is late by a time uniform between 0 and this, at most by the tenant's period \[s\]. Default 0.
        #[schemars(range(min = 0.0, max = 1000000000.0))]
        #[serde(default)]
        jitter_s: f64,
    },
}

fn one_function() -> u32 {
    1
}

fn one() -> f64 {
    1.0
}

fn memory() -> f64 {
    128.0
}

fn peak_hour() -> f64 {
    14.0
}

impl Shape {
    /// The name, as in the scenario.
    pub fn name(&self) -> &'static str {
        match self {
            Shape::Steady {} => "steady",
            Shape::Diurnal { .. } => "diurnal",
            Shape::Bursty { .. } => "bursty",
            Shape::Timer { .. } => "timer",
        }
    }
}

fn wrong(what: String, help: impl Into<String>) -> WorkloadError {
    WorkloadError::Spec { what: format!("workload.tenants: {what}"), help: help.into() }
}

impl TenantsSpec {
    /// Checks every key that the shape of the traffic depends on, and those that contradict each other.
    ///
    /// # Errors
    /// The message names the key, the value and the range.
    pub(super) fn check(&self) -> Result<(), WorkloadError> {
        // Comparisons are false for NaN, so a value that is not a number is out of every range.
        let range = |key: &str, value: f64, low: f64, high: f64| {
            let help = || format!("write a finite number from {low} to {high}");
            (value >= low && value <= high).then_some(()).ok_or_else(|| wrong(format!("{key} = {value}"), help()))
        };
        range("tenants", self.tenants.into(), 1.0, 1e6)?;
        range("functions_per_tenant", self.functions_per_tenant.into(), 1.0, 1e4)?;
        range("zipf_exponent", self.zipf_exponent, 0.0, 10.0)?;
        range("requests_per_hour", self.requests_per_hour, 1e-6, 1e8)?;
        range("rate_sigma", self.rate_sigma, 0.0, 5.0)?;
        range("duration_s", self.duration_s, 1e-3, 3_153_600_000.0)?;
        range("begin_s", self.begin_s, 0.0, 3_153_600_000.0)?;
        if self.begin_s >= self.duration_s {
            let what =
                format!("begin_s = {} leaves no time for calls before duration_s = {}", self.begin_s, self.duration_s);
            return Err(wrong(what, "calls arrive from begin_s up to duration_s; both count from the run's start"));
        }
        range("memory_mb", self.memory_mb, 0.0, 1e9)?;
        range("memory_sigma", self.memory_sigma, 0.0, 5.0)?;
        range("cpu_cores", self.cpu_cores, 0.0, 4e6)?;
        if let Some(domains) = self.trust_domains {
            range("trust_domains", domains.into(), 1.0, 1e6)?;
        }
        match self.shape {
            Shape::Steady {} => {}
            Shape::Diurnal { peak_to_trough, peak_hour_utc, phase_spread_h, start_hour_utc } => {
                range("shape.diurnal.peak_to_trough", peak_to_trough, 1.0, 1e9)?;
                range("shape.diurnal.peak_hour_utc", peak_hour_utc, 0.0, 24.0)?;
                range("shape.diurnal.phase_spread_h", phase_spread_h, 0.0, 24.0)?;
                range("shape.diurnal.start_hour_utc", start_hour_utc, 0.0, 24.0)?;
            }
            Shape::Bursty { on_share, on_mean_s } => {
                range("shape.bursty.on_share", on_share, 1e-6, 1.0)?;
                range("shape.bursty.on_mean_s", on_mean_s, 1e-3, 1e9)?;
            }
            Shape::Timer { jitter_s } => {
                range("shape.timer.jitter_s", jitter_s, 0.0, 1e9)?;
                let period = SECONDS_PER_HOUR / self.requests_per_hour;
                if jitter_s > period {
                    let what = format!("shape.timer.jitter_s = {jitter_s} is longer than the period of {period} s");
                    return Err(wrong(what, "the period is 3600 / requests_per_hour; choose a jitter up to it"));
                }
            }
        }
        let functions = u64::from(self.tenants) * u64::from(self.functions_per_tenant);
        if functions > MOST_FUNCTIONS {
            let what = format!("tenants × functions_per_tenant = {functions} functions");
            return Err(wrong(what, format!("at most {MOST_FUNCTIONS} are kept: lower one of the two")));
        }
        Ok(())
    }

    /// Mean calls of one tenant per second.
    pub(super) fn rate_per_s(&self) -> f64 {
        self.requests_per_hour / SECONDS_PER_HOUR
    }
}
