//! `[jobs.NAME.source.synthetic]`: made jobs: Poisson arrivals, lengths and sizes from distributions, each job from streams of its own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WorkloadError;
use super::super::instances::{Arrivals, hour_of_day};
use super::raw::{MOST_S, Raw, Rows, micro_cores, ns, range, wrong};
use super::spec::JobsContext;
use crate::types::{SimTime, Stream};

/// No job is shorter \[s\]; shorter draws become this.
const SHORTEST_S: f64 = 0.001;
const MOST_JOBS: f64 = 1e7;

/// Made jobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyntheticJobsSpec {
    /// When they arrive: a Poisson process.
    pub arrivals: Arrivals,
    /// Jobs arrive up to, not including, this \[s\]. Default: as long as it takes for `count` of them.
    #[schemars(range(min = 0.001, max = 3153600000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
    /// Most jobs. Default: all that arrive in `duration_s`.
    #[schemars(range(min = 1, max = 10000000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// How long they run.
    pub length: JobLengths,
    /// CPU of one node \[cores\], drawn by weight. Default: the section's `cpu_cores`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cores: Vec<WeightedCores>,
    /// Number of nodes, drawn by weight. Default: the section's `nodes`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub node_counts: Vec<WeightedNodes>,
    /// Tenants over which jobs are dealt in turn; they are called after the section. Default 1: the section's `tenant`.
    #[schemars(range(min = 1, max = 1000000))]
    #[serde(default = "one_tenant")]
    pub tenants: u32,
}

/// How long jobs run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum JobLengths {
    /// All the same.
    Constant {
        /// How long \[s\].
        #[schemars(range(min = 0.001, max = 3153600000.0))]
        length_s: f64,
    },
    /// Exponential.
    Exponential {
        /// Mean \[s\].
        #[schemars(range(min = 0.001, max = 3153600000.0))]
        mean_s: f64,
    },
    /// Log-normal.
    Lognormal {
        /// Median \[s\].
        #[schemars(range(min = 0.001, max = 3153600000.0))]
        median_s: f64,
        /// Standard deviation of the logarithm.
        #[schemars(range(min = 0.0, max = 5.0))]
        sigma: f64,
    },
    /// Several log-normal ones: short and long jobs, say.
    LognormalMixture {
        /// The parts.
        #[schemars(length(min = 1))]
        parts: Vec<LognormalPart>,
    },
    /// Uniform.
    Uniform {
        /// Shortest \[s\].
        #[schemars(range(min = 0.001, max = 3153600000.0))]
        low_s: f64,
        /// Longest \[s\].
        #[schemars(range(min = 0.001, max = 3153600000.0))]
        high_s: f64,
    },
    /// Values drawn by weight: an empirical distribution.
    List {
        /// The values.
        #[schemars(length(min = 1))]
        values: Vec<WeightedLength>,
    },
}

/// One part of a mixture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LognormalPart {
    /// Median \[s\].
    #[schemars(range(min = 0.001, max = 3153600000.0))]
    pub median_s: f64,
    /// Standard deviation of the logarithm.
    #[schemars(range(min = 0.0, max = 5.0))]
    pub sigma: f64,
    /// Its share of the jobs, over the sum of all weights. Default 1.
    #[schemars(range(min = 0.0, max = 1000000000.0))]
    #[serde(default = "one")]
    pub weight: f64,
}

/// A length with a weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeightedLength {
    /// Length \[s\].
    #[schemars(range(min = 0.001, max = 3153600000.0))]
    pub length_s: f64,
    /// Its share of the jobs, over the sum of all weights. Default 1.
    #[schemars(range(min = 0.0, max = 1000000000.0))]
    #[serde(default = "one")]
    pub weight: f64,
}

/// A CPU size with a weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeightedCores {
    /// CPU of one node \[cores\].
    #[schemars(range(min = 0.001, max = 4000000.0))]
    pub cores: f64,
    /// Its share of the jobs, over the sum of all weights. Default 1.
    #[schemars(range(min = 0.0, max = 1000000000.0))]
    #[serde(default = "one")]
    pub weight: f64,
}

/// A number of nodes with a weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeightedNodes {
    /// How many nodes.
    #[schemars(range(min = 1, max = 1000000))]
    pub nodes: u32,
    /// Its share of the jobs, over the sum of all weights. Default 1.
    #[schemars(range(min = 0.0, max = 1000000000.0))]
    #[serde(default = "one")]
    pub weight: f64,
}

fn one() -> f64 {
    1.0
}

fn one_tenant() -> u32 {
    1
}

/// Weights as a ladder from 0 to 1.
struct Ladder(Vec<f64>);

impl Ladder {
    fn new(key: &str, weights: impl Iterator<Item = f64>) -> Result<Self, WorkloadError> {
        let weights: Vec<f64> = weights.collect();
        for weight in &weights {
            range(&format!("source.synthetic.{key}.weight"), *weight, 0.0, 1e9)?;
        }
        let sum: f64 = weights.iter().sum();
        if !weights.is_empty() && sum <= 0.0 {
            return Err(wrong(
                format!("source.synthetic.{key}: all weights are 0"),
                "give at least one of them a weight above 0",
            ));
        }
        let mut up_to = 0.0;
        let steps = weights.iter().map(|w| {
            up_to += w / sum;
            up_to
        });
        Ok(Self(steps.collect()))
    }

    /// The place at a uniform number; one of weight 0 is never taken.
    fn at(&self, u: f64) -> usize {
        let last = self.0.windows(2).rposition(|w| w[1] > w[0]).map_or(0, |i| i + 1);
        self.0.iter().position(|step| u < *step).unwrap_or(last)
    }
}

impl JobLengths {
    fn check(&self) -> Result<Ladder, WorkloadError> {
        let time = |key: &str, s: f64| range(&format!("source.synthetic.length.{key}"), s, SHORTEST_S, MOST_S);
        let none = || Ok(Ladder(Vec::new()));
        match self {
            Self::Constant { length_s } => time("constant.length_s", *length_s).and_then(|()| none()),
            Self::Exponential { mean_s } => time("exponential.mean_s", *mean_s).and_then(|()| none()),
            Self::Lognormal { median_s, sigma } => {
                range("source.synthetic.length.lognormal.sigma", *sigma, 0.0, 5.0)?;
                time("lognormal.median_s", *median_s).and_then(|()| none())
            }
            Self::LognormalMixture { parts } => {
                for part in parts {
                    time("lognormal-mixture.parts.median_s", part.median_s)?;
                    range("source.synthetic.length.lognormal-mixture.parts.sigma", part.sigma, 0.0, 5.0)?;
                }
                not_empty("length.lognormal-mixture.parts", parts.len())?;
                Ladder::new("length.lognormal-mixture.parts", parts.iter().map(|p| p.weight))
            }
            Self::Uniform { low_s, high_s } => {
                time("uniform.low_s", *low_s)?;
                time("uniform.high_s", *high_s)?;
                if low_s > high_s {
                    return Err(wrong(
                        format!("source.synthetic.length.uniform: low_s = {low_s} is above high_s = {high_s}"),
                        "choose a low_s up to high_s",
                    ));
                }
                none()
            }
            Self::List { values } => {
                for value in values {
                    time("list.values.length_s", value.length_s)?;
                }
                not_empty("length.list.values", values.len())?;
                Ladder::new("length.list.values", values.iter().map(|v| v.weight))
            }
        }
    }

    /// A length \[s\].
    fn draw(&self, ladder: &Ladder, stream: &mut Stream) -> f64 {
        match self {
            Self::Constant { length_s } => *length_s,
            Self::Exponential { mean_s } => stream.exponential(*mean_s),
            Self::Lognormal { median_s, sigma } => stream.lognormal(*median_s, *sigma),
            Self::LognormalMixture { parts } => {
                let part = &parts[ladder.at(stream.uniform())];
                stream.lognormal(part.median_s, part.sigma)
            }
            Self::Uniform { low_s, high_s } => low_s + (high_s - low_s) * stream.uniform(),
            Self::List { values } => values[ladder.at(stream.uniform())].length_s,
        }
    }
}

fn not_empty(key: &str, count: usize) -> Result<(), WorkloadError> {
    if count > 0 {
        return Ok(());
    }
    Err(wrong(format!("source.synthetic.{key} is empty"), "give at least one"))
}

/// Makes the jobs.
pub(super) fn make(spec: &SyntheticJobsSpec, context: &JobsContext<'_>) -> Result<Rows, WorkloadError> {
    let key = |key: &str| format!("source.synthetic.{key}");
    let arrivals = &spec.arrivals;
    range(&key("arrivals.rate_per_h"), arrivals.rate_per_h, 1e-6, 1e8)?;
    range(&key("arrivals.peak_to_trough"), arrivals.peak_to_trough, 1.0, 1e9)?;
    range(&key("arrivals.peak_hour_utc"), arrivals.peak_hour_utc, 0.0, 24.0)?;
    range(&key("tenants"), spec.tenants.into(), 1.0, 1e6)?;
    if spec.duration_s.is_none() && spec.count.is_none() {
        return Err(wrong(
            "source.synthetic: there is neither duration_s nor count".to_owned(),
            "say until when jobs arrive with duration_s, or how many with count",
        ));
    }
    let end = spec.duration_s.unwrap_or(MOST_S);
    range(&key("duration_s"), end, 0.001, MOST_S)?;
    let expected = end / 3600.0 * arrivals.rate_per_h;
    if spec.count.is_none() && expected > MOST_JOBS {
        let what = format!("source.synthetic: about {expected:.0} jobs would arrive, more than {MOST_JOBS}");
        return Err(wrong(what, "lower arrivals.rate_per_h or duration_s, or set count"));
    }
    let lengths = spec.length.check()?;
    for c in &spec.cores {
        range(&key("cores.cores"), c.cores, 0.001, 4e6)?;
    }
    for n in &spec.node_counts {
        range(&key("node_counts.nodes"), n.nodes.into(), 1.0, 1e6)?;
    }
    let cores = Ladder::new("cores", spec.cores.iter().map(|c| c.weight))?;
    let nodes = Ladder::new("node_counts", spec.node_counts.iter().map(|n| n.weight))?;
    let (end, start_hour) = (SimTime::from_secs_f64(end), hour_of_day(context.start));
    let seed = context.seed;
    let mut times = seed.stream("arrivals", 0);
    let mut rows = Rows::default();
    if spec.tenants > 1 {
        for t in 0..spec.tenants {
            rows.tenants.of(&format!("{}-{t}", context.name));
        }
    }
    let mut now = SimTime::ZERO;
    while spec.count.is_none_or(|count| rows.jobs.len() < count as usize) {
        now = arrivals.after(now, end, start_hour, &mut times);
        if now >= end {
            break;
        }
        let number = rows.jobs.len() as u64;
        let stream = |purpose: &str| seed.stream(purpose, number);
        let length = spec.length.draw(&lengths, &mut stream("length")).clamp(SHORTEST_S, MOST_S);
        let cpu = (!spec.cores.is_empty()).then(|| spec.cores[cores.at(stream("cores").uniform())].cores);
        let count = (!spec.node_counts.is_empty()).then(|| spec.node_counts[nodes.at(stream("nodes").uniform())].nodes);
        rows.jobs.push(Raw {
            name: format!("j{number}").into(),
            number,
            arrival: now.0,
            length: ns(length),
            cpu: cpu.map(micro_cores),
            nodes: count,
            tenant: (spec.tenants > 1).then(|| (number % u64::from(spec.tenants)) as u32),
            ..Raw::default()
        });
    }
    rows.notes.push("made jobs, no trace".to_owned());
    Ok(rows)
}
