//! The true peaks of what was present, found as the run goes on: what every prediction is compared with.

use super::super::{PerInstance, Sample, State};
use crate::types::HostId;

/// When an instance arrived on its host \[step\].
struct Arrival(Option<u64>);

impl State for Arrival {
    fn clear(&mut self) {
        self.0 = None;
    }
}

/// One host's steps whose future is not all known yet, by step modulo their number.
struct Pending {
    /// The host's first step.
    first: u64,
    /// Use \[cores\] at the step, each instance at most at its limit.
    now: Vec<f64>,
    /// Per horizon and step: the highest use so far after the step \[cores\].
    later: Vec<Vec<f64>>,
}

/// The use of the instances of each past step as it is at every later step, and its maximum over each horizon.
///
/// How: an instance only leaves, so those of step t that are still there at step s are those in snapshot s that arrived at or before t. Their
/// use is a running sum over snapshot s by step of arrival, which gives the figure for all past t at once: one snapshot costs
/// one pass over the horizon, whatever the number of instances.
pub(super) struct Truth {
    /// In steps; the first is the longest.
    horizons: Vec<usize>,
    arrivals: PerInstance<Arrival>,
    hosts: Vec<Option<Pending>>,
    /// Scratch: use by step of arrival, then its running sum.
    by_arrival: Vec<f64>,
}

impl Truth {
    /// For horizons of at least one step, the longest first.
    pub(super) fn new(horizons: Vec<usize>) -> Self {
        debug_assert!(horizons.iter().all(|&h| 1 <= h && h <= horizons[0]));
        let slots = horizons[0] + 1;
        Self { horizons, arrivals: PerInstance::new(|| Arrival(None)), hosts: Vec::new(), by_arrival: vec![0.0; slots] }
    }

    /// Steps that wait for their future, the present one included.
    pub(super) fn slots(&self) -> usize {
        self.by_arrival.len()
    }

    /// Hears of a host at a step: of every host exactly once per step, from its first step on. Returns the step whose longest horizon ends now.
    pub(super) fn hear(&mut self, host: HostId, step: u64, samples: &[Sample]) -> Option<u64> {
        let slots = self.slots();
        let h = host.index();
        if self.hosts.len() <= h {
            self.hosts.resize_with(h + 1, || None);
        }
        let horizons = self.horizons.len();
        let pending = self.hosts[h].get_or_insert_with(|| Pending {
            first: step,
            now: vec![0.0; slots],
            later: vec![vec![0.0; slots]; horizons],
        });
        let longest = self.horizons[0] as u64;
        let oldest = pending.first.max(step.saturating_sub(longest));
        let span = (step - oldest) as usize;
        // Position 0 is the oldest pending step; whoever came earlier was there then.
        let sums = &mut self.by_arrival[..=span];
        sums.fill(0.0);
        for ((_, arrival), sample) in self.arrivals.of(host, samples).iter_mut().zip(samples) {
            let arrived = *arrival.0.get_or_insert(step);
            sums[arrived.saturating_sub(oldest) as usize] += sample.usage.min(sample.limit);
        }
        let mut running = 0.0;
        for sum in sums.iter_mut() {
            running += *sum;
            *sum = running;
        }
        let slot = (step % slots as u64) as usize;
        pending.now[slot] = running;
        for (later, &horizon) in pending.later.iter_mut().zip(&self.horizons) {
            later[slot] = 0.0;
            let from = span.saturating_sub(horizon);
            let start = ((oldest + from as u64) % slots as u64) as usize;
            raise(later, start, &sums[from..span]);
        }
        (step >= pending.first + longest).then(|| step - longest)
    }

    /// A host's highest use after a step, over horizon number `which` \[cores\]; with the step itself if `included`.
    pub(super) fn peak(&self, host: HostId, step: u64, which: usize, included: bool) -> f64 {
        let pending = self.hosts[host.index()].as_ref().expect("whoever asks has told of the host");
        let slot = (step % self.slots() as u64) as usize;
        let later = pending.later[which][slot];
        if included { later.max(pending.now[slot]) } else { later }
    }
}

/// Raises the values of a ring from `start` on to at least those given.
fn raise(ring: &mut [f64], start: usize, to: &[f64]) {
    let until_wrap = to.len().min(ring.len() - start);
    let (ahead, behind) = to.split_at(until_wrap);
    for (x, &y) in ring[start..].iter_mut().zip(ahead) {
        *x = if y > *x { y } else { *x };
    }
    for (x, &y) in ring.iter_mut().zip(behind) {
        *x = if y > *x { y } else { *x };
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::World;
    use super::*;

    /// By definition: every later snapshot, every instance.
    fn naive(series: &[Vec<Sample>], t: usize, horizon: usize, included: bool) -> f64 {
        let mut present: Vec<u32> = series[t].iter().map(|s| s.instance).collect();
        let sum = |present: &[u32], s: &[Sample]| -> f64 {
            s.iter().filter(|x| present.contains(&x.instance)).map(|x| x.usage.min(x.limit)).sum()
        };
        let mut peak = if included { sum(&present, &series[t]) } else { 0.0 };
        for later in &series[t + 1..=t + horizon] {
            // Whoever leaves and comes back is another.
            present.retain(|i| later.iter().any(|x| x.instance == *i));
            peak = peak.max(sum(&present, later));
        }
        peak
    }

    #[test]
    fn the_peak_is_that_of_the_definition_also_for_instances_that_leave_and_come_back() {
        for seed in 0..4 {
            let mut world = World::new(seed);
            let series: Vec<Vec<Sample>> = (0..200).map(|_| world.snapshot()).collect();
            for horizons in [vec![1], vec![17, 5, 17, 1], vec![60, 59]] {
                let mut truth = Truth::new(horizons.clone());
                let mut checked = 0;
                for (step, samples) in series.iter().enumerate() {
                    // The host is first heard of at step 1000.
                    let Some(t) = truth.hear(HostId(3), 1000 + step as u64, samples) else { continue };
                    let at = (t - 1000) as usize;
                    assert_eq!(at, step - horizons[0]);
                    for (which, &horizon) in horizons.iter().enumerate() {
                        for included in [true, false] {
                            let (ours, wanted) =
                                (truth.peak(HostId(3), t, which, included), naive(&series, at, horizon, included));
                            assert!(
                                (ours - wanted).abs() < 1e-12,
                                "step {at}, {horizon} steps: {ours} is not {wanted}"
                            );
                            checked += 1;
                        }
                    }
                }
                assert_eq!(checked, 2 * horizons.len() * (series.len() - horizons[0]));
            }
        }
    }
}
