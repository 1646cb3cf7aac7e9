//! How a sandbox comes to be: it waits for the host's limit on creations, boots, initialises its runtime, and is ready.
//!
//! ```text
//!   create ──> Queued ──> Boot ──────────────> Init ──> ready
//!              limit on   floor, then work on   runtime, code,
//!              creations  the shared CPU, or    connections
//!                         one drawn latency
//! ```
//!
//! Its memory is reserved from the first moment, and in use from the boot on. Boot and init demand CPU; what they draw is
//! booked as cold start, by the power model or as measured joules, never both.

use super::calls::Stage;
use super::engine::Engine;
use super::event::Event;
use super::rules::ColdWait;
use crate::cluster::{NONE, Phase, SandboxState, Tier};
use crate::isolation::StartModel;
use crate::ledger::Held;
use crate::types::{Duration, FunctionId, HostId, SandboxId};

/// Marks an entry of a host's shared CPU as a start and not a call.
const START: u32 = 1 << 31;

/// One core, in the units of CPU demand.
const ONE_CORE: u32 = 1_000_000;

impl Engine<'_> {
    /// Starts a new sandbox for a call.
    pub(super) fn start_cold(&mut self, slot: u32, host: HostId) {
        let function = self.calls[slot].function;
        self.touch(host);
        let id = self.create(function, host);
        let (demand, held) = (self.needs[function.index()].cpu, self.call_cpu(function));
        let h = &mut self.hosts[host.index()];
        h.bind(held);
        let region = h.region;
        self.loads[region.index()].cpu_demand += demand;
        self.series.at(region, self.now).cold += 1;
        let s = &mut self.sandboxes[id];
        s.call = slot;
        s.calls = 1;
        let (pool, generation) = (s.pool, s.generation);
        self.follow(pool, region, |p, now| p.run(now, 1));
        let call = &mut self.calls[slot];
        call.stage = Stage::Starting;
        call.sandbox = id.0;
        call.cold = true;
        call.next = NONE;
        if self.rules.sandbox.cold_wait == ColdWait::AnyFreed {
            self.pending.entry((pool.0, region.0)).or_default().push_back((id.0, generation));
        } else if self.slots > 1 {
            self.joinable.entry((pool.0, region.0)).or_default().push_back((id.0, generation));
        }
        self.settle(host);
        self.relieve(host);
    }

    /// Binds a call to a sandbox of its pool that starts and has a place left; false if there is none.
    pub(super) fn join_starting(&mut self, slot: u32) -> bool {
        let (function, region) = (self.calls[slot].function, self.calls[slot].region);
        let pool = self.pool_of(function);
        let key = (pool.0, region.0);
        let demand = self.needs[function.index()].cpu;
        let mut at = 0;
        while let Some(&(sandbox, generation)) = self.joinable.get(&key).and_then(|list| list.get(at)) {
            let s = &self.sandboxes[SandboxId(sandbox)];
            if s.generation != generation || s.state != SandboxState::Starting || s.calls >= self.slots {
                self.joinable.entry(key).or_default().remove(at);
                continue;
            }
            let host = s.host;
            if !self.has_cpu(host, function) {
                at += 1;
                continue;
            }
            let s = &mut self.sandboxes[SandboxId(sandbox)];
            let call = &mut self.calls[slot];
            call.stage = Stage::Starting;
            call.sandbox = sandbox;
            call.cold = true;
            call.next = std::mem::replace(&mut s.call, slot);
            s.calls += 1;
            self.touch(host);
            let held = self.call_cpu(function);
            self.hosts[host.index()].bind(held);
            self.loads[region.index()].cpu_demand += demand;
            self.follow(pool, region, |p, now| p.run(now, 1));
            self.settle(host);
            return true;
        }
        false
    }

    /// Makes a new sandbox on a host, which has been touched; the caller settles it.
    pub(super) fn create(&mut self, function: FunctionId, host: HostId) -> SandboxId {
        let memory = self.sandbox_memory(function);
        let pool = self.pool_of(function);
        let id = self.sandboxes.create((pool, function), host, memory, self.now);
        let h = &mut self.hosts[host.index()];
        h.starting += 1;
        h.sandboxes += 1;
        h.reserved_memory += memory;
        h.reserved_cpu += self.sandbox_cpu;
        let (region, first) = (h.region, h.sandboxes == 1);
        self.loads[region.index()].memory_held += memory;
        self.functions[function.index()].starts += 1;
        self.follow(pool, region, |p, _| {
            p.sandboxes += 1;
            p.starting += 1;
        });
        if first {
            self.count_used_hosts(1);
        }
        let wait = self.creation_wait(host);
        if wait == Duration::ZERO {
            self.begin_boot(id);
        } else {
            self.sandboxes[id].phase = Phase::Queued;
            self.totals.creations_limited += 1;
            self.totals.phase_s[0] += wait.as_secs_f64();
            self.queue.push(self.now + wait, Event::Begin { sandbox: id.0 });
        }
        id
    }

    /// How long the next creation on a host has to wait: a token bucket, kept as the one instant at which it would be full
    /// again (the generic cell rate algorithm).
    fn creation_wait(&mut self, host: HostId) -> Duration {
        let h = &mut self.hosts[host.index()];
        let interval = self.creation_interval[h.group.index()];
        if interval == Duration::ZERO {
            return Duration::ZERO;
        }
        let full = h.creations_until.max(self.now);
        h.creations_until = full + interval;
        let burst = Duration(interval.0.saturating_mul(u64::from(self.creation_burst.saturating_sub(1))));
        Duration((full - self.now).0.saturating_sub(burst.0))
    }

    /// The limit on creations lets a sandbox begin.
    pub(super) fn begin(&mut self, slot: u32) {
        let id = SandboxId(slot);
        let host = self.sandboxes[id].host;
        self.touch(host);
        self.begin_boot(id);
        self.settle(host);
        self.relieve(host);
    }

    /// A sandbox begins to boot on a host, which has been touched; the caller settles it.
    fn begin_boot(&mut self, id: SandboxId) {
        let s = &mut self.sandboxes[id];
        let (host, function, pool) = (s.host, s.function.index(), s.pool);
        let h = &mut self.hosts[host.index()];
        h.booting += 1;
        h.held[Held::Starting as usize] += self.shares.busy.of(s.memory);
        s.phase = Phase::Boot;
        (s.share_mark, s.share_weight_mark) = (h.share_clock, h.share_weight_clock);
        (s.dynamic_mark, s.dynamic_weight_mark) = (h.dynamic_clock, h.dynamic_weight_clock);
        let entry = self.pools.entry(pool, h.region);
        let mechanism = match &self.mechanism.base {
            Some(base) if !self.pools.has_snapshot[entry] => base,
            _ => &self.mechanism,
        };
        s.restored = mechanism.first_call_factor != 1.0;
        let stream = &mut self.streams[function];
        let levels = mechanism.start_model.levels();
        let boot = match levels {
            Some(levels) => {
                s.boot_quantile = stream.uniform();
                s.boot_began = (self.now, h.boot_clock);
                Duration::from_secs_f64(levels.least(s.boot_quantile))
            }
            None => mechanism.start_latency(h.booting, stream),
        };
        let mut init = self.runtime.connect;
        if mechanism.runtime_init {
            init = init + self.runtime.init(&mut self.init_streams[function]) + self.runtime.load;
        }
        s.init_latency = init;
        s.start_latency = (self.now - s.born) + boot + init;
        s.start_core_s = mechanism.start_cpu_core_s + self.runtime.init_core_s(init);
        if let (Some(joules), Some(metered)) = (mechanism.start_energy_j, &mut h.start_w) {
            let power_w = joules / (boot + init).as_secs_f64().max(1e-9);
            s.start_w = Some(power_w);
            *metered += power_w;
            (s.dynamic_mark, s.dynamic_weight_mark) = (self.now.as_secs_f64(), h.weight);
        }
        let phases = &mut self.totals.phase_s;
        phases[1] += boot.as_secs_f64();
        phases[2] += init.as_secs_f64();
        let demand = match mechanism.start_model {
            StartModel::ProcessorSharing { floor, demand } => {
                // The draw stretches floor and work alike.
                let work_s = boot.as_secs_f64() * demand.as_secs_f64() / (floor + demand).as_secs_f64().max(1e-12);
                s.start_core_s += work_s - mechanism.start_cpu_core_s;
                let floor = Duration(boot.0.saturating_sub(Duration::from_secs_f64(work_s).0));
                self.queue.push(self.now + floor, Event::Floor { sandbox: id.0 });
                return;
            }
            _ => mechanism.start_demand(boot),
        };
        s.start_demand = demand;
        h.start_demand += u64::from(demand);
        self.loads[h.region.index()].cpu_demand += u64::from(demand);
        let next = match (levels, init) {
            (Some(_), _) => Event::Look { sandbox: id.0 },
            (None, Duration::ZERO) => Event::Ready { sandbox: id.0 },
            (None, _) => Event::Booted { sandbox: id.0 },
        };
        self.queue.push(self.now + boot, next);
    }

    /// Whether a boot has taken as long as one of its quantile takes among as many starts as were in flight on average since it
    /// began; if not, it is looked at again when the rest is over. Looking begins at the shortest latency of its quantile. What
    /// was waited is not taken back where the number falls meanwhile.
    pub(super) fn look(&mut self, slot: u32) {
        /// The data are in tenths of a millisecond: less than that is waited without another look.
        const EXACT: Duration = Duration(100_000);
        let id = SandboxId(slot);
        let host = self.sandboxes[id].host;
        self.touch(host);
        let (s, h) = (&self.sandboxes[id], &self.hosts[host.index()]);
        let base = self.mechanism.base.as_ref().and_then(|base| base.start_model.levels());
        let levels = self.mechanism.start_model.levels().or(base).expect("only empirical boots are looked at");
        let (began, clock) = s.boot_began;
        let so_far = self.now - began;
        let in_flight = match so_far {
            Duration::ZERO => f64::from(h.booting),
            _ => h.boot_clock.wrapping_sub(clock) as f64 / so_far.0 as f64,
        };
        let wanted = Duration::from_secs_f64(levels.at(in_flight, s.boot_quantile));
        let more = Duration(wanted.0.saturating_sub(so_far.0));
        if more == Duration::ZERO {
            self.lengthen_start(id);
            return self.booted(slot);
        }
        // Its CPU time is over; what is left waits for others. Measured joules are spread over what is left.
        self.set_start_demand(id, 0);
        let s = &mut self.sandboxes[id];
        if let Some(power_w) = s.start_w {
            let less_w = power_w * (more.as_secs_f64() / (more + s.init_latency).as_secs_f64());
            s.start_w = Some(power_w - less_w);
            let h = &mut self.hosts[host.index()];
            h.start_w = h.start_w.map(|all| (all - less_w).max(0.0));
        }
        let next = if more <= EXACT { Event::Waited { sandbox: slot } } else { Event::Look { sandbox: slot } };
        self.queue.push(self.now + more, next);
        self.settle(host);
    }

    /// A boot that was looked at is over.
    pub(super) fn waited(&mut self, slot: u32) {
        self.lengthen_start(SandboxId(slot));
        self.booted(slot);
    }

    /// Only now it is known how long the boot took: what was assumed at its beginning is put right.
    fn lengthen_start(&mut self, id: SandboxId) {
        let s = &mut self.sandboxes[id];
        let latency = (self.now - s.born) + s.init_latency;
        self.totals.phase_s[1] += latency.as_secs_f64() - s.start_latency.as_secs_f64();
        s.start_latency = latency;
    }

    /// The floor of a start is over: its work now shares the host's CPU, at most one core at a time.
    pub(super) fn floor_over(&mut self, slot: u32) {
        let id = SandboxId(slot);
        let host = self.sandboxes[id].host;
        self.touch(host);
        let s = &self.sandboxes[id];
        let work = Duration::from_secs_f64(s.start_core_s - self.runtime.init_core_s(s.init_latency));
        self.set_start_demand(id, ONE_CORE);
        self.sharing[host.index()].add(slot | START, work, self.queue.scheduled());
        self.settle(host);
    }

    /// Changes a starting sandbox's CPU demand, on a host that has been touched, and credits what it drew so far.
    fn set_start_demand(&mut self, id: SandboxId, demand: u32) {
        self.credit_start(id);
        let s = &mut self.sandboxes[id];
        let h = &mut self.hosts[s.host.index()];
        let load = &mut self.loads[h.region.index()];
        h.start_demand = h.start_demand - u64::from(s.start_demand) + u64::from(demand);
        load.cpu_demand = load.cpu_demand - u64::from(s.start_demand) + u64::from(demand);
        s.start_demand = demand;
    }

    /// What a start drew since it was last credited.
    pub(super) fn credit_start(&mut self, id: SandboxId) {
        let s = &mut self.sandboxes[id];
        let h = &self.hosts[s.host.index()];
        let account = self.accounts.of_mut(s.function, h.group);
        if let Some(power_w) = s.start_w {
            let now = self.now.as_secs_f64();
            account.dynamic_j[1] += (now - s.dynamic_mark) * power_w;
            account.dynamic_weight[1] += (h.weight - s.dynamic_weight_mark) * power_w;
            (s.dynamic_mark, s.dynamic_weight_mark) = (now, h.weight);
            return;
        }
        let demand = f64::from(s.start_demand);
        account.dynamic_j[1] += (h.dynamic_clock - s.dynamic_mark) * demand;
        account.dynamic_weight[1] += (h.dynamic_weight_clock - s.dynamic_weight_mark) * demand;
        (s.dynamic_mark, s.dynamic_weight_mark) = (h.dynamic_clock, h.dynamic_weight_clock);
    }

    /// Something that shared a host's CPU is done: a call or the boot of a sandbox. The host has been touched.
    pub(super) fn cpu_work_done(&mut self, tagged: u32, order: u64) {
        if tagged & START == 0 {
            let call = &self.calls[tagged];
            if call.stage == Stage::Running && call.order == order {
                self.finish(tagged);
            }
            return;
        }
        let slot = tagged & !START;
        self.lengthen_start(SandboxId(slot));
        self.booted(slot);
    }

    /// Whether what shares a host's CPU under this name and turn was killed.
    pub(super) fn is_gone(calls: &super::calls::Calls, tagged: u32, order: u64) -> bool {
        tagged & START == 0 && {
            let call = &calls[tagged];
            call.stage != Stage::Running || call.order != order
        }
    }

    /// A sandbox has booted.
    pub(super) fn booted(&mut self, slot: u32) {
        let id = SandboxId(slot);
        let host = self.sandboxes[id].host;
        self.touch(host);
        if self.sandboxes[id].init_latency == Duration::ZERO {
            return self.ready(slot);
        }
        // Connecting needs no CPU: what initialisation and load need is spread over the whole phase.
        let init = self.sandboxes[id].init_latency;
        let cores = self.runtime.init_core_s(init) / init.as_secs_f64();
        self.set_start_demand(id, (cores * f64::from(ONE_CORE)).round() as u32);
        let s = &mut self.sandboxes[id];
        s.phase = Phase::Init;
        let until = self.now + s.init_latency;
        self.hosts[host.index()].booting -= 1;
        self.queue.push(until, Event::Ready { sandbox: slot });
        self.settle(host);
    }

    /// A call goes into a sandbox that is paused or on disk, which must resume first. Its host has been touched and has the
    /// room; the caller settles it.
    pub(super) fn resume(&mut self, slot: u32, id: SandboxId) {
        let s = &mut self.sandboxes[id];
        let h = &mut self.hosts[s.host.index()];
        let (latency, restored) = match s.tier {
            Tier::Snapshotted => (self.mechanism.restore + self.runtime.connect, true),
            _ => (self.mechanism.resume, false),
        };
        s.state = SandboxState::Starting;
        s.phase = Phase::Resume;
        s.tier = Tier::Ready;
        s.restored = restored;
        s.call = slot;
        s.calls = 1;
        h.starting += 1;
        h.held[Held::Starting as usize] += self.shares.busy.of(s.memory);
        self.totals.resumed += 1;
        self.totals.phase_s[3] += latency.as_secs_f64();
        let (pool, region) = (s.pool, h.region);
        self.follow(pool, region, |p, now| {
            p.run(now, 1);
            p.starting += 1;
        });
        let call = &mut self.calls[slot];
        call.stage = Stage::Starting;
        call.sandbox = id.0;
        call.cold = false;
        call.next = NONE;
        self.queue.push(self.now + latency, Event::Ready { sandbox: id.0 });
    }

    /// A sandbox is ready.
    pub(super) fn ready(&mut self, slot: u32) {
        let id = SandboxId(slot);
        let host = self.sandboxes[id].host;
        self.touch(host);
        self.end_start(id);
        let s = &mut self.sandboxes[id];
        let h = &mut self.hosts[host.index()];
        h.held[Held::Busy as usize] += self.shares.busy.of(s.memory);
        let (region, pool, was_resumed) = (h.region, s.pool, s.phase == Phase::Resume);
        if !was_resumed {
            self.totals.starts.record((self.now - s.born).0);
            let entry = self.pools.entry(pool, region);
            self.pools.has_snapshot[entry] = true;
        }
        let (call, generation) = (s.call, s.generation);
        s.call = NONE;
        if call != NONE {
            self.forget_pending(id, generation);
        }
        if call == NONE {
            self.sandboxes[id].calls = 0;
            self.free_place(id, host, region);
            return;
        }
        self.execute_chain(call, id);
        if self.slots > 1 && self.sandboxes[id].calls < self.slots {
            return self.free_place(id, host, region);
        }
        self.settle(host);
        self.relieve(host);
    }

    /// The start of a sandbox is over, one way or the other: its accounts, and what it demanded and used of its host.
    fn end_start(&mut self, id: SandboxId) {
        self.credit_share(id, Held::Starting);
        self.set_start_demand(id, 0);
        let s = &mut self.sandboxes[id];
        let h = &mut self.hosts[s.host.index()];
        if let Some(power_w) = s.start_w.take() {
            let left = h.start_w.unwrap_or(0.0) - power_w;
            // Rounding must not leave power behind when no start is left.
            h.start_w = Some(if h.starting == 1 { 0.0 } else { left.max(0.0) });
        }
        h.starting -= 1;
        h.booting -= u32::from(s.phase == Phase::Boot);
        h.held[Held::Starting as usize] -= self.shares.busy.of(s.memory);
        let (pool, region) = (s.pool, h.region);
        self.follow(pool, region, |p, _| p.starting -= 1);
    }

    /// Nobody waits for this sandbox any more.
    fn forget_pending(&mut self, id: SandboxId, generation: u32) {
        if self.rules.sandbox.cold_wait != ColdWait::AnyFreed {
            return;
        }
        let s = &self.sandboxes[id];
        let region = self.hosts[s.host.index()].region;
        if let Some(list) = self.pending.get_mut(&(s.pool.0, region.0)) {
            list.retain(|&entry| entry != (id.0, generation));
        }
    }

    /// Executes the calls that waited for a sandbox, in the order in which they came.
    fn execute_chain(&mut self, last: u32, id: SandboxId) {
        if self.calls[last].next == NONE {
            return self.execute(last, id);
        }
        let mut waiting = Vec::new();
        let mut at = last;
        while at != NONE {
            waiting.push(at);
            at = self.calls[at].next;
        }
        for &slot in waiting.iter().rev() {
            self.execute(slot, id);
        }
    }
}
