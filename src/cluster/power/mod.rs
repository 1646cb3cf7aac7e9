//! Power models: one file each with formula, source and units. A model maps CPU utilization to the power of one host, or of
//! its CPU packages alone. `docs/power.md` has them side by side.

mod asymptotic;
mod constant;
mod cubic;
mod curve;
mod fan;
mod linear;
mod logarithmic;
mod overhead;
mod parts;
mod piecewise;
mod server;
mod square;
mod square_root;
mod supply;
mod table;
mod teads;

pub use asymptotic::Asymptotic;
pub use constant::Constant;
pub use cubic::Cubic;
pub use fan::Fan;
pub use linear::Linear;
pub use logarithmic::Logarithmic;
pub use overhead::overhead;
pub use parts::{MemoryDriver, MemoryPart, Part, Parts};
pub use piecewise::Piecewise;
pub use server::{ServerPower, Wrong, server};
pub use square::Square;
pub use square_root::SquareRoot;
pub use supply::{ConstantPsu, CurvePsu, PsuSpec, Supply};
pub use table::Table;
pub use teads::Teads;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Power of one host as a function of its CPU utilization.
pub trait PowerModel: Send + Sync {
    /// Power at utilization `u` in [0, 1] \[W\]; finite, at least 0, and never falling with `u`.
    fn watts(&self, u: f64) -> f64;

    /// P(1) - P(0) if power is linear in utilization \[W\]: then the hot path needs no call.
    fn linear_w(&self) -> Option<f64> {
        None
    }
}

/// A power model and its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PowerSpec {
    /// The same power at every utilization.
    Constant(Constant),
    /// Idle power plus a part proportional to utilization.
    Linear(Linear),
    /// Linear interpolation in a table of measured points.
    Table(Table),
    /// Linear interpolation between points at any utilizations.
    Piecewise(Piecewise),
    /// Idle power plus a part proportional to the square root of utilization: rises early.
    SquareRoot(SquareRoot),
    /// Idle power plus a part proportional to the square of utilization.
    Square(Square),
    /// Idle power plus a part proportional to the cube of utilization: frequency follows load.
    Cubic(Cubic),
    /// The calibrated curve of Fan et al., 2u - u^r.
    Fan(Fan),
    /// A saturating part and a linear part; does not reach its maximum.
    Asymptotic(Asymptotic),
    /// CPU packages alone, by factors of their thermal design power at 0, 10, 50 and 100 % load.
    Teads(Teads),
    /// CPU packages alone, by a fitted logarithm of the load (Boavizta).
    Logarithmic(Logarithmic),
}

/// That power at full load is not below power at no load.
///
/// # Errors
/// A sentence that names both keys.
fn rising(idle_w: f64, max_w: f64) -> Result<(), String> {
    if max_w < idle_w {
        return Err(format!("max_w = {max_w} is below idle_w = {idle_w}; swap or correct them"));
    }
    Ok(())
}

impl PowerSpec {
    /// Builds the model.
    ///
    /// # Errors
    /// A sentence that names the key and the remedy.
    pub fn build(&self) -> Result<Box<dyn PowerModel>, String> {
        Ok(match self {
            PowerSpec::Constant(p) => Box::new(p.clone()),
            PowerSpec::Linear(p) => Box::new(p.checked()?),
            PowerSpec::Table(p) => Box::new(p.checked()?),
            PowerSpec::Piecewise(p) => Box::new(p.checked()?),
            PowerSpec::SquareRoot(p) => Box::new(p.checked()?),
            PowerSpec::Square(p) => Box::new(p.checked()?),
            PowerSpec::Cubic(p) => Box::new(p.checked()?),
            PowerSpec::Fan(p) => Box::new(p.checked()?),
            PowerSpec::Asymptotic(p) => Box::new(p.checked()?),
            PowerSpec::Teads(p) => Box::new(p.checked()?),
            PowerSpec::Logarithmic(p) => Box::new(p.clone()),
        })
    }
}

impl Default for PowerSpec {
    fn default() -> Self {
        PowerSpec::Linear(Linear::default())
    }
}
