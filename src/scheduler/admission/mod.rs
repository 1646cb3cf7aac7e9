//! Admission: may the call in?

mod admit_all;
mod cap;
mod submitter_limits;
mod virtual_capacity_curve;

pub use admit_all::AdmitAll;
pub use cap::{Cap, CapThresholds};
pub use submitter_limits::SubmitterLimits;
pub use virtual_capacity_curve::VirtualCapacityCurve;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CallView, View};
use crate::types::{RegionId, Seed, SimTime};

/// What admission says of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on to shifting.
    Admit,
    /// It is asked again at this later instant.
    AskAgain(SimTime),
    /// It is refused and counted as rejected.
    Reject,
}

/// How much CPU jobs may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceiling {
    /// The most CPU of all jobs of the region together [millionths of a core].
    pub cpu: u64,
    /// Until when that holds; never: for ever.
    pub until: SimTime,
}

/// Decides at a call's arrival whether it may in, and how much CPU jobs may hold.
pub trait Admission: Send {
    /// The verdict on one call; every call is admitted unless the policy says otherwise.
    fn admit(&mut self, _call: &CallView<'_>, _view: &View<'_>) -> Verdict {
        Verdict::Admit
    }

    /// Whether [`Admission::finished`] wants to be told of ends.
    fn observes(&self) -> bool {
        false
    }

    /// A call that was admitted has ended: what concurrency limits and quotas count.
    fn finished(&mut self, _call: &CallView<'_>, _view: &View<'_>) {}

    /// Whether the policy limits how much CPU jobs hold: [`Admission::ceiling`].
    fn limits_jobs(&self) -> bool {
        false
    }

    /// How much CPU the jobs of a region may hold now, and when to ask again. Jobs that run are never stopped for it: what is above a lowered
    /// ceiling drains. Jobs that find no room below it wait, in the order in which they came.
    fn ceiling(&mut self, _region: RegionId, _view: &View<'_>) -> Ceiling {
        Ceiling { cpu: u64::MAX, until: SimTime::NEVER }
    }

    /// Whether the verdict on every call is "admit", so that the engine need not ask.
    fn is_passive(&self) -> bool {
        false
    }
}

/// The admission policies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum AdmissionSpec {
    /// Every call is admitted. Knows nothing. Loses when more work comes than the hosts can ever do: queues grow.
    /// Source: the implicit policy of every simulator without admission control.
    AdmitAll(AdmitAll),
    /// Calls are all admitted; the cores that a region's jobs hold are capped, the lower the nearer the present intensity is to
    /// the highest of the steps to come. Knows the present intensity and the forecast of the next 48 steps. Loses when the
    /// cap leaves hosts idle that draw power all the same, and when queued jobs run into their deadlines, which it does not
    /// know. Source: Lechowicz et al., CAP (carbon-aware-dag, 2025).
    Cap(Cap),
    /// Calls are all admitted; all that runs in a region is kept below an hourly curve planned a day ahead, to which only jobs give
    /// way. Knows the use of past days, the day's forecast and the capacity. Loses when tomorrow's use is not that of past
    /// days, and on jobs with deadlines within the day, which it does not know. Source: Radovanović et al., Carbon-Aware
    /// Computing for Datacenters, IEEE Trans. Power Systems 2022.
    VirtualCapacityCurve(VirtualCapacityCurve),
    /// Calls of a client (tenant) above its rate limit, over all regions, are throttled or rejected, and so are those that are too many for a region's
    /// submitters, of which very spiky clients have a pool of their own. Knows the calls that each client has handed in so far. Loses
    /// latency where a limit is lower than what the hosts could do. Source: Sahraei et al., XFaaS, SOSP 2023; the limits are not published.
    SubmitterLimits(Box<SubmitterLimits>),
}

impl Default for AdmissionSpec {
    fn default() -> Self {
        Self::AdmitAll(AdmitAll {})
    }
}

impl AdmissionSpec {
    /// Builds the policy; `seed` is its own.
    pub fn build(&self, _seed: Seed) -> Box<dyn Admission> {
        match self {
            Self::AdmitAll(p) => Box::new(p.clone()),
            Self::Cap(p) => Box::new(p.clone()),
            Self::VirtualCapacityCurve(p) => Box::new(virtual_capacity_curve::Curves::new(p.clone())),
            Self::SubmitterLimits(p) => Box::new(submitter_limits::Limits::new(*p.clone())),
        }
    }
}
