//! The search: a bracket and a section on single replications, then verdicts around what they found, then a check.
//!
//! It knows values by their number only, in the order in which they are assumed to become safer: number 0 is the value that
//! is wanted most (the fewest hosts), the last one the safest. What is asked for together, [`FAN_OUT`] values at a time, does not
//! depend on how many threads there are, so that neither do the answers.

use std::collections::BTreeMap;

use super::confidence::Verdict;

/// How many values are asked for together where the search has a choice: with 2, two cores have work while single replications are run,
/// one per value. Chosen by that argument, not measured; it never depends on the number of threads, or the values that are tried would.
pub const FAN_OUT: usize = 2;

/// Runs values.
pub trait Evaluate {
    /// Why the search cannot go on.
    type Error;

    /// Whether the first replication of each value keeps the objectives.
    ///
    /// # Errors
    /// The search cannot go on.
    fn glimpse(&mut self, values: &[usize]) -> Result<Vec<bool>, Self::Error>;

    /// The verdict on each value, after as many replications as it takes.
    ///
    /// # Errors
    /// The search cannot go on.
    fn judge(&mut self, values: &[usize]) -> Result<Vec<Verdict>, Self::Error>;

    /// A value below which none is likely to hold, as far as the glimpse of the start tells.
    fn floor(&self, start: usize) -> Option<usize>;
}

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// How many values there are, at least one.
    pub count: usize,
    /// The value to begin at.
    pub start: usize,
    /// The first step away from it; it doubles.
    pub step: usize,
    /// Values of the coarse check on either side of the answer.
    pub checks: usize,
}

/// Whether the verdicts agree with the assumption that what holds, holds for all safer values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Monotone {
    /// No verdict contradicts it.
    Yes,
    /// Only undecided values contradict it.
    Unclear,
    /// A value that fails is safer than one that holds.
    No,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The first value from which on every judged value holds, up to the last that holds.
    pub answer: Option<usize>,
    /// The judged value just before the answer, which does not hold; `None` if the answer is the first of all.
    pub before: Option<usize>,
    /// Whether the verdicts agree with the assumption.
    pub monotone: Monotone,
    /// Judged values without a failing one between them, first and last.
    pub holding: Vec<(usize, usize)>,
    /// All verdicts.
    pub verdicts: BTreeMap<usize, Verdict>,
}

/// Searches the range.
///
/// # Errors
/// The first error of a run.
pub fn search<E: Evaluate>(range: Range, runs: &mut E) -> Result<Found, E::Error> {
    let mut known = BTreeMap::new();
    let first = match bracket(range, runs)? {
        Some(0) => vec![0],
        Some(good) => vec![good - 1, good],
        None => vec![range.count - 1],
    };
    judge(runs, &mut known, first)?;
    locate(range, runs, &mut known)?;
    let checks = checks(range, &known);
    judge(runs, &mut known, checks)?;
    // A contradiction moves the answer: it is located as finely as the first.
    locate(range, runs, &mut known)?;
    let above: Vec<usize> = answer(&known).map(|(_, a)| a + 1).filter(|&a| a < range.count).into_iter().collect();
    judge(runs, &mut known, above)?;
    locate(range, runs, &mut known)?;
    Ok(sum_up(known))
}

/// The first value that seems to hold by a single replication: steps that double, then sections.
fn bracket<E: Evaluate>(range: Range, runs: &mut E) -> Result<Option<usize>, E::Error> {
    let last = range.count - 1;
    let start = range.start.min(last);
    let at_start = runs.glimpse(&[start])?[0];
    let mut floor = runs.floor(start);
    // Number of the last value that seems to fail, plus 1: 0 if none is known to.
    let (mut open, mut good) = if at_start { (0, start) } else { (start + 1, range.count) };
    let mut step = range.step.max(1);
    while good == range.count && open < range.count {
        let mut probes = Vec::new();
        let mut at = open - 1;
        for _ in 0..FAN_OUT {
            at = at.saturating_add(step).min(last);
            step = step.saturating_mul(2);
            if let Some(floor) = floor.take() {
                at = at.max(floor.min(last));
            }
            if probes.last() != Some(&at) {
                probes.push(at);
            }
        }
        let seen = runs.glimpse(&probes)?;
        for (at, holds) in probes.into_iter().zip(seen) {
            match holds {
                true if good == range.count => good = at,
                false if good == range.count => open = at + 1,
                _ => {}
            }
        }
    }
    if good == range.count {
        return Ok(None);
    }
    while open < good {
        let probes = match floor.take() {
            Some(floor) if at_start && floor >= open && floor < good => {
                let beyond = (floor + floor / 2 + 1).min(good - 1);
                if beyond > floor { vec![floor, beyond] } else { vec![floor] }
            }
            _ => sections(open, good),
        };
        let seen = runs.glimpse(&probes)?;
        for (at, holds) in probes.into_iter().zip(seen) {
            match holds {
                true => {
                    good = at;
                    break;
                }
                false => open = at + 1,
            }
        }
    }
    Ok(Some(good))
}

/// [`FAN_OUT`] values that cut `open..good` into equal parts.
fn sections(open: usize, good: usize) -> Vec<usize> {
    let gap = good - open;
    let mut probes: Vec<usize> = (1..=FAN_OUT).map(|i| open + gap * i / (FAN_OUT + 1)).filter(|&p| p < good).collect();
    probes.dedup();
    probes
}

fn judge<E: Evaluate>(
    runs: &mut E,
    known: &mut BTreeMap<usize, Verdict>,
    mut values: Vec<usize>,
) -> Result<(), E::Error> {
    values.retain(|value| !known.contains_key(value));
    values.sort_unstable();
    values.dedup();
    if values.is_empty() {
        return Ok(());
    }
    let verdicts = runs.judge(&values)?;
    known.extend(values.into_iter().zip(verdicts));
    Ok(())
}

/// The last judged value that does not hold and has a holding one above it, and the first that holds above that.
fn answer(known: &BTreeMap<usize, Verdict>) -> Option<(Option<usize>, usize)> {
    let last = *known.iter().rev().find(|(_, v)| **v == Verdict::Holds)?.0;
    let below = known.range(..last).rev().find(|(_, v)| **v != Verdict::Holds).map(|(n, _)| *n);
    let first = below.map_or(0, |n| n + 1);
    known.range(first..).next().map(|(n, _)| (below, *n))
}

/// Judges values until the answer's neighbour is judged, too.
fn locate<E: Evaluate>(range: Range, runs: &mut E, known: &mut BTreeMap<usize, Verdict>) -> Result<(), E::Error> {
    let last = range.count - 1;
    let mut step = 1usize;
    loop {
        let probes = match answer(known) {
            None => {
                let highest = known.last_key_value().map_or(0, |(n, _)| *n);
                if highest == last {
                    return Ok(());
                }
                let at = highest.saturating_add(step).min(last);
                step = step.saturating_mul(2);
                vec![at]
            }
            Some((None, 0)) => return Ok(()),
            Some((None, good)) => {
                let at = good.saturating_sub(step);
                step = step.saturating_mul(2);
                vec![at]
            }
            Some((Some(bad), good)) if good - bad > 1 => sections(bad + 1, good),
            Some(_) => return Ok(()),
        };
        judge(runs, known, probes)?;
    }
}

/// The answer's neighbours and a coarse sweep to both ends of the range, closer together near the answer. Where nothing holds,
/// a sweep of the whole range.
fn checks(range: Range, known: &BTreeMap<usize, Verdict>) -> Vec<usize> {
    let last = range.count - 1;
    let sweep = |from: usize, to: usize| {
        // to, then half the way to it, then a quarter, …
        let offset = move |k: usize| to.abs_diff(from).checked_shr(k as u32).unwrap_or(0);
        (0..range.checks).map(offset).filter(|o| *o > 0).map(move |o| if to > from { from + o } else { from - o })
    };
    match answer(known) {
        None => sweep(last, 0).collect(),
        Some((before, good)) => {
            let beside = [Some(good + 1).filter(|n| *n <= last), before];
            let below = before.into_iter().flat_map(|b| sweep(b, 0));
            beside.into_iter().flatten().chain(sweep(good, last)).chain(below).collect()
        }
    }
}

fn sum_up(verdicts: BTreeMap<usize, Verdict>) -> Found {
    let found = answer(&verdicts);
    let mut holding: Vec<(usize, usize)> = Vec::new();
    let mut open = false;
    for (&n, &verdict) in &verdicts {
        match (verdict, holding.last_mut()) {
            (Verdict::Holds, Some(run)) if open => run.1 = n,
            (Verdict::Holds, _) => holding.push((n, n)),
            _ => {}
        }
        open = verdict == Verdict::Holds;
    }
    let first = verdicts.iter().find(|(_, v)| **v == Verdict::Holds).map(|(n, _)| *n);
    let above = |wanted: Verdict| first.is_some_and(|n| verdicts.range(n..).any(|(_, v)| *v == wanted));
    let monotone = match (above(Verdict::Fails), above(Verdict::Undecided)) {
        (true, _) => Monotone::No,
        (false, true) => Monotone::Unclear,
        (false, false) => Monotone::Yes,
    };
    Found { answer: found.map(|(_, n)| n), before: found.and_then(|(b, _)| b), monotone, holding, verdicts }
}

#[cfg(test)]
mod tests;
