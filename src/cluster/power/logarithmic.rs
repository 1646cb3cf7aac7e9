//! Logarithmic power: the CPU packages of the Boavizta methodology.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// CPU packages by a fitted logarithm of the load \[W\]. **The CPU alone**: memory and what else a server has are `parts`.
///
/// Formula: P(u) = n max(1 W, a ln(b (100 u + c)) + d).
/// Source: Boavizta's consumption profiles of CPUs. Its Xeon Platinum is a = 171.1813, b = 0.0354, c = 36.8953,
/// d = -10.1336: 35.6 W at no load, 182.2 W at 50 %, 260 W at full load.
///
/// Example: a = 100, b = 0.01, c = 100, d = 50 gives 50 W at no load and 50 + 100 ln 2 = 119.315 W at full load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Logarithmic {
    /// Factor of the logarithm \[W\].
    #[schemars(range(min = 0.0))]
    pub a: f64,
    /// Factor inside the logarithm [1/%].
    #[schemars(range(min = 0.000000001))]
    pub b: f64,
    /// Offset of the load \[%\].
    #[schemars(range(min = 0.000000001))]
    pub c: f64,
    /// Offset of the power \[W\].
    pub d: f64,
    /// Packages. Default 1.
    #[schemars(range(min = 1, max = 64))]
    #[serde(default = "one")]
    pub packages: u32,
}

fn one() -> u32 {
    1
}

impl super::PowerModel for Logarithmic {
    fn watts(&self, u: f64) -> f64 {
        let package = self.a * libm::log(self.b * (100.0 * u + self.c)) + self.d;
        package.max(1.0) * f64::from(self.packages)
    }
}

#[cfg(test)]
mod tests {
    use super::super::PowerModel;
    use super::*;

    #[test]
    fn the_example_holds_and_no_package_draws_less_than_a_watt() {
        let with = |d| Logarithmic { a: 100.0, b: 0.01, c: 100.0, d, packages: 2 };
        assert_eq!(with(50.0).watts(0.0), 100.0);
        assert!((with(50.0).watts(1.0) - 2.0 * 119.314_718_055_994_53).abs() < 1e-9);
        assert_eq!(with(-500.0).watts(1.0), 2.0);
    }
}
