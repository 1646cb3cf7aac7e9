//! Overcommit: how much may a host promise?
//!
//! Two policies promise a fixed multiple of what is there. The others predict, from what the instances on a host used, the highest
//! CPU use to come, and the host promises the rest. `docs/overcommit.md` has the definitions, both semantics and the published figures.

mod autopilot;
mod average;
mod borg_default;
mod machine_percentile;
mod max;
mod mean;
mod n_sigma;
mod none;
mod peak_oracle;
mod predictor;
mod resource_central;
mod static_ratio;
mod totals;
mod usage_max;
pub mod watch;
mod window;

pub use autopilot::Autopilot;
pub use average::Average;
pub use borg_default::BorgDefault;
pub use machine_percentile::MachinePercentile;
pub use max::Max;
pub use mean::Mean;
pub use n_sigma::NSigma;
pub use none::NoOvercommit;
pub use peak_oracle::PeakOracle;
pub use resource_central::ResourceCentral;
pub use static_ratio::StaticRatio;
pub use usage_max::UsageMax;

use predictor::{Predicting, Predictor};
use totals::Totals;
use window::{PerInstance, Ring, SoFar, Sorted, State, share, stored};

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

    /// Sum of all uses, each at most its limit \[cores\].
    pub fn capped_usage(&self) -> f64 {
        self.samples.iter().map(|s| s.usage.min(s.limit)).sum()
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

/// Which definition a predictor follows where the paper and its authors' released simulator differ (`docs/overcommit.md`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Semantics {
    /// As Bashir et al., *Take it to the Limit*, EuroSys 2021, define it.
    #[default]
    Paper,
    /// As google/cluster-resource-forecast (48b67346) computes it.
    Compat,
}

/// The overcommit policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum OvercommitSpec {
    /// A host promises what it has. Knows nothing. Loses the capacity that tenants reserve and do not use.
    None(NoOvercommit),
    /// A host promises a fixed multiple of what it has. Knows nothing of use. Loses when more tenants are busy together than fit:
    /// `exhaustion.*` says how often, `model.memory` what it costs; for calls `cpu_ratio` matters only where CPU is `isolated` or
    /// sandboxes reserve cores. Source:
    /// OpenStack-style allocation ratios. Example: scenarios/soft-allocation.toml.
    StaticRatio(StaticRatio),
    /// The peak is a fixed share of the limits. Knows the limits. Loses on busy hosts, which it treats like idle ones: no violation on some, many
    /// on others. Source: `borg-default`, EuroSys 2021 (Bashir et al.).
    BorgDefault(BorgDefault),
    /// The peak is the sum of a percentile of each instance's own use. Knows each one's last hours. Loses what sharing gains, since own
    /// peaks seldom coincide, and still misses growth. Source: "RC-like", EuroSys 2021, after Resource Central.
    ResourceCentral(ResourceCentral),
    /// The peak is the mean of the host's total use and n standard deviations more. Knows the host's last hours. Loses on few large instances,
    /// whose sum is not normal, and on daily patterns longer than its history. Source: "N-sigma", EuroSys 2021.
    NSigma(NSigma),
    /// The peak is a percentile of the host's total use. Knows the host's last hours. Loses whatever has not happened in them. Source: the
    /// released simulator of EuroSys 2021.
    MachinePercentile(MachinePercentile),
    /// The peak is the largest of what several predictors say. Knows what they know. Loses savings wherever one of them is too careful.
    /// Source: the "max predictor", EuroSys 2021.
    Max(Max),
    /// The peak is the mean of what several predictors say. Knows what they know. Loses the guarantee of any. Source: the released
    /// simulator of EuroSys 2021.
    Mean(Mean),
    /// The peak is the sum of the limits that an autoscaler of limits would recommend. Knows each one's past, the recent more than the old. Loses
    /// what sharing gains. Source: the moving-window recommenders of Autopilot, EuroSys 2020, recalled.
    Autopilot(Autopilot),
    /// The peak is the sum of each instance's own highest use. Knows the whole past. Loses what sharing gains, for ever after one spike. Source:
    /// the released simulator of EuroSys 2021.
    UsageMax(UsageMax),
    /// The peak is the sum of each instance's mean use. Knows the whole past. Loses every peak: a lower mark, not a policy for use. Source:
    /// the released simulator of EuroSys 2021.
    Average(Average),
    /// The peak is the true one. Knows the future use of what is there: a bound, not a policy that anybody can run. Loses only what instances
    /// yet to come will use. Source: the peak oracle, EuroSys 2021.
    PeakOracle(PeakOracle),
}

impl Default for OvercommitSpec {
    fn default() -> Self {
        Self::None(NoOvercommit {})
    }
}

impl OvercommitSpec {
    /// Whether the policy is an oracle that must be told future peaks.
    pub fn needs_future(&self) -> bool {
        matches!(self, Self::PeakOracle(_))
    }

    /// Its name in scenarios.
    pub fn name(&self) -> &'static str {
        match self {
            Self::None(_) => "none",
            Self::StaticRatio(_) => "static-ratio",
            Self::BorgDefault(_) => "borg-default",
            Self::ResourceCentral(_) => "resource-central",
            Self::NSigma(_) => "n-sigma",
            Self::MachinePercentile(_) => "machine-percentile",
            Self::Max(_) => "max",
            Self::Mean(_) => "mean",
            Self::Autopilot(_) => "autopilot",
            Self::UsageMax(_) => "usage-max",
            Self::Average(_) => "average",
            Self::PeakOracle(_) => "peak-oracle",
        }
    }

    /// How often hosts are sampled \[s\], and memory promised over memory there; `None` for static promises.
    fn common(&self) -> Option<(f64, f64)> {
        match self {
            Self::None(_) | Self::StaticRatio(_) => None,
            Self::BorgDefault(p) => Some((p.sample_s, p.memory_ratio)),
            Self::ResourceCentral(p) => Some((p.sample_s, p.memory_ratio)),
            Self::NSigma(p) => Some((p.sample_s, p.memory_ratio)),
            Self::MachinePercentile(p) => Some((p.sample_s, p.memory_ratio)),
            Self::Max(p) => Some((p.sample_s, p.memory_ratio)),
            Self::Mean(p) => Some((p.sample_s, p.memory_ratio)),
            Self::Autopilot(p) => Some((p.sample_s, p.memory_ratio)),
            Self::UsageMax(p) => Some((p.sample_s, p.memory_ratio)),
            Self::Average(p) => Some((p.sample_s, p.memory_ratio)),
            Self::PeakOracle(p) => Some((p.sample_s, p.memory_ratio)),
        }
    }

    /// Keys that do not go together, by their path below the policy's table: key, what is wrong, what to do.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let (parts, sample_s) = match self {
            Self::Max(p) => (&p.of, p.sample_s),
            Self::Mean(p) => (&p.of, p.sample_s),
            Self::PeakOracle(p) if p.horizon_s < p.sample_s => {
                return vec![Conflict {
                    key: "peak-oracle.horizon_s".into(),
                    message: format!(
                        "the horizon of {} s ends before the next sample, {} s on",
                        p.horizon_s, p.sample_s
                    ),
                    help: "choose a horizon of at least sample_s",
                }];
            }
            _ => return Vec::new(),
        };
        let of_part = |(i, part): (usize, &PartSpec)| {
            let part = part.whole();
            part.foreign(sample_s, &format!("{}.of[{i}].{}", self.name(), part.name()))
        };
        parts.iter().enumerate().flat_map(of_part).collect()
    }

    /// What a predictor says that only whoever runs it can: `sample_s` other than the runner's, or a ratio of memory.
    fn foreign(&self, sample_s: f64, path: &str) -> Vec<Conflict> {
        let mut found = Vec::new();
        let Some((own_s, memory_ratio)) = self.common() else { return found };
        if own_s != sample_s {
            let message = format!("hosts are sampled every {sample_s} s, and this predictor wants {own_s} s");
            let help = "write the same sample_s here and there; left out, it is 300 here, too";
            found.push(Conflict { key: format!("{path}.sample_s"), message, help });
        }
        if memory_ratio != 1.0 {
            let message =
                format!("a ratio of {memory_ratio} has no effect here: this predictor promises nothing itself");
            let help = "leave the key out here; it belongs to the policy in effect";
            found.push(Conflict { key: format!("{path}.memory_ratio"), message, help });
        }
        found
    }

    /// Builds the policy; `seed` is its own.
    pub fn build(&self, _seed: Seed) -> Box<dyn Overcommit> {
        let predicting = |by: Box<dyn Predictor>| -> Box<dyn Overcommit> {
            let (sample_s, memory_ratio) = self.common().expect("every predictor has a period and a ratio");
            Box::new(Predicting::new(sample_s, memory_ratio, by))
        };
        match self {
            Self::None(p) => Box::new(p.clone()),
            Self::StaticRatio(p) => Box::new(p.clone()),
            Self::BorgDefault(p) => predicting(Box::new(borg_default::ShareOfLimits::new(p))),
            Self::ResourceCentral(p) => predicting(Box::new(resource_central::SumOfPercentiles::new(p))),
            Self::NSigma(p) => predicting(Box::new(n_sigma::Deviations::new(p))),
            Self::MachinePercentile(p) => predicting(Box::new(machine_percentile::Percentile::new(p))),
            Self::Max(p) => predicting(Box::new(max::Largest::new(p))),
            Self::Mean(p) => predicting(Box::new(mean::MeanOf::new(p))),
            Self::Autopilot(p) => predicting(Box::new(autopilot::Recommender::new(p, p.sample_s))),
            Self::UsageMax(p) => predicting(Box::new(usage_max::SumOfPeaks::new(p))),
            Self::Average(p) => predicting(Box::new(average::SumOfMeans::new(p))),
            Self::PeakOracle(p) => predicting(Box::new(peak_oracle::Foresight::new(p))),
        }
    }
}

/// Two keys that do not go together.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// Path below the table it is asked of.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: &'static str,
}

/// A predictor that `max` and `mean` are made of. `sample_s` and `memory_ratio` are theirs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PartSpec {
    /// See the policy of this name.
    BorgDefault(BorgDefault),
    /// See the policy of this name.
    ResourceCentral(ResourceCentral),
    /// See the policy of this name.
    NSigma(NSigma),
    /// See the policy of this name.
    MachinePercentile(MachinePercentile),
    /// See the policy of this name.
    Autopilot(Autopilot),
    /// See the policy of this name.
    UsageMax(UsageMax),
    /// See the policy of this name.
    Average(Average),
}

impl PartSpec {
    /// The same predictor as a policy of its own.
    fn whole(&self) -> OvercommitSpec {
        match self.clone() {
            Self::BorgDefault(p) => OvercommitSpec::BorgDefault(p),
            Self::ResourceCentral(p) => OvercommitSpec::ResourceCentral(p),
            Self::NSigma(p) => OvercommitSpec::NSigma(p),
            Self::MachinePercentile(p) => OvercommitSpec::MachinePercentile(p),
            Self::Autopilot(p) => OvercommitSpec::Autopilot(p),
            Self::UsageMax(p) => OvercommitSpec::UsageMax(p),
            Self::Average(p) => OvercommitSpec::Average(p),
        }
    }

    /// Builds the predictor, which is asked every `sample_s`.
    fn predictor(&self, sample_s: f64) -> Box<dyn Predictor> {
        match self {
            Self::BorgDefault(p) => Box::new(borg_default::ShareOfLimits::new(p)),
            Self::ResourceCentral(p) => Box::new(resource_central::SumOfPercentiles::new(p)),
            Self::NSigma(p) => Box::new(n_sigma::Deviations::new(p)),
            Self::MachinePercentile(p) => Box::new(machine_percentile::Percentile::new(p)),
            Self::Autopilot(p) => Box::new(autopilot::Recommender::new(p, sample_s)),
            Self::UsageMax(p) => Box::new(usage_max::SumOfPeaks::new(p)),
            Self::Average(p) => Box::new(average::SumOfMeans::new(p)),
        }
    }
}

fn two_hours() -> u32 {
    24
}

fn ten_hours() -> u32 {
    120
}

fn yes() -> bool {
    true
}

fn five_minutes() -> f64 {
    300.0
}

fn one_day() -> f64 {
    86_400.0
}

fn unit_ratio() -> f64 {
    1.0
}

fn ninety_nine() -> f64 {
    99.0
}

#[cfg(test)]
mod tests;
