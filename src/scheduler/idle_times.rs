//! What policies learn of each pool: state by pool and region, idle times, and their histogram.

use super::{Known, PoolView};
use crate::types::{Duration, SimTime};

/// One value for every pool in every region, made when it is first asked for.
pub(crate) struct ByPool<T> {
    regions: usize,
    values: Vec<T>,
}

impl<T: Default> ByPool<T> {
    /// Nothing yet.
    pub(crate) fn new(known: &Known) -> Self {
        Self { regions: known.sites.len().max(1), values: Vec::new() }
    }

    /// The value of this pool in its region.
    pub(crate) fn of(&mut self, pool: &PoolView) -> &mut T {
        debug_assert!(pool.region.index() < self.regions, "a region without SiteFacts");
        let at = pool.pool.index() * self.regions + pool.region.index();
        if at >= self.values.len() {
            self.values.resize_with(at + 1, T::default);
        }
        &mut self.values[at]
    }
}

/// Tells idle times of one pool: from the end of its last execution to its next arrival, each once.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    /// The end whose idle time is over.
    told: Option<SimTime>,
}

impl Gaps {
    /// The idle time that ends with this arrival; `None` if the pool was not idle, or never ended a call.
    pub(crate) fn gap(&mut self, pool: &PoolView, now: SimTime) -> Option<Duration> {
        let end = pool.last_end?;
        if pool.running > 0 || pool.waiting > 0 || self.told == Some(end) {
            return None;
        }
        self.told = Some(end);
        Some(now.saturating_since(end))
    }
}

/// A histogram with bins of equal width from 0, and a count of what lies beyond them.
#[derive(Debug, Clone)]
pub(crate) struct BinCounts {
    width: Duration,
    counts: Vec<u32>,
    inside: u64,
    beyond: u64,
    /// Sum of the squares of the counts.
    squares: u64,
}

impl BinCounts {
    /// Empty bins of `width_s` up to `range_s`, at least one.
    pub(crate) fn new(range_s: f64, width_s: f64) -> Self {
        let bins = (range_s / width_s).round().max(1.0) as usize;
        let width = Duration(Duration::from_secs_f64(width_s).0.max(1));
        Self { width, counts: vec![0; bins], inside: 0, beyond: 0, squares: 0 }
    }

    /// The bin of `value`, past the last one for what lies beyond.
    pub(crate) fn bin(&self, value: Duration) -> usize {
        ((value.0 / self.width.0) as usize).min(self.counts.len())
    }

    /// Counts one in this bin.
    pub(crate) fn add(&mut self, bin: usize) {
        match self.counts.get_mut(bin) {
            Some(count) => {
                self.squares += 2 * u64::from(*count) + 1;
                *count += 1;
                self.inside += 1;
            }
            None => self.beyond += 1,
        }
    }

    /// Takes back `times` of what was added to this bin.
    pub(crate) fn take_back(&mut self, bin: usize, times: u32) {
        match self.counts.get_mut(bin) {
            Some(count) => {
                let before = u64::from(*count);
                *count -= times;
                self.squares -= before * before - u64::from(*count) * u64::from(*count);
                self.inside -= u64::from(times);
            }
            None => self.beyond -= u64::from(times),
        }
    }

    /// How many were counted.
    pub(crate) fn total(&self) -> u64 {
        self.inside + self.beyond
    }

    /// Share of what lies beyond the bins; 0 of nothing.
    pub(crate) fn share_beyond(&self) -> f64 {
        self.beyond as f64 / self.total().max(1) as f64
    }

    /// Coefficient of variation of the counts over all bins: sample standard deviation (n - 1) over mean; 0 where the bins
    /// are empty or there is only one.
    pub(crate) fn cv(&self) -> f64 {
        let n = self.counts.len() as f64;
        if self.inside == 0 || self.counts.len() < 2 {
            return 0.0;
        }
        let sum = self.inside as f64;
        let variance = (self.squares as f64 - sum * sum / n) / (n - 1.0);
        libm::sqrt(variance.max(0.0)) / (sum / n)
    }

    /// The first bin whose cumulative share of what lies inside satisfies `reached`; the last one if none does.
    pub(crate) fn first_bin(&self, reached: impl Fn(f64) -> bool) -> usize {
        let mut below = 0;
        for (bin, &count) in self.counts.iter().enumerate() {
            below += u64::from(count);
            if reached(below as f64 / self.inside as f64) {
                return bin;
            }
        }
        self.counts.len() - 1
    }

    /// Number of bins.
    pub(crate) fn bins(&self) -> usize {
        self.counts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::tests::{known, pool};

    #[test]
    fn an_idle_time_is_told_once_and_only_of_an_idle_pool() {
        let mut gaps = Gaps::default();
        let mut view = pool(0, 0);
        assert_eq!(gaps.gap(&view, SimTime(50)), None, "no call has ended yet");
        view.last_end = Some(SimTime(60));
        view.running = 1;
        assert_eq!(gaps.gap(&view, SimTime(70)), None, "another call runs");
        view.running = 0;
        assert_eq!(gaps.gap(&view, SimTime(75)), Some(Duration(15)));
        assert_eq!(gaps.gap(&view, SimTime(80)), None, "the second arrival ends no idle time");
    }

    #[test]
    fn the_cv_of_bin_counts_is_the_sample_one() {
        // Counts 3, 0, 0, 1: mean 1, sum of squared deviations 4 + 1 + 1 + 0, over 3.
        let mut h = BinCounts::new(40.0, 10.0);
        for value in [1, 2, 3, 39, 40] {
            h.add(h.bin(Duration::from_secs(value)));
        }
        assert!((h.cv() - 2f64.sqrt()).abs() < 1e-12);
        assert_eq!((h.total(), h.share_beyond()), (5, 0.2));
        h.take_back(0, 3);
        assert!((h.cv() - 2.0).abs() < 1e-12, "counts 0, 0, 0, 1");
        assert_eq!(h.first_bin(|share| share >= 0.5), 3);
    }

    #[test]
    fn pools_of_two_regions_are_kept_apart() {
        let mut by: ByPool<u32> = ByPool::new(&known(2));
        *by.of(&pool(3, 1)) = 7;
        assert_eq!((*by.of(&pool(3, 0)), *by.of(&pool(3, 1)), *by.of(&pool(4, 0))), (0, 7, 0));
    }
}
