//! `heat-map`: a figure over two axes of a sweep or comparison, a coloured cell each, with a colour bar.
//!
//! Reads points.csv or compare.csv. Colours: viridis, over the logarithm where figures span more than a factor of 20. Cells hold their numbers where these
//! fit. `--x` and `--y` choose the axes; each combination of the others' values is a panel.

use plotters::style::{BLACK, RGBColor};

use super::super::frame::{SMALL, note};
use super::super::paint::{FAINT, on, viridis};
use super::super::points::Points;
use super::super::scale::{Scale, ends};
use super::super::sheet::{Area, Pen, Sheet, Side, Size};
use super::super::source::{Form, Source};
use super::super::text::{fit, number, width, with_unit};
use super::super::{Kind, PlotError, Request};
use super::lines::cells;
use super::metrics;

pub const KIND: Kind =
    Kind { name: "heat-map", shows: "a figure over two axes of a sweep", reads: "points.csv; compare.csv", draw };

/// More panels than this are not drawn.
const MOST: usize = 6;

/// Cells per axis, at most: a sampled axis has a value per point and makes no map.
const WIDEST: usize = 60;

fn axes(points: &Points, request: &Request) -> Result<[usize; 2], PlotError> {
    let several: Vec<usize> = (0..points.axes.len()).filter(|&a| points.axes[a].values.len() > 1).collect();
    let x = request.x.as_ref().map(|name| points.axis(name)).transpose()?;
    let y = request.y.as_ref().map(|name| points.axis(name)).transpose()?;
    let mut free = several.iter().copied().filter(|a| Some(*a) != x && Some(*a) != y);
    // The last axis changes fastest and lies from left to right.
    let (first, second) = match (x, y) {
        (Some(x), Some(y)) => (Some(x), Some(y)),
        (Some(x), None) => (Some(x), free.next()),
        (None, Some(y)) => (free.next_back(), Some(y)),
        (None, None) => (free.next_back(), free.next()),
    };
    let (Some(x), Some(y)) = (first, second) else {
        let what = "the result has fewer than two axes with several values";
        return Err(PlotError::lacks(what, "a heat map needs two; --kind lines draws one"));
    };
    if x == y {
        return Err(PlotError::lacks("--x and --y name the same axis", "name two axes"));
    }
    if let Some(a) = [x, y].into_iter().find(|&a| points.axes[a].values.len() > WIDEST) {
        let (name, n) = (&points.axes[a].name, points.axes[a].values.len());
        return Err(PlotError::lacks(
            format!("axis {name} has {n} values, more than a heat map shows ({WIDEST})"),
            "sampled axes make no grid; --kind tornado or frontier shows them",
        ));
    }
    Ok([x, y])
}

/// The places of an axis' values: numbers in their order, names as they come.
fn order(points: &Points, axis: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..points.axes[axis].values.len()).collect();
    if points.axes[axis].numbers.is_some() {
        all.sort_by(|a, b| points.axes[axis].number(*a).total_cmp(&points.axes[axis].number(*b)));
    }
    all
}

fn said(points: &Points, axis: usize, value: usize) -> String {
    let axis = &points.axes[axis];
    axis.numbers.as_ref().map_or_else(|| axis.values[value].clone(), |n| number(n[value]))
}

fn draw(source: &Source, request: &Request, size: Size) -> Result<Sheet, PlotError> {
    if source.form == Form::Run {
        return Err(PlotError::lacks("a single run has no axes", "give the folder of a sweep or of a comparison"));
    }
    let points = Points::read(source)?;
    let [x, y] = axes(&points, request)?;
    let first: Vec<&str> = points.metrics.iter().map(|m| m.0.as_str()).take(1).collect();
    let usual = if source.form == Form::Compare { vec!["sci.g_per_unit"] } else { first };
    let key = metrics(&points, request, &usual, 1)?.remove(0);
    let means = points.means(&key);
    let (low, high) = ends(means.iter().copied());
    if !low.is_finite() {
        return Err(PlotError::lacks(format!("{key} is undefined at every point"), "choose another --metric"));
    }
    let rest: Vec<usize> =
        (0..points.axes.len()).filter(|a| *a != x && *a != y && points.axes[*a].values.len() > 1).collect();
    let panels = cells(&points, &rest);
    let scale = match low > 0.0 && high / low > 20.0 {
        true => Scale::of_decades(low, high),
        false => Scale::linear(low, if high > low { high } else { low + low.abs().max(1.0) * 0.1 }, 6),
    };
    let scale =
        if scale.logarithmic { Scale { from: libm::log10(low), to: libm::log10(high), ..scale } } else { scale };
    let wide = points.axes[x].values.len() > 8 || points.axes[y].values.iter().any(|v| width(v) > 8.0);
    let mut sheet = Sheet::new(size, wide);
    let files = if source.form == Form::Sweep { "points.csv" } else { "compare.csv" };
    let title = format!("{key} over {} and {}", points.axes[x].name, points.axes[y].name);
    let mut top = sheet.heading(&title, &source.said(files));
    top = bar(&mut sheet, top, &scale, (&key, points.unit(&key)?));
    let factor = libm::pow(10.0, f64::from(scale.texts().1));
    let mut gaps = false;
    for cell in panels.iter().take(MOST) {
        let caption: Vec<String> = rest.iter().zip(cell).map(|(&a, &i)| points.axes[a].said(i)).collect();
        let of = |i: usize| rest.iter().zip(cell).all(|(&a, &v)| points.points[i].at[a] == v);
        let value = |column: usize, row: usize| {
            let found =
                (0..means.len()).find(|&i| of(i) && points.points[i].at[x] == column && points.points[i].at[y] == row);
            found.map_or(f64::NAN, |i| means[i])
        };
        let map = Map { points: &points, x, y, scale: &scale, factor };
        let (end, some) = map.draw(&mut sheet, top, &caption.join(", "), &value);
        (top, gaps) = (end, gaps || some);
    }
    if gaps {
        top = note(&mut sheet, top, "Crossed cells have no value.");
    }
    if panels.len() > MOST {
        top = note(&mut sheet, top, &format!("The first {MOST} of {} panels.", panels.len()));
    }
    sheet.height = top + 0.2 * sheet.em;
    Ok(sheet)
}

/// The colour bar, with its ticks and the figure's name below.
fn bar(sheet: &mut Sheet, top: f64, scale: &Scale, (key, unit): (&str, &str)) -> f64 {
    let em = sheet.em;
    let (left, right) = (1.2 * em, sheet.width - 1.2 * em);
    const STEPS: usize = 128;
    let along = |share: f64| left + share * (right - left);
    for i in 0..STEPS {
        let [from, to] = [i, i + 1].map(|i| along(i as f64 / STEPS as f64));
        let colour = viridis((i as f64 + 0.5) / STEPS as f64);
        sheet.bar(Area { left: from, right: to, top: top + 0.2 * em, bottom: top + 1.0 * em }, colour);
    }
    let (texts, exponent) = scale.texts();
    let mut free = f64::NEG_INFINITY;
    for (tick, text) in scale.ticks.iter().zip(texts) {
        let share = (tick - scale.from) / (scale.to - scale.from);
        if !(-1e-9..=1.0 + 1e-9).contains(&share) {
            continue;
        }
        let half = width(&text) * SMALL * em / 2.0;
        let at = along(share);
        sheet.line(&[(at, top + 1.0 * em), (at, top + 1.2 * em)], Pen::new(BLACK, 0.05));
        let middle = at.clamp(half + 0.3 * em, sheet.width - half - 0.3 * em);
        if middle - half > free {
            sheet.text(&text, (middle, top + 2.15 * em), SMALL, Side::Centre, BLACK);
            free = middle + half + 0.5 * em;
        }
    }
    let name = with_unit(key, unit, exponent);
    let name = fit(&name, sheet.width - 1.6 * em, em);
    sheet.text(&name, (sheet.width / 2.0, top + 3.4 * em), 1.0, Side::Centre, BLACK);
    top + 4.2 * em
}

struct Map<'a> {
    points: &'a Points,
    x: usize,
    y: usize,
    scale: &'a Scale,
    /// What the bar's numbers are multiplied with: those in cells are, too.
    factor: f64,
}

impl Map<'_> {
    fn draw(&self, sheet: &mut Sheet, top: f64, caption: &str, value: &dyn Fn(usize, usize) -> f64) -> (f64, bool) {
        let em = sheet.em;
        let (columns, mut rows) = (order(self.points, self.x), order(self.points, self.y));
        // Numbers grow upwards.
        if self.points.axes[self.y].numbers.is_some() {
            rows.reverse();
        }
        let name = |axis: usize| with_unit(&self.points.axes[axis].name, &self.points.axes[axis].unit, 0);
        let row_texts: Vec<String> = rows.iter().map(|&r| said(self.points, self.y, r)).collect();
        let longest = row_texts.iter().map(|t| width(t)).fold(0.0, f64::max) * SMALL * em;
        let left = (longest + 2.6 * em).min(0.45 * sheet.width);
        let right = sheet.width - 1.0 * em;
        let each = (right - left) / columns.len() as f64;
        let high = (each * 0.7).clamp(1.5 * em, 3.2 * em);
        let mut y = top + 0.3 * em;
        if !caption.is_empty() {
            sheet.text(&fit(caption, sheet.width - 2.0 * em, em), (left, y + 0.9 * em), 1.0, Side::Left, BLACK);
            y += 1.5 * em;
        }
        let bottom = y + high * rows.len() as f64;
        let all = rows.iter().flat_map(|&r| columns.iter().map(move |&c| (c, r)));
        let fits = all.clone().all(|(c, r)| {
            width(&number(value(c, r) / self.factor)) * 0.8 * em < each - 0.3 * em || value(c, r).is_nan()
        });
        let mut gaps = false;
        for (j, &r) in rows.iter().enumerate() {
            for (i, &c) in columns.iter().enumerate() {
                let cell = Area {
                    left: left + each * i as f64,
                    right: left + each * (i + 1) as f64,
                    top: y + high * j as f64,
                    bottom: y + high * (j + 1) as f64,
                };
                let middle = ((cell.left + cell.right) / 2.0, (cell.top + cell.bottom) / 2.0);
                let own = value(c, r);
                let share = self.scale.share(own);
                if !own.is_finite() || share.is_nan() {
                    gaps = true;
                    sheet.bar(cell, FAINT);
                    sheet.line(
                        &[(cell.left, cell.bottom), (cell.right, cell.top)],
                        Pen::new(RGBColor(150, 150, 150), 0.05),
                    );
                    continue;
                }
                let colour = viridis(share);
                sheet.bar(cell, colour);
                if fits {
                    sheet.label(&number(own / self.factor), middle, 0.8, Side::Centre, on(colour));
                }
            }
            let text = fit(&row_texts[j], left - 2.4 * em, SMALL * em);
            sheet.label(&text, (left - 0.45 * em, y + high * (j as f64 + 0.5)), SMALL, Side::Right, BLACK);
        }
        sheet.outline(Area { left, top: y, right, bottom }, Pen::new(BLACK, 0.05));
        sheet.upright(&name(self.y), (1.2 * em, (y + bottom) / 2.0), bottom - y + 2.0 * em);
        let end = self.columns(sheet, &columns, (left, bottom), each);
        let title = fit(&name(self.x), right - left + 2.0 * em, em);
        sheet.text(&title, ((left + right) / 2.0, end + 1.2 * em), 1.0, Side::Centre, BLACK);
        (end + 2.0 * em, gaps)
    }

    /// The texts below the columns: side by side where they fit, else upright.
    fn columns(&self, sheet: &mut Sheet, columns: &[usize], (left, bottom): (f64, f64), each: f64) -> f64 {
        let em = sheet.em;
        let texts: Vec<String> = columns.iter().map(|&c| said(self.points, self.x, c)).collect();
        let widest = texts.iter().map(|t| width(t)).fold(0.0, f64::max) * SMALL * em;
        let middle = |i: usize| left + each * (i as f64 + 0.5);
        if widest < each - 0.3 * em {
            for (i, text) in texts.iter().enumerate() {
                sheet.text(text, (middle(i), bottom + 1.1 * em), SMALL, Side::Centre, BLACK);
            }
            return bottom + 1.4 * em;
        }
        let room = widest.min(10.0 * em) * 1.12;
        let skip = (1.1 * em / each).ceil().max(1.0) as usize;
        for (i, text) in texts.iter().enumerate().step_by(skip) {
            let text = fit(text, room, em);
            let half = width(&text) * em / 2.0;
            sheet.upright(&text, (middle(i) + 0.36 * em, bottom + 0.4 * em + half), room + em);
        }
        bottom + room + 0.6 * em
    }
}
