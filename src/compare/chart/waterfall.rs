//! `waterfall.svg`: the waterfall of a comparison, a panel per cell of the axes after the first.

use std::path::Path;

use super::Comparison;
use crate::compare::waterfall::{unit, waterfalls};
use crate::plot::{PlotError, Size, Step, Waterfall, draw_waterfalls};
use crate::report::{ReportError, write_file};

/// Draws the waterfall, if the comparison has one of which anything is defined.
pub(in crate::compare) fn draw(comparison: &Comparison, out: &Path) -> Result<(), ReportError> {
    let Some(spec) = &comparison.plan.spec.waterfall else { return Ok(()) };
    let panel = |w: crate::compare::waterfall::Waterfall| {
        let steps = spec.steps.iter().zip(w.levels).map(|(s, level)| Step { label: s.label.clone(), level });
        Waterfall { title: w.cell.join(" / "), unit: unit(&comparison.plan).to_owned(), steps: steps.collect() }
    };
    let panels: Vec<Waterfall> = waterfalls(comparison).into_iter().map(panel).collect();
    let drawn = match draw_waterfalls(&spec.title, "comparison, waterfall.csv", &panels, Size::Screen) {
        Err(PlotError::Lacks { .. }) => return Ok(()),
        drawn => drawn.and_then(|sheet| sheet.svg()),
    };
    let svg = drawn.map_err(|e| ReportError::Table { path: out.to_owned(), what: e.to_string() })?;
    write_file(out, |file| file.write_all(svg.as_bytes()))
}
