//! The design of sensitivity indices: two independent samples, and the first with one axis taken from the second, for every axis.

use super::sobol::Sobol;
use crate::types::Seed;

/// Base samples of k + 2 points: A, B, A_B^1 to A_B^k.
///
/// Formula: point i belongs to base sample i / (k + 2). Of it, point 0 is A, the first k coordinates of a Sobol point of 2k dimensions; point 1 is B, its
/// last k; point 1 + a is A with axis a (from 1) taken from B. A larger count appends base samples.
///
/// Source: Saltelli et al., Computer Physics Communications 181 (2010), section 5, the "radial" order A, B, A_B.
///
/// Used by `stats::sensitivity`, which takes the figures in this very order.
pub(super) struct Saltelli {
    axes: usize,
    base: Sobol,
}

impl Saltelli {
    pub(super) fn new(axes: usize, seed: Seed) -> Self {
        Self { axes, base: Sobol::scrambled(2 * axes, seed.derive("design-saltelli")) }
    }

    pub(super) fn point(&self, i: usize) -> Vec<f64> {
        let (sample, place) = (i / (self.axes + 2), i % (self.axes + 2));
        let both = self.base.point(sample);
        let (a, b) = both.split_at(self.axes);
        match place {
            0 => a.to_vec(),
            1 => b.to_vec(),
            from_b => {
                let mut mixed = a.to_vec();
                mixed[from_b - 2] = b[from_b - 2];
                mixed
            }
        }
    }
}
