//! From a request to a place: packing, room made by idle sandboxes that go, and the queue.

use std::cmp::Reverse;

use super::{Order, Stage};
use crate::scheduler::overcommit::Capacity;
use crate::scheduler::packing::{InstanceRequest, Pool};
use crate::sim::engine::Engine;
use crate::sim::setup::SimError;
use crate::types::{Duration, HostId, RegionId};

impl Engine<'_> {
    /// An instance looks for room, and waits if there is none, or if others wait already.
    pub(in crate::sim) fn ask_for_room(&mut self, slot: u32) {
        let r = &mut self.tenancy.residents[slot];
        (r.stage, r.since) = (Stage::Waiting, self.now);
        let (region, request, first) = (r.region, r.request, r.had.starts == 0);
        if !self.can_ever_hold(slot, region, &request) {
            return;
        }
        // One that was evicted goes before those that came after it.
        let key = self.queue_key(slot);
        let must_wait = self.tenancy.waiting[region.index()].keys().next().is_some_and(|&first| first < key);
        if !must_wait && let Some(host) = self.room_for(&request, region) {
            return self.settle_in(slot, host);
        }
        self.tenancy.totals.waited += u64::from(first && !self.tenancy.residents[slot].is_node());
        self.tenancy.waiting[region.index()].insert(key, slot);
        let load = &mut self.loads[region.index()];
        load.instances_waiting += 1;
        let needs = &mut self.regions[region.index()].waiting_needs;
        *needs = (needs.0 + request.cpu, needs.1 + request.memory);
        if must_wait && self.rules.instances.backfill > 0 {
            // It may fit where the first does not.
            self.serve_instances(region);
        }
    }

    fn queue_key(&self, slot: u32) -> (Reverse<u8>, u32) {
        let r = &self.tenancy.residents[slot];
        let rank = if self.rules.instances.order == Order::Priority { r.request.priority } else { 0 };
        // Instances are numbered in the order in which they are asked for.
        (Reverse(rank), r.request.instance)
    }

    /// Whether any host of the region could hold the instance if it were empty; else the run fails.
    fn can_ever_hold(&mut self, slot: u32, region: RegionId, request: &InstanceRequest) -> bool {
        let own = self.groups.iter().zip(&self.tenancy.promises).filter(|(g, _)| g.region == region);
        let system = self.mechanism.memory_per_host.0;
        let mut most = Capacity { cpu: 0, memory: 0 };
        for (group, promise) in own {
            // Where memory in use must fit, one that alone needs more would be sent away again and again.
            let there = if self.kills { group.memory.0.saturating_sub(system) } else { u64::MAX };
            let memory = promise.memory.min(there);
            if request.cpu <= promise.cpu && request.memory <= memory {
                return true;
            }
            most = Capacity { cpu: most.cpu.max(promise.cpu), memory: most.memory.max(memory) };
        }
        let r = &self.regions[region.index()];
        self.failure.get_or_insert(SimError::InstanceTooBig {
            instance: self.name_of_resident(slot),
            region: r.name.clone(),
            needed_mb: request.memory as f64 * 1e-6,
            needed_cores: request.cpu as f64 * 1e-6,
            memory_mb: most.memory as f64 * 1e-6,
            cores: most.cpu as f64 * 1e-6,
        });
        false
    }

    /// A host with room for an instance: in what is free, or in what idle sandboxes leave when they go.
    fn room_for(&mut self, request: &InstanceRequest, region: RegionId) -> Option<HostId> {
        let r = &self.regions[region.index()];
        let pool =
            Pool { region, first_host: r.first_host, index: &r.free, warm: &self.warm, sandboxes: &self.sandboxes };
        if let Some(host) = self.packing.place_instance(request, &pool) {
            return Some(host);
        }
        self.regions[region.index()].reclaimable.as_ref()?;
        self.refresh_reclaimable(region);
        let r = &self.regions[region.index()];
        let pool = Pool {
            region,
            first_host: r.first_host,
            index: r.reclaimable.as_ref()?,
            warm: &self.warm,
            sandboxes: &self.sandboxes,
        };
        let host = self.packing.place_instance(request, &pool)?;
        self.touch(host);
        while !self.has_room(host, request) {
            let went = self.evict_one(host, None);
            assert!(went, "a host was chosen whose idle sandboxes free too little");
            self.totals.evicted += 1;
        }
        Some(host)
    }

    /// Whether a host has promised so little that it has room for an instance.
    pub(super) fn has_room(&self, host: HostId, request: &InstanceRequest) -> bool {
        let (h, promised) = (&self.hosts[host.index()], &self.promised[host.index()]);
        promised.memory.saturating_sub(h.reserved_memory) >= request.memory
            && promised.cpu.saturating_sub(h.reserved_cpu) >= request.cpu
            && h.sandboxes < self.most_sandboxes
    }

    /// An instance takes its place on a host, and starts.
    fn settle_in(&mut self, slot: u32, host: HostId) {
        self.touch(host);
        let request = self.tenancy.residents[slot].request;
        self.reserve_for(host, &request);
        let t = &mut self.tenancy;
        let lodging = &mut t.lodgings[host.index()];
        let r = &mut t.residents[slot];
        let wait = self.now - r.since;
        r.host = host;
        r.came = self.now;
        r.place = lodging.residents.len() as u32;
        lodging.residents.push(slot);
        lodging.requested += request.cpu;
        r.had.waited = Duration(r.had.waited.0 + wait.0);
        r.had.starts += 1;
        r.had.since_start = (0.0, 0.0);
        r.peak = 0;
        (r.stage, r.since) = (Stage::Starting, self.now);
        r.credited = self.now;
        r.marks = r.clocks(lodging, &self.hosts[host.index()]);
        if !r.is_node() {
            t.totals.placements += 1;
            t.totals.waits.record(wait.0);
            t.totals.wait_sum_ns += u128::from(wait.0);
            t.placed += 1;
            t.totals.most = t.totals.most.max(t.placed);
        }
        let start = Duration::from_secs_f64(self.rules.instances.start_s);
        if start == Duration::ZERO {
            self.instance_ready(slot);
            // It may have changed nothing but what is reserved.
            return self.settle(host);
        }
        let r = &mut self.tenancy.residents[slot];
        r.used = request.memory;
        let h = &mut self.hosts[host.index()];
        h.starting += 1;
        h.held[crate::ledger::Held::Starting as usize] += request.memory;
        self.plan_step(slot, self.now + start);
        self.settle(host);
        self.relieve(host);
    }

    /// What a host reserves for an instance, here or on its way.
    pub(super) fn reserve_for(&mut self, host: HostId, request: &InstanceRequest) {
        let h = &mut self.hosts[host.index()];
        h.sandboxes += 1;
        h.reserved_memory += request.memory;
        h.reserved_cpu += request.cpu;
        let (region, first) = (h.region, h.sandboxes == 1);
        self.loads[region.index()].memory_held += request.memory;
        if first {
            self.count_used_hosts(1);
        }
        self.packing.instance_placed(request, host);
    }

    /// Takes back what a host had reserved for an instance.
    pub(super) fn release_from(&mut self, host: HostId, request: &InstanceRequest) {
        let h = &mut self.hosts[host.index()];
        h.sandboxes -= 1;
        h.reserved_memory -= request.memory;
        h.reserved_cpu -= request.cpu;
        let (region, was_last) = (h.region, h.sandboxes == 0);
        self.loads[region.index()].memory_held -= request.memory;
        if was_last {
            self.count_used_hosts(-1);
        }
        self.freed |= self.scales;
        self.packing.instance_left(request, host);
    }

    /// Room may have appeared in a region: places the instances that wait there, in their order.
    pub(in crate::sim) fn serve_instances(&mut self, region: RegionId) {
        let mut after = None;
        let mut passed = 0;
        loop {
            let queue = &self.tenancy.waiting[region.index()];
            let next = match after {
                None => queue.first_key_value(),
                Some(key) => queue.range((std::ops::Bound::Excluded(key), std::ops::Bound::Unbounded)).next(),
            };
            let Some((&key, &slot)) = next else { return };
            let request = self.tenancy.residents[slot].request;
            if let Some(host) = self.room_for(&request, region) {
                self.leave_line(slot, region);
                self.settle_in(slot, host);
                continue;
            }
            // A job of several nodes must not be overtaken while it holds some of them: two that wait for each other would wait for ever.
            if passed == self.rules.instances.backfill || self.is_part_of_several(slot) {
                return;
            }
            passed += 1;
            after = Some(key);
        }
    }

    /// An instance leaves the queue.
    pub(in crate::sim) fn leave_line(&mut self, slot: u32, region: RegionId) {
        let key = self.queue_key(slot);
        let request = self.tenancy.residents[slot].request;
        self.tenancy.waiting[region.index()].remove(&key).expect("it waits in this queue");
        self.loads[region.index()].instances_waiting -= 1;
        let needs = &mut self.regions[region.index()].waiting_needs;
        *needs = (needs.0 - request.cpu, needs.1 - request.memory);
    }
}
