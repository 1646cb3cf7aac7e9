//! Independent uniform points.

use crate::types::Seed;

/// Every point has a stream of its own, so that neither count nor order moves it.
///
/// Errors: the mean of a function over N points has a standard error of its deviation / sqrt(N).
pub(super) struct Random {
    axes: usize,
    seed: Seed,
}

impl Random {
    pub(super) fn new(axes: usize, seed: Seed) -> Self {
        Self { axes, seed: seed.derive("design-random") }
    }

    pub(super) fn point(&self, i: usize) -> Vec<f64> {
        let mut stream = self.seed.child(i as u64).into_stream();
        (0..self.axes).map(|_| stream.uniform()).collect()
    }
}
