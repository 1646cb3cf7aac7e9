//! Zipf's law over a finite number of ranks: the popularity of functions.

/// Picks rank k of 0..n with a probability in proportion to (k + 1)^-exponent.
#[derive(Debug, Clone)]
pub(super) struct Zipf {
    cumulative: Vec<f64>,
}

impl Zipf {
    /// A law over `ranks` (at least 1) ranks; exponent 0 makes them equally likely.
    pub fn new(ranks: u32, exponent: f64) -> Self {
        let mut sum = 0.0;
        let weights = (1..=ranks.max(1)).map(|rank| libm::pow(f64::from(rank), -exponent));
        let cumulative = weights.map(|w| {
            sum += w;
            sum
        });
        Self { cumulative: cumulative.collect() }
    }

    /// The rank that belongs to a number which `uniform` gives, in (0, 1). With one rank it is not asked.
    #[inline]
    pub fn pick(&self, uniform: impl FnOnce() -> f64) -> usize {
        let last = self.cumulative.len() - 1;
        if last == 0 {
            return 0;
        }
        let u = uniform() * self.cumulative[last];
        self.cumulative.partition_point(|&c| c < u).min(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_have_their_shares() {
        // Weights 1, 1/2, 1/3: shares 6/11, 3/11, 2/11.
        let zipf = Zipf::new(3, 1.0);
        let at = |u: f64| zipf.pick(|| u);
        assert_eq!([at(0.54), at(0.55), at(0.81), at(0.82), at(0.999)], [0, 1, 1, 2, 2]);
        let even = Zipf::new(4, 0.0);
        assert_eq!([0.1, 0.3, 0.6, 0.9].map(|u| even.pick(|| u)), [0, 1, 2, 3]);
    }

    #[test]
    fn a_single_rank_costs_no_draw() {
        assert_eq!(Zipf::new(1, 1.0).pick(|| panic!("asked")), 0);
    }
}
