//! Instances of a scenario: where they come from, and which settings need them or do not go together.

use std::path::Path;

use super::Scenario;
use super::build::Problem;
use crate::scheduler::migration::MigrationSpec;
use crate::scheduler::overcommit::watch::Watch;
use crate::types::{Duration, Seed};
use crate::workload::instances::{Context, Instances, Merged};

/// Opens where instances come from; `None` if there are none, or if they cannot be opened, which is a problem.
pub(super) fn open_instances(
    scenario: &Scenario,
    base_dir: &Path,
    regions: &[String],
    start: jiff::Timestamp,
    problems: &mut Vec<Problem>,
) -> Option<Box<dyn Instances>> {
    let mut sources: Vec<(String, Box<dyn Instances>)> = Vec::new();
    for (name, spec) in &scenario.instances {
        let seed = Seed(scenario.seed).derive("instances").derive(name);
        match spec.open(&Context { base_dir, regions, seed, start }) {
            Ok(source) => {
                if source.span().is_none() && scenario.time.duration_s.is_none() {
                    problems.push(Problem::new(
                        format!("instances.{name}"),
                        "when the last of these instances ends is not known beforehand",
                        "say how long the run lasts with time.duration_s",
                    ));
                }
                sources.push((name.clone(), source));
            }
            Err(e) => {
                let text = e.to_string();
                let (message, help) = text.split_once("\n  help: ").unwrap_or((&text, "check the path and the file"));
                problems.push(Problem::new(format!("instances.{name}.{}", spec.name()), message, help));
            }
        }
    }
    match sources.len() {
        0 => None,
        1 => sources.pop().map(|(_, source)| source),
        _ => Some(Box::new(Merged::new(sources))),
    }
}

/// What is watched beside overcommit, and how often.
pub(super) fn watch(scenario: &Scenario) -> Option<(Watch, Duration)> {
    let spec = scenario.overcommit_watch.as_ref()?;
    Some((Watch::new(spec, Seed(scenario.seed).derive("overcommit-watch")), spec.period()))
}

/// Settings that need instances, or do not go together with them.
pub(super) fn check_instances(scenario: &Scenario, problems: &mut Vec<Problem>) {
    let scheduler = &scenario.scheduler;
    for c in scheduler.overcommit.conflicts() {
        problems.push(Problem::new(format!("scheduler.overcommit.{}", c.key), c.message, c.help));
    }
    let period = scheduler.overcommit.build(Seed(0)).period();
    if let Some(spec) = &scenario.overcommit_watch {
        for c in spec.conflicts() {
            problems.push(Problem::new(format!("overcommit_watch.{}", c.key), c.message, c.help));
        }
        if let Some(period) = period
            && period != spec.period()
        {
            problems.push(Problem::new(
                "overcommit_watch.sample_s",
                format!("hosts are sampled every {} s by scheduler.overcommit", period.as_secs_f64()),
                "give both the same sample_s",
            ));
        }
    }
    let rules = &scenario.model.instances.migration;
    if rules.dirty_mb_per_s >= rules.bandwidth_mb_per_s {
        problems.push(Problem::new(
            "model.instances.migration.dirty_mb_per_s",
            "memory is written as fast as it is copied, or faster: copying would never catch up",
            "choose less than bandwidth_mb_per_s",
        ));
    }
    if !scenario.instances.is_empty() {
        return;
    }
    let in_vain = [
        ("scheduler.overcommit", period.is_some()),
        ("overcommit_watch", scenario.overcommit_watch.is_some()),
        ("scheduler.migration", !matches!(scheduler.migration, MigrationSpec::None(_))),
    ];
    for (key, is_set) in in_vain {
        if is_set {
            problems.push(Problem::new(
                key,
                "this looks at instances, and the scenario has none",
                "say where instances come from, for example with [instances.NAME.synthetic], or leave it out",
            ));
        }
    }
}
