//! Whether a finished run has settled: warm-up, mean and its interval from one long run, column by column of timeseries.csv.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::{TIMESERIES, significant};
use crate::scenario::did_you_mean;
use crate::stats::{BatchMeans, Interval, MSER_BATCH, batch_means, mser_5};

/// Steps that a series must have: batch means need two for each of twenty batches.
pub const FEWEST_STEPS: usize = 40;
/// The columns that are looked at unless others are named; the last only where something waits.
const DEFAULT: [&str; 4] = ["cpu_utilization", "executed", "running_mean", "queued_mean"];
/// Columns that are no figures.
const KEYS: [&str; 2] = ["time_s", "region"];

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum SteadyError {
    /// A file of the result is missing or is not what it should be.
    #[error("cannot read {}: {what}\n  help: give a results folder of sim run", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// No such column.
    #[error("timeseries.csv has no figure \"{name}\"\n  help: {help}")]
    Column {
        /// What was asked for.
        name: String,
        /// What was probably meant, or what there is.
        help: String,
    },
    /// No such region.
    #[error("timeseries.csv has no region \"{name}\"\n  help: {help}")]
    Region {
        /// What was asked for.
        name: String,
        /// What was probably meant, or what there is.
        help: String,
    },
    /// Not enough steps.
    #[error(
        "{steps} whole steps of {step_s} s before the end of arrivals are too few: at least {FEWEST_STEPS} are needed\n  help: set a \
         smaller output.step_s, or run longer"
    )]
    Short {
        /// How many there are.
        steps: usize,
        /// How long each is \[s\].
        step_s: f64,
    },
    /// Not a confidence.
    #[error("a confidence of {0} is none\n  help: give a share between 0 and 1, such as 0.95")]
    Confidence(f64),
}

/// What a run says of its steady state.
#[derive(Debug, Clone, PartialEq)]
pub struct Steady {
    /// The results folder, as it was given.
    pub result: String,
    /// Length of a step \[s\].
    pub step_s: f64,
    /// Whole steps from the run's start to the end of arrivals.
    pub steps: usize,
    /// `output.settle_s` of the run \[s\].
    pub settle_s: f64,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// By column.
    pub columns: Vec<SteadyColumn>,
}

/// A column of timeseries.csv, all regions together or one of them.
#[derive(Debug, Clone, PartialEq)]
pub struct SteadyColumn {
    /// Its name.
    pub name: String,
    /// Its unit; of a sum over a step, per step.
    pub unit: &'static str,
    /// Length of the warm-up by MSER-5 \[s\]; nothing if it is undetermined.
    pub warm_up_s: Option<f64>,
    /// Batch means of what comes after it; nothing without a warm-up, or if less than [`FEWEST_STEPS`] are left.
    pub batches: Option<BatchMeans>,
    /// Student's interval of the batch means.
    pub interval: Interval,
    /// Steps after the warm-up.
    pub left: usize,
}

/// Looks at a finished run.
///
/// Formula: the column's series over whole steps from the run's start to the end of arrivals, all regions together (or one of them); MSER-5
/// ([`mser_5`]) finds the warm-up, and batch means ([`batch_means`]) the mean after it with its interval. Regions together: utilization is the
/// mean weighted by cores (exact for memory where memory per core is the same everywhere), intensity the plain mean, all else the sum.
///
/// The end of arrivals is `time.duration_s`; without it, the last step in which a call arrived, that step left out; without
/// calls, the run's end. What comes later is the drain, which is no steady state.
///
/// # Errors
/// The result cannot be read, a column or region is unknown, or there are fewer than [`FEWEST_STEPS`] steps.
pub fn steady(result: &Path, columns: &[String], region: Option<&str>, confidence: f64) -> Result<Steady, SteadyError> {
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(SteadyError::Confidence(confidence));
    }
    let table = Table::read(&result.join("timeseries.csv"))?;
    let manifest = json(&result.join("manifest.json"))?;
    let summary = json(&result.join("summary.json"))?;
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let chosen: Vec<&str> = if names.is_empty() { DEFAULT.to_vec() } else { names };
    let facts: Vec<(&'static str, &'static str)> =
        chosen.iter().map(|name| table.figure(name)).collect::<Result<_, _>>()?;
    let cores = cores(&result.join("regions.csv"))?;
    let regions = table.regions(region)?;

    let times = table.times(regions[0])?;
    let step_s = if times.len() > 1 { times[1] - times[0] } else { f64::NAN };
    let run_s = summary["run"]["simulated_s"].as_f64().unwrap_or(f64::INFINITY);
    let duration_s = manifest["scenario"]["time"]["duration_s"].as_f64();
    let end_s = match duration_s {
        Some(duration_s) => duration_s.min(run_s),
        None => table.last_arrival()?.unwrap_or(run_s).min(run_s),
    };
    // Times are printed to the last digit, but a step may not be a whole multiple of a binary fraction.
    let steps = times.iter().filter(|t| **t + step_s <= end_s * (1.0 + 1e-12)).count();
    if steps < FEWEST_STEPS {
        return Err(SteadyError::Short { steps, step_s: if step_s.is_nan() { run_s } else { step_s } });
    }
    let mut found = Vec::new();
    for (name, unit) in facts {
        let series = table.series(name, &regions, &cores, steps)?;
        if columns.is_empty() && name == "queued_mean" && series.iter().all(|x| *x == 0.0) {
            continue;
        }
        found.push(look(name, unit, &series, step_s, confidence));
    }
    Ok(Steady {
        result: result.display().to_string(),
        step_s,
        steps,
        settle_s: manifest["scenario"]["output"]["settle_s"].as_f64().unwrap_or(0.0),
        confidence,
        columns: found,
    })
}

/// One series.
fn look(name: &str, unit: &'static str, series: &[f64], step_s: f64, confidence: f64) -> SteadyColumn {
    let cut = mser_5(series);
    let after = cut.map_or(&[][..], |cut| &series[cut..]);
    let batches = batch_means(after, None);
    SteadyColumn {
        name: name.to_owned(),
        unit,
        warm_up_s: cut.map(|cut| cut as f64 * step_s),
        batches,
        interval: batches.map_or(Interval::UNDEFINED, |b| b.interval(confidence)),
        left: after.len(),
    }
}

/// A CSV file.
struct Table {
    path: PathBuf,
    header: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    fn read(path: &Path) -> Result<Self, SteadyError> {
        let failed = |e: csv::Error| SteadyError::Read { path: path.to_owned(), what: e.to_string() };
        let mut reader = csv::Reader::from_path(path).map_err(failed)?;
        let header = reader.headers().map_err(failed)?.iter().map(str::to_owned).collect();
        let rows = reader.records().collect::<Result<_, _>>().map_err(failed)?;
        Ok(Self { path: path.to_owned(), header, rows })
    }

    fn error(&self, what: String) -> SteadyError {
        SteadyError::Read { path: self.path.clone(), what }
    }

    fn place(&self, column: &str) -> Result<usize, SteadyError> {
        let at = self.header.iter().position(|h| h == column);
        at.ok_or_else(|| self.error(format!("column {column} is missing")))
    }

    /// The number in a row; an empty cell is undefined.
    fn number(&self, row: &csv::StringRecord, at: usize) -> Result<f64, SteadyError> {
        match &row[at] {
            "" => Ok(f64::NAN),
            cell => cell.parse().map_err(|_| self.error(format!("\"{cell}\" is not a number"))),
        }
    }

    /// The name and unit of a figure.
    fn figure(&self, name: &str) -> Result<(&'static str, &'static str), SteadyError> {
        let figures = || TIMESERIES.iter().filter(|(n, _, _)| !KEYS.contains(n));
        if let Some((name, unit, _)) = figures().find(|(n, _, _)| *n == name && self.header.iter().any(|h| h == n)) {
            return Ok((name, unit));
        }
        let known: Vec<&str> = figures().map(|(n, _, _)| *n).collect();
        Err(SteadyError::Column { name: name.to_owned(), help: meant(name, &known) })
    }

    /// The regions that count, in order of the file.
    fn regions(&self, only: Option<&str>) -> Result<Vec<&str>, SteadyError> {
        let at = self.place("region")?;
        let mut regions: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !regions.contains(&&row[at]) {
                regions.push(&row[at]);
            }
        }
        match only {
            None if regions.is_empty() => Err(self.error("it has no rows".to_owned())),
            None => Ok(regions),
            Some(name) if regions.contains(&name) => {
                regions.retain(|r| *r == name);
                Ok(regions)
            }
            Some(name) => Err(SteadyError::Region { name: name.to_owned(), help: meant(name, &regions) }),
        }
    }

    /// When the steps of a region start \[s\].
    fn times(&self, region: &str) -> Result<Vec<f64>, SteadyError> {
        let (time, at) = (self.place("time_s")?, self.place("region")?);
        self.rows.iter().filter(|row| &row[at] == region).map(|row| self.number(row, time)).collect()
    }

    /// The start of the last step in which a call arrived anywhere \[s\]; nothing without calls.
    fn last_arrival(&self) -> Result<Option<f64>, SteadyError> {
        let (time, received) = (self.place("time_s")?, self.place("received")?);
        for row in self.rows.iter().rev() {
            if self.number(row, received)? > 0.0 {
                return self.number(row, time).map(Some);
            }
        }
        Ok(None)
    }

    /// The first steps of a column, the regions taken together.
    fn series(
        &self,
        column: &str,
        regions: &[&str],
        cores: &[(String, f64)],
        steps: usize,
    ) -> Result<Vec<f64>, SteadyError> {
        let (value, at) = (self.place(column)?, self.place("region")?);
        let weight = |region: &str| match column {
            "cpu_utilization" | "memory_utilization" => cores.iter().find(|(r, _)| r == region).map_or(0.0, |c| c.1),
            _ => 1.0,
        };
        let all = match column {
            "cpu_utilization" | "memory_utilization" => regions.iter().map(|r| weight(r)).sum(),
            "intensity_g_per_kwh" => regions.len() as f64,
            _ => 1.0,
        };
        let mut series = vec![0.0; steps];
        for region in regions {
            let rows = self.rows.iter().filter(|row| &row[at] == *region).take(steps);
            for (sum, row) in series.iter_mut().zip(rows) {
                *sum += self.number(row, value)? * weight(region) / all;
            }
        }
        Ok(series)
    }
}

/// What a name probably stands for, or all there are.
fn meant(name: &str, known: &[&str]) -> String {
    match did_you_mean(name, known) {
        Some(guess) => format!("did you mean \"{guess}\"?"),
        None => format!("it has {}", known.join(", ")),
    }
}

/// Cores by region.
fn cores(path: &Path) -> Result<Vec<(String, f64)>, SteadyError> {
    let table = Table::read(path)?;
    let (region, cores) = (table.place("region")?, table.place("cores")?);
    table.rows.iter().map(|row| Ok((row[region].to_owned(), table.number(row, cores)?))).collect()
}

fn json(path: &Path) -> Result<Json, SteadyError> {
    let failed = |what: String| SteadyError::Read { path: path.to_owned(), what };
    let text = std::fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
    serde_json::from_str(&text).map_err(|e| failed(e.to_string()))
}

/// As a person reads it: a row per column, then what follows from it.
pub fn steady_text(s: &Steady) -> String {
    let percent = significant(s.confidence * 100.0);
    let head =
        ["column", "unit", "warm-up", "mean after it", "interval", "half width", "batches", "lag 1", "effective"];
    let mut rows = vec![head.map(str::to_owned)];
    for c in &s.columns {
        let warm_up = c.warm_up_s.map_or("undetermined".to_owned(), |t| format!("{} s", significant(t)));
        let mut row = [c.name.clone(), c.unit.to_owned(), warm_up].to_vec();
        match &c.batches {
            None => row.extend(std::iter::repeat_n("–".to_owned(), 6)),
            Some(b) => row.extend([
                significant(b.means.mean),
                format!("{} to {}", significant(c.interval.low), significant(c.interval.high)),
                match 100.0 * c.interval.half_width() / b.means.mean.abs() {
                    share if share.is_finite() => format!("{share:.2} %"),
                    _ => "–".to_owned(),
                },
                format!("{} of {}", b.batches, b.length),
                if b.lag_one.is_nan() { "–".to_owned() } else { format!("{:.2}", b.lag_one) },
                format!("{:.0} of {}", b.effective, b.batches * b.length),
            ]),
        }
        rows.push(row.try_into().expect("nine cells were put in"));
    }
    let widths: Vec<usize> =
        (0..head.len()).map(|i| rows.iter().map(|r| r[i].chars().count()).max().unwrap_or(0)).collect();
    let line = |row: &[String; 9]| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    let mut text = format!(
        "{}: {} whole steps of {} s until arrivals end; warm-up by MSER-{MSER_BATCH}, {percent} % intervals by batch means\n\n",
        s.result,
        s.steps,
        significant(s.step_s)
    );
    rows.iter().for_each(|row| text += &line(row));
    text += "\n";
    text += &advice(s);
    text
}

/// What follows from the table.
fn advice(s: &Steady) -> String {
    let mut text = String::new();
    for c in &s.columns {
        match (&c.warm_up_s, &c.batches) {
            (None, _) => {
                text += &format!(
                    "{}: no warm-up ends within the first half: run longer. Where the load has a trend or a daily rhythm, there is no steady state.\n",
                    c.name
                );
            }
            (Some(_), None) => {
                text += &format!(
                    "{}: only {} steps are left after the warm-up, and {FEWEST_STEPS} are needed: run longer, or set a smaller output.step_s\n",
                    c.name, c.left
                );
            }
            (_, Some(b)) if !b.independent() => {
                text += &format!(
                    "{}: neighbouring batches are correlated (von Neumann {:.1}, above 1.645 at 5 %): the interval is too narrow; run longer\n",
                    c.name, b.dependence
                );
            }
            _ => {}
        }
    }
    let longest = s.columns.iter().filter_map(|c| c.warm_up_s).fold(f64::NAN, f64::max);
    if longest > s.settle_s {
        text += &format!(
            "output.settle_s = {} leaves the warm-up out of the figures curve.* (now {}); all other figures of the summary count from the run's start\n",
            significant(longest),
            significant(s.settle_s)
        );
    } else if longest >= 0.0 {
        text += &format!("output.settle_s = {} covers every warm-up that was found\n", significant(s.settle_s));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A result of two regions, "b" with three times the cores of "a", whose series are given step by step.
    fn result(steps: usize, manifest: &str, row: impl Fn(usize, &str) -> [f64; 4]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("writable");
        let mut table = String::from("time_s,region,received,executed,cpu_utilization,intensity_g_per_kwh\n");
        for step in 0..steps {
            for region in ["a", "b"] {
                let [received, executed, cpu, intensity] = row(step, region);
                table += &format!("{},{region},{received},{executed},{cpu},{intensity}\n", step * 60);
            }
        }
        write("timeseries.csv", &table);
        write("regions.csv", "region,cores\na,10\nb,30\n");
        write("manifest.json", manifest);
        write("summary.json", &format!("{{\"run\": {{\"simulated_s\": {}}}}}", steps * 60));
        folder
    }

    const HOUR: &str = r#"{"scenario": {"time": {"duration_s": 3600}, "output": {"settle_s": 300}}}"#;

    #[test]
    fn regions_are_added_weighted_or_averaged_as_fits_the_column() {
        let folder =
            result(70, HOUR, |_, region| if region == "a" { [5.0, 4.0, 0.8, 100.0] } else { [1.0, 2.0, 0.4, 300.0] });
        let names = ["executed", "cpu_utilization", "intensity_g_per_kwh"].map(str::to_owned);
        let means = |region: Option<&str>| -> Vec<f64> {
            let s = steady(folder.path(), &names, region, 0.95).expect("long enough");
            assert_eq!((s.steps, s.settle_s), (60, 300.0));
            s.columns.iter().map(|c| c.batches.expect("long enough").means.mean).collect()
        };
        // (10 · 0.8 + 30 · 0.4) / 40 = 0.5.
        for (ours, wanted) in means(None).iter().zip([6.0, 0.5, 200.0]) {
            assert!((ours - wanted).abs() < 1e-12, "{ours} {wanted}");
        }
        for (ours, wanted) in means(Some("b")).iter().zip([2.0, 0.4, 300.0]) {
            assert!((ours - wanted).abs() < 1e-12, "{ours} {wanted}");
        }
    }

    #[test]
    fn what_never_settles_and_what_is_left_too_short_is_said() {
        // A trend has its minimum at the end of the search; a ramp of 25 of 60 steps leaves 35.
        let folder = result(60, HOUR, |step, _| [step as f64, (step.min(25)) as f64, 0.5, 100.0]);
        let names = ["received", "executed", "cpu_utilization"].map(str::to_owned);
        let s = steady(folder.path(), &names, None, 0.95).expect("long enough");
        assert_eq!(s.columns.iter().map(|c| c.warm_up_s).collect::<Vec<_>>(), [None, Some(1500.0), Some(0.0)]);
        let text = steady_text(&s);
        assert!(text.contains("received: no warm-up ends within the first half: run longer."), "{text}");
        assert!(text.contains("executed: only 35 steps are left after the warm-up, and 40 are needed"), "{text}");
        assert!(
            text.contains("output.settle_s = 1500 leaves the warm-up out of the figures curve.* (now 300)"),
            "{text}"
        );
        let s = steady(folder.path(), &names[2..], None, 0.95).expect("long enough");
        assert!(steady_text(&s).contains("output.settle_s = 300 covers every warm-up that was found"));
    }

    #[test]
    fn correlated_batches_are_said() {
        let folder = result(60, HOUR, |step, _| [1.0, if step / 12 % 2 == 0 { 4.0 } else { 6.0 }, 0.5, 100.0]);
        let s = steady(folder.path(), &["executed".to_owned()], None, 0.95).expect("long enough");
        assert!(steady_text(&s).contains("executed: neighbouring batches are correlated"), "{}", steady_text(&s));
    }
}
