//! Axes around a panel, what is drawn inside them, and the legend above.

use plotters::style::{BLACK, RGBColor};

use super::paint::{DARK, FAINT, Shape};
use super::scale::Scale;
use super::sheet::{Area, Pen, Sheet, Side};
use super::text::{fit, width, with_unit, wrap};

/// The smaller text of ticks and legends, in lengths of the sheet's text size.
pub const SMALL: f64 = 0.9;

/// One axis of a panel.
#[derive(Debug, Clone)]
pub struct Axis {
    pub scale: Scale,
    pub name: String,
    pub unit: String,
    /// Whether ticks have texts and the axis its name; not where the panel below shows them.
    pub said: bool,
}

impl Axis {
    pub fn new(scale: Scale, name: impl Into<String>, unit: impl Into<String>) -> Self {
        Self { scale, name: name.into(), unit: unit.into(), said: true }
    }

    pub fn silent(self) -> Self {
        Self { said: false, ..self }
    }

    fn words(&self) -> (Vec<String>, String) {
        let (texts, exponent) = self.scale.texts();
        (texts, with_unit(&self.name, &self.unit, exponent))
    }

    /// What the texts of an upright axis of some height need beside the panel.
    pub fn room(&self, sheet: &Sheet, height: f64) -> f64 {
        let (texts, name) = self.words();
        let widest = texts.iter().map(|t| width(t)).fold(0.0, f64::max) * SMALL;
        let lines = wrap(&name, height, sheet.em).len().min(2) as f64;
        (widest + 1.5 + 1.15 * lines) * sheet.em
    }
}

/// What the texts below a panel need.
pub fn below(sheet: &Sheet, said: bool) -> f64 {
    if said { 3.2 * sheet.em } else { 0.6 * sheet.em }
}

/// The inside of a panel.
#[derive(Debug, Clone)]
pub struct Frame {
    pub area: Area,
    pub x: Scale,
    pub y: Scale,
}

impl Frame {
    /// Draws the axes; `area` is the inside.
    pub fn draw(sheet: &mut Sheet, area: Area, x: &Axis, y: &Axis) -> Self {
        let frame = Self { area, x: x.scale.clone(), y: y.scale.clone() };
        let em = sheet.em;
        let ((x_texts, x_name), (y_texts, y_name)) = (x.words(), y.words());
        let mut free = f64::NEG_INFINITY;
        for (&tick, text) in x.scale.ticks.iter().zip(&x_texts) {
            let at = frame.along(tick);
            if at < area.left - 1.0 || at > area.right + 1.0 {
                continue;
            }
            let half = width(text) * SMALL * em / 2.0;
            sheet.line(&[(at, area.top), (at, area.bottom)], Pen::new(FAINT, 0.04));
            if at - half < free || !x.said {
                continue;
            }
            // The last text stays on the sheet.
            let at = at.min(sheet.width - half - 0.2 * em);
            free = at + half + 0.5 * em;
            sheet.text(text, (at, area.bottom + 1.1 * em), SMALL, Side::Centre, BLACK);
        }
        let mut free = f64::INFINITY;
        for (&tick, text) in y.scale.ticks.iter().zip(&y_texts) {
            let at = frame.up(tick);
            if at < area.top - 1.0 || at > area.bottom + 1.0 {
                continue;
            }
            sheet.line(&[(area.left, at), (area.right, at)], Pen::new(FAINT, 0.04));
            if at > free - 1.15 * em || !y.said {
                continue;
            }
            free = at;
            sheet.label(text, (area.left - 0.45 * em, at), SMALL, Side::Right, BLACK);
        }
        sheet
            .line(&[(area.left, area.top), (area.left, area.bottom), (area.right, area.bottom)], Pen::new(BLACK, 0.06));
        if let Some(&zero) = x.scale.zero.as_ref() {
            frame.broken(sheet, zero);
        }
        if !x.scale.logarithmic && frame.y.from < 0.0 && frame.y.to > 0.0 && !frame.y.logarithmic {
            let zero = frame.up(0.0);
            sheet.line(&[(area.left, zero), (area.right, zero)], Pen::new(BLACK, 0.05));
        }
        if x.said {
            let name = fit(&x_name, area.right - area.left + 3.0 * em, em);
            let middle = (area.left + area.right) / 2.0;
            let half = width(&name) * em / 2.0;
            let middle = middle.min(sheet.width - half - 0.3 * em).max(half + 0.3 * em);
            sheet.text(&name, (middle, area.bottom + 2.5 * em), 1.0, Side::Centre, BLACK);
        }
        if y.said {
            let height = area.bottom - area.top;
            let mut lines = wrap(&y_name, height, em);
            if lines.len() > 2 {
                let rest = lines.split_off(1).join(" ");
                lines.push(rest);
            }
            let widest = y_texts.iter().map(|t| width(t)).fold(0.0, f64::max) * SMALL * em;
            let middle = (area.top + area.bottom) / 2.0;
            for (i, line) in lines.iter().rev().enumerate() {
                let at = area.left - widest - (0.95 + 1.15 * i as f64) * em;
                sheet.upright(line, (at, middle), height + 2.0 * em);
            }
        }
        frame
    }

    /// Interrupts the horizontal axis between 0 and the first number of a logarithm.
    fn broken(&self, sheet: &mut Sheet, zero: f64) {
        let Some(&first) = self.x.ticks.iter().find(|t| **t > zero) else { return };
        let em = sheet.em;
        let (middle, y) = ((self.along(zero) + self.along(first)) / 2.0, self.area.bottom);
        let (gap, lean, high) = (0.14 * em, 0.12 * em, 0.32 * em);
        sheet.line(&[(middle - gap, y), (middle + gap, y)], Pen::new(plotters::style::WHITE, 0.2));
        for x in [middle - gap, middle + gap] {
            sheet.line(&[(x - lean, y + high), (x + lean, y - high)], Pen::new(BLACK, 0.06));
        }
    }

    /// Where a place of the horizontal scale is.
    fn along(&self, place: f64) -> f64 {
        let Area { left, right, .. } = self.area;
        left + (place - self.x.from) / (self.x.to - self.x.from) * (right - left)
    }

    /// Where a place of the upright scale is.
    fn up(&self, place: f64) -> f64 {
        let Area { top, bottom, .. } = self.area;
        bottom - (place - self.y.from) / (self.y.to - self.y.from) * (bottom - top)
    }

    /// Where a pair of numbers is, kept at the edges; `None` where it is undefined.
    pub fn at(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        let Area { left, top, right, bottom } = self.area;
        let (x, y) = (self.along(self.x.place(x)), self.up(self.y.place(y)));
        // What is not above 0 has no place on a logarithmic scale; it is drawn at its lower edge.
        let x = if x == f64::NEG_INFINITY { left } else { x };
        let y = if y == f64::INFINITY { bottom } else { y };
        (x.is_finite() && y.is_finite()).then(|| (x.clamp(left, right), y.clamp(top, bottom)))
    }

    /// A line through numbers, interrupted where they are undefined.
    pub fn line(&self, sheet: &mut Sheet, points: &[(f64, f64)], pen: Pen) {
        for run in points.split(|p| self.at(*p).is_none()) {
            let places: Vec<(f64, f64)> = run.iter().filter_map(|p| self.at(*p)).collect();
            match places.as_slice() {
                [] => {}
                [alone] => sheet.mark(*alone, Shape::Circle, 0.18, pen.colour, false),
                several => sheet.line(several, pen),
            }
        }
    }

    /// The area between two lines over the same numbers.
    pub fn band(&self, sheet: &mut Sheet, points: &[(f64, f64, f64)], colour: RGBColor, opacity: f64) {
        let defined = |p: &(f64, f64, f64)| self.at((p.0, p.1)).is_some() && self.at((p.0, p.2)).is_some();
        for run in points.split(|p| !defined(p)).filter(|run| run.len() > 1) {
            let lower = run.iter().filter_map(|p| self.at((p.0, p.1)));
            let upper = run.iter().rev().filter_map(|p| self.at((p.0, p.2)));
            sheet.area(lower.chain(upper).collect(), colour, opacity);
        }
    }

    /// An upright whisker with feet; nothing where it has no length.
    pub fn whisker(&self, sheet: &mut Sheet, x: f64, (low, high): (f64, f64), pen: Pen) {
        let (Some(a), Some(b)) = (self.at((x, low)), self.at((x, high))) else { return };
        let foot = 0.22 * sheet.em;
        sheet.line(&[a, b], pen);
        for (x, y) in [a, b] {
            sheet.line(&[(x - foot, y), (x + foot, y)], pen);
        }
    }
}

/// What stands before a name in the legend.
#[derive(Debug, Clone, Copy)]
pub enum Swatch {
    Line(Pen, Option<Shape>),
    Box(RGBColor, f64),
    Mark(Shape, RGBColor, bool),
}

/// Writes a legend from `y` on, in as many rows as it needs, and says where it ends.
pub fn legend(sheet: &mut Sheet, y: f64, entries: &[(Swatch, String)]) -> f64 {
    if entries.is_empty() {
        return y;
    }
    let em = sheet.em;
    let (start, end) = (0.8 * em, sheet.width - 0.8 * em);
    let (mut x, mut y) = (start, y + 0.5 * em);
    let before = |swatch: &Swatch| if matches!(swatch, Swatch::Line(..)) { 2.6 * em } else { 0.9 * em };
    let needs = |(swatch, name): &(Swatch, String)| before(swatch) + (1.6 + width(name) * SMALL) * em;
    // What does not fit into one row stands in columns.
    let in_a_row = entries.iter().map(needs).sum::<f64>() - 1.2 * em <= end - start;
    let column = entries.iter().map(needs).fold(0.0, f64::max);
    for (i, entry) in entries.iter().enumerate() {
        let (swatch, wide) = (&entry.0, before(&entry.0));
        let step = if in_a_row { needs(entry) } else { column };
        if i > 0 && !in_a_row && x + column - 1.2 * em > end {
            (x, y) = (start, y + 1.35 * em);
        }
        let name = fit(&entry.1, end - x - wide - 0.4 * em, SMALL * em);
        match *swatch {
            Swatch::Line(pen, shape) => {
                sheet.line(&[(x, y), (x + wide, y)], pen);
                if let Some(shape) = shape {
                    sheet.mark((x + wide / 2.0, y), shape, 0.26, pen.colour, false);
                }
            }
            Swatch::Box(colour, opacity) => {
                let (top, bottom) = (y - 0.38 * em, y + 0.38 * em);
                sheet.area(vec![(x, top), (x + wide, top), (x + wide, bottom), (x, bottom)], colour, opacity);
            }
            Swatch::Mark(shape, colour, hollow) => sheet.mark((x + wide / 2.0, y), shape, 0.28, colour, hollow),
        }
        sheet.label(&name, (x + wide + 0.4 * em, y), SMALL, Side::Left, BLACK);
        x += step;
    }
    y + 1.1 * em
}

/// A sentence about what is not in the picture, or how it is read, below it.
pub fn note(sheet: &mut Sheet, y: f64, text: &str) -> f64 {
    let em = sheet.em;
    let mut y = y - 0.45 * em;
    for line in wrap(text, sheet.width - 1.6 * em, 0.8 * em) {
        y += 1.05 * em;
        sheet.text(&line, (0.8 * em, y), 0.8, Side::Left, DARK);
    }
    y + 0.4 * em
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::sheet::Size;

    fn frame(sheet: &mut Sheet, y: Scale) -> Frame {
        let area = Area { left: 300.0, top: 100.0, right: 2000.0, bottom: 1000.0 };
        let x = Axis::new(Scale::of_time(24.0, 8.0), "time", "h");
        Frame::draw(sheet, area, &x, &Axis::new(y, "power", "kW"))
    }

    #[test]
    fn numbers_have_their_place_and_undefined_ones_none() {
        let mut sheet = Sheet::new(Size::Screen, false);
        let f = frame(&mut sheet, Scale::linear(0.0, 10.0, 6));
        assert_eq!(f.at((0.0, 0.0)), Some((300.0, 1000.0)));
        assert_eq!(f.at((24.0, 10.0)), Some((2000.0, 100.0)));
        assert_eq!(f.at((12.0, f64::NAN)), None);
        let f = frame(&mut sheet, Scale::of_decades(1.0, 1000.0));
        assert_eq!(f.at((0.0, 0.0)), Some((300.0, 1000.0)));
    }

    #[test]
    fn texts_beside_a_panel_do_not_touch() {
        let mut sheet = Sheet::new(Size::Column, false);
        frame(&mut sheet, Scale::linear(0.0, 1.0, 40));
        let texts = sheet.texts();
        assert!(texts.iter().any(|w| w.text == "power [kW]") && texts.iter().any(|w| w.text == "time [h]"));
        let areas: Vec<Area> = texts.iter().filter(|w| !w.upright).map(|w| w.covers()).collect();
        for (i, a) in areas.iter().enumerate() {
            for b in &areas[..i] {
                let apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
                assert!(apart, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn a_legend_of_many_names_takes_more_rows() {
        let mut sheet = Sheet::new(Size::Column, false);
        let entries: Vec<(Swatch, String)> =
            (0..30).map(|i| (Swatch::Box(DARK, 1.0), format!("a long name of line {i}"))).collect();
        let end = legend(&mut sheet, 0.0, &entries);
        assert!(end > 5.0 * sheet.em);
        assert!(sheet.texts().iter().all(|w| w.covers().right <= sheet.width));
    }
}
