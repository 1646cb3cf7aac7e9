//! The smallest or largest whole number of a key that keeps every objective, by bisection.
//!
//! Bisection assumes that the objectives, once kept, stay kept towards one end of the range. Both ends and both neighbours of
//! the number found are tried too; a tried number that contradicts the assumption is reported, not hidden.

use std::collections::BTreeMap;

use crate::scenario::Find;

/// What a fit found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The number; `None` if no number that was tried keeps the objectives.
    pub value: Option<i64>,
    /// The number whose figures are shown: `value`, or else the end of the range where they should be best.
    pub shown: i64,
    /// Whether no tried number contradicts the assumption.
    pub monotone: bool,
    /// How many numbers were tried.
    pub runs: usize,
}

/// Searches `low..=high`; `holds` runs one number.
///
/// # Errors
/// The first error of `holds`.
pub fn search<E>(find: Find, low: i64, high: i64, mut holds: impl FnMut(i64) -> Result<bool, E>) -> Result<Found, E> {
    let mut tried = BTreeMap::new();
    let mut test = |n: i64, tried: &mut BTreeMap<i64, bool>| -> Result<bool, E> {
        if let Some(&known) = tried.get(&n) {
            return Ok(known);
        }
        let verdict = holds(n)?;
        tried.insert(n, verdict);
        Ok(verdict)
    };
    let (mut good, mut bad) = match find {
        Find::Smallest => (high, low),
        Find::Largest => (low, high),
    };
    let best = good;
    let (at_good, at_bad) = (test(good, &mut tried)?, test(bad, &mut tried)?);
    if at_bad {
        good = bad;
    } else if at_good {
        while good.abs_diff(bad) > 1 {
            let middle = good.min(bad) + (good.max(bad) - good.min(bad)) / 2;
            *(if test(middle, &mut tried)? { &mut good } else { &mut bad }) = middle;
        }
    }
    if at_good || at_bad {
        for neighbour in [good - 1, good + 1] {
            if (low..=high).contains(&neighbour) {
                test(neighbour, &mut tried)?;
            }
        }
    }
    let kept = tried.iter().filter(|(_, kept)| **kept).map(|(n, _)| *n);
    let value = match find {
        Find::Smallest => kept.min(),
        Find::Largest => kept.max(),
    };
    let monotone = value.is_none_or(|v| {
        tried.iter().all(|(&n, &kept)| match find {
            Find::Smallest => kept == (n >= v),
            Find::Largest => kept == (n <= v),
        })
    });
    Ok(Found { value, shown: value.unwrap_or(best), monotone, runs: tried.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(find: Find, low: i64, high: i64, holds: impl Fn(i64) -> bool) -> Found {
        search(find, low, high, |n| Ok::<bool, ()>(holds(n))).expect("no error")
    }

    #[test]
    fn every_threshold_is_found() {
        for high in [1, 2, 3, 10, 64] {
            for threshold in 1..=high {
                let found = find(Find::Smallest, 1, high, |n| n >= threshold);
                assert_eq!((found.value, found.monotone), (Some(threshold), true), "{threshold} of {high}");
                let found = find(Find::Largest, 1, high, |n| n <= threshold);
                assert_eq!((found.value, found.monotone), (Some(threshold), true), "{threshold} of {high}");
            }
        }
        assert!(find(Find::Smallest, 1, 1_000_000, |n| n >= 777_777).runs <= 24);
    }

    #[test]
    fn nothing_that_holds_shows_the_end_where_it_should_be_best() {
        let none = find(Find::Smallest, 1, 64, |_| false);
        assert_eq!((none.value, none.shown, none.monotone), (None, 64, true));
        assert_eq!(find(Find::Largest, 1, 64, |_| false).shown, 1);
    }

    #[test]
    fn a_tried_number_that_contradicts_the_assumption_is_reported() {
        let island = find(Find::Smallest, 1, 64, |n| n >= 20 && n != 21);
        assert_eq!((island.value, island.monotone), (Some(20), false));
        let upside_down = find(Find::Smallest, 1, 64, |n| n <= 5);
        assert_eq!((upside_down.value, upside_down.monotone), (Some(1), false));
    }

    #[test]
    fn an_error_ends_the_search() {
        assert_eq!(search(Find::Smallest, 1, 9, |n| if n < 5 { Err(n) } else { Ok(true) }), Err(1));
    }
}
