//! The carbon-intensity signals of a scenario: one per region to decide on, one to score on.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Scenario;
use super::build::Problem;
use crate::grid::{self, GridError, Signal, SignalKind};
use crate::types::{Duration, Seed, SimTime};

/// One signal per region and purpose.
#[derive(Debug, Clone)]
pub struct Signals {
    /// What policies look at.
    pub decide: Vec<Signal>,
    /// What the run is scored on.
    pub score: Vec<Signal>,
    /// Marginal intensity on which shifting is scored beside; empty unless every region has it.
    pub marginal: Vec<Signal>,
    /// The files that were read for them, each once, with the SHA-256 of their bytes.
    pub files: Vec<(PathBuf, String)>,
}

/// What the signals must fit.
pub(super) struct Context<'a> {
    /// The folder that paths are relative to.
    pub base_dir: &'a Path,
    /// The instant of the run's start.
    pub start: jiff::Timestamp,
    /// How far the signals must reach.
    pub horizon: Duration,
    /// How much of that lies past the last arrival.
    pub past_arrivals: Duration,
    /// The scenario's seed.
    pub seed: Seed,
    /// The ledger's bins.
    pub step: Duration,
}

/// Builds all signals; what is wrong with them is reported.
pub(super) fn build_signals(scenario: &Scenario, context: &Context<'_>, problems: &mut Vec<Problem>) -> Signals {
    let mut signals = Signals { decide: Vec::new(), score: Vec::new(), marginal: Vec::new(), files: Vec::new() };
    for (i, region) in scenario.regions.iter().enumerate() {
        let Some(decide) = build_signal(&region.grid, &format!("regions[{i}].grid"), context, problems) else {
            continue;
        };
        let score = match &region.scoring_grid {
            None => Some(decide.clone()),
            Some(spec) => build_signal(spec, &format!("regions[{i}].scoring_grid"), context, problems),
        };
        signals.decide.push(decide);
        signals.score.extend(score);
        if let Some(spec) = &region.marginal_grid {
            let key = format!("regions[{i}].marginal_grid");
            let Some(signal) = build_signal(spec, &key, context, problems) else { continue };
            if signal.info().kind != SignalKind::Marginal {
                let message = format!("the signal of zone {} is average intensity", signal.info().zone);
                problems.push(Problem::new(
                    key,
                    message,
                    "give marginal intensity here; what the run is scored on is scoring_grid",
                ));
            }
            signals.marginal.push(signal);
        }
    }
    let given = scenario.regions.iter().filter(|r| r.marginal_grid.is_some()).count();
    if let Some(i) = scenario.regions.iter().position(|r| r.marginal_grid.is_none()).filter(|_| given > 0) {
        problems.push(Problem::new(
            format!("regions[{i}].marginal_grid"),
            "other regions have marginal intensity and this one has none: there would be no sum",
            "give all regions a marginal_grid, or none",
        ));
    }
    check_kinds(scenario, &signals.score, problems);
    signals.files = files(scenario, context.base_dir);
    signals
}

/// The files of all signals; one that cannot be read is reported where its signal is built.
fn files(scenario: &Scenario, base_dir: &Path) -> Vec<(PathBuf, String)> {
    let mut files: Vec<(PathBuf, String)> = Vec::new();
    for region in &scenario.regions {
        let specs = [Some(&region.grid), region.scoring_grid.as_ref(), region.marginal_grid.as_ref()];
        for path in specs.into_iter().flatten().filter_map(grid::Spec::path) {
            let path = base_dir.join(path);
            if files.iter().any(|(known, _)| *known == path) {
                continue;
            }
            if let Ok(bytes) = std::fs::read(&path) {
                let sha256 = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
                files.push((path, sha256));
            }
        }
    }
    files
}

fn build_signal(spec: &grid::Spec, key: &str, context: &Context<'_>, problems: &mut Vec<Problem>) -> Option<Signal> {
    let Context { base_dir, start, horizon, seed, step, .. } = *context;
    match grid::build(spec, base_dir, start, horizon, seed) {
        Ok(signal) => {
            if let Some(from) = signal.change_inside(step) {
                problems.push(Problem::new(
                    key,
                    format!(
                        "the signal of zone {} changes {} s after the run's start, inside a ledger bin of {} s",
                        signal.info().zone,
                        from.as_secs_f64(),
                        step.as_secs_f64()
                    ),
                    "start the run on a step of the signal, or choose an output.ledger_step_s that divides its steps",
                ));
            }
            Some(signal)
        }
        Err(e) => {
            let help = match e {
                GridError::UnknownZone { .. } => "see `sim list zones`".to_owned(),
                GridError::EndsEarly { signal_end, .. } => stop_there(signal_end, context.past_arrivals),
                GridError::Import(_) => "docs/grid.md lists the formats and explains the keys".to_owned(),
                _ => "see docs/model.md, section 10, for what a signal must be".to_owned(),
            };
            problems.push(Problem::new(key, e.to_string(), help));
            None
        }
    }
}

/// How a run is stopped where its signal ends.
fn stop_there(end: SimTime, past_arrivals: Duration) -> String {
    let must = "a run must be covered by its signals up to its last arrival plus time.drain_limit_s and a second";
    match end.0.checked_sub(past_arrivals.0).filter(|left| *left > 0) {
        Some(left) => format!("{must}; to stop it there: time.duration_s = {}", left as f64 / 1e9),
        None => format!("{must}; to stop it there, lower time.drain_limit_s"),
    }
}

/// A score sums over regions: averages and marginals have no sum.
fn check_kinds(scenario: &Scenario, score: &[Signal], problems: &mut Vec<Problem>) {
    if score.len() != scenario.regions.len() {
        return;
    }
    let Some(other) = score.iter().position(|s| s.info().kind != score[0].info().kind) else { return };
    let own = scenario.regions[other].scoring_grid.is_some();
    problems.push(Problem::new(
        format!("regions[{other}].{}", if own { "scoring_grid" } else { "grid" }),
        format!(
            "the signal of region \"{}\" is {}, that of region \"{}\" is {}: a score never mixes the two kinds",
            scenario.regions[other].name,
            score[other].info().kind.name(),
            scenario.regions[0].name,
            score[0].info().kind.name(),
        ),
        "give all regions signals of one kind to be scored on (scoring_grid); `sim score` shows the other kind beside it",
    ));
}
