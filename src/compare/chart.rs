//! `compare.svg`: lines over a numeric last axis, one per value of the first, one panel per value of the axes between; bars
//! otherwise, or dots where the figures span much.

mod bars;
pub(super) mod waterfall;

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::table::word;
use super::{Comparison, FITTED, Row};
use crate::plot::{COLOURS, FONT, Scale, fit};
use crate::report::ReportError;

/// Draws the comparison.
pub(super) fn draw(comparison: &Comparison, out: &Path) -> Result<(), ReportError> {
    let numeric = comparison.plan.axes.last().is_some_and(|axis| axis.numbers.is_some());
    let drawn = if numeric { lines(comparison, out) } else { bars::draw(comparison, out) };
    drawn.map_err(|e| ReportError::Table { path: out.to_owned(), what: e.to_string() })
}

pub(crate) type Drawn = Result<(), Box<dyn std::error::Error>>;

/// The plotted figure with its unit.
fn title(comparison: &Comparison) -> String {
    let key = comparison.plan.plotted();
    if let Some(fit) = comparison.plan.spec.fit.as_ref().filter(|_| key == FITTED) {
        return format!("{} {} that keeps the objectives", word(fit.find), fit.key);
    }
    let unit = comparison.plan.figure(key).map_or("1", |e| e.unit);
    if unit == "1" { key.to_owned() } else { format!("{key} [{unit}]") }
}

/// A text cut to a room \[px\] at a size as plotters counts it, 1.24 times the text's.
pub(crate) fn label(text: &str, room: u32, size: u32) -> String {
    fit(text, f64::from(room), f64::from(size) / 1.24)
}

fn lines(comparison: &Comparison, out: &Path) -> Drawn {
    let plan = &comparison.plan;
    let last = plan.axes.len() - 1;
    let numbers = plan.axes[last].numbers.as_deref().unwrap_or(&[]);
    // The axes between the first and the last make the panels; with a single axis there is one line.
    let mut panels: Vec<Vec<usize>> = Vec::new();
    for row in &comparison.rows {
        let between = row.at[..last].get(1..).unwrap_or(&[]).to_vec();
        if !panels.contains(&between) {
            panels.push(between);
        }
    }
    let across = if panels.len() == 4 { 2 } else { panels.len().min(3) };
    let down = panels.len().div_ceil(across.max(1));
    let series = if last == 0 { 1 } else { plan.axes[0].values.len() };
    let longest = plan.axes[0].values.iter().map(|name| name.chars().count()).max().unwrap_or(0) as u32;
    let legend = if last == 0 { 0 } else { (longest * 8 + 64).clamp(150, 400) };
    let (width, height) = (if across == 1 { 620 } else { 380 * across as u32 }, if across == 1 { 420 } else { 320 });
    let root = SVGBackend::new(out, (width + legend, (height * down as u32 + 40).max(24 * series as u32 + 90)));
    let root = root.into_drawing_area();
    root.fill(&WHITE)?;
    let (plots, key) = root.split_horizontally(width);
    let heading = TextStyle::from((FONT, 18)).color(&BLACK);
    plots.draw(&Text::new(label(&title(comparison), width - 24, 18), (16, 12), heading))?;
    let (_, plots) = plots.split_vertically(36);
    let figure = |row: &Row| row.point(plan.plotted());
    let figures: Vec<f64> = comparison.rows.iter().filter_map(figure).collect();
    let (x, y) = (Scale::of_axis(numbers, if across == 1 { 14 } else { 7 }), Scale::of_figures(&figures));
    for (panel, area) in panels.iter().zip(plots.split_evenly((down, across))) {
        let names: Vec<String> =
            plan.axes.iter().skip(1).zip(panel).map(|(a, &i)| format!("{} = {}", a.name, a.values[i])).collect();
        let rows = comparison.rows.iter().filter(|row| row.at[..last].get(1..).unwrap_or(&[]) == panel.as_slice());
        let mut points = vec![Vec::new(); series];
        for row in rows {
            if let Some(value) = figure(row) {
                points[if last == 0 { 0 } else { row.at[0] }].push((x.place(numbers[row.at[last]]), y.place(value)));
            }
        }
        one_panel(comparison, &area, &names.join(", "), &x, &y, points)?;
    }
    if last > 0 {
        let small = TextStyle::from((FONT, 14)).color(&BLACK);
        key.draw(&Text::new(label(&plan.axes[0].name, legend - 14, 14), (10, 40), small.clone()))?;
        for (i, name) in plan.axes[0].values.iter().enumerate() {
            let (middle, colour) = (70 + 24 * i as i32, COLOURS[i % COLOURS.len()]);
            key.draw(&PathElement::new([(10, middle), (38, middle)], colour.stroke_width(3)))?;
            match mark(i) {
                (false, style) => key.draw(&Circle::new((24, middle), 4, style))?,
                (true, style) => key.draw(&TriangleMarker::new((24, middle), 5, style))?,
            }
            let beside = small.clone().pos(Pos::new(HPos::Left, VPos::Center));
            key.draw(&Text::new(label(name, legend - 50, 14), (46, middle), beside))?;
        }
    }
    root.present()?;
    Ok(())
}

/// The mark of a line's points: each time that the colours are used up, another one. Dots, rings, triangles, hollow triangles.
fn mark(line: usize) -> (bool, ShapeStyle) {
    let (colour, round) = (COLOURS[line % COLOURS.len()], line / COLOURS.len());
    (round % 4 >= 2, if round % 2 == 0 { colour.filled() } else { colour.stroke_width(2) })
}

fn one_panel(
    comparison: &Comparison,
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    caption: &str,
    x: &Scale,
    y: &Scale,
    points: Vec<Vec<(f64, f64)>>,
) -> Drawn {
    let mut builder = ChartBuilder::on(area);
    builder.margin(10).margin_right(22).x_label_area_size(46).y_label_area_size(66);
    if !caption.is_empty() {
        builder.caption(label(caption, area.dim_in_pixel().0 - 20, 15), (FONT, 15));
    }
    let mut chart = builder.build_cartesian_2d(x.coordinates(), y.coordinates())?;
    let axis = comparison.plan.axes.last();
    let name = axis.map_or_else(String::new, |axis| match axis.unit {
        "" => axis.name.clone(),
        unit => format!("{} [{unit}]", axis.name),
    });
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .x_label_formatter(&|place| x.text(*place))
        .y_label_formatter(&|place| y.text(*place))
        .x_desc(name)
        .axis_desc_style((FONT, 14))
        .label_style((FONT, 13))
        .draw()?;
    // A point that later lines cover is drawn larger, so that a rim of it stays to be seen.
    let near = |p: (f64, f64), q: (f64, f64)| {
        let apart = |from: f64, to: f64, scale: &Scale| (from - to).abs() / (scale.to - scale.from);
        apart(p.0, q.0, x) < 0.008 && apart(p.1, q.1, y) < 0.008
    };
    let covers =
        |i: usize, p: (f64, f64)| points[i + 1..].iter().filter(|line| line.iter().any(|&q| near(p, q))).count();
    for (i, line) in points.iter().enumerate() {
        let mut line = line.clone();
        line.sort_by(|p, q| p.0.total_cmp(&q.0));
        let colour = COLOURS[i % COLOURS.len()];
        chart.draw_series(LineSeries::new(line.clone(), colour.stroke_width(2)))?;
        let points = line.into_iter().map(|p| (p, 2 * covers(i, p).min(3) as i32));
        match mark(i) {
            (false, style) => chart.draw_series(points.map(|(at, rim)| Circle::new(at, 4 + rim, style)))?,
            (true, style) => chart.draw_series(points.map(|(at, rim)| TriangleMarker::new(at, 5 + rim, style)))?,
        };
    }
    Ok(())
}
