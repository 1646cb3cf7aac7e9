//! How jobs progress, are suspended, end, are evicted, and what is counted of them.

use super::{Bought, JobEnd, JobEnding, Stage};
use crate::scheduler::WorkToken;
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::sim::instances::{Lodging, Stage as Lodger};
use crate::sim::setup::SimError;
use crate::types::{Duration, SimTime};

/// Progress that differs less from the time that passed is that time: sums of floats over a run are no better \[s\].
const SAME_S: f64 = 1e-6;
/// Lateness that rounding of speeds can cause: it is no miss.
const FORGIVEN: Duration = Duration(1000);

impl Engine<'_> {
    /// Brings a job's progress up to now.
    pub(super) fn advance_job(&mut self, slot: u32) {
        let s = &self.jobs.states[slot as usize];
        if !s.is_running() || s.since == self.now {
            return;
        }
        let elapsed = self.now - s.since;
        let computing = s.stage == Stage::Computing;
        let mut least_s = elapsed.as_secs_f64();
        for at in 0..self.jobs.states[slot as usize].nodes.len() {
            let node = self.jobs.states[slot as usize].nodes[at];
            let r = &self.tenancy.residents[node];
            if r.stage != Lodger::Running {
                continue;
            }
            let host = r.host;
            self.touch(host);
            let t = &mut self.tenancy;
            let r = &mut t.residents[node];
            r.credit(&self.hosts[host.index()], &t.lodgings[host.index()], self.now);
            let got_s = r.got_since_mark_s();
            r.mark_got();
            least_s = least_s.min(got_s);
        }
        let job = self.jobs.job(slot);
        let (base, cores) = (job.nodes, job.cpu as f64 * 1e-6);
        let ready = self.jobs.states[slot as usize].ready;
        let speed = self.jobs.kind(slot).scale.as_ref().map_or(1.0, |scale| scale.speed(ready, base));
        let whole = elapsed.as_secs_f64() - least_s < SAME_S;
        let progress = match (whole, speed == 1.0) {
            (true, true) => elapsed,
            (true, false) => Duration::from_secs_f64(elapsed.as_secs_f64() * speed),
            (false, _) => Duration::from_secs_f64(least_s * speed),
        };
        let core_s = elapsed.as_secs_f64() * f64::from(ready) * cores;
        let totals = &mut self.jobs.totals;
        totals.core_s += core_s;
        if !computing {
            totals.overhead_core_s += core_s;
        }
        let now = self.now;
        let s = self.jobs.state(slot);
        match computing {
            true => s.done = s.done + progress,
            false => s.overhead = s.overhead + elapsed,
        }
        s.core_s += core_s;
        s.ran = s.ran + elapsed;
        s.since = now;
        let terms = match s.bought {
            Bought::Nothing => return,
            Bought::Reserved => 0,
            Bought::OnDemand => 1,
            Bought::Spot => 2,
        };
        self.jobs.totals.bought_core_s[terms] += core_s;
    }

    /// Plans when a job that runs is looked at: when its present stage is over, or it is done, as things stand.
    pub(super) fn plan_end(&mut self, slot: u32) {
        let job = self.jobs.job(slot);
        let (length, base) = (job.length, job.nodes);
        let kind = self.jobs.kind(slot);
        let restart = kind.interruption.map_or(Duration::ZERO, |i| i.restart);
        let s = &self.jobs.states[slot as usize];
        let at = match s.stage {
            // Another plan meanwhile does not lengthen a restart.
            Stage::Restarting => s.began + restart,
            _ => {
                let mut speed = kind.scale.as_ref().map_or(1.0, |scale| scale.speed(s.ready, base));
                for &node in &s.nodes {
                    let r = &self.tenancy.residents[node];
                    if r.stage == Lodger::Running {
                        speed = speed.min(speed * Lodging::speed(&self.hosts[r.host.index()], r.is_batch()));
                    }
                }
                let left = Duration(length.0.saturating_sub(s.done.0));
                match speed {
                    1.0 => self.now + left,
                    speed if speed > 0.0 => self.now + Duration((left.0 as f64 / speed).ceil() as u64),
                    // It waits for a host's speed to change.
                    _ => SimTime::NEVER,
                }
            }
        };
        self.plan_due(slot, at);
    }

    fn plan_due(&mut self, slot: u32, at: SimTime) {
        let s = self.jobs.state(slot);
        s.generation[1] = s.generation[1].wrapping_add(1);
        let generation = s.generation[1];
        if at != SimTime::NEVER {
            self.queue.push(at, Event::JobDone { job: slot, generation });
        }
    }

    /// A job's stage may be over, or the job done.
    pub(in crate::sim) fn job_due(&mut self, slot: u32) {
        self.advance_job(slot);
        let length = self.jobs.job(slot).length;
        let s = self.jobs.state(slot);
        match s.stage {
            Stage::Restarting => {
                s.stage = Stage::Computing;
                self.plan_end(slot);
            }
            Stage::Checkpointing => {
                self.give_all_back(slot);
                self.follow_plan(slot);
            }
            Stage::Computing if s.done >= length => self.finish_job(slot),
            Stage::Computing => self.plan_end(slot),
            _ => {}
        }
    }

    /// A host of a job has become faster.
    pub(in crate::sim) fn hasten_job(&mut self, slot: u32) {
        if self.jobs.states[slot as usize].stage == Stage::Computing {
            self.advance_job(slot);
            self.plan_end(slot);
        }
    }

    /// A job's plan says that it does not run now: it is suspended if it can be, and does not wait for room any more.
    pub(super) fn stop_running(&mut self, slot: u32) {
        let now = self.now;
        match self.jobs.states[slot as usize].stage {
            Stage::Capped => {
                self.leave_capped(slot);
                let since = self.jobs.states[slot as usize].since;
                self.count_queued(slot, since);
                self.jobs.state(slot).stage = Stage::Waiting;
            }
            Stage::Placing => {
                let since = self.jobs.states[slot as usize].since;
                self.count_queued(slot, since);
                self.give_all_back(slot);
            }
            Stage::Restarting | Stage::Computing if self.may_be_suspended(slot) => {
                self.advance_job(slot);
                self.jobs.totals.suspensions += 1;
                let checkpoint = self.jobs.kind(slot).interruption.map_or(Duration::ZERO, |i| i.checkpoint);
                let s = self.jobs.state(slot);
                s.saved = s.done;
                if checkpoint == Duration::ZERO {
                    return self.give_all_back(slot);
                }
                s.stage = Stage::Checkpointing;
                self.plan_due(slot, now + checkpoint);
            }
            _ => {}
        }
    }

    /// A job gives back all its nodes, and waits.
    fn give_all_back(&mut self, slot: u32) {
        self.settle_bill(slot);
        let s = self.jobs.state(slot);
        s.generation[1] = s.generation[1].wrapping_add(1);
        if s.is_running() {
            self.jobs.totals.hold(self.now, 0, -1);
        }
        let s = self.jobs.state(slot);
        s.stage = Stage::Waiting;
        s.wanted = 0;
        while let Some(node) = self.jobs.state(slot).nodes.pop() {
            self.drop_node(slot, node, true);
        }
        debug_assert_eq!(self.jobs.states[slot as usize].ready, 0);
    }

    /// What a job held of what is reserved is free again.
    pub(super) fn settle_bill(&mut self, slot: u32) {
        let cores = self.jobs.cores(slot);
        if self.jobs.states[slot as usize].bought == Bought::Reserved {
            self.reserved.in_use -= cores;
        }
        self.jobs.state(slot).bought = Bought::Nothing;
    }

    /// A job is done.
    fn finish_job(&mut self, slot: u32) {
        self.jobs.totals.finished += 1;
        let job = self.jobs.job(slot);
        let work = job.length.as_secs_f64() * f64::from(job.nodes) * job.cpu as f64 * 1e-6;
        let account = self.jobs.accounts[job.account.index()];
        let most = self.jobs.states[slot as usize].most;
        let delay = i128::from(self.now.0) - i128::from(job.wanted.0) - i128::from(job.length.0);
        let totals = &mut self.jobs.totals;
        totals.work_core_s += work;
        totals.most_nodes += u64::from(most);
        totals.delay_sum_ns += delay;
        totals.delays.record(u64::try_from(delay.max(0)).unwrap_or(u64::MAX));
        self.functions[account.index()].lived.finished += 1;
        self.give_all_back(slot);
        self.tell_job(slot, JobEnding::Finished);
        if self.jobs.follows {
            self.shifting.ended(WorkToken::Job(slot));
        }
        let s = self.jobs.state(slot);
        s.stage = Stage::Gone;
        s.generation = s.generation.map(|g| g.wrapping_add(1));
        self.jobs.free.push(slot);
        self.jobs.stirred = true;
    }

    /// A node of a job must leave its host, because memory does not suffice: the job stops and goes on later from where it was last
    /// suspended, for good or not. Its host is touched; the caller settles it.
    pub(in crate::sim) fn evict_job(&mut self, slot: u32) {
        self.advance_job(slot);
        self.settle_bill(slot);
        if self.jobs.states[slot as usize].stage == Stage::Placing {
            let since = self.jobs.states[slot as usize].since;
            self.count_queued(slot, since);
        }
        let job = self.jobs.job(slot);
        let cores = f64::from(job.nodes) * job.cpu as f64 * 1e-6;
        let s = self.jobs.state(slot);
        let lost = Duration(s.done.0 - s.saved.0);
        s.done = s.saved;
        s.evictions += 1;
        s.generation = s.generation.map(|g| g.wrapping_add(1));
        let ran = s.is_running();
        s.stage = Stage::Evicted;
        s.wanted = 0;
        let generation = s.generation[0];
        let totals = &mut self.jobs.totals;
        totals.evicted += 1;
        totals.lost_core_s += lost.as_secs_f64() * cores;
        if ran {
            totals.hold(self.now, 0, -1);
        }
        while let Some(node) = self.jobs.state(slot).nodes.pop() {
            self.drop_node(slot, node, false);
        }
        let delay = Duration::from_secs_f64(self.rules.instances.restart_delay_s);
        self.queue.push(self.now + delay, Event::JobStep { job: slot, generation });
    }

    /// Time that a job wanted to run by its plan, since `since`, and could not.
    pub(super) fn count_queued(&mut self, slot: u32, since: SimTime) {
        let wait = self.now - since;
        if wait == Duration::ZERO {
            return;
        }
        let s = self.jobs.state(slot);
        let first = s.queued == Duration::ZERO;
        s.queued = s.queued + wait;
        let all = s.queued.0;
        let totals = &mut self.jobs.totals;
        totals.queued += u64::from(first);
        totals.queued_ns += u128::from(wait.0);
        totals.queued_max_ns = totals.queued_max_ns.max(all);
    }

    /// What a node of a job has had is counted for its account. It has been credited.
    pub(in crate::sim) fn count_node(&mut self, node: u32) {
        let r = &self.tenancy.residents[node];
        let lived = &mut self.functions[r.account.index()].lived;
        lived.time_s += r.had.ran_s;
        lived.core_s += r.had.got_core_s;
        lived.gb_s += r.had.memory_byte_s * 1e-9;
    }

    /// Counts a job whose story is over, and tells the log.
    pub(super) fn tell_job(&mut self, slot: u32, ending: JobEnding) {
        let job = &self.jobs.list.jobs[self.jobs.states[slot as usize].job as usize];
        let s = &self.jobs.states[slot as usize];
        let deadline = job.wanted + job.slack + job.length;
        let late = self.now > deadline + FORGIVEN;
        self.jobs.totals.missed += u64::from(late);
        let Some(log) = &mut self.jobs.log else { return };
        let end = JobEnd {
            name: &job.name,
            account: self.jobs.accounts[job.account.index()],
            region: job.region,
            class: &self.jobs.list.classes[job.class as usize],
            arrival: job.arrival,
            wanted: job.wanted,
            started: (s.started != SimTime::NEVER).then_some(s.started),
            ended: self.now,
            deadline,
            ending,
            length_s: job.length.as_secs_f64(),
            estimate_s: job.estimate.map(Duration::as_secs_f64),
            cores: job.cpu as f64 * 1e-6 * f64::from(job.nodes),
            counts: [s.starts, s.evictions, s.most],
            queued_s: s.queued.as_secs_f64(),
            ran_s: s.ran.as_secs_f64(),
            core_s: s.core_s,
            dynamic_j: s.dynamic_j,
        };
        if let Err(message) = log(&end) {
            self.failure.get_or_insert(SimError::JobLog(message));
        }
    }
}
