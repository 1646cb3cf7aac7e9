//! Thresholds of the online search algorithms: how clean electricity must be for the i-th step of work.

/// The lowest price that bounds may have, over the highest: a ratio has no meaning where electricity may be free.
const LEAST: f64 = 1e-6;

/// A search for the k cheapest steps among prices between L and U, with a cost of switching.
///
/// Formula, i = 1..k, with β paid at every start and every stop:
///
/// ```text
///   Φ_i = U [1 - (1 - 1/α) (1 + 1/(αk))^(i-1)] + 2β [1/(kα) - 1/k + 1] (1 + 1/(αk))^(i-1)
///   α > 1 solves Φ_(k+1) = L + 2β,  that is
///   (U - L - 2β) / (U (1 - 1/α) - 2β (1 - 1/k + 1/(kα))) = (1 + 1/(αk))^k
/// ```
///
/// α is the worst ratio to the offline optimum. β = 0 is k-min search; k = 1 and β = 0 gives Φ = √(UL). Where L is below a millionth of U
/// it counts as that. Where U - L <= 2β no pause ever pays: every price is accepted, α = 1.
///
/// Source: Lechowicz et al., *The Online Pause and Resume Problem*, POMACS 7(3), 2023. In the released code 1/(kα) has the other sign in
/// the equation of α, which then does not follow from the thresholds, nor bounds the ratio: this is the sign for which it does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Thresholds {
    low: f64,
    high: f64,
    beta: f64,
    k: f64,
    /// The worst ratio to the offline optimum.
    pub alpha: f64,
}

impl Thresholds {
    /// For k steps of work with prices between `low` and `high` and a cost of switching `beta`, all in one unit.
    pub fn new(low: f64, high: f64, k: u64, beta: f64) -> Self {
        let mut it = Thresholds { low: low.max(LEAST * high), high, beta, k: k.max(1) as f64, alpha: 1.0 };
        if it.never_pauses() {
            return it;
        }
        // Φ_(k+1) - L - 2β falls in α, from above zero at 1 to below zero.
        let rest = |alpha: f64| Thresholds { alpha, ..it }.raw(it.k + 1.0) - it.low - 2.0 * beta;
        let mut above = 2.0;
        while rest(above) > 0.0 {
            above *= 2.0;
        }
        let mut below = 1.0;
        loop {
            let middle = 0.5 * (below + above);
            if middle <= below || middle >= above {
                break;
            }
            if rest(middle) > 0.0 {
                below = middle;
            } else {
                above = middle;
            }
        }
        it.alpha = above;
        it
    }

    fn never_pauses(&self) -> bool {
        self.high - self.low <= 2.0 * self.beta || self.high <= self.low
    }

    /// Φ_i by the formula.
    fn raw(&self, i: f64) -> f64 {
        let (a, k) = (1.0 / self.alpha, self.k);
        let growth = libm::exp((i - 1.0) * libm::log1p(a / k));
        self.high * (1.0 - (1.0 - a) * growth) + 2.0 * self.beta * (a / k - 1.0 / k + 1.0) * growth
    }

    /// Φ_i, the highest price at which work that runs goes on with its i-th step.
    pub fn running(&self, i: u64) -> f64 {
        if self.never_pauses() { self.high } else { self.raw(i.max(1) as f64) }
    }

    /// The highest price at which work that waits takes up its i-th step.
    pub fn paused(&self, i: u64) -> f64 {
        if self.never_pauses() { self.high } else { self.raw(i.max(1) as f64) - 2.0 * self.beta }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_without_switching_cost_has_the_geometric_mean() {
        for (low, high) in [(100.0, 400.0), (37.0, 911.0), (399.0, 400.0)] {
            let t = Thresholds::new(low, high, 1, 0.0);
            assert!((t.running(1) / f64::sqrt(low * high) - 1.0).abs() < 1e-12, "{t:?}");
            assert!((t.alpha / f64::sqrt(high / low) - 1.0).abs() < 1e-12);
            assert_eq!(t.running(1), t.paused(1));
        }
    }

    #[test]
    fn without_switching_cost_the_published_equation_of_k_min_holds_and_thresholds_fall_to_the_lower_bound() {
        for k in [2, 3, 10, 24, 1000] {
            let (low, high) = (80.0, 500.0);
            let t = Thresholds::new(low, high, k, 0.0);
            let (a, n) = (t.alpha, k as f64);
            let published = (1.0 - low / high) / (1.0 - 1.0 / a);
            assert!((published / (1.0 + 1.0 / (a * n)).powf(n) - 1.0).abs() < 1e-11, "{k}: {a}");
            assert!(a > 1.0 && a < high / low);
            let phi: Vec<f64> = (1..=k).map(|i| t.running(i)).collect();
            assert!((phi[0] - high / a).abs() < 1e-9);
            assert!(phi.windows(2).all(|w| w[0] > w[1]) && phi[k as usize - 1] > low);
            assert!((t.running(k + 1) - low).abs() < 1e-9);
        }
    }

    /// Worst cases of the search: α k-fold units and a switch against what is certain.
    #[test]
    fn with_switching_cost_the_ratio_holds_in_every_worst_case() {
        let (low, high, beta) = (80.0, 500.0, 15.0);
        for k in [1, 2, 5, 24] {
            let t = Thresholds::new(low, high, k, beta);
            let n = k as f64;
            // Prices just above the threshold of unit j + 1 for ever, the rest forced at U; units taken one by one at their thresholds.
            for j in 0..=k {
                let taken: f64 = (1..=j).map(|i| t.running(i)).sum();
                let last = if j < k { 2.0 * beta } else { 0.0 };
                let ours = taken + (k - j) as f64 * high + last;
                let best = n * if j < k { t.paused(j + 1) } else { low } + 2.0 * beta;
                assert!(ours <= t.alpha * best * (1.0 + 1e-9), "k {k}, j {j}: {ours} against {best}, α {}", t.alpha);
            }
            assert!((t.running(k + 1) - low - 2.0 * beta).abs() < 1e-9);
            assert!((t.running(1) - t.paused(1) - 2.0 * beta).abs() < 1e-12);
        }
    }

    #[test]
    fn at_the_boundaries_everything_is_accepted() {
        for t in [Thresholds::new(300.0, 300.0, 5, 0.0), Thresholds::new(280.0, 300.0, 5, 10.0)] {
            assert_eq!((t.alpha, t.running(5), t.paused(1)), (1.0, 300.0, 300.0));
        }
        assert_eq!(Thresholds::new(0.0, 0.0, 3, 0.0).paused(3), 0.0);
        let free = Thresholds::new(0.0, 400.0, 4, 0.0);
        assert!(free.alpha.is_finite() && free.running(4) > 0.0);
        let many = Thresholds::new(100.0, 400.0, u64::MAX, 0.0);
        assert!(many.alpha.is_finite() && many.running(1) > many.running(u64::MAX) && many.running(u64::MAX) >= 99.9);
    }
}
