//! How popularity and cost go together: a rank correlation fitted so that Tables 1 and 3 hold at the same time.

use super::choice::shuffled;
use crate::types::Stream;
use crate::types::normal_quantile;

/// Steps of the bisection; 50 bring rho to 1e-15.
const BISECTIONS: u32 = 50;
/// Exchanges of ranks after the bisection, at most.
const EXCHANGES: u32 = 200;
/// Relative error of the mean at which the exchanges stop.
const CLOSE: f64 = 1e-5;
/// Where the exchanges start, relative to the rho found by bisection; the second and later ones are rarely needed.
const STARTS: [f64; 7] = [0.0, -0.05, 0.05, -0.1, 0.1, -0.2, 0.2];
/// Pairs of ranks that are looked at before an exchange, about.
const PAIRS: usize = 20_000;

/// The Gaussian copula of a class: standard normal scores, evenly spaced, and independent noise of the same values.
#[derive(Debug)]
pub(super) struct Copula {
    scores: Vec<f64>,
    noise: Vec<f64>,
}

impl Copula {
    /// For `n` members that are numbered by increasing cost.
    pub fn new(n: usize, stream: &mut Stream) -> Self {
        let scores: Vec<f64> = (0..n).map(|i| normal_quantile((i as f64 + 0.5) / n as f64)).collect();
        let noise = shuffled(n, stream).into_iter().map(|i| scores[i]).collect();
        Self { scores, noise }
    }

    /// The members in increasing order of a second quantity whose correlation with the first is `rho`, in normal
    /// scores.
    ///
    /// Formula: order of rho z + sqrt(1 - rho²) e, z the score of the cost and e the noise. The ranks alone are used,
    /// so both marginal distributions hold exactly for every rho.
    pub fn order(&self, rho: f64) -> Vec<usize> {
        let rest = libm::sqrt((1.0 - rho * rho).max(0.0));
        let keys: Vec<f64> = self.scores.iter().zip(&self.noise).map(|(z, e)| rho * z + rest * e).collect();
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
        order
    }
}

/// What the fit found.
#[derive(Debug)]
pub(super) struct Fit {
    /// Correlation between popularity and cost, in normal scores.
    pub rho: f64,
    /// Members by popularity, the most popular first.
    pub order: Vec<usize>,
}

/// Why there is no fit: the means that can be reached.
#[derive(Debug)]
pub(super) struct OutOfReach {
    pub least: f64,
    pub most: f64,
    pub nearest: f64,
}

/// Finds the rho at which the mean cost of a call is `target`.
///
/// `costs` are per member, `popularity` is by rank, largest first, and adds up to 1. Bisection on rho in [-1, 1]; the
/// mean moves in steps because ranks do, so ranks are then exchanged one pair at a time, at most 200 times, to close
/// the step.
///
/// # Errors
/// The target is not between the means at rho = -1 and 1, or no order comes within the relative `tolerance` of it.
pub(super) fn fit(
    copula: &Copula,
    costs: &[f64],
    popularity: &[f64],
    target: f64,
    tolerance: f64,
) -> Result<Fit, OutOfReach> {
    let order = |rho: f64| {
        let mut order = copula.order(rho);
        order.reverse();
        order
    };
    let mean = |order: &[usize]| -> f64 { order.iter().zip(popularity).map(|(&i, p)| costs[i] * p).sum() };
    let [least, most] = [-1.0, 1.0].map(|rho| mean(&order(rho)));
    // One member has one mean; rounding must not turn a hit into a miss.
    if !(least * (1.0 - tolerance)..=most * (1.0 + tolerance)).contains(&target) {
        let nearest = if target < least { least } else { most };
        return Err(OutOfReach { least, most, nearest });
    }
    let (mut low, mut high) = (-1.0, 1.0);
    for _ in 0..BISECTIONS {
        let middle = 0.5 * (low + high);
        if mean(&order(middle)) < target { low = middle } else { high = middle }
    }
    // A few dozen members may be stuck short of the target, whence a handful of starts.
    let mut best: Option<(f64, Fit)> = None;
    for offset in STARTS {
        let rho = (0.5 * (low + high) + offset).clamp(-1.0, 1.0);
        let mut order = order(rho);
        close(&mut order, costs, popularity, target);
        let error = (mean(&order) / target - 1.0).abs();
        if best.as_ref().is_none_or(|(least, _)| error < *least) {
            best = Some((error, Fit { rho, order }));
        }
        if error <= CLOSE {
            break;
        }
    }
    let (error, found) = best.expect("there is at least one start");
    if error > tolerance {
        return Err(OutOfReach { least, most, nearest: mean(&found.order) });
    }
    Ok(found)
}

/// Exchanges pairs of ranks, each time the one that leaves the smallest gap, until the mean is close or none helps.
///
/// Small classes have coarse steps and few pairs, so there every pair may be exchanged; large ones need near ranks
/// only.
fn close(order: &mut [usize], costs: &[f64], popularity: &[f64], target: f64) {
    let n = order.len();
    let reach = (PAIRS / n).clamp(1, n);
    for _ in 0..EXCHANGES {
        let gap = target - order.iter().zip(popularity).map(|(&i, p)| costs[i] * p).sum::<f64>();
        if gap.abs() <= CLOSE * target {
            return;
        }
        let left =
            |k: usize, j: usize| (gap - (popularity[k] - popularity[j]) * (costs[order[j]] - costs[order[k]])).abs();
        let pairs = (0..n).flat_map(|k| (k + 1..(k + 1 + reach).min(n)).map(move |j| (k, j)));
        match pairs.map(|(k, j)| (left(k, j), k, j)).min_by(|a, b| a.0.total_cmp(&b.0)) {
            Some((rest, k, j)) if rest < gap.abs() => order.swap(k, j),
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::choice::zipf;
    use super::*;
    use crate::types::Seed;

    #[test]
    fn the_fitted_order_has_the_wanted_mean() {
        let costs: Vec<f64> = (0..500).map(|i| libm::exp(f64::from(i) / 60.0)).collect();
        let popularity = zipf(500, 1.0);
        let copula = Copula::new(500, &mut Seed(5).stream("fit", 0));
        for target in [150.0, 400.0, 1200.0] {
            let found = fit(&copula, &costs, &popularity, target, 0.01).expect("in reach");
            let mean: f64 = found.order.iter().zip(&popularity).map(|(&i, p)| costs[i] * p).sum();
            assert!((mean / target - 1.0).abs() < 1e-4, "{mean} for {target}, rho {}", found.rho);
        }
        let error = fit(&copula, &costs, &popularity, 1.0, 0.01).expect_err("every cost is at least 1");
        assert!(error.least > 1.0 && error.most < costs[499]);
    }

    #[test]
    fn rho_one_and_minus_one_order_by_cost() {
        let copula = Copula::new(9, &mut Seed(5).stream("fit", 0));
        assert_eq!(copula.order(1.0), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(copula.order(-1.0), [8, 7, 6, 5, 4, 3, 2, 1, 0]);
    }
}
