//! A result's folder: of a run, of a comparison or of a sweep, and how its figures are headed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::error::PlotError;

/// What wrote the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Run,
    Compare,
    Sweep,
}

/// A result's folder.
#[derive(Debug)]
pub struct Source {
    pub folder: PathBuf,
    pub form: Form,
    /// What the folder is called.
    pub name: String,
    manifest: Json,
}

impl Source {
    /// Opens a folder.
    ///
    /// # Errors
    /// It is no result.
    pub fn open(folder: &Path) -> Result<Self, PlotError> {
        let has = |name: &str| folder.join(name).is_file();
        let form = match () {
            () if has("points.csv") => Form::Sweep,
            () if has("compare.csv") => Form::Compare,
            () if has("summary.csv") || has("timeseries.csv") => Form::Run,
            () => return Err(PlotError::NoResult { path: folder.to_owned() }),
        };
        let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let name = whole.file_name().map_or_else(|| "result".to_owned(), |n| n.to_string_lossy().into_owned());
        let path = folder.join("manifest.json");
        let manifest = match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(|e| PlotError::table(&path, e))?,
            Err(_) => Json::Null,
        };
        Ok(Self { folder: folder.to_owned(), form, name, manifest })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// When the run began, as a person writes it; empty where the manifest does not say.
    pub fn start(&self) -> String {
        let start = self.manifest["scenario"]["time"]["start"].as_str().unwrap_or_default();
        let text = start.trim_end_matches('Z').replacen('T', " ", 1);
        let text = text.strip_suffix(":00").unwrap_or(&text);
        if text.is_empty() { String::new() } else { format!("{text} UTC") }
    }

    /// What the scenario calls its waterfall.
    pub fn waterfall(&self) -> Option<&str> {
        self.manifest["scenario"]["compare"]["waterfall"]["title"].as_str()
    }

    /// The level of a sweep's intervals.
    pub fn confidence(&self) -> Option<f64> {
        self.manifest["confidence"].as_f64()
    }

    /// The line below a title: from which result and which of its files.
    pub fn said(&self, files: &str) -> String {
        let form = match self.form {
            Form::Run => "run",
            Form::Compare => "comparison",
            Form::Sweep => "sweep",
        };
        format!("{form} {}, {files}", self.name)
    }
}
