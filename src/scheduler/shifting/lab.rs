//! What the tests of shifting policies have in common.

use super::Work;
use crate::grid::Forecast;
use crate::scheduler::{View, WorkToken};
use crate::types::{Duration, FunctionId, Memory, MilliCores, RegionId, SimTime, TenantId};
use crate::workload::{FunctionProfile, Quota, Trigger};

/// An account.
pub fn profile() -> FunctionProfile {
    FunctionProfile {
        name: "f".into(),
        tenant: TenantId(0),
        memory: Memory(1),
        cpu: MilliCores(1),
        trigger: Trigger::Queue,
        criticality: 0,
        quota: Quota::Opportunistic,
        trust_domain: 0,
    }
}

/// A job of an hour on one core, without slack, that arrives now.
pub fn work(profile: &FunctionProfile, now: SimTime) -> Work<'_> {
    Work {
        token: WorkToken::Job(0),
        account: FunctionId(0),
        profile,
        region: RegionId(0),
        arrival: now,
        wanted: now,
        slack: Duration::ZERO,
        length: Some(Duration::from_secs(3600)),
        done: Duration::ZERO,
        waited: Duration::ZERO,
        class: 0,
        cpu: 1_000_000,
        nodes: 1,
        kind: None,
        running: 0,
    }
}

/// What there is to see.
pub fn view(now: SimTime, forecasts: &[Box<dyn Forecast>]) -> View<'_> {
    View { now, regions: &[], forecasts, observed: &[], reserved: crate::scheduler::Reserved::default() }
}
