//! Keep an idle sandbox for a time that depends on why its function is called.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IdleView, KeepAlive, Plan};
use crate::scheduler::View;
use crate::types::Duration;
use crate::workload::Trigger;

/// Keeps an idle sandbox for a fixed time per class of trigger. 0 removes it at once, `inf` keeps it for ever.
///
/// Every default is 600 s, that of `fixed`: no platform is known to publish times by trigger, so that a difference is the
/// scenario's own (assumed) choice. Example: timers are called by a clock, often further apart than any keep-alive; `timer_s = 0`
/// gives up their warmth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByTrigger {
    /// After HTTP requests \[s\]. Default 600.
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    #[serde(default = "ten_minutes")]
    pub http_s: f64,
    /// After messages of a queue \[s\]. Default 600.
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    #[serde(default = "ten_minutes")]
    pub queue_s: f64,
    /// After events of a stream \[s\]. Default 600.
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    #[serde(default = "ten_minutes")]
    pub event_s: f64,
    /// After timers \[s\]. Default 600.
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    #[serde(default = "ten_minutes")]
    pub timer_s: f64,
    /// After changes in stored data \[s\]. Default 600.
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    #[serde(default = "ten_minutes")]
    pub storage_s: f64,
    /// After steps of a workflow \[s\]. Default 600.
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    #[serde(default = "ten_minutes")]
    pub orchestration_s: f64,
    /// After anything else, or where the trigger is unknown \[s\]. Default 600.
    #[schemars(range(min = 0.0), extend("x-allow-infinite" = true))]
    #[serde(default = "ten_minutes")]
    pub other_s: f64,
}

fn ten_minutes() -> f64 {
    600.0
}

impl KeepAlive for ByTrigger {
    fn keep(&mut self, sandbox: &IdleView<'_>, _view: &View<'_>) -> Plan {
        let seconds = match sandbox.profile.trigger {
            Trigger::Http => self.http_s,
            Trigger::Queue => self.queue_s,
            Trigger::Event => self.event_s,
            Trigger::Timer => self.timer_s,
            Trigger::Storage => self.storage_s,
            Trigger::Orchestration => self.orchestration_s,
            Trigger::Other => self.other_s,
        };
        Duration::from_secs_f64(seconds).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::tests::{idle, pool};

    #[test]
    fn the_trigger_of_the_function_decides() {
        let mut p: ByTrigger = toml::from_str("http_s = 60\nqueue_s = 0").expect("right keys");
        assert_eq!(idle(&mut p, &pool(0, 0), 1.0), Duration::from_secs(60).into(), "the sample is called over HTTP");
    }

    #[test]
    fn a_class_may_be_kept_for_ever_and_the_rest_keep_their_default() {
        let mut p: ByTrigger = toml::from_str("http_s = inf").expect("right keys");
        assert_eq!(idle(&mut p, &pool(0, 0), 1.0), Duration::FOREVER.into());
        assert_eq!((p.queue_s, p.timer_s, p.other_s), (600.0, 600.0, 600.0));
    }
}
