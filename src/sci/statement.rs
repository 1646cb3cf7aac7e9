//! What must stand beside every score: boundary, standard, signal, factor basis, dataset version, lifespan, what M is made of.

use super::GroupFacts;
use super::embodied::{LifetimeBasis, OtherLife};
use crate::grid::{SignalInfo, SignalKind};
use crate::types::SECONDS_PER_YEAR;

/// The boundary sentence that stands beside every score.
pub const BOUNDARY: &str = "all hosts of all regions for the whole run, idle and switched-off ones included; facility overhead by PUE; embodied emissions of the hosts, straight line over their lifespan (years of 365 days); no network, no storage services, no end-user devices; no offsets or market-based instruments";

/// The same where what is sent between regions is counted.
const WITH_NETWORK: &str = "all hosts of all regions for the whole run, idle and switched-off ones included; facility overhead by PUE; energy of what is sent between regions, half at either end's grid; embodied emissions of the hosts, straight line over their lifespan (years of 365 days); no network inside a region or to users, no embodied emissions of networks, no storage services, no end-user devices; no offsets or market-based instruments";

/// The boundary sentence of scores without or with a network between regions.
pub fn boundary(network: bool) -> &'static str {
    if network { WITH_NETWORK } else { BOUNDARY }
}

/// What a score rests on, in words. Several regions are listed in their order, each text once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Which specification the score follows.
    pub standard: &'static str,
    /// What is covered.
    pub boundary: &'static str,
    /// Grid zones and who published their numbers.
    pub signal: String,
    /// `average` or `marginal`.
    pub kind: String,
    /// Emission factors: direct or life cycle, and whose.
    pub factor_basis: String,
    /// Year, export or vintage of the data.
    pub dataset_version: String,
    /// Expected lifespans of the hosts \[years\].
    pub lifetime: String,
    /// Embodied emissions of a host, what other owners leave of them, and what is added for what it stands in.
    pub embodied: String,
}

impl Statement {
    /// What a score under these signals, one per region, and with these hosts rests on.
    pub fn new(signals: &[SignalInfo], groups: &[GroupFacts]) -> Self {
        let marginal = !signals.is_empty() && signals.iter().all(|s| s.kind == SignalKind::Marginal);
        Self {
            standard: if marginal { "SCI v1.1, ISO/IEC 21031:2024 (marginal intensity)" } else { "SCI v1.1" },
            boundary: BOUNDARY,
            signal: listed(signals.iter().map(|s| format!("{} ({})", s.zone, s.source))),
            kind: listed(signals.iter().map(|s| s.kind.name().to_owned())),
            factor_basis: listed(signals.iter().map(|s| s.factor_basis.clone())),
            dataset_version: listed(signals.iter().map(|s| s.dataset_version.clone())),
            lifetime: listed(groups.iter().map(lifetime)),
            embodied: embodied(groups),
        }
    }

    /// The same of a run with a network between regions, or without.
    #[must_use]
    pub fn with_network(self, network: bool) -> Self {
        Self { boundary: boundary(network), ..self }
    }

    /// What two scores that are compared should have alike and have not: its name, and either's text.
    pub fn differences<'a>(&'a self, other: &'a Statement) -> Vec<(&'static str, [&'a str; 2])> {
        let all = [
            ("factor basis", [&self.factor_basis, &other.factor_basis]),
            ("dataset version", [&self.dataset_version, &other.dataset_version]),
            ("lifespan in years", [&self.lifetime, &other.lifetime]),
        ];
        let pairs = all.into_iter().map(|(name, pair)| (name, pair.map(String::as_str)));
        pairs.filter(|(_, [one, two])| one != two).collect()
    }
}

/// What M of a host is made of; with the server type where there is more than one answer.
fn embodied(groups: &[GroupFacts]) -> String {
    let alike = listed(groups.iter().map(embodied_of));
    if groups.iter().all(|g| embodied_of(g) == alike) {
        return alike;
    }
    listed(groups.iter().map(|g| format!("{}: {}", g.server, embodied_of(g))))
}

fn embodied_of(group: &GroupFacts) -> String {
    let years = group.lifetime_s / SECONDS_PER_YEAR;
    let lives = [("first life", group.lives.first), ("second life", group.lives.second)];
    let named = lives.into_iter().filter_map(|(name, life)| {
        life.map(|life| match life {
            OtherLife::Years(other) => format!("{name} of {other} years"),
            OtherLife::Share(_) => name.to_owned(),
        })
    });
    let named: Vec<String> = named.collect();
    let mut text = format!("{} kg", short(group.server_kg));
    if !named.is_empty() {
        text += &format!(" x {} ({})", short(group.lives.share(years)), named.join(", "));
    }
    if group.surroundings_g_per_s > 0.0 {
        let kg = group.surroundings_g_per_s * SECONDS_PER_YEAR / 1000.0;
        text += &format!(", surroundings {} kg/year", short(kg));
    }
    text
}

/// Six significant digits, without those that say nothing.
fn short(x: f64) -> String {
    format!("{x:.5e}").parse::<f64>().expect("a number just written").to_string()
}

/// A lifespan, and whether only time powered on uses it up.
fn lifetime(group: &GroupFacts) -> String {
    let years = group.lifetime_s / SECONDS_PER_YEAR;
    match group.lifetime_basis {
        LifetimeBasis::Existence => format!("{years}"),
        LifetimeBasis::Use => format!("{years} powered on"),
    }
}

/// The texts in their order, each once.
fn listed(texts: impl Iterator<Item = String>) -> String {
    distinct(texts).join("; ")
}

/// The texts in the order in which they come first.
pub fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::super::embodied::Lives;
    use super::*;
    use crate::types::RegionId;

    fn group(server: &str, kg: f64, lives: Lives, surroundings_kg: f64) -> GroupFacts {
        GroupFacts {
            server: server.to_owned(),
            region: RegionId(0),
            hosts: 1,
            memory_mb: 1000.0,
            held_w: 100.0,
            pue: 1.0,
            carbon_pue: None,
            fixed_overhead_w: 0.0,
            server_kg: kg,
            lives,
            embodied_kg: kg * lives.share(4.0),
            lifetime_s: 4.0 * SECONDS_PER_YEAR,
            lifetime_basis: LifetimeBasis::Existence,
            surroundings_g_per_s: surroundings_kg * 1000.0 / SECONDS_PER_YEAR,
            powered_s: 0.0,
        }
    }

    #[test]
    fn what_makes_embodied_emissions_less_or_more_is_said() {
        use OtherLife::{Share, Years};
        let said = |groups: &[GroupFacts]| Statement::new(&[], groups).embodied;
        let alone = Lives::default();
        let sold = Lives { second: Some(Share(0.5)), ..alone };
        let both = Lives { first: Some(Share(0.25)), second: Some(Years(2.0)) };
        assert_eq!(said(&[group("a", 1155.0, alone, 0.0)]), "1155 kg");
        assert_eq!(said(&[group("a", 1155.0, sold, 3.0)]), "1155 kg x 0.5 (second life), surroundings 3 kg/year");
        // 0.75 x 4 / 6.
        let mixed = said(&[group("a", 815.800_000_1, both, 0.0)]);
        assert_eq!(mixed, "815.8 kg x 0.5 (first life, second life of 2 years)");
        // Two groups of one kind are one answer, of two kinds two with their names.
        assert_eq!(said(&[group("a", 1000.0, alone, 0.0), group("b", 1000.0, alone, 0.0)]), "1000 kg");
        let two =
            said(&[group("old", 1000.0, sold, 0.0), group("new", 1000.0, alone, 0.0), group("old", 1000.0, sold, 0.0)]);
        assert_eq!(two, "old: 1000 kg x 0.5 (second life); new: 1000 kg");
    }
}
