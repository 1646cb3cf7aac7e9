//! A predictor as a policy: the host promises what it has less the peak predicted.

use super::{Capacity, Overcommit, Prediction, Snapshot};
use crate::types::{Duration, HostId};

/// Predicts the peak of what a host holds.
pub(super) trait Predictor: Send {
    /// Hears of one host at the end of an interval and says the highest CPU use to come \[cores\].
    fn peak(&mut self, host: HostId, snapshot: &Snapshot<'_>) -> f64;

    /// See [`Overcommit::oracle_horizon`].
    fn oracle_horizon(&self) -> Option<Duration> {
        None
    }
}

/// A policy that overcommits CPU by a predictor, and memory by a fixed ratio.
pub(super) struct Predicting<P> {
    period: Duration,
    memory_ratio: f64,
    by: P,
}

impl<P: Predictor> Predicting<P> {
    pub(super) fn new(sample_s: f64, memory_ratio: f64, by: P) -> Self {
        Self { period: Duration::from_secs_f64(sample_s), memory_ratio, by }
    }
}

impl<P: Predictor> Overcommit for Predicting<P> {
    fn allocatable(&mut self, physical: Capacity) -> Capacity {
        Capacity { cpu: physical.cpu, memory: (physical.memory as f64 * self.memory_ratio) as u64 }
    }

    fn period(&self) -> Option<Duration> {
        Some(self.period)
    }

    fn oracle_horizon(&self) -> Option<Duration> {
        self.by.oracle_horizon()
    }

    fn predict(&mut self, host: HostId, snapshot: &Snapshot<'_>) -> Option<Prediction> {
        Some(Prediction { peak: self.by.peak(host, snapshot), limit: snapshot.limit() })
    }
}

impl Predictor for Box<dyn Predictor> {
    fn peak(&mut self, host: HostId, snapshot: &Snapshot<'_>) -> f64 {
        self.as_mut().peak(host, snapshot)
    }

    fn oracle_horizon(&self) -> Option<Duration> {
        self.as_ref().oracle_horizon()
    }
}
