//! The score of a finished ledger under one signal per region.

use super::embodied::LifetimeBasis;
use crate::grid::Signal;
use crate::ledger::{Accounts, Cause, Held, Rates, SiteBook};
use crate::types::{FunctionId, JOULES_PER_KWH, RegionId, SimTime};

/// What accounting must know of a host group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupFacts {
    /// Where its hosts stand.
    pub region: RegionId,
    /// How many hosts it has.
    pub hosts: u32,
    /// Memory of one host \[MB\].
    pub memory_mb: f64,
    /// Power of one host at no load, and of all its memory in use where that draws more: what a share of it is charged \[W\].
    pub held_w: f64,
    /// Power usage effectiveness; of every further watt, where it depends on load.
    pub pue: f64,
    /// Overhead that one host causes at any load, charged as its idle power is \[W\].
    pub fixed_overhead_w: f64,
    /// Embodied emissions of one host that its present life bears \[kgCO2e\].
    pub embodied_kg: f64,
    /// Expected lifespan of a host \[s\].
    pub lifetime_s: f64,
    /// Which time uses that lifespan up.
    pub lifetime_basis: LifetimeBasis,
    /// Embodied emissions of what one host stands in, at any time [gCO2e/s].
    pub surroundings_g_per_s: f64,
    /// Time powered on of all its hosts together, booting included \[s\]; NaN until a run has ended.
    pub powered_s: f64,
}

impl GroupFacts {
    /// Embodied emissions of one host per second of its life, with what it stands in [gCO2e/s].
    ///
    /// Formula: TE / EL, straight line. Example: 1000 kg over 4 years of 365 days is 28.5388 g per hour.
    pub fn embodied_g_per_s(&self) -> f64 {
        self.embodied_kg * 1000.0 / self.lifetime_s + self.surroundings_g_per_s
    }

    /// Embodied emissions of so many hosts over a run, of which they were powered on for `powered_s` together \[gCO2e\].
    ///
    /// Off hosts cost what they stand in, and, by existence, themselves.
    pub fn embodied_g(&self, hosts: f64, run_s: f64, powered_s: f64) -> f64 {
        match self.lifetime_basis {
            LifetimeBasis::Existence => hosts * self.embodied_g_per_s() * run_s,
            LifetimeBasis::Use => {
                let of_machine = self.embodied_g_per_s() - self.surroundings_g_per_s;
                of_machine * powered_s + hosts * self.surroundings_g_per_s * run_s
            }
        }
    }
}

/// One region's part.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionScore {
    /// Energy by [`Cause`] in the order of [`Cause::ALL`] \[J\].
    pub energy_j: [f64; 7],
    /// Operational emissions by cause \[gCO2e\].
    pub operational_g: [f64; 7],
    /// Embodied emissions of its hosts over the run \[gCO2e\].
    pub embodied_g: f64,
}

/// One function's part, cooling and power conversion included.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FunctionShare {
    /// Energy of executing its calls \[J\].
    pub execution_j: f64,
    /// Energy of starting its sandboxes \[J\].
    pub cold_start_j: f64,
    /// Energy of keeping its sandboxes warm \[J\].
    pub warm_idle_j: f64,
    /// Operational emissions \[gCO2e\].
    pub operational_g: f64,
    /// Embodied emissions of the share of hosts that its sandboxes held \[gCO2e\].
    pub embodied_g: f64,
}

/// The score of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// By region.
    pub regions: Vec<RegionScore>,
    /// By function.
    pub functions: Vec<FunctionShare>,
    /// What no function held: idle hosts, boots, hosts that are off, and their overhead.
    pub unattributed: FunctionShare,
    /// Energy of what no function held \[J\].
    pub unattributed_j: f64,
}

impl Scored {
    /// All energy \[J\].
    pub fn energy_j(&self) -> f64 {
        self.regions.iter().flat_map(|r| r.energy_j).sum()
    }

    /// Energy by cause \[J\].
    pub fn energy_by_cause_j(&self) -> [f64; 7] {
        sum_causes(self.regions.iter().map(|r| &r.energy_j))
    }

    /// Operational emissions by cause \[gCO2e\].
    pub fn operational_by_cause_g(&self) -> [f64; 7] {
        sum_causes(self.regions.iter().map(|r| &r.operational_g))
    }

    /// O \[gCO2e\].
    pub fn operational_g(&self) -> f64 {
        self.regions.iter().flat_map(|r| r.operational_g).sum()
    }

    /// M \[gCO2e\].
    pub fn embodied_g(&self) -> f64 {
        self.regions.iter().map(|r| r.embodied_g).sum()
    }
}

fn sum_causes<'a>(rows: impl Iterator<Item = &'a [f64; 7]>) -> [f64; 7] {
    let mut total = [0.0; 7];
    for row in rows {
        for (t, x) in total.iter_mut().zip(row) {
            *t += x;
        }
    }
    total
}

/// Scores a ledger.
///
/// `signals` holds one signal per region and must reach `end`. Exact when no signal changes inside a bin of the book
/// (the builder of the run checks that); `accounts` must have been weighted by the same signals.
pub fn score(book: &SiteBook, accounts: &Accounts, groups: &[GroupFacts], signals: &[Signal], end: SimTime) -> Scored {
    let run_s = end.as_secs_f64();
    let regions: Vec<RegionScore> = (0..book.regions())
        .map(|r| {
            let region = RegionId::from_index(r);
            let embodied_g = groups
                .iter()
                .filter(|g| g.region == region)
                .map(|g| g.embodied_g(f64::from(g.hosts), run_s, g.powered_s))
                .sum();
            region_score(book, region, &signals[r], end, embodied_g)
        })
        .collect();
    let functions: Vec<FunctionShare> = (0..accounts.functions())
        .map(|f| {
            let row = accounts.row(FunctionId::from_index(f));
            let mut share = FunctionShare::default();
            for (account, group) in row.iter().zip(groups) {
                let held = |state: Held| account.share_s[state as usize] * group.held_w;
                let fixed = |state: Held| account.share_s[state as usize] * group.fixed_overhead_w;
                share.execution_j += group.pue * (account.dynamic_j[0] + held(Held::Busy)) + fixed(Held::Busy);
                share.cold_start_j += group.pue * (account.dynamic_j[1] + held(Held::Starting)) + fixed(Held::Starting);
                share.warm_idle_j += group.pue * held(Held::Warm) + fixed(Held::Warm);
                let held_weight = account.share_weight.iter().sum::<f64>();
                let weight = account.dynamic_weight.iter().sum::<f64>() + held_weight * group.held_w;
                share.operational_g += group.pue * weight / JOULES_PER_KWH;
                share.operational_g += held_weight * group.fixed_overhead_w / JOULES_PER_KWH;
                share.embodied_g += account.share_s.iter().sum::<f64>() * group.embodied_g_per_s();
            }
            share
        })
        .collect();
    let scored = Scored { regions, functions, unattributed: FunctionShare::default(), unattributed_j: 0.0 };
    with_rest(scored)
}

/// The rest is what the site book has and no function does; rounding may leave it a hair below zero, which becomes 0.
fn with_rest(mut scored: Scored) -> Scored {
    let sum = |part: fn(&FunctionShare) -> f64| scored.functions.iter().map(part).sum::<f64>();
    let rest = |total: f64, part: f64| {
        let left = total - part;
        if left.abs() <= 1e-9 * total.abs() { 0.0 } else { left }
    };
    let attributed_j = sum(|f| f.execution_j + f.cold_start_j + f.warm_idle_j);
    scored.unattributed_j = rest(scored.energy_j(), attributed_j);
    scored.unattributed.operational_g = rest(scored.operational_g(), sum(|f| f.operational_g));
    scored.unattributed.embodied_g = rest(scored.embodied_g(), sum(|f| f.embodied_g));
    scored
}

fn region_score(book: &SiteBook, region: RegionId, signal: &Signal, end: SimTime, embodied_g: f64) -> RegionScore {
    let mut score = RegionScore { energy_j: [0.0; 7], operational_g: [0.0; 7], embodied_g };
    for (bin, row) in book.rows(region).iter().enumerate() {
        let g_per_kwh = bin_intensity(book, signal, bin, end);
        for (i, joules) in joules_by_cause(row).into_iter().enumerate() {
            score.energy_j[i] += joules;
            score.operational_g[i] += joules / JOULES_PER_KWH * g_per_kwh;
        }
    }
    score
}

/// Energy by cause in one row \[J\].
pub fn joules_by_cause(row: &Rates) -> [f64; 7] {
    Cause::ALL.map(|cause| cause.joules(row))
}

/// The signal's mean over one bin of the book, cut at the run's end [gCO2e/kWh].
pub fn bin_intensity(book: &SiteBook, signal: &Signal, bin: usize, end: SimTime) -> f64 {
    let step = book.step().0;
    let from = SimTime(bin as u64 * step);
    let to = SimTime(((bin as u64 + 1) * step).min(end.0).max(from.0 + 1));
    if to > signal.end() { signal.at(from).0 } else { signal.mean(from, to).0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{COLUMNS, Column};
    use crate::types::Duration;

    fn facts() -> GroupFacts {
        GroupFacts {
            region: RegionId(0),
            hosts: 1,
            memory_mb: 1000.0,
            held_w: 100.0,
            pue: 1.0,
            fixed_overhead_w: 0.0,
            embodied_kg: 1000.0,
            lifetime_s: 4.0 * crate::types::SECONDS_PER_YEAR,
            lifetime_basis: LifetimeBasis::Existence,
            surroundings_g_per_s: 0.0,
            powered_s: f64::NAN,
        }
    }

    #[test]
    fn the_worked_example_of_the_specification_holds() {
        assert!((facts().embodied_g_per_s() * 3600.0 / 28.538812785388128 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn by_use_only_time_powered_on_counts_but_the_building_stands_anyway() {
        let by_existence = GroupFacts { hosts: 3, surroundings_g_per_s: 0.25, ..facts() };
        let by_use = GroupFacts { lifetime_basis: LifetimeBasis::Use, ..by_existence.clone() };
        let hour = 28.538812785388128;
        // Three hosts for two hours; of the six host-hours, two and a half were powered on.
        let surroundings = 6.0 * 900.0;
        let [all, used] = [by_existence, by_use].map(|g| g.embodied_g(3.0, 7200.0, 9000.0));
        assert!((all / (6.0 * hour + surroundings) - 1.0).abs() < 1e-12);
        assert!((used / (2.5 * hour + surroundings) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_idle_reserved_host_has_energy_and_all_of_it_is_unattributed() {
        let mut book = SiteBook::new(1, Duration::from_secs(300));
        let mut rates = [0.0; COLUMNS];
        rates[Column::IdleHost as usize] = 100.0;
        let end = SimTime::from_secs_f64(3600.0);
        book.integrate(RegionId(0), SimTime::ZERO, end, &rates);
        let signal = Signal::constant("test", 400.0).expect("a finite intensity");
        let s = score(&book, &Accounts::new(1), &[facts()], &[signal], end);
        assert!((s.energy_j() - 360_000.0).abs() < 1e-6);
        assert!((s.operational_g() - 40.0).abs() < 1e-9);
        assert!((s.unattributed.operational_g - 40.0).abs() < 1e-9);
        assert!((s.unattributed.embodied_g - s.embodied_g()).abs() < 1e-12);
    }
}
