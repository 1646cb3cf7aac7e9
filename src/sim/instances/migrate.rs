//! Live migration: an instance goes to another host while it runs.
//!
//! While its memory is copied it runs where it was, and the host that it goes to holds its memory and what it has asked for, too;
//! the copying takes CPU on both. Then it stands still for a moment and goes on at the other host. What the copying draws and
//! holds is charged as the start of an instance on its new host.

use super::Stage;
use super::resident::Move;
use crate::ledger::{Balances, Held};
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::types::{Duration, FunctionId, HostId, SimTime};

impl Engine<'_> {
    /// CPU that a migration takes on each host [millionths of a core].
    fn copy_demand(&self) -> u64 {
        (self.rules.instances.migration.cores * crate::cluster::UNITS_PER_CORE).round() as u64
    }

    /// Begins to move an instance; false if it cannot go there now.
    pub(super) fn begin_move(&mut self, slot: u32, to: HostId) -> bool {
        let r = &self.tenancy.residents[slot];
        let (from, request, used) = (r.host, r.request, r.used);
        let (source, target) = (&self.hosts[from.index()], &self.hosts[to.index()]);
        let movable = r.stage == Stage::Running && r.moving.is_none() && to != from;
        let ready = target.state == crate::cluster::PowerState::On && target.region == source.region;
        if !movable || !ready || !self.has_room(to, &request) {
            return false;
        }
        self.touch(from);
        self.touch(to);
        self.reserve_for(to, &request);
        let copy = self.copy_demand();
        let h = &mut self.hosts[from.index()];
        h.start_demand += copy;
        let from_mark = (h.dynamic_clock, h.dynamic_weight_clock);
        let h = &mut self.hosts[to.index()];
        h.start_demand += copy;
        h.starting += 1;
        h.held[Held::Starting as usize] += used;
        let to_mark = (h.dynamic_clock, h.dynamic_weight_clock);
        let share_mark = (h.share_clock, h.share_weight_clock);
        let (bytes, copying_s, downtime_s) = self.rules.instances.migration.cost(used as f64);
        let number = self.tenancy.moves;
        self.tenancy.moves = number.wrapping_add(1);
        self.tenancy.residents[slot].moving = Some(Move {
            number,
            to,
            held: used,
            bytes,
            downtime: Duration::from_secs_f64(downtime_s),
            began: self.now,
            dynamic_marks: [from_mark, to_mark],
            share_mark,
        });
        self.queue.push(self.now + Duration::from_secs_f64(copying_s), Event::InstanceMoved { slot, number });
        self.settle(from);
        self.settle(to);
        self.relieve(to);
        true
    }

    /// The copying is over.
    pub(in crate::sim) fn instance_moved(&mut self, slot: u32, number: u32) {
        let r = &self.tenancy.residents[slot];
        let Some(moving) = r.moving.filter(|m| m.number == number) else { return };
        let (from, request, demand, used) = (r.host, r.request, r.demand, r.used);
        self.touch(from);
        self.touch(moving.to);
        let moving = self.end_copying(slot);
        let to = moving.to;
        self.stop_using(slot, from);
        self.release_from(from, &request);
        self.vacate(slot, from);
        let t = &mut self.tenancy;
        let old_progress = t.residents[slot].marks[4];
        let lodging = &mut t.lodgings[to.index()];
        let r = &mut t.residents[slot];
        r.host = to;
        r.came = self.now;
        r.place = lodging.residents.len() as u32;
        lodging.residents.push(slot);
        lodging.requested += request.cpu;
        let h = &mut self.hosts[to.index()];
        r.marks = r.clocks(lodging, h);
        r.credited = self.now;
        if r.due.is_finite() {
            r.due += r.marks[4] - old_progress;
        }
        (r.demand, r.used) = (demand, used);
        r.had.moves += 1;
        r.still = self.now + moving.downtime;
        let still_s = moving.downtime.as_secs_f64();
        h.exec_demand += demand;
        if r.is_batch() {
            h.batch_demand += demand;
        }
        h.add_known(r.known(demand));
        h.held[Held::Busy as usize] += used;
        self.loads[h.region.index()].cpu_demand += demand;
        let totals = &mut self.tenancy.totals;
        totals.migrations += 1;
        totals.migrated_bytes += moving.bytes;
        totals.migration_s += (self.now - moving.began).as_secs_f64() + still_s;
        totals.downtime_s += still_s;
        self.settle(from);
        self.settle(to);
        if self.stretches() {
            // Its piece ends on this host's clock now.
            self.hasten(to);
        }
        self.relieve(to);
        self.serve_waiting(from);
    }

    /// An instance that is being moved ends or has to go: the other host forgets it. Its own host has been touched.
    pub(super) fn break_off_move(&mut self, slot: u32) {
        let request = self.tenancy.residents[slot].request;
        let to = self.tenancy.residents[slot].moving.expect("it moves").to;
        self.touch(to);
        self.end_copying(slot);
        self.release_from(to, &request);
        self.tenancy.totals.migrations_broken += 1;
        self.settle(to);
        self.room_was_made(to);
    }

    /// The copying stops, and is charged. Both hosts have been touched; the caller settles them.
    fn end_copying(&mut self, slot: u32) -> Move {
        self.credit_move(slot);
        let copy = self.copy_demand();
        let r = &mut self.tenancy.residents[slot];
        let moving = r.moving.take().expect("it moves");
        self.hosts[r.host.index()].start_demand -= copy;
        let h = &mut self.hosts[moving.to.index()];
        h.start_demand -= copy;
        h.starting -= 1;
        h.held[Held::Starting as usize] -= moving.held;
        moving
    }

    /// Charges what copying has drawn and held since it began, or was last charged. Both hosts have been touched.
    pub(super) fn credit_move(&mut self, slot: u32) {
        let copy = self.copy_demand() as f64;
        let r = &mut self.tenancy.residents[slot];
        let moving = r.moving.as_mut().expect("it moves");
        for (at, host) in [r.host, moving.to].into_iter().enumerate() {
            let h = &self.hosts[host.index()];
            let account = self.accounts.of_mut(r.account, h.group);
            // Where starts are metered, what copying draws is in no account: the meter knows only starts.
            let share = if h.start_w.is_some() { 0.0 } else { copy };
            let (dynamic, weight) = moving.dynamic_marks[at];
            let joules = (h.dynamic_clock - dynamic) * share;
            account.dynamic_j[1] += joules;
            account.dynamic_weight[1] += (h.dynamic_weight_clock - weight) * share;
            self.tenancy.totals.migration_j += joules;
            moving.dynamic_marks[at] = (h.dynamic_clock, h.dynamic_weight_clock);
        }
        let h = &self.hosts[moving.to.index()];
        let account = self.accounts.of_mut(r.account, h.group);
        let held = moving.held as f64;
        account.share_s[Held::Starting as usize] += (h.share_clock - moving.share_mark.0) * held;
        account.share_weight[Held::Starting as usize] += (h.share_weight_clock - moving.share_mark.1) * held;
        moving.share_mark = (h.share_clock, h.share_weight_clock);
    }

    /// What copying has drawn and held so far, for the accounts of a period.
    pub(super) fn add_open_move(
        &self,
        account: FunctionId,
        from: HostId,
        moving: &Move,
        at: SimTime,
        balances: &mut Balances,
    ) {
        let copy = self.copy_demand() as f64;
        for (place, host) in [from, moving.to].into_iter().enumerate() {
            let h = &self.hosts[host.index()];
            let (share, dynamic) = h.clocks_at(at);
            let share_of = if h.start_w.is_some() { 0.0 } else { copy };
            let joules = (dynamic - moving.dynamic_marks[place].0) * share_of;
            let mut share_s = [0.0; 3];
            if place == 1 {
                share_s[Held::Starting as usize] = (share - moving.share_mark.0) * moving.held as f64;
            }
            balances.add((account, h.group), share_s, [0.0, joules]);
        }
    }
}
