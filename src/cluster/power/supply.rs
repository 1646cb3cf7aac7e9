//! Losses between the plug and the parts: voltage regulators and power supplies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::curve::Curve;

/// `[servers.NAME.supply]`: losses between the plug and the parts. Default: none, for a model measured at the plug.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Supply {
    /// Efficiency of the regulators that feed CPU and memory. Default 1: no loss.
    #[schemars(range(min = 0.01, max = 1.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vr_efficiency: Option<f64>,
    /// The power supplies. Default: no loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psu: Option<PsuSpec>,
}

impl Supply {
    /// Whether nothing is lost.
    pub fn is_lossless(&self) -> bool {
        *self == Self::default()
    }
}

/// The power supplies of a server, all that share its load as one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PsuSpec {
    /// The same efficiency at every load.
    Constant(ConstantPsu),
    /// Efficiency by load, linear between points.
    Curve(CurvePsu),
}

/// Formula: P_in = P_out / η.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConstantPsu {
    /// Output over input.
    #[schemars(range(min = 0.01, max = 1.0))]
    pub efficiency: f64,
}

/// Formula: P_in = P_out / η(P_out / rated), η linear between the points and that of the nearest point beyond them.
///
/// Example: 80 PLUS Titanium at 230 V (0.90, 0.94, 0.96, 0.91 at 10, 20, 50, 100 % load), 1000 W rated: 350 W out is 35 %
/// load, η = 0.95, 368.42 W in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CurvePsu {
    /// Output at full load, of all supplies that share it \[W\].
    #[schemars(range(min = 1.0))]
    pub rated_w: f64,
    /// Loads of the points, rising [share of `rated_w`].
    #[schemars(length(min = 2), inner(range(min = 0.0, max = 1.0)))]
    pub load: Vec<f64>,
    /// Efficiency at each of them.
    #[schemars(length(min = 2), inner(range(min = 0.01, max = 1.0)))]
    pub efficiency: Vec<f64>,
}

/// The supplies, ready to use.
pub(super) enum Psu {
    /// Without loss or with a constant one.
    Constant(f64),
    Curve {
        rated_w: f64,
        efficiency: Curve,
    },
}

impl Psu {
    /// The supplies that a scenario asks for, which must be able to give `most_w`.
    pub fn new(spec: Option<&PsuSpec>, most_w: f64) -> Result<Self, String> {
        match spec {
            None => Ok(Psu::Constant(1.0)),
            Some(PsuSpec::Constant(p)) => Ok(Psu::Constant(p.efficiency)),
            Some(PsuSpec::Curve(p)) if most_w > p.rated_w => Err(format!(
                "at full load the parts draw {most_w:.1} W, more than rated_w = {}: give the output of all supplies together",
                p.rated_w
            )),
            Some(PsuSpec::Curve(p)) => {
                let efficiency = Curve::through(("load", &p.load), ("efficiency", &p.efficiency))?;
                // x / η(x) rises on a piece where the piece, drawn on to x = 0, is above 0 there.
                let rises = |x: &[f64], e: &[f64]| e[0] * x[1] > e[1] * x[0];
                match p.load.windows(2).zip(p.efficiency.windows(2)).find(|(x, e)| !rises(x, e)) {
                    Some((x, _)) => Err(format!(
                        "efficiency rises so steeply after load {} that more output would need less input",
                        x[0]
                    )),
                    None => Ok(Psu::Curve { rated_w: p.rated_w, efficiency }),
                }
            }
        }
    }

    /// Input power for this output \[W\].
    #[inline]
    pub fn input_w(&self, output_w: f64) -> f64 {
        match self {
            Psu::Constant(efficiency) => output_w / efficiency,
            Psu::Curve { rated_w, efficiency } => output_w / efficiency.at(output_w / rated_w),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titanium(rated_w: f64) -> PsuSpec {
        PsuSpec::Curve(CurvePsu { rated_w, load: vec![0.1, 0.2, 0.5, 1.0], efficiency: vec![0.90, 0.94, 0.96, 0.91] })
    }

    #[test]
    fn the_example_holds_and_the_ends_go_on() {
        let psu = Psu::new(Some(&titanium(1000.0)), 1000.0).expect("a right curve");
        assert!((psu.input_w(350.0) - 350.0 / 0.95).abs() < 1e-9);
        assert!((psu.input_w(45.0) - 50.0).abs() < 1e-9);
        assert!((psu.input_w(1000.0) - 1000.0 / 0.91).abs() < 1e-9);
    }

    #[test]
    fn supplies_that_cannot_be_are_refused() {
        assert!(Psu::new(Some(&titanium(300.0)), 301.0).is_err_and(|e| e.contains("more than rated_w = 300")));
        let steep = PsuSpec::Curve(CurvePsu { rated_w: 1.0, load: vec![0.5, 0.6], efficiency: vec![0.5, 0.7] });
        assert!(Psu::new(Some(&steep), 1.0).is_err_and(|e| e.contains("so steeply")));
    }
}
