//! What is printed: the answer in a sentence, then the frontier; with `--each` a line per variant.

use super::{Estimate, FRONTIER, Monotone, Objective, Row, Sizing, Variant, Verdict, Want};
use crate::report::{grouped, significant};

const GAP: &str = "  ";

/// Columns of the frontier: head, unit, key of [`FRONTIER`].
const SHOWN: [(&str, &str, &str); 5] = [
    ("CPU", "share", "utilization.cpu_mean"),
    ("energy", "J", "energy_j.total"),
    ("O", "g", "carbon_g.operational"),
    ("M", "g", "carbon_g.embodied"),
    ("SCI", "g/R", "sci.g_per_unit"),
];

/// The answer, the frontier, and what it cost.
pub fn table(sizing: &Sizing) -> String {
    let mut text = String::new();
    if sizing.axes.is_empty() {
        for variant in &sizing.variants {
            text += &answer(sizing, variant);
            text += "\n";
            text += &frontier(sizing, variant);
        }
    } else {
        text += &variants(sizing);
    }
    text += "\n";
    text += &notes(sizing);
    let runs: usize = sizing.variants.iter().map(Variant::runs).sum();
    let threads = sizing.options.threads;
    text += &format!(
        "{:.2} s wall, {} runs on {threads} thread{}\nresults in {}\n",
        sizing.wall_time_s,
        grouped(runs as u64),
        if threads == 1 { "" } else { "s" },
        sizing.folder.display(),
    );
    text
}

/// A value with what it counts: `13 hosts`, `keep_alive_s = 60`.
pub(super) fn named(sizing: &Sizing, value: f64) -> String {
    let name = sizing.vary.name();
    match name.strip_prefix("hosts") {
        Some(rest) => {
            let place = rest.trim_matches(['[', ']']);
            let hosts = if value == 1.0 { "1 host".to_owned() } else { format!("{value} hosts") };
            if place.is_empty() { hosts } else { format!("{hosts} in {place}") }
        }
        None => format!("{name} = {value}"),
    }
}

/// An objective's figure with its interval against its bound, four digits.
fn against(objective: &Objective, estimate: &Estimate) -> String {
    let sign = match (estimate.verdict, objective.from_above()) {
        (Verdict::Undecided, _) => "straddles",
        (Verdict::Holds, true) | (Verdict::Fails, false) => "below",
        (Verdict::Holds, false) | (Verdict::Fails, true) => "above",
    };
    format!("{} {} {sign} {}", objective.key, with_width(estimate), objective.bound)
}

/// `0.62 ± 0.03`; the mean alone of a single run.
fn with_width(estimate: &Estimate) -> String {
    let mean = short(estimate.mean);
    if estimate.half_width.is_nan() { mean } else { format!("{mean} ± {}", short(estimate.half_width)) }
}

/// Four significant digits.
fn short(x: f64) -> String {
    if !x.is_finite() {
        return "undefined".to_owned();
    }
    significant(format!("{x:.3e}").parse().unwrap_or(x))
}

/// Why a value does not hold.
fn reason(sizing: &Sizing, row: &Row) -> String {
    if let Some(error) = &row.error {
        return error.lines().next().unwrap_or_default().to_owned();
    }
    let pairs = || sizing.objectives.iter().zip(&row.objectives);
    // A value given up early has an objective that fails in the mean of the few replications it has.
    let worst = pairs()
        .find(|(_, e)| e.verdict == Verdict::Fails)
        .or_else(|| pairs().find(|(o, e)| !o.holds(e.mean)))
        .or_else(|| pairs().find(|(_, e)| e.verdict == Verdict::Undecided));
    let (Some((objective, estimate)), Some(verdict)) = (worst, row.verdict) else { return String::new() };
    let estimate = Estimate { verdict, ..*estimate };
    against(objective, &estimate)
}

/// The answer in a sentence or two.
pub(super) fn answer(sizing: &Sizing, variant: &Variant) -> String {
    let (low, high) = variant.range;
    let wanted = if variant.want == Want::Least { "fewer" } else { "more" };
    let mut text = match variant.answer.map(|i| &variant.rows[i]) {
        Some(row) => {
            let objectives = if sizing.objectives.len() == 1 { "the objective" } else { "all objectives" };
            let verb = if row.value == 1.0 || !sizing.vary.name().starts_with("hosts") { "holds" } else { "hold" };
            let before = match variant.before.map(|i| &variant.rows[i]) {
                Some(before) => {
                    let value = before.value;
                    let several = value != 1.0 && sizing.vary.name().starts_with("hosts");
                    let verdict = match (before.verdict, several) {
                        (Some(Verdict::Undecided), true) => "are undecided",
                        (Some(Verdict::Undecided), false) => "is undecided",
                        (_, true) => "fail",
                        (_, false) => "fails",
                    };
                    format!("{value} {verdict}: {}", reason(sizing, before))
                }
                None => format!("the end of the range; nothing {wanted} was tried"),
            };
            format!("{} {verb} {objectives} ({before})\n", named(sizing, row.value))
        }
        None => {
            let tried: Vec<String> = variant.rows.iter().map(|row| row.value.to_string()).collect();
            let mut text = format!("no value from {low} to {high} holds; tried {}\n", tried.join(", "));
            let last = if variant.want == Want::Least { variant.rows.last() } else { variant.rows.first() };
            if let Some(row) = last {
                text += &format!("  at {}: {}\n", row.value, reason(sizing, row));
            }
            text
        }
    };
    text += &contradiction(variant);
    text
}

/// What contradicts the assumption of the search.
fn contradiction(variant: &Variant) -> String {
    let rows = |verdict: Verdict| -> Vec<String> {
        let wrong = variant.rows.iter().filter(|row| row.verdict == Some(verdict));
        wrong.filter(|row| beyond(variant, row.value)).map(|row| row.value.to_string()).collect()
    };
    let holding: Vec<String> = variant
        .holding
        .iter()
        .map(|(a, b)| (variant.rows[*a].value, variant.rows[*b].value))
        .map(|(a, b)| if a == b { a.to_string() } else { format!("{a} to {b}") })
        .collect();
    let safer = if variant.want == Want::Least { "larger" } else { "smaller" };
    match variant.monotone {
        Monotone::Yes => String::new(),
        Monotone::Unclear => format!(
            "unclear: {} {safer} than one that holds, but undecided; more replications may tell\n",
            rows(Verdict::Undecided).join(", "),
        ),
        Monotone::No => format!(
            "NOT MONOTONE: {} {safer} than one that holds, but fails. Every judged value holds in: {}.\n\
             Between and beyond judged values anything may happen; the answer is the safe end of what is known.\n",
            rows(Verdict::Fails).join(", "),
            holding.join("; "),
        ),
    }
}

/// Whether a value lies on the safer side of one that holds.
fn beyond(variant: &Variant, value: f64) -> bool {
    let mut held = variant.rows.iter().filter(|row| row.verdict == Some(Verdict::Holds));
    match variant.want {
        Want::Least => held.any(|row| row.value < value),
        Want::Most => held.any(|row| row.value > value),
    }
}

/// A table of texts, the first `left` columns flush left.
fn lines(head: [Vec<String>; 2], rows: Vec<Vec<String>>, left: usize) -> String {
    let columns = head[0].len();
    let all = || head.iter().chain(&rows);
    let width = |c: usize| all().map(|row| row[c].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cell = |(c, text): (usize, &String)| {
            let pad = " ".repeat(widths[c].saturating_sub(text.chars().count()));
            if c < left { format!("{text}{pad}") } else { format!("{pad}{text}") }
        };
        format!("{}\n", row.iter().enumerate().map(cell).collect::<Vec<_>>().join(GAP).trim_end())
    };
    let rule: Vec<String> = widths.iter().map(|w| "-".repeat(*w)).collect();
    head.iter().chain([&rule]).chain(&rows).map(line).collect()
}

fn heads(sizing: &Sizing) -> [Vec<String>; 2] {
    let objectives = sizing.objectives.iter();
    let names = objectives.clone().map(|o| o.key.clone()).chain(SHOWN.iter().map(|(name, ..)| (*name).to_owned()));
    let units = objectives.map(|o| format!("{} {}", o.operator.sign(), o.bound));
    [names.collect(), units.chain(SHOWN.iter().map(|(_, unit, _)| format!("[{unit}]"))).collect()]
}

fn cells(row: &Row) -> Vec<String> {
    let figure = |key: &str| FRONTIER.iter().position(|k| *k == key).map_or(f64::NAN, |i| row.frontier[i]);
    let own = row.objectives.iter().map(with_width);
    own.chain(SHOWN.iter().map(|(_, _, key)| short(figure(key)))).collect()
}

/// What is known of a row, in a word or two.
pub(super) fn verdict(sizing: &Sizing, row: &Row) -> &'static str {
    let seems = || {
        let right = row.error.is_none() && row.objectives.iter().all(|e| e.mean.is_finite());
        right && sizing.objectives.iter().zip(&row.objectives).all(|(o, e)| o.holds(e.mean))
    };
    match row.verdict {
        Some(verdict) => verdict.word(),
        None if seems() => "seems to hold",
        None => "seems to fail",
    }
}

fn frontier(sizing: &Sizing, variant: &Variant) -> String {
    let mut head = heads(sizing);
    let name = sizing.vary.name();
    let name = if name.starts_with("hosts") { name } else { name.rsplit('.').next().unwrap_or_default().to_owned() };
    head[0].splice(0..0, ["", &name, "verdict", "runs"].map(str::to_owned));
    head[1].splice(0..0, ["", "", "", ""].map(str::to_owned));
    let row = |(i, row): (usize, &Row)| {
        let mark = if variant.answer == Some(i) { ">" } else { "" };
        let lead = [
            mark.to_owned(),
            row.value.to_string(),
            verdict(sizing, row).to_owned(),
            row.replications.len().to_string(),
        ];
        lead.into_iter().chain(cells(row)).collect()
    };
    lines(head, variant.rows.iter().enumerate().map(row).collect(), 1)
}

fn variants(sizing: &Sizing) -> String {
    let mut head = heads(sizing);
    let name = sizing.vary.name();
    head[0].splice(0..0, sizing.axes.iter().cloned().chain([name, "runs".to_owned()]));
    head[1].splice(0..0, vec![String::new(); sizing.axes.len() + 2]);
    let columns = head[0].len();
    let mut notes = String::new();
    let row = |variant: &Variant| {
        let mut cells_of = variant.names.clone();
        let mark = match variant.monotone {
            Monotone::Yes => "",
            Monotone::Unclear => "?",
            Monotone::No => "*",
        };
        match variant.answer.map(|i| &variant.rows[i]) {
            Some(row) => {
                cells_of.extend([format!("{mark}{}", row.value), variant.runs().to_string()]);
                cells_of.extend(cells(row));
            }
            None => {
                cells_of.extend(["none".to_owned(), variant.runs().to_string()]);
                cells_of.resize(columns, "-".to_owned());
            }
        }
        cells_of
    };
    let rows = sizing.variants.iter().map(row).collect();
    for variant in &sizing.variants {
        let name = variant.names.join("/");
        if variant.answer.is_none() || variant.monotone != Monotone::Yes {
            let said = answer(sizing, variant);
            notes += &format!("{name}: {}\n", said.trim_end().replace('\n', "\n    "));
        }
    }
    let table = lines(head, rows, sizing.axes.len());
    if notes.is_empty() { table } else { format!("{table}\n{notes}") }
}

/// What the verdicts mean, and what may be doubted.
fn notes(sizing: &Sizing) -> String {
    let rule = sizing.options.rule;
    let mut text = if rule.every {
        format!("holds: each of {} replications keeps every objective\n", rule.replications)
    } else if rule.plain() {
        "holds: one replication keeps every objective; nothing is known of others\n".to_owned()
    } else {
        let percent = short(rule.confidence * 100.0);
        format!(
            "holds: with {percent} % confidence the mean over replications keeps every objective; ± is at {} %, for up to {} looks\n",
            short(rule.level() * 100.0),
            rule.looks().len()
        )
    };
    let alike = |row: &Row| row.replications.len() > 1 && row.objectives.iter().all(|e| e.half_width == 0.0);
    let judged = || sizing.variants.iter().flat_map(|v| &v.rows).filter(|row| row.replications.len() > 1);
    if judged().next().is_some() && judged().all(alike) {
        text += "all replications of a value are alike: the seed moves none of the objectives' figures\n";
    }
    text
}
