//! Our own files of carbon intensity: `time_utc,g_per_kwh,estimated` below a head of comments that says what the numbers are.
//!
//! The head is TOML behind `# `: one line per key, so that nothing is lost between a download and a result. The last interval ends at
//! `end`, every other one at the next row.

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::import::{Account, ImportError, ImportSpec, Imported, Interval, Place, import};
use super::{GridError, PastEnd, Signal, SignalInfo, SignalKind};
use crate::types::{Duration, SimTime};

/// The version of the head's keys.
const VERSION: u32 = 1;
/// The key that tells our files from others.
const MARK: &str = "slackwater_grid";

/// A file that `sim grid import` or `sim grid synth` wrote. What its numbers are stands in its head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileSpec {
    /// The file, relative to the scenario's folder.
    pub path: PathBuf,
    /// What lies past the end of the file: `error` (default), `repeat` or `hold`.
    #[serde(default)]
    pub past_end: PastEnd,
}

/// The head of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Version of the head.
    pub slackwater_grid: u32,
    /// The provider's code of the grid zone.
    pub zone: String,
    /// Average or marginal.
    pub kind: SignalKind,
    /// Emission factors: direct or life cycle, and whose.
    pub factor_basis: String,
    /// Production or consumption mix.
    pub boundary: String,
    /// Who published the numbers.
    pub source: String,
    /// Under which terms they may be used.
    pub licence: String,
    /// Year, export or vintage of the data.
    pub dataset_version: String,
    /// The unit before it was converted.
    pub unit_original: String,
    /// Name of the file that was imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_file: Option<String>,
    /// SHA-256 of the file that was imported, or of the embedded data that a synthetic one was drawn from.
    pub sha256_of_source: String,
    /// When the numbers were fetched from their provider, as whoever imported them says.
    pub retrieved: String,
    /// Most common length of the intervals \[s\].
    pub step_s: f64,
    /// Longest of them \[s\]: a longer distance of two rows is a gap.
    pub longest_step_s: f64,
    /// End of the last interval.
    pub end: String,
    /// Intervals that were gaps and were filled.
    pub filled: usize,
    /// Rows of the source that repeated an instant.
    pub duplicates: usize,
    /// Drawn rather than observed.
    pub synthetic: bool,
    /// Root seed, where random numbers were drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// How the file was made.
    pub made_by: String,
}

/// Keys without which a file cannot be read.
const MANDATORY: [&str; 17] = [
    MARK,
    "zone",
    "kind",
    "factor_basis",
    "boundary",
    "source",
    "licence",
    "dataset_version",
    "unit_original",
    "sha256_of_source",
    "retrieved",
    "step_s",
    "longest_step_s",
    "end",
    "filled",
    "duplicates",
    "synthetic",
];

impl Head {
    /// Whether comments are the head of a file of ours.
    pub fn is_in(comments: &str) -> bool {
        comments.lines().any(|line| line.trim_start_matches(['#', ' ']).starts_with(MARK))
    }

    /// The head in the comments (without their signs) above a file's header; `None` where they are no head of ours.
    pub(super) fn of(comments: &str, file: &str) -> Result<Option<Self>, ImportError> {
        if !Self::is_in(comments) {
            return Ok(None);
        }
        let fails = |what: String| {
            let remedy = "correct the head, or import the source again with `sim grid import`";
            Err(ImportError::new(file, Place::File, what, remedy))
        };
        let table = match comments.parse::<toml::Table>() {
            Ok(table) => table,
            Err(e) => return fails(format!("its head is no TOML: {}", e.to_string().trim_end())),
        };
        let missing: Vec<&str> = MANDATORY.into_iter().filter(|key| !table.contains_key(*key)).collect();
        if !missing.is_empty() {
            return fails(format!("its head lacks {}", missing.join(", ")));
        }
        let head: Head = match table.try_into() {
            Ok(head) => head,
            Err(e) => return fails(format!("its head is wrong: {}", e.to_string().trim_end())),
        };
        if head.slackwater_grid != VERSION {
            return fails(format!("{MARK} = {}, but version {VERSION} is read", head.slackwater_grid));
        }
        Ok(Some(head))
    }

    /// The end of the last interval.
    pub(super) fn end_instant(&self, file: &str) -> Result<Timestamp, ImportError> {
        self.end.parse().map_err(|_| {
            let what = format!("its head says end = {:?}", self.end);
            ImportError::new(file, Place::File, what, "write an instant such as 2023-01-01T00:00:00Z")
        })
    }

    /// The head of an imported series.
    fn new(info: &SignalInfo, intervals: &[Interval], account: &Account, made: &Made<'_>) -> Self {
        let mut lengths: Vec<i64> = intervals.iter().map(|i| i.end - i.start).collect();
        lengths.sort_unstable();
        let longest = lengths.last().copied().unwrap_or(0);
        let runs = lengths.chunk_by(|a, b| a == b).map(|run| (run.len(), std::cmp::Reverse(run[0])));
        let step = runs.max().map_or(0, |(_, length)| length.0);
        Head {
            slackwater_grid: VERSION,
            zone: info.zone.clone(),
            kind: info.kind,
            factor_basis: info.factor_basis.clone(),
            boundary: info.boundary.clone(),
            source: info.source.clone(),
            licence: info.licence.clone(),
            dataset_version: info.dataset_version.clone(),
            unit_original: made.unit_original.to_owned(),
            source_file: made.source_file.map(str::to_owned),
            sha256_of_source: info.sha256.clone().unwrap_or_else(|| "none".into()),
            retrieved: made.retrieved.unwrap_or("not stated").to_owned(),
            step_s: step as f64 / 1e9,
            longest_step_s: longest as f64 / 1e9,
            end: intervals.last().map_or_else(String::new, |i| instant(i.end)),
            filled: account.filled,
            duplicates: account.duplicates + account.replaced,
            synthetic: info.synthetic,
            seed: info.seed,
            made_by: made.by.to_owned(),
        }
    }

    /// The lines of the head; line breaks in texts become spaces.
    fn lines(&self) -> String {
        let table = toml::Table::try_from(self).expect("a head is a table of plain values");
        let mut lines: Vec<String> = Vec::new();
        for key in MANDATORY.iter().chain(&["source_file", "seed", "made_by"]) {
            let Some(value) = table.get(*key) else { continue };
            let value = match value {
                toml::Value::String(s) => toml::Value::String(s.replace(['\n', '\r'], " ")),
                other => other.clone(),
            };
            lines.push(format!("# {key} = {value}\n"));
        }
        debug_assert_eq!(table.len(), lines.len(), "a key of the head is not written");
        lines.concat()
    }
}

/// What a head says beside the metadata of the numbers.
#[derive(Debug, Clone, Copy)]
pub struct Made<'a> {
    /// The unit before it was converted.
    pub unit_original: &'a str,
    /// Name of the file that was imported.
    pub source_file: Option<&'a str>,
    /// When the numbers were fetched.
    pub retrieved: Option<&'a str>,
    /// How the file is made.
    pub by: &'a str,
}

/// An instant as files have it.
fn instant(ns: i64) -> String {
    Timestamp::from_nanosecond(i128::from(ns)).map_or_else(|_| ns.to_string(), |t| t.to_string())
}

/// The text of a file; every value with all its digits. `intervals` stand side by side and have values.
pub fn text(info: &SignalInfo, intervals: &[Interval], account: &Account, made: &Made<'_>) -> String {
    use std::fmt::Write;
    let mut text = Head::new(info, intervals, account, made).lines();
    text.push_str("time_utc,g_per_kwh,estimated\n");
    for i in intervals {
        let value = i.value.expect("an imported series has no gaps");
        let estimated = i.estimated.map_or("unknown", |e| if e { "yes" } else { "no" });
        writeln!(text, "{},{value},{estimated}", instant(i.start)).expect("a string takes all that is written");
    }
    text
}

/// Writes a file whole or not at all: to a temporary one beside it, which is then renamed.
///
/// # Errors
/// The folder cannot be written.
pub fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    let partial = path.with_file_name(name);
    let written = std::fs::File::create(&partial).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let done = written.and_then(|()| std::fs::rename(&partial, path));
    if done.is_err() {
        // The error that is reported is the first one.
        let _ = std::fs::remove_file(&partial);
    }
    done
}

/// The intervals of a signal, for a file: those from `start_utc` on.
pub fn intervals_of(signal: &Signal, start_utc: Timestamp) -> Vec<Interval> {
    let start = i64::try_from(start_utc.as_nanosecond()).expect("a signal has a start that it covers");
    let piece = |(from, to, value): (i64, i64, crate::types::GramsPerKwh)| Interval {
        start: start + from,
        end: start + to,
        value: Some(value.0),
        estimated: Some(true),
    };
    signal.intervals().map(piece).collect()
}

/// Reads a file of ours as a series.
///
/// # Errors
/// A file that is not ours or whose head lacks a key, and those of [`import`].
pub fn read(base_dir: &Path, path: &Path) -> Result<Imported, GridError> {
    let full = base_dir.join(path);
    let file = full.display().to_string();
    let bytes = std::fs::read(&full).map_err(|source| GridError::Read { file: file.clone(), source })?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.trim_start_matches('\u{feff}').lines().take_while(|l| l.starts_with('#'));
    if !lines.into_iter().any(Head::is_in) {
        let what = format!("no head with # {MARK} = {VERSION}");
        let remedy = "make the file with `sim grid import`, or read another provider's with [regions.grid.import]";
        return Err(Box::new(ImportError::new(&file, Place::Line(1), what, remedy)).into());
    }
    import(base_dir, &ImportSpec { path: path.to_owned(), ..ImportSpec::default() })
}

impl FileSpec {
    /// The signal of a run that starts at `start_utc`, reaching at least to `horizon`.
    pub(super) fn build(&self, base_dir: &Path, start_utc: Timestamp, horizon: Duration) -> Result<Signal, GridError> {
        read(base_dir, &self.path)?.signal(start_utc)?.extend_to(SimTime::ZERO + horizon, self.past_end)
    }
}
