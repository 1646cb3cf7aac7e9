//! What made instances ask for, and how long they live.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wrong;
use crate::types::{Duration, Memory, Stream};
use crate::workload::WorkloadError;

const MICRO: f64 = 1e6;
/// No life is shorter \[s\].
const SHORTEST_S: f64 = 0.001;

/// What instances ask for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Sizes {
    /// Five sizes counted in the 50 VMs of the Bitbrains sample (GWA-T-12, 2013): 1, 2, 4, 8 and 32 cores with weights 18, 8,
    /// 14, 9 and 1, and the median memory of each.
    Bitbrains {},
    /// A list.
    List {
        /// The sizes.
        sizes: Vec<Shape>,
    },
    /// Bounded Pareto distributions of cores and memory, drawn from one uniform number, so that who asks for more of one asks
    /// for more of the other (assumed).
    ///
    /// Formula: x = low (1 - u (1 - (low / high)^alpha))^(-1 / alpha).
    BoundedPareto {
        /// Tail of CPU. Default 0.69: published for the resource-hours of jobs in Borg 2019; taken for sizes here (assumed).
        #[schemars(range(min = 0.01, max = 10.0))]
        #[serde(default = "cpu_alpha")]
        cpu_alpha: f64,
        /// Tail of memory. Default 0.72: as `cpu_alpha`.
        #[schemars(range(min = 0.01, max = 10.0))]
        #[serde(default = "memory_alpha")]
        memory_alpha: f64,
        /// Least CPU \[cores\].
        #[schemars(range(min = 0.001, max = 1000000.0))]
        least_cores: f64,
        /// Most CPU \[cores\]: with a tail below 1 the mean depends on it, so report it.
        #[schemars(range(min = 0.001, max = 1000000.0))]
        most_cores: f64,
        /// Least memory \[MB\].
        #[schemars(range(min = 1.0, max = 1000000000.0))]
        least_memory_mb: f64,
        /// Most memory \[MB\].
        #[schemars(range(min = 1.0, max = 1000000000.0))]
        most_memory_mb: f64,
    },
}

/// One size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// CPU that placement counts \[cores\].
    #[schemars(range(min = 0.001, max = 1000000.0))]
    pub cores: f64,
    /// Memory that placement counts \[MB\].
    #[schemars(range(min = 0.0, max = 1000000000.0))]
    pub memory_mb: f64,
    /// How often, relative to the others. Default 1.
    #[schemars(range(min = 0.0, max = 1000000000.0))]
    #[serde(default = "one")]
    pub weight: f64,
}

/// How long instances live.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Lifetime {
    /// Up to `duration_s`.
    WholeRun {},
    /// All as long.
    Fixed {
        /// How long \[s\].
        #[schemars(range(min = 0.001, max = 3153600000.0))]
        life_s: f64,
    },
    /// Log-normal.
    Lognormal {
        /// The median \[s\].
        #[schemars(range(min = 0.001, max = 3153600000.0))]
        median_s: f64,
        /// Sigma of the logarithm.
        #[schemars(range(min = 0.0, max = 5.0))]
        sigma: f64,
    },
}

impl Default for Sizes {
    fn default() -> Self {
        Self::Bitbrains {}
    }
}

impl Default for Lifetime {
    fn default() -> Self {
        Self::WholeRun {}
    }
}

fn one() -> f64 {
    1.0
}

fn cpu_alpha() -> f64 {
    0.69
}

fn memory_alpha() -> f64 {
    0.72
}

/// Cores, median memory [MB of 10^6 bytes, from the KB of 1024 bytes of the trace] and count in the Bitbrains sample of 50 VMs.
const BITBRAINS: [(f64, f64, f64); 5] = [
    (1.0, 261.154_816, 18.0),
    (2.0, 8_560.574_464, 8.0),
    (4.0, 8_522.825_728, 14.0),
    (8.0, 34_221.326_336, 9.0),
    (32.0, 133_588.582_4, 1.0),
];

/// Sizes, ready to draw from.
#[derive(Debug)]
pub(super) struct Drawer {
    sizes: Sizes,
    /// Cores, memory and the sum of the weights so far.
    list: Vec<(f64, f64, f64)>,
}

impl Sizes {
    pub(super) fn check(&self) -> Result<(), WorkloadError> {
        let fail = |what: &str, help: &str| Err(wrong("synthetic", what, help.to_owned()));
        match self {
            Self::Bitbrains {} => Ok(()),
            Self::List { sizes } => {
                let sound = |s: &Shape| {
                    (0.001..=1e6).contains(&s.cores)
                        && (0.0..=1e9).contains(&s.memory_mb)
                        && (0.0..=1e9).contains(&s.weight)
                };
                if let Some(at) = sizes.iter().position(|s| !sound(s)) {
                    let what = format!("sizes.list.sizes, number {}: {:?}", at + 1, sizes[at]);
                    return fail(&what, "cores are from 0.001 to 10^6, memory_mb and weight from 0 to 10^9");
                }
                if sizes.iter().map(|s| s.weight).sum::<f64>() <= 0.0 {
                    return fail(
                        "sizes.list.sizes has no weight",
                        "give a list of sizes, one of them with a weight above 0",
                    );
                }
                Ok(())
            }
            &Self::BoundedPareto {
                cpu_alpha,
                memory_alpha,
                least_cores,
                most_cores,
                least_memory_mb,
                most_memory_mb,
            } => {
                if !((0.01..=10.0).contains(&cpu_alpha) && (0.01..=10.0).contains(&memory_alpha)) {
                    let what = format!("sizes.bounded-pareto: cpu_alpha = {cpu_alpha}, memory_alpha = {memory_alpha}");
                    return fail(&what, "write numbers from 0.01 to 10");
                }
                let cores = least_cores >= 0.001 && least_cores <= most_cores && most_cores <= 1e6;
                let memory = least_memory_mb >= 1.0 && least_memory_mb <= most_memory_mb && most_memory_mb <= 1e9;
                if !(cores && memory) {
                    let what = format!(
                        "sizes.bounded-pareto: cores from {least_cores} to {most_cores}, memory from {least_memory_mb} to \
                         {most_memory_mb} MB"
                    );
                    return fail(
                        &what,
                        "0.001 <= least_cores <= most_cores <= 10^6, 1 <= least_memory_mb <= most_memory_mb <= 10^9",
                    );
                }
                Ok(())
            }
        }
    }

    pub(super) fn drawer(&self) -> Drawer {
        let list: Vec<(f64, f64, f64)> = match self {
            Self::Bitbrains {} => BITBRAINS.to_vec(),
            Self::List { sizes } => sizes.iter().map(|s| (s.cores, s.memory_mb, s.weight)).collect(),
            Self::BoundedPareto { .. } => Vec::new(),
        };
        let mut sum = 0.0;
        let add = |(cores, memory, weight): (f64, f64, f64)| {
            sum += weight;
            (cores, memory, sum)
        };
        Drawer { sizes: self.clone(), list: list.into_iter().map(add).collect() }
    }
}

impl Drawer {
    /// CPU [millionths of a core] and memory of one instance, from one uniform number.
    pub fn draw(&self, u: f64) -> (u64, Memory) {
        let (cores, memory_mb) = match self.sizes {
            Sizes::BoundedPareto {
                cpu_alpha,
                memory_alpha,
                least_cores,
                most_cores,
                least_memory_mb,
                most_memory_mb,
            } => (
                pareto(u, cpu_alpha, least_cores, most_cores),
                pareto(u, memory_alpha, least_memory_mb, most_memory_mb),
            ),
            Sizes::Bitbrains {} | Sizes::List { .. } => {
                let total = self.list.last().map_or(0.0, |s| s.2);
                let at = self.list.partition_point(|s| s.2 <= u * total).min(self.list.len() - 1);
                (self.list[at].0, self.list[at].1)
            }
        };
        ((cores * MICRO).round() as u64, Memory::from_mb(memory_mb))
    }
}

/// Quantile of the bounded Pareto distribution.
fn pareto(u: f64, alpha: f64, low: f64, high: f64) -> f64 {
    low * libm::pow(1.0 - u * (1.0 - libm::pow(low / high, alpha)), -1.0 / alpha)
}

impl Lifetime {
    pub(super) fn check(&self) -> Result<(), WorkloadError> {
        let fail = |what: String| {
            let help = "times are from 0.001 s to a century, sigma is from 0 to 5".to_owned();
            Err(wrong("synthetic", &what, help))
        };
        let time = |s: f64| (SHORTEST_S..=3_153_600_000.0).contains(&s);
        match *self {
            Self::Fixed { life_s } if !time(life_s) => fail(format!("lifetime.fixed.life_s = {life_s}")),
            Self::Lognormal { median_s, sigma } if !time(median_s) || !(0.0..=5.0).contains(&sigma) => {
                fail(format!("lifetime.lognormal: median_s = {median_s}, sigma = {sigma}"))
            }
            _ => Ok(()),
        }
    }

    /// The life of one instance that begins `left` before the end of the run. `residual`: what is left of the life of one met at
    /// an instant, which is longer than usual by its chance of being met, and a uniform part of it is left.
    pub(super) fn draw(&self, stream: &mut Stream, left: Duration, residual: bool) -> Duration {
        let seconds = match *self {
            Self::WholeRun {} => return left,
            Self::Fixed { life_s } if residual => life_s * stream.uniform(),
            Self::Fixed { life_s } => life_s,
            // Lives weighted by their length are log-normal with the same sigma and a median of exp(sigma^2) times that.
            Self::Lognormal { median_s, sigma } if residual => {
                let met = stream.lognormal(median_s * libm::exp(sigma * sigma), sigma);
                met * stream.uniform()
            }
            Self::Lognormal { median_s, sigma } => stream.lognormal(median_s, sigma),
        };
        Duration::from_secs_f64(seconds.max(SHORTEST_S))
    }
}
