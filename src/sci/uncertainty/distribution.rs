//! Distributions of one figure, each by its quantile function: one uniform number makes one value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Wrong;
use crate::types::normal_quantile;

/// How a figure is spread. Values below 0 do not occur.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Distribution {
    /// Every value between two bounds alike: where only the bounds are known.
    Uniform(Uniform),
    /// Between two bounds, with a value that is likeliest.
    Triangular(Triangular),
    /// Normal, cut off at 0: a symmetric error of measurement, small beside the mean.
    Normal(Normal),
    /// Log-normal by median and geometric standard deviation: an error by a factor.
    Lognormal(Lognormal),
    /// Log-normal by the two ends of its 90 % interval.
    LognormalRange(LognormalRange),
}

/// `uniform`: value = low + u (high - low).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Uniform {
    /// Lowest value.
    #[schemars(range(min = 0.0))]
    pub low: f64,
    /// Highest value, at least the lowest.
    #[schemars(range(min = 0.0))]
    pub high: f64,
}

/// `triangular`: density rises in a line from `low` to `mode` and falls to `high`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Triangular {
    /// Lowest value.
    #[schemars(range(min = 0.0))]
    pub low: f64,
    /// Likeliest value.
    #[schemars(range(min = 0.0))]
    pub mode: f64,
    /// Highest value.
    #[schemars(range(min = 0.0))]
    pub high: f64,
}

/// `normal`, truncated at 0; refused if more than 1 % of it lies below 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Normal {
    /// Mean before the cut.
    #[schemars(range(min = 0.0))]
    pub mean: f64,
    /// Standard deviation before the cut.
    #[schemars(range(min = 0.0))]
    pub sd: f64,
}

/// `lognormal`: value = median x gsd^z, z standard normal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lognormal {
    /// Median, above 0.
    #[schemars(range(min = 0.0))]
    pub median: f64,
    /// Geometric standard deviation, from 1: two thirds of the values lie within this factor of the median.
    #[schemars(range(min = 1.0))]
    pub gsd: f64,
}

/// `lognormal-range`: the log-normal of which 5 % lie below `p05` and 5 % above `p95`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LognormalRange {
    /// 5 % of the values are below, above 0.
    #[schemars(range(min = 0.0))]
    pub p05: f64,
    /// 5 % of the values are above.
    #[schemars(range(min = 0.0))]
    pub p95: f64,
}

/// The largest part of a normal distribution that may lie below 0.
const MOST_BELOW_ZERO: f64 = 0.01;

/// How many standard deviations a lifespan's mean must be above 0: nearer, 1 / lifespan has no mean to speak of.
const LIFE_ABOVE_ZERO: f64 = 5.0;

impl Distribution {
    /// The value that a share `p` in (0, 1) of all values is below. Never falls with `p`.
    pub fn quantile(&self, p: f64) -> f64 {
        match self {
            Self::Uniform(Uniform { low, high }) => low + p * (high - low),
            Self::Triangular(Triangular { low, mode, high }) => {
                let width = high - low;
                if width <= 0.0 {
                    return *mode;
                }
                if p * width <= mode - low {
                    low + libm::sqrt(p * width * (mode - low))
                } else {
                    high - libm::sqrt((1.0 - p) * width * (high - mode))
                }
            }
            Self::Normal(Normal { mean, sd }) => {
                if *sd <= 0.0 {
                    return *mean;
                }
                let below = normal_below_zero(*mean, *sd);
                (mean + sd * normal_quantile(below + p * (1.0 - below))).max(0.0)
            }
            Self::Lognormal(Lognormal { median, gsd }) => median * libm::exp(libm::log(*gsd) * normal_quantile(p)),
            Self::LognormalRange(LognormalRange { p05, p95 }) => {
                let (low, high) = (libm::log(*p05), libm::log(*p95));
                if high <= low {
                    return *p05;
                }
                let sigma = (high - low) / (2.0 * normal_quantile(0.95));
                libm::exp(0.5 * (low + high) + sigma * normal_quantile(p))
            }
        }
    }

    /// What is wrong with it, at its key.
    pub(super) fn check(&self, key: &str, wrong: &mut Vec<Wrong>) {
        let (name, values): (&str, &[(&str, f64)]) = match self {
            Self::Uniform(d) => ("uniform", &[("low", d.low), ("high", d.high)]),
            Self::Triangular(d) => ("triangular", &[("low", d.low), ("mode", d.mode), ("high", d.high)]),
            Self::Normal(d) => ("normal", &[("mean", d.mean), ("sd", d.sd)]),
            Self::Lognormal(d) => ("lognormal", &[("median", d.median), ("gsd", d.gsd)]),
            Self::LognormalRange(d) => ("lognormal-range", &[("p05", d.p05), ("p95", d.p95)]),
        };
        let key = format!("{key}.{name}");
        let before = wrong.len();
        for (part, value) in values {
            if !value.is_finite() || *value < 0.0 {
                let help = "give a finite number that is not negative";
                wrong.push(Wrong::new(format!("{key}.{part}"), format!("{value} is no such number"), help));
            }
        }
        if wrong.len() > before {
            return;
        }
        match self {
            Self::Uniform(_) | Self::Triangular(_) => {
                for pair in values.windows(2).filter(|pair| pair[0].1 > pair[1].1) {
                    let message = format!("{} {} is above {} {}", pair[0].0, pair[0].1, pair[1].0, pair[1].1);
                    wrong.push(Wrong::new(format!("{key}.{}", pair[0].0), message, "put them in ascending order"));
                }
            }
            Self::Normal(d) => {
                let below = if d.sd > 0.0 { normal_below_zero(d.mean, d.sd) } else { 0.0 };
                if below > MOST_BELOW_ZERO {
                    let message =
                        format!("{:.1} % of this normal distribution lies below 0, at most 1 % may", below * 100.0);
                    let help = "use a log-normal, or a standard deviation of at most 0.43 of the mean";
                    wrong.push(Wrong::new(format!("{key}.sd"), message, help));
                }
            }
            Self::Lognormal(d) => {
                if d.median <= 0.0 {
                    wrong.push(Wrong::new(format!("{key}.median"), "a log-normal has a median above 0", "give one"));
                }
                if d.gsd < 1.0 {
                    let help = "it is the factor by which a standard deviation multiplies: 1 is no spread";
                    wrong.push(Wrong::new(format!("{key}.gsd"), format!("{} is below 1", d.gsd), help));
                }
            }
            Self::LognormalRange(d) => {
                if d.p05 <= 0.0 {
                    wrong.push(Wrong::new(format!("{key}.p05"), "a log-normal lies above 0", "give a number above 0"));
                } else if d.p05 > d.p95 {
                    let message = format!("p05 {} is above p95 {}", d.p05, d.p95);
                    wrong.push(Wrong::new(format!("{key}.p05"), message, "put them in ascending order"));
                }
            }
        }
    }

    /// What is wrong with it as a lifespan, by which is divided.
    pub(super) fn check_life(&self, key: &str, wrong: &mut Vec<Wrong>) {
        let near = match self {
            Self::Uniform(d) => d.low <= 0.0,
            Self::Triangular(d) => d.low <= 0.0,
            Self::Normal(d) => d.mean <= 0.0 || d.mean < LIFE_ABOVE_ZERO * d.sd,
            Self::Lognormal(_) | Self::LognormalRange(_) => false,
        };
        if near {
            let help =
                "keep its lowest value above 0; of a normal distribution, the mean at 5 standard deviations or more";
            wrong.push(Wrong::new(
                key,
                "this lifespan may be next to 0, and embodied emissions are divided by it",
                help,
            ));
        }
    }
}

/// How much of a normal distribution lies below 0.
fn normal_below_zero(mean: f64, sd: f64) -> f64 {
    0.5 * libm::erfc(mean / (sd * std::f64::consts::SQRT_2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_closed_forms() {
        let near = |d: Distribution, p: f64, x: f64| {
            let q = d.quantile(p);
            assert!((q - x).abs() < 1e-12, "{d:?} at {p}: {q}, not {x}");
        };
        near(Distribution::Uniform(Uniform { low: 4.0, high: 6.0 }), 0.25, 4.5);
        // Triangle 0, 1, 2: F(x) = x² / 2 up to 1, and by symmetry.
        let triangle = || Distribution::Triangular(Triangular { low: 0.0, mode: 1.0, high: 2.0 });
        near(triangle(), 0.125, 0.5);
        near(triangle(), 0.875, 1.5);
        near(triangle(), 0.5, 1.0);
        near(Distribution::Triangular(Triangular { low: 1.0, mode: 1.0, high: 2.0 }), 0.75, 1.5);
        near(Distribution::Lognormal(Lognormal { median: 3.0, gsd: 2.0 }), 0.841_344_746_068_542_9, 6.0);
        let range = || Distribution::LognormalRange(LognormalRange { p05: 0.5, p95: 8.0 });
        near(range(), 0.05, 0.5);
        near(range(), 0.5, 2.0);
        near(range(), 0.95, 8.0);
        near(Distribution::Normal(Normal { mean: 10.0, sd: 1.0 }), 0.5, 10.0);
    }

    #[test]
    fn a_normal_distribution_is_cut_at_zero_and_keeps_its_shape_above() {
        // Half-normal limit: mean 0 leaves |z|, whose median is the 75 % quantile of z.
        let half = Distribution::Normal(Normal { mean: 0.0, sd: 2.0 });
        assert!((half.quantile(0.5) - 2.0 * 0.674_489_750_196_081_7).abs() < 1e-12);
        assert!(half.quantile(1e-12) >= 0.0);
    }

    #[test]
    fn without_spread_a_value_is_itself_to_the_last_bit() {
        for x in [1.0, 0.1, 1234.567] {
            let same = [
                Distribution::Uniform(Uniform { low: x, high: x }),
                Distribution::Triangular(Triangular { low: x, mode: x, high: x }),
                Distribution::Normal(Normal { mean: x, sd: 0.0 }),
                Distribution::Lognormal(Lognormal { median: x, gsd: 1.0 }),
                Distribution::LognormalRange(LognormalRange { p05: x, p95: x }),
            ];
            for d in same {
                assert_eq!([0.01, 0.5, 0.99].map(|p| d.quantile(p)), [x; 3], "{d:?}");
            }
        }
    }
}
