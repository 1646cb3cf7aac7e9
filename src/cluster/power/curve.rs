//! A curve through points with linear pieces between them: the arithmetic that several models share.

/// Points (x, y) with x rising.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    x: Vec<f64>,
    y: Vec<f64>,
    /// Rise of each piece.
    slope: Vec<f64>,
}

impl Curve {
    /// A curve of power: x rise strictly from 0 to 1, and y do not fall.
    ///
    /// # Errors
    /// Which point is wrong, in the words of the two keys.
    pub fn new((x_key, x): (&str, &[f64]), (y_key, y): (&str, &[f64])) -> Result<Self, String> {
        let curve = Self::through((x_key, x), (y_key, y))?;
        if let (Some(&first), Some(&last)) = (x.first(), x.last())
            && (first != 0.0 || last != 1.0)
        {
            return Err(format!("{x_key} goes from {first} to {last}; it must go from 0 to 1"));
        }
        not_falling(y_key, y)?;
        Ok(curve)
    }

    /// Any curve whose x rise strictly.
    ///
    /// # Errors
    /// Which point is wrong, in the words of the two keys.
    pub fn through((x_key, x): (&str, &[f64]), (y_key, y): (&str, &[f64])) -> Result<Self, String> {
        if x.len() != y.len() {
            return Err(format!("{x_key} has {} values and {y_key} has {}; give pairs", x.len(), y.len()));
        }
        if x.len() < 2 {
            return Err(format!("{x_key} has {} point(s); give at least two", x.len()));
        }
        if let Some(pair) = x.windows(2).find(|p| p[1] <= p[0]) {
            return Err(format!("{x_key} must rise from point to point, found {} after {}", pair[1], pair[0]));
        }
        let slope = x.windows(2).zip(y.windows(2)).map(|(x, y)| (y[1] - y[0]) / (x[1] - x[0])).collect();
        Ok(Self { x: x.to_vec(), y: y.to_vec(), slope })
    }

    /// The value at x; beyond the ends, that of the end. A search through few points, without allocation.
    #[inline]
    pub fn at(&self, x: f64) -> f64 {
        let last = self.slope.len() - 1;
        let i = self.x[1..=last].iter().take_while(|&&edge| edge <= x).count();
        self.y[i] + self.slope[i] * (x.clamp(self.x[0], self.x[last + 1]) - self.x[i])
    }
}

/// That power never falls with load: a call would be booked negative energy.
///
/// # Errors
/// The first pair that falls.
pub(super) fn not_falling(key: &str, y: &[f64]) -> Result<(), String> {
    match y.windows(2).find(|p| p[1] < p[0]) {
        Some(pair) => Err(format!("{key} falls from {} to {}; power must not fall with load", pair[0], pair[1])),
        None => Ok(()),
    }
}
