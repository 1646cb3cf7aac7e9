//! What must stand beside every score: boundary, standard, signal, factor basis, dataset version, lifespan.

use super::GroupFacts;
use super::embodied::LifetimeBasis;
use crate::grid::{SignalInfo, SignalKind};
use crate::types::SECONDS_PER_YEAR;

/// The boundary sentence that stands beside every score.
pub const BOUNDARY: &str = "all hosts of all regions for the whole run, idle and switched-off ones included; facility overhead by PUE; embodied emissions of the hosts, straight line over their lifespan (years of 365 days); no network, no storage services, no end-user devices; no offsets or market-based instruments";

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
        }
    }
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
    let mut seen: Vec<String> = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen.join("; ")
}
