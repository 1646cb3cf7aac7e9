//! What a claim and `--over` mean in a plan: figures, the axis whose values are named, the numbers that are scanned.

use super::{Over, OverWhat};
use crate::claim::{Claim, Operator, Reference, find_key};
use crate::compare::unit_of;
use crate::report::Value;
use crate::sweep::SweepError;
use crate::sweep::plan::Plan;
use crate::sweep::points::{Level, Takes};

/// The figures that the claim names, and the axis whose values it names.
pub(super) fn meaning(plan: &Plan, claim: &Claim) -> Result<(Vec<String>, Option<usize>), SweepError> {
    let wrong = |error: crate::claim::ClaimError| SweepError::Usage(format!("--solve: {error}"));
    let form = "write both sides with ==, for example 'sci(vm) == sci(microvm)' with two values of an axis";
    if claim.operator != Operator::Equal {
        return Err(wrong(claim.wrong(&claim.right.place(), "only an equation can be solved", form)));
    }
    let figures: Vec<&str> =
        plan.figures.iter().filter(|e| !matches!(e.value, Value::Text(_))).map(|e| e.key.as_str()).collect();
    let (mut keys, mut named): (Vec<String>, Option<usize>) = (Vec::new(), None);
    let names = claim.names();
    let calls = names.iter().filter(|(r, _)| matches!(r, Reference::Call { .. })).count();
    if calls > 0 && calls < names.len() {
        let (_, at) =
            names.iter().find(|(r, _)| matches!(r, Reference::Name(_))).expect("there are more names than calls");
        return Err(wrong(claim.wrong(at, "nothing says at which value of the axis", form)));
    }
    for (reference, at) in names {
        let (figure, value) = match reference {
            Reference::Name(name) => (name, None),
            Reference::Call { name, arguments } => match arguments {
                [argument] => (
                    name,
                    Some(argument.word().ok_or_else(|| wrong(claim.wrong(at, "this is no value of an axis", form)))?),
                ),
                _ => return Err(wrong(claim.wrong(at, "a figure is taken at one value", form))),
            },
        };
        let key = find_key(figure, &figures).map_err(|e| wrong(claim.wrong(at, e.to_string(), form)))?.to_owned();
        if !keys.contains(&key) {
            keys.push(key);
        }
        let Some(value) = value else { continue };
        let has = |a: &usize| level(plan, *a, &value).is_some();
        let axis = named.or_else(|| (0..plan.points.axes.len()).find(has)).filter(has);
        match axis {
            Some(axis) => named = Some(axis),
            None => {
                let axes: Vec<String> = plan
                    .points
                    .axes
                    .iter()
                    .filter_map(|axis| match &axis.takes {
                        Takes::Listed(levels) => {
                            let names: Vec<&str> = levels.iter().map(|l| l.name.as_str()).collect();
                            Some(format!("{} has {}", axis.name, names.join(", ")))
                        }
                        Takes::Sampled { .. } => None,
                    })
                    .collect();
                let message = format!("\"{value}\" is no value of the axis");
                return Err(wrong(claim.wrong(at, message, axes.join("; "))));
            }
        }
    }
    if keys.is_empty() {
        return Err(wrong(claim.wrong(&claim.left.place(), "no side depends on a run", form)));
    }
    Ok((keys, named))
}

pub(super) fn level(plan: &Plan, axis: usize, name: &str) -> Option<Level> {
    match &plan.points.axes[axis].takes {
        Takes::Listed(levels) => levels.iter().find(|l| l.name == name).cloned(),
        Takes::Sampled { .. } => None,
    }
}

/// What is solved over: its unit, the key, the numbers of the scan, and whether it takes whole numbers.
pub(super) type Range = (OverWhat, &'static str, String, Vec<f64>, bool);

pub(super) fn range(plan: &Plan, over: &Over) -> Result<Range, SweepError> {
    let axes = &plan.points.axes;
    let usage = |message: String| Err(SweepError::Usage(message));
    let axis = axes.iter().position(|axis| axis.name == over.what || axis.key.as_deref() == Some(&over.what));
    let key = match axis {
        Some(a) => match &axes[a].key {
            Some(key) => key.clone(),
            None => {
                return usage(format!(
                    "--over {}: the axis has names, no numbers\n  help: name a numeric axis or a key",
                    over.what
                ));
            }
        },
        None => over.what.clone(),
    };
    let mut numbers: Vec<f64> = match axis.map(|a| &axes[a].takes) {
        Some(Takes::Listed(levels)) => levels.iter().filter_map(|l| l.number).collect(),
        Some(Takes::Sampled { ends, .. }) => vec![ends.from, ends.to],
        None => Vec::new(),
    };
    numbers.extend(over.from.iter().chain(&over.to));
    numbers.retain(|x| over.from.is_none_or(|from| *x >= from) && over.to.is_none_or(|to| *x <= to));
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    if numbers.len() < 2 {
        let why =
            if axis.is_some() { "its axis has fewer than two numbers there" } else { "it is no axis of the sweep" };
        return usage(format!("--over {}: {why}\n  help: give the range with --from and --to", over.what));
    }
    let base = plan.with(&plan.points.point(0), 0)?;
    if base.takes_text(&key) {
        return usage(format!(
            "--over {}: \"{key}\" takes a text, not a number\n  help: name a numeric axis or a key",
            over.what
        ));
    }
    let integer = base.takes_integer(&key);
    if integer {
        numbers.iter_mut().for_each(|x| *x = x.round());
        numbers.dedup();
    }
    let unit = unit_of(&key);
    Ok((axis.map_or(OverWhat::Key, OverWhat::Axis), unit, key, numbers, integer))
}
