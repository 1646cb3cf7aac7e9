//! The global traffic conductor: which region's schedulers pull from which region's queues.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::network::Network;
use crate::types::RegionId;

/// Moves traffic of overloaded regions to the nearest regions that have room, until none is overloaded or all are equally loaded.
///
/// ```text
///   every observation, each averaged exponentially over window_s:
///     O_j = work that region j's queues were asked for [cores]     C_i = capacity [cores]     u_i = utilization, measured
///     p_i = sum over j of T[i][j] O_j / C_i                         what region i should be at with the matrix in force
///   load of region i if every region pulled from its own queues alone:
///     l_i = O_i / C_i + measured_weight ((u_i - p_i) - mean of (u - p), by capacity)
///   limit = mean of l, by capacity, + margin;   region j is overloaded where l_j > limit
///   from T = identity, the most overloaded j first (ties: the lowest number): regions i by rtt from j (ties: the lowest number) take what their
///   room (limit - l_i) C_i holds of j's excess (l_j - limit) C_j, at most O_j:  T[i][j] = taken / O_j,  T[j][j] = 1 - their sum
/// ```
///
/// The second term of l is what the first does not explain: calls that still run, costs that were thought wrong. With a weight of 1, l is the
/// measured utilization with what was moved put back; with 0, it is open loop. What can be moved away is the region's own traffic, never calls that
/// run. Room for all excess there always is, since the limit is not below the mean.
///
/// Source: XFaaS (SOSP 2023) for the rule: from the identity, traffic of overloaded regions goes to nearby ones until none is overloaded or all
/// are equally loaded. Measure of load, threshold, order of neighbours and period are not published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conductor {
    /// How often the matrix is made anew \[s\]. Default 60 (not published).
    #[schemars(range(min = 0.001))]
    #[serde(default = "period")]
    pub period_s: f64,
    /// A region is overloaded whose load is above the mean of all by more than this; 0 makes all equal \[share of capacity\]. Default 0.01 (not
    /// published). The excess fills the nearest first, so that what is far from all overloaded regions stays below the mean: in the fleet of the
    /// tests, hourly means of 12 regions of 6 to 40 cores differ by 8 points with 0 or 0.01, 12 with 0.02, 21 with 0.05, and by 62 without a conductor.
    #[schemars(range(min = 0.0))]
    #[serde(default = "margin")]
    pub margin: f64,
    /// Over how long utilization and traffic are averaged, with weights that fall off exponentially \[s\]. Default 120 (not published).
    #[schemars(range(min = 0.001))]
    #[serde(default = "window")]
    pub window_s: f64,
    /// How much of what measured utilization is above the projected one counts \[share\]. Default 1 (not published).
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "measured_weight")]
    pub measured_weight: f64,
}

fn period() -> f64 {
    60.0
}
fn margin() -> f64 {
    0.01
}
fn window() -> f64 {
    120.0
}
fn measured_weight() -> f64 {
    1.0
}

/// What the conductor sees of one region.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Traffic {
    /// Work that its queues were asked to hand out, per second \[cores\].
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

    /// How many regions it has.
    pub fn regions(&self) -> usize {
        self.regions
    }

    fn at(&self, puller: usize, queue: usize) -> f64 {
        self.shares[puller * self.regions + queue]
    }

    fn set(&mut self, puller: usize, queue: usize, share: f64) {
        self.shares[puller * self.regions + queue] = share;
    }

    fn reset(&mut self, regions: usize) {
        self.regions = regions;
        self.shares.clear();
        self.shares.resize(regions * regions, 0.0);
        (0..regions).for_each(|i| self.shares[i * regions + i] = 1.0);
    }
}

/// Less than this share of a region's capacity is no overload: it is rounding.
const ROUNDING: f64 = 1e-12;

impl Conductor {
    /// The matrix for loads that are given: `extra` is what a region's load is above its offered work over capacity.
    fn assign(&self, traffic: &[Traffic], extra: &[f64], network: &Network, matrix: &mut Matrix) {
        let regions = traffic.len();
        matrix.reset(regions);
        let capacity: f64 = traffic.iter().map(|t| t.capacity).sum();
        if capacity <= 0.0 {
            return;
        }
        let mut work: Vec<f64> = traffic.iter().zip(extra).map(|(t, e)| t.offered + e * t.capacity).collect();
        let limit = work.iter().sum::<f64>() / capacity + self.margin;
        let excess = |work: &[f64], r: usize| work[r] - limit * traffic[r].capacity;
        let mut overloaded: Vec<(f64, usize)> = (0..regions)
            .filter(|&r| excess(&work, r) > ROUNDING * traffic[r].capacity && traffic[r].offered > 0.0)
            .map(|r| (work[r] / traffic[r].capacity, r))
            .collect();
        overloaded.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        // Who was overloaded takes nothing, even where rounding leaves it a hair below the limit.
        let takers: Vec<usize> = (0..regions).filter(|&r| excess(&work, r) < 0.0).collect();
        let mut near: Vec<usize> = Vec::with_capacity(regions);
        for (_, from) in overloaded {
            near.clear();
            near.extend(takers.iter().copied().filter(|&r| excess(&work, r) < 0.0));
            let id = RegionId::from_index;
            near.sort_by_key(|&r| (network.rtt(id(from), id(r)), r));
            let offered = traffic[from].offered;
            let (mut left, mut moved) = (excess(&work, from).min(offered), 0.0);
            for &to in &near {
                let taken = left.min(-excess(&work, to));
                matrix.set(to, from, taken / offered);
                work[to] += taken;
                (left, moved) = (left - taken, moved + taken);
                if left <= 0.0 {
                    break;
                }
            }
            work[from] -= moved;
            let others: f64 = (0..regions).filter(|&r| r != from).map(|r| matrix.at(r, from)).sum();
            matrix.set(from, from, (1.0 - others).max(0.0));
        }
    }

    /// The matrix for this traffic by what is offered alone, as if it were measured with the identity in force.
    pub fn conduct(&self, traffic: &[Traffic], network: &Network, matrix: &mut Matrix) {
        self.assign(traffic, &vec![0.0; traffic.len()], network, matrix);
    }
}

/// The conductor with what it remembers: averaged traffic, and the matrix in force.
#[derive(Debug, Clone)]
pub struct Conducting {
    spec: Conductor,
    /// Averaged.
    traffic: Vec<Traffic>,
    /// The load that each region should have had, averaged alike.
    projected: Vec<f64>,
    in_force: Matrix,
    seen: bool,
}

impl Conducting {
    /// A conductor that has seen nothing; every region pulls from its own queues.
    pub fn new(spec: Conductor, regions: usize) -> Self {
        Self {
            spec,
            traffic: vec![Traffic::default(); regions],
            projected: vec![0.0; regions],
            in_force: Matrix::identity(regions),
            seen: false,
        }
    }

    /// How often it is asked.
    pub fn period(&self) -> crate::types::Duration {
        crate::types::Duration::from_secs_f64(self.spec.period_s)
    }

    /// A stretch of `dt_s` is over, in which the regions had this traffic: means over the stretch.
    pub fn observe(&mut self, traffic: &[Traffic], dt_s: f64) {
        let weight = if self.seen { -libm::expm1(-dt_s / self.spec.window_s) } else { 1.0 };
        self.seen = true;
        for (i, latest) in traffic.iter().enumerate() {
            let pulled: f64 = traffic.iter().enumerate().map(|(j, t)| self.in_force.at(i, j) * t.offered).sum();
            let projected = if latest.capacity > 0.0 { pulled / latest.capacity } else { 0.0 };
            let mean = &mut self.traffic[i];
            mean.offered += weight * (latest.offered - mean.offered);
            mean.utilization += weight * (latest.utilization - mean.utilization);
            // Hosts that are off take no calls, however lately they were on.
            mean.capacity = latest.capacity;
            self.projected[i] += weight * (projected - self.projected[i]);
        }
    }

    /// Makes the matrix anew, to be in force from now on.
    pub fn conduct(&mut self, network: &Network, matrix: &mut Matrix) {
        let apart: Vec<f64> = self.traffic.iter().zip(&self.projected).map(|(t, p)| t.utilization - p).collect();
        let capacity: f64 = self.traffic.iter().map(|t| t.capacity).sum();
        let mean = if capacity > 0.0 {
            self.traffic.iter().zip(&apart).map(|(t, a)| a * t.capacity).sum::<f64>() / capacity
        } else {
            0.0
        };
        let extra: Vec<f64> = apart.iter().map(|a| self.spec.measured_weight * (a - mean)).collect();
        self.spec.assign(&self.traffic, &extra, network, &mut self.in_force);
        matrix.clone_from(&self.in_force);
    }
}

#[cfg(test)]
mod tests;
