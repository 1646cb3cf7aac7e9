//! The loop: takes the next instant from three sorted sources and lets it happen.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::calls::{Call, Calls, Stage};
use super::dispatch::Dispatching;
use super::event::{Class, Event};
use super::expiry::ExpiryLanes;
use super::idle::Shares;
use super::instances::Tenancy;
use super::jobs::Jobs;
use super::periods::Periods;
use super::pools::Pools;
use super::pushes::Pushes;
use super::queue::EventQueue;
use super::rules::Rules;
use super::setup::{CallLog, Logs, Outcome, Progress, Setup, SimError};
use super::statistics::{FunctionStats, Series, Totals};
use super::waiting::Waiting;
use super::workers::Workers;
use crate::cluster::{
    Group, Host, HostIndex, IdleOrder, NONE, ProcessorSharing, SandboxState, Sandboxes, Tier, WarmPools,
};
use crate::grid::{Cursor, Forecast, Observed};
use crate::isolation::{Mechanism, Runtime};
use crate::ledger::{Accounts, Meter, SiteBook};
use crate::network::Network;
use crate::scheduler::admission::Admission;
use crate::scheduler::keep_alive::KeepAlive;
use crate::scheduler::overcommit::Capacity;
use crate::scheduler::packing::Packing;
use crate::scheduler::provisioning::Provisioning;
use crate::scheduler::routing::Routing;
use crate::scheduler::scaling::Scaling;
use crate::scheduler::shifting::{Plan, Shifting};
use crate::scheduler::{RegionLoad, Reserved, WorkToken};
use crate::types::{Duration, HostId, PoolId, SandboxId, Seed, SimTime, Stream};
use crate::workload::{Arrival, Arrivals, Batch, FunctionProfile};

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
    /// Whether packing wants to be told of what calls used.
    pub packing: bool,
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
    /// Promise of all hosts together: (CPU, memory).
    pub promised: (u64, u64),
    /// What the calls need that wait for room: (CPU, memory).
    pub waiting_needs: (u64, u64),
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
    pub network: Network,
    pub packing: Box<dyn Packing>,
    pub keep_alive: Box<dyn KeepAlive>,
    pub scaling: Box<dyn Scaling>,
    pub provisioning: Box<dyn Provisioning>,
    pub forecasts: Vec<Box<dyn Forecast>>,
    pub observed: Vec<Observed>,
    /// CPU that is paid for in advance.
    pub reserved: Reserved,
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
    /// CPU that a sandbox holds of its host, used or not; 0 where calls hold their own [millionths of a core].
    pub sandbox_cpu: u64,
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
    /// Pools in regions for which scaling is asked, those that have fewer sandboxes than it wants, and those of them for
    /// which there was no room, in the order in which they ask for it.
    pub called: Vec<u32>,
    pub short: VecDeque<u32>,
    pub lacking: Vec<VecDeque<u32>>,
    /// Whether room may have appeared since they were tried.
    pub freed: bool,
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
    /// How long every idle sandbox stays, whatever else there is: neither keep-alive nor scaling need be asked.
    pub constant_keep: Option<Duration>,
    /// Whether placement counts CPU, and most sandboxes on one host.
    pub counts_cpu: bool,
    pub most_sandboxes: u32,
    /// Most calls bound to one host, and what every request asks for of its CPU, so that a host which is full of calls has too little:
    /// 0 where nothing limits calls [millionths of a core].
    pub most_calls: u32,
    pub least_cpu: u64,
    /// Pushes of new code, and the figures of workers, where they are asked for.
    pub pushes: Option<Box<Pushes>>,
    pub workers: Option<Box<Workers>>,
    /// Whether a sandbox with a free place may have calls left, or calls of its pool that wait for it.
    pub passes_on: bool,
    /// Whether idle sandboxes are paused or written to disk.
    pub cools: bool,
    /// Whether the hosts' lists of idle sandboxes are kept: from the first eviction on.
    pub evicting: bool,
    /// Warm sandboxes that will expire some time.
    pub expiring: usize,
    /// Whether a host stands in its region's list of stale hosts.
    pub is_stale_host: Vec<bool>,
    pub streams: Vec<Stream>,
    pub totals: Totals,
    pub site: SiteBook,
    /// What is read beside the books.
    pub meter: Option<Box<Meter>>,
    pub accounts: Accounts,
    pub series: Series,
    pub seed: Seed,
    pub events: u64,
    pub received: u64,
    pub log: Option<CallLog<'a>>,
    /// The accounts by period, and when the present one ends; never without them.
    pub periods: Option<Periods<'a>>,
    pub next_edge: SimTime,
    pub failure: Option<SimError>,
    /// Reused by every shifting tick.
    pub let_go_now: Vec<WorkToken>,
    /// Reused by every question to shifting.
    pub plan: Plan,
    /// What is kept for dispatch.
    pub dispatch: Dispatching,
    /// What is kept for instances.
    pub tenancy: Tenancy<'a>,
    /// What is kept for jobs.
    pub jobs: Jobs<'a>,
}

/// Runs a workload to its end.
///
/// # Errors
/// [`SimError`]: a bad workload, a function that no host can hold, a log that cannot be written.
pub fn simulate(
    mut setup: Setup,
    mut arrivals: Box<dyn Arrivals>,
    logs: Logs<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Outcome, Box<dyn Arrivals>), SimError> {
    let (duration, drain_limit, fixed_end) = (setup.duration, setup.drain_limit, setup.fixed_end);
    let survey = setup.survey.take();
    let mut engine = Engine::new(setup, survey, logs);
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
    let trace_end =
        engine.tenancy.span().map_or(last_arrival, |span| last_arrival.max(SimTime(span.0))).max(engine.jobs.last());
    let end_of_arrivals = duration.map_or(trace_end, |d| SimTime(d.0));
    engine.drain(end_of_arrivals, duration.is_some(), drain_limit);
    if fixed_end {
        engine.run_until(end_of_arrivals + drain_limit);
        engine.now = end_of_arrivals + drain_limit;
    }
    if let Some(failure) = engine.failure.take() {
        return Err(failure);
    }
    Ok((engine.close()?, arrivals))
}

impl Engine<'_> {
    /// Lets everything happen that comes before an arrival at `limit`: all that is due then too.
    fn run_until(&mut self, limit: SimTime) {
        if self.next_edge < limit {
            self.run_over_edges(limit);
        }
        while self.next_instant() <= limit {
            self.step();
        }
    }

    /// Lets everything happen up to the last period's end before `limit`, and closes the periods on the way. What happens at a
    /// period's end belongs to it.
    #[cold]
    fn run_over_edges(&mut self, limit: SimTime) {
        while self.next_edge < limit {
            while self.next_instant() <= self.next_edge {
                self.step();
            }
            self.close_periods(self.next_edge + Duration(1));
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
        } else if let Some((at, event)) = self.queue.pop()
            && !self.is_stale(at, event)
        {
            self.now = at;
            self.events += 1;
            self.happen(event);
        }
        if self.jobs.is_stirred() {
            self.stir_jobs();
        }
        if self.freed || !self.short.is_empty() {
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
            Event::Cool { sandbox } => {
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
            Event::InstanceStep { slot, generation } => self.tenancy.residents[slot].generation != generation,
            Event::JobStep { job, generation } => self.jobs.is_stale(job, generation, 0),
            Event::JobDone { job, generation } => self.jobs.is_stale(job, generation, 1),
            Event::InstanceMoved { slot, number } => {
                self.tenancy.residents[slot].moving.is_none_or(|m| m.number != number)
            }
            _ => false,
        }
    }

    /// Whether the next step is a stale event.
    fn next_is_stale(&self) -> bool {
        let at = self.lanes.next().0;
        let expiry = at != SimTime::NEVER && (at, Class::Expiry) <= self.queue.peek();
        !expiry && self.queue.first().is_some_and(|(at, event)| self.is_stale(at, event))
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Finish { call, .. } => self.finish(call),
            Event::HostTick { host } => self.host_tick(HostId(host)),
            Event::Floor { sandbox } => self.floor_over(sandbox),
            Event::Look { sandbox } => self.look(sandbox),
            Event::Waited { sandbox } => self.waited(sandbox),
            Event::Booted { sandbox } => self.booted(sandbox),
            Event::Ready { sandbox } => self.ready(sandbox),
            Event::Begin { sandbox } => self.begin(sandbox),
            Event::Serve { host } => self.serve_waiting(HostId(host)),
            Event::Cool { sandbox } => self.cool(SandboxId(sandbox)),
            Event::Prewarm { entry, .. } => self.prewarm(entry),
            Event::Scale => self.scale(),
            Event::Retry { call } => self.retry(call),
            Event::HostChanged { host } => self.host_changed(HostId(host)),
            Event::Expire { sandbox, .. } => self.expire(SandboxId(sandbox)),
            Event::Release { call } => self.release(call),
            Event::Reached { call } => self.reached(call),
            Event::Ask { call } => self.ask(call),
            Event::Reconsider { call } => self.reconsider(call),
            Event::JobArrives => self.job_arrives(),
            Event::JobStep { job, .. } => self.job_step(job),
            Event::JobDone { job, .. } => self.job_due(job),
            Event::Ceiling { region } => self.ceiling_moved(region),
            Event::TimeOut { call, .. } => self.time_out(call),
            Event::Poll => self.poll(),
            Event::Offer { call } => self.offer(call),
            Event::Provision => self.provision(),
            Event::ShiftTick => self.shift_tick(),
            Event::Reassign => self.reassign(),
            Event::Sample => self.sample(),
            Event::Rebalance => self.rebalance(),
            Event::InstanceAsked => self.instance_asked(),
            Event::InstanceStep { slot, generation } => self.instance_step(slot, generation),
            Event::InstanceMoved { slot, number } => self.instance_moved(slot, number),
        }
    }

    /// Calls arrive.
    fn arrive(&mut self, arrival: &Arrival) {
        let function = self.called_function(arrival.function);
        let cores = self.needs[function.index()].cpu as f64 * 1e-6;
        let work = arrival.work.as_secs_f64() * self.mechanism.cpu_factor * cores;
        for _ in 0..arrival.count {
            self.events += 1;
            self.received += 1;
            self.functions[function.index()].received += 1;
            self.series.at(arrival.region, self.now).received += 1;
            let load = &mut self.loads[arrival.region.index()];
            load.arrived += 1;
            load.work += work;
            let call = self.calls.insert(Call {
                arrival: arrival.time,
                start: arrival.start,
                released: arrival.time,
                began: arrival.time,
                work: arrival.work,
                deadline: arrival.deadline,
                function,
                home: arrival.region,
                region: arrival.region,
                sandbox: NONE,
                stage: Stage::Held,
                next: NONE,
                order: 0,
                share_mark: 0.0,
                share_weight_mark: 0.0,
                attempt: 0,
                again: false,
                origin: (NONE, 0),
                failed: false,
                cold: false,
                deferred: false,
                generation: 0,
                dynamic_mark: 0.0,
                dynamic_weight_mark: 0.0,
            });
            self.ask(call);
        }
        if self.freed || !self.short.is_empty() {
            self.fill_pools();
        }
    }

    /// Runs on after the last arrival: until all calls are done, and, where no duration was asked for, until every
    /// sandbox with a finite keep-alive has expired.
    fn drain(&mut self, end_of_arrivals: SimTime, timed: bool, limit: Duration) {
        let last = end_of_arrivals + limit;
        loop {
            let at = self.next_instant();
            let jobs_left = if timed { self.jobs.in_flight() > 0 } else { !self.jobs.is_done() };
            let only_idle_left = self.calls.in_flight() == 0 && !jobs_left && (timed || self.tenancy.is_done());
            if at == SimTime::NEVER || at > last || (only_idle_left && timed && at > end_of_arrivals) {
                break;
            }
            // Controllers tick for ever: without calls and expiries there is nothing left to wait for.
            if only_idle_left && !timed && self.expiring == 0 {
                break;
            }
            // The run may end before this instant if nothing happens then.
            if at > self.next_edge && !self.next_is_stale() {
                self.close_periods(at);
            }
            self.step();
            if self.failure.is_some() {
                return;
            }
        }
        if self.calls.in_flight() > 0 || self.jobs.in_flight() > 0 || !timed && !self.tenancy.is_done() {
            self.now = last.max(self.now);
        }
        if timed {
            self.now = self.now.max(end_of_arrivals);
        }
    }
}
