//! The idle life of a sandbox: how long it stays, in which tier, and who has to go when room is needed.
//!
//! ```text
//!   idle ──> Ready ── pause_after ──> Paused ── snapshot_after ──> Snapshotted
//!              │                        │                             │
//!              └── keep-alive over, evicted, reclaimed, over budget ──┴──> gone
//! ```

use super::engine::Engine;
use super::event::Event;
use crate::cluster::{EvictionOrder, SandboxState, Tier};
use crate::isolation::{Mechanism, Scope};
use crate::ledger::Held;
use crate::scheduler::keep_alive::{IdleView, Plan};
use crate::sim::view::view;
use crate::types::{Duration, HostId, Memory, SandboxId, SimTime};

/// A share of a sandbox's reserved memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share(f64);

impl Share {
    /// The share of this many bytes.
    #[inline]
    pub fn of(self, bytes: u64) -> u64 {
        if self.0 == 1.0 { bytes } else { (bytes as f64 * self.0).round() as u64 }
    }
}

/// How much of the memory that it reserves a sandbox uses, by state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shares {
    /// Busy or starting.
    pub busy: Share,
    warm: Share,
    paused: Share,
}

impl Shares {
    /// The mechanism's.
    pub fn new(mechanism: &Mechanism) -> Self {
        Self {
            busy: Share(mechanism.busy_memory_share),
            warm: Share(mechanism.warm_memory_share),
            paused: Share(mechanism.paused_memory_share),
        }
    }

    /// Memory that a sandbox uses at most, idle and ready or busy \[bytes\].
    pub fn most(&self, memory: u64) -> u64 {
        self.busy.of(memory).max(self.warm.of(memory))
    }

    /// Memory that an idle sandbox uses and reserves \[bytes\].
    #[inline]
    pub fn idle(&self, tier: Tier, memory: u64) -> (u64, u64) {
        match tier {
            Tier::Ready => (self.warm.of(memory), memory),
            Tier::Paused => (self.paused.of(memory), self.paused.of(memory)),
            Tier::Snapshotted => (0, 0),
        }
    }
}

impl Engine<'_> {
    /// Credits what a sandbox held of its host since its last change of state.
    #[inline(always)]
    pub(super) fn credit_share(&mut self, id: SandboxId, state: Held) {
        let s = &mut self.sandboxes[id];
        let h = &self.hosts[s.host.index()];
        let bytes = match state {
            Held::Warm => self.shares.idle(s.tier, s.memory).0,
            Held::Busy | Held::Starting => self.shares.busy.of(s.memory),
        };
        let bytes = bytes as i64 as f64;
        let account = self.accounts.of_mut(s.function, h.group);
        account.share_s[state as usize] += (h.share_clock - s.share_mark) * bytes;
        account.share_weight[state as usize] += (h.share_weight_clock - s.share_weight_mark) * bytes;
        s.share_mark = h.share_clock;
        s.share_weight_mark = h.share_weight_clock;
    }

    /// A sandbox whose memory counts as busy has nothing to do. The host has been touched; the caller settles it.
    #[inline]
    pub(super) fn become_idle(&mut self, id: SandboxId) {
        let s = &self.sandboxes[id];
        let (host, memory, generation, pool, begun) = (s.host, s.memory, s.generation, s.pool, s.begun);
        let region = self.hosts[host.index()].region;
        let keep = match self.constant_keep {
            Some(keep) => keep,
            None => self.plan(id, begun).keep,
        };
        let s = &mut self.sandboxes[id];
        let restarts = self.restarts;
        let mut expires = self.now + keep;
        // A window that does not restart needs one event in its life, however often the sandbox becomes idle.
        let first_window = s.window_end == SimTime::NEVER;
        if !restarts && keep != Duration::FOREVER {
            if first_window {
                s.window_end = expires;
            }
            expires = s.window_end;
        }
        let h = &mut self.hosts[host.index()];
        h.held[Held::Busy as usize] -= self.shares.busy.of(memory);
        if expires <= self.now {
            self.totals.expired += 1;
            self.gone(id);
            return;
        }
        h.held[Held::Warm as usize] += self.shares.warm.of(memory);
        h.idle_reserved += memory;
        h.warm += 1;
        s.state = SandboxState::Warm;
        s.tier = Tier::Ready;
        s.idle_since = self.now;
        s.tier_since = self.now;
        s.expires = expires;
        self.expiring += usize::from(expires != SimTime::NEVER);
        // It may use less than a busy one: room for what is started ahead of calls.
        self.freed |= self.scales && self.may_exhaust;
        self.follow(pool, region, |p, _| p.idle += 1);
        self.warm.insert(&mut self.sandboxes, region, id);
        if self.evicting {
            self.idle_order.insert(&mut self.sandboxes, id);
        }
        if self.cools {
            let after = self.mechanism.pause_after.min(self.mechanism.snapshot_after);
            if after < keep {
                self.queue.push(self.now + after, Event::Cool { sandbox: id.0 });
            }
        }
        let in_lane = restarts && expires != SimTime::NEVER && self.lanes.insert(&mut self.sandboxes, id, keep);
        if !in_lane && expires != SimTime::NEVER && (restarts || first_window) {
            self.queue.push(expires, Event::Expire { sandbox: id.0, generation });
        }
    }

    /// What keep-alive, scaling and the scope of isolation make of a sandbox that has nothing to do.
    fn plan(&mut self, id: SandboxId, begun: u32) -> Plan {
        let s = &self.sandboxes[id];
        let (pool, region) = (s.pool, self.hosts[s.host.index()].region);
        if self.mechanism.scope == Scope::Request && begun > 0 {
            return Duration::ZERO.into();
        }
        if self.scales {
            let p = self.pools.at(pool, region);
            if p.sandboxes <= p.floor {
                return Duration::FOREVER.into();
            }
            if !self.on_demand {
                return Duration::ZERO.into();
            }
        }
        if begun == 0 && s.ahead {
            // It stays as long as was planned when its start was decided; in vain, if the start took longer.
            let until = self.pools.at(pool, region).prewarm_until;
            return until.saturating_since(self.now).into();
        }
        let view = IdleView {
            function: s.function,
            profile: &self.profiles[s.function.index()],
            pool: self.pools.view(pool, region, self.now),
            memory: Memory(s.memory),
            start: s.start_latency,
            start_core_s: s.start_core_s,
            start_energy_j: self.mechanism.start_energy_j,
            now: self.now,
        };
        let all = view!(self);
        let plan = self.keep_alive.keep(&view, &all);
        if let Some(prewarm) = plan.prewarm {
            self.plan_prewarm(pool, region, prewarm);
        }
        plan
    }

    /// Takes a sandbox out of all lists of idle ones, and counts its idle time.
    #[inline(always)]
    pub(super) fn leave_idle(&mut self, id: SandboxId) {
        self.count_idle(id);
        let s = &self.sandboxes[id];
        let (host, pool) = (s.host.index(), s.pool);
        let region = self.hosts[host].region;
        self.expiring -= usize::from(s.expires != SimTime::NEVER);
        self.warm.remove(&mut self.sandboxes, region, id);
        self.lanes.remove(&mut self.sandboxes, id);
        self.follow(pool, region, |p, _| p.idle -= 1);
        if self.evicting {
            self.idle_order.remove(&mut self.sandboxes, id);
        }
    }

    /// Counts the memory that an idle sandbox held since it is in its tier.
    #[inline(always)]
    pub(super) fn count_idle(&mut self, id: SandboxId) {
        let s = &mut self.sandboxes[id];
        let idle_s = (self.now - s.tier_since).as_secs_f64();
        let mb_s = idle_s * (self.shares.idle(s.tier, s.memory).0 as f64 * 1e-6);
        s.tier_since = self.now;
        self.functions[s.function.index()].idle_mb_s += mb_s;
        let tiers = &mut self.totals.idle_tier_mb_s;
        match s.tier {
            Tier::Ready => tiers[0] += mb_s,
            Tier::Paused => tiers[1] += mb_s,
            Tier::Snapshotted => tiers[2] += idle_s * s.memory as f64 * 1e-6,
        }
    }

    /// An idle sandbox is paused, or moved to disk: it gives memory back, and its next call will wait for it.
    pub(super) fn cool(&mut self, id: SandboxId) {
        let (host, memory, old) = (self.sandboxes[id].host, self.sandboxes[id].memory, self.sandboxes[id].tier);
        let idle = self.now - self.sandboxes[id].idle_since;
        let new = if idle >= self.mechanism.snapshot_after { Tier::Snapshotted } else { Tier::Paused };
        self.touch(host);
        self.credit_share(id, Held::Warm);
        self.count_idle(id);
        let (before, after) = (self.shares.idle(old, memory), self.shares.idle(new, memory));
        let s = &mut self.sandboxes[id];
        s.tier = new;
        let since = s.idle_since;
        let h = &mut self.hosts[host.index()];
        h.held[Held::Warm as usize] = h.held[Held::Warm as usize] - before.0 + after.0;
        h.idle_reserved = h.idle_reserved - before.1 + after.1;
        h.reserved_memory = h.reserved_memory - before.1 + after.1;
        let load = &mut self.loads[h.region.index()];
        load.memory_held = load.memory_held - before.1 + after.1;
        let next = since + self.mechanism.snapshot_after;
        if new == Tier::Paused && next != SimTime::NEVER {
            self.queue.push(next, Event::Cool { sandbox: id.0 });
        }
        self.freed = self.scales;
        self.settle(host);
        self.relieve(host);
        self.serve_waiting(host);
    }

    /// An idle sandbox's keep-alive has ended.
    pub(super) fn expire(&mut self, id: SandboxId) {
        let s = &self.sandboxes[id];
        let (host, pool) = (s.host, s.pool);
        if self.scales {
            let region = self.hosts[host.index()].region;
            let p = self.pools.at(pool, region);
            if p.sandboxes <= p.floor {
                // Scaling wants it to stay.
                self.lanes.remove(&mut self.sandboxes, id);
                self.sandboxes[id].expires = SimTime::NEVER;
                self.expiring -= 1;
                return;
            }
        }
        self.touch(host);
        self.remove_idle(id);
        self.totals.expired += 1;
        self.settle(host);
        self.serve_waiting(host);
    }

    /// Takes an idle sandbox off its host, which has been touched; the caller settles it.
    pub(super) fn remove_idle(&mut self, id: SandboxId) {
        self.leave_idle(id);
        self.credit_share(id, Held::Warm);
        let s = self.sandboxes[id];
        let (used, reserved) = self.shares.idle(s.tier, s.memory);
        let h = &mut self.hosts[s.host.index()];
        h.warm -= 1;
        h.held[Held::Warm as usize] -= used;
        h.idle_reserved -= reserved;
        // What it had given back already is not given back again.
        h.reserved_memory += s.memory - reserved;
        self.loads[h.region.index()].memory_held += s.memory - reserved;
        self.gone(id);
    }

    /// A sandbox that is in no list and uses no memory any more is gone, and with it what it had reserved. The host has been
    /// touched; the caller settles it.
    pub(super) fn gone(&mut self, id: SandboxId) {
        let s = &self.sandboxes[id];
        let (pool, host, memory) = (s.pool, s.host, s.memory);
        let (lifetime, count) = &mut self.totals.lifetimes;
        *lifetime += (self.now - s.born).as_secs_f64();
        *count += 1;
        self.totals.prewarmed_in_vain += u64::from(s.begun == 0);
        let h = &mut self.hosts[host.index()];
        h.reserved_memory -= memory;
        h.reserved_cpu -= self.sandbox_cpu;
        h.sandboxes -= 1;
        let (region, was_last) = (h.region, h.sandboxes == 0);
        self.loads[region.index()].memory_held -= memory;
        self.follow(pool, region, |p, _| p.sandboxes -= 1);
        self.sandboxes.destroy(id);
        if was_last {
            self.count_used_hosts(-1);
        }
        if self.scales {
            self.freed = true;
            let entry = self.pools.entry(pool, region) as u32;
            let p = self.pools.at(pool, region);
            if p.sandboxes < p.floor {
                self.short.push_back(entry);
            }
        }
    }

    /// Removes idle sandboxes of a host until `memory` is free on it; true if that was possible. `spare` stays.
    pub(super) fn evict(&mut self, host: HostId, memory: u64, spare: Option<SandboxId>) -> bool {
        self.touch(host);
        loop {
            let h = &self.hosts[host.index()];
            let promised = &self.promised[host.index()];
            let free = promised.memory.saturating_sub(h.reserved_memory);
            // A spared sandbox holds its CPU already; a new one needs as much free.
            let has_cpu = spare.is_some() || self.sandbox_cpu <= promised.cpu.saturating_sub(h.reserved_cpu);
            if free >= memory && has_cpu && (h.sandboxes < self.most_sandboxes || spare.is_some()) {
                return true;
            }
            if !self.evict_one(host, spare) {
                return false;
            }
            self.totals.evicted += 1;
        }
    }

    /// Removes the idle sandbox of a host, which has been touched, that goes first; false if there is none but `spare`.
    pub(super) fn evict_one(&mut self, host: HostId, spare: Option<SandboxId>) -> bool {
        if !self.evicting {
            self.list_idle_sandboxes();
        }
        if let Some(spare) = spare {
            self.idle_order.remove(&mut self.sandboxes, spare);
        }
        let first = self.idle_order.first(host);
        if let Some(spare) = spare {
            self.idle_order.insert(&mut self.sandboxes, spare);
        }
        let Some(id) = first else { return false };
        self.idle_order.evicted(&self.sandboxes, id);
        self.remove_idle(id);
        true
    }

    /// Lists each host's idle sandboxes in the order in which they became idle. Runs without memory pressure never need
    /// these lists, so by age they are kept only from the first eviction on.
    fn list_idle_sandboxes(&mut self) {
        self.evicting = true;
        let mut idle: Vec<(SimTime, u64, SandboxId)> = self
            .sandboxes
            .iter()
            .filter(|(_, s)| s.state == SandboxState::Warm)
            .map(|(id, s)| (s.idle_since, s.created, id))
            .collect();
        idle.sort_unstable();
        for (_, _, id) in idle {
            self.idle_order.insert(&mut self.sandboxes, id);
        }
    }

    /// Removes idle sandboxes of a host while they hold more memory than their budget. Those that scaling keeps are no business of
    /// keep-alive: they would be started again at once, and removed again.
    pub(super) fn hold_budget(&mut self, host: HostId) {
        let Some(budget) = self.idle_budget else { return };
        if self.hosts[host.index()].held[Held::Warm as usize] <= budget.0 {
            return;
        }
        self.touch(host);
        if !self.evicting {
            self.list_idle_sandboxes();
        }
        while self.hosts[host.index()].held[Held::Warm as usize] > budget.0 {
            let (region, scales) = (self.hosts[host.index()].region, self.scales);
            let (sandboxes, pools) = (&self.sandboxes, &mut self.pools);
            let mut beyond_floor = |id: SandboxId| {
                let p = pools.at(sandboxes[id].pool, region);
                p.sandboxes > p.floor
            };
            let first = self.idle_order.first_that(sandboxes, host, |id| !scales || beyond_floor(id));
            let Some(id) = first else { break };
            self.idle_order.evicted(&self.sandboxes, id);
            self.remove_idle(id);
            self.totals.over_budget += 1;
        }
        self.settle(host);
    }

    /// A use of a sandbox: its greedy-dual priority is set anew.
    #[cold]
    pub(super) fn mark_use(&mut self, id: SandboxId) {
        debug_assert_eq!(self.idle_order.order(), EvictionOrder::GreedyDual);
        let s = &mut self.sandboxes[id];
        let uses = &mut self.pools.uses[s.pool.index()];
        *uses += 1;
        s.evict_key = self.idle_order.priority(s.host, *uses, s.start_latency.as_secs_f64(), s.memory as f64 * 1e-6);
    }
}
