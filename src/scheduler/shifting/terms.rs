//! What the wrappers of GAIA have in common: another policy says when, they say on which terms, and start early what is paid for anyway.

use std::collections::BTreeSet;

use super::{Held, Plan, Purchase, Shifting, Work};
use crate::scheduler::{View, WorkToken};
use crate::types::Duration;

/// A policy wrapped.
pub(super) struct Terms {
    inner: Box<dyn Shifting>,
    /// Jobs believed to be no longer than this go to spot.
    spot_up_to: Option<Duration>,
    /// Whether other jobs start early where enough reserved cores are free.
    early: bool,
    held: Held,
    /// Those that were let go early: they run through.
    let_go: BTreeSet<WorkToken>,
    /// Those for spot that the inner policy itself holds.
    for_spot: BTreeSet<WorkToken>,
}

impl Terms {
    pub(super) fn new(inner: Box<dyn Shifting>, spot_up_to_s: Option<f64>, early: bool) -> Self {
        let spot_up_to = spot_up_to_s.map(Duration::from_secs_f64);
        Self { inner, spot_up_to, early, held: Held::default(), let_go: BTreeSet::new(), for_spot: BTreeSet::new() }
    }
}

impl Shifting for Terms {
    fn plan(&mut self, work: &Work<'_>, view: &View<'_>, plan: &mut Plan) {
        if self.let_go.contains(&work.token) {
            if work.running > 0 {
                return plan.start(view.now);
            }
            self.let_go.remove(&work.token);
        }
        self.inner.plan(work, view, plan);
        if work.kind.is_none() {
            return;
        }
        let for_spot = self.spot_up_to.is_some_and(|most| work.length.is_some_and(|length| length <= most));
        if for_spot {
            plan.purchase = Purchase::Spot;
            if plan.held {
                self.for_spot.insert(work.token);
            }
            return;
        }
        let starts_now = !plan.held && plan.first().is_some_and(|at| at <= view.now);
        if !self.early || starts_now {
            self.held.remove(work.token);
            return;
        }
        // After its first piece the job is asked about again, and held again until the next.
        plan.pieces.truncate(1);
        plan.hold();
        self.held.insert(work);
    }

    fn period(&self) -> Option<Duration> {
        self.inner.period()
    }

    fn tick(&mut self, view: &View<'_>, let_go: &mut Vec<WorkToken>) {
        let before = let_go.len();
        self.inner.tick(view, let_go);
        if self.early {
            // What has started early is not held any more, though the inner policy may not know.
            let own = let_go.split_off(before);
            let is_held = |t: WorkToken| self.held.has(t) || self.for_spot.contains(&t);
            let_go.extend(own.into_iter().filter(|&t| matches!(t, WorkToken::Call(_)) || is_held(t)));
        }
    }

    fn follows_jobs(&self) -> bool {
        self.early || self.inner.follows_jobs()
    }

    fn started(&mut self, token: WorkToken) {
        self.held.remove(token);
        self.for_spot.remove(&token);
        self.inner.started(token);
    }

    fn ended(&mut self, token: WorkToken) {
        self.held.remove(token);
        self.for_spot.remove(&token);
        self.let_go.remove(&token);
        self.inner.ended(token);
    }

    fn next_to_go(&mut self, view: &View<'_>) -> Option<WorkToken> {
        let next = self.held.take_first_within(view.reserved.free());
        if let Some(token) = next {
            self.let_go.insert(token);
        }
        next.or_else(|| self.inner.next_to_go(view))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::Reserved;
    use crate::scheduler::shifting::ShiftingSpec;
    use crate::scheduler::shifting::lab::{Lab, at_h, hours, profile, work};
    use crate::types::Seed;
    use crate::workload::jobs::{Interruption, JobKind};

    const DAY: [f64; 8] = [5.0, 3.0, 9.0, 3.0, 4.0, 1.0, 0.0, 2.0];

    fn policy(text: &str) -> Box<dyn Shifting> {
        toml::from_str::<ShiftingSpec>(text).expect(text).build(Seed(1), Duration::ZERO)
    }

    /// What is planned at an hour for a job of one core that can be suspended, with a slack of 3 h; it has run for `done_h`.
    fn plan(policy: &mut dyn Shifting, job: u32, now_h: f64, length_h: f64, done_h: f64, running: u32) -> Plan {
        let (lab, profile) = (Lab::hourly(&DAY), profile());
        let kind = JobKind { interruption: Some(Interruption::default()), ..JobKind::default() };
        let work = Work {
            token: WorkToken::Job(job),
            arrival: at_h(0.0),
            wanted: at_h(0.0),
            slack: hours(3.0),
            length: Some(hours(length_h)),
            done: hours(done_h),
            waited: hours(now_h - done_h),
            kind: Some(&kind),
            running,
            ..work(&profile, at_h(now_h))
        };
        let mut plan = Plan::default();
        policy.plan(&work, &lab.view(at_h(now_h)), &mut plan);
        plan
    }

    fn next(policy: &mut dyn Shifting, now_h: f64, free: u64) -> Option<u32> {
        let lab = Lab::hourly(&DAY);
        let reserved = Reserved { cpu: free, in_use: 0 };
        let token = policy.next_to_go(&View { reserved, ..lab.view(at_h(now_h)) })?;
        policy.started(token);
        let WorkToken::Job(job) = token else { panic!("calls are not held") };
        Some(job)
    }

    #[test]
    fn a_job_is_held_until_its_own_time_piece_by_piece() {
        let mut p = policy("[reserved-first.inner.wait-awhile]");
        // Alone it would run in hours 1 and 3.
        let first = plan(p.as_mut(), 0, 0.0, 2.0, 0.0, 0);
        assert!(first.held && first.pieces.len() == 1, "{first:?}");
        assert_eq!((first.pieces[0].from, first.pieces[0].until), (at_h(1.0), at_h(2.0)));
        p.started(WorkToken::Job(0));
        assert_eq!(next(p.as_mut(), 1.5, 1_000_000), None);
        let second = plan(p.as_mut(), 0, 2.0, 2.0, 1.0, 0);
        assert!(second.held, "{second:?}");
        assert_eq!(second.first(), Some(at_h(3.0)));
        // Let go early, it runs through, whatever the other policy says.
        assert_eq!(next(p.as_mut(), 2.5, 1_000_000), Some(0));
        let third = plan(p.as_mut(), 0, 2.75, 2.0, 1.25, 1);
        assert!(!third.held && third.first() == Some(at_h(2.75)) && third.again > at_h(8.0), "{third:?}");
        // Evicted, it is held again.
        assert!(plan(p.as_mut(), 0, 2.75, 2.0, 1.0, 0).held);
    }

    #[test]
    fn short_jobs_go_to_spot_and_only_the_others_start_early() {
        for (name, early) in [("spot-first", false), ("spot-reserved", true)] {
            let mut p = policy(&format!("[{name}.inner.wait-awhile]"));
            let short = plan(p.as_mut(), 0, 0.0, 2.0, 0.0, 0);
            assert_eq!((short.purchase, short.held, short.pieces.len()), (Purchase::Spot, false, 2), "{name}");
            let long = plan(p.as_mut(), 1, 0.0, 2.5, 0.0, 0);
            assert_eq!((long.purchase, long.held), (Purchase::Cheapest, early), "{name}");
            assert_eq!(next(p.as_mut(), 0.5, 1_000_000), early.then_some(1), "{name}");
            assert_eq!(p.follows_jobs(), early);
        }
    }
}
