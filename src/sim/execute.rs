//! How a call runs: it takes a place in a sandbox, executes, ends, and leaves the place to the next.

use super::calls::Stage;
use super::dispatch::Returned;
use super::engine::Engine;
use super::event::Event;
use super::rules::ColdWait;
use super::setup::{Finished, SimError};
use crate::cluster::{CpuModel, NONE, SandboxState, Tier, UNITS_PER_CORE};
use crate::isolation::Scope;
use crate::ledger::Held;
use crate::types::{Duration, HostId, PoolId, RegionId, SandboxId};

impl Engine<'_> {
    /// Puts a call into a sandbox that is idle, or that runs calls and has a place left.
    pub(super) fn start_warm(&mut self, slot: u32, id: SandboxId) {
        let host = self.sandboxes[id].host;
        self.touch(host);
        let function = self.calls[slot].function;
        let (demand, held) = (self.needs[function.index()].cpu, self.call_cpu(function));
        let h = &mut self.hosts[host.index()];
        h.bind(held);
        let region = h.region;
        self.loads[region.index()].cpu_demand += demand;
        if self.sandboxes[id].state == SandboxState::Busy {
            self.join_busy(slot, id, region);
            return self.settle(host);
        }
        self.leave_idle(id);
        self.credit_share(id, Held::Warm);
        let s = &self.sandboxes[id];
        let (memory, tier, pool) = (s.memory, s.tier, s.pool);
        let (was_used, was_reserved) = self.shares.idle(tier, memory);
        let h = &mut self.hosts[host.index()];
        h.warm -= 1;
        h.held[Held::Warm as usize] -= was_used;
        h.idle_reserved -= was_reserved;
        if tier != Tier::Ready {
            h.reserved_memory += memory - was_reserved;
            self.loads[region.index()].memory_held += memory - was_reserved;
            self.resume(slot, id);
        } else {
            h.held[Held::Busy as usize] += self.shares.busy.of(memory);
            self.calls[slot].cold = false;
            self.sandboxes[id].calls = 1;
            self.follow(pool, region, |p, now| p.run(now, 1));
            self.execute(slot, id);
            if self.slots > 1 {
                self.warm.insert_partly_busy(&mut self.sandboxes, region, id);
            }
        }
        self.settle(host);
        self.relieve(host);
    }

    /// A call joins the calls of a busy sandbox.
    fn join_busy(&mut self, slot: u32, id: SandboxId, region: RegionId) {
        self.credit_calls(id);
        let s = &mut self.sandboxes[id];
        s.calls += 1;
        let (pool, full) = (s.pool, s.calls == self.slots);
        if full {
            self.warm.remove(&mut self.sandboxes, region, id);
        }
        self.calls[slot].cold = false;
        self.follow(pool, region, |p, now| p.run(now, 1));
        self.execute(slot, id);
    }

    /// Begins to execute a call in a sandbox whose memory is already counted as busy and whose host holds the call's CPU.
    /// The host has been touched; the caller settles it.
    #[inline]
    pub(super) fn execute(&mut self, slot: u32, id: SandboxId) {
        let asked = self.calls[slot].work;
        if self.dispatch.calls_services() {
            let share = self.call_service(slot);
            if share < 1.0 {
                self.calls[slot].work = Duration::from_secs_f64(asked.as_secs_f64() * share);
            }
        }
        let work = self.work_of(slot, id);
        self.calls[slot].work = asked;
        if let Some(workers) = &mut self.workers {
            workers.executes(self.calls[slot].function, self.sandboxes[id].host, self.now);
        }
        let s = &mut self.sandboxes[id];
        s.state = SandboxState::Busy;
        s.call = slot;
        s.begun += 1;
        let host = s.host;
        let call = &mut self.calls[slot];
        s.function = call.function;
        call.stage = Stage::Running;
        call.sandbox = id.0;
        call.began = self.now;
        if self.slots > 1 {
            (call.share_mark, call.share_weight_mark) = (s.call_share_clock, s.call_share_weight_clock);
        }
        let h = &mut self.hosts[host.index()];
        call.dynamic_mark = h.dynamic_clock;
        call.dynamic_weight_mark = h.dynamic_weight_clock;
        let demand = self.needs[call.function.index()].cpu;
        h.running += 1;
        h.exec_demand += demand;
        let load = &mut self.loads[h.region.index()];
        load.running += 1;
        if self.by_priority {
            self.mark_use(id);
        }
        if self.rules.cpu == CpuModel::Contended {
            let order = self.queue.scheduled();
            self.calls[slot].order = order;
            self.sharing[host.index()].add(slot, work, order);
        } else {
            let generation = self.calls[slot].generation;
            self.queue.push(self.now + work, Event::Finish { call: slot, generation });
        }
    }

    /// How long a call runs in a sandbox that nothing slows down: its work alone, times what isolation, a fresh restore and
    /// code that is not yet compiled cost.
    #[inline]
    fn work_of(&mut self, slot: u32, id: SandboxId) -> Duration {
        let work = self.calls[slot].work;
        if self.plain_work {
            return work;
        }
        let s = &mut self.sandboxes[id];
        let mut factor = self.mechanism.cpu_factor;
        if std::mem::take(&mut s.restored) {
            factor *= self.mechanism.first_call_factor;
        }
        if s.begun < self.runtime.warmup_calls {
            factor *= self.runtime.warmup_factor;
        }
        if self.mechanism.start_covers_call && self.calls[slot].cold {
            return Duration::ZERO;
        }
        let work = if factor == 1.0 { work } else { Duration::from_secs_f64(work.as_secs_f64() * factor) };
        if self.pushes.is_some() { self.work_after_push(slot, id, work) } else { work }
    }

    /// How long a call runs whose worker has got new code lately; what that costs is counted.
    fn work_after_push(&mut self, slot: u32, id: SandboxId, work: Duration) -> Duration {
        let (host, function) = (self.sandboxes[id].host, self.calls[slot].function);
        let Some(pushes) = &mut self.pushes else { return work };
        let cores = self.needs[function.index()].cpu as f64 / UNITS_PER_CORE;
        let h = &self.hosts[host.index()];
        pushes.stretch((host, h.group.index(), h.region), self.now, work, cores)
    }

    /// Where a sandbox takes several calls: what it held since its last change, shared alike by the calls in it.
    pub(super) fn credit_calls(&mut self, id: SandboxId) {
        let s = &mut self.sandboxes[id];
        let h = &self.hosts[s.host.index()];
        let each = self.shares.busy.of(s.memory) as f64 / f64::from(s.calls.max(1));
        s.call_share_clock += (h.share_clock - s.share_mark) * each;
        s.call_share_weight_clock += (h.share_weight_clock - s.share_weight_mark) * each;
        (s.share_mark, s.share_weight_mark) = (h.share_clock, h.share_weight_clock);
    }

    /// What a call that ends, or that the run's end cuts off, drew and held.
    #[inline(always)]
    pub(super) fn credit_call(&mut self, slot: u32, id: SandboxId) -> f64 {
        if self.slots == 1 {
            self.credit_share(id, Held::Busy);
        }
        let call = &self.calls[slot];
        let s = &self.sandboxes[id];
        let h = &self.hosts[s.host.index()];
        let account = self.accounts.of_mut(call.function, h.group);
        if self.slots > 1 {
            account.share_s[Held::Busy as usize] += s.call_share_clock - call.share_mark;
            account.share_weight[Held::Busy as usize] += s.call_share_weight_clock - call.share_weight_mark;
        }
        let demand = self.needs[call.function.index()].cpu as f64;
        let dynamic_j = (h.dynamic_clock - call.dynamic_mark) * demand;
        account.dynamic_j[0] += dynamic_j;
        account.dynamic_weight[0] += (h.dynamic_weight_clock - call.dynamic_weight_mark) * demand;
        dynamic_j
    }

    /// Takes a running call off its host and sandbox; its dynamic energy \[J\].
    #[inline(always)]
    pub(super) fn leave_sandbox(&mut self, slot: u32) -> f64 {
        let id = SandboxId(self.calls[slot].sandbox);
        if self.slots > 1 {
            self.credit_calls(id);
        }
        let dynamic_j = self.credit_call(slot, id);
        let function = self.calls[slot].function;
        let (demand, held) = (self.needs[function.index()].cpu, self.call_cpu(function));
        let s = &mut self.sandboxes[id];
        s.calls -= 1;
        let h = &mut self.hosts[s.host.index()];
        h.running -= 1;
        h.exec_demand -= demand;
        h.unbind(held);
        let (pool, region) = (s.pool, h.region);
        let load = &mut self.loads[region.index()];
        load.running -= 1;
        load.cpu_demand -= demand;
        self.follow(pool, region, |p, now| {
            p.run(now, -1);
            p.last_end = Some(now);
        });
        dynamic_j
    }

    /// A call has ended: statistics, accounts, and what its sandbox does next.
    pub(super) fn finish(&mut self, slot: u32) {
        let id = SandboxId(self.calls[slot].sandbox);
        let host = self.sandboxes[id].host;
        self.touch(host);
        let was_full = self.sandboxes[id].calls == self.slots;
        let function = self.calls[slot].function;
        let dynamic_j = self.leave_sandbox(slot);
        let h = &mut self.hosts[host.index()];
        h.executed += 1;
        let region = h.region;
        if self.dispatch.on {
            self.come_back(slot, host, region, dynamic_j);
        } else {
            self.count_finished(slot, host, region, dynamic_j);
            self.leave(slot);
        }
        if self.rules.sandbox.cold_wait == ColdWait::AnyFreed
            && let Some((waiting, left)) = self.take_pending(host, self.pool_of(function), region)
        {
            let held = self.call_cpu(self.calls[waiting].function);
            self.hosts[host.index()].bind(held);
            self.sandboxes[id].calls += 1;
            self.execute(waiting, id);
            self.settle(host);
            self.serve_waiting(left);
            return self.serve_waiting(host);
        }
        if self.slots > 1 && !was_full {
            self.warm.remove(&mut self.sandboxes, region, id);
        }
        self.free_place(id, host, region);
    }

    /// A call that has ended is forgotten.
    #[inline]
    fn leave(&mut self, slot: u32) {
        if !self.passive.ends {
            self.tell_admission(slot);
        }
        self.calls.remove(slot);
    }

    /// A call from a durable queue has ended on its worker.
    fn come_back(&mut self, slot: u32, host: HostId, region: RegionId, dynamic_j: f64) {
        match self.returned(slot) {
            Returned::Done => self.count_finished(slot, host, region, dynamic_j),
            Returned::Again => {}
            Returned::Refused => {
                if self.refuse(slot) {
                    let counts = self.reject(slot);
                    self.dispatch.totals.given_up += u64::from(counts);
                }
                return;
            }
        }
        self.leave(slot);
    }

    /// A sandbox, in no warm set and with its memory counted as busy, has a place free: the next call of its pool that waits
    /// for one takes it; else it stays or becomes idle. The host has been touched, and is settled here.
    #[inline]
    pub(super) fn free_place(&mut self, id: SandboxId, host: HostId, region: RegionId) {
        if self.passes_on {
            self.pass_on(id, host, region);
        }
        if self.sandboxes[id].calls == 0 {
            self.become_idle(id);
        } else if self.sandboxes[id].calls < self.slots {
            self.warm.insert_partly_busy(&mut self.sandboxes, region, id);
        }
        self.settle(host);
        // An idle sandbox may use more than a busy one, and one that was started ahead is looked at now that it is ready.
        self.relieve(host);
        if self.idle_budget.is_some() {
            self.hold_budget(host);
        }
        self.serve_waiting(host);
    }

    /// Gives the free places of a sandbox to the calls that wait in its pool, where none is started on demand.
    fn pass_on(&mut self, id: SandboxId, host: HostId, region: RegionId) {
        let used_up = self.mechanism.scope == Scope::Request && self.sandboxes[id].begun > 0;
        if !self.on_demand && !used_up {
            let pool = self.sandboxes[id].pool;
            // Nothing has ended in it: it has just started.
            let fresh = self.sandboxes[id].begun == self.sandboxes[id].calls;
            while self.sandboxes[id].calls < self.slots
                && let Some(&slot) = self.pools.at(pool, region).queue.front()
                && self.has_cpu(host, self.calls[slot].function)
            {
                self.pools.at(pool, region).queue.pop_front();
                self.leave_queue(slot);
                // It waited for this sandbox to start.
                self.calls[slot].cold |= fresh;
                let function = self.calls[slot].function;
                let (demand, held) = (self.needs[function.index()].cpu, self.call_cpu(function));
                self.hosts[host.index()].bind(held);
                self.loads[region.index()].cpu_demand += demand;
                if self.sandboxes[id].calls > 0 {
                    self.credit_calls(id);
                }
                self.sandboxes[id].calls += 1;
                self.follow(pool, region, |p, now| p.run(now, 1));
                self.execute(slot, id);
            }
        }
    }

    /// The call that has waited longest for a sandbox of this pool to start, and the host where that sandbox, set free,
    /// stands; `None` if there is none, or the host of the freed one has too little CPU for it.
    fn take_pending(&mut self, freed: HostId, pool: PoolId, region: RegionId) -> Option<(u32, HostId)> {
        let &(sandbox, _) = self.pending.get(&(pool.0, region.0))?.front()?;
        let waiting = self.calls[self.sandboxes[SandboxId(sandbox)].call].function;
        if !self.has_cpu(freed, waiting) {
            return None;
        }
        self.pending.get_mut(&(pool.0, region.0))?.pop_front();
        let starting = &mut self.sandboxes[SandboxId(sandbox)];
        let call = std::mem::replace(&mut starting.call, NONE);
        starting.calls = 0;
        let left = starting.host;
        self.touch(left);
        let held = self.call_cpu(self.calls[call].function);
        self.hosts[left.index()].unbind(held);
        self.settle(left);
        Some((call, left))
    }

    #[inline]
    fn count_finished(&mut self, slot: u32, host: HostId, region: RegionId, dynamic_j: f64) {
        let back = if self.network.is_wide() { self.answer(slot) } else { Duration::ZERO };
        let call = &self.calls[slot];
        let answered = self.now + back;
        let latency = answered - call.arrival;
        let stats = &mut self.functions[call.function.index()];
        stats.executed += 1;
        stats.cold += u64::from(call.cold);
        stats.missed += u64::from(answered > call.deadline);
        stats.latency_sum_ns += u128::from(latency.0);
        stats.latency.record(latency.0);
        stats.busy_s += (self.now - call.began).as_secs_f64();
        stats.work_s += call.work.as_secs_f64();
        let totals = &mut self.totals;
        totals.latency_sum_ns += u128::from(latency.0);
        let service = answered - call.released;
        totals.service_sum_ns += u128::from(service.0);
        if call.deferred {
            let deferral = call.released - call.arrival;
            totals.deferral_sum_ns += u128::from(deferral.0);
            totals.deferral_max = totals.deferral_max.max(deferral);
            totals.deferred_latency.record(latency.0);
            totals.deferred_service.record(service.0);
        } else {
            totals.undeferred.record(latency.0);
        }
        self.series.at(region, self.now).executed += 1;
        if self.series.splits_cpu() {
            let profile = &self.profiles[call.function.index()];
            let core_s = profile.cpu.as_cores() * call.work.as_secs_f64();
            self.series.spread_cpu(region, (call.began, self.now), profile.quota as usize, core_s);
        }
        if !self.passive.packing {
            let cores = self.needs[call.function.index()].cpu as f64 / UNITS_PER_CORE;
            self.packing.executed(call.function, region, call.work.as_secs_f64() * cores);
        }
        if let Some(log) = &mut self.log {
            let finished = Finished {
                arrival: call.arrival,
                released: call.released,
                began: call.began,
                ended: self.now,
                function: call.function,
                home: call.home,
                host,
                cold: call.cold,
                dynamic_j,
            };
            if let Err(message) = log(&finished) {
                self.failure.get_or_insert(SimError::CallLog(message));
            }
        }
    }
}
