//! From a sheet to a file: the same strokes through the SVG and the bitmap backend of plotters.

use ab_glyph::{Font, PxScale, point};
use plotters::backend::{BitMapBackend, SVGBackend};
use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle, WHITE};

use super::error::PlotError;
use super::paint::FONT;
use super::png;
use super::sheet::{FINE, Sheet, Side, Stroke, Words};
use super::text::{font, glyphs};

type Drawn = Result<(), String>;

fn at((x, y): (f64, f64)) -> (i32, i32) {
    (x.round() as i32, y.round() as i32)
}

fn paint(colour: RGBColor, opacity: f64, width: f64) -> ShapeStyle {
    ShapeStyle { color: colour.mix(opacity), filled: true, stroke_width: width.round().max(1.0) as u32 }
}

/// Draws all strokes; texts are the backend's own matter.
fn draw<B: DrawingBackend>(
    sheet: &Sheet,
    backend: &mut B,
    text: impl Fn(&mut B, &Words) -> Result<(), String>,
) -> Drawn {
    for stroke in &sheet.strokes {
        match stroke {
            Stroke::Line { points, colour, width } => {
                let mut path: Vec<(i32, i32)> = points.iter().copied().map(at).collect();
                path.dedup();
                if path.len() > 1 {
                    backend.draw_path(path, &paint(*colour, 1.0, *width)).map_err(|e| e.to_string())?;
                }
            }
            Stroke::Area { points, colour, opacity } => {
                let corners: Vec<(i32, i32)> = points.iter().copied().map(at).collect();
                let flat = corners.iter().all(|p| p.0 == corners[0].0) || corners.iter().all(|p| p.1 == corners[0].1);
                if !flat {
                    backend.fill_polygon(corners, &paint(*colour, *opacity, 1.0)).map_err(|e| e.to_string())?;
                }
            }
            Stroke::Dot { at: middle, radius, colour } => {
                let radius = radius.round().max(1.0) as u32;
                backend.draw_circle(at(*middle), radius, &paint(*colour, 1.0, 1.0), true).map_err(|e| e.to_string())?;
            }
            Stroke::Text(words) => text(backend, words)?,
        }
    }
    backend.present().map_err(|e| e.to_string())
}

impl Sheet {
    fn steps(&self) -> (u32, u32) {
        let (width, height) = self.pixels();
        (width * FINE, height * FINE)
    }

    /// The sheet as SVG.
    ///
    /// # Errors
    /// plotters cannot draw it.
    pub fn svg(&self) -> Result<String, PlotError> {
        let (width, height) = self.steps();
        let mut text = String::new();
        let mut backend = SVGBackend::with_string(&mut text, (width, height));
        let corner = (width as i32, height as i32);
        backend.draw_rect((0, 0), corner, &paint(WHITE, 1.0, 1.0), true).map_err(|e| PlotError::Draw(e.to_string()))?;
        draw(self, &mut backend, svg_text).map_err(PlotError::Draw)?;
        drop(backend);
        // The grid is the view box; how large it appears is a matter of its own.
        let (wide, high) = self.pixels();
        let shown = match self.mm_per_pixel {
            Some(mm) => format!("width=\"{:.2}mm\" height=\"{:.2}mm\"", f64::from(wide) * mm, f64::from(high) * mm),
            None => format!("width=\"{wide}\" height=\"{high}\""),
        };
        Ok(text.replacen(&format!("width=\"{width}\" height=\"{height}\""), &shown, 1))
    }

    /// The sheet as PNG.
    ///
    /// # Errors
    /// plotters cannot draw it.
    pub fn png(&self) -> Result<Vec<u8>, PlotError> {
        let (width, height) = self.steps();
        let mut fine = vec![255u8; (width * height * 3) as usize];
        {
            let mut backend = BitMapBackend::with_buffer(&mut fine, (width, height));
            draw(self, &mut backend, png_text).map_err(PlotError::Draw)?;
        }
        let (wide, high) = self.pixels();
        let per_metre = self.mm_per_pixel.map(|mm| (1000.0 / mm).round() as u32);
        Ok(png::encode(&coarse(&fine, wide, high), (wide, high), per_metre))
    }
}

fn svg_text<B: DrawingBackend>(backend: &mut B, words: &Words) -> Drawn {
    let side = match words.side {
        Side::Left => HPos::Left,
        Side::Centre => HPos::Center,
        Side::Right => HPos::Right,
    };
    // plotters takes a size that is 1.24 times the text's, and centres on half the height of an x, which is 1120/2048 of it.
    let raised = 0.5 * 1120.0 / 2048.0 * words.size;
    let (x, y) = words.at;
    let (font, middle) = match words.upright {
        false => ((FONT, words.size * 1.24).into_font(), (x, y - raised)),
        true => ((FONT, words.size * 1.24).into_font().transform(FontTransform::Rotate270), (x - raised, y)),
    };
    let style = TextStyle::from(font).color(&words.colour).pos(Pos::new(side, VPos::Center));
    backend.draw_text(&words.text, &style, at(middle)).map_err(|e| e.to_string())
}

fn png_text<B: DrawingBackend>(backend: &mut B, words: &Words) -> Drawn {
    let font = font();
    let em = font.units_per_em().unwrap_or(2048.0);
    // The scale of ab_glyph is ascent less descent, not the text size.
    let scale = PxScale::from(words.size as f32 * font.height_unscaled() / em);
    let (all, wide) = glyphs(&words.text);
    let before = match words.side {
        Side::Left => 0.0,
        Side::Centre => wide / 2.0,
        Side::Right => wide,
    };
    let (x0, y0) = words.at;
    let mut failed = None;
    for (glyph, x) in all {
        let along = ((x - before) * words.size) as f32;
        let start = if words.upright { point(along, 0.0) } else { point(x0 as f32 + along, y0 as f32) };
        let Some(outline) = font.outline_glyph(glyph.with_scale_and_position(scale, start)) else { continue };
        let bounds = outline.px_bounds();
        let (left, top) = (bounds.min.x as i32, bounds.min.y as i32);
        outline.draw(|x, y, covered| {
            let (x, y) = (left + x as i32, top + y as i32);
            let (corner_x, corner_y) = at((x0, y0));
            let place = if words.upright { (corner_x + y, corner_y - x - 1) } else { (x, y) };
            let colour = words.colour.mix(f64::from(covered.clamp(0.0, 1.0))).to_backend_color();
            if let Err(e) = backend.draw_pixel(place, colour) {
                failed = Some(e.to_string());
            }
        });
    }
    failed.map_or(Ok(()), Err)
}

/// The mean colour of each pixel's steps.
fn coarse(fine: &[u8], wide: u32, high: u32) -> Vec<u8> {
    let (row, steps) = ((wide * 3) as usize, FINE as usize);
    let mut pixels = Vec::with_capacity(row * high as usize);
    let mut sums = vec![0u32; row];
    for band in fine.chunks_exact(row * steps * steps) {
        sums.fill(0);
        for line in band.chunks_exact(row * steps) {
            for (sum, part) in sums.chunks_exact_mut(3).zip(line.chunks_exact(3 * steps)) {
                for colour in part.chunks_exact(3) {
                    sum[0] += u32::from(colour[0]);
                    sum[1] += u32::from(colour[1]);
                    sum[2] += u32::from(colour[2]);
                }
            }
        }
        let all = FINE * FINE;
        pixels.extend(sums.iter().map(|sum| ((sum + all / 2) / all) as u8));
    }
    pixels
}
