//! `frontier`: two figures of a sweep's points against each other, both better where smaller; what no other point beats is joined by a staircase.
//!
//! Reads frontier.csv, a panel per number, or with two `--metric` any figures of the points. The frontier: points for which no other is at most as large in
//! both and smaller in one, as frontier.csv says. Whiskers: Student's t intervals. Both scales are tight around the points.

use std::collections::BTreeMap;

use plotters::style::{BLACK, RGBColor};

use super::super::frame::{Axis, Frame, Swatch, below, legend, note};
use super::super::paint::{COLOURS, GREY, Shape};
use super::super::points::{Estimate, Points};
use super::super::scale::Scale;
use super::super::sheet::{Area, Pen, Sheet, Side, Size};
use super::super::source::{Form, Source};
use super::super::table::Table;
use super::super::text::{width, wrap};
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

/// The colour of the frontier.
const OWN: RGBColor = COLOURS[0];

/// One panel: two figures of the points.
struct Panel {
    names: [String; 2],
    units: [String; 2],
    spots: Vec<Spot>,
}

/// A point in it.
struct Spot {
    point: usize,
    x: Estimate,
    y: Estimate,
    on: bool,
}

impl Spot {
    fn is_defined(&self) -> bool {
        self.x.mean.is_finite() && self.y.mean.is_finite()
    }
}

/// The panel of two figures that are asked for, or those of frontier.csv, one per number.
fn panels(source: &Source, points: &Points, request: &Request) -> Result<Vec<Panel>, PlotError> {
    if let [a, b] = request.metrics.as_slice() {
        let units = [points.unit(a)?.to_owned(), points.unit(b)?.to_owned()];
        let pairs: Vec<(f64, f64)> = points.means(a).into_iter().zip(points.means(b)).collect();
        let all = unbeaten(&pairs).into_iter().enumerate();
        let spots = all.map(|(point, on)| Spot { point, x: points.figure(point, a), y: points.figure(point, b), on });
        return Ok(vec![Panel { names: [a.clone(), b.clone()], units, spots: spots.collect() }]);
    }
    let path = source.path("frontier.csv");
    if !path.is_file() {
        return Err(PlotError::lacks(
            "the result has no frontier.csv",
            "name two figures with --metric twice, or give the sweep a [[frontier]]",
        ));
    }
    let table = Table::read(&path)?;
    let (number, point, on) = (table.column("frontier")?, table.column("point")?, table.column("on_frontier")?);
    let column = |axis: &str, what: &str| table.column(&format!("{axis}_{what}"));
    let metrics = [column("x", "metric")?, column("y", "metric")?];
    let means = [column("x", "mean")?, column("y", "mean")?];
    let units = [column("x", "unit")?, column("y", "unit")?];
    let mut all: BTreeMap<usize, Panel> = BTreeMap::new();
    for row in 0..table.len() {
        let wrong = |what: &str| PlotError::table(&path, format!("{what} in row {}", row + 2));
        let key = table.text(row, number).parse().map_err(|_| wrong("frontier is no number"))?;
        let point = points.find(table.text(row, point)).ok_or_else(|| wrong("a point that points.csv lacks"))?;
        let panel = all.entry(key).or_insert_with(|| Panel {
            names: metrics.map(|c| table.text(row, c).to_owned()),
            units: units.map(|c| points.named_unit(table.text(row, c))),
            spots: Vec::new(),
        });
        // The means are those of the table; their intervals stand in points.csv where the figures were analysed.
        let estimate = |i: usize| {
            let mean = table.number(row, means[i])?;
            Ok::<_, PlotError>(Estimate { mean, ..points.figure(point, &panel.names[i]) })
        };
        let on = match table.text(row, on) {
            "true" => true,
            "false" | "" => false,
            _ => return Err(wrong("on_frontier is neither true nor false")),
        };
        let spot = Spot { point, x: estimate(0)?, y: estimate(1)?, on };
        panel.spots.push(spot);
    }
    Ok(all.into_values().collect())
}

/// Which pairs no other beats.
fn unbeaten(pairs: &[(f64, f64)]) -> Vec<bool> {
    let mut order: Vec<usize> =
        (0..pairs.len()).filter(|&i| pairs[i].0.is_finite() && pairs[i].1.is_finite()).collect();
    order.sort_by(|&a, &b| pairs[a].0.total_cmp(&pairs[b].0).then(pairs[a].1.total_cmp(&pairs[b].1)));
    let mut on = vec![false; pairs.len()];
    // In order of the first figure: what is not lower in the second than all before is beaten, unless it is the same pair.
    let mut last: Option<(f64, f64)> = None;
    for i in order {
        on[i] = last.is_none_or(|last| pairs[i].1 < last.1 || pairs[i] == last);
        if on[i] {
            last = Some(pairs[i]);
        }
    }
    on
}

fn draw(source: &Source, request: &Request, size: Size) -> Result<Sheet, PlotError> {
    if source.form == Form::Run {
        return Err(PlotError::lacks(
            "a single run has one point only",
            "give the folder of a sweep or of a comparison",
        ));
    }
    let points = Points::read(source)?;
    let panels = panels(source, &points, request)?;
    if panels.is_empty() {
        return Err(PlotError::lacks("frontier.csv has no rows", "name two figures with --metric twice"));
    }
    for panel in &panels {
        if !panel.spots.iter().any(Spot::is_defined) {
            let [first, second] = &panel.names;
            return Err(PlotError::lacks(
                format!("no point has both {first} and {second}"),
                "choose other figures with --metric",
            ));
        }
    }
    let mut sheet = Sheet::new(size, false);
    let em = sheet.em;
    let title = match panels.as_slice() {
        [alone] => format!("{} against {}", alone.names[1], alone.names[0]),
        several => format!("{} frontiers", several.len()),
    };
    let mut top = sheet.heading(&title, &source.said("smaller is better in both"));
    let beaten = |p: &Panel| p.spots.iter().any(|s| !s.on && s.is_defined());
    let mut entries = vec![(Swatch::Line(Pen::new(OWN, 0.12), Some(Shape::Circle)), "frontier".to_owned())];
    if panels.iter().any(beaten) {
        entries
            .push((Swatch::Mark(Shape::Square, GREY, true), "beaten in one, and not better in the other".to_owned()));
    }
    top = legend(&mut sheet, top, &entries);
    let mut notes = Vec::new();
    for panel in &panels {
        if panels.len() > 1 {
            let caption = format!("{} against {}", panel.names[1], panel.names[0]);
            for line in wrap(&caption, sheet.width - 1.6 * em, em) {
                sheet.text(&line, (0.8 * em, top + 1.1 * em), 1.0, Side::Left, BLACK);
                top += 1.25 * em;
            }
            // The uppermost tick's text is higher than its line.
            top += 0.6 * em;
        }
        let (end, list) = one(&mut sheet, top, &points, panel, notes.len());
        notes.extend(list);
        top = end;
    }
    let keys: Vec<&str> = panels.iter().flat_map(|p| &p.names).map(String::as_str).collect();
    let whiskers = points.intervals(source, &keys).map(|what| format!("Whiskers: {what}."));
    let scales = "Scales are tight around the points; they do not begin at 0.".to_owned();
    for text in [scales].into_iter().chain(whiskers).chain([points.named()]).chain(notes) {
        top = note(&mut sheet, top, &text);
    }
    sheet.height = top;
    Ok(sheet)
}

/// Draws a panel from `top` on, and says where it ends and what its numbers, from the one after `numbered` on, stand for.
fn one(sheet: &mut Sheet, top: f64, points: &Points, panel: &Panel, numbered: usize) -> (f64, Vec<String>) {
    let em = sheet.em;
    let scale = |of: fn(&Spot) -> Estimate| {
        let all = panel.spots.iter().filter(|s| s.is_defined()).map(of);
        Scale::around(&all.flat_map(|e| [e.mean, e.low, e.high]).filter(|x| x.is_finite()).collect::<Vec<_>>())
    };
    let axis = |scale: Scale, i: usize| Axis::new(scale, &*panel.names[i], &*panel.units[i]);
    let (x, y) = (axis(scale(|s| s.x), 0), axis(scale(|s| s.y), 1));
    let area = Area {
        left: y.room(sheet, sheet.high(16.0)),
        top: top + 0.4 * em,
        right: sheet.width - 1.4 * em,
        bottom: top + 0.4 * em + sheet.high(16.0),
    };
    let frame = Frame::draw(sheet, area, &x, &y);
    let on = panel.spots.iter().filter(|s| s.on && s.is_defined());
    let mut stairs: Vec<(f64, f64)> = on.map(|s| (s.x.mean, s.y.mean)).collect();
    stairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let line: Vec<(f64, f64)> = stairs
        .iter()
        .enumerate()
        .flat_map(|(i, p)| stairs.get(i + 1).map_or(vec![*p], |next| vec![*p, (next.0, p.1)]))
        .collect();
    if line.len() > 1 {
        frame.line(sheet, &line, Pen::new(OWN, 0.1));
    }
    for pass in [false, true] {
        for s in panel.spots.iter().filter(|s| s.on == pass) {
            let Some(at) = frame.at((s.x.mean, s.y.mean)) else { continue };
            let (shape, colour) = if pass { (Shape::Circle, OWN) } else { (Shape::Square, GREY) };
            let pen = Pen::new(colour, 0.06);
            frame.whisker(sheet, s.x.mean, (s.y.low, s.y.high), pen);
            if let (Some(from), Some(to)) = (frame.at((s.x.low, s.y.mean)), frame.at((s.x.high, s.y.mean))) {
                sheet.line(&[from, to], pen);
            }
            sheet.mark(at, shape, 0.28, colour, !pass);
        }
    }
    let list = labels(sheet, &frame, points, &panel.spots, numbered);
    (area.bottom + below(sheet, true), list)
}

/// Names points: beside them where that covers nothing, else by a number, which the list that is returned explains. All points where they are few, else
/// those of the frontier.
fn labels(sheet: &mut Sheet, frame: &Frame, points: &Points, spots: &[Spot], numbered: usize) -> Vec<String> {
    let em = sheet.em;
    let (size, near) = (SIZE * em, 0.35 * em);
    let mut taken: Vec<Area> = Vec::new();
    let mut places: Vec<Option<(f64, f64)>> = Vec::new();
    for Spot { x: a, y: b, .. } in spots {
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
    let mut order: Vec<usize> = (0..spots.len()).filter(|&i| places[i].is_some() && (few || spots[i].on)).collect();
    let along = |i: usize| places[i].map_or(0.0, |p| p.0);
    order.sort_by(|&a, &b| spots[b].on.cmp(&spots[a].on).then(along(a).total_cmp(&along(b))));
    let mut list = Vec::new();
    for i in order {
        let Some(at) = places[i] else { continue };
        let name = points.values(spots[i].point);
        let mut free = |text: &str| {
            let found = room(frame, sheet.width, &taken, at, width(text) * size, em);
            found.inspect(|(_, _, own)| taken.push(*own))
        };
        let (text, found) = match free(&name) {
            Some(found) => (name, Some(found)),
            None => {
                let number = (numbered + list.len() + 1).to_string();
                list.push(format!("{number}: {name}"));
                let found = free(&number);
                (number, found)
            }
        };
        // Where not even a number finds room it stands on its mark's right.
        let (place, side) =
            found.map_or(((at.0 + 0.5 * em, at.1 - 0.5 * em), Side::Left), |(place, side, _)| (place, side));
        sheet.label(&text, place, SIZE, side, if spots[i].on { OWN } else { BLACK });
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
