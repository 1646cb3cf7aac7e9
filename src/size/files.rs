//! The files of a sizing: the frontier, every run, the answers, and a manifest.

use std::io::Write;

use serde_json::{Map, Value as Json, json};

use super::runs::seed_of;
use super::table::{answer, verdict};
use super::{FAN_OUT, FRONTIER, Monotone, Row, SHARES, Sizing, Variant, Want};
use crate::report::{Folder, Input, Manifest, ReportError, peak_memory_mb};
use crate::scenario::Loaded;
use crate::types::cell;

/// A column: key, unit, meaning.
type Column = [String; 3];

fn column(key: impl Into<String>, unit: impl Into<String>, meaning: impl Into<String>) -> Column {
    [key.into(), unit.into(), meaning.into()]
}

/// Writes everything but the picture.
pub(super) fn write(sizing: &Sizing, loaded: &Loaded, folder: &Folder) -> Result<(), ReportError> {
    let each = !sizing.axes.is_empty();
    let frontier = frontier_columns(sizing);
    let variants = variant_columns(sizing);
    let runs = run_columns(sizing);
    folder.write("size.csv", |f| {
        let rows = sizing.variants.iter().flat_map(|v| v.rows.iter().map(move |row| (v, row)));
        table(f, &frontier, rows.map(|(v, row)| frontier_cells(sizing, v, row)))
    })?;
    folder.write("replications.csv", |f| table(f, &runs, sizing.variants.iter().flat_map(run_rows)))?;
    if each {
        folder
            .write("variants.csv", |f| table(f, &variants, sizing.variants.iter().map(|v| variant_cells(sizing, v))))?;
    }
    let mut files = vec![("size.csv", &frontier), ("replications.csv", &runs)];
    files.extend(each.then_some(("variants.csv", &variants)));
    folder.write("size_columns.csv", |f| {
        let head = ["file", "key", "unit", "meaning"].map(|key| column(key, "", "")).to_vec();
        let rows = files.iter().flat_map(|(file, columns)| {
            columns
                .iter()
                .map(move |[key, unit, meaning]| vec![(*file).to_owned(), key.clone(), unit.clone(), meaning.clone()])
        });
        table(f, &head, rows)
    })?;
    write_json(folder, "size.json", &document(sizing, loaded))?;
    write_json(folder, "manifest.json", &manifest(sizing, loaded))
}

fn write_json(folder: &Folder, name: &str, value: &Json) -> Result<(), ReportError> {
    folder.write(name, |f| {
        serde_json::to_writer_pretty(&mut *f, value)?;
        f.write_all(b"\n")
    })
}

fn table(f: &mut dyn Write, columns: &[Column], rows: impl Iterator<Item = Vec<String>>) -> std::io::Result<()> {
    let mut table = csv::Writer::from_writer(f);
    table.write_record(columns.iter().map(|c| c[0].as_str()))?;
    for row in rows {
        table.write_record(row)?;
    }
    table.flush()
}

/// The columns of the axes and of the value.
fn lead(sizing: &Sizing) -> Vec<Column> {
    let axes = sizing.axes.iter().map(|axis| column(axis, "text", "axis: name of the value"));
    let name = sizing.vary.name();
    let (unit, meaning) = match name.starts_with("hosts") {
        true => ("1", "hosts of all groups that are varied"),
        false => ("see key", "the value of this key of the scenario"),
    };
    axes.chain([column(name, unit, meaning)]).collect()
}

/// The names of the objectives' columns: the figure's, with the number of the objective where two ask for the same.
fn objective_names(sizing: &Sizing) -> Vec<String> {
    let keys: Vec<&str> = sizing.objectives.iter().map(|o| o.key.as_str()).collect();
    let twice = |key: &str| keys.iter().filter(|k| **k == key).count() > 1;
    // The frontier's own figures are there in any case.
    let taken = |key: &str| twice(key) || FRONTIER.contains(&key);
    let name = |(i, key): (usize, &&str)| if taken(key) { format!("slo.{}.{key}", i + 1) } else { (*key).to_owned() };
    keys.iter().enumerate().map(name).collect()
}

fn objective_columns(sizing: &Sizing, intervals: bool) -> Vec<Column> {
    let mut columns = Vec::new();
    for (objective, name) in sizing.objectives.iter().zip(objective_names(sizing)) {
        let figure = sizing.figures.iter().find(|e| e.key == objective.key).map(|e| e.meaning);
        let share = SHARES.iter().find(|s| s.name == objective.key).map(|s| s.meaning);
        let meaning = figure.or(share).unwrap_or_default();
        if intervals {
            columns.push(column(
                &name,
                objective.unit,
                format!("{}: mean over replications of: {meaning}", objective.text),
            ));
            columns.push(column(
                format!("{name}.half_width"),
                objective.unit,
                "half the width of its interval: t s / sqrt(n)",
            ));
            columns.push(column(
                format!("{name}.verdict"),
                "text",
                "what the interval says of the objective: holds, fails, undecided",
            ));
        } else {
            columns.push(column(name, objective.unit, meaning));
        }
    }
    columns
}

fn figure_columns(sizing: &Sizing, of: &str) -> Vec<Column> {
    let one = |key: &&str| {
        let entry = sizing.figures.iter().find(|e| e.key == *key);
        column(*key, entry.map_or("1", |e| e.unit), format!("{of}{}", entry.map_or("", |e| e.meaning)))
    };
    FRONTIER.iter().map(one).collect()
}

fn frontier_columns(sizing: &Sizing) -> Vec<Column> {
    let mut columns = lead(sizing);
    let verdicts = "holds, fails, undecided; seems to hold or to fail after a single run that looked for the border";
    columns.push(column("verdict", "text", verdicts));
    columns.push(column("answer", "bool", "whether it is the answer"));
    columns.push(column("replications", "1", "runs of this value"));
    columns.extend(objective_columns(sizing, true));
    columns.extend(figure_columns(sizing, "mean over replications: "));
    columns.push(column("error", "text", "why a run failed; empty if none did"));
    columns
}

fn figures(row: &Row) -> Vec<String> {
    let mut cells = Vec::new();
    for estimate in &row.objectives {
        let known = if estimate.mean.is_nan() { "" } else { estimate.verdict.word() };
        cells.extend([cell(estimate.mean), cell(estimate.half_width), known.to_owned()]);
    }
    cells.extend(row.frontier.iter().map(|x| cell(*x)));
    cells
}

fn frontier_cells(sizing: &Sizing, variant: &Variant, row: &Row) -> Vec<String> {
    let mut cells = variant.names.clone();
    let answer = variant.answer.is_some_and(|i| variant.rows[i].value == row.value);
    cells.extend([row.value.to_string(), verdict(sizing, row).to_owned(), answer.to_string()]);
    cells.push(row.replications.len().to_string());
    cells.extend(figures(row));
    cells.push(row.error.clone().unwrap_or_default());
    cells
}

fn run_columns(sizing: &Sizing) -> Vec<Column> {
    let mut columns = lead(sizing);
    columns.push(column("replication", "1", "number of the replication, from 1"));
    columns.push(column("seed", "1", "root of its random streams"));
    columns.push(column("calls", "1", "calls received"));
    columns.extend(objective_columns(sizing, false));
    columns.extend(figure_columns(sizing, ""));
    columns.push(column("error", "text", "why the run failed; empty if it did not"));
    columns
}

fn run_rows(variant: &Variant) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for row in &variant.rows {
        for (n, replication) in row.replications.iter().enumerate() {
            let mut cells = variant.names.clone();
            cells.extend([row.value.to_string(), (n + 1).to_string(), replication.seed.to_string()]);
            match &replication.outcome {
                Ok(outcome) => {
                    cells.push(outcome.calls.to_string());
                    cells.extend(outcome.objectives.iter().chain(&outcome.frontier).map(|x| cell(*x)));
                    cells.push(String::new());
                }
                Err(error) => {
                    cells.extend(vec![String::new(); 1 + row.objectives.len() + FRONTIER.len()]);
                    cells.push(error.clone());
                }
            }
            rows.push(cells);
        }
    }
    rows
}

fn variant_columns(sizing: &Sizing) -> Vec<Column> {
    let mut columns = lead(sizing);
    columns.push(column(
        "monotone",
        "text",
        "whether no verdict contradicts the assumption of the search: yes, unclear, no",
    ));
    columns.push(column("runs", "1", "runs of all values"));
    columns.extend(objective_columns(sizing, true));
    columns.extend(figure_columns(sizing, "at the answer, mean over replications: "));
    columns.push(column("result", "text", "the same in words"));
    columns
}

fn monotone(variant: &Variant) -> &'static str {
    match variant.monotone {
        Monotone::Yes => "yes",
        Monotone::Unclear => "unclear",
        Monotone::No => "no",
    }
}

fn variant_cells(sizing: &Sizing, variant: &Variant) -> Vec<String> {
    let mut cells = variant.names.clone();
    let row = variant.answer.map(|i| &variant.rows[i]);
    cells.extend([row.map_or_else(String::new, |row| row.value.to_string()), monotone(variant).to_owned()]);
    cells.push(variant.runs().to_string());
    match row {
        Some(row) => cells.extend(figures(row)),
        None => cells.extend(vec![String::new(); 3 * sizing.objectives.len() + FRONTIER.len()]),
    }
    cells.push(answer(sizing, variant).trim_end().to_owned());
    cells
}

fn number(x: f64) -> Json {
    serde_json::Number::from_f64(x).map_or(Json::Null, Json::Number)
}

fn one(sizing: &Sizing, variant: &Variant) -> Json {
    let value = |i: usize| number(variant.rows[i].value);
    let axes: Map<String, Json> =
        sizing.axes.iter().cloned().zip(variant.names.iter().map(|n| n.clone().into())).collect();
    let row = |row: &Row| {
        let slo = |e: &super::Estimate| json!({ "mean": number(e.mean), "half_width": number(e.half_width), "verdict": e.verdict.word() });
        let figures: Map<String, Json> =
            FRONTIER.iter().zip(&row.frontier).map(|(key, x)| ((*key).to_owned(), number(*x))).collect();
        json!({
            "value": number(row.value),
            "verdict": verdict(sizing, row),
            "replications": row.replications.len(),
            "slo": row.objectives.iter().map(slo).collect::<Vec<_>>(),
            "figures": figures,
            "error": row.error,
        })
    };
    json!({
        "axes": axes,
        "answer": variant.answer.map(value),
        "before": variant.before.map(value),
        "monotone": monotone(variant),
        "holding": variant.holding.iter().map(|(a, b)| json!([value(*a), value(*b)])).collect::<Vec<_>>(),
        "from": number(variant.range.0),
        "to": number(variant.range.1),
        "want": if variant.want == Want::Least { "least" } else { "most" },
        "runs": variant.runs(),
        "result": answer(sizing, variant).trim_end(),
        "frontier": variant.rows.iter().map(row).collect::<Vec<_>>(),
    })
}

/// What was asked and what was found: the same bytes with any number of threads.
fn document(sizing: &Sizing, loaded: &Loaded) -> Json {
    let options = &sizing.options;
    let rule = options.rule;
    let slo = |o: &super::Objective| json!({ "text": o.text, "figure": o.key, "unit": o.unit, "operator": o.operator.sign(), "bound": o.bound });
    let most = sizing.variants.iter().flat_map(|v| &v.rows).map(|row| row.replications.len()).max().unwrap_or(0);
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "git_commit": Manifest::commit(),
        "vary": sizing.vary.name(),
        "slo": sizing.objectives.iter().map(slo).collect::<Vec<_>>(),
        "options": {
            "replications": rule.replications,
            "max_replications": rule.most,
            "confidence": rule.confidence,
            "level_of_each_look": rule.level(),
            "every": rule.every,
            "check": options.checks,
            "resolution": options.values.resolution,
            "each": options.each,
            "fan_out": FAN_OUT,
            "set": loaded.set,
        },
        "seeds": (0..most).map(|n| seed_of(loaded, n)).collect::<Vec<_>>(),
        "variants": sizing.variants.iter().map(|v| one(sizing, v)).collect::<Vec<_>>(),
    })
}

fn manifest(sizing: &Sizing, loaded: &Loaded) -> Json {
    let mut inputs: Vec<&Input> = Vec::new();
    for input in sizing.variants.iter().flat_map(|v| &v.inputs) {
        if !inputs.contains(&input) {
            inputs.push(input);
        }
    }
    let variant = |v: &Variant| json!({ "names": v.names, "set": v.set, "runs": v.runs() });
    let replications = || sizing.variants.iter().flat_map(|v| &v.rows).flat_map(|row| &row.replications);
    let calls: u64 = replications().filter_map(|r| r.outcome.as_ref().ok()).map(|o| o.calls).sum();
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
        "variants": sizing.variants.iter().map(variant).collect::<Vec<_>>(),
        "effort": {
            "wall_time_s": sizing.wall_time_s,
            "runs": replications().count(),
            "calls": calls,
            "calls_per_s": calls as f64 / sizing.wall_time_s,
            "peak_memory_mb": peak_memory_mb(),
            "threads": sizing.options.threads,
        },
    })
}
