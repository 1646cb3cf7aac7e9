//! Wait for free reserved cores, as long as slack lasts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Held, Plan, Shifting, Work};
use crate::scheduler::{View, WorkToken};
use crate::types::Duration;

/// Starts jobs as soon as enough reserved cores are free, at their latest start otherwise.
///
/// Held jobs are looked at in order of their arrival, at every arrival, start, suspension and end; one that does not fit keeps no later one
/// back. A job then runs through. Calls, which are not served from reserved cores, and jobs without a deadline start at once.
///
/// Knows how many reserved cores are free; nothing of carbon. Length: not used.
///
/// Source: AllWait-Threshold (`cost`) of Hanafy et al., Going Green for Less Green (GAIA), ASPLOS 2024.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllWaitThreshold {}

/// The policy with the jobs it holds.
#[derive(Default)]
pub(super) struct Waiting {
    held: Held,
}

impl Shifting for Waiting {
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        if work.kind.is_none() || work.slack == Duration::FOREVER || work.latest_start() <= view.now {
            self.held.remove(work.token);
            return plan.start(work.at_once(view.now));
        }
        self.held.insert(work);
        plan.start(work.latest_start());
        plan.hold();
    }

    fn follows_jobs(&self) -> bool {
        true
    }

    fn started(&mut self, token: WorkToken) {
        self.held.remove(token);
    }

    fn ended(&mut self, token: WorkToken) {
        self.held.remove(token);
    }

    fn next_to_go(&mut self, view: &View<'_>) -> Option<WorkToken> {
        self.held.take_first_within(view.reserved.free())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::Reserved;
    use crate::scheduler::shifting::{Piece, lab};
    use crate::types::SimTime;
    use crate::workload::jobs::JobKind;

    #[test]
    fn a_job_waits_for_reserved_cores_and_no_longer_than_its_slack() {
        let (profile, kind, mut policy) = (lab::profile(), JobKind::default(), Waiting::default());
        let view = |now, free: u64| {
            let reserved = Reserved { cpu: 4_000_000, in_use: 4_000_000 - free };
            View { reserved, ..lab::view(SimTime::from_secs_f64(now), &[]) }
        };
        let arrive = |policy: &mut Waiting, job, now: f64, cpu, slack_s| {
            let work = Work {
                token: WorkToken::Job(job),
                kind: Some(&kind),
                cpu,
                slack: Duration::from_secs(slack_s),
                ..lab::work(&profile, SimTime::from_secs_f64(now))
            };
            let mut plan = Plan::default();
            policy.plan(&work, &view(now, 0), &mut plan);
            plan
        };
        let plan = arrive(&mut policy, 0, 10.0, 3_000_000, 100);
        let last = Piece { from: SimTime::from_secs_f64(110.0), until: SimTime::NEVER, nodes: 0 };
        assert!(plan.held && plan.pieces == [last], "{plan:?}");
        arrive(&mut policy, 1, 20.0, 1_000_000, 100);
        arrive(&mut policy, 2, 30.0, 1_000_000, 100);
        assert!(!arrive(&mut policy, 3, 30.0, 1_000_000, 0).held);
        assert_eq!(policy.next_to_go(&view(40.0, 999_999)), None);
        // The first is too large for what is free; the second goes, then the third.
        for (free, job) in
            [(2_000_000, Some(1)), (1_000_000, Some(2)), (0, None), (3_000_000, Some(0)), (4_000_000, None)]
        {
            let next = policy.next_to_go(&view(50.0, free));
            assert_eq!(next, job.map(WorkToken::Job));
            next.into_iter().for_each(|token| policy.started(token));
        }
    }
}
