//! Empirical quantile functions: a table of quantiles becomes a distribution to draw from by inversion.

use serde::Serialize;

/// A piecewise linear quantile function Q(u) \[s\], for u from 0 to 1.
///
/// Between two given quantiles Q is linear in u. Below the lowest given probability Q is the lowest value: nothing is
/// known there. Above the highest, the slope of the last two points goes on to u = 1 (a table that ends at p99 is thus
/// extended from p95 and p99); a table whose last probability is 1 needs no extension. Exact at every given probability.
///
/// By hand: p50 = 0.1, p90 = 0.3 gives Q(0.7) = 0.2, Q(0.2) = 0.1 and Q(1) = 0.35.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quantiles {
    probabilities: Vec<f64>,
    values_s: Vec<f64>,
}

impl Quantiles {
    /// From probabilities and values \[s\].
    ///
    /// # Errors
    /// What is wrong, unless there are at least two points, probabilities rise strictly within (0, 1] and values are
    /// finite, not negative and do not fall.
    pub fn new(probabilities: &[f64], values_s: &[f64]) -> Result<Self, String> {
        if probabilities.len() < 2 || probabilities.len() != values_s.len() {
            return Err(format!("{} probabilities and {} values", probabilities.len(), values_s.len()));
        }
        if probabilities[0] <= 0.0
            || !probabilities.is_sorted_by(|a, b| a < b)
            || probabilities.iter().any(|&p| p > 1.0)
        {
            return Err(format!("probabilities {probabilities:?} do not rise within (0, 1]"));
        }
        if values_s.iter().any(|v| !v.is_finite() || *v < 0.0) || !values_s.is_sorted() {
            return Err(format!("values {values_s:?} fall, or are not finite and positive"));
        }
        Ok(Self { probabilities: probabilities.to_vec(), values_s: values_s.to_vec() })
    }

    /// Q(u) \[s\]. Allocates nothing.
    #[inline]
    pub fn at(&self, u: f64) -> f64 {
        let p = &self.probabilities;
        if u <= p[0] {
            return self.values_s[0];
        }
        let b = p.partition_point(|&x| x < u).min(p.len() - 1);
        let (low, high) = (self.values_s[b - 1], self.values_s[b]);
        low + (high - low) * ((u - p[b - 1]) / (p[b] - p[b - 1]))
    }

    /// The same distribution, every value times a factor.
    pub(super) fn scaled(&self, factor: f64) -> Self {
        let values_s = self.values_s.iter().map(|v| v * factor).collect();
        Self { probabilities: self.probabilities.clone(), values_s }
    }
}

/// The quantiles of one number of concurrent starts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Level {
    /// Starts in flight on the host, this one included.
    pub concurrent: u32,
    /// Their latency.
    pub quantiles: Quantiles,
}

/// Quantile functions by the number of starts in flight on the host.
///
/// Between two levels the value at the same u is linear in the number of starts; below the lowest and above the highest
/// level it is that level's. Levels are taken as published: a median that falls from one level to the next stays so.
///
/// By hand: 0.1 s at 1 and 0.2 s at 11 starts gives 0.15 s at 6 and 0.2 s at 1000.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Levels(Vec<Level>);

impl Levels {
    /// From levels in rising order.
    ///
    /// # Errors
    /// What is wrong, unless there is at least one level and their numbers of starts rise strictly from 1.
    pub fn new(levels: Vec<Level>) -> Result<Self, String> {
        let numbers: Vec<u32> = levels.iter().map(|l| l.concurrent).collect();
        if numbers.first().is_none_or(|&n| n == 0) || !numbers.is_sorted_by(|a, b| a < b) {
            return Err(format!("numbers of concurrent starts {numbers:?} do not rise from 1"));
        }
        Ok(Self(levels))
    }

    /// The latency at u with so many starts in flight, which may be a mean \[s\]. Allocates nothing.
    #[inline]
    pub fn at(&self, concurrent: f64, u: f64) -> f64 {
        let above = self.0.partition_point(|l| f64::from(l.concurrent) < concurrent);
        if above == 0 {
            return self.0[0].quantiles.at(u);
        }
        let low = &self.0[above - 1];
        let Some(high) = self.0.get(above) else { return low.quantiles.at(u) };
        let (x, y) = (low.quantiles.at(u), high.quantiles.at(u));
        x + (y - x) * ((concurrent - f64::from(low.concurrent)) / f64::from(high.concurrent - low.concurrent))
    }

    /// The lowest latency at u, whatever the number of starts in flight \[s\].
    pub fn least(&self, u: f64) -> f64 {
        self.0.iter().map(|l| l.quantiles.at(u)).fold(f64::INFINITY, f64::min)
    }

    /// The lowest level, the nearest to a start on its own.
    pub fn serial(&self) -> &Quantiles {
        &self.0[0].quantiles
    }

    /// The levels, in rising order.
    pub fn levels(&self) -> &[Level] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(low: f64, high: f64) -> Quantiles {
        Quantiles::new(&[0.5, 0.9], &[low, high]).unwrap()
    }

    #[track_caller]
    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    }

    #[test]
    fn a_table_is_linear_between_points_flat_below_and_extended_above() {
        let q = line(0.1, 0.3);
        for (u, s) in [(0.7, 0.2), (0.2, 0.1), (0.5, 0.1), (0.9, 0.3), (1.0, 0.35)] {
            near(q.at(u), s);
        }
    }

    #[test]
    fn a_table_that_ends_at_one_is_not_extended() {
        let q = Quantiles::new(&[0.5, 1.0], &[1.0, 2.0]).unwrap();
        near(q.at(1.0), 2.0);
        near(q.at(0.75), 1.5);
    }

    #[test]
    fn levels_are_linear_in_the_number_of_starts_and_constant_outside() {
        let level = |concurrent, s| Level { concurrent, quantiles: line(s, s) };
        let l = Levels::new(vec![level(1, 0.1), level(11, 0.2), level(21, 0.15)]).unwrap();
        let points = [(0.0, 0.1), (1.0, 0.1), (6.0, 0.15), (6.5, 0.155), (11.0, 0.2), (16.0, 0.175), (1000.0, 0.15)];
        for (n, s) in points {
            near(l.at(n, 0.3), s);
        }
        near(l.least(0.3), 0.1);
    }

    #[test]
    fn tables_that_are_no_distribution_are_refused() {
        for (p, v) in [
            (&[0.5][..], &[1.0][..]),
            (&[0.5, 0.5], &[1.0, 2.0]),
            (&[0.0, 0.5], &[1.0, 2.0]),
            (&[0.5, 1.1], &[1.0, 2.0]),
            (&[0.5, 0.9], &[2.0, 1.0]),
            (&[0.5, 0.9], &[-1.0, 1.0]),
            (&[0.5, 0.9], &[1.0, f64::INFINITY]),
        ] {
            assert!(Quantiles::new(p, v).is_err(), "{p:?} {v:?}");
        }
        assert!(Levels::new(Vec::new()).is_err());
        assert!(Levels::new(vec![Level { concurrent: 0, quantiles: line(1.0, 1.0) }]).is_err());
    }
}
