//! A file of uncertainties: read and checked like a scenario, every problem with its line.

use std::path::{Path, PathBuf};

use super::build::Problem;
use super::check::read_checked;
use super::{Look, Report, Scenario};
use crate::sci::uncertainty::{UncertaintySpec, Wrong};

/// Why a file of uncertainties cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UncertaintyError {
    /// It cannot be read.
    #[error("cannot read the uncertainties {}: {source}\n  help: check the path, or give --spec default for those that come with sim", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is wrong: every problem with its place.
    #[error("{0}")]
    Problems(Box<Report>),
}

impl UncertaintyError {
    /// The whole message, drawn for the given output.
    pub fn render(&self, look: Look) -> String {
        match self {
            Self::Io { .. } => self.to_string(),
            Self::Problems(report) => report.render(look),
        }
    }
}

/// Reads a file of uncertainties for runs with these server types.
///
/// # Errors
/// It cannot be read, or all that is wrong with it.
pub fn read_uncertainty(path: &Path, servers: &[&str]) -> Result<UncertaintySpec, UncertaintyError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| UncertaintyError::Io { path: path.to_owned(), source })?;
    let (spec, document): (UncertaintySpec, _) =
        read_checked(&path.display().to_string(), &text).map_err(UncertaintyError::Problems)?;
    let at = |w: Wrong| document.problem_at(&w.key, w.message, "here").help(w.help);
    let wrong: Vec<_> = all_wrong(&spec, servers).into_iter().map(at).collect();
    if wrong.is_empty() { Ok(spec) } else { Err(UncertaintyError::Problems(Box::new(document.report(wrong)))) }
}

fn all_wrong(spec: &UncertaintySpec, servers: &[&str]) -> Vec<Wrong> {
    let mut wrong = spec.problems();
    wrong.extend(spec.unknown_servers(servers));
    wrong
}

/// What is wrong with the scenario's own `[sci.uncertainty]`.
pub(super) fn check_uncertainty(scenario: &Scenario, problems: &mut Vec<Problem>) {
    let Some(spec) = &scenario.sci.uncertainty else { return };
    let mut servers: Vec<&str> = Vec::new();
    for hosts in scenario.regions.iter().flat_map(|r| &r.hosts) {
        if !servers.contains(&hosts.server.as_str()) {
            servers.push(&hosts.server);
        }
    }
    for w in all_wrong(spec, &servers) {
        let key = if w.key.is_empty() { "sci.uncertainty".to_owned() } else { format!("sci.uncertainty.{}", w.key) };
        problems.push(Problem::new(key, w.message, w.help));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_understands_every_part_of_the_schema() {
        let mut schema = schemars::schema_for!(UncertaintySpec).to_value();
        super::super::shape::plain_descriptions(&mut schema);
        assert_eq!(super::super::unsupported(&schema), Vec::<String>::new());
    }

    #[test]
    fn problems_of_a_file_stand_at_their_lines() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("uncertainty.toml");
        let message = |text: &str| {
            std::fs::write(&path, text).expect("writable");
            read_uncertainty(&path, &["epyc"]).expect_err("it is wrong").to_string()
        };
        let typo = message("[intensity]\nfactor.unifrom = { low = 1.0, high = 2.0 }\n");
        assert!(typo.contains("uncertainty.toml:2:") && typo.contains("uniform"), "{typo}");
        let order = message(
            "[embodied]\nfactor.uniform = { low = 3.0, high = 2.0 }\nby_server.xeon.factor.uniform = { low = 1.0, high = 2.0 }\n",
        );
        assert!(order.contains("low 3 is above high 2") && order.contains("no server type \"xeon\""), "{order}");
        assert!(order.contains("2 problems"), "{order}");
        assert!(message("").contains("nothing is uncertain"));
        let absent = read_uncertainty(&folder.path().join("none.toml"), &[]).expect_err("absent").to_string();
        assert!(absent.contains("none.toml") && absent.contains("--spec default"));
    }
}
