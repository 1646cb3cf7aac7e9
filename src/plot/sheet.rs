//! A sheet to draw on: lines, areas and texts in one grid, from which both the SVG and the PNG are made.

use plotters::style::RGBColor;

use super::paint::{DARK, Shape};
#[cfg(test)]
use super::text::width;
use super::text::{fit, wrap};

/// Steps of the grid per pixel: the SVG keeps them as fractions, the PNG takes the mean of each pixel's.
pub const FINE: u32 = 3;

/// How large a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// For a paper, at 300 dots per inch with text of 8 pt: one column, or two where the figure needs them.
    Print,
    /// One column of 84 mm.
    Column,
    /// Two columns, 174 mm.
    Page,
    /// For a screen: 1,200 pixels wide, text of 20.
    Screen,
}

impl Size {
    /// Pixels across, the text's size in pixels, and what a pixel is in millimetres on paper.
    fn measures(self, wide: bool) -> (u32, f64, Option<f64>) {
        const MM: f64 = 25.4 / 300.0;
        // 8 pt = 8/72 inch.
        let text = 300.0 * 8.0 / 72.0;
        match self {
            Self::Screen => (1200, 20.0, None),
            Self::Page => (2055, text, Some(MM)),
            Self::Print if wide => (2055, text, Some(MM)),
            Self::Print | Self::Column => (992, text, Some(MM)),
        }
    }
}

/// A stroke: its colour, its width and its dashes in lengths of the text size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pen {
    pub colour: RGBColor,
    pub width: f64,
    pub dash: &'static [f64],
}

impl Pen {
    pub const fn new(colour: RGBColor, width: f64) -> Self {
        Self { colour, width, dash: &[] }
    }
}

/// Where a text stands at its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Left,
    Centre,
    Right,
}

/// A text: `at` is on its baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    pub text: String,
    pub at: (f64, f64),
    pub size: f64,
    pub side: Side,
    /// Read from below to above.
    pub upright: bool,
    pub colour: RGBColor,
}

/// What is drawn, in the order of drawing. All lengths are in steps of the grid.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stroke {
    Line { points: Vec<(f64, f64)>, colour: RGBColor, width: f64 },
    Area { points: Vec<(f64, f64)>, colour: RGBColor, opacity: f64 },
    Dot { at: (f64, f64), radius: f64, colour: RGBColor },
    Text(Words),
}

/// A rectangle on a sheet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

/// A sheet to draw on.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Its width and height in steps of the grid.
    pub width: f64,
    pub height: f64,
    /// The size of its text.
    pub em: f64,
    pub(super) mm_per_pixel: Option<f64>,
    pub(super) strokes: Vec<Stroke>,
}

impl Sheet {
    /// An empty sheet; `wide` asks for two columns where the size leaves the choice.
    pub fn new(size: Size, wide: bool) -> Self {
        let (pixels, text, mm_per_pixel) = size.measures(wide);
        let em = text * f64::from(FINE);
        Self { width: f64::from(pixels * FINE), height: 0.0, em, mm_per_pixel, strokes: Vec::new() }
    }

    /// Its size in pixels.
    pub fn pixels(&self) -> (u32, u32) {
        let pixels = |steps: f64| (steps / f64::from(FINE)).ceil().max(1.0) as u32;
        (pixels(self.width), pixels(self.height))
    }

    /// How many texts fit across.
    pub fn across(&self) -> f64 {
        self.width / self.em
    }

    /// A panel's height: wide sheets have higher ones.
    pub fn high(&self, texts: f64) -> f64 {
        texts * self.em * if self.across() > 45.0 { 1.35 } else { 1.0 }
    }

    /// Writes the title and what explains it, and says where they end.
    pub fn heading(&mut self, title: &str, below: &str) -> f64 {
        let em = self.em;
        let room = self.width - 1.6 * em;
        let mut y = 0.7 * em;
        for (text, size, colour) in [(title, 1.15, RGBColor(0, 0, 0)), (below, 0.85, DARK)] {
            for line in wrap(text, room, size * em) {
                y += size * em;
                self.text(&line, (0.8 * em, y), size, Side::Left, colour);
                y += 0.3 * em;
            }
        }
        y + 0.3 * em
    }

    pub fn line(&mut self, points: &[(f64, f64)], pen: Pen) {
        let (colour, width) = (pen.colour, pen.width * self.em);
        if pen.dash.is_empty() {
            self.strokes.push(Stroke::Line { points: points.to_vec(), colour, width });
            return;
        }
        let pattern: Vec<f64> = pen.dash.iter().map(|d| d * self.em).collect();
        for points in dashes(points, &pattern) {
            self.strokes.push(Stroke::Line { points, colour, width });
        }
    }

    pub fn area(&mut self, points: Vec<(f64, f64)>, colour: RGBColor, opacity: f64) {
        self.strokes.push(Stroke::Area { points, colour, opacity });
    }

    pub fn bar(&mut self, area: Area, colour: RGBColor) {
        let Area { left, top, right, bottom } = area;
        self.area(vec![(left, top), (right, top), (right, bottom), (left, bottom)], colour, 1.0);
    }

    pub fn outline(&mut self, area: Area, pen: Pen) {
        let Area { left, top, right, bottom } = area;
        self.line(&[(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], pen);
    }

    /// A point of a radius in lengths of the text size; hollow ones are white inside.
    pub fn mark(&mut self, at: (f64, f64), shape: Shape, radius: f64, colour: RGBColor, hollow: bool) {
        self.shape(at, shape, radius * self.em, colour);
        if hollow && shape != Shape::Cross {
            self.shape(at, shape, (radius - 0.09) * self.em, RGBColor(255, 255, 255));
        }
    }

    fn shape(&mut self, at: (f64, f64), shape: Shape, r: f64, colour: RGBColor) {
        let (x, y) = at;
        let points = match shape {
            Shape::Circle => {
                self.strokes.push(Stroke::Dot { at, radius: r, colour });
                return;
            }
            Shape::Cross => {
                let (s, w) = (r * 0.9, r * 0.45);
                for [p, q] in [[(x - s, y - s), (x + s, y + s)], [(x - s, y + s), (x + s, y - s)]] {
                    self.strokes.push(Stroke::Line { points: vec![p, q], colour, width: w });
                }
                return;
            }
            Shape::Square => {
                let s = r * 0.88;
                vec![(x - s, y - s), (x + s, y - s), (x + s, y + s), (x - s, y + s)]
            }
            Shape::Diamond => vec![(x, y - 1.2 * r), (x + 1.2 * r, y), (x, y + 1.2 * r), (x - 1.2 * r, y)],
            Shape::Triangle => vec![(x, y - 1.25 * r), (x + 1.1 * r, y + 0.7 * r), (x - 1.1 * r, y + 0.7 * r)],
            Shape::Nabla => vec![(x, y + 1.25 * r), (x + 1.1 * r, y - 0.7 * r), (x - 1.1 * r, y - 0.7 * r)],
        };
        self.area(points, colour, 1.0);
    }

    /// A text on its baseline; `size` is in lengths of the sheet's text size.
    pub fn text(&mut self, text: &str, at: (f64, f64), size: f64, side: Side, colour: RGBColor) {
        let size = size * self.em;
        self.strokes.push(Stroke::Text(Words { text: text.to_owned(), at, size, side, upright: false, colour }));
    }

    /// A text whose middle is at a height.
    pub fn label(&mut self, text: &str, (x, y): (f64, f64), size: f64, side: Side, colour: RGBColor) {
        self.text(text, (x, y + 0.36 * size * self.em), size, side, colour);
    }

    /// A text that is read from below to above, centred, in at most as many lines as fit beside each other.
    pub fn upright(&mut self, text: &str, (x, y): (f64, f64), room: f64) {
        let text = fit(text, room, self.em);
        let (size, colour) = (self.em, RGBColor(0, 0, 0));
        self.strokes.push(Stroke::Text(Words { text, at: (x, y), size, side: Side::Centre, upright: true, colour }));
    }

    /// The texts that are on the sheet.
    #[cfg(test)]
    pub(super) fn texts(&self) -> Vec<&Words> {
        let texts = self.strokes.iter().filter_map(|s| if let Stroke::Text(words) = s { Some(words) } else { None });
        texts.collect()
    }
}

#[cfg(test)]
impl Words {
    /// The rectangle that it covers.
    pub fn covers(&self) -> Area {
        let wide = width(&self.text) * self.size;
        let before = match self.side {
            Side::Left => 0.0,
            Side::Centre => wide / 2.0,
            Side::Right => wide,
        };
        let (x, y, up, down) = (self.at.0, self.at.1, 0.76 * self.size, 0.24 * self.size);
        if self.upright {
            Area { left: x - up, right: x + down, top: y - (wide - before), bottom: y + before }
        } else {
            Area { left: x - before, right: x - before + wide, top: y - up, bottom: y + down }
        }
    }
}

/// The pieces of a dashed line.
fn dashes(points: &[(f64, f64)], pattern: &[f64]) -> Vec<Vec<(f64, f64)>> {
    let (mut pieces, mut piece) = (Vec::new(), points.first().map_or_else(Vec::new, |p| vec![*p]));
    let (mut step, mut left) = (0, pattern[0]);
    for pair in points.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let length = libm::hypot(to.0 - from.0, to.1 - from.1);
        let mut done = 0.0;
        while length - done >= left {
            done += left;
            let at = (from.0 + (to.0 - from.0) * done / length, from.1 + (to.1 - from.1) * done / length);
            if step % 2 == 0 {
                piece.push(at);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![at];
            }
            step = (step + 1) % pattern.len();
            left = pattern[step];
        }
        left -= length - done;
        if step % 2 == 0 {
            piece.push(to);
        }
    }
    if piece.len() > 1 {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_leave_out_what_the_pattern_says() {
        let pieces = dashes(&[(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)], &[4.0, 2.0]);
        let drawn: f64 = pieces.iter().flat_map(|p| p.windows(2).map(|w| (w[1].0 - w[0].0) + (w[1].1 - w[0].1))).sum();
        // 20 = 4+2 | 4+2 | 4+2 | 2: drawn 14.
        assert!((drawn - 14.0).abs() < 1e-9, "{pieces:?}");
        assert_eq!(pieces.len(), 4);
        assert_eq!(pieces[1], [(6.0, 0.0), (10.0, 0.0)]);
    }

    #[test]
    fn a_text_covers_what_it_is_wide() {
        let mut sheet = Sheet::new(Size::Screen, false);
        sheet.text("00", (100.0, 100.0), 1.0, Side::Right, DARK);
        let area = sheet.texts()[0].covers();
        assert!((area.right - 100.0).abs() < 1e-9 && (area.left - (100.0 - 2.0 * 1303.0 / 2048.0 * 60.0)).abs() < 1e-3);
    }
}
