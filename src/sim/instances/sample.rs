//! What predictors are told of hosts, at the end of every interval.

use crate::scheduler::overcommit::{Capacity, Sample};
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::types::{Duration, HostId};

impl Engine<'_> {
    /// Tells the predictor of every host what its instances used, and lets the host promise what it says.
    pub(in crate::sim) fn sample(&mut self) {
        let Some(mut overcommit) = self.tenancy.overcommit.take() else { return };
        for host in 0..self.hosts.len() {
            let id = HostId::from_index(host);
            self.take_snapshot(id);
            let Some(said) = overcommit.predict(id, &self.tenancy.snapshot) else { continue };
            // What the predictor does not expect to be used may be promised again, beside what the host has.
            let slack = ((said.limit - said.peak).max(0.0) * crate::cluster::UNITS_PER_CORE).floor() as u64;
            let physical = self.groups[self.hosts[host].group.index()].cpu;
            let promised = Capacity { cpu: physical + slack, ..self.promised[host] };
            if promised != self.promised[host] {
                self.touch(id);
                self.promised[host] = promised;
                self.settle(id);
            }
        }
        if let Some(period) = overcommit.period() {
            self.queue.push(self.now + period.max(Duration(1)), Event::Sample);
        }
        self.tenancy.overcommit = Some(overcommit);
        self.serve_all_instances();
    }

    /// What the instances of a host used at most in the interval that ends, in the order of their numbers.
    fn take_snapshot(&mut self, host: HostId) {
        let t = &mut self.tenancy;
        t.order.clear();
        t.order.extend_from_slice(&t.lodgings[host.index()].residents);
        let residents = &t.residents;
        t.order.sort_unstable_by_key(|&slot| residents[slot].request.instance);
        t.snapshot.clear();
        for &slot in &t.order {
            let r = &mut t.residents[slot];
            t.snapshot.push(Sample {
                instance: r.request.instance,
                usage: r.peak as f64 * 1e-6,
                limit: r.request.cpu as f64 * 1e-6,
            });
            r.peak = r.demand;
        }
    }
}
