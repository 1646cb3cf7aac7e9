//! Batch jobs of a scenario: where they come from.

use std::path::Path;

use super::Scenario;
use super::build::Problem;
use crate::types::Seed;
use crate::workload::jobs::{JobList, JobsContext};

/// Reads all jobs; `None` if there are no sources, or if one of them cannot be read, which is a problem.
pub(super) fn open_jobs(
    scenario: &Scenario,
    base_dir: &Path,
    regions: &[String],
    start: jiff::Timestamp,
    problems: &mut Vec<Problem>,
) -> Option<JobList> {
    let mut lists = Vec::new();
    for (name, spec) in &scenario.jobs {
        let seed = Seed(scenario.seed).derive("jobs").derive(name);
        match spec.open(&JobsContext { name, base_dir, regions, seed, start }) {
            Ok(list) => lists.push((name.clone(), list)),
            Err(e) => {
                let text = e.to_string();
                let (message, help) = text.split_once("\n  help: ").unwrap_or((&text, "check the path and the file"));
                let of_keys = matches!(e, crate::workload::WorkloadError::Spec { .. });
                let source = if of_keys { String::new() } else { format!(".source.{}", spec.source.name()) };
                problems.push(Problem::new(format!("jobs.{name}{source}"), message, help));
            }
        }
    }
    (!lists.is_empty() && lists.len() == scenario.jobs.len()).then(|| JobList::merge(lists))
}
