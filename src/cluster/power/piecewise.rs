//! Piecewise-linear power: measured points at any utilizations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::curve::Curve;

/// Linear interpolation between points at utilizations of your choice \[W\].
///
/// Formula: between neighbours (u_i, p_i) and (u_(i+1), p_(i+1)): P(u) = p_i + (p_(i+1) - p_i) (u - u_i) / (u_(i+1) - u_i).
/// The points belong together as pairs; they are never sorted.
///
/// Example: 100 W at 0, 150 W at 0.1, 240 W at 1 give 125 W at u = 0.05 and 195 W at u = 0.55.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Piecewise {
    /// Utilizations of the points, rising from 0 to 1.
    #[schemars(length(min = 2), inner(range(min = 0.0, max = 1.0)))]
    pub utilization: Vec<f64>,
    /// Power at each of them, not falling \[W\].
    #[schemars(length(min = 2), inner(range(min = 0.0)))]
    pub power_w: Vec<f64>,
}

impl Piecewise {
    pub(super) fn checked(&self) -> Result<Points, String> {
        Curve::new(("utilization", &self.utilization), ("power_w", &self.power_w)).map(Points)
    }
}

/// The points, ready to use.
pub(super) struct Points(pub Curve);

impl super::PowerModel for Points {
    fn watts(&self, u: f64) -> f64 {
        self.0.at(u)
    }
}

#[cfg(test)]
mod tests {
    use super::super::PowerModel;
    use super::*;

    fn points(utilization: &[f64], power_w: &[f64]) -> Result<Points, String> {
        Piecewise { utilization: utilization.to_vec(), power_w: power_w.to_vec() }.checked()
    }

    #[test]
    fn the_example_holds_and_points_come_back() {
        let p = points(&[0.0, 0.1, 1.0], &[100.0, 150.0, 240.0]).expect("right points");
        for (u, w) in [(0.0, 100.0), (0.05, 125.0), (0.1, 150.0), (0.55, 195.0), (1.0, 240.0)] {
            assert!((p.watts(u) - w).abs() < 1e-12, "{u}: {}", p.watts(u));
        }
    }

    #[test]
    fn points_that_are_no_curve_are_refused() {
        let refused = |u: &[f64], w: &[f64], word: &str| {
            let message = points(u, w).err().expect("wrong points");
            assert!(message.contains(word), "{message}");
        };
        refused(&[0.0, 1.0], &[1.0, 2.0, 3.0], "give pairs");
        refused(&[0.1, 1.0], &[1.0, 2.0], "from 0 to 1");
        refused(&[0.0, 0.5, 0.5, 1.0], &[1.0, 2.0, 3.0, 4.0], "must rise");
        refused(&[0.0, 0.5, 1.0], &[1.0, 3.0, 2.0], "must not fall");
    }
}
