//! Where a function that is expensive and may fail crosses zero: a bracket that narrows.

use std::fmt::Display;

/// Where a function changes its sign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Root {
    /// The middle of the bracket, or where the function was exactly 0.
    pub at: f64,
    /// Lower end of the bracket.
    pub low: f64,
    /// Upper end of the bracket.
    pub high: f64,
    /// The function at the lower end.
    pub value_low: f64,
    /// The function at the upper end.
    pub value_high: f64,
    /// How often the function was computed.
    pub evaluations: usize,
}

/// Why there is no root.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RootError<E: Display> {
    /// The function does not change its sign.
    #[error(
        "no sign change between {low} ({value_low}) and {high} ({value_high})\n  help: widen the range until the two sides \
         trade places, or look at a sweep over it first"
    )]
    NoSignChange {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
        /// The function at the lower end.
        value_low: f64,
        /// The function at the upper end.
        value_high: f64,
    },
    /// The function is not a number somewhere.
    #[error("the difference is undefined at {at}\n  help: choose a range in which both sides are defined")]
    Undefined {
        /// Where.
        at: f64,
    },
    /// The function cannot be computed somewhere.
    #[error("at {at}: {source}")]
    Failed {
        /// Where.
        at: f64,
        /// Why.
        source: E,
    },
    /// The range or the tolerance is not one.
    #[error(
        "cannot search from {low} to {high} with a tolerance of {tolerance}\n  help: give finite ends, the lower one first, and a \
         tolerance above 0"
    )]
    Range {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
        /// The tolerance.
        tolerance: f64,
    },
}

/// Finds where a function changes its sign between two ends, to ± `tolerance`.
///
/// Formula: ITP. Each point is that of regula falsi, moved towards the middle by at most κ1 (high - low)² with κ1 = 0.2 / (first width), and kept within
/// ε 2^(m + 1 - j) - (high - low) / 2 of the middle, j being the step and m = ceil(log2(first width / 2ε)) the steps of bisection. Ends when
/// the bracket is no wider than 2ε.
///
/// Source: Oliveira and Takahashi, ACM Transactions on Mathematical Software 47(1) (2020), with κ2 = 2 and n0 = 1. Chosen over Brent's
/// method because it never takes more than one step above bisection, also for functions with steps and noise, as differences of
/// simulated figures are; on smooth ones it converges superlinearly.
///
/// Errors: `at` is within ε of a change of sign; of several it finds one. A jump over zero counts as one. Of a function with noise it is a change of
/// sign of what was computed, not of the expectation.
///
/// Edge cases: an end where the function is 0 is the root. Where neighbouring numbers are further apart than ε, it ends at them.
///
/// Example: x² - 2 between 1 and 2 to 1e-6: 1.414214 after 8 evaluations, both ends included; bisection takes 21.
pub fn root<E: Display>(
    mut function: impl FnMut(f64) -> Result<f64, E>,
    low: f64,
    high: f64,
    tolerance: f64,
) -> Result<Root, RootError<E>> {
    if !(low.is_finite() && high.is_finite() && low < high && tolerance > 0.0) {
        return Err(RootError::Range { low, high, tolerance });
    }
    let mut evaluations = 0;
    let mut value = |at: f64| {
        evaluations += 1;
        match function(at) {
            Ok(y) if y.is_nan() => Err(RootError::Undefined { at }),
            Ok(y) => Ok((y, evaluations)),
            Err(source) => Err(RootError::Failed { at, source }),
        }
    };
    let exactly = |at: f64, evaluations| Root { at, low: at, high: at, value_low: 0.0, value_high: 0.0, evaluations };
    let (mut a, mut b) = (low, high);
    let (mut at_a, count) = value(a)?;
    if at_a == 0.0 {
        return Ok(exactly(a, count));
    }
    let (mut at_b, mut count) = value(b)?;
    if at_b == 0.0 {
        return Ok(exactly(b, count));
    }
    if (at_a > 0.0) == (at_b > 0.0) {
        return Err(RootError::NoSignChange { low, high, value_low: at_a, value_high: at_b });
    }
    let kappa = 0.2 / (b - a);
    // How wide the bracket may be after this step.
    let mut reach = tolerance * 2.0;
    while reach < b - a {
        reach *= 2.0;
    }
    // Less by what the ends are rounded to, so that rounding costs no step.
    reach *= (1.0 - 2.0 * f64::EPSILON * a.abs().max(b.abs()) / tolerance).max(0.5);
    while b - a > 2.0 * tolerance {
        let middle = f64::midpoint(a, b);
        let falsi = if at_a.is_finite() && at_b.is_finite() { a + (b - a) * (at_a / (at_a - at_b)) } else { middle };
        let toward = if falsi < middle { 1.0 } else { -1.0 };
        let moved = kappa * (b - a) * (b - a);
        let truncated = if moved <= (middle - falsi).abs() { falsi + toward * moved } else { middle };
        let radius = (reach - (b - a) / 2.0).max(0.0);
        let wanted = if (truncated - middle).abs() <= radius { truncated } else { middle - toward * radius };
        let inside = |x: f64| a < x && x < b;
        let at = if inside(wanted) { wanted } else { middle };
        if !inside(at) {
            break;
        }
        let (y, so_far) = value(at)?;
        count = so_far;
        if y == 0.0 {
            return Ok(exactly(at, count));
        }
        if (y > 0.0) == (at_a > 0.0) {
            (a, at_a) = (at, y)
        } else {
            (b, at_b) = (at, y)
        }
        reach /= 2.0;
    }
    Ok(Root { at: f64::midpoint(a, b), low: a, high: b, value_low: at_a, value_high: at_b, evaluations: count })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Never = &'static str;

    fn find(f: impl Fn(f64) -> f64, low: f64, high: f64, tolerance: f64) -> Root {
        root(|x| Ok::<f64, Never>(f(x)), low, high, tolerance).expect("a sign change")
    }

    #[test]
    fn the_example_of_the_formula_holds() {
        let r = find(|x| x * x - 2.0, 1.0, 2.0, 1e-6);
        assert!((r.at - 2f64.sqrt()).abs() <= 1e-6, "{r:?}");
        assert!(r.low <= 2f64.sqrt() && 2f64.sqrt() <= r.high && r.high - r.low <= 2e-6);
        assert!(r.value_low < 0.0 && r.value_high > 0.0);
        assert_eq!(r.evaluations, 8, "as documented");
    }

    #[test]
    fn roots_of_many_shapes_are_found_in_one_step_more_than_bisection() {
        type Shape = (&'static str, fn(f64) -> f64, f64);
        let shapes: [Shape; 7] = [
            ("line", |x| 3.0 * x - 1.0, 1.0 / 3.0),
            ("falling", |x| 0.9 - x, 0.9),
            ("flat at the root", |x| (x - 0.77) * (x - 0.77) * (x - 0.77), 0.77),
            ("steep", |x| x.powi(40) - 0.5f64.powi(40), 0.5),
            ("step", |x| if x < 0.123 { -1.0 } else { 5.0 }, 0.123),
            ("jump over infinity", |x| 1.0 / (x - 0.6), 0.6),
            ("nearly one end", |x| x - 1e-5, 1e-5),
        ];
        for (name, f, wanted) in shapes {
            for tolerance in [1e-2, 1e-5, 1e-9] {
                let r = find(f, 0.0, 1.0, tolerance);
                assert!((r.at - wanted).abs() <= tolerance, "{name}: {r:?}");
                let bisection = (1.0f64 / (2.0 * tolerance)).log2().ceil() as usize + 2;
                assert!(r.evaluations <= bisection + 1, "{name}: {} evaluations, bisection {bisection}", r.evaluations);
            }
        }
    }

    #[test]
    fn a_root_at_an_end_or_hit_exactly_is_the_answer() {
        assert_eq!(find(|x| x, 0.0, 1.0, 1e-3).at, 0.0);
        let r = find(|x| x - 1.0, 0.0, 1.0, 1e-3);
        assert_eq!((r.at, r.low, r.high, r.evaluations), (1.0, 1.0, 1.0, 2));
        assert_eq!(find(|x| x, -1.0, 1.0, 1e-3).at, 0.0);
    }

    #[test]
    fn a_tolerance_below_the_spacing_of_numbers_ends() {
        let r = find(|x| x - 1e9 - 0.3, 1e9, 1e9 + 1.0, 1e-12);
        assert!((r.at - 1e9 - 0.3).abs() < 3e-7, "{r:?}");
    }

    #[test]
    fn errors_say_what_is_wrong_and_where() {
        let tell = |f: &dyn Fn(f64) -> Result<f64, Never>, low: f64, high: f64| {
            root(f, low, high, 1e-3).expect_err("an error").to_string()
        };
        let text = tell(&|x| Ok(x + 1.0), 0.0, 1.0);
        assert!(text.starts_with("no sign change between 0 (1) and 1 (2)\n  help: "), "{text}");
        let text = tell(&|x| Ok(if x > 0.4 && x < 0.9 { f64::NAN } else { x - 0.5 }), 0.0, 1.0);
        assert!(text.starts_with("the difference is undefined at 0."), "{text}");
        assert_eq!(tell(&|x| if x > 0.5 { Err("no room") } else { Ok(x) }, 0.1, 1.0), "at 1: no room");
        assert!(tell(&|x| Ok(x), 1.0, 0.0).starts_with("cannot search from 1 to 0"));
        assert!(tell(&|x| Ok(x), 0.0, f64::NAN).contains("help: give finite ends"));
    }
}
