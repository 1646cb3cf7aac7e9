//! A finished run scored on several signals, and against another run: the table of `sim score`.

use super::significant;
use crate::sci::{Record, Score, SignalSet, Statement, UnequalUnits, distinct};
use crate::types::JOULES_PER_KWH;

/// What a signal is to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Policies looked at it and the run is scored on it.
    Own,
    /// Policies looked at it; the run is scored on another one.
    Decided,
    /// The run is scored on it; policies looked at another one.
    Scored,
    /// Given afterwards.
    Given,
}

impl Role {
    /// The role in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "decided and scored on",
            Self::Decided => "decided on",
            Self::Scored => "scored on",
            Self::Given => "scored anew",
        }
    }
}

/// A run, or two to be set against each other, under one signal.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRow {
    /// What the signal is called.
    pub signal: String,
    /// What it is to the run.
    pub role: Role,
    /// What the score rests on.
    pub said: Statement,
    /// O over energy: intensity as met by the run [gCO2e/kWh].
    pub met_g_per_kwh: f64,
    /// The run's score.
    pub score: Score,
    /// The other run's score.
    pub against: Option<Score>,
}

impl ScoreRow {
    /// SCI of the run; NaN where it is undefined.
    pub fn sci(&self) -> f64 {
        self.score.sci().unwrap_or(f64::NAN)
    }

    /// What the run saves of the other's: operational emissions, and the score, each a share of the other's; NaN without another.
    pub fn saved(&self) -> (f64, f64) {
        let Some(other) = &self.against else { return (f64::NAN, f64::NAN) };
        let operational = 1.0 - self.score.operational_g / other.operational_g;
        (operational, 1.0 - self.sci() / other.sci().unwrap_or(f64::NAN))
    }
}

/// Scores a run on its own signals and on `given`; `against` is another run, scored on the same, with `given` read for its own
/// ledger (the run's own signals are laid over it where start, bins and regions are the same). `unit` is another functional unit
/// than the run's.
///
/// # Errors
/// The runs count different functional units, or R was not kept in the wanted unit.
pub fn score_rows(
    record: &Record,
    given: &[SignalSet],
    against: Option<(&Record, &[SignalSet])>,
    unit: Option<&str>,
) -> Result<Vec<ScoreRow>, ScoreError> {
    if let (Some((other, _)), None) = (against, unit) {
        record.counts_as(other)?;
    }
    let kwh = record.energy_j() / JOULES_PER_KWH;
    let mut rows = Vec::new();
    let own = own_sets(record);
    let given = given.iter().map(|set| (Role::Given, set));
    for (i, (role, set)) in own.iter().map(|(role, set)| (*role, set)).chain(given).enumerate() {
        let score = score_in(record, &set.intensity, unit)?;
        let theirs = against.and_then(|(other, sets)| match role {
            Role::Given => Some((other, sets[i - own.len()].intensity.clone())),
            _ => laid_over(record, set, other).map(|intensity| (other, intensity)),
        });
        let other = theirs.map(|(other, intensity)| score_in(other, &intensity, unit)).transpose()?;
        rows.push(ScoreRow {
            signal: set.name.clone(),
            role,
            said: record.statement(&set.info),
            met_g_per_kwh: score.operational_g / kwh,
            score,
            against: other,
        });
    }
    Ok(rows)
}

/// Why runs have no table of scores.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// Different functional units.
    #[error(transparent)]
    Units(#[from] UnequalUnits),
    /// An unknown unit.
    #[error("the run kept no count of \"{0}\"\n  help: its units are {1}")]
    NoUnit(String, String),
}

fn score_in(record: &Record, intensity: &[Vec<f64>], unit: Option<&str>) -> Result<Score, ScoreError> {
    let Some(unit) = unit else { return Ok(record.score(intensity)) };
    record.score_by(intensity, unit).ok_or_else(|| {
        let known: Vec<&str> = record.facts.units_by_name.keys().map(String::as_str).collect();
        ScoreError::NoUnit(unit.to_owned(), known.join(", "))
    })
}

/// A run's own signal by region and bin of another run's ledger; `None` where it does not reach: other regions, another start or
/// other bins, or a longer run.
fn laid_over(record: &Record, set: &SignalSet, other: &Record) -> Option<Vec<Vec<f64>>> {
    let (a, b) = (&record.facts, &other.facts);
    let bins = other.scored_on.first()?.len();
    let alike = (&a.start, a.step_ns, &a.regions) == (&b.start, b.step_ns, &b.regions);
    let reaches = set.intensity.iter().all(|of_region| of_region.len() >= bins);
    (alike && reaches).then(|| set.intensity.iter().map(|of_region| of_region[..bins].to_vec()).collect())
}

/// The signals of the run itself: one where it decided and scored on the same.
pub fn own_sets(record: &Record) -> Vec<(Role, SignalSet)> {
    let set = |info: &[crate::grid::SignalInfo], intensity: &[Vec<f64>]| SignalSet {
        name: name(info),
        info: info.to_vec(),
        intensity: intensity.to_vec(),
    };
    let scored = set(&record.facts.scored_on, &record.scored_on);
    if record.decided_on == record.scored_on && record.facts.decided_on == record.facts.scored_on {
        return vec![(Role::Own, scored)];
    }
    vec![(Role::Decided, set(&record.facts.decided_on, &record.decided_on)), (Role::Scored, scored)]
}

/// The zones of a run's own signal, or how many they are.
fn name(info: &[crate::grid::SignalInfo]) -> String {
    let zones = distinct(info.iter().map(|s| s.zone.clone()));
    if zones.len() > 3 { format!("{} zones", zones.len()) } else { zones.join(", ") }
}

/// Columns of the table of scores.
pub const SCORES: &[super::Column] = &[
    ("signal", "text", "what the signal is called"),
    ("role", "text", "what it is to the run"),
    ("standard", "text", "the specification that the score follows"),
    ("source", "text", "grid zones, and who published their numbers"),
    ("kind", "text", "average or marginal"),
    ("factor_basis", "text", "emission factors: direct or life cycle, and whose"),
    ("dataset_version", "text", "year, export or vintage of the signal"),
    ("lifetime_years", "text", "expected lifespan of the hosts, years of 365 days"),
    ("boundary", "text", "what the score covers"),
    ("met_g_per_kwh", "gCO2e/kWh", "O over energy: intensity as met by the run"),
    ("operational_g", "gCO2e", "O"),
    ("embodied_g", "gCO2e", "M"),
    ("unit", "text", "the functional unit R"),
    ("units", "R", "how many functional units"),
    ("sci_g_per_unit", "gCO2e/R", "(O + M) / R; empty without units"),
    ("against_sci_g_per_unit", "gCO2e/R", "the same of the run compared with"),
    ("operational_saved_share", "1", "part of the other run's O that this run saves"),
    ("sci_saved_share", "1", "part of the other run's SCI that this run saves"),
];

fn numbers(row: &ScoreRow) -> [f64; 8] {
    let other = row.against.as_ref().and_then(Score::sci).unwrap_or(f64::NAN);
    let (operational, sci) = row.saved();
    [
        row.met_g_per_kwh,
        row.score.operational_g,
        row.score.embodied_g,
        row.score.units,
        row.sci(),
        other,
        operational,
        sci,
    ]
}

/// The table as CSV, with every digit.
///
/// # Errors
/// `out` cannot be written.
pub fn scores_csv(rows: &[ScoreRow], out: &mut dyn std::io::Write) -> std::io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(SCORES.iter().map(|c| c.0))?;
    for row in rows {
        let n = numbers(row).map(|x| if x.is_finite() { x.to_string() } else { String::new() });
        let said = &row.said;
        let texts = [
            &row.signal,
            row.role.name(),
            said.standard,
            &said.signal,
            &said.kind,
            &said.factor_basis,
            &said.dataset_version,
            &said.lifetime,
            said.boundary,
        ];
        let cells = texts.into_iter().chain(n[..3].iter().map(String::as_str)).chain([row.score.unit.as_str()]);
        table.write_record(cells.chain(n[3..].iter().map(String::as_str)))?;
    }
    table.flush()
}

/// The table for a terminal: what the signals are first, the figures below.
pub fn scores_text(rows: &[ScoreRow]) -> String {
    let against = rows.iter().any(|r| r.against.is_some());
    let unit = rows.first().map_or("R", |r| r.score.unit.as_str());
    let mut table =
        vec![vec!["", "signal", "kind", "g/kWh met", "O g", "M g"].into_iter().map(str::to_owned).collect::<Vec<_>>()];
    table[0].push(format!("SCI g/{unit}"));
    if against {
        table[0].extend(["other's SCI", "O saved", "SCI saved"].map(str::to_owned));
    }
    for (i, row) in rows.iter().enumerate() {
        let n = numbers(row);
        let mut line = vec![format!("[{}] {}", i + 1, row.role.name()), row.signal.clone(), row.said.kind.clone()];
        line.extend([n[0], n[1], n[2], n[4]].map(significant));
        if against {
            line.push(significant(n[5]));
            line.extend([n[6], n[7]].map(percent));
        }
        table.push(line);
    }
    let mut text = aligned(&table, 3);
    text.push('\n');
    for (i, row) in rows.iter().enumerate() {
        let Statement { standard, signal, factor_basis, dataset_version, .. } = &row.said;
        text += &format!("[{}] {standard}; {signal}; factors: {factor_basis}; data: {dataset_version}\n", i + 1);
    }
    text
}

fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:+.2} %", 100.0 * share) } else { "undefined".to_owned() }
}

/// Columns under each other: the first `left` to the left, the others to the right.
pub(super) fn aligned(table: &[Vec<String>], left: usize) -> String {
    let width = |c: usize| table.iter().filter_map(|row| row.get(c)).map(|s| s.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..table[0].len()).map(width).collect();
    let mut text = String::new();
    for row in table {
        let cells = row.iter().zip(&widths).enumerate().map(|(c, (cell, &w))| match c < left {
            true => format!("{cell:<w$}"),
            false => format!("{cell:>w$}"),
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}
