//! Finished results side by side, `sim compare A B…`: paired differences, what differs in their scenarios, claims that hold or not.
//!
//! ```text
//!   places ── place ──▶ folders ── read ──▶ sides ──┬── join ──▶ points that agree on the shared axes
//!                                                  │             └── line: means, differences, intervals
//!                                                  │             └── judge: claims
//!                                                  └── unlike ──▶ what differs in scenarios, program, inputs
//! ```
//!
//! The room reads results alone: it runs nothing and knows no scenario but as the JSON of a manifest.

mod files;
mod interval;
mod join;
mod judge;
mod line;
mod place;
mod read;
mod text;
mod unlike;

use std::path::PathBuf;

pub use files::{COLUMNS, write_csv, write_json};
pub use interval::Difference;
pub use judge::{Outcome, Verdict};
pub use line::{Block, Line};
pub(crate) use place::matches;
pub use read::{Figure, Kind, Point, Run, Side};
pub use text::text;
pub use unlike::{Unlike, differing};

use crate::claim::{ClaimError, KeyError, find_key};

/// Figures that are shown where none are asked for, as far as the results have them.
const IMPORTANT: [&str; 9] = [
    "sci.g_per_unit",
    "sci.operational_g_per_unit",
    "sci.embodied_g_per_unit",
    "carbon_g.total",
    "energy_j.total",
    "latency_s.p99",
    "calls.executed",
    "calls.rejected",
    "calls.cold_share",
];

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The result that the others are compared with; the first where none is named.
    pub baseline: Option<String>,
    /// The figures, by key or short name; a handful where none are named.
    pub figures: Vec<String>,
    /// All figures, all points, all keys.
    pub all: bool,
    /// Confidence of intervals, and of claims.
    pub confidence: f64,
    /// The claims, as typed.
    pub claims: Vec<String>,
}

/// Why results cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum ContrastError {
    /// A place is no result, or not one result.
    #[error("{}: {what}\n  help: {help}", path.display())]
    Place {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        what: String,
        /// What to do.
        help: String,
    },
    /// A name is none.
    #[error("{what}\n  help: {help}")]
    Name {
        /// What is wrong.
        what: String,
        /// What to do.
        help: String,
    },
    /// A claim is wrong.
    #[error("--assert: {0}")]
    Claim(#[from] ClaimError),
}

impl ContrastError {
    fn key(error: &KeyError) -> Self {
        Self::Name { what: format!("--figure: {error}"), help: error.help() }
    }
}

/// Results side by side.
#[derive(Debug)]
pub struct Contrast {
    /// The results.
    pub sides: Vec<Side>,
    /// Which of them is the baseline.
    pub baseline: usize,
    /// Confidence of intervals, and of claims.
    pub confidence: f64,
    /// The figures with their values.
    pub blocks: Vec<Block>,
    /// What each other result has otherwise than the baseline, by the number of its side.
    pub unlike: Vec<(usize, Vec<Unlike>)>,
    /// What became of the claims.
    pub verdicts: Vec<Verdict>,
    /// What a reader has to know: failed runs, points and runs without a partner.
    pub notes: Vec<String>,
    /// Whether long lists are shown whole.
    pub all: bool,
}

impl Contrast {
    /// The claims that do not hold, or of which that is not known.
    pub fn broken(&self) -> Vec<&Verdict> {
        self.verdicts.iter().filter(|v| v.outcome != Outcome::Holds).collect()
    }

    /// The numbers of the sides that are compared with the baseline.
    pub fn others(&self) -> Vec<usize> {
        others(self.sides.len(), self.baseline)
    }
}

/// The sides but the baseline; a single one stands beside itself, so that claims can be made of it.
fn others(sides: usize, baseline: usize) -> Vec<usize> {
    (0..sides).filter(|&i| i != baseline || sides == 1).collect()
}

/// Reads results and lays them side by side.
///
/// # Errors
/// A place is no result, a name or a claim is wrong. That is found before anything is computed.
pub fn contrast(places: &[String], options: &Options) -> Result<Contrast, ContrastError> {
    let sides = place::named(places)?.iter().map(read::read).collect::<Result<Vec<Side>, _>>()?;
    let baseline = baseline(&sides, options.baseline.as_deref())?;
    let figures = figures(&sides, options)?;
    let claims = judge::claims(&options.claims, &sides, baseline)?;
    let mut notes = line::failures(&sides);
    let blocks = line::blocks(figures, &mut notes, &sides, baseline, options.confidence);
    let unlike = others(sides.len(), baseline).into_iter().filter(|&i| i != baseline);
    let unlike = unlike.map(|i| (i, differing(&sides[baseline].manifest, &sides[i].manifest))).collect();
    let verdicts = claims.iter().flat_map(|claim| claim.judge(&sides, baseline, options.confidence)).collect();
    Ok(Contrast { sides, baseline, confidence: options.confidence, blocks, unlike, verdicts, notes, all: options.all })
}

fn baseline(sides: &[Side], wanted: Option<&str>) -> Result<usize, ContrastError> {
    let names: Vec<&str> = sides.iter().map(|s| s.name.as_str()).collect();
    let found = match wanted {
        None => names.iter().position(|name| *name == "baseline").unwrap_or(0),
        Some(wanted) => names.iter().position(|name| *name == wanted).ok_or_else(|| ContrastError::Name {
            what: format!("--baseline: no result is named \"{wanted}\""),
            help: format!("the results are {}", names.join(", ")),
        })?,
    };
    // `sci(baseline)` must mean one thing.
    match names.iter().position(|name| *name == "baseline") {
        Some(other) if other != found => Err(ContrastError::Name {
            what: format!("a result is named \"baseline\", and {} is the baseline", names[found]),
            help: "give it another name, NAME=FOLDER".to_owned(),
        }),
        _ => Ok(found),
    }
}

/// The figures to show: those asked for, all, or the important ones that the results have.
fn figures(sides: &[Side], options: &Options) -> Result<Vec<Figure>, ContrastError> {
    let mut all: Vec<&Figure> = Vec::new();
    for figure in sides.iter().flat_map(|s| &s.figures) {
        if !all.iter().any(|known| known.key == figure.key) {
            all.push(figure);
        }
    }
    let keys: Vec<&str> = all.iter().map(|f| f.key.as_str()).collect();
    let mut chosen: Vec<&str> = Vec::new();
    for name in &options.figures {
        let key = find_key(name, &keys).map_err(|e| ContrastError::key(&e))?;
        if !chosen.contains(&key) {
            chosen.push(key);
        }
    }
    if options.figures.is_empty() {
        chosen = if options.all { keys } else { keys.into_iter().filter(|k| IMPORTANT.contains(k)).collect() };
        chosen.sort_by_key(|key| IMPORTANT.iter().position(|i| i == key).unwrap_or(IMPORTANT.len()));
    }
    Ok(chosen.iter().filter_map(|key| all.iter().find(|f| f.key == *key)).map(|f| (*f).clone()).collect())
}

#[cfg(test)]
mod tests;
