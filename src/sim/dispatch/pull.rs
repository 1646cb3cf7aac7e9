//! From the durable queue to a region: who may start, and which region's schedulers pull it.

use std::collections::VecDeque;

use super::{Entry, Why};
use crate::scheduler::dispatch::Pull;
use crate::sim::calls::Stage;
use crate::sim::engine::Engine;
use crate::types::{FunctionId, RegionId};

impl Engine<'_> {
    /// Writes a call to the durable queue of its function in the region where it arrived; it starts at once if it may.
    pub(in crate::sim) fn enqueue(&mut self, slot: u32) {
        let call = &self.calls[slot];
        let (function, home) = (call.function, call.home);
        let d = &mut self.dispatch;
        let gate = &mut d.gates[function.index()];
        let scaled = gate.scaled && d.controller.is_some();
        if self.calls[slot].attempt == 0 {
            if gate.scaled { d.seen.deferrable += 1 } else { d.seen.urgent += 1 }
        }
        if !scaled && gate.waiting == 0 {
            match gate.blocked(&d.spec, d.scale * d.factor, self.now) {
                None => {
                    if let Some(region) = self.puller(function, home) {
                        self.dispatch.gates[function.index()].start(&self.dispatch.spec, self.now);
                        self.dispatch.totals.at_once += 1;
                        return self.hand_out(slot, region);
                    }
                    self.dispatch.totals.blocked[Why::RunQueue as usize] += 1;
                }
                Some(why) => d.totals.blocked[why as usize] += 1,
            }
        }
        self.series.defer(home, self.now, 1);
        let d = &mut self.dispatch;
        d.tickets += 1;
        let call = &mut self.calls[slot];
        call.stage = Stage::Held;
        let entry = Entry { deadline: call.deadline, ticket: d.tickets, slot };
        d.queues[function.index() * d.regions + home.index()].push_back(entry);
        d.count_waiting(function);
        d.fall_behind(function, call.attempt > 0, 1);
        let waiting = d.totals.waiting.0 + 1;
        d.totals.waiting = (waiting, d.totals.waiting.1.max(waiting));
    }

    /// The first call of a function that waits in a region's queue.
    #[inline]
    pub(super) fn head(&self, function: usize, region: usize) -> Option<u32> {
        self.dispatch.queues[function * self.dispatch.regions + region].front().map(|entry| entry.slot)
    }

    /// Of the heads of a function's queues the one with the earliest deadline, then the one that was written first.
    #[inline]
    pub(super) fn first_waiting(&self, function: usize) -> Option<u32> {
        let d = &self.dispatch;
        let queues = &d.queues[function * d.regions..][..d.regions];
        queues.iter().filter_map(VecDeque::front).min().map(|entry| entry.slot)
    }

    /// Takes a call that stands first in its queue out of it and hands it out to a region.
    pub(super) fn pull(&mut self, slot: u32, region: RegionId) {
        let call = &self.calls[slot];
        let (function, home) = (call.function, call.home);
        let d = &mut self.dispatch;
        let first = d.queues[function.index() * d.regions + home.index()].pop_front();
        debug_assert_eq!(first.map(|entry| entry.slot), Some(slot), "only the first of a queue is pulled");
        self.series.defer(home, self.now, -1);
        self.dispatch.totals.waiting.0 -= 1;
        self.dispatch.count_pulled(function);
        let refused_before = self.calls[slot].attempt > 0;
        self.dispatch.fall_behind(function, refused_before, -1);
        self.hand_out(slot, region);
    }

    /// Hands a call out to the schedulers of a region.
    fn hand_out(&mut self, slot: u32, region: RegionId) {
        let cost = self.dispatch.mean_cost(self.calls[slot].function);
        let call = &mut self.calls[slot];
        call.attempt += 1;
        let (home, attempt, generation) = (call.home, call.attempt, call.generation);
        let d = &mut self.dispatch;
        d.totals.attempts += 1;
        d.seen.started += 1;
        d.totals.abroad += u64::from(region != home);
        d.offered[home.index()] += cost;
        if let Some(delivery) = &d.spec.delivery {
            let until = self.now + crate::types::Duration::from_secs_f64(delivery.timeout_s);
            d.leases.push_back(super::Lease { until, slot, generation, attempt });
        }
        self.run_in(slot, region);
    }

    /// The region whose schedulers pull the next call of a function from a region's queue: one of those that the conductor lets pull, that may by
    /// residency, and that have room in their RunQ and hosts that are large enough; where there is none, one of all regions of which the same is
    /// true but for the conductor. `None` if there is none either.
    pub(super) fn puller(&mut self, function: FunctionId, queue: RegionId) -> Option<RegionId> {
        let d = &self.dispatch;
        if d.conducting.is_none() && d.factors.is_empty() && !self.network.confines() {
            return (!self.run_queue_is_full(queue)).then_some(queue);
        }
        let scaled = d.gates[function.index()].scaled && !d.factors.is_empty();
        let mut sum = self.open_shares(function, |engine, i| engine.dispatch.matrix.share(i, queue));
        if sum == 0.0 {
            sum = self.open_shares(function, |engine, i| engine.loads[i.index()].cpu_capacity as f64);
        }
        if sum == 0.0 {
            return None;
        }
        match self.dispatch.spec.pull {
            Pull::ByShare => Some(self.furthest_behind(function, scaled)),
            Pull::WhereRoom => Some(self.with_most_room(function, scaled)),
        }
    }

    /// Fills in the shares of the regions that may pull a call of a function; their sum.
    fn open_shares(&mut self, function: FunctionId, share: impl Fn(&Self, RegionId) -> f64) -> f64 {
        let needed = self.profiles[function.index()].memory.0;
        let confined = self.network.confines();
        let mut sum = 0.0;
        for i in 0..self.dispatch.regions {
            let (region, load) = (RegionId::from_index(i), &self.loads[i]);
            let share = share(self, region);
            let open = share > 0.0
                && load.largest_function >= needed
                && load.hosts_on > 0
                && (!confined || self.network.allows(function, region))
                && !self.run_queue_is_full(region);
            self.dispatch.shares[i] = if open { share } else { 0.0 };
            sum += self.dispatch.shares[i];
        }
        sum
    }

    /// Of the regions with a share, the one that is furthest behind it: each is owed its share of the call's mean cost, times the factor of carbon
    /// where the function's rate is scaled, and who pulls the call pays all of it.
    fn furthest_behind(&mut self, function: FunctionId, scaled: bool) -> RegionId {
        let cost = self.dispatch.mean_cost(function);
        let d = &mut self.dispatch;
        if scaled {
            d.shares.iter_mut().zip(&d.factors).for_each(|(share, factor)| *share *= factor);
        }
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

    /// Of the regions with a share, the one with most room: what is left of its CPU with the call, over all of it; where the function's rate is
    /// scaled, times the factor of carbon as far as there is room, over it where there is none.
    fn with_most_room(&self, function: FunctionId, scaled: bool) -> RegionId {
        let demand = self.needs[function.index()].cpu as f64;
        let d = &self.dispatch;
        let mut best: Option<(f64, usize)> = None;
        for (i, load) in self.loads.iter().enumerate().filter(|(i, _)| d.shares[*i] > 0.0) {
            let mut room = 1.0 - (load.cpu_used as f64 + demand) / load.cpu_capacity.max(1) as f64;
            if scaled {
                let factor = d.factors[i].max(1e-6);
                room = if room > 0.0 { room * factor } else { room / factor };
            }
            if best.is_none_or(|(most, _)| room > most) {
                best = Some((room, i));
            }
        }
        RegionId::from_index(best.expect("some region has a share").1)
    }
}

impl super::Dispatching {
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
