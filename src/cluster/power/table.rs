//! Table power: linear interpolation between measured points, in the shape of a SPECpower result.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Linear interpolation in a table of power at equally spaced utilizations \[W\].
///
/// Formula: with n + 1 points p_0 … p_n at u = 0, 1/n, … 1: i = min(floor(u n), n - 1), f = u n - i,
/// P(u) = p_i + (p_(i+1) - p_i) f. Eleven points are the shape of a SPECpower_ssj2008 result.
///
/// Errors: fewer than two points; power that falls with load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Power at equally spaced utilizations from 0 to 1, not falling \[W\].
    #[schemars(length(min = 2), inner(range(min = 0.0)))]
    pub power_w: Vec<f64>,
}

impl Table {
    pub(super) fn checked(&self) -> Result<Self, String> {
        if self.power_w.len() < 2 {
            return Err(format!(
                "power_w has {} point(s); give at least two, from idle to full load",
                self.power_w.len()
            ));
        }
        super::curve::not_falling("power_w", &self.power_w)?;
        Ok(self.clone())
    }
}

impl super::PowerModel for Table {
    fn watts(&self, u: f64) -> f64 {
        let n = self.power_w.len() - 1;
        let x = u.clamp(0.0, 1.0) * n as f64;
        let i = (x as usize).min(n - 1);
        let f = x - i as f64;
        self.power_w[i] + (self.power_w[i + 1] - self.power_w[i]) * f
    }
}

#[cfg(test)]
mod tests {
    use super::super::PowerModel;
    use super::*;

    #[test]
    fn the_published_points_of_an_ml110_g4_come_back_exactly_and_between_them_it_is_linear() {
        let points = [86.0, 89.4, 92.6, 96.0, 99.5, 102.0, 106.0, 108.0, 112.0, 114.0, 117.0];
        let t = Table { power_w: points.to_vec() };
        for (i, p) in points.iter().enumerate() {
            assert!((t.watts(i as f64 / 10.0) - p).abs() < 1e-9);
        }
        assert!((t.watts(0.05) - 87.7).abs() < 1e-9);
        assert_eq!(t.watts(1.0), 117.0);
    }
}
