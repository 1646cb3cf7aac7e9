//! The figures of the estimates, read from `data/embodied.toml`, with a source for each.

use std::sync::LazyLock;

use serde::Deserialize;

use super::EmbodiedSpec;

/// One figure.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// The estimate that uses it.
    pub estimate: String,
    /// Its name, unique within the estimate.
    pub name: String,
    /// The figure.
    pub value: f64,
    /// Lower end of the quantity's range, where the source has one.
    pub low: Option<f64>,
    /// Upper end of the quantity's range.
    pub high: Option<f64>,
    /// Its unit.
    pub unit: String,
    /// What it is.
    pub meaning: String,
    /// Who says so.
    pub source: String,
}

/// What one source says of an item that others give figures for, too.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// The item.
    pub item: String,
    /// Its figures, with units.
    pub figures: String,
    /// Who says so.
    pub source: String,
}

/// A machine to show an estimate with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Which machine.
    pub name: String,
    /// Its memory [10^6 bytes].
    pub memory_mb: f64,
    /// Its estimate.
    pub embodied: EmbodiedSpec,
}

/// The whole file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// What the estimates use.
    pub factor: Vec<Factor>,
    /// Machines to show the estimates with.
    pub example: Vec<Example>,
    /// What sources say of the same thing.
    pub spread: Vec<Spread>,
}

impl Figures {
    fn factor(&self, estimate: &str, name: &str) -> &Factor {
        let found = self.factor.iter().find(|f| f.estimate == estimate && f.name == name);
        found.expect("every figure that an estimate names is in the embedded file, which is tested")
    }
}

/// The figures.
pub fn figures() -> &'static Figures {
    static FIGURES: LazyLock<Figures> = LazyLock::new(|| {
        toml::from_str(include_str!("../../../data/embodied.toml")).expect("the embedded figures are tested")
    });
    &FIGURES
}

/// A figure of an estimate.
pub(super) fn figure(estimate: &str, name: &str) -> f64 {
    figures().factor(estimate, name).value
}

/// A quantity with its range: what is known exactly, or a figure with the range of its source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ranged {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl Ranged {
    /// What the user gave, or the figure with its range.
    pub fn given_or(own: Option<f64>, estimate: &str, name: &str) -> Self {
        if let Some(value) = own {
            return Self { value, low: value, high: value };
        }
        let factor = figures().factor(estimate, name);
        let value = factor.value;
        Self { value, low: factor.low.unwrap_or(value), high: factor.high.unwrap_or(value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_a_unit_a_source_and_a_range_around_it() {
        for (i, f) in figures().factor.iter().enumerate() {
            assert!(f.value.is_finite() && f.value > 0.0, "{f:?}");
            assert!(f.source.starts_with("published: ") && !f.unit.is_empty() && !f.meaning.is_empty(), "{f:?}");
            assert_eq!(f.low.is_some(), f.high.is_some(), "{f:?}");
            assert!(f.low.is_none_or(|low| 0.0 < low && low <= f.value), "{f:?}");
            assert!(f.high.is_none_or(|high| high >= f.value), "{f:?}");
            let same = |o: &Factor| o.estimate == f.estimate && o.name == f.name;
            assert_eq!(figures().factor.iter().position(same), Some(i), "{} is there twice", f.name);
        }
    }
}
