//! `waterfall`: from what is claimed to what is left: the first and the last step as bars from 0, the steps between as what they add or take away.
//!
//! Reads waterfall.csv of a comparison (`[compare.waterfall]`), or the `shifting.*` figures of a single run (docs/shifting.md): the saving that its own
//! emissions claim, less the embodied emissions of the hosts that its higher peak fills, and what is left on marginal intensity.

use plotters::style::BLACK;

use super::super::frame::{SMALL, Swatch, legend, note};
use super::super::paint::{COLOURS, DARK, FAINT};
use super::super::points::Points;
use super::super::scale::Scale;
use super::super::sheet::{Area, Pen, Sheet, Side, Size};
use super::super::source::{Form, Source};
use super::super::table::Table;
use super::super::text::{number, width, with_unit, wrap};
use super::super::{Kind, PlotError, Request};

pub const KIND: Kind = Kind {
    name: "waterfall",
    shows: "from the claimed to the net saving, step by step",
    reads: "waterfall.csv; summary.csv",
    draw: of_result,
};

/// More panels than this are not drawn.
const MOST: usize = 12;

/// A step: what is new, and the figure then.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub label: String,
    pub level: f64,
}

/// One waterfall.
#[derive(Debug, Clone, PartialEq)]
pub struct Waterfall {
    pub title: String,
    pub unit: String,
    pub steps: Vec<Step>,
}

fn of_result(source: &Source, _: &Request, size: Size) -> Result<Sheet, PlotError> {
    let path = source.path("waterfall.csv");
    if path.is_file() {
        let title = source.waterfall().unwrap_or(KIND.shows);
        return draw(title, &source.said("waterfall.csv"), &of_table(&Table::read(&path)?)?, size);
    }
    let lacks = |what: &str| {
        Err(PlotError::lacks(what, "run with shifting and output.against_run_now, or compare with [compare.waterfall]"))
    };
    if source.form != Form::Run {
        return lacks("the result has no waterfall.csv");
    }
    let panels = of_run(&Points::read(source)?);
    if panels.is_empty() {
        return lacks("the run has no figures of shifting against running at once");
    }
    draw(KIND.shows, &source.said("summary.csv"), &panels, size)
}

fn of_table(table: &Table) -> Result<Vec<Waterfall>, PlotError> {
    let (step, label) = (table.column("step")?, table.column("label")?);
    let (value, unit) = (table.column("value")?, table.column("unit")?);
    let mut panels: Vec<Waterfall> = Vec::new();
    for row in 0..table.len() {
        if table.text(row, step) == "1" || panels.is_empty() {
            let cell: Vec<&str> = (0..step).map(|c| table.text(row, c)).collect();
            let title = cell.join(" / ");
            panels.push(Waterfall { title, unit: table.text(row, unit).to_owned(), steps: Vec::new() });
        }
        let own = Step { label: table.text(row, label).to_owned(), level: table.number(row, value)? };
        panels.last_mut().expect("a panel was opened above").steps.push(own);
    }
    if panels.is_empty() { Err(PlotError::table(&table.path, "it has no rows")) } else { Ok(panels) }
}

fn of_run(points: &Points) -> Vec<Waterfall> {
    let all: [(&str, &[(&str, &str)]); 2] = [
        (
            "operational emissions saved, of all that running at once emits",
            &[
                ("claimed: operational emissions saved", "shifting.saved_operational_share"),
                ("embodied carbon of the peak's hosts", "shifting.saved_net_share"),
            ],
        ),
        (
            "the same, of what the work itself emits (idle hosts left out)",
            &[
                ("bound: perfect knowledge, no limit", "shifting.bound_saved_share"),
                ("claimed: what this run saved", "shifting.saved_of_work_share"),
                ("embodied carbon of the peak's hosts", "shifting.saved_net_of_work_share"),
                ("scored on marginal intensity", "shifting.saved_net_marginal_of_work_share"),
            ],
        ),
    ];
    let panel = |(title, steps): (&str, &[(&str, &str)])| {
        let levels =
            steps.iter().map(|(label, key)| Step { label: (*label).to_owned(), level: points.figure(0, key).mean });
        let steps: Vec<Step> = levels.filter(|s| s.level.is_finite()).collect();
        (steps.len() > 1).then(|| Waterfall { title: title.to_owned(), unit: "1".to_owned(), steps })
    };
    all.into_iter().filter_map(panel).collect()
}

/// Draws one panel below the other, over one scale.
///
/// # Errors
/// Every figure is undefined.
pub fn draw(title: &str, said: &str, panels: &[Waterfall], size: Size) -> Result<Sheet, PlotError> {
    let shown = &panels[..panels.len().min(MOST)];
    let levels: Vec<f64> = shown.iter().flat_map(|w| &w.steps).map(|s| s.level).filter(|x| x.is_finite()).collect();
    if levels.is_empty() {
        return Err(PlotError::lacks("every step of the waterfall is undefined", "choose other figures for its steps"));
    }
    let mut sheet = Sheet::new(size, true);
    let em = sheet.em;
    let mut top = sheet.heading(title, said);
    let boxes = [(0, "figure"), (2, "added"), (1, "taken away")];
    let entries = boxes.map(|(c, name)| (Swatch::Box(COLOURS[c], 1.0), name.to_owned()));
    top = legend(&mut sheet, top, &entries);
    let longest = shown.iter().flat_map(|w| &w.steps).map(|s| width(&s.label)).fold(0.0, f64::max) * SMALL * em;
    let left = (longest + 1.4 * em).min(0.42 * sheet.width);
    let right = sheet.width - 1.2 * em;
    // Bars begin at 0; their numbers follow, and have room on the scale's right.
    let room = 9.0 * em;
    let whole = Scale::of_figures(&levels.iter().copied().chain([0.0]).collect::<Vec<_>>());
    let to = whole.from + (whole.to - whole.from) * (right - left) / (right - left - room);
    let ticks = whole.ticks.into_iter().filter(|t| *t <= whole.to).collect();
    let scale = Scale { to, ticks, ..Scale::linear(whole.from, whole.to, 6) };
    for (i, panel) in shown.iter().enumerate() {
        let unit = with_unit("", &panel.unit, 0);
        let heading = format!("{}{unit}", panel.title);
        top = one(&mut sheet, top, panel, &scale, (left, right), heading.trim())
            + if i + 1 < shown.len() { 0.6 } else { 0.2 } * em;
    }
    if panels.len() > MOST {
        top = note(&mut sheet, top, &format!("The first {MOST} of {}; waterfall.csv has all.", panels.len()));
    }
    sheet.height = top;
    Ok(sheet)
}

fn one(sheet: &mut Sheet, top: f64, panel: &Waterfall, scale: &Scale, (left, right): (f64, f64), heading: &str) -> f64 {
    let em = sheet.em;
    let mut y = top + 0.3 * em;
    for line in wrap(heading, sheet.width - 1.6 * em, em) {
        sheet.text(&line, (0.8 * em, y + 0.9 * em), 1.0, Side::Left, BLACK);
        y += 1.3 * em;
    }
    let pitch = 1.75 * em;
    let area = Area { left, right, top: y, bottom: y + pitch * panel.steps.len() as f64 + 0.2 * em };
    let at = |x: f64| left + scale.share(x) * (right - left);
    let (texts, exponent) = scale.texts();
    let mut free = f64::NEG_INFINITY;
    for (&tick, text) in scale.ticks.iter().zip(texts) {
        sheet.line(&[(at(tick), area.top), (at(tick), area.bottom)], Pen::new(FAINT, 0.04));
        let text = if exponent == 0 || tick == 0.0 {
            text
        } else {
            format!("{text}·{}", super::super::text::power(exponent))
        };
        let half = width(&text) * SMALL * em / 2.0;
        if at(tick) - half > free {
            sheet.text(&text, (at(tick), area.bottom + 1.0 * em), SMALL, Side::Centre, BLACK);
            free = at(tick) + half + 0.6 * em;
        }
    }
    let mut before = 0.0;
    let last = panel.steps.len() - 1;
    for (i, step) in panel.steps.iter().enumerate() {
        let middle = y + pitch * (i as f64 + 0.5);
        let label = super::super::text::fit(&step.label, left - 0.9 * em, SMALL * em);
        sheet.label(&label, (left - 0.5 * em, middle), SMALL, Side::Right, BLACK);
        if !step.level.is_finite() {
            sheet.label("undefined", (at(0.0) + 0.4 * em, middle), SMALL, Side::Left, DARK);
            continue;
        }
        let whole = i == 0 || i == last;
        let from = if whole { 0.0 } else { before };
        let changed = COLOURS[if step.level >= before { 2 } else { 1 }];
        let bar = |a: f64, b: f64| {
            let (low, high) = (at(a.min(b)), at(a.max(b)));
            Area { left: low, right: high.max(low + 0.05 * em), top: middle - 0.55 * em, bottom: middle + 0.55 * em }
        };
        sheet.bar(bar(from, step.level), if whole { COLOURS[0] } else { changed });
        if whole && i > 0 {
            // What the last step itself changed, as an outline.
            sheet.outline(bar(before, step.level), Pen::new(changed, 0.12));
        }
        let change = step.level - before;
        let sign = if change > 0.0 { "+" } else { "" };
        let text = match i {
            0 => number(step.level),
            _ => format!("{} ({sign}{})", number(step.level), number(change)),
        };
        let edge = at(from.max(step.level).max(if i > 0 { before } else { 0.0 }));
        sheet.label(&text, (edge + 0.4 * em, middle), SMALL, Side::Left, BLACK);
        if i < last {
            sheet.line(
                &[(at(step.level), middle + 0.55 * em), (at(step.level), middle + pitch - 0.55 * em)],
                Pen::new(DARK, 0.05),
            );
        }
        before = step.level;
    }
    sheet.line(&[(at(0.0), area.top), (at(0.0), area.bottom)], Pen::new(BLACK, 0.06));
    area.bottom + 1.5 * em
}
