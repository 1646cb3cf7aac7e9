//! What predictors, and the watch beside them, are told of hosts at the end of every interval.

use super::Stage;
use crate::cluster::UNITS_PER_CORE;
use crate::scheduler::overcommit::{Capacity, Sample, Snapshot};
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::sim::setup::SimError;
use crate::types::{Duration, HostId, SimTime};
use crate::workload::instances::Usage;

impl Engine<'_> {
    /// Tells the predictor of every host what its instances used, and lets the host promise what it says.
    pub(in crate::sim) fn sample(&mut self) {
        let mut overcommit = self.tenancy.overcommit.take();
        for host in 0..self.hosts.len() {
            let id = HostId::from_index(host);
            self.take_snapshot(id);
            let t = &mut self.tenancy;
            t.multiplexing.observe(id, &t.snapshot);
            if let Some(watch) = &mut t.watch {
                watch.observe(id, &t.snapshot);
            }
            if let Some(overcommit) = &mut overcommit {
                let future_peak = overcommit.oracle_horizon().and_then(|horizon| self.peak_to_come(id, horizon));
                let snapshot = Snapshot { samples: &self.tenancy.snapshot, future_peak };
                if let Some(said) = overcommit.predict(id, &snapshot) {
                    self.promise(id, said.peak);
                }
            }
        }
        self.tenancy.sampled = self.now;
        self.tenancy.multiplexing.end_of_tick();
        if let Some(watch) = &mut self.tenancy.watch {
            watch.end_of_tick();
        }
        self.queue.push(self.now + self.tenancy.period, Event::Sample);
        if overcommit.is_some() {
            self.tenancy.overcommit = overcommit;
            self.serve_all_instances();
        }
    }

    /// A host may promise what it has, and again what its instances have asked for beyond the peak that is expected of them \[cores\].
    fn promise(&mut self, host: HostId, peak: f64) {
        let physical = self.groups[self.hosts[host.index()].group.index()].cpu;
        let requested = self.tenancy.lodgings[host.index()].requested;
        let expected = (peak * UNITS_PER_CORE).ceil() as u64;
        let old = self.promised[host.index()];
        let promised = Capacity { cpu: (physical + requested).saturating_sub(expected), ..old };
        if promised != old {
            self.touch(host);
            self.promised[host.index()] = promised;
            self.settle(host);
            if promised.cpu > old.cpu && self.loads[self.hosts[host.index()].region.index()].queued > 0 {
                self.room_was_made(host);
            }
        }
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
                usage: r.peak.max(r.demand) as f64 * 1e-6,
                limit: r.limit as f64 * 1e-6,
            });
            r.peak = 0;
        }
    }

    /// The highest CPU use that the instances of the host whose snapshot was just taken will together have in one of the intervals
    /// up to the horizon, each capped to its limit, nothing once it has left, and as if nothing slowed them down \[cores\]; `None` where the
    /// horizon lies beyond the end of the workload.
    fn peak_to_come(&mut self, host: HostId, horizon: Duration) -> Option<f64> {
        let now = self.now;
        if self.tenancy.stretches {
            // How far each one is with its piece.
            self.touch(host);
            for &slot in &self.tenancy.order {
                self.tenancy.residents[slot].credit(
                    &self.hosts[host.index()],
                    &self.tenancy.lodgings[host.index()],
                    now,
                );
            }
        }
        let t = &mut self.tenancy;
        let source = t.source.as_mut()?;
        let end = source.span().map_or(SimTime::NEVER, |s| SimTime(s.0)).min(t.cut);
        if now + horizon > end {
            return None;
        }
        let steps = (horizon.0 / t.period.0.max(1)).max(1) as usize;
        t.bins.clear();
        t.bins.resize(steps, 0);
        for &slot in &t.order {
            let r = &t.residents[slot];
            // Where it stands in its usage, when it goes on from there, and how long it still lives.
            let running = r.stage == Stage::Running;
            let rest = if running { r.rest_of_piece(now) } else { r.rest.map_or(Duration::ZERO, |rest| rest.0) };
            let begins = if running { 0 } else { (r.planned - now).0 };
            let life = match (running, r.ends) {
                // How long a job's node stays, nobody knows: as long as anybody looks ahead.
                _ if r.is_node() => u64::MAX,
                (true, ends) if ends != SimTime::NEVER => (ends - now).0,
                (false, _) if !t.stretches => r.life_to_come().0,
                _ => r.left.0.saturating_add(rest.0),
            };
            let length = life.min(horizon.0.saturating_sub(begins));
            if rest == Duration::FOREVER || r.is_node() {
                // Its usage has ended, and it goes on as before.
                t.pieces.clear();
                t.pieces.push(Usage { duration: Duration(length), cpu: r.demand, memory: None });
            } else {
                let from = r.taken.0.saturating_sub(rest.0);
                let (from, to) = (Duration(from), Duration(from.saturating_add(length)));
                if let Err(e) = source.usage_between(r.number, from, to, &mut t.pieces) {
                    self.failure.get_or_insert(SimError::Workload(e));
                    return None;
                }
            }
            let mut at = begins;
            // Within one interval the highest demand counts, as in a snapshot.
            let (mut bin, mut most) = (0, 0u64);
            for piece in &t.pieces {
                let cpu = piece.cpu.min(r.limit);
                let last = at.saturating_add(piece.duration.0).saturating_sub(1) / t.period.0;
                let first = at / t.period.0;
                for b in first..=last.min(steps as u64 - 1) {
                    if b as usize != bin {
                        t.bins[bin] += most;
                        (bin, most) = (b as usize, 0);
                    }
                    most = most.max(cpu);
                }
                at = at.saturating_add(piece.duration.0);
            }
            if bin < steps {
                t.bins[bin] += most;
            }
        }
        t.bins.iter().max().map(|&peak| peak as f64 / UNITS_PER_CORE)
    }
}
