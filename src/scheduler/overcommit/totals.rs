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

/// The sums over warm instances by age of the sample.
pub(super) struct Totals {
    semantics: Semantics,
    warmup: u32,
    history: usize,
    cap_to_limit: bool,
    past: PerInstance<Past>,
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
            series: Vec::with_capacity(history),
            limits: Vec::with_capacity(history),
        }
    }

    /// Hears of a host. Every instance is in every snapshot between its first and its last, so that its i-th newest sample is i
    /// intervals old: adding by age (the code) and by wall time (the paper) are one.
    pub(super) fn hear(&mut self, host: HostId, samples: &[Sample]) -> Now<'_> {
        self.series.clear();
        self.series.resize(self.history, 0.0);
        let compat = self.semantics == Semantics::Compat;
        if compat {
            self.limits.clear();
            self.limits.resize(self.history, 0.0);
        }
        let (mut warm_limit, mut cold_limit, mut oldest) = (0.0, 0.0, 0);
        for ((_, past), sample) in self.past.of(host, samples).iter_mut().zip(samples) {
            past.heard = past.heard.saturating_add(1);
            past.usage.push(stored(sample, self.cap_to_limit));
            if compat {
                past.limit.push(sample.limit);
            }
            if past.heard < self.warmup {
                cold_limit += sample.limit;
                continue;
            }
            warm_limit += sample.limit;
            let usage = past.usage.newest();
            oldest = oldest.max(usage.len());
            for (sum, x) in self.series.iter_mut().zip(usage) {
                *sum += x;
            }
            if compat {
                for (sum, x) in self.limits.iter_mut().zip(past.limit.newest()) {
                    *sum += x;
                }
            }
        }
        if compat {
            for (x, limit) in self.series[..oldest].iter_mut().zip(&self.limits) {
                *x = share(*x, *limit);
            }
        }
        Now { series: &mut self.series[..oldest], warm_limit, cold_limit }
    }
}
