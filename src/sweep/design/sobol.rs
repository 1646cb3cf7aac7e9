//! The Sobol sequence: points that fill the cube evenly, however many of them are taken.

use std::sync::OnceLock;

use crate::types::Seed;

/// How many dimensions there are direction numbers for.
pub(super) const DIMENSIONS: usize = 256;
const BITS: usize = 32;

/// The Sobol sequence in base 2 with Owen's scrambling.
///
/// Formula: coordinate j of point i is the exclusive or of the direction numbers v_jb for the bits b set in Gray code i ^ (i >> 1), over 2^32.
/// v_jb = m_jb / 2^b; from b = s_j + 1 on, m_b = 2 a_1 m_(b-1) ^ 4 a_2 m_(b-2) ^ … ^ 2^s m_(b-s) ^ m_(b-s), with the primitive polynomial a of
/// degree s. Scrambled, bit b of a coordinate is flipped or not by a random bit that depends on the dimension and on all bits before b.
///
/// Source: Sobol', USSR Computational Mathematics 7 (1967); Antonov and Saleev (1979), the order by Gray code; direction numbers: Joe and Kuo,
/// SIAM Journal on Scientific Computing 30 (2008), file new-joe-kuo-6, its first 256 dimensions (data/SOURCES.md); scrambling: Owen, in
/// Monte Carlo and Quasi-Monte Carlo Methods in Scientific Computing (1995).
///
/// Why scrambled, and why so: the plain sequence has a point at 0 and no measure of its error. Owen's scrambling keeps every property of the net (each
/// aligned box of volume 2^-m has its one point of 2^m), makes each point uniform, so that means are unbiased, and for smooth functions makes the error
/// smaller, N^-1.5 instead of N^-1 (Owen, Annals of Statistics 25, 1997); a digital shift keeps N^-1. No point is skipped: without the first, 2^m points
/// are no net any more (Owen, "On dropping the first Sobol' point", 2020).
///
/// Errors: evenness is that of 2^m points; other counts are as good as the power of two below at the least. Coordinates are the middles of
/// 2^32 cells, never 0 or 1.
pub(super) struct Sobol {
    axes: usize,
    /// By dimension; none for the plain sequence.
    scramble: Vec<Seed>,
}

impl Sobol {
    /// The sequence scrambled by a seed.
    pub(super) fn scrambled(axes: usize, seed: Seed) -> Self {
        Self { axes, scramble: (0..axes as u64).map(|axis| seed.child(axis)).collect() }
    }

    /// The published sequence: 0, 1/2, 3/4, 1/4, 3/8, …
    #[cfg(test)]
    pub(super) fn plain(axes: usize) -> Self {
        Self { axes, scramble: Vec::new() }
    }

    pub(super) fn point(&self, i: usize) -> Vec<f64> {
        (0..self.axes)
            .map(|axis| {
                let cell = self.cell(axis, i);
                let middle = if self.scramble.is_empty() { 0.0 } else { 0.5 };
                (f64::from(cell) + middle) / (1u64 << BITS) as f64
            })
            .collect()
    }

    /// The coordinate in units of 2^-32.
    fn cell(&self, axis: usize, i: usize) -> u32 {
        let gray = i ^ (i >> 1);
        let directions = &table()[axis];
        let plain = (0..BITS).filter(|b| gray >> b & 1 == 1).fold(0, |x, b| x ^ directions[b]);
        self.scramble.get(axis).map_or(plain, |seed| scrambled(plain, *seed))
    }
}

/// Flips every bit by a random bit of its own for each combination of the bits above it.
fn scrambled(plain: u32, seed: Seed) -> u32 {
    (0..BITS).fold(0, |x, b| {
        // The bits above, behind a one that tells how many they are.
        let prefix = (1u64 << b) | u64::from(plain).unbounded_shr((BITS - b) as u32);
        let flip = (seed.child(prefix).0 >> 63) as u32;
        let bit = (plain >> (BITS - 1 - b) & 1) ^ flip;
        x | bit << (BITS - 1 - b)
    })
}

/// The direction numbers of all dimensions, each shifted to the top of 32 bits.
fn table() -> &'static [[u32; BITS]] {
    static TABLE: OnceLock<Vec<[u32; BITS]>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut first = [0; BITS];
        (0..BITS).for_each(|b| first[b] = 1 << (BITS - 1 - b));
        let rows = include_str!("../../../data/sobol/new-joe-kuo-6.256.txt").lines().skip(1);
        std::iter::once(first).chain(rows.map(directions)).collect()
    })
}

/// A row of the file: dimension, degree s, polynomial a, initial numbers m_1 to m_s.
fn directions(row: &str) -> [u32; BITS] {
    let numbers: Vec<u32> =
        row.split_whitespace().map(|n| n.parse().expect("the embedded table holds numbers")).collect();
    let (degree, polynomial, initial) = (numbers[1] as usize, numbers[2], &numbers[3..]);
    let mut v = [0; BITS];
    for b in 0..BITS {
        v[b] = if b < degree {
            initial[b] << (BITS - 1 - b)
        } else {
            let inner = (1..degree).filter(|k| polynomial >> (degree - 1 - k) & 1 == 1);
            inner.fold(v[b - degree] ^ (v[b - degree] >> degree), |x, k| x ^ v[b - k])
        };
    }
    v
}
