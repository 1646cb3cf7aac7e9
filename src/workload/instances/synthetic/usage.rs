//! How much a made instance uses: constant, independent from step to step, or like the tasks of Borg.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::Usage;
use super::wrong;
use crate::types::{Duration, Memory, Seed, SimTime, Stream, normal_quantile};
use crate::workload::WorkloadError;

const SECONDS_PER_HOUR: f64 = 3600.0;
const HOURS_PER_DAY: f64 = 24.0;
/// Points of the midpoint rule over the quantiles of a level's distribution: relative error of its mean below 1e-4.
const POINTS: u32 = 1000;
const BISECTIONS: u32 = 60;

/// How CPU demand runs over an instance's life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum UsageSpec {
    /// A constant share of the request.
    Constant(ShareSpec),
    /// Independent draws, one per step, the same distribution for all instances.
    Iid(IidSpec),
    /// A level of the instance's own, a daily rhythm and a noise that all share, noise of its own, and spikes.
    LikeBorg(LikeBorgSpec),
}

/// A constant share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareSpec {
    /// CPU demand as a share of the request. 0.31 is what Sysdig found in 2023 (69 % of requested CPU unused).
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub share: f64,
}

/// Independent draws.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IidSpec {
    /// Mean demand \[cores\]. Default 1.
    #[schemars(range(min = 0.000001, max = 1000000.0))]
    #[serde(default = "one")]
    pub mean_cores: f64,
    /// The distribution of each step's demand.
    pub distribution: Draw,
}

/// A distribution with a given mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Draw {
    /// Exponential: coefficient of variation 1.
    Exponential {},
    /// Weibull with this shape and scale = mean / Gamma(1 + 1 / shape).
    Weibull {
        /// Shape; 1 is the exponential, more is steadier.
        #[schemars(range(min = 0.1, max = 100.0))]
        shape: f64,
    },
}

/// Usage like that of the tasks of Borg, in one cell of 2019.
///
/// Formula, for instance i in the step at time t: usage / limit = min(1, `L_i` D(t) W(t) exp(n - sigma^2 / 2)), then in a spike
/// x + (1 - x) h. ln(L / (1 - L)) is normal with deviation `level_sigma`, and a mean such that the mean of usage / limit is
/// `mean_share`; D(t) = 1 + a cos(2 pi (hour - peak) / 24); W is log-normal with mean 1, drawn anew for each hour and linear
/// between hours; n is an autoregression of order 1; a spike begins in each step with probability `spike_probability`, lasts a
/// geometric number of steps, and its height h is uniform on (0, 1).
///
/// Targets and what holds them (`docs/instance-traces.md`): 95th percentile of usage / limit below 0.9; sum of the tasks'
/// peaks over a day about 1.5 times the machine's peak, 25 tasks on a machine; over the whole cell a median daily peak / trough
/// of 1.52 and a lag-one-day autocorrelation of 0.32, both of hourly means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LikeBorgSpec {
    /// Mean of usage / limit. Default 0.31: published (Sysdig 2023, of requested CPU); Borg 2019 gives 0.33 (50 % of capacity used
    /// at 1.5 times the capacity committed).
    #[schemars(range(min = 0.01, max = 0.9))]
    #[serde(default = "mean_share")]
    pub mean_share: f64,
    /// Spread of the instances' levels on the logit scale. Assumed: 1; a larger one makes more instances idle and more busy.
    #[schemars(range(min = 0.0, max = 5.0))]
    #[serde(default = "one")]
    pub level_sigma: f64,
    /// Amplitude of the daily rhythm. Default 0.095: fitted, together with `common_sigma`, to a daily peak / trough of 1.52 and an
    /// autocorrelation of 0.32 (Google 2019).
    #[schemars(range(min = 0.0, max = 0.99))]
    #[serde(default = "daily_amplitude")]
    pub daily_amplitude: f64,
    /// Hour of the day at which usage peaks \[h, UTC\]. Assumed: 14.
    #[schemars(range(min = 0.0, max = 24.0))]
    #[serde(default = "peak_hour")]
    pub peak_hour_utc: f64,
    /// Sigma of the hourly noise that all instances share. Default 0.107: fitted, see `daily_amplitude`.
    #[schemars(range(min = 0.0, max = 2.0))]
    #[serde(default = "common_sigma")]
    pub common_sigma: f64,
    /// Sigma of the instance's own noise. Default 0.25: fitted, together with `spike_probability`, to a sum of peaks of 1.5 times
    /// the machine's.
    #[schemars(range(min = 0.0, max = 2.0))]
    #[serde(default = "noise_sigma")]
    pub noise_sigma: f64,
    /// Autocorrelation of the instance's own noise from one step to the next. Assumed: 0.9.
    #[schemars(range(min = 0.0, max = 0.9999))]
    #[serde(default = "noise_correlation")]
    pub noise_correlation: f64,
    /// Probability that a spike begins in a step. Default 0.001: fitted, see `noise_sigma`.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(default = "spike_probability")]
    pub spike_probability: f64,
    /// Mean length of a spike \[steps\]. Assumed: 2.
    #[schemars(range(min = 1.0, max = 1000.0))]
    #[serde(default = "spike_steps")]
    pub spike_steps: f64,
}

fn one() -> f64 {
    1.0
}

fn mean_share() -> f64 {
    0.31
}

fn daily_amplitude() -> f64 {
    0.095
}

fn peak_hour() -> f64 {
    14.0
}

fn common_sigma() -> f64 {
    0.107
}

fn noise_sigma() -> f64 {
    0.25
}

fn noise_correlation() -> f64 {
    0.9
}

fn spike_probability() -> f64 {
    0.001
}

fn spike_steps() -> f64 {
    2.0
}

impl UsageSpec {
    /// The name, as in the scenario.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Constant(_) => "constant",
            Self::Iid(_) => "iid",
            Self::LikeBorg(_) => "like-borg",
        }
    }

    /// Checks the ranges.
    pub(in super::super) fn check(&self, section: &str) -> Result<(), WorkloadError> {
        let range = |key: &str, value: f64, low: f64, high: f64| {
            let inside = value >= low && value <= high;
            inside.then_some(()).ok_or_else(|| {
                let key = format!("usage.{}.{key}", self.name());
                wrong(section, &format!("{key} = {value}"), format!("write a finite number from {low} to {high}"))
            })
        };
        match self {
            Self::Constant(s) => range("share", s.share, 0.0, 1000.0),
            Self::Iid(s) => {
                range("mean_cores", s.mean_cores, 1e-6, 1e6)?;
                match s.distribution {
                    Draw::Exponential {} => Ok(()),
                    Draw::Weibull { shape } => range("distribution.weibull.shape", shape, 0.1, 100.0),
                }
            }
            Self::LikeBorg(s) => {
                range("mean_share", s.mean_share, 0.01, 0.9)?;
                range("level_sigma", s.level_sigma, 0.0, 5.0)?;
                range("daily_amplitude", s.daily_amplitude, 0.0, 0.99)?;
                range("peak_hour_utc", s.peak_hour_utc, 0.0, 24.0)?;
                range("common_sigma", s.common_sigma, 0.0, 2.0)?;
                range("noise_sigma", s.noise_sigma, 0.0, 2.0)?;
                range("noise_correlation", s.noise_correlation, 0.0, 0.9999)?;
                range("spike_probability", s.spike_probability, 0.0, 1.0)?;
                range("spike_steps", s.spike_steps, 1.0, 1000.0)
            }
        }
    }
}

/// What all instances of a source have in common.
#[derive(Debug)]
pub(in super::super) struct Processes {
    spec: UsageSpec,
    step: Duration,
    seed: Seed,
    /// Hour of the day at the run's start.
    start_hour: f64,
    /// Mean of the levels' logits (like-borg), or the distribution's scale \[cores\] (iid).
    fitted: f64,
    /// The shared noise of the hour looked at last, and of the one after it, standard normal.
    hour: Option<(u64, f64, f64)>,
}

/// The usage of one instance.
#[derive(Debug, Clone)]
pub(in super::super) struct Process {
    number: u32,
    begin: SimTime,
    length: Duration,
    cpu: u64,
    limit: u64,
    memory: Option<Memory>,
    // What follows moves on with every step.
    stream: Stream,
    at: Duration,
    level: f64,
    noise: f64,
    spike: Option<f64>,
}

impl Processes {
    /// `spec` is checked. `seed` is the source's own.
    pub fn new(spec: &UsageSpec, step: Duration, seed: Seed, start_hour: f64) -> Self {
        let fitted = match spec {
            UsageSpec::Constant(_) => 0.0,
            UsageSpec::Iid(s) => match s.distribution {
                Draw::Exponential {} => s.mean_cores,
                Draw::Weibull { shape } => s.mean_cores / libm::tgamma(1.0 + 1.0 / shape),
            },
            UsageSpec::LikeBorg(s) => level_mean(s),
        };
        Self { spec: spec.clone(), step, seed: seed.derive("usage"), start_hour, fitted, hour: None }
    }

    /// An instance's usage from its beginning: it depends on the seed, its number and its own figures, and on no other instance.
    pub fn begin(
        &self,
        number: u32,
        begin: SimTime,
        length: Duration,
        (cpu, limit): (u64, u64),
        memory: Option<Memory>,
    ) -> Process {
        let stream = self.seed.stream("steps", number.into());
        let mut process = Process {
            number,
            begin,
            length,
            cpu,
            limit,
            memory,
            stream,
            at: Duration::ZERO,
            level: 0.0,
            noise: 0.0,
            spike: None,
        };
        if let UsageSpec::LikeBorg(s) = &self.spec {
            let z = self.seed.stream("level", number.into()).standard_normal();
            process.level = logistic(self.fitted + s.level_sigma * z);
            process.noise = process.stream.standard_normal();
        }
        process
    }

    /// The same instance from its beginning.
    pub fn again(&self, process: &Process) -> Process {
        let (cpu, limit) = (process.cpu, process.limit);
        self.begin(process.number, process.begin, process.length, (cpu, limit), process.memory)
    }

    /// The next piece; `None` at the end of the instance's life.
    pub fn next(&mut self, process: &mut Process) -> Option<Usage> {
        let left = Duration(process.length.0.saturating_sub(process.at.0));
        if left == Duration::ZERO {
            return None;
        }
        let (duration, cpu) = match &self.spec {
            UsageSpec::Constant(s) => (left, (s.share * process.cpu as f64).round() as u64),
            UsageSpec::Iid(s) => {
                let x = -libm::log(process.stream.uniform());
                let x = match s.distribution {
                    Draw::Exponential {} => x,
                    Draw::Weibull { shape } => libm::pow(x, 1.0 / shape),
                };
                (self.step.min(left), (x * self.fitted * 1e6).round() as u64)
            }
            UsageSpec::LikeBorg(_) => {
                (self.step.min(left), (self.share(process) * process.limit as f64).round() as u64)
            }
        };
        process.at = process.at + duration;
        Some(Usage { duration, cpu, memory: process.memory })
    }

    /// Usage / limit of the step that begins at `process.at`, and the state after it.
    fn share(&mut self, process: &mut Process) -> f64 {
        let hours = (process.begin + process.at).as_secs_f64() / SECONDS_PER_HOUR;
        let common = self.common(hours);
        let UsageSpec::LikeBorg(s) = &self.spec else { return 0.0 };
        let phase = (self.start_hour + hours - s.peak_hour_utc) / HOURS_PER_DAY;
        let daily = 1.0 + s.daily_amplitude * libm::cos(std::f64::consts::TAU * phase);
        let shared = libm::exp(s.common_sigma * (common - 0.5 * s.common_sigma));
        let own = libm::exp(s.noise_sigma * (process.noise - 0.5 * s.noise_sigma));
        let plain = (process.level * daily * shared * own).min(1.0);
        // Two draws per step, whatever happens in it, so that a spike moves nothing after it.
        let (z, u) = (process.stream.standard_normal(), process.stream.uniform());
        let r = s.noise_correlation;
        process.noise = r * process.noise + (1.0 - r * r).sqrt() * z;
        match process.spike {
            None => {
                // Given that it is below p, u / p is uniform: the spike's height.
                process.spike = (u < s.spike_probability).then(|| u / s.spike_probability);
                plain
            }
            Some(height) => {
                if u < 1.0 / s.spike_steps {
                    process.spike = None;
                }
                plain + (1.0 - plain) * height
            }
        }
    }

    /// The shared noise at an hour of the run, standard normal at every instant.
    fn common(&mut self, hours: f64) -> f64 {
        let hour = hours as u64;
        let (_, a, b) = match self.hour {
            Some(known) if known.0 == hour => known,
            _ => {
                let draw = |h: u64| self.seed.stream("common", h).standard_normal();
                *self.hour.insert((hour, draw(hour), draw(hour + 1)))
            }
        };
        let f = hours - hour as f64;
        let g = 1.0 - f;
        (g * a + f * b) / (g * g + f * f).sqrt()
    }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

/// The mean of the levels' logits with which the mean of usage / limit is the wanted one: spikes, which take a share q of all
/// steps and half of what is free on average, are taken off; the cap at the limit, which takes a little, is not added.
fn level_mean(s: &LikeBorgSpec) -> f64 {
    let on = s.spike_probability * s.spike_steps;
    let q = on / (1.0 + on);
    let wanted = ((s.mean_share - 0.5 * q) / (1.0 - 0.5 * q)).max(1e-6);
    let mean = |mu: f64| {
        let points = (0..POINTS).map(|i| normal_quantile((f64::from(i) + 0.5) / f64::from(POINTS)));
        points.map(|z| logistic(mu + s.level_sigma * z)).sum::<f64>() / f64::from(POINTS)
    };
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..BISECTIONS {
        let middle = 0.5 * (low + high);
        if mean(middle) < wanted { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}
