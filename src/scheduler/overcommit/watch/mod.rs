//! Watches predictors without obeying them: what each would have promised, and how often it would have been wrong.
//!
//! This is the published experiment: placements stay as they are, and every predictor sees the same snapshots.

mod multiplexing;
mod report;
mod score;
mod truth;

pub use multiplexing::{HostPeaks, Multiplexing, MultiplexingReport};
pub use report::{CELL_COLUMNS, CellRow, MACHINE_COLUMNS, MachineRow, Spread, WatchReport};
pub use score::latency_proxy;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Capacity, Conflict, Overcommit, OvercommitSpec, PeakOracle, Sample, Semantics, Snapshot};
use crate::types::{Duration, HostId, Seed};
use score::{Cell, Step, Tally};
use truth::Truth;

/// Which predictors are watched beside the policy in effect. They decide nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchSpec {
    /// What the peak is that predictions are compared with: over `[now, now + horizon]` (`paper`) or `(now, now + horizon]` (`compat`). Default paper.
    #[serde(default)]
    pub semantics: Semantics,
    /// How far the peak looks ahead \[s\]. Default 86400: the paper's 24 hours. A run shorter than that evaluates nothing.
    #[schemars(range(min = 1.0, max = 31622400.0))]
    #[serde(default = "super::one_day")]
    pub horizon_s: f64,
    /// How often hosts are sampled \[s\]; that of the policy in effect, if that has one. Default 300: the paper's.
    #[schemars(range(min = 1.0, max = 86400.0))]
    #[serde(default = "super::five_minutes")]
    pub sample_s: f64,
    /// The predictors. No default.
    #[schemars(length(min = 1))]
    pub predictors: Vec<Watched>,
}

/// A predictor under a name of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// Its name in the outputs.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Any policy of the catalogue. A static promise of r times the capacity counts as the prediction of 1 / r of the limits.
    pub policy: OvercommitSpec,
}

impl WatchSpec {
    /// How often hosts are sampled.
    pub fn period(&self) -> Duration {
        Duration::from_secs_f64(self.sample_s)
    }

    /// The period in steps, rounded to the nearest and at least one.
    fn steps(&self, horizon_s: f64) -> usize {
        ((horizon_s / self.sample_s).round() as usize).max(1)
    }

    /// Keys that do not go together, by their path below the section: key, what is wrong, what to do.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut found = Vec::new();
        if self.horizon_s < self.sample_s {
            found.push(Conflict {
                key: "horizon_s".into(),
                message: format!(
                    "the horizon of {} s ends before the next sample, {} s on",
                    self.horizon_s, self.sample_s
                ),
                help: "choose a horizon of at least sample_s",
            });
        }
        for (i, watched) in self.predictors.iter().enumerate() {
            let path = format!("predictors[{i}]");
            if self.predictors[..i].iter().any(|other| other.name == watched.name) {
                found.push(Conflict {
                    key: format!("{path}.name"),
                    message: format!("there are two predictors of the name \"{}\"", watched.name),
                    help: "give each its own name",
                });
            }
            let below = watched.policy.conflicts().into_iter();
            found.extend(below.map(|c| Conflict { key: format!("{path}.policy.{}", c.key), ..c }));
            found.extend(watched.policy.foreign(self.sample_s, &format!("{path}.policy.{}", watched.policy.name())));
            if let OvercommitSpec::PeakOracle(p) = &watched.policy
                && p.horizon_s > self.horizon_s
            {
                found.push(Conflict {
                    key: format!("{path}.policy.peak-oracle.horizon_s"),
                    message: format!("{} s is beyond the horizon of the evaluation, {} s", p.horizon_s, self.horizon_s),
                    help: "lengthen horizon_s of the section, or shorten that of the oracle",
                });
            }
        }
        found
    }
}

/// How one predictor's answer is found.
enum Source {
    /// A policy that is asked at every step.
    Asked(Box<dyn Overcommit>),
    /// A static promise: this share of the limits.
    Share(f64),
    /// The truth itself, over horizon number `.0`, the present included or not.
    Oracle(usize, bool),
}

/// Hosts and predictors side by side: every step is judged once its whole horizon is known.
///
/// Memory: per host, (predictors + 3) x (horizon in steps + 1) numbers; per predictor, one number per step of the run.
pub struct Watch {
    semantics: Semantics,
    names: Vec<String>,
    sources: Vec<Source>,
    truth: Truth,
    /// What was said in the steps that wait, per host.
    hosts: Vec<Option<Waiting>>,
    step: u64,
    cell: Cell,
    of_step: Step,
}

struct Waiting {
    /// The last step that the host was heard of.
    heard: u64,
    /// Sum of limits by slot \[cores\].
    limit: Vec<f64>,
    /// Prediction by slot and predictor \[cores\].
    said: Vec<f64>,
    tallies: Vec<Tally>,
    /// Steps without instances, which are not judged.
    empty: u64,
}

impl Watch {
    /// `seed` is the watch's own.
    pub fn new(spec: &WatchSpec, seed: Seed) -> Self {
        let mut horizons = vec![spec.steps(spec.horizon_s)];
        let mut source = |(i, watched): (usize, &Watched)| match &watched.policy {
            OvercommitSpec::PeakOracle(PeakOracle { horizon_s, semantics, .. }) => {
                let steps = spec.steps(*horizon_s);
                let which = horizons.iter().position(|&h| h == steps).unwrap_or_else(|| {
                    horizons.push(steps);
                    horizons.len() - 1
                });
                Source::Oracle(which, *semantics == Semantics::Paper)
            }
            other => {
                let mut policy = other.build(seed.child(i as u64));
                if policy.period().is_some() {
                    return Source::Asked(policy);
                }
                let physical = Capacity { cpu: 1 << 40, memory: 1 << 40 };
                Source::Share(physical.cpu as f64 / policy.allocatable(physical).cpu.max(1) as f64)
            }
        };
        let sources: Vec<Source> = spec.predictors.iter().enumerate().map(&mut source).collect();
        let n = sources.len();
        Self {
            semantics: spec.semantics,
            names: spec.predictors.iter().map(|w| w.name.clone()).collect(),
            sources,
            truth: Truth::new(horizons),
            hosts: Vec::new(),
            step: 0,
            cell: Cell::new(n),
            of_step: Step::new(n),
        }
    }

    /// Hears of one host's instances, in the order of their numbers, at most once between two ends of a step.
    pub fn observe(&mut self, host: HostId, samples: &[Sample]) {
        let (slots, n) = (self.truth.slots(), self.sources.len());
        let h = host.index();
        if self.hosts.len() <= h {
            self.hosts.resize_with(h + 1, || None);
        }
        let waiting = self.hosts[h].get_or_insert_with(|| Waiting {
            heard: u64::MAX,
            limit: vec![0.0; slots],
            said: vec![0.0; slots * n],
            tallies: vec![Tally::default(); n],
            empty: 0,
        });
        debug_assert!(waiting.heard != self.step, "a host is heard of once per step");
        waiting.heard = self.step;
        let due = self.truth.hear(host, self.step, samples);
        let snapshot = Snapshot::of(samples);
        let slot = (self.step % slots as u64) as usize;
        waiting.limit[slot] = snapshot.limit();
        for (said, source) in waiting.said[slot * n..].iter_mut().zip(&mut self.sources) {
            *said = match source {
                Source::Asked(policy) => policy.predict(host, &snapshot).expect("who has a period predicts").peak,
                Source::Share(share) => *share * waiting.limit[slot],
                Source::Oracle(..) => f64::NAN,
            };
        }
        if let Some(step) = due {
            self.judge(host, step);
        }
    }

    /// Judges a step whose whole horizon is known.
    fn judge(&mut self, host: HostId, step: u64) {
        let (truth, n) = (&self.truth, self.sources.len());
        let waiting = self.hosts[host.index()].as_mut().expect("the host was just heard of");
        let slot = (step % truth.slots() as u64) as usize;
        let limit = waiting.limit[slot];
        if limit <= 0.0 {
            waiting.empty += 1;
            return;
        }
        let peak = truth.peak(host, step, 0, self.semantics == Semantics::Paper);
        self.of_step.add_host(limit, peak);
        for (p, source) in self.sources.iter().enumerate() {
            let said = match source {
                Source::Oracle(which, included) => truth.peak(host, step, *which, *included),
                _ => waiting.said[slot * n + p],
            };
            let severity = waiting.tallies[p].add(said, peak, limit);
            self.of_step.add(p, said);
            self.cell.add(p, severity);
        }
    }

    /// Ends a step of the cell: all hosts have been heard of. One that was not has no instances.
    pub fn end_of_tick(&mut self) {
        for h in 0..self.hosts.len() {
            if self.hosts[h].as_ref().is_some_and(|w| w.heard != self.step) {
                self.observe(HostId::from_index(h), &[]);
            }
        }
        self.cell.end_of_step(&mut self.of_step);
        self.step += 1;
    }

    /// What the run so far says of each predictor. Steps whose horizon has not ended yet are left out.
    pub fn report(&self) -> WatchReport {
        let machines = |p: usize| {
            let known = self.hosts.iter().enumerate().filter_map(|(h, w)| Some((h, w.as_ref()?)));
            let judged = known.filter(move |(_, w)| w.tallies[p].steps > 0);
            judged.map(move |(h, w)| (HostId::from_index(h), w.tallies[p], w.empty)).collect::<Vec<_>>()
        };
        WatchReport::new(&self.names, &self.cell, machines)
    }
}

#[cfg(test)]
mod tests;
