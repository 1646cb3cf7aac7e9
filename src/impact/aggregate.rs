//! Sums over time and over components: `aggregated` of a component, `outputs` and `aggregated` of a group.
//!
//! ```text
//!   over time        Σ x;  mean weighted by duration;  last;  by the parameter's method over time
//!   over components  Σ x;  mean;  last;                       by its method over components, step by step
//!   sci              Σ carbon / Σ R                           no value where Σ R = 0
//! ```
//!
//! Source of the score: SCI, (O + M) / R. Impact Framework averages the scores of the intervals with equal weight, which one interval
//! with few requests dominates; that is not done here. R is combined by its own method where the manifest states one (`copy` if all
//! components serve the same requests), and else added. Groups need the same steps in all their children.

use serde_json::{Map, Value};

use super::compute::Pipeline;
use super::error::{ImpactError, list};
use super::expression::Operand;
use super::manifest::Plan;
use super::methods::{Method, Pair};
use super::row::{Mapping, Row, View, duration_s, number};
use crate::sci;

/// `aggregation` of a manifest.
#[derive(Debug)]
pub struct Aggregation {
    metrics: Vec<String>,
    time: bool,
    components: bool,
}

impl Aggregation {
    /// Reads it.
    ///
    /// # Errors
    /// A key is missing, unknown or wrong.
    pub fn read(value: &Value) -> Result<Self, ImpactError> {
        let wrong = |key: &str, help: &str| ImpactError::new("the aggregation is not right", help).at_key(key);
        let map = value.as_object().ok_or_else(|| wrong("aggregation", "write metrics and type"))?;
        if let Some(key) = map.keys().find(|k| *k != "metrics" && *k != "type") {
            return Err(wrong(key, "write metrics and type, nothing else"));
        }
        let (time, components) = match map.get("type").and_then(Value::as_str) {
            Some("horizontal" | "time") => (true, false),
            Some("vertical" | "component") => (false, true),
            Some("both") => (true, true),
            _ => return Err(wrong("type", "write time (horizontal), component (vertical) or both")),
        };
        let metrics = map.get("metrics").and_then(Value::as_array).filter(|l| !l.is_empty());
        let metrics = metrics.and_then(|l| l.iter().map(|m| m.as_str().map(str::to_owned)).collect());
        Ok(Self { metrics: metrics.ok_or_else(|| wrong("metrics", "list the names of parameters"))?, time, components })
    }
}

/// Aggregates a computed tree.
pub(super) fn tree(aggregation: &Aggregation, plan: &Plan, tree: &mut Map<String, Value>) -> Result<(), ImpactError> {
    for metric in &aggregation.metrics {
        if metric != "sci" && plan.methods.get(metric).is_none() {
            let help = "say in parameter-metadata of a plugin whether it is sum, avg, copy or none over time and over components";
            return Err(ImpactError::new("sim does not know how to aggregate this parameter", help).at_key(metric));
        }
    }
    node(aggregation, plan, tree, &mut Vec::new(), None).map(|_| ())
}

/// What a node hands up: its steps, and beside each the carbon and the units that its score is made of.
struct Steps {
    rows: Vec<Row>,
    parts: Vec<(f64, f64)>,
    unit: Option<Operand>,
}

fn node(
    aggregation: &Aggregation,
    plan: &Plan,
    here: &mut Map<String, Value>,
    path: &mut Vec<String>,
    inherited: Option<&Pipeline>,
) -> Result<Steps, ImpactError> {
    let own = here.get("pipeline").filter(|p| !p.is_null()).map(Pipeline::read).transpose()?;
    let pipeline = own.as_ref().or(inherited);
    let place = path.clone();
    let wrong = |e: ImpactError| e.in_child(&place);
    let Some(children) = here.get_mut("children").and_then(Value::as_object_mut) else {
        let steps = component(aggregation, plan, here, pipeline).map_err(wrong)?;
        if aggregation.time {
            let aggregated = over_time(aggregation, plan, &steps).map_err(wrong)?;
            here.insert("aggregated".to_owned(), Value::Object(aggregated));
        }
        return Ok(steps);
    };
    let mut parts = Vec::new();
    for (name, child) in children {
        path.push(name.clone());
        parts.push(node(aggregation, plan, child.as_object_mut().expect("the tree is computed"), path, pipeline)?);
        path.pop();
    }
    if !aggregation.components {
        return Ok(Steps { rows: Vec::new(), parts: Vec::new(), unit: None });
    }
    let steps = over_components(aggregation, plan, parts).map_err(wrong)?;
    let aggregated = over_time(aggregation, plan, &steps).map_err(wrong)?;
    here.insert("outputs".to_owned(), Value::Array(steps.rows.iter().cloned().map(Value::Object).collect()));
    here.insert("aggregated".to_owned(), Value::Object(aggregated));
    Ok(steps)
}

/// The steps of a component.
fn component(
    aggregation: &Aggregation,
    plan: &Plan,
    here: &Map<String, Value>,
    pipeline: Option<&Pipeline>,
) -> Result<Steps, ImpactError> {
    let outputs = here.get("outputs").and_then(Value::as_array).ok_or_else(|| {
        ImpactError::new("there is nothing to aggregate: the child has no outputs", "give it a pipeline with compute")
    })?;
    let mut rows: Vec<Row> = outputs.iter().filter_map(|r| r.as_object().cloned()).collect();
    let mut steps = Steps { rows: Vec::new(), parts: Vec::new(), unit: None };
    if aggregation.metrics.iter().any(|m| m == "sci") {
        let mut scores = Vec::new();
        for name in pipeline.map_or(&[][..], |p| &p.compute) {
            scores.extend(plan.step(name)?.functional_unit());
        }
        let Some((unit, mapping)) = scores.pop() else {
            let help = "put Sci with functional-unit, and without functional-unit-time, into the pipeline, or take sci out of metrics";
            return Err(ImpactError::new("there is no score to aggregate", help).at_key("sci"));
        };
        for (n, row) in rows.iter_mut().enumerate() {
            steps.parts.push(parts(row, unit, mapping).map_err(|e| e.in_row(n))?);
        }
        steps.unit = Some(unit.clone());
    }
    steps.rows = rows;
    Ok(steps)
}

fn parts(row: &mut Row, unit: &Operand, mapping: &Mapping) -> Result<(f64, f64), ImpactError> {
    let view = View::new(row, mapping);
    Ok((view.at_least_zero("carbon")?, unit.value(&view)?))
}

/// How R is combined.
fn unit_methods(plan: &Plan, unit: Option<&Operand>) -> Pair {
    let stated = match unit {
        Some(Operand::Name(name)) => plan.methods.get(name),
        _ => None,
    };
    stated.unwrap_or(Pair::both(Method::Sum))
}

/// Combines values; `weights` are for the mean. Nothing comes of the method `none`.
fn combine(method: Method, values: &[f64], weights: &[f64]) -> Option<f64> {
    match method {
        Method::None => None,
        Method::Sum => Some(values.iter().sum()),
        Method::Copy => values.last().copied(),
        Method::Avg => {
            let weight: f64 = weights.iter().sum();
            Some(values.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>() / weight)
        }
    }
}

/// A metric of each row.
fn column(rows: &[Row], metric: &str) -> Result<Vec<f64>, ImpactError> {
    let of = |(n, row): (usize, &Row)| {
        let value = row.get(metric).and_then(Value::as_f64);
        let help = "compute it in every component, or take it out of aggregation.metrics";
        value.ok_or_else(|| ImpactError::new("the output has no number to aggregate", help).at_key(metric).in_row(n))
    };
    rows.iter().enumerate().map(of).collect()
}

fn score(parts: &[(f64, f64)], units: Option<f64>) -> Value {
    let carbon: f64 = parts.iter().map(|p| p.0).sum();
    units.and_then(|units| sci::intensity(carbon, units)).map_or(Value::Null, number)
}

/// All steps as one.
fn over_time(aggregation: &Aggregation, plan: &Plan, steps: &Steps) -> Result<Map<String, Value>, ImpactError> {
    column(&steps.rows, "duration")?;
    let durations = steps.rows.iter().enumerate().map(|(n, row)| duration_s(&row["duration"]).map_err(|e| e.in_row(n)));
    let durations: Vec<f64> = durations.collect::<Result<_, _>>()?;
    let mut aggregated = Map::new();
    for metric in &aggregation.metrics {
        if metric == "sci" {
            let units: Vec<f64> = steps.parts.iter().map(|p| p.1).collect();
            let units = combine(unit_methods(plan, steps.unit.as_ref()).time, &units, &durations);
            aggregated.insert(metric.clone(), score(&steps.parts, units));
            continue;
        }
        let method = plan.methods.get(metric).map_or(Method::None, |pair| pair.time);
        if method == Method::None {
            continue;
        }
        if let Some(x) = combine(method, &column(&steps.rows, metric)?, &durations) {
            aggregated.insert(metric.clone(), number(x));
        }
    }
    Ok(aggregated)
}

/// All components as one, step by step.
fn over_components(aggregation: &Aggregation, plan: &Plan, children: Vec<Steps>) -> Result<Steps, ImpactError> {
    let first = &children[0];
    let same = |other: &Steps| {
        let time = |rows: &[Row]| {
            rows.iter().map(|r| (r.get("timestamp").cloned(), r.get("duration").cloned())).collect::<Vec<_>>()
        };
        time(&other.rows) == time(&first.rows)
    };
    if !children.iter().all(same) {
        let help = "bring all children to the same steps with TimeSync, or aggregate over time only";
        return Err(ImpactError::new("the children have different timestamps or durations", help).at_key("timestamp"));
    }
    if let Some(other) = children.iter().find(|c| c.unit != first.unit) {
        let names = [&first.unit, &other.unit].map(|u| u.as_ref().map_or_else(Vec::new, Operand::names).join(" "));
        let help = "one score has one functional unit, the same for every component";
        let what = format!("the children have different functional units: {}", list(names.iter().map(String::as_str)));
        return Err(ImpactError::new(what, help).at_key("functional-unit"));
    }
    let equal = vec![1.0; children.len()];
    let of_unit = unit_methods(plan, first.unit.as_ref()).component;
    let mut group = Steps { rows: Vec::new(), parts: Vec::new(), unit: first.unit.clone() };
    for n in 0..first.rows.len() {
        let rows: Vec<Row> = children.iter().map(|c| c.rows[n].clone()).collect();
        let mut row = Row::new();
        for metric in aggregation.metrics.iter().filter(|m| *m != "sci") {
            let method = plan.methods.get(metric).map_or(Method::None, |pair| pair.component);
            if method == Method::None {
                continue;
            }
            if let Some(x) = combine(method, &column(&rows, metric)?, &equal) {
                row.insert(metric.clone(), number(x));
            }
        }
        if first.unit.is_some() {
            let parts: Vec<(f64, f64)> = children.iter().map(|c| c.parts[n]).collect();
            let units: Vec<f64> = parts.iter().map(|p| p.1).collect();
            let units = combine(of_unit, &units, &equal);
            row.insert("sci".to_owned(), score(&parts, units));
            group.parts.push((parts.iter().map(|p| p.0).sum(), units.unwrap_or(0.0)));
        }
        for key in ["timestamp", "duration"] {
            row.insert(key.to_owned(), rows[0].get(key).cloned().unwrap_or(Value::Null));
        }
        group.rows.push(row);
    }
    Ok(group)
}
