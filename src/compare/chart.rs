//! `compare.svg`: lines over a numeric last axis, one per value of the first, one panel per value of the axes between; bars
//! otherwise, or dots where the figures span much.

mod bars;
mod waterfall;

use std::path::Path;

use plotters::coord::combinators::WithKeyPoints;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::table::word;
use super::{Comparison, FITTED, Row};
use crate::report::{ReportError, significant};

pub(crate) const FONT: &str = "DejaVu Sans, Helvetica, Arial, sans-serif";

/// Okabe and Ito's palette, distinguishable with every kind of colour blindness; yellow is left out, it is too light for lines.
pub(crate) const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
];

/// Numbers that span more than this factor get a logarithmic axis.
const DECADES: f64 = 20.0;

/// So do the numbers of an axis, at least three, each of which is at least this many times the one before: they were chosen by
/// factors.
const STEP: f64 = 2.0;

/// Draws the comparison.
pub(super) fn draw(comparison: &Comparison, out: &Path) -> Result<(), ReportError> {
    let numeric = comparison.plan.axes.last().is_some_and(|axis| axis.numbers.is_some());
    let drawn = if numeric { lines(comparison, out) } else { bars::draw(comparison, out) };
    drawn.map_err(|e| ReportError::Table { path: out.to_owned(), what: e.to_string() })
}

/// Draws the waterfall, if the comparison has one.
pub(super) fn draw_waterfall(comparison: &Comparison, out: &Path) -> Result<(), ReportError> {
    waterfall::draw(comparison, out).map_err(|e| ReportError::Table { path: out.to_owned(), what: e.to_string() })
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

pub(crate) fn label(text: &str, size: u32) -> String {
    // SVG text has no ellipsis of its own; about 0.6 of the size is a character's mean width.
    let most = (size as f64 / 7.8) as usize;
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// A scale of one axis: linear or logarithmic, with the places of its ticks.
pub(crate) struct Scale {
    pub logarithmic: bool,
    /// Its ends, as places.
    pub from: f64,
    pub to: f64,
    /// Places of its ticks.
    pub ticks: Vec<f64>,
}

impl Scale {
    /// Of the numbers on an axis: ticks at the numbers themselves, as far as they do not crowd.
    pub fn of_axis(numbers: &[f64], most: usize) -> Self {
        let (low, high) = ends(numbers.iter().copied());
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let by_factors = sorted.len() > 2 && sorted.windows(2).all(|pair| pair[1] >= STEP * pair[0]);
        let logarithmic = low > 0.0 && (by_factors || high / low > DECADES);
        let place = |x: f64| if logarithmic { libm::log10(x) } else { x };
        let (from, to) = (place(low), place(high));
        let pad = if to > from { (to - from) * 0.03 } else { 0.5 };
        let mut ticks: Vec<f64> = Vec::new();
        for x in sorted.into_iter().map(place) {
            if ticks.last().is_none_or(|last| x - last >= (to - from) / most as f64) {
                ticks.push(x);
            }
        }
        Self { logarithmic, from: from - pad, to: to + pad, ticks }
    }

    /// Of figures: from 0, or logarithmic if they span much.
    pub fn of_figures(figures: &[f64]) -> Self {
        let (low, high) = ends(figures.iter().copied());
        if low > 0.0 && high / low > DECADES {
            let (from, to) = (libm::log10(low), libm::log10(high));
            let pad = (to - from) * 0.06;
            let decades = (from - pad).ceil() as i32..=(to + pad).floor() as i32;
            let mut ticks: Vec<f64> = decades.map(f64::from).collect();
            if ticks.len() < 3 {
                let halves = |d: &f64| [*d - 0.522_878_745, *d, *d + 0.477_121_255];
                ticks = ticks.iter().flat_map(halves).filter(|t| *t >= from - pad && *t <= to + pad).collect();
                ticks.sort_by(f64::total_cmp);
                ticks.dedup_by(|a, b| (*a - *b).abs() < 1e-6);
            }
            return Self { logarithmic: true, from: from - pad, to: to + pad, ticks };
        }
        let (from, to) = (low.min(0.0), high.max(0.0));
        let to = if to > from { to } else { from + 1.0 };
        let to = to + (to - from) * 0.05;
        // Sums of steps miss 0 by a rounding.
        let exact = |x: f64| if x.abs() < 1e-9 * (to - from) { 0.0 } else { x };
        let ticks = RangedCoordf64::from(from..to).key_points(6).into_iter().map(exact).collect();
        Self { logarithmic: false, from, to, ticks }
    }

    pub fn place(&self, x: f64) -> f64 {
        if self.logarithmic { libm::log10(x) } else { x }
    }

    pub fn text(&self, place: f64) -> String {
        short(if self.logarithmic { libm::pow(10.0, place) } else { place })
    }

    pub fn coordinates(&self) -> Ticked {
        Ticked((self.from..self.to).with_key_points(self.ticks.clone()))
    }
}

/// A range whose ticks are given.
pub(crate) struct Ticked(WithKeyPoints<RangedCoordf64>);

impl Ranged for Ticked {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.0.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.0.key_points(hint) }
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.0.range()
    }
}

impl plotters::coord::ranged1d::ValueFormatter<f64> for Ticked {
    fn format(value: &f64) -> String {
        short(*value)
    }
}

fn ends(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
}

/// Three significant digits.
pub(crate) fn short(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return significant(x);
    }
    let power = 10f64.powi(2 - x.abs().log10().floor() as i32);
    let rounded = if power.is_finite() && power > 0.0 { (x * power).round() / power } else { x };
    significant(rounded)
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
    plots.draw(&Text::new(label(&title(comparison), width), (16, 12), heading))?;
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
        key.draw(&Text::new(label(&plan.axes[0].name, legend), (10, 40), small.clone()))?;
        for (i, name) in plan.axes[0].values.iter().enumerate() {
            let (middle, colour) = (70 + 24 * i as i32, COLOURS[i % COLOURS.len()]);
            key.draw(&PathElement::new([(10, middle), (38, middle)], colour.stroke_width(3)))?;
            match mark(i) {
                (false, style) => key.draw(&Circle::new((24, middle), 4, style))?,
                (true, style) => key.draw(&TriangleMarker::new((24, middle), 5, style))?,
            }
            let beside = small.clone().pos(Pos::new(HPos::Left, VPos::Center));
            key.draw(&Text::new(label(name, legend - 50), (46, middle), beside))?;
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
        builder.caption(label(caption, area.dim_in_pixel().0), (FONT, 15));
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
