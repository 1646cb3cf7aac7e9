//! The words every room speaks: time, quantities, identifiers and random streams. Arithmetic, no behaviour.

mod digits;
mod ids;
mod normal;
mod seed;
mod time;
mod units;

pub use digits::{cell, grouped, significant};
pub use ids::{FunctionId, GroupId, HostId, PoolId, RegionId, SandboxId, TenantId};
pub use normal::normal_quantile;
pub use seed::{Seed, Stream};
pub use time::{Duration, SimTime};
pub use units::{GramsCo2e, GramsPerKwh, JOULES_PER_KWH, Joules, Memory, MilliCores, SECONDS_PER_YEAR, Watts};
