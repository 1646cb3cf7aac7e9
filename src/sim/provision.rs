//! Hosts that are switched on and off: what provisioning wants, and the ways between power states.

use std::cmp::Reverse;

use super::engine::Engine;
use super::event::Event;
use crate::cluster::PowerState;
use crate::scheduler::provisioning::FleetView;
use crate::sim::view::view;
use crate::types::{Duration, HostId, RegionId};

impl Engine<'_> {
    /// Asks provisioning how many hosts each region should have, and switches hosts on and off.
    pub(super) fn provision(&mut self) {
        for r in 0..self.regions.len() {
            let region = RegionId::from_index(r);
            let fleet = self.fleet(region);
            let view = view!(self);
            let wanted = self.provisioning.wanted(&fleet, &view).min(fleet.hosts);
            match wanted.checked_sub(fleet.up()) {
                Some(missing) => self.call_back(region, missing as usize),
                None => self.send_away(region, (fleet.up() - wanted) as usize),
            }
        }
        if let Some(period) = self.provisioning.period() {
            self.queue.push(self.now + period.max(Duration(1)), Event::Provision);
        }
    }

    fn hosts_of(&self, region: RegionId) -> std::ops::Range<u32> {
        let r = &self.regions[region.index()];
        r.first_host..r.first_host + r.free.hosts() as u32
    }

    /// What provisioning sees of a region. Looks at every host, so that nothing has to be counted elsewhere.
    fn fleet(&self, region: RegionId) -> FleetView {
        let (r, load) = (&self.regions[region.index()], &self.loads[region.index()]);
        let idle = self.provisioning.idle_state();
        let (mut coming, mut reserved_cpu, mut way_back) = (0, 0, Duration::ZERO);
        for host in self.hosts_of(region) {
            let host = &self.hosts[host as usize];
            coming += u32::from(host.state.is_coming());
            reserved_cpu += host.reserved_cpu;
            way_back = way_back.max(self.groups[host.group.index()].standby(idle).up);
        }
        let hosts = r.free.hosts() as u32;
        let per_host = |all: u64| all as f64 / f64::from(hosts.max(1));
        let calls = if self.on_demand { load.queued } else { 0 };
        FleetView {
            region,
            hosts,
            on: load.hosts_on,
            coming,
            cpu_per_host: per_host(r.promised.0),
            memory_per_host: per_host(r.promised.1),
            cpu: if self.counts_cpu { load.cpu_demand.max(reserved_cpu) } else { load.cpu_demand },
            memory: load.memory_held,
            waiting: calls + load.instances_waiting + self.lacking[region.index()].len() as u32,
            waiting_cpu: r.waiting_needs.0,
            waiting_memory: r.waiting_needs.1,
            way_back,
        }
    }

    /// Lets hosts come that wait: first those on which calls wait, then the lowest-numbered ones.
    fn call_back(&mut self, region: RegionId, missing: usize) {
        let mut resting: Vec<HostId> =
            self.hosts_of(region).map(HostId).filter(|h| self.hosts[h.index()].state.is_resting()).collect();
        if missing < resting.len() {
            resting.sort_by_key(|&h| (!self.others_wait_on(h), h));
        }
        for host in resting.into_iter().take(missing) {
            let back = self.hosts[host.index()].state.way_back().expect("it waits");
            self.take_way(host, back);
        }
    }

    /// Lets hosts go that are on and have no call and no start: first empty ones, then, if the policy says so, those with nothing
    /// but idle sandboxes; of either the highest-numbered ones.
    fn send_away(&mut self, region: RegionId, surplus: usize) {
        let empties = self.provisioning.evicts_idle();
        let shared = self.regions[region.index()].waiting.is_shared();
        let may_go = |&host: &HostId| {
            let h = &self.hosts[host.index()];
            h.state == PowerState::On
                && (h.sandboxes == 0 || empties && h.sandboxes == h.warm)
                && (shared || !self.others_wait_on(host))
        };
        let mut chosen: Vec<HostId> = self.hosts_of(region).map(HostId).filter(may_go).collect();
        chosen.sort_by_key(|&h| (self.hosts[h.index()].sandboxes > 0, Reverse(h)));
        for host in chosen.into_iter().take(surplus) {
            self.leave_on(host);
        }
    }

    fn leave_on(&mut self, host: HostId) {
        self.touch(host);
        while self.hosts[host.index()].sandboxes > 0 {
            let went = self.evict_one(host, None);
            assert!(went, "a host is switched off that holds more than idle sandboxes");
            self.totals.evicted += 1;
        }
        let h = &self.hosts[host.index()];
        if let Some(meter) = &mut self.meter {
            meter.switch(host.index(), h.energy_j, false);
        }
        let load = &mut self.loads[h.region.index()];
        load.hosts_on -= 1;
        load.cpu_capacity -= self.groups[h.group.index()].cpu;
        self.take_way(host, PowerState::leaving_for(self.provisioning.idle_state()));
    }

    fn take_way(&mut self, host: HostId, way: PowerState) {
        self.touch(host);
        self.hosts[host.index()].begin_way(way, self.now);
        let length = self.groups[self.hosts[host.index()].group.index()].way(way);
        self.settle(host);
        self.queue.push(self.now + length, Event::HostChanged { host: host.0 });
    }

    /// A host's way to another power state is over.
    pub(super) fn host_changed(&mut self, host: HostId) {
        self.touch(host);
        let h = &mut self.hosts[host.index()];
        h.count_way(self.now);
        h.state = h.state.end();
        if h.state == PowerState::On {
            if let Some(meter) = &mut self.meter {
                meter.switch(host.index(), h.energy_j, true);
            }
            let load = &mut self.loads[h.region.index()];
            load.hosts_on += 1;
            load.cpu_capacity += self.groups[h.group.index()].cpu;
            self.freed = self.scales;
            self.settle(host);
            self.serve_waiting(host);
        } else {
            self.settle(host);
        }
    }
}
