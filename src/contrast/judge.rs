//! Claims about results: which figures they name, and whether they hold, with what confidence.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::join::{Matched, joints, matched, said};
use super::{ContrastError, Difference, Side};
use crate::claim::{Claim, ClaimError, Expression, KeyError, Operator, Place, Reference, find_key};
use crate::stats::Estimate;

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It holds, with the confidence asked for if there are replications.
    Holds,
    /// Its opposite holds.
    Fails,
    /// Neither is known.
    Undecided,
}

impl Outcome {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Holds => "holds",
            Outcome::Fails => "does not hold",
            Outcome::Undecided => "undecided",
        }
    }
}

/// A claim about one result at one point.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The claim.
    pub claim: String,
    /// The result that it is about; empty if the claim names all of its results.
    pub about: String,
    /// The point; empty without axes.
    pub at: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Mean of the left side over the runs; not a number where undefined.
    pub left: f64,
    /// Mean of the right side.
    pub right: f64,
    /// Left less right; none where something is undefined.
    pub difference: Option<Difference>,
    /// The ends of the one-sided intervals of left less right (of `==` and `!=` the two-sided one's); not numbers where none is known.
    pub ends: [f64; 2],
    /// What else is to be said.
    pub why: String,
}

/// Aggregates over the replications of a point.
const AGGREGATES: [&str; 2] = ["mean", "half_width"];
const BASELINE: &str = "baseline";

/// A claim whose every name is known.
#[derive(Debug)]
pub(super) struct Known {
    claim: Claim,
    /// The keys of the figures by the names that were typed.
    keys: BTreeMap<String, String>,
    /// The figure that is named first: the one that `baseline` alone means.
    first: Option<String>,
    /// The results that are named.
    named: BTreeSet<usize>,
    /// All results by name.
    results: BTreeMap<String, usize>,
    /// The values of axes that are named, each with its axis.
    values: BTreeMap<String, String>,
    /// Whether figures are named without a result: then it is a claim about each of the others.
    each: bool,
    /// Whether it names the baseline.
    against: bool,
}

/// Reads claims and checks every name in them.
pub(super) fn claims(texts: &[String], sides: &[Side], baseline: usize) -> Result<Vec<Known>, ContrastError> {
    let mut found = Vec::new();
    for text in texts {
        for claim in Claim::parse(text)? {
            found.push(Check { claim: &claim, sides, baseline }.known()?);
        }
    }
    Ok(found)
}

struct Check<'c> {
    claim: &'c Claim,
    sides: &'c [Side],
    baseline: usize,
}

impl Check<'_> {
    fn known(&self) -> Result<Known, ClaimError> {
        let mut known = Known {
            claim: self.claim.clone(),
            keys: BTreeMap::new(),
            first: None,
            named: BTreeSet::new(),
            results: self.sides.iter().enumerate().map(|(i, side)| (side.name.clone(), i)).collect(),
            values: BTreeMap::new(),
            each: false,
            against: false,
        };
        for (reference, at) in self.claim.names() {
            self.reference(&reference, at, &mut known)?;
        }
        if known.against && known.first.is_none() {
            let at = self.claim.left.place();
            return Err(self.claim.wrong(
                &at,
                "the claim names no figure that baseline could be of",
                "write sci < 0.9 * baseline",
            ));
        }
        // Where `baseline` alone stands, it is the baseline's value of the figure named first.
        if known.against
            && let Some(first) = &known.first
            && self.sides[self.baseline].figure(first).is_none()
        {
            return Err(self.lacks(&self.claim.left.place(), first, self.baseline));
        }
        Ok(known)
    }

    fn reference(&self, reference: &Reference<'_>, at: &Place, known: &mut Known) -> Result<(), ClaimError> {
        match reference {
            Reference::Name(BASELINE) => known.against = true,
            Reference::Name(name) => {
                let key = self.figure(name, at, known)?;
                known.each = true;
                self.all_have(&key, at)?;
            }
            Reference::Call { name, arguments } if AGGREGATES.contains(name) => {
                let [argument] = arguments else {
                    return Err(self.claim.wrong(
                        &arguments[1].place(),
                        format!("{name} takes one argument"),
                        "leave it out",
                    ));
                };
                let names = argument.names();
                if names.is_empty() {
                    let message = format!("{name} of what is the same in every run");
                    return Err(self.claim.wrong(&argument.place(), message, "name a figure"));
                }
                for (reference, at) in names {
                    self.reference(&reference, at, known)?;
                }
            }
            Reference::Call { name, arguments } => {
                let key = self.figure(name, at, known)?;
                let [argument] = arguments else {
                    let message = format!("{name}(…) takes the name of one result");
                    return Err(self.claim.wrong(&arguments[1].place(), message, "leave it out"));
                };
                match self.place(argument)? {
                    Named::Result(side) if self.sides[side].figure(&key).is_none() => {
                        return Err(self.lacks(at, &key, side));
                    }
                    Named::Result(side) => {
                        known.named.insert(side);
                    }
                    Named::Value(axis, value) => {
                        known.each = true;
                        known.values.insert(value, axis);
                        self.all_have(&key, at)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The key of a figure, which some result must have as a number.
    fn figure(&self, name: &str, at: &Place, known: &mut Known) -> Result<String, ClaimError> {
        let mut keys: Vec<&str> = Vec::new();
        for figure in self.sides.iter().flat_map(|s| &s.figures) {
            if !keys.contains(&figure.key.as_str()) {
                keys.push(&figure.key);
            }
        }
        let key = find_key(name, &keys).map_err(|error| {
            let texts: Vec<&str> = self.sides.iter().flat_map(|s| &s.texts).map(String::as_str).collect();
            if texts.contains(&name) {
                return self.claim.wrong(at, format!("\"{name}\" is a text"), "name a figure that is a number");
            }
            // A result in the place of a figure is the likeliest slip.
            let help = match (&error, self.sides.iter().any(|s| s.name == name)) {
                (KeyError::Unknown { .. }, true) => {
                    format!("\"{name}\" is a result: write FIGURE({name}), for example sci({name})")
                }
                _ => error.help(),
            };
            self.claim.wrong(at, error.to_string(), help)
        })?;
        known.keys.insert(name.to_owned(), key.to_owned());
        known.first.get_or_insert_with(|| key.to_owned());
        Ok(key.to_owned())
    }

    fn all_have(&self, key: &str, at: &Place) -> Result<(), ClaimError> {
        let lacking = |side: &usize| self.sides[*side].figure(key).is_none();
        super::others(self.sides.len(), self.baseline)
            .into_iter()
            .find(lacking)
            .map_or(Ok(()), |side| Err(self.lacks(at, key, side)))
    }

    /// The result, or the value of an axis, that an argument names.
    fn place(&self, argument: &Expression) -> Result<Named, ClaimError> {
        let names: Vec<&str> = self.sides.iter().map(|s| s.name.as_str()).collect();
        let wrong = |message: String, help: String| Err(self.claim.wrong(&argument.place(), message, help));
        let all = || format!("the results are {}, and baseline ({})", names.join(", "), names[self.baseline]);
        let Some(word) = argument.word() else { return wrong(format!("\"{argument}\" is no name of a result"), all()) };
        if let Some(side) = side_named(self.sides, self.baseline, &word) {
            return Ok(Named::Result(side));
        }
        let others = super::others(self.sides.len(), self.baseline);
        let axes: Vec<Vec<&str>> = others.iter().map(|&side| self.sides[side].axes_with(&word)).collect();
        if axes.iter().all(Vec::is_empty) {
            let some = self.sides.iter().any(|s| !s.axes.is_empty());
            let help = if some { format!("{}; or name a value of an axis", all()) } else { all() };
            return wrong(format!("no result is named \"{word}\""), help);
        }
        if let Some(i) =
            axes.iter().position(|found| found.len() != 1 || found[0] != axes[0].first().copied().unwrap_or_default())
        {
            let message = format!("{} has the value \"{word}\" on {}", self.sides[others[i]].name, count(&axes[i]));
            return wrong(
                message,
                "a value that a claim names must stand on one axis, the same in all results".to_owned(),
            );
        }
        Ok(Named::Value(axes[0][0].to_owned(), word))
    }

    fn lacks(&self, at: &Place, key: &str, side: usize) -> ClaimError {
        let message = format!("{} has no figure \"{key}\"", self.sides[side].name);
        self.claim.wrong(at, message, "name a figure that all results in the claim have (summary.csv, runs.csv)")
    }
}

/// What an argument names.
enum Named {
    /// A result, by its number.
    Result(usize),
    /// An axis and a value of it.
    Value(String, String),
}

fn count(axes: &[&str]) -> String {
    if axes.is_empty() { "no axis".to_owned() } else { axes.join(" and ") }
}

fn side_named(sides: &[Side], baseline: usize, word: &str) -> Option<usize> {
    let named = sides.iter().position(|s| s.name == word);
    named.or_else(|| (word == BASELINE).then_some(baseline))
}

impl Known {
    /// Judges it, for every other result if it is about each, at every point that its results have in common.
    pub(super) fn judge(&self, sides: &[Side], baseline: usize, confidence: f64) -> Vec<Verdict> {
        let abouts: Vec<Option<usize>> =
            if self.each { super::others(sides.len(), baseline).into_iter().map(Some).collect() } else { vec![None] };
        let mut verdicts = Vec::new();
        for about in abouts {
            let sources = self.sources(baseline, about);
            let cut = |source: &Source| match &source.only {
                Some((axis, value)) => Cow::Owned(sides[source.side].only(axis, value)),
                None => Cow::Borrowed(&sides[source.side]),
            };
            let used: Vec<(Source, Cow<'_, Side>)> = sources
                .into_iter()
                .map(|s| {
                    let side = cut(&s);
                    (s, side)
                })
                .collect();
            let chosen: Vec<&Side> = used.iter().map(|(_, side)| side.as_ref()).collect();
            let found = joints(&chosen);
            let name = about.map_or_else(String::new, |i| sides[i].name.clone());
            if found.is_empty() {
                let why = "the results have no point in common".to_owned();
                verdicts.push(self.undecided(&name, String::new(), why));
            }
            for joint in &found {
                let lists: Vec<&[super::Run]> =
                    chosen.iter().zip(&joint.points).map(|(side, &p)| side.points[p].runs.as_slice()).collect();
                let scene = Scene { known: self, baseline, about, used: &used, runs: matched(&lists), confidence };
                let failed = lists.iter().any(|runs| runs.iter().any(|run| run.error.is_some()));
                verdicts.push(match scene.verdict() {
                    Ok(mut verdict) => {
                        if failed {
                            verdict.why = [verdict.why.as_str(), "failed runs are left out"]
                                .join(if verdict.why.is_empty() { "" } else { "; " });
                        }
                        Verdict { about: name.clone(), at: said(&joint.at), ..verdict }
                    }
                    Err(why) => self.undecided(&name, said(&joint.at), why),
                });
            }
        }
        verdicts
    }

    /// Everything whose runs it needs, in a fixed order.
    fn sources(&self, baseline: usize, about: Option<usize>) -> Vec<Source> {
        let whole = |side: usize| Source { side, only: None };
        let mut sources: BTreeSet<Source> = self.named.iter().copied().map(whole).collect();
        sources.extend(self.against.then(|| whole(baseline)));
        let names = self.claim.names();
        sources.extend(names.iter().flat_map(|(r, _)| inner(r)).filter_map(|r| self.source(&r, baseline, about)));
        sources.into_iter().collect()
    }

    /// Whose runs a reference is about; none for an aggregate.
    fn source(&self, reference: &Reference<'_>, baseline: usize, about: Option<usize>) -> Option<Source> {
        let whole = |side: usize| Source { side, only: None };
        match reference {
            Reference::Name(BASELINE) => Some(whole(baseline)),
            Reference::Name(_) => about.map(whole),
            Reference::Call { name, .. } if AGGREGATES.contains(name) => None,
            Reference::Call { arguments, .. } => {
                let word = arguments.first()?.word()?;
                // Only where the word is no result is it in this list.
                let Some(axis) = self.values.get(&word) else { return self.result(&word, baseline).map(whole) };
                about.map(|side| Source { side, only: Some((axis.clone(), word)) })
            }
        }
    }

    /// The number of a result that is named.
    fn result(&self, word: &str, baseline: usize) -> Option<usize> {
        self.results.get(word).copied().or_else(|| (word == BASELINE).then_some(baseline))
    }

    fn undecided(&self, about: &str, at: String, why: String) -> Verdict {
        Verdict {
            claim: self.claim.to_string(),
            about: about.to_owned(),
            at,
            outcome: Outcome::Undecided,
            left: f64::NAN,
            right: f64::NAN,
            difference: None,
            ends: [f64::NAN; 2],
            why,
        }
    }
}

/// A reference, or where it is an aggregate those in it.
fn inner<'e>(reference: &Reference<'e>) -> Vec<Reference<'e>> {
    match reference {
        Reference::Call { name, arguments } if AGGREGATES.contains(name) => {
            arguments.iter().flat_map(Expression::names).flat_map(|(r, _)| inner(&r)).collect()
        }
        other => vec![*other],
    }
}

/// Whose runs: a result's, all or those at one value of an axis.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Source {
    side: usize,
    only: Option<(String, String)>,
}

/// A claim at one point with the runs there.
struct Scene<'s> {
    known: &'s Known,
    baseline: usize,
    about: Option<usize>,
    /// Whose runs there are, in order.
    used: &'s [(Source, Cow<'s, Side>)],
    runs: Matched<'s>,
    confidence: f64,
}

/// The values of an expression over runs.
struct Series {
    values: Vec<f64>,
    /// Whether runs differ in it at all: numbers and aggregates do not.
    varies: bool,
}

impl Scene<'_> {
    fn verdict(&self) -> Result<Verdict, String> {
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
