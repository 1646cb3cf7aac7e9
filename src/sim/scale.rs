//! Sandboxes that are started ahead of calls: what scaling wants of each pool, and what keep-alive plans.

use super::engine::Engine;
use super::event::Event;
use crate::cluster::{SandboxState, WarmScope};
use crate::scheduler::keep_alive::Prewarm;
use crate::scheduler::packing::{Placement, Pool};
use crate::sim::view::view;
use crate::types::{Duration, PoolId, RegionId, SandboxId};

impl Engine<'_> {
    /// A pool is called in a region, or is known to be: from now on scaling is asked for it.
    pub(super) fn call_pool(&mut self, pool: PoolId, region: RegionId) {
        let p = self.pools.at(pool, region);
        if !std::mem::replace(&mut p.called, true) {
            let entry = self.pools.entry(pool, region);
            self.called.push(entry as u32);
            self.ask_scaling(entry);
        }
    }

    /// Scaling's tick: it is asked for every pool that is called.
    pub(super) fn scale(&mut self) {
        for i in 0..self.called.len() {
            self.ask_scaling(self.called[i] as usize);
        }
        if let Some(period) = self.scaling.period() {
            self.queue.push(self.now + period.max(Duration(1)), Event::Scale);
        }
    }

    fn ask_scaling(&mut self, entry: usize) {
        let (pool, region) = self.pools.parts(entry);
        let mean_demand = self.pools.at(pool, region).take_mean_demand(self.now);
        let view = crate::scheduler::PoolView { mean_demand, ..self.pools.view(pool, region, self.now) };
        let all = view!(self);
        let wanted = self.scaling.wanted(&view, &all);
        let p = self.pools.at(pool, region);
        let before = std::mem::replace(&mut p.floor, wanted);
        let (has, idle) = (p.sandboxes, p.idle);
        if has < wanted {
            self.short.push_back(entry as u32);
        } else {
            // Beyond the floor: all that is idle where the number is fixed, else what the floor had kept.
            let surplus = if self.on_demand { before.saturating_sub(wanted) } else { u32::MAX };
            for _ in 0..surplus.min(has - wanted).min(idle) {
                let Some(id) = self.idle_of(pool, region) else { break };
                let host = self.sandboxes[id].host;
                self.touch(host);
                self.remove_idle(id);
                self.totals.expired += 1;
                self.settle(host);
                self.serve_waiting(host);
            }
        }
    }

    /// An idle sandbox of a pool.
    fn idle_of(&self, pool: PoolId, region: RegionId) -> Option<SandboxId> {
        let is_idle = |id: &SandboxId| self.sandboxes[*id].state == SandboxState::Warm;
        match self.packing.warm_scope() {
            WarmScope::Region => {
                self.warm.in_region_where(&self.sandboxes, pool, region, usize::MAX, |id| is_idle(&id))
            }
            WarmScope::Host => {
                let hosts = self.warm.hosts(pool, region);
                hosts.filter_map(|host| self.warm.on_host(pool, region, host)).find(is_idle)
            }
        }
    }

    /// Starts what pools lack of their floor, in the order in which they came to lack it. Those for which there is no room wait for
    /// it, and are tried again, first come, first served in each region, whenever some may have appeared.
    pub(super) fn fill_pools(&mut self) {
        while let Some(entry) = self.short.pop_front() {
            let (pool, region) = self.pools.parts(entry as usize);
            if !self.pools.at(pool, region).lacks && !self.fill(pool, region) {
                self.pools.at(pool, region).lacks = true;
                self.lacking[region.index()].push_back(entry);
            }
        }
        if std::mem::take(&mut self.freed) {
            for r in 0..self.lacking.len() {
                while let Some(&entry) = self.lacking[r].front() {
                    let (pool, region) = self.pools.parts(entry as usize);
                    if !self.fill(pool, region) {
                        break;
                    }
                    self.pools.at(pool, region).lacks = false;
                    self.lacking[r].pop_front();
                }
            }
        }
    }

    /// Starts what a pool lacks of its floor; false if there is no room for all of it.
    fn fill(&mut self, pool: PoolId, region: RegionId) -> bool {
        loop {
            let p = self.pools.at(pool, region);
            if p.sandboxes >= p.floor {
                return true;
            }
            let counted = p.lacks;
            if self.start_ahead(pool, region, counted).is_none() {
                return false;
            }
        }
    }

    /// Starts a sandbox that no call has asked for, unless there is no room. A call that comes before it is ready may wait for
    /// it instead of starting one of its own. `counted`: that there is no room has been counted before.
    fn start_ahead(&mut self, pool: PoolId, region: RegionId, counted: bool) -> Option<SandboxId> {
        let function = self.pools.at(pool, region).last_function;
        let mut request = self.request(function);
        request.cpu = self.sandbox_cpu;
        let r = &self.regions[region.index()];
        let nobody = self.no_warm.get_or_insert_with(|| {
            crate::cluster::WarmPools::new(
                crate::cluster::ReuseOrder::Lru,
                self.packing.warm_scope(),
                self.regions.len(),
                self.hosts.len(),
            )
        });
        nobody.grow(self.pools.count());
        let view = Pool { region, first_host: r.first_host, index: &r.free, warm: nobody, sandboxes: &self.sandboxes };
        let Placement::Cold(host) = self.packing.place(&request, &view) else {
            self.totals.prewarm_without_room += u64::from(!counted);
            return None;
        };
        if self.would_exhaust(host, request.memory) {
            self.totals.prewarm_without_room += u64::from(!counted);
            return None;
        }
        self.touch(host);
        let id = self.create(function, host);
        let generation = self.sandboxes[id].generation;
        self.joinable.entry((pool.0, region.0)).or_default().push_back((id.0, generation));
        self.totals.prewarmed += 1;
        self.settle(host);
        self.relieve(host);
        Some(id)
    }

    /// Keep-alive has planned to load a pool again.
    pub(super) fn plan_prewarm(&mut self, pool: PoolId, region: RegionId, prewarm: Prewarm) {
        let begins = self.now + prewarm.after;
        let entry = self.pools.entry(pool, region) as u32;
        let p = self.pools.at(pool, region);
        p.stamp = p.stamp.wrapping_add(1);
        p.prewarm_until = begins + prewarm.keep;
        if begins.0 != u64::MAX {
            self.queue.push(begins, Event::Prewarm { entry, stamp: p.stamp });
        }
    }

    /// A pool is loaded before it is called, unless it has a sandbox already.
    pub(super) fn prewarm(&mut self, entry: u32) {
        let (pool, region) = self.pools.parts(entry as usize);
        if self.pools.at(pool, region).sandboxes == 0
            && let Some(id) = self.start_ahead(pool, region, false)
        {
            self.sandboxes[id].ahead = true;
        }
    }

    /// One host more or less holds a sandbox.
    pub(super) fn count_used_hosts(&mut self, change: i32) {
        let (used, since) = &mut self.used_hosts;
        self.totals.hosts_used_s += f64::from(*used) * (self.now - *since).as_secs_f64();
        *used = used.checked_add_signed(change).expect("a host is emptied that was used");
        *since = self.now;
        self.totals.hosts_used_max = self.totals.hosts_used_max.max(*used);
    }
}
