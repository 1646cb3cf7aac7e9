//! Which points and which runs of several results belong together.

use std::collections::BTreeSet;

use super::{Run, Side};

/// Points of several sides, one each, that agree on every axis that two of them share.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Joint {
    /// The number of the point on each side.
    pub points: Vec<usize>,
    /// Every axis of any side with its value.
    pub at: Vec<(String, String)>,
}

/// All joint points of sides, in the order of the first side's points, then of the second's, ….
///
/// Formula: the natural join of the tables on the axes that they share; a side without axes joins everything.
pub(super) fn joints(sides: &[&Side]) -> Vec<Joint> {
    let mut found = vec![Joint { points: Vec::new(), at: Vec::new() }];
    for side in sides {
        let mut next = Vec::new();
        for joint in &found {
            for (i, point) in side.points.iter().enumerate() {
                let own = || side.axes.iter().zip(&point.at);
                let known = |axis: &str| joint.at.iter().find(|(name, _)| name == axis).map(|(_, value)| value);
                if own().all(|(axis, value)| known(axis).is_none_or(|v| v == value)) {
                    let mut joint = joint.clone();
                    joint.points.push(i);
                    let new: Vec<_> = own().filter(|(axis, _)| known_not(&joint.at, axis)).collect();
                    let new = new.into_iter().map(|(a, v)| (a.clone(), v.clone())).collect::<Vec<_>>();
                    joint.at.extend(new);
                    next.push(joint);
                }
            }
        }
        found = next;
    }
    found
}

fn known_not(at: &[(String, String)], axis: &str) -> bool {
    at.iter().all(|(name, _)| name != axis)
}

/// A point in words: `isolation = vm, rate = 0.5`; empty without axes.
pub(super) fn said(at: &[(String, String)]) -> String {
    let parts: Vec<String> = at.iter().map(|(axis, value)| format!("{axis} = {value}")).collect();
    parts.join(", ")
}

/// Runs of several points that belong together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Matched<'r> {
    /// Whether the lists have equal seeds at equal places: common random numbers.
    pub paired: bool,
    /// The runs of each list, without those that failed.
    pub runs: Vec<Vec<&'r Run>>,
    /// How many runs are left out because no partner has their seed, over all lists.
    pub alone: usize,
}

/// Pairs runs by seed. They are pairs if at least two seeds are common to all lists, or if each list has one run and it is
/// the same seed; a run that failed takes its partners with it. Otherwise the lists stay apart, each with all its runs.
pub(super) fn matched<'r>(lists: &[&'r [Run]]) -> Matched<'r> {
    let seeds: Vec<BTreeSet<u64>> = lists.iter().map(|runs| runs.iter().map(|r| r.seed).collect()).collect();
    let unique = lists.iter().zip(&seeds).all(|(runs, seeds)| runs.len() == seeds.len());
    let mut common = seeds.first().cloned().unwrap_or_default();
    for other in &seeds {
        common = common.intersection(other).copied().collect();
    }
    let single = lists.iter().all(|runs| runs.len() == 1);
    let paired = lists.len() == 1 || unique && (common.len() >= 2 || single && common.len() == 1);
    if !paired {
        let good = |runs: &&'r [Run]| runs.iter().filter(|r| r.error.is_none()).collect();
        return Matched { paired, runs: lists.iter().map(good).collect(), alone: 0 };
    }
    if let [runs] = lists {
        return Matched { paired, runs: vec![runs.iter().filter(|r| r.error.is_none()).collect()], alone: 0 };
    }
    let of = |runs: &'r [Run], seed: u64| runs.iter().find(|r| r.seed == seed).expect("the seed is common to all");
    let whole: Vec<u64> =
        common.iter().copied().filter(|&seed| lists.iter().all(|runs| of(runs, seed).error.is_none())).collect();
    let alone = lists.iter().map(|runs| runs.len() - common.len()).sum();
    let runs = lists.iter().map(|runs| whole.iter().map(|&seed| of(runs, seed)).collect()).collect();
    Matched { paired, runs, alone }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(seed: u64) -> Run {
        Run { seed, error: None, values: Vec::new() }
    }

    fn seeds(matched: &Matched<'_>) -> Vec<Vec<u64>> {
        matched.runs.iter().map(|runs| runs.iter().map(|r| r.seed).collect()).collect()
    }

    #[test]
    fn equal_seeds_are_pairs_whatever_their_order() {
        let (a, b) = ([run(1), run(2), run(3)], [run(3), run(1), run(2)]);
        let m = matched(&[&a, &b]);
        assert!(m.paired && m.alone == 0);
        assert_eq!(seeds(&m), [[1, 2, 3], [1, 2, 3]]);
    }

    #[test]
    fn surplus_runs_are_left_out_and_counted() {
        let (a, b) = ([run(1), run(2), run(3)], [run(2), run(3), run(4)]);
        let m = matched(&[&a, &b]);
        assert_eq!((m.paired, m.alone, seeds(&m)), (true, 2, vec![vec![2, 3], vec![2, 3]]));
    }

    #[test]
    fn a_failed_run_takes_its_partner_with_it() {
        let failed = Run { error: Some("no room".to_owned()), ..run(2) };
        let (a, b) = ([run(1), failed, run(3)], [run(1), run(2), run(3)]);
        let m = matched(&[&a, &b]);
        assert_eq!((m.paired, seeds(&m)), (true, vec![vec![1, 3], vec![1, 3]]));
    }

    #[test]
    fn other_seeds_are_no_pairs() {
        let (a, b) = ([run(1), run(2)], [run(2), run(3)]);
        let m = matched(&[&a, &b]);
        assert_eq!((m.paired, seeds(&m)), (false, vec![vec![1, 2], vec![2, 3]]));
        let (a, b) = ([run(1)], [run(2)]);
        assert!(!matched(&[&a, &b]).paired);
        let (a, b) = ([run(1)], [run(1)]);
        assert!(matched(&[&a, &b]).paired);
        let (a, b) = ([run(1), run(1)], [run(1), run(1)]);
        assert!(!matched(&[&a, &b]).paired, "one seed twice is not two replications");
    }
}
