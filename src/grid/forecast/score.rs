//! The error that a forecast achieves, measured against what happened.

use serde::Serialize;

use super::Forecast;
use crate::grid::Signal;
use crate::types::{Duration, SimTime};

const HOUR: Duration = Duration::from_secs(3600);

/// Horizons that are told apart, from and to \[h\]; the last one is the whole day ahead.
pub const HORIZONS_H: [(u64, u64); 5] = [(0, 1), (1, 6), (6, 24), (24, 96), (0, 24)];

/// When a forecast is asked, and how far ahead.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Issues {
    /// The first time.
    pub first: SimTime,
    /// Not asked any more from here on.
    pub end: SimTime,
    /// How long between two times; not zero.
    pub every: Duration,
    /// How far it is asked.
    pub reach: Duration,
}

impl Issues {
    /// The instants of issue.
    pub fn instants(&self) -> impl Iterator<Item = SimTime> {
        let (end, every) = (self.end, self.every.max(Duration(1)));
        std::iter::successors(Some(self.first), move |&t| Some(t + every)).take_while(move |&t| t < end)
    }
}

/// The error at one range of horizons.
///
/// Each pair is a believed and an actual mean over one hour that begins a whole number of hours, the horizon, after an instant of issue.
/// Hours past the signal's end have no pair.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HorizonScore {
    /// Shortest horizon \[h\].
    pub from_h: u64,
    /// Where longer horizons begin \[h\].
    pub to_h: u64,
    /// How many pairs.
    pub pairs: u64,
    /// Mean of the absolute error [g/kWh].
    pub mae_g_per_kwh: f64,
    /// Root of the mean squared error [g/kWh].
    pub rmse_g_per_kwh: f64,
    /// The same by the mean of what happened.
    pub relative_rmse: f64,
    /// Mean error, belief less fact [g/kWh].
    pub bias_g_per_kwh: f64,
    /// Rank correlation (Spearman) of the hours of one issue that lie in the range and in one day of the horizon, mean over issues and
    /// days; `None` where there are fewer than three such hours. Days on which all beliefs or all facts are equal have none and do not
    /// count.
    pub rank_correlation: Option<f64>,
    /// Over how many days of how many issues together that mean is.
    pub rank_days: u64,
}

/// Asks `forecast` at every instant of issue for each hour ahead, and compares with `actual`, by horizon.
///
/// Formulas: e = f - c; MAE = mean |e|; RMSE = √(mean e²); bias = mean e. Rank correlation is Pearson's of the ranks, equal values
/// sharing the mean of theirs.
pub fn score(forecast: &dyn Forecast, actual: &Signal, issues: &Issues) -> Vec<HorizonScore> {
    let furthest = (issues.reach.0 / HOUR.0).min(HORIZONS_H.iter().map(|r| r.1).max().unwrap_or(0));
    let mut sums = HORIZONS_H.map(|_| Sums::default());
    let mut day: Vec<(f64, f64)> = Vec::new();
    let mut pairs: Vec<Option<(f64, f64)>> = Vec::new();
    for now in issues.instants() {
        pairs.clear();
        pairs.extend((0..furthest).map(|h| {
            let (from, to) = (now + Duration(h * HOUR.0), now + Duration((h + 1) * HOUR.0));
            let known = actual.covers(to);
            let believed = if known { forecast.mean(now, from, to) } else { None };
            believed.map(|f| (f.0, actual.mean(from, to).0))
        }));
        for (sum, (low, high)) in sums.iter_mut().zip(HORIZONS_H) {
            let mut from = low;
            while from < high.min(furthest) {
                // At most to the end of the day of the horizon.
                let to = high.min(furthest).min((from / 24 + 1) * 24);
                day.clear();
                day.extend(pairs[from as usize..to as usize].iter().flatten());
                sum.add(&day);
                if day.len() as u64 == to - from {
                    sum.rank(&day);
                }
                from = to;
            }
        }
    }
    sums.iter().zip(HORIZONS_H).map(|(sum, range)| sum.score(range)).collect()
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    pairs: u64,
    error: f64,
    absolute: f64,
    squared: f64,
    actual: f64,
    rank: f64,
    rank_days: u64,
}

impl Sums {
    fn add(&mut self, pairs: &[(f64, f64)]) {
        for (believed, actual) in pairs {
            let e = believed - actual;
            self.pairs += 1;
            self.error += e;
            self.absolute += e.abs();
            self.squared += e * e;
            self.actual += actual;
        }
    }

    fn rank(&mut self, pairs: &[(f64, f64)]) {
        if let Some(r) = spearman(pairs) {
            self.rank += r;
            self.rank_days += 1;
        }
    }

    fn score(&self, (from_h, to_h): (u64, u64)) -> HorizonScore {
        let n = self.pairs as f64;
        let rmse = (self.squared / n).sqrt();
        HorizonScore {
            from_h,
            to_h,
            pairs: self.pairs,
            mae_g_per_kwh: self.absolute / n,
            rmse_g_per_kwh: rmse,
            relative_rmse: rmse / (self.actual / n),
            bias_g_per_kwh: self.error / n,
            rank_correlation: (self.rank_days > 0).then(|| self.rank / self.rank_days as f64),
            rank_days: self.rank_days,
        }
    }
}

/// Spearman's rank correlation; `None` for fewer than three pairs, or where one side does not vary.
fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < 3 {
        return None;
    }
    let a = ranks(pairs.iter().map(|p| p.0));
    let b = ranks(pairs.iter().map(|p| p.1));
    let middle = (pairs.len() as f64 + 1.0) / 2.0;
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - middle) * (y - middle)).sum::<f64>();
    let spread = product(&a, &a) * product(&b, &b);
    (spread > 0.0).then(|| product(&a, &b) / spread.sqrt())
}

/// Ranks from 1; equal values share the mean of theirs.
fn ranks(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let values: Vec<f64> = values.collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for equal in order.chunk_by(|&i, &j| values[i] == values[j]) {
        let shared = first as f64 + (equal.len() as f64 + 1.0) / 2.0;
        equal.iter().for_each(|&i| ranks[i] = shared);
        first += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_ranks_and_order_reversed_is_minus_one() {
        assert_eq!(ranks([30.0, 10.0, 30.0, 20.0].into_iter()), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!(spearman(&[(1.0, 9.0), (2.0, 5.0), (3.0, 1.0)]), Some(-1.0));
        assert_eq!(spearman(&[(1.0, 9.0), (1.0, 5.0), (1.0, 1.0)]), None);
        assert_eq!(spearman(&[(1.0, 2.0), (2.0, 3.0)]), None);
        // Ranks 1 2 3 4 and 2 1 4 3: r = 1 - 6 · 4 / (4 · 15) = 0.6.
        let r = spearman(&[(1.0, 20.0), (2.0, 10.0), (3.0, 40.0), (4.0, 30.0)]).unwrap();
        assert!((r - 0.6).abs() < 1e-12, "{r}");
    }
}
