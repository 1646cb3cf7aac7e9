//! Batch jobs in the machine: they arrive, run when shifting says so, as far as admission and hosts let them, and end.
//!
//! ```text
//!   arrives ──> waiting ──(its plan)──> capped ──(admission)──> placing ──(all its nodes)──> restarting ──> computing ──> done
//!                  ▲                                                                                            │
//!                  └───────────────────────────── checkpointing ◀──(its plan)───────────────────────────────────┘
//! ```
//!
//! Each node of a job is a [`Resident`](super::instances::Resident) of a host, beside the instances: packing places it, overcommitment
//! counts it, exhausted memory evicts it. `docs/jobs.md` is the model.

mod limit;
mod nodes;
mod progress;
mod rules;
mod state;
mod statistics;
#[cfg(test)]
mod tests;

pub use rules::{JobPurchase, JobRules};
use state::{Bought, JobState, Stage};
pub use statistics::{JobEnd, JobEnding, JobLog, JobTotals};

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::engine::Engine;
use super::event::Event;
use crate::scheduler::admission::Ceiling;
use crate::scheduler::routing::{Ask, confined};
use crate::scheduler::shifting::{Piece, Work};
use crate::scheduler::{Reserved, WorkToken};
use crate::sim::view::view;
use crate::types::{Duration, FunctionId, RegionId, SimTime, TenantId};
use crate::workload::FunctionProfile;
use crate::workload::jobs::{Job, JobKind, JobList};

/// All that the engine keeps for jobs.
pub(super) struct Jobs<'a> {
    /// Whether there are jobs at all: without them, nothing here is ever touched.
    pub present: bool,
    list: JobList,
    /// The next job of the list.
    next: usize,
    /// How many jobs of the list arrive before the run's arrivals end.
    taken: usize,
    states: Vec<JobState>,
    free: Vec<u32>,
    /// The engine's numbers of the accounts of the list.
    accounts: Vec<FunctionId>,
    /// How many nodes of a size a region's hosts hold at most: (region, CPU, memory).
    fits: FxHashMap<(RegionId, u64, u64), u32>,
    /// Jobs that admission does not let run yet, by region.
    capped: Vec<VecDeque<u32>>,
    /// What admission said of each region.
    ceilings: Vec<Ceiling>,
    limits: bool,
    follows: bool,
    /// Whether a job has come, started, stopped or ended since it was last asked who may go.
    stirred: bool,
    pub totals: JobTotals,
    pub log: Option<JobLog<'a>>,
}

impl<'a> Jobs<'a> {
    /// The jobs of a list that arrive before `cut`, in so many regions.
    pub fn new(list: Option<JobList>, regions: usize, cut: SimTime, log: Option<JobLog<'a>>) -> Self {
        let present = list.is_some();
        let list = list.unwrap_or_default();
        Self {
            present,
            next: 0,
            taken: list.jobs.partition_point(|job| job.arrival < cut),
            list,
            states: Vec::new(),
            free: Vec::new(),
            accounts: Vec::new(),
            fits: FxHashMap::default(),
            capped: vec![VecDeque::new(); regions],
            ceilings: Vec::new(),
            limits: false,
            follows: false,
            stirred: false,
            totals: JobTotals::default(),
            log,
        }
    }

    /// Jobs that have arrived and are not done.
    pub fn in_flight(&self) -> usize {
        self.states.len() - self.free.len()
    }

    /// Whether nothing is left to come or to end.
    pub fn is_done(&self) -> bool {
        self.next == self.taken && self.in_flight() == 0
    }

    /// When the last job arrives or wants to start.
    pub fn last(&self) -> SimTime {
        self.list.jobs[..self.taken].iter().map(|job| job.wanted).max().unwrap_or(SimTime::ZERO)
    }

    /// Where the jobs came from, when the run is over.
    pub fn take_list(&mut self) -> Option<JobList> {
        self.present.then(|| std::mem::take(&mut self.list))
    }

    /// Whether the engine must ask who may go.
    #[inline]
    pub fn is_stirred(&self) -> bool {
        self.stirred
    }

    fn job(&self, slot: u32) -> &Job {
        &self.list.jobs[self.states[slot as usize].job as usize]
    }

    fn kind(&self, slot: u32) -> &JobKind {
        &self.list.kinds[self.job(slot).kind as usize]
    }

    /// CPU of all its base nodes [millionths of a core].
    fn cores(&self, slot: u32) -> u64 {
        let job = self.job(slot);
        job.cpu * u64::from(job.nodes)
    }

    fn state(&mut self, slot: u32) -> &mut JobState {
        &mut self.states[slot as usize]
    }

    /// Whether an event of a job has been overtaken.
    pub fn is_stale(&self, job: u32, generation: u32, which: usize) -> bool {
        self.states[job as usize].generation[which] != generation
    }
}

/// What policies see of a job. A macro, so that the borrow ends at the fields it names and the policy itself can be borrowed for writing.
macro_rules! work {
    ($engine:ident, $slot:ident) => {{
        let s = &$engine.jobs.states[$slot as usize];
        let job = &$engine.jobs.list.jobs[s.job as usize];
        Work {
            token: WorkToken::Job($slot),
            account: $engine.jobs.accounts[job.account.index()],
            profile: &$engine.profiles[$engine.jobs.accounts[job.account.index()].index()],
            region: job.region,
            arrival: job.arrival,
            wanted: job.wanted,
            slack: job.slack,
            length: job.estimate,
            done: s.done,
            waited: Duration($engine.now.saturating_since(job.wanted).0.saturating_sub(s.ran.0 - s.overhead.0)),
            class: job.class,
            cpu: job.cpu,
            nodes: job.nodes,
            kind: Some(&$engine.jobs.list.kinds[job.kind as usize]),
            running: if s.is_running() { s.ready } else { 0 },
        }
    }};
}

impl Engine<'_> {
    /// Opens the books of the jobs' accounts, and plans the first arrival.
    pub(super) fn begin_jobs(&mut self) {
        if !self.jobs.present {
            return;
        }
        self.jobs.limits = self.admission.limits_jobs();
        self.jobs.follows = self.shifting.follows_jobs();
        if let Some(purchase) = &self.rules.jobs.purchase {
            self.reserved = Reserved { cpu: (purchase.reserved_cores * 1e6).round() as u64, in_use: 0 };
        }
        let tenants: Vec<TenantId> =
            self.jobs.list.tenants.clone().into_iter().map(|name| self.tenant_named(name)).collect();
        for profile in self.jobs.list.accounts.clone() {
            let tenant = tenants[profile.tenant.index()];
            self.jobs.accounts.push(FunctionId::from_index(self.profiles.len()));
            self.announce_function(FunctionProfile { tenant, ..profile });
        }
        self.accounts.grow(self.profiles.len());
        self.warm.grow(self.pools.count());
        self.check_jobs();
        self.await_next_job();
    }

    fn await_next_job(&mut self) {
        if self.jobs.next < self.jobs.taken {
            self.queue.push(self.jobs.list.jobs[self.jobs.next].arrival, Event::JobArrives);
        }
    }

    /// The next jobs arrive.
    pub(super) fn job_arrives(&mut self) {
        while self.jobs.next < self.jobs.taken && self.jobs.list.jobs[self.jobs.next].arrival <= self.now {
            let job = self.jobs.next as u32;
            self.jobs.next += 1;
            self.jobs.totals.arrived += 1;
            let slot = match self.jobs.free.pop() {
                Some(slot) => slot,
                None => {
                    self.jobs.states.push(JobState::new(job));
                    self.jobs.states.len() as u32 - 1
                }
            };
            self.jobs.state(slot).renew(job);
            let way = if self.passive.routing { Duration::ZERO } else { self.route_job(slot) };
            if way > Duration::ZERO {
                let there = self.now + way;
                self.jobs.state(slot).again = there;
                self.plan_step_of_job(slot, there);
            } else {
                self.plan_job(slot);
            }
            self.jobs.stirred = true;
        }
        self.await_next_job();
    }

    /// Asks routing where a job that has just arrived shall run, and sends its data there: how long they are on their way.
    fn route_job(&mut self, slot: u32) -> Duration {
        let (work, view) = (work!(self, slot), view!(self));
        let wanted = self.routing.job_region(&work, &view);
        let ask = Ask::of_job(&work);
        let wanted = if view.network.confines() { confined(wanted, &ask, &view) } else { wanted };
        let number = self.jobs.states[slot as usize].job as usize;
        let job = &self.jobs.list.jobs[number];
        let least = if self.jobs.kind(slot).scale.is_some() { 1 } else { job.nodes };
        let fits = self.jobs.fits[&(wanted, job.cpu, job.memory.0)] >= least;
        if wanted == ask.home || !fits {
            return Duration::ZERO;
        }
        self.jobs.list.jobs[number].region = wanted;
        self.totals.network.jobs_away += 1;
        for flow in self.network.flows_there(&ask.traffic, ask.home, wanted) {
            self.send(ask.function, &flow);
        }
        self.network.way_there(&ask.traffic, ask.home, wanted)
    }

    /// Asks shifting when a job runs from now on, and does what is due now.
    fn plan_job(&mut self, slot: u32) {
        self.advance_job(slot);
        self.plan.clear();
        let (work, view) = (work!(self, slot), view!(self));
        self.shifting.plan(&work, &view, &mut self.plan);
        let plan = &self.plan;
        let s = self.jobs.state(slot);
        s.pieces.clear();
        s.pieces.extend_from_slice(&plan.pieces);
        (s.next, s.held, s.again, s.purchase) = (0, plan.held, plan.again, plan.purchase);
        let has_answer = plan.held || plan.again > self.now || plan.pieces.iter().any(|p| p.until > self.now);
        assert!(has_answer, "shifting neither plans a job, nor holds it, nor asks again");
        if s.again <= self.now {
            s.again = SimTime::NEVER;
        }
        self.follow_plan(slot);
    }

    /// Something planned for a job is due.
    pub(super) fn job_step(&mut self, slot: u32) {
        let now = self.now;
        let s = self.jobs.state(slot);
        if s.stage == Stage::Evicted {
            s.stage = Stage::Waiting;
            return self.plan_job(slot);
        }
        if s.again <= now {
            return self.plan_job(slot);
        }
        self.follow_plan(slot);
    }

    /// Does what a job's plan says of the present, and plans the next step.
    fn follow_plan(&mut self, slot: u32) {
        let now = self.now;
        let fixed = !self.may_be_suspended(slot);
        let s = self.jobs.state(slot);
        if s.stage == Stage::Evicted {
            return;
        }
        while s.pieces.get(s.next).is_some_and(|p| p.until <= now) {
            s.next += 1;
        }
        let next = s.pieces.get(s.next).copied();
        // One that was evicted and waits for its nodes is no different from one that has never started.
        let goes_on = fixed && s.is_running();
        let exhausted = !s.pieces.is_empty() && next.is_none() && !goes_on;
        // Also one that is held: its policy has forgotten it when it started, and others it may not let go before they are asked again.
        if exhausted {
            return self.plan_job(slot);
        }
        let (again, held) = (s.again, s.held);
        let at = match next {
            Some(Piece { from, until, nodes }) if from <= now => {
                self.want_nodes(slot, nodes);
                until
            }
            Some(Piece { from, .. }) => {
                self.stop_running(slot);
                from
            }
            None => {
                self.stop_running(slot);
                debug_assert!(held || again != SimTime::NEVER || goes_on, "nobody will ever look at this job again");
                SimTime::NEVER
            }
        };
        self.plan_step_of_job(slot, at.min(again));
    }

    /// Plans when a job's plan is looked at next; what was planned before is void.
    fn plan_step_of_job(&mut self, slot: u32, at: SimTime) {
        let s = self.jobs.state(slot);
        // One that found its host without memory, and was evicted as it began, is looked at again when eviction says.
        if matches!(s.stage, Stage::Gone | Stage::Evicted) {
            return;
        }
        s.generation[0] = s.generation[0].wrapping_add(1);
        let generation = s.generation[0];
        if at != SimTime::NEVER {
            self.queue.push(at, Event::JobStep { job: slot, generation });
        }
    }

    /// The policy lets a job go: it runs from now on until it is done. Where what is reserved suffices, it is booked at once, also if it takes
    /// time until the job has its nodes: nobody else is let go for it.
    pub(super) fn let_job_go(&mut self, slot: u32) {
        let now = self.now;
        let (cores, elastic) = (self.jobs.cores(slot), self.jobs.kind(slot).scale.is_some());
        let free = self.reserved.free();
        let s = self.jobs.state(slot);
        if s.bought == Bought::Nothing && !elastic && free >= cores {
            s.bought = Bought::Reserved;
            self.reserved.in_use += cores;
        }
        let s = self.jobs.state(slot);
        s.pieces.clear();
        s.pieces.push(Piece { from: now, until: SimTime::NEVER, nodes: 0 });
        (s.next, s.held, s.again) = (0, false, SimTime::NEVER);
        self.follow_plan(slot);
    }

    /// Whether a job may be suspended.
    fn may_be_suspended(&self, slot: u32) -> bool {
        self.jobs.kind(slot).interruption.is_some()
    }

    /// A job has come, started, stopped or ended: those that admission held back, or the policy, may go now.
    pub(super) fn stir_jobs(&mut self) {
        self.jobs.stirred = false;
        if self.jobs.limits {
            for region in 0..self.regions.len() {
                self.serve_capped(region);
            }
        }
        if !self.jobs.follows {
            return;
        }
        loop {
            let view = view!(self);
            match self.shifting.next_to_go(&view) {
                Some(WorkToken::Job(slot)) => self.let_job_go(slot),
                Some(WorkToken::Call(slot)) => self.release(slot),
                None => break,
            }
        }
        self.jobs.stirred = false;
    }

    /// Counts the jobs that are left when the run ends.
    pub(super) fn close_jobs(&mut self) {
        self.jobs.totals.hold(self.now, 0, 0);
        for slot in 0..self.jobs.states.len() as u32 {
            if self.jobs.states[slot as usize].stage == Stage::Gone {
                continue;
            }
            self.advance_job(slot);
            let ran = self.jobs.states[slot as usize].is_running();
            self.jobs.totals.unfinished += 1;
            let s = self.jobs.state(slot);
            if matches!(s.stage, Stage::Placing | Stage::Capped) {
                let since = s.since;
                self.count_queued(slot, since);
            }
            self.settle_bill(slot);
            self.tell_job(slot, if ran { JobEnding::Running } else { JobEnding::Waiting });
        }
    }
}
