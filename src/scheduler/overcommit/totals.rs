//! The total use of a host's warm instances over the last intervals, which two predictors look at.

use super::{PerInstance, Ring, Sample, Semantics, State, share, stored};
use crate::types::HostId;

/// What one instance used and was allowed over its last intervals.
struct Past {
    heard: u32,
    usage: Ring,
    /// Empty in the paper's semantics.
    limit: Ring,
}

impl State for Past {
    fn clear(&mut self) {
        self.heard = 0;
        self.usage.clear();
        self.limit.clear();
    }
}

/// The sums over one host's warm instances by age of the sample, kept while these are the same.
struct Sums {
    warm: Vec<u32>,
    usage: Ring,
    limit: Ring,
}

/// The sums over warm instances by age of the sample.
pub(super) struct Totals {
    semantics: Semantics,
    warmup: u32,
    history: usize,
    cap_to_limit: bool,
    past: PerInstance<Past>,
    hosts: Vec<Option<Sums>>,
    series: Vec<f64>,
    limits: Vec<f64>,
}

/// What is known of a host now.
pub(super) struct Now<'a> {
    /// By age, newest first: the total use \[cores\] in the paper's semantics, its share of the limits in the code's.
    pub(super) series: &'a mut [f64],
    /// Sum of the limits of instances that are warm \[cores\].
    pub(super) warm_limit: f64,
    /// Sum of the limits of instances that are not \[cores\].
    pub(super) cold_limit: f64,
}

impl Now<'_> {
    /// The peak of the host, where `of_series` is a figure of the series.
    pub(super) fn peak(self, semantics: Semantics, of_series: impl FnOnce(&mut [f64]) -> f64) -> f64 {
        if self.series.is_empty() {
            return self.cold_limit;
        }
        let figure = of_series(self.series);
        let warm = match semantics {
            Semantics::Paper => figure,
            Semantics::Compat => figure.min(1.0) * self.warm_limit,
        };
        warm + self.cold_limit
    }
}

impl Totals {
    pub(super) fn new(semantics: Semantics, warmup: u32, history: u32, cap_to_limit: bool) -> Self {
        let history = history as usize;
        let limits = if semantics == Semantics::Compat { history } else { 1 };
        Self {
            semantics,
            warmup,
            history,
            cap_to_limit,
            past: PerInstance::new(move || Past { heard: 0, usage: Ring::new(history), limit: Ring::new(limits) }),
            hosts: Vec::new(),
            series: Vec::with_capacity(history),
            limits: Vec::with_capacity(history),
        }
    }

    /// Hears of a host. Every instance is in every snapshot between its first and its last, so that its i-th newest sample is i
    /// intervals old: adding by age (the code) and by wall time (the paper) are one. As long as the same instances are warm, older sums
    /// stay as they are, to the bit: they were added up in the same order.
    pub(super) fn hear(&mut self, host: HostId, samples: &[Sample]) -> Now<'_> {
        let compat = self.semantics == Semantics::Compat;
        let (history, limits) = (self.history, if compat { self.history } else { 1 });
        let h = host.index();
        if self.hosts.len() <= h {
            self.hosts.resize_with(h + 1, || None);
        }
        let sums = self.hosts[h].get_or_insert_with(|| Sums {
            warm: Vec::new(),
            usage: Ring::new(history),
            limit: Ring::new(limits),
        });
        let past = self.past.of(host, samples);
        let (mut warm_limit, mut cold_limit, mut usage) = (0.0, 0.0, 0.0);
        let (mut warm, mut same) = (0, true);
        for ((number, past), sample) in past.iter_mut().zip(samples) {
            past.heard = past.heard.saturating_add(1);
            let used = stored(sample, self.cap_to_limit);
            past.usage.push(used);
            if compat {
                past.limit.push(sample.limit);
            }
            if past.heard < self.warmup {
                cold_limit += sample.limit;
                continue;
            }
            warm_limit += sample.limit;
            usage += used;
            // Who came back is cold for a while, and so not among the warm of the step before.
            same &= sums.warm.get(warm) == Some(number);
            warm += 1;
        }
        if same && warm == sums.warm.len() {
            if warm > 0 {
                sums.usage.push(usage);
                sums.limit.push(warm_limit);
            }
        } else {
            let is_warm = |past: &&(u32, Past)| past.1.heard >= self.warmup;
            let all = || past.iter().filter(is_warm);
            sums.warm.clear();
            sums.warm.extend(all().map(|(number, _)| *number));
            add_up(&mut self.series, history, all().map(|(_, past)| past.usage.newest()), &mut sums.usage);
            if compat {
                add_up(&mut self.limits, history, all().map(|(_, past)| past.limit.newest()), &mut sums.limit);
            }
        }
        self.series.clear();
        self.series.extend_from_slice(sums.usage.newest());
        if compat {
            for (x, limit) in self.series.iter_mut().zip(sums.limit.newest()) {
                *x = share(*x, *limit);
            }
        }
        Now { series: &mut self.series, warm_limit, cold_limit }
    }
}

/// Adds series up by age into a ring; as long as the longest.
fn add_up<'a>(scratch: &mut Vec<f64>, history: usize, parts: impl Iterator<Item = &'a [f64]>, into: &mut Ring) {
    scratch.clear();
    scratch.resize(history, 0.0);
    let mut oldest = 0;
    for part in parts {
        oldest = oldest.max(part.len());
        for (sum, x) in scratch.iter_mut().zip(part) {
            *sum += x;
        }
    }
    into.clear();
    for &sum in scratch[..oldest].iter().rev() {
        into.push(sum);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::World;
    use super::*;

    #[test]
    fn sums_that_are_kept_are_those_added_up_anew() {
        for semantics in [Semantics::Paper, Semantics::Compat] {
            let (mut world, mut totals) = (World::new(8), Totals::new(semantics, 4, 11, false));
            let mut snapshots: Vec<Vec<Sample>> = Vec::new();
            for step in 0..900 {
                snapshots.push(world.snapshot());
                let here = |s: &Vec<Sample>, i: u32| s.iter().find(|x| x.instance == i).copied();
                let now = &snapshots[step];
                // How long each has been there without a gap.
                let stays = |i: u32| snapshots.iter().rev().take_while(|s| here(s, i).is_some()).count();
                let warm: Vec<(u32, usize)> =
                    now.iter().map(|x| (x.instance, stays(x.instance))).filter(|w| w.1 >= 4).collect();
                let longest = warm.iter().map(|w| w.1.min(11)).max().unwrap_or(0);
                let sums = (0..longest).map(|age| {
                    let then = &snapshots[step - age];
                    let there = warm.iter().filter(|w| w.1 > age).map(|w| here(then, w.0).expect("it stayed"));
                    let (used, limit) = there.fold((0.0, 0.0), |(u, l), x| (u + x.usage, l + x.limit));
                    if semantics == Semantics::Paper { used } else { used / limit }
                });
                let wanted: Vec<f64> = sums.collect();
                let found = totals.hear(HostId(1), now);
                assert_eq!(found.series, wanted, "{semantics:?}, step {step}");
                let limits: f64 = now.iter().map(|x| x.limit).sum();
                assert!((found.warm_limit + found.cold_limit - limits).abs() < 1e-12);
            }
        }
    }
}
