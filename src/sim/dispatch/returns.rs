//! How a call comes back: acknowledged, refused, or not heard of in time; and what its service's exceptions do to the function.

use crate::cluster::NONE;
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
        let call = self.calls[slot];
        let d = &mut self.dispatch;
        let over = d.spec.quota.as_ref().map_or(1000.0, |q| q.mean_over_calls);
        let gate = &mut d.gates[call.function.index()];
        gate.running -= 1;
        if call.failed {
            return Returned::Refused;
        }
        // What calls cost is known to the central rate limiter.
        if !d.spec.controllers_down.iter().any(|outage| outage.holds(self.now)) {
            gate.cost.add(call.work.as_secs_f64() * gate.cores, over);
        }
        let Some(delivery) = &d.spec.delivery else { return Returned::Done };
        let is_wanted = self.calls.is_wanted(&call);
        if is_wanted && delivery.lost_acknowledgements > 0.0 && d.lost.uniform() < delivery.lost_acknowledgements {
            d.totals.acknowledgements_lost += 1;
            let after = Duration::from_secs_f64(delivery.timeout_s);
            let until = (call.released + after).max(self.now);
            // If it is a copy itself, the call is still out, and this is one more copy of that.
            let copy = self.calls.insert(Call { again: true, failed: false, stage: Stage::Held, ..call });
            self.hold_until(copy, until);
        }
        if call.again {
            self.dispatch.totals.executed_again += 1;
            return Returned::Again;
        }
        Returned::Done
    }

    /// A refused call is offered again after a delay; whether it was given up instead, because it has been tried often enough.
    pub(in crate::sim) fn refuse(&mut self, slot: u32) -> bool {
        let d = &mut self.dispatch;
        d.totals.refused += 1;
        let call = &mut self.calls[slot];
        let (attempts, delay_s) = match &d.spec.delivery {
            Some(delivery) => (delivery.attempts, delivery.delay_s(call.attempt)),
            None => (Some(0), 0.0),
        };
        if attempts.is_some_and(|most| call.attempt >= most) {
            d.totals.given_up += u64::from(!call.again);
            return true;
        }
        (call.stage, call.failed) = (Stage::Held, false);
        let function = call.function;
        if !call.again {
            d.fall_behind(function, true, 1);
        }
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
        let call = &self.calls[slot];
        self.series.defer(call.home, self.now, -1);
        if !call.again {
            self.dispatch.fall_behind(call.function, true, -1);
        }
        self.enqueue(slot);
    }

    /// Calls that were handed out too long ago are offered once more, though they may still run; copies of a call only until it has ended.
    pub(super) fn let_leases_end(&mut self) {
        while let Some(&lease) = self.dispatch.leases.front() {
            let call = &self.calls[lease.slot];
            let is_out = call.generation == lease.generation
                && call.attempt == lease.attempt
                && !matches!(call.stage, Stage::Gone | Stage::Held);
            if is_out && lease.until > self.now {
                break;
            }
            self.dispatch.leases.pop_front();
            if is_out && self.calls.is_wanted(call) {
                self.dispatch.totals.timeouts += 1;
                let origin = if call.origin.0 == NONE { (lease.slot, lease.generation) } else { call.origin };
                let call = *call;
                let copy = self.calls.insert(Call { again: true, failed: false, stage: Stage::Held, origin, ..call });
                self.enqueue(copy);
            }
        }
    }

    /// A call is rejected: if it was on its way to a worker, it is so no more.
    pub(in crate::sim) fn dispatch_lost(&mut self, call: &Call) {
        if call.attempt > 0 && call.stage != Stage::Running {
            self.dispatch.gates[call.function.index()].running -= 1;
        }
    }

    /// A period of back-pressure may be over.
    pub(super) fn press(&mut self) {
        let d = &mut self.dispatch;
        let Some(back_pressure) = &d.spec.back_pressure else { return };
        if self.now < d.next_pressing {
            return;
        }
        d.next_pressing = self.now + Duration::from_secs_f64(back_pressure.period_s);
        for (exceptions, service) in d.exceptions.iter_mut().zip(0..) {
            *exceptions = (d.services.take_exceptions(service), d.services.threshold(service, back_pressure.period_s));
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

    /// A call that begins to execute calls its function's service, if it has one: how long it runs then.
    pub(in crate::sim) fn call_service(&mut self, slot: u32, work: Duration) -> Duration {
        let call = &mut self.calls[slot];
        let d = &mut self.dispatch;
        let service = d.gates[call.function.index()].service;
        call.failed = service != NONE && !d.services.accept(service as usize, self.now);
        if !call.failed {
            return work;
        }
        Duration::from_secs_f64(work.as_secs_f64() * d.services.exception_work_share(service as usize))
    }
}
