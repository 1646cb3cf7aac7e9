//! Jobs that are held until enough reserved cores are free, in order of their arrival.

use std::collections::{BTreeMap, BTreeSet};

use super::Work;
use crate::scheduler::WorkToken;
use crate::types::SimTime;

/// Held jobs by their cores; asking for the first that fits costs a look at each size.
#[derive(Debug, Default)]
pub(super) struct Held {
    by_cores: BTreeMap<u64, BTreeSet<(SimTime, WorkToken)>>,
    /// Cores and arrival of each.
    places: BTreeMap<WorkToken, (u64, SimTime)>,
}

impl Held {
    /// Holds a job, if it is not held already.
    pub(super) fn insert(&mut self, work: &Work<'_>) {
        let place = (work.cores(), work.arrival);
        if self.places.insert(work.token, place).is_none() {
            self.by_cores.entry(place.0).or_default().insert((place.1, work.token));
        }
    }

    /// Holds a job no longer.
    pub(super) fn remove(&mut self, token: WorkToken) {
        if let Some((cores, arrival)) = self.places.remove(&token)
            && let Some(alike) = self.by_cores.get_mut(&cores)
        {
            alike.remove(&(arrival, token));
            if alike.is_empty() {
                self.by_cores.remove(&cores);
            }
        }
    }

    /// Whether the job is held.
    pub(super) fn has(&self, token: WorkToken) -> bool {
        self.places.contains_key(&token)
    }

    /// Takes out the job that [`Held::first_within`] names: it is let go, whether or not it finds a host at once.
    pub(super) fn take_first_within(&mut self, free: u64) -> Option<WorkToken> {
        let first = self.first_within(free)?;
        self.remove(first);
        Some(first)
    }

    /// The job that arrived first among those that find room on so many free cores [millionths of a core].
    pub(super) fn first_within(&self, free: u64) -> Option<WorkToken> {
        let firsts = self.by_cores.range(..=free).filter_map(|(_, alike)| alike.first());
        firsts.min().map(|&(_, token)| token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::shifting::lab;

    #[test]
    fn the_first_arrival_that_fits_goes_first() {
        let profile = lab::profile();
        let mut held = Held::default();
        for (job, arrival, cpu) in [(0, 5, 4), (1, 3, 8), (2, 5, 2), (3, 9, 1)] {
            let token = WorkToken::Job(job);
            held.insert(&Work { token, cpu, ..lab::work(&profile, SimTime(arrival)) });
        }
        let first = |held: &Held, free| held.first_within(free);
        assert_eq!(
            [0, 1, 3, 4, 8].map(|free| first(&held, free)),
            [None, Some(3), Some(2), Some(0), Some(1)].map(|j| j.map(WorkToken::Job))
        );
        held.remove(WorkToken::Job(0));
        held.remove(WorkToken::Job(0));
        assert_eq!((first(&held, 4), held.has(WorkToken::Job(0))), (Some(WorkToken::Job(2)), false));
    }
}
