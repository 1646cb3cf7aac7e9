//! Power models: one file each with formula, source and units. A model maps CPU utilization to the power of one host.

mod constant;
mod linear;
mod table;

pub use constant::Constant;
pub use linear::Linear;
pub use table::Table;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Power of one host as a function of its CPU utilization.
pub trait PowerModel: Send + Sync {
    /// Power at utilization `u` in [0, 1] \[W\]; finite and at least 0.
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
        })
    }
}

impl Default for PowerSpec {
    fn default() -> Self {
        PowerSpec::Linear(Linear::default())
    }
}
