//! From the durable queue to a region: who may start, and which region's schedulers pull it.

use super::{Entry, Why};
use crate::scheduler::dispatch::Conducting;
use crate::sim::calls::Stage;
use crate::sim::engine::Engine;
use crate::types::{FunctionId, RegionId, SimTime};

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
        (call.stage, call.order) = (Stage::Held, d.tickets);
        d.queues[function.index() * d.regions + home.index()].push_back(Entry { slot, ticket: d.tickets });
        d.count_waiting(function);
        d.fall_behind(function, call.attempt > 0, 1);
        let waiting = d.totals.waiting.0 + 1;
        d.totals.waiting = (waiting, d.totals.waiting.1.max(waiting));
    }

    /// The first call of a function that waits in a region's queue.
    #[inline]
    pub(super) fn head(&mut self, function: usize, region: usize) -> Option<u32> {
        let queue = &mut self.dispatch.queues[function * self.dispatch.regions + region];
        while let Some(entry) = queue.front() {
            let call = &self.calls[entry.slot];
            if call.stage == Stage::Held && call.order == entry.ticket {
                return Some(entry.slot);
            }
            queue.pop_front();
        }
        None
    }

    /// Of the heads of a function's queues the one with the earliest deadline, then the one that was written first.
    pub(super) fn first_waiting(&mut self, function: usize) -> Option<u32> {
        let mut first: Option<(SimTime, u64, u32)> = None;
        for region in 0..self.dispatch.regions {
            if let Some(slot) = self.head(function, region) {
                let call = &self.calls[slot];
                let place = (call.deadline, call.order, slot);
                first = Some(first.map_or(place, |best| best.min(place)));
            }
        }
        first.map(|(_, _, slot)| slot)
    }

    /// Takes a call that waits out of its queue and hands it out to a region.
    pub(super) fn pull(&mut self, slot: u32, region: RegionId) {
        let call = &mut self.calls[slot];
        // A ticket that nobody holds: what is left of it in the queue is void.
        call.order = 0;
        let (function, home) = (call.function, call.home);
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
        d.totals.abroad += u64::from(region != home);
        d.offered[home.index()] += cost;
        if let Some(delivery) = &d.spec.delivery {
            let until = self.now + crate::types::Duration::from_secs_f64(delivery.timeout_s);
            d.leases.push_back(super::Lease { until, slot, generation, attempt });
        }
        self.run_in(slot, region);
    }

    /// The region whose schedulers pull the next call of a function from a region's queue: of those that may, and have room in their RunQ and
    /// hosts that are large enough, the one that is furthest behind its share; `None` if there is none.
    ///
    /// Shares are of work, not of calls: `T[i][j]`, for functions whose rate is scaled times the factor of carbon.
    pub(super) fn puller(&mut self, function: FunctionId, queue: RegionId) -> Option<RegionId> {
        let d = &self.dispatch;
        if d.conducting.is_none() && d.factors.is_empty() && !self.network.confines() {
            return (!self.run_queue_is_full(queue)).then_some(queue);
        }
        let cost = d.mean_cost(function);
        let scaled = d.gates[function.index()].scaled && !d.factors.is_empty();
        let needed = self.profiles[function.index()].memory.0;
        let least = self.least_capacity(cost);
        let confined = self.network.confines();
        let mut sum = 0.0;
        let mut best: Option<(f64, RegionId)> = None;
        for i in 0..d.regions {
            let region = RegionId::from_index(i);
            let mut share = self.dispatch.matrix.share(region, queue);
            if scaled {
                share *= self.dispatch.factors[i];
            }
            let load = &self.loads[i];
            if self.dispatch.spec.pull_gain > 0.0 && share > 0.0 {
                let used = load.cpu_used as f64 / load.cpu_capacity.max(1) as f64;
                share *= (1.0 + self.dispatch.spec.pull_gain * (self.dispatch.utilization - used)).max(0.01);
            }
            let open = load.largest_function >= needed
                && load.hosts_on > 0
                && load.cpu_capacity as f64 >= least
                && (!confined || self.network.allows(function, region))
                && !self.run_queue_is_full(region);
            share = if open { share } else { 0.0 };
            sum += share;
            self.dispatch.shares[i] = share;
        }
        if sum == 0.0 {
            sum = self.shares_of_the_large(function, least);
        }
        if sum == 0.0 {
            return None;
        }
        for i in 0..self.dispatch.regions {
            let share = self.dispatch.shares[i] / sum;
            if share > 0.0 {
                self.dispatch.credits[i] += share * cost;
                let credit = self.dispatch.credits[i];
                if best.is_none_or(|(most, _)| credit > most) {
                    best = Some((credit, RegionId::from_index(i)));
                }
            }
        }
        let (_, region) = best?;
        self.dispatch.credits[region.index()] -= cost;
        Some(region)
    }
}

impl Engine<'_> {
    /// CPU capacity that a region has at least which pulls a call of this mean cost [millionths of a core]. Half of the largest region's is
    /// always enough.
    fn least_capacity(&self, cost: f64) -> f64 {
        let most_s = self.dispatch.conducting.as_ref().map_or(f64::INFINITY, Conducting::most_region_s);
        if most_s == f64::INFINITY {
            return 0.0;
        }
        let largest = self.loads.iter().map(|l| l.cpu_capacity).max().unwrap_or(0) as f64;
        (cost / most_s * crate::cluster::UNITS_PER_CORE).min(0.5 * largest)
    }

    /// The shares where none of the regions that are to pull may: then all that are large enough do, by capacity. Their sum.
    #[cold]
    fn shares_of_the_large(&mut self, function: FunctionId, least: f64) -> f64 {
        let confined = self.network.confines();
        if self.dispatch.conducting.is_none() && !confined {
            return 0.0;
        }
        let needed = self.profiles[function.index()].memory.0;
        let mut sum = 0.0;
        for i in 0..self.dispatch.regions {
            let load = &self.loads[i];
            let open = load.largest_function >= needed
                && load.hosts_on > 0
                && load.cpu_capacity as f64 >= least
                && (!confined || self.network.allows(function, RegionId::from_index(i)))
                && !self.run_queue_is_full(RegionId::from_index(i));
            self.dispatch.shares[i] = if open { load.cpu_capacity as f64 } else { 0.0 };
            sum += self.dispatch.shares[i];
        }
        sum
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
