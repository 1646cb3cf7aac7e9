//! Linear power: idle power plus a part proportional to CPU utilization.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Idle power plus a part proportional to utilization \[W\].
///
/// Formula: P(u) = P_idle + (P_max - P_idle) u.
/// Source of the defaults: median of 2-socket AMD EPYC 4th generation results of SPECpower_ssj2008 (idle 121 W, full
/// load 682 W), computed from the published list of results, 2026-03.
///
/// Example: 100 W idle and 200 W full give 150 W at half load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// Power at no load \[W\].
    #[schemars(range(min = 0.0))]
    #[serde(default = "idle")]
    pub idle_w: f64,
    /// Power at full load \[W\]; not below `idle_w`.
    #[schemars(range(min = 0.0))]
    #[serde(default = "max")]
    pub max_w: f64,
}

fn idle() -> f64 {
    121.0
}

fn max() -> f64 {
    682.0
}

impl Default for Linear {
    fn default() -> Self {
        Self { idle_w: idle(), max_w: max() }
    }
}

impl Linear {
    pub(super) fn checked(&self) -> Result<Self, String> {
        super::rising(self.idle_w, self.max_w)?;
        Ok(self.clone())
    }
}

impl super::PowerModel for Linear {
    #[inline]
    fn watts(&self, u: f64) -> f64 {
        self.idle_w + (self.max_w - self.idle_w) * u
    }

    fn linear_w(&self) -> Option<f64> {
        Some(self.max_w - self.idle_w)
    }
}

#[cfg(test)]
mod tests {
    use super::super::PowerModel;
    use super::*;

    #[test]
    fn half_load_lies_half_way() {
        assert_eq!(Linear { idle_w: 100.0, max_w: 200.0 }.watts(0.5), 150.0);
    }

    #[test]
    fn full_load_below_idle_is_refused() {
        assert!(Linear { idle_w: 2.0, max_w: 1.0 }.checked().is_err());
    }
}
