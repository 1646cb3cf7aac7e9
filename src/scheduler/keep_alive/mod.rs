//! Keep-alive: how long does an idle sandbox stay?

mod fixed;
mod none;

pub use fixed::Fixed;
pub use none::NoKeepAlive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CallView, View};
use crate::types::{Duration, FunctionId, Seed, SimTime};
use crate::workload::FunctionProfile;

/// A sandbox that has just become idle.
#[derive(Debug, Clone, Copy)]
pub struct IdleView<'a> {
    /// The function it holds.
    pub function: FunctionId,
    /// What is known of the function.
    pub profile: &'a FunctionProfile,
    /// The present.
    pub now: SimTime,
}

/// Decides how long idle sandboxes stay.
pub trait KeepAlive: Send {
    /// How long this sandbox stays if nothing reuses it; zero removes it at once, [`Duration::FOREVER`] never.
    fn keep(&mut self, sandbox: &IdleView<'_>, view: &View<'_>) -> Duration;

    /// Whether [`KeepAlive::arrived`] wants to be told of arrivals.
    fn observes(&self) -> bool {
        false
    }

    /// A call has arrived: what histogram policies learn from.
    fn arrived(&mut self, _call: &CallView<'_>, _view: &View<'_>) {}

    /// Whether the window begins anew each time the sandbox becomes idle (the usual meaning of "n minutes idle"). If
    /// not, it is set once, at the first idle moment, and a sandbox that is busy at its end goes when it next is idle.
    /// Asked once, when the run starts.
    fn restarts(&self) -> bool {
        true
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
    /// Builds the policy; `seed` is its own.
    pub fn build(&self, _seed: Seed) -> Box<dyn KeepAlive> {
        match self {
            Self::Fixed(p) => Box::new(fixed::Window::new(p)),
            Self::None(p) => Box::new(p.clone()),
        }
    }
}
