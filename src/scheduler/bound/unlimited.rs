//! The bound without a capacity: every job for itself, exact.

use super::{BoundError, Task};
use crate::grid::Signal;
use crate::types::{JOULES_PER_KWH, SimTime};

/// The fewest grams for each job when nothing limits how many run at a time \[gCO2e\].
///
/// Formula, per job, with I the true intensity on the window \[earliest, deadline\]:
///
/// ```text
///   may be suspended:  P × the lowest `length` of the window, in steps cut at its ends
///   may not be:        P × min over s of ∫ I over [s, s + length]; the minimum of this piecewise linear function lies where s or
///                      s + length is the edge of a step or of the window
///   elastic:           the corners k of the lower convex hull of (speed, power) from (0, 0) on, bought as (step, k) in ascending
///                      order of I × (P_k - P_(k-1)) / (v_k - v_(k-1)) until the work is done
/// ```
///
/// The last is exact where speeds may change at any time, and the sum of the other two where they apply. An elastic job that may not be
/// suspended is bounded as if it might. Linear in the steps of a window, for elastic jobs O(n log n).
///
/// Example: 100, 50, 200 g/kWh for an hour each, a job of an hour and 1 kW: 50 g with two hours of slack; of two hours: 150 g.
///
/// Errors: a job that does not fit into its window, which is cut off at the signal's end.
pub fn unlimited(tasks: &[Task], signal: &Signal) -> Result<Vec<f64>, BoundError> {
    let mut window = Window::default();
    tasks.iter().enumerate().map(|(at, task)| window.grams(at, task, signal)).collect()
}

/// The window of one job; its memory is used again.
#[derive(Default)]
struct Window {
    /// Intensity [g/kWh] and length \[s\] of its steps, in order of time.
    steps: Vec<(f64, f64)>,
    /// The same, or what is bought of them, out of order.
    offers: Vec<(f64, f64)>,
}

/// A task's end: its deadline, or the signal's end where that comes first.
pub(super) fn end(task: &Task, signal: &Signal) -> SimTime {
    task.deadline.min(signal.end())
}

/// Refuses a task that does not fit into its window.
pub(super) fn check(at: usize, task: &Task, signal: &Signal) -> Result<(), BoundError> {
    let window = end(task, signal).saturating_since(task.earliest);
    let fastest = task.levels.iter().fold(0.0, |most: f64, l| most.max(l.speed));
    let needed_s = task.length.as_secs_f64() / fastest;
    let fits = if task.levels.len() == 1 && fastest == 1.0 {
        task.length <= window
    } else {
        needed_s <= window.as_secs_f64() * (1.0 + 1e-12)
    };
    let no_time = BoundError::NoTime { at, needed_s, window_s: window.as_secs_f64() };
    if fits { Ok(()) } else { Err(no_time) }
}

impl Window {
    fn grams(&mut self, at: usize, task: &Task, signal: &Signal) -> Result<f64, BoundError> {
        check(at, task, signal)?;
        if task.length.0 == 0 {
            return Ok(0.0);
        }
        let (from, to) = (task.earliest, end(task, signal));
        let offset = |t: SimTime| i64::try_from(t.0).unwrap_or(i64::MAX);
        let (from, to) = (offset(from), offset(to));
        self.steps.clear();
        self.steps.extend(signal.intervals_between(from, to).filter_map(|(begins, ends, g)| {
            let inside = ends.min(to) - begins.max(from);
            (inside > 0).then_some((g.0, inside as f64 * 1e-9))
        }));
        let length_s = task.length.as_secs_f64();
        let g_s = match task.levels.as_slice() {
            [only] if task.interruptible => {
                self.offers.clear();
                self.offers.extend_from_slice(&self.steps);
                cheapest(&mut self.offers, length_s / only.speed) * only.power_w
            }
            [only] => self.cheapest_window(length_s / only.speed) * only.power_w,
            _ => self.elastic(task, length_s),
        };
        Ok(g_s / JOULES_PER_KWH)
    }

    /// The lowest integral of intensity over a stretch of the window [g/kWh · s].
    fn cheapest_window(&self, length_s: f64) -> f64 {
        let steps = &self.steps;
        // The stretch begins `head` after the beginning of step `i` and ends `tail` after that of step `j`.
        let (mut i, mut head, mut j) = (0, 0.0, 0);
        let (mut sum, mut tail) = (0.0, length_s);
        while j + 1 < steps.len() && tail > steps[j].1 {
            sum += steps[j].0 * steps[j].1;
            tail -= steps[j].1;
            j += 1;
        }
        tail = tail.min(steps[j].1);
        sum += steps[j].0 * tail;
        let mut lowest = sum;
        loop {
            let (left, right) = (steps[i].1 - head, steps[j].1 - tail);
            let by = left.min(right);
            sum += (steps[j].0 - steps[i].0) * by;
            (head, tail) = (head + by, tail + by);
            lowest = lowest.min(sum);
            if right <= left {
                if j + 1 == steps.len() {
                    return lowest.max(0.0);
                }
                (j, tail) = (j + 1, 0.0);
            }
            if left <= right {
                (i, head) = (i + 1, 0.0);
            }
        }
    }

    /// The fewest joules times intensity of an elastic job [g/kWh · J].
    fn elastic(&mut self, task: &Task, length_s: f64) -> f64 {
        let mut corners = vec![(0.0, 0.0)];
        let slope = |a: (f64, f64), b: (f64, f64)| (b.1 - a.1) / (b.0 - a.0);
        let mut levels: Vec<(f64, f64)> = task.levels.iter().map(|l| (l.speed, l.power_w)).collect();
        levels.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
        for level in levels {
            let same = corners.last().is_some_and(|last| last.0 == level.0);
            if same {
                corners.pop();
            }
            while let [.., before, last] = corners[..]
                && slope(before, last) >= slope(last, level)
            {
                corners.pop();
            }
            corners.push(level);
        }
        self.offers.clear();
        for pair in corners.windows(2) {
            let (price, speed) = (slope(pair[0], pair[1]), pair[1].0 - pair[0].0);
            self.offers.extend(self.steps.iter().map(|&(g, s)| (g * price, s * speed)));
        }
        cheapest(&mut self.offers, length_s)
    }
}

/// What so much of the cheapest offers costs; an offer is a price and an amount. All of them if they do not suffice. Linear on average.
fn cheapest(offers: &mut [(f64, f64)], mut amount: f64) -> f64 {
    let mut rest = offers;
    let mut cost = 0.0;
    while rest.len() > 8 {
        let middle = rest.len() / 2;
        rest.select_nth_unstable_by(middle, |a, b| a.0.total_cmp(&b.0));
        let (low, high) = rest.split_at_mut(middle);
        let of_low: f64 = low.iter().map(|o| o.1).sum();
        if of_low >= amount {
            rest = low;
        } else {
            cost += low.iter().map(|o| o.0 * o.1).sum::<f64>();
            amount -= of_low;
            rest = high;
        }
    }
    rest.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    for &mut (price, of) in rest {
        let taken = amount.min(of);
        cost += price * taken;
        amount -= taken;
        if amount <= 0.0 {
            break;
        }
    }
    cost
}
