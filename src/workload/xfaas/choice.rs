//! Choosing one of many by weight in constant time, and the weights and orders that the population is made from.

use crate::types::Stream;

/// Chooses an index with probability proportional to its weight, in O(1) and with one uniform.
///
/// Source: Vose, *A linear algorithm for generating random numbers with a given distribution* (IEEE TSE 1991).
#[derive(Debug, Clone)]
pub(super) struct Alias {
    cells: Vec<(f64, u32)>,
}

impl Alias {
    /// From weights that are finite, not negative and not all zero.
    pub fn new(weights: &[f64]) -> Self {
        let n = weights.len();
        let scale = n as f64 / weights.iter().sum::<f64>();
        let mut cells: Vec<(f64, u32)> = (0u32..).zip(weights).map(|(i, w)| (w * scale, i)).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..n).partition(|&i| cells[i].0 < 1.0);
        while let (Some(s), Some(l)) = (small.pop(), large.pop()) {
            cells[s].1 = l as u32;
            cells[l].0 -= 1.0 - cells[s].0;
            if cells[l].0 < 1.0 { small.push(l) } else { large.push(l) }
        }
        // What is left over missed 1 by rounding only.
        for i in small.into_iter().chain(large) {
            cells[i].0 = 1.0;
        }
        Self { cells }
    }

    /// The index that a uniform number in (0, 1) chooses.
    #[inline]
    pub fn pick(&self, uniform: f64) -> usize {
        let x = uniform * self.cells.len() as f64;
        // Rounding may lift the product to the length itself.
        let i = (x as usize).min(self.cells.len() - 1);
        let (keep, other) = self.cells[i];
        if x - (i as f64) < keep { i } else { other as usize }
    }
}

/// Zipf's weights of ranks 1 to `n`, adding up to 1: the k-th is proportional to k^-exponent.
pub(super) fn zipf(n: usize, exponent: f64) -> Vec<f64> {
    let mut weights: Vec<f64> = (1..=n).map(|k| libm::pow(k as f64, -exponent)).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|w| *w /= sum);
    weights
}

/// The numbers 0 to `n` - 1 in random order (Fisher and Yates).
pub(super) fn shuffled(n: usize, stream: &mut Stream) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        order.swap(i, stream.below(i as u64 + 1) as usize);
    }
    order
}

/// Deals `n` members to `groups` owners of Zipf-distributed size (exponent 1), each owner getting at least one.
pub(super) fn dealt(n: usize, groups: usize, stream: &mut Stream) -> Vec<u32> {
    let order = shuffled(n, stream);
    let sizes = Alias::new(&zipf(groups, 1.0));
    let mut owner = vec![0; n];
    for (i, &member) in order.iter().enumerate() {
        let group = if i < groups { i } else { sizes.pick(stream.uniform()) };
        owner[member] = group as u32;
    }
    owner
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Seed;

    #[test]
    fn the_alias_table_keeps_the_weights() {
        let weights = [5.0, 0.0, 1.0, 3.0, 1.0];
        let alias = Alias::new(&weights);
        let n = 1_000_000;
        let mut counts = [0; 5];
        (0..n).for_each(|i| counts[alias.pick((f64::from(i) + 0.5) / f64::from(n))] += 1);
        for (count, weight) in counts.iter().zip(weights) {
            assert!((f64::from(*count) - weight * f64::from(n) / 10.0).abs() <= 10.0, "{counts:?}");
        }
        assert!(alias.pick(1.0) < 5, "rounding up to 1 stays in the table");
    }

    #[test]
    fn every_owner_gets_a_member_and_early_ones_get_more() {
        let owners = dealt(500, 40, &mut Seed(1).stream("dealt", 0));
        let mut sizes = vec![0; 40];
        owners.iter().for_each(|&o| sizes[o as usize] += 1);
        assert!(sizes.iter().all(|&s| s > 0) && sizes[0] > 50, "{sizes:?}");
    }
}
