//! Keep an idle sandbox for a fixed time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IdleView, KeepAlive, Plan};
use crate::scheduler::View;
use crate::types::Duration;

/// Keeps an idle sandbox for a fixed time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fixed {
    /// How long an idle sandbox stays \[s\]; `inf` keeps it for ever. Default 600, the figure XFaaS cites for OpenWhisk.
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    #[serde(default = "keep_alive")]
    pub keep_alive_s: f64,
    /// Whether the clock begins anew at each idle moment. Default true; false is dslab-faas' default.
    #[serde(default = "restarts")]
    pub clock_restarts: bool,
}

fn keep_alive() -> f64 {
    600.0
}

fn restarts() -> bool {
    true
}

impl Default for Fixed {
    fn default() -> Self {
        Self { keep_alive_s: keep_alive(), clock_restarts: restarts() }
    }
}

/// The policy with its window in nanoseconds.
pub(super) struct Window {
    keep: Duration,
    restarts: bool,
}

impl Window {
    pub(super) fn new(spec: &Fixed) -> Self {
        Self { keep: Duration::from_secs_f64(spec.keep_alive_s), restarts: spec.clock_restarts }
    }
}

impl KeepAlive for Window {
    #[inline]
    fn keep(&mut self, _sandbox: &IdleView<'_>, _view: &View<'_>) -> Plan {
        self.keep.into()
    }

    fn constant(&self) -> Option<Duration> {
        Some(self.keep)
    }

    fn needs_pools(&self) -> bool {
        false
    }

    fn restarts(&self) -> bool {
        self.restarts
    }
}
