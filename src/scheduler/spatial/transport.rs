//! The transportation problem: from origins with supply to places with room, at the lowest cost; solved exactly in whole units.

use std::ops::{Add, Neg};

/// What a unit costs on its way. The first entry counts before the second, the second before the third: a cost of several
/// objectives in the order of their importance. Whole numbers, so that equal sums are equal and no tolerance is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cost(pub [i64; 3]);

impl Add for Cost {
    type Output = Cost;

    fn add(self, other: Cost) -> Cost {
        let ([a, b, c], [d, e, f]) = (self.0, other.0);
        Cost([a + d, b + e, c + f])
    }
}

impl Neg for Cost {
    type Output = Cost;

    fn neg(self) -> Cost {
        Cost(self.0.map(|x| -x))
    }
}

/// Who sends how much where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dealt {
    /// Units from each origin to each place, row by row.
    pub sent: Vec<u64>,
    /// Units of each origin for which no place within its reach has room.
    pub unplaced: Vec<u64>,
}

impl Dealt {
    /// Sum of the costs of all units sent.
    pub fn total(&self, cost: &[Option<Cost>]) -> [i128; 3] {
        let mut total = [0; 3];
        for (&sent, cost) in self.sent.iter().zip(cost) {
            let cost = cost.unwrap_or_default().0;
            (0..3).for_each(|k| total[k] += i128::from(sent) * i128::from(cost[k]));
        }
        total
    }

    /// Units that come to a place.
    pub fn arriving(&self, place: usize, places: usize) -> u64 {
        self.sent.iter().skip(place).step_by(places).sum()
    }
}

/// The cheapest way to send as much as can be sent.
///
/// Formula, with x\[i,j\] the units from origin i to place j:
///
/// ```text
/// max Σ x[i,j], then min Σ cost[i,j] x[i,j]
/// Σ_j x[i,j] <= supply[i],   Σ_i x[i,j] <= room[j],   x[i,j] = 0 where cost[i,j] is None,   x >= 0
/// ```
///
/// `cost` is row by row. Successive shortest paths (Bellman-Ford), each of which empties an origin, fills a place or takes a
/// way back to nothing; the optimum is exact because units and costs are whole numbers, and among equals it is the one of the lowest
/// indices, so that it is the same everywhere. Time: about (origins × places)² for the tens of regions that it is made for.
///
/// Example: 3 and 2 units, room for 4 and 9, costs ((1, 5), (1, 2)): the first sends 3 to the first place and the second, for which
/// the way to the other place is the shorter detour, sends 1 to each: 3 + 1 + 2 = 6.
///
/// Panics if the lengths do not agree.
pub fn transport(supply: &[u64], room: &[u64], cost: &[Option<Cost>]) -> Dealt {
    let (origins, places) = (supply.len(), room.len());
    assert_eq!(cost.len(), origins * places, "one cost for each origin and place");
    let mut sent = vec![0u64; origins * places];
    let (mut left, mut free) = (supply.to_vec(), room.to_vec());
    let mut reached: Vec<Option<(Cost, usize)>> = vec![None; places];
    let mut back: Vec<Option<(Cost, usize)>> = vec![None; origins];
    loop {
        // Shortest ways from any origin with units left: to an origin by way of the place it takes units back from.
        reached.fill(None);
        for (way, &left) in back.iter_mut().zip(&left) {
            *way = (left > 0).then_some((Cost::default(), usize::MAX));
        }
        let mut changed = true;
        while changed {
            changed = false;
            for i in 0..origins {
                let Some((here, _)) = back[i] else { continue };
                for j in 0..places {
                    let Some(step) = cost[i * places + j] else { continue };
                    let there = here + step;
                    if reached[j].is_none_or(|(known, _)| there < known) {
                        reached[j] = Some((there, i));
                        changed = true;
                    }
                }
            }
            for j in 0..places {
                let Some((here, _)) = reached[j] else { continue };
                for i in (0..origins).filter(|i| sent[i * places + j] > 0) {
                    let there = here + -cost[i * places + j].expect("units are only sent where there is a way");
                    if back[i].is_none_or(|(known, _)| there < known) {
                        back[i] = Some((there, j));
                        changed = true;
                    }
                }
            }
        }
        let open = (0..places).filter(|&j| free[j] > 0).filter_map(|j| reached[j].map(|(cost, _)| (cost, j))).min();
        let Some((_, end)) = open else { break };
        let mut units = free[end];
        let mut path = Vec::new();
        let mut place = end;
        loop {
            let (_, origin) = reached[place].expect("it lies on a way");
            path.push((origin, place));
            let (_, from) = back[origin].expect("it lies on a way");
            if from == usize::MAX {
                units = units.min(left[origin]);
                left[origin] -= units;
                break;
            }
            units = units.min(sent[origin * places + from]);
            place = from;
        }
        // The units of the first origin are known last, after every narrow place on the way.
        free[end] -= units;
        for (k, &(origin, place)) in path.iter().enumerate() {
            sent[origin * places + place] += units;
            if let Some(&(_, from)) = path.get(k + 1) {
                sent[origin * places + from] -= units;
            }
        }
    }
    Dealt { sent, unplaced: left }
}
