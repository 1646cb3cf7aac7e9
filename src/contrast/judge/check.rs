//! Every name in a claim, held against what the results have.

use std::collections::{BTreeMap, BTreeSet};

use super::{AGGREGATES, BASELINE, Known, side_named};
use crate::claim::{Claim, ClaimError, Expression, KeyError, Place, Reference, find_key};
use crate::contrast::{Side, others};

/// A claim beside the results.
pub(super) struct Check<'c> {
    pub claim: &'c Claim,
    pub sides: &'c [Side],
    pub baseline: usize,
}

impl Check<'_> {
    pub fn known(&self) -> Result<Known, ClaimError> {
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
        others(self.sides.len(), self.baseline)
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
        let others = others(self.sides.len(), self.baseline);
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
