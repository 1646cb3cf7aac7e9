//! Instances in the machine: they are asked for, placed, started, use what they use, and end, beside calls on the same hosts.
//!
//! ```text
//!   asked ──> place ──(no room)──> waiting ──(room)──┐
//!               └──> starting ──> running ──> finished│
//!                                  │   └─ moved       │
//!                                  └─ evicted ─ later ┘
//! ```

mod leave;
mod migrate;
mod place;
mod rebalance;
mod resident;
mod rules;
mod sample;
mod source;
mod statistics;
mod usage;

#[cfg(test)]
mod tests;

pub(super) use resident::{Lodging, Resident, Residents, Stage};
pub use rules::{Contention, Evicted, InstanceRules, MigrationRules, Order};
use source::Source;
pub use statistics::{Ending, InstanceEnd, InstanceLog, InstanceTotals, Lived};

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::engine::Engine;
use super::event::Event;
use super::setup::SimError;
use crate::scheduler::migration::Migration;
use crate::scheduler::overcommit::watch::{Multiplexing, MultiplexingReport, Watch, WatchReport};
use crate::scheduler::overcommit::{Capacity, Overcommit, Sample};
use crate::scheduler::packing::InstanceRequest;
use crate::types::{Duration, FunctionId, SimTime, TenantId};
use crate::workload::instances::{Announced, Instance, Instances, Usage};
use crate::workload::{Batch, FunctionProfile};

/// The policies that ask about instances.
pub(super) struct Asks {
    pub overcommit: Box<dyn Overcommit>,
    pub watch: Option<(Watch, Duration)>,
    pub migration: Box<dyn Migration>,
}

/// The instances that wait for room in one region: by rank, then in the order in which they were asked for.
type Queue = BTreeMap<(Reverse<u8>, u32), u32>;

/// All that the engine keeps for instances.
pub(super) struct Tenancy<'a> {
    /// Whether there are instances at all: without them, nothing here is ever touched.
    pub present: bool,
    source: Option<Source>,
    next: Option<Instance>,
    announced: Announced,
    pub residents: Residents,
    /// By host.
    pub lodgings: Vec<Lodging>,
    /// What an empty host of each group may promise.
    pub promises: Vec<Capacity>,
    waiting: Vec<Queue>,
    /// The engine's numbers of the accounts and tenants of the source.
    accounts: Vec<FunctionId>,
    own_tenants: Vec<TenantId>,
    /// The engine's numbers of the functions and tenants of the calls.
    call_functions: Vec<FunctionId>,
    call_tenants: Vec<TenantId>,
    tenant_by_name: FxHashMap<Box<str>, TenantId>,
    pub totals: InstanceTotals,
    pub log: Option<InstanceLog<'a>>,
    asked: u32,
    /// Those of them that came from the source.
    sourced: u32,
    cut: SimTime,
    /// The predictor that says what hosts may promise; static policies have spoken before the run.
    overcommit: Option<Box<dyn Overcommit>>,
    watch: Option<Watch>,
    multiplexing: Multiplexing,
    period: Duration,
    /// When hosts were last sampled.
    sampled: SimTime,
    pieces: Vec<Usage>,
    bins: Vec<u64>,
    pub migration: Option<Box<dyn Migration>>,
    snapshot: Vec<Sample>,
    order: Vec<u32>,
    stretches: bool,
    /// Instances that start or run.
    placed: u64,
    /// Migrations begun so far.
    moves: u32,
}

impl<'a> Tenancy<'a> {
    /// For so many hosts and regions; without a source there are no instances, but there may be the nodes of jobs.
    pub fn new(
        (source, jobs): (Option<Box<dyn Instances>>, bool),
        rules: &InstanceRules,
        (hosts, regions, cores): (usize, usize, f64),
        asks: Asks,
        cut: SimTime,
        log: Option<InstanceLog<'a>>,
    ) -> Self {
        let present = source.is_some() || jobs;
        let looks_ahead = asks.overcommit.oracle_horizon().is_some();
        let source = source.map(|s| Source::new(s, looks_ahead));
        let (watch, watched) = asks.watch.unzip();
        let period = asks.overcommit.period().or(watched).unwrap_or(Duration::from_secs_f64(rules.sample_s));
        Self {
            present,
            source,
            next: None,
            announced: Announced::default(),
            residents: Residents::default(),
            lodgings: if present { vec![Lodging::default(); hosts] } else { Vec::new() },
            promises: Vec::new(),
            waiting: vec![Queue::new(); regions],
            accounts: Vec::new(),
            own_tenants: Vec::new(),
            call_functions: Vec::new(),
            call_tenants: Vec::new(),
            tenant_by_name: FxHashMap::default(),
            totals: InstanceTotals::default(),
            log,
            asked: 0,
            sourced: 0,
            cut,
            period,
            sampled: SimTime::ZERO,
            overcommit: asks.overcommit.period().is_some().then_some(asks.overcommit),
            watch,
            multiplexing: Multiplexing::new(cores),
            pieces: Vec::new(),
            bins: Vec::new(),
            migration: Some(asks.migration).filter(|m| m.period().is_some()),
            snapshot: Vec::new(),
            order: Vec::new(),
            stretches: rules.contention == Contention::Stretch,
            placed: 0,
            moves: 0,
        }
    }

    /// Whether nothing is left to come or to end.
    pub fn is_done(&self) -> bool {
        self.residents.len() == 0 && self.next.is_none()
    }

    /// Names one more resident, in the order in which they ask for room.
    pub fn next_number(&mut self) -> u32 {
        let number = self.asked;
        self.asked += 1;
        number
    }

    /// When the trace ends, where that is known.
    pub fn span(&self) -> Option<Duration> {
        self.source.as_ref().and_then(|s| s.span())
    }

    /// The source, when the run is over.
    pub fn take_source(&mut self) -> Option<Box<dyn Instances>> {
        self.source.take().map(Source::into_inner)
    }

    /// What watching has found.
    pub fn reports(&self) -> Option<(Option<WatchReport>, MultiplexingReport)> {
        self.source.is_some().then(|| (self.watch.as_ref().map(Watch::report), self.multiplexing.report()))
    }
}

impl Engine<'_> {
    /// Asks the source for its first instance.
    pub(super) fn begin_tenancy(&mut self) {
        if self.tenancy.present {
            self.fetch_instance();
            let t = &self.tenancy;
            if t.source.is_some() || t.overcommit.is_some() || t.watch.is_some() {
                self.queue.push(self.now + t.period, Event::Sample);
            }
            if let Some(period) = self.tenancy.migration.as_ref().and_then(|m| m.period()) {
                self.queue.push(self.now + period.max(Duration(1)), Event::Rebalance);
            }
        }
    }

    /// Takes the next instance from the source, and plans its arrival.
    fn fetch_instance(&mut self) {
        let t = &mut self.tenancy;
        let Some(source) = &mut t.source else { return };
        match source.next(&mut t.announced) {
            Ok(next) => {
                t.next = next.filter(|i| i.time < t.cut);
                if !t.announced.accounts.is_empty() || !t.announced.tenants.is_empty() {
                    self.announce_accounts();
                }
                if let Some(next) = &self.tenancy.next {
                    let at = next.time;
                    debug_assert!(at >= self.now, "an instance is asked for in the past");
                    self.queue.push(at.max(self.now), Event::InstanceAsked);
                }
            }
            Err(e) => {
                t.next = None;
                self.failure.get_or_insert(SimError::Workload(e));
            }
        }
    }

    /// Opens the books for accounts and tenants of instances that appear for the first time.
    fn announce_accounts(&mut self) {
        let mut announced = std::mem::take(&mut self.tenancy.announced);
        for name in announced.tenants.drain(..) {
            let tenant = self.tenant_named(name);
            self.tenancy.own_tenants.push(tenant);
        }
        for profile in announced.accounts.drain(..) {
            let tenant = self.tenancy.own_tenants[profile.tenant.index()];
            let account = FunctionId::from_index(self.profiles.len());
            self.tenancy.accounts.push(account);
            self.announce_function(FunctionProfile { tenant, ..profile });
        }
        self.accounts.grow(self.profiles.len());
        self.warm.grow(self.pools.count());
        self.tenancy.announced = announced;
    }

    /// The tenant of this name: calls and instances of one name are of one tenant.
    pub(super) fn tenant_named(&mut self, name: Box<str>) -> TenantId {
        if let Some(&known) = self.tenancy.tenant_by_name.get(&name) {
            return known;
        }
        let tenant = TenantId::from_index(self.tenants.len());
        self.tenancy.tenant_by_name.insert(name.clone(), tenant);
        self.tenants.push(name);
        tenant
    }

    /// Where there are instances, too: opens the books for the functions of calls, and notes under which numbers.
    pub(super) fn announce_calls(&mut self, batch: &mut Batch) {
        for name in batch.tenants.drain(..) {
            let tenant = self.tenant_named(name);
            self.tenancy.call_tenants.push(tenant);
        }
        for profile in batch.functions.drain(..) {
            let tenant = self.tenancy.call_tenants[profile.tenant.index()];
            let function = FunctionId::from_index(self.profiles.len());
            self.tenancy.call_functions.push(function);
            self.announce_called(FunctionProfile { tenant, ..profile });
        }
    }

    /// The engine's number of a function that is called.
    #[inline]
    pub(super) fn called_function(&self, function: FunctionId) -> FunctionId {
        if self.tenancy.present { self.tenancy.call_functions[function.index()] } else { function }
    }

    /// An instance is asked for.
    pub(super) fn instance_asked(&mut self) {
        let Some(instance) = self.tenancy.next.take() else { return };
        let t = &mut self.tenancy;
        t.totals.asked += 1;
        let (number, sourced) = (t.next_number(), t.sourced);
        t.sourced += 1;
        let account = t.accounts[instance.account.index()];
        let overhead = (self.rules.instances.memory_overhead_mb * 1e6).round() as u64;
        let request = InstanceRequest {
            instance: number,
            cpu: instance.cpu,
            memory: instance.memory.0 + overhead,
            trust_domain: self.profiles[account.index()].trust_domain,
            deployment: instance.deployment,
            class: instance.class,
            priority: instance.priority,
        };
        let slot = self.tenancy.residents.insert(Resident {
            number: sourced,
            name: instance.name,
            limit: instance.cpu_limit,
            overhead,
            lifetime: instance.lifetime,
            ..Resident::new(request, account, instance.region, self.now)
        });
        self.fetch_instance();
        self.ask_for_room(slot);
    }

    /// Something that was planned for an instance is due.
    pub(super) fn instance_step(&mut self, slot: u32, generation: u32) {
        let r = &self.tenancy.residents[slot];
        if r.generation != generation {
            return;
        }
        match r.stage {
            Stage::Starting => self.instance_started(slot),
            Stage::Running => self.instance_edge(slot),
            Stage::Evicted => self.ask_for_room(slot),
            Stage::Waiting | Stage::Gone => {}
        }
    }

    /// Plans the next step of an instance; what was planned before is void.
    pub(super) fn plan_step(&mut self, slot: u32, at: SimTime) {
        let r = &mut self.tenancy.residents[slot];
        r.generation = r.generation.wrapping_add(1);
        r.planned = at;
        if at != SimTime::NEVER {
            let generation = r.generation;
            self.queue.push(at, Event::InstanceStep { slot, generation });
        }
    }
}
