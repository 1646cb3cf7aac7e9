//! A claim evaluated over the runs at one point.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{BASELINE, Known, Outcome, Source, Verdict};
use crate::claim::{Expression, Operator, Reference};
use crate::contrast::join::Matched;
use crate::contrast::{Difference, Side};
use crate::stats::Estimate;

/// A claim at one point with the runs there.
pub(super) struct Scene<'s> {
    pub known: &'s Known,
    pub baseline: usize,
    pub about: Option<usize>,
    /// Whose runs there are, in order.
    pub used: &'s [(Source, Cow<'s, Side>)],
    pub runs: Matched<'s>,
    pub confidence: f64,
}

/// The values of an expression over runs.
struct Series {
    values: Vec<f64>,
    /// Whether runs differ in it at all: numbers and aggregates do not.
    varies: bool,
}

impl Scene<'_> {
    pub fn verdict(&self) -> Result<Verdict, String> {
        let claim = &self.known.claim;
        let (left, right) = (self.series(&claim.left)?, self.series(&claim.right)?);
        let [l, r] = [&left, &right].map(|s| Estimate::of(&s.values).mean);
        let pairs = self.runs.paired;
        let difference = if pairs || !left.varies || !right.varies {
            let n = left.values.len().max(right.values.len());
            let at = |s: &Series, i: usize| if s.varies { s.values[i] } else { s.values[0] };
            let differences: Vec<f64> = (0..n).map(|i| at(&left, i) - at(&right, i)).collect();
            Difference { paired: pairs, ..Difference::of_pairs(&differences) }
        } else {
            Difference::of_apart(&left.values, &right.values)
        };
        let confidence = match claim.operator {
            Operator::Equal | Operator::Unequal => f64::midpoint(1.0, self.confidence),
            _ => self.confidence,
        };
        let margin = difference.margin(confidence);
        let ends = [difference.value - margin, difference.value + margin];
        let (outcome, mut why) = if margin.is_nan() {
            let why = if difference.runs > 1 || left.varies || right.varies {
                "one run each: no interval is known"
            } else {
                "no interval is known"
            };
            (if claim.operator.holds(l, r) { Outcome::Holds } else { Outcome::Fails }, why.to_owned())
        } else {
            (judged(claim.operator, ends), String::new())
        };
        if outcome == Outcome::Undecided && matches!(claim.operator, Operator::Equal | Operator::Unequal) {
            why = "an interval never shows equality: write abs(a - b) < tolerance".to_owned();
        }
        if !pairs && !why.contains("one run") {
            let apart = "no common seeds: the runs count as independent";
            why = if why.is_empty() { apart.to_owned() } else { format!("{why}; {apart}") };
        }
        Ok(Verdict {
            claim: claim.to_string(),
            about: String::new(),
            at: String::new(),
            outcome,
            left: l,
            right: r,
            difference: Some(difference),
            ends,
            why,
        })
    }

    /// An expression over the runs: run by run where they are pairs, or if it is of one result alone.
    fn series(&self, expression: &Expression) -> Result<Series, String> {
        let place = |reference: &Reference<'_>| {
            let source = self.known.source(reference, self.baseline, self.about)?;
            self.used.iter().position(|(used, _)| *used == source)
        };
        let places: BTreeSet<usize> = expression.names().iter().filter_map(|(r, _)| place(r)).collect();
        if places.len() > 1 && !self.runs.paired {
            let names: Vec<&str> = places.iter().map(|&i| self.used[i].1.name.as_str()).collect();
            return Err(format!(
                "{expression} mixes {}, whose runs do not share seeds: write the claim so that either side of it is of one result, \
                 as in sci < 0.9 * baseline",
                names.join(" and ")
            ));
        }
        let n = places.first().map_or(1, |&place| self.runs.runs[place].len());
        if n == 0 {
            return Err("no run is left".to_owned());
        }
        let value = |i: usize| {
            expression.value(&|reference| {
                let Some(place) = place(reference) else { return self.aggregate(reference) };
                let side = &self.used[place].1;
                let key = match reference {
                    Reference::Name(BASELINE) => self.known.first.as_ref(),
                    Reference::Name(name) | Reference::Call { name, .. } => self.known.keys.get(*name),
                };
                let run = self.runs.runs[place][i];
                let x = key.and_then(|key| side.figure(key)).map(|index| run.values[index]);
                let undefined =
                    || format!("{reference} is undefined in the run of {} with seed {}", side.name, run.seed);
                x.filter(|x| x.is_finite()).ok_or_else(undefined)
            })
        };
        Ok(Series { values: (0..n).map(value).collect::<Result<_, _>>()?, varies: !places.is_empty() })
    }

    /// The mean or the half-width of an expression over the runs.
    fn aggregate(&self, reference: &Reference<'_>) -> Result<f64, String> {
        let Reference::Call { name, arguments } = reference else { return Err(format!("{reference} is of no result")) };
        let estimate = Estimate::of(&self.series(&arguments[0])?.values);
        if *name == "mean" {
            return Ok(estimate.mean);
        }
        let half = estimate.half_width(self.confidence);
        if half.is_finite() { Ok(half) } else { Err(format!("{reference} is unknown: one run has no interval")) }
    }
}

/// What the ends of the interval of left less right say of a comparison.
///
/// Formula: `<` holds if the upper end is below 0, and does not if the lower end is not; and so on. `==` holds only if the
/// interval is 0 alone, and does not if it leaves out 0.
fn judged(operator: Operator, [low, high]: [f64; 2]) -> Outcome {
    let (holds, fails) = match operator {
        Operator::Below => (high < 0.0, low >= 0.0),
        Operator::AtMost => (high <= 0.0, low > 0.0),
        Operator::Above => (low > 0.0, high <= 0.0),
        Operator::AtLeast => (low >= 0.0, high < 0.0),
        Operator::Equal => (low == 0.0 && high == 0.0, low > 0.0 || high < 0.0),
        Operator::Unequal => (low > 0.0 || high < 0.0, low == 0.0 && high == 0.0),
    };
    match (holds, fails) {
        (true, _) => Outcome::Holds,
        (false, true) => Outcome::Fails,
        (false, false) => Outcome::Undecided,
    }
}
