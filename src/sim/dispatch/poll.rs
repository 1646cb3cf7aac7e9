//! The poll: controllers look, and the schedulers pull what may start.

use std::cmp::Reverse;

use super::gate::Gate;
use super::pull::latest;
use super::{Entry, Heads, Why};
use crate::scheduler::dispatch::Rank;
use crate::sim::calls::Call;
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::sim::view::view;
use crate::types::{Duration, FunctionId, SimTime};

/// How often it is looked for calls whose deadline is near: seldom enough to cost nothing, often enough against the time kept free.
const GUARD: Duration = Duration::from_secs(60);

/// How often the central rate limiter works out rates anew (not published).
const RATES: Duration = Duration::from_secs(60);

/// For how many polls a region keeps what it may pull and has not.
const KEPT_POLLS: f64 = 60.0;

impl Engine<'_> {
    /// The schedulers poll the durable queues.
    pub(in crate::sim) fn poll(&mut self) {
        self.look_at_load();
        if self.dispatch.controllers_down(self.now) {
            self.dispatch.totals.polls_blind += 1;
        } else {
            self.control();
        }
        self.dispatch.seen = Default::default();
        self.let_leases_end();
        if self.now >= self.dispatch.next_guard {
            self.dispatch.next_guard = self.now + GUARD.min(self.dispatch.reserve).max(self.dispatch.period);
            self.let_due_go();
        }
        self.pull_what_may_start();
        self.press();
        self.look_behind();
        let d = &mut self.dispatch;
        let (scale, _) = d.scale_now();
        let scaled_s = d.scaled_time.0 + scale * d.period.as_secs_f64();
        d.scaled_time = (scaled_s, SimTime::from_secs_f64(scaled_s));
        d.totals.levels.add(scale, d.totals.waiting.0);
        let next = self.now + d.period;
        self.queue.push(next, Event::Poll);
    }

    /// CPU in use since the last poll, for the controllers' means. What is in use at a poll would not do: calls that began at the last one and were
    /// short have ended.
    fn look_at_load(&mut self) {
        let d = &mut self.dispatch;
        let dt = (self.now - d.used_until.1).0.max(1) as f64;
        d.used_until.1 = self.now;
        let (mut used, mut capacity) = (0.0, 0);
        for (i, load) in self.loads.iter().enumerate() {
            let until = i128::from(load.cpu_used) * i128::from(self.now.0) - d.used_moment[i];
            let mean = (until - std::mem::replace(&mut d.used_until.0[i], until)) as f64 / dt;
            d.used.0[i] += mean / load.cpu_capacity.max(1) as f64;
            used += mean;
            capacity += load.cpu_capacity;
        }
        d.used.1 += 1;
        d.seen.utilization = used / capacity.max(1) as f64;
    }

    /// The central controllers say anew what they want: rate limiter, utilization controller, traffic conductor.
    fn control(&mut self) {
        let d = &mut self.dispatch;
        if self.now >= d.next_rates && d.spec.quota.is_some() {
            d.next_rates = self.now + RATES;
            d.gates.iter_mut().for_each(Gate::renew_rate);
        }
        if let Some(carbon) = &mut self.dispatch.carbon {
            let factors = carbon.now(&view!(self));
            self.dispatch.factors.clear();
            self.dispatch.factors.extend_from_slice(factors);
            let capacity: f64 = self.loads.iter().map(|l| l.cpu_capacity as f64).sum();
            let sum: f64 = self.loads.iter().zip(factors).map(|(l, f)| l.cpu_capacity as f64 * f).sum();
            self.dispatch.factor = if capacity > 0.0 { sum / capacity } else { 1.0 };
        }
        if self.dispatch.controller.is_some() {
            self.control_scale();
        }
        if self.dispatch.conducting.is_some() && self.now >= self.dispatch.next_conducting {
            self.conduct();
        }
    }

    fn control_scale(&mut self) {
        let d = &mut self.dispatch;
        let (mut quota, mut backlog) = (0.0, 0);
        for &f in &d.waiting {
            let gate = &d.gates[f as usize];
            if gate.scaled {
                quota += gate.preset_rate(&d.spec) * d.spec.period_s;
                backlog += u64::from(gate.waiting);
            }
        }
        (d.seen.quota, d.seen.backlog) = (quota, backlog);
        if let Some(controller) = &mut d.controller {
            d.scale = controller.scale(&d.seen);
        }
        if d.carbon.is_some() {
            // What a region may pull of this poll's room; what it has not pulled is kept for a while, so that a few calls are not lost to rounding.
            let capacity: u64 = self.loads.iter().map(|l| l.cpu_capacity).sum();
            for (i, allowance) in d.allowances.iter_mut().enumerate() {
                let share = self.loads[i].cpu_capacity as f64 / capacity.max(1) as f64;
                let more = d.scale * quota * share * d.factors[i];
                *allowance = (*allowance + more).min((KEPT_POLLS * more).max(2.0)).max(-KEPT_POLLS * more.max(1.0));
            }
        }
    }

    fn conduct(&mut self) {
        let d = &mut self.dispatch;
        let Some(conducting) = &mut d.conducting else { return };
        // Longer than a period where polls are rare, or controllers were down.
        let dt = (self.now - std::mem::replace(&mut d.conducted_since, self.now)).as_secs_f64();
        let polls = f64::from(d.used.1.max(1));
        for (i, traffic) in d.traffic.iter_mut().enumerate() {
            traffic.offered = std::mem::take(&mut d.offered[i]) / dt;
            traffic.utilization = std::mem::take(&mut d.used.0[i]) / polls;
            traffic.capacity = self.loads[i].cpu_capacity as f64 * 1e-6;
        }
        d.used.1 = 0;
        conducting.observe(&d.traffic, dt);
        conducting.conduct(&self.network, &mut d.matrix);
        d.next_conducting = self.now + conducting.period();
    }

    /// Opportunistic calls that can wait no longer go, whatever the utilization controller says, in order. Reserved ones are not held back by
    /// it: what they wait for holds for those that are due, too.
    fn let_due_go(&mut self) {
        let mut due = std::mem::take(&mut self.dispatch.heads);
        for at in 0..self.dispatch.waiting.len() {
            let function = self.dispatch.waiting[at];
            if self.dispatch.gates[function as usize].scaled {
                for region in 0..self.dispatch.regions {
                    self.offer_due(function, region, &mut due);
                }
            }
        }
        while let Some(&Reverse((at, entry))) = self.dispatch.long.peek()
            && at <= self.now
        {
            self.dispatch.long.pop();
            let function = self.calls[entry.slot].function;
            if self.waits(&entry) && self.dispatch.gates[function.index()].scaled {
                due.push(Reverse((self.rank(function.0, &entry), function.0, entry)));
            }
        }
        while let Some(Reverse((_, function, entry))) = due.pop() {
            // Some stand in the heap twice: as the first of their queue, and as long ones.
            if !self.waits(&entry) {
                continue;
            }
            let home = self.calls[entry.slot].home;
            if self.may_go_when_due(function)
                && let Some(region) = self.puller(FunctionId(function), home, true)
            {
                self.dispatch.totals.due += 1;
                self.pull(&entry, region, true);
                self.offer_due(function, home.index(), &mut due);
            } else if self.dispatch.is_long(&self.calls[entry.slot]) {
                self.dispatch.long.push(Reverse((self.now + GUARD, entry)));
            }
        }
        self.dispatch.heads = due;
    }

    /// Adds the first call of a function's queue in a region to those that are due, if it is.
    fn offer_due(&self, function: u32, region: usize, due: &mut Heads) {
        if let Some(entry) = self.head(function as usize, region) {
            let call = &self.calls[entry.slot];
            if call.deadline != SimTime::NEVER && latest(call, self.dispatch.reserve) <= self.now {
                due.push(Reverse((self.rank(function, &entry), function, entry)));
            }
        }
    }

    /// Limits that protect others hold for calls that are due, too: concurrency, slow start, back-pressure.
    fn may_go_when_due(&mut self, function: u32) -> bool {
        let d = &mut self.dispatch;
        let why = d.gates[function as usize].protected(&d.spec, self.now);
        if let Some(why) = why {
            d.totals.blocked[why as usize] += 1;
        }
        why.is_none()
    }

    /// Of the first calls of all functions whose gates are open, the one that comes first in order goes, then the next.
    fn pull_what_may_start(&mut self) {
        let mut heads = std::mem::take(&mut self.dispatch.heads);
        for at in 0..self.dispatch.waiting.len() {
            let function = self.dispatch.waiting[at];
            self.offer_head(function, &mut heads);
        }
        while let Some(Reverse((_, function, entry))) = heads.pop() {
            if self.is_acknowledged(entry.slot) {
                self.take_out(&entry);
                self.drop_acknowledged(entry.slot);
            } else {
                let home = self.calls[entry.slot].home;
                let Some(region) = self.puller(FunctionId(function), home, false) else {
                    // Another region's queue of the function may be pulled from all the same.
                    self.dispatch.totals.blocked[Why::RunQueue as usize] += 1;
                    if let Some(next) = self.next_head(function as usize, &entry) {
                        heads.push(Reverse((self.rank(function, &next), function, next)));
                    }
                    continue;
                };
                self.pull(&entry, region, false);
            }
            if self.dispatch.gates[function as usize].waiting > 0 {
                self.offer_head(function, &mut heads);
            }
        }
        self.dispatch.heads = heads;
    }

    /// Adds the first call of a function to those that may start, if its gate is open.
    fn offer_head(&mut self, function: u32, heads: &mut Heads) {
        let now = self.now;
        let d = &mut self.dispatch;
        let scale = d.scale_now();
        match d.gates[function as usize].blocked(&d.spec, scale, now) {
            Some(why) => d.totals.blocked[why as usize] += 1,
            None => {
                if let Some(entry) = self.first_waiting(function as usize) {
                    heads.push(Reverse((self.rank(function, &entry), function, entry)));
                }
            }
        }
    }

    fn rank(&self, function: u32, entry: &Entry) -> Rank {
        let criticality = self.dispatch.gates[function as usize].criticality;
        self.dispatch.spec.order.rank(criticality, entry.deadline, self.calls[entry.slot].arrival)
    }
}

impl super::Dispatching {
    /// Whether a call may be due before those that stand in front of it.
    pub(super) fn is_long(&self, call: &Call) -> bool {
        call.deadline != SimTime::NEVER && call.work.0.saturating_mul(2) > self.reserve.0
    }
}
