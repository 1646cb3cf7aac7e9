//! The search apart from runs: closures say what holds.

use super::*;
use crate::types::Seed;

/// What holds, by a closure; what was asked for is kept.
struct Toy<F, G> {
    glimpse: F,
    judge: G,
    floor: Option<usize>,
    asked: Vec<Vec<usize>>,
    judged: usize,
}

impl<F: Fn(usize) -> bool, G: Fn(usize) -> Verdict> Evaluate for Toy<F, G> {
    type Error = std::convert::Infallible;

    fn glimpse(&mut self, values: &[usize]) -> Result<Vec<bool>, Self::Error> {
        self.asked.push(values.to_vec());
        Ok(values.iter().map(|&n| (self.glimpse)(n)).collect())
    }

    fn judge(&mut self, values: &[usize]) -> Result<Vec<Verdict>, Self::Error> {
        self.asked.push(values.to_vec());
        self.judged += values.len();
        Ok(values.iter().map(|&n| (self.judge)(n)).collect())
    }

    fn floor(&self, _start: usize) -> Option<usize> {
        self.floor
    }
}

fn verdict(holds: bool) -> Verdict {
    if holds { Verdict::Holds } else { Verdict::Fails }
}

fn range(count: usize, start: usize) -> Range {
    Range { count, start, step: start + 1, checks: 4 }
}

fn toy<F: Fn(usize) -> bool + Copy>(holds: F) -> Toy<F, impl Fn(usize) -> Verdict> {
    Toy { glimpse: holds, judge: move |n| verdict(holds(n)), floor: None, asked: Vec::new(), judged: 0 }
}

fn found<F: Fn(usize) -> bool, G: Fn(usize) -> Verdict>(range: Range, mut toy: Toy<F, G>) -> (Found, usize) {
    let Ok(found) = search(range, &mut toy);
    for asked in &toy.asked {
        assert!(!asked.is_empty() && asked.windows(2).all(|w| w[0] < w[1]), "{:?}", toy.asked);
        assert!(asked.iter().all(|n| *n < range.count), "{:?}", toy.asked);
    }
    (found, toy.judged)
}

#[test]
fn every_threshold_is_found_from_every_start_with_any_floor() {
    for count in [1, 2, 3, 9, 64] {
        for threshold in 0..count {
            for start in [0, count / 2, count - 1] {
                for floor in [None, Some(0), Some(threshold), Some(count / 2), Some(count + 5)] {
                    let toy = Toy { floor, ..toy(|n| n >= threshold) };
                    let (found, _) = found(range(count, start), toy);
                    assert_eq!(found.answer, Some(threshold), "{count} {start} {floor:?}");
                    assert_eq!((found.before, found.monotone), (threshold.checked_sub(1), Monotone::Yes));
                }
            }
        }
    }
}

#[test]
fn a_large_range_takes_few_verdicts_and_two_values_at_a_time() {
    let mut toy = toy(|n| n >= 777_777);
    let Ok(found) = search(range(1_000_000, 9), &mut toy);
    assert_eq!(found.answer, Some(777_777));
    assert!(toy.asked.len() < 30, "{}", toy.asked.len());
    assert!(toy.judged <= 2 + 2 + 8, "{} verdicts", toy.judged);
}

#[test]
fn nothing_that_holds_is_said_after_a_sweep() {
    let (none, _) = found(range(64, 0), toy(|_| false));
    assert_eq!((none.answer, none.monotone, none.holding.len()), (None, Monotone::Yes, 0));
    assert!(none.verdicts.contains_key(&63) && none.verdicts.contains_key(&0), "both ends: {:?}", none.verdicts);
    assert!(none.verdicts.len() >= 4);
}

#[test]
fn a_hole_above_the_answer_is_found_and_the_answer_lies_above_it() {
    // Holds from 10 on, but not from 36 to 40: half the way from 10 to 63 is 36.
    let (hole, _) = found(range(64, 0), toy(|n| n >= 10 && !(36..=40).contains(&n)));
    assert_eq!((hole.monotone, hole.answer, hole.before), (Monotone::No, Some(41), Some(40)));
    assert_eq!(hole.holding.len(), 2, "{:?}", hole.holding);
    assert_eq!(hole.holding[0].0, 10, "the island below is told, too: {:?}", hole.holding);
}

#[test]
fn what_holds_only_below_is_reported_as_not_monotone() {
    let (below, _) = found(range(64, 5), toy(|n| n <= 20));
    assert_eq!((below.monotone, below.answer), (Monotone::No, Some(0)), "{below:?}");
    assert!(below.verdicts[&63] == Verdict::Fails);
}

#[test]
fn an_island_that_the_sweep_meets_is_found_where_the_end_fails() {
    let (island, _) = found(range(64, 0), toy(|n| (20..40).contains(&n)));
    assert_eq!((island.monotone, island.answer, island.before), (Monotone::No, Some(20), Some(19)), "{island:?}");
}

#[test]
fn a_misleading_first_replication_is_corrected() {
    for misled in [0, 10, 29, 31, 50, 63] {
        let toy = Toy {
            glimpse: move |n| n >= misled,
            judge: |n| verdict(n >= 30),
            floor: None,
            asked: Vec::new(),
            judged: 0,
        };
        let (found, judged) = found(range(64, 3), toy);
        assert_eq!((found.answer, found.before, found.monotone), (Some(30), Some(29), Monotone::Yes), "{misled}");
        assert!(judged < 24, "{judged} verdicts");
    }
}

#[test]
fn undecided_values_count_as_failing_and_are_no_contradiction() {
    let judge = |n| match n {
        0..=9 => Verdict::Fails,
        10..=12 => Verdict::Undecided,
        _ => Verdict::Holds,
    };
    let toy = Toy { glimpse: |n| n >= 10, judge, floor: None, asked: Vec::new(), judged: 0 };
    let (steep, _) = found(range(64, 0), toy);
    assert_eq!((steep.answer, steep.before, steep.monotone), (Some(13), Some(12), Monotone::Yes));
    let judge = |n| if n == 11 { Verdict::Undecided } else { verdict(n >= 10) };
    let toy = Toy { glimpse: |n| n >= 10, judge, floor: None, asked: Vec::new(), judged: 0 };
    let (bump, _) = found(range(64, 0), toy);
    assert_eq!((bump.answer, bump.monotone), (Some(12), Monotone::Unclear), "{bump:?}");
}

#[test]
fn noise_near_the_border_moves_the_answer_by_no_more_than_the_noise() {
    for seed in 0..200 {
        let mut stream = Seed(seed).stream("noise", 0);
        // The first replication errs by a standard deviation of 6 values, a verdict by 1.
        let draws: Vec<(f64, f64)> =
            (0..100).map(|_| (6.0 * stream.standard_normal(), stream.standard_normal())).collect();
        let toy = Toy {
            glimpse: |n: usize| n as f64 + draws[n].0 >= 40.0,
            judge: |n: usize| match n as f64 + draws[n].1 {
                x if x >= 41.0 => Verdict::Holds,
                x if x >= 39.0 => Verdict::Undecided,
                _ => Verdict::Fails,
            },
            floor: None,
            asked: Vec::new(),
            judged: 0,
        };
        let (noisy, judged) = found(range(100, 2), toy);
        let answer = noisy.answer.expect("far above, everything holds");
        assert!((37..=46).contains(&answer), "seed {seed}: {answer}");
        assert_eq!(noisy.verdicts[&answer], Verdict::Holds);
        assert!(judged < 40, "seed {seed}: {judged} verdicts");
    }
}

#[test]
fn an_error_ends_the_search() {
    struct Broken;
    impl Evaluate for Broken {
        type Error = &'static str;
        fn glimpse(&mut self, _: &[usize]) -> Result<Vec<bool>, Self::Error> {
            Err("no disk")
        }
        fn judge(&mut self, _: &[usize]) -> Result<Vec<Verdict>, Self::Error> {
            Ok(Vec::new())
        }
        fn floor(&self, _: usize) -> Option<usize> {
            None
        }
    }
    assert_eq!(search(range(4, 0), &mut Broken), Err("no disk"));
}
