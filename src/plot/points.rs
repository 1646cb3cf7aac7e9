//! The figures of a result by point: the points of a sweep with their intervals, the runs of a comparison, or one run alone.

use std::collections::BTreeMap;

use super::error::PlotError;
use super::paint::CAUSES;
use super::source::{Form, Source};
use super::table::Table;
use super::text::number;

/// What an axis of a sweep or a comparison is.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    pub name: String,
    pub unit: String,
    /// Its values in the order of their first appearance.
    pub values: Vec<String>,
    /// The same as numbers, if all are.
    pub numbers: Option<Vec<f64>>,
    /// The number of each value.
    known: BTreeMap<String, usize>,
}

/// A figure of a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub mean: f64,
    /// The ends of Student's t interval; undefined without replications.
    pub low: f64,
    pub high: f64,
}

impl Estimate {
    /// A figure without an interval.
    pub fn alone(mean: f64) -> Self {
        Self { mean, low: f64::NAN, high: f64::NAN }
    }
}

/// One point.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// As it is called in the tables.
    pub id: String,
    /// The number of its value on each axis.
    pub at: Vec<usize>,
    pub figures: BTreeMap<String, Estimate>,
}

/// All points of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    pub axes: Vec<Axis>,
    pub points: Vec<Point>,
    /// What was analysed, in the order of the table, with units.
    pub metrics: Vec<(String, String)>,
    units: BTreeMap<String, String>,
    /// What a functional unit is called, where all runs agree.
    unit: Option<String>,
    /// The fewest and the most runs of a mean.
    runs: (f64, f64),
    numbers: BTreeMap<String, usize>,
}

impl Points {
    /// Reads the points of any result.
    ///
    /// # Errors
    /// A table is absent or damaged.
    pub fn read(source: &Source) -> Result<Self, PlotError> {
        match source.form {
            Form::Sweep => sweep(source),
            Form::Compare => compare(source),
            Form::Run => run(source),
        }
    }

    /// A figure of a point; undefined where it has none.
    pub fn figure(&self, point: usize, key: &str) -> Estimate {
        self.points[point].figures.get(key).copied().unwrap_or(Estimate::alone(f64::NAN))
    }

    /// Means of a figure, by point.
    pub fn means(&self, key: &str) -> Vec<f64> {
        (0..self.points.len()).map(|i| self.figure(i, key).mean).collect()
    }

    /// The unit of a figure.
    ///
    /// # Errors
    /// No point has this figure.
    pub fn unit(&self, key: &str) -> Result<&str, PlotError> {
        let known = || self.metrics.iter().map(|m| m.0.as_str()).take(12).collect::<Vec<_>>().join(", ");
        let unit = self.units.get(key).filter(|_| self.points.iter().any(|p| p.figures.contains_key(key)));
        unit.map(String::as_str).ok_or_else(|| {
            PlotError::lacks(format!("the result has no figure {key}"), format!("--metric takes one of {} …", known()))
        })
    }

    /// A unit of a table with the functional unit by its name: gCO2e/R of calls is gCO2e/call.
    pub fn named_unit(&self, unit: &str) -> String {
        match (&self.unit, unit.strip_suffix('R')) {
            (Some(own), Some(before)) if before.is_empty() || before.ends_with('/') => format!("{before}{own}"),
            _ => unit.to_owned(),
        }
    }

    /// What the intervals are, for bands and whiskers; `None` where no figure of these has one.
    pub fn intervals(&self, source: &Source, keys: &[&str]) -> Option<String> {
        if !keys.iter().any(|k| (0..self.points.len()).any(|i| self.figure(i, k).low.is_finite())) {
            return None;
        }
        let level = source.confidence().map_or_else(String::new, |level| format!("{} % ", number(level * 100.0)));
        let runs = match self.runs {
            (few, many) if few < many => format!(" over {few} to {many} runs"),
            (_, many) if many > 0.0 => format!(" over {many} runs"),
            _ => String::new(),
        };
        let paired =
            if source.path("differences.csv").is_file() { "; differences.csv has the paired ones" } else { "" };
        Some(format!("{level}Student t intervals{runs}, unpaired{paired}"))
    }

    /// The place of a point by what it is called in the tables.
    pub fn find(&self, id: &str) -> Option<usize> {
        self.numbers.get(id).copied()
    }

    /// The number of an axis.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn axis(&self, name: &str) -> Result<usize, PlotError> {
        self.axes.iter().position(|a| a.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.axes.iter().map(|a| a.name.as_str()).collect();
            PlotError::lacks(format!("the result has no axis {name}"), format!("its axes are {}", names.join(", ")))
        })
    }

    /// What a point is called: its values, of those axes that have several.
    pub fn name(&self, point: usize) -> String {
        let several = self.axes.iter().zip(&self.points[point].at).filter(|(a, _)| a.values.len() > 1);
        let values: Vec<String> = several.map(|(a, &i)| a.said(i)).collect();
        if values.is_empty() { "total".to_owned() } else { values.join(" / ") }
    }

    /// The same without the names of the axes.
    pub fn values(&self, point: usize) -> String {
        let several = self.axes.iter().zip(&self.points[point].at).filter(|(a, _)| a.values.len() > 1);
        several.map(|(a, &i)| a.values[i].as_str()).collect::<Vec<_>>().join(" / ")
    }

    /// What [`Points::values`] are values of, as a sentence.
    pub fn named(&self) -> String {
        let several: Vec<&str> = self.axes.iter().filter(|a| a.values.len() > 1).map(|a| a.name.as_str()).collect();
        if several.is_empty() { String::new() } else { format!("Names: {}.", several.join(" / ")) }
    }

    fn point(&mut self, id: &str, values: &[&str]) -> usize {
        if let Some(at) = self.find(id) {
            return at;
        }
        let at = self.axes.iter_mut().zip(values).map(|(axis, value)| axis.number_of(value)).collect();
        self.points.push(Point { id: id.to_owned(), at, figures: BTreeMap::new() });
        self.numbers.insert(id.to_owned(), self.points.len() - 1);
        self.points.len() - 1
    }

    fn know(&mut self, key: &str, unit: &str) {
        if !self.units.contains_key(key) {
            self.units.insert(key.to_owned(), unit.to_owned());
            self.metrics.push((key.to_owned(), unit.to_owned()));
        }
    }

    fn finish(mut self) -> Self {
        for axis in &mut self.axes {
            let numbers: Option<Vec<f64>> = axis.values.iter().map(|v| v.parse().ok()).collect();
            axis.numbers = numbers.filter(|n: &Vec<f64>| n.iter().all(|x| x.is_finite()));
        }
        let own: BTreeMap<String, String> =
            self.units.iter().map(|(key, unit)| (key.clone(), self.named_unit(unit))).collect();
        for (key, unit) in &mut self.metrics {
            unit.clone_from(&own[key]);
        }
        self.units = own;
        self
    }
}

impl Axis {
    fn new(name: &str, unit: &str) -> Self {
        // Values that are names have no unit.
        let unit = if unit == "text" { "" } else { unit };
        Self { name: name.to_owned(), unit: unit.to_owned(), values: Vec::new(), numbers: None, known: BTreeMap::new() }
    }

    fn number_of(&mut self, value: &str) -> usize {
        if let Some(&at) = self.known.get(value) {
            return at;
        }
        self.values.push(value.to_owned());
        self.known.insert(value.to_owned(), self.values.len() - 1);
        self.values.len() - 1
    }

    /// A value as it is read: numbers say what they count.
    pub fn said(&self, value: usize) -> String {
        match &self.numbers {
            Some(numbers) => {
                let unit =
                    if matches!(self.unit.as_str(), "" | "1") { String::new() } else { format!(" {}", self.unit) };
                format!("{} = {}{unit}", self.name, number(numbers[value]))
            }
            None => self.values[value].clone(),
        }
    }

    /// The number of a value, or its place where values are names.
    pub fn number(&self, value: usize) -> f64 {
        self.numbers.as_ref().map_or(value as f64, |n| n[value])
    }
}

fn empty(axes: Vec<Axis>) -> Points {
    Points {
        axes,
        points: Vec::new(),
        metrics: Vec::new(),
        units: BTreeMap::new(),
        unit: None,
        runs: (f64::INFINITY, 0.0),
        numbers: BTreeMap::new(),
    }
}

/// What all rows call the functional unit.
fn functional_unit(table: &Table) -> Option<String> {
    let column = table.find("sci.unit")?;
    let mut all = (0..table.len()).map(|row| table.text(row, column)).filter(|text| !text.is_empty());
    let first = all.next()?;
    all.all(|text| text == first).then(|| first.to_owned())
}

/// Units of columns by a table of columns; empty where it is absent.
fn units(source: &Source, file: &str, key: &str) -> Result<BTreeMap<String, String>, PlotError> {
    let path = source.path(file);
    if !path.is_file() {
        return Ok(BTreeMap::new());
    }
    let table = Table::read(&path)?;
    let (name, unit) = (table.column(key)?, table.column("unit")?);
    Ok((0..table.len()).map(|r| (table.text(r, name).to_owned(), table.text(r, unit).to_owned())).collect())
}

fn sweep(source: &Source) -> Result<Points, PlotError> {
    let table = Table::read(&source.path("points.csv"))?;
    let columns = units(source, "columns.csv", "column")?;
    let (point, metric, unit) = (table.column("point")?, table.column("metric")?, table.column("unit")?);
    let runs_of = table.find("runs");
    let (mean, low, high) = (table.column("mean")?, table.column("t_low")?, table.column("t_high")?);
    let names = table.header[point + 1..metric].to_vec();
    let own_unit = |name: &String| columns.get(name).map_or("", String::as_str);
    let mut all = empty(names.iter().map(|name| Axis::new(name, own_unit(name))).collect());
    for row in 0..table.len() {
        let values: Vec<&str> = (point + 1..metric).map(|c| table.text(row, c)).collect();
        let at = all.point(table.text(row, point), &values);
        let key = table.text(row, metric);
        all.know(key, table.text(row, unit));
        let [mean, low, high] = [mean, low, high].map(|c| table.number(row, c));
        let estimate = Estimate { mean: mean?, low: low?, high: high? };
        let runs = runs_of.map_or(Ok(f64::NAN), |c| table.number(row, c))?;
        if estimate.low.is_finite() && runs.is_finite() {
            all.runs = (all.runs.0.min(runs), all.runs.1.max(runs));
        }
        all.points[at].figures.insert(key.to_owned(), estimate);
    }
    let runs = source.path("runs.csv");
    if runs.is_file() {
        let runs = Table::read(&runs)?;
        all.unit = functional_unit(&runs);
        beside(&mut all, &runs, &columns)?;
        per_unit(&mut all, &runs)?;
    }
    Ok(all.finish())
}

/// Means of what was not analysed, over the runs of each point.
fn beside(all: &mut Points, runs: &Table, columns: &BTreeMap<String, String>) -> Result<(), PlotError> {
    let (point, error) = (runs.column("point")?, runs.column("error")?);
    let more: Vec<(usize, String)> = runs.header.iter().cloned().enumerate().skip(error + 1).collect();
    for (column, key) in more {
        let unit = columns.get(&key).map_or("", String::as_str);
        if all.units.contains_key(&key) || unit == "text" {
            continue;
        }
        let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        let mut is_number = true;
        for row in 0..runs.len() {
            match runs.number(row, column) {
                Ok(x) if x.is_finite() => {
                    let sum = sums.entry(runs.text(row, point)).or_default();
                    *sum = (sum.0 + x, sum.1 + 1.0);
                }
                Ok(_) => {}
                Err(_) => is_number = false,
            }
        }
        if !is_number || sums.is_empty() {
            continue;
        }
        all.know(&key, unit);
        for own in &mut all.points {
            if let Some((sum, n)) = sums.get(own.id.as_str()) {
                own.figures.insert(key.clone(), Estimate::alone(sum / n));
            }
        }
    }
    Ok(())
}

/// The key of a cause's grams per functional unit.
pub fn cause_per_unit(cause: &str) -> String {
    format!("carbon_g.operational_{cause}/sci.units")
}

/// Means over the runs of each point of each cause's grams per unit: as the score's mean is one of ratios, so are those of its parts.
fn per_unit(all: &mut Points, runs: &Table) -> Result<(), PlotError> {
    let point = runs.column("point")?;
    let (Some(units), Some(score)) = (runs.find("sci.units"), runs.find("sci.g_per_unit")) else { return Ok(()) };
    let causes: Vec<(String, usize)> = CAUSES
        .iter()
        .filter_map(|(cause, ..)| Some((cause_per_unit(cause), runs.find(&format!("carbon_g.operational_{cause}"))?)))
        .collect();
    let mut sums: BTreeMap<usize, (f64, Vec<f64>)> = BTreeMap::new();
    for row in 0..runs.len() {
        let (Some(at), units) = (all.find(runs.text(row, point)), runs.number(row, units)?) else { continue };
        // A run without a score is not in the score's mean, and a cause that a run does not name emits nothing in it.
        if !(units > 0.0 && runs.number(row, score)?.is_finite()) {
            continue;
        }
        let (n, sum) = sums.entry(at).or_insert_with(|| (0.0, vec![0.0; causes.len()]));
        *n += 1.0;
        for (sum, (_, column)) in sum.iter_mut().zip(&causes) {
            let grams = runs.number(row, *column)?;
            *sum += if grams.is_finite() { grams / units } else { 0.0 };
        }
    }
    for (at, (n, sum)) in sums {
        for (sum, (key, _)) in sum.into_iter().zip(&causes) {
            all.points[at].figures.insert(key.clone(), Estimate::alone(sum / n));
        }
    }
    Ok(())
}

fn compare(source: &Source) -> Result<Points, PlotError> {
    let table = Table::read(&source.path("compare.csv"))?;
    let explained = Table::read(&source.path("compare_columns.csv"))?;
    let (key, unit, meaning) = (explained.column("key")?, explained.column("unit")?, explained.column("meaning")?);
    let rows = 0..explained.len();
    let unit_of_all = functional_unit(&table);
    let axes: Vec<usize> = rows.clone().filter(|&r| explained.text(r, meaning).starts_with("axis:")).collect();
    let mut all = empty(axes.iter().map(|&r| Axis::new(explained.text(r, key), explained.text(r, unit))).collect());
    all.unit = unit_of_all;
    let at = axes.iter().map(|&r| table.column(explained.text(r, key))).collect::<Result<Vec<_>, _>>()?;
    let figures: Vec<(usize, String)> = rows
        .filter(|r| !axes.contains(r) && !matches!(explained.text(*r, unit), "text" | "bool"))
        .filter_map(|r| {
            let name = explained.text(r, key);
            Some((table.find(name)?, name.to_owned())).inspect(|_| all.know(name, explained.text(r, unit)))
        })
        .collect();
    for row in 0..table.len() {
        let values: Vec<&str> = at.iter().map(|&c| table.text(row, c)).collect();
        let own = all.point(&row.to_string(), &values);
        for (column, name) in &figures {
            let mean = table.number(row, *column)?;
            all.points[own].figures.insert(name.clone(), Estimate::alone(mean));
        }
    }
    Ok(all.finish())
}

fn run(source: &Source) -> Result<Points, PlotError> {
    let table = Table::read(&source.path("summary.csv"))?;
    let (key, value, unit) = (table.column("key")?, table.column("value")?, table.column("unit")?);
    let mut all = empty(Vec::new());
    let own = all.point("0", &[]);
    let called = (0..table.len()).find(|&row| table.text(row, key) == "sci.unit");
    all.unit = called.map(|row| table.text(row, value).to_owned()).filter(|text| !text.is_empty());
    for row in 0..table.len() {
        if table.text(row, unit) != "text" {
            let (name, mean) = (table.text(row, key).to_owned(), table.number(row, value)?);
            all.know(&name, table.text(row, unit));
            all.points[own].figures.insert(name, Estimate::alone(mean));
        }
    }
    Ok(all.finish())
}
