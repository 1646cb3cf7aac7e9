//! Durable queues and the schedulers that pull from them.
//!
//! ```text
//!   let go ──> durable queue of (function, region) ──> schedulers of the regions ──> RunQ: the region's queue for room ──> host
//!                   ▲        ▲                            gates, order, conductor                                          │
//!                   │        └── time is up: offered once more, though it may still run ◀──────────────────────────────────┤
//!                   └─────────── refused: offered again after a delay ◀────────────────────────── exception, else acknowledged
//! ```
//!
//! A call whose gate is open and before which none of its function waits starts in the instant in which it is written; all others wait for the
//! next poll. The model is in `docs/xfaas.md`.

mod behind;
mod gate;
mod poll;
mod pull;
mod returns;
mod totals;

pub use gate::{REASONS, Why};
pub(in crate::sim) use returns::Returned;
pub use totals::{DispatchTotals, Levels, ServiceOutcome};

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use behind::Behind;
use gate::Gate;

use super::engine::Engine;
use super::event::Event;
use super::services::{ServiceTotals, Services};
use crate::scheduler::dispatch::{
    CarbonFactors, Conducting, Conductor, Controller, DispatchSpec, DurableQueues, Matrix, Rank, Seen, Traffic,
};
use crate::types::{Duration, RegionId, SimTime, Stream};
use crate::workload::{FunctionProfile, Quota};

/// A call in a durable queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    deadline: SimTime,
    /// Counts what was ever written to any queue.
    ticket: u64,
    slot: u32,
}

/// A call that was handed out, and when the queue gives up hope of hearing of it.
#[derive(Debug, Clone, Copy)]
struct Lease {
    until: SimTime,
    slot: u32,
    /// The ticket under which it was handed out.
    ticket: u64,
}

/// A call that is, or may come to be, executed more than once.
#[derive(Debug, Clone, Copy, Default)]
struct Twins {
    /// Whether it has been executed.
    done: bool,
    /// Whether the queue has heard of that, so that no twin that still waits is handed out any more.
    acknowledged: bool,
    /// Its copies that wait, run or are to be offered.
    live: u32,
}

/// First calls of functions, the one that goes first on top.
type Heads = BinaryHeap<Reverse<(Rank, u32, Entry)>>;

/// All that the engine keeps for dispatch.
pub(super) struct Dispatching {
    /// Whether there are durable queues at all: without them, nothing here is ever touched.
    pub on: bool,
    spec: DurableQueues,
    regions: usize,
    period: Duration,
    reserve: Duration,
    /// How long after it was handed out a call is offered again if nothing was heard.
    timeout: Duration,
    /// Calls so long that they may be due before those in front of them, by when they are.
    long: BinaryHeap<Reverse<(SimTime, Entry)>>,
    gates: Vec<Gate>,
    /// The durable queues, by function and region.
    queues: Vec<VecDeque<Entry>>,
    /// Functions with calls that wait, in no meaningful order.
    waiting: Vec<u32>,
    tickets: u64,
    controller: Option<Controller>,
    seen: Seen,
    /// S now.
    scale: f64,
    /// What carbon makes of it, where that extension is on: by region, and over all by capacity.
    carbon: Option<CarbonFactors>,
    factors: Vec<f64>,
    factor: f64,
    services: Services,
    behind: Vec<Behind>,
    /// Reused by every period of back-pressure: exceptions and those tolerated, by service.
    exceptions: Vec<(u64, u64)>,
    conducting: Option<Conducting>,
    matrix: Matrix,
    /// Work that each region's schedulers have yet to pull to have had their share [core·s].
    credits: Vec<f64>,
    /// Work that each region's queues have handed out since the conductor looked [core·s].
    offered: Vec<f64>,
    /// CPU in use over capacity, summed over the polls since the conductor looked, and how many these were.
    used: (Vec<f64>, u32),
    /// By region: every change of the CPU in use times its instant, so that CPU in use x now less this is its integral; and that at the last poll,
    /// which was then [millionths of a core x ns].
    used_moment: Vec<i128>,
    used_until: (Vec<i128>, SimTime),
    traffic: Vec<Traffic>,
    next_conducting: SimTime,
    next_pressing: SimTime,
    next_guard: SimTime,
    leases: VecDeque<Lease>,
    /// Calls with copies, by the number that they share.
    twins: BTreeMap<u64, Twins>,
    /// Calls on their way to each region, and their CPU demand [millionths of a core].
    on_the_way: Vec<(u32, u64)>,
    /// S integrated over time: in seconds, and as the time at which opportunistic rates fill.
    scaled_time: (f64, SimTime),
    /// Opportunistic calls that each region's schedulers may still pull, where carbon scales them [calls].
    allowances: Vec<f64>,
    next_rates: SimTime,
    pressed_since: SimTime,
    conducted_since: SimTime,
    lost: Stream,
    /// Reused by every choice of a region.
    shares: Vec<f64>,
    /// Reused by every poll.
    heads: Heads,
    pub totals: DispatchTotals,
}

impl Dispatching {
    pub(super) fn new(spec: DispatchSpec, regions: usize, services: Services, lost: Stream) -> Self {
        let (on, spec) = match spec {
            DispatchSpec::Direct(_) => (false, DurableQueues::default()),
            DispatchSpec::DurableQueues(spec) => (true, *spec),
        };
        let after = |period_s: Option<f64>| SimTime::ZERO + period_s.map_or(Duration::ZERO, Duration::from_secs_f64);
        Self {
            on,
            regions,
            period: Duration::from_secs_f64(spec.period_s).max(Duration(1)),
            reserve: Duration::from_secs_f64(spec.reserve_s),
            timeout: spec.delivery.as_ref().map_or(Duration::FOREVER, |d| Duration::from_secs_f64(d.timeout_s)),
            long: BinaryHeap::new(),
            gates: Vec::new(),
            queues: Vec::new(),
            waiting: Vec::new(),
            tickets: 0,
            controller: spec.utilization.clone().map(|law| Controller::new(law, spec.period_s)),
            seen: Seen::default(),
            scale: 1.0,
            carbon: spec.carbon.clone().map(CarbonFactors::new),
            factors: Vec::new(),
            factor: 1.0,
            exceptions: vec![(0, 0); services.len()],
            behind: services.behind(),
            services,
            conducting: spec.conductor.clone().map(|c| {
                // Where carbon sends opportunistic calls, the conductor looks at reserved work alone: measured utilization has both.
                let measured_weight = if spec.carbon.is_some() { 0.0 } else { c.measured_weight };
                Conducting::new(Conductor { measured_weight, ..c }, regions)
            }),
            matrix: Matrix::identity(regions),
            credits: vec![0.0; regions],
            offered: vec![0.0; regions],
            used_moment: vec![0; regions],
            used_until: (vec![0; regions], SimTime::ZERO),
            used: (vec![0.0; regions], 0),
            traffic: vec![Traffic::default(); regions],
            next_conducting: after(spec.conductor.as_ref().map(|c| c.period_s)),
            next_pressing: after(spec.back_pressure.as_ref().map(|b| b.period_s)),
            next_guard: SimTime::ZERO,
            leases: VecDeque::new(),
            twins: BTreeMap::new(),
            on_the_way: vec![(0, 0); regions],
            scaled_time: (0.0, SimTime::ZERO),
            allowances: vec![0.0; regions],
            next_rates: SimTime::ZERO,
            pressed_since: SimTime::ZERO,
            conducted_since: SimTime::ZERO,
            lost,
            shares: vec![0.0; regions],
            heads: BinaryHeap::new(),
            totals: DispatchTotals::default(),
            spec,
        }
    }

    /// Opens the gate and the queues of the next function.
    pub(super) fn announce(&mut self, profile: &FunctionProfile) {
        self.services.announce(self.gates.len(), &profile.name);
        let service = self.services.of(self.gates.len());
        let limit = self.spec.concurrency.as_ref().map_or(u32::MAX, |c| c.limit(&profile.name));
        self.gates.push(Gate::new(
            profile.quota == Quota::Opportunistic,
            profile.criticality,
            f64::from(profile.cpu.0) * 1e-3,
            limit,
            profile.quota_cores.unwrap_or(f64::INFINITY),
        ));
        if let (Some(gate), Some(service)) = (self.gates.last_mut(), service) {
            gate.service = service as u32;
        }
        self.queues.resize_with(self.queues.len() + self.regions, VecDeque::new);
    }

    /// A region uses so much more CPU from now on [millionths of a core].
    #[inline]
    pub(super) fn cpu_changed(&mut self, region: RegionId, more: i128, now: SimTime) {
        self.used_moment[region.index()] += more * i128::from(now.0);
    }

    /// Whether functions call services.
    #[inline]
    pub(super) fn calls_services(&self) -> bool {
        self.on && !self.behind.is_empty()
    }

    /// What became of services and their callers.
    pub(super) fn service_totals(&self) -> Vec<ServiceOutcome> {
        let of = |((name, totals), behind): ((&str, ServiceTotals), &Behind)| ServiceOutcome {
            name: name.to_owned(),
            totals,
            behind_max: behind.most,
            caught_up_s: behind.outages.iter().map(|o| o.after.map_or(f64::NAN, Duration::as_secs_f64)).collect(),
        };
        self.services.totals().zip(&self.behind).map(of).collect()
    }

    fn controllers_down(&self, now: SimTime) -> bool {
        self.spec.controllers_down.iter().any(|outage| outage.holds(now))
    }
}

impl Engine<'_> {
    /// Begins to poll.
    pub(super) fn begin_dispatch(&mut self) {
        if self.dispatch.on {
            self.queue.push(SimTime::ZERO + self.dispatch.period, Event::Poll);
        }
    }

    /// The RunQ of a region, with what is on its way there, is as long as it may be.
    fn run_queue_is_full(&self, region: RegionId) -> bool {
        let waiting = self.loads[region.index()].queued + self.dispatch.on_the_way[region.index()].0;
        self.dispatch.spec.run_queue.is_some_and(|most| waiting >= most)
    }
}
