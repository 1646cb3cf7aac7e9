//! A waterfall: one figure step by step, each step a run of its own under one more condition.

use std::io::Write;

use super::{Comparison, Plan};
use crate::report::significant;

/// A waterfall in one cell of the axes after the first.
#[derive(Debug, Clone)]
pub struct Waterfall {
    /// The names of the values of the axes after the first.
    pub cell: Vec<String>,
    /// The figure after each step; not a number where it is undefined.
    pub levels: Vec<f64>,
}

impl Waterfall {
    /// How much a step changed; the first has changed nothing.
    pub fn change(&self, step: usize) -> f64 {
        if step == 0 { f64::NAN } else { self.levels[step] - self.levels[step - 1] }
    }
}

/// The waterfalls of a comparison, one per cell of the axes after the first; none where it declares none.
pub fn waterfalls(comparison: &Comparison) -> Vec<Waterfall> {
    let plan = &comparison.plan;
    let Some(spec) = &plan.spec.waterfall else { return Vec::new() };
    let cells = comparison.rows.iter().filter(|row| row.at[0] == 0).map(|row| row.at.clone());
    cells
        .map(|at| {
            let levels = spec.steps.iter().map(|step| {
                let first = plan.axes[0].values.iter().position(|v| *v == step.at).expect("checked with the plan");
                let mut place = at.clone();
                place[0] = first;
                comparison.rows[plan.index(&place)].number(&step.figure).unwrap_or(f64::NAN)
            });
            let levels = levels.collect();
            Waterfall { cell: plan.names(&at)[1..].iter().map(|n| (*n).to_owned()).collect(), levels }
        })
        .collect()
}

/// The unit of a waterfall's figures.
pub(super) fn unit(plan: &Plan) -> &str {
    let first = plan.spec.waterfall.as_ref().and_then(|w| w.steps.first());
    first.and_then(|step| plan.figure(&step.figure)).map_or("1", |e| e.unit)
}

/// Writes `waterfall.csv`.
pub(super) fn write(comparison: &Comparison, f: &mut dyn Write) -> std::io::Result<()> {
    let plan = &comparison.plan;
    let Some(spec) = &plan.spec.waterfall else { return Ok(()) };
    let mut table = csv::Writer::from_writer(f);
    let axes = plan.axes[1..].iter().map(|axis| axis.name.as_str());
    table.write_record(axes.chain(["step", "label", "at", "figure", "value", "change", "unit"]))?;
    let cell = |x: f64| if x.is_finite() { x.to_string() } else { String::new() };
    for waterfall in waterfalls(comparison) {
        for (i, step) in spec.steps.iter().enumerate() {
            let row = [
                (i + 1).to_string(),
                step.label.clone(),
                step.at.clone(),
                step.figure.clone(),
                cell(waterfall.levels[i]),
                cell(waterfall.change(i)),
                unit(plan).to_owned(),
            ];
            table.write_record(waterfall.cell.iter().cloned().chain(row))?;
        }
    }
    table.flush()
}

/// The waterfalls as text.
pub(super) fn text(comparison: &Comparison) -> String {
    let plan = &comparison.plan;
    let Some(spec) = &plan.spec.waterfall else { return String::new() };
    let longest = spec.steps.iter().map(|s| s.label.chars().count()).max().unwrap_or(0);
    let unit = unit(plan);
    let mut text = String::new();
    for waterfall in waterfalls(comparison) {
        let cell = if waterfall.cell.is_empty() { String::new() } else { format!(", {}", waterfall.cell.join(" / ")) };
        text += &format!("{} [{unit}]{cell}\n", spec.title);
        for (i, step) in spec.steps.iter().enumerate() {
            let change = waterfall.change(i);
            let change = match i {
                0 => String::new(),
                _ if change >= 0.0 => format!("  +{}", significant(change)),
                _ => format!("  {}", significant(change)),
            };
            text += &format!("  {:<longest$}  {:>12}{change}\n", step.label, significant(waterfall.levels[i]));
        }
        text.push('\n');
    }
    text
}
