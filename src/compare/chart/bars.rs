//! A row per run: a bar from 0, or on a logarithmic scale, which has no 0, a dot on a thin line across.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Comparison, Drawn, Row, label, title};
use crate::plot::{COLOURS, FONT, Scale, short};

/// The width of the scale \[px\].
const WIDE: i32 = 420;

/// What follows a bar: its number, or why there is none.
const ROOM: i32 = 150;

/// More rows than this stand closer together.
const MANY: usize = 30;

/// More rows than this are not drawn: programs that show pictures refuse taller ones. The tables have them all.
const MOST: usize = 1000;

/// Draws the rows, grouped by the value of the first axis.
pub(super) fn draw(comparison: &Comparison, out: &Path) -> Drawn {
    let plan = &comparison.plan;
    let rows = &comparison.rows[..comparison.rows.len().min(MOST)];
    let several = plan.axes.len() > 1;
    let (pitch, thick, gap) = if rows.len() > MANY { (20, 14, 6) } else { (26, 18, 10) };
    let names: Vec<String> = rows.iter().map(|row| plan.names(&row.at).join(" / ")).collect();
    let longest = names.iter().map(|n| n.chars().count()).max().unwrap_or(0) as i32;
    let left = (longest * 8 + 28).clamp(90, 360);
    // Objectives that are not kept make a figure that answers another question: it is in the tables, and not on the scale.
    let value = |row: &Row| row.point(plan.plotted());
    let figures: Vec<f64> = rows.iter().filter_map(value).collect();
    let above: Vec<f64> = figures.iter().copied().filter(|x| *x > 0.0).collect();
    let positive = Scale::of_figures(&above);
    let logarithmic = positive.logarithmic && figures.iter().all(|x| *x >= 0.0);
    let scale = if logarithmic { positive } else { Scale::of_figures(&figures) };
    let at = |place: f64| left + ((place - scale.from) / (scale.to - scale.from) * f64::from(WIDE)).round() as i32;

    let top = |i: usize| 66 + pitch * i as i32 + if several { gap * rows[i].at[0] as i32 } else { 0 };
    let end = top(rows.len() - 1) + thick + 6;
    let wide = (left + WIDE + ROOM) as u32;
    let root = SVGBackend::new(out, (wide, end as u32 + 34)).into_drawing_area();
    root.fill(&WHITE)?;
    let heading = match (logarithmic, comparison.rows.len() - rows.len()) {
        (_, more @ 1..) => format!("{}, the first {} runs, {more} more in compare.csv", title(comparison), rows.len()),
        (true, 0) => format!("{}, logarithmic scale", title(comparison)),
        (false, 0) => title(comparison),
    };
    root.draw(&Text::new(label(&heading, wide - 24, 18), (16, 12), TextStyle::from((FONT, 18)).color(&BLACK)))?;

    let small = TextStyle::from((FONT, 14)).color(&BLACK);
    let right = small.clone().pos(Pos::new(HPos::Right, VPos::Center));
    let after = small.clone().pos(Pos::new(HPos::Left, VPos::Center));
    let centred = TextStyle::from((FONT, 13)).color(&BLACK).pos(Pos::new(HPos::Center, VPos::Center));
    for &tick in &scale.ticks {
        root.draw(&PathElement::new([(at(tick), 58), (at(tick), end)], BLACK.mix(0.12).stroke_width(1)))?;
        for y in [48, end + 12] {
            root.draw(&Text::new(scale.text(tick), (at(tick), y), centred.clone()))?;
        }
    }
    let zero = if logarithmic { left } else { at(0.0) };
    for (i, row) in rows.iter().enumerate() {
        let (top, middle) = (top(i), top(i) + thick / 2);
        let colour = COLOURS[if several { row.at[0] } else { 0 } % COLOURS.len()];
        root.draw(&Text::new(label(&names[i], left as u32 - 14, 14), (left - 10, middle), right.clone()))?;
        let (x, text) = match (value(row), &row.figures) {
            (Some(x), _) if logarithmic && x > 0.0 => {
                let dot = at(scale.place(x));
                let across = [(left, middle), (left + WIDE, middle)];
                root.draw(&PathElement::new(across, BLACK.mix(0.12).stroke_width(1)))?;
                root.draw(&Circle::new((dot, middle), 5, colour.filled()))?;
                (dot + 6, short(x))
            }
            (Some(x), _) => {
                if !logarithmic {
                    let bar = [(at(x.min(0.0)), top), (at(x.max(0.0)), top + thick)];
                    root.draw(&Rectangle::new(bar, colour.filled()))?;
                }
                (if logarithmic { left } else { at(x.max(0.0)) }, short(x))
            }
            (None, Err(_)) => (zero, "failed".to_owned()),
            (None, Ok(_)) if row.fit.is_some_and(|fit| fit.value.is_none()) => (zero, "objectives not kept".to_owned()),
            (None, Ok(_)) => (zero, "undefined".to_owned()),
        };
        root.draw(&Text::new(text, (x + 6, middle), after.clone()))?;
    }
    root.draw(&PathElement::new([(zero, 58), (zero, end)], BLACK.stroke_width(1)))?;
    root.present()?;
    Ok(())
}
