//! The empirical curve of Fan et al.: steep at low load, flattening towards full load.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Idle power plus the calibrated curve of Fan, Weber and Barroso \[W\].
///
/// Formula: P(u) = P_idle + (P_max - P_idle) (2u - u^r).
/// Source: Fan, Weber, Barroso, "Power provisioning for a warehouse-sized computer", ISCA 2007; r = 1.4 is the value that
/// is usually quoted from it (recalled, not read). r = 1 is linear. From 1 to 2 power rises over all loads; outside, it
/// falls somewhere, and is refused. Simulators that call this curve `mse` have other defaults.
///
/// Example: 200 W idle, 350 W full, r = 2 give 200 + 150 x 0.75 = 312.5 W at half load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fan {
    /// Power at no load \[W\].
    #[schemars(range(min = 0.0))]
    pub idle_w: f64,
    /// Power at full load \[W\]; not below `idle_w`.
    #[schemars(range(min = 0.0))]
    pub max_w: f64,
    /// The exponent r. Default 1.4.
    #[schemars(range(min = 1.0, max = 2.0))]
    #[serde(default = "exponent")]
    pub exponent: f64,
}

fn exponent() -> f64 {
    1.4
}

impl Fan {
    pub(super) fn checked(&self) -> Result<Self, String> {
        super::rising(self.idle_w, self.max_w)?;
        Ok(self.clone())
    }
}

impl super::PowerModel for Fan {
    // libm's power, so that the bytes are the same on every platform.
    fn watts(&self, u: f64) -> f64 {
        self.idle_w + (self.max_w - self.idle_w) * (2.0 * u - libm::pow(u, self.exponent))
    }
}

#[cfg(test)]
mod tests {
    use super::super::PowerModel;
    use super::*;

    #[test]
    fn the_example_holds_and_exponent_1_is_linear() {
        let with = |exponent| Fan { idle_w: 200.0, max_w: 350.0, exponent };
        assert_eq!(with(2.0).watts(0.5), 312.5);
        assert_eq!(with(1.0).watts(0.3), 245.0);
    }
}
