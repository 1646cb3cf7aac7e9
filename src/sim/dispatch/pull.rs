//! From the durable queue to a region: who may start, and which region's schedulers pull it.

use std::cmp::Reverse;
use std::collections::VecDeque;

use super::{Entry, Lease, Why};
use crate::scheduler::dispatch::Pull;
use crate::sim::calls::{Call, Stage};
use crate::sim::engine::Engine;
use crate::types::{Duration, FunctionId, RegionId, SimTime};

/// When a call has to go at the latest: its deadline leaves then no more time than twice its work and the reserve.
pub(super) fn latest(call: &Call, reserve: Duration) -> SimTime {
    let needed = call.work.0.saturating_mul(2).saturating_add(reserve.0);
    SimTime(call.deadline.0.saturating_sub(needed))
}

impl Engine<'_> {
    /// Writes a call to the durable queue of its function in the region where it arrived; it starts at once if it may.
    pub(in crate::sim) fn enqueue(&mut self, slot: u32) {
        if self.is_acknowledged(slot) {
            return self.drop_acknowledged(slot);
        }
        let call = &self.calls[slot];
        let (function, home, attempt) = (call.function, call.home, call.attempt);
        let now = self.now;
        let d = &mut self.dispatch;
        let scale = d.scale_now();
        let gate = &mut d.gates[function.index()];
        let scaled = gate.scaled && d.controller.is_some();
        if attempt == 0 {
            if gate.scaled { d.seen.deferrable += 1 } else { d.seen.urgent += 1 }
        }
        if !scaled && gate.waiting == 0 {
            match gate.blocked(&d.spec, scale, now) {
                None => {
                    if let Some(region) = self.puller(function, home, false) {
                        self.dispatch.gates[function.index()].start(&self.dispatch.spec, false, now);
                        self.dispatch.totals.at_once += 1;
                        return self.hand_out(slot, region);
                    }
                    self.dispatch.totals.blocked[Why::RunQueue as usize] += 1;
                }
                Some(why) => d.totals.blocked[why as usize] += 1,
            }
        }
        self.series.defer(home, now, 1);
        let d = &mut self.dispatch;
        d.tickets += 1;
        let call = &mut self.calls[slot];
        call.stage = Stage::Held;
        let entry = Entry { deadline: call.deadline, ticket: d.tickets, slot };
        let at = function.index() * d.regions + home.index();
        let queue = &mut d.queues[at];
        // By deadline; what is written last mostly has the latest.
        let behind = queue.iter().rev().take_while(|other| **other > entry).count();
        queue.insert(queue.len() - behind, entry);
        if d.is_long(call) {
            d.long.push(Reverse((latest(call, d.reserve), entry)));
        }
        d.count_waiting(function);
        d.fall_behind(function, attempt > 0, 1);
        let waiting = d.totals.waiting.0 + 1;
        d.totals.waiting = (waiting, d.totals.waiting.1.max(waiting));
    }

    /// The first call of a function that waits in a region's queue.
    #[inline]
    pub(super) fn head(&self, function: usize, region: usize) -> Option<Entry> {
        self.dispatch.queues[function * self.dispatch.regions + region].front().copied()
    }

    /// Of the heads of a function's queues the one with the earliest deadline, then the one that was written first.
    #[inline]
    pub(super) fn first_waiting(&self, function: usize) -> Option<Entry> {
        let d = &self.dispatch;
        let queues = &d.queues[function * d.regions..][..d.regions];
        queues.iter().filter_map(VecDeque::front).min().copied()
    }

    /// The next head of a function's queues after this one, in the same order.
    pub(super) fn next_head(&self, function: usize, after: &Entry) -> Option<Entry> {
        let d = &self.dispatch;
        let queues = &d.queues[function * d.regions..][..d.regions];
        queues.iter().filter_map(VecDeque::front).filter(|entry| *entry > after).min().copied()
    }

    /// Whether an entry still stands in its queue.
    pub(super) fn waits(&self, entry: &Entry) -> bool {
        let call = &self.calls[entry.slot];
        let queue = call.function.index() * self.dispatch.regions + call.home.index();
        self.dispatch.queues.get(queue).is_some_and(|queue| queue.binary_search(entry).is_ok())
    }

    /// Takes a call out of its queue.
    pub(super) fn take_out(&mut self, entry: &Entry) {
        let call = &self.calls[entry.slot];
        let (function, home, attempt) = (call.function, call.home, call.attempt);
        let d = &mut self.dispatch;
        let queue = &mut d.queues[function.index() * d.regions + home.index()];
        if queue.front() == Some(entry) {
            queue.pop_front();
        } else {
            let at = queue.binary_search(entry).expect("a call that is taken out waits in its queue");
            queue.remove(at);
        }
        d.totals.waiting.0 -= 1;
        d.count_pulled(function);
        d.fall_behind(function, attempt > 0, -1);
        self.series.defer(home, self.now, -1);
    }

    /// Takes a call out of its queue and hands it out to a region.
    pub(super) fn pull(&mut self, entry: &Entry, region: RegionId, is_due: bool) {
        self.take_out(entry);
        let function = self.calls[entry.slot].function;
        let d = &mut self.dispatch;
        let gate = &mut d.gates[function.index()];
        if gate.scaled {
            d.allowances[region.index()] -= 1.0;
        }
        gate.start(&d.spec, is_due, self.now);
        self.hand_out(entry.slot, region);
    }

    /// Hands a call out to the schedulers of a region.
    fn hand_out(&mut self, slot: u32, region: RegionId) {
        let d = &mut self.dispatch;
        let call = &mut self.calls[slot];
        let cost = d.mean_cost(call.function);
        d.tickets += 1;
        call.attempt += 1;
        (call.lease, call.out) = (d.tickets, true);
        d.seen.started += 1;
        d.totals.attempts += 1;
        d.totals.abroad += u64::from(region != call.home);
        if d.carbon.is_none() || !d.gates[call.function.index()].scaled {
            d.offered[call.home.index()] += cost;
        }
        if d.spec.delivery.is_some() {
            d.leases.push_back(Lease { until: self.now + d.timeout, slot, ticket: d.tickets });
        }
        self.run_in(slot, region);
    }

    /// A call begins its way to its region, or has come to its end.
    pub(in crate::sim) fn on_the_way(&mut self, slot: u32, begins: bool) {
        let call = &self.calls[slot];
        let cpu = self.needs[call.function.index()].cpu;
        let (calls, demand) = &mut self.dispatch.on_the_way[call.region.index()];
        if begins {
            (*calls, *demand) = (*calls + 1, *demand + cpu);
        } else {
            (*calls, *demand) = (*calls - 1, *demand - cpu);
        }
    }

    /// The region whose schedulers pull the next call of a function from a region's queue: one of those that the conductor lets pull, that may by
    /// residency, and that have room in their RunQ and hosts that are large enough; where there is none, one of all regions of which the same is
    /// true but for the conductor. `None` if only RunQs are in the way; otherwise the call goes home, or where it may be that is nearest, to wait
    /// for hosts there.
    pub(super) fn puller(&mut self, function: FunctionId, queue: RegionId, is_due: bool) -> Option<RegionId> {
        let d = &self.dispatch;
        if d.conducting.is_none() && d.carbon.is_none() && !self.network.confines() {
            return (!self.run_queue_is_full(queue)).then_some(queue);
        }
        let by_carbon = d.carbon.is_some() && d.gates[function.index()].scaled;
        let anywhere = by_carbon && d.spec.carbon.as_ref().is_some_and(|c| c.across_regions);
        let by_capacity = |engine: &Self, i: RegionId| engine.loads[i.index()].cpu_capacity as f64;
        let mut open = if anywhere {
            self.open_shares(function, by_capacity)
        } else {
            self.open_shares(function, |engine, i| engine.dispatch.matrix.share(i, queue))
        };
        if open == (0, 0) && !anywhere {
            open = self.open_shares(function, by_capacity);
        }
        match open {
            (0, 0) => Some(self.nearest_allowed(function, queue)),
            (0, _) => None,
            _ if by_carbon && !is_due => self.with_most_allowance(function),
            _ if self.dispatch.spec.pull == Pull::WhereRoom || by_carbon => Some(self.with_most_room(function)),
            _ => Some(self.furthest_behind(function)),
        }
    }

    /// Fills in the shares of the regions that may pull a call of a function: how many may, and how many more would if their RunQ were not full.
    fn open_shares(&mut self, function: FunctionId, share: impl Fn(&Self, RegionId) -> f64) -> (u32, u32) {
        let needed = self.profiles[function.index()].memory.0;
        let confined = self.network.confines();
        let (mut open, mut full) = (0, 0);
        for i in 0..self.dispatch.regions {
            let (region, load) = (RegionId::from_index(i), &self.loads[i]);
            let share = share(self, region);
            let may = share > 0.0
                && load.largest_function >= needed
                && load.hosts_on > 0
                && (!confined || self.network.allows(function, region));
            let is_full = may && self.run_queue_is_full(region);
            self.dispatch.shares[i] = if may && !is_full { share } else { 0.0 };
            (open, full) = (open + u32::from(may && !is_full), full + u32::from(is_full));
        }
        (open, full)
    }

    /// The region of the queue, or the nearest in which the function may run.
    #[cold]
    fn nearest_allowed(&self, function: FunctionId, queue: RegionId) -> RegionId {
        let may = |region: &RegionId| !self.network.confines() || self.network.allows(function, *region);
        let all = (0..self.dispatch.regions).map(RegionId::from_index).filter(may);
        all.min_by_key(|&region| (region != queue, self.network.rtt(queue, region), region)).unwrap_or(queue)
    }

    /// Of the regions with a share, the one that is furthest behind it: each is owed its share of the call's mean cost, and who pulls the call
    /// pays all of it.
    fn furthest_behind(&mut self, function: FunctionId) -> RegionId {
        let cost = self.dispatch.mean_cost(function);
        let d = &mut self.dispatch;
        let sum: f64 = d.shares.iter().sum();
        let mut best: Option<(f64, usize)> = None;
        for (i, share) in d.shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            d.credits[i] += share / sum * cost;
            if best.is_none_or(|(most, _)| d.credits[i] > most) {
                best = Some((d.credits[i], i));
            }
        }
        let (_, region) = best.expect("some region has a share");
        d.credits[region] -= cost;
        RegionId::from_index(region)
    }

    /// What is left of a region's CPU with one more call of a function, over all of it; below 0 where more is demanded than there is.
    fn room(&self, function: FunctionId, region: usize) -> f64 {
        let load = &self.loads[region];
        // Where all CPU is in use, what is demanded of it tells the fuller from the full.
        let used = if load.cpu_used >= load.cpu_capacity { load.cpu_demand.max(load.cpu_used) } else { load.cpu_used };
        let needed = used + self.needs[function.index()].cpu + self.dispatch.on_the_way[region].1;
        1.0 - needed as f64 / load.cpu_capacity.max(1) as f64
    }

    /// Of the regions with a share, the one with most room.
    fn with_most_room(&self, function: FunctionId) -> RegionId {
        self.with_most(|i| Some(self.room(function, i))).expect("some region has a share")
    }

    /// Of the regions with a share and room, the one that may still pull most opportunistic calls for its capacity; `None` if none may.
    fn with_most_allowance(&self, function: FunctionId) -> Option<RegionId> {
        self.with_most(|i| {
            let may = self.dispatch.allowances[i] >= 1.0 && self.room(function, i) > 0.0;
            may.then(|| self.dispatch.allowances[i] / self.loads[i].cpu_capacity.max(1) as f64)
        })
    }

    /// Of the regions with a share, the one of which there is most; the first of equal ones, and `None` if there is nothing of any.
    fn with_most(&self, of: impl Fn(usize) -> Option<f64>) -> Option<RegionId> {
        let mut best: Option<(f64, usize)> = None;
        for i in (0..self.loads.len()).filter(|&i| self.dispatch.shares[i] > 0.0) {
            if let Some(amount) = of(i)
                && best.is_none_or(|(most, _)| amount > most)
            {
                best = Some((amount, i));
            }
        }
        best.map(|(_, i)| RegionId::from_index(i))
    }
}

impl super::Dispatching {
    /// S now, and the time at which opportunistic rates fill.
    pub(super) fn scale_now(&self) -> (f64, SimTime) {
        (self.scale * self.factor, self.scaled_time.1)
    }

    /// What a call of a function is expected to cost, at least a microsecond of a core [core·s].
    #[inline]
    pub(super) fn mean_cost(&self, function: FunctionId) -> f64 {
        self.gates[function.index()].cost.mean().max(1e-6)
    }

    /// One more call of a function waits.
    fn count_waiting(&mut self, function: FunctionId) {
        let gate = &mut self.gates[function.index()];
        gate.waiting += 1;
        if gate.waiting == 1 {
            gate.listed = self.waiting.len() as u32;
            self.waiting.push(function.0);
        }
    }

    /// One call fewer of a function waits.
    fn count_pulled(&mut self, function: FunctionId) {
        let gate = &mut self.gates[function.index()];
        gate.waiting -= 1;
        if gate.waiting == 0 {
            let hole = std::mem::replace(&mut gate.listed, u32::MAX) as usize;
            self.waiting.swap_remove(hole);
            if let Some(&moved) = self.waiting.get(hole) {
                self.gates[moved as usize].listed = hole as u32;
            }
        }
    }
}
