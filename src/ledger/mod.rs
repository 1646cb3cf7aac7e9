//! Who drew how many joules, where, when, and why. Knows no policy and no carbon.
//!
//! The ledger is the hourglass's neck: the simulation writes it, the accounting reads it, and neither sees the other.
//! It has two books over the same joules, and beside them a [`Meter`] that shows what sampling would have made of them:
//!
//! * the **site book**: per region and time bin, the exact time integral of every rate in [`Column`]
//!   (power by cause, busy cores, memory, hosts on, sandboxes by state). A carbon signal whose steps are whole
//!   multiples of the bin scores it without any sampling error;
//! * the **accounts**: per function and host group, the dynamic joules of its calls and starts, and the share of the
//!   hosts that its sandboxes held, each also weighted by a cumulative clock that the caller supplies. Where asked for, also period by period, as a
//!   stream ([`PeriodAccount`]).
//!
//! Integration is exact: a rate that is constant over [a, b) adds rate x (b - a), split at the bins' edges.

mod account;
mod instrument;
mod meter;
mod period;
mod site;

pub use account::{Account, Accounts, Held};
pub use instrument::{Instants, MeterKind, MeterScope, MeterSpec};
pub use meter::{Meter, Metered, MeteredHost, Metering};
pub use period::{Balances, PeriodAccount};
pub use site::{COLUMNS, Cause, Column, FLOWS, Flows, Rates, SiteBook};
