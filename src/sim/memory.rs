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

    /// Memory in use beyond what the host has \[bytes\].
    fn excess(&self, host: HostId) -> u64 {
        let h = &self.hosts[host.index()];
        h.memory_used().saturating_sub(self.groups[h.group.index()].memory.0 - h.system)
    }

    #[cold]
    fn exhausted(&mut self, host: HostId) {
        self.touch(host);
        self.totals.exhaustions += 1;
        if self.rules.memory.reclaim {
            // A sandbox on disk or paused to nothing frees no memory, but has to be passed to reach those that do.
            while self.excess(host) > 0 && self.hosts[host.index()].held[Held::Warm as usize] > 0 {
                if !self.evict_one(host, None) {
                    break;
                }
                self.totals.reclaimed += 1;
            }
        }
        if self.rules.memory.exhaustion == Exhaustion::Kill {
            while self.excess(host) > 0 && self.kill_youngest(host) {}
        }
        self.settle(host);
        // Who waits may have room now: after what is under way here.
        self.queue.push(self.now, Event::Serve { host: host.0 });
    }

    /// Kills the sandbox of a host that was created last of those that are busy or on their way with memory in use; false if
    /// there is none. The host has been touched; the caller settles it. Exhaustion is rare, so this looks through all sandboxes
    /// instead of keeping a list for it.
    fn kill_youngest(&mut self, host: HostId) -> bool {
        let uses = |s: &Sandbox| match s.state {
            SandboxState::Busy => true,
            SandboxState::Starting => s.phase != Phase::Queued,
            _ => false,
        };
        let all = self.sandboxes.iter().filter(|(_, s)| s.host == host && uses(s));
        let Some((id, s)) = all.max_by_key(|(_, s)| s.created) else { return false };
        let inside = |c: &super::calls::Call| c.stage != Stage::Held && SandboxId(c.sandbox) == id;
        let starts = s.state == SandboxState::Starting;
        let (function, alone) = (s.function, self.shares.busy.of(s.memory));
        let h = &self.hosts[host.index()];
        let there = self.groups[h.group.index()].memory.0 - h.system;
        if alone > there {
            // It would be killed again and again.
            let cores = self.promised[host.index()].cpu as f64 * 1e-6;
            let (name, region) = (&self.profiles[function.index()].name, &self.regions[h.region.index()].name);
            self.failure.get_or_insert(SimError::TooBig {
                function: name.to_string(),
                region: region.clone(),
                needed_mb: alone as f64 * 1e-6,
                cpu: self.call_cpu(function) as f64 * 1e-6,
                memory_mb: there as f64 * 1e-6,
                cores,
            });
            return false;
        }
        let stage = if starts { Stage::Starting } else { Stage::Running };
        let mut calls: Vec<(u64, u32)> = self
            .calls
            .iter()
            .filter(|(_, c)| c.stage == stage && inside(c))
            .map(|(slot, c)| (c.arrival.0, slot))
            .collect();
        calls.sort_unstable();
        for &(_, slot) in &calls {
            if starts {
                self.leave_start(slot, id);
            } else {
                let dynamic_j = self.leave_sandbox(slot);
                self.totals.lost.0 += (self.now - self.calls[slot].began).as_secs_f64();
                self.totals.lost.1 += dynamic_j;
            }
            let call = &mut self.calls[slot];
            call.stage = Stage::Held;
            // Its end, if it is scheduled already, is no longer its end.
            call.generation = call.generation.wrapping_add(1);
            self.totals.retried += 1;
            let delay = Duration::from_secs_f64(self.rules.memory.retry_delay_s);
            self.queue.push(self.now + delay, Event::Retry { call: slot });
        }
        let s = &self.sandboxes[id];
        let (memory, left) = (self.shares.busy.of(s.memory), s.calls);
        if starts {
            self.stop_start(id);
        } else {
            let region = self.hosts[host.index()].region;
            if self.slots > 1 && left + (calls.len() as u32) < self.slots {
                self.warm.remove(&mut self.sandboxes, region, id);
            }
            self.hosts[host.index()].held[Held::Busy as usize] -= memory;
        }
        self.sandboxes[id].tier = Tier::Ready;
        self.totals.killed += 1;
        self.gone(id);
        true
    }

    /// Takes a call off a sandbox that starts.
    fn leave_start(&mut self, slot: u32, id: SandboxId) {
        let function = self.calls[slot].function;
        let (demand, held) = (self.needs[function.index()].cpu, self.call_cpu(function));
        let s = &mut self.sandboxes[id];
        s.calls -= 1;
        let (host, pool) = (s.host.index(), s.pool);
        let h = &mut self.hosts[host];
        h.reserved_cpu -= held;
        let region = h.region;
        self.loads[region.index()].cpu_demand -= demand;
        self.follow(pool, region, |p, now| p.run(now, -1));
    }

    /// A killed call is tried again: it looks for room like a new one.
    pub(super) fn retry(&mut self, slot: u32) {
        self.place_call(slot);
    }
}
