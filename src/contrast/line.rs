//! Every figure's values: a block per figure, in it a line per point and result.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::interval::relative;
use super::join::{joints, matched, said};
use super::{Difference, Figure, Side};
use crate::stats::{Estimate, Interval};

/// A figure with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Which.
    pub figure: Figure,
    /// Its lines, by point; of a point the baseline's first.
    pub lines: Vec<Line>,
}

/// A figure of one result at one point.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Every axis with its value.
    pub at: Vec<(String, String)>,
    /// The number of the side.
    pub side: usize,
    /// Its runs that have the figure.
    pub estimate: Estimate,
    /// How far it is from the baseline; none for the baseline itself, or where nothing can be compared.
    pub difference: Option<Difference>,
    /// The difference over the baseline's size; not a number where that is 0.
    pub relative: f64,
    /// Its interval, of pairs.
    pub relative_interval: Interval,
}

/// The figures' lines at every point that any other result has in common with the baseline, and notes on what has no partner.
pub(super) fn blocks(
    figures: Vec<Figure>,
    notes: &mut Vec<String>,
    sides: &[Side],
    baseline: usize,
    confidence: f64,
) -> Vec<Block> {
    let mut blocks: Vec<Block> = figures.into_iter().map(|figure| Block { figure, lines: Vec::new() }).collect();
    // The points by the order in which they are met.
    let mut ranks = BTreeMap::new();
    for other in super::others(sides.len(), baseline) {
        fill(&mut blocks, notes, &mut ranks, sides, [baseline, other], confidence);
    }
    for block in &mut blocks {
        block.lines.sort_by_key(|line| (ranks.get(&line.at), line.side != baseline));
    }
    blocks
}

/// A note on every run that failed, and on sweeps of which runs are missing.
pub(super) fn failures(sides: &[Side]) -> Vec<String> {
    let mut notes = Vec::new();
    for side in sides {
        let missing = side.manifest["missing"].as_array().into_iter().flatten().filter_map(Json::as_str);
        notes.extend(missing.map(|what| format!("{}: the sweep is not complete: {what}", side.name)));
        for point in &side.points {
            let at: Vec<(String, String)> = side.axes.iter().cloned().zip(point.at.iter().cloned()).collect();
            for run in &point.runs {
                let Some(error) = &run.error else { continue };
                let place = if at.is_empty() { String::new() } else { format!(" at {}", said(&at)) };
                let first = error.lines().next().unwrap_or_default();
                notes.push(format!(
                    "{}: the run with seed {}{place} failed and is left out: {first}",
                    side.name, run.seed
                ));
            }
        }
    }
    notes
}

/// Adds the lines of one result and of the baseline beside it, and notes on what has no partner.
fn fill(
    blocks: &mut [Block],
    notes: &mut Vec<String>,
    ranks: &mut BTreeMap<Vec<(String, String)>, usize>,
    sides: &[Side],
    [baseline, other]: [usize; 2],
    confidence: f64,
) {
    let (base, own) = (&sides[baseline], &sides[other]);
    let found = joints(&[base, own]);
    for (place, side) in [base, own].into_iter().enumerate() {
        let alone = (0..side.points.len()).filter(|i| found.iter().all(|joint| joint.points[place] != *i));
        let alone: Vec<String> = alone
            .map(|i| said(&side.axes.iter().cloned().zip(side.points[i].at.iter().cloned()).collect::<Vec<_>>()))
            .collect();
        if !alone.is_empty() {
            let partner = if place == 0 { &own.name } else { &base.name };
            notes.push(format!("only in {}, not in {partner}: {}", side.name, alone.join("; ")));
        }
    }
    if found.is_empty() {
        notes.push(format!("{} and {} have no point in common", base.name, own.name));
    }
    let (mut apart, mut alone) = (0, 0);
    for joint in &found {
        let [b, o] = [&base.points[joint.points[0]], &own.points[joint.points[1]]];
        let pairs = matched(&[&b.runs, &o.runs]);
        apart += usize::from(!pairs.paired);
        alone += pairs.alone;
        let rank = ranks.len();
        let first = *ranks.entry(joint.at.clone()).or_insert(rank) == rank;
        for block in blocks.iter_mut() {
            let line = |side: usize| {
                let point = if side == baseline { b } else { o };
                let index = sides[side].figure(&block.figure.key);
                let good = point.runs.iter().filter(|r| r.error.is_none());
                let values: Vec<f64> = good.filter_map(|r| defined(index, &r.values)).collect();
                Line {
                    at: joint.at.clone(),
                    side,
                    estimate: Estimate::of(&values),
                    difference: None,
                    relative: f64::NAN,
                    relative_interval: Interval::UNDEFINED,
                }
            };
            if first {
                block.lines.push(line(baseline));
            }
            if other == baseline {
                continue;
            }
            let mut line = line(other);
            let columns = [base.figure(&block.figure.key), own.figure(&block.figure.key)];
            compare(&mut line, &pairs, columns, confidence);
            block.lines.push(line);
        }
    }
    if apart > 0 {
        notes.push(format!(
            "{} and {} do not share seeds at {apart} of {} points: no pairs; intervals there are Welch's, of independent runs",
            base.name,
            own.name,
            found.len()
        ));
    }
    if alone > 0 {
        notes.push(format!(
            "{} and {}: runs whose seed the other has not: {alone}; they are in the means, not in the differences",
            base.name, own.name
        ));
    }
}

fn defined(index: Option<usize>, values: &[f64]) -> Option<f64> {
    index.map(|i| values[i]).filter(|x| x.is_finite())
}

/// Puts in how far a line is from its baseline.
fn compare(line: &mut Line, pairs: &super::join::Matched<'_>, columns: [Option<usize>; 2], confidence: f64) {
    let [base, own] = [0, 1].map(|i| pairs.runs[i].iter().map(|r| defined(columns[i], &r.values)).collect::<Vec<_>>());
    if pairs.paired {
        let both = base.iter().zip(&own).filter_map(|(b, o)| Some(((*b)?, (*o)?)));
        let (base, own): (Vec<f64>, Vec<f64>) = both.unzip();
        if base.is_empty() {
            return;
        }
        let differences: Vec<f64> = own.iter().zip(&base).map(|(o, b)| o - b).collect();
        line.difference = Some(Difference::of_pairs(&differences));
        (line.relative, line.relative_interval) = relative(&own, &base, confidence);
        return;
    }
    let (base, own): (Vec<f64>, Vec<f64>) = (base.into_iter().flatten().collect(), own.into_iter().flatten().collect());
    if base.is_empty() || own.is_empty() {
        return;
    }
    let difference = Difference::of_apart(&own, &base);
    let mean = Estimate::of(&base).mean;
    line.relative = if mean == 0.0 { f64::NAN } else { difference.value / mean };
    line.difference = Some(difference);
}
