//! From arrival to host: admission, shifting, routing, packing, and room made by eviction.

use super::calls::Stage;
use super::engine::Engine;
use super::event::Event;
use super::rules::QueueScope;
use super::setup::SimError;
use crate::cluster::{CpuModel, SandboxState, Tier};
use crate::scheduler::admission::Verdict;
use crate::scheduler::packing::{Placement, Pool, Request};
use crate::scheduler::routing::{Ask, confined};
use crate::scheduler::shifting::Work;
use crate::scheduler::{CallView, WorkToken};
use crate::sim::view::view;
use crate::types::{Duration, FunctionId, HostId, PoolId, RegionId, SandboxId, SimTime};

/// What policies see of a call and of the rest. A macro, so that the borrow ends at the fields it names and the policy itself
/// can be borrowed for writing.
macro_rules! views {
    ($engine:ident, $slot:ident) => {{
        let call = &$engine.calls[$slot];
        let factor = $engine.mechanism.cpu_factor;
        let work = if factor == 1.0 { call.work } else { Duration::from_secs_f64(call.work.as_secs_f64() * factor) };
        let call = CallView {
            token: WorkToken::Call($slot),
            function: call.function,
            profile: &$engine.profiles[call.function.index()],
            arrival: call.arrival,
            deadline: call.deadline,
            expected_work: work,
            region: call.home,
        };
        (call, view!($engine))
    }};
}

impl Engine<'_> {
    /// Asks admission, and goes on to shifting if the call is let in.
    pub(super) fn ask(&mut self, slot: u32) {
        if self.passive.admission && self.passive.shifting && self.calls[slot].start <= self.now {
            return self.let_go(slot);
        }
        let was_held = self.now > self.calls[slot].arrival;
        let verdict = {
            let (call, view) = views!(self, slot);
            self.admission.admit(&call, &view)
        };
        let home = self.calls[slot].home;
        match verdict {
            Verdict::Admit => self.shift(slot, was_held),
            Verdict::AskAgain(at) => {
                if !was_held {
                    self.series.defer(home, self.now, 1);
                }
                self.queue.push(at.max(self.now + Duration(1)), Event::Ask { call: slot });
            }
            Verdict::Reject => {
                if was_held {
                    self.series.defer(home, self.now, -1);
                }
                self.totals.refused += 1;
                self.reject(slot);
            }
        }
    }

    /// Tells keep-alive and scaling of a call, when and where it is to run.
    fn tell_arrival(&mut self, slot: u32) {
        let (pool, region) = (self.pool_of(self.calls[slot].function), self.calls[slot].region);
        if self.keep_alive.observes() {
            let pool = self.pools.view(pool, region, self.now);
            let (call, view) = views!(self, slot);
            self.keep_alive.arrived(&call, &pool, &view);
        }
        if self.pools.followed() {
            let function = self.calls[slot].function;
            let p = self.pools.at(pool, region);
            p.stamp = p.stamp.wrapping_add(1);
            p.last_function = function;
        }
        if self.scales {
            self.call_pool(pool, region);
        }
    }

    /// Tells admission that a call has ended.
    pub(super) fn tell_admission(&mut self, slot: u32) {
        let (call, view) = views!(self, slot);
        self.admission.finished(&call, &view);
    }

    /// Asks shifting when the call starts.
    fn shift(&mut self, slot: u32, was_held: bool) {
        self.plan.clear();
        let start = self.calls[slot].start;
        if start > self.now {
            return self.wait_for_start(slot, start, was_held);
        }
        {
            let (call, view) = views!(self, slot);
            let slack = match call.deadline {
                SimTime::NEVER => Duration::FOREVER,
                at => Duration(at.saturating_since(start).0.saturating_sub(call.expected_work.0)),
            };
            let work = Work {
                token: call.token,
                account: call.function,
                profile: call.profile,
                region: call.region,
                arrival: call.arrival,
                wanted: start,
                slack,
                length: Some(call.expected_work),
                done: Duration::ZERO,
                waited: view.now - start,
                class: 0,
                cpu: self.needs[call.function.index()].cpu,
                nodes: 1,
                kind: None,
                running: 0,
            };
            self.shifting.plan(&work, &view, &mut self.plan);
        }
        let home = self.calls[slot].home;
        let start = if self.plan.held { None } else { self.plan.first() };
        if start.is_some_and(|at| at <= self.now) {
            if was_held {
                self.series.defer(home, self.now, -1);
            }
            return self.let_go(slot);
        }
        if !was_held {
            self.series.defer(home, self.now, 1);
        }
        if let Some(at) = start {
            self.queue.push(at, Event::Release { call: slot });
        } else if !self.plan.held {
            let at = self.plan.again;
            assert!(
                self.now < at && at < SimTime::NEVER,
                "shifting neither plans a call, nor holds it, nor asks again"
            );
            self.queue.push(at, Event::Reconsider { call: slot });
        }
    }

    /// A call whose caller wants it to start later waits until then.
    fn wait_for_start(&mut self, slot: u32, start: SimTime, was_held: bool) {
        if !was_held {
            self.series.defer(self.calls[slot].home, self.now, 1);
        }
        self.queue.push(start, Event::Reconsider { call: slot });
    }

    /// Shifting is asked again when a call starts.
    pub(super) fn reconsider(&mut self, slot: u32) {
        self.shift(slot, true);
    }

    /// Shifting's tick: the held calls that it names are let go.
    pub(super) fn shift_tick(&mut self) {
        let mut let_go = std::mem::take(&mut self.let_go_now);
        let view = view!(self);
        self.shifting.tick(&view, &mut let_go);
        for token in let_go.drain(..) {
            match token {
                WorkToken::Call(slot) => self.release(slot),
                WorkToken::Job(job) => self.let_job_go(job),
            }
        }
        self.let_go_now = let_go;
        if let Some(period) = self.shifting.period() {
            self.queue.push(self.now + period.max(Duration(1)), Event::ShiftTick);
        }
    }

    /// A shifted call is let go.
    pub(super) fn release(&mut self, slot: u32) {
        self.series.defer(self.calls[slot].home, self.now, -1);
        self.let_go(slot);
    }

    /// Routes a call and starts it, or lets it wait; where there are durable queues, it is written to one.
    #[inline]
    fn let_go(&mut self, slot: u32) {
        if self.dispatch.on {
            return self.enqueue(slot);
        }
        let region = if self.passive.routing {
            self.calls[slot].home
        } else {
            let (call, view) = views!(self, slot);
            let wanted = self.routing.region(&call, &view);
            if view.network.confines() { confined(wanted, &Ask::of_call(&call, &view), &view) } else { wanted }
        };
        self.run_in(slot, region);
    }

    /// Starts a call in a region, or lets it wait for room there.
    #[inline]
    pub(super) fn run_in(&mut self, slot: u32, region: RegionId) {
        let call = &mut self.calls[slot];
        call.released = self.now;
        call.deferred = self.now > call.arrival;
        call.region = region;
        if self.network.is_wide() && self.send_call(slot) {
            if self.dispatch.on {
                self.on_the_way(slot, true);
            }
            return;
        }
        self.reached(slot);
    }

    /// A call that was on its way is where it is to run.
    pub(super) fn arrived(&mut self, slot: u32) {
        if self.dispatch.on {
            self.on_the_way(slot, false);
        }
        self.reached(slot);
    }

    /// A call is where it is to run.
    #[inline]
    pub(super) fn reached(&mut self, slot: u32) {
        if !self.passive.arrivals {
            self.tell_arrival(slot);
        }
        self.place_call(slot);
    }

    /// Starts a call that is let go, or that was killed, or lets it wait.
    #[inline]
    pub(super) fn place_call(&mut self, slot: u32) {
        let region = self.calls[slot].region;
        if !self.on_demand {
            return self.place_in_pool(slot);
        }
        let must_mind_others = self.loads[region.index()].queued > 0 && !self.rules.queue.overtake;
        if must_mind_others && self.rules.queue.scope == QueueScope::Region {
            return self.wait(slot, None);
        }
        let found = self.find(slot, None);
        if self.joins && !matches!(found, Some((Placement::Warm(_), _))) && self.join_starting(slot) {
            return;
        }
        let Some(found) = found else {
            return self.wait(slot, None);
        };
        if must_mind_others && self.rules.queue.scope == QueueScope::Host {
            let host = self.host_of(found.0);
            if self.others_wait_on(host) {
                return self.wait(slot, Some(host));
            }
        }
        self.start(slot, found);
    }

    /// Where the number of sandboxes is not the calls' to decide: takes one of the pool, or waits for one.
    fn place_in_pool(&mut self, slot: u32) {
        let (function, region) = (self.calls[slot].function, self.calls[slot].region);
        let pool = self.pool_of(function);
        if self.scales {
            self.call_pool(pool, region);
        }
        let nowhere_new = Request { memory: u64::MAX, ..self.request(function) };
        let waits = self.pools.at(pool, region).waiting > 0 && !self.rules.queue.overtake;
        if !waits {
            while let Placement::Warm(id) = self.place(&nowhere_new, region, false) {
                if self.has_room_to_resume(id) {
                    return self.start_warm(slot, id);
                }
            }
            if self.joins && self.join_starting(slot) {
                return;
            }
        }
        self.wait(slot, None);
    }

    /// Whether the host of an idle sandbox can take it back into memory. If not, the sandbox goes, and its place is free.
    fn has_room_to_resume(&mut self, id: SandboxId) -> bool {
        let s = &self.sandboxes[id];
        if s.state != SandboxState::Warm || s.tier == Tier::Ready {
            return true;
        }
        let (host, missing) = (s.host, s.memory - self.shares.idle(s.tier, s.memory).1);
        let h = &self.hosts[host.index()];
        let free = self.promised[host.index()].memory.saturating_sub(h.reserved_memory);
        if free >= missing {
            return true;
        }
        let evicts = self.rules.sandbox.eviction.order().is_some();
        let has_room = evicts && self.evict(host, missing, Some(id));
        if !has_room {
            self.touch(host);
            self.remove_idle(id);
            self.totals.evicted += 1;
        }
        self.settle(host);
        has_room
    }

    /// Finds room for a call, on the given host only or anywhere in its region; true if idle sandboxes have to go for it.
    fn find(&mut self, slot: u32, only: Option<HostId>) -> Option<(Placement, bool)> {
        let (function, region) = (self.calls[slot].function, self.calls[slot].region);
        let request = self.request(function);
        loop {
            match self.place_within(&request, region, only, false) {
                Placement::Warm(id) if self.cools && !self.has_room_to_resume(id) => {}
                Placement::Nowhere => break,
                free => return Some((free, false)),
            }
        }
        self.regions[region.index()].reclaimable.as_ref()?;
        self.refresh_reclaimable(region);
        let freed = self.place_within(&request, region, only, true);
        (freed != Placement::Nowhere).then_some((freed, true))
    }

    /// Finds room on the given host only or anywhere in the region, in free memory or in what eviction could free.
    #[inline(always)]
    fn place_within(&mut self, request: &Request, region: RegionId, only: Option<HostId>, evicting: bool) -> Placement {
        match only {
            None => self.place(request, region, evicting),
            Some(host) => self.place_on(request, region, host, evicting),
        }
    }

    /// Starts a call where room was found.
    #[inline]
    fn start(&mut self, slot: u32, (placement, evicting): (Placement, bool)) {
        match placement {
            Placement::Warm(sandbox) => self.start_warm(slot, sandbox),
            Placement::Cold(host) => {
                if evicting {
                    let fits = self.evict(host, self.sandbox_memory(self.calls[slot].function), None);
                    assert!(fits, "a host was chosen whose idle sandboxes free too little");
                }
                self.start_cold(slot, host);
            }
            Placement::Nowhere => unreachable!("a call is started only where room was found"),
        }
    }

    fn host_of(&self, placement: Placement) -> HostId {
        match placement {
            Placement::Warm(sandbox) => self.sandboxes[sandbox].host,
            Placement::Cold(host) => host,
            Placement::Nowhere => unreachable!("nowhere is not a place"),
        }
    }

    pub(super) fn others_wait_on(&self, host: HostId) -> bool {
        let region = &self.regions[self.hosts[host.index()].region.index()];
        region.waiting.len(region.waiting.queue_of(host.0 - region.first_host)) > 0
    }

    /// Memory that a new sandbox of a function reserves \[bytes\].
    #[inline]
    pub(super) fn sandbox_memory(&self, function: FunctionId) -> u64 {
        self.needs[function.index()].memory
    }

    /// Whether a host may take one more call, and has the CPU free that one of this function would hold in a sandbox that stands there.
    pub(super) fn has_cpu(&self, host: HostId, function: FunctionId) -> bool {
        let h = &self.hosts[host.index()];
        h.bound_calls < self.most_calls
            && self.warm_cpu(function) <= self.promised[host.index()].cpu.saturating_sub(h.reserved_cpu)
    }

    /// CPU that a call holds of its host: none where its sandbox holds it [millionths of a core].
    #[inline]
    pub(super) fn call_cpu(&self, function: FunctionId) -> u64 {
        if self.sandbox_cpu > 0 { 0 } else { self.needs[function.index()].cpu }
    }

    /// CPU that must be free for a call in a sandbox that stands already [millionths of a core].
    #[inline]
    fn warm_cpu(&self, function: FunctionId) -> u64 {
        match self.rules.cpu {
            CpuModel::Isolated => self.call_cpu(function),
            CpuModel::Contended | CpuModel::Ignored => 0,
        }
    }

    #[inline]
    pub(super) fn request(&self, function: FunctionId) -> Request {
        let warm_cpu = self.warm_cpu(function);
        let cpu = (warm_cpu + self.sandbox_cpu).max(self.least_cpu);
        let warm_cpu = warm_cpu.max(self.least_cpu);
        Request { function, pool: self.pool_of(function), memory: self.sandbox_memory(function), cpu, warm_cpu }
    }

    #[inline]
    fn place(&mut self, request: &Request, region: RegionId, evicting: bool) -> Placement {
        let r = &self.regions[region.index()];
        let index = match &r.reclaimable {
            Some(reclaimable) if evicting => reclaimable,
            _ => &r.free,
        };
        let pool = Pool { region, first_host: r.first_host, index, warm: &self.warm, sandboxes: &self.sandboxes };
        self.packing.place(request, &pool)
    }

    /// Room on one host: an idle sandbox there, or memory for a new one.
    fn place_on(&self, request: &Request, region: RegionId, host: HostId, evicting: bool) -> Placement {
        let r = &self.regions[region.index()];
        let index = match &r.reclaimable {
            Some(reclaimable) if evicting => reclaimable,
            _ => &r.free,
        };
        let local = (host.0 - r.first_host) as usize;
        if let Some(warm) = self.warm_on(request.pool, region, host)
            && index.cpu_fits(local, request.warm_cpu)
        {
            return Placement::Warm(warm);
        }
        if index.fits(local, request.memory, request.cpu) { Placement::Cold(host) } else { Placement::Nowhere }
    }

    fn warm_on(&self, pool: PoolId, region: RegionId, host: HostId) -> Option<SandboxId> {
        use crate::cluster::WarmScope;
        match self.packing.warm_scope() {
            WarmScope::Host => self.warm.on_host(pool, region, host),
            WarmScope::Region => self.warm.in_region(pool, region).filter(|&id| self.sandboxes[id].host == host),
        }
    }

    /// Queues a call that found no room (or must not overtake those that wait on `host`), or rejects it.
    fn wait(&mut self, slot: u32, host: Option<HostId>) {
        let call = self.calls[slot];
        let (function, region) = (call.function, call.region);
        let request = self.request(function);
        let r = &self.regions[region.index()];
        if request.memory > r.largest.1 || request.cpu > r.largest.0 {
            self.failure.get_or_insert(SimError::TooBig {
                function: self.profiles[function.index()].name.to_string(),
                region: r.name.clone(),
                needed_mb: request.memory as f64 * 1e-6,
                cpu: request.cpu as f64 * 1e-6,
                memory_mb: r.largest.1 as f64 * 1e-6,
                cores: r.largest.0 as f64 * 1e-6,
            });
        }
        if !self.on_demand && self.rules.queue.scope != QueueScope::None {
            return self.wait_in_pool(slot);
        }
        let host = match self.rules.queue.scope {
            QueueScope::None => {
                self.totals.turned_away += u64::from(self.reject(slot));
                return;
            }
            QueueScope::Region => None,
            QueueScope::Host if host.is_some() => host.map(|h| h.0 - r.first_host),
            QueueScope::Host => {
                let r = &self.regions[region.index()];
                let pool = Pool {
                    region,
                    first_host: r.first_host,
                    index: &r.free,
                    warm: &self.warm,
                    sandboxes: &self.sandboxes,
                };
                Some(self.packing.overflow(&request, &pool).0 - r.first_host)
            }
        };
        if !self.regions[region.index()].waiting.push(slot, host) {
            self.totals.turned_away += u64::from(self.reject(slot));
            return;
        }
        self.enter_queue(slot);
    }

    /// Queues a call for a sandbox of its pool, or rejects it.
    fn wait_in_pool(&mut self, slot: u32) {
        let (pool, region) = (self.pool_of(self.calls[slot].function), self.calls[slot].region);
        let full =
            self.rules.queue.max_waiting.is_some_and(|most| self.pools.at(pool, region).queue.len() >= most as usize);
        if full {
            self.totals.turned_away += u64::from(self.reject(slot));
            return;
        }
        self.pools.at(pool, region).queue.push_back(slot);
        self.enter_queue(slot);
    }

    /// CPU and memory that a waiting call needs, in a sandbox of its own.
    fn needs_room(&self, slot: u32) -> (u64, u64) {
        let needs = &self.needs[self.calls[slot].function.index()];
        (needs.cpu.max(self.sandbox_cpu), needs.memory)
    }

    fn enter_queue(&mut self, slot: u32) {
        let (pool, region) = (self.pool_of(self.calls[slot].function), self.calls[slot].region);
        self.totals.waited += 1;
        self.calls[slot].stage = Stage::Waiting;
        self.loads[region.index()].queued += 1;
        if self.on_demand {
            let (cpu, memory) = self.needs_room(slot);
            let sum = &mut self.regions[region.index()].waiting_needs;
            *sum = (sum.0 + cpu, sum.1 + memory);
        }
        self.series.queue(region, self.now, 1);
        self.follow(pool, region, |p, now| p.wait(now, 1));
        let give_up = self.now + Duration::from_secs_f64(self.rules.queue.timeout_s);
        if give_up != SimTime::NEVER {
            self.queue.push(give_up, Event::TimeOut { call: slot, generation: self.calls[slot].generation });
        }
    }

    /// A waiting call gives up.
    pub(super) fn time_out(&mut self, slot: u32) {
        let region = self.calls[slot].region;
        if !self.on_demand {
            let pool = self.pool_of(self.calls[slot].function);
            self.pools.at(pool, region).queue.retain(|&waiting| waiting != slot);
            self.leave_queue(slot);
            self.totals.timed_out += u64::from(self.reject(slot));
            return;
        }
        let r = &mut self.regions[region.index()];
        let queue = r.waiting.remove(slot);
        let host = HostId(r.first_host + queue);
        self.leave_queue(slot);
        self.totals.timed_out += u64::from(self.reject(slot));
        // With the first in line gone, the next one may fit.
        self.serve_waiting(host);
    }

    pub(super) fn leave_queue(&mut self, slot: u32) {
        let (pool, region) = (self.pool_of(self.calls[slot].function), self.calls[slot].region);
        self.follow(pool, region, |p, now| p.wait(now, -1));
        self.loads[region.index()].queued -= 1;
        if self.on_demand {
            let (cpu, memory) = self.needs_room(slot);
            let sum = &mut self.regions[region.index()].waiting_needs;
            *sum = (sum.0 - cpu, sum.1 - memory);
        }
        self.series.queue(region, self.now, -1);
    }

    /// Gives a call up; whether it counts as rejected, which a copy of one that is or will be executed does not.
    pub(super) fn reject(&mut self, slot: u32) -> bool {
        let call = self.calls[slot];
        let counts = !self.dispatch.on || self.dispatch_lost(&call);
        if counts {
            self.functions[call.function.index()].rejected += 1;
            self.series.at(call.home, self.now).rejected += 1;
        }
        self.calls.remove(slot);
        counts
    }

    /// Functions and workers are assigned to each other anew: who waits may find room in another group.
    pub(super) fn reassign(&mut self) {
        self.packing.reassign();
        for region in 0..self.regions.len() {
            if self.loads[region].queued > 0 && self.regions[region].waiting.is_shared() {
                self.serve_waiting(HostId(self.regions[region].first_host));
            }
        }
        if let Some(period) = self.packing.period() {
            self.queue.push(self.now + period.max(Duration(1)), Event::Reassign);
        }
    }

    /// Room may have appeared on a host: starts the calls that wait for it, in their order.
    #[inline]
    pub(super) fn serve_waiting(&mut self, host: HostId) {
        let region = self.hosts[host.index()].region;
        if self.loads[region.index()].queued > 0 && self.on_demand {
            self.serve_queue(region, host);
        }
        if self.loads[region.index()].instances_waiting > 0 {
            self.serve_instances(region);
        }
    }

    fn serve_queue(&mut self, region: RegionId, host: HostId) {
        let r = &self.regions[region.index()];
        let queue = r.waiting.queue_of(host.0 - r.first_host);
        let only = (self.rules.queue.scope == QueueScope::Host).then_some(host);
        let mut at = 0;
        while let Some(slot) = self.regions[region.index()].waiting.get(queue, at) {
            if let Some(found) = self.find(slot, only) {
                self.regions[region.index()].waiting.take(queue, at);
                self.leave_queue(slot);
                self.start(slot, found);
            } else if self.rules.queue.backfill {
                at += 1;
            } else {
                break;
            }
        }
    }
}
