//! What the threshold policies have in common: run while intensity is low, wait otherwise, as long as patience lasts.

use super::{Plan, Work};
use crate::grid::Step;
use crate::scheduler::View;
use crate::types::{Duration, SimTime};

/// Runs the work if the present intensity is `low` or its patience is spent; else asks again at the next value that the publisher gives.
///
/// Work that can be suspended runs until further notice, and is asked about again when the value changes. Once its patience is spent it
/// runs until it is done, as does work that cannot be suspended from its start on.
pub(super) fn run_while_low(work: &Work<'_>, view: &View<'_>, plan: &mut Plan, low: bool) {
    let (now, until) = (view.now, work.may_wait_until(view.now));
    let changes = view.observed[work.region.index()].step(now).to;
    // At the very end of the signal nothing more will be published.
    let spent = until <= now || changes <= now;
    if low || spent {
        plan.start(now);
        if !spent && work.is_interruptible() {
            plan.again = changes;
        }
    } else {
        plan.again = changes.min(until);
    }
}

/// The lowest value below or at which a step function of time stays for this share of the time.
pub(super) fn share_of_time(values: &mut [(f64, Duration)], share: f64) -> Option<f64> {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: u64 = values.iter().map(|v| v.1.0).sum();
    let wanted = share * total as f64;
    let mut below = 0;
    for &(value, time) in values.iter() {
        below += time.0;
        if below as f64 >= wanted {
            return Some(value);
        }
    }
    values.last().map(|v| v.0)
}

/// The quantile of equally spaced samples of a step function, by linear interpolation between order statistics, without drawing them.
///
/// The samples are at `from`, `from + every`, …, inside the steps. Formula: with n samples sorted x_0 <= … <= x_(n-1) and h = q (n - 1),
/// x_floor(h) + (h - floor(h)) (x_floor(h)+1 - x_floor(h)).
pub(super) fn sampled_quantile(steps: &[Step], from: SimTime, every: Duration, q: f64) -> Option<f64> {
    let before = |t: SimTime| (t - from).0.div_ceil(every.0.max(1));
    let mut counts: Vec<(f64, u64)> = steps.iter().map(|s| (s.g_per_kwh, before(s.to) - before(s.from))).collect();
    counts.sort_by(|a, b| a.0.total_cmp(&b.0));
    let samples: u64 = counts.iter().map(|c| c.1).sum();
    let last = samples.checked_sub(1)?;
    let h = q * last as f64;
    let at = |rank: u64| {
        let mut seen = 0;
        counts.iter().find(|c| {
            seen += c.1;
            rank < seen
        })
    };
    let lower = (h as u64).min(last);
    let (a, b) = (at(lower)?.0, at((lower + 1).min(last))?.0);
    let share = h - lower as f64;
    // From the nearer end, so that equal ends give themselves.
    Some(if share < 0.5 { a + (b - a) * share } else { b - (b - a) * (1.0 - share) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(from: u64, to: u64, g_per_kwh: f64) -> Step {
        Step { from: SimTime(from), to: SimTime(to), g_per_kwh }
    }

    #[test]
    fn a_share_of_time_is_a_value_that_was_seen() {
        let mut values = [(5.0, Duration(2)), (1.0, Duration(1)), (3.0, Duration(1))];
        let at = |values: &mut [_], share| share_of_time(values, share).expect("there are values");
        assert_eq!([0.0, 0.25, 0.26, 0.5, 0.51, 1.0].map(|s| at(&mut values, s)), [1.0, 1.0, 3.0, 3.0, 5.0, 5.0]);
        assert_eq!(share_of_time(&mut [], 0.5), None);
        assert_eq!(share_of_time(&mut [(7.0, Duration(0))], 0.5), Some(7.0));
    }

    #[test]
    fn quantiles_of_samples_are_those_of_the_samples_one_by_one() {
        let steps = [step(3, 10, 4.0), step(10, 11, 9.0), step(11, 20, 2.0), step(20, 23, 4.0)];
        for every in [1, 2, 3, 7, 50] {
            let mut samples: Vec<f64> = Vec::new();
            let mut t = 3;
            while t < 23 {
                samples.push(steps.iter().find(|s| s.to.0 > t).expect("a step").g_per_kwh);
                t += every;
            }
            samples.sort_by(f64::total_cmp);
            for q in [0.0, 0.1, 0.3, 0.5, 0.77, 1.0] {
                let h: f64 = q * (samples.len() - 1) as f64;
                let (a, b) = (samples[h.floor() as usize], samples[h.ceil() as usize]);
                let got = sampled_quantile(&steps, SimTime(3), Duration(every), q).expect("there are samples");
                assert!((got - (a + (b - a) * h.fract())).abs() < 1e-12, "every {every}, {q}: {got}");
            }
        }
        assert_eq!(sampled_quantile(&[], SimTime(0), Duration(5), 0.3), None);
    }
}
