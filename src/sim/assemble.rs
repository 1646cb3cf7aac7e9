//! From a setup to an engine that is ready to run, and the functions that it comes to know.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::calls::Calls;
use super::dispatch::Dispatching;
use super::engine::{Engine, Needs, Passive, Region};
use super::event::Event;
use super::expiry::ExpiryLanes;
use super::idle::Shares;
use super::instances::{Asks, Tenancy};
use super::jobs::Jobs;
use super::periods::Periods;
use super::pools::Pools;
use super::pushes::Pushes;
use super::queue::EventQueue;
use super::rules::Exhaustion;
use super::setup::{Logs, RegionSetup, Setup, SimError};
use super::statistics::{FunctionStats, Series, Totals};
use super::waiting::Waiting;
use super::workers::Workers;
use crate::cluster::{
    CpuModel, EvictionOrder, Group, Host, HostIndex, IdleOrder, ProcessorSharing, Sandboxes, WarmPools,
};
use crate::isolation::Scope;
use crate::ledger::{Accounts, Meter, MeteredHost, SiteBook};
use crate::scheduler::RegionLoad;
use crate::scheduler::overcommit::Capacity;
use crate::scheduler::shifting::Plan;
use crate::types::{Duration, FunctionId, GroupId, HostId, PoolId, SimTime};
use crate::workload::{Batch, FunctionProfile, Survey};

impl<'a> Engine<'a> {
    pub(super) fn new(setup: Setup, survey: Option<Survey>, logs: Logs<'a>) -> Self {
        let Setup { regions, groups, hosts, mechanism, rules, mut overcommit, packing, .. } = setup;
        let orders = packing.orders();
        let budget = setup.keep_alive.budget();
        let order = budget.map(|b| b.order).or(rules.sandbox.eviction.order());
        let evict = rules.sandbox.eviction.order().is_some();
        let system = mechanism.memory_per_host.0;
        let promised: Vec<Capacity> = hosts
            .iter()
            .map(|&g| {
                let g = &groups[g.index()];
                let physical = Capacity { cpu: g.cpu, memory: g.memory.0.saturating_sub(system) };
                overcommit.allocatable(physical)
            })
            .collect();
        let kills = matches!(rules.memory.exhaustion, Exhaustion::Kill | Exhaustion::Evict);
        let swap = if rules.memory.exhaustion == Exhaustion::Swap { rules.memory.swap_slowdown } else { 0.0 };
        let metered = mechanism.start_energy_j.is_some();
        let host = |&g: &GroupId| {
            let mut host = Host::new(g, groups[g.index()].region);
            host.system = system.min(groups[g.index()].memory.0);
            host.swap_slowdown = swap;
            host.start_w = metered.then_some(0.0);
            host
        };
        let states: Vec<Host> = hosts.iter().map(host).collect();
        let may_exhaust =
            promised.iter().zip(&hosts).any(|(p, g)| p.memory > groups[g.index()].memory.0.saturating_sub(system));
        let largest = |r: &RegionSetup| {
            let own = &promised[r.first_host as usize..][..r.hosts as usize];
            own.iter().fold((0, 0), |(c, m), p| (p.cpu.max(c), p.memory.max(m)))
        };
        let together = |r: &RegionSetup| {
            let own = &promised[r.first_host as usize..][..r.hosts as usize];
            own.iter().fold((0, 0), |(c, m), p| (p.cpu + c, p.memory + m))
        };
        let region_states = regions
            .iter()
            .map(|r| Region {
                name: r.name.clone(),
                first_host: r.first_host,
                free: HostIndex::new(r.hosts as usize, orders),
                reclaimable: evict.then(|| HostIndex::new(r.hosts as usize, orders)),
                stale: Vec::new(),
                waiting: Waiting::new(&rules.queue, r.hosts as usize),
                largest: largest(r),
                promised: together(r),
                waiting_needs: (0, 0),
            })
            .collect();
        let mut loads = vec![RegionLoad::default(); regions.len()];
        for host in &states {
            let load = &mut loads[host.region.index()];
            load.hosts_on += 1;
            load.cpu_capacity += groups[host.group.index()].cpu;
        }
        let scales = !setup.scaling.is_passive();
        let followed = scales || setup.keep_alive.needs_pools();
        let passive = Passive {
            admission: setup.admission.is_passive(),
            shifting: setup.shifting.is_passive(),
            routing: setup.routing.is_passive() && !setup.network.confines(),
            arrivals: !setup.keep_alive.observes() && !followed,
            ends: !setup.admission.observes(),
            packing: !packing.observes(),
        };
        for (load, region) in loads.iter_mut().zip(&regions) {
            load.largest_function = largest(region).1.saturating_sub(mechanism.memory_overhead.0);
        }
        let (scope, slots) = (mechanism.scope, mechanism.calls_per_sandbox);
        let reserved_cores = mechanism.reserved_cores;
        let most_sandboxes = mechanism.max_per_host.unwrap_or(u32::MAX);
        let constant_keep = setup.keep_alive.constant().filter(|_| !scales && scope != Scope::Request);
        let shares = Shares::new(&mechanism);
        let plain_work = mechanism.cpu_factor == 1.0
            && mechanism.first_call_factor == 1.0
            && setup.runtime.warmup_calls == 0
            && setup.runtime.code_push.is_none()
            && !mechanism.start_covers_call;
        let pushes = setup
            .runtime
            .code_push
            .as_ref()
            .map(|spec| Box::new(Pushes::new(spec, hosts.len(), &groups, regions.len(), setup.ledger_step)));
        let workers = setup.workers.then(|| {
            let physical = |g: &GroupId| groups[g.index()].memory;
            Box::new(Workers::new(hosts.iter().map(physical).collect()))
        });
        let most_calls = rules.max_calls_per_host.unwrap_or(u32::MAX);
        let limit = mechanism.creations;
        let interval =
            |g: &Group| limit.map_or(Duration::ZERO, |l| l.interval(g.cpu as f64 / crate::cluster::UNITS_PER_CORE));
        let creation_burst = limit.map_or(1, |l| l.burst.max(1.0) as u32);
        let mut site = SiteBook::new(regions.len(), setup.ledger_step);
        let metered = |h: &Host| {
            let group = &groups[h.group.index()];
            MeteredHost { region: h.region, idle_w: group.idle_w, pue: (group.pue, group.fixed_overhead_w) }
        };
        let meter = setup.meter.map(|spec| {
            site.tell_of(spec.instants());
            Box::new(Meter::new(&spec, states.iter().map(metered), regions.len(), setup.seed.derive("meter")))
        });
        let peaks = survey.as_ref().map_or(Vec::new(), |s| s.peaks.clone());
        let cools = mechanism.pause_after != Duration::FOREVER || mechanism.snapshot_after != Duration::FOREVER;
        let warm = WarmPools::new(rules.sandbox.reuse_order(cools), packing.warm_scope(), regions.len(), hosts.len());
        let periods = match (setup.account_step, logs.accounts) {
            (Some(step), Some(sink)) => Some(Periods::new(step, groups.len(), sink)),
            _ => None,
        };
        let cut = setup.duration.map_or(SimTime::NEVER, |d| SimTime(d.0));
        let cores = hosts.iter().map(|g| groups[g.index()].cpu as f64 / crate::cluster::UNITS_PER_CORE).sum();
        let asks = Asks { overcommit, watch: setup.watch, migration: setup.migration };
        let there = (hosts.len(), regions.len(), cores);
        let mut promises = vec![Capacity { cpu: 0, memory: 0 }; groups.len()];
        for (group, promise) in hosts.iter().zip(&promised) {
            promises[group.index()] = *promise;
        }
        let lodgers = (setup.instances, setup.jobs.is_some());
        let mut tenancy = Tenancy::new(lodgers, &rules.instances, there, asks, cut, logs.instances);
        let lost = setup.seed.derive("dispatch").stream("lost-acknowledgements", 0);
        let dispatch = Dispatching::new(setup.dispatch, regions.len(), setup.services, lost);
        let jobs = Jobs::new(setup.jobs, regions.len(), cut, logs.jobs);
        tenancy.promises = promises;
        let mut engine = Self {
            now: SimTime::ZERO,
            sharing: vec![ProcessorSharing::default(); hosts.len()],
            hosts: states,
            promised,
            regions: region_states,
            loads,
            mechanism,
            admission: setup.admission,
            shifting: setup.shifting,
            routing: setup.routing,
            network: setup.network,
            packing,
            restarts: setup.keep_alive.restarts(),
            constant_keep,
            counts_cpu: reserved_cores > 0.0 || rules.cpu == CpuModel::Isolated || tenancy.present,
            most_sandboxes,
            most_calls,
            least_cpu: u64::from(most_calls < u32::MAX),
            pushes,
            workers,
            cools,
            passes_on: slots > 1 || !setup.scaling.on_demand(),
            keep_alive: setup.keep_alive,
            on_demand: setup.scaling.on_demand(),
            scales,
            scaling: setup.scaling,
            provisioning: setup.provisioning,
            forecasts: setup.forecasts,
            observed: setup.observed,
            reserved: crate::scheduler::Reserved::default(),
            clocks: setup.clocks,
            queue: EventQueue::default(),
            lanes: ExpiryLanes::default(),
            calls: Calls::default(),
            sandboxes: Sandboxes::default(),
            warm,
            pending: FxHashMap::default(),
            joinable: FxHashMap::default(),
            pools: Pools::new(scope, regions.len(), followed, slots, peaks),
            runtime: setup.runtime,
            init_streams: Vec::new(),
            shares,
            slots,
            sandbox_cpu: (reserved_cores * crate::cluster::UNITS_PER_CORE).round() as u64,
            joins: slots > 1 || followed,
            plain_work,
            creation_interval: groups.iter().map(interval).collect(),
            creation_burst,
            called: Vec::new(),
            short: VecDeque::new(),
            lacking: vec![VecDeque::new(); regions.len()],
            freed: false,
            no_warm: None,
            used_hosts: (0, SimTime::ZERO),
            may_exhaust,
            kills,
            by_priority: order == Some(EvictionOrder::GreedyDual),
            idle_order: IdleOrder::new(order.unwrap_or(EvictionOrder::Lru), hosts.len()),
            idle_budget: budget.map(|b| b.per_host),
            announced: (0, 0),
            profiles: Vec::new(),
            tenants: Vec::new(),
            needs: Vec::new(),
            functions: Vec::new(),
            passive,
            // By age, the lists are kept from the first eviction on; by anything else, always.
            evicting: order.is_some_and(|o| o != EvictionOrder::Lru),
            expiring: 0,
            is_stale_host: vec![false; hosts.len()],
            streams: Vec::new(),
            totals: Totals::default(),
            site,
            meter,
            accounts: Accounts::new(groups.len()),
            series: Series::new(regions.len(), setup.ledger_step, setup.split_cpu),
            seed: setup.seed.derive("engine"),
            events: 0,
            received: 0,
            log: logs.calls,
            next_edge: periods.as_ref().map_or(SimTime::NEVER, Periods::edge),
            periods,
            failure: None,
            let_go_now: Vec::new(),
            plan: Plan::default(),
            dispatch,
            tenancy,
            jobs,
            rules,
            groups,
        };
        for host in 0..engine.hosts.len() {
            engine.settle(HostId::from_index(host));
        }
        if engine.provisioning.period().is_some() {
            engine.queue.push(SimTime::ZERO, Event::Provision);
        }
        if let Some(survey) = survey {
            engine.announce_beforehand(survey);
        }
        if scales && let Some(period) = engine.scaling.period() {
            engine.queue.push(SimTime::ZERO + period, Event::Scale);
        }
        if let Some(period) = engine.shifting.period() {
            engine.queue.push(SimTime::ZERO + period, Event::ShiftTick);
        }
        engine.begin_dispatch();
        if let Some(period) = engine.packing.period() {
            engine.queue.push(SimTime::ZERO + period, Event::Reassign);
        }
        engine.begin_tenancy();
        engine.begin_jobs();
        engine
    }

    /// Opens the books for functions and tenants that appear for the first time.
    pub(super) fn announce(&mut self, batch: &mut Batch) {
        // A survey has announced them already, in the same order.
        let (functions, tenants) = self.announced;
        let (functions, tenants) = (functions.min(batch.functions.len()), tenants.min(batch.tenants.len()));
        self.announced = (self.announced.0 - functions, self.announced.1 - tenants);
        batch.functions.drain(..functions);
        batch.tenants.drain(..tenants);
        if self.tenancy.present {
            self.announce_calls(batch);
        }
        self.tenants.append(&mut batch.tenants);
        for profile in batch.functions.drain(..) {
            self.announce_called(profile);
        }
        self.accounts.grow(self.profiles.len());
        self.warm.grow(self.pools.count());
    }

    /// A function that may be called appears: packing is told of it.
    pub(super) fn announce_called(&mut self, profile: FunctionProfile) {
        let id = FunctionId::from_index(self.profiles.len());
        self.announce_function(profile);
        let memory = self.sandbox_memory(id);
        if let Err(e) = self.packing.announced(id, &self.profiles[id.index()], memory) {
            let region = &self.regions[e.region.index()];
            self.failure.get_or_insert(SimError::TooFewWorkers {
                region: region.name.clone(),
                workers: region.free.hosts() as u32,
                namespaces: e.namespaces,
            });
        }
        if let Some(workers) = &mut self.workers {
            workers.grow(id);
        }
    }

    pub(super) fn announce_function(&mut self, profile: FunctionProfile) {
        let id = FunctionId::from_index(self.profiles.len());
        self.streams.push(self.seed.stream("cold-start", u64::from(id.0)));
        self.init_streams.push(self.seed.stream("runtime-init", u64::from(id.0)));
        let (pool, _) = self.pools.announce(&profile, id);
        self.needs.push(Needs { memory: self.pool_memory(pool), cpu: u64::from(profile.cpu.0) * 1000, pool });
        if self.dispatch.on {
            self.dispatch.announce(&profile);
        }
        if self.network.is_wide() {
            self.network.announce(&profile.name, &self.tenants[profile.tenant.index()]);
        }
        self.profiles.push(profile);
        self.functions.push(FunctionStats::default());
    }

    /// Memory that a sandbox of a pool reserves \[bytes\]: for its largest function, of which the first call is paid for in full and
    /// each further one at once by its share. Where a pool has several functions, a survey has announced them all.
    fn pool_memory(&self, pool: PoolId) -> u64 {
        let own = self.pools.largest[pool.index()];
        let more = f64::from(self.slots - 1) * self.mechanism.call_memory_share;
        own + (own as f64 * more).round() as u64 + self.mechanism.memory_overhead.0
    }

    /// Announces everything that a survey has found, and asks scaling for every pool that will be called.
    fn announce_beforehand(&mut self, survey: Survey) {
        let mut batch = Batch { calls: Vec::new(), functions: survey.profiles, tenants: survey.tenants };
        let announced = (batch.functions.len(), batch.tenants.len());
        self.announce(&mut batch);
        self.announced = announced;
        for function in 0..self.needs.len() {
            self.needs[function].memory = self.pool_memory(self.needs[function].pool);
        }
        if self.scales {
            for (entry, _) in survey.calls.iter().enumerate().filter(|(_, calls)| **calls > 0) {
                let (pool, region) = self.pools.parts(entry);
                self.call_pool(pool, region);
            }
            self.fill_pools();
        }
    }
}
