//! When sandboxes together use more memory than their host has: reclaim, swap, or kill and try again; always counted.

use super::calls::Stage;
use super::engine::Engine;
use super::event::Event;
use super::rules::Exhaustion;
use super::setup::SimError;
use crate::cluster::{Phase, Sandbox, SandboxState, Tier};
use crate::ledger::Held;
use crate::types::{Duration, HostId, SandboxId};

impl Engine<'_> {
    /// Looks whether a host, which is settled, uses more memory than it has, and does what the rules say.
    #[inline]
    pub(super) fn relieve(&mut self, host: HostId) {
        if self.may_exhaust && self.excess(host) > 0 {
            self.exhausted(host);
        }
    }

    /// Memory that a host has for sandboxes \[bytes\].
    fn memory_there(&self, host: HostId) -> u64 {
        let h = &self.hosts[host.index()];
        self.groups[h.group.index()].memory.0 - h.system
    }

    /// Memory in use beyond what the host has \[bytes\].
    fn excess(&self, host: HostId) -> u64 {
        self.hosts[host.index()].memory_used().saturating_sub(self.memory_there(host))
    }

    /// Whether a new sandbox that nobody has called would push out others, now or when it is ready: it would be started, reclaim an
    /// idle one that scaling keeps or have a busy one killed, and that one would be started again, for ever.
    pub(super) fn would_exhaust(&self, host: HostId, memory: u64) -> bool {
        self.may_exhaust
            && (self.rules.memory.reclaim || self.kills)
            && self.hosts[host.index()].memory_used() + self.shares.most(memory) > self.memory_there(host)
    }

    #[cold]
    fn exhausted(&mut self, host: HostId) {
        self.touch(host);
        let before =
            self.totals.reclaimed + self.totals.killed + self.tenancy.totals.evicted + self.tenancy.totals.killed;
        if self.rules.memory.reclaim {
            // A sandbox on disk or paused to nothing frees no memory, but has to be passed to reach those that do.
            while self.excess(host) > 0 && self.hosts[host.index()].held[Held::Warm as usize] > 0 {
                if !self.evict_one(host, None) {
                    break;
                }
                self.totals.reclaimed += 1;
            }
        }
        if self.kills {
            self.send_away_until_it_fits(host);
        }
        self.settle(host);
        if self.totals.reclaimed + self.totals.killed + self.tenancy.totals.evicted + self.tenancy.totals.killed
            > before
        {
            // Who waits may have room now: after what is under way here.
            self.room_was_made(host);
        }
    }

    /// Batch instances go first, then sandboxes, the youngest first, and last the other instances.
    fn send_away_until_it_fits(&mut self, host: HostId) {
        let kill = self.rules.memory.exhaustion == Exhaustion::Kill;
        while self.excess(host) > 0 {
            if let Some(slot) = self.first_to_go(host, true) {
                self.evict_instance(slot, kill);
            } else if !self.kill_youngest(host) {
                let Some(slot) = self.first_to_go(host, false) else { return };
                self.evict_instance(slot, kill);
            }
        }
    }

    /// Kills the sandbox of a host that was created last, if it is busy; false if there is none, or if it still starts: then
    /// this is asked again when it is ready. So the oldest always survives and calls that kill each other for ever cannot be.
    /// The host has been touched; the caller settles it. Exhaustion is rare, so this looks through all sandboxes instead of
    /// keeping a list for it.
    fn kill_youngest(&mut self, host: HostId) -> bool {
        let holds = |s: &Sandbox| match s.state {
            SandboxState::Busy => true,
            SandboxState::Starting => s.phase != Phase::Queued,
            SandboxState::Warm | SandboxState::Gone => false,
        };
        let own = self.sandboxes.iter().filter(|(_, s)| s.host == host && holds(s));
        let Some((id, s)) = own.max_by_key(|(_, s)| s.created) else { return false };
        if s.state == SandboxState::Starting {
            return false;
        }
        let (function, alone) = (s.function, self.shares.busy.of(s.memory));
        let h = &self.hosts[host.index()];
        let there = self.memory_there(host);
        if alone > there {
            // It would be killed again and again.
            self.failure.get_or_insert(SimError::TooBig {
                function: self.profiles[function.index()].name.to_string(),
                region: self.regions[h.region.index()].name.clone(),
                needed_mb: alone as f64 * 1e-6,
                cpu: 0.0,
                memory_mb: there as f64 * 1e-6,
                cores: self.groups[h.group.index()].cpu as f64 * 1e-6,
            });
            return false;
        }
        let region = self.hosts[host.index()].region;
        let in_set = self.slots > 1 && self.sandboxes[id].calls < self.slots;
        let inside = |c: &super::calls::Call| c.stage == Stage::Running && SandboxId(c.sandbox) == id;
        let mut calls: Vec<(u64, u32)> =
            self.calls.iter().filter(|(_, c)| inside(c)).map(|(slot, c)| (c.arrival.0, slot)).collect();
        calls.sort_unstable();
        let delay = Duration::from_secs_f64(self.rules.memory.retry_delay_s);
        for (_, slot) in calls {
            let dynamic_j = self.leave_sandbox(slot);
            let call = &mut self.calls[slot];
            self.totals.lost.0 += (self.now - call.began).as_secs_f64();
            self.totals.lost.1 += dynamic_j;
            self.totals.retried += 1;
            call.stage = Stage::Held;
            // Its end, which is scheduled already, is no longer its end.
            call.generation = call.generation.wrapping_add(1);
            self.queue.push(self.now + delay, Event::Retry { call: slot });
        }
        if in_set {
            self.warm.remove(&mut self.sandboxes, region, id);
        }
        let s = &mut self.sandboxes[id];
        s.tier = Tier::Ready;
        let used = self.shares.busy.of(s.memory);
        self.hosts[host.index()].held[Held::Busy as usize] -= used;
        self.totals.killed += 1;
        self.gone(id);
        true
    }

    /// A killed call is tried again: it looks for room like a new one.
    pub(super) fn retry(&mut self, slot: u32) {
        self.place_call(slot);
    }
}
