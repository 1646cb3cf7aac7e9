//! Reads a scenario file: all its problems at once, or a scenario.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::shape::plain_descriptions;
use super::{Built, Document, KeyProblem, Look, Report, Scenario, build, check_against_schema, schema};

/// A scenario file, read, checked and turned into types.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of its text, and of the texts of the files that it extends, one after the other.
    pub sha256: String,
    /// The files that it extends, the nearest first, with the SHA-256 of their texts.
    pub extended: Vec<(PathBuf, String)>,
    /// Overrides from the command line.
    pub set: Vec<String>,
    /// The scenario.
    pub scenario: Scenario,
    /// Which run of a comparison this is; `None` for a scenario as it stands in its file.
    pub run: Option<String>,
    pub(super) document: Document,
}

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("cannot read the scenario {}: {source}\n  help: check the path; scenarios that come with sim are in scenarios/", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is wrong: every problem with its place.
    #[error("{0}")]
    Problems(Box<Report>),
    /// Several runs of a comparison are wrong.
    #[error("{}", .0.iter().map(Self::to_string).collect::<Vec<_>>().join("\n"))]
    Several(Vec<ScenarioError>),
}

impl ScenarioError {
    /// The whole message, drawn for the given output.
    pub fn render(&self, look: Look) -> String {
        match self {
            Self::Io { .. } => self.to_string(),
            Self::Problems(report) => report.render(look),
            Self::Several(errors) => errors.iter().map(|e| e.render(look)).collect::<Vec<_>>().join("\n"),
        }
    }

    /// The errors of several runs as one, every problem once: that of the first run that has it.
    pub fn several(errors: Vec<Self>) -> Self {
        let mut seen = Vec::new();
        let mut kept = Vec::new();
        for error in errors {
            match error {
                Self::Problems(mut report) => {
                    report.drop_seen(&mut seen);
                    if !report.problems().is_empty() {
                        kept.push(Self::Problems(report));
                    }
                }
                other => kept.push(other),
            }
        }
        if kept.len() == 1 { kept.swap_remove(0) } else { Self::Several(kept) }
    }
}

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

    /// The values of the file, of those that it extends and of the overrides, as TOML; without the comments, and with no defaults.
    ///
    /// # Errors
    /// The values cannot be written as TOML.
    pub fn resolved(&self) -> Result<String, toml::ser::Error> {
        let mut table = self.document.to_table();
        for key in ["extends", "unset", "set"] {
            table.remove(key);
        }
        toml::to_string(&table)
    }

    /// Problems that a later check has found, each shown at its key.
    pub fn wrong(&self, problems: Vec<KeyProblem>) -> ScenarioError {
        let at = |p: KeyProblem| self.document.problem_at(&p.key, p.message, "here").help(p.help);
        let report = self.document.report(problems.into_iter().map(at).collect());
        ScenarioError::Problems(Box::new(report.of_run(self.run.clone())))
    }
}

/// Reads and checks a scenario file, laid over those that it extends, with overrides (`dotted.key=value`, or [`unset`](super::unset)).
///
/// # Errors
/// All problems of the file and the overrides that show without opening any other file.
pub fn load(path: &Path, set: &[String]) -> Result<Loaded, ScenarioError> {
    let text = std::fs::read_to_string(path).map_err(|source| ScenarioError::Io { path: path.to_owned(), source })?;
    let problems = |report| ScenarioError::Problems(Box::new(report));
    let mut document = Document::parse(&path.display().to_string(), text.as_str()).map_err(problems)?;
    let schema = schema();
    let files = document.extend(path, &schema).map_err(|found| problems(document.report(found)))?;
    let sha256 = hex(files.iter().fold(Sha256::new_with_prefix(&text), |hash, file| hash.chain_update(&file.text)));
    let extended = files.into_iter().map(|f| (f.path, hex(Sha256::new_with_prefix(f.text)))).collect();
    let mut found = Vec::new();
    for argument in set {
        if let Err(problem) = document.set(argument, &schema) {
            found.push(*problem);
        }
    }
    found.extend(check_against_schema(&document, &schema));
    if !found.is_empty() {
        return Err(problems(document.report(found)));
    }
    let scenario = document.deserialize().map_err(|problem| problems(document.report(vec![*problem])))?;
    Ok(Loaded { path: path.to_owned(), sha256, extended, set: set.to_vec(), scenario, run: None, document })
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// Reads another kind of TOML file the way a scenario is read: all that its type's schema forbids at once, each with its line; the document
/// finds the places of what a later check complains about.
///
/// # Errors
/// The text is no TOML, or not of this type.
pub fn read_checked<T: JsonSchema + DeserializeOwned>(name: &str, text: &str) -> Result<(T, Document), Box<Report>> {
    let document = Document::parse(name, text)?;
    let mut schema = schemars::schema_for!(T).to_value();
    plain_descriptions(&mut schema);
    let found = check_against_schema(&document, &schema);
    if !found.is_empty() {
        return Err(Box::new(document.report(found)));
    }
    let value = document.deserialize().map_err(|problem| Box::new(document.report(vec![*problem])))?;
    Ok((value, document))
}

/// Puts a loaded scenario together: opens its files, builds its signals, hosts and policies.
///
/// # Errors
/// All problems that show when it is put together, each at its key.
pub fn build_loaded(loaded: &Loaded, prefetch: bool) -> Result<Built, ScenarioError> {
    build(&loaded.scenario, loaded.base_dir(), prefetch).map_err(|problems| loaded.wrong(problems))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_understands_every_part_of_the_schema() {
        assert_eq!(super::super::unsupported(&schema()), Vec::<String>::new());
    }
}
