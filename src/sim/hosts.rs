//! Hosts: their rates and their shared CPU.
//!
//! Every change of a host follows one pattern: `touch` integrates up to now at the old rates, the change happens,
//! `settle` computes the new rates and updates the indexes.

use super::engine::Engine;
use super::event::Event;
use crate::cluster::{CpuModel, PowerState, Slot};
use crate::types::{HostId, RegionId};

impl Engine<'_> {
    /// Integrates a host up to now.
    #[inline]
    pub(super) fn touch(&mut self, host: HostId) {
        let h = &mut self.hosts[host.index()];
        if h.since == self.now {
            return;
        }
        let tells = self.site.integrate(h.region, h.since, self.now, &h.rates);
        if tells && let Some(meter) = &mut self.meter {
            meter.pass(host.index(), (h.since, self.now), h.energy_j, h.it_w);
        }
        let weight = self.clocks[h.region.index()].cumulative(self.now);
        if self.tenancy.present {
            self.tenancy.lodgings[host.index()].advance(h, self.now, weight);
        }
        if self.rules.cpu == CpuModel::Contended {
            self.sharing[host.index()].advance(self.now, h.speed);
        }
        if let Some(workers) = &mut self.workers {
            workers.pass(host, h, self.now);
        }
        h.advance(self.now, weight);
    }

    /// Computes a host's rates after a change and updates the indexes of its region.
    #[inline]
    pub(super) fn settle(&mut self, host: HostId) {
        let h = &mut self.hosts[host.index()];
        let group = &self.groups[h.group.index()];
        let region = &mut self.regions[h.region.index()];
        let (was, used) = ((h.speed, h.batch_speed), h.used_cpu);
        h.refresh(group, self.rules.cpu);
        let load = &mut self.loads[h.region.index()];
        load.cpu_used = load.cpu_used + h.used_cpu - used;
        if self.dispatch.on {
            self.dispatch.cpu_changed(h.region, i128::from(h.used_cpu) - i128::from(used), self.now);
        }
        let faster = h.speed > was.0 || h.batch_speed > was.1;
        let promised = self.promised[host.index()];
        debug_assert!(h.reserved_memory <= promised.memory, "host {} promises more memory than it may", host.0);
        debug_assert!(h.memory_used() <= h.reserved_memory, "host {}: more memory is used than reserved", host.0);
        let cpu = if self.counts_cpu { promised.cpu.saturating_sub(h.reserved_cpu) } else { u64::MAX };
        let load = if region.free.orders_load() { (h.bound_demand() as f64 * group.load_per_unit) as u64 } else { 0 };
        let full = h.sandboxes >= self.most_sandboxes;
        let memory = if full { 0 } else { promised.memory.saturating_sub(h.reserved_memory) };
        // Whoever asks wants at least `least_cpu`, which a host without a place for a call does not have.
        let cpu = if h.bound_calls < self.most_calls { cpu } else { 0 };
        let slot = Slot { memory, cpu, load, open: h.state == PowerState::On };
        let local = (host.0 - region.first_host) as usize;
        region.free.update(local, slot);
        if region.reclaimable.is_some() && !std::mem::replace(&mut self.is_stale_host[host.index()], true) {
            region.stale.push(host.0);
        }
        if self.rules.cpu == CpuModel::Contended {
            self.schedule_tick(host);
        }
        if faster && self.stretches() {
            self.hasten(host);
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
            let full = h.sandboxes - h.warm >= self.most_sandboxes;
            let held = h.reserved_memory - h.idle_reserved;
            let memory = if full { 0 } else { self.promised[host as usize].memory.saturating_sub(held) };
            let slot = r.free.slot(local);
            let calls = h.bound_calls < self.most_calls;
            let cpu = if calls { slot.cpu.saturating_add(u64::from(h.warm) * self.sandbox_cpu) } else { 0 };
            reclaimable.update(local, Slot { memory, cpu, ..slot });
        }
    }

    /// Makes sure that the host is looked at when its next call ends.
    fn schedule_tick(&mut self, host: HostId) {
        let sharing = &mut self.sharing[host.index()];
        if self.kills {
            sharing.drop_front(|call, order| Self::is_gone(&self.calls, call, order));
        }
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
        while let Some((work, order)) = self.sharing[host.index()].pop_finished() {
            self.cpu_work_done(work, order);
            any = true;
        }
        if !any {
            self.schedule_tick(host);
        }
    }
}
