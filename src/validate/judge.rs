//! Whether what was found agrees with what is published: tolerances, verdicts, and how both are written.

use serde::Deserialize;

use super::catalogue::{Claim, Gap, Measure, Measured};
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
    /// Every row has a tolerance of its own.
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
        let wanted = match self.tolerance.as_ref().unwrap_or(claim) {
            range @ Tolerance::Range { .. } => range.text(""),
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
    /// Outside, and nobody knows why, or in another way than is known; or within although a gap is known.
    Unexpected(String),
    /// Not run, for this reason.
    NotRun(String),
    /// It could not be measured.
    Failed(String),
}

/// So many tolerances of rows are named; where each row has another, they are not.
const FEW: usize = 4;

/// What is said of a gap that is gone.
const GONE: &str = "reproduced in spite of a known gap: remove known_gap";

impl Verdict {
    /// The verdict on a claim that was measured.
    pub(super) fn of(judged: &Judged, holds: bool) -> Self {
        match (holds, &judged.claim.known_gap) {
            (true, None) => Verdict::Reproduced,
            (false, Some(gap)) => match otherwise(gap, judged) {
                None => Verdict::KnownGap(gap.why.clone()),
                Some(said) => Verdict::Unexpected(format!("{said}; known is: {}", gap.why)),
            },
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

/// How what was found is outside in another way than the known gap says.
fn otherwise(gap: &Gap, judged: &Judged) -> Option<String> {
    match &gap.ours {
        Some(Measured::Number(known)) => {
            let within = gap.within.unwrap_or_default();
            let near = judged.number.is_some_and(|ours| (ours - known).abs() <= within);
            let known = || format!("outside, but not at {} ± {} as it is known", digits(*known), digits(within));
            (!near).then(known)
        }
        Some(Measured::Text(known)) => (judged.ours != *known).then(|| format!("outside, but not \"{known}\"")),
        None => {
            // A name stands for one row: of two that are called alike the other is unexpected.
            let mut known: Vec<&String> = gap.rows.iter().collect();
            let mut named = |missed: &String| {
                let is = |name: &str| {
                    missed
                        .strip_prefix(name)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with(": ") || rest.starts_with(" for "))
                };
                let at = known.iter().position(|name| is(name));
                at.map(|at| known.swap_remove(at)).is_some()
            };
            let new: Vec<&str> = judged.missed.iter().filter(|m| !named(m)).map(String::as_str).collect();
            match new[..] {
                [] if judged.missed.is_empty() => Some("outside, but in no row".to_owned()),
                [] => None,
                _ => Some(format!("outside beside the known rows: {}", new.join("; "))),
            }
        }
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
    /// The tolerance, as it is written.
    pub tolerance: String,
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
            tolerance: claim.tolerance.text(&claim.unit),
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
        judged.verdict = Verdict::of(&judged, holds);
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
            Found::Rows(rows) => self.hold_rows(rows),
            Found::Part { rows, left_out, why } => {
                let holds = self.hold_rows(rows);
                self.ours += &format!("; {left_out} left out: {why}");
                holds
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

    /// The same for a table, whose rows may have tolerances of their own.
    fn hold_rows(&mut self, rows: &[Row]) -> bool {
        let tolerance = self.claim.tolerance;
        let misses = rows.iter().filter(|r| !r.agrees(&tolerance));
        self.missed = misses.map(|r| r.text(&tolerance)).collect();
        self.ours = format!("{} of {}{}", rows.len() - self.missed.len(), rows.len(), furthest(rows, &tolerance));
        if tolerance == (Tolerance::OfRows {}) {
            self.tolerance = of_rows(rows, &self.claim.unit);
        }
        self.missed.is_empty() && !rows.is_empty()
    }

    /// A claim that nothing in the program can measure.
    pub fn external(claim: &Claim) -> Option<Fault> {
        match &claim.measure {
            Measure::External { takes } => Some(Fault::Needs(takes.clone())),
            _ => None,
        }
    }
}

/// The tolerances of rows, where they are few.
fn of_rows(rows: &[Row], unit: &str) -> String {
    let mut texts: Vec<String> = Vec::new();
    for tolerance in rows.iter().filter_map(|r| r.tolerance) {
        let text = tolerance.text(unit);
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    match texts.len() {
        1..=FEW => texts.join(" or "),
        _ => Tolerance::OfRows {}.text(unit),
    }
}

/// The largest deviation of rows that are held to a share of the published figure; nothing for others.
fn furthest(rows: &[Row], claim: &Tolerance) -> String {
    let relative = |r: &Row| (r.ours / r.published - 1.0).abs();
    let shares = rows.iter().filter(|r| {
        let own = r.tolerance.as_ref().unwrap_or(claim);
        matches!(own, Tolerance::Relative(_)) && r.published != 0.0
    });
    let tested = |r: &Row| match r.tolerance.as_ref().unwrap_or(claim) {
        Tolerance::Relative(share) => *share,
        _ => f64::NAN,
    };
    let bar = shares.clone().map(tested).fold(f64::NAN, f64::max);
    let most = shares.map(relative).fold(f64::NAN, f64::max);
    if most.is_nan() {
        String::new()
    } else if most <= bar && bar < 1e-5 {
        format!(", all to {bar:.0e}")
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
        let known = "known_gap = { why = \"servers differ\", ours = 8.0, within = 0.5 }\n";
        let gap = if gap { known } else { "" };
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
    fn a_known_gap_hides_no_other_fault() {
        let (further, _) = verdict("relative = 0.05", true, Found::Number(7.4));
        assert!(further.alarms() && further.said().starts_with("outside, but not at 8 ± 0.5"), "{further:?}");
        let mut claim = claim("relative = 0.01", false);
        let judged = |claim: &Claim, found: Found| Judged::of(claim, &Ok(found)).verdict;
        let gap = |ours: Option<Measured>, rows: &[&str]| Gap {
            why: "servers differ".to_owned(),
            ours,
            within: None,
            rows: rows.iter().map(|&r| r.to_owned()).collect(),
        };
        let rows =
            |b: f64| Found::Rows(vec![Row::new("a", 10.0, 11.0), Row::new("b", 10.0, b), Row::new("a", 10.0, 10.0)]);
        claim.known_gap = Some(gap(None, &["a"]));
        assert!(!judged(&claim, rows(10.0)).alarms());
        let both = judged(&claim, rows(12.0));
        assert!(both.alarms() && both.said().starts_with("outside beside the known rows: b: 12 for 10;"), "{both:?}");
        let twice = vec![Row::new("a", 10.0, 11.0), Row::new("a", 10.0, 11.0)];
        assert!(judged(&claim, Found::Rows(twice)).alarms(), "a name stands for one row");
        claim.known_gap = Some(gap(None, &["a: 11"]));
        assert!(!judged(&claim, rows(10.0)).alarms());
        claim.known_gap = Some(gap(None, &["a: 11.5"]));
        assert!(judged(&claim, rows(10.0)).alarms(), "further off than is known");
        claim.known_gap = Some(gap(Some(Measured::Text("3 of 4".to_owned())), &[]));
        let holds = |said: &str| judged(&claim, Found::Holds { holds: false, said: said.to_owned() });
        assert!(!holds("3 of 4").alarms() && holds("2 of 4").alarms());
    }

    #[test]
    fn tolerances_of_rows_are_told_where_they_are_few() {
        let of = |tolerances: &[Tolerance]| {
            let rows: Vec<Row> = tolerances.iter().map(|&t| Row::new("a", 1.0, 1.0).under(t)).collect();
            let mut claim = claim("of-rows = {}", false);
            claim.unit = "s".to_owned();
            Judged::of(&claim, &Ok(Found::Rows(rows))).tolerance
        };
        assert_eq!(of(&[Tolerance::Exact {}, Tolerance::Relative(0.01), Tolerance::Exact {}]), "exact or ± 1 %");
        let many: Vec<Tolerance> = (1..9).map(|n| Tolerance::Absolute(f64::from(n))).collect();
        assert_eq!(of(&many), "a range for each");
        let part = Found::Part { rows: vec![Row::new("a", 10.0, 10.0)], left_out: 2, why: "no table".to_owned() };
        assert_eq!(verdict("relative = 1e-9", false, part).1, "1 of 1, all to 1e-9; 2 left out: no table");
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
