//! What predictors remember: a state per instance while it is there, the newest samples of one, percentiles of them.

use super::Sample;
use crate::types::HostId;

/// State that can be used again by another instance.
pub(super) trait State: Send {
    /// Forgets everything.
    fn clear(&mut self);
}

/// How often an instance was heard of since it appeared, and one figure of its use since then \[cores\].
#[derive(Default)]
pub(super) struct SoFar {
    pub heard: u32,
    pub usage: f64,
}

impl State for SoFar {
    fn clear(&mut self) {
        *self = Self::default();
    }
}

/// One state per instance on each host, exactly as long as the instance is in every snapshot of the host. An instance that comes back
/// starts anew. States of instances that left are used again, so that nothing is allocated once the run is warm.
pub(super) struct PerInstance<T> {
    hosts: Vec<Vec<(u32, T)>>,
    spare: Vec<T>,
    merged: Vec<(u32, T)>,
    fresh: Box<dyn Fn() -> T + Send>,
}

impl<T: State> PerInstance<T> {
    pub(super) fn new(fresh: impl Fn() -> T + Send + 'static) -> Self {
        Self { hosts: Vec::new(), spare: Vec::new(), merged: Vec::new(), fresh: Box::new(fresh) }
    }

    /// The states of the instances of a snapshot, one for each sample and in the same order.
    pub(super) fn of(&mut self, host: HostId, samples: &[Sample]) -> &mut [(u32, T)] {
        let h = host.index();
        if self.hosts.len() <= h {
            self.hosts.resize_with(h + 1, Vec::new);
        }
        let live = &self.hosts[h];
        let same = live.len() == samples.len() && live.iter().zip(samples).all(|(state, s)| state.0 == s.instance);
        if !same {
            self.merge(h, samples);
        }
        &mut self.hosts[h]
    }

    /// Both lists are in order of number: one pass.
    fn merge(&mut self, h: usize, samples: &[Sample]) {
        debug_assert!(samples.is_sorted_by_key(|s| s.instance), "snapshots are in order of number");
        let mut merged = std::mem::take(&mut self.merged);
        let mut old = std::mem::take(&mut self.hosts[h]);
        {
            let mut left = old.drain(..).peekable();
            for sample in samples {
                while let Some((_, gone)) = left.next_if(|(number, _)| *number < sample.instance) {
                    self.spare.push(gone);
                }
                let state = match left.next_if(|(number, _)| *number == sample.instance) {
                    Some((_, state)) => state,
                    None => {
                        let mut state = self.spare.pop().unwrap_or_else(&self.fresh);
                        state.clear();
                        state
                    }
                };
                merged.push((sample.instance, state));
            }
            self.spare.extend(left.map(|(_, gone)| gone));
        }
        self.hosts[h] = merged;
        self.merged = old;
    }
}

/// The newest values of a series, newest first and in one piece: every value is stored twice, half the memory apart.
#[derive(Debug, Clone)]
pub(super) struct Ring {
    values: Vec<f64>,
    at: usize,
    len: usize,
}

impl Ring {
    /// Keeps `capacity` values, at least one.
    pub(super) fn new(capacity: usize) -> Self {
        Self { values: vec![0.0; 2 * capacity.max(1)], at: 0, len: 0 }
    }

    /// Adds a value; the oldest leaves when the ring is full, and is returned.
    pub(super) fn push(&mut self, value: f64) -> Option<f64> {
        let capacity = self.values.len() / 2;
        self.at = if self.at == 0 { capacity - 1 } else { self.at - 1 };
        let oldest = (self.len == capacity).then_some(self.values[self.at]);
        self.values[self.at] = value;
        self.values[self.at + capacity] = value;
        self.len = (self.len + 1).min(capacity);
        oldest
    }

    /// Newest first.
    pub(super) fn newest(&self) -> &[f64] {
        &self.values[self.at..self.at + self.len]
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }
}

/// The newest values of a series in order of size. Adding one moves what lies between the value that leaves and the one that comes, at most
/// a kilobyte at the usual 120 values: faster than selecting anew in every interval.
#[derive(Debug, Clone)]
pub(super) struct Sorted {
    ring: Ring,
    sorted: Vec<f64>,
}

impl Sorted {
    /// Keeps `capacity` values, at least one.
    pub(super) fn new(capacity: usize) -> Self {
        Self { ring: Ring::new(capacity), sorted: Vec::with_capacity(capacity.max(1)) }
    }

    pub(super) fn push(&mut self, value: f64) {
        let to = place(&self.sorted, value);
        match self.ring.push(value) {
            None => self.sorted.insert(to, value),
            Some(oldest) => {
                let from = place(&self.sorted, oldest);
                if from < to {
                    self.sorted.copy_within(from + 1..to, from);
                    self.sorted[to - 1] = value;
                } else {
                    self.sorted.copy_within(to..from, to + 1);
                    self.sorted[to] = value;
                }
            }
        }
    }

    /// Smallest first.
    pub(super) fn ascending(&self) -> &[f64] {
        &self.sorted
    }

    pub(super) fn clear(&mut self) {
        self.ring.clear();
        self.sorted.clear();
    }
}

/// Below this length, counting the smaller values without branches beats halving.
const SHORT: usize = 256;

/// How many values are smaller than `x`: its place in order of size.
fn place(sorted: &[f64], x: f64) -> usize {
    if sorted.len() <= SHORT {
        return sorted.iter().map(|&y| u64::from(y < x)).sum::<u64>() as usize;
    }
    sorted.partition_point(|&y| y < x)
}

/// How a usage is stored: as it was, or at most the limit.
pub(super) fn stored(sample: &Sample, cap_to_limit: bool) -> f64 {
    if cap_to_limit { sample.usage.min(sample.limit) } else { sample.usage }
}

/// A usage as a share of the limit; nothing for an instance without limit.
pub(super) fn share(usage: f64, limit: f64) -> f64 {
    if limit > 0.0 { usage / limit } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Seed;

    #[test]
    fn a_ring_gives_its_newest_values_first_and_returns_what_leaves() {
        let mut ring = Ring::new(3);
        let left: Vec<Option<f64>> = (1..=5).map(|x| ring.push(f64::from(x))).collect();
        assert_eq!(left, [None, None, None, Some(1.0), Some(2.0)]);
        assert_eq!(ring.newest(), [5.0, 4.0, 3.0]);
        ring.clear();
        assert_eq!((ring.push(9.0), ring.newest()), (None, &[9.0][..]));
    }

    #[test]
    fn sorted_values_are_the_newest_ones_in_order_of_size() {
        let mut random = Seed(3).stream("sorted", 0);
        for capacity in [1, 7, SHORT + 40] {
            let mut sorted = Sorted::new(capacity);
            let mut all = Vec::new();
            for _ in 0..700 {
                let x = random.below(9) as f64;
                sorted.push(x);
                all.push(x);
                let mut wanted = all[all.len().saturating_sub(capacity)..].to_vec();
                wanted.sort_by(f64::total_cmp);
                assert_eq!(sorted.ascending(), wanted);
            }
        }
    }

    struct Count(u32);
    impl State for Count {
        fn clear(&mut self) {
            self.0 = 0;
        }
    }

    #[test]
    fn a_state_lives_as_long_as_its_instance_and_starts_anew_when_it_comes_back() {
        let mut states = PerInstance::new(|| Count(99));
        let mut hear = |numbers: &[u32]| -> Vec<(u32, u32)> {
            let samples: Vec<Sample> =
                numbers.iter().map(|&instance| Sample { instance, usage: 0.0, limit: 1.0 }).collect();
            let live = states.of(HostId(2), &samples);
            live.iter_mut().for_each(|(_, c)| c.0 += 1);
            live.iter().map(|(n, c)| (*n, c.0)).collect()
        };
        assert_eq!(hear(&[3, 7]), [(3, 1), (7, 1)]);
        assert_eq!(hear(&[1, 3, 7, 9]), [(1, 1), (3, 2), (7, 2), (9, 1)]);
        assert_eq!(hear(&[3, 9]), [(3, 3), (9, 2)]);
        assert_eq!(hear(&[]), []);
        assert_eq!(hear(&[3]), [(3, 1)]);
    }
}
