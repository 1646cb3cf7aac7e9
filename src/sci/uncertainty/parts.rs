//! A ledger reduced to the few grams that a sample needs: by region and kind of power, and by host group.

use crate::ledger::{Column, Rates, SiteBook};
use crate::sci::embodied::LifetimeBasis;
use crate::sci::{GroupFacts, Record, embodied_g, operational_g, score_regions};
use crate::types::{JOULES_PER_KWH, RegionId, SECONDS_PER_YEAR, SimTime};

/// A run's books, as far as its uncertainty rests on them.
#[derive(Debug, Clone, Copy)]
pub struct Books<'a> {
    /// The site book.
    pub site: &'a SiteBook,
    /// The host groups.
    pub groups: &'a [GroupFacts],
    /// Names of the regions.
    pub regions: &'a [String],
    /// Intensity that scores, by region and bin [gCO2e/kWh].
    pub intensity: &'a [Vec<f64>],
    /// The run's end.
    pub end: SimTime,
    /// What R counts.
    pub unit: &'a str,
    /// R.
    pub units: f64,
}

impl Record {
    /// The books, scored as the run itself was, per its own functional unit.
    pub fn books(&self) -> Books<'_> {
        Books {
            site: &self.site,
            groups: &self.facts.groups,
            regions: &self.facts.regions,
            intensity: &self.scored_on,
            end: self.end(),
            unit: self.facts.unit.name(),
            units: self.facts.units,
        }
    }
}

/// Kinds of IT power that a ledger tells apart, with the columns of each.
const KINDS: [&[Column]; 4] = [
    &[Column::ExecutionBaseline, Column::ColdStartBaseline, Column::WarmIdle, Column::IdleHost],
    &[Column::ExecutionDynamic, Column::ColdStartDynamic],
    &[Column::Boot],
    &[Column::Off],
];

/// How many factors go region by region: intensity, the four kinds of power, overhead.
pub(super) const REGIONAL: usize = 6;
const INTENSITY: usize = 0;
const FIRST_KIND: usize = 1;
const OVERHEAD: usize = 5;

/// Operational emissions of one region \[gCO2e\].
#[derive(Debug, Clone, PartialEq, Default)]
struct RegionParts {
    /// Of IT power by kind.
    it_g: [f64; KINDS.len()],
    /// Of the overhead that follows IT power of a kind.
    overhead_g: [f64; KINDS.len()],
    /// Of the overhead that is there at any load.
    fixed_g: f64,
    /// Of what is sent between regions: only its intensity is uncertain.
    network_g: f64,
}

/// Embodied emissions of one host group.
#[derive(Debug, Clone, PartialEq)]
struct GroupParts {
    server: String,
    /// What the run bears per kg of one host, at the run's own lifespan and share [gCO2e/kg].
    g_per_kg: f64,
    /// The run's own figure of one host, all its owners together \[kgCO2e\].
    kg: f64,
    /// The run's own lifespan \[s\].
    lifetime_s: f64,
    /// Lives of other owners that share by their length \[s\].
    others_s: f64,
}

/// O and M of a run as sums of products of uncertain figures.
///
/// Formulas, with factors i, b, d, … that are 1 in the run itself:
///
/// ```text
///   O = sum over regions  i (k_baseline G_baseline + k_dynamic G_dynamic + k_boot G_boot + k_off G_off)
///                       + i p (the same sum over the overhead that follows each kind) + i p F + i N
///   M = sum over groups   g_per_kg x kg x (own L + Y) / (L + Y) + what the hosts stand in, which is certain
/// ```
///
/// kg is that of a whole host, L the lifespan and Y the years of other owners that share by years. The share of this life is
/// (1 - d) L / (L + Y), d declared and certain, so that share / L is (1 - d) / (L + Y): a longer life here bears more of the host.
///
/// They are summed as the run's own figure plus differences, so that factors of 1 give that figure to the last bit.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    pub(super) regions: Vec<String>,
    operational: Vec<RegionParts>,
    embodied: Vec<GroupParts>,
    /// O of the run itself \[gCO2e\].
    pub operational_g: f64,
    /// M of the run itself \[gCO2e\].
    pub embodied_g: f64,
    /// R, which is counted and certain.
    pub units: f64,
    /// What R counts.
    pub unit: String,
}

/// One value for every uncertain figure of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setting {
    /// By factor in the order of [`UncertaintySpec::regional`](super::UncertaintySpec), then by region.
    pub regional: [Vec<f64>; REGIONAL],
    /// Embodied emissions of one host by group, all its owners together \[kgCO2e\].
    pub kg: Vec<f64>,
    /// The run's own years of all owners over these, by group: linear in what M is linear in.
    pub wear: Vec<f64>,
}

impl Parts {
    /// Reduces a run's books.
    pub fn of(books: &Books<'_>) -> Self {
        let run_s = books.end.as_secs_f64();
        let scores = score_regions(books.site, books.groups, books.intensity, books.end);
        let operational = (0..books.site.regions()).map(|r| region(books, r)).collect();
        let embodied = books.groups.iter().map(|g| GroupParts {
            server: g.server.clone(),
            g_per_kg: 1000.0 / g.lifetime_s * borne_s(g, run_s) * g.lives.share(g.lifetime_s / SECONDS_PER_YEAR),
            kg: g.server_kg,
            lifetime_s: g.lifetime_s,
            others_s: g.lives.other_years() * SECONDS_PER_YEAR,
        });
        Self {
            regions: books.regions.to_vec(),
            operational,
            embodied: embodied.collect(),
            operational_g: operational_g(&scores),
            embodied_g: embodied_g(&scores),
            units: books.units,
            unit: books.unit.to_owned(),
        }
    }

    /// Server types in the order of their first group, each once.
    pub fn servers(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for group in &self.embodied {
            if !names.contains(&group.server.as_str()) {
                names.push(&group.server);
            }
        }
        names
    }

    /// The groups of a server type.
    pub(super) fn groups_of(&self, server: &str) -> Vec<usize> {
        self.embodied.iter().enumerate().filter(|(_, g)| g.server == server).map(|(i, _)| i).collect()
    }

    /// The run's own embodied emissions of one host of a group, all its owners together \[kgCO2e\].
    pub(super) fn kg(&self, group: usize) -> f64 {
        self.embodied[group].kg
    }

    /// The run's own lifespan of a group \[s\].
    pub(super) fn lifetime_s(&self, group: usize) -> f64 {
        self.embodied[group].lifetime_s
    }

    /// What a lifespan makes of a group's M: (own L + Y) / (L + Y), 1 at the run's own.
    pub(super) fn wear(&self, group: usize, lifetime_s: f64) -> f64 {
        let own = &self.embodied[group];
        (own.lifetime_s + own.others_s) / (lifetime_s + own.others_s)
    }

    /// The run itself.
    pub(super) fn setting(&self) -> Setting {
        Setting {
            regional: std::array::from_fn(|_| vec![1.0; self.operational.len()]),
            kg: self.embodied.iter().map(|g| g.kg).collect(),
            wear: vec![1.0; self.embodied.len()],
        }
    }

    /// O and M under a setting \[gCO2e\].
    pub(super) fn score(&self, at: &Setting) -> (f64, f64) {
        let mut operational = self.operational_g;
        for (r, part) in self.operational.iter().enumerate() {
            let intensity = at.regional[INTENSITY][r];
            let with_overhead = intensity * at.regional[OVERHEAD][r];
            for kind in 0..KINDS.len() {
                let power = at.regional[FIRST_KIND + kind][r];
                operational += (intensity * power - 1.0) * part.it_g[kind];
                operational += (with_overhead * power - 1.0) * part.overhead_g[kind];
            }
            operational += (with_overhead - 1.0) * part.fixed_g;
            operational += (intensity - 1.0) * part.network_g;
        }
        let mut embodied = self.embodied_g;
        for ((group, kg), wear) in self.embodied.iter().zip(&at.kg).zip(&at.wear) {
            embodied += (kg * wear - group.kg) * group.g_per_kg;
        }
        (operational.max(0.0), embodied.max(0.0))
    }
}

/// Grams of a region by kind. What of the overhead follows a kind goes by the kind's share of IT energy in the bin.
fn region(books: &Books<'_>, r: usize) -> RegionParts {
    let region = RegionId::from_index(r);
    let hosts = books.groups.iter().filter(|g| g.region == region);
    let fixed_w: f64 = hosts.map(|g| f64::from(g.hosts) * g.fixed_overhead_w).sum();
    let (step, end) = (books.site.step().0, books.end.0);
    let mut parts = RegionParts::default();
    for (bin, (row, g_per_kwh)) in books.site.rows(region).iter().zip(&books.intensity[r]).enumerate() {
        let from = (bin as u64).saturating_mul(step);
        let length_s = from.saturating_add(step).min(end).saturating_sub(from) as f64 * 1e-9;
        let grams = |joules: f64| joules / JOULES_PER_KWH * g_per_kwh;
        let it: [f64; KINDS.len()] = KINDS.map(|columns| joules(row, columns));
        let (all_it, overhead) = (it.iter().sum::<f64>(), row[Column::Overhead as usize]);
        let fixed = if all_it > 0.0 { (fixed_w * length_s).min(overhead) } else { overhead };
        for (kind, joules) in it.into_iter().enumerate() {
            parts.it_g[kind] += grams(joules);
            if all_it > 0.0 {
                parts.overhead_g[kind] += grams((overhead - fixed) * (joules / all_it));
            }
        }
        parts.fixed_g += grams(fixed);
        parts.network_g += grams(row[Column::Network as usize]);
    }
    parts
}

/// How long the hosts of a group together use up their lifespans \[s\].
fn borne_s(group: &GroupFacts, run_s: f64) -> f64 {
    match group.lifetime_basis {
        LifetimeBasis::Existence => f64::from(group.hosts) * run_s,
        LifetimeBasis::Use => group.powered_s,
    }
}

fn joules(row: &Rates, columns: &[Column]) -> f64 {
    columns.iter().map(|c| row[*c as usize]).sum()
}
