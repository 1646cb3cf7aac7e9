//! Carbon-intensity files of other providers: any of their formats becomes a step function with an explicit end.
//!
//! ```text
//!  bytes ──► format ──► rows ──► minutes, order, values, duplicates ──► lay ──► gaps, cut, resample ──► intervals
//!             (formats/)          (policies/)                            │                                  │
//!  what the format documents + what is said ──► metadata                 └──► grid::stats              a Signal, or a
//!                                                                                                      file of our own
//! ```
//!
//! Nothing is guessed: an unknown unit, a stamp without zone, missing metadata are errors that say what to do. Everything that was
//! done to the rows is counted in the [`Account`].

mod entries;
mod error;
mod formats;
mod metadata;
mod policies;
mod raw;
mod spec;
mod stamp;
mod table;
mod units;

use std::path::Path;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

pub use self::error::{ImportError, Place};
pub use self::formats::Format;
pub use self::spec::{Basis, Duplicates, Gaps, ImportSpec, Which};

use self::policies::lay::Laid;
use self::policies::{cut, duplicates, gaps, lay, minutes, order, resample, values};
use self::raw::Raw;
use super::csv::hex;
use super::{GridError, Signal, SignalInfo};

/// A piece of a series: a value that holds from an instant to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// First instant [ns since 1970, UTC].
    pub start: i64,
    /// First instant that is no longer in it [ns since 1970, UTC].
    pub end: i64,
    /// The value [g/kWh]; `None` is a gap.
    pub value: Option<f64>,
    /// Whether it was estimated, by the provider or here; `None` if nobody says.
    pub estimated: Option<bool>,
}

/// What was found in a file, and what was done about it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Account {
    /// Rows in the file.
    pub rows: usize,
    /// Rows left out by `keep_minutes`.
    pub other_minutes: usize,
    /// Rows that were earlier than the one before.
    pub unsorted: usize,
    /// Rows that repeated an instant and its value.
    pub duplicates: usize,
    /// Rows that replaced, or were replaced by, another value of their instant.
    pub replaced: usize,
    /// Values of exactly zero.
    pub zeros: usize,
    /// Rows that are missing between others.
    pub missing: usize,
    /// Rows without a value.
    pub empty: usize,
    /// Intervals filled by the policy for gaps.
    pub filled: usize,
    /// Lengths of intervals \[s\] before anything was cut or resampled, and how many there are of each.
    pub steps: Vec<(f64, usize)>,
    /// What else to know.
    pub notes: Vec<String>,
}

/// The intervals of a file, gaps included.
#[derive(Debug)]
pub struct Surveyed {
    /// Its format.
    pub format: Format,
    /// The intervals, side by side.
    pub intervals: Vec<Interval>,
    /// What was found.
    pub account: Account,
    /// SHA-256 of the file.
    pub sha256: String,
    raw: Raw,
    file: String,
}

/// A file as a series without gaps, and what its numbers are.
#[derive(Debug)]
pub struct Imported {
    /// The file's format.
    pub format: Format,
    /// What the numbers are.
    pub info: SignalInfo,
    /// Keys of the metadata that the format or the file documents, which nobody had to say.
    pub documented: Vec<&'static str>,
    /// The intervals, side by side, each with a value.
    pub intervals: Vec<Interval>,
    /// The unit in the file.
    pub unit_original: String,
    /// What was found and done.
    pub account: Account,
    /// The file's name, for messages.
    pub file: String,
}

/// Reads a file up to its intervals: no gap is filled, no metadata is asked for.
///
/// # Errors
/// [`ImportError`]: an unreadable file, an unknown format, a faulty row that no policy allows.
pub fn survey(base_dir: &Path, spec: &ImportSpec) -> Result<Surveyed, GridError> {
    let path = base_dir.join(&spec.path);
    let file = path.display().to_string();
    let bytes = std::fs::read(&path).map_err(|source| GridError::Read { file: file.clone(), source })?;
    Ok(laid(&path, file, &bytes, spec).map_err(Box::new)?)
}

fn laid(path: &Path, file: String, bytes: &[u8], spec: &ImportSpec) -> Result<Surveyed, ImportError> {
    let (mut raw, format) = formats::read(path, &file, bytes, spec)?;
    metadata::check_choices(format, spec, &file)?;
    let unit = metadata::unit(&raw, spec, format, &file)?;
    let mut account = Account { rows: raw.rows.len(), notes: std::mem::take(&mut raw.notes), ..Account::default() };
    let mut rows = std::mem::take(&mut raw.rows);
    if rows.is_empty() {
        return Err(ImportError::new(&file, Place::File, "no rows", "give a file with values"));
    }
    account.other_minutes = minutes::keep(&mut rows, spec, &file)?;
    account.unsorted = order::order(&mut rows, spec.sort, &file)?;
    account.zeros = values::convert(&mut rows, unit, &file)?;
    (account.duplicates, account.replaced) = duplicates::collapse(&mut rows, spec.duplicates, &file)?;
    let longest = spec.longest_step_s.map(|s| (s * 1e9) as i64).or(raw.longest_step_ns);
    let Laid { intervals, steps, missing, empty } = lay::lay(&rows, longest, &file)?;
    (account.missing, account.empty) = (missing, empty);
    account.steps = steps.into_iter().map(|(ns, n)| (ns as f64 / 1e9, n)).collect();
    if account.zeros > 0 {
        account.notes.push(format!("{} values are exactly zero: legal, but rarely true of a grid", account.zeros));
    }
    Ok(Surveyed { format, intervals, account, sha256: hex(&Sha256::digest(bytes)), raw, file })
}

impl Surveyed {
    /// Cuts to the span of `spec` and resamples to its step, as far as they are given.
    fn shape(&mut self, spec: &ImportSpec) -> Result<(), ImportError> {
        let span = span(spec, &self.file)?;
        cut::cut(&mut self.intervals, span, &self.file)?;
        if let Some(step) = spec.step_s {
            if !(1.0..=366.0 * 86_400.0).contains(&step) {
                let what = format!("step_s = {step}");
                return Err(ImportError::new(&self.file, Place::File, what, "give 1 to 31622400 seconds"));
            }
            self.intervals = resample::resample(&self.intervals, (step * 1e9) as i64);
        }
        Ok(())
    }

    /// The intervals that `spec` asks for, gaps and all.
    ///
    /// # Errors
    /// A span that holds nothing, a step out of range.
    pub fn shaped(mut self, spec: &ImportSpec) -> Result<Self, GridError> {
        self.shape(spec).map_err(Box::new)?;
        Ok(self)
    }

    /// The same without gaps: filled as `spec` says, then cut and resampled. No metadata is asked for.
    ///
    /// # Errors
    /// Those of [`Self::shaped`]; gaps that the policy does not fill.
    pub fn filled(mut self, spec: &ImportSpec) -> Result<Self, GridError> {
        let file = self.file.clone();
        let span = span(spec, &file).map_err(Box::new)?;
        self.account.filled = gaps::fill(&mut self.intervals, spec, span, &file).map_err(Box::new)?;
        self.shaped(spec)
    }
}

/// The first and the last instant that are asked for [ns since 1970].
fn span(spec: &ImportSpec, file: &str) -> Result<(i64, i64), ImportError> {
    let at = |key: &str, text: &Option<String>, otherwise: i64| match text {
        None => Ok(otherwise),
        Some(text) => stamp::nanos(stamp::given(key, text, file)?, file, Place::File),
    };
    Ok((at("from", &spec.from, i64::MIN)?, at("to", &spec.to, i64::MAX)?))
}

/// Reads a file as a series without gaps whose numbers are what `spec` and the format say.
///
/// # Errors
/// Those of [`survey`]; gaps that the policy does not fill, metadata that nobody says.
pub fn import(base_dir: &Path, spec: &ImportSpec) -> Result<Imported, GridError> {
    let mut surveyed = survey(base_dir, spec)?;
    Ok(finish(&mut surveyed, spec).map_err(Box::new)?)
}

fn finish(surveyed: &mut Surveyed, spec: &ImportSpec) -> Result<Imported, ImportError> {
    let file = surveyed.file.clone();
    if spec.max_hold_h.is_some() && spec.gaps != Gaps::Hold {
        let what = "max_hold_h is given, but gaps are not held";
        return Err(ImportError::new(&file, Place::File, what, "choose gaps: hold, or leave max_hold_h away"));
    }
    let (info, documented) = metadata::resolve(&surveyed.raw, spec, &surveyed.sha256, &file)?;
    surveyed.account.filled = gaps::fill(&mut surveyed.intervals, spec, span(spec, &file)?, &file)?;
    surveyed.shape(spec)?;
    let unit = metadata::unit(&surveyed.raw, spec, surveyed.format, &file)?;
    Ok(Imported {
        format: surveyed.format,
        info,
        documented,
        intervals: std::mem::take(&mut surveyed.intervals),
        unit_original: surveyed.raw.unit_text.clone().unwrap_or_else(|| units::name(unit).into()),
        account: surveyed.account.clone(),
        file,
    })
}

impl Imported {
    /// The signal of a run that starts at `start_utc`; it ends where the series does.
    ///
    /// # Errors
    /// A start outside the series, and those of [`Signal::new`].
    pub fn signal(&self, start_utc: Timestamp) -> Result<Signal, GridError> {
        let zone = || format!("{} ({})", self.info.zone, self.file);
        let (first, last) = (self.intervals.first(), self.intervals.last());
        let (Some(first), Some(last)) = (first, last) else {
            return Err(GridError::TooFewRows { file: self.file.clone(), rows: 0 });
        };
        let start = i64::try_from(start_utc.as_nanosecond()).ok();
        let Some(start) = start.filter(|start| first.start <= *start && *start < last.end) else {
            return Err(GridError::StartNotCovered {
                zone: zone(),
                first: stamp::time(first.start).to_string(),
                end: stamp::time(last.end).to_string(),
                run_start: start_utc.to_string(),
            });
        };
        let starts = self.intervals.iter().map(|i| i.start - start).collect();
        let values = self.intervals.iter().map(|i| i.value.expect("an imported series has no gaps")).collect();
        Signal::new(self.info.clone(), starts, values, last.end - start)
    }

    /// How many intervals are estimated, and of how many nobody says whether they are.
    pub fn estimated(&self) -> (usize, usize) {
        let count = |wanted: Option<bool>| self.intervals.iter().filter(|i| i.estimated == wanted).count();
        (count(Some(true)), count(None))
    }
}

#[cfg(test)]
mod tests;
