//! `[instances.NAME.synthetic]`: the keys of made instances, their defaults and their ranges.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::AccountBy;
use super::{HOURS_PER_DAY, Lifetime, SECONDS_PER_HOUR, Sizes, UsageSpec, wrong};
use crate::types::{Duration, SimTime, Stream};
use crate::workload::WorkloadError;

/// Made instances: a population that stands at the start, and arrivals; each with a size, a life and a usage of its own.
///
/// Memory: about 200 bytes per live instance. The usage of one depends on the seed and its number, never on others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyntheticSpec {
    /// How many are there at the start. Default 0.
    #[schemars(range(min = 0, max = 100000000))]
    #[serde(default)]
    pub count: u32,
    /// Those that come later. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<Arrivals>,
    /// Instances come up to, not including, this, and those that stay for the whole run end then \[s\].
    #[schemars(range(min = 0.001, max = 3153600000.0))]
    pub duration_s: f64,
    /// What they ask for. Default `bitbrains`.
    #[serde(default)]
    pub sizes: Sizes,
    /// How long they live. Default `whole-run`.
    #[serde(default)]
    pub lifetime: Lifetime,
    /// Those that are there at the start have lived before: their rest of life is that of a population in equilibrium. False: they
    /// are as new. Default true.
    #[serde(default = "yes")]
    pub residual_life: bool,
    /// CPU that an instance can never exceed, over its request. Default 1; a large number caps nothing.
    #[schemars(range(min = 1.0, max = 1000000.0))]
    #[serde(default = "one")]
    pub limit_to_request: f64,
    /// How CPU demand runs over an instance's life.
    pub usage: UsageSpec,
    /// Length of a step of usage \[s\]. Default 300, as in the traces of Borg and Azure.
    #[schemars(range(min = 0.001, max = 86400.0))]
    #[serde(default = "step_s")]
    pub step_s: f64,
    /// Memory in use as a share of the request. Default 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "one")]
    pub memory_share: f64,
    /// Tenants over which instances are dealt in turn. Default 1.
    #[schemars(range(min = 1, max = 1000000))]
    #[serde(default = "one_tenant")]
    pub tenants: u32,
    /// Trust domains over which the tenants are dealt in turn. Default: one per tenant.
    #[schemars(range(min = 1, max = 1000000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_domains: Option<u32>,
    /// Instances of a tenant that make one deployment, in order. Default: none makes one.
    #[schemars(range(min = 1, max = 1000000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_size: Option<u32>,
    /// Share of instances that are of class batch. Default 0.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default)]
    pub batch_share: f64,
    /// Priority of latency-sensitive instances. Default 1.
    #[serde(default = "high")]
    pub priority: u8,
    /// Priority of batch instances. Default 0.
    #[serde(default)]
    pub batch_priority: u8,
    /// One account per tenant or per instance. Default tenant.
    #[serde(default)]
    pub account_by: AccountBy,
    /// Region in which instances are asked for. Default: tenant t is at home in region t modulo their number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// Instances that come during the run: a Poisson process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arrivals {
    /// Mean over a day \[1/h\].
    #[schemars(range(min = 0.000001, max = 100000000.0))]
    pub rate_per_h: f64,
    /// Highest rate over lowest rate, over a cosine of a day. Default 1: steady.
    #[schemars(range(min = 1.0, max = 1000000000.0))]
    #[serde(default = "one")]
    pub peak_to_trough: f64,
    /// Hour of the day at which the rate peaks \[h, UTC\]. Assumed: 14.
    #[schemars(range(min = 0.0, max = 24.0))]
    #[serde(default = "peak_hour")]
    pub peak_hour_utc: f64,
}

fn yes() -> bool {
    true
}

fn one() -> f64 {
    1.0
}

fn one_tenant() -> u32 {
    1
}

fn high() -> u8 {
    1
}

fn step_s() -> f64 {
    300.0
}

fn peak_hour() -> f64 {
    14.0
}

impl Arrivals {
    /// The time of the arrival after `now`, at or after `end` if none comes before it, by thinning (Lewis and Shedler 1979): candidates at
    /// the highest rate, each kept with the rate's share of it. `start_hour`: hour of the day at the run's start.
    pub(in crate::workload) fn after(
        &self,
        mut now: SimTime,
        end: SimTime,
        start_hour: f64,
        stream: &mut Stream,
    ) -> SimTime {
        let (mean, ratio) = (self.rate_per_h, self.peak_to_trough);
        let amplitude = (ratio - 1.0) / (ratio + 1.0);
        let highest = mean * (1.0 + amplitude);
        while now < end {
            now += Duration::from_secs_f64(stream.exponential(SECONDS_PER_HOUR / highest));
            let hour = start_hour + now.as_secs_f64() / SECONDS_PER_HOUR;
            let phase = (hour - self.peak_hour_utc) / HOURS_PER_DAY;
            let rate = mean * (1.0 + amplitude * libm::cos(std::f64::consts::TAU * phase));
            if stream.uniform() * highest <= rate {
                break;
            }
        }
        now
    }
}

impl SyntheticSpec {
    pub(super) fn check(&self) -> Result<(), WorkloadError> {
        let range = |key: &str, value: f64, low: f64, high: f64| {
            let help = || format!("write a finite number from {low} to {high}");
            let inside = value >= low && value <= high;
            inside.then_some(()).ok_or_else(|| wrong("synthetic", &format!("{key} = {value}"), help()))
        };
        range("duration_s", self.duration_s, 1e-3, 3_153_600_000.0)?;
        range("limit_to_request", self.limit_to_request, 1.0, 1e6)?;
        range("step_s", self.step_s, 1e-3, 86_400.0)?;
        range("memory_share", self.memory_share, 0.0, 1.0)?;
        range("tenants", self.tenants.into(), 1.0, 1e6)?;
        range("batch_share", self.batch_share, 0.0, 1.0)?;
        if let Some(domains) = self.trust_domains {
            range("trust_domains", domains.into(), 1.0, 1e6)?;
        }
        if let Some(size) = self.deployment_size {
            range("deployment_size", size.into(), 1.0, 1e6)?;
        }
        if let Some(a) = &self.arrivals {
            range("arrivals.rate_per_h", a.rate_per_h, 1e-6, 1e8)?;
            range("arrivals.peak_to_trough", a.peak_to_trough, 1.0, 1e9)?;
            range("arrivals.peak_hour_utc", a.peak_hour_utc, 0.0, 24.0)?;
        }
        if self.count == 0 && self.arrivals.is_none() {
            let help = "set count for a population at the start, or arrivals for one that comes".to_owned();
            return Err(wrong("synthetic", "there is neither count nor arrivals", help));
        }
        self.sizes.check()?;
        self.lifetime.check()?;
        self.usage.check("synthetic")
    }
}
