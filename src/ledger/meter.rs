//! The sampled meter: what somebody would have read off while the ledger kept the exact books.
//!
//! It is told of a host's power whenever the host is touched across an instant of reading, in any order of hosts, however many
//! instants a host has slept through. Sums over hosts are kept as whole nanowatts, so that no order moves a bit of them.
//! Memory: 16 bytes per region and instant, and about 150 bytes per host.

use super::instrument::{Instants, Law, MeterKind, MeterScope, MeterSpec, Register};
use crate::types::{Duration, RegionId, Seed, SimTime};

/// What the meter must know of a host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeteredHost {
    /// Where it stands.
    pub region: RegionId,
    /// Its power at no load \[W\].
    pub idle_w: f64,
    /// Facility power per watt, and what comes on top at any load \[W\].
    pub pue: (f64, f64),
}

/// Sums over a region's hosts from one instant to the next [nW]: the true mean and what the meter makes of it.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    true_nw: u64,
    shown_nw: u64,
}

/// One host as the meter follows it.
#[derive(Debug, Clone)]
struct Point {
    facts: MeteredHost,
    /// Number of the next instant.
    next: u64,
    /// Whether its power is seen now, its energy when that last changed, and what had been seen by then \[J\].
    seen: bool,
    mark_j: f64,
    seen_j: f64,
    /// Energy seen at the last instant \[J\].
    last_j: f64,
    register: Register,
    seed: Seed,
}

impl Point {
    /// Energy seen so far, where the host has drawn `joules` in all \[J\].
    fn energy(&self, joules: f64, at: SimTime) -> f64 {
        let own = self.seen_j + if self.seen { joules - self.mark_j } else { 0.0 };
        own * self.facts.pue.0 + self.facts.pue.1 * at.as_secs_f64()
    }

    fn watts(&self, it_w: f64) -> f64 {
        if self.seen { it_w * self.facts.pue.0 + self.facts.pue.1 } else { 0.0 }
    }
}

/// A meter that is being read.
#[derive(Debug, Clone)]
pub struct Meter {
    spec: MeterSpec,
    instants: Instants,
    law: Law,
    seed: Seed,
    points: Vec<Point>,
    regions: Vec<Vec<Sums>>,
}

impl Meter {
    /// A meter at the run's start, when all hosts are on. It draws from the streams ("meter-host", host, reading) or
    /// ("meter-region", region, reading) of `seed`.
    pub fn new(spec: &MeterSpec, hosts: impl Iterator<Item = MeteredHost>, regions: usize, seed: Seed) -> Self {
        let own = seed.derive("meter-host");
        let host_side = spec.scope == MeterScope::Host;
        let point = |(h, mut facts): (usize, MeteredHost)| {
            if host_side {
                facts.pue = (1.0, 0.0);
            }
            let (register, seed) = (Register::default(), own.child(h as u64));
            Point { facts, next: 0, seen: true, mark_j: 0.0, seen_j: 0.0, last_j: 0.0, register, seed }
        };
        Self {
            spec: spec.clone(),
            instants: spec.instants(),
            law: Law::new(spec),
            seed: seed.derive("meter-region"),
            points: hosts.enumerate().map(point).collect(),
            regions: vec![Vec::new(); regions],
        }
    }

    /// A host drew `it_w` over [from, to), and had drawn `energy_j` before. Reads it at every instant in between.
    pub fn pass(&mut self, host: usize, (from, to): (SimTime, SimTime), energy_j: f64, it_w: f64) {
        let Self { points, regions, instants, law, spec, .. } = self;
        let point = &mut points[host];
        let rows = &mut regions[point.facts.region.index()];
        loop {
            let at = instants.at(point.next);
            if at >= to {
                return;
            }
            debug_assert!(at >= from, "an instant of reading was missed");
            let joules = point.energy(energy_j + it_w * (at - from).as_secs_f64(), at);
            close(point, rows, (instants, law, spec), at, joules);
            let i = point.next;
            if rows.len() as u64 <= i {
                rows.resize(i as usize + 1, Sums::default());
            }
            if spec.kind == MeterKind::Power {
                let watts = point.watts(it_w);
                let own = spec.scope == MeterScope::Host;
                let shown = if own { law.power(point.seed, i, watts) } else { watts };
                rows[i as usize].shown_nw += nanowatts(shown);
            }
            point.next += 1;
        }
    }

    /// A host that has drawn `energy_j` so far is from now on on, or no longer. A meter of the facility sees it all the same.
    pub fn switch(&mut self, host: usize, energy_j: f64, on: bool) {
        let point = &mut self.points[host];
        if self.spec.scope == MeterScope::Host && on != point.seen {
            if point.seen {
                point.seen_j += energy_j - point.mark_j;
            }
            (point.seen, point.mark_j) = (on, energy_j);
        }
    }

    /// The end of the run; `hosts` has the energy of every host, and for how long it was on [(J, s)].
    pub fn finish(mut self, end: SimTime, hosts: impl Iterator<Item = (f64, f64)>) -> Metered {
        let mut idle_j = 0.0;
        let (mut wraps, mut wraps_unseen) = (0, 0);
        for (point, (energy_j, on_s)) in self.points.iter_mut().zip(hosts) {
            let rows = &mut self.regions[point.facts.region.index()];
            let joules = point.energy(energy_j, end);
            close(point, rows, (&self.instants, &self.law, &self.spec), end, joules);
            idle_j += point.facts.idle_w * on_s * point.facts.pue.0 + point.facts.pue.1 * end.as_secs_f64();
            wraps += point.register.seen;
            wraps_unseen += point.register.unseen;
        }
        let mut metered = Metered {
            spec: self.spec,
            instants: self.instants,
            end,
            regions: self.regions,
            idle_j,
            wraps,
            wraps_unseen,
        };
        if metered.spec.scope == MeterScope::Facility {
            metered.read_regions(&self.law, self.seed);
        }
        metered
    }
}

/// Books what a host drew since its last instant, and what its counter shows of it.
fn close(
    point: &mut Point,
    rows: &mut [Sums],
    (instants, law, spec): (&Instants, &Law, &MeterSpec),
    at: SimTime,
    joules: f64,
) {
    let Some(last) = point.next.checked_sub(1) else { return };
    let length_s = (at - instants.at(last)).as_secs_f64();
    let drawn = (joules - point.last_j).max(0.0);
    point.last_j = joules;
    let row = &mut rows[last as usize];
    row.true_nw += nanowatts(drawn / length_s);
    if spec.kind == MeterKind::Counter && spec.scope == MeterScope::Host {
        let shown = law.counter(&mut point.register, point.seed, point.next, drawn, length_s);
        row.shown_nw += nanowatts(shown / length_s);
    }
}

/// Watts as whole nanowatts; up to 18 GW. The builder of a run refuses regions that could draw half of it.
fn nanowatts(watts: f64) -> u64 {
    (watts * 1e9 + 0.5) as u64
}

fn watts(nanowatts: u64) -> f64 {
    nanowatts as f64 / 1e9
}

/// From one reading to the next, or to the run's end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metering {
    /// When it begins.
    pub from: SimTime,
    /// How long it is.
    pub length: Duration,
    /// True mean power of what the meter sees \[W\].
    pub true_w: f64,
    /// What the meter makes of it \[W\].
    pub metered_w: f64,
}

impl Metering {
    /// True energy \[J\].
    pub fn true_j(&self) -> f64 {
        self.true_w * self.length.as_secs_f64()
    }

    /// Metered energy \[J\].
    pub fn metered_j(&self) -> f64 {
        self.metered_w * self.length.as_secs_f64()
    }
}

/// A meter that has been read to the run's end.
#[derive(Debug, Clone)]
pub struct Metered {
    /// The meter.
    pub spec: MeterSpec,
    instants: Instants,
    end: SimTime,
    regions: Vec<Vec<Sums>>,
    /// What the hosts that were on, and with them the overhead that it sees, would have drawn without any load \[J\].
    pub idle_j: f64,
    /// How often a counter began again, noticed by its reader, and unnoticed.
    pub wraps: u64,
    /// Those that the reader did not notice: their energy is missing.
    pub wraps_unseen: u64,
}

impl Metered {
    /// How many regions there are.
    pub fn regions(&self) -> usize {
        self.regions.len()
    }

    /// How often each meter was read before the run's end.
    pub fn samples(&self) -> usize {
        self.regions.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// A region's readings in the order of time.
    pub fn rows(&self, region: RegionId) -> impl Iterator<Item = Metering> {
        self.regions[region.index()].iter().enumerate().map(|(i, sums)| {
            let (from, to) = self.span(i);
            Metering { from, length: to - from, true_w: watts(sums.true_nw), metered_w: watts(sums.shown_nw) }
        })
    }

    fn span(&self, i: usize) -> (SimTime, SimTime) {
        (self.instants.at(i as u64), self.instants.at(i as u64 + 1).min(self.end))
    }

    /// Reads the one meter of each region off the sums of its hosts.
    fn read_regions(&mut self, law: &Law, seed: Seed) {
        for r in 0..self.regions.len() {
            let meter = seed.child(r as u64);
            let mut register = Register::default();
            for i in 0..self.regions[r].len() {
                let (from, to) = self.span(i);
                let sums = &mut self.regions[r][i];
                let shown = match self.spec.kind {
                    MeterKind::Power => law.power(meter, i as u64, watts(sums.shown_nw)),
                    MeterKind::Counter => {
                        let length_s = (to - from).as_secs_f64();
                        let joules = watts(sums.true_nw) * length_s;
                        law.counter(&mut register, meter, i as u64 + 1, joules, length_s) / length_s
                    }
                };
                sums.shown_nw = nanowatts(shown);
            }
            self.wraps += register.seen;
            self.wraps_unseen += register.unseen;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: MeteredHost = MeteredHost { region: RegionId(0), idle_w: 100.0, pue: (1.25, 8.0) };

    fn s(t: f64) -> SimTime {
        SimTime::from_secs_f64(t)
    }

    fn meter(toml: &str, hosts: usize) -> Meter {
        Meter::new(&toml::from_str(toml).expect("a meter"), (0..hosts).map(|_| HOST), 1, Seed(3))
    }

    /// Steps of (from, to, watts) of one host, from 0 J on.
    fn feed(meter: &mut Meter, host: usize, steps: &[(f64, f64, f64)]) -> f64 {
        steps.iter().fold(0.0, |energy, &(from, to, watts)| {
            meter.pass(host, (s(from), s(to)), energy, watts);
            energy + watts * (to - from)
        })
    }

    fn rows(metered: &Metered) -> Vec<(f64, f64, f64)> {
        metered.rows(RegionId(0)).map(|m| (m.length.as_secs_f64(), m.true_w, m.metered_w)).collect()
    }

    #[test]
    fn power_is_what_is_drawn_from_the_instant_on_and_holds_until_the_next() {
        let mut m = meter("interval_s = 10", 1);
        let energy = feed(&mut m, 0, &[(0.0, 4.0, 100.0), (4.0, 10.0, 200.0), (10.0, 25.0, 300.0)]);
        assert_eq!(
            rows(&m.finish(s(25.0), [(energy, 25.0)].into_iter())),
            [(10.0, 160.0, 100.0), (10.0, 300.0, 300.0), (5.0, 300.0, 300.0)]
        );
    }

    #[test]
    fn a_counter_shows_the_mean_and_the_facility_its_overhead() {
        let mut m = meter("interval_s = 10\nphase_s = 5\nkind = 'counter'\nscope = 'facility'", 1);
        let energy = feed(&mut m, 0, &[(0.0, 4.0, 100.0), (4.0, 12.0, 200.0)]);
        let m = m.finish(s(12.0), [(energy, 12.0)].into_iter());
        assert_eq!(rows(&m), [(5.0, 158.0, 158.0), (7.0, 258.0, 258.0)]);
        assert_eq!(m.idle_j, (100.0 * 1.25 + 8.0) * 12.0);
    }

    #[test]
    fn a_host_that_is_not_on_is_not_seen_by_its_own_meter() {
        for (toml, wanted) in [
            ("interval_s = 10", [(10.0, 40.0, 100.0), (10.0, 60.0, 0.0)]),
            ("interval_s = 10\nkind = 'counter'", [(10.0, 40.0, 40.0), (10.0, 60.0, 60.0)]),
        ] {
            let mut m = meter(toml, 1);
            m.pass(0, (s(0.0), s(4.0)), 0.0, 100.0);
            m.switch(0, 400.0, false);
            m.pass(0, (s(4.0), s(14.0)), 400.0, 7.0);
            m.switch(0, 470.0, true);
            m.pass(0, (s(14.0), s(20.0)), 470.0, 100.0);
            assert_eq!(rows(&m.finish(s(20.0), [(1070.0, 10.0)].into_iter())), wanted, "{toml}");
        }
    }

    #[test]
    fn no_order_of_hosts_moves_a_bit() {
        let sums = |order: [usize; 3]| {
            let mut m = meter("interval_s = 0.7\nnoise_sd = 0.05\nnoise_w = 1.0", 3);
            let mut energies = [0.0; 3];
            for host in order {
                let w = 100.0 / (host as f64 + 0.3);
                energies[host] = feed(&mut m, host, &[(0.0, 3.3, w), (3.3, 9.0, w / 3.0)]);
            }
            rows(&m.finish(s(9.0), energies.map(|e| (e, 9.0)).into_iter()))
        };
        let first = sums([0, 1, 2]);
        assert_eq!(first.len(), 13);
        assert_eq!(sums([2, 0, 1]), first);
        assert_eq!(sums([1, 2, 0]), first);
    }

    #[test]
    fn a_run_of_no_length_has_no_reading() {
        let m = meter("", 2).finish(SimTime::ZERO, [(0.0, 0.0), (0.0, 0.0)].into_iter());
        assert_eq!((m.samples(), m.idle_j), (0, 0.0));
    }
}
