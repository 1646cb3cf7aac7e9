//! `[jobs.NAME]`: a source of jobs, and the rules that turn what it has into jobs.
//!
//! ```text
//!   source ─ rows ─▶ quantum: whole steps ─▶ in order of arrival ─▶ classes ─▶ slack ─▶ estimates ─▶ accounts, regions ─▶ JobList
//! ```

use std::path::Path;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WorkloadError;
use super::calendar::Calendar;
use super::csv::{self, JobsCsvSpec};
use super::estimate::EstimateSpec;
use super::gaia::{self, GaiaSpec};
use super::lets_wait_awhile::{self, LetsWaitAwhileSpec};
use super::periodic::{self, PeriodicSpec};
use super::raw::{Raw, Rows, micro_cores, ns, range, wrong};
use super::scale::ScaleSpec;
use super::slack::SlackSpec;
use super::swf::{self, SwfSpec};
use super::synthetic::{self, SyntheticJobsSpec};
use super::{Interruption, Job, JobKind, JobList, accounts};
use crate::types::{Duration, Memory, RegionId, Seed, SimTime};

/// Batch jobs: where they come from, how long they may wait, and what is known of them. docs/jobs.md is the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobsSpec {
    /// Where they come from.
    pub source: JobSource,
    /// Arrivals and lengths are cut down to whole steps of this \[s\]; a job that is shorter than one step is left out. GAIA: 5. Default:
    /// they are not cut.
    #[schemars(range(min = 0.000000001, max = 86400.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantum_s: Option<f64>,
    /// How long they may wait. Default: as the source says, where it says something, else not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack: Option<SlackSpec>,
    /// What is believed of their lengths. Default: as the source says, where it says something, else `exact`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<EstimateSpec>,
    /// That they can be suspended, and at what cost. Default: they cannot be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interruption: Option<InterruptionSpec>,
    /// That they run on more or fewer nodes, and how fast. Default: on their own number of nodes, always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<ScaleSpec>,
    /// Dynamic power of one node while it computes \[W\]. Default: as the host's power model has it.
    #[schemars(range(min = 0.0, max = 1000000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_w: Option<f64>,
    /// CPU of one node, where the source does not say \[cores\]. Default 1.
    #[schemars(range(min = 0.001, max = 4000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_cores: Option<f64>,
    /// Memory of one node, where the source does not say \[MB\]. Assumed: 0, so that CPU alone decides where jobs find room; published
    /// studies of shifting count no memory either.
    #[schemars(range(min = 0.0, max = 1000000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<f64>,
    /// Number of nodes, where the source does not say. Default 1.
    #[schemars(range(min = 1, max = 1000000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<u32>,
    /// Region of jobs of which the source does not say it. Default: the first, or as `spread` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// How such jobs are spread over all regions instead. Default: they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<JobSpread>,
    /// Data of one job that live where it is submitted, and are sent before it runs in another region \[GB\]; only with `[network]`. Default 0.
    #[schemars(range(min = 0.0, max = 1000000000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_gb: Option<f64>,
    /// Tenant of jobs of which the source does not say it. Default: the section's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// Where jobs come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum JobSource {
    /// A CSV file in this project's own format: arrival_s or arrival_utc, length_s, and what else is known of each job.
    Csv(JobsCsvSpec),
    /// The machine-learning jobs of *Let's Wait Awhile* (Middleware 2021): job_id, arrival_min, duration_min.
    LetsWaitAwhile(LetsWaitAwhileSpec),
    /// Job lists of GAIA (ASPLOS 2024): arrival_time, length, cpus.
    Gaia(GaiaSpec),
    /// A log of a parallel machine in the Standard Workload Format (Parallel Workloads Archive).
    Swf(SwfSpec),
    /// The same job again and again.
    Periodic(PeriodicSpec),
    /// A generator: Poisson arrivals, lengths and sizes from distributions.
    Synthetic(SyntheticJobsSpec),
}

/// What suspending a job costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InterruptionSpec {
    /// Time on its nodes, without progress, before it is suspended \[s\]. Default 0, as in the published studies.
    #[schemars(range(min = 0.0, max = 86400.0))]
    #[serde(default)]
    pub checkpoint_s: f64,
    /// Time on its nodes, without progress, after it is resumed \[s\]. Default 0, as in the published studies.
    #[schemars(range(min = 0.0, max = 86400.0))]
    #[serde(default)]
    pub restart_s: f64,
}

/// How jobs are spread over all regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JobSpread {
    /// One after the other, in order of arrival.
    RoundRobin,
    /// Tenant t is at home in region t modulo their number, tenants in order of appearance.
    ByTenant,
}

/// What a source must know of the scenario.
#[derive(Debug, Clone, Copy)]
pub struct JobsContext<'a> {
    /// The source's name in the scenario.
    pub name: &'a str,
    /// Paths are relative to this folder.
    pub base_dir: &'a Path,
    /// The regions' names.
    pub regions: &'a [String],
    /// A seed of this source's own: derive it from the run's seed and the source's name.
    pub seed: Seed,
    /// The instant of the run's start.
    pub start: Timestamp,
}

impl JobSource {
    /// The source's kind, as in the scenario.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::LetsWaitAwhile(_) => "lets-wait-awhile",
            Self::Gaia(_) => "gaia",
            Self::Swf(_) => "swf",
            Self::Periodic(_) => "periodic",
            Self::Synthetic(_) => "synthetic",
        }
    }

    fn rows(&self, context: &JobsContext<'_>) -> Result<Rows, WorkloadError> {
        match self {
            Self::Csv(spec) => csv::read(spec, context),
            Self::LetsWaitAwhile(spec) => lets_wait_awhile::read(spec, context),
            Self::Gaia(spec) => gaia::read(spec, context),
            Self::Swf(spec) => swf::read(spec, context),
            Self::Periodic(spec) => periodic::make(spec),
            Self::Synthetic(spec) => synthetic::make(spec, context),
        }
    }
}

impl JobsSpec {
    /// Reads or makes the jobs.
    ///
    /// # Errors
    /// A file is missing or wrong, or keys contradict each other or the source.
    pub fn open(&self, context: &JobsContext<'_>) -> Result<JobList, WorkloadError> {
        let kind = self.kind()?;
        let mut rows = self.source.rows(context)?;
        if rows.jobs.is_empty() {
            return Err(no_jobs(&rows, self.source.name()));
        }
        self.nothing_in_vain(&rows)?;
        let quantum = self.quantum_s.map(ns);
        let mut whole = cut(&mut rows, quantum);
        let slack = self.slack.clone().unwrap_or_else(|| by_source(&rows));
        slack.classify(&mut rows);
        if rows.jobs.iter().any(|j| j.class.is_none()) {
            let all = rows.classes.of("all");
            rows.jobs.iter_mut().for_each(|j| j.class = j.class.or(Some(all)));
        }
        let (before, drop) = slack.before();
        if drop {
            let kept: Vec<bool> = rows.jobs.iter().map(|j| j.arrival >= before).collect();
            keep(&mut rows.jobs, &kept);
            keep(&mut whole, &kept);
            let dropped = kept.iter().filter(|k| !**k).count();
            rows.count(
                dropped as u64,
                "left out: their window reaches before the run's start (slack.window.clip = drop)",
            );
        }
        if rows.jobs.is_empty() {
            return Err(no_jobs(&rows, self.source.name()));
        }
        if !matches!(slack, SlackSpec::FromFile { .. }) && rows.jobs.iter().any(|j| j.slack.is_some()) {
            rows.notes.push("slack and deadlines of the source are not used: slack names another rule".to_owned());
        }
        let calendar = Calendar::new(context.start);
        let slacks = rows.jobs.iter().map(|j| slack.of(j, &rows, calendar)).collect::<Result<Vec<_>, _>>()?;
        let known = rows.jobs.iter().any(|j| j.estimate.is_some());
        let default = if known { EstimateSpec::Requested {} } else { EstimateSpec::Exact {} };
        let estimate = self.estimate.as_ref().unwrap_or(&default);
        let estimates = estimate.of_all(&mut rows, &whole, quantum, context.seed)?;
        self.assemble(rows, kind, &slacks, &estimates, before, context)
    }

    /// What all jobs of this source have in common; keys that are out of range or contradict each other.
    fn kind(&self) -> Result<JobKind, WorkloadError> {
        if let Some(quantum) = self.quantum_s {
            range("quantum_s", quantum, 1e-9, 86_400.0)?;
        }
        if let Some(slack) = &self.slack {
            slack.check()?;
        }
        if let Some(estimate) = &self.estimate {
            estimate.check()?;
        }
        range("power_w", self.power_w.unwrap_or(0.0), 0.0, 1e9)?;
        range("cpu_cores", self.cpu_cores.unwrap_or(1.0), 0.001, 4e6)?;
        range("memory_mb", self.memory_mb.unwrap_or(0.0), 0.0, 1e9)?;
        range("data_gb", self.data_gb.unwrap_or(0.0), 0.0, 1e9)?;
        range("nodes", self.nodes.unwrap_or(1).into(), 1.0, 1e6)?;
        if self.region.is_some() && self.spread.is_some() {
            return Err(wrong(
                "region and spread say where jobs run, and both are there".to_owned(),
                "name one region, or let spread choose among all of them",
            ));
        }
        let scale = self.scale.as_ref().map(ScaleSpec::build).transpose()?;
        if self.power_w.is_some() && scale.as_ref().is_some_and(|s| !s.power_w.is_empty()) {
            return Err(wrong(
                "power_w and scale both say what power jobs draw".to_owned(),
                "leave power_w out, or give a scale.measured without power_w",
            ));
        }
        let interruption = self.interruption.map(|i| -> Result<Interruption, WorkloadError> {
            range("interruption.checkpoint_s", i.checkpoint_s, 0.0, 86_400.0)?;
            range("interruption.restart_s", i.restart_s, 0.0, 86_400.0)?;
            let time = Duration::from_secs_f64;
            Ok(Interruption { checkpoint: time(i.checkpoint_s), restart: time(i.restart_s) })
        });
        let data_mb = self.data_gb.unwrap_or(0.0) * 1000.0;
        Ok(JobKind { interruption: interruption.transpose()?, scale, power_w: self.power_w, data_mb })
    }

    /// Keys that stand in for what the source says, where it says it of every job.
    fn nothing_in_vain(&self, rows: &Rows) -> Result<(), WorkloadError> {
        let all = |has: fn(&Raw) -> bool| rows.jobs.iter().all(has);
        let in_vain = [
            ("cpu_cores", self.cpu_cores.is_some() && all(|j| j.cpu.is_some())),
            ("memory_mb", self.memory_mb.is_some() && all(|j| j.memory.is_some())),
            ("nodes", self.nodes.is_some() && all(|j| j.nodes.is_some())),
            ("tenant", self.tenant.is_some() && all(|j| j.tenant.is_some())),
            ("region", self.region.is_some() && all(|j| j.region.is_some())),
            ("spread", self.spread.is_some() && all(|j| j.region.is_some())),
        ];
        match in_vain.into_iter().find(|(_, is)| *is) {
            None => Ok(()),
            Some((key, _)) => Err(wrong(
                format!("{key} is for jobs of which the source does not say it, and it says it of every job"),
                "leave the key out",
            )),
        }
    }

    fn assemble(
        &self,
        rows: Rows,
        kind: JobKind,
        slacks: &[u64],
        estimates: &[Option<u64>],
        before: u64,
        context: &JobsContext<'_>,
    ) -> Result<JobList, WorkloadError> {
        let most = kind.scale.as_ref().map_or(u32::MAX, super::Scale::most);
        let cpu = micro_cores(self.cpu_cores.unwrap_or(1.0));
        let memory = Memory::from_mb(self.memory_mb.unwrap_or(0.0));
        let region = match &self.region {
            None => 0,
            Some(name) => context.regions.iter().position(|r| r == name).ok_or_else(|| {
                let help = format!("name one of: {}", context.regions.join(", "));
                wrong(format!("region = \"{name}\" is not a region of this scenario"), &help)
            })?,
        };
        let regions = context.regions.len().max(1);
        let mut book = accounts::Accounts::new(&rows, self.tenant.as_deref().unwrap_or(context.name));
        let mut jobs = Vec::with_capacity(rows.jobs.len());
        for (i, raw) in rows.jobs.iter().enumerate() {
            let nodes = raw.nodes.or(self.nodes).unwrap_or(1);
            if nodes > most {
                return Err(rows.error(
                    raw,
                    format!("the job has {nodes} nodes, and scale knows only up to {most}"),
                    "give scale one number for every number of nodes, or the jobs fewer nodes",
                ));
            }
            let class = raw.class.unwrap_or(0);
            let (account, tenant) = book.of(raw.tenant, class);
            let place = match self.spread {
                None => region,
                Some(JobSpread::RoundRobin) => i % regions,
                Some(JobSpread::ByTenant) => tenant as usize % regions,
            };
            jobs.push(Job {
                name: raw.name.clone(),
                arrival: SimTime(raw.arrival.saturating_sub(before)),
                wanted: SimTime(raw.arrival),
                length: Duration(raw.length),
                estimate: estimates[i].map(Duration),
                slack: Duration(slacks[i]),
                account,
                region: raw.region.unwrap_or(RegionId::from_index(place)),
                kind: 0,
                class,
                cpu: raw.cpu.unwrap_or(cpu),
                memory: raw.memory.unwrap_or(memory),
                nodes,
            });
        }
        let (accounts, tenants) = book.close();
        let mut notes = rows.notes;
        notes.insert(
            0,
            format!("{} {} from {}", jobs.len(), if jobs.len() == 1 { "job" } else { "jobs" }, self.source.name()),
        );
        Ok(JobList {
            jobs,
            kinds: vec![kind],
            accounts,
            tenants,
            classes: rows.classes.list,
            notes,
            inputs: rows.inputs,
        })
    }
}

/// The rule that the source itself gives.
fn by_source(rows: &Rows) -> SlackSpec {
    if rows.jobs.iter().any(|j| j.slack.is_some()) { SlackSpec::FromFile { else_s: None } } else { SlackSpec::None {} }
}

fn no_jobs(rows: &Rows, source: &str) -> WorkloadError {
    let what = match rows.notes.last() {
        Some(note) => format!("there is no job: {note}"),
        None => "there is no job".to_owned(),
    };
    match &rows.path {
        Some(path) => WorkloadError::File { path: path.clone(), what, help: "check the file".to_owned() },
        None => wrong(what, &format!("let source.{source} make at least one")),
    }
}

/// Cuts arrivals and lengths to whole steps, leaves out jobs without length, and puts all in order of arrival. The lengths before the cut.
fn cut(rows: &mut Rows, quantum: Option<u64>) -> Vec<u64> {
    let mut lengths: Vec<u64> = rows.jobs.iter().map(|j| j.length).collect();
    if let Some(step) = quantum {
        for job in &mut rows.jobs {
            (job.arrival, job.length) = (job.arrival / step * step, job.length / step * step);
        }
    }
    let [empty, short] =
        [lengths.iter().filter(|l| **l == 0).count(), rows.jobs.iter().filter(|j| j.length == 0).count()];
    if short > 0 {
        let kept: Vec<bool> = rows.jobs.iter().map(|j| j.length > 0).collect();
        keep(&mut rows.jobs, &kept);
        keep(&mut lengths, &kept);
        rows.count(empty as u64, "left out: of length 0");
        rows.count((short - empty) as u64, "left out: shorter than quantum_s");
    }
    if rows.jobs.windows(2).any(|w| w[1].arrival < w[0].arrival) {
        let late = rows.jobs.windows(2).filter(|w| w[1].arrival < w[0].arrival).count();
        rows.count(late as u64, "that stood after one which arrives later: put in order of arrival");
        let mut order: Vec<usize> = (0..rows.jobs.len()).collect();
        order.sort_by_key(|&i| rows.jobs[i].arrival);
        lengths = order.iter().map(|&i| lengths[i]).collect();
        rows.jobs.sort_by_key(|j| j.arrival);
    }
    lengths
}

fn keep<T>(list: &mut Vec<T>, kept: &[bool]) {
    let mut marks = kept.iter();
    list.retain(|_| marks.next().copied().unwrap_or(true));
}
