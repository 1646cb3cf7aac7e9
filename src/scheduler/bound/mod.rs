//! The offline optimum: the fewest grams for which a list of jobs can be run when everything is known beforehand.
//!
//! It is no policy but a bound: no schedule that keeps the jobs' deadlines emits less on the same signal. Quote a policy's saving as a
//! share of the bound's; a percentage without it says more about the grid than about the policy (Sukprasert et al., *On the Limitations of
//! Carbon-Aware Temporal and Spatial Workload Shifting in the Cloud*, EuroSys 2024).
//!
//! | function | capacity | exact for | else |
//! |---|---|---|---|
//! | [`unlimited`] | none | jobs that may be suspended freely, and jobs of fixed size that may not | elastic jobs that may not be suspended: a lower bound |
//! | [`limited`] | cores, shared by all | jobs that may be suspended and share a core's time freely | a lower bound for every real schedule |
//!
//! [`space`] holds the bounds of jobs that may also run in other zones.
//!
//! Only dynamic power is counted: what hosts draw while they idle is the same for all schedules of a fixed fleet. Suspending costs nothing
//! here, which keeps the bound below every schedule that pays for it.

mod limited;
pub mod space;
mod unlimited;

pub use limited::{MOST_VARIABLES, limited};
pub use unlimited::unlimited;

use crate::types::{Duration, SimTime};
use crate::workload::jobs::{Job, JobKind};

/// A way to run a job: on some number of nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Progress over that on its base nodes; strictly positive.
    pub speed: f64,
    /// Dynamic power of all its nodes \[W\].
    pub power_w: f64,
    /// CPU of all its nodes \[cores\].
    pub cores: f64,
}

/// A job as the bound sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// It does not run before.
    pub earliest: SimTime,
    /// It is done by then; [`SimTime::NEVER`]: by the signal's end.
    pub deadline: SimTime,
    /// How long it runs on its base nodes, alone and without a break.
    pub length: Duration,
    /// The ways to run it, in order of their nodes; a single one if it is not elastic.
    pub levels: Vec<Level>,
    /// Whether it may be suspended.
    pub interruptible: bool,
}

impl Task {
    /// A batch job. `w_per_core` is the dynamic power of a busy core, for jobs that state no power of their own \[W/core\].
    pub fn of(job: &Job, kind: &JobKind, w_per_core: f64) -> Task {
        let cores = |nodes: u32| job.cpu as f64 * 1e-6 * f64::from(nodes);
        let power = |nodes: u32| match kind.power_w {
            Some(of_node) => of_node * f64::from(nodes),
            None => w_per_core * cores(nodes),
        };
        let base = Level { speed: 1.0, power_w: power(job.nodes), cores: cores(job.nodes) };
        let levels = match &kind.scale {
            None => vec![base],
            Some(scale) => (1..=scale.most())
                .map(|nodes| Level {
                    speed: scale.speed(nodes, job.nodes),
                    power_w: scale.power_w.get(nodes as usize - 1).copied().unwrap_or_else(|| power(nodes)),
                    cores: cores(nodes),
                })
                .collect(),
        };
        let deadline = match job.slack {
            Duration::FOREVER => SimTime::NEVER,
            slack => job.wanted + slack + job.length,
        };
        let interruptible = kind.interruption.is_some();
        Task { earliest: job.arrival, deadline, length: job.length, levels, interruptible }
    }
}

/// Why there is no bound.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BoundError {
    /// A job does not fit between its earliest start and its deadline, or the signal's end.
    #[error(
        "job {at} (counted from 0) needs {needed_s} s at least, but has {window_s} s from its earliest start to its deadline or the signal's \
         end: give it more time, or a longer signal"
    )]
    NoTime {
        /// Its place in the list.
        at: usize,
        /// What it takes at its fastest \[s\].
        needed_s: f64,
        /// What there is \[s\].
        window_s: f64,
    },
    /// The jobs cannot all be done by their deadlines within the capacity.
    #[error(
        "no schedule on {cores} cores ends every job by its deadline, so that there is no bound: raise the capacity or the slack"
    )]
    NoRoom {
        /// The capacity \[cores\].
        cores: f64,
    },
    /// The linear program is too large to be solved in reasonable time.
    #[error(
        "the linear program has {variables} variables, {most} at most: bound fewer jobs at a time, shorten their slack or the signal's \
         resolution, or use the bound without capacity"
    )]
    TooLarge {
        /// How many it has.
        variables: usize,
        /// How many it may have.
        most: usize,
    },
    /// The solver gave up.
    #[error("the linear program could not be solved: {0}")]
    Solver(String),
}

#[cfg(test)]
mod tests;
