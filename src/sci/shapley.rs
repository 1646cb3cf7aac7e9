//! Shapley values of peaks: who made capacity necessary, in time (closed form) and among tenants (exact, for a few).
//!
//! Capacity is bought for the largest demand. So the worth of a set of time blocks, or of tenants, is the peak of its demand, and the
//! Shapley value of a member is its mean addition to that peak over all orders in which the set may come together.

use std::ops::Range;

/// Most players of [`coalitions`]: 2^16 sets.
pub const MOST_PLAYERS: usize = 16;

/// Why a game cannot be solved.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ShapleyError {
    /// Enumeration grows as 2^players.
    #[error(
        "{players} players are 2^{players} sets; at most {MOST_PLAYERS} players can be enumerated\n  help: join players, or use \
         the closed form over time blocks (temporal-shapley)"
    )]
    TooManyPlayers {
        /// How many there are.
        players: usize,
    },
    /// The demands of two players cover different times.
    #[error(
        "player {player} has demands for {blocks} time blocks and player 0 for {expected}\n  help: give all players the same blocks, 0 where they demand nothing"
    )]
    UnevenDemands {
        /// Which player.
        player: usize,
        /// Its blocks.
        blocks: usize,
        /// Those of player 0.
        expected: usize,
    },
    /// A demand is negative or not finite.
    #[error("player {player} demands {demand} in time block {block}\n  help: demands are finite and not below 0")]
    BadDemand {
        /// Which player.
        player: usize,
        /// In which block.
        block: usize,
        /// How much.
        demand: f64,
    },
}

/// Shapley values of time blocks whose joint worth is their largest peak (the airport game), in the order and the unit of `peaks`.
///
/// Formula: with peaks sorted ascending, p_0 = 0: φ_(i) = Σ_{j ≤ i} (p_j − p_{j−1}) / (n − j + 1). O(n log n).
/// Source: Littlechild and Owen, Management Science 20 (1973); for carbon, Han et al., *Fair-CO2*, ISCA 2025.
/// Peaks are finite and not below 0. Σ φ is the largest peak; equal peaks get equal values; a peak of 0 gets 0.
///
/// Example: peaks 1, 2, 3 have φ = 1/3, 5/6, 11/6.
pub fn airport(peaks: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..peaks.len()).collect();
    order.sort_by(|&a, &b| peaks[a].total_cmp(&peaks[b]));
    let mut values = vec![0.0; peaks.len()];
    let (mut value, mut below) = (0.0, 0.0);
    for (rank, &block) in order.iter().enumerate() {
        value += (peaks[block] - below) / (peaks.len() - rank) as f64;
        below = peaks[block];
        values[block] = value;
    }
    values
}

/// Shares of a budget by block: budget × φ_i q_i / Σ φ_j q_j, where q is the resource-time used in a block. `None` if nothing was used
/// in any block with a peak: then nobody can be asked to pay.
///
/// Because φ is multiplied by q and scaled again, shares are not pure Shapley values; so does the published method.
pub fn block_shares(budget: f64, peaks: &[f64], used: &[f64]) -> Option<Vec<f64>> {
    let mut shares: Vec<f64> = airport(peaks).iter().zip(used).map(|(phi, q)| phi * q).collect();
    let total: f64 = shares.iter().sum();
    if total <= 0.0 {
        return None;
    }
    shares.iter_mut().for_each(|s| *s *= budget / total);
    Some(shares)
}

/// What a unit of resource-time costs in each block: budget × φ_i / Σ φ_j q_j. `None` as in [`block_shares`].
pub fn block_intensities(budget: f64, peaks: &[f64], used: &[f64]) -> Option<Vec<f64>> {
    let mut values = airport(peaks);
    let total: f64 = values.iter().zip(used).map(|(phi, q)| phi * q).sum();
    if total <= 0.0 {
        return None;
    }
    values.iter_mut().for_each(|v| *v *= budget / total);
    Some(values)
}

/// A price per period.
#[derive(Debug, Clone, PartialEq)]
pub struct Prices {
    /// What a unit of resource-time costs, by period: the budget's unit over resource-time.
    pub by_period: Vec<f64>,
    /// What no period takes, because nothing was used.
    pub unattributed: f64,
}

/// Prices of periods by the hierarchical game: the budget is spread over blocks of `levels[0]` periods, each block's share over its
/// blocks of `levels[1]` periods, and so on; inside a block of the last level, a unit of resource-time costs the same everywhere.
///
/// A block's peak is the largest of its periods' `peaks`, its resource-time their sum of `used`. Levels are at least 1 and each
/// divides the one before; the last block of a level may be cut off. Σ price × used + unattributed = budget.
/// Source: Fair-CO2 (above), with levels of 3 days, 8 hours, 1 hour and 5 minutes.
pub fn hierarchical(budget: f64, peaks: &[f64], used: &[f64], levels: &[usize]) -> Prices {
    let mut prices = Prices { by_period: vec![0.0; peaks.len()], unattributed: 0.0 };
    spread(budget, 0..peaks.len(), (peaks, used), levels, &mut prices);
    prices
}

fn spread(budget: f64, periods: Range<usize>, game: (&[f64], &[f64]), levels: &[usize], prices: &mut Prices) {
    let (peaks, used) = game;
    let Some((&size, finer)) = levels.split_first() else {
        let total: f64 = used[periods.clone()].iter().sum();
        if total > 0.0 {
            prices.by_period[periods].fill(budget / total);
        } else {
            prices.unattributed += budget;
        }
        return;
    };
    let blocks: Vec<Range<usize>> =
        periods.clone().step_by(size.max(1)).map(|from| from..(from + size.max(1)).min(periods.end)).collect();
    let block_peaks: Vec<f64> = blocks.iter().map(|b| peaks[b.clone()].iter().copied().fold(0.0, f64::max)).collect();
    let block_used: Vec<f64> = blocks.iter().map(|b| used[b.clone()].iter().sum()).collect();
    match block_shares(budget, &block_peaks, &block_used) {
        Some(shares) => {
            for (block, share) in blocks.into_iter().zip(shares).filter(|(_, share)| *share > 0.0) {
                spread(share, block, game, finer, prices);
            }
        }
        None => prices.unattributed += budget,
    }
}

/// Shapley values of tenants whose joint worth is the largest sum of their demands at any time, by enumeration of all sets: exact, for
/// up to [`MOST_PLAYERS`]. `demands` has one row per tenant, one entry per time block. Σ of the values is the peak of all together.
///
/// Formula: φ_i = Σ_{S without i} |S|! (n − |S| − 1)! / n! × (v(S + i) − v(S)).
/// Example: demands 4 0 0, 4 0 0 and 0 0 4 have the values 10/3, 10/3 and 4/3: who calls off-peak pays less.
///
/// # Errors
/// [`ShapleyError`]: too many players, rows of different lengths, demands that are negative or not finite.
pub fn coalitions(demands: &[Vec<f64>]) -> Result<Vec<f64>, ShapleyError> {
    let players = demands.len();
    if players > MOST_PLAYERS {
        return Err(ShapleyError::TooManyPlayers { players });
    }
    let expected = demands.first().map_or(0, Vec::len);
    for (player, row) in demands.iter().enumerate() {
        if row.len() != expected {
            return Err(ShapleyError::UnevenDemands { player, blocks: row.len(), expected });
        }
        if let Some((block, &demand)) = row.iter().enumerate().find(|(_, d)| !d.is_finite() || **d < 0.0) {
            return Err(ShapleyError::BadDemand { player, block, demand });
        }
    }
    let mut worth = vec![0.0; 1 << players];
    peaks_of_sets(demands, 0, &vec![0.0; expected], 0, &mut worth);
    // weight[s] = s! (n - s - 1)! / n!
    let mut weight = vec![1.0 / players.max(1) as f64; players];
    for s in 1..players {
        weight[s] = weight[s - 1] * s as f64 / (players - s) as f64;
    }
    let value = |player: usize| {
        let without = (0..worth.len()).filter(|set| set & (1 << player) == 0);
        without.map(|set| weight[set.count_ones() as usize] * (worth[set | (1 << player)] - worth[set])).sum()
    };
    Ok((0..players).map(value).collect())
}

/// The peak of every set that adds to `set` players from `next` on.
fn peaks_of_sets(demands: &[Vec<f64>], next: usize, sum: &[f64], set: usize, worth: &mut [f64]) {
    if next == demands.len() {
        worth[set] = sum.iter().copied().fold(0.0, f64::max);
        return;
    }
    peaks_of_sets(demands, next + 1, sum, set, worth);
    let with: Vec<f64> = sum.iter().zip(&demands[next]).map(|(a, b)| a + b).collect();
    peaks_of_sets(demands, next + 1, &with, set | (1 << next), worth);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-12)
    }

    #[test]
    fn three_blocks_have_the_published_values() {
        let wanted = [1.0 / 3.0, 5.0 / 6.0, 11.0 / 6.0];
        assert!(airport(&[1.0, 2.0, 3.0]).iter().zip(wanted).all(|(a, b)| near(*a, b)));
        assert!(airport(&[]).is_empty());
    }

    #[test]
    fn a_hierarchy_of_two_levels_can_be_followed_by_hand() {
        // Blocks of two periods: peaks 2 and 4, used 3 and 4. phi = 1, 3; phi q = 3, 12; shares of 150: 30, 120.
        // Inside the first: peaks 1, 2, phi 0.5, 1.5; phi q = 0.5, 3; shares 30/7, 180/7. Inside the second all in one.
        let prices = hierarchical(150.0, &[1.0, 2.0, 0.0, 4.0], &[1.0, 2.0, 0.0, 4.0], &[2, 1]);
        let wanted = [30.0 / 7.0, 90.0 / 7.0, 0.0, 30.0];
        assert!(prices.by_period.iter().zip(wanted).all(|(a, b)| near(*a, b)), "{prices:?}");
        assert_eq!(prices.unattributed, 0.0);
    }

    #[test]
    fn where_nothing_is_used_nobody_pays() {
        let prices = hierarchical(7.0, &[0.0; 5], &[0.0; 5], &[2, 1]);
        assert_eq!((prices.unattributed, prices.by_period), (7.0, vec![0.0; 5]));
        assert_eq!(block_shares(7.0, &[3.0, 2.0], &[0.0, 0.0]), None);
        assert_eq!(block_intensities(7.0, &[], &[]), None);
    }

    #[test]
    fn games_that_cannot_be_solved_say_why() {
        let say = |demands: &[Vec<f64>]| coalitions(demands).expect_err("a wrong game").to_string();
        assert!(say(&vec![vec![1.0]; 17]).contains("at most 16 players"));
        assert!(say(&[vec![1.0, 2.0], vec![1.0]]).contains("player 1 has demands for 1 time blocks"));
        assert!(say(&[vec![1.0, -2.0]]).contains("player 0 demands -2 in time block 1"));
        assert!(say(&[vec![f64::NAN]]).contains("NaN"));
        assert_eq!(coalitions(&[]), Ok(Vec::new()));
    }

    /// Every player demands its peak in a block of its own: the peak of a set is its largest, which is the airport game.
    fn apart(peaks: &[f64]) -> Vec<Vec<f64>> {
        // The worth is a maximum over blocks, not a sum: nobody else is in the block.
        (0..peaks.len()).map(|i| (0..peaks.len()).map(|t| if t == i { peaks[i] } else { 0.0 }).collect()).collect()
    }

    proptest! {
        #[test]
        fn the_closed_form_is_the_enumerated_game(peaks in prop::collection::vec(0.0f64..100.0, 1..=10)) {
            let exact = coalitions(&apart(&peaks)).expect("a small game");
            for (a, b) in airport(&peaks).iter().zip(&exact) {
                prop_assert!((a - b).abs() <= 1e-9 * 100.0, "{a} {b}");
            }
        }

        #[test]
        fn values_sum_to_the_largest_peak_whatever_the_order(
            peaks in prop::collection::vec(prop_oneof![Just(0.0), Just(5.0), 0.0f64..1e6], 1..200),
            turn in 0usize..200,
        ) {
            let values = airport(&peaks);
            prop_assert!(near(values.iter().sum(), peaks.iter().copied().fold(0.0, f64::max)));
            let mut turned = peaks.clone();
            turned.rotate_left(turn % peaks.len());
            let mut back = airport(&turned);
            back.rotate_right(turn % peaks.len());
            for (i, (a, b)) in values.iter().zip(&back).enumerate() {
                prop_assert!(near(*a, *b));
                prop_assert!(peaks[i] > 0.0 || *a == 0.0);
                for (j, other) in values.iter().enumerate() {
                    prop_assert!(peaks[i] != peaks[j] || near(*a, *other));
                }
            }
        }

        #[test]
        fn prices_times_use_is_the_budget(
            series in prop::collection::vec((0.0f64..10.0, 0.0f64..1.0), 1..300),
            budget in 0.0f64..1e9,
            levels in prop_oneof![Just(vec![96, 12, 1]), Just(vec![4, 2]), Just(vec![1]), Just(vec![]), Just(vec![1000])],
        ) {
            // What is used is at most the peak.
            let peaks: Vec<f64> = series.iter().map(|s| s.0).collect();
            let used: Vec<f64> = series.iter().map(|s| if s.1 < 0.2 { 0.0 } else { s.0 * s.1 }).collect();
            let prices = hierarchical(budget, &peaks, &used, &levels);
            let paid: f64 = prices.by_period.iter().zip(&used).map(|(a, b)| a * b).sum();
            prop_assert!((paid + prices.unattributed - budget).abs() <= 1e-9 * budget);
            prop_assert!(prices.by_period.iter().all(|&p| p >= 0.0));
        }

        #[test]
        fn the_exact_game_is_efficient_and_symmetric(
            rows in prop::collection::vec(prop::collection::vec(0.0f64..10.0, 4), 1..7),
        ) {
            // The first player comes twice, and one who demands nothing.
            let mut demands = rows.clone();
            demands.push(rows[0].clone());
            demands.push(vec![0.0; 4]);
            let values = coalitions(&demands).expect("a small game");
            let peak = (0..4).map(|t| demands.iter().map(|d| d[t]).sum::<f64>()).fold(0.0, f64::max);
            prop_assert!((values.iter().sum::<f64>() - peak).abs() <= 1e-9 * peak.max(1.0));
            prop_assert!((values[0] - values[rows.len()]).abs() <= 1e-9 * peak.max(1.0));
            prop_assert!(values[rows.len() + 1].abs() <= 1e-9 * peak.max(1.0));
        }
    }
}
