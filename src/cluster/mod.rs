//! Where calls run: hosts and their power, the indexed pool of a region's hosts, sandboxes and the warm sets.

mod catalogue;
mod changes;
mod evict;
mod host;
mod index;
mod order;
pub mod power;
mod sandbox;
mod share;
mod standby;
mod warm;

pub use catalogue::{ServerType, ServerTypes, server_types};
pub use changes::ChangeLog;
pub use evict::{EvictionOrder, IdleOrder};
pub use host::{CpuModel, Group, Host, UNITS_PER_CORE};
pub use index::{HostIndex, Orders, Slot};
pub use sandbox::{List, NONE, Phase, Sandbox, SandboxState, Sandboxes, Tier, Which};
pub use share::ProcessorSharing;
pub use standby::{IdleState, PowerState, Standby};
pub use warm::{ReuseOrder, WarmPools, WarmScope};
