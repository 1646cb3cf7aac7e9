//! What each event does to hosts and sandboxes.
//!
//! Every change of a host follows one pattern: `touch` integrates up to now at the old rates, the change happens,
//! `settle` computes the new rates and updates the indexes.

use super::calls::Stage;
use super::engine::{Engine, Finished, SimError};
use super::event::Event;
use super::rules::ColdWait;
use crate::cluster::{CpuModel, NONE, PowerState, SandboxState, Slot, Which};
use crate::ledger::Held;
use crate::scheduler::View;
use crate::scheduler::keep_alive::IdleView;
use crate::types::{Duration, HostId, RegionId, SandboxId, SimTime};

impl Engine<'_> {
    /// Integrates a host up to now.
    #[inline]
    pub(super) fn touch(&mut self, host: HostId) {
        let h = &mut self.hosts[host.index()];
        if h.since == self.now {
            return;
        }
        self.site.integrate(h.region, h.since, self.now, &h.rates);
        let weight = self.clocks[h.region.index()].cumulative(self.now);
        if self.rules.cpu == CpuModel::Contended {
            self.sharing[host.index()].advance(self.now, h.speed);
        }
        h.advance(self.now, weight);
    }

    /// Computes a host's rates after a change and updates the indexes of its region.
    #[inline]
    pub(super) fn settle(&mut self, host: HostId) {
        let h = &mut self.hosts[host.index()];
        let group = &self.groups[h.group.index()];
        let region = &mut self.regions[h.region.index()];
        h.refresh(group, self.rules.cpu);
        let promised = self.promised[host.index()];
        let used = h.memory_used();
        let cpu = match self.rules.cpu {
            CpuModel::Isolated => promised.cpu.saturating_sub(h.reserved_cpu),
            CpuModel::Contended | CpuModel::Ignored => u64::MAX,
        };
        let load = if region.free.orders_load() { (h.bound_demand() as f64 * group.load_per_unit) as u64 } else { 0 };
        let slot = Slot { memory: promised.memory.saturating_sub(used), cpu, load, open: h.state == PowerState::On };
        let local = (host.0 - region.first_host) as usize;
        region.free.update(local, slot);
        if region.reclaimable.is_some() && !std::mem::replace(&mut self.is_stale_host[host.index()], true) {
            region.stale.push(host.0);
        }
        if self.rules.cpu == CpuModel::Contended {
            self.schedule_tick(host);
        }
    }

    /// Brings the index of reclaimable memory up to date.
    pub(super) fn refresh_reclaimable(&mut self, region: RegionId) {
        let r = &mut self.regions[region.index()];
        let Some(reclaimable) = &mut r.reclaimable else { return };
        for host in r.stale.drain(..) {
            self.is_stale_host[host as usize] = false;
            let local = (host - r.first_host) as usize;
            let h = &self.hosts[host as usize];
            let held = h.memory_used() - h.held[Held::Warm as usize];
            let memory = self.promised[host as usize].memory.saturating_sub(held);
            let slot = r.free.slot(local);
            reclaimable.update(local, Slot { memory, ..slot });
        }
    }

    /// Makes sure that the host is looked at when its next call ends.
    fn schedule_tick(&mut self, host: HostId) {
        let sharing = &mut self.sharing[host.index()];
        let next = sharing.next_finish(self.hosts[host.index()].speed);
        match (next, sharing.tick_at) {
            // An earlier tick finds nothing finished and schedules anew: cheaper than cancelling.
            (Some(next), Some(planned)) if planned <= next => {}
            (Some(next), _) => {
                sharing.tick_at = Some(next);
                self.queue.push(next, Event::HostTick { host: host.0 });
            }
            (None, _) => sharing.tick_at = None,
        }
    }

    pub(super) fn host_tick(&mut self, host: HostId) {
        self.touch(host);
        self.sharing[host.index()].tick_at = None;
        let mut any = false;
        while let Some(call) = self.sharing[host.index()].pop_finished() {
            self.finish(call);
            any = true;
        }
        if !any {
            self.schedule_tick(host);
        }
    }

    /// Credits what a sandbox held of its host since its last change of state.
    #[inline]
    fn credit_share(&mut self, id: SandboxId, state: Held) {
        let s = &mut self.sandboxes[id];
        let h = &self.hosts[s.host.index()];
        let bytes = s.memory as i64 as f64;
        let account = self.accounts.of_mut(s.function, h.group);
        account.share_s[state as usize] += (h.share_clock - s.share_mark) * bytes;
        account.share_weight[state as usize] += (h.share_weight_clock - s.share_weight_mark) * bytes;
        s.share_mark = h.share_clock;
        s.share_weight_mark = h.share_weight_clock;
    }

    /// Puts a call into an idle sandbox.
    pub(super) fn start_warm(&mut self, slot: u32, id: SandboxId) {
        let host = self.sandboxes[id].host;
        self.touch(host);
        self.leave_idle(id);
        self.credit_share(id, Held::Warm);
        let memory = self.sandboxes[id].memory;
        let h = &mut self.hosts[host.index()];
        h.warm -= 1;
        h.held[Held::Warm as usize] -= memory;
        h.held[Held::Busy as usize] += memory;
        let demand = self.needs[self.calls[slot].function.index()].cpu;
        h.reserved_cpu += demand;
        self.loads[h.region.index()].cpu_demand += demand;
        self.calls[slot].cold = false;
        self.execute(slot, id);
        self.settle(host);
    }

    /// Takes a sandbox out of all lists of idle ones, and counts its idle time.
    #[inline]
    fn leave_idle(&mut self, id: SandboxId) {
        let s = &self.sandboxes[id];
        let (host, function) = (s.host.index(), s.function.index());
        let idle_mb_s = (self.now - s.idle_since).as_secs_f64() * (s.memory as f64 * 1e-6);
        let region = self.hosts[host].region;
        self.expiring -= usize::from(s.expires != SimTime::NEVER);
        self.functions[function].idle_mb_s += idle_mb_s;
        self.warm.remove(&mut self.sandboxes, region, id);
        self.lanes.remove(&mut self.sandboxes, id);
        if self.evicting {
            self.sandboxes.unlink(&mut self.idle_on_host[host], Which::Host, id);
        }
    }

    /// Begins to execute a call in a sandbox whose memory is already counted as busy and whose host holds the call's CPU.
    /// The host has been touched; the caller settles it.
    fn execute(&mut self, slot: u32, id: SandboxId) {
        let s = &mut self.sandboxes[id];
        s.state = SandboxState::Busy;
        s.call = slot;
        let host = s.host;
        let call = &mut self.calls[slot];
        call.stage = Stage::Running;
        call.sandbox = id.0;
        call.began = self.now;
        let h = &mut self.hosts[host.index()];
        call.dynamic_mark = h.dynamic_clock;
        call.dynamic_weight_mark = h.dynamic_weight_clock;
        let demand = self.needs[call.function.index()].cpu;
        h.running += 1;
        h.exec_demand += demand;
        let load = &mut self.loads[h.region.index()];
        load.running += 1;
        let work = if self.mechanism.cpu_factor == 1.0 {
            call.work
        } else {
            Duration::from_secs_f64(call.work.as_secs_f64() * self.mechanism.cpu_factor)
        };
        if self.rules.cpu == CpuModel::Contended {
            self.sharing[host.index()].add(slot, work, self.queue.scheduled());
        } else {
            self.queue.push(self.now + work, Event::Finish { call: slot });
        }
    }

    /// Starts a new sandbox for a call.
    pub(super) fn start_cold(&mut self, slot: u32, host: HostId) {
        let function = self.calls[slot].function;
        let memory = self.sandbox_memory(function);
        self.touch(host);
        let latency = self.mechanism.start_latency(&mut self.streams[function.index()]);
        let demand = self.mechanism.start_demand(latency);
        let id = self.sandboxes.create(function, host, memory);
        let h = &mut self.hosts[host.index()];
        let s = &mut self.sandboxes[id];
        s.call = slot;
        s.start_demand = demand;
        s.start_latency = latency;
        (s.share_mark, s.share_weight_mark) = (h.share_clock, h.share_weight_clock);
        (s.dynamic_mark, s.dynamic_weight_mark) = (h.dynamic_clock, h.dynamic_weight_clock);
        h.starting += 1;
        h.start_demand += u64::from(demand);
        h.reserved_cpu += self.needs[function.index()].cpu;
        h.held[Held::Starting as usize] += memory;
        let region = h.region;
        let load = &mut self.loads[region.index()];
        load.cpu_demand += u64::from(demand) + self.needs[function.index()].cpu;
        load.memory_held += memory;
        self.functions[function.index()].starts += 1;
        self.series.at(region, self.now).cold += 1;
        let call = &mut self.calls[slot];
        call.stage = Stage::Starting;
        call.sandbox = id.0;
        call.cold = true;
        if self.rules.sandbox.cold_wait == ColdWait::AnyFreed {
            let generation = self.sandboxes[id].generation;
            self.pending.entry((function.0, region.0)).or_default().push_back((id.0, generation));
        }
        self.queue.push(self.now + latency, Event::Ready { sandbox: id.0 });
        self.settle(host);
    }

    /// Memory that a new sandbox of a function holds \[bytes\].
    #[inline]
    pub(super) fn sandbox_memory(&self, function: crate::types::FunctionId) -> u64 {
        self.needs[function.index()].memory
    }

    /// A sandbox has started.
    pub(super) fn ready(&mut self, slot: u32) {
        let id = SandboxId(slot);
        let host = self.sandboxes[id].host;
        self.touch(host);
        self.credit_share(id, Held::Starting);
        let s = self.sandboxes[id];
        let h = &mut self.hosts[host.index()];
        let account = self.accounts.of_mut(s.function, h.group);
        let demand = f64::from(s.start_demand);
        account.dynamic_j[1] += (h.dynamic_clock - s.dynamic_mark) * demand;
        account.dynamic_weight[1] += (h.dynamic_weight_clock - s.dynamic_weight_mark) * demand;
        h.starting -= 1;
        h.start_demand -= u64::from(s.start_demand);
        h.held[Held::Starting as usize] -= s.memory;
        h.held[Held::Busy as usize] += s.memory;
        let region = h.region;
        self.loads[region.index()].cpu_demand -= u64::from(s.start_demand);
        if self.rules.sandbox.cold_wait == ColdWait::AnyFreed
            && s.call != NONE
            && let Some(list) = self.pending.get_mut(&(s.function.0, region.0))
        {
            list.retain(|&entry| entry != (id.0, s.generation));
        }
        if s.call == NONE {
            self.become_idle(id);
            self.settle(host);
            self.serve_waiting(host);
        } else {
            self.execute(s.call, id);
            self.settle(host);
        }
    }

    /// A call has ended: statistics, accounts, and what its sandbox does next.
    pub(super) fn finish(&mut self, slot: u32) {
        let id = SandboxId(self.calls[slot].sandbox);
        let host = self.sandboxes[id].host;
        self.touch(host);
        self.credit_share(id, Held::Busy);
        let call = &self.calls[slot];
        let function = call.function;
        let demand = self.needs[function.index()].cpu;
        let h = &mut self.hosts[host.index()];
        let account = self.accounts.of_mut(function, h.group);
        let dynamic_j = (h.dynamic_clock - call.dynamic_mark) * demand as f64;
        account.dynamic_j[0] += dynamic_j;
        account.dynamic_weight[0] += (h.dynamic_weight_clock - call.dynamic_weight_mark) * demand as f64;
        h.running -= 1;
        h.exec_demand -= demand;
        h.reserved_cpu -= demand;
        h.executed += 1;
        let region = h.region;
        let load = &mut self.loads[region.index()];
        load.running -= 1;
        load.cpu_demand -= demand;
        self.count_finished(slot, host, region, dynamic_j);
        if !self.passive.ends {
            self.tell_admission(slot);
        }
        self.calls.remove(slot);
        if self.rules.sandbox.cold_wait == ColdWait::AnyFreed
            && let Some((waiting, left)) = self.take_pending(function, region)
        {
            self.hosts[host.index()].reserved_cpu += demand;
            self.execute(waiting, id);
            self.settle(host);
            self.serve_waiting(left);
        } else {
            self.become_idle(id);
            self.settle(host);
        }
        self.serve_waiting(host);
    }

    /// The call that has waited longest for a sandbox of this function to start, and the host where that sandbox, set free,
    /// stands.
    fn take_pending(&mut self, function: crate::types::FunctionId, region: RegionId) -> Option<(u32, HostId)> {
        let list = self.pending.get_mut(&(function.0, region.0))?;
        let (sandbox, _) = list.pop_front()?;
        let starting = &mut self.sandboxes[SandboxId(sandbox)];
        let call = std::mem::replace(&mut starting.call, NONE);
        let left = starting.host;
        self.touch(left);
        self.hosts[left.index()].reserved_cpu -= self.needs[function.index()].cpu;
        self.settle(left);
        Some((call, left))
    }

    fn count_finished(&mut self, slot: u32, host: HostId, region: RegionId, dynamic_j: f64) {
        let call = &self.calls[slot];
        let latency = self.now - call.arrival;
        let stats = &mut self.functions[call.function.index()];
        stats.executed += 1;
        stats.cold += u64::from(call.cold);
        stats.missed += u64::from(self.now > call.deadline);
        stats.latency_sum_ns += u128::from(latency.0);
        stats.latency.record(latency.0);
        stats.busy_s += (self.now - call.began).as_secs_f64();
        let totals = &mut self.totals;
        totals.latency_sum_ns += u128::from(latency.0);
        let service = self.now - call.released;
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

    /// A sandbox whose memory counts as busy has nothing to do. The host has been touched; the caller settles it.
    fn become_idle(&mut self, id: SandboxId) {
        let s = &mut self.sandboxes[id];
        let (host, memory, generation) = (s.host, s.memory, s.generation);
        let profile = &self.profiles[s.function.index()];
        let pool = crate::scheduler::PoolView {
            pool: crate::types::PoolId(s.function.0),
            region: RegionId(0),
            sandboxes: 0,
            idle: 0,
            starting: 0,
            running: 0,
            waiting: 0,
            slots: 1,
            last_end: None,
            mean_demand: 0.0,
            peak: None,
        };
        let view = IdleView {
            function: s.function,
            profile,
            pool,
            memory: crate::types::Memory(memory),
            start: s.start_latency,
            start_core_s: 0.0,
            now: self.now,
        };
        let all = View { now: self.now, regions: &self.loads, forecasts: &self.forecasts };
        let keep = self.keep_alive.keep(&view, &all).keep;
        let restarts = self.restarts;
        let mut expires = self.now + keep;
        // A window that does not restart needs one event in its life, however often the sandbox becomes idle.
        let first_window = s.window_end == SimTime::NEVER;
        if !restarts {
            if first_window {
                s.window_end = expires;
            }
            expires = s.window_end;
        }
        let h = &mut self.hosts[host.index()];
        h.held[Held::Busy as usize] -= memory;
        if expires <= self.now {
            self.loads[h.region.index()].memory_held -= memory;
            self.totals.expired += 1;
            self.sandboxes.destroy(id);
            return;
        }
        h.held[Held::Warm as usize] += memory;
        h.warm += 1;
        let region = h.region;
        s.state = SandboxState::Warm;
        s.call = NONE;
        s.idle_since = self.now;
        s.expires = expires;
        self.expiring += usize::from(expires != SimTime::NEVER);
        self.warm.insert(&mut self.sandboxes, region, id);
        if self.evicting {
            self.sandboxes.push_back(&mut self.idle_on_host[host.index()], Which::Host, id);
        }
        let in_lane = restarts && expires != SimTime::NEVER && self.lanes.insert(&mut self.sandboxes, id, keep);
        if !in_lane && expires != SimTime::NEVER && (restarts || first_window) {
            self.queue.push(expires, Event::Expire { sandbox: id.0, generation });
        }
    }

    /// An idle sandbox's keep-alive has ended.
    pub(super) fn expire(&mut self, id: SandboxId) {
        let host = self.sandboxes[id].host;
        self.touch(host);
        self.remove_idle(id);
        self.totals.expired += 1;
        self.settle(host);
        self.serve_waiting(host);
    }

    /// Takes an idle sandbox off its host, which has been touched; the caller settles it.
    pub(super) fn remove_idle(&mut self, id: SandboxId) {
        self.leave_idle(id);
        self.credit_share(id, Held::Warm);
        let s = self.sandboxes[id];
        let h = &mut self.hosts[s.host.index()];
        h.warm -= 1;
        h.held[Held::Warm as usize] -= s.memory;
        self.loads[h.region.index()].memory_held -= s.memory;
        self.sandboxes.destroy(id);
    }

    /// Credits what the sandboxes that are left at the run's end hold, and the idle time of the warm ones.
    pub(super) fn close_sandboxes(&mut self) {
        let left: Vec<(SandboxId, SandboxState)> = self.sandboxes.iter().map(|(id, s)| (id, s.state)).collect();
        for (id, state) in left {
            let s = self.sandboxes[id];
            match state {
                SandboxState::Starting => {
                    self.credit_share(id, Held::Starting);
                    let h = &self.hosts[s.host.index()];
                    let account = self.accounts.of_mut(s.function, h.group);
                    let demand = f64::from(s.start_demand);
                    account.dynamic_j[1] += (h.dynamic_clock - s.dynamic_mark) * demand;
                    account.dynamic_weight[1] += (h.dynamic_weight_clock - s.dynamic_weight_mark) * demand;
                }
                SandboxState::Busy => {
                    self.credit_share(id, Held::Busy);
                    let call = self.calls[s.call];
                    let h = &self.hosts[s.host.index()];
                    let demand = self.needs[call.function.index()].cpu as f64;
                    let account = self.accounts.of_mut(s.function, h.group);
                    account.dynamic_j[0] += (h.dynamic_clock - call.dynamic_mark) * demand;
                    account.dynamic_weight[0] += (h.dynamic_weight_clock - call.dynamic_weight_mark) * demand;
                }
                SandboxState::Warm => {
                    self.credit_share(id, Held::Warm);
                    let idle = (self.now - s.idle_since).as_secs_f64();
                    self.functions[s.function.index()].idle_mb_s += idle * (s.memory as f64 * 1e-6);
                }
                SandboxState::Gone => {}
            }
        }
    }

    /// A host has booted.
    pub(super) fn host_up(&mut self, host: HostId) {
        self.touch(host);
        let h = &mut self.hosts[host.index()];
        h.state = PowerState::On;
        let load = &mut self.loads[h.region.index()];
        load.hosts_on += 1;
        load.cpu_capacity += self.groups[h.group.index()].cpu;
        self.settle(host);
        self.serve_waiting(host);
    }

    /// Asks provisioning how many hosts each region should have, and switches hosts on and off.
    pub(super) fn provision(&mut self) {
        for r in 0..self.regions.len() {
            let region = RegionId::from_index(r);
            let first = self.regions[r].first_host;
            let hosts = self.regions[r].free.hosts() as u32;
            let view = View { now: self.now, regions: &self.loads, forecasts: &self.forecasts };
            let wanted = self.provisioning.wanted(region, hosts, &view).min(hosts);
            let all = first..first + hosts;
            let up = all.clone().filter(|&h| self.hosts[h as usize].state != PowerState::Off).count() as u32;
            for _ in up..wanted {
                let off = all.clone().find(|&h| self.hosts[h as usize].state == PowerState::Off);
                self.switch_on(HostId(off.expect("fewer hosts are up than the region owns")));
            }
            let surplus = up.saturating_sub(wanted) as usize;
            let empty: Vec<u32> = all
                .rev()
                .filter(|&h| {
                    let h = &self.hosts[h as usize];
                    h.state == PowerState::On && h.memory_used() == 0 && h.running + h.starting + h.warm == 0
                })
                .filter(|&h| {
                    let waiting = &self.regions[r].waiting;
                    waiting.is_shared() || waiting.len(waiting.queue_of(h - first)) == 0
                })
                .take(surplus)
                .collect();
            empty.into_iter().for_each(|h| self.switch_off(HostId(h)));
        }
        if let Some(period) = self.provisioning.period() {
            self.queue.push(self.now + period.max(Duration(1)), Event::Provision);
        }
    }

    fn switch_on(&mut self, host: HostId) {
        self.touch(host);
        self.hosts[host.index()].state = PowerState::Booting;
        let boot = self.groups[self.hosts[host.index()].group.index()].boot;
        self.settle(host);
        self.queue.push(self.now + boot, Event::HostUp { host: host.0 });
    }

    fn switch_off(&mut self, host: HostId) {
        self.touch(host);
        let h = &mut self.hosts[host.index()];
        h.state = PowerState::Off;
        let load = &mut self.loads[h.region.index()];
        load.hosts_on -= 1;
        load.cpu_capacity -= self.groups[h.group.index()].cpu;
        self.settle(host);
    }
}
