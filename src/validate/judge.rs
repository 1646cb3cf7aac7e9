//! Whether what was found agrees with what is published: tolerances, verdicts, and how both are written.

use serde::Deserialize;

use super::catalogue::{Claim, Measure};
use super::world::{Fault, Found, Row};
use crate::report::significant;

/// How near ours has to come.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Tolerance {
    /// The same number.
    Exact {},
    /// A difference, in the figure's unit.
    Absolute(f64),
    /// A difference over the published figure.
    Relative(f64),
    /// Ours lies in a range.
    Range {
        /// From here on; `-inf` without a bound.
        low: f64,
        /// Up to here; `inf` without a bound.
        high: f64,
    },
    /// So many standard errors of our mean over replications, and no less than a billionth.
    StandardErrors(f64),
    /// Every row has a range of its own.
    OfRows {},
    /// A sign, an order, or another sentence that holds or does not.
    Holds {},
}

impl Tolerance {
    /// What is wrong with it for such a figure.
    pub fn problem(&self, published: Option<f64>) -> Option<String> {
        match *self {
            Tolerance::Absolute(x) | Tolerance::Relative(x) | Tolerance::StandardErrors(x)
                if !(x > 0.0 && x.is_finite()) =>
            {
                Some(format!("the tolerance {x} is not above 0"))
            }
            Tolerance::Range { low, high } if low.partial_cmp(&high).is_none_or(|o| o.is_gt()) => {
                Some(format!("the range {low} to {high} is empty"))
            }
            Tolerance::Range { low, high } if published.is_some_and(|p| p < low || p > high) => {
                Some(format!("the published figure is outside of the range {low} to {high}"))
            }
            _ => None,
        }
    }

    /// From where to where ours agrees.
    fn range(&self, published: f64, error: Option<f64>) -> (f64, f64) {
        match *self {
            Tolerance::Exact {} | Tolerance::OfRows {} | Tolerance::Holds {} => (published, published),
            Tolerance::Absolute(by) => (published - by, published + by),
            Tolerance::Relative(share) => (published - share * published.abs(), published + share * published.abs()),
            Tolerance::Range { low, high } => (low, high),
            Tolerance::StandardErrors(n) => {
                let by = (n * error.unwrap_or(f64::NAN)).max(1e-9 * published.abs());
                (published - by, published + by)
            }
        }
    }

    /// As it is written in tables.
    pub fn text(&self, unit: &str) -> String {
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        match *self {
            Tolerance::Exact {} => "exact".to_owned(),
            Tolerance::Absolute(by) if by < 1e-4 => format!("± {by:.0e}{unit}"),
            Tolerance::Absolute(by) => format!("± {}{unit}", digits(by)),
            Tolerance::Relative(share) if share < 1e-4 => format!("± {share:.0e} of it"),
            Tolerance::Relative(share) => format!("± {} %", digits(100.0 * share)),
            Tolerance::Range { low, high: f64::INFINITY } => format!("at least {}{unit}", digits(low)),
            Tolerance::Range { low: f64::NEG_INFINITY, high } => format!("at most {}{unit}", digits(high)),
            Tolerance::Range { low, high } => format!("{} to {}{unit}", digits(low), digits(high)),
            Tolerance::StandardErrors(n) => format!("± {} standard errors", digits(n)),
            Tolerance::OfRows {} => "a range for each".to_owned(),
            Tolerance::Holds {} => "it holds".to_owned(),
        }
    }
}

/// Five digits, so that nothing depends on the last bits.
pub(super) fn digits(x: f64) -> String {
    if !x.is_finite() {
        return if x.is_nan() { "undefined".to_owned() } else { significant(x) };
    }
    if x != 0.0 && x.abs() < 1e-5 {
        return format!("{x:.1e}");
    }
    significant(format!("{x:.4e}").parse().unwrap_or(x))
}

impl Row {
    fn range(&self, claim: &Tolerance) -> (f64, f64) {
        self.tolerance.as_ref().unwrap_or(claim).range(self.published, self.error)
    }

    /// Whether it agrees, under the claim's tolerance unless it has its own.
    pub fn agrees(&self, claim: &Tolerance) -> bool {
        let (low, high) = self.range(claim);
        (low..=high).contains(&self.ours)
    }

    fn text(&self, claim: &Tolerance) -> String {
        let (low, high) = self.range(claim);
        let wanted = match self.tolerance.as_ref().unwrap_or(claim) {
            Tolerance::Range { .. } => format!("{} to {}", digits(low), digits(high)),
            _ => digits(self.published),
        };
        format!("{}: {} for {wanted}", self.what, digits(self.ours))
    }
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Within the tolerance.
    Reproduced,
    /// Outside, and the catalogue says why.
    KnownGap(String),
    /// Outside, and nobody knows why; or within although a gap is known.
    Unexpected(String),
    /// Not run, for this reason.
    NotRun(String),
    /// It could not be measured.
    Failed(String),
}

/// What is said of a gap that is gone.
const GONE: &str = "reproduced in spite of a known gap: remove known_gap";

impl Verdict {
    /// The verdict on a claim that was measured.
    pub(super) fn of(claim: &Claim, holds: bool) -> Self {
        match (holds, &claim.known_gap) {
            (true, None) => Verdict::Reproduced,
            (false, Some(why)) => Verdict::KnownGap(why.clone()),
            (false, None) => {
                Verdict::Unexpected("outside of the tolerance, and the catalogue names no known gap".to_owned())
            }
            (true, Some(_)) => Verdict::Unexpected(GONE.to_owned()),
        }
    }

    /// Whether the claim held, if it was measured.
    pub(super) fn held(&self) -> Option<bool> {
        match self {
            Verdict::Reproduced => Some(true),
            Verdict::KnownGap(_) => Some(false),
            Verdict::Unexpected(said) => Some(said == GONE),
            Verdict::NotRun(_) | Verdict::Failed(_) => None,
        }
    }

    /// The mark in tables.
    pub fn mark(&self) -> &'static str {
        match self {
            Verdict::Reproduced => "reproduced",
            Verdict::KnownGap(_) => "**NOT reproduced** (known gap)",
            Verdict::Unexpected(_) => "**NOT REPRODUCED** (unexpected)",
            Verdict::NotRun(_) => "not run",
            Verdict::Failed(_) => "**failed**",
        }
    }

    /// What there is to say of it.
    pub fn said(&self) -> &str {
        match self {
            Verdict::Reproduced => "",
            Verdict::KnownGap(s) | Verdict::Unexpected(s) | Verdict::NotRun(s) | Verdict::Failed(s) => s,
        }
    }

    /// Whether somebody has to look at it.
    pub fn alarms(&self) -> bool {
        matches!(self, Verdict::Unexpected(_) | Verdict::Failed(_))
    }
}

/// A claim with what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The claim.
    pub claim: Claim,
    /// What is published, as it is written.
    pub published: String,
    /// What was found, as it is written; empty if nothing was.
    pub ours: String,
    /// The number that was found, if it is one.
    pub number: Option<f64>,
    /// The verdict.
    pub verdict: Verdict,
    /// Rows that are outside of their tolerance.
    pub missed: Vec<String>,
}

impl Judged {
    /// Holds what was found against the claim.
    pub fn of(claim: &Claim, found: &Result<Found, Fault>) -> Self {
        let unit = if claim.unit.is_empty() { String::new() } else { format!(" {}", claim.unit) };
        let published = Self::published(claim);
        let mut judged = Self {
            claim: claim.clone(),
            published,
            ours: String::new(),
            number: None,
            verdict: Verdict::Reproduced,
            missed: Vec::new(),
        };
        let found = match found {
            Ok(found) => found,
            Err(Fault::Needs(what)) => {
                judged.verdict = Verdict::NotRun(what.clone());
                return judged;
            }
            Err(Fault::Failed(what)) => {
                judged.verdict = Verdict::Failed(what.clone());
                return judged;
            }
        };
        let holds = judged.hold(found, &unit);
        judged.verdict = Verdict::of(claim, holds);
        judged
    }

    /// What is published, as it is written.
    pub(super) fn published(claim: &Claim) -> String {
        let unit = if claim.unit.is_empty() { String::new() } else { format!(" {}", claim.unit) };
        let figure = claim.published.map(|p| format!("{}{unit}", significant(p)));
        match (figure, &claim.states) {
            (Some(figure), Some(states)) => format!("{figure} ({states})"),
            (Some(text), None) => text,
            (None, states) => states.clone().unwrap_or_default(),
        }
    }

    /// Writes down what was found; whether it agrees.
    fn hold(&mut self, found: &Found, unit: &str) -> bool {
        let tolerance = self.claim.tolerance;
        match found {
            Found::Number(x) | Found::Mean { mean: x, .. } => {
                self.number = Some(*x);
                let error = if let Found::Mean { error, .. } = found { Some(*error) } else { None };
                self.ours = match error {
                    Some(error) => format!(
                        "{} ± {}{unit}",
                        digits(*x),
                        significant(format!("{error:.1e}").parse().unwrap_or(error))
                    ),
                    None => format!("{}{unit}", digits(*x)),
                };
                let (low, high) = tolerance.range(self.claim.published.unwrap_or(f64::NAN), error);
                (low..=high).contains(x)
            }
            Found::Rows(rows) => {
                let misses = rows.iter().filter(|r| !r.agrees(&tolerance));
                self.missed = misses.map(|r| r.text(&tolerance)).collect();
                self.ours =
                    format!("{} of {}{}", rows.len() - self.missed.len(), rows.len(), furthest(rows, &tolerance));
                self.missed.is_empty() && !rows.is_empty()
            }
            Found::Cases(cases) => {
                let wrong = cases.iter().filter_map(|(name, fault)| Some(format!("{name}: {}", fault.as_ref()?)));
                self.missed = wrong.collect();
                self.ours = format!("{} of {}", cases.len() - self.missed.len(), cases.len());
                self.missed.is_empty() && !cases.is_empty()
            }
            Found::Holds { holds, said } => {
                self.ours = said.clone();
                *holds
            }
        }
    }

    /// A claim that nothing in the program can measure.
    pub fn external(claim: &Claim) -> Option<Fault> {
        match &claim.measure {
            Measure::External { takes } => Some(Fault::Needs(takes.clone())),
            _ => None,
        }
    }
}

/// The largest deviation of rows that are held to a share of the published figure; nothing for others.
fn furthest(rows: &[Row], claim: &Tolerance) -> String {
    let relative = |r: &Row| (r.ours / r.published - 1.0).abs();
    let shares = rows.iter().filter(|r| {
        let own = r.tolerance.as_ref().unwrap_or(claim);
        matches!(own, Tolerance::Relative(_)) && r.published != 0.0
    });
    let most = shares.map(relative).fold(f64::NAN, f64::max);
    if most.is_nan() {
        String::new()
    } else if most < 1e-7 {
        ", all to 1e-7".to_owned()
    } else {
        format!(", at most {} % off", significant(format!("{:.1e}", 100.0 * most).parse().unwrap_or(most)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::Catalogue;

    fn claim(tolerance: &str, gap: bool) -> Claim {
        let gap = if gap { "known_gap = \"servers differ\"\n" } else { "" };
        let text = format!(
            "subject = \"s\"\nabout = \"a\"\n[[claim]]\nid = \"X\"\nclaim = \"c\"\nsource = \"p\"\npublished = 10.0\nunit = \"J\"\n\
             why = \"w\"\n{gap}tolerance.{tolerance}\nmeasure.external.takes = \"t\"\n"
        );
        Catalogue::of(&[("x", &text)]).expect("right").claims().next().expect("one").clone()
    }

    fn verdict(tolerance: &str, gap: bool, found: Found) -> (Verdict, String) {
        let judged = Judged::of(&claim(tolerance, gap), &Ok(found));
        (judged.verdict, judged.ours)
    }

    #[test]
    fn every_tolerance_counts_its_ends_in() {
        let holds = |t: &str, x: f64| verdict(t, false, Found::Number(x)).0 == Verdict::Reproduced;
        assert!(holds("exact = {}", 10.0) && !holds("exact = {}", 10.1));
        assert!(holds("absolute = 0.5", 10.5) && !holds("absolute = 0.5", 10.6));
        assert!(holds("relative = 0.05", 9.5) && !holds("relative = 0.05", 9.4));
        assert!(holds("range = { low = 5.0, high = inf }", 1e9) && !holds("range = { low = 5.0, high = inf }", 4.9));
        let mean = |mean: f64| {
            verdict("standard-errors = 3.0", false, Found::Mean { mean, error: 0.1 }).0 == Verdict::Reproduced
        };
        assert!(mean(10.3) && !mean(10.31));
        assert!(!holds("standard-errors = 3.0", f64::NAN) && !holds("relative = 0.05", f64::NAN));
    }

    #[test]
    fn a_gap_that_is_known_is_no_alarm_and_one_that_is_gone_is() {
        let (known, ours) = verdict("relative = 0.05", true, Found::Number(8.0));
        assert_eq!((known.clone(), ours.as_str()), (Verdict::KnownGap("servers differ".to_owned()), "8 J"));
        assert!(!known.alarms() && verdict("relative = 0.05", false, Found::Number(8.0)).0.alarms());
        let (gone, _) = verdict("relative = 0.05", true, Found::Number(10.0));
        assert!(gone.alarms() && gone.said().contains("remove known_gap"));
    }

    #[test]
    fn rows_are_judged_one_by_one_and_the_missed_are_named() {
        let row = |what: &str, ours: f64, tolerance| Row {
            what: what.to_owned(),
            published: 10.0,
            ours,
            error: None,
            tolerance,
        };
        let rows = vec![row("a", 10.01, None), row("b", 11.0, None), row("c", 11.0, Some(Tolerance::Absolute(2.0)))];
        let judged = Judged::of(&claim("relative = 0.01", false), &Ok(Found::Rows(rows)));
        assert_eq!(
            (judged.ours.as_str(), judged.missed.as_slice()),
            ("2 of 3, at most 10 % off", &["b: 11 for 10".to_owned()][..])
        );
        assert!(judged.verdict.alarms());
        assert!(
            Judged::of(&claim("relative = 0.01", false), &Ok(Found::Rows(Vec::new()))).verdict.alarms(),
            "nothing proves nothing"
        );
    }

    #[test]
    fn what_cannot_be_run_is_not_judged() {
        let judged = |fault| Judged::of(&claim("relative = 0.01", true), &Err(fault)).verdict;
        assert_eq!(judged(Fault::Needs("a trace".to_owned())), Verdict::NotRun("a trace".to_owned()));
        assert!(judged(Fault::Failed("no such key".to_owned())).alarms());
    }

    #[test]
    fn empty_ranges_and_published_figures_outside_of_theirs_are_problems() {
        assert!(Tolerance::Range { low: 2.0, high: 1.0 }.problem(None).is_some());
        assert!(Tolerance::Range { low: 1.0, high: 2.0 }.problem(Some(3.0)).is_some());
        assert!(Tolerance::Range { low: 1.0, high: 2.0 }.problem(Some(1.5)).is_none());
        assert!(Tolerance::Relative(f64::NAN).problem(None).is_some());
    }
}
