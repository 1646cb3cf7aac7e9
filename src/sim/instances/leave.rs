//! How instances go: at their end, evicted for memory that does not suffice, or cut off by the end of the run.

use super::resident::Had;
use super::{Ending, Evicted, InstanceEnd, Resident, Stage};
use crate::ledger::{Balances, Held};
use crate::scheduler::packing::InstanceRequest;
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::sim::setup::SimError;
use crate::types::{Duration, HostId, SimTime};
use crate::workload::instances::Class;

impl Engine<'_> {
    /// An instance has come to its end.
    pub(super) fn finish_instance(&mut self, slot: u32) {
        let host = self.tenancy.residents[slot].host;
        self.move_out(slot);
        self.end_story(slot, Ending::Finished);
        self.settle(host);
        self.serve_waiting(host);
    }

    /// Takes an instance off its host, with everything that it had there booked. The host is touched here; the caller settles it.
    pub(in crate::sim) fn move_out(&mut self, slot: u32) {
        let host = self.tenancy.residents[slot].host;
        self.touch(host);
        if self.tenancy.residents[slot].moving.is_some() {
            self.break_off_move(slot);
        }
        if self.tenancy.residents[slot].stage == Stage::Starting {
            self.stop_starting(slot, host);
        } else {
            self.stop_using(slot, host);
        }
        let request = self.tenancy.residents[slot].request;
        self.release_from(host, &request);
        self.vacate(slot, host);
        self.tenancy.placed -= u64::from(!self.tenancy.residents[slot].is_node());
    }

    /// An instance that runs stops to use CPU and memory, and is booked. The host has been touched.
    pub(super) fn stop_using(&mut self, slot: u32, host: HostId) {
        let t = &mut self.tenancy;
        let (r, h) = (&mut t.residents[slot], &mut self.hosts[host.index()]);
        r.credit(h, &t.lodgings[host.index()], self.now);
        h.exec_demand -= r.demand;
        if r.is_batch() {
            h.batch_demand -= r.demand;
        }
        h.forget_known(r.known(r.demand));
        h.held[Held::Busy as usize] -= r.used;
        self.loads[h.region.index()].cpu_demand -= r.demand;
        self.book(slot);
        let t = &mut self.tenancy;
        let r = &mut t.residents[slot];
        r.note_peak(self.now, t.sampled);
        (r.demand, r.used) = (0, 0);
    }

    /// Strikes an instance off the list of its host's residents. Where a predictor says how much the host may promise, one that the last
    /// sample has counted leaves no room until the next; one that came since leaves what it took. The caller settles the host.
    pub(super) fn vacate(&mut self, slot: u32, host: HostId) {
        let t = &mut self.tenancy;
        let lodging = &mut t.lodgings[host.index()];
        let Resident { place, came, request: InstanceRequest { cpu, .. }, .. } = t.residents[slot];
        lodging.requested -= cpu;
        lodging.residents.swap_remove(place as usize);
        if let Some(&moved) = lodging.residents.get(place as usize) {
            t.residents[moved].place = place;
        }
        if t.overcommit.is_some() && came < t.sampled {
            // The prediction counted what it would use, not what it had asked for: how much less there is to come, the next one says.
            let promised = &mut self.promised[host.index()];
            promised.cpu = promised.cpu.saturating_sub(cpu);
        }
    }

    /// The story of an instance that stands on no host any more is over: it is counted, told, and forgotten.
    fn end_story(&mut self, slot: u32, ending: Ending) {
        self.tell_end(slot, ending);
        let number = self.tenancy.residents[slot].number;
        if let Some(source) = &mut self.tenancy.source {
            source.release(number);
        }
        self.tenancy.residents.remove(slot);
    }

    /// Counts an instance whose story is over, and tells the log.
    fn tell_end(&mut self, slot: u32, ending: Ending) {
        let t = &mut self.tenancy;
        let r = &t.residents[slot];
        let had: &Had = &r.had;
        let totals = &mut t.totals;
        match ending {
            Ending::Finished => totals.finished += 1,
            Ending::Killed => totals.killed += 1,
            Ending::Running => totals.running += 1,
            Ending::Waiting => totals.waiting += 1,
        }
        totals.wanted_core_s += had.wanted_core_s;
        totals.got_core_s += had.got_core_s;
        if r.request.class == Class::Batch {
            totals.batch.0 += had.wanted_core_s;
            totals.batch.1 += had.got_core_s;
        }
        let lived = &mut self.functions[r.account.index()].lived;
        lived.finished += u64::from(ending == Ending::Finished);
        lived.time_s += had.ran_s;
        lived.core_s += had.got_core_s;
        lived.gb_s += had.memory_byte_s * 1e-9;
        let Some(log) = &mut t.log else { return };
        let end = InstanceEnd {
            name: &r.name,
            account: r.account,
            region: r.region,
            host: (had.starts > 0).then_some(r.host),
            class: r.request.class,
            priority: r.request.priority,
            cores: r.request.cpu as f64 * 1e-6,
            memory_mb: (r.request.memory - r.overhead) as f64 * 1e-6,
            asked: r.asked,
            ended: self.now,
            ending,
            counts: [had.starts, had.evictions, had.moves],
            waited_s: had.waited.as_secs_f64(),
            ran_s: had.ran_s,
            core_s: [had.wanted_core_s, had.got_core_s],
            dynamic_j: had.dynamic_j,
        };
        if let Err(message) = log(&end) {
            self.failure.get_or_insert(SimError::InstanceLog(message));
        }
    }

    /// The instance of a host that goes first when memory in use does not fit: batch before others where `batch_only` is not what is
    /// asked for, then the lowest priority, then the one that came last. Exhaustion is rare, so this looks at all residents of the host.
    pub(in crate::sim) fn first_to_go(&self, host: HostId, batch_only: bool) -> Option<u32> {
        if !self.tenancy.present {
            return None;
        }
        let residents = self.tenancy.lodgings[host.index()].residents.iter();
        let own = residents.map(|&slot| (slot, &self.tenancy.residents[slot]));
        own.filter(|(_, r)| r.used > 0 && (r.is_batch() || !batch_only))
            .min_by_key(|(_, r)| (!r.is_batch(), r.request.priority, std::cmp::Reverse(r.request.instance)))
            .map(|(slot, _)| slot)
    }

    /// Evicts an instance, which is asked for again later, or kills it for good. The host is touched; the caller settles it.
    pub(in crate::sim) fn evict_instance(&mut self, slot: u32, kill: bool) {
        let r = &self.tenancy.residents[slot];
        if r.is_node() {
            return self.evict_job(r.job);
        }
        let (ran, cpu, memory) = (r.stage == Stage::Running, r.demand, r.used.saturating_sub(r.overhead));
        self.move_out(slot);
        let r = &mut self.tenancy.residents[slot];
        let resumes = self.rules.instances.evicted == Evicted::Resume;
        if ran && resumes {
            r.rest = Some((r.rest_of_piece(self.now), cpu, memory));
        }
        if kill || !resumes {
            let (core_s, joules) = std::mem::take(&mut r.had.since_start);
            let lost = &mut self.tenancy.totals.lost;
            *lost = (lost.0 + core_s, lost.1 + joules);
        }
        if kill {
            return self.end_story(slot, Ending::Killed);
        }
        r.stage = Stage::Evicted;
        r.had.evictions += 1;
        let number = r.number;
        self.tenancy.totals.evicted += 1;
        if !resumes
            && let Some(source) = &mut self.tenancy.source
            && let Err(e) = source.rewind(number)
        {
            self.failure.get_or_insert(SimError::Workload(e));
        }
        let delay = Duration::from_secs_f64(self.rules.instances.restart_delay_s);
        self.plan_step(slot, self.now + delay);
    }

    /// Credits the instances that are left when the run ends; all hosts have been touched.
    pub(in crate::sim) fn close_instances(&mut self) {
        let left: Vec<u32> = self.tenancy.residents.iter().map(|(slot, _)| slot).collect();
        for slot in left {
            let t = &mut self.tenancy;
            let r = &mut t.residents[slot];
            let ending = match r.stage {
                Stage::Starting | Stage::Running => {
                    let host = r.host.index();
                    r.credit(&self.hosts[host], &t.lodgings[host], self.now);
                    self.book(slot);
                    if self.tenancy.residents[slot].moving.is_some() {
                        self.credit_move(slot);
                    }
                    Ending::Running
                }
                Stage::Waiting | Stage::Evicted => {
                    if r.stage == Stage::Waiting {
                        r.had.waited = Duration(r.had.waited.0 + (self.now - r.since).0);
                    }
                    Ending::Waiting
                }
                Stage::Gone => continue,
            };
            if self.tenancy.residents[slot].is_node() {
                self.count_node(slot);
                continue;
            }
            self.tell_end(slot, ending);
        }
        self.tenancy.totals.requested_core_s = self.tenancy.lodgings.iter().map(|l| l.requested_core_s).sum();
    }

    /// What instances have drawn and held since they were last booked, as at the end of a run.
    pub(in crate::sim) fn add_open_instances(&self, at: SimTime, balances: &mut Balances) {
        for (_, r) in self.tenancy.residents.iter() {
            if !matches!(r.stage, Stage::Starting | Stage::Running) {
                continue;
            }
            let (h, lodging) = (&self.hosts[r.host.index()], &self.tenancy.lodgings[r.host.index()]);
            let (share, dynamic) = lodging.clocks_at(h, r.is_batch(), at);
            let mut share_s = [0.0; 3];
            share_s[r.held() as usize] = r.open[2] + (share - r.marks[2]) * r.used as f64;
            let more_j = match r.known(r.demand) {
                (0, _) => (dynamic - r.marks[0]) * if r.own_w.is_some() { 0.0 } else { r.demand as f64 },
                (_, watts) => watts * (at - r.credited).as_secs_f64(),
            };
            let dynamic_j = r.open[0] + more_j;
            balances.add((r.account, h.group), share_s, [dynamic_j, 0.0]);
            if let Some(moving) = &r.moving {
                self.add_open_move(r.account, r.host, moving, at, balances);
            }
        }
    }

    /// Room may have appeared in all regions: predictors have spoken.
    pub(super) fn serve_all_instances(&mut self) {
        for region in 0..self.regions.len() {
            if self.loads[region].instances_waiting > 0 {
                self.serve_instances(crate::types::RegionId::from_index(region));
            }
        }
    }

    /// Plans what comes after an exhaustion that made room on a host.
    pub(in crate::sim) fn room_was_made(&mut self, host: HostId) {
        self.queue.push(self.now, Event::Serve { host: host.0 });
    }
}
