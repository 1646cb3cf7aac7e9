//! What instances use: piece by piece, with CPU shared among all on the host.

use super::{Evicted, Lodging, Stage};
use crate::ledger::Held;
use crate::sim::engine::Engine;
use crate::sim::setup::SimError;
use crate::types::{Duration, HostId, Memory, SimTime};
use crate::workload::instances::Usage;

/// Progress that rounding may leave undone at the end of a piece \[s\]: half a nanosecond.
const FORGIVEN_S: f64 = 0.5e-9;

impl Engine<'_> {
    /// An instance that took time to start has started.
    pub(super) fn instance_started(&mut self, slot: u32) {
        let host = self.tenancy.residents[slot].host;
        self.touch(host);
        self.stop_starting(slot, host);
        self.instance_ready(slot);
        // What it held while it started is given back, whatever it uses now.
        self.settle(host);
    }

    /// The memory that an instance held while it started is booked and given back. The host has been touched.
    pub(super) fn stop_starting(&mut self, slot: u32, host: HostId) {
        let t = &mut self.tenancy;
        let r = &mut t.residents[slot];
        r.credit(&self.hosts[host.index()], &t.lodgings[host.index()], self.now);
        let used = std::mem::take(&mut r.used);
        self.book(slot);
        let h = &mut self.hosts[host.index()];
        h.starting -= 1;
        h.held[Held::Starting as usize] -= used;
    }

    /// An instance begins to use what it uses. Its host has been touched.
    pub(super) fn instance_ready(&mut self, slot: u32) {
        let host = self.tenancy.residents[slot].host;
        let r = &mut self.tenancy.residents[slot];
        r.stage = Stage::Running;
        r.credited = self.now;
        r.since = self.now;
        r.until = self.now;
        r.peak = 0;
        if r.is_node() {
            return self.node_ready(slot);
        }
        let goes_on = r.had.starts > 1 && self.rules.instances.evicted == Evicted::Resume;
        if !goes_on {
            (r.left, r.taken) = (r.lifetime.unwrap_or(Duration::FOREVER), Duration::ZERO);
        }
        r.ends = match r.lifetime {
            // Its pieces last until they have got their CPU, and its life as long as they do.
            _ if self.tenancy.stretches => SimTime::NEVER,
            Some(_) => self.now + r.life_to_come(),
            None => SimTime::NEVER,
        };
        let r = &mut self.tenancy.residents[slot];
        r.due = self.tenancy.lodgings[host.index()].clocks(&self.hosts[host.index()], r.is_batch())[4];
        self.next_piece(slot, host);
    }

    /// A piece of an instance's usage, or its life, may be over.
    pub(super) fn instance_edge(&mut self, slot: u32) {
        let r = &self.tenancy.residents[slot];
        debug_assert!(!r.is_node(), "the pieces of a job's node are its job's");
        let host = r.host;
        if self.now >= r.ends {
            return self.finish_instance(slot);
        }
        if self.tenancy.stretches && r.until == SimTime::NEVER {
            self.touch(host);
            let lodging = &self.tenancy.lodgings[host.index()];
            let r = &mut self.tenancy.residents[slot];
            if r.still > r.credited {
                // What it missed while it stood still is still to be done.
                r.credit(&self.hosts[host.index()], lodging, self.now);
            }
            let progress = lodging.clocks(&self.hosts[host.index()], r.is_batch())[4];
            if progress + FORGIVEN_S < r.due {
                return self.plan_stretched(slot, host);
            }
        }
        self.next_piece(slot, host);
    }

    /// Takes the next piece of usage.
    fn next_piece(&mut self, slot: u32, host: HostId) {
        let number = self.tenancy.residents[slot].number;
        let (old_demand, old_used) = {
            let r = &self.tenancy.residents[slot];
            (r.demand, r.used)
        };
        let mut length = Duration::ZERO;
        let mut now_uses = None;
        let stretches = self.tenancy.stretches;
        let r = &mut self.tenancy.residents[slot];
        let rest = r.rest.take().filter(|rest| rest.0 > Duration::ZERO);
        if let Some((rest, cpu, memory)) = rest {
            (length, now_uses) = (rest, Some((cpu, Some(Memory(memory)))));
        } else if stretches && r.left == Duration::ZERO {
            return self.finish_instance(slot);
        }
        // Pieces of no length are passed over, which only a source with a fault would make.
        while length == Duration::ZERO {
            let piece = match self.tenancy.source.as_mut().map(|s| s.usage(number)) {
                Some(Ok(piece)) => piece,
                Some(Err(e)) => {
                    self.failure.get_or_insert(SimError::Workload(e));
                    None
                }
                None => None,
            };
            match piece {
                Some(Usage { duration, cpu, memory }) => {
                    length = duration;
                    now_uses = Some((cpu, memory));
                }
                None if self.tenancy.residents[slot].has_no_life() => return self.finish_instance(slot),
                // It goes on as before until its life is over.
                None => length = Duration::FOREVER,
            }
        }
        let r = &mut self.tenancy.residents[slot];
        if rest.is_none() {
            if stretches && r.left != Duration::FOREVER {
                length = length.min(r.left);
                r.left = Duration(r.left.0 - length.0);
            }
            r.taken = Duration(r.taken.0.saturating_add(length.0));
        }
        let (demand, used) = match now_uses {
            Some((cpu, memory)) => {
                let own = memory.map_or(r.request.memory - r.overhead, |m| m.0.min(r.request.memory - r.overhead));
                (cpu.min(r.limit), own + r.overhead)
            }
            // It has no usage at all.
            None if r.until == r.since => (0, r.request.memory),
            None => (r.demand, r.used),
        };
        if demand != old_demand || used != old_used {
            self.change_usage(slot, host, demand, used);
        }
        self.plan_piece(slot, host, length);
        if used > old_used {
            self.relieve(host);
        }
    }

    /// An instance now uses this much.
    pub(in crate::sim) fn change_usage(&mut self, slot: u32, host: HostId, demand: u64, used: u64) {
        self.touch(host);
        let t = &mut self.tenancy;
        let (r, h) = (&mut t.residents[slot], &mut self.hosts[host.index()]);
        r.credit(h, &t.lodgings[host.index()], self.now);
        h.exec_demand = h.exec_demand - r.demand + demand;
        if r.is_batch() {
            h.batch_demand = h.batch_demand - r.demand + demand;
        }
        h.forget_known(r.known(r.demand));
        h.add_known(r.known(demand));
        let held = &mut h.held[Held::Busy as usize];
        *held = *held - r.used + used;
        let load = &mut self.loads[h.region.index()];
        load.cpu_demand = load.cpu_demand - r.demand + demand;
        r.note_peak(self.now, t.sampled);
        (r.demand, r.used) = (demand, used);
        self.settle(host);
    }

    /// Plans the end of a piece that begins now.
    fn plan_piece(&mut self, slot: u32, host: HostId, length: Duration) {
        let r = &mut self.tenancy.residents[slot];
        if !self.tenancy.stretches || length == Duration::FOREVER {
            // Pieces follow each other without a gap, whatever happened to the event between them.
            r.until = if length == Duration::FOREVER { SimTime::NEVER } else { r.until + length };
            r.due = f64::INFINITY;
            let at = r.until.min(r.ends).max(self.now);
            return self.plan_step(slot, at);
        }
        r.until = SimTime::NEVER;
        r.due += length.as_secs_f64();
        self.plan_stretched(slot, host);
    }

    /// Plans the end of a piece that lasts until it has got its CPU, as things stand.
    fn plan_stretched(&mut self, slot: u32, host: HostId) {
        let (h, lodging) = (&self.hosts[host.index()], &self.tenancy.lodgings[host.index()]);
        let r = &self.tenancy.residents[slot];
        let speed = Lodging::speed(h, r.is_batch());
        let left_s = (r.due - lodging.clocks(h, r.is_batch())[4]).max(0.0) / speed;
        // Without any progress it waits for the host's speed to change.
        let at = if speed > 0.0 { self.now + Duration::from_secs_f64(left_s) } else { SimTime::NEVER };
        let at = at.min(r.ends);
        self.plan_step(slot, at);
    }

    /// A host's speed has risen: pieces that last until they have got their CPU may end earlier than planned. One that ends later
    /// is found unfinished when its event comes.
    pub(in crate::sim) fn hasten(&mut self, host: HostId) {
        for at in 0..self.tenancy.lodgings[host.index()].residents.len() {
            let slot = self.tenancy.lodgings[host.index()].residents[at];
            let r = &self.tenancy.residents[slot];
            if r.is_node() {
                self.hasten_job(r.job);
            } else if r.stage == Stage::Running && r.until == SimTime::NEVER && r.due.is_finite() {
                self.plan_stretched(slot, host);
            }
        }
    }

    /// Whether the host's instances must be looked at when its speed rises.
    #[inline]
    pub(in crate::sim) fn stretches(&self) -> bool {
        self.tenancy.stretches || self.jobs.present
    }

    /// Writes what an instance has drawn and held into the accounts. Its host has been touched and the instance credited.
    pub(super) fn book(&mut self, slot: u32) {
        let r = &mut self.tenancy.residents[slot];
        let group = self.hosts[r.host.index()].group;
        let held = r.held() as usize;
        let [dynamic_j, dynamic_weight, share_s, share_weight] = std::mem::take(&mut r.open);
        let account = self.accounts.of_mut(r.account, group);
        account.dynamic_j[0] += dynamic_j;
        account.dynamic_weight[0] += dynamic_weight;
        account.share_s[held] += share_s;
        account.share_weight[held] += share_weight;
    }
}
