//! `latency` and `cold-start`: which share of the calls, or of the starts of sandboxes, took at most so long.
//!
//! Reads distributions.csv; of a comparison, those of its runs (`keep = "all"`), a line each. The scale of time is logarithmic where it spans much.

use super::super::frame::{Axis, Frame, Swatch, below, legend, note};
use super::super::paint::{Shape, style};
use super::super::scale::{Scale, ends};
use super::super::sheet::{Area, Pen, Sheet, Size};
use super::super::source::{Form, Source};
use super::super::table::Table;
use super::super::text::number;
use super::super::{Kind, PlotError, Request};

pub const LATENCY: Kind = Kind {
    name: "latency",
    shows: "latency of executed calls",
    reads: "distributions.csv",
    draw: |source, request, size| draw(source, request, size, LATENCY.shows, &["latency_s", "service_latency_s"]),
};

pub const COLD_START: Kind = Kind {
    name: "cold-start",
    shows: "how long sandboxes take to start",
    reads: "distributions.csv",
    draw: |source, request, size| draw(source, request, size, COLD_START.shows, &["start_s"]),
};

/// What a quantity is called where there are several.
fn named(quantity: &str) -> &str {
    match quantity {
        "latency_s" => "from arrival",
        "service_latency_s" => "from release (without deferral)",
        other => other,
    }
}

/// One line: its name, and (value, share) upwards.
struct Curve {
    name: String,
    points: Vec<(f64, f64)>,
}

fn curves(source: &Source, quantities: &[&str]) -> Result<Vec<Curve>, PlotError> {
    let mut all = Vec::new();
    let own = |name: &str, quantity: &str| if name.is_empty() { named(quantity).to_owned() } else { name.to_owned() };
    for (name, path) in tables(source) {
        let table = Table::read(&path)?;
        let (quantity, share) = (table.column("distribution")?, table.column("share")?);
        let value = table.column("value")?;
        // Several runs are compared in one quantity only.
        let shown = if name.is_empty() { quantities } else { &quantities[..1] };
        for wanted in shown {
            let mut points = Vec::new();
            for row in (0..table.len()).filter(|&row| table.text(row, quantity) == *wanted) {
                points.push((table.number(row, value)?, table.number(row, share)?));
            }
            points.retain(|p| p.0.is_finite() && p.1.is_finite());
            if !points.is_empty() {
                all.push(Curve { name: own(&name, wanted), points });
            }
        }
    }
    // Latency from release differs from latency only where something was deferred.
    if all.len() == 2 && all[0].points == all[1].points {
        all.truncate(1);
    }
    Ok(all)
}

/// The tables of the result and the names of their runs.
fn tables(source: &Source) -> Vec<(String, std::path::PathBuf)> {
    let alone = source.path("distributions.csv");
    if source.form == Form::Run || alone.is_file() {
        return vec![(String::new(), alone)];
    }
    let (mut found, mut open) = (Vec::new(), vec![(String::new(), source.path("runs"))]);
    while let Some((name, folder)) = open.pop() {
        let file = folder.join("distributions.csv");
        if file.is_file() {
            found.push((name.clone(), file));
        }
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten().filter(|e| e.path().is_dir());
        open.extend(entries.map(|e| {
            let inner = e.file_name().to_string_lossy().into_owned();
            (if name.is_empty() { inner } else { format!("{name} / {inner}") }, e.path())
        }));
    }
    found.sort();
    found
}

fn draw(source: &Source, _: &Request, size: Size, shows: &str, quantities: &[&str]) -> Result<Sheet, PlotError> {
    let curves = curves(source, quantities)?;
    if curves.is_empty() {
        let what = format!("the result has no distribution of {}", quantities[0]);
        return Err(PlotError::lacks(
            what,
            "run again; of a comparison, with keep = \"all\"; a run without calls has none",
        ));
    }
    let mut sheet = Sheet::new(size, false);
    let em = sheet.em;
    let top = sheet.heading(shows, &source.said("distributions.csv"));
    let pen = |i: usize| {
        let (colour, dash, _) = style(i);
        Pen { colour, width: 0.13, dash }
    };
    let entries: Vec<(Swatch, String)> = match curves.len() {
        1 => quantiles(&curves[0]).into_iter().map(|q| (Swatch::Mark(q.shape, style(0).0, false), q.text)).collect(),
        _ => curves.iter().enumerate().map(|(i, c)| (Swatch::Line(pen(i), None), c.name.clone())).collect(),
    };
    let top = legend(&mut sheet, top, &entries);
    let values = || curves.iter().flat_map(|c| &c.points).map(|p| p.0);
    let above = values().filter(|x| *x > 0.0);
    let (low, high) = ends(above);
    let (x, cut) = if low.is_finite() && high / low > 20.0 {
        (Scale::of_decades(low, high), values().any(|x| x <= 0.0))
    } else {
        (Scale::of_figures(&values().chain([0.0]).collect::<Vec<_>>()), false)
    };
    let y = Scale { to: 1.02, ..Scale::linear(0.0, 1.0, 6) };
    let (name, of) = match quantities[0] {
        "start_s" => ("at most, from creation to ready", "share of starts"),
        _ => ("at most, from arrival to end", "share of calls"),
    };
    let (x, y) = (Axis::new(x, name, "s"), Axis::new(y, of, "1"));
    let area = Area {
        left: y.room(&sheet, sheet.high(13.0)),
        top: top + 0.4 * em,
        right: sheet.width - 1.2 * em,
        bottom: top + 0.4 * em + sheet.high(13.0),
    };
    let frame = Frame::draw(&mut sheet, area, &x, &y);
    for (i, curve) in curves.iter().enumerate() {
        let first = curve.points.first().map(|p| (p.0, 0.0));
        let points: Vec<(f64, f64)> = first.into_iter().chain(curve.points.iter().copied()).collect();
        frame.line(&mut sheet, &points, pen(i));
    }
    if let [alone] = curves.as_slice() {
        for quantile in quantiles(alone) {
            if let Some(place) = frame.at(quantile.at) {
                sheet.mark(place, quantile.shape, 0.26, style(0).0, false);
            }
        }
    }
    let mut end = area.bottom + below(&sheet, true);
    if cut {
        end = note(&mut sheet, end, "Values of 0 stand at the left edge.");
    }
    sheet.height = end;
    Ok(sheet)
}

/// A quantile of the only curve: where it is, its mark, and what the legend says. In the panel a text could lie on the curve wherever it stands.
struct Quantile {
    at: (f64, f64),
    shape: Shape,
    text: String,
}

fn quantiles(curve: &Curve) -> Vec<Quantile> {
    let wanted = [(0.5, "p50", Shape::Circle), (0.95, "p95", Shape::Square), (0.99, "p99", Shape::Triangle)];
    let found = wanted.into_iter().filter_map(|(share, name, shape)| {
        let (value, _) = *curve.points.iter().find(|p| p.1 >= share - 1e-12)?;
        Some(Quantile { at: (value, share), shape, text: format!("{name} = {} s", number(value)) })
    });
    found.collect()
}
