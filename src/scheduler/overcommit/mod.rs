//! Overcommit: how much may a host promise?

mod none;
mod static_ratio;

pub use none::NoOvercommit;
pub use static_ratio::StaticRatio;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::{Duration, HostId, Seed};

/// What a host has, or may promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// CPU [millionths of a core].
    pub cpu: u64,
    /// Memory \[bytes\].
    pub memory: u64,
}

/// What one instance on a host used of its CPU over the last interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// The instance's number.
    pub instance: u32,
    /// Its highest CPU demand in the interval \[cores\], not yet capped.
    pub usage: f64,
    /// Its CPU limit \[cores\].
    pub limit: f64,
}

/// One host at the end of an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Snapshot<'a> {
    /// Its instances, in the order of their numbers; empty for a host without.
    pub samples: &'a [Sample],
    /// The highest CPU use \[cores\] that these instances will together reach in `(now, now + horizon]`, each capped to its limit and
    /// counted as 0 once it has left: only where the policy declares that it needs it ([`Overcommit::oracle_horizon`]), and `None` where
    /// the run ends before the horizon does.
    pub future_peak: Option<f64>,
}

impl<'a> Snapshot<'a> {
    /// What is known without an oracle.
    pub fn of(samples: &'a [Sample]) -> Self {
        Self { samples, future_peak: None }
    }

    /// Sum of all limits \[cores\].
    pub fn limit(&self) -> f64 {
        self.samples.iter().map(|s| s.limit).sum()
    }
}

/// What a predictor says of a host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// Highest CPU use to come \[cores\].
    pub peak: f64,
    /// Sum of all limits \[cores\].
    pub limit: f64,
}

/// Decides how much a host may promise in all.
pub trait Overcommit: Send {
    /// What a host with this physical capacity may promise. Law: never less than nothing, and with no overcommitment
    /// exactly the physical capacity.
    fn allocatable(&mut self, physical: Capacity) -> Capacity;

    /// How often hosts are sampled for [`predict`](Self::predict); `None`: never, the promise is static.
    fn period(&self) -> Option<Duration> {
        None
    }

    /// How far ahead the policy must be told the true peak of what a host holds ([`Snapshot::future_peak`]); `None` for all but declared
    /// oracles.
    fn oracle_horizon(&self) -> Option<Duration> {
        None
    }

    /// Hears of one host's instances at the end of an interval, exactly once per interval, and predicts their common peak. The host may
    /// then promise `allocatable` less the peak to instances that come. `None`: it promises what `allocatable` says less all requests.
    fn predict(&mut self, _host: HostId, _snapshot: &Snapshot<'_>) -> Option<Prediction> {
        None
    }
}

/// The overcommit policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum OvercommitSpec {
    /// A host promises what it has. Knows nothing. Loses the capacity that tenants reserve and do not use.
    None(NoOvercommit),
    /// A host promises a fixed multiple of what it has. Knows nothing of use. Loses when more tenants are busy together than fit:
    /// `exhaustion.*` says how often, `model.memory` what it costs; `cpu_ratio` matters only where CPU is `isolated` or
    /// sandboxes reserve cores. Source:
    /// OpenStack-style allocation ratios. Example: scenarios/soft-allocation.toml.
    StaticRatio(StaticRatio),
}

impl Default for OvercommitSpec {
    fn default() -> Self {
        Self::None(NoOvercommit {})
    }
}

impl OvercommitSpec {
    /// Builds the policy; `seed` is its own.
    pub fn build(&self, _seed: Seed) -> Box<dyn Overcommit> {
        match self {
            Self::None(p) => Box::new(p.clone()),
            Self::StaticRatio(p) => Box::new(p.clone()),
        }
    }
}
