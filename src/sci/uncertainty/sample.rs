//! Samples of O, M and the score; what matters most; and which of two runs is the better one.

use super::UncertaintySpec;
use super::draw::{Input, inputs};
use super::parts::{Parts, Setting};
use crate::types::{Seed, Stream};

/// A figure under uncertainty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The run's own figure.
    pub run: f64,
    /// Mean of the samples.
    pub mean: f64,
    /// Standard deviation of the samples.
    pub sd: f64,
    /// 5 % of the samples are below.
    pub p05: f64,
    /// Median.
    pub p50: f64,
    /// 95 % of the samples are below.
    pub p95: f64,
}

/// One bar of the tornado.
#[derive(Debug, Clone, PartialEq)]
pub struct Swing {
    /// The input, in words.
    pub name: String,
    /// Its own value at 5, 50 and 95 %, with its unit (`x`: a factor); `None` where it has several.
    pub input: Option<([f64; 3], &'static str)>,
    /// O + M with this input at its 5 % quantile and all others at their medians \[gCO2e\].
    pub low_g: f64,
    /// The same at its 95 % quantile \[gCO2e\].
    pub high_g: f64,
    /// First-order share of the variance of O + M; NaN where there is none.
    pub variance_share: f64,
}

/// What uncertain figures make of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Uncertain {
    /// How many samples.
    pub samples: u32,
    /// O \[gCO2e\].
    pub operational_g: Estimate,
    /// M \[gCO2e\].
    pub embodied_g: Estimate,
    /// O + M \[gCO2e\].
    pub total_g: Estimate,
    /// (O + M) / R [gCO2e per unit]; `None` where R is 0: undefined.
    pub sci_g_per_unit: Option<Estimate>,
    /// What R counts.
    pub unit: String,
    /// R.
    pub units: f64,
    /// O + M with all inputs at their medians \[gCO2e\].
    pub central_g: f64,
    /// Inputs by their swing, the largest first.
    pub swings: Vec<Swing>,
}

/// The inputs of a run with the streams they draw from.
struct Draws<'a> {
    parts: &'a Parts,
    inputs: &'a [Input<'a>],
    streams: Vec<Stream>,
    setting: Setting,
}

impl<'a> Draws<'a> {
    fn new(parts: &'a Parts, inputs: &'a [Input<'a>], seed: Seed) -> Self {
        let streams = inputs.iter().map(|i| i.stream(seed)).collect();
        Self { parts, inputs, streams, setting: parts.setting() }
    }

    /// O and M of the next sample \[gCO2e\].
    fn next(&mut self) -> (f64, f64) {
        for (input, stream) in self.inputs.iter().zip(&mut self.streams) {
            input.set(stream.uniform(), self.parts, &mut self.setting);
        }
        self.parts.score(&self.setting)
    }
}

/// Samples a run.
///
/// Each sample draws every input once and independently. Variance shares are first-order Sobol indices, Var(E[Y | x]) / Var(Y) with
/// Y = O + M: as Y is linear in every input's figures, E[Y | x] is Y with all other figures at their means.
pub fn sample(parts: &Parts, spec: &UncertaintySpec, samples: u32, seed: Seed) -> Uncertain {
    let inputs = inputs(parts, spec);
    let n = samples.max(1) as usize;
    let mut means = parts.setting();
    inputs.iter().for_each(|input| input.clear(&mut means));
    let mut draws = Draws::new(parts, &inputs, seed);
    let (mut o, mut m) = (Vec::with_capacity(n), Vec::with_capacity(n));
    for _ in 0..n {
        let (operational, embodied) = draws.next();
        o.push(operational);
        m.push(embodied);
        inputs.iter().for_each(|input| input.add(&draws.setting, &mut means, 1.0 / n as f64));
    }
    let total: Vec<f64> = o.iter().zip(&m).map(|(o, m)| o + m).collect();
    let sci = total.iter().map(|g| crate::sci::intensity(*g, parts.units)).collect::<Option<Vec<f64>>>();
    let own_g = parts.operational_g + parts.embodied_g;
    let total_g = estimate(own_g, total);
    let own_sci = crate::sci::intensity(own_g, parts.units);
    let (central_g, swings) = swings(parts, &inputs, &means, total_g.sd * total_g.sd, n, seed);
    Uncertain {
        samples,
        operational_g: estimate(parts.operational_g, o),
        embodied_g: estimate(parts.embodied_g, m),
        total_g,
        sci_g_per_unit: own_sci.zip(sci).map(|(own, sci)| estimate(own, sci)),
        unit: parts.unit.clone(),
        units: parts.units,
        central_g,
        swings,
    }
}

fn swings(
    parts: &Parts,
    inputs: &[Input<'_>],
    means: &Setting,
    variance: f64,
    n: usize,
    seed: Seed,
) -> (f64, Vec<Swing>) {
    let total = |setting: &Setting| {
        let (operational, embodied) = parts.score(setting);
        operational + embodied
    };
    let mut central = parts.setting();
    inputs.iter().for_each(|input| input.set(0.5, parts, &mut central));
    let one = |input: &Input<'_>| {
        let mut setting = central.clone();
        let [low_g, high_g] = [0.05, 0.95].map(|p| {
            input.set(p, parts, &mut setting);
            total(&setting)
        });
        let mut stream = input.stream(seed);
        let mut setting = means.clone();
        let given: Vec<f64> = (0..n)
            .map(|_| {
                input.set(stream.uniform(), parts, &mut setting);
                total(&setting)
            })
            .collect();
        let sd = mean_and_sd(&given).1;
        Swing {
            name: input.name(),
            input: input.only().map(|(d, unit)| ([0.05, 0.5, 0.95].map(|p| d.quantile(p)), unit)),
            low_g,
            high_g,
            variance_share: if variance > 0.0 { sd * sd / variance } else { f64::NAN },
        }
    };
    let mut all: Vec<Swing> = inputs.iter().map(one).collect();
    let width = |s: &Swing| (s.high_g - s.low_g).abs();
    all.sort_by(|a, b| width(b).total_cmp(&width(a)));
    (total(&central), all)
}

/// Mean and standard deviation (n - 1). Values that are all the same have themselves as mean, and none.
fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let first = values.first().copied().unwrap_or(f64::NAN);
    let n = values.len() as f64;
    let mean = first + values.iter().map(|x| x - first).sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    (mean, libm::sqrt(squares / (n - 1.0).max(1.0)))
}

fn estimate(run: f64, mut samples: Vec<f64>) -> Estimate {
    let (mean, sd) = mean_and_sd(&samples);
    samples.sort_by(f64::total_cmp);
    let [p05, p50, p95] = [0.05, 0.5, 0.95].map(|p| quantile(&samples, p));
    Estimate { run, mean, sd, p05, p50, p95 }
}

/// Quantile of sorted values, linear between order statistics (Hyndman and Fan, type 7).
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = p * (sorted.len() - 1) as f64;
    let below = sorted[at as usize];
    let above = sorted.get(at as usize + 1).copied().unwrap_or(below);
    below + (above - below) * (at - at.floor())
}

/// Two runs under the same draws.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// Share of the samples in which the first run has the lower score.
    pub first_lower: f64,
    /// Share of the samples in which the second run has it.
    pub second_lower: f64,
    /// Score of the first over that of the second.
    pub ratio: Estimate,
}

/// Share of the samples from which on a ranking holds.
pub const RANKING_HOLDS: f64 = 0.95;

impl Ranking {
    /// Whether one run is the better in at least [`RANKING_HOLDS`] of the samples.
    pub fn holds(&self) -> bool {
        self.first_lower >= RANKING_HOLDS || self.second_lower >= RANKING_HOLDS
    }
}

/// Compares the scores of two runs under common draws: what has the same name in both (all regions together, a region, a server
/// type) gets the same number in the same sample.
///
/// `None` where a score is undefined or the second is 0.
pub fn rank(first: &Parts, second: &Parts, spec: &UncertaintySpec, samples: u32, seed: Seed) -> Option<Ranking> {
    let (inputs_1, inputs_2) = (inputs(first, spec), inputs(second, spec));
    let mut draws = [Draws::new(first, &inputs_1, seed), Draws::new(second, &inputs_2, seed)];
    let score = |parts: &Parts, (o, m): (f64, f64)| crate::sci::intensity(o + m, parts.units);
    let own = |parts: &Parts| score(parts, (parts.operational_g, parts.embodied_g));
    let over = |a: f64, b: f64| (b > 0.0).then(|| a / b);
    let run = over(own(first)?, own(second)?)?;
    let n = samples.max(1);
    let (mut lower, mut ratios) = ([0_u32; 2], Vec::with_capacity(n as usize));
    for _ in 0..n {
        let [one, two] = &mut draws;
        let (a, b) = (score(first, one.next())?, score(second, two.next())?);
        lower[0] += u32::from(a < b);
        lower[1] += u32::from(b < a);
        ratios.push(over(a, b)?);
    }
    let [first_lower, second_lower] = lower.map(|count| f64::from(count) / f64::from(n));
    Some(Ranking { first_lower, second_lower, ratio: estimate(run, ratios) })
}
