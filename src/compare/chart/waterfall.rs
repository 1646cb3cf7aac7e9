//! `waterfall.svg`: the first and the last step as bars from 0, the steps between as what they add or take away.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{COLOURS, Comparison, Drawn, FONT, Scale, label, short};
use crate::compare::waterfall::{self, Waterfall};

/// The width of the scale \[px\].
const WIDE: i32 = 420;
/// What follows a bar: its number.
const ROOM: i32 = 130;
/// The distance of two bars, and their thickness \[px\].
const PITCH: i32 = 34;
const THICK: i32 = 20;
/// The height of a panel without its bars \[px\].
const FRAME: i32 = 86;
/// More panels than this are not drawn: the table has them all.
const MOST: usize = 12;

/// Draws one panel per cell of the axes after the first.
pub(in crate::compare) fn draw(comparison: &Comparison, out: &Path) -> Drawn {
    let Some(spec) = &comparison.plan.spec.waterfall else { return Ok(()) };
    let mut panels = waterfall::waterfalls(comparison);
    panels.truncate(MOST);
    let longest = spec.steps.iter().map(|s| s.label.chars().count()).max().unwrap_or(0) as i32;
    let left = (longest * 8 + 28).clamp(90, 420);
    let height = FRAME + PITCH * spec.steps.len() as i32;
    let size = ((left + WIDE + ROOM) as u32, height as u32 * panels.len() as u32 + 30);
    let root = SVGBackend::new(out, size).into_drawing_area();
    root.fill(&WHITE)?;
    let all: Vec<f64> = panels.iter().flat_map(|w| &w.levels).copied().filter(|x| x.is_finite()).collect();
    // Bars begin at 0, which a logarithmic scale has not.
    let scale = Scale::of_figures(&[all.as_slice(), &[0.0]].concat());
    let unit = match waterfall::unit(&comparison.plan) {
        "1" => String::new(),
        unit => format!(" [{unit}]"),
    };
    for (i, panel) in panels.iter().enumerate() {
        let cell = if panel.cell.is_empty() { String::new() } else { format!(": {}", panel.cell.join(" / ")) };
        let heading = label(&format!("{}{unit}{cell}", spec.title), size.0);
        let top = height * i as i32;
        root.draw(&Text::new(heading, (16, top + 14), TextStyle::from((FONT, 18)).color(&BLACK)))?;
        draw_panel(&root, comparison, panel, &scale, (left, top + 40))?;
    }
    root.present()?;
    Ok(())
}

fn draw_panel(
    root: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    comparison: &Comparison,
    panel: &Waterfall,
    scale: &Scale,
    (left, top): (i32, i32),
) -> Drawn {
    let Some(spec) = &comparison.plan.spec.waterfall else { return Ok(()) };
    let at = |x: f64| left + ((x - scale.from) / (scale.to - scale.from) * f64::from(WIDE)).round() as i32;
    let end = top + 14 + PITCH * spec.steps.len() as i32;
    let small = TextStyle::from((FONT, 14)).color(&BLACK);
    let right = small.clone().pos(Pos::new(HPos::Right, VPos::Center));
    let after = small.clone().pos(Pos::new(HPos::Left, VPos::Center));
    let centred = TextStyle::from((FONT, 13)).color(&BLACK).pos(Pos::new(HPos::Center, VPos::Center));
    for &tick in &scale.ticks {
        root.draw(&PathElement::new([(at(tick), top + 10), (at(tick), end)], BLACK.mix(0.12).stroke_width(1)))?;
        root.draw(&Text::new(scale.text(tick), (at(tick), end + 12), centred.clone()))?;
    }
    let last = spec.steps.len() - 1;
    let mut before = 0.0;
    for (i, step) in spec.steps.iter().enumerate() {
        let level = panel.levels[i];
        let bar = top + 18 + PITCH * i as i32;
        let middle = bar + THICK / 2;
        root.draw(&Text::new(label(&step.label, left as u32), (left - 10, middle), right.clone()))?;
        if !level.is_finite() {
            root.draw(&Text::new("undefined", (at(0.0) + 6, middle), after.clone()))?;
            continue;
        }
        let whole = i == 0 || i == last;
        let from = if whole { 0.0 } else { before };
        // What adds and what takes away differ in colour and in the sign of their number.
        let colour = match whole {
            true => COLOURS[0],
            false if level >= before => COLOURS[2],
            false => COLOURS[1],
        };
        let (low, high) = (at(from.min(level)), at(from.max(level)));
        root.draw(&Rectangle::new([(low, bar), (high.max(low + 1), bar + THICK)], colour.filled()))?;
        if whole && i > 0 {
            // What the last step itself changed, as an outline at the end of its bar.
            let (low, high) = (at(before.min(level)), at(before.max(level)));
            let change = if level >= before { COLOURS[2] } else { COLOURS[1] };
            root.draw(&Rectangle::new([(low, bar), (high.max(low + 1), bar + THICK)], change.stroke_width(2)))?;
        }
        let number = match i {
            0 => short(level),
            _ => {
                let change = level - before;
                let sign = if change >= 0.0 { "+" } else { "" };
                if whole {
                    format!("{} ({sign}{})", short(level), short(change))
                } else {
                    format!("{sign}{}", short(change))
                }
            }
        };
        let edge = at(from.max(level).max(before));
        root.draw(&Text::new(number, (edge + 6, middle), after.clone()))?;
        if i < last {
            let x = at(level);
            root.draw(&PathElement::new([(x, bar + THICK), (x, bar + PITCH)], BLACK.mix(0.5).stroke_width(1)))?;
        }
        before = level;
    }
    root.draw(&PathElement::new([(at(0.0), top + 10), (at(0.0), end)], BLACK.stroke_width(1)))?;
    Ok(())
}
