//! A scenario in a folder of its own, its runs, and their tables: what every other module of these tests stands on.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use slackwater::run::{Options, Report, RunError, run};
use slackwater::scenario;
use tempfile::TempDir;

/// A file or folder of the validation data, unless it is absent: then says so.
pub fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SLACKWATER_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("skipped: {} is absent; set SLACKWATER_SHARED to the folder that holds it", found.display());
    None
}

/// A file of this repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A scenario file with the files that it names.
pub struct Lab {
    dir: TempDir,
}

impl Lab {
    /// Writes the scenario.
    pub fn new(scenario: &str) -> Self {
        let lab = Self { dir: tempfile::tempdir().expect("a temporary folder") };
        fs::write(lab.scenario(), scenario).expect("the folder is writable");
        lab
    }

    /// Writes a further file.
    pub fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.dir.path().join(name), text).expect("the folder is writable");
        self
    }

    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    pub fn scenario(&self) -> PathBuf {
        self.dir.path().join("scenario.toml")
    }

    /// Runs the scenario with overrides.
    #[track_caller]
    pub fn run(&self, set: &[&str]) -> Run {
        run_file(&self.scenario(), set, 1)
    }
}

impl Lab {
    /// The message with which the scenario fails.
    #[track_caller]
    pub fn fails(&self, set: &[&str]) -> String {
        match try_file(&self.scenario(), set, 1) {
            Ok(_) => panic!("the scenario runs with {set:?}"),
            Err(error) => error.to_string(),
        }
    }
}

/// A finished run.
pub struct Run {
    dir: TempDir,
    pub report: Report,
}

/// Runs a scenario file.
#[track_caller]
pub fn run_file(scenario: &Path, set: &[&str], threads: usize) -> Run {
    let fails = |e: RunError| -> Run { panic!("{} with {set:?} fails: {e}", scenario.display()) };
    try_file(scenario, set, threads).unwrap_or_else(fails)
}

fn try_file(scenario: &Path, set: &[&str], threads: usize) -> Result<Run, RunError> {
    let set: Vec<String> = set.iter().map(|&s| s.to_owned()).collect();
    let loaded = scenario::load(scenario, &set)?;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let options = Options { out: Some(dir.path().join("out")), threads };
    let report = run(&loaded, &options, &mut |_| {})?;
    Ok(Run { dir, report })
}

impl Run {
    /// A number of the summary, which must be there and defined.
    #[track_caller]
    pub fn number(&self, key: &str) -> f64 {
        self.report.number(key).unwrap_or_else(|| panic!("the summary has no number {key}"))
    }

    /// The folder of the results.
    pub fn folder(&self) -> PathBuf {
        self.dir.path().join("out")
    }

    /// A CSV table of the results.
    #[track_caller]
    pub fn table(&self, name: &str) -> Table {
        Table::read(&self.folder().join(name))
    }

    /// Every file of the results by name, but the manifest, which tells times of day and costs.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.folder()).expect("the results are readable");
        entries
            .map(|e| e.expect("the results are readable"))
            .map(|e| (e.file_name().to_string_lossy().into_owned(), fs::read(e.path()).expect("readable")))
            .filter(|(name, _)| name != "manifest.json")
            .collect()
    }

    /// All finished calls in the order of their arrival; at one instant, in the order of the file.
    pub fn calls(&self) -> Vec<Call> {
        let file = fs::File::open(self.folder().join("invocations.parquet")).expect("output.invocations is set");
        let reader = SerializedFileReader::new(file).expect("a Parquet file");
        let mut calls: Vec<Call> = reader
            .get_row_iter(None)
            .expect("rows")
            .map(|row| {
                let row = row.expect("a row");
                let (double, int) = (|i| row.get_double(i).expect("a number"), |i| row.get_int(i).expect("a number"));
                Call {
                    arrival: double(0),
                    release: double(1),
                    start: double(2),
                    end: double(3),
                    function: int(4),
                    region: int(5),
                    host: int(6),
                    cold: row.get_bool(7).expect("a flag"),
                    dynamic_j: double(8),
                }
            })
            .collect();
        calls.sort_by(|a, b| a.arrival.total_cmp(&b.arrival));
        calls
    }
}

/// A row of invocations.parquet.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub arrival: f64,
    pub release: f64,
    pub start: f64,
    pub end: f64,
    pub function: i32,
    pub region: i32,
    pub host: i32,
    pub cold: bool,
    pub dynamic_j: f64,
}

/// A CSV table.
pub struct Table {
    header: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Reads a CSV file.
    #[track_caller]
    pub fn read(path: &Path) -> Self {
        let mut reader = csv::Reader::from_path(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let header = reader.headers().expect("a header").iter().map(str::to_owned).collect();
        let rows = reader.records().map(|r| r.expect("a row").iter().map(str::to_owned).collect()).collect();
        Self { header, rows }
    }

    /// A column as text.
    #[track_caller]
    pub fn text(&self, name: &str) -> Vec<String> {
        let at = self.header.iter().position(|h| h == name).unwrap_or_else(|| panic!("no column {name}"));
        self.rows.iter().map(|r| r[at].clone()).collect()
    }

    /// A column as numbers; empty cells are NaN.
    #[track_caller]
    pub fn column(&self, name: &str) -> Vec<f64> {
        let number = |c: String| if c.is_empty() { f64::NAN } else { c.parse().expect("a number") };
        self.text(name).into_iter().map(number).collect()
    }

    /// The sum of a column's numbers.
    #[track_caller]
    pub fn sum(&self, name: &str) -> f64 {
        self.column(name).into_iter().filter(|x| x.is_finite()).sum()
    }
}

/// Asserts that two numbers agree to a relative tolerance.
#[track_caller]
pub fn close(what: &str, ours: f64, wanted: f64, tolerance: f64) {
    let error = (ours - wanted).abs();
    assert!(
        error <= tolerance * wanted.abs().max(f64::MIN_POSITIVE),
        "{what}: {ours} is not {wanted}; relative error {:e} > {tolerance:e}",
        error / wanted.abs()
    );
}
