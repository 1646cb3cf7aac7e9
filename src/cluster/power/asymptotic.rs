//! Asymptotic power: a steep rise at low load, then nearly linear.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Idle power, a saturating part and a linear part \[W\].
///
/// Formula: P(u) = P_idle + (P_max - P_idle) / 2 (1 + x - e^(-x / a)), with x = u, or x = u³ with `dvfs`.
/// Source: the models `asymptotic` of OpenDC and DSLab, where a = 0.3 is used in examples.
/// Power at full load is **below** `max_w` by the fraction e^(-1 / a) / 2 of the dynamic range: 1.8 % for a = 0.3.
///
/// Example: 200 W idle, 350 W full, a = 0.3 give 200 + 75 (1.5 - e^(-5/3)) = 298.334 W at half load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Asymptotic {
    /// Power at no load \[W\].
    #[schemars(range(min = 0.0))]
    pub idle_w: f64,
    /// Power that full load comes near to \[W\]; not below `idle_w`.
    #[schemars(range(min = 0.0))]
    pub max_w: f64,
    /// The utilization a at which the saturating part has reached 63 %. No default: 0 is a division by zero elsewhere.
    #[schemars(range(min = 0.001, max = 1000.0))]
    pub alpha: f64,
    /// Whether frequency follows load, so that u³ stands in place of u. Default false.
    #[serde(default)]
    pub dvfs: bool,
}

impl Asymptotic {
    pub(super) fn checked(&self) -> Result<Self, String> {
        super::rising(self.idle_w, self.max_w)?;
        Ok(self.clone())
    }
}

impl super::PowerModel for Asymptotic {
    fn watts(&self, u: f64) -> f64 {
        let x = if self.dvfs { u * u * u } else { u };
        self.idle_w + (self.max_w - self.idle_w) / 2.0 * (1.0 + x - libm::exp(-x / self.alpha))
    }
}

#[cfg(test)]
mod tests {
    use super::super::PowerModel;
    use super::*;

    #[test]
    fn the_example_holds_and_full_load_stays_below_the_maximum() {
        let model = Asymptotic { idle_w: 200.0, max_w: 350.0, alpha: 0.3, dvfs: false };
        assert!((model.watts(0.5) - 298.334_329_737).abs() < 1e-6, "{}", model.watts(0.5));
        // e^(-1 / 0.3) / 2 = 0.017837 of 150 W.
        assert!((350.0 - model.watts(1.0) - 2.675_550).abs() < 1e-5, "{}", model.watts(1.0));
    }
}
