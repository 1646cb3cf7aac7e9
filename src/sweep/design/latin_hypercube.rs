//! The Latin hypercube: every axis is cut into as many slices as there are points, and each slice is used once.

use crate::types::Seed;

/// Slices in an order drawn for every axis, and a uniform place in each slice.
///
/// Formula: coordinate = (π(i) + u) / N with a random permutation π of 0 .. N for each axis and u uniform in (0, 1).
///
/// Source: McKay, Beckman and Conover, Technometrics 21 (1979).
///
/// Errors: it removes the variance of what is additive in the axes, not of interactions. A larger count is another design: the points
/// of a smaller one are not among it.
pub(super) struct LatinHypercube {
    /// By axis, the slice of every point.
    slices: Vec<Vec<u32>>,
    places: Seed,
}

impl LatinHypercube {
    pub(super) fn new(count: usize, axes: usize, seed: Seed) -> Self {
        let seed = seed.derive("design-latin-hypercube");
        let permutation = |axis: usize| {
            let mut stream = seed.stream("slices", axis as u64);
            let mut slices: Vec<u32> = (0..count).map(|i| i as u32).collect();
            // Fisher and Yates.
            for last in (1..count).rev() {
                slices.swap(last, stream.below(last as u64 + 1) as usize);
            }
            slices
        };
        Self { slices: (0..axes).map(permutation).collect(), places: seed.derive("places") }
    }

    pub(super) fn point(&self, i: usize) -> Vec<f64> {
        let mut stream = self.places.child(i as u64).into_stream();
        let inside = |slices: &Vec<u32>| {
            let x = (f64::from(slices[i]) + stream.uniform()) / slices.len() as f64;
            // The division may round up to the next slice, or to 1.
            x.min(((f64::from(slices[i]) + 1.0) / slices.len() as f64).next_down())
        };
        self.slices.iter().map(inside).collect()
    }
}
