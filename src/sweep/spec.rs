//! The TOML file of a sweep as types: `scenarios/sweeps/NAME.toml`. What it means is in `docs/sweeps.md`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::design::Method;
use crate::scenario::ValueSpec;

/// A sweep: which scenario, what varies, how often each point runs, what is made of the runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SweepSpec {
    /// Name of the results folder. Default: the file's name without its ending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the sweep is for, in a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The scenario that all runs share, relative to this file's folder. Its `[compare]`, if it has one, is left out.
    #[schemars(length(min = 1))]
    pub scenario: String,
    /// Overrides of all runs, `KEY=VALUE` as after `--set`. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    /// Keys that are taken out of the scenario before `set`, dotted paths. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    /// Runs of every point; replication r runs with the scenario's seed + r, the same at every point (common random numbers). Default 1.
    #[schemars(range(min = 1, max = 1000000))]
    #[serde(default = "one")]
    pub replications: u32,
    /// When a point has replications enough, `half_width(FIGURE) < NUMBER` or, of its mean, `< NUMBER %`; all have to hold. Default: after
    /// `replications`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub until: Vec<String>,
    /// Replications after which a point is left as it is, whatever `until` says. Default 100, or `replications` if that is more.
    #[schemars(range(min = 1, max = 1000000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_replications: Option<u32>,
    /// Confidence of all intervals, two-sided. Default 0.95.
    #[schemars(range(min = 0.5, max = 0.9999))]
    #[serde(default = "confidence")]
    pub confidence: f64,
    /// Figures that points.csv, differences.csv and sensitivity.csv analyse: keys of summary.csv, or short names such as `sci`. runs.csv has all
    /// figures. Default: `sci`, its two parts, `latency_s.p99`, `calls.cold_share`, `hosts.used_mean`, as far as the runs have them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<String>,
    /// A value of one or more axes: every other point is compared with the point that has these values and is the same otherwise, replication
    /// by replication. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub baseline: BTreeMap<String, String>,
    /// Pairs of figures whose Pareto frontier over the points is wanted. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frontier: Vec<FrontierSpec>,
    /// What is written of each run beside its row, into runs/POINT/REPLICATION. Default `none`.
    #[serde(default)]
    pub keep: KeepRuns,
    /// How the axes with `uniform` or `log_uniform` are sampled; required with such axes, and only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<SampleSpec>,
    /// What differs between the points. Listed axes are crossed, the last one changes fastest; axes of one `zip` advance together.
    #[schemars(length(min = 1))]
    pub axes: Vec<AxisSpec>,
}

fn one() -> u32 {
    1
}

fn confidence() -> f64 {
    0.95
}

impl SweepSpec {
    /// Replications after which a point is left as it is.
    pub fn most(&self) -> u32 {
        /// Assumed: it bounds how long a sweep runs whose `until` is out of reach.
        const MOST: u32 = 100;
        if self.until.is_empty() {
            return self.replications;
        }
        self.most_replications.unwrap_or(MOST).max(self.replications)
    }
}

/// What is written of each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeepRuns {
    /// Its row in runs.csv.
    #[default]
    None,
    /// summary.csv and summary.json, too.
    Summary,
    /// Every file that the run would write alone, too.
    All,
}

/// `[sample]`: how sampled axes get their values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleSpec {
    /// The method.
    pub method: Method,
    /// How many samples; with `saltelli` the base sample, which makes count x (axes + 2) points.
    #[schemars(range(min = 1, max = 1000000))]
    pub count: u32,
    /// The seed of the samples, which has nothing to do with that of the runs. Default 1.
    #[serde(default = "sample_seed")]
    pub seed: u64,
}

fn sample_seed() -> u64 {
    1
}

/// One axis. Exactly one of `values`, `list`, `linear`, `logarithmic`, `uniform`, `log_uniform` says what it takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AxisSpec {
    /// Name of the column; unique, without a dot.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The key that takes the values, a dotted path such as `regions[0].hosts[0].count`; for all but named values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Axes of one name here advance together instead of being crossed; they have equally many values. Default: crossed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zip: Option<String>,
    /// Named values, each a list of overrides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub values: Option<Vec<ValueSpec>>,
    /// Values of the key: numbers, texts, or true and false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub list: Option<Vec<serde_json::Value>>,
    /// Evenly spaced numbers, both ends included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear: Option<RangeSpec>,
    /// Numbers of equal ratio, both ends included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logarithmic: Option<RangeSpec>,
    /// A sampled number, all of the range equally likely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uniform: Option<EndsSpec>,
    /// A sampled number whose logarithm is equally likely over the range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_uniform: Option<EndsSpec>,
}

/// A range of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RangeSpec {
    /// The first number.
    pub from: f64,
    /// The last number.
    pub to: f64,
    /// How many numbers.
    #[schemars(range(min = 2, max = 100000))]
    pub count: u32,
}

/// The ends of a range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndsSpec {
    /// The lower end.
    pub from: f64,
    /// The upper end.
    pub to: f64,
}

/// `[[frontier]]`: the points that no other point beats in both figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrontierSpec {
    /// Two figures of which less is better.
    #[schemars(length(min = 2, max = 2))]
    pub minimize: Vec<String>,
}
