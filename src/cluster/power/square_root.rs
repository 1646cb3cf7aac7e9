//! Square-root power: steep at low load, flat at high load.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Idle power plus a part proportional to the square root of utilization \[W\].
///
/// Formula: P(u) = P_idle + (P_max - P_idle) √u.
/// Source: one of the curves that OpenDC and DSLab offer for servers whose power rises early.
///
/// Example: 200 W idle and 350 W full give 275.0 W at u = 0.25.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SquareRoot {
    /// Power at no load \[W\].
    #[schemars(range(min = 0.0))]
    pub idle_w: f64,
    /// Power at full load \[W\]; not below `idle_w`.
    #[schemars(range(min = 0.0))]
    pub max_w: f64,
}

impl SquareRoot {
    pub(super) fn checked(&self) -> Result<Self, String> {
        super::rising(self.idle_w, self.max_w)?;
        Ok(self.clone())
    }
}

impl super::PowerModel for SquareRoot {
    #[inline]
    fn watts(&self, u: f64) -> f64 {
        self.idle_w + (self.max_w - self.idle_w) * u.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::super::PowerModel;
    use super::*;

    #[test]
    fn the_example_holds() {
        assert_eq!(SquareRoot { idle_w: 200.0, max_w: 350.0 }.watts(0.25), 275.0);
    }
}
