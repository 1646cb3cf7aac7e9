//! `sci`: the score per functional unit split into operational emissions by cause and embodied ones, a bar per tenant, run or point.
//!
//! Of a run: its tenants (tenants.csv) and the total (summary.csv). Of a comparison or sweep: every row or point; the parts of a sweep are means over its
//! runs (runs.csv), whiskers Student's t interval of the score (points.csv).

use plotters::style::BLACK;

use super::super::frame::{Axis, Frame, SMALL, Swatch, below, legend, note};
use super::super::paint::{CAUSES, COLOURS, DARK, EMBODIED};
use super::super::points::{Estimate, Points, cause_per_unit};
use super::super::scale::{Scale, ends};
use super::super::sheet::{Area, Pen, Sheet, Side, Size};
use super::super::source::{Form, Source};
use super::super::table::Table;
use super::super::text::{fit, number, width, with_unit};
use super::super::{Kind, PlotError, Request};

pub const KIND: Kind = Kind {
    name: "sci",
    shows: "score per functional unit: operational by cause, and embodied",
    reads: "summary.csv and tenants.csv; compare.csv; points.csv and runs.csv",
    draw,
};

/// More rows than this are not drawn.
const MOST: usize = 60;

/// Scores that span more than this factor are drawn as what each consists of: bars from 0 have no logarithmic scale.
const SPAN: f64 = 20.0;

/// The part of the sheet that names may take.
const NAMES: f64 = 0.36;

/// One bar.
struct Bar {
    name: String,
    /// By cause, then what no cause is known for, then embodied [gCO2e per unit].
    parts: [f64; 10],
    total: Estimate,
}

/// Where operational emissions without a cause stand in [`Bar::parts`], and embodied ones.
const WHOLE: usize = 8;
const EMBODIED_AT: usize = 9;

fn of_points(points: &Points) -> Vec<Bar> {
    let bar = |i: usize| {
        let figure = |key: &str| points.figure(i, key).mean;
        let units = figure("sci.units");
        let mut parts = [0.0; 10];
        for (c, (key, ..)) in CAUSES.iter().enumerate() {
            let grams = figure(&format!("carbon_g.operational_{key}"));
            // Of a sweep the mean of the runs' ratios, as the score is; else of the only run.
            let mean = figure(&cause_per_unit(key));
            let own = if mean.is_finite() { mean } else { grams / units };
            parts[c] = if own.is_finite() && units > 0.0 { own } else { 0.0 };
        }
        let operational = figure("sci.operational_g_per_unit");
        parts[EMBODIED_AT] = figure("sci.embodied_g_per_unit");
        if parts[..WHOLE].iter().all(|x| *x == 0.0) {
            let known = operational.is_finite() && parts[EMBODIED_AT].is_finite();
            parts[WHOLE] = if known { operational } else { figure("sci.g_per_unit") };
        }
        Bar { name: points.name(i), parts, total: points.figure(i, "sci.g_per_unit") }
    };
    (0..points.points.len()).map(bar).collect()
}

fn of_tenants(source: &Source) -> Result<Vec<Bar>, PlotError> {
    let table = Table::read(&source.path("tenants.csv"))?;
    let (tenant, units, embodied) = (table.column("tenant")?, table.column("units")?, table.column("embodied_g")?);
    let score = table.column("sci_g_per_unit")?;
    let causes = CAUSES.iter().map(|(key, ..)| table.find(&format!("operational_{key}_g"))).collect::<Vec<_>>();
    let mut bars = Vec::new();
    for row in 0..table.len() {
        let units = table.number(row, units)?;
        if units.is_nan() || units <= 0.0 {
            continue;
        }
        let mut parts = [0.0; 10];
        for (c, column) in causes.iter().enumerate() {
            let grams = column.map_or(Ok(0.0), |column| table.number(row, column))?;
            parts[c] = if grams.is_finite() { grams / units } else { 0.0 };
        }
        parts[EMBODIED_AT] = table.number(row, embodied)? / units;
        let mean = table.number(row, score)?;
        let total = Estimate { mean, low: f64::NAN, high: f64::NAN };
        bars.push(Bar { name: table.text(row, tenant).to_owned(), parts, total });
    }
    Ok(bars)
}

fn unit(points: &Points) -> &str {
    points.unit("sci.g_per_unit").unwrap_or("gCO2e/R")
}

fn draw(source: &Source, _: &Request, size: Size) -> Result<Sheet, PlotError> {
    let points = Points::read(source)?;
    let mut bars = of_points(&points);
    let mut files = "points.csv, runs.csv";
    let mut notes: Vec<String> = Vec::new();
    match source.form {
        Form::Run => {
            let tenants = of_tenants(source)?;
            files = "summary.csv, tenants.csv";
            if tenants.len() > 1 {
                bars[0].name = "the whole run".to_owned();
                bars.extend(tenants);
                notes.push("The whole run also holds what no tenant is charged.".to_owned());
            }
        }
        Form::Compare => files = "compare.csv",
        Form::Sweep if bars.iter().any(|b| b.total.low.is_finite()) => {
            let what = points.intervals(source, &["sci.g_per_unit"]).unwrap_or_default();
            notes.push(format!("Whiskers of the score: {what}."));
        }
        Form::Sweep => {}
    }
    if bars.iter().all(|b| !b.total.mean.is_finite()) {
        return Err(PlotError::lacks(
            "the score is undefined in every run: there are no functional units",
            "choose sci.functional_unit so that something is served",
        ));
    }
    if bars.len() > MOST {
        notes.push(format!("The first {MOST} of {} rows; the tables have them all.", bars.len()));
        bars.truncate(MOST);
    }
    // Where names would be cut, those of the axes stand below the picture instead.
    let longest = bars.iter().map(|b| width(&b.name)).fold(0.0, f64::max) * SMALL;
    if longest > NAMES * Sheet::new(size, true).across() && !points.axes.is_empty() {
        for (i, bar) in bars.iter_mut().enumerate() {
            bar.name = points.values(i);
        }
        notes.push(points.named());
    }
    let wide = bars.len() > 8 || bars.iter().any(|b| width(&b.name) > 9.0);
    let mut sheet = Sheet::new(size, wide);
    let top = sheet.heading(KIND.shows, &source.said(files));
    let top = legend(&mut sheet, top, &entries(&bars));
    let known = bars.iter().map(|b| b.total.mean).filter(|x| *x > 0.0);
    let (low, high) = ends(known);
    let relative = high / low > SPAN;
    if relative {
        let text = "The scores span more than a factor of 20: bars show what each consists of, the numbers beside them the scores";
        notes.insert(0, with_unit(text, unit(&points), 0) + ".");
    }
    let end = rows(&mut sheet, top, &bars, unit(&points), relative);
    let mut y = end;
    for text in notes {
        y = note(&mut sheet, y, &text);
    }
    sheet.height = y + 0.3 * sheet.em;
    Ok(sheet)
}

fn colour(part: usize) -> (&'static str, plotters::style::RGBColor) {
    match part {
        WHOLE => ("not split", COLOURS[0]),
        EMBODIED_AT => ("embodied", EMBODIED),
        cause => (CAUSES[cause].1, CAUSES[cause].2),
    }
}

fn entries(bars: &[Bar]) -> Vec<(Swatch, String)> {
    let drawn = (0..10).filter(|&p| bars.iter().any(|b| b.parts[p] > 0.0));
    drawn.map(|p| (Swatch::Box(colour(p).1, 1.0), colour(p).0.to_owned())).collect()
}

fn rows(sheet: &mut Sheet, top: f64, bars: &[Bar], unit: &str, relative: bool) -> f64 {
    let em = sheet.em;
    let most = bars.iter().flat_map(|b| [b.total.mean, b.total.high]).filter(|x| x.is_finite()).fold(0.0, f64::max);
    let most = if relative { 100.0 } else { most };
    let longest = bars.iter().map(|b| width(&b.name)).fold(0.0, f64::max) * SMALL * em;
    let left = (longest + 1.4 * em).min((NAMES + 0.04) * sheet.width);
    let (pitch, thick) = if bars.len() > 20 { (1.35 * em, 0.95 * em) } else { (1.8 * em, 1.2 * em) };
    let area = Area { left, top, right: sheet.width - 1.0 * em, bottom: top + pitch * bars.len() as f64 + 0.4 * em };
    // The number follows its bar, so the scale leaves room for it.
    let said = |b: &Bar| match relative && b.total.low.is_finite() {
        true => format!("{} ({} to {})", number(b.total.mean), number(b.total.low), number(b.total.high)),
        false => number(b.total.mean),
    };
    let room = bars.iter().map(|b| width(&said(b))).fold(0.0, f64::max) * SMALL * em + 1.0 * em;
    let to = most * (area.right - left) / (area.right - left - room).max(em);
    let mut scale = Scale::linear(0.0, if to > 0.0 { to } else { 1.0 }, (sheet.across() / 5.0) as usize);
    if relative {
        scale.ticks.retain(|t| *t <= 100.0);
    }
    let mut nothing = Axis::new(Scale { ticks: Vec::new(), ..Scale::linear(0.0, 1.0, 2) }, "", "");
    nothing.said = false;
    let x = if relative { Axis::new(scale, "part of the score", "%") } else { Axis::new(scale, "score", unit) };
    let frame = Frame::draw(sheet, area, &x, &nothing);
    for (i, bar) in bars.iter().enumerate() {
        let y = top + 0.2 * em + pitch * (i as f64 + 0.5);
        sheet.label(&fit(&bar.name, left - 0.9 * em, SMALL * em), (left - 0.5 * em, y), SMALL, Side::Right, BLACK);
        let along = |x: f64| frame.at((x, 0.5)).map_or(left, |p| p.0);
        if !bar.total.mean.is_finite() {
            sheet.label("undefined", (left + 0.4 * em, y), SMALL, Side::Left, DARK);
            continue;
        }
        let mut from = 0.0;
        let factor = if relative { 100.0 / bar.total.mean } else { 1.0 };
        for (p, x) in bar.parts.iter().map(|x| x * factor).enumerate().filter(|(_, x)| *x > 0.0) {
            let (a, b) = (along(from), along(from + x));
            // A white gap keeps parts apart where colours are not seen.
            let gap = if b - a > 0.3 * em { 0.04 * em } else { 0.0 };
            sheet.bar(Area { left: a, top: y - thick / 2.0, right: b - gap, bottom: y + thick / 2.0 }, colour(p).1);
            from += x;
        }
        let mut end = along(from.max(bar.total.mean * factor));
        if bar.total.low.is_finite() && bar.total.high.is_finite() && !relative {
            let (a, b) = (along(bar.total.low), along(bar.total.high));
            let foot = 0.25 * em;
            for pen in [Pen::new(plotters::style::WHITE, 0.2), Pen::new(BLACK, 0.08)] {
                sheet.line(&[(a, y), (b, y)], pen);
                for x in [a, b] {
                    sheet.line(&[(x, y - foot), (x, y + foot)], pen);
                }
            }
            end = end.max(b);
        }
        sheet.label(&said(bar), (end + 0.4 * em, y), SMALL, Side::Left, BLACK);
    }
    area.bottom + below(sheet, true)
}
