//! A result as it is read from its tables and its manifest: runs of one scenario at points of its axes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::place::Place;
use super::{ContrastError, unlike};

/// What wrote a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `sim run`: one run.
    Run,
    /// `sim run` of a scenario with `[compare]`.
    Compare,
    /// `sim sweep`.
    Sweep,
}

impl Kind {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Run => "run",
            Kind::Compare => "compare",
            Kind::Sweep => "sweep",
        }
    }
}

/// A figure that a result has.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Its key in summary.csv.
    pub key: String,
    /// Its unit.
    pub unit: String,
    /// What it means.
    pub meaning: String,
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The seed.
    pub seed: u64,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// The figures in the order of the side's; not a number where undefined.
    pub values: Vec<f64>,
}

/// The runs at one point of the axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The value of every axis.
    pub at: Vec<String>,
    /// Its replications.
    pub runs: Vec<Run>,
}

/// A result.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// Its name.
    pub name: String,
    /// Where it was read.
    pub folders: Vec<PathBuf>,
    /// What wrote it.
    pub kind: Kind,
    /// The names of its axes.
    pub axes: Vec<String>,
    /// Its figures that are numbers.
    pub figures: Vec<Figure>,
    /// Its figures that are texts.
    pub texts: Vec<String>,
    /// Its points, in the order of the table.
    pub points: Vec<Point>,
    /// Its manifest; of several folders that of the first.
    pub manifest: Json,
}

impl Side {
    /// The number of a figure.
    pub fn figure(&self, key: &str) -> Option<usize> {
        self.figures.iter().position(|f| f.key == key)
    }

    /// The axes that have a value among the points.
    pub(super) fn axes_with(&self, value: &str) -> Vec<&str> {
        let has = |axis: usize| self.points.iter().any(|point| point.at[axis] == value);
        (0..self.axes.len()).filter(|&axis| has(axis)).map(|axis| self.axes[axis].as_str()).collect()
    }

    /// The points at one value of an axis, without this axis.
    pub(super) fn only(&self, axis: &str, value: &str) -> Self {
        let Some(place) = self.axes.iter().position(|a| a == axis) else { return self.clone() };
        let mut side = Self { name: format!("{} at {axis} = {value}", self.name), ..self.clone() };
        side.axes.remove(place);
        side.points.retain(|point| point.at[place] == value);
        for point in &mut side.points {
            point.at.remove(place);
        }
        side
    }
}

/// Reads a result; several folders must be runs that differ in the seed alone.
pub(super) fn read(place: &Place) -> Result<Side, ContrastError> {
    let mut sides = place.folders.iter().map(|folder| folder_of(&place.name, folder)).collect::<Result<Vec<_>, _>>()?;
    let mut first = sides.remove(0);
    let wrong = |folder: &Path, what: String, help: &str| {
        Err(ContrastError::Place { path: folder.to_owned(), what, help: help.to_owned() })
    };
    for side in sides {
        let folder = &side.folders[0];
        if first.kind != Kind::Run || side.kind != Kind::Run {
            let help = "give sweeps and comparisons a name each";
            return wrong(folder, "only single runs can be the replications of one result".to_owned(), help);
        }
        let differs = unlike::differing(&first.manifest, &side.manifest);
        if let Some(other) = differs.iter().find(|u| !unlike::is_replication(u)) {
            let what = format!("this is no replication of {}: {} differs", first.folders[0].display(), other.key);
            return wrong(folder, what, "replications differ in their seed alone; give other runs a name of their own");
        }
        let run = &side.points[0].runs[0];
        if first.points[0].runs.iter().any(|known| known.seed == run.seed) {
            let what = format!("another folder of \"{}\" has its seed, {}", place.name, run.seed);
            return wrong(folder, what, "replications differ in their seed: sim run --seed N --out FOLDER");
        }
        // Figures that only some replications have are left out: the others would be undefined.
        let keep: Vec<usize> =
            (0..first.figures.len()).filter(|&i| side.figure(&first.figures[i].key).is_some()).collect();
        for run in &mut first.points[0].runs {
            run.values = keep.iter().map(|&i| run.values[i]).collect();
        }
        first.figures = keep.iter().map(|&i| first.figures[i].clone()).collect();
        let values = first.figures.iter().map(|f| side.figure(&f.key).map_or(f64::NAN, |i| run.values[i])).collect();
        first.points[0].runs.push(Run { seed: run.seed, error: None, values });
        first.folders.push(folder.clone());
    }
    first.points[0].runs.sort_by_key(|run| run.seed);
    Ok(first)
}

/// A CSV table.
struct Table {
    path: PathBuf,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read(path: PathBuf) -> Result<Self, ContrastError> {
        let read = || -> Result<_, csv::Error> {
            let mut reader = csv::Reader::from_path(&path)?;
            let header: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
            let rows = reader
                .records()
                .map(|r| Ok(r?.iter().map(str::to_owned).collect()))
                .collect::<Result<_, csv::Error>>()?;
            Ok((header, rows))
        };
        match read() {
            Ok((header, rows)) => Ok(Self { path, header, rows }),
            Err(e) => Err(damaged(&path, &e.to_string())),
        }
    }

    fn column(&self, name: &str) -> Result<usize, ContrastError> {
        let found = self.header.iter().position(|h| h == name);
        found.ok_or_else(|| damaged(&self.path, &format!("the column \"{name}\" is missing")))
    }
}

fn damaged(path: &Path, what: &str) -> ContrastError {
    ContrastError::Place {
        path: path.to_owned(),
        what: format!("this file of a result cannot be read: {what}"),
        help: "run it again; docs/outputs.md and docs/compare.md describe the files".to_owned(),
    }
}

/// A cell as a number; an empty one is undefined.
fn number(cell: &str) -> f64 {
    cell.parse().unwrap_or(f64::NAN)
}

fn is_text(unit: &str) -> bool {
    unit == "text" || unit == "bool"
}

/// Reads one folder.
fn folder_of(name: &str, folder: &Path) -> Result<Side, ContrastError> {
    let path = folder.join("manifest.json");
    let manifest: Option<Json> = match fs::read(&path) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).map_err(|e| damaged(&path, &e.to_string()))?),
        Err(_) => None,
    };
    let has = |file: &str| folder.join(file).is_file();
    let kind = match manifest {
        Some(_) if has("runs.csv") && has("columns.csv") => Some(Kind::Sweep),
        Some(_) if has("compare.csv") && has("compare_columns.csv") => Some(Kind::Compare),
        Some(_) if has("summary.csv") => Some(Kind::Run),
        _ => None,
    };
    let (Some(kind), Some(manifest)) = (kind, manifest) else {
        let lacks = if has("manifest.json") { "no summary.csv, compare.csv or runs.csv" } else { "no manifest.json" };
        return Err(ContrastError::Place {
            path: folder.to_owned(),
            what: format!("this is no finished result of sim (it has {lacks})"),
            help: "name a folder that `sim run` or `sim sweep` wrote; an unfinished sweep is continued with --resume"
                .to_owned(),
        });
    };
    let mut side = Side {
        name: name.to_owned(),
        folders: vec![folder.to_owned()],
        kind,
        axes: Vec::new(),
        figures: Vec::new(),
        texts: Vec::new(),
        points: Vec::new(),
        manifest,
    };
    match kind {
        Kind::Run => run(&mut side, folder)?,
        Kind::Compare | Kind::Sweep => table(&mut side, folder)?,
    }
    if side.points.is_empty() {
        return Err(damaged(folder, "it has no run"));
    }
    Ok(side)
}

fn seed(json: &Json, path: &Path) -> Result<u64, ContrastError> {
    json["seed"].as_u64().ok_or_else(|| damaged(&path.join("manifest.json"), "the seed is missing"))
}

/// A single run: summary.csv has a row per figure.
fn run(side: &mut Side, folder: &Path) -> Result<(), ContrastError> {
    let table = Table::read(folder.join("summary.csv"))?;
    let [key, value, unit, meaning] = ["key", "value", "unit", "meaning"].map(|name| table.column(name));
    let (key, value, unit, meaning) = (key?, value?, unit?, meaning?);
    let mut values = Vec::new();
    for row in &table.rows {
        if is_text(&row[unit]) {
            side.texts.push(row[key].clone());
            continue;
        }
        side.figures.push(Figure { key: row[key].clone(), unit: row[unit].clone(), meaning: row[meaning].clone() });
        values.push(number(&row[value]));
    }
    let seed = seed(&side.manifest, folder)?;
    side.points = vec![Point { at: Vec::new(), runs: vec![Run { seed, error: None, values }] }];
    Ok(())
}

/// A comparison or a sweep: a row per run, a column per axis and figure, and a table that explains the columns.
fn table(side: &mut Side, folder: &Path) -> Result<(), ContrastError> {
    let sweep = side.kind == Kind::Sweep;
    let (file, about) = if sweep { ("runs.csv", "columns.csv") } else { ("compare.csv", "compare_columns.csv") };
    let (table, about) = (Table::read(folder.join(file))?, Table::read(folder.join(about))?);
    let (key, unit) = (about.column(if sweep { "column" } else { "key" })?, about.column("unit")?);
    let meaning = about.column("meaning")?;
    let role = if sweep { Some(about.column("role")?) } else { None };
    let (mut axes, mut figures) = (Vec::new(), Vec::new());
    for row in &about.rows {
        let at = table.column(&row[key])?;
        let role = match role {
            Some(role) => row[role].as_str(),
            None if row[meaning].starts_with("axis: ") => "axis",
            None if row[key] == "error" => "error",
            None if is_text(&row[unit]) => "text",
            None => "metric",
        };
        match role {
            "axis" => {
                axes.push(at);
                side.axes.push(row[key].clone());
            }
            "metric" => {
                figures.push(at);
                side.figures.push(Figure {
                    key: row[key].clone(),
                    unit: row[unit].clone(),
                    meaning: row[meaning].clone(),
                });
            }
            "text" => side.texts.push(row[key].clone()),
            _ => {}
        }
    }
    let error = table.column("error")?;
    let own_seed = if sweep { Some(table.column("seed")?) } else { None };
    let mut at: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    for (i, row) in table.rows.iter().enumerate() {
        let seed = match own_seed {
            Some(column) => row[column].parse().map_err(|_| damaged(&table.path, "a seed is no whole number"))?,
            None => seed(&side.manifest["runs"][i], folder)?,
        };
        let place: Vec<String> = axes.iter().map(|&column| plain(&row[column])).collect();
        let error = Some(row[error].trim().to_owned()).filter(|e| !e.is_empty());
        let run = Run { seed, error, values: figures.iter().map(|&column| number(&row[column])).collect() };
        let point = *at.entry(place.clone()).or_insert_with(|| {
            side.points.push(Point { at: place, runs: Vec::new() });
            side.points.len() - 1
        });
        side.points[point].runs.push(run);
    }
    Ok(())
}

/// One way of writing an axis's value, so that 0.50 in one table is 0.5 in another.
fn plain(cell: &str) -> String {
    cell.parse::<f64>().ok().filter(|x| x.is_finite()).map_or_else(|| cell.to_owned(), |x| x.to_string())
}
