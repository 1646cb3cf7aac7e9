//! From the file of a sweep to its plan: everything that can be said before a run, checked, and written down beside the runs.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::SweepError;
use super::check::{Checked, check};
use super::design::{Design, DesignError};
use super::points::{Axis, Level, Points, Takes, axis};
use super::queue::{Stop, Task};
use super::spec::{SampleSpec, SweepSpec};
use crate::report::{Entry, Manifest};
use crate::run::{RunError, figures};
use crate::scenario::{self, Loaded, ScenarioError, read_checked, unset};
use crate::types::Seed;

/// The code that this program is: a hash of all that it is made of.
pub const CODE: &str = env!("SLACKWATER_CODE");

/// What a plan looks like on disk, `plan.json`: all that a merge must know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Described {
    /// The program.
    pub program: String,
    /// Its version.
    pub version: String,
    /// The commit it was built from, if that is known.
    pub git_commit: Option<String>,
    /// The code it is made of.
    pub code: String,
    /// Name of the results.
    pub name: String,
    /// What is run: a hash of code, scenario, axes and samples. Runs of one plan and number are the same run.
    pub plan: String,
    /// The file of the sweep.
    pub file: PathBuf,
    /// What the file says.
    pub spec: SweepSpec,
    /// The axes with all their values.
    pub axes: Vec<Axis>,
    /// How many points there are.
    pub points: usize,
    /// How many replications a point gets.
    pub stop: Stop,
    /// The figures that are analysed.
    pub metrics: Vec<String>,
    /// Of each axis that the baseline names, the number of the value.
    pub baseline: Vec<(usize, usize)>,
    /// The pairs of figures of the frontiers.
    pub frontier: Vec<[String; 2]>,
    /// The scenario that all runs share, with all defaults filled in.
    pub scenario: serde_json::Value,
}

impl Described {
    /// The points.
    pub fn points(&self) -> Points {
        let zips: Vec<Option<String>> = self.spec.axes.iter().map(|axis| axis.zip.clone()).collect();
        let design =
            design(self.spec.sample.as_ref(), &self.axes).expect("the design was made before it was written down");
        Points::new(self.axes.clone(), &zips, design)
    }
}

/// The samples of the sampled axes.
fn design(sample: Option<&SampleSpec>, axes: &[Axis]) -> Result<Option<Design>, DesignError> {
    let dimensions = axes.iter().filter(|axis| matches!(axis.takes, Takes::Sampled { .. })).count();
    let Some(sample) = sample.filter(|_| dimensions > 0) else { return Ok(None) };
    Design::new(sample.method, sample.count as usize, dimensions, Seed(sample.seed)).map(Some)
}

/// A plan that can run.
pub struct Plan {
    /// All that is written down of it.
    pub described: Described,
    /// Its points.
    pub points: Points,
    /// The figures of a run: key, unit and meaning.
    pub figures: Vec<Entry>,
    base: Loaded,
    /// The folder that paths are relative to, however it was written.
    folder: String,
}

impl Plan {
    /// Reads and checks a sweep; `set` are overrides of all its runs.
    ///
    /// # Errors
    /// All that is wrong with the file; the scenario is wrong; no point of it can be put together.
    pub fn read(file: &Path, set: &[String]) -> Result<Self, SweepError> {
        let text =
            std::fs::read_to_string(file).map_err(|source| SweepError::Unreadable { path: file.to_owned(), source })?;
        let (spec, document): (SweepSpec, _) =
            read_checked(&file.display().to_string(), &text).map_err(SweepError::Problems)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let overrides: Vec<String> = spec
            .unset
            .iter()
            .map(|key| unset(key))
            .chain(spec.set.iter().cloned())
            .chain(set.iter().cloned())
            .collect();
        let base = scenario::load(&folder.join(&spec.scenario), &overrides)?.with("", &[])?;
        let wrong = |problems: Vec<scenario::KeyProblem>| {
            let at = |p: scenario::KeyProblem| document.problem_at(&p.key, p.message, "here").help(p.help);
            SweepError::Problems(Box::new(document.report(problems.into_iter().map(at).collect())))
        };
        let problems = super::check::axes(&spec, &base);
        if !problems.is_empty() {
            return Err(wrong(problems));
        }
        let axes: Vec<Axis> = spec.axes.iter().map(|a| axis(a, &base)).collect();
        let zips: Vec<Option<String>> = spec.axes.iter().map(|axis| axis.zip.clone()).collect();
        let design = design(spec.sample.as_ref(), &axes).map_err(|error| {
            let text = error.to_string();
            let (message, help) = text.split_once("\n  help: ").unwrap_or((&text, ""));
            wrong(vec![scenario::KeyProblem::new("sample", message, help)])
        })?;
        let points = Points::new(axes, &zips, design);
        let figures = probe(&base, &points)?;
        let Checked { until, metrics, baseline, frontier } = check(&spec, &points, &figures).map_err(&wrong)?;
        let stop = Stop { first: spec.replications, most: spec.most(), until, confidence: spec.confidence };
        let scenario =
            serde_json::to_value(base.scenario.filled_in()).expect("a scenario is made of numbers, texts and tables");
        let name = spec.name.clone().unwrap_or_else(|| {
            file.file_stem().map_or_else(|| "sweep".to_owned(), |s| s.to_string_lossy().into_owned())
        });
        let what = serde_json::json!([CODE, &scenario, &points.axes, &zips, &spec.sample, &spec.keep]);
        let described = Described {
            program: "slackwater sim".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            git_commit: Manifest::commit().map(str::to_owned),
            code: CODE.to_owned(),
            name,
            plan: hash(&[&what.to_string()]),
            file: file.to_owned(),
            points: points.len(),
            axes: points.axes.clone(),
            stop,
            metrics,
            baseline,
            frontier,
            scenario,
            spec,
        };
        let written = if base.base_dir().as_os_str().is_empty() { Path::new(".") } else { base.base_dir() };
        let folder =
            std::fs::canonicalize(written).unwrap_or_else(|_| written.to_owned()).to_string_lossy().into_owned();
        Ok(Self { described, points, figures, base, folder })
    }

    /// The scenario of a run, and what names it in messages.
    ///
    /// # Errors
    /// A value is not allowed.
    pub fn scenario(&self, task: Task) -> Result<Loaded, ScenarioError> {
        let levels = self.points.point(task.point);
        self.with(&levels, task.replication)
    }

    /// The scenario with these values of the axes.
    ///
    /// # Errors
    /// A value is not allowed.
    pub fn with(&self, levels: &[Level], replication: u32) -> Result<Loaded, ScenarioError> {
        let names: Vec<String> =
            self.points.axes.iter().zip(levels).map(|(axis, level)| format!("{}={}", axis.name, level.name)).collect();
        let mut overrides: Vec<String> = levels.iter().flat_map(|level| level.overrides.iter().cloned()).collect();
        overrides.push(format!("seed={}", self.seed(replication)));
        self.base.with(&names.join(" "), &overrides)
    }

    /// The seed of a replication, the same at every point.
    ///
    /// Formula: the scenario's seed + the number of the replication, so that `sim run --seed` repeats it.
    pub fn seed(&self, replication: u32) -> u64 {
        /// TOML's integers have 63 bits.
        const MASK: u64 = i64::MAX as u64;
        self.base.scenario.seed.wrapping_add(u64::from(replication)) & MASK
    }

    /// What a run hashes to: the code, the resolved scenario with its seed, the folder that its paths are relative to, and what is kept of it.
    pub fn hash(&self, loaded: &Loaded) -> String {
        let scenario = serde_json::to_string(&loaded.scenario.filled_in())
            .expect("a scenario is made of numbers, texts and tables");
        let keep = serde_json::to_string(&self.described.spec.keep).expect("a word");
        hash(&[CODE, &scenario, &self.folder, &keep])
    }

    /// What a run hashes to whose scenario is wrong: its number.
    pub fn hash_of_number(&self, task: Task) -> String {
        hash(&[&self.described.plan, &task.point.to_string(), &task.replication.to_string()])
    }
}

fn hash(texts: &[&str]) -> String {
    let fold = |hash: Sha256, text: &&str| hash.chain_update((text.len() as u64).to_le_bytes()).chain_update(text);
    texts.iter().fold(Sha256::new(), fold).finalize().iter().take(16).map(|b| format!("{b:02x}")).collect()
}

/// The figures that runs have: of the first point that can be put together, and of every named value of an axis, which may bring some of its own.
fn probe(base: &Loaded, points: &Points) -> Result<Vec<Entry>, SweepError> {
    /// More points than this are not tried for the first: evenly over all, if none of them is right, hardly any will be.
    const TRIED: usize = 256;
    /// Nor more named values: each builds a scenario.
    const NAMED: usize = 64;
    let mut errors = Vec::new();
    let mut one = |point: usize| -> Option<Vec<Entry>> {
        let levels = points.point(point);
        let names: Vec<String> =
            points.axes.iter().zip(&levels).map(|(axis, level)| format!("{}={}", axis.name, level.name)).collect();
        let overrides: Vec<String> = levels.into_iter().flat_map(|level| level.overrides).collect();
        match base.with(&names.join(" "), &overrides).map(|loaded| figures(&loaded)) {
            Ok(Ok(found)) => return Some(found),
            Ok(Err(RunError::Scenario(error))) | Err(error) => errors.push(error),
            // Without a call the simulation has nothing to stop at.
            Ok(Err(RunError::Sim(_) | RunError::Report(_))) => {}
        }
        None
    };
    let all = points.len();
    let spread = (0..all.min(TRIED))
        .map(|i| if all <= TRIED { i } else { (i as u128 * (all as u128 - 1) / (TRIED as u128 - 1)) as usize });
    let first = spread.into_iter().find_map(|point| Some((point, one(point)?)));
    let Some((first, mut found)) = first else {
        if errors.is_empty() {
            return Err(SweepError::Usage(
                "no point of the sweep can say which figures its runs have\n  help: try one with `sim run`".to_owned(),
            ));
        }
        return Err(ScenarioError::several(errors).into());
    };
    let (sample, at) = (points.sample(first), points.at(first));
    let mut tried = 0;
    for (a, axis) in points.axes.iter().enumerate() {
        let Takes::Listed(levels) = &axis.takes else { continue };
        for (l, _) in levels.iter().enumerate().filter(|(l, level)| level.number.is_none() && *l != at[a]) {
            let mut there = at.clone();
            there[a] = l;
            let point = points.find(sample, &there).filter(|_| tried < NAMED);
            tried += 1;
            for entry in point.and_then(&mut one).into_iter().flatten() {
                if found.iter().all(|known| known.key != entry.key) {
                    found.push(entry);
                }
            }
        }
    }
    Ok(found)
}
