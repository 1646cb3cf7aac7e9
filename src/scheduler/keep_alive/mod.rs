//! Keep-alive: how long does an idle sandbox stay?

mod fixed;
mod none;

pub use fixed::Fixed;
pub use none::NoKeepAlive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CallView, Known, PoolView, View};
use crate::cluster::EvictionOrder;
use crate::types::{Duration, FunctionId, Memory, SimTime};
use crate::workload::FunctionProfile;

/// A sandbox that has just become idle.
#[derive(Debug, Clone, Copy)]
pub struct IdleView<'a> {
    /// The function whose call it executed last, or for which it was started.
    pub function: FunctionId,
    /// What is known of the function.
    pub profile: &'a FunctionProfile,
    /// Its pool in its region; this sandbox is not yet counted among the idle ones.
    pub pool: PoolView,
    /// Memory that it reserves, isolation overhead included.
    pub memory: Memory,
    /// How long its own start took, all phases included.
    pub start: Duration,
    /// CPU time that its start used [core·s].
    pub start_core_s: f64,
    /// The present.
    pub now: SimTime,
}

/// What happens to a sandbox that has become idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How long it stays if nothing reuses it; zero removes it at once, [`Duration::FOREVER`] never.
    pub keep: Duration,
    /// Whether the pool is to be loaded again later.
    pub prewarm: Option<Prewarm>,
}

/// A sandbox that is started before anybody calls. Nothing happens if a call of the pool arrives in the region before it is
/// due, or if the pool has a sandbox there when it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prewarm {
    /// How long after the sandbox became idle the start begins.
    pub after: Duration,
    /// How long the new sandbox stays, counted from the begin of its start.
    pub keep: Duration,
}

impl From<Duration> for Plan {
    #[inline]
    fn from(keep: Duration) -> Self {
        Self { keep, prewarm: None }
    }
}

/// A limit on the memory of idle sandboxes, and who goes first where it is exceeded or the host runs out of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdleBudget {
    /// Memory that idle sandboxes of one host may hold together.
    pub per_host: Memory,
    /// Who goes first.
    pub order: EvictionOrder,
}

/// Decides how long idle sandboxes stay, and whether they are started anew before they are called.
pub trait KeepAlive: Send {
    /// What happens to this sandbox, which has just become idle. Law: what it returns depends on nothing but what the policy
    /// was told, so that two runs are alike.
    fn keep(&mut self, sandbox: &IdleView<'_>, view: &View<'_>) -> Plan;

    /// Whether [`KeepAlive::arrived`] wants to be told of arrivals.
    fn observes(&self) -> bool {
        false
    }

    /// A call has arrived, and is not yet counted in its pool: what histogram policies learn from.
    fn arrived(&mut self, _call: &CallView<'_>, _pool: &PoolView, _view: &View<'_>) {}

    /// Whether the window begins anew each time the sandbox becomes idle (the usual meaning of "n minutes idle"). If
    /// not, it is set once, at the first idle moment, and a sandbox that is busy at its end goes when it next is idle.
    /// Asked once, when the run starts.
    fn restarts(&self) -> bool {
        true
    }

    /// Whether the policy looks at [`IdleView::pool`], plans pre-warming, or wants to be told of arrivals. If not, the engine
    /// does not follow the pools, and their numbers are zero. Asked once, when the run starts.
    fn needs_pools(&self) -> bool {
        true
    }

    /// A limit on the memory of idle sandboxes, kept by the engine. Asked once, when the run starts.
    fn budget(&self) -> Option<IdleBudget> {
        None
    }
}

/// The keep-alive policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum KeepAliveSpec {
    /// An idle sandbox stays for a fixed time. Knows nothing of the traffic. Loses memory on rare functions and warmth
    /// on functions that are rarer still. Source: the default of public platforms (10 min in OpenWhisk and AWS as cited
    /// by XFaaS; 5–7 min measured on AWS Lambda in 2021).
    Fixed(Fixed),
    /// A sandbox goes as soon as it is idle: every call is a cold start. The bound of per-request isolation.
    None(NoKeepAlive),
}

impl Default for KeepAliveSpec {
    fn default() -> Self {
        Self::Fixed(Fixed::default())
    }
}

impl KeepAliveSpec {
    /// Whether the policy is an oracle that must be given every future arrival.
    pub fn needs_future(&self) -> bool {
        false
    }

    /// Builds the policy.
    pub fn build(&self, _known: &Known) -> Box<dyn KeepAlive> {
        match self {
            Self::Fixed(p) => Box::new(fixed::Window::new(p)),
            Self::None(p) => Box::new(p.clone()),
        }
    }
}
