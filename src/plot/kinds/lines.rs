//! `lines`: a figure of a sweep or comparison over a numeric axis, a line with its confidence band per value of another, a panel per value of the rest.
//!
//! Reads points.csv (bands: Student's t intervals) or compare.csv. `--x` chooses the axis, `--series` the lines, `--metric` the figures, one row of
//! panels each.

use std::collections::BTreeSet;

use super::super::frame::{Axis, Frame, Swatch, below, legend, note};
use super::super::paint::style;
use super::super::points::Points;
use super::super::scale::Scale;
use super::super::sheet::{Area, Pen, Sheet, Side, Size};
use super::super::source::{Form, Source};
use super::super::text::fit;
use super::super::{Kind, PlotError, Request};
use super::metrics;

pub const KIND: Kind = Kind {
    name: "lines",
    shows: "figures over a numeric axis of a sweep, with confidence bands",
    reads: "points.csv; compare.csv",
    draw,
};

/// More panels than this are refused.
const MOST: usize = 12;

/// More lines than this are refused: no reader tells them apart.
const LINES: usize = 30;

/// More lines than this take the width of two columns.
const MANY: usize = 12;

/// The axis from left to right and the one with a line per value.
pub(super) struct Layout {
    x: usize,
    series: Option<usize>,
    /// The remaining axes that have several values.
    rest: Vec<usize>,
}

fn layout(points: &Points, request: &Request) -> Result<Layout, PlotError> {
    let several = |a: &usize| points.axes[*a].values.len() > 1;
    let numeric = |a: &usize| points.axes[*a].numbers.is_some();
    let x = match &request.x {
        Some(name) => {
            let x = points.axis(name)?;
            if !numeric(&x) {
                let what = format!("the values of axis {name} are names, not numbers");
                return Err(PlotError::lacks(what, "lines need a numeric axis; --kind sci draws a bar per value"));
            }
            x
        }
        // The one with the most numbers; of equal ones the last.
        None => (0..points.axes.len())
            .filter(|a| several(a) && numeric(a))
            .max_by_key(|&a| points.axes[a].values.len())
            .ok_or_else(|| {
                let what = "the result has no numeric axis with several values";
                PlotError::lacks(what, "lines need one; --kind sci draws a bar per point")
            })?,
    };
    let series = match &request.series {
        Some(name) => Some(points.axis(name)?).filter(|s| *s != x),
        None => (0..points.axes.len()).find(|a| *a != x && several(a)),
    };
    let rest = (0..points.axes.len()).filter(|a| *a != x && Some(*a) != series && several(a)).collect();
    Ok(Layout { x, series, rest })
}

/// The distinct values of some axes, in the order of the points.
pub(super) fn cells(points: &Points, axes: &[usize]) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = Vec::new();
    let mut known: BTreeSet<Vec<usize>> = BTreeSet::new();
    for point in &points.points {
        let own: Vec<usize> = axes.iter().map(|&a| point.at[a]).collect();
        if known.insert(own.clone()) {
            all.push(own);
        }
    }
    all
}

/// Refuses what no reader could take in, as of a sampled sweep, whose axes have as many values as it has points.
fn is_legible(points: &Points, plan: &Layout, cells: &[Vec<usize>], panels: usize) -> Result<(), PlotError> {
    let help = "choose axes of few values with --x and --series, or draw --kind heat-map, or of a sampled sweep --kind tornado or frontier";
    let lines = plan.series.map_or(1, |s| points.axes[s].values.len());
    if lines > LINES {
        let by = plan.series.map_or("", |s| points.axes[s].name.as_str());
        return Err(PlotError::lacks(format!("axis {by} has {lines} values: more than {LINES} lines"), help));
    }
    if panels > MOST {
        return Err(PlotError::lacks(format!("there would be {panels} panels, more than {MOST}"), help));
    }
    let along = |cell: &Vec<usize>| {
        let own = points.points.iter().filter(|p| plan.rest.iter().zip(cell).all(|(&a, &i)| p.at[a] == i));
        own.map(|p| p.at[plan.x]).collect::<BTreeSet<_>>().len()
    };
    let short = cells.iter().filter(|cell| along(cell) < 2).count();
    if 2 * short > cells.len() {
        let what = format!(
            "{short} of {} panels would have fewer than two points along {}",
            cells.len(),
            points.axes[plan.x].name
        );
        return Err(PlotError::lacks(what, help));
    }
    Ok(())
}

fn draw(source: &Source, request: &Request, size: Size) -> Result<Sheet, PlotError> {
    if source.form == Form::Run {
        return Err(PlotError::lacks("a single run has no axes", "give the folder of a sweep or of a comparison"));
    }
    let points = Points::read(source)?;
    let plan = layout(&points, request)?;
    let first: Vec<&str> = points.metrics.iter().map(|m| m.0.as_str()).take(1).collect();
    let usual = if source.form == Form::Compare { vec!["sci.g_per_unit"] } else { first };
    let keys = metrics(&points, request, &usual, 1)?;
    let inner = cells(&points, &plan.rest);
    is_legible(&points, &plan, &inner, keys.len() * inner.len())?;
    let mut panels: Vec<(String, &String, &Vec<usize>)> = Vec::new();
    for key in &keys {
        for cell in &inner {
            let values = plan.rest.iter().zip(cell).map(|(&a, &i)| points.axes[a].said(i));
            let mut caption: Vec<String> = values.collect();
            if keys.len() > 1 && inner.len() > 1 {
                caption.insert(0, key.clone());
            }
            panels.push((caption.join(", "), key, cell));
        }
    }
    let lines = plan.series.map_or(1, |s| points.axes[s].values.len());
    let mut sheet = Sheet::new(size, panels.len() > 1 || lines > MANY);
    let x_axis = &points.axes[plan.x];
    let by = plan.series.map_or_else(String::new, |s| format!(", by {}", points.axes[s].name));
    let title = format!("{} over {}{by}", if keys.len() == 1 { keys[0].as_str() } else { "figures" }, x_axis.name);
    let names: Vec<&str> = keys.iter().map(String::as_str).collect();
    let bands = points.intervals(source, &names);
    let files = if source.form == Form::Sweep { "points.csv" } else { "compare.csv" };
    let top = sheet.heading(&title, &source.said(files));
    let entries: Vec<(Swatch, String)> = plan.series.map_or_else(Vec::new, |s| {
        let axis = &points.axes[s];
        (0..lines).map(|i| (Swatch::Line(pen(i), Some(style(i).2)), axis.said(i))).collect()
    });
    let top = legend(&mut sheet, top, &entries);
    let mut end = grid(&mut sheet, top, &points, &plan, &panels)?;
    let said = bands.map_or("Without intervals: one run per point.".to_owned(), |what| format!("Bands: {what}."));
    end = note(&mut sheet, end, &said);
    sheet.height = end;
    Ok(sheet)
}

fn pen(i: usize) -> Pen {
    let (colour, dash, _) = style(i);
    Pen { colour, width: 0.11, dash }
}

/// One line of a panel: (x, mean, low, high) in order of x.
fn line(points: &Points, plan: &Layout, key: &str, cell: &[usize], series: usize) -> Vec<(f64, f64, f64, f64)> {
    let mine = points.points.iter().enumerate().filter(|(_, p)| {
        plan.series.is_none_or(|s| p.at[s] == series) && plan.rest.iter().zip(cell).all(|(&a, &i)| p.at[a] == i)
    });
    let mut line: Vec<(f64, f64, f64, f64)> = mine
        .map(|(i, p)| {
            let e = points.figure(i, key);
            (points.axes[plan.x].number(p.at[plan.x]), e.mean, e.low, e.high)
        })
        .collect();
    line.sort_by(|a, b| a.0.total_cmp(&b.0));
    line
}

type Panels<'a> = [(String, &'a String, &'a Vec<usize>)];

fn grid(sheet: &mut Sheet, top: f64, points: &Points, plan: &Layout, panels: &Panels<'_>) -> Result<f64, PlotError> {
    let em = sheet.em;
    let across = match panels.len() {
        1 => 1,
        2 | 4 => 2,
        _ => {
            if sheet.across() > 45.0 {
                3
            } else {
                2
            }
        }
    };
    let across = if sheet.across() < 35.0 { 1 } else { across };
    let high = if across == 1 { sheet.high(15.0) } else { 11.0 * em };
    let lines = plan.series.map_or(1, |s| points.axes[s].values.len());
    let x_axis = &points.axes[plan.x];
    let places: Vec<f64> = x_axis.numbers.clone().unwrap_or_default();
    let wide = sheet.width / across as f64;
    // Panels of one figure share its scale.
    let scale = |key: &str| {
        let all = (0..points.points.len()).map(|i| points.figure(i, key)).flat_map(|e| [e.mean, e.low, e.high]);
        Scale::of_figures(&all.filter(|x| x.is_finite()).collect::<Vec<_>>()).with_foot()
    };
    let y_of = |key: &str| -> Result<Axis, PlotError> { Ok(Axis::new(scale(key), key, points.unit(key)?)) };
    let mut end = top;
    for (i, (caption, key, cell)) in panels.iter().enumerate() {
        let (row, column) = (i / across, i % across);
        let y = y_of(key)?;
        let head = if panels.iter().all(|p| p.0.is_empty()) { 0.4 } else { 1.8 } * em;
        let each = head + high + below(sheet, true) + 0.4 * em;
        let from = top + each * row as f64;
        let left = wide * column as f64 + y.room(sheet, high);
        let area =
            Area { left, top: from + head, right: wide * (column + 1) as f64 - 1.2 * em, bottom: from + head + high };
        let texts = ((area.right - area.left) / em / 3.2) as usize;
        let x = Axis::new(Scale::of_axis(&places, texts.max(2)), &*x_axis.name, &*x_axis.unit);
        let frame = Frame::draw(sheet, area, &x, &y);
        let caption = fit(caption, area.right - area.left + 1.0 * em, em);
        sheet.text(&caption, (area.left, from + 1.2 * em), 1.0, Side::Left, plotters::style::BLACK);
        let drawn: Vec<Vec<(f64, f64, f64, f64)>> = (0..lines).map(|s| line(points, plan, key, cell, s)).collect();
        // Ever more bands make each fainter, so that lines below are still seen.
        let opacity = (0.6 / lines as f64).clamp(0.06, 0.22);
        for (s, own) in drawn.iter().enumerate() {
            let band: Vec<(f64, f64, f64)> = own.iter().map(|p| (p.0, p.2, p.3)).collect();
            frame.band(sheet, &band, style(s).0, opacity);
            if own.len() == 1 {
                frame.whisker(sheet, own[0].0, (own[0].2, own[0].3), pen(s));
            }
        }
        for (s, own) in drawn.iter().enumerate() {
            let means: Vec<(f64, f64)> = own.iter().map(|p| (p.0, p.1)).collect();
            frame.line(sheet, &means, pen(s));
            for p in means {
                if let Some(at) = frame.at(p) {
                    sheet.mark(at, style(s).2, 0.26, style(s).0, false);
                }
            }
        }
        end = from + each;
    }
    Ok(end)
}
