//! Predict the sum of the limits that an autoscaler of limits would recommend.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PerInstance, Predictor, Ring, Snapshot, State, share};
use crate::types::HostId;

/// Predicts the sum over warm instances of the limit that a moving-window recommender would set, plus the limits of the instances
/// that are not warm yet.
///
/// Formula, per instance: each sample falls into one of 100 bins of use / limit; it weighs 2^(-age / half-life) times the bin's load, its upper
/// edge; the recommendation is the lowest edge below which lie `percentile` % of that load, times the margin, the largest of the last while, at
/// most the limit. A load-adjusted percentile: 95 % of the work, not of the time, fits.
/// Source: the moving-window recommenders of Rzadca et al., *Autopilot: workload autoscaling at Google*, EuroSys 2020, recalled and not read:
/// half-life 12 h for CPU, 95th percentile for serving jobs, margin 10 to 15 %, largest of the last hour. Not modelled: the mean that batch jobs get,
/// the recommender that learns, limits that change. Error: edges are 1 % of the limit apart, always rounded up.
/// Example: always 0.25 of a limit of 1: bin (0.24, 0.25], 0.25 x 1.1 = 0.275.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Autopilot {
    /// Percentile of the load-adjusted use. Default 95 (recalled).
    #[schemars(range(min = 0.0, max = 100.0))]
    #[serde(default = "ninety_five")]
    pub percentile: f64,
    /// After how long a sample weighs half \[s\]. Default 43200, 12 hours (recalled).
    #[schemars(range(min = 1.0, max = 31622400.0))]
    #[serde(default = "twelve_hours")]
    pub half_life_s: f64,
    /// The recommendation over the percentile. Default 1.1, the lower end of the 10 to 15 % that are recalled.
    #[schemars(range(min = 1.0, max = 10.0))]
    #[serde(default = "a_tenth_more")]
    pub margin: f64,
    /// The largest recommendation of this long counts \[s\]. Default 3600 (recalled).
    #[schemars(range(min = 0.0, max = 86400.0))]
    #[serde(default = "one_hour")]
    pub hold_s: f64,
    /// An instance with fewer samples than this counts with its limit. Default 24, two hours of samples: the paper's.
    #[schemars(range(min = 2, max = 100000))]
    #[serde(default = "super::two_hours")]
    pub warmup_samples: u32,
    /// How often hosts are sampled \[s\]. Default 300: the paper's.
    #[schemars(range(min = 1.0, max = 86400.0))]
    #[serde(default = "super::five_minutes")]
    pub sample_s: f64,
    /// Memory promised over memory there: predictors act on CPU alone. Default 1: no overcommitment.
    #[schemars(range(min = 0.01, max = 1000.0))]
    #[serde(default = "super::unit_ratio")]
    pub memory_ratio: f64,
}

fn ninety_five() -> f64 {
    95.0
}

fn twelve_hours() -> f64 {
    43_200.0
}

fn a_tenth_more() -> f64 {
    1.1
}

fn one_hour() -> f64 {
    3600.0
}

/// Bins of use over limit.
const BINS: usize = 100;

/// Weights grow instead of old ones shrinking; at this size all are scaled back.
const LARGEST_WEIGHT: f64 = 1e100;

struct Histogram {
    heard: u32,
    /// Load by bin; the newest sample weighs `weight`.
    load: [f64; BINS],
    total: f64,
    weight: f64,
    recommended: Ring,
}

impl State for Histogram {
    fn clear(&mut self) {
        self.heard = 0;
        self.load = [0.0; BINS];
        self.total = 0.0;
        self.weight = 1.0;
        self.recommended.clear();
    }
}

impl Histogram {
    fn new(hold: usize) -> Self {
        Self { heard: 0, load: [0.0; BINS], total: 0.0, weight: 1.0, recommended: Ring::new(hold) }
    }

    fn edge(bin: usize) -> f64 {
        (bin + 1) as f64 / BINS as f64
    }

    /// Adds a share of the limit; older ones lose weight by the factor.
    fn add(&mut self, share: f64, growth: f64) {
        self.heard = self.heard.saturating_add(1);
        self.weight *= growth;
        if self.weight > LARGEST_WEIGHT {
            self.load.iter_mut().for_each(|l| *l /= self.weight);
            self.total /= self.weight;
            self.weight = 1.0;
        }
        // Upper edges belong to their bin; a rounding error of the division does not lift a share into the next.
        let bin = ((share * BINS as f64 - 1e-9).ceil() as usize).clamp(1, BINS) - 1;
        let load = self.weight * Self::edge(bin);
        self.load[bin] += load;
        self.total += load;
    }

    /// The lowest edge below which lies this part of the load.
    fn percentile(&self, quantile: f64) -> f64 {
        let above = (1.0 - quantile) * self.total;
        let mut seen = 0.0;
        let found = (0..BINS).rev().find(|&bin| {
            seen += self.load[bin];
            seen > above
        });
        found.map_or(Self::edge(0), Self::edge)
    }
}

/// The predictor.
pub(super) struct Recommender {
    spec: Autopilot,
    growth: f64,
    own: PerInstance<Histogram>,
}

impl Recommender {
    pub(super) fn new(p: &Autopilot, sample_s: f64) -> Self {
        let hold = ((p.hold_s / sample_s).round() as usize).max(1);
        Self {
            spec: p.clone(),
            growth: libm::exp2(sample_s / p.half_life_s),
            own: PerInstance::new(move || Histogram::new(hold)),
        }
    }
}

impl Predictor for Recommender {
    fn peak(&mut self, host: HostId, snapshot: &Snapshot<'_>) -> f64 {
        let own = self.own.of(host, snapshot.samples);
        let limits = own.iter_mut().zip(snapshot.samples).map(|((_, own), sample)| {
            own.add(share(sample.usage, sample.limit), self.growth);
            own.recommended.push(own.percentile(self.spec.percentile / 100.0) * self.spec.margin);
            if own.heard < self.spec.warmup_samples {
                return sample.limit;
            }
            own.recommended.newest().iter().copied().fold(0.0, f64::max).min(1.0) * sample.limit
        });
        limits.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::peaks;
    use super::*;

    #[test]
    fn a_constant_use_is_recommended_with_its_margin() {
        let series: &[&[(u32, f64, f64)]] = &[&[(0, 0.25, 1.0)][..]; 30];
        let found = peaks("autopilot = {}", series);
        assert!((found[22], (found[23] - 0.275).abs() < 1e-12) == (1.0, true), "{found:?}");
    }

    #[test]
    fn the_percentile_is_of_the_load_and_the_old_weigh_less() {
        let mut h = Histogram::new(1);
        // 90 samples of 0.1 and 10 of 1.0: 9 and 10 units of load. More than half of the load lies in the top bin.
        (0..90).for_each(|_| h.add(0.1, 1.0));
        (0..10).for_each(|_| h.add(1.0, 1.0));
        assert_eq!((h.percentile(0.47), h.percentile(0.48)), (0.1, 1.0), "9 / 19 = 0.4737");
        // One half-life later 90 more of 0.1: of 9.5 + 9 units of load, 4.5 + 9 lie below.
        h.add(0.0, 2.0);
        (0..90).for_each(|_| h.add(0.1, 1.0));
        assert_eq!((h.percentile(0.72), h.percentile(0.74)), (0.1, 1.0), "13.5 / 18.5 = 0.7297");
    }

    #[test]
    fn weights_never_overflow() {
        let mut h = Histogram::new(1);
        (0..100_000).for_each(|_| h.add(0.5, 1.1));
        assert!(h.percentile(0.95) == 0.5 && h.total.is_finite());
    }

    #[test]
    fn the_largest_recommendation_is_held_for_a_while() {
        let mut series: Vec<&[(u32, f64, f64)]> = vec![&[(0, 1.0, 1.0)]];
        series.extend([&[(0, 0.1, 1.0)][..]; 40]);
        let keys = "warmup_samples = 2, half_life_s = 300.0, margin = 1.0, percentile = 50.0";
        let found = peaks(&format!("autopilot = {{ {keys}, hold_s = 3000.0 }}"), &series);
        let alone = peaks(&format!("autopilot = {{ {keys}, hold_s = 0.0 }}"), &series);
        let first = |x: &[f64]| x.iter().position(|&p| p < 0.5).expect("the spike is forgotten");
        assert_eq!(first(&found), first(&alone) + 9, "ten samples are held");
    }
}
