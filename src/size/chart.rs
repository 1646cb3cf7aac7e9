//! `size.svg`: how far each objective's figure is from its bound, and O and M, over the values that were run.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Estimate, FRONTIER, Row, Sizing, Variant, Verdict};
use crate::compare::chart::{Drawn, label};
use crate::plot::{COLOURS, FONT, Scale, short};
use crate::report::ReportError;

/// Picture of one frontier \[px\].
const WIDE: u32 = 700;
const HIGH: u32 = 640;

/// A picture has at most this many variants, as programs that show pictures refuse taller ones; the tables have them all.
const MOST: usize = 200;

/// Figures above this many times the bound are drawn at the upper edge: what matters is on which side of the bound they are.
const TOP: f64 = 4.0;

/// Draws the frontier; with several variants, a row for each answer.
pub(super) fn draw(sizing: &Sizing, out: &Path) -> Result<(), ReportError> {
    let drawn = if sizing.axes.is_empty() { frontier(sizing, out) } else { answers(sizing, out) };
    drawn.map_err(|e| ReportError::Table { path: out.to_owned(), what: e.to_string() })
}

fn figure(row: &Row, key: &str) -> f64 {
    FRONTIER.iter().position(|k| *k == key).map_or(f64::NAN, |i| row.frontier[i])
}

fn frontier(sizing: &Sizing, out: &Path) -> Drawn {
    let root = SVGBackend::new(out, (WIDE, HIGH)).into_drawing_area();
    root.fill(&WHITE)?;
    let Some(variant) = sizing.variants.first() else { return Ok(root.present()?) };
    let values: Vec<f64> = variant.rows.iter().map(|row| row.value).collect();
    let x = Scale::of_axis(&values, 12);
    let (upper, lower) = root.split_vertically(HIGH / 2);
    objectives(sizing, variant, &x, &upper)?;
    carbon(sizing, variant, &x, &lower)?;
    root.present()?;
    Ok(())
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn objectives(sizing: &Sizing, variant: &Variant, x: &Scale, area: &Area<'_>) -> Drawn {
    // A bound of 0 divides nothing: such an objective is drawn as 0 or the upper edge.
    let over = |bound: f64, y: f64| if bound == 0.0 && y > 0.0 { TOP } else { (y / bound).min(TOP) };
    let part = |i: usize, row: &Row, y: &dyn Fn(&Estimate) -> f64| -> Option<f64> {
        let (bound, y) = (sizing.objectives[i].bound, y(&row.objectives[i]));
        if bound == 0.0 && y == 0.0 { Some(0.0) } else { Some(over(bound, y)).filter(|y| y.is_finite()) }
    };
    let all =
        (0..sizing.objectives.len()).flat_map(|i| variant.rows.iter().filter_map(move |r| part(i, r, &|e| e.mean)));
    let highest = all.fold(1.0, f64::max);
    let y = Scale::of_figures(&[0.0, highest * 1.05]);
    let mut builder = ChartBuilder::on(area);
    builder.margin(10).margin_right(22).x_label_area_size(46).y_label_area_size(66);
    builder.caption(
        "figure over its bound; filled: holds with confidence, hollow: does not, or ran too seldom",
        (FONT, 15),
    );
    let mut chart = builder.build_cartesian_2d(x.coordinates(), y.coordinates())?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .x_label_formatter(&|place| x.text(*place))
        .y_label_formatter(&|place| y.text(*place))
        .x_desc(sizing.vary.name())
        .axis_desc_style((FONT, 14))
        .label_style((FONT, 13))
        .draw()?;
    chart.draw_series(LineSeries::new([(x.from, 1.0), (x.to, 1.0)], BLACK.stroke_width(2)))?;
    for (i, objective) in sizing.objectives.iter().enumerate() {
        let colour = COLOURS[i % COLOURS.len()];
        let points: Vec<(&Row, f64, f64)> =
            variant.rows.iter().filter_map(|r| Some((r, x.place(r.value), part(i, r, &|e| e.mean)?))).collect();
        let line = points.iter().map(|(_, x, y)| (*x, *y));
        let series = chart.draw_series(LineSeries::new(line, colour.stroke_width(1)))?;
        series
            .label(&objective.text)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(3)));
        for (row, at, mean) in points {
            let ends = [-1.0, 1.0].map(|sign| part(i, row, &|e| e.mean + sign * e.half_width));
            if let [Some(low), Some(high)] = ends {
                chart.draw_series([PathElement::new([(at, low.max(0.0)), (at, high)], colour.stroke_width(2))])?;
            }
            let style = if row.verdict == Some(Verdict::Holds) { colour.filled() } else { colour.stroke_width(2) };
            chart.draw_series([Circle::new((at, mean), 4, style)])?;
        }
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.85)).label_font((FONT, 13)).draw()?;
    Ok(())
}

fn carbon(sizing: &Sizing, variant: &Variant, x: &Scale, area: &Area<'_>) -> Drawn {
    let parts = |row: &Row| (figure(row, "carbon_g.operational"), figure(row, "carbon_g.embodied"));
    let rows: Vec<(f64, f64, f64)> = variant
        .rows
        .iter()
        .map(|row| (x.place(row.value), parts(row)))
        .filter(|(_, (o, m))| o.is_finite() && m.is_finite())
        .map(|(x, (o, m))| (x, o, m))
        .collect();
    let highest = rows.iter().map(|(_, o, m)| o + m).fold(0.0, f64::max);
    let y = Scale::of_figures(&[0.0, highest]);
    let mut builder = ChartBuilder::on(area);
    builder.margin(10).margin_right(22).x_label_area_size(46).y_label_area_size(66);
    builder.caption("operational O and embodied M, stacked [gCO2e]", (FONT, 15));
    let mut chart = builder.build_cartesian_2d(x.coordinates(), y.coordinates())?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .x_label_formatter(&|place| x.text(*place))
        .y_label_formatter(&|place| y.text(*place))
        .x_desc(sizing.vary.name())
        .axis_desc_style((FONT, 14))
        .label_style((FONT, 13))
        .draw()?;
    let half = (x.to - x.from) * 0.006;
    for (name, colour, from, to) in
        [("O", COLOURS[0], [0.0, 0.0], [1.0, 0.0]), ("M", COLOURS[5], [1.0, 0.0], [1.0, 1.0])]
    {
        let at = |k: [f64; 2], o: f64, m: f64| k[0] * o + k[1] * m;
        let bar = |&(x, o, m): &(f64, f64, f64)| {
            Rectangle::new([(x - half, at(from, o, m)), (x + half, at(to, o, m))], colour.filled())
        };
        let series = chart.draw_series(rows.iter().map(bar))?;
        series.label(name).legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled()));
    }
    if let Some(row) = variant.answer.map(|i| &variant.rows[i]) {
        let at = x.place(row.value);
        chart.draw_series([PathElement::new([(at, y.from), (at, y.to)], BLACK.mix(0.5).stroke_width(1))])?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .label_font((FONT, 13))
        .draw()?;
    Ok(())
}

/// A row per variant: its answer, and O and M per functional unit there.
fn answers(sizing: &Sizing, out: &Path) -> Drawn {
    const PITCH: i32 = 20;
    const THICK: i32 = 14;
    const BARS: i32 = 300;
    const GAP: i32 = 110;
    let variants = &sizing.variants[..sizing.variants.len().min(MOST)];
    let names: Vec<String> = variants.iter().map(|v| v.names.join(" / ")).collect();
    let longest = names.iter().map(|n| n.chars().count()).max().unwrap_or(0) as i32;
    let left = (longest * 8 + 28).clamp(90, 360);
    let (width, height) = ((left + 2 * (BARS + GAP)) as u32, (66 + PITCH * variants.len() as i32 + 20) as u32);
    let root = SVGBackend::new(out, (width, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let small = TextStyle::from((FONT, 14)).color(&BLACK);
    let right = small.clone().pos(Pos::new(HPos::Right, VPos::Center));
    let after = small.clone().pos(Pos::new(HPos::Left, VPos::Center));
    let heading = TextStyle::from((FONT, 15)).color(&BLACK);
    let second = left + BARS + GAP;
    let more = sizing.variants.len() - variants.len();
    let title =
        if more > 0 { format!("{} ({more} more in variants.csv)", sizing.vary.name()) } else { sizing.vary.name() };
    root.draw(&Text::new(label(&title, (BARS + GAP) as u32, 15), (left, 16), heading.clone()))?;
    root.draw(&Text::new("O (blue) + M (orange) per functional unit [gCO2e/R]", (second, 16), heading))?;
    let answer = |v: &Variant| v.answer.map(|i| v.rows[i].clone());
    let rows: Vec<Option<Row>> = variants.iter().map(answer).collect();
    let highest = |of: &dyn Fn(&Row) -> f64| {
        let most = rows.iter().flatten().map(of).filter(|x| x.is_finite()).fold(0.0, f64::max);
        if most > 0.0 { most } else { 1.0 }
    };
    let (most, score) = (highest(&|r| r.value), highest(&|r| figure(r, "sci.g_per_unit")));
    let length = |x: f64, of: f64| (x.max(0.0) / of * f64::from(BARS)).round() as i32;
    for (i, row) in rows.iter().enumerate() {
        let (top, middle) = (50 + PITCH * i as i32, 50 + PITCH * i as i32 + THICK / 2);
        root.draw(&Text::new(label(&names[i], left as u32 - 14, 14), (left - 10, middle), right.clone()))?;
        let Some(row) = row else {
            root.draw(&Text::new("objectives not kept", (left, middle), after.clone()))?;
            continue;
        };
        let end = left + length(row.value, most);
        root.draw(&Rectangle::new([(left, top), (end, top + THICK)], COLOURS[2].filled()))?;
        root.draw(&Text::new(short(row.value), (end + 6, middle), after.clone()))?;
        let (o, total) = (figure(row, "sci.operational_g_per_unit"), figure(row, "sci.g_per_unit"));
        if !(o.is_finite() && total.is_finite()) {
            continue;
        }
        let (split, end) = (second + length(o, score), second + length(total, score));
        root.draw(&Rectangle::new([(second, top), (split, top + THICK)], COLOURS[0].filled()))?;
        root.draw(&Rectangle::new([(split, top), (end, top + THICK)], COLOURS[5].filled()))?;
        root.draw(&Text::new(short(total), (end + 6, middle), after.clone()))?;
    }
    root.present()?;
    Ok(())
}
