//! What the wrappers of GAIA have in common: another policy says when, they say on which terms, and start early what is paid for anyway.

use std::collections::BTreeSet;

use super::held::Held;
use super::{Plan, Purchase, Shifting, Work};
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
}

impl Terms {
    pub(super) fn new(inner: Box<dyn Shifting>, spot_up_to_s: Option<f64>, early: bool) -> Self {
        let spot_up_to = spot_up_to_s.map(Duration::from_secs_f64);
        Self { inner, spot_up_to, early, held: Held::default(), let_go: BTreeSet::new() }
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
            let_go.extend(own.into_iter().filter(|&t| matches!(t, WorkToken::Call(_)) || self.held.has(t)));
        }
    }

    fn follows_jobs(&self) -> bool {
        self.early || self.inner.follows_jobs()
    }

    fn started(&mut self, token: WorkToken) {
        self.held.remove(token);
        self.inner.started(token);
    }

    fn ended(&mut self, token: WorkToken) {
        self.held.remove(token);
        self.let_go.remove(&token);
        self.inner.ended(token);
    }

    fn next_to_go(&mut self, view: &View<'_>) -> Option<WorkToken> {
        let next = self.held.first_within(view.reserved.free());
        if let Some(token) = next {
            self.let_go.insert(token);
        }
        next.or_else(|| self.inner.next_to_go(view))
    }
}
