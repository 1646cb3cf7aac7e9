//! Claims about results: which figures they name, and whether they hold, with what confidence.

mod check;
mod scene;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use self::check::Check;
use self::scene::Scene;
use super::join::{joints, matched, said};
use super::{ContrastError, Difference, Side};
use crate::claim::{Claim, Expression, Reference};

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
