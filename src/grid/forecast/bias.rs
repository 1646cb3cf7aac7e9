//! A forecast that is wrong by the same share and amount everywhere.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fixed::{Fixed, Present};
use super::spread::within;
use crate::grid::{GridError, Signal};

/// Always wrong by the same share and amount.
///
/// Formula: f = (1 + b) c + a. A positive share changes no order of times: policies that look for the lowest window choose as with a
/// perfect forecast, policies that compare with a threshold, or one region with another, do not.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bias {
    /// b, the share by which the forecast is too high [share of the intensity]; 0.1 is 10 % too much. Default 0.
    #[schemars(range(min = -1.0, max = 100.0))]
    #[serde(default)]
    pub relative_bias: f64,
    /// a, what is added [gCO2e/kWh]. Default 0.
    #[schemars(range(min = -100000.0, max = 100000.0))]
    #[serde(default)]
    pub offset_g_per_kwh: f64,
    /// Whether the step under way is known. Default `observed`.
    #[serde(default)]
    pub present: Present,
}

impl Bias {
    pub(super) fn build(&self, signal: &Signal) -> Result<Fixed, GridError> {
        let b = within("bias", "relative_bias", self.relative_bias, (-1.0, 100.0))?;
        let a = within("bias", "offset_g_per_kwh", self.offset_g_per_kwh, (-1e5, 1e5))?;
        Ok(Fixed::new(signal, self.present, |_, c| (1.0 + b) * c + a))
    }
}

#[cfg(test)]
mod tests {
    use crate::grid::forecast::tests::{build, h, hourly};
    use crate::types::GramsPerKwh;

    #[test]
    fn a_bias_is_a_share_and_an_amount() {
        let f =
            build("bias = { relative_bias = 0.1, offset_g_per_kwh = -130 }", &hourly(0, vec![100.0, 200.0, 100.0]), 1);
        let told = [0.0, 1.0, 2.0].map(|t| f.at(h(0.5), h(t)));
        assert_eq!(told[..2], [Some(GramsPerKwh(100.0)), Some(GramsPerKwh(1.1 * 200.0 - 130.0))]);
        assert!(told[2].unwrap().0 < 0.0, "beliefs may be negative: {told:?}");
        let mean = f.mean(h(0.5), h(0.5), h(2.0)).unwrap().0;
        assert!((mean - (0.5 * 100.0 + 90.0) / 1.5).abs() < 1e-12, "{mean}");
    }
}
