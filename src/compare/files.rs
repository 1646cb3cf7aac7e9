//! The files of a comparison: tidy tables, the same as JSON, and a manifest.

use std::io::Write;

use serde_json::{Map, Value as Json, json};

use super::table::{remaining, sentence, word};
use super::{Comparison, Order, Row};
use crate::report::{Folder, Input, Manifest, ReportError, peak_memory_mb, sections};
use crate::scenario::Loaded;
use crate::types::cell;

/// A column of compare.csv.
struct Column {
    key: String,
    unit: String,
    meaning: String,
}

fn column(key: impl Into<String>, unit: impl Into<String>, meaning: impl Into<String>) -> Column {
    Column { key: key.into(), unit: unit.into(), meaning: meaning.into() }
}

/// Writes everything but the picture and the folders of the runs.
pub(super) fn write(comparison: &Comparison, loaded: &Loaded, folder: &Folder) -> Result<(), ReportError> {
    let columns = columns(comparison);
    folder.write("compare.csv", |f| {
        let mut table = csv::Writer::from_writer(f);
        table.write_record(columns.iter().map(|c| c.key.as_str()))?;
        for row in &comparison.rows {
            table.write_record(cells(comparison, row))?;
        }
        table.flush()
    })?;
    folder.write("compare_columns.csv", |f| {
        let mut table = csv::Writer::from_writer(f);
        table.write_record(["key", "unit", "meaning"])?;
        for c in &columns {
            table.write_record([&c.key, &c.unit, &c.meaning])?;
        }
        table.flush()
    })?;
    if !comparison.plan.spec.crossings.is_empty() {
        folder.write("crossings.csv", |f| crossings(comparison, f))?;
    }
    if comparison.plan.spec.waterfall.is_some() {
        folder.write("waterfall.csv", |f| super::waterfall::write(comparison, f))?;
    }
    write_json(folder, "compare.json", &document(comparison))?;
    write_json(folder, "manifest.json", &manifest(comparison, loaded))
}

fn write_json(folder: &Folder, name: &str, value: &Json) -> Result<(), ReportError> {
    folder.write(name, |f| {
        serde_json::to_writer_pretty(&mut *f, value)?;
        f.write_all(b"\n")
    })
}

fn columns(comparison: &Comparison) -> Vec<Column> {
    let plan = &comparison.plan;
    let mut columns: Vec<Column> = plan
        .axes
        .iter()
        .map(|axis| match &axis.key {
            Some(key) => {
                column(&axis.name, if axis.unit.is_empty() { "see key" } else { axis.unit }, format!("axis: {key}"))
            }
            None => column(&axis.name, "text", "axis: name of the value"),
        })
        .collect();
    columns.extend(plan.figures.iter().map(|e| column(&e.key, e.unit, e.meaning)));
    for key in &plan.spec.relative {
        let base = plan.spec.baseline.as_deref().unwrap_or_default();
        let meaning = format!("{key} over that of {} = {base} in the same cell of the other axes", plan.axes[0].name);
        columns.push(column(format!("relative.{key}"), "1", meaning));
    }
    if let Some(fit) = &plan.spec.fit {
        let meaning = format!("{} {} that keeps {}; empty if none does", word(fit.find), fit.key, fit.slo.join(", "));
        columns.push(column("fit.value", "1", meaning));
        columns.push(column("fit.holds", "bool", "whether a number that keeps the objectives was found"));
        columns.push(column(
            "fit.monotone",
            "bool",
            "whether no number that was tried contradicts the bisection's assumption",
        ));
        columns.push(column("fit.runs", "1", "how many numbers were tried"));
    }
    columns.push(column("error", "text", "why the run failed; empty if it did not"));
    columns
}

fn cells(comparison: &Comparison, row: &Row) -> Vec<String> {
    let plan = &comparison.plan;
    let mut cells: Vec<String> = plan.names(&row.at).into_iter().map(str::to_owned).collect();
    for figure in &plan.figures {
        let own = row.figures.as_ref().ok().and_then(|f| f.iter().find(|e| e.key == figure.key));
        cells.push(own.map_or_else(String::new, crate::report::Entry::cell));
    }
    cells.extend(row.relative.iter().map(|&x| cell(x)));
    if let Some(fit) = row.fit {
        cells.push(fit.value.map_or_else(String::new, |n| n.to_string()));
        cells.extend([fit.value.is_some().to_string(), fit.monotone.to_string(), fit.runs.to_string()]);
    }
    cells.push(row.figures.as_ref().err().map_or_else(String::new, |e| e.trim_end().to_owned()));
    cells
}

fn crossings(comparison: &Comparison, f: &mut dyn Write) -> std::io::Result<()> {
    let mut table = csv::Writer::from_writer(f);
    let axes = &comparison.plan.axes[1..];
    let mut header: Vec<&str> = axes.iter().map(|axis| axis.name.as_str()).collect();
    header.extend(["metric", "a", "b", "over", "crosses", "at", "below", "above"]);
    header.extend(["a_below", "b_below", "a_above", "b_above", "result"]);
    table.write_record(&header)?;
    for lines in &comparison.lines {
        let spec = &comparison.plan.spec.crossings[lines.crossing];
        let [a, b] = &spec.between;
        // The axis that is crossed over has no value.
        let values = axes.iter().zip(&lines.at[1..]);
        let mut lead: Vec<String> = values
            .map(|(axis, &i)| if axis.name == spec.over { String::new() } else { axis.values[i].clone() })
            .collect();
        lead.extend([&spec.metric, a, b, &spec.over].map(Clone::clone));
        let (known, found) = match &lines.order {
            Order::Crosses(found) => (true, found.as_slice()),
            order => (*order != Order::Unknown, &[][..]),
        };
        let text = sentence(&lines.order, a, b);
        for crossing in found {
            let numbers = [
                crossing.at,
                crossing.below.over,
                crossing.above.over,
                crossing.below.a,
                crossing.below.b,
                crossing.above.a,
                crossing.above.b,
            ];
            let text = sentence(&Order::Crosses(vec![*crossing]), a, b);
            let cells = numbers.map(cell);
            table.write_record(lead.iter().cloned().chain(["true".to_owned()]).chain(cells).chain([text]))?;
        }
        if found.is_empty() {
            let crosses = if known { "false" } else { "" };
            let empty = std::iter::repeat_n(String::new(), 7);
            table.write_record(lead.into_iter().chain([crosses.to_owned()]).chain(empty).chain([text]))?;
        }
    }
    table.flush()
}

/// The values of a row by the names of the axes.
fn values(comparison: &Comparison, row: &Row) -> Json {
    let value = |(axis, &i): (&super::Axis, &usize)| {
        let number = axis.numbers.as_ref().and_then(|n| serde_json::Number::from_f64(n[i])).map(Json::Number);
        (axis.name.clone(), number.unwrap_or_else(|| axis.values[i].clone().into()))
    };
    Json::Object(comparison.plan.axes.iter().zip(&row.at).map(value).collect())
}

fn document(comparison: &Comparison) -> Json {
    let plan = &comparison.plan;
    let run = |row: &Row| {
        let mut run = Map::new();
        run.insert("axes".to_owned(), values(comparison, row));
        run.insert("summary".to_owned(), row.figures.as_ref().map_or(Json::Null, |f| Json::Object(sections(f))));
        if !plan.spec.relative.is_empty() {
            let relative = plan.spec.relative.iter().cloned().zip(row.relative.iter().map(|&x| json!(x)));
            run.insert("relative".to_owned(), Json::Object(relative.collect()));
        }
        if let Some(fit) = row.fit {
            let fit = json!({
                "value": fit.value, "holds": fit.value.is_some(), "monotone": fit.monotone, "runs": fit.runs
            });
            run.insert("fit".to_owned(), fit);
        }
        run.insert("error".to_owned(), json!(row.figures.as_ref().err().map(|e| e.trim_end())));
        Json::Object(run)
    };
    let axis =
        |axis: &super::Axis| json!({ "name": axis.name, "key": axis.key, "unit": axis.unit, "values": axis.values });
    let mut root = Map::new();
    root.insert("axes".to_owned(), plan.axes.iter().map(axis).collect());
    root.insert("runs".to_owned(), comparison.rows.iter().map(run).collect());
    if !plan.spec.crossings.is_empty() {
        let lines = |lines: &super::Lines| {
            let spec = &plan.spec.crossings[lines.crossing];
            let cell: Map<String, Json> =
                remaining(comparison, lines).iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
            let at: Vec<f64> = match &lines.order {
                Order::Crosses(found) => found.iter().map(|c| c.at).collect(),
                _ => Vec::new(),
            };
            json!({
                "metric": spec.metric, "between": spec.between, "over": spec.over, "axes": cell, "at": at,
                "result": sentence(&lines.order, &spec.between[0], &spec.between[1])
            })
        };
        root.insert("crossings".to_owned(), comparison.lines.iter().map(lines).collect());
    }
    Json::Object(root)
}

fn manifest(comparison: &Comparison, loaded: &Loaded) -> Json {
    let run = |row: &Row| {
        json!({
            "axes": values(comparison, row),
            "set": row.set,
            "seed": row.seed,
            "runs": row.cost.runs,
            "effort": row.cost.effort,
        })
    };
    let mut inputs: Vec<&Input> = Vec::new();
    for input in comparison.rows.iter().flat_map(|row| &row.inputs) {
        if !inputs.contains(&input) {
            inputs.push(input);
        }
    }
    let calls: u64 = comparison.rows.iter().map(|row| row.cost.calls).sum();
    json!({
        "program": "slackwater sim",
        "version": env!("CARGO_PKG_VERSION"),
        "git_commit": Manifest::commit(),
        "scenario_file": loaded.path,
        "scenario_sha256": loaded.sha256,
        "set": loaded.set,
        "seed": loaded.scenario.seed,
        "scenario": loaded.scenario.filled_in(),
        "inputs": inputs,
        "boundary": crate::sci::boundary(loaded.scenario.network.is_some()),
        "runs": comparison.rows.iter().map(run).collect::<Vec<_>>(),
        "effort": {
            "wall_time_s": comparison.wall_time_s,
            "runs": comparison.rows.iter().map(|row| row.cost.runs).sum::<usize>(),
            "calls": calls,
            "calls_per_s": calls as f64 / comparison.wall_time_s,
            "peak_memory_mb": peak_memory_mb(),
            "threads": comparison.threads,
        },
    })
}
