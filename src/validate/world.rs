//! What a claim is measured in: the scenarios of the program in a temporary folder, the folder of `--data`, and runs that claims share.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::judge::Tolerance;
use super::{ValidateError, scenarios};
use crate::compare::{self, Comparison};
use crate::report::{Entry, number};
use crate::run::{self, Options};
use crate::scenario::{self, Loaded};

/// What stands for the folder of `--data` in overrides.
const DATA: &str = "{data}";

/// Where the scenarios of papers look for data.
const BESIDE: &str = "../../../shared";

/// Why a claim was not measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Something is needed that is not there.
    Needs(String),
    /// It went wrong.
    Failed(String),
}

/// A fault of something that went wrong.
pub(super) fn failed(error: impl std::fmt::Display) -> Fault {
    Fault::Failed(error.to_string().lines().map(str::trim).collect::<Vec<_>>().join("; "))
}

/// One figure of a table of published figures beside ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which figure.
    pub what: String,
    /// Theirs.
    pub published: f64,
    /// Ours.
    pub ours: f64,
    /// The standard error of ours, where it is a mean.
    pub error: Option<f64>,
    /// A tolerance of its own. Default: the claim's.
    pub tolerance: Option<Tolerance>,
}

impl Row {
    /// A row under the claim's tolerance.
    pub fn new(what: impl Into<String>, published: f64, ours: f64) -> Self {
        Self { what: what.into(), published, ours, error: None, tolerance: None }
    }

    /// The same under a tolerance of its own.
    pub fn under(self, tolerance: Tolerance) -> Self {
        Self { tolerance: Some(tolerance), ..self }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// A number.
    Number(f64),
    /// A mean over replications with its standard error.
    Mean {
        /// The mean.
        mean: f64,
        /// Its standard error.
        error: f64,
    },
    /// A table, row by row.
    Rows(Vec<Row>),
    /// A table of which rows had to be left out.
    Part {
        /// Those that were looked at.
        rows: Vec<Row>,
        /// How many were not.
        left_out: usize,
        /// Why.
        why: String,
    },
    /// Cases by name, with what is wrong where something is.
    Cases(Vec<(String, Option<String>)>),
    /// A sentence that holds or does not.
    Holds {
        /// Whether it does.
        holds: bool,
        /// What was found instead, or with which figures.
        said: String,
    },
}

impl Found {
    /// The mean of replications, of which there are two or more.
    pub fn mean(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
        Found::Mean { mean, error: (variance / n).sqrt() }
    }
}

/// The scenarios in a folder that goes when this goes.
pub struct World {
    root: PathBuf,
}

impl World {
    /// Writes the embedded scenarios; those that read shared data find them below `data`.
    ///
    /// # Errors
    /// The system's temporary folder cannot be written.
    pub fn create(data: Option<&Path>) -> Result<Self, ValidateError> {
        static WORLDS: AtomicU64 = AtomicU64::new(0);
        let name = format!("slackwater-validate-{}-{}", std::process::id(), WORLDS.fetch_add(1, Ordering::Relaxed));
        let world = Self { root: std::env::temp_dir().join(name) };
        let data = data.map(|d| d.display().to_string().replace('\\', "\\\\").replace('"', "\\\""));
        for (path, text) in scenarios::ALL {
            let text = match &data {
                Some(data) => text.replace(BESIDE, data),
                None => (*text).to_owned(),
            };
            world.write(path, &text).map_err(|(path, e)| ValidateError::File {
                path,
                message: e.to_string(),
                help: "the scenarios are written into the system's temporary folder; TMPDIR chooses another",
            })?;
        }
        Ok(world)
    }

    fn write(&self, path: &str, text: &str) -> Result<PathBuf, (PathBuf, std::io::Error)> {
        let file = self.root.join(path);
        let folder = file.parent().unwrap_or(&self.root).to_owned();
        fs::create_dir_all(&folder).map_err(|e| (folder, e))?;
        fs::write(&file, text).map_err(|e| (file.clone(), e))?;
        Ok(file)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // A folder that cannot be removed is left to the system.
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// The figures of a run, or why there are none.
type Figures = Result<Arc<Vec<Entry>>, Fault>;

/// What functions measure in.
pub struct Context {
    world: World,
    data: Option<PathBuf>,
    runs: Mutex<BTreeMap<String, Arc<OnceLock<Figures>>>>,
    scratch: AtomicU64,
}

impl Context {
    /// A world with data, if there are any.
    ///
    /// # Errors
    /// There is no such folder, or no temporary one.
    pub fn new(data: Option<&Path>) -> Result<Self, ValidateError> {
        let data = match data {
            Some(folder) => Some(folder.canonicalize().map_err(|_| ValidateError::NoData(folder.to_owned()))?),
            None => None,
        };
        let world = World::create(data.as_deref())?;
        Ok(Self { world, data, runs: Mutex::default(), scratch: AtomicU64::new(0) })
    }

    /// A file below `--data`.
    ///
    /// # Errors
    /// What is needed.
    pub fn file(&self, path: &str) -> Result<PathBuf, Fault> {
        let found = self.data.as_ref().map(|data| data.join(path)).filter(|file| file.exists());
        found.ok_or_else(|| Fault::Needs(format!("needs `{path}` below --data")))
    }

    /// The text of a file below `--data`.
    ///
    /// # Errors
    /// What is needed, or that it is no text.
    pub fn text(&self, path: &str) -> Result<String, Fault> {
        fs::read_to_string(self.file(path)?).map_err(|e| failed(format!("{path}: {e}")))
    }

    /// A CSV table below `--data`.
    ///
    /// # Errors
    /// What is needed, or what is wrong with it.
    pub fn table(&self, path: &str) -> Result<Table, Fault> {
        Table::read(&self.text(path)?).map_err(|e| failed(format!("{path}: {e}")))
    }

    /// A file of its own for a function, in a folder of its own.
    ///
    /// # Errors
    /// The temporary folder is full.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf, Fault> {
        let n = self.scratch.fetch_add(1, Ordering::Relaxed);
        self.world
            .write(&format!("scratch/{n}/{name}"), text)
            .map_err(|(path, e)| failed(format!("{}: {e}", path.display())))
    }

    /// A scenario of the program with overrides, in which `{data}` stands for the folder of data.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn load(&self, scenario: &str, set: &[String]) -> Result<Loaded, Fault> {
        let data = self.data.as_ref().map(|d| d.display().to_string()).unwrap_or_default();
        let set: Vec<String> = set.iter().map(|s| s.replace(DATA, &data)).collect();
        scenario::load(&self.world.root.join(scenario), &set).map_err(failed)
    }

    /// The figures of a run; every distinct run is done once.
    ///
    /// # Errors
    /// Why it failed.
    pub fn run(&self, scenario: &str, set: &[String]) -> Figures {
        let key = format!("{scenario}\n{}", set.join("\n"));
        let cell = Arc::clone(self.runs.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        cell.get_or_init(|| {
            let loaded = self.load(scenario, set)?;
            run::measure(&loaded, 1, None, &mut |_| {}).map(|m| Arc::new(m.summary)).map_err(failed)
        })
        .clone()
    }

    /// A figure of a run.
    ///
    /// # Errors
    /// Why it failed, or that it has no such figure.
    pub fn figure(&self, scenario: &str, set: &[String], key: &str) -> Result<f64, Fault> {
        let figures = self.run(scenario, set)?;
        number(&figures, key).ok_or_else(|| failed(format!("{scenario} has no figure {key}, or it is undefined")))
    }

    /// All cells of a comparison.
    ///
    /// # Errors
    /// Why it failed.
    pub fn compare(&self, scenario: &str, set: &[String]) -> Result<Cells, Fault> {
        let loaded = self.load(scenario, set)?;
        let n = self.scratch.fetch_add(1, Ordering::Relaxed);
        let out = self.world.root.join(format!("scratch/{n}/out"));
        fs::create_dir_all(out.parent().unwrap_or(&out)).map_err(failed)?;
        let options = Options { out: Some(out.clone()), threads: 1 };
        let comparison = compare::compare(&loaded, &options, &|_| {}).map_err(failed)?;
        fs::remove_dir_all(&out).map_err(failed)?;
        Ok(Cells(comparison))
    }
}

/// A comparison by the names of its values.
pub struct Cells(pub Comparison);

impl Cells {
    /// The figures of all cells with these values on these axes, in the order of the axes.
    ///
    /// # Errors
    /// No cell, or one that failed or lacks the figure.
    pub fn figures(&self, wanted: &[(&str, &str)], key: &str) -> Result<Vec<f64>, Fault> {
        let Comparison { plan, rows, .. } = &self.0;
        let fits = |at: &[usize]| {
            wanted.iter().all(|(axis, value)| {
                plan.axes.iter().zip(at).any(|(a, &i)| a.name == *axis && a.values.get(i).is_some_and(|v| v == value))
            })
        };
        let cells: Vec<_> = rows.iter().filter(|row| fits(&row.at)).collect();
        if cells.is_empty() {
            return Err(failed(format!("no run is {wanted:?}")));
        }
        let figure = |row: &&compare::Row| {
            let relative = key.strip_prefix("relative.").and_then(|k| plan.spec.relative.iter().position(|r| r == k));
            let found = match relative {
                Some(at) => row.relative.get(at).copied().filter(|x| x.is_finite()),
                None => row.number(key),
            };
            found.ok_or_else(|| failed(format!("{wanted:?} has no figure {key}{}", said(row))))
        };
        cells.iter().map(figure).collect()
    }

    /// The figure of the only cell with these values.
    ///
    /// # Errors
    /// There is not exactly one, or it lacks the figure.
    pub fn figure(&self, wanted: &[(&str, &str)], key: &str) -> Result<f64, Fault> {
        match self.figures(wanted, key)?[..] {
            [one] => Ok(one),
            ref all => Err(failed(format!("{} runs are {wanted:?}", all.len()))),
        }
    }
}

fn said(row: &compare::Row) -> String {
    row.figures.as_ref().err().map_or(String::new(), |e| format!(": {e}"))
}

/// A CSV table of an oracle.
pub struct Table {
    header: Vec<String>,
    /// The cells of its rows.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Reads a text; lines that begin with `#` are left out.
    ///
    /// # Errors
    /// It is no CSV.
    pub fn read(text: &str) -> Result<Self, csv::Error> {
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
        let header = reader.headers()?.iter().map(str::to_owned).collect();
        let rows =
            reader.records().map(|r| Ok(r?.iter().map(str::to_owned).collect())).collect::<Result<_, csv::Error>>()?;
        Ok(Self { header, rows })
    }

    /// A cell as text.
    ///
    /// # Errors
    /// There is no such column.
    pub fn cell(&self, row: usize, column: &str) -> Result<&str, Fault> {
        let at = self.header.iter().position(|h| h == column);
        let cell = at.and_then(|at| self.rows.get(row)?.get(at));
        cell.map(String::as_str).ok_or_else(|| failed(format!("the oracle has no cell {column} in row {}", row + 1)))
    }

    /// A cell as a number.
    ///
    /// # Errors
    /// It is none.
    pub fn number(&self, row: usize, column: &str) -> Result<f64, Fault> {
        let cell = self.cell(row, column)?;
        cell.parse().map_err(|_| failed(format!("{column} is \"{cell}\" in row {} of the oracle, no number", row + 1)))
    }

    /// The numbers of the rows.
    pub fn indices(&self) -> std::ops::Range<usize> {
        0..self.rows.len()
    }
}

/// What a claim tells its function.
pub struct Given<'a>(pub &'a toml::Table);

impl Given<'_> {
    /// A text.
    ///
    /// # Errors
    /// It is not there.
    pub fn text(&self, key: &str) -> Result<&str, Fault> {
        self.0.get(key).and_then(toml::Value::as_str).ok_or_else(|| failed(format!("the claim does not say {key}")))
    }

    /// A number.
    ///
    /// # Errors
    /// It is not there.
    pub fn number(&self, key: &str) -> Result<f64, Fault> {
        let value = self.0.get(key);
        let number = value.and_then(|v| v.as_float().or_else(|| v.as_integer().map(|i| i as f64)));
        number.ok_or_else(|| failed(format!("the claim does not say {key}")))
    }

    /// A list of lists of texts or numbers as texts.
    ///
    /// # Errors
    /// It is not there.
    pub fn lists(&self, key: &str) -> Result<Vec<Vec<toml::Value>>, Fault> {
        let lists = self.0.get(key).and_then(toml::Value::as_array);
        let lists = lists.and_then(|l| l.iter().map(|v| v.as_array().cloned()).collect::<Option<Vec<_>>>());
        lists.ok_or_else(|| failed(format!("the claim does not list {key}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_is_gone_when_nobody_uses_it() {
        let world = World::create(Some(Path::new("/data/of \"mine\""))).expect("a temporary folder");
        let root = world.root.clone();
        let text = fs::read_to_string(root.join("scenarios/papers/gaia.toml")).expect("written");
        assert!(text.contains("/data/of \\\"mine\\\"/data/traces/gaia-pai/pai_1k.csv"), "the path is quoted");
        drop(world);
        assert!(!root.exists());
    }

    #[test]
    fn a_file_that_is_not_there_is_needed() {
        let context = Context::new(None).expect("a world");
        let fault = context.text("oracles/x.csv").expect_err("no data");
        assert_eq!(fault, Fault::Needs("needs `oracles/x.csv` below --data".to_owned()));
        assert!(Context::new(Some(Path::new("/no/such/folder"))).is_err());
    }

    #[test]
    fn a_run_is_done_once_and_tells_its_figures() {
        let context = Context::new(None).expect("a world");
        let set = ["time.duration_s=60".to_owned()];
        let keep_alive = "scenarios/checks/keep-alive.toml";
        let (a, b) = (context.run(keep_alive, &set).expect("runs"), context.run(keep_alive, &set).expect("runs"));
        assert!(Arc::ptr_eq(&a, &b));
        assert!(context.figure(keep_alive, &set, "calls.cold").expect("counted") > 0.0);
        let fault = context.figure(keep_alive, &set, "calls.frozen").expect_err("no such figure");
        assert!(matches!(fault, Fault::Failed(said) if said.contains("no figure calls.frozen")));
    }

    #[test]
    fn the_mean_has_its_standard_error() {
        // Deviation of 1, 2, 3 is 1; over the root of 3.
        assert_eq!(Found::mean(&[1.0, 2.0, 3.0]), Found::Mean { mean: 2.0, error: (1.0_f64 / 3.0).sqrt() });
    }
}
