//! Signals to score a finished run on, as a person names them: a TOML file, a CSV file, a zone, a constant.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::RecordFacts;
use crate::grid::{self, GridError, Signal, SignalInfo};
use crate::ledger::SiteBook;
use crate::types::{Seed, SimTime};

/// One signal per region, reduced to the bins of a ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalSet {
    /// What it is called in tables.
    pub name: String,
    /// What the numbers are, by region.
    pub info: Vec<SignalInfo>,
    /// Intensity by region and bin [gCO2e/kWh].
    pub intensity: Vec<Vec<f64>>,
}

/// Why a run cannot be scored on a signal.
#[derive(Debug, thiserror::Error)]
pub enum SignalSetError {
    /// The file cannot be read.
    #[error("cannot read the signal {}: {source}\n  help: {USAGE}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file does not say what a signal must say.
    #[error("{}: {what}\n  help: {USAGE}", path.display())]
    Spec {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A constant that is no number.
    #[error("\"{0}\" is no intensity in g/kWh\n  help: write constant:400")]
    Constant(String),
    /// The signal cannot be built for the run.
    #[error("the signal {name} does not fit region \"{region}\" of the run: {source}\n  help: {help}")]
    Grid {
        /// The signal.
        name: String,
        /// The region.
        region: String,
        /// What is wrong.
        source: Box<GridError>,
        /// What to do.
        help: &'static str,
    },
    /// A change inside a bin.
    #[error(
        "the signal {name} changes {change_s} s after the run's start, inside a bin of the ledger ({step_s} s): its score would \
         not be exact\n  help: run the scenario with an output.ledger_step_s that divides the signal's steps"
    )]
    Inside {
        /// The signal.
        name: String,
        /// The change \[s\].
        change_s: f64,
        /// The width of the bins \[s\].
        step_s: f64,
    },
    /// Averages and marginals for different regions.
    #[error(
        "the signal {0} is average for some regions and marginal for others: a score never mixes the two kinds\n  help: give two \
         signals, one of each kind"
    )]
    Mixed(String),
}

const USAGE: &str = "a signal is a TOML file with a table [grid.csv], [grid.file], [grid.import], [grid.typical] or [grid.constant] as a region has it (or one such table per region: [regions.NAME.csv], …) and, optionally, name and start; or a file of `sim grid import`; or a CSV file time_utc,g_per_kwh whose first lines are comments that say the same: # zone = \"DE\", # kind = \"average\", # factor_basis = \"…\", # source = \"…\", # licence = \"…\", # dataset_version = \"…\"; or typical:ZONE; or constant:G_PER_KWH";

/// A file of signals.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The name in tables. Default: the file's name without its ending.
    name: Option<String>,
    /// The instant of the signal that the run's start is taken for, UTC. Default: the run's own start.
    start: Option<String>,
    /// For all regions that have none of their own.
    grid: Option<grid::Spec>,
    /// By region.
    #[serde(default)]
    regions: BTreeMap<String, grid::Spec>,
}

/// The metadata in the comments of a CSV file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    name: Option<String>,
    start: Option<String>,
    time_column: Option<String>,
    value_column: Option<String>,
    unit: Option<grid::Unit>,
    #[serde(default)]
    naive_stamps_are_utc: bool,
    zone: String,
    kind: grid::SignalKind,
    factor_basis: String,
    boundary: Option<String>,
    source: String,
    licence: String,
    dataset_version: String,
    #[serde(default)]
    past_end: grid::PastEnd,
}

impl SignalSet {
    /// Reads a signal, see the module, and reduces it to the bins of a run's ledger.
    ///
    /// # Errors
    /// [`SignalSetError`].
    pub fn read(wanted: &str, facts: &RecordFacts, site: &SiteBook) -> Result<Self, SignalSetError> {
        if let Some(zone) = wanted.strip_prefix("typical:") {
            let spec = grid::Spec::Typical { zone: zone.to_owned(), residual: grid::Residual::default() };
            return File { name: None, start: None, grid: Some(spec), regions: BTreeMap::new() }.build(
                wanted,
                Path::new(""),
                facts,
                site,
            );
        }
        if let Some(number) = wanted.strip_prefix("constant:") {
            let g_per_kwh = number.parse().map_err(|_| SignalSetError::Constant(number.to_owned()))?;
            let spec = grid::Spec::Constant { g_per_kwh, label: None, kind: None, factor_basis: None };
            return File { name: None, start: None, grid: Some(spec), regions: BTreeMap::new() }.build(
                wanted,
                Path::new(""),
                facts,
                site,
            );
        }
        let path = Path::new(wanted);
        let text =
            std::fs::read_to_string(path).map_err(|source| SignalSetError::Read { path: path.to_owned(), source })?;
        let spec = |what: String| SignalSetError::Spec { path: path.to_owned(), what };
        let file = if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")) {
            from_csv(path, &text).map_err(spec)?
        } else {
            toml::from_str(&text).map_err(|e| spec(explained(&e)))?
        };
        let stem = path.file_stem().map_or_else(|| wanted.to_owned(), |s| s.to_string_lossy().into_owned());
        let folder = path.parent().unwrap_or(Path::new(""));
        if let Some(unknown) = file.regions.keys().find(|name| !facts.regions.contains(name)) {
            let known = facts.regions.join(", ");
            return Err(spec(format!("the run has no region \"{unknown}\"; it has {known}")));
        }
        file.build(&stem, folder, facts, site)
    }
}

/// An error of TOML, with the reason where it is about an offset or a market-based instrument.
fn explained(error: &toml::de::Error) -> String {
    let words = error.message().split(|c: char| !(c.is_alphanumeric() || "_-".contains(c)));
    let reason = words.into_iter().find_map(grid::market_hint);
    reason.map_or_else(|| error.to_string(), |reason| format!("{}\n{reason}", error.to_string().trim_end()))
}

/// The signal of a CSV file that says in its comments what it is.
fn from_csv(path: &Path, text: &str) -> Result<File, String> {
    let head: String = text
        .trim_start_matches('\u{feff}')
        .lines()
        .take_while(|line| line.starts_with('#'))
        .map(|line| format!("{}\n", line.trim_start_matches('#').trim_start()))
        .collect();
    if head.trim().is_empty() {
        return Err("the file does not say what its numbers are".to_owned());
    }
    if grid::file::Head::is_in(&head) {
        let own = PathBuf::from(path.file_name().unwrap_or(path.as_os_str()));
        let spec = grid::Spec::File(grid::file::FileSpec { path: own, past_end: grid::PastEnd::Error });
        return Ok(File { name: None, start: None, grid: Some(spec), regions: BTreeMap::new() });
    }
    let head: Head =
        toml::from_str(&head).map_err(|e| format!("its comments are not what a signal needs: {}", explained(&e)))?;
    let spec = grid::Spec::Csv {
        path: PathBuf::from(path.file_name().unwrap_or(path.as_os_str())),
        time_column: head.time_column,
        value_column: head.value_column,
        unit: head.unit,
        naive_stamps_are_utc: head.naive_stamps_are_utc,
        zone: head.zone,
        kind: head.kind,
        factor_basis: head.factor_basis,
        boundary: head.boundary.unwrap_or_else(|| "not stated".to_owned()),
        source: head.source,
        licence: head.licence,
        dataset_version: head.dataset_version,
        past_end: head.past_end,
    };
    Ok(File { name: head.name, start: head.start, grid: Some(spec), regions: BTreeMap::new() })
}

impl File {
    fn build(
        self,
        default_name: &str,
        folder: &Path,
        facts: &RecordFacts,
        site: &SiteBook,
    ) -> Result<SignalSet, SignalSetError> {
        let name = self.name.clone().unwrap_or_else(|| default_name.to_owned());
        let bad = |what: String| SignalSetError::Spec { path: PathBuf::from(default_name), what };
        let start = self.start.as_ref().unwrap_or(&facts.start);
        let start = start
            .parse()
            .map_err(|_| bad(format!("start = \"{start}\" is not an instant such as 2023-01-01T00:00:00Z")))?;
        let end = SimTime(facts.end_ns);
        let mut signals: Vec<Signal> = Vec::new();
        // Most regions have the same signal; it is read once.
        let mut built: Vec<(&grid::Spec, Signal)> = Vec::new();
        for region in &facts.regions {
            let spec = self.regions.get(region).or(self.grid.as_ref()).ok_or_else(|| {
                bad(format!("it has no signal for region \"{region}\": neither [regions.{region}.…] nor [grid.…]"))
            })?;
            if let Some((_, signal)) = built.iter().find(|(known, _)| *known == spec) {
                signals.push(signal.clone());
                continue;
            }
            let new = grid::build(spec, folder, start, end - SimTime::ZERO, Seed(facts.seed));
            let signal = new.map_err(|source| {
                let help = match source {
                    GridError::UnknownZone { .. } => "see `sim list zones`",
                    GridError::StartNotCovered { .. } => {
                        "the run begins elsewhere in time: say start = \"…Z\" to lay the run over another time of the signal"
                    }
                    GridError::EndsEarly { .. } => "past_end = \"repeat\" or \"hold\" continues a signal",
                    _ => "see docs/model.md, section 10, for what a signal must be",
                };
                SignalSetError::Grid { name: name.clone(), region: region.clone(), source: Box::new(source), help }
            })?;
            if let Some(change) = signal.change_inside(site.step()).filter(|&change| change < end) {
                return Err(SignalSetError::Inside {
                    name,
                    change_s: change.as_secs_f64(),
                    step_s: site.step().as_secs_f64(),
                });
            }
            built.push((spec, signal.clone()));
            signals.push(signal);
        }
        if signals.iter().any(|s| s.info().kind != signals[0].info().kind) {
            return Err(SignalSetError::Mixed(name));
        }
        let info = signals.iter().map(|s| s.info().clone()).collect();
        Ok(SignalSet { name, info, intensity: super::intensities(site, &signals, end) })
    }
}
