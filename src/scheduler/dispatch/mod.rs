//! Dispatch: how a call that may run comes to the region that runs it.
//!
//! Without dispatch, routing names the region in the instant in which shifting lets the call go. With durable queues, as XFaaS has them, the call
//! is written to a queue; the regions' schedulers pull from the queues as quotas, limits and controllers allow.

mod back_pressure;
mod carbon;
mod concurrency;
mod conductor;
mod delivery;
mod order;
mod quota;
mod slow_start;
mod utilization;

pub use back_pressure::{BackPressure, Pressed};
pub use carbon::{CarbonFactors, CarbonScale, Normalize};
pub use concurrency::Concurrency;
pub use conductor::{Conducting, Conductor, Matrix, Traffic};
pub use delivery::Delivery;
pub use order::{Order, Pull, Rank};
pub use quota::{Bucket, MeanCost, QuotaRules};
pub use slow_start::{SlowStart, Started};
pub use utilization::{Controller, FixedTarget, Integral, Paced, Seen, UtilizationLaw};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The ways of dispatch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum DispatchSpec {
    /// A call that shifting lets go is routed and placed at once. Knows nothing. The baseline: no queue between arrival and host but that for
    /// room.
    Direct(Direct),
    /// Calls are written to durable queues, from which the schedulers of all regions pull: by criticality and deadline, within quotas, as
    /// utilization, slow start, back-pressure and flow control allow. Knows the load of all regions, measured. Loses latency where
    /// limits are too low. Source: Sahraei et al., XFaaS, SOSP 2023; docs/xfaas.md. Routing is not asked.
    DurableQueues(Box<DurableQueues>),
}

impl Default for DispatchSpec {
    fn default() -> Self {
        Self::Direct(Direct {})
    }
}

impl DispatchSpec {
    /// Whether calls are written to durable queues.
    pub fn has_queues(&self) -> bool {
        matches!(self, Self::DurableQueues(_))
    }

    /// Whether a controller holds calls back that could run.
    pub fn defers(&self) -> bool {
        matches!(self, Self::DurableQueues(d) if d.utilization.is_some())
    }

    /// No controller holds calls back: everything else stays as it is.
    pub fn let_all_go(&mut self) {
        if let Self::DurableQueues(d) = self {
            (d.utilization, d.carbon) = (None, None);
        }
    }

    /// What a schema cannot say: a key, what is wrong with it, what to do.
    pub fn conflicts(&self) -> Vec<(String, String, &'static str)> {
        match self {
            Self::Direct(_) => Vec::new(),
            Self::DurableQueues(queues) => {
                let at = |(key, message, help)| (format!("durable-queues.{key}"), message, help);
                queues.conflicts().into_iter().map(at).collect()
            }
        }
    }
}

/// Calls are routed and placed at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Direct {}

/// Durable queues and the schedulers that pull from them. A part that is left out is switched off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DurableQueues {
    /// How often the schedulers poll the queues for calls that had to wait \[s\]. A call that may start at once does not wait for it. Default
    /// 10 (not published; assumed: short against every deadline of deferrable calls).
    #[schemars(range(min = 0.001))]
    #[serde(default = "period")]
    pub period_s: f64,
    /// Which of the calls that may start goes first. Default `criticality-then-deadline` (published).
    #[serde(default)]
    pub order: Order,
    /// Time kept free before a deadline \[s\]: a call goes whatever the utilization controller says when its deadline leaves no more time than twice
    /// its work, which contention may lengthen, and this. Default 900 (assumed).
    #[schemars(range(min = 0.0))]
    #[serde(default = "reserve")]
    pub reserve_s: f64,
    /// Calls that wait in a region's RunQ at which its schedulers stop pulling. Default: no flow control.
    #[schemars(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_queue: Option<u32>,
    /// Which of the regions that the conductor lets pull from a queue pulls the next call. Default `by-share`.
    #[serde(default)]
    pub pull: Pull,
    /// At-least-once delivery. Default: every call is executed once, whatever happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Quotas of functions, which are per profile. Default: no quota binds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaRules>,
    /// The utilization controller: scales the rates of opportunistic functions. Default: they go at once, as far as their quota allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utilization: Option<UtilizationLaw>,
    /// An extension, not published: the scale follows carbon intensity, too. Default: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carbon: Option<CarbonScale>,
    /// Limits on instances of a function. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<Concurrency>,
    /// How fast the calls of a function may grow. Default: without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_start: Option<SlowStart>,
    /// How functions slow down when their downstream service throws exceptions. Default: they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back_pressure: Option<BackPressure>,
    /// The global traffic conductor: which region's schedulers pull from which region's queues. Default: each from its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conductor: Option<Conductor>,
    /// When the central controllers are down: utilization controller, central rate limiter and traffic conductor. Everything then goes on with
    /// what they said last. Default: never.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controllers_down: Vec<Outage>,
}

impl Default for DurableQueues {
    fn default() -> Self {
        Self {
            period_s: period(),
            order: Order::default(),
            reserve_s: reserve(),
            run_queue: None,
            pull: Pull::default(),
            delivery: None,
            quota: None,
            utilization: None,
            carbon: None,
            concurrency: None,
            slow_start: None,
            back_pressure: None,
            conductor: None,
            controllers_down: Vec::new(),
        }
    }
}

impl DurableQueues {
    fn conflicts(&self) -> Vec<(String, String, &'static str)> {
        let mut wrong = Vec::new();
        for (i, outage) in self.controllers_down.iter().enumerate().filter(|(_, o)| o.until_s <= o.from_s) {
            wrong.push((
                format!("controllers_down[{i}].until_s"),
                format!("the outage ends at {} s, not after it begins at {} s", outage.until_s, outage.from_s),
                "give a later end",
            ));
        }
        if let Some(delivery) = self.delivery.as_ref().filter(|d| d.longest_delay_s < d.retry_delay_s) {
            wrong.push((
                "delivery.longest_delay_s".into(),
                format!(
                    "the longest delay, {} s, is below retry_delay_s = {}",
                    delivery.longest_delay_s, delivery.retry_delay_s
                ),
                "raise longest_delay_s, or lower retry_delay_s",
            ));
        }
        let zero = |c: &Concurrency| c.of.iter().find(|(_, limit)| **limit == 0).map(|(name, _)| name.clone());
        if let Some(name) = self.concurrency.as_ref().and_then(zero) {
            wrong.push((
                format!("concurrency.of.{name}"),
                format!("a limit of 0 lets no call of {name} ever run"),
                "give 1 or more",
            ));
        }
        if self.carbon.is_some() && self.utilization.is_none() {
            wrong.push((
                "carbon".into(),
                "carbon scales what the utilization controller says, and there is none".into(),
                "add a law, for example utilization = { paced = {} }, or leave carbon out",
            ));
        }
        wrong
    }
}

/// A stretch of time in which something is down.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// When it begins \[s\], from the run's start.
    #[schemars(range(min = 0.0))]
    pub from_s: f64,
    /// When it is over \[s\].
    #[schemars(range(min = 0.0))]
    pub until_s: f64,
}

impl Outage {
    /// Whether it lasts at this instant.
    pub fn holds(&self, now: crate::types::SimTime) -> bool {
        let now = now.as_secs_f64();
        self.from_s <= now && now < self.until_s
    }
}

fn period() -> f64 {
    10.0
}

fn reserve() -> f64 {
    900.0
}

#[cfg(test)]
mod tests;
