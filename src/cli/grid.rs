//! `sim grid`: carbon-intensity files of any provider into one of ours, their figures, and synthetic ones.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::de::DeserializeOwned;
use serde::de::value::{Error, StrDeserializer};
use slackwater::grid::file::{self, Made};
use slackwater::grid::import::{
    Account, Basis, Duplicates, Format, Gaps, ImportSpec, Imported, Which, import as import_file, survey,
};
use slackwater::grid::stats::{Stats, stats};
use slackwater::grid::{Residual, SignalKind, Typical, Unit};
use slackwater::types::{Duration, Seed};

use super::Failure;
use super::grid_bound::GridBound;
use super::grid_forecast::GridForecast;

const EXAMPLES: &str = "\
Examples:
  A year of the Electricity Maps portal, by life-cycle factors:
    sim grid import GB_2022.csv --basis life-cycle --dataset-version 'export of 2024-05' --out gb.csv

  Let's Wait Awhile's German quarter-hours, read as half-hours:
    sim grid import ger_ci.csv --keep-minutes 0,30 --from 2020-01-01 --zone DE --dataset-version 2020 --out de.csv

  The figures of two files:
    sim grid stats gb.csv de.csv

  What one migration, and any number of them, save at most among the embedded zones:
    sim grid bound --typical all --job-h 1,24 --slack-h 24

docs/grid.md lists the formats and explains the files.";

/// Arguments of `sim grid`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Grid {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Turn a file of any known format into one of ours, which a scenario reads as [regions.grid.file].
    Import(Box<Import>),
    /// Figures of files: level, spread, day, memory.
    Stats(Box<Figures>),
    /// Draw a synthetic file from an embedded zone's typical days.
    Synth(Synth),
    /// Measure the error that a scenario's forecasts achieve, or write one as vintages.
    Forecast(GridForecast),
    /// Bound what running jobs later and in other zones can save.
    Bound(Box<GridBound>),
}

/// How a file is read.
#[derive(Debug, Args)]
pub(super) struct Reading {
    /// The format, where the content does not tell it.
    #[arg(long, value_parser = keyword::<Format>)]
    format: Option<Format>,
    /// Column of values, in a file with several.
    #[arg(long)]
    column: Option<String>,
    /// By direct or by life-cycle factors, in a file with both.
    #[arg(long, value_name = "direct|life-cycle", value_parser = keyword::<Basis>)]
    basis: Option<Basis>,
    /// Actual values or forecast ones, in a file with both.
    #[arg(long, value_name = "actual|forecast", value_parser = keyword::<Which>)]
    value: Option<Which>,
    /// Instant of issue, in a file of several forecasts.
    #[arg(long, value_name = "INSTANT")]
    vintage: Option<String>,
    /// Unit of the values, where the file does not say it.
    #[arg(long, value_name = "g-per-kwh|lb-per-mwh|g-per-mj", value_parser = keyword::<Unit>)]
    unit: Option<Unit>,
    /// The provider's code of the grid zone; chooses one in a file of several.
    #[arg(long)]
    zone: Option<String>,
    /// What becomes of two different values of one instant.
    #[arg(long, value_name = "error|keep-last", default_value = "error", value_parser = keyword::<Duplicates>)]
    duplicates: Duplicates,
    /// Sort rows that are out of order, rather than refuse them.
    #[arg(long)]
    sort: bool,
    /// Keep only rows whose stamp has one of these minutes, each until the next kept one.
    #[arg(long, value_name = "MINUTES", value_delimiter = ',')]
    keep_minutes: Vec<u8>,
    /// First instant that is kept, UTC; a date is its midnight.
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,
    /// First instant that is no longer kept, UTC; a date is its midnight.
    #[arg(long, value_name = "INSTANT")]
    to: Option<String>,
    /// Resample to time-weighted means over bins of this length, in seconds.
    #[arg(long, value_name = "SECONDS")]
    pub(super) step_s: Option<f64>,
    /// Longest distance of two stamps that is no gap, in seconds [default: the longest one that two intervals in a row have].
    #[arg(long, value_name = "SECONDS")]
    longest_step_s: Option<f64>,
}

/// Arguments of `sim grid import`.
#[derive(Debug, Args)]
struct Import {
    /// The provider's file.
    file: PathBuf,
    /// The file to write.
    #[arg(long, value_name = "NAME.csv")]
    out: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// What becomes of missing rows and empty cells.
    #[arg(long, value_name = "error|hold|same-hour-last-week", default_value = "error", value_parser = keyword::<Gaps>)]
    gaps: Gaps,
    /// Longest gap that is held, in hours [default: 3].
    #[arg(long, value_name = "HOURS")]
    max_hold_h: Option<f64>,
    /// average or marginal, where the format does not say it.
    #[arg(long, value_name = "average|marginal", value_parser = keyword::<SignalKind>)]
    kind: Option<SignalKind>,
    /// Emission factors: direct or life cycle, and whose.
    #[arg(long, value_name = "TEXT")]
    factor_basis: Option<String>,
    /// Production or consumption mix.
    #[arg(long, value_name = "TEXT")]
    boundary: Option<String>,
    /// Who published the numbers.
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// Under which terms they may be used.
    #[arg(long, value_name = "TEXT")]
    licence: Option<String>,
    /// Year, export or retrieval date of the data.
    #[arg(long, value_name = "TEXT")]
    dataset_version: Option<String>,
    /// When the file was fetched from its provider.
    #[arg(long, value_name = "DATE")]
    retrieved: Option<String>,
}

/// Arguments of `sim grid stats`.
#[derive(Debug, Args)]
struct Figures {
    /// Files of ours or of any known format.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// Print JSON with every digit.
    #[arg(long)]
    json: bool,
}

/// Arguments of `sim grid synth`.
#[derive(Debug, Args)]
struct Synth {
    /// An embedded zone; `sim list zones`.
    #[arg(long)]
    zone: String,
    /// First instant, UTC, on a full hour; a date is its midnight.
    #[arg(long, value_name = "INSTANT", default_value = "2022-01-01")]
    start: String,
    /// How many days.
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
    /// Root of the random numbers.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Departure from the typical day: none, or an hourly AR(1) process.
    #[arg(long, value_enum, default_value = "ar1")]
    residual: Departure,
    /// The file to write.
    #[arg(long, value_name = "NAME.csv")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Departure {
    Ar1,
    None,
}

/// A word of a list, as scenarios write it; what is not on the list is answered with the list.
pub(super) fn keyword<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    T::deserialize(StrDeserializer::<Error>::new(text)).map_err(|e| e.to_string())
}

impl Grid {
    pub fn execute(self) -> Result<(), Failure> {
        match self.what {
            What::Import(import) => import.execute(),
            What::Stats(figures) => figures.execute(),
            What::Synth(synth) => synth.execute(),
            What::Forecast(forecast) => forecast.execute(),
            What::Bound(bound) => bound.execute(),
        }
    }
}

impl Reading {
    pub(super) fn spec(&self, path: &Path) -> ImportSpec {
        ImportSpec {
            path: path.to_owned(),
            format: self.format,
            column: self.column.clone(),
            basis: self.basis,
            value: self.value,
            vintage: self.vintage.clone(),
            unit: self.unit,
            zone: self.zone.clone(),
            duplicates: self.duplicates,
            sort: self.sort,
            keep_minutes: self.keep_minutes.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            step_s: self.step_s,
            longest_step_s: self.longest_step_s,
            ..ImportSpec::default()
        }
    }
}

impl Import {
    fn execute(self) -> Result<(), Failure> {
        let spec = ImportSpec {
            gaps: self.gaps,
            max_hold_h: self.max_hold_h,
            kind: self.kind,
            factor_basis: self.factor_basis.clone(),
            boundary: self.boundary.clone(),
            source: self.source.clone(),
            licence: self.licence.clone(),
            dataset_version: self.dataset_version.clone(),
            ..self.reading.spec(&self.file)
        };
        let imported = import_file(Path::new(""), &spec).map_err(Failure::usage)?;
        let by = format!("sim grid import{}", said(&spec, imported.format));
        let name = self.file.file_name().map(|n| n.to_string_lossy().into_owned());
        let made = Made {
            unit_original: &imported.unit_original,
            source_file: name.as_deref(),
            retrieved: self.retrieved.as_deref(),
            by: &by,
        };
        let text = file::text(&imported.info, &imported.intervals, &imported.account, &made);
        file::write(&self.out, &text)
            .map_err(|e| Failure::usage(format!("cannot write {}: {e}", self.out.display())))?;
        super::print(&told(&imported, &self.out))
    }
}

/// The options that shaped a file.
fn said(spec: &ImportSpec, format: Format) -> String {
    let mut text = format!(" --format {}", format.name());
    let table = toml::Table::try_from(spec).expect("options are plain values");
    const METADATA: [&str; 11] = [
        "path",
        "format",
        "zone",
        "kind",
        "factor_basis",
        "boundary",
        "source",
        "licence",
        "dataset_version",
        "past_end",
        "duplicates",
    ];
    for (key, value) in table.iter().filter(|(key, _)| !METADATA.contains(&key.as_str())) {
        let value = match value {
            toml::Value::Array(list) => list.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match (key.as_str(), value.as_str()) {
            ("gaps", "error") => {}
            (_, "true") => text += &format!(" --{}", key.replace('_', "-")),
            _ => text += &format!(" --{} {value}", key.replace('_', "-")),
        }
    }
    if spec.duplicates == Duplicates::KeepLast {
        text += " --duplicates keep-last";
    }
    text
}

/// What an import found and did.
fn told(imported: &Imported, out: &Path) -> String {
    let Imported { info, account, intervals, .. } = imported;
    let mut text = format!(
        "{}: format {}, {} rows, {}\n",
        imported.file,
        imported.format.name(),
        account.rows,
        steps(&account.steps)
    );
    text += &faults(account);
    let lines = [
        ("zone", &info.zone),
        ("factor_basis", &info.factor_basis),
        ("boundary", &info.boundary),
        ("source", &info.source),
        ("licence", &info.licence),
        ("dataset_version", &info.dataset_version),
        ("kind", &info.kind.name().to_owned()),
        ("unit", &imported.unit_original),
    ];
    for (key, value) in lines {
        let by = if imported.documented.contains(&key) { "  (by the format)" } else { "" };
        text += &format!("  {key:<16} {value}{by}\n");
    }
    let (estimated, unknown) = imported.estimated();
    text += &format!(
        "{}: {} intervals, {estimated} estimated ({} filled here), {unknown} unknown",
        out.display(),
        intervals.len(),
        account.filled
    );
    if let Some(s) = stats(intervals) {
        text += &format!(", {} to {}, mean {:.1} g/kWh", s.first, s.end, s.mean_g_per_kwh);
    }
    text + "\n"
}

/// One line per kind of fault that was found.
fn faults(account: &Account) -> String {
    let counts = [
        (account.other_minutes, "rows of other minutes left out"),
        (account.unsorted, "rows out of order, sorted"),
        (account.duplicates, "rows repeat an instant and its value, collapsed"),
        (account.replaced, "rows give another value for an instant, the last one kept"),
        (account.missing, "rows missing"),
        (account.empty, "rows without a value"),
    ];
    let mut text: String = counts.iter().filter(|c| c.0 > 0).map(|(n, what)| format!("  {n} {what}\n")).collect();
    account.notes.iter().for_each(|note| text += &format!("  note: {note}\n"));
    text
}

/// Lengths of intervals and how many there are of each.
fn steps(steps: &[(f64, usize)]) -> String {
    let all: Vec<String> = steps.iter().take(6).map(|(s, n)| format!("{n} x {} min", s / 60.0)).collect();
    all.join(", ") + if steps.len() > 6 { ", …" } else { "" }
}

impl Figures {
    fn execute(self) -> Result<(), Failure> {
        let mut all = Vec::new();
        for path in &self.files {
            let spec = self.reading.spec(path);
            let surveyed = survey(Path::new(""), &spec).and_then(|s| s.shaped(&spec)).map_err(Failure::usage)?;
            let figures = stats(&surveyed.intervals).ok_or_else(|| {
                Failure::usage(format!("{}: no row has a value; give a file with values", path.display()))
            })?;
            all.push((path, surveyed.format, surveyed.account, figures));
        }
        if self.json {
            let list: Vec<serde_json::Value> = all
                .iter()
                .map(|(path, format, account, figures)| {
                    let notes = &account.notes;
                    serde_json::json!({"file": path, "format": format.name(), "notes": notes, "stats": figures})
                })
                .collect();
            let text = serde_json::to_string_pretty(&list).map_err(Failure::internal)?;
            return super::print(&(text + "\n"));
        }
        let tables: Vec<String> =
            all.iter().map(|(path, format, account, s)| table(path, *format, account, s)).collect();
        super::print(&tables.join("\n"))
    }
}

/// The figures of one file.
fn table(path: &Path, format: Format, account: &Account, s: &Stats) -> String {
    let maybe = |x: Option<f64>, digits: usize| x.map_or("-".to_owned(), |x| format!("{x:.digits$}"));
    let mut text = format!("{} ({})\n", path.display(), format.name());
    let mut line = |key: &str, value: String| text += &format!("  {key:<34} {value}\n");
    line("intervals with a value", s.n.to_string());
    line("span", format!("{} to {}", s.first, s.end));
    line("steps", steps(&s.steps));
    line("gaps", format!("{} ({} h)", s.gaps, s.gap_h));
    line("estimated, unknown", format!("{}, {}", s.estimated, s.estimated_unknown));
    line("mean [g/kWh]", format!("{:.1}", s.mean_g_per_kwh));
    line("min, max [g/kWh]", format!("{:.1}, {:.1}", s.min_g_per_kwh, s.max_g_per_kwh));
    line("standard deviation [g/kWh]", format!("{:.2}", s.sd_g_per_kwh));
    let p = &s.percentiles_g_per_kwh;
    line(
        "p5, p25, p50, p75, p95 [g/kWh]",
        format!("{:.1}, {:.1}, {:.1}, {:.1}, {:.1}", p.p5, p.p25, p.p50, p.p75, p.p95),
    );
    line("daily coefficient of variation", format!("{} ({} days)", maybe(s.daily_cv, 4), s.complete_days));
    line("residual sd [g/kWh]", format!("{:.2}", s.residual_sd_g_per_kwh));
    line("residual lag-1 autocorrelation", maybe(s.residual_lag1_autocorrelation, 4));
    line("residual lag-24h autocorrelation", maybe(s.residual_lag24h_autocorrelation, 4));
    text += "  UTC hour     ";
    text += &(0..24).map(|h| format!("{h:>6}")).collect::<String>();
    for (name, hours) in [
        ("all days", &s.by_hour_g_per_kwh),
        ("Mon-Fri", &s.weekdays_by_hour_g_per_kwh),
        ("Sat, Sun", &s.weekend_by_hour_g_per_kwh),
    ] {
        let cells: String = hours.iter().map(|x| format!("{:>6}", maybe(*x, 1))).collect();
        text += &format!("\n  {name:<13}{cells}");
    }
    text.push('\n');
    account.notes.iter().for_each(|note| text += &format!("  note: {note}\n"));
    text
}

impl Synth {
    fn execute(self) -> Result<(), Failure> {
        let midnight = if self.start.len() == 10 { "T00:00:00Z" } else { "" };
        let start: jiff::Timestamp = format!("{}{midnight}", self.start).parse().map_err(|_| {
            Failure::usage(format!("--start {} is no instant; write 2022-01-01 or 2022-01-01T00:00:00Z", self.start))
        })?;
        if start.as_second() % 3600 != 0 || start.subsec_nanosecond() != 0 {
            return Err(Failure::usage(format!("--start {start} is not on a full hour; typical days are hourly")));
        }
        let residual = match self.residual {
            Departure::Ar1 => Residual::Ar1 {},
            Departure::None => Residual::None {},
        };
        let horizon = Duration::from_secs(u64::from(self.days) * 86_400);
        let signal =
            Typical::synthesize(&self.zone, start, horizon, residual, Seed(self.seed)).map_err(Failure::usage)?;
        let intervals = file::intervals_of(&signal, start);
        let departure = if matches!(self.residual, Departure::Ar1) { "ar1" } else { "none" };
        let by = format!(
            "sim grid synth --zone {} --start {start} --days {} --seed {} --residual {departure}",
            self.zone, self.days, self.seed
        );
        let made = Made { unit_original: "g-per-kwh", source_file: None, retrieved: None, by: &by };
        let text = file::text(signal.info(), &intervals, &Account::default(), &made);
        file::write(&self.out, &text)
            .map_err(|e| Failure::usage(format!("cannot write {}: {e}", self.out.display())))?;
        let mean = stats(&intervals).map_or(f64::NAN, |s| s.mean_g_per_kwh);
        let told =
            format!("{}: {} synthetic hours from {start}, mean {mean:.1} g/kWh\n", self.out.display(), intervals.len());
        super::print(&told)
    }
}
