//! The tornado: what the score would be with one uncertain input low or high, widest on top, and with all at once below.

use std::path::Path;

use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::uncertainty::{range, scale, short};
use super::{ReportError, significant, write_file};
use crate::sci::uncertainty::Uncertain;

const FONT: &str = "DejaVu Sans, Helvetica, Arial, sans-serif";
/// Of Okabe and Ito's palette.
const LOW: RGBColor = RGBColor(86, 180, 233);
const HIGH: RGBColor = RGBColor(213, 94, 0);
const ALL: RGBColor = RGBColor(130, 130, 130);

/// The width of the scale \[px\].
const WIDE: i32 = 420;
/// Right of it: the two scores and the share of variance.
const ROOM: i32 = 274;
const PITCH: i32 = 28;
const THICK: i32 = 18;
const TOP: i32 = 96;
/// More inputs than this are not drawn; the table has them all.
const MOST: usize = 40;

/// Draws the tornado of a run into an SVG file.
///
/// # Errors
/// The picture cannot be written.
pub fn tornado(u: &Uncertain, name: &str, out: &Path) -> Result<(), ReportError> {
    let drawn = draw(u, name).map_err(|e| ReportError::Table { path: out.to_owned(), what: e.to_string() })?;
    write_file(out, |file| file.write_all(drawn.as_bytes()))
}

/// The picture as SVG.
fn draw(u: &Uncertain, name: &str) -> Result<String, Box<dyn std::error::Error>> {
    let (units, unit) = scale(u);
    let swings = &u.swings[..u.swings.len().min(MOST)];
    let labels: Vec<String> = swings.iter().map(|s| format!("{} ({})", s.name, range(s.input))).collect();
    let all = "all at once (90 % interval)".to_owned();
    let longest = labels.iter().chain([&all]).map(|n| n.chars().count()).max().unwrap_or(0) as i32;
    let left = (longest * 8 + 28).clamp(160, 460);
    let whole = [u.total_g.p05 / units, u.total_g.p95 / units];
    let ends =
        swings.iter().flat_map(|s| [s.low_g / units, s.high_g / units]).chain(whole).chain([u.central_g / units]);
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let pad = if high > low { (high - low) * 0.04 } else { low.abs().max(1e-12) * 0.05 };
    let (from, to) = (low - pad, high + pad);
    let at = |x: f64| left + ((x - from) / (to - from) * f64::from(WIDE)).round() as i32;

    let rows = swings.len() as i32 + 1;
    let end = TOP + PITCH * rows + 8;
    let wide = (left + WIDE + ROOM) as u32;
    let mut picture = String::new();
    let root = SVGBackend::with_string(&mut picture, (wide, end as u32 + 30)).into_drawing_area();
    root.fill(&WHITE)?;
    let what = if u.units > 0.0 { "score" } else { "O + M" };
    let heading = cut(&format!("{name}: what the uncertainty of the {what} comes from [{unit}]"), wide as i32 - 32, 18);
    root.draw(&Text::new(heading, (16, 12), TextStyle::from((FONT, 18)).color(&BLACK)))?;

    let small = TextStyle::from((FONT, 14)).color(&BLACK);
    let right = small.clone().pos(Pos::new(HPos::Right, VPos::Center));
    let after = small.clone().pos(Pos::new(HPos::Left, VPos::Center));
    let centred = TextStyle::from((FONT, 13)).color(&BLACK).pos(Pos::new(HPos::Center, VPos::Center));
    for (x, colour, text) in [(left, LOW, "input at its 5 %"), (left + 170, HIGH, "input at its 95 %")] {
        root.draw(&Rectangle::new([(x, 44), (x + 14, 56)], colour.filled()))?;
        root.draw(&Text::new(text, (x + 20, 50), after.clone()))?;
    }
    root.draw(&PathElement::new([(left + 350, 42), (left + 350, 58)], BLACK.stroke_width(1)))?;
    root.draw(&Text::new("all at their medians", (left + 358, 50), after.clone()))?;
    let places = RangedCoordf64::from(from..to);
    for tick in places.key_points(7) {
        root.draw(&PathElement::new([(at(tick), TOP - 10), (at(tick), end)], BLACK.mix(0.12).stroke_width(1)))?;
        for y in [TOP - 20, end + 12] {
            root.draw(&Text::new(significant(tick), (at(tick), y), centred.clone()))?;
        }
    }
    let middle = at(u.central_g / units);
    let column = left + WIDE + 36;
    root.draw(&Text::new("score at 5 %, 95 %", (column, TOP - 20), after.clone()))?;
    root.draw(&Text::new("variance", (column + 160, TOP - 20), after.clone()))?;
    for (i, (s, label)) in swings.iter().zip(&labels).enumerate() {
        let top = TOP + PITCH * i as i32;
        let y = top + THICK / 2;
        root.draw(&Text::new(cut(label, left - 16, 14), (left - 10, y), right.clone()))?;
        for (g, colour) in [(s.low_g, LOW), (s.high_g, HIGH)] {
            let x = at(g / units);
            root.draw(&Rectangle::new([(x.min(middle), top), (x.max(middle), top + THICK)], colour.filled()))?;
        }
        let scores = format!("{}, {}", short(s.low_g / units), short(s.high_g / units));
        root.draw(&Text::new(scores, (column, y), after.clone()))?;
        if s.variance_share.is_finite() {
            root.draw(&Text::new(format!("{:.0} %", s.variance_share * 100.0), (column + 160, y), after.clone()))?;
        }
    }
    let top = TOP + PITCH * (rows - 1);
    let y = top + THICK / 2;
    root.draw(&Text::new(all, (left - 10, y), right))?;
    root.draw(&Rectangle::new([(at(whole[0]), top), (at(whole[1]), top + THICK)], ALL.filled()))?;
    root.draw(&Text::new(format!("{}, {}", short(whole[0]), short(whole[1])), (column, y), after))?;
    root.draw(&PathElement::new([(middle, TOP - 10), (middle, end)], BLACK.stroke_width(1)))?;
    root.present()?;
    drop(root);
    Ok(picture)
}

/// SVG text has no ellipsis of its own; about 0.56 of the size is a character's mean width.
fn cut(text: &str, room: i32, size: i32) -> String {
    let most = (f64::from(room) / (0.56 * f64::from(size))) as usize;
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}
