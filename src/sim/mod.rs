//! The machine: moves a workload through a cluster as the scheduler decides, and writes the ledger.
//!
//! ```text
//!   arrivals (sorted stream) ─┐
//!   expiry lanes (sorted)  ───┼──> next instant ──> what happens there ──> ledger, statistics
//!   event queue (4-ary heap) ─┘
//! ```
//!
//! Time is integer nanoseconds. At one instant the order is: completions (executions, starts, boots), expiries,
//! scheduled things (releases, questions, time-outs, provisioning), arrivals; first in, first out within a class.
//! Everything between two events is constant, so every integral is exact.

mod assemble;
mod calls;
mod close;
mod dispatch;
mod engine;
mod event;
mod execute;
mod expiry;
mod hosts;
mod idle;
mod instances;
mod jobs;
mod memory;
mod periods;
mod place;
mod pools;
mod provision;
mod pushes;
mod queue;
mod rules;
mod scale;
mod services;
mod setup;
mod start;
mod statistics;
mod travel;
mod view;
mod waiting;
mod workers;

pub use dispatch::{DispatchTotals, Levels, REASONS, ServiceOutcome, Why};
pub use engine::simulate;
pub use instances::{
    Contention, Ending, Evicted, InstanceEnd, InstanceLog, InstanceRules, InstanceTotals, Lived, MigrationRules, Order,
};
pub use jobs::{JobEnd, JobEnding, JobLog, JobPurchase, JobRules, JobTotals};
pub use pools::PoolNumbers;
pub use pushes::PushTotals;
pub use rules::{ColdWait, Eviction, Exhaustion, MemoryRules, QueueRules, QueueScope, Rules, SandboxRules};
pub use services::{ServiceOutage, ServiceSpec, ServiceTotals, Services, check_services};
pub use setup::{AccountSink, CallLog, Finished, Logs, Outcome, Progress, RegionSetup, Setup, SimError};
pub use statistics::{Counts, FunctionStats, PoolCounts, Series, Totals};
pub use workers::WorkerFigures;
