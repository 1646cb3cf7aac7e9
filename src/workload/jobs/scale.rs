//! `[jobs.NAME.scale]`: how an elastic job's speed and power follow its number of nodes; published profiles by name.

use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WorkloadError;
use super::Scale;
use super::raw::wrong;

/// How speed and power follow the number of nodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ScaleSpec {
    /// A published profile by name: `sim list workloads` shows them.
    Profile {
        /// Its name.
        name: String,
    },
    /// Measured on 1, 2, … nodes.
    Measured {
        /// Throughput on 1, 2, … nodes, above 0 [units of work per second, whatever the unit].
        #[schemars(length(min = 1))]
        throughput: Vec<f64>,
        /// Power of all nodes together on 1, 2, … nodes \[W\]. Default: as the host's power model has it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        power_w: Vec<f64>,
    },
}

/// The published profiles.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScalingProfiles {
    /// Where they come from.
    pub source: String,
    /// The profiles.
    pub profile: Vec<ScalingProfile>,
}

/// A published profile.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScalingProfile {
    /// Its name.
    pub name: String,
    /// What was measured.
    pub description: String,
    /// Throughput on 1, 2, … nodes [units of work per second].
    pub throughput: Vec<f64>,
    /// Power of all nodes together on 1, 2, … nodes \[W\].
    pub power_w: Vec<f64>,
}

/// The published profiles, from `data/jobs/scaling-profiles.toml`.
pub fn scaling_profiles() -> &'static ScalingProfiles {
    static PROFILES: OnceLock<ScalingProfiles> = OnceLock::new();
    PROFILES.get_or_init(|| {
        toml::from_str(include_str!("../../../data/jobs/scaling-profiles.toml"))
            .expect("the embedded profiles are tested")
    })
}

impl ScaleSpec {
    /// The profile.
    ///
    /// # Errors
    /// There is no profile of that name, or the numbers are not above 0 or not as many.
    pub fn build(&self) -> Result<Scale, WorkloadError> {
        match self {
            Self::Profile { name } => match scaling_profiles().profile.iter().find(|p| p.name == *name) {
                Some(p) => Ok(Scale { throughput: p.throughput.clone(), power_w: p.power_w.clone() }),
                None => {
                    let names: Vec<&str> = scaling_profiles().profile.iter().map(|p| &*p.name).collect();
                    Err(wrong(
                        format!("scale.profile.name = \"{name}\" is not a known profile"),
                        &format!("name one of {}, or give your own with scale.measured", names.join(", ")),
                    ))
                }
            },
            Self::Measured { throughput, power_w } => {
                let above_zero = |x: &f64| x.is_finite() && *x > 0.0;
                if throughput.is_empty() || !throughput.iter().chain(power_w).all(above_zero) {
                    return Err(wrong(
                        "scale.measured: throughput and power_w must be numbers above 0".to_owned(),
                        "give one number for 1, 2, … nodes",
                    ));
                }
                if !power_w.is_empty() && power_w.len() != throughput.len() {
                    return Err(wrong(
                        format!("scale.measured: {} of throughput, but {} of power_w", throughput.len(), power_w.len()),
                        "give as many of both, or leave power_w out",
                    ));
                }
                Ok(Scale { throughput: throughput.clone(), power_w: power_w.clone() })
            }
        }
    }
}
