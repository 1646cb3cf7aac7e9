//! What dispatch counts over a run.

use super::gate::REASONS;
use crate::sim::services::ServiceTotals;

/// What dispatch has done.
#[derive(Debug, Clone, Default)]
pub struct DispatchTotals {
    /// Calls handed out in the instant in which they were written.
    pub at_once: u64,
    /// Calls handed out, once more for every further attempt.
    pub attempts: u64,
    /// Those handed out to another region than that of their queue.
    pub abroad: u64,
    /// Calls handed out because their deadline was near.
    pub due: u64,
    /// How often a function was looked at and had to wait, by [`Why`](super::Why).
    pub blocked: [u64; REASONS],
    /// Calls in durable queues: now, and at most.
    pub waiting: (u64, u64),
    /// Polls while the central controllers were down.
    pub polls_blind: u64,
    /// Attempts that ended in an exception.
    pub refused: u64,
    /// Calls given up after as many attempts as there may be.
    pub given_up: u64,
    /// Calls that were not heard of in time and were offered once more.
    pub timeouts: u64,
    /// Acknowledgements lost.
    pub acknowledgements_lost: u64,
    /// Executions of calls that had been executed already, or ran elsewhere, too.
    pub executed_again: u64,
    /// How often a function began to be slowed by its service's exceptions.
    pub slowed_functions: u64,
    /// S and the backlog over the polls.
    pub levels: Levels,
    /// Services and their callers.
    pub services: Vec<ServiceOutcome>,
}

/// What became of a service and of its callers.
#[derive(Debug, Clone)]
pub struct ServiceOutcome {
    /// Its name.
    pub name: String,
    /// What became of its calls.
    pub totals: ServiceTotals,
    /// Most calls that were behind because of it.
    pub behind_max: u64,
    /// By outage, how long after its end the calls behind were no more than before it; not a number if they never were \[s\].
    pub caught_up_s: Vec<f64>,
}

/// S of the utilization controller and the calls in durable queues, over the polls.
#[derive(Debug, Clone, Copy, Default)]
pub struct Levels {
    polls: u64,
    scale_sum: f64,
    waiting_sum: f64,
    /// Polls at which S was 0.
    pub stopped: u64,
    /// The greatest S.
    pub scale_max: f64,
}

impl Levels {
    /// One poll.
    pub(super) fn add(&mut self, scale: f64, waiting: u64) {
        self.polls += 1;
        self.scale_sum += scale;
        self.waiting_sum += waiting as f64;
        self.stopped += u64::from(scale == 0.0);
        self.scale_max = self.scale_max.max(scale);
    }

    /// Mean S over the polls; not a number without any.
    pub fn scale_mean(&self) -> f64 {
        self.scale_sum / self.polls as f64
    }

    /// Mean number of calls in durable queues over the polls; not a number without any.
    pub fn waiting_mean(&self) -> f64 {
        self.waiting_sum / self.polls as f64
    }

    /// How often the queues were polled.
    pub fn polls(&self) -> u64 {
        self.polls
    }
}
