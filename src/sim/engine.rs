//! The loop: takes the next instant from three sorted sources and lets it happen.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::calls::{Call, Calls, Stage};
use super::event::{Class, Event};
use super::expiry::ExpiryLanes;
use super::idle::Shares;
use super::pools::Pools;
use super::queue::EventQueue;
use super::rules::{Exhaustion, Rules};
use super::setup::{CallLog, Outcome, Progress, RegionSetup, Setup, SimError};
use super::statistics::{FunctionStats, Series, Totals};
use super::waiting::Waiting;
use crate::cluster::{
    EvictionOrder, Group, Host, HostIndex, IdleOrder, NONE, ProcessorSharing, SandboxState, Sandboxes, Tier, WarmPools,
};
use crate::grid::{Cursor, Forecast};
use crate::isolation::{Mechanism, Runtime};
use crate::ledger::{Accounts, SiteBook};
use crate::scheduler::admission::Admission;
use crate::scheduler::keep_alive::KeepAlive;
use crate::scheduler::overcommit::Capacity;
use crate::scheduler::packing::Packing;
use crate::scheduler::provisioning::Provisioning;
use crate::scheduler::routing::Routing;
use crate::scheduler::scaling::Scaling;
use crate::scheduler::shifting::Shifting;
use crate::scheduler::{CallToken, RegionLoad};
use crate::types::{Duration, FunctionId, GroupId, HostId, PoolId, SandboxId, Seed, SimTime, Stream};
use crate::workload::{Arrival, Arrivals, Batch, FunctionProfile, Survey};

/// What the hot path must know of a function, apart from its profile: 24 bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needs {
    /// Memory of one sandbox of its pool, isolation overhead included \[bytes\].
    pub memory: u64,
    /// CPU demand of one running call [millionths of a core].
    pub cpu: u64,
    /// Whose sandboxes it uses.
    pub pool: PoolId,
}

/// Which seams hold a policy that never decides anything, so that the hot path skips them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passive {
    pub admission: bool,
    pub shifting: bool,
    pub routing: bool,
    /// Whether keep-alive wants to be told of arrivals.
    pub arrivals: bool,
    /// Whether admission wants to be told of ends.
    pub ends: bool,
}

pub(super) struct Region {
    pub name: String,
    pub first_host: u32,
    /// Hosts by free memory.
    pub free: HostIndex,
    /// Hosts by the memory that eviction of idle sandboxes could free, where eviction is on. Brought up to date only when
    /// it is asked: the hosts in `stale` have changed since.
    pub reclaimable: Option<HostIndex>,
    pub stale: Vec<u32>,
    pub waiting: Waiting,
    /// Largest promise of any host: (CPU, memory).
    pub largest: (u64, u64),
}

pub(super) struct Engine<'a> {
    pub now: SimTime,
    pub rules: Rules,
    pub groups: Vec<Group>,
    pub hosts: Vec<Host>,
    pub promised: Vec<Capacity>,
    pub sharing: Vec<ProcessorSharing>,
    pub regions: Vec<Region>,
    pub loads: Vec<RegionLoad>,
    pub mechanism: Mechanism,
    pub admission: Box<dyn Admission>,
    pub shifting: Box<dyn Shifting>,
    pub routing: Box<dyn Routing>,
    pub packing: Box<dyn Packing>,
    pub keep_alive: Box<dyn KeepAlive>,
    pub scaling: Box<dyn Scaling>,
    pub provisioning: Box<dyn Provisioning>,
    pub forecasts: Vec<Box<dyn Forecast>>,
    pub clocks: Vec<Cursor>,
    pub queue: EventQueue,
    pub lanes: ExpiryLanes,
    pub calls: Calls,
    pub sandboxes: Sandboxes,
    pub warm: WarmPools,
    /// Starting sandboxes with a call bound to them, by (pool, region); kept only where freed sandboxes may be taken.
    pub pending: FxHashMap<(u32, u32), VecDeque<(u32, u32)>>,
    /// Starting sandboxes with places left, by (pool, region); kept only where a sandbox takes several calls.
    pub joinable: FxHashMap<(u32, u32), VecDeque<(u32, u32)>>,
    pub pools: Pools,
    /// The language runtime in every sandbox, and each function's random stream for it.
    pub runtime: Runtime,
    pub init_streams: Vec<Stream>,
    pub shares: Shares,
    /// Calls that one sandbox takes at a time.
    pub slots: u32,
    /// Whether there may be starting sandboxes that a call can wait for: with several places, or started ahead of calls.
    pub joins: bool,
    /// Whether a call's length is its work alone, whatever the sandbox.
    pub plain_work: bool,
    /// Shortest time between two creations on a host, by group; zero without a limit.
    pub creation_interval: Vec<Duration>,
    pub creation_burst: u32,
    /// Whether scaling decides anything, and whether a call that finds no sandbox starts one.
    pub scales: bool,
    pub on_demand: bool,
    /// Pools in regions for which scaling is asked, and those that have fewer sandboxes than it wants.
    pub called: Vec<u32>,
    pub short: Vec<u32>,
    /// Warm sets that are always empty, to place sandboxes that nobody has called.
    pub no_warm: Option<WarmPools>,
    /// Hosts that hold a sandbox, and since when.
    pub used_hosts: (u32, SimTime),
    /// Whether hosts may promise more memory than they have, and whether busy sandboxes may be killed for it.
    pub may_exhaust: bool,
    pub kills: bool,
    /// Idle sandboxes of each host in the order in which they go.
    pub idle_order: IdleOrder,
    /// Whether that order is by the priority of uses.
    pub by_priority: bool,
    /// Memory that the idle sandboxes of a host may hold together.
    pub idle_budget: Option<crate::types::Memory>,
    /// How many functions and tenants the survey announced beforehand.
    pub announced: (usize, usize),
    pub profiles: Vec<FunctionProfile>,
    pub tenants: Vec<Box<str>>,
    pub needs: Vec<Needs>,
    pub functions: Vec<FunctionStats>,
    pub passive: Passive,
    /// What [`KeepAlive::restarts`] says; it never changes.
    pub restarts: bool,
    /// Whether the hosts' lists of idle sandboxes are kept: from the first eviction on.
    pub evicting: bool,
    /// Warm sandboxes that will expire some time.
    pub expiring: usize,
    /// Whether a host stands in its region's list of stale hosts.
    pub is_stale_host: Vec<bool>,
    pub streams: Vec<Stream>,
    pub totals: Totals,
    pub site: SiteBook,
    pub accounts: Accounts,
    pub series: Series,
    pub seed: Seed,
    pub events: u64,
    pub received: u64,
    pub log: Option<CallLog<'a>>,
    pub failure: Option<SimError>,
    /// Reused by every shifting tick.
    pub let_go_now: Vec<CallToken>,
}

/// Runs a workload to its end.
///
/// # Errors
/// [`SimError`]: a bad workload, a function that no host can hold, a call log that cannot be written.
pub fn simulate(
    mut setup: Setup,
    mut arrivals: Box<dyn Arrivals>,
    log: Option<CallLog<'_>>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Outcome, Box<dyn Arrivals>), SimError> {
    let (duration, drain_limit, fixed_end) = (setup.duration, setup.drain_limit, setup.fixed_end);
    let survey = setup.survey.take();
    let mut engine = Engine::new(setup, survey, log);
    let mut batch = Batch::default();
    let cut = duration.map_or(SimTime::NEVER, |d| SimTime(d.0));
    let mut last_arrival = SimTime::ZERO;
    'stream: loop {
        arrivals.next_batch(&mut batch)?;
        engine.announce(&mut batch);
        if batch.calls.is_empty() {
            break;
        }
        for arrival in &batch.calls {
            if arrival.time >= cut {
                break 'stream;
            }
            engine.run_until(arrival.time);
            engine.now = arrival.time;
            engine.arrive(arrival);
            if let Some(failure) = engine.failure.take() {
                return Err(failure);
            }
            last_arrival = arrival.time;
        }
        progress(Progress {
            now: engine.now,
            events: engine.events,
            calls: engine.received,
            share: arrivals.progress(),
        });
    }
    let end_of_arrivals = duration.map_or(last_arrival, |d| SimTime(d.0));
    engine.drain(end_of_arrivals, duration.is_some(), drain_limit);
    if fixed_end {
        engine.run_until(end_of_arrivals + drain_limit);
        engine.now = end_of_arrivals + drain_limit;
    }
    if let Some(failure) = engine.failure.take() {
        return Err(failure);
    }
    Ok((engine.close(), arrivals))
}

impl<'a> Engine<'a> {
    fn new(setup: Setup, survey: Option<Survey>, log: Option<CallLog<'a>>) -> Self {
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
        let kills = rules.memory.exhaustion == Exhaustion::Kill;
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
            routing: setup.routing.is_passive(),
            arrivals: !setup.keep_alive.observes() && !followed,
            ends: !setup.admission.observes(),
        };
        for (load, region) in loads.iter_mut().zip(&regions) {
            load.largest_function = largest(region).1.saturating_sub(mechanism.memory_overhead.0);
        }
        let (scope, slots) = (mechanism.scope, mechanism.calls_per_sandbox);
        let shares = Shares::new(&mechanism);
        let plain_work = mechanism.cpu_factor == 1.0
            && mechanism.first_call_factor == 1.0
            && setup.runtime.warmup_calls == 0
            && !mechanism.start_covers_call;
        let limit = mechanism.creations;
        let interval =
            |g: &Group| limit.map_or(Duration::ZERO, |l| l.interval(g.cpu as f64 / crate::cluster::UNITS_PER_CORE));
        let creation_burst = limit.map_or(1, |l| l.burst.max(1.0) as u32);
        let peaks = survey.as_ref().map_or(Vec::new(), |s| s.peaks.clone());
        let warm = WarmPools::new(rules.sandbox.reuse_order, packing.warm_scope(), regions.len(), hosts.len());
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
            packing,
            restarts: setup.keep_alive.restarts(),
            keep_alive: setup.keep_alive,
            on_demand: setup.scaling.on_demand(),
            scales,
            scaling: setup.scaling,
            provisioning: setup.provisioning,
            forecasts: setup.forecasts,
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
            joins: slots > 1 || followed,
            plain_work,
            creation_interval: groups.iter().map(interval).collect(),
            creation_burst,
            called: Vec::new(),
            short: Vec::new(),
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
            site: SiteBook::new(regions.len(), setup.ledger_step),
            accounts: Accounts::new(groups.len()),
            series: Series::new(regions.len(), setup.ledger_step),
            seed: setup.seed.derive("engine"),
            events: 0,
            received: 0,
            log,
            failure: None,
            let_go_now: Vec::new(),
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
        engine
    }

    /// Opens the books for functions and tenants that appear for the first time.
    fn announce(&mut self, batch: &mut Batch) {
        // A survey has announced them already, in the same order.
        let (functions, tenants) = self.announced;
        let (functions, tenants) = (functions.min(batch.functions.len()), tenants.min(batch.tenants.len()));
        self.announced = (self.announced.0 - functions, self.announced.1 - tenants);
        batch.functions.drain(..functions);
        batch.tenants.drain(..tenants);
        self.tenants.append(&mut batch.tenants);
        for profile in batch.functions.drain(..) {
            self.announce_function(profile);
        }
        if std::mem::take(&mut self.pools.grown) {
            for i in 0..self.needs.len() {
                self.needs[i].memory = self.memory_of(self.needs[i].pool);
            }
        }
        self.accounts.grow(self.profiles.len());
        self.warm.grow(self.pools.count());
    }

    fn announce_function(&mut self, profile: FunctionProfile) {
        let id = FunctionId::from_index(self.profiles.len());
        self.streams.push(self.seed.stream("cold-start", u64::from(id.0)));
        self.init_streams.push(self.seed.stream("runtime-init", u64::from(id.0)));
        let (pool, _) = self.pools.announce(&profile, id);
        let memory = self.memory_of(pool);
        self.needs.push(Needs { memory, cpu: u64::from(profile.cpu.0) * 1000, pool });
        self.profiles.push(profile);
        self.functions.push(FunctionStats::default());
    }

    /// Memory of a sandbox of a pool: room for the largest function that is known of it. The first call is paid for in full,
    /// each further one by its share.
    fn memory_of(&self, pool: PoolId) -> u64 {
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
        if self.scales {
            for (entry, _) in survey.calls.iter().enumerate().filter(|(_, calls)| **calls > 0) {
                let (pool, region) = self.pools.parts(entry);
                self.call_pool(pool, region);
            }
            self.fill_pools();
        }
    }

    /// Lets everything happen that comes before an arrival at `limit`: all that is due then too.
    fn run_until(&mut self, limit: SimTime) {
        while self.next_instant() <= limit {
            self.step();
        }
    }

    /// When something happens next; never, if nothing does.
    #[inline]
    fn next_instant(&self) -> SimTime {
        self.queue.peek().0.min(self.lanes.next().0)
    }

    /// Lets the next event happen.
    fn step(&mut self) {
        let (at, sandbox) = self.lanes.next();
        if at != SimTime::NEVER && (at, Class::Expiry) <= self.queue.peek() {
            self.now = at;
            self.events += 1;
            return self.expire(sandbox);
        }
        if let Some((at, event)) = self.queue.pop()
            && !self.is_stale(at, event)
        {
            self.now = at;
            self.events += 1;
            self.happen(event);
        }
        if !self.short.is_empty() {
            self.fill_pools();
        }
    }

    /// Whether what this event was scheduled for has been overtaken by something else. A stale event is no event: it
    /// neither moves the clock nor is counted.
    fn is_stale(&self, at: SimTime, event: Event) -> bool {
        match event {
            Event::Expire { sandbox, generation } => {
                let s = &self.sandboxes[SandboxId(sandbox)];
                s.generation != generation || s.state != SandboxState::Warm || s.expires != at
            }
            Event::Cool { sandbox, .. } => {
                let s = &self.sandboxes[SandboxId(sandbox)];
                let m = &self.mechanism;
                let due = |after: Duration| s.idle_since + after == at;
                s.state != SandboxState::Warm
                    || match s.tier {
                        Tier::Ready => !due(m.pause_after) && !due(m.snapshot_after),
                        Tier::Paused => !due(m.snapshot_after),
                        Tier::Snapshotted => true,
                    }
            }
            Event::Prewarm { entry, stamp } => {
                let (pool, region) = self.pools.parts(entry as usize);
                self.pools.view_stamp(pool, region) != stamp
            }
            Event::Finish { call, generation } => self.calls[call].generation != generation,
            Event::TimeOut { call, generation } => {
                let c = &self.calls[call];
                c.generation != generation || c.stage != Stage::Waiting
            }
            Event::HostTick { host } => self.sharing[host as usize].tick_at != Some(at),
            _ => false,
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Finish { call, .. } => self.finish(call),
            Event::HostTick { host } => self.host_tick(HostId(host)),
            Event::Floor { sandbox } => self.floor_over(sandbox),
            Event::Booted { sandbox } => self.booted(sandbox),
            Event::Ready { sandbox } => self.ready(sandbox),
            Event::Begin { sandbox } => self.begin(sandbox),
            Event::Cool { sandbox, .. } => self.cool(SandboxId(sandbox)),
            Event::Prewarm { entry, .. } => self.prewarm(entry),
            Event::Scale => self.scale(),
            Event::Retry { call } => self.retry(call),
            Event::HostUp { host } => self.host_up(HostId(host)),
            Event::Expire { sandbox, .. } => self.expire(SandboxId(sandbox)),
            Event::Release { call } => self.release(call),
            Event::Ask { call } => self.ask(call),
            Event::TimeOut { call, .. } => self.time_out(call),
            Event::Provision => self.provision(),
            Event::ShiftTick => self.shift_tick(),
        }
    }

    /// Calls arrive.
    fn arrive(&mut self, arrival: &Arrival) {
        for _ in 0..arrival.count {
            self.events += 1;
            self.received += 1;
            self.functions[arrival.function.index()].received += 1;
            self.series.at(arrival.region, self.now).received += 1;
            let call = self.calls.insert(Call {
                arrival: arrival.time,
                released: arrival.time,
                began: arrival.time,
                work: arrival.work,
                deadline: arrival.deadline,
                function: arrival.function,
                home: arrival.region,
                region: arrival.region,
                sandbox: NONE,
                stage: Stage::Held,
                next: NONE,
                order: 0,
                share_mark: 0.0,
                share_weight_mark: 0.0,
                cold: false,
                deferred: false,
                generation: 0,
                dynamic_mark: 0.0,
                dynamic_weight_mark: 0.0,
            });
            self.ask(call);
        }
        if !self.short.is_empty() {
            self.fill_pools();
        }
    }

    /// Runs on after the last arrival: until all calls are done, and, where no duration was asked for, until every
    /// sandbox with a finite keep-alive has expired.
    fn drain(&mut self, end_of_arrivals: SimTime, timed: bool, limit: Duration) {
        let last = end_of_arrivals + limit;
        loop {
            let at = self.next_instant();
            let only_idle_left = self.calls.in_flight() == 0;
            if at == SimTime::NEVER || at > last || (only_idle_left && timed && at > end_of_arrivals) {
                break;
            }
            // Controllers tick for ever: without calls and expiries there is nothing left to wait for.
            if only_idle_left && !timed && self.expiring == 0 {
                break;
            }
            self.step();
            if self.failure.is_some() {
                return;
            }
        }
        if self.calls.in_flight() > 0 {
            self.now = last.max(self.now);
        }
        if timed {
            self.now = self.now.max(end_of_arrivals);
        }
    }
}
