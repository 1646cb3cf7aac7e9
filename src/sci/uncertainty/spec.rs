//! Which figures are uncertain, and by how much: `uncertainty.toml`, and `[sci.uncertainty]` of a scenario.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Distribution;

/// Which figures are uncertain. What is left out is certain: it keeps the run's own value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UncertaintySpec {
    /// How many samples are drawn. Default 10000.
    #[schemars(range(min = 100, max = 10000000))]
    #[serde(default = "samples")]
    pub samples: u32,
    /// Carbon intensity of the grid, as it scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intensity: Option<FactorSpec>,
    /// Power at no load (baseline of hosts that are on).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_power: Option<FactorSpec>,
    /// Power above that at no load: calls and starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dynamic_power: Option<FactorSpec>,
    /// Power of hosts that are booting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_power: Option<FactorSpec>,
    /// Power of hosts that are off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off_power: Option<FactorSpec>,
    /// Facility overhead, PUE - 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pue_overhead: Option<FactorSpec>,
    /// Embodied emissions of hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embodied: Option<EmbodiedSpec>,
    /// Lifespan of hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<LifetimeSpec>,
}

/// A factor on the run's own figures, region by region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactorSpec {
    /// What the run's own figure is multiplied by.
    pub factor: Distribution,
    /// One draw for all regions, as an error of method has it; `false`: a draw for each region, so that errors partly cancel.
    /// Default true.
    #[serde(default = "yes")]
    pub common: bool,
    /// Where the spread comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// `embodied`: either `factor` or `embodied_kg`, for all server types or by type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmbodiedSpec {
    /// What the run's own figure is multiplied by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<Distribution>,
    /// Embodied emissions of one host, all its owners together, in place of the run's own figure \[kgCO2e\].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embodied_kg: Option<Distribution>,
    /// One draw for all server types, each through its own distribution; `false`: a draw for each type. Default true.
    #[serde(default = "yes")]
    pub common: bool,
    /// Server types with a distribution of their own, by the scenario's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_server: BTreeMap<String, EmbodiedOfServer>,
    /// Where the spread comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// `embodied.by_server.NAME`: either of the two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmbodiedOfServer {
    /// What the run's own figure is multiplied by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<Distribution>,
    /// Embodied emissions of one host, all its owners together, in place of the run's own figure \[kgCO2e\].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embodied_kg: Option<Distribution>,
}

/// `lifetime`: either `factor` or `lifetime_years`, for all server types or by type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LifetimeSpec {
    /// What the run's own figure is multiplied by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<Distribution>,
    /// Lifespan of one host with this owner, in place of the run's own figure [years of 365 days].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_years: Option<Distribution>,
    /// One draw for all server types, each through its own distribution; `false`: a draw for each type. Default true.
    #[serde(default = "yes")]
    pub common: bool,
    /// Server types with a distribution of their own, by the scenario's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_server: BTreeMap<String, LifetimeOfServer>,
    /// Where the spread comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// `lifetime.by_server.NAME`: either of the two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LifetimeOfServer {
    /// What the run's own figure is multiplied by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<Distribution>,
    /// Lifespan of one host with this owner, in place of the run's own figure [years of 365 days].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_years: Option<Distribution>,
}

fn samples() -> u32 {
    10_000
}

fn yes() -> bool {
    true
}

/// Something wrong with a specification, at a key of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Dotted path of the key, from the specification's root.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Wrong {
    pub(super) fn new(key: impl Into<String>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into(), help: help.into() }
    }
}

/// A distribution, and whether it takes the place of the run's own figure instead of multiplying it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread<'a> {
    pub of: &'a Distribution,
    pub absolute: bool,
}

fn spread<'a>(factor: Option<&'a Distribution>, absolute: Option<&'a Distribution>) -> Option<Spread<'a>> {
    absolute.map(|of| Spread { of, absolute: true }).or(factor.map(|of| Spread { of, absolute: false }))
}

impl EmbodiedSpec {
    /// The spread of a server type; `None` if it is certain.
    pub(super) fn of(&self, server: &str) -> Option<Spread<'_>> {
        let own = self.by_server.get(server).and_then(|s| spread(s.factor.as_ref(), s.embodied_kg.as_ref()));
        own.or(spread(self.factor.as_ref(), self.embodied_kg.as_ref()))
    }
}

impl LifetimeSpec {
    /// The spread of a server type; `None` if it is certain.
    pub(super) fn of(&self, server: &str) -> Option<Spread<'_>> {
        let own = self.by_server.get(server).and_then(|s| spread(s.factor.as_ref(), s.lifetime_years.as_ref()));
        own.or(spread(self.factor.as_ref(), self.lifetime_years.as_ref()))
    }
}

impl UncertaintySpec {
    /// The factors that go region by region, with their keys.
    pub(super) fn regional(&self) -> [(&'static str, Option<&FactorSpec>); 6] {
        [
            ("intensity", self.intensity.as_ref()),
            ("idle_power", self.idle_power.as_ref()),
            ("dynamic_power", self.dynamic_power.as_ref()),
            ("boot_power", self.boot_power.as_ref()),
            ("off_power", self.off_power.as_ref()),
            ("pue_overhead", self.pue_overhead.as_ref()),
        ]
    }

    /// All that is wrong with it, whatever run it is applied to.
    pub fn problems(&self) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        for (key, factor) in self.regional() {
            if let Some(factor) = factor {
                factor.factor.check(&format!("{key}.factor"), &mut wrong);
            }
        }
        if let Some(spec) = &self.embodied {
            let own = spec.by_server.iter().map(|(name, s)| (name, s.factor.as_ref(), s.embodied_kg.as_ref()));
            let all = (spec.factor.as_ref(), spec.embodied_kg.as_ref());
            servers("embodied", "embodied_kg", all, own, &mut |_, _, _| {}, &mut wrong);
        }
        if let Some(spec) = &self.lifetime {
            let own = spec.by_server.iter().map(|(name, s)| (name, s.factor.as_ref(), s.lifetime_years.as_ref()));
            let all = (spec.factor.as_ref(), spec.lifetime_years.as_ref());
            servers("lifetime", "lifetime_years", all, own, &mut Distribution::check_life, &mut wrong);
        }
        let nothing =
            self.regional().iter().all(|(_, f)| f.is_none()) && self.embodied.is_none() && self.lifetime.is_none();
        if nothing {
            let help = "give at least one of intensity, idle_power, dynamic_power, boot_power, off_power, pue_overhead, embodied, lifetime";
            wrong.push(Wrong::new("", "nothing is uncertain", help));
        }
        wrong
    }

    /// Server types that it names and none of the runs has.
    pub fn unknown_servers(&self, known: &[&str]) -> Vec<Wrong> {
        let embodied = self.embodied.iter().flat_map(|s| s.by_server.keys()).map(|name| ("embodied", name));
        let lifetime = self.lifetime.iter().flat_map(|s| s.by_server.keys()).map(|name| ("lifetime", name));
        let unknown = embodied.chain(lifetime).filter(|(_, name)| !known.contains(&name.as_str()));
        unknown
            .map(|(part, name)| {
                let message = format!("there is no server type \"{name}\"");
                let help = format!("server types are {}", known.join(", "));
                Wrong::new(format!("{part}.by_server.{}", quoted(name)), message, help)
            })
            .collect()
    }
}

/// A key as a dotted path writes it.
fn quoted(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if bare { name.to_owned() } else { format!("\"{name}\"") }
}

type Both<'a> = (Option<&'a Distribution>, Option<&'a Distribution>);

/// Checks the distributions of server types: of all, and of each that has its own.
fn servers<'a>(
    part: &str,
    absolute: &str,
    all: Both<'a>,
    own: impl Iterator<Item = (&'a String, Option<&'a Distribution>, Option<&'a Distribution>)>,
    further: &mut dyn FnMut(&Distribution, &str, &mut Vec<Wrong>),
    wrong: &mut Vec<Wrong>,
) {
    let mut one = |key: &str, (factor, value): Both<'_>, wrong: &mut Vec<Wrong>| {
        if factor.is_some() && value.is_some() {
            let message = format!("both factor and {absolute} are given");
            wrong.push(Wrong::new(
                key,
                message,
                format!("keep factor, which multiplies the run's own, or {absolute}, which replaces it"),
            ));
        }
        for (name, distribution) in [("factor", factor), (absolute, value)] {
            if let Some(distribution) = distribution {
                let key = format!("{key}.{name}");
                let before = wrong.len();
                distribution.check(&key, wrong);
                if wrong.len() == before {
                    further(distribution, &key, wrong);
                }
            }
        }
        factor.is_some() || value.is_some()
    };
    let mut any = one(part, all, wrong);
    for (name, factor, value) in own {
        let key = format!("{part}.by_server.{}", quoted(name));
        any = true;
        if !one(&key, (factor, value), wrong) {
            wrong.push(Wrong::new(key, "no distribution is given", format!("give factor or {absolute}")));
        }
    }
    if !any {
        let help = format!("give factor, {absolute} or by_server.NAME");
        wrong.push(Wrong::new(part, "no distribution is given", help));
    }
}
