//! `received-executed`: calls received and executed over time, and the CPU utilization of every region.
//!
//! Reads timeseries.csv; calls are summed over regions.

use super::super::frame::{Axis, Swatch, legend};
use super::super::paint::{COLOURS, DASHES};
use super::super::scale::Scale;
use super::super::sheet::{Pen, Sheet, Size};
use super::super::source::Source;
use super::super::{Kind, PlotError, Request};
use super::{Series, stack};

pub const KIND: Kind = Kind {
    name: "received-executed",
    shows: "calls received and executed over time, and the regions' CPU utilization",
    reads: "timeseries.csv",
    draw,
};

fn draw(source: &Source, _: &Request, size: Size) -> Result<Sheet, PlotError> {
    let series = Series::read(source)?;
    let rate = |name: &str| -> Result<Vec<f64>, PlotError> {
        let by_region = series.by_region(name)?;
        let length = |i: usize| series.ends[i] - series.times[i];
        Ok((0..series.times.len()).map(|i| by_region.iter().map(|r| r[i]).sum::<f64>() / length(i)).collect())
    };
    let (received, executed) = (rate("received")?, rate("executed")?);
    if received.iter().chain(&executed).all(|x| *x == 0.0) {
        return Err(PlotError::lacks(
            "the run received no calls",
            "jobs and instances are shown by over-time and power",
        ));
    }
    let cpu = series.by_region("cpu_utilization")?;
    let clock = series.clock();

    let mut sheet = Sheet::new(size, false);
    let top = sheet.heading("calls received and executed", &source.said(KIND.reads));
    let first = Pen::new(COLOURS[1], 0.13);
    let second = Pen { dash: DASHES[1], ..Pen::new(COLOURS[0], 0.13) };
    let (thin, thick) = (Pen::new(COLOURS[4], 0.07), Pen::new(COLOURS[0], 0.2));
    let several = series.regions.len() > 1;
    let mut entries =
        vec![(Swatch::Line(first, None), "received".to_owned()), (Swatch::Line(second, None), "executed".to_owned())];
    if several {
        entries.push((Swatch::Line(thin, None), "CPU of a region".to_owned()));
        entries.push((Swatch::Line(thick, None), "mean of the regions".to_owned()));
    }
    let top = legend(&mut sheet, top, &entries);
    let all: Vec<f64> = received.iter().chain(&executed).copied().chain([0.0]).collect();
    let highest = cpu.iter().flatten().fold(0.05, |a: f64, &b| a.max(b)).min(1.0) * 100.0;
    let axes = [
        (Axis::new(Scale::of_figures(&all), "calls", "1/s"), 10.0),
        (Axis::new(Scale::of_figures(&[0.0, highest]), "CPU in use", "%"), 7.5),
    ];
    let x = clock.axis(source, &sheet);
    let (frames, _) = stack(&mut sheet, top, &x, &axes);
    let over = |values: &[f64]| series.stairs(clock.unit_s, values);
    frames[0].line(&mut sheet, &over(&received), first);
    frames[0].line(&mut sheet, &over(&executed), second);
    let percent = |values: &[f64]| -> Vec<f64> { values.iter().map(|x| 100.0 * x).collect() };
    if several {
        for region in &cpu {
            frames[1].line(&mut sheet, &over(&percent(region)), thin);
        }
    }
    let mean: Vec<f64> =
        (0..series.times.len()).map(|i| cpu.iter().map(|r| r[i]).sum::<f64>() / cpu.len() as f64 * 100.0).collect();
    frames[1].line(&mut sheet, &over(&mean), thick);
    Ok(sheet)
}
