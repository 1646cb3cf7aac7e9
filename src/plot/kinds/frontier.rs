//! `frontier`: two figures of a sweep's points against each other, both better where smaller; what no other point beats is joined by a staircase.
//!
//! Reads frontier.csv, or with two `--metric` any figures of the points. The frontier: points for which no other is at most as large in both and smaller in
//! one. Whiskers: Student's t intervals.

use plotters::style::BLACK;

use super::super::frame::{Axis, Frame, Swatch, below, legend, note};
use super::super::paint::{COLOURS, GREY, Shape};
use super::super::points::Points;
use super::super::scale::Scale;
use super::super::sheet::{Area, Pen, Sheet, Side, Size};
use super::super::source::{Form, Source};
use super::super::table::Table;
use super::super::text::width;
use super::super::{Kind, PlotError, Request};

pub const KIND: Kind = Kind {
    name: "frontier",
    shows: "two figures against each other, and the points that no other beats in both",
    reads: "frontier.csv, points.csv; compare.csv",
    draw,
};

/// Of more points than this only those of the frontier have names.
const LABELS: usize = 16;

/// The size of names, in lengths of the text size.
const SIZE: f64 = 0.8;

/// The two figures: asked for, or those of frontier.csv.
fn figures(source: &Source, points: &Points, request: &Request) -> Result<[String; 2], PlotError> {
    if let [a, b] = request.metrics.as_slice() {
        points.unit(a)?;
        points.unit(b)?;
        return Ok([a.clone(), b.clone()]);
    }
    let path = source.path("frontier.csv");
    if !path.is_file() {
        return Err(PlotError::lacks(
            "the result has no frontier.csv",
            "name two figures with --metric twice, or give the sweep a [[frontier]]",
        ));
    }
    let table = Table::read(&path)?;
    let (point, on) = (table.column("point")?, table.column("on_frontier")?);
    let axes = points.axes.len();
    match table.header.get(point + 1 + axes..on) {
        Some([a, b]) => Ok([a.clone(), b.clone()]),
        _ => Err(PlotError::table(&path, "it does not have two figures between the axes and on_frontier")),
    }
}

/// Which pairs no other beats.
fn unbeaten(pairs: &[(f64, f64)]) -> Vec<bool> {
    let beats = |a: &(f64, f64), b: &(f64, f64)| a.0 <= b.0 && a.1 <= b.1 && (a.0 < b.0 || a.1 < b.1);
    pairs.iter().map(|p| p.0.is_finite() && p.1.is_finite() && !pairs.iter().any(|q| beats(q, p))).collect()
}

fn draw(source: &Source, request: &Request, size: Size) -> Result<Sheet, PlotError> {
    if source.form == Form::Run {
        return Err(PlotError::lacks(
            "a single run has one point only",
            "give the folder of a sweep or of a comparison",
        ));
    }
    let points = Points::read(source)?;
    let [first, second] = figures(source, &points, request)?;
    let pairs: Vec<(f64, f64)> = points.means(&first).into_iter().zip(points.means(&second)).collect();
    let known: Vec<f64> = pairs.iter().filter(|p| p.0.is_finite() && p.1.is_finite()).map(|p| p.0).collect();
    if known.is_empty() {
        return Err(PlotError::lacks(
            format!("no point has both {first} and {second}"),
            "choose other figures with --metric",
        ));
    }
    let on = unbeaten(&pairs);
    let mut sheet = Sheet::new(size, false);
    let em = sheet.em;
    let title = format!("{second} against {first}");
    let top = sheet.heading(&title, &source.said("smaller is better in both; whiskers: t intervals"));
    let (own, others) = (COLOURS[0], GREY);
    let mut entries = vec![(Swatch::Line(Pen::new(own, 0.12), Some(Shape::Circle)), "frontier".to_owned())];
    if on.iter().zip(&pairs).any(|(on, p)| !on && p.0.is_finite() && p.1.is_finite()) {
        entries
            .push((Swatch::Mark(Shape::Square, others, true), "beaten in one, and not better in the other".to_owned()));
    }
    let top = legend(&mut sheet, top, &entries);
    let around = |key: &str| {
        let all = (0..points.points.len()).map(|i| points.figure(i, key));
        Scale::around(&all.flat_map(|e| [e.mean, e.low, e.high]).filter(|x| x.is_finite()).collect::<Vec<_>>())
    };
    let unit = |key: &str| points.unit(key).map(str::to_owned);
    let (x, y) =
        (Axis::new(around(&first), &*first, unit(&first)?), Axis::new(around(&second), &*second, unit(&second)?));
    let area = Area {
        left: y.room(&sheet, sheet.high(16.0)),
        top: top + 0.4 * em,
        right: sheet.width - 1.4 * em,
        bottom: top + 0.4 * em + sheet.high(16.0),
    };
    let frame = Frame::draw(&mut sheet, area, &x, &y);
    let mut stairs: Vec<(f64, f64)> = pairs.iter().zip(&on).filter(|(_, on)| **on).map(|(p, _)| *p).collect();
    stairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let line: Vec<(f64, f64)> = stairs
        .iter()
        .enumerate()
        .flat_map(|(i, p)| stairs.get(i + 1).map_or(vec![*p], |next| vec![*p, (next.0, p.1)]))
        .collect();
    if line.len() > 1 {
        frame.line(&mut sheet, &line, Pen::new(own, 0.1));
    }
    for pass in [false, true] {
        for i in (0..pairs.len()).filter(|&i| on[i] == pass) {
            let Some(at) = frame.at(pairs[i]) else { continue };
            let pen = Pen::new(if pass { own } else { others }, 0.06);
            let (a, b) = (points.figure(i, &first), points.figure(i, &second));
            frame.whisker(&mut sheet, pairs[i].0, (b.low, b.high), pen);
            if let (Some(from), Some(to)) = (frame.at((a.low, pairs[i].1)), frame.at((a.high, pairs[i].1))) {
                sheet.line(&[from, to], pen);
            }
            let (shape, colour) = if pass { (Shape::Circle, own) } else { (Shape::Square, others) };
            sheet.mark(at, shape, 0.28, colour, !pass);
        }
    }
    let list = labels(&mut sheet, &frame, &points, (&first, &second), &on);
    let mut end = area.bottom + below(&sheet, true);
    end = note(&mut sheet, end, &points.named());
    for text in list {
        end = note(&mut sheet, end, &text);
    }
    sheet.height = end;
    Ok(sheet)
}

/// Names points: beside them where that covers nothing, else by a number, which the list that is returned explains. All points where they are few, else
/// those of the frontier.
fn labels(
    sheet: &mut Sheet,
    frame: &Frame,
    points: &Points,
    (first, second): (&str, &str),
    on: &[bool],
) -> Vec<String> {
    let em = sheet.em;
    let (size, near) = (SIZE * em, 0.35 * em);
    let mut taken: Vec<Area> = Vec::new();
    let mut places: Vec<Option<(f64, f64)>> = Vec::new();
    for i in 0..on.len() {
        let (a, b) = (points.figure(i, first), points.figure(i, second));
        let place = frame.at((a.mean, b.mean));
        places.push(place);
        let Some((x, y)) = place else { continue };
        taken.push(Area { left: x - near, right: x + near, top: y - near, bottom: y + near });
        if let (Some(from), Some(to)) = (frame.at((a.low, b.mean)), frame.at((a.high, b.mean))) {
            taken.push(Area { left: from.0, right: to.0, top: y - 0.1 * em, bottom: y + 0.1 * em });
        }
        if let (Some(from), Some(to)) = (frame.at((a.mean, b.low)), frame.at((a.mean, b.high))) {
            taken.push(Area { left: x - 0.1 * em, right: x + 0.1 * em, top: to.1, bottom: from.1 });
        }
    }
    let few = places.iter().flatten().count() <= LABELS;
    let mut order: Vec<usize> = (0..on.len()).filter(|&i| places[i].is_some() && (few || on[i])).collect();
    let along = |i: usize| places[i].map_or(0.0, |p| p.0);
    order.sort_by(|&a, &b| on[b].cmp(&on[a]).then(along(a).total_cmp(&along(b))));
    let mut list = Vec::new();
    for i in order {
        let Some(at) = places[i] else { continue };
        let name = points.values(i);
        let mut free = |text: &str| {
            let found = room(frame, sheet.width, &taken, at, width(text) * size, em);
            found.inspect(|(_, _, own)| taken.push(*own))
        };
        let (text, found) = match free(&name) {
            Some(found) => (name, Some(found)),
            None => {
                let number = (list.len() + 1).to_string();
                list.push(format!("{number}: {name}"));
                let found = free(&number);
                (number, found)
            }
        };
        // Where not even a number finds room it stands on its mark's right.
        let (place, side) =
            found.map_or(((at.0 + 0.5 * em, at.1 - 0.5 * em), Side::Left), |(place, side, _)| (place, side));
        sheet.label(&text, place, SIZE, side, if on[i] { COLOURS[0] } else { BLACK });
    }
    list
}

/// A free place beside a mark for a text of some width.
fn room(
    frame: &Frame,
    sheet_width: f64,
    taken: &[Area],
    (x, y): (f64, f64),
    wide: f64,
    em: f64,
) -> Option<((f64, f64), Side, Area)> {
    let half = 0.5 * SIZE * em;
    let beside = [(0.5, 0.0), (0.5, -0.7), (-0.5, -0.7), (-0.5, 0.0), (0.5, 0.8), (-0.5, 0.8)];
    beside.into_iter().find_map(|(dx, dy)| {
        let (side, x, y) = (if dx > 0.0 { Side::Left } else { Side::Right }, x + dx * em, y + dy * em);
        let left = if dx > 0.0 { x } else { x - wide };
        let own = Area { left, right: left + wide, top: y - half, bottom: y + half };
        let inside = own.left > frame.area.left + 0.2 * em
            && own.right < sheet_width - 0.2 * em
            && own.top > frame.area.top - 0.3 * em
            && own.bottom < frame.area.bottom - 0.2 * em;
        let covers = |a: &Area| own.left < a.right && a.left < own.right && own.top < a.bottom && a.top < own.bottom;
        (inside && !taken.iter().any(covers)).then_some(((x, y), side, own))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frontier_is_what_no_point_beats() {
        let pairs = [(1.0, 5.0), (2.0, 3.0), (3.0, 3.0), (4.0, 1.0), (f64::NAN, 0.0), (2.0, 3.0)];
        assert_eq!(unbeaten(&pairs), [true, true, false, true, false, true]);
    }
}
