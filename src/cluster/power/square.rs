//! Square power: flat at low load, steep at high load.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Idle power plus a part proportional to the square of utilization \[W\].
///
/// Formula: P(u) = P_idle + (P_max - P_idle) u².
/// Source: one of the curves that OpenDC and DSLab offer; between linear and cubic.
///
/// Example: 200 W idle and 350 W full give 237.5 W at u = 0.5.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Square {
    /// Power at no load \[W\].
    #[schemars(range(min = 0.0))]
    pub idle_w: f64,
    /// Power at full load \[W\]; not below `idle_w`.
    #[schemars(range(min = 0.0))]
    pub max_w: f64,
}

impl Square {
    pub(super) fn checked(&self) -> Result<Self, String> {
        super::rising(self.idle_w, self.max_w)?;
        Ok(self.clone())
    }
}

impl super::PowerModel for Square {
    #[inline]
    fn watts(&self, u: f64) -> f64 {
        self.idle_w + (self.max_w - self.idle_w) * (u * u)
    }
}

#[cfg(test)]
mod tests {
    use super::super::PowerModel;
    use super::*;

    #[test]
    fn the_example_holds() {
        assert_eq!(Square { idle_w: 200.0, max_w: 350.0 }.watts(0.5), 237.5);
    }
}
