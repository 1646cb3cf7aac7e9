//! The uncertain inputs of one run: each takes one uniform number from a stream of its own name and sets one or more figures.

use super::parts::{Parts, Setting};
use super::spec::Spread;
use super::{Distribution, UncertaintySpec};
use crate::types::{SECONDS_PER_YEAR, Seed, Stream};

/// What a value sets.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Target {
    /// A regional factor of a region.
    Regional { factor: usize, region: usize },
    /// Embodied emissions of a group: times the run's own, or in kg.
    Embodied { group: usize, absolute: bool },
    /// Lifespan of a group: times the run's own, or in years.
    Lifetime { group: usize, absolute: bool },
}

/// An uncertain input.
#[derive(Debug, Clone)]
pub(super) struct Input<'a> {
    /// The specification's key.
    pub key: &'static str,
    /// The region or server type; `None` where one draw serves all.
    pub place: Option<String>,
    sets: Vec<(Target, &'a Distribution)>,
}

impl<'a> Input<'a> {
    /// Its stream. Named by what it is, so that two runs draw alike for what they share.
    pub fn stream(&self, seed: Seed) -> Stream {
        let part = seed.derive("uncertainty").derive(self.key);
        let place = self.place.as_deref().map_or(part, |place| part.derive("place").derive(place));
        place.into_stream()
    }

    /// Sets its figures to their `u` quantile.
    pub fn set(&self, u: f64, parts: &Parts, setting: &mut Setting) {
        // One distribution mostly serves many figures: its quantile is taken once.
        let mut last: Option<(&Distribution, f64)> = None;
        for (target, distribution) in &self.sets {
            let value = match last {
                Some((same, value)) if std::ptr::eq(same, *distribution) => value,
                _ => distribution.quantile(u),
            };
            last = Some((distribution, value));
            match *target {
                Target::Regional { factor, region } => setting.regional[factor][region] = value,
                Target::Embodied { group, absolute } => {
                    setting.kg[group] = if absolute { value } else { value * parts.kg(group) };
                }
                Target::Lifetime { group, absolute } => {
                    let unit_s = if absolute { SECONDS_PER_YEAR } else { parts.lifetime_s(group) };
                    setting.wear[group] = parts.wear(group, value * unit_s);
                }
            }
        }
    }

    /// Adds its figures to sums.
    pub fn add(&self, setting: &Setting, sums: &mut Setting, share: f64) {
        for (target, _) in &self.sets {
            let (sum, value) = match *target {
                Target::Regional { factor, region } => {
                    (&mut sums.regional[factor][region], setting.regional[factor][region])
                }
                Target::Embodied { group, .. } => (&mut sums.kg[group], setting.kg[group]),
                Target::Lifetime { group, .. } => (&mut sums.wear[group], setting.wear[group]),
            };
            *sum += value * share;
        }
    }

    /// Sets its figures to 0, to add to.
    pub fn clear(&self, sums: &mut Setting) {
        for (target, _) in &self.sets {
            match *target {
                Target::Regional { factor, region } => sums.regional[factor][region] = 0.0,
                Target::Embodied { group, .. } => sums.kg[group] = 0.0,
                Target::Lifetime { group, .. } => sums.wear[group] = 0.0,
            }
        }
    }

    /// What it is, in words.
    pub fn name(&self) -> String {
        let name = self.key.replace('_', " ").replace("pue", "PUE");
        self.place.as_ref().map_or(name.clone(), |place| format!("{name}, {place}"))
    }

    /// The one distribution of all its figures with its unit; `None` where they differ.
    pub fn only(&self) -> Option<(&'a Distribution, &'static str)> {
        let (target, first) = self.sets.first()?;
        let unit = |target: &Target| match target {
            Target::Embodied { absolute: true, .. } => "kg",
            Target::Lifetime { absolute: true, .. } => "years",
            _ => "x",
        };
        let alike = self.sets.iter().all(|(t, d)| d == first && unit(t) == unit(target));
        alike.then_some((*first, unit(target)))
    }
}

/// The inputs of a run under a specification, in the specification's order.
pub(super) fn inputs<'a>(parts: &Parts, spec: &'a UncertaintySpec) -> Vec<Input<'a>> {
    let mut all = Vec::new();
    for (factor, (key, given)) in spec.regional().into_iter().enumerate() {
        let Some(given) = given else { continue };
        let sets = |regions: std::ops::Range<usize>| {
            regions.map(|region| (Target::Regional { factor, region }, &given.factor)).collect()
        };
        let regions = parts.regions.len();
        if given.common {
            all.push(Input { key, place: None, sets: sets(0..regions) });
        } else {
            let one = |r: usize| Input { key, place: Some(parts.regions[r].clone()), sets: sets(r..r + 1) };
            all.extend((0..regions).map(one));
        }
    }
    if let Some(given) = &spec.embodied {
        let target = |group, absolute| Target::Embodied { group, absolute };
        all.extend(by_server(parts, "embodied", given.common, &|server| given.of(server), &target));
    }
    if let Some(given) = &spec.lifetime {
        let target = |group, absolute| Target::Lifetime { group, absolute };
        all.extend(by_server(parts, "lifetime", given.common, &|server| given.of(server), &target));
    }
    all
}

fn by_server<'a>(
    parts: &Parts,
    key: &'static str,
    common: bool,
    of: &dyn Fn(&str) -> Option<Spread<'a>>,
    target: &dyn Fn(usize, bool) -> Target,
) -> Vec<Input<'a>> {
    let mut each = Vec::new();
    for server in parts.servers() {
        let Some(spread) = of(server) else { continue };
        let groups = parts.groups_of(server).into_iter();
        let sets: Vec<_> = groups.map(|group| (target(group, spread.absolute), spread.of)).collect();
        each.push(Input { key, place: Some(server.to_owned()), sets });
    }
    if common && !each.is_empty() {
        let sets = each.into_iter().flat_map(|input| input.sets).collect();
        return vec![Input { key, place: None, sets }];
    }
    each
}
