//! How a call comes back: acknowledged, refused, or not heard of in time; and what its service's exceptions do to the function.

use super::{Lease, Twins};
use crate::cluster::NONE;
use crate::scheduler::dispatch::BackPressure;
use crate::sim::calls::{Call, Stage};
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::types::{Duration, SimTime};

/// What became of a call that has ended on its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Returned {
    /// It is done.
    Done,
    /// It is done once more: it had been executed already, or runs elsewhere, too.
    Again,
    /// It was refused, and is offered again or given up.
    Refused,
}

impl Engine<'_> {
    /// A call has ended on its worker and has left its sandbox.
    pub(in crate::sim) fn returned(&mut self, slot: u32) -> Returned {
        let call = &mut self.calls[slot];
        call.out = false;
        let (function, work, is_refused, origin) = (call.function, call.work, call.failed, call.origin);
        let d = &mut self.dispatch;
        let over = d.spec.quota.as_ref().map_or(1000.0, |q| q.mean_over_calls);
        let gate = &mut d.gates[function.index()];
        gate.running -= 1;
        if is_refused {
            return Returned::Refused;
        }
        gate.cost.add(work.as_secs_f64() * gate.cores, over);
        let lost_share = d.spec.delivery.as_ref().map_or(0.0, |delivery| delivery.lost_acknowledgements);
        let is_lost = lost_share > 0.0 && d.lost.uniform() < lost_share;
        let was_done = origin > 0 && d.twins[&origin].done;
        if is_lost {
            d.totals.acknowledgements_lost += 1;
            let until = (self.calls[slot].released + d.timeout).max(self.now);
            let copy = self.copy(slot);
            self.hold_until(copy, until);
        }
        let origin = self.calls[slot].origin;
        if let Some(twins) = self.dispatch.twins.get_mut(&origin) {
            twins.done = true;
            twins.acknowledged |= !is_lost;
        }
        self.end_twin(origin);
        if was_done {
            self.dispatch.totals.executed_again += 1;
            return Returned::Again;
        }
        Returned::Done
    }

    /// One more copy of a call, that waits.
    fn copy(&mut self, slot: u32) -> u32 {
        let d = &mut self.dispatch;
        if self.calls[slot].origin == 0 {
            d.tickets += 1;
            self.calls[slot].origin = d.tickets;
            d.twins.insert(d.tickets, Twins { live: 1, ..Twins::default() });
        }
        let call = self.calls[slot];
        let twins = d.twins.get_mut(&call.origin).expect("a call with an origin has an entry");
        twins.live += 1;
        self.calls.insert(Call { failed: false, out: false, stage: Stage::Held, ..call })
    }

    /// One copy fewer is left; whether the call was never executed and now never will be.
    fn end_twin(&mut self, origin: u64) -> bool {
        let Some(twins) = self.dispatch.twins.get_mut(&origin) else { return origin == 0 };
        twins.live -= 1;
        let is_lost = twins.live == 0 && !twins.done;
        if twins.live == 0 {
            self.dispatch.twins.remove(&origin);
        }
        is_lost
    }

    /// Whether the queue knows that a call which waits has been executed already.
    pub(super) fn is_acknowledged(&self, slot: u32) -> bool {
        let origin = self.calls[slot].origin;
        origin > 0 && self.dispatch.twins.get(&origin).is_some_and(|twins| twins.acknowledged)
    }

    /// Forgets a call that waits, because it has been executed already.
    pub(super) fn drop_acknowledged(&mut self, slot: u32) {
        self.end_twin(self.calls[slot].origin);
        self.calls.remove(slot);
    }

    /// How many calls are neither executed nor rejected, each counted once.
    pub(in crate::sim) fn unfinished(&self) -> u64 {
        let single = self.calls.iter().filter(|(_, call)| call.origin == 0).count();
        let twins = self.dispatch.twins.values().filter(|twins| !twins.done).count();
        (single + twins) as u64
    }

    /// A refused call is offered again after a delay; whether it was given up instead, because it has been tried often enough.
    pub(in crate::sim) fn refuse(&mut self, slot: u32) -> bool {
        let d = &mut self.dispatch;
        d.totals.refused += 1;
        let call = &mut self.calls[slot];
        let Some(delivery) = d.spec.delivery.as_ref().filter(|delivery| !delivery.gives_up(call.attempt)) else {
            return true;
        };
        let delay_s = delivery.delay_s(call.attempt);
        (call.stage, call.failed) = (Stage::Held, false);
        call.refused = true;
        let function = call.function;
        d.fall_behind(function, true, 1);
        self.hold_until(slot, self.now + Duration::from_secs_f64(delay_s).max(Duration(1)));
        false
    }

    /// A call is invisible until this instant, and is then offered.
    fn hold_until(&mut self, slot: u32, until: SimTime) {
        self.series.defer(self.calls[slot].home, self.now, 1);
        self.queue.push(until, Event::Offer { call: slot });
    }

    /// A call that was invisible is offered again.
    pub(in crate::sim) fn offer(&mut self, slot: u32) {
        let call = &mut self.calls[slot];
        self.series.defer(call.home, self.now, -1);
        if std::mem::take(&mut call.refused) {
            self.dispatch.fall_behind(call.function, true, -1);
        }
        self.enqueue(slot);
    }

    /// Calls that were handed out too long ago are offered once more, though they may still run.
    pub(super) fn let_leases_end(&mut self) {
        while let Some(&lease) = self.dispatch.leases.front()
            && (lease.until <= self.now || !self.is_out(&lease))
        {
            self.dispatch.leases.pop_front();
            // A copy of a call that is known to be done is not waited for.
            if self.is_out(&lease) && !self.is_acknowledged(lease.slot) {
                self.dispatch.totals.timeouts += 1;
                let copy = self.copy(lease.slot);
                self.enqueue(copy);
            }
        }
        // Calls that ended behind one that still runs stand in the list until they outnumber all that are in flight.
        if self.dispatch.leases.len() > 2 * self.calls.in_flight() + 1024 {
            let mut leases = std::mem::take(&mut self.dispatch.leases);
            leases.retain(|lease| self.is_out(lease));
            self.dispatch.leases = leases;
        }
    }

    /// Whether a call is still out under this lease.
    fn is_out(&self, lease: &Lease) -> bool {
        let call = &self.calls[lease.slot];
        call.out && call.lease == lease.ticket && call.stage != Stage::Gone
    }

    /// A call is rejected: if it was on its way to a worker, it is so no more. Whether it counts as rejected: neither executed, nor to be by a
    /// copy.
    pub(in crate::sim) fn dispatch_lost(&mut self, call: &Call) -> bool {
        if call.out {
            self.dispatch.gates[call.function.index()].running -= 1;
        }
        self.end_twin(call.origin)
    }

    /// A period of back-pressure may be over.
    pub(super) fn press(&mut self) {
        let d = &mut self.dispatch;
        let Some(back_pressure) = &d.spec.back_pressure else { return };
        if self.now < d.next_pressing {
            return;
        }
        d.next_pressing = self.now + Duration::from_secs_f64(back_pressure.period_s);
        // Polls may come less often than periods end.
        let elapsed_s = (self.now - std::mem::replace(&mut d.pressed_since, self.now)).as_secs_f64();
        let back_pressure = BackPressure { period_s: elapsed_s, ..back_pressure.clone() };
        for (exceptions, service) in d.exceptions.iter_mut().zip(0..) {
            *exceptions = (d.services.take_exceptions(service), d.services.threshold(service, elapsed_s));
        }
        for gate in &mut d.gates {
            let started = std::mem::take(&mut gate.pressed_started);
            if gate.service != NONE {
                let (exceptions, threshold) = d.exceptions[gate.service as usize];
                let was = gate.pressed.rate;
                back_pressure.period_over(&mut gate.pressed, started, exceptions, threshold);
                d.totals.slowed_functions += u64::from(was.is_infinite() && gate.pressed.rate.is_finite());
            }
        }
    }

    /// A call that begins to execute calls its function's service, if it has one: how much of its work it does then.
    pub(in crate::sim) fn call_service(&mut self, slot: u32) -> f64 {
        let call = &mut self.calls[slot];
        let d = &mut self.dispatch;
        let service = d.gates[call.function.index()].service;
        call.failed = service != NONE && !d.services.accept(service as usize, self.now);
        if call.failed { d.services.exception_work_share(service as usize) } else { 1.0 }
    }
}
