//! The figures of a result by point: the points of a sweep with their intervals, the runs of a comparison, or one run alone.

use std::collections::BTreeMap;

use super::error::PlotError;
use super::source::{Form, Source};
use super::table::Table;

/// What an axis of a sweep or a comparison is.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    pub name: String,
    pub unit: String,
    /// Its values in the order of their first appearance.
    pub values: Vec<String>,
    /// The same as numbers, if all are.
    pub numbers: Option<Vec<f64>>,
}

/// A figure of a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub mean: f64,
    /// The ends of Student's t interval; undefined without replications.
    pub low: f64,
    pub high: f64,
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
        let none = Estimate { mean: f64::NAN, low: f64::NAN, high: f64::NAN };
        self.points[point].figures.get(key).copied().unwrap_or(none)
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
        if let Some(at) = self.points.iter().position(|p| p.id == id) {
            return at;
        }
        let at = self.axes.iter_mut().zip(values).map(|(axis, value)| axis.number_of(value)).collect();
        self.points.push(Point { id: id.to_owned(), at, figures: BTreeMap::new() });
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
        self
    }
}

impl Axis {
    fn new(name: &str, unit: &str) -> Self {
        // Values that are names have no unit.
        let unit = if unit == "text" { "" } else { unit };
        Self { name: name.to_owned(), unit: unit.to_owned(), values: Vec::new(), numbers: None }
    }

    fn number_of(&mut self, value: &str) -> usize {
        self.values.iter().position(|v| v == value).unwrap_or_else(|| {
            self.values.push(value.to_owned());
            self.values.len() - 1
        })
    }

    /// A value as it is read: numbers say what they count.
    pub fn said(&self, value: usize) -> String {
        match &self.numbers {
            Some(numbers) => {
                let unit =
                    if matches!(self.unit.as_str(), "" | "1") { String::new() } else { format!(" {}", self.unit) };
                format!("{} = {}{unit}", self.name, super::text::number(numbers[value]))
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
    Points { axes, points: Vec::new(), metrics: Vec::new(), units: BTreeMap::new() }
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
        all.points[at].figures.insert(key.to_owned(), Estimate { mean: mean?, low: low?, high: high? });
    }
    let runs = source.path("runs.csv");
    if runs.is_file() {
        beside(&mut all, &Table::read(&runs)?, &columns)?;
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
                own.figures.insert(key.clone(), Estimate { mean: sum / n, low: f64::NAN, high: f64::NAN });
            }
        }
    }
    Ok(())
}

fn compare(source: &Source) -> Result<Points, PlotError> {
    let table = Table::read(&source.path("compare.csv"))?;
    let explained = Table::read(&source.path("compare_columns.csv"))?;
    let (key, unit, meaning) = (explained.column("key")?, explained.column("unit")?, explained.column("meaning")?);
    let rows = 0..explained.len();
    let axes: Vec<usize> = rows.clone().filter(|&r| explained.text(r, meaning).starts_with("axis:")).collect();
    let mut all = empty(axes.iter().map(|&r| Axis::new(explained.text(r, key), explained.text(r, unit))).collect());
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
            all.points[own].figures.insert(name.clone(), Estimate { mean, low: f64::NAN, high: f64::NAN });
        }
    }
    Ok(all.finish())
}

fn run(source: &Source) -> Result<Points, PlotError> {
    let table = Table::read(&source.path("summary.csv"))?;
    let (key, value, unit) = (table.column("key")?, table.column("value")?, table.column("unit")?);
    let mut all = empty(Vec::new());
    let own = all.point("0", &[]);
    for row in 0..table.len() {
        if table.text(row, unit) != "text" {
            let (name, mean) = (table.text(row, key).to_owned(), table.number(row, value)?);
            all.know(&name, table.text(row, unit));
            all.points[own].figures.insert(name, Estimate { mean, low: f64::NAN, high: f64::NAN });
        }
    }
    Ok(all.finish())
}
