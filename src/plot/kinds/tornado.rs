//! `tornado`: which uncertain input or swept axis moves a figure most, widest on top.
//!
//! Reads sensitivity.csv of a sweep (Sobol indices: first order, and total with all interactions; whiskers are their intervals), or uncertainty.csv of a run,
//! which `sim uncertainty RESULT --csv RESULT/uncertainty.csv` writes (the score with one input at its 5 % and its 95 %).

use plotters::style::{BLACK, RGBColor, WHITE};

use super::super::frame::{Axis, Frame, SMALL, Swatch, below, legend, note};
use super::super::paint::{COLOURS, GREY};
use super::super::scale::{Scale, ends};
use super::super::sheet::{Area, Pen, Sheet, Side, Size};
use super::super::source::Source;
use super::super::table::Table;
use super::super::text::{fit, number, width};
use super::super::{Kind, PlotError, Request};

pub const KIND: Kind = Kind {
    name: "tornado",
    shows: "what moves a figure most",
    reads: "sensitivity.csv; uncertainty.csv",
    draw: of_result,
};

/// More rows than this are not drawn.
const MOST: usize = 40;

/// More figures of sensitivity.csv than this are not drawn.
const FIGURES: usize = 4;

/// What one input does: the figure with it low and high, and its share of the variance, undefined where none is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Swing {
    pub name: String,
    pub ends: [f64; 2],
    pub variance_share: f64,
}

/// A tornado of inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Tornado {
    pub title: String,
    pub said: String,
    /// What the figure is called, and its unit.
    pub figure: (String, String),
    /// The figure with all inputs at their medians.
    pub central: f64,
    /// Widest first.
    pub swings: Vec<Swing>,
    /// The 90 % interval with all at once.
    pub whole: [f64; 2],
}

fn of_result(source: &Source, request: &Request, size: Size) -> Result<Sheet, PlotError> {
    let (sobol, inputs) = (source.path("sensitivity.csv"), source.path("uncertainty.csv"));
    if sobol.is_file() {
        return indices(source, request, size, &Table::read(&sobol)?);
    }
    if inputs.is_file() {
        return draw(&of_inputs(source, &Table::read(&inputs)?)?, size);
    }
    Err(PlotError::lacks(
        "the result has neither sensitivity.csv nor uncertainty.csv",
        "sample the sweep with method saltelli, or write sim uncertainty RESULT --csv RESULT/uncertainty.csv",
    ))
}

fn of_inputs(source: &Source, table: &Table) -> Result<Tornado, PlotError> {
    let (kind, name, unit) = (table.column("part")?, table.column("name")?, table.column("unit")?);
    let [low, middle, high] = [table.column("at_p05")?, table.column("at_p50")?, table.column("at_p95")?];
    let share = table.column("variance_share")?;
    let (mut swings, mut central, mut own_unit) = (Vec::new(), f64::NAN, String::new());
    let mut figures = Vec::new();
    for row in 0..table.len() {
        let [low, middle, high] = [low, middle, high].map(|c| table.number(row, c));
        let (ends, middle) = ([low?, high?], middle?);
        if table.text(row, kind) == "figure" {
            figures.push((table.text(row, unit).to_owned(), ends));
        } else if ends.iter().all(|x| x.is_finite()) {
            (central, own_unit) = (middle, table.text(row, unit).to_owned());
            swings.push(Swing {
                name: table.text(row, name).to_owned(),
                ends,
                variance_share: table.number(row, share)?,
            });
        }
    }
    let whole = figures.iter().rev().find(|f| f.0 == own_unit).map_or([f64::NAN; 2], |f| f.1);
    if swings.is_empty() {
        return Err(PlotError::table(&table.path, "it has no inputs"));
    }
    let title = "what the uncertainty of the score comes from".to_owned();
    let said = source.said("uncertainty.csv");
    Ok(Tornado { title, said, figure: ("score".to_owned(), own_unit), central, swings, whole })
}

/// Draws a tornado of inputs.
///
/// # Errors
/// The figure is undefined.
pub fn draw(tornado: &Tornado, size: Size) -> Result<Sheet, PlotError> {
    let swings = &tornado.swings[..tornado.swings.len().min(MOST)];
    let (low, high) = ends(swings.iter().flat_map(|s| s.ends).chain(tornado.whole).chain([tornado.central]));
    if !low.is_finite() || !tornado.central.is_finite() {
        return Err(PlotError::lacks(
            "the score is undefined",
            "choose a functional unit of which something is served",
        ));
    }
    let mut sheet = Sheet::new(size, true);
    let top = sheet.heading(&tornado.title, &tornado.said);
    let (below_it, above) = (COLOURS[4], COLOURS[1]);
    let entries = [
        (Swatch::Box(below_it, 1.0), "input at its 5 %".to_owned()),
        (Swatch::Box(above, 1.0), "input at its 95 %".to_owned()),
        (Swatch::Line(Pen::new(BLACK, 0.08), None), "all at their medians".to_owned()),
        (Swatch::Box(GREY, 1.0), "90 % interval, all at once".to_owned()),
    ];
    let top = legend(&mut sheet, top, &entries);
    let pad = if high > low { (high - low) * 0.04 } else { low.abs().max(1e-12) * 0.05 };
    let mut names: Vec<String> = swings.iter().map(|s| s.name.clone()).collect();
    names.push("all at once".to_owned());
    let beside = |s: &Swing| match s.variance_share.is_finite() {
        true => format!("{} to {}; {:.0} %", number(s.ends[0]), number(s.ends[1]), s.variance_share * 100.0),
        false => format!("{} to {}", number(s.ends[0]), number(s.ends[1])),
    };
    let mut said: Vec<String> = swings.iter().map(beside).collect();
    said.push(format!("{} to {}", number(tornado.whole[0]), number(tornado.whole[1])));
    let ticks = (sheet.across() / 6.0) as usize;
    let scale = Scale::linear(low - pad, high + pad, ticks);
    let rows = Rows::draw(&mut sheet, top, &names, &said, Axis::new(scale, &*tornado.figure.0, &*tornado.figure.1));
    let at = |x: f64| rows.frame.at((x, 0.5)).map_or(rows.frame.area.left, |p| p.0);
    let middle = at(tornado.central);
    for (i, s) in swings.iter().enumerate() {
        for (x, colour) in s.ends.into_iter().zip([below_it, above]) {
            let bar = rows.area(i, at(x).min(middle), at(x).max(middle));
            sheet.bar(bar, colour);
        }
    }
    if tornado.whole.iter().all(|x| x.is_finite()) {
        let bar = rows.area(swings.len(), at(tornado.whole[0]), at(tornado.whole[1]));
        sheet.bar(bar, GREY);
    }
    let area = rows.frame.area;
    sheet.line(&[(middle, area.top), (middle, area.bottom)], Pen::new(BLACK, 0.08));
    let mut end = area.bottom + below(&sheet, true);
    let text = "Right: the score with the input at its 5 % and its 95 %; its share of the variance.";
    end = note(&mut sheet, end, text);
    if tornado.swings.len() > MOST {
        end = note(&mut sheet, end, &format!("The first {MOST} of {} inputs.", tornado.swings.len()));
    }
    sheet.height = end;
    Ok(sheet)
}

/// Rows with names on their left and numbers on their right.
struct Rows {
    frame: Frame,
    pitch: f64,
    thick: f64,
}

impl Rows {
    fn draw(sheet: &mut Sheet, top: f64, names: &[String], said: &[String], x: Axis) -> Self {
        let em = sheet.em;
        let widest = |texts: &[String]| texts.iter().map(|t| width(t)).fold(0.0, f64::max) * SMALL * em;
        let left = (widest(names) + 1.4 * em).min(0.36 * sheet.width);
        let right = sheet.width - (widest(said) + 1.4 * em).min(0.36 * sheet.width);
        let pitch = 1.6 * em;
        let area = Area { left, right, top: top + 0.2 * em, bottom: top + 0.5 * em + pitch * names.len() as f64 };
        let mut none = Axis::new(Scale { ticks: Vec::new(), ..Scale::linear(0.0, 1.0, 2) }, "", "");
        none.said = false;
        let frame = Frame::draw(sheet, area, &x, &none);
        let rows = Self { frame, pitch, thick: 1.05 * em };
        for (i, (name, said)) in names.iter().zip(said).enumerate() {
            let y = rows.middle(i);
            sheet.label(&fit(name, left - 0.9 * em, SMALL * em), (left - 0.5 * em, y), SMALL, Side::Right, BLACK);
            sheet.label(
                &fit(said, sheet.width - right - 0.7 * em, SMALL * em),
                (right + 0.5 * em, y),
                SMALL,
                Side::Left,
                BLACK,
            );
        }
        rows
    }

    fn middle(&self, row: usize) -> f64 {
        self.frame.area.top + 0.15 * self.pitch + self.pitch * (row as f64 + 0.5) - 0.05 * self.pitch
    }

    fn area(&self, row: usize, left: f64, right: f64) -> Area {
        let y = self.middle(row);
        Area { left, right, top: y - self.thick / 2.0, bottom: y + self.thick / 2.0 }
    }
}

/// One index of one axis with its interval.
#[derive(Debug, Clone, Copy)]
struct Index {
    mean: f64,
    low: f64,
    high: f64,
}

/// The figures of sensitivity.csv that are drawn.
fn indices(source: &Source, request: &Request, size: Size, table: &Table) -> Result<Sheet, PlotError> {
    let (metric, axis) = (table.column("metric")?, table.column("axis")?);
    let mut keys: Vec<String> = Vec::new();
    for row in 0..table.len() {
        if !keys.iter().any(|k| k == table.text(row, metric)) {
            keys.push(table.text(row, metric).to_owned());
        }
    }
    if let Some(wrong) = request.metrics.iter().find(|m| !keys.contains(m)) {
        return Err(PlotError::lacks(
            format!("sensitivity.csv has no figure {wrong}"),
            format!("--metric takes one of {}", keys.join(", ")),
        ));
    }
    let all = keys.len();
    if request.metrics.is_empty() {
        keys.truncate(FIGURES)
    } else {
        keys.clone_from(&request.metrics)
    }
    let index = |row: usize, name: &str, interval: &str| -> Result<Index, PlotError> {
        let columns = [name.to_owned(), format!("{interval}_low"), format!("{interval}_high")];
        let [mean, low, high] = columns.map(|c| table.column(&c).and_then(|c| table.number(row, c)));
        Ok(Index { mean: mean?, low: low?, high: high? })
    };
    let level = source.confidence().map_or_else(String::new, |level| format!("{} % ", number(level * 100.0)));
    let mut sheet = Sheet::new(size, true);
    let mut top = sheet.heading(
        "what moves the figures most: Sobol indices of the swept axes",
        &source.said(&format!("sensitivity.csv; whiskers: {level}bootstrap intervals")),
    );
    let entries = [
        (Swatch::Box(COLOURS[0], 1.0), "first order: the axis alone".to_owned()),
        (Swatch::Box(COLOURS[5], 1.0), "total: with all interactions".to_owned()),
    ];
    top = legend(&mut sheet, top, &entries);
    for key in &keys {
        let mut rows: Vec<(String, [Index; 2])> = Vec::new();
        for row in (0..table.len()).filter(|&r| table.text(r, metric) == *key) {
            let both = [index(row, "first_order", "first")?, index(row, "total", "total")?];
            rows.push((table.text(row, axis).to_owned(), both));
        }
        let key_of = |r: &(String, [Index; 2])| if r.1[1].mean.is_finite() { r.1[1].mean } else { f64::NEG_INFINITY };
        rows.sort_by(|a, b| key_of(b).total_cmp(&key_of(a)));
        rows.truncate(MOST);
        top = panel(&mut sheet, top, key, &rows)?;
    }
    if request.metrics.is_empty() && all > keys.len() {
        let text = format!("The first {FIGURES} of {all} figures; --metric chooses others.");
        top = note(&mut sheet, top, &text);
    }
    sheet.height = top;
    Ok(sheet)
}

fn panel(sheet: &mut Sheet, top: f64, key: &str, rows: &[(String, [Index; 2])]) -> Result<f64, PlotError> {
    let em = sheet.em;
    sheet.text(&fit(key, sheet.width - 1.6 * em, em), (0.8 * em, top + 1.0 * em), 1.0, Side::Left, BLACK);
    let names: Vec<String> = rows.iter().map(|r| r.0.clone()).collect();
    let said: Vec<String> = rows.iter().map(|r| format!("{}; {}", number(r.1[0].mean), number(r.1[1].mean))).collect();
    let (low, high) = ends(rows.iter().flat_map(|r| r.1).flat_map(|i| [i.mean, i.low, i.high]).chain([0.0, 1.0]));
    let pad = (high - low) * 0.02;
    let scale = Scale::linear(if low < 0.0 { low - pad } else { low }, high + pad, 6);
    let rows_at = Rows::draw(sheet, top + 1.4 * em, &names, &said, Axis::new(scale, "share of the variance", "1"));
    let at = |x: f64| rows_at.frame.at((x, 0.5)).map_or(rows_at.frame.area.left, |p| p.0);
    let zero = at(0.0);
    for (i, (_, both)) in rows.iter().enumerate() {
        for (half, (index, colour)) in both.iter().zip([COLOURS[0], COLOURS[5]]).enumerate() {
            if !index.mean.is_finite() {
                continue;
            }
            let mut bar = rows_at.area(i, zero.min(at(index.mean)), zero.max(at(index.mean)));
            let middle = (bar.top + bar.bottom) / 2.0;
            if half == 0 {
                bar.bottom = middle
            } else {
                bar.top = middle
            }
            sheet.bar(bar, colour);
            if index.low.is_finite() && index.high.is_finite() {
                whisker(sheet, (at(index.low), at(index.high)), (bar.top + bar.bottom) / 2.0, BLACK);
            }
        }
    }
    Ok(rows_at.frame.area.bottom + below(sheet, true) + 0.3 * em)
}

fn whisker(sheet: &mut Sheet, (from, to): (f64, f64), y: f64, colour: RGBColor) {
    let foot = 0.16 * sheet.em;
    for pen in [Pen::new(WHITE, 0.16), Pen::new(colour, 0.07)] {
        sheet.line(&[(from, y), (to, y)], pen);
        for x in [from, to] {
            sheet.line(&[(x, y - foot), (x, y + foot)], pen);
        }
    }
}
