//! Start latency: the models that a mechanism's start can follow, each drawn from one uniform by inversion.

use serde::{Serialize, Serializer};

use super::quantiles::{Levels, Quantiles};
use crate::types::{Duration, Stream};

/// How the start latency of a mechanism arises.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartModel {
    /// Quantiles by the number of starts in flight on the host.
    Empirical(Levels),
    /// ln(latency) ~ N(ln median, sigma²). With sigma 0 the median, and nothing is drawn.
    Lognormal {
        /// Median \[s\].
        median_s: f64,
        /// Sigma of the logarithm.
        sigma: f64,
    },
    /// Exponential.
    Exponential {
        /// Mean \[s\].
        mean_s: f64,
    },
    /// A floor that does not depend on load, then CPU demand of at most one core that shares the host's cores with
    /// everything else there. Both are to be multiplied by one [`Spread::draw`] of the start.
    ProcessorSharing {
        /// The floor \[s\].
        #[serde(rename = "floor_s", serialize_with = "seconds")]
        floor: Duration,
        /// The CPU demand [core·s].
        #[serde(rename = "demand_core_s", serialize_with = "seconds")]
        demand: Duration,
    },
}

impl StartModel {
    /// The quantiles by starts in flight, where it is empirical.
    pub fn levels(&self) -> Option<&Levels> {
        match self {
            Self::Empirical(levels) => Some(levels),
            _ => None,
        }
    }

    /// Draws the latency of one start while `concurrent` starts are in flight on the host, this one included. Under
    /// processor sharing it is the latency on an idle host, (floor + demand) × spread.
    #[inline]
    pub(super) fn draw(&self, spread: &Spread, concurrent: u32, stream: &mut Stream) -> Duration {
        Duration::from_secs_f64(match self {
            Self::Empirical(levels) => levels.at(f64::from(concurrent), stream.uniform()),
            Self::Lognormal { median_s, sigma } if *sigma == 0.0 => *median_s,
            Self::Lognormal { median_s, sigma } => stream.lognormal(*median_s, *sigma),
            Self::Exponential { mean_s } => stream.exponential(*mean_s),
            Self::ProcessorSharing { floor, demand } => (*floor + *demand).as_secs_f64() * spread.draw(stream),
        })
    }
}

/// The spread of single starts around the median, as a factor with median 1 (processor sharing only).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// None: the factor is 1, and nothing is drawn.
    None,
    /// Log-normal.
    Lognormal {
        /// Sigma of the logarithm.
        sigma: f64,
    },
    /// The published serial quantiles over their median.
    Empirical(Quantiles),
}

impl Spread {
    /// Log-normal, or none with sigma 0.
    pub(super) fn lognormal(sigma: f64) -> Self {
        if sigma == 0.0 { Self::None } else { Self::Lognormal { sigma } }
    }

    /// The shape of a distribution.
    pub(super) fn of(quantiles: &Quantiles) -> Self {
        Self::Empirical(quantiles.scaled(1.0 / quantiles.at(0.5)))
    }

    /// Draws a factor.
    #[inline]
    pub fn draw(&self, stream: &mut Stream) -> f64 {
        match self {
            Self::None => 1.0,
            Self::Lognormal { sigma } => stream.lognormal(1.0, *sigma),
            Self::Empirical(quantiles) => quantiles.at(stream.uniform()),
        }
    }
}

/// A length of time as seconds; for ever is null in JSON.
pub(super) fn seconds<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    if *time == Duration::FOREVER { to.serialize_none() } else { to.serialize_f64(time.as_secs_f64()) }
}
