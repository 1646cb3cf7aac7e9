//! What lies between regions: how long a message takes there and back.

use crate::types::{Duration, RegionId};

/// No region at all, for views that need none.
pub static NOWHERE: Network = Network { regions: 0, rtt: Vec::new() };

/// The regions' distances.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    regions: usize,
    /// Round-trip times, row by row: from the region of the row to that of the column.
    rtt: Vec<Duration>,
}

impl Network {
    /// All regions next to each other: no message takes any time.
    pub fn local(regions: usize) -> Self {
        Self { regions, rtt: vec![Duration::ZERO; regions * regions] }
    }

    /// Regions with these round-trip times, row by row: from the region of the row to that of the column.
    ///
    /// Panics unless there is one for each pair.
    pub fn new(regions: usize, rtt: Vec<Duration>) -> Self {
        assert_eq!(rtt.len(), regions * regions, "one round-trip time for each pair of regions");
        Self { regions, rtt }
    }

    /// Round-trip time between two regions.
    #[inline]
    pub fn rtt(&self, from: RegionId, to: RegionId) -> Duration {
        self.rtt[from.index() * self.regions + to.index()]
    }

    /// How many regions there are.
    pub fn regions(&self) -> usize {
        self.regions
    }
}
