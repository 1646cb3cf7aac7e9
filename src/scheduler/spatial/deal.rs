//! Dealing calls by weights, evenly and without randomness.

/// The weights of one origin.
///
/// Smooth weighted round robin: each turn adds its weight to every place and takes the sum of weights from the one that has most,
/// which is chosen. In every sum of weights' turns each place is chosen as often as its weight says, as evenly spread as whole turns allow.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Deal {
    weights: Vec<u64>,
    has: Vec<i64>,
}

impl Deal {
    /// Deals by these weights.
    pub fn new(weights: Vec<u64>) -> Self {
        Self { has: vec![0; weights.len()], weights }
    }

    /// The next place among those that are `open`; `None` if none of them has a weight. Of equals the first.
    #[inline]
    pub fn next(&mut self, open: impl Fn(usize) -> bool) -> Option<usize> {
        let (mut sum, mut most): (i64, Option<usize>) = (0, None);
        for (place, &weight) in self.weights.iter().enumerate() {
            if weight == 0 || !open(place) {
                continue;
            }
            self.has[place] += weight as i64;
            sum += weight as i64;
            if most.is_none_or(|m| self.has[place] > self.has[m]) {
                most = Some(place);
            }
        }
        most.inspect(|&m| self.has[m] -= sum)
    }
}
