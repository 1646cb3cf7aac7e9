//! `over-time`: CPU utilization and carbon intensity over the run, one above the other on one time axis.
//!
//! Reads timeseries.csv. Up to six regions are a line each; more are their unweighted mean and a band from the lowest to the highest.

use plotters::style::BLACK;

use super::super::frame::{Axis, Frame, Swatch, legend};
use super::super::paint::{COLOURS, style};
use super::super::scale::{Scale, ends};
use super::super::sheet::{Pen, Sheet, Size};
use super::super::source::Source;
use super::super::{Kind, PlotError, Request};
use super::{Series, stack};

pub const KIND: Kind =
    Kind { name: "over-time", shows: "CPU utilization and carbon intensity over time", reads: "timeseries.csv", draw };

/// More regions than this are a band.
const LINES: usize = 6;

fn draw(source: &Source, _: &Request, size: Size) -> Result<Sheet, PlotError> {
    let series = Series::read(source)?;
    let in_percent = |of: Vec<Vec<f64>>| -> Vec<Vec<f64>> {
        of.into_iter().map(|region| region.into_iter().map(|x| 100.0 * x).collect()).collect()
    };
    let cpu = in_percent(series.by_region("cpu_utilization")?);
    let intensity = series.by_region("intensity_g_per_kwh")?;
    let clock = series.clock();

    let mut sheet = Sheet::new(size, false);
    let mut top = sheet.heading(KIND.shows, &source.said(KIND.reads));
    let several = series.regions.len() > LINES;
    let entries: Vec<(Swatch, String)> = if several {
        let n = series.regions.len();
        vec![
            (Swatch::Line(Pen::new(COLOURS[0], 0.14), None), format!("mean of {n} regions")),
            (Swatch::Box(COLOURS[0], 0.25), "lowest to highest".to_owned()),
        ]
    } else if series.regions.len() > 1 {
        let names = series.regions.iter().enumerate();
        names.map(|(i, name)| (Swatch::Line(pen(i), None), name.clone())).collect()
    } else {
        Vec::new()
    };
    top = legend(&mut sheet, top, &entries);
    let highest = ends(cpu.iter().flatten().copied()).1;
    let share = Scale::of_figures(&[0.0, if highest.is_finite() { highest.min(100.0) } else { 100.0 }]);
    let axes = [
        (Axis::new(share, "CPU in use", "%"), 10.0),
        (Axis::new(Scale::of_figures(&with_zero(&intensity)), "carbon intensity", "gCO2e/kWh"), 10.0),
    ];
    let x = clock.axis(source, &sheet);
    let (frames, _) = stack(&mut sheet, top, &x, &axes);
    for (frame, by_region) in frames.iter().zip([&cpu, &intensity]) {
        if several {
            band(&mut sheet, frame, &series, clock.unit_s, by_region);
        } else {
            for (i, values) in by_region.iter().enumerate() {
                frame.line(&mut sheet, &series.stairs(clock.unit_s, values), pen(i));
            }
        }
    }
    Ok(sheet)
}

fn with_zero(all: &[Vec<f64>]) -> Vec<f64> {
    all.iter().flatten().copied().chain([0.0]).collect()
}

fn pen(i: usize) -> Pen {
    let (colour, dash, _) = style(i);
    Pen { colour: if i == 6 { BLACK } else { colour }, width: 0.12, dash }
}

fn band(sheet: &mut Sheet, frame: &Frame, series: &Series, unit_s: f64, by_region: &[Vec<f64>]) {
    let at = |step: usize| by_region.iter().map(move |r| r[step]);
    let steps = 0..series.times.len();
    let (low, high): (Vec<f64>, Vec<f64>) = steps.clone().map(|step| ends(at(step))).unzip();
    let mean = |step| {
        let defined = at(step).filter(|x| x.is_finite());
        let (sum, n) = defined.fold((0.0, 0.0), |(sum, n), x| (sum + x, n + 1.0));
        sum / n
    };
    let mean: Vec<f64> = steps.map(mean).collect();
    let (low, high) = (series.stairs(unit_s, &low), series.stairs(unit_s, &high));
    let around: Vec<(f64, f64, f64)> = low.into_iter().zip(high).map(|(low, high)| (low.0, low.1, high.1)).collect();
    frame.band(sheet, &around, COLOURS[0], 0.25);
    frame.line(sheet, &series.stairs(unit_s, &mean), Pen::new(COLOURS[0], 0.14));
}
