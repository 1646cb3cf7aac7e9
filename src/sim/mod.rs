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

mod calls;
mod datacenter;
mod engine;
mod event;
mod expiry;
mod place;
mod queue;
mod rules;
mod statistics;
mod waiting;

pub use engine::{Finished, Outcome, Progress, RegionSetup, Setup, SimError, simulate};
pub use rules::{ColdWait, Eviction, QueueRules, QueueScope, Rules, SandboxRules};
pub use statistics::{Counts, FunctionStats, Series, Totals};
