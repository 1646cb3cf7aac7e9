//! `[[published]]`: figures of a source that a run is held against at its end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{KeyProblem, Scenario};

/// `[[published]]`: one figure of a source, and how near the run's own has to come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedSpec {
    /// The run's figure, a key of summary.csv; its unit is that of `value`.
    #[schemars(length(min = 1))]
    pub figure: String,
    /// The source's figure.
    pub value: f64,
    /// How the source comes to it. Default `published`.
    #[serde(default)]
    pub label: Label,
    /// The tolerance as an absolute difference, in the figure's unit. Default: none.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<f64>,
    /// The tolerance as a share of `value`. Default: none.
    #[schemars(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_share: Option<f64>,
    /// The tolerance as a range: the lowest that agrees. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// The highest that agrees. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// The source: paper, figure, table or page.
    #[schemars(length(min = 1))]
    pub source: String,
    /// What a reader should know, for example why the tolerance is what it is. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How a source comes to its figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// The source states it.
    #[default]
    Published,
    /// Calculated from what the source states or draws.
    Computed,
    /// Chosen so that published figures hold: it proves nothing.
    Fitted,
}

impl Label {
    /// The name in TOML and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Label::Published => "published",
            Label::Computed => "computed",
            Label::Fitted => "fitted",
        }
    }
}

impl PublishedSpec {
    /// From which to which value the run's figure agrees; infinite where there is no bound, `None` without a tolerance.
    pub fn range(&self) -> Option<(f64, f64)> {
        let around = |by: f64| (self.value - by, self.value + by);
        match (self.within, self.within_share, self.low, self.high) {
            (Some(by), ..) => Some(around(by)),
            (_, Some(share), ..) => Some(around(share * self.value.abs())),
            (.., None, None) => None,
            (.., low, high) => Some((low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY))),
        }
    }
}

/// Tolerances that contradict themselves.
pub(super) fn check_published(scenario: &Scenario, problems: &mut Vec<KeyProblem>) {
    for (i, spec) in scenario.published.iter().enumerate() {
        let ways = [spec.within.is_some(), spec.within_share.is_some(), spec.low.is_some() || spec.high.is_some()];
        let mut wrong = |key: &str, message: String, help: &str| {
            problems.push(KeyProblem::new(format!("published[{i}]{key}"), message, help));
        };
        if ways.iter().filter(|given| **given).count() > 1 {
            let message = format!("the figure \"{}\" has several tolerances", spec.figure);
            wrong("", message, "keep one: within, within_share, or a range of low and high");
        }
        if let (Some(low), Some(high)) = (spec.low, spec.high)
            && low > high
        {
            wrong(".low", format!("low = {low} is above high = {high}"), "exchange them");
        }
        if scenario.published[..i].iter().any(|other| other.figure == spec.figure && other.source == spec.source) {
            let message = format!("the figure \"{}\" is there twice from one source", spec.figure);
            wrong(".figure", message, "keep one of them");
        }
    }
}
