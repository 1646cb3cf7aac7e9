//! The site book: time-binned integrals of everything a region's hosts do.

use super::instrument::Instants;
use crate::types::{Duration, RegionId, SimTime};

/// How many rates are integrated over time.
pub const FLOWS: usize = 16;

/// What hosts do at a time, indexed by [`Column`]: everything but what is booked at an instant.
pub type Flows = [f64; FLOWS];

/// How many integrals a row has.
pub const COLUMNS: usize = 17;

/// One row of integrals, indexed by [`Column`].
pub type Rates = [f64; COLUMNS];

/// What is integrated over time. The unit is that of the integral.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Column {
    /// CPU in use [core·s], after contention: never above capacity x time.
    BusyCore = 0,
    /// Memory held by sandboxes of any state, isolation overhead included [MB·s].
    UsedMemory = 1,
    /// Calls being executed [call·s].
    Running = 2,
    /// Warm (idle) sandboxes [sandbox·s].
    Warm = 3,
    /// Sandboxes being started [sandbox·s].
    Starting = 4,
    /// Hosts powered on [host·s].
    HostsOn = 5,
    /// Dynamic energy of executing calls \[J\].
    ExecutionDynamic = 6,
    /// Dynamic energy of starting sandboxes \[J\].
    ColdStartDynamic = 7,
    /// Baseline (idle-power) energy of the memory share held by busy sandboxes \[J\].
    ExecutionBaseline = 8,
    /// Baseline energy of the memory share held by starting sandboxes \[J\].
    ColdStartBaseline = 9,
    /// Baseline energy of the memory share held by warm sandboxes \[J\].
    WarmIdle = 10,
    /// Baseline energy of the memory that no sandbox holds \[J\].
    IdleHost = 11,
    /// Energy of hosts that boot, shut down, suspend or wake \[J\].
    Boot = 12,
    /// Energy of hosts that are off or asleep \[J\].
    Off = 13,
    /// Cooling and power conversion: (PUE - 1) times all IT energy \[J\].
    Overhead = 14,
    /// Memory held by warm sandboxes [MB·s].
    WarmMemory = 15,
    /// Energy of what is sent between regions, the part of this region's grid \[J\]. No rate: it is [booked](SiteBook::book) at an instant.
    Network = 16,
}

/// Why energy was drawn: each cause is one or two energy columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Cause {
    /// Executing calls.
    Execution,
    /// Starting sandboxes.
    ColdStart,
    /// Keeping idle sandboxes warm.
    WarmIdle,
    /// Hosts that are on and held by nobody.
    IdleHost,
    /// Hosts that change their power state: boot, shut down, suspend, wake.
    Boot,
    /// Hosts that are off or asleep.
    Off,
    /// Cooling and power conversion.
    Overhead,
    /// What is sent between regions.
    Network,
}

impl Cause {
    /// All causes, in the order of the tables.
    pub const ALL: [Cause; 8] = [
        Cause::Execution,
        Cause::ColdStart,
        Cause::WarmIdle,
        Cause::IdleHost,
        Cause::Boot,
        Cause::Off,
        Cause::Overhead,
        Cause::Network,
    ];

    /// Name in tables and keys.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Execution => "execution",
            Cause::ColdStart => "cold_start",
            Cause::WarmIdle => "warm_idle",
            Cause::IdleHost => "idle_host",
            Cause::Boot => "boot",
            Cause::Off => "off",
            Cause::Overhead => "pue_overhead",
            Cause::Network => "network",
        }
    }

    /// The cause's energy in one row of integrals \[J\].
    pub fn joules(self, row: &Rates) -> f64 {
        let at = |c: Column| row[c as usize];
        match self {
            Cause::Execution => at(Column::ExecutionDynamic) + at(Column::ExecutionBaseline),
            Cause::ColdStart => at(Column::ColdStartDynamic) + at(Column::ColdStartBaseline),
            Cause::WarmIdle => at(Column::WarmIdle),
            Cause::IdleHost => at(Column::IdleHost),
            Cause::Boot => at(Column::Boot),
            Cause::Off => at(Column::Off),
            Cause::Overhead => at(Column::Overhead),
            Cause::Network => at(Column::Network),
        }
    }
}

/// Time-binned integrals of every region.
#[derive(Debug, Clone)]
pub struct SiteBook {
    step: u64,
    /// The bin that the latest integration ended in: (index, start, end), cut where a meter is read. Time moves on, so nearly
    /// all calls stay in it.
    current: (usize, u64, u64),
    instants: Option<Instants>,
    regions: Vec<Vec<Rates>>,
}

impl SiteBook {
    /// An empty book with bins of `step` (at least 1 ns) that start at the run's start.
    pub fn new(regions: usize, step: Duration) -> Self {
        let step = step.0.max(1);
        Self { step, current: (0, 0, step), instants: None, regions: vec![Vec::new(); regions] }
    }

    /// From now on, [`integrate`](Self::integrate) tells of intervals in which a meter may have to be read.
    pub fn tell_of(&mut self, instants: Instants) {
        self.instants = Some(instants);
    }

    /// A book of rows that were kept, one list per region.
    pub fn from_rows(step: Duration, regions: Vec<Vec<Rates>>) -> Self {
        let step = step.0.max(1);
        Self { step, current: (0, 0, step), instants: None, regions }
    }

    /// The bins' width.
    pub fn step(&self) -> Duration {
        Duration(self.step)
    }

    /// How many regions the book has.
    pub fn regions(&self) -> usize {
        self.regions.len()
    }

    /// The rows of one region; bin i covers [i, i + 1) x step. Bins after the last entry are missing and hold nothing.
    pub fn rows(&self, region: RegionId) -> &[Rates] {
        &self.regions[region.index()]
    }

    /// The rows of one region, for what is only known once a run is over.
    pub fn rows_mut(&mut self, region: RegionId) -> &mut [Rates] {
        &mut self.regions[region.index()]
    }

    /// Adds `rates` x time over [from, to) to the region's bins, split at the bins' edges. Whether one of the instants that
    /// are told of may lie in [from, to); false means that none does.
    #[inline]
    pub fn integrate(&mut self, region: RegionId, from: SimTime, to: SimTime, rates: &Flows) -> bool {
        if to <= from {
            return false;
        }
        let (bin, start, end) = self.current;
        if from.0 >= start
            && to.0 <= end
            && let Some(row) = self.regions[region.index()].get_mut(bin)
        {
            add(row, rates, (to.0 - from.0) as f64 * 1e-9);
            return false;
        }
        self.integrate_over_bins(region, from, to, rates)
    }

    /// As [`integrate`](Self::integrate), where the interval is not inside the current bin.
    #[cold]
    fn integrate_over_bins(&mut self, region: RegionId, from: SimTime, to: SimTime, rates: &Flows) -> bool {
        let rows = &mut self.regions[region.index()];
        let first = from.0 / self.step;
        let last = (to.0 - 1) / self.step;
        self.current = (last as usize, last * self.step, last.saturating_add(1).saturating_mul(self.step));
        if let Some(instants) = self.instants {
            let (bin, start, end) = self.current;
            let (after, next) = instants.gap(SimTime(to.0 - 1));
            self.current = (bin, start.max(after), end.min(next));
        }
        if rows.len() <= last as usize {
            rows.resize(last as usize + 1, [0.0; COLUMNS]);
        }
        if first == last {
            add(&mut rows[first as usize], rates, (to.0 - from.0) as f64 * 1e-9);
            return self.instants.is_some();
        }
        for bin in first..=last {
            let start = from.0.max(bin * self.step);
            let end = to.0.min((bin + 1) * self.step);
            add(&mut rows[bin as usize], rates, (end - start) as f64 * 1e-9);
        }
        self.instants.is_some()
    }

    /// Adds what is drawn at an instant \[J\]. What is drawn at the edge between two bins belongs to the earlier one, as what happens at a
    /// period's end belongs to the period.
    pub fn book(&mut self, region: RegionId, at: SimTime, column: Column, joules: f64) {
        let bin = (at.0.saturating_sub(1) / self.step) as usize;
        let rows = &mut self.regions[region.index()];
        if rows.len() <= bin {
            rows.resize(bin + 1, [0.0; COLUMNS]);
        }
        rows[bin][column as usize] += joules;
    }

    /// The sum of a region's rows.
    pub fn total(&self, region: RegionId) -> Rates {
        let mut total = [0.0; COLUMNS];
        for row in self.rows(region) {
            add(&mut total, row, 1.0);
        }
        total
    }
}

#[inline]
fn add<const N: usize>(row: &mut Rates, rates: &[f64; N], factor: f64) {
    for (sum, rate) in row.iter_mut().zip(rates) {
        *sum += rate * factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_interval_is_split_at_the_edges_of_the_bins() {
        let mut book = SiteBook::new(1, Duration::from_secs(10));
        let mut rates = [0.0; FLOWS];
        rates[Column::IdleHost as usize] = 100.0;
        book.integrate(RegionId(0), SimTime::from_secs_f64(5.0), SimTime::from_secs_f64(25.0), &rates);
        let idle: Vec<f64> = book.rows(RegionId(0)).iter().map(|r| Cause::IdleHost.joules(r)).collect();
        assert_eq!(idle, [500.0, 1000.0, 500.0]);
    }

    #[test]
    fn what_is_booked_at_an_edge_belongs_to_the_bin_before_it() {
        let mut book = SiteBook::new(2, Duration(10));
        for (at, joules) in [(0, 1.0), (10, 2.0), (11, 4.0), (20, 8.0)] {
            book.book(RegionId(1), SimTime(at), Column::Network, joules);
        }
        let booked: Vec<f64> = book.rows(RegionId(1)).iter().map(|r| Cause::Network.joules(r)).collect();
        assert_eq!(booked, [3.0, 12.0]);
        assert!(book.rows(RegionId(0)).is_empty());
    }

    proptest! {
        #[test]
        fn no_instant_is_passed_over_in_silence_and_no_joule_moves(
            spans in prop::collection::vec((0u64..2000, 1u64..300), 1..60), interval in 1u64..400, phase in 0u64..400,
        ) {
            let spec = |s: u64| s as f64 * 1e-9;
            let toml = format!("interval_s = {}\nphase_s = {}", spec(interval) + 0.0, spec(phase % interval));
            let instants = toml::from_str::<crate::ledger::MeterSpec>(&toml).expect("a meter").instants();
            let mut told = SiteBook::new(1, Duration(700));
            let mut plain = told.clone();
            told.tell_of(instants);
            for (from, length) in spans {
                let (from, to) = (SimTime(from), SimTime(from + length));
                let tells = told.integrate(RegionId(0), from, to, &[0.3; FLOWS]);
                prop_assert!(!plain.integrate(RegionId(0), from, to, &[0.3; FLOWS]));
                prop_assert!(tells || instants.before(to) == instants.before(from), "{from:?} to {to:?}");
            }
            prop_assert_eq!(told.total(RegionId(0)), plain.total(RegionId(0)));
        }

        #[test]
        fn the_total_does_not_depend_on_the_bins(cuts in prop::collection::vec(0u64..10_000_000, 1..40), step in 1u64..5_000_000) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut fine = SiteBook::new(1, Duration(step));
            let mut coarse = SiteBook::new(1, Duration(u64::MAX));
            for (i, pair) in cuts.windows(2).enumerate() {
                let rates = [i as f64 + 1.0; FLOWS];
                fine.integrate(RegionId(0), SimTime(pair[0]), SimTime(pair[1]), &rates);
                coarse.integrate(RegionId(0), SimTime(pair[0]), SimTime(pair[1]), &rates);
            }
            let (a, b) = (fine.total(RegionId(0))[6], coarse.total(RegionId(0))[6]);
            prop_assert!((a - b).abs() <= 1e-12 * b.abs().max(1e-30));
        }
    }
}
