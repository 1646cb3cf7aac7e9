//! The comparison as a person reads it, at most 100 columns wide.

use std::fmt::Write;

use serde_json::Value as Json;

use super::join::said;
use super::{Block, Contrast, Line, Outcome, Unlike, Verdict};
use crate::report::significant;

const WIDTH: usize = 100;
/// Points of a figure, and lines of what differs and of claims, that are shown unless all are asked for.
const SHOWN: usize = 12;
const LINES_SHOWN: usize = 20;
const NAME: usize = 22;
const VALUE: usize = 24;

/// Everything: results, figures, what differs, claims, notes.
pub fn text(contrast: &Contrast) -> String {
    let mut text = results(contrast);
    for block in &contrast.blocks {
        text += &figure(contrast, block);
    }
    for (side, unlike) in &contrast.unlike {
        text += &differences(contrast, *side, unlike);
    }
    if !contrast.notes.is_empty() {
        text += "\nNotes\n";
        for note in &contrast.notes {
            text += &wrapped(&format!("  {note}"), 4);
        }
    }
    text + &claims(contrast)
}

/// A text of at most so many characters.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

/// A line broken between words where it is too wide.
fn wrapped(line: &str, indent: usize) -> String {
    let mut text = String::new();
    let mut width = 0;
    for word in line.split_inclusive(' ') {
        let length = word.trim_end().chars().count();
        if width + length > WIDTH && width > indent {
            text = format!("{}\n{}", text.trim_end(), " ".repeat(indent));
            width = indent;
        }
        text += word;
        width += word.chars().count();
    }
    text + "\n"
}

fn results(contrast: &Contrast) -> String {
    let mut text = String::new();
    for (i, side) in contrast.sides.iter().enumerate() {
        let runs: usize = side.points.iter().map(|p| p.runs.len()).sum();
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let size = match side.points.len() {
            1 => count(runs, "run"),
            points => format!("{} at {points} points of {}", count(runs, "run"), side.axes.join(", ")),
        };
        let more = if side.folders.len() > 1 { format!(" and {} more", side.folders.len() - 1) } else { String::new() };
        let role = if i == contrast.baseline { ", the baseline" } else { "" };
        let name = cut(&side.name, NAME);
        text += &wrapped(&format!("{name:<NAME$}  {} ({size}){more}{role}", side.folders[0].display()), NAME + 2);
    }
    if contrast.sides.len() > 1 {
        let base = &contrast.sides[contrast.baseline].name;
        let interval = format!("; from, to: its {} % interval", significant(100.0 * contrast.confidence));
        let replicated = contrast.sides.iter().flat_map(|s| &s.points).any(|p| p.runs.len() > 1);
        text += &wrapped(&format!("difference: less {base}{}", if replicated { interval.as_str() } else { "" }), 4);
    }
    text
}

fn figure(contrast: &Contrast, block: &Block) -> String {
    let replicated = block.lines.iter().any(|l| l.estimate.runs > 1);
    let head = format!("{} [{}]", block.figure.key, block.figure.unit);
    let mut text = String::from("\n");
    let title = ["value", "difference", "from", "to", "relative", "runs"];
    let columns = |cells: [String; 6]| {
        let [value, difference, from, to, relative, runs] = cells;
        if replicated {
            format!("{value:>12} {difference:>12} {from:>12} {to:>12} {relative:>10} {runs:>9}")
        } else {
            format!("{value:>12} {difference:>12} {relative:>10}")
        }
    };
    let titles = columns(if replicated {
        title.map(str::to_owned)
    } else {
        title.map(|t| if t == "runs" { String::new() } else { t.to_owned() })
    });
    let lead = NAME + 4;
    if head.chars().count() <= lead {
        let _ = writeln!(text, "{head:<lead$}{titles}");
    } else {
        let _ = writeln!(text, "{head}\n{}{titles}", " ".repeat(lead));
    }
    let points: Vec<&[Line]> = block.lines.chunk_by(|a, b| a.at == b.at).collect();
    let shown = if contrast.all { points.len() } else { SHOWN.min(points.len()) };
    for lines in &points[..shown] {
        if !lines[0].at.is_empty() {
            text += &wrapped(&format!("  {}", said(&lines[0].at)), 4);
        }
        for line in *lines {
            let name = cut(&contrast.sides[line.side].name, NAME);
            let row = format!("    {name:<NAME$}{}", columns(cells(contrast, line)));
            let _ = writeln!(text, "{}", row.trim_end());
        }
    }
    if shown < points.len() {
        let _ =
            writeln!(text, "  … and {} more points; --all shows them, --csv FILE writes them", points.len() - shown);
    }
    text
}

fn cells(contrast: &Contrast, line: &Line) -> [String; 6] {
    let signed = |x: f64| match x {
        x if x.is_nan() => String::new(),
        x if x > 0.0 => format!("+{}", significant(x)),
        x => significant(x),
    };
    let value = if line.estimate.runs == 0 { "undefined".to_owned() } else { significant(line.estimate.mean) };
    let Some(difference) = line.difference else {
        let runs = line.estimate.runs.to_string();
        return [value, String::new(), String::new(), String::new(), String::new(), runs];
    };
    let interval = difference.interval(contrast.confidence);
    let relative = if line.relative.is_finite() { percent(line.relative) } else { String::new() };
    let runs = match (difference.paired, difference.runs) {
        (true, 1) => "1 pair".to_owned(),
        (true, n) => format!("{n} pairs"),
        (false, n) => format!("{n} apart"),
    };
    [value, signed(difference.value), signed(interval.low), signed(interval.high), relative, runs]
}

/// A share as a percentage with its sign.
fn percent(x: f64) -> String {
    match x * 100.0 {
        0.0 => "0 %".to_owned(),
        p if p.abs() >= 1e4 => format!("x {}", cut(&significant(x + 1.0), 8)),
        p if p.abs() < 0.01 => format!("{p:+.1e} %"),
        p => format!("{p:+.2} %"),
    }
}

fn differences(contrast: &Contrast, side: usize, unlike: &[Unlike]) -> String {
    let [base, own] = [contrast.baseline, side].map(|i| contrast.sides[i].name.as_str());
    let mut text = String::from("\n");
    if unlike.is_empty() {
        return text + &wrapped(&format!("{own} and {base} have the same scenario, seed, program and inputs"), 4);
    }
    text += &wrapped(&format!("What {own} has otherwise than {base}"), 4);
    let shown = if contrast.all { unlike.len() } else { LINES_SHOWN.min(unlike.len()) };
    for u in &unlike[..shown] {
        let key = match u.part {
            super::unlike::Part::Inputs => format!("input {}", u.key),
            _ => u.key.clone(),
        };
        let line = match (&u.base, &u.own) {
            (Some(b), Some(o)) => {
                let [b, o] = shortened([b, o], contrast.all);
                format!("  {key}: {b} -> {o}")
            }
            (Some(b), None) => format!("  {key}: only in {base}: {}", shortened([b, b], contrast.all)[0]),
            (None, Some(o)) => format!("  {key}: only in {own}: {}", shortened([o, o], contrast.all)[0]),
            (None, None) => continue,
        };
        text += &wrapped(&line, 6);
    }
    if shown < unlike.len() {
        let _ = writeln!(text, "  … and {} more; --all shows them", unlike.len() - shown);
    }
    text
}

/// Two values in a few characters each; what they begin with alike is left out, so that the difference is seen.
fn shortened(values: [&Json; 2], all: bool) -> [String; 2] {
    let texts = values.map(|value| match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    });
    if all {
        return texts;
    }
    let alike = texts[0].chars().zip(texts[1].chars()).take_while(|(a, b)| a == b).count();
    let skip = if alike > VALUE / 2 && texts[0] != texts[1] { alike - 8 } else { 0 };
    texts.map(|text| {
        let rest: String = text.chars().skip(skip).collect();
        format!("{}{}", if skip > 0 { "…" } else { "" }, cut(&rest, VALUE + 8))
    })
}

fn claims(contrast: &Contrast) -> String {
    if contrast.verdicts.is_empty() {
        return String::new();
    }
    let mut text = format!("\nClaims, with a confidence of {}\n", contrast.confidence);
    let mut left_out = 0;
    for (i, verdict) in contrast.verdicts.iter().enumerate() {
        // What is broken is always named.
        if i < LINES_SHOWN || contrast.all || verdict.outcome != Outcome::Holds {
            text += &wrapped(&format!("  {verdict}"), 4);
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        let _ = writeln!(text, "  … and {left_out} more hold; --all shows them");
    }
    text
}

/// A verdict without its numbers.
fn short(verdict: &Verdict) -> String {
    let about = match (verdict.about.as_str(), verdict.at.as_str()) {
        ("", "") => String::new(),
        (about, "") => format!(" for {about}"),
        ("", at) => format!(" at {at}"),
        (about, at) => format!(" for {about} at {at}"),
    };
    format!("{}{about}: {}", verdict.claim, verdict.outcome.name())
}

/// A verdict with its numbers in one sentence.
fn sentence(verdict: &Verdict) -> String {
    let mut text = short(verdict);
    if let Some(difference) = verdict.difference {
        let _ = write!(text, " ({} against {}", significant(verdict.left), significant(verdict.right));
        let [low, high] = verdict.ends;
        if !low.is_nan() {
            let kind = if difference.paired { "pairs" } else { "runs" };
            let number = |x: f64| significant(x);
            let _ = match verdict.outcome {
                Outcome::Undecided => {
                    write!(text, "; the difference is between {} and {}", number(low), number(high))
                }
                _ => write!(
                    text,
                    "; difference {}, at least {}, at most {}",
                    number(difference.value),
                    number(low),
                    number(high)
                ),
            };
            let _ = write!(text, ", {} {kind}", difference.runs);
        }
        text += ")";
    }
    if !verdict.why.is_empty() {
        let _ = write!(text, "; {}", verdict.why);
    }
    text
}

/// With its numbers; `{:#}` without.
impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&if f.alternate() { short(self) } else { sentence(self) })
    }
}
