//! A curve through points: linear, natural cubic spline, or the polynomial through all of them.

use crate::impact::error::ImpactError;

/// What joins the points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// Straight lines.
    Linear,
    /// Cubics with equal slope and curvature where they meet, and no curvature at the ends.
    Spline,
    /// One polynomial, of a degree one less than there are points (Lagrange).
    Polynomial,
}

impl Join {
    /// Reads the name in a config.
    ///
    /// # Errors
    /// There is no such method.
    pub fn parse(name: &str) -> Result<Self, ImpactError> {
        match name {
            "linear" => Ok(Self::Linear),
            "spline" => Ok(Self::Spline),
            "polynomial" => Ok(Self::Polynomial),
            _ => Err(ImpactError::new(format!("{name:?} joins no points"), "write linear, spline or polynomial")),
        }
    }
}

/// Points in the order of x, and what joins them.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    x: Vec<f64>,
    y: Vec<f64>,
    /// Slopes at the points; only of a spline.
    slopes: Vec<f64>,
    join: Join,
}

impl Curve {
    /// A curve. Points are sorted as pairs.
    ///
    /// # Errors
    /// There are fewer than two points, as many x as y are not given, or two points have one x.
    pub fn new(x: &[f64], y: &[f64], join: Join) -> Result<Self, ImpactError> {
        if x.len() != y.len() {
            let what = format!("there are {} x and {} y", x.len(), y.len());
            return Err(ImpactError::new(what, "give one y for each x").at_key("y"));
        }
        if x.len() < 2 {
            return Err(ImpactError::new("a curve needs two points", "give at least two x and y").at_key("x"));
        }
        let mut points: Vec<(f64, f64)> = x.iter().copied().zip(y.iter().copied()).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        if let Some(pair) = points.windows(2).find(|w| w[0].0 == w[1].0) {
            let what = format!("two points have x = {}", pair[0].0);
            return Err(ImpactError::new(what, "give each x once").at_key("x"));
        }
        let (x, y): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
        let slopes = if join == Join::Spline { natural_slopes(&x, &y) } else { Vec::new() };
        Ok(Self { x, y, slopes, join })
    }

    /// Its value.
    ///
    /// # Errors
    /// `x` lies outside the points.
    pub fn at(&self, x: f64) -> Result<f64, ImpactError> {
        let (first, last) = (self.x[0], self.x[self.x.len() - 1]);
        if !(first..=last).contains(&x) {
            let what = format!("{x} lies outside the points, from {first} to {last}");
            return Err(ImpactError::new(what, "add points, or check the unit of the input"));
        }
        if self.join == Join::Polynomial {
            return Ok(self.lagrange(x));
        }
        let i = self.x.partition_point(|p| *p <= x).clamp(1, self.x.len() - 1);
        let (x0, y0, width, rise) =
            (self.x[i - 1], self.y[i - 1], self.x[i] - self.x[i - 1], self.y[i] - self.y[i - 1]);
        let t = (x - x0) / width;
        if self.join == Join::Linear {
            return Ok(if t == 1.0 { self.y[i] } else { y0 + rise * t });
        }
        // Hermite form: the line, and what the slopes at its ends add to it.
        let (a, b) = (self.slopes[i - 1] * width - rise, rise - self.slopes[i] * width);
        Ok((1.0 - t) * y0 + t * self.y[i] + t * (1.0 - t) * (a * (1.0 - t) + b * t))
    }

    fn lagrange(&self, x: f64) -> f64 {
        let basis = |i: usize| {
            let others = self.x.iter().enumerate().filter(move |(j, _)| *j != i);
            others.map(|(_, p)| (x - p) / (self.x[i] - p)).product::<f64>()
        };
        self.y.iter().enumerate().map(|(i, y)| y * basis(i)).sum()
    }
}

/// Slopes of the natural spline: the tridiagonal system that makes curvature continuous, solved forwards and back.
fn natural_slopes(x: &[f64], y: &[f64]) -> Vec<f64> {
    let n = x.len();
    let inverse: Vec<f64> = x.windows(2).map(|w| 1.0 / (w[1] - w[0])).collect();
    let pull: Vec<f64> = inverse.iter().zip(y.windows(2)).map(|(h, w)| 3.0 * (w[1] - w[0]) * h * h).collect();
    let (mut upper, mut right) = (vec![0.0; n], vec![0.0; n]);
    for i in 0..n {
        let lower = if i > 0 { inverse[i - 1] } else { 0.0 };
        let above = inverse.get(i).copied().unwrap_or(0.0);
        let pulled = pull.get(i).copied().unwrap_or(0.0) + if i > 0 { pull[i - 1] } else { 0.0 };
        let (before_upper, before_right) = if i > 0 { (upper[i - 1], right[i - 1]) } else { (0.0, 0.0) };
        let pivot = 2.0 * (lower + above) - lower * before_upper;
        upper[i] = above / pivot;
        right[i] = (pulled - lower * before_right) / pivot;
    }
    for i in (0..n - 1).rev() {
        right[i] -= upper[i] * right[i + 1];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_curve_goes_through_its_points() {
        let (x, y) = ([0.0, 10.0, 50.0, 100.0], [0.12, 0.32, 0.75, 1.02]);
        for join in [Join::Linear, Join::Spline, Join::Polynomial] {
            let curve = Curve::new(&x, &y, join).expect("four points");
            for (x, y) in x.iter().zip(y) {
                assert!((curve.at(*x).expect("inside") - y).abs() < 1e-12, "{join:?} at {x}");
            }
            assert!(curve.at(100.1).is_err() && curve.at(-0.1).is_err() && curve.at(f64::NAN).is_err());
        }
    }

    #[test]
    fn a_polynomial_gives_back_the_parabola_and_a_spline_the_line_that_the_points_lie_on() {
        let x = [4.0, 0.0, 1.0, 3.0];
        let parabola: Vec<f64> = x.iter().map(|x| 2.0 * x * x - x + 1.0).collect();
        let curve = Curve::new(&x, &parabola, Join::Polynomial).expect("four points");
        assert!((curve.at(2.0).expect("inside") - 7.0).abs() < 1e-12);
        let line: Vec<f64> = x.iter().map(|x| 3.0 * x - 1.0).collect();
        let curve = Curve::new(&x, &line, Join::Spline).expect("four points");
        assert!((curve.at(2.5).expect("inside") - 6.5).abs() < 1e-12);
    }

    #[test]
    fn points_are_pairs_and_each_x_is_given_once() {
        let curve = Curve::new(&[0.0, 100.0, 50.0], &[0.0, 4.0, 3.0], Join::Linear).expect("three points");
        assert_eq!(curve.at(75.0), Ok(3.5));
        assert!(Curve::new(&[0.0, 0.0], &[1.0, 2.0], Join::Linear).is_err());
    }
}
