//! Teads curve: the power of CPU packages as factors of their thermal design power.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::curve::Curve;
use super::piecewise::Points;

/// CPU packages by their thermal design power (TDP), linear between four loads \[W\]. **The CPU alone**: memory and what
/// else a server has are `parts`.
///
/// Formula: P(u) = n TDP f(u), f through (0, 0.12), (0.1, 0.32), (0.5, 0.75), (1, 1.02), linear between them.
/// Source: the curve of Teads Engineering as the Impact Framework ships it; factors from measurements of cloud instances.
///
/// Example: one package of 100 W gives 100 (0.32 + 0.43 x 0.15 / 0.4) = 48.125 W at u = 0.25.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Teads {
    /// Thermal design power of one package \[W\].
    #[schemars(range(min = 0.0))]
    pub tdp_w: f64,
    /// Packages. Default 1.
    #[schemars(range(min = 1, max = 64))]
    #[serde(default = "one")]
    pub packages: u32,
    /// Factors of TDP at 0, 10, 50 and 100 % load, not falling. Default [0.12, 0.32, 0.75, 1.02].
    #[schemars(length(min = 4, max = 4), inner(range(min = 0.0)))]
    #[serde(default = "factors")]
    pub factors: Vec<f64>,
}

fn one() -> u32 {
    1
}

fn factors() -> Vec<f64> {
    vec![0.12, 0.32, 0.75, 1.02]
}

impl Teads {
    pub(super) fn checked(&self) -> Result<Points, String> {
        super::curve::not_falling("factors", &self.factors)?;
        let tdp_w = self.tdp_w * f64::from(self.packages);
        let watts: Vec<f64> = self.factors.iter().map(|f| f * tdp_w).collect();
        Curve::new(("loads", &[0.0, 0.1, 0.5, 1.0]), ("factors", &watts)).map(Points)
    }
}

#[cfg(test)]
mod tests {
    use super::super::PowerModel;
    use super::*;

    #[test]
    fn the_example_holds_and_packages_add_up() {
        let watts = |packages| {
            let curve = Teads { tdp_w: 100.0, packages, factors: factors() }.checked().expect("the shipped factors");
            curve.watts(0.25)
        };
        assert!((watts(1) - 48.125).abs() < 1e-12);
        assert!((watts(2) - 96.25).abs() < 1e-12);
    }
}
