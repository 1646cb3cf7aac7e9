//! The score of a finished ledger under an intensity by region and bin.

use serde::{Deserialize, Serialize};

use super::embodied::{LifetimeBasis, Lives};
use crate::grid::Signal;
use crate::ledger::{Account, Accounts, Cause, Held, Rates, SiteBook};
use crate::types::{FunctionId, JOULES_PER_KWH, RegionId, SimTime};

/// What accounting must know of a host group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupFacts {
    /// The server type, a name of the scenario.
    pub server: String,
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
    /// The same of emissions, where PUE changes over time and so has another mean over emissions than over energy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carbon_pue: Option<f64>,
    /// Overhead that one host causes at any load, charged as its idle power is \[W\].
    pub fixed_overhead_w: f64,
    /// Embodied emissions of one host, before they are shared between its owners \[kgCO2e\].
    pub server_kg: f64,
    /// What other owners of a host bear of that.
    #[serde(default, skip_serializing_if = "Lives::is_alone")]
    pub lives: Lives,
    /// What is left: embodied emissions of one host that its present life bears \[kgCO2e\].
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

/// How many causes energy has.
pub const CAUSES: usize = Cause::ALL.len();

/// One region's part.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionScore {
    /// Energy by [`Cause`] in the order of [`Cause::ALL`] \[J\].
    pub energy_j: [f64; CAUSES],
    /// Operational emissions by cause \[gCO2e\].
    pub operational_g: [f64; CAUSES],
    /// Embodied emissions of its hosts over the run \[gCO2e\].
    pub embodied_g: f64,
}

/// What one function, or nobody, is charged.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Share {
    /// Energy by [`Cause`] in the order of [`Cause::ALL`]; facility overhead is a cause of its own \[J\].
    pub energy_j: [f64; CAUSES],
    /// Operational emissions by cause \[gCO2e\].
    pub operational_g: [f64; CAUSES],
    /// Embodied emissions of the share of hosts that its sandboxes held \[gCO2e\].
    pub embodied_g: f64,
}

impl Share {
    /// Energy of all causes \[J\].
    pub fn total_j(&self) -> f64 {
        self.energy_j.iter().sum()
    }

    /// Operational emissions of all causes \[gCO2e\].
    pub fn total_operational_g(&self) -> f64 {
        self.operational_g.iter().sum()
    }

    /// Adds another share.
    pub fn add(&mut self, other: &Share) {
        add_causes(&mut self.energy_j, &other.energy_j);
        add_causes(&mut self.operational_g, &other.operational_g);
        self.embodied_g += other.embodied_g;
    }
}

/// The score of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// By region.
    pub regions: Vec<RegionScore>,
    /// By function.
    pub functions: Vec<Share>,
    /// What no function held: idle hosts, boots, hosts that are off, and their overhead.
    pub unattributed: Share,
}

impl Scored {
    /// All energy \[J\].
    pub fn energy_j(&self) -> f64 {
        super::energy_j(&self.regions)
    }

    /// Energy by cause \[J\].
    pub fn energy_by_cause_j(&self) -> [f64; CAUSES] {
        super::energy_by_cause_j(&self.regions)
    }

    /// Operational emissions by cause \[gCO2e\].
    pub fn operational_by_cause_g(&self) -> [f64; CAUSES] {
        sum_causes(self.regions.iter().map(|r| &r.operational_g))
    }

    /// O \[gCO2e\].
    pub fn operational_g(&self) -> f64 {
        super::operational_g(&self.regions)
    }

    /// M \[gCO2e\].
    pub fn embodied_g(&self) -> f64 {
        super::embodied_g(&self.regions)
    }
}

pub(super) fn sum_causes<'a>(rows: impl Iterator<Item = &'a [f64; CAUSES]>) -> [f64; CAUSES] {
    let mut total = [0.0; CAUSES];
    rows.for_each(|row| add_causes(&mut total, row));
    total
}

fn add_causes(sum: &mut [f64; CAUSES], part: &[f64; CAUSES]) {
    for (s, x) in sum.iter_mut().zip(part) {
        *s += x;
    }
}

/// Intensity of each region in each bin of a book [gCO2e/kWh], from one signal per region.
pub fn intensities(site: &SiteBook, signals: &[Signal], end: SimTime) -> Vec<Vec<f64>> {
    let bins = usize::try_from(end.0.div_ceil(site.step().0)).unwrap_or(usize::MAX).max(1);
    signals.iter().map(|s| (0..bins).map(|bin| bin_intensity(site, s, bin, end)).collect()).collect()
}

/// The regions' scores under an intensity by region and bin [gCO2e/kWh].
///
/// Exact when no signal changes inside a bin: the builder of a run, and whoever scores anew, checks that.
pub fn score_regions(site: &SiteBook, groups: &[GroupFacts], intensity: &[Vec<f64>], end: SimTime) -> Vec<RegionScore> {
    let run_s = end.as_secs_f64();
    (0..site.regions())
        .map(|r| {
            let region = RegionId::from_index(r);
            let hosts = groups.iter().filter(|g| g.region == region);
            let embodied_g = hosts.map(|g| g.embodied_g(f64::from(g.hosts), run_s, g.powered_s)).sum();
            region_score(site.rows(region), &intensity[r], embodied_g)
        })
        .collect()
}

/// Scores a ledger: regions, functions, and what no function held.
///
/// `accounts` must have been weighted by the signals behind `intensity`.
pub fn score(
    site: &SiteBook,
    accounts: &Accounts,
    groups: &[GroupFacts],
    intensity: &[Vec<f64>],
    end: SimTime,
) -> Scored {
    let regions = score_regions(site, groups, intensity, end);
    let functions = (0..accounts.functions())
        .map(|f| {
            let mut share = Share::default();
            for (account, group) in accounts.row(FunctionId::from_index(f)).iter().zip(groups) {
                share.add(&charge(account, group));
            }
            share
        })
        .collect();
    let scored = Scored { regions, functions, unattributed: Share::default() };
    with_rest(scored)
}

/// What an account with one host group comes to.
pub(super) fn charge(account: &Account, group: &GroupFacts) -> Share {
    const OVERHEAD: usize = Cause::Overhead as usize;
    let states = [(Cause::Execution, Held::Busy), (Cause::ColdStart, Held::Starting), (Cause::WarmIdle, Held::Warm)];
    let mut share = Share::default();
    for (cause, held) in states {
        let dynamic = account.dynamic_j.get(held as usize).copied().unwrap_or(0.0);
        let dynamic_weight = account.dynamic_weight.get(held as usize).copied().unwrap_or(0.0);
        let (time, weight) = (account.share_s[held as usize], account.share_weight[held as usize]);
        let joules = dynamic + time * group.held_w;
        let grams = (dynamic_weight + weight * group.held_w) / JOULES_PER_KWH;
        share.energy_j[cause as usize] = joules;
        share.operational_g[cause as usize] = grams;
        share.energy_j[OVERHEAD] += (group.pue - 1.0) * joules + time * group.fixed_overhead_w;
        let carbon_pue = group.carbon_pue.unwrap_or(group.pue);
        share.operational_g[OVERHEAD] += (carbon_pue - 1.0) * grams + weight * group.fixed_overhead_w / JOULES_PER_KWH;
        share.embodied_g += time * group.embodied_g_per_s();
    }
    // Networks between regions are no part of the facility: no PUE of its own is on top.
    share.energy_j[Cause::Network as usize] = account.network_j;
    share.operational_g[Cause::Network as usize] = account.network_weight / JOULES_PER_KWH;
    share
}

/// The rest is what the site book has and no function does; rounding may leave it a hair off zero, which becomes 0.
fn with_rest(mut scored: Scored) -> Scored {
    let mut held = Share::default();
    scored.functions.iter().for_each(|f| held.add(f));
    let whole = Share {
        energy_j: scored.energy_by_cause_j(),
        operational_g: scored.operational_by_cause_g(),
        embodied_g: scored.embodied_g(),
    };
    let rest = |all: f64, part: f64| if (all - part).abs() <= 1e-9 * all.abs() { 0.0 } else { all - part };
    let rests = |all: &[f64; CAUSES], part: &[f64; CAUSES]| std::array::from_fn(|i| rest(all[i], part[i]));
    scored.unattributed = Share {
        energy_j: rests(&whole.energy_j, &held.energy_j),
        operational_g: rests(&whole.operational_g, &held.operational_g),
        embodied_g: rest(whole.embodied_g, held.embodied_g),
    };
    scored
}

fn region_score(rows: &[Rates], intensity: &[f64], embodied_g: f64) -> RegionScore {
    let mut score = RegionScore { energy_j: [0.0; CAUSES], operational_g: [0.0; CAUSES], embodied_g };
    for (row, g_per_kwh) in rows.iter().zip(intensity) {
        for (i, joules) in joules_by_cause(row).into_iter().enumerate() {
            score.energy_j[i] += joules;
            score.operational_g[i] += joules / JOULES_PER_KWH * g_per_kwh;
        }
    }
    score
}

/// Energy by cause in one row \[J\].
pub fn joules_by_cause(row: &Rates) -> [f64; CAUSES] {
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
    use crate::ledger::{Column, FLOWS};
    use crate::types::Duration;

    fn facts() -> GroupFacts {
        GroupFacts {
            server: "test".into(),
            region: RegionId(0),
            hosts: 1,
            memory_mb: 1000.0,
            held_w: 100.0,
            pue: 1.0,
            carbon_pue: None,
            fixed_overhead_w: 0.0,
            server_kg: 1000.0,
            lives: Lives::default(),
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
        let mut rates = [0.0; FLOWS];
        rates[Column::IdleHost as usize] = 100.0;
        let end = SimTime::from_secs_f64(3600.0);
        book.integrate(RegionId(0), SimTime::ZERO, end, &rates);
        let signal = Signal::constant("test", 400.0).expect("a finite intensity");
        let intensity = intensities(&book, &[signal], end);
        let s = score(&book, &Accounts::new(1), &[facts()], &intensity, end);
        assert!((s.energy_j() - 360_000.0).abs() < 1e-6);
        assert!((s.operational_g() - 40.0).abs() < 1e-9);
        assert!((s.unattributed.total_operational_g() - 40.0).abs() < 1e-9);
        assert!((s.unattributed.embodied_g - s.embodied_g()).abs() < 1e-12);
    }
}
