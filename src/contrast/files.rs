//! The comparison as a tidy table, and whole as JSON.

use std::path::Path;

use serde_json::{Map, Value as Json, json};

use super::{Contrast, Line};
use crate::report::{Column, ReportError, write_file};

/// Columns of what `sim compare --csv` writes, after one per axis.
pub const COLUMNS: &[Column] = &[
    ("figure", "text", "key of the figure"),
    ("unit", "text", "its unit"),
    ("result", "text", "name of the result"),
    ("runs", "1", "runs that have the figure"),
    ("mean", "see unit", "mean over them"),
    ("deviation", "see unit", "sample standard deviation; empty with one run"),
    ("difference", "see unit", "less the baseline: mean over pairs, or of means; empty for the baseline"),
    ("t_low", "see unit", "lower end of its interval; empty where none is known"),
    ("t_high", "see unit", "upper end"),
    ("relative", "1", "difference over the baseline's mean"),
    ("relative_low", "1", "lower end of its interval (Fieller); of pairs alone"),
    ("relative_high", "1", "upper end"),
    ("pairs", "1", "runs with a partner of the same seed; 0 where there are none and runs count as independent"),
];

/// The names of all axes, in the order of the sides.
fn axes(contrast: &Contrast) -> Vec<&str> {
    let mut axes: Vec<&str> = Vec::new();
    for axis in contrast.sides.iter().flat_map(|s| &s.axes) {
        if !axes.contains(&axis.as_str()) {
            axes.push(axis);
        }
    }
    axes
}

fn numbers(contrast: &Contrast, line: &Line) -> [f64; 8] {
    let interval = line.difference.map(|d| d.interval(contrast.confidence));
    [
        line.estimate.mean,
        line.estimate.deviation,
        line.difference.map_or(f64::NAN, |d| d.value),
        interval.map_or(f64::NAN, |i| i.low),
        interval.map_or(f64::NAN, |i| i.high),
        line.relative,
        line.relative_interval.low,
        line.relative_interval.high,
    ]
}

/// Writes a row per figure, point and result: the axes, then the columns of docs/comparing.md.
///
/// # Errors
/// The file cannot be written whole.
pub fn write_csv(contrast: &Contrast, path: &Path) -> Result<(), ReportError> {
    let axes = axes(contrast);
    write_file(path, |f| {
        let mut table = csv::Writer::from_writer(f);
        table.write_record(axes.iter().copied().chain(COLUMNS.iter().map(|c| c.0)))?;
        for block in &contrast.blocks {
            for line in &block.lines {
                let value = |axis: &&str| line.at.iter().find(|(name, _)| name == axis).map(|(_, v)| v.clone());
                let mut row: Vec<String> = axes.iter().map(|axis| value(axis).unwrap_or_default()).collect();
                row.extend([&block.figure.key, &block.figure.unit, &contrast.sides[line.side].name].map(Clone::clone));
                row.push(line.estimate.runs.to_string());
                let plain = |x: f64| if x.is_finite() { x.to_string() } else { String::new() };
                row.extend(numbers(contrast, line).map(plain));
                let pairs = line.difference.map(|d| if d.paired { d.runs } else { 0 });
                row.push(pairs.map_or_else(String::new, |n| n.to_string()));
                table.write_record(&row)?;
            }
        }
        table.flush()
    })
}

/// Writes everything: results, figures, what differs, claims, notes.
///
/// # Errors
/// The file cannot be written whole.
pub fn write_json(contrast: &Contrast, path: &Path) -> Result<(), ReportError> {
    write_file(path, |f| {
        serde_json::to_writer_pretty(&mut *f, &document(contrast))?;
        f.write_all(b"\n")
    })
}

fn document(contrast: &Contrast) -> Json {
    let name = |side: usize| contrast.sides[side].name.clone();
    let result = |side: &super::Side| json!({ "name": side.name, "kind": side.kind.name(), "folders": side.folders, "axes": side.axes });
    let line = |line: &Line| {
        let mut row = Map::new();
        let at: Map<String, Json> = line.at.iter().map(|(axis, value)| (axis.clone(), value.as_str().into())).collect();
        row.insert("axes".to_owned(), Json::Object(at));
        row.insert("result".to_owned(), name(line.side).into());
        row.insert("runs".to_owned(), line.estimate.runs.into());
        let keys = &COLUMNS[4..12];
        row.extend(keys.iter().zip(numbers(contrast, line)).map(|(key, x)| (key.0.to_owned(), json!(x))));
        row.insert("pairs".to_owned(), json!(line.difference.map(|d| if d.paired { d.runs } else { 0 })));
        Json::Object(row)
    };
    let figure = |block: &super::Block| {
        json!({ "key": block.figure.key, "unit": block.figure.unit, "meaning": block.figure.meaning,
            "values": block.lines.iter().map(line).collect::<Vec<_>>() })
    };
    let differs = |(side, all): &(usize, Vec<super::Unlike>)| {
        let all = all.iter().map(|u| json!({ "part": u.part.name(), "key": u.key, "baseline": u.base, "own": u.own }));
        json!({ "result": name(*side), "differs": all.collect::<Vec<_>>() })
    };
    let claim = |v: &super::Verdict| {
        json!({ "claim": v.claim, "result": v.about, "at": v.at, "outcome": v.outcome.name(), "left": v.left, "right": v.right,
            "difference": v.difference.map(|d| d.value), "low": v.ends[0], "high": v.ends[1],
            "runs": v.difference.map(|d| d.runs), "paired": v.difference.map(|d| d.paired), "why": v.why })
    };
    json!({
        "baseline": name(contrast.baseline),
        "confidence": contrast.confidence,
        "results": contrast.sides.iter().map(result).collect::<Vec<_>>(),
        "figures": contrast.blocks.iter().map(figure).collect::<Vec<_>>(),
        "scenarios": contrast.unlike.iter().map(differs).collect::<Vec<_>>(),
        "claims": contrast.verdicts.iter().map(claim).collect::<Vec<_>>(),
        "notes": contrast.notes,
    })
}
