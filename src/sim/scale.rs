//! Sandboxes that are started ahead of calls: what scaling wants of each pool, and what keep-alive plans.

use super::engine::Engine;
use super::event::Event;
use crate::cluster::{SandboxState, WarmScope};
use crate::scheduler::View;
use crate::scheduler::keep_alive::Prewarm;
use crate::scheduler::packing::{Placement, Pool};
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
        let all = View { now: self.now, regions: &self.loads, forecasts: &self.forecasts };
        let wanted = self.scaling.wanted(&view, &all);
        let p = self.pools.at(pool, region);
        let before = std::mem::replace(&mut p.floor, wanted);
        let (has, idle) = (p.sandboxes, p.idle);
        if has < wanted {
            self.short.push(entry as u32);
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

    /// Starts what pools lack of their floor, as far as there is room.
    pub(super) fn fill_pools(&mut self) {
        while let Some(entry) = self.short.pop() {
            let (pool, region) = self.pools.parts(entry as usize);
            loop {
                let p = self.pools.at(pool, region);
                if p.sandboxes >= p.floor || self.start_ahead(pool, region).is_none() {
                    break;
                }
            }
        }
    }

    /// Starts a sandbox that no call has asked for, unless there is no room. A call that comes before it is ready may wait for
    /// it instead of starting one of its own.
    fn start_ahead(&mut self, pool: PoolId, region: RegionId) -> Option<SandboxId> {
        let function = self.pools.at(pool, region).last_function;
        let mut request = self.request(function);
        request.cpu = self.sandbox_cpu;
        let r = &self.regions[region.index()];
        let nobody = self.no_warm.get_or_insert_with(|| {
            crate::cluster::WarmPools::new(
                self.rules.sandbox.reuse_order,
                self.packing.warm_scope(),
                self.regions.len(),
                self.hosts.len(),
            )
        });
        nobody.grow(self.pools.count());
        let view = Pool { region, first_host: r.first_host, index: &r.free, warm: nobody, sandboxes: &self.sandboxes };
        let Placement::Cold(host) = self.packing.place(&request, &view) else {
            self.totals.prewarm_without_room += 1;
            return None;
        };
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
            && let Some(id) = self.start_ahead(pool, region)
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
