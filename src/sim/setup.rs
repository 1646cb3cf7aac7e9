//! What a run needs, what it leaves behind, and why it may stop early.

use super::dispatch::DispatchTotals;
use super::instances::{InstanceLog, InstanceTotals};
use super::jobs::{JobLog, JobTotals};
use super::pushes::PushTotals;
use super::rules::Rules;
use super::services::Services;
use super::statistics::{FunctionStats, PoolCounts, Series, Totals};
use super::workers::WorkerFigures;
use crate::cluster::{Group, Host};
use crate::grid::{Cursor, Forecast, Observed};
use crate::isolation::{Mechanism, Runtime};
use crate::ledger::{Accounts, MeterSpec, Metered, PeriodAccount, SiteBook};
use crate::network::Network;
use crate::scheduler::admission::Admission;
use crate::scheduler::dispatch::DispatchSpec;
use crate::scheduler::keep_alive::KeepAlive;
use crate::scheduler::migration::Migration;
use crate::scheduler::overcommit::Overcommit;
use crate::scheduler::overcommit::watch::{MultiplexingReport, Watch, WatchReport};
use crate::scheduler::packing::{LocalityCounts, Packing};
use crate::scheduler::provisioning::Provisioning;
use crate::scheduler::routing::Routing;
use crate::scheduler::scaling::Scaling;
use crate::scheduler::shifting::Shifting;
use crate::scheduler::spatial::Violations;
use crate::types::{Duration, FunctionId, GroupId, HostId, RegionId, Seed, SimTime};
use crate::workload::instances::Instances;
use crate::workload::jobs::JobList;
use crate::workload::{FunctionProfile, Survey, WorkloadError};

/// A region as the engine sees it.
#[derive(Debug, Clone)]
pub struct RegionSetup {
    /// Name in messages.
    pub name: String,
    /// Its first host; its hosts are numbered without gaps.
    pub first_host: u32,
    /// How many hosts it has, at least 1.
    pub hosts: u32,
}

/// Everything a run needs.
pub struct Setup {
    /// The regions.
    pub regions: Vec<RegionSetup>,
    /// The host groups.
    pub groups: Vec<Group>,
    /// The group of every host, in host order.
    pub hosts: Vec<GroupId>,
    /// The isolation mechanism of all sandboxes.
    pub mechanism: Mechanism,
    /// The rules of the machine.
    pub rules: Rules,
    /// The policies.
    pub admission: Box<dyn Admission>,
    /// When calls start.
    pub shifting: Box<dyn Shifting>,
    /// Through which queues they come there.
    pub dispatch: DispatchSpec,
    /// The services that functions call.
    pub services: Services,
    /// In which region.
    pub routing: Box<dyn Routing>,
    /// What lies between the regions.
    pub network: Network,
    /// On which host.
    pub packing: Box<dyn Packing>,
    /// How much hosts promise.
    pub overcommit: Box<dyn Overcommit>,
    /// How long idle sandboxes stay.
    pub keep_alive: Box<dyn KeepAlive>,
    /// How many sandboxes a pool has.
    pub scaling: Box<dyn Scaling>,
    /// The language runtime in every sandbox.
    pub runtime: Runtime,
    /// Where instances come from, if there are any.
    pub instances: Option<Box<dyn Instances>>,
    /// The batch jobs, if there are any.
    pub jobs: Option<JobList>,
    /// What is known of the workload beforehand, where a policy declares that it needs it.
    pub survey: Option<Survey>,
    /// How many hosts are on.
    pub provisioning: Box<dyn Provisioning>,
    /// What is watched beside overcommit, and how often.
    pub watch: Option<(Watch, Duration)>,
    /// Which instances move.
    pub migration: Box<dyn Migration>,
    /// What policies may know of each region's future.
    pub forecasts: Vec<Box<dyn Forecast>>,
    /// What they have seen of it.
    pub observed: Vec<Observed>,
    /// The cumulative clock that weights each region's accounts.
    pub clocks: Vec<Cursor>,
    /// Width of the ledger's bins.
    pub ledger_step: Duration,
    /// Length of the periods of the accounts; `None`: they are kept for the whole run alone.
    pub account_step: Option<Duration>,
    /// Whether the figures of workers are counted; they decide nothing.
    pub workers: bool,
    /// A meter that is read beside the books; it decides nothing.
    pub meter: Option<MeterSpec>,
    /// Arrivals at or after this instant are not taken; `None` takes all.
    pub duration: Option<Duration>,
    /// How long after the end of arrivals unfinished calls are waited for.
    pub drain_limit: Duration,
    /// Whether the run always goes on to the drain limit, done or not.
    pub fixed_end: bool,
    /// Whether the series keep the CPU of reserved and opportunistic calls apart.
    pub split_cpu: bool,
    /// The root of the engine's random streams.
    pub seed: Seed,
}

/// How far a run is, for a progress display.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Simulated time.
    pub now: SimTime,
    /// Events so far.
    pub events: u64,
    /// Calls received so far.
    pub calls: u64,
    /// Share of the input read, in 0..=1.
    pub share: f64,
}

/// One finished call, for a call log.
#[derive(Debug, Clone, Copy)]
pub struct Finished {
    /// When it arrived.
    pub arrival: SimTime,
    /// When it was let go.
    pub released: SimTime,
    /// When it began to execute.
    pub began: SimTime,
    /// When it ended.
    pub ended: SimTime,
    /// What it called.
    pub function: FunctionId,
    /// Where it arrived.
    pub home: RegionId,
    /// Where it ran.
    pub host: HostId,
    /// Whether a sandbox was started for it.
    pub cold: bool,
    /// Dynamic energy of its execution \[J\].
    pub dynamic_j: f64,
}

/// What a run leaves behind.
pub struct Outcome {
    /// Time-binned integrals by region.
    pub site: SiteBook,
    /// What the meter showed, where there is one.
    pub metered: Option<Metered>,
    /// Accounts by function and host group.
    pub accounts: Accounts,
    /// Counts by region and bin.
    pub series: Series,
    /// The functions, in order of their number.
    pub profiles: Vec<FunctionProfile>,
    /// The tenants' names, in order of their number.
    pub tenants: Vec<Box<str>>,
    /// Statistics by function.
    pub functions: Vec<FunctionStats>,
    /// Statistics over all.
    pub totals: Totals,
    /// The hosts in their last state, integrated to the end.
    pub hosts: Vec<Host>,
    /// When the run ended.
    pub end: SimTime,
    /// Calls that had not finished when the drain limit was reached.
    pub unfinished: u64,
    /// Events processed: arrivals, completions, starts, expiries and all others.
    pub events: u64,
    /// The most calls in flight together.
    pub most_in_flight: usize,
    /// Statistics of instances.
    pub instances: InstanceTotals,
    /// What watching predictors found, where any are watched, and what sharing gains, where there are instances.
    pub watched: Option<(Option<WatchReport>, MultiplexingReport)>,
    /// What dispatch has done, where there are durable queues.
    pub dispatch: Option<DispatchTotals>,
    /// Statistics of jobs.
    pub jobs: JobTotals,
    /// The jobs, for their notes and inputs, if there were any.
    pub job_list: Option<JobList>,
    /// Where instances came from, for its notes and inputs.
    pub instance_source: Option<Box<dyn Instances>>,
    /// What locality groups have done, where packing has some.
    pub locality: Option<LocalityCounts>,
    /// What pushes of new code have cost, where there are any.
    pub pushed: Option<PushTotals>,
    /// The figures of workers, where they were asked for.
    pub workers: Option<WorkerFigures>,
    /// Cold calls and executed calls by pool: the share of cold calls per app, as the literature counts it.
    pub pools: Vec<PoolCounts>,
    /// What the programs of routing could not keep; `None` if it solves none.
    pub violations: Option<Violations>,
}

/// Why a run stopped early.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The workload failed.
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    /// A function that no host can hold.
    #[error(
        "function {function} needs {needed_mb:.1} MB (isolation overhead included){}, but no host of region {region} can hold \
         it: the largest promises {memory_mb:.1} MB and {cores} core(s)\n  help: give the region larger hosts, or leave the \
         function out of the workload",
        if *cpu > 0.0 { format!(" and {cpu} core(s)") } else { String::new() }
    )]
    TooBig {
        /// The function's name.
        function: String,
        /// The region's name.
        region: String,
        /// Memory needed \[MB\].
        needed_mb: f64,
        /// CPU needed \[cores\], 0 where CPU limits nothing.
        cpu: f64,
        /// Largest promise of memory \[MB\].
        memory_mb: f64,
        /// Largest promise of CPU \[cores\].
        cores: f64,
    },
    /// Namespaces that are to have workers of their own, and too few workers.
    #[error(
        "region {region} has {workers} worker(s), but {namespaces} namespaces (trust domains) are to have at least one each\n  help: give \
         the region {namespaces} hosts or more, or set scheduler.packing.locality-groups.namespaces = \"shared\""
    )]
    TooFewWorkers {
        /// The region's name.
        region: String,
        /// Its workers.
        workers: u32,
        /// Namespaces that have appeared.
        namespaces: u32,
    },
    /// The call log cannot be written.
    #[error("cannot write the call log: {0}")]
    CallLog(String),
    /// An instance that no host can hold.
    #[error(
        "instance {instance} needs {needed_mb:.1} MB and {needed_cores} core(s), but no host of region {region} can hold it: the \
         largest promises {memory_mb:.1} MB and {cores} core(s)\n  help: give the region larger hosts, or check the trace's units"
    )]
    InstanceTooBig {
        /// The instance's name.
        instance: String,
        /// The region's name.
        region: String,
        /// Memory needed, overhead included \[MB\].
        needed_mb: f64,
        /// CPU needed \[cores\].
        needed_cores: f64,
        /// Largest promise of memory \[MB\].
        memory_mb: f64,
        /// Largest promise of CPU \[cores\].
        cores: f64,
    },
    /// The job log cannot be written.
    #[error("cannot write the job log: {0}")]
    JobLog(String),
    /// A job that its region cannot hold, whatever else runs.
    #[error(
        "job {job} needs {nodes} node(s) of {cores} core(s) and {memory_mb} MB each, but the hosts of region {region} hold {fit} of that size at \
         most\n  help: give the region more or larger hosts, or leave the job out of jobs.NAME"
    )]
    JobTooBig {
        /// The job's name.
        job: String,
        /// The region's name.
        region: String,
        /// Its nodes.
        nodes: u32,
        /// CPU of each \[cores\].
        cores: f64,
        /// Memory of each \[MB\].
        memory_mb: f64,
        /// How many fit.
        fit: u32,
    },
    /// The instance log cannot be written.
    #[error("cannot write the instance log: {0}")]
    InstanceLog(String),
    /// The accounts by period cannot be written.
    #[error("cannot write the accounts by period: {0}")]
    Accounts(String),
}

/// A consumer of finished calls.
pub type CallLog<'a> = &'a mut dyn FnMut(&Finished) -> Result<(), String>;

/// A consumer of the accounts by period.
pub type AccountSink<'a> = &'a mut dyn FnMut(&PeriodAccount) -> Result<(), String>;

/// What is told of a run while it goes on.
#[derive(Default)]
pub struct Logs<'a> {
    /// Every finished call.
    pub calls: Option<CallLog<'a>>,
    /// Every instance whose story is over.
    pub instances: Option<InstanceLog<'a>>,
    /// Every job whose story is over.
    pub jobs: Option<JobLog<'a>>,
    /// The accounts of every period, if [`Setup::account_step`] says how long one is.
    pub accounts: Option<AccountSink<'a>>,
}
