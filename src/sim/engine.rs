//! The loop: takes the next instant from three sorted sources and lets it happen.

use rustc_hash::FxHashMap;

use super::calls::{Call, Calls, Stage};
use super::event::{Class, Event};
use super::expiry::ExpiryLanes;
use super::queue::EventQueue;
use super::rules::{Eviction, Rules};
use super::statistics::{FunctionStats, Series, Totals};
use super::waiting::Waiting;
use crate::cluster::{Group, Host, HostIndex, List, NONE, ProcessorSharing, SandboxState, Sandboxes, WarmPools};
use crate::grid::{Cursor, Forecast};
use crate::isolation::Mechanism;
use crate::ledger::{Accounts, SiteBook};
use crate::scheduler::admission::Admission;
use crate::scheduler::keep_alive::KeepAlive;
use crate::scheduler::overcommit::{Capacity, Overcommit};
use crate::scheduler::packing::Packing;
use crate::scheduler::provisioning::Provisioning;
use crate::scheduler::routing::Routing;
use crate::scheduler::shifting::Shifting;
use crate::scheduler::{CallToken, RegionLoad};
use crate::types::{Duration, FunctionId, GroupId, HostId, RegionId, SandboxId, Seed, SimTime, Stream};
use crate::workload::{Arrival, Arrivals, Batch, FunctionProfile, WorkloadError};

/// A region as the engine sees it.
#[derive(Debug, Clone)]
pub struct RegionSetup {
    /// Name in messages.
    pub name: String,
    /// Its first host; its hosts are numbered without gaps.
    pub first_host: u32,
    /// How many hosts it has, at least 1.
    pub hosts: u32,
}

/// Everything a run needs.
pub struct Setup {
    /// The regions.
    pub regions: Vec<RegionSetup>,
    /// The host groups.
    pub groups: Vec<Group>,
    /// The group of every host, in host order.
    pub hosts: Vec<GroupId>,
    /// The isolation mechanism of all sandboxes.
    pub mechanism: Mechanism,
    /// The rules of the machine.
    pub rules: Rules,
    /// The seven policies.
    pub admission: Box<dyn Admission>,
    /// When calls start.
    pub shifting: Box<dyn Shifting>,
    /// In which region.
    pub routing: Box<dyn Routing>,
    /// On which host.
    pub packing: Box<dyn Packing>,
    /// How much hosts promise.
    pub overcommit: Box<dyn Overcommit>,
    /// How long idle sandboxes stay.
    pub keep_alive: Box<dyn KeepAlive>,
    /// How many hosts are on.
    pub provisioning: Box<dyn Provisioning>,
    /// What policies may know of each region's future.
    pub forecasts: Vec<Box<dyn Forecast>>,
    /// The cumulative clock that weights each region's accounts.
    pub clocks: Vec<Cursor>,
    /// Width of the ledger's bins.
    pub ledger_step: Duration,
    /// Arrivals at or after this instant are not taken; `None` takes all.
    pub duration: Option<Duration>,
    /// How long after the end of arrivals unfinished calls are waited for.
    pub drain_limit: Duration,
    /// Whether the run always goes on to the drain limit, done or not.
    pub fixed_end: bool,
    /// The root of the engine's random streams.
    pub seed: Seed,
}

/// How far a run is, for a progress display.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Simulated time.
    pub now: SimTime,
    /// Events so far.
    pub events: u64,
    /// Calls received so far.
    pub calls: u64,
    /// Share of the input read, in 0..=1.
    pub share: f64,
}

/// One finished call, for a call log.
#[derive(Debug, Clone, Copy)]
pub struct Finished {
    /// When it arrived.
    pub arrival: SimTime,
    /// When it was let go.
    pub released: SimTime,
    /// When it began to execute.
    pub began: SimTime,
    /// When it ended.
    pub ended: SimTime,
    /// What it called.
    pub function: FunctionId,
    /// Where it arrived.
    pub home: RegionId,
    /// Where it ran.
    pub host: HostId,
    /// Whether a sandbox was started for it.
    pub cold: bool,
    /// Dynamic energy of its execution \[J\].
    pub dynamic_j: f64,
}

/// What a run leaves behind.
pub struct Outcome {
    /// Time-binned integrals by region.
    pub site: SiteBook,
    /// Accounts by function and host group.
    pub accounts: Accounts,
    /// Counts by region and bin.
    pub series: Series,
    /// The functions, in order of their number.
    pub profiles: Vec<FunctionProfile>,
    /// The tenants' names, in order of their number.
    pub tenants: Vec<Box<str>>,
    /// Statistics by function.
    pub functions: Vec<FunctionStats>,
    /// Statistics over all.
    pub totals: Totals,
    /// The hosts in their last state, integrated to the end.
    pub hosts: Vec<Host>,
    /// When the run ended.
    pub end: SimTime,
    /// Calls that had not finished when the drain limit was reached.
    pub unfinished: u64,
    /// Events processed: arrivals, completions, starts, expiries and all others.
    pub events: u64,
    /// The most calls in flight together.
    pub most_in_flight: usize,
}

/// Why a run stopped early.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The workload failed.
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    /// A function that no host can hold.
    #[error(
        "function {function} needs {needed_mb:.1} MB (isolation overhead included){}, but no host of region {region} can hold \
         it: the largest promises {memory_mb:.1} MB and {cores} core(s)\n  help: give the region larger hosts, or leave the \
         function out of the workload",
        if *cpu > 0.0 { format!(" and {cpu} core(s)") } else { String::new() }
    )]
    TooBig {
        /// The function's name.
        function: String,
        /// The region's name.
        region: String,
        /// Memory needed \[MB\].
        needed_mb: f64,
        /// CPU needed \[cores\], 0 where CPU limits nothing.
        cpu: f64,
        /// Largest promise of memory \[MB\].
        memory_mb: f64,
        /// Largest promise of CPU \[cores\].
        cores: f64,
    },
    /// The call log cannot be written.
    #[error("cannot write the call log: {0}")]
    CallLog(String),
}

/// A consumer of finished calls.
pub type CallLog<'a> = &'a mut dyn FnMut(&Finished) -> Result<(), String>;

/// What the hot path must know of a function, apart from its profile: 16 bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needs {
    /// Memory of one sandbox, isolation overhead included \[bytes\].
    pub memory: u64,
    /// CPU demand of one running call [millionths of a core].
    pub cpu: u64,
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
    pub idle_on_host: Vec<List>,
    pub regions: Vec<Region>,
    pub loads: Vec<RegionLoad>,
    pub mechanism: Mechanism,
    pub admission: Box<dyn Admission>,
    pub shifting: Box<dyn Shifting>,
    pub routing: Box<dyn Routing>,
    pub packing: Box<dyn Packing>,
    pub keep_alive: Box<dyn KeepAlive>,
    pub provisioning: Box<dyn Provisioning>,
    pub forecasts: Vec<Box<dyn Forecast>>,
    pub clocks: Vec<Cursor>,
    pub queue: EventQueue,
    pub lanes: ExpiryLanes,
    pub calls: Calls,
    pub sandboxes: Sandboxes,
    pub warm: WarmPools,
    /// Starting sandboxes with a call bound to them, by (function, region); kept only where freed sandboxes may be taken.
    pub pending: FxHashMap<(u32, u32), std::collections::VecDeque<(u32, u32)>>,
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
    setup: Setup,
    mut arrivals: Box<dyn Arrivals>,
    log: Option<CallLog<'_>>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Outcome, Box<dyn Arrivals>), SimError> {
    let (duration, drain_limit, fixed_end) = (setup.duration, setup.drain_limit, setup.fixed_end);
    let mut engine = Engine::new(setup, log);
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
    fn new(setup: Setup, log: Option<CallLog<'a>>) -> Self {
        let Setup { regions, groups, hosts, mechanism, rules, mut overcommit, packing, .. } = setup;
        let orders = packing.orders();
        let evict = rules.sandbox.eviction == Eviction::Lru;
        let promised: Vec<Capacity> = hosts
            .iter()
            .map(|&g| {
                let g = &groups[g.index()];
                overcommit.allocatable(Capacity { cpu: g.cpu, memory: g.memory.0 })
            })
            .collect();
        let states: Vec<Host> = hosts.iter().map(|&g| Host::new(g, groups[g.index()].region)).collect();
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
        let passive = Passive {
            admission: setup.admission.is_passive(),
            shifting: setup.shifting.is_passive(),
            routing: setup.routing.is_passive(),
            arrivals: true,
            ends: !setup.admission.observes(),
        };
        for (load, region) in loads.iter_mut().zip(&regions) {
            load.largest_function = largest(region).1.saturating_sub(mechanism.memory_overhead.0);
        }
        let warm = WarmPools::new(rules.sandbox.reuse_order, packing.warm_scope(), regions.len(), hosts.len());
        let mut engine = Self {
            now: SimTime::ZERO,
            sharing: vec![ProcessorSharing::default(); hosts.len()],
            idle_on_host: vec![List::default(); hosts.len()],
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
            provisioning: setup.provisioning,
            forecasts: setup.forecasts,
            clocks: setup.clocks,
            queue: EventQueue::default(),
            lanes: ExpiryLanes::default(),
            calls: Calls::default(),
            sandboxes: Sandboxes::default(),
            warm,
            pending: FxHashMap::default(),
            profiles: Vec::new(),
            tenants: Vec::new(),
            needs: Vec::new(),
            functions: Vec::new(),
            passive,
            evicting: false,
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
        if let Some(period) = engine.shifting.period() {
            engine.queue.push(SimTime::ZERO + period, Event::ShiftTick);
        }
        engine
    }

    /// Opens the books for functions and tenants that appear for the first time.
    fn announce(&mut self, batch: &mut Batch) {
        self.tenants.append(&mut batch.tenants);
        for profile in batch.functions.drain(..) {
            let id = FunctionId::from_index(self.profiles.len());
            self.streams.push(self.seed.stream("cold-start", u64::from(id.0)));
            self.needs.push(Needs {
                memory: (profile.memory + self.mechanism.memory_overhead).0,
                cpu: u64::from(profile.cpu.0) * 1000,
            });
            self.profiles.push(profile);
            self.functions.push(FunctionStats::default());
        }
        self.accounts.grow(self.profiles.len());
        self.warm.grow(self.profiles.len());
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
            self.expire(sandbox);
            return;
        }
        if let Some((at, event)) = self.queue.pop()
            && !self.is_stale(at, event)
        {
            self.now = at;
            self.events += 1;
            self.happen(event);
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
            Event::Finish { call } => self.finish(call),
            Event::HostTick { host } => self.host_tick(HostId(host)),
            Event::Ready { sandbox } => self.ready(sandbox),
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
                cold: false,
                deferred: false,
                generation: 0,
                dynamic_mark: 0.0,
                dynamic_weight_mark: 0.0,
            });
            self.ask(call);
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

    fn close(mut self) -> Outcome {
        for host in 0..self.hosts.len() {
            self.touch(HostId::from_index(host));
        }
        for region in 0..self.regions.len() {
            self.series.advance(RegionId::from_index(region), self.now);
        }
        self.close_sandboxes();
        Outcome {
            site: self.site,
            accounts: self.accounts,
            series: self.series,
            profiles: self.profiles,
            tenants: self.tenants,
            functions: self.functions,
            totals: self.totals,
            hosts: self.hosts,
            end: self.now,
            unfinished: self.calls.in_flight() as u64,
            events: self.events,
            most_in_flight: self.calls.most_in_flight(),
        }
    }
}
