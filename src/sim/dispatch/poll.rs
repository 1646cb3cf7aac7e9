//! The poll: controllers look, and the schedulers pull what may start.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Why;
use crate::scheduler::dispatch::Rank;
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::sim::view::view;
use crate::types::{Duration, FunctionId, RegionId, SimTime};

/// How often it is looked for calls whose deadline is near: seldom enough to cost nothing, often enough against the time kept free.
const GUARD: Duration = Duration::from_secs(60);

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
            self.dispatch.next_guard = self.now + GUARD.min(self.dispatch.reserve);
            self.let_due_go();
        }
        self.pull_what_may_start();
        self.press();
        self.look_behind();
        let d = &mut self.dispatch;
        d.totals.levels.add(d.scale, d.totals.waiting.0);
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

    /// The utilization controller and the traffic conductor say anew what they want.
    fn control(&mut self) {
        if self.dispatch.controller.is_some() {
            self.control_scale();
        }
        if let Some(carbon) = &mut self.dispatch.carbon {
            let factors = carbon.now(&view!(self));
            self.dispatch.factors.clear();
            self.dispatch.factors.extend_from_slice(factors);
            let capacity: f64 = self.loads.iter().map(|l| l.cpu_capacity as f64).sum();
            let sum: f64 = self.loads.iter().zip(factors).map(|(l, f)| l.cpu_capacity as f64 * f).sum();
            self.dispatch.factor = if capacity > 0.0 { sum / capacity } else { 1.0 };
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
    }

    fn conduct(&mut self) {
        let d = &mut self.dispatch;
        let Some(conducting) = &mut d.conducting else { return };
        // Longer than a period after the controllers were down, or where polls are not in step with it.
        let dt = (self.now - d.conducted).as_secs_f64();
        d.conducted = self.now;
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

    /// Calls that can wait no longer go, whatever the utilization controller says.
    fn let_due_go(&mut self) {
        let mut at = 0;
        while let Some(&f) = self.dispatch.waiting.get(at) {
            let before = self.dispatch.gates[f as usize].waiting;
            for region in 0..self.dispatch.regions {
                while let Some(slot) = self.head(f as usize, region)
                    && self.is_due(slot)
                    && self.may_go_when_due(f)
                    && let Some(puller) = self.puller(FunctionId(f), RegionId::from_index(region))
                {
                    self.dispatch.gates[f as usize].start_due(&self.dispatch.spec, self.now);
                    self.dispatch.totals.due += 1;
                    self.pull(slot, puller);
                }
            }
            // A function that waits no more has given its place in the list to another.
            at += usize::from(before == 0 || self.dispatch.gates[f as usize].waiting > 0);
        }
    }

    /// Whether a call's deadline leaves no more time than twice its work and the reserve.
    fn is_due(&self, slot: u32) -> bool {
        let call = &self.calls[slot];
        if call.deadline == SimTime::NEVER {
            return false;
        }
        let needed = call.work.0.saturating_mul(2).saturating_add(self.dispatch.reserve.0);
        call.deadline.0.saturating_sub(needed) <= self.now.0
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
        while let Some(Reverse((_, function, slot))) = heads.pop() {
            let home = self.calls[slot].home;
            let Some(region) = self.puller(FunctionId(function), home) else {
                self.dispatch.totals.blocked[Why::RunQueue as usize] += 1;
                continue;
            };
            self.dispatch.gates[function as usize].start(&self.dispatch.spec, self.now);
            self.pull(slot, region);
            if self.dispatch.gates[function as usize].waiting > 0 {
                self.offer_head(function, &mut heads);
            }
        }
        self.dispatch.heads = heads;
    }

    /// Adds the first call of a function to those that may start, if its gate is open.
    fn offer_head(&mut self, function: u32, heads: &mut BinaryHeap<Reverse<(Rank, u32, u32)>>) {
        let d = &mut self.dispatch;
        match d.gates[function as usize].blocked(&d.spec, d.scale * d.factor, self.now) {
            Some(why) => d.totals.blocked[why as usize] += 1,
            None => {
                if let Some(slot) = self.first_waiting(function as usize) {
                    let call = &self.calls[slot];
                    let criticality = self.dispatch.gates[function as usize].criticality;
                    let rank = self.dispatch.spec.order.rank(criticality, call.deadline, call.arrival);
                    heads.push(Reverse((rank, function, slot)));
                }
            }
        }
    }
}
