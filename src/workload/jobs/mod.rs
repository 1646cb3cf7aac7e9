//! Batch jobs: work with a beginning, a length and some patience. One file per trace format or generator, all behind [`JobList`].
//!
//! A job is read whole before the run: a list of jobs is short beside the calls of a service, a shifting policy's estimates are means over
//! it, and an offline optimum must know it all. `docs/jobs.md` is the model.

mod accounts;
mod anchor;
mod calendar;
mod csv;
mod estimate;
mod gaia;
mod lets_wait_awhile;
mod merged;
mod periodic;
mod raw;
mod scale;
mod slack;
mod spec;
mod swf;
mod synthetic;
#[cfg(test)]
mod tests;

pub use anchor::JobsStart;
pub use calendar::{NextWorkday, SemiWeekly};
pub use csv::JobsCsvSpec;
pub use estimate::EstimateSpec;
pub use gaia::GaiaSpec;
pub use lets_wait_awhile::LetsWaitAwhileSpec;
pub use periodic::PeriodicSpec;
pub use scale::{ScaleSpec, ScalingProfile, ScalingProfiles, scaling_profiles};
pub use slack::{ByClass, ByLength, Clip, LastClass, LengthClass, ShareOfLength, SlackSpec, Window};
pub use spec::{InterruptionSpec, JobSource, JobSpread, JobsContext, JobsSpec};
pub use swf::{SwfMemory, SwfProcessor, SwfProcessors, SwfSpec, SwfTenant};
pub use synthetic::{JobLengths, LognormalPart, SyntheticJobsSpec, WeightedCores, WeightedLength, WeightedNodes};

use std::path::PathBuf;

use super::FunctionProfile;
use crate::types::{Duration, FunctionId, Memory, RegionId, SimTime};

/// One batch job, as it is submitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its name in tables: the trace's id.
    pub name: Box<str>,
    /// When the scheduler learns of it.
    pub arrival: SimTime,
    /// When it would start without any shifting; not before `arrival`.
    pub wanted: SimTime,
    /// How long it runs on its base nodes, alone and without a break.
    pub length: Duration,
    /// What is believed of its length; `None` if nothing is.
    pub estimate: Option<Duration>,
    /// How much later than without shifting it may start and, if it is suspended, end.
    pub slack: Duration,
    /// The account it is charged to, in the order in which its list announces them.
    pub account: FunctionId,
    /// Where it runs.
    pub region: RegionId,
    /// What it has in common with others of its kind, in the order of its list.
    pub kind: u32,
    /// Its queue class, in the order of its list.
    pub class: u32,
    /// CPU of each of its nodes [millionths of a core].
    pub cpu: u64,
    /// Memory of each of its nodes.
    pub memory: Memory,
    /// Its base nodes, at least 1: `length` is what it takes on these.
    pub nodes: u32,
}

/// What jobs of one kind have in common.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobKind {
    /// How it is suspended and resumed; `None` if it cannot be.
    pub interruption: Option<Interruption>,
    /// How its speed and power follow its number of nodes; `None`: it always has its base nodes.
    pub scale: Option<Scale>,
    /// Dynamic power of one of its base nodes while it computes \[W\]; `None`: as the host's power model has it.
    pub power_w: Option<f64>,
    /// Data that it needs before it runs in another region than where it is submitted \[MB\].
    pub data_mb: f64,
}

/// What suspending a job costs.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Interruption {
    /// Time on its nodes, without progress, before it is suspended.
    pub checkpoint: Duration,
    /// Time on its nodes, without progress, after it has been resumed.
    pub restart: Duration,
}

/// How an elastic job's speed and power follow its number of nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// Throughput on 1, 2, … nodes, in units of work per second; strictly positive.
    pub throughput: Vec<f64>,
    /// Power of all nodes together on 1, 2, … nodes \[W\]; empty: as the host's power model has it.
    pub power_w: Vec<f64>,
}

impl Scale {
    /// The most nodes that are of use.
    pub fn most(&self) -> u32 {
        self.throughput.len() as u32
    }

    /// Speed on so many nodes relative to `base` nodes.
    pub fn speed(&self, nodes: u32, base: u32) -> f64 {
        let of = |n: u32| self.throughput[(n.min(self.most()) - 1) as usize];
        if nodes == 0 { 0.0 } else { of(nodes) / of(base) }
    }
}

/// All jobs of a run, in order of their arrival.
#[derive(Debug, Clone, Default)]
pub struct JobList {
    /// The jobs; equal arrivals in the order of their source.
    pub jobs: Vec<Job>,
    /// The kinds.
    pub kinds: Vec<JobKind>,
    /// The accounts; a profile's tenant is a place in `tenants`.
    pub accounts: Vec<FunctionProfile>,
    /// The tenants' names.
    pub tenants: Vec<Box<str>>,
    /// The names of the queue classes.
    pub classes: Vec<Box<str>>,
    /// What was assumed or passed over.
    pub notes: Vec<String>,
    /// The files that were read, with their SHA-256.
    pub inputs: Vec<(PathBuf, String)>,
}
