//! A look at the whole workload before the run: for declared oracles, and to size what is provisioned for the peak.

use crate::types::{PoolId, RegionId, SimTime};

/// When every pool will be called, by region: for declared oracles only. 8 bytes per call.
#[derive(Debug, Clone, Default)]
pub struct Future {
    regions: usize,
    /// Where the times of (pool, region) begin; one more entry at the end.
    starts: Vec<usize>,
    times: Vec<SimTime>,
}

impl Future {
    /// From the arrival times of every (pool, region), pools outermost: `lists[pool * regions + region]`, each in order.
    pub fn new(regions: usize, lists: &[Vec<SimTime>]) -> Self {
        let mut starts = vec![0];
        for list in lists {
            starts.push(starts[starts.len() - 1] + list.len());
        }
        Self { regions, starts, times: lists.concat() }
    }

    /// The `skip`-th arrival after `now`, not counting arrivals at `now`; `None` if there are no more.
    pub fn next(&self, pool: PoolId, region: RegionId, now: SimTime, skip: usize) -> Option<SimTime> {
        let at = pool.index() * self.regions + region.index();
        let own = &self.times[*self.starts.get(at)?..*self.starts.get(at + 1)?];
        let first = own.partition_point(|&t| t <= now);
        own.get(first + skip).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_arrivals_of_a_pool_are_found_in_their_order() {
        let s = |t: u64| SimTime(t);
        let future = Future::new(1, &[vec![s(1), s(5), s(9)], vec![s(2)]]);
        let next = |pool, now, skip| future.next(PoolId(pool), RegionId(0), s(now), skip);
        assert_eq!(next(0, 0, 0), Some(s(1)));
        assert_eq!(next(0, 1, 0), Some(s(5)));
        assert_eq!(next(0, 1, 1), Some(s(9)));
        assert_eq!(next(0, 9, 0), None);
        assert_eq!(next(1, 0, 0), Some(s(2)));
        assert_eq!(next(7, 0, 0), None);
    }
}

/// stub
#[derive(Debug, Clone, Default)]
pub struct Survey {
    pub profiles: Vec<crate::workload::FunctionProfile>,
    pub tenants: Vec<Box<str>>,
    pub peaks: Vec<u32>,
    pub mean: Vec<f64>,
    pub calls: Vec<u64>,
    pub future: Option<Future>,
    pub pools: usize,
    pub regions: usize,
    pub end: SimTime,
}
