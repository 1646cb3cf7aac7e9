//! `[compare]`: several runs side by side, in one file. What it means is in `docs/compare.md`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[compare]`: the runs of all combinations of the axes' values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompareSpec {
    /// Figures of the printed table: keys of summary.csv. Default `calls.cold_share`, `latency_s.p99`, `sci.g_per_unit`.
    #[schemars(length(min = 1))]
    #[serde(default = "show")]
    pub show: Vec<String>,
    /// The figure that compare.svg draws: a key of summary.csv, or `fit.value`. Default: the first of `show`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plot: Option<String>,
    /// The value of the first axis that the others are divided by, for the figures in `relative`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// Figures that get a column `relative.KEY`: the run's over the baseline's in the same cell of the other axes. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relative: Vec<String>,
    /// What is written of each run. Default `summary`.
    #[serde(default)]
    pub keep: Keep,
    /// What differs between the runs; axes are crossed, the last one changes fastest.
    #[schemars(length(min = 1))]
    pub axes: Vec<AxisSpec>,
    /// In every cell, a whole number that keeps declared objectives. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit: Option<FitSpec>,
    /// Where two values of the first axis swap order along a numeric axis. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crossings: Vec<CrossingSpec>,
    /// A figure step by step, each step a run under one more condition: waterfall.csv and waterfall.svg. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waterfall: Option<WaterfallSpec>,
}

fn show() -> Vec<String> {
    ["calls.cold_share", "latency_s.p99", "sci.g_per_unit"].map(str::to_owned).to_vec()
}

/// What is written of each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// summary.csv and summary.json.
    #[default]
    Summary,
    /// Every file that the run would write alone.
    All,
}

/// One axis: named values, or numbers of one key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AxisSpec {
    /// Name of the column; unique, without a dot.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Named values, each a list of overrides. Either these, or `key` and `numbers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub values: Option<Vec<ValueSpec>>,
    /// The key that takes the numbers, a dotted path such as `regions[0].hosts[0].count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The numbers; each one's name is the number itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub numbers: Option<Vec<f64>>,
}

/// One named value of an axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueSpec {
    /// Its name in tables and folders.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Overrides, `KEY=VALUE` as after `--set`. Default: none, the scenario as it stands.
    #[serde(default)]
    pub set: Vec<String>,
    /// Keys that are taken out before `set`, dotted paths as after `--unset`. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
}

/// `[compare.fit]`: a whole number that keeps every objective, by bisection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FitSpec {
    /// The key that is fitted, a dotted path.
    #[schemars(length(min = 1))]
    pub key: String,
    /// Which number is wanted of those that keep the objectives. Default `smallest`.
    #[serde(default)]
    pub find: Find,
    /// The lowest number that is tried.
    #[schemars(range(min = 0, max = 1000000000))]
    pub low: i64,
    /// The highest number that is tried.
    #[schemars(range(min = 0, max = 1000000000))]
    pub high: i64,
    /// The objectives, all of which must hold: `KEY OP NUMBER` with a key of summary.csv and one of <= >= < > ==.
    #[schemars(length(min = 1))]
    pub slo: Vec<String>,
}

/// Which number is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Find {
    /// The smallest: larger ones are assumed to hold too.
    #[default]
    Smallest,
    /// The largest: smaller ones are assumed to hold too.
    Largest,
}

/// `[compare.waterfall]`: a figure step by step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaterfallSpec {
    /// What is shown.
    #[schemars(length(min = 1))]
    pub title: String,
    /// The steps, at least two, with figures of one unit.
    #[schemars(length(min = 2))]
    pub steps: Vec<StepSpec>,
}

/// `[[compare.waterfall.steps]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepSpec {
    /// What is new in this step.
    #[schemars(length(min = 1))]
    pub label: String,
    /// The value of the first axis whose runs have it.
    pub at: String,
    /// The figure, a key of summary.csv.
    pub figure: String,
}

/// `[[compare.crossings]]`: where two lines cross.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrossingSpec {
    /// The figure, a key of summary.csv, or `fit.value`.
    pub metric: String,
    /// Two values of the first axis.
    pub between: [String; 2],
    /// The numeric axis, by its name; not the first.
    pub over: String,
}
