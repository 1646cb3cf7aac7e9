//! The printed table: one line per run, at most 100 columns wide; what does not fit follows in a further block.

use super::{Comparison, Lines, Order, Row};
use crate::report::{Entry, Value, grouped, significant};
use crate::scenario::Find;
use crate::sci::distinct;

const WIDTH: usize = 100;
const GAP: &str = "  ";

struct Column {
    /// Section, key, unit.
    head: [String; 3],
    cells: Vec<String>,
    left: bool,
}

impl Column {
    fn width(&self) -> usize {
        self.head.iter().chain(&self.cells).map(|text| text.chars().count()).max().unwrap_or(0)
    }

    fn pad(&self, text: &str) -> String {
        let width = self.width();
        if self.left { format!("{text:<width$}") } else { format!("{text:>width$}") }
    }
}

/// The table, the notes below it, and what it cost.
pub fn table(comparison: &Comparison) -> String {
    let mut text = String::new();
    let axes = axes(comparison);
    let mut rest = figures(comparison);
    let lead: usize = axes.iter().map(|c| c.width() + GAP.len()).sum();
    while !rest.is_empty() {
        let mut width = lead;
        let fitting = rest.iter().take_while(|column| {
            width += column.width() + GAP.len();
            width <= WIDTH + GAP.len()
        });
        let count = fitting.count().max(1);
        let later = rest.split_off(count);
        text += &block(axes.iter().chain(&rest).collect());
        text.push('\n');
        rest = later;
    }
    text += &rests_on(comparison);
    text += &notes(comparison);
    text += &crossings(comparison);
    text += &super::waterfall::text(comparison);
    text += &cost(comparison);
    text
}

/// What scores and grams of the table rest on, each text once.
fn rests_on(comparison: &Comparison) -> String {
    let spec = &comparison.plan.spec;
    let carbon = |key: &String| key.starts_with("sci.") || key.starts_with("carbon_g.");
    if !spec.show.iter().chain(&spec.relative).any(carbon) {
        return String::new();
    }
    let said = [
        ("follows", "sci.standard"),
        ("intensity", "sci.signal_kind"),
        ("factors", "sci.factor_basis"),
        ("data", "sci.dataset_version"),
        ("lifespan of hosts [years]", "sci.lifetime_years"),
        ("boundary", "sci.boundary"),
    ];
    let mut text = String::from("Scores\n");
    for (label, key) in said {
        let figures = comparison.rows.iter().filter_map(|row| row.figures.as_ref().ok());
        let seen = distinct(figures.filter_map(|figures| figures.iter().find(|e| e.key == key)).map(Entry::cell));
        text += &wrapped(&format!("  {label}: {}", seen.join(" · ")));
    }
    text + "\n"
}

/// A line broken between words where it is too wide.
fn wrapped(line: &str) -> String {
    let mut text = String::new();
    let mut width = 0;
    for word in line.split_inclusive(' ') {
        let length = word.chars().count();
        if width + length > WIDTH {
            text = format!("{}\n    ", text.trim_end());
            width = 4;
        }
        text += word;
        width += length;
    }
    text + "\n"
}

fn block(columns: Vec<&Column>) -> String {
    let line = |cells: Vec<String>| format!("{}\n", cells.join(GAP).trim_end());
    let mut text = String::new();
    for i in 0..3 {
        if columns.iter().any(|c| !c.head[i].is_empty()) {
            text += &line(columns.iter().map(|c| c.pad(&c.head[i])).collect());
        }
    }
    text += &line(columns.iter().map(|c| "-".repeat(c.width())).collect());
    for row in 0..columns[0].cells.len() {
        text += &line(columns.iter().map(|c| c.pad(&c.cells[row])).collect());
    }
    text
}

fn axes(comparison: &Comparison) -> Vec<Column> {
    let plan = &comparison.plan;
    let column = |(a, axis): (usize, &super::Axis)| {
        let cell = |row: &Row| {
            axis.numbers.as_ref().map_or_else(|| axis.values[row.at[a]].clone(), |n| significant(n[row.at[a]]))
        };
        let unit = if axis.unit.is_empty() { String::new() } else { format!("[{}]", axis.unit) };
        Column {
            head: [String::new(), axis.name.clone(), unit],
            cells: comparison.rows.iter().map(cell).collect(),
            left: axis.numbers.is_none(),
        }
    };
    plan.axes.iter().enumerate().map(column).collect()
}

fn figures(comparison: &Comparison) -> Vec<Column> {
    let (plan, rows) = (&comparison.plan, &comparison.rows);
    let mut columns = Vec::new();
    if let Some(fit) = &plan.spec.fit {
        let last = fit.key.rsplit('.').next().unwrap_or(&fit.key).to_owned();
        let found = |row: &Row| match row.fit {
            Some(found) => {
                let number = found.value.map_or_else(|| "none".to_owned(), |n| grouped(n.unsigned_abs()));
                if found.monotone { number } else { format!("*{number}") }
            }
            None => String::new(),
        };
        let head = [word(fit.find).to_owned(), last, String::new()];
        columns.push(Column { head, cells: rows.iter().map(found).collect(), left: false });
    }
    for key in &plan.spec.show {
        let unit = plan.figure(key).map_or("1", |e| e.unit);
        let unit = if matches!(unit, "1" | "text") { String::new() } else { format!("[{unit}]") };
        let cell = |row: &Row| match &row.figures {
            Ok(figures) => figures.iter().find(|e| &e.key == key).map_or_else(String::new, shown),
            Err(_) => "failed".to_owned(),
        };
        columns.push(Column { head: head(key, unit), cells: rows.iter().map(cell).collect(), left: false });
    }
    for (i, key) in plan.spec.relative.iter().enumerate() {
        let base = plan.spec.baseline.as_deref().unwrap_or_default();
        let cell = |row: &Row| match &row.figures {
            Ok(_) => significant(row.relative[i]),
            Err(_) => "failed".to_owned(),
        };
        let head = head(key, format!("/ {base}"));
        columns.push(Column { head, cells: rows.iter().map(cell).collect(), left: false });
    }
    columns
}

fn head(key: &str, unit: String) -> [String; 3] {
    let (section, rest) = key.split_once('.').unwrap_or(("", key));
    [section.to_owned(), rest.to_owned(), unit]
}

fn shown(entry: &Entry) -> String {
    match &entry.value {
        Value::Count(n) => grouped(*n),
        Value::Number(x) => significant(*x),
        Value::Text(t) => t.clone(),
    }
}

/// `smallest` or `largest`.
pub(super) fn word(find: Find) -> &'static str {
    match find {
        Find::Smallest => "smallest",
        Find::Largest => "largest",
    }
}

fn notes(comparison: &Comparison) -> String {
    let (plan, rows) = (&comparison.plan, &comparison.rows);
    let mut text = String::new();
    let mut add = |note: String| {
        text += &note;
        text.push('\n');
    };
    if let Some(fit) = &plan.spec.fit {
        let slo = fit.slo.join(", ");
        add(format!("{}: of {} from {} to {} that keeps {slo}", word(fit.find), fit.key, fit.low, fit.high));
        if rows.iter().any(|row| row.fit.is_some_and(|f| f.value.is_none())) {
            let end = if fit.find == Find::Smallest { fit.high } else { fit.low };
            add(format!("none: no number that was tried keeps it; the figures are those at {end}"));
        }
        if rows.iter().any(|row| row.fit.is_some_and(|f| !f.monotone)) {
            add("*: not monotone: a number that was tried contradicts the bisection's assumption; look closer"
                .to_owned());
        }
    }
    let failed: Vec<(&Row, &String)> = rows.iter().filter_map(|row| Some((row, row.figures.as_ref().err()?))).collect();
    if !failed.is_empty() {
        add(format!("{} of {} runs failed:", failed.len(), rows.len()));
        for (row, error) in failed {
            add(format!("  {}: {}", plan.names(&row.at).join("/"), error.trim_end().replace('\n', "\n    ")));
        }
    }
    text
}

fn crossings(comparison: &Comparison) -> String {
    let mut text = String::new();
    let mut last = None;
    for lines in &comparison.lines {
        let spec = &comparison.plan.spec.crossings[lines.crossing];
        let [a, b] = &spec.between;
        if last.replace(lines.crossing) != Some(lines.crossing) {
            text += &format!("{} of {a} and {b} over {}\n", spec.metric, spec.over);
        }
        let place = remaining(comparison, lines).iter().map(|(_, name)| format!("{name}: ")).collect::<String>();
        text += &format!("  {place}{}\n", sentence(&lines.order, a, b));
    }
    text
}

/// The axes that a crossing does not run over, with their values.
pub(super) fn remaining<'c>(comparison: &'c Comparison, lines: &Lines) -> Vec<(&'c str, &'c str)> {
    let over = comparison.plan.spec.crossings[lines.crossing].over.as_str();
    let axes = comparison.plan.axes.iter().zip(&lines.at).skip(1).filter(|(axis, _)| axis.name != over);
    axes.map(|(axis, &i)| (axis.name.as_str(), axis.values[i].as_str())).collect()
}

/// What the order of two lines is, in words.
pub(super) fn sentence(order: &Order, a: &str, b: &str) -> String {
    match order {
        Order::Crosses(found) => {
            let one = |c: &super::Crossing| {
                let lower = if c.below.a < c.below.b { a } else { b };
                let (at, from, to) = (significant(c.at), significant(c.below.over), significant(c.above.over));
                format!("crossing at {at} (between {from} and {to}); {lower} is lower before it")
            };
            found.iter().map(one).collect::<Vec<_>>().join("; ")
        }
        Order::FirstLower => format!("no crossing: {a} is lower throughout"),
        Order::SecondLower => format!("no crossing: {b} is lower throughout"),
        Order::Equal => format!("no crossing: {a} and {b} are equal throughout"),
        Order::Unknown => "unknown: fewer than two points are defined for both".to_owned(),
    }
}

fn cost(comparison: &Comparison) -> String {
    let runs: usize = comparison.rows.iter().map(|row| row.cost.runs).sum();
    let calls: u64 = comparison.rows.iter().map(|row| row.cost.calls).sum();
    let threads = comparison.threads;
    let rate = calls as f64 / comparison.wall_time_s / 1e6;
    format!(
        "{:.2} s wall, {} run{} on {threads} thread{}{}\nresults in {}\n",
        comparison.wall_time_s,
        grouped(runs as u64),
        if runs == 1 { "" } else { "s" },
        if threads == 1 { "" } else { "s" },
        if calls == 0 { String::new() } else { format!(", {rate:.2} million calls/s") },
        comparison.folder.display(),
    )
}
