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
        let n = traffic.len();
        *matrix = Matrix::identity(n);
        let total: f64 = traffic.iter().map(|t| t.offered).sum();
        let capacity: f64 = traffic.iter().map(|t| t.capacity).sum();
        if total <= 0.0 { return; }
        let mean: f64 = traffic.iter().map(|t| t.utilization * t.capacity).sum::<f64>() / capacity;
        let gain: f64 = std::env::var("GAIN").ok().and_then(|g| g.parse().ok()).unwrap_or(4.0);
        let want: Vec<f64> = traffic.iter().map(|t| t.capacity * (1.0 + gain * (mean - t.utilization)).max(0.0)).collect();
        let wanted: f64 = want.iter().sum();
        let want: Vec<f64> = want.iter().map(|w| w / wanted * total).collect();
        let mut room: Vec<f64> = (0..n).map(|i| (want[i] - traffic[i].offered).max(0.0)).collect();
        for j in 0..n {
            let offered = traffic[j].offered;
            let mut surplus = offered - want[j];
            if surplus <= self.margin * traffic[j].capacity || offered <= 0.0 { continue; }
            let mut order: Vec<usize> = (0..n).filter(|&i| i != j).collect();
            order.sort_by_key(|&i| (network.rtt(RegionId::from_index(j), RegionId::from_index(i)), i));
            for i in order {
                let moved = surplus.min(room[i]);
                room[i] -= moved;
                surplus -= moved;
                matrix.shares[i * n + j] = moved / offered;
                matrix.shares[j * n + j] -= moved / offered;
            }
        }
    }
}

/// The conductor with what it has seen.
pub struct Conducting {
    spec: Conductor,
    mean: Vec<Traffic>,
    seen_s: f64,
}

impl Conducting {
    /// A conductor of so many regions that has seen nothing yet.
    pub fn new(spec: Conductor, regions: usize) -> Self {
        Self { spec, mean: vec![Traffic::default(); regions], seen_s: 0.0 }
    }

    /// How often it is asked.
    pub fn period(&self) -> crate::types::Duration {
        crate::types::Duration::from_secs_f64(self.spec.period_s)
    }

    /// What was measured over the last `dt_s`.
    pub fn observe(&mut self, traffic: &[Traffic], dt_s: f64) {
        self.seen_s += dt_s;
        let weight = dt_s / self.seen_s.min(self.spec.window_s).max(dt_s);
        for (mean, now) in self.mean.iter_mut().zip(traffic) {
            mean.capacity = now.capacity;
            mean.offered += (now.offered - mean.offered) * weight;
            mean.utilization += (now.utilization - mean.utilization) * weight;
        }
    }

    /// The matrix for what it has seen.
    pub fn conduct(&self, network: &Network, matrix: &mut Matrix) {
        self.spec.conduct(&self.mean, network, matrix);
    }
}
