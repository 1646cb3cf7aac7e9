//! Reads a scenario file.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{Built, Scenario, build};

/// A scenario file, read, checked and turned into types.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of its text.
    pub sha256: String,
    /// Overrides from the command line.
    pub set: Vec<String>,
    /// The scenario.
    pub scenario: Scenario,
}

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ScenarioError(pub String);

impl Loaded {
    /// The name of the results folder.
    pub fn name(&self) -> String {
        self.scenario.name.clone().unwrap_or_else(|| {
            self.path.file_stem().map_or_else(|| "scenario".to_owned(), |s| s.to_string_lossy().into_owned())
        })
    }

    /// Paths in the scenario are relative to this folder.
    pub fn base_dir(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }
}

/// Reads and checks a scenario file with overrides (`dotted.key=value`).
///
/// # Errors
/// All problems of the file.
pub fn load(path: &Path, set: &[String]) -> Result<Loaded, ScenarioError> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| ScenarioError(format!("cannot read {}: {e}", path.display())))?;
    let scenario: Scenario = toml::from_str(&text).map_err(|e| ScenarioError(e.to_string()))?;
    let sha256 = Sha256::digest(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    Ok(Loaded { path: path.to_owned(), sha256, set: set.to_vec(), scenario })
}

/// Puts a loaded scenario together.
///
/// # Errors
/// All problems that show when it is put together.
pub fn build_loaded(loaded: &Loaded, prefetch: bool) -> Result<Built, ScenarioError> {
    build(&loaded.scenario, loaded.base_dir(), prefetch).map_err(|problems| {
        let text: Vec<String> =
            problems.iter().map(|p| format!("{}: {}\n  help: {}", p.key, p.message, p.help)).collect();
        ScenarioError(text.join("\n"))
    })
}
