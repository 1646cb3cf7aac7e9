//! Figures of a finished run, drawn from its tables alone.

use std::path::{Path, PathBuf};

use plotters::prelude::*;

/// Why a figure cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// The table cannot be read.
    #[error("cannot read {}: {what}\n  help: give a results folder of sim run", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The picture cannot be written.
    #[error("cannot draw {}: {what}", path.display())]
    Draw {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        what: String,
    },
}

/// The whole fleet over time: one entry per step.
struct Fleet {
    days: Vec<f64>,
    step_s: f64,
    received: Vec<f64>,
    executed: Vec<f64>,
    /// Utilization of each region, by step.
    utilization: Vec<Vec<f64>>,
}

fn read(path: &Path) -> Result<Fleet, PlotError> {
    let failed = |what: String| PlotError::Table { path: path.to_owned(), what };
    let mut reader = csv::Reader::from_path(path).map_err(|e| failed(e.to_string()))?;
    let header = reader.headers().map_err(|e| failed(e.to_string()))?.clone();
    let column =
        |name: &str| header.iter().position(|h| h == name).ok_or_else(|| failed(format!("column {name} is missing")));
    let (time, received, executed) = (column("time_s")?, column("received")?, column("executed")?);
    let cpu = column("cpu_utilization")?;
    let mut fleet =
        Fleet { days: Vec::new(), step_s: 0.0, received: Vec::new(), executed: Vec::new(), utilization: Vec::new() };
    for record in reader.records() {
        let record = record.map_err(|e| failed(e.to_string()))?;
        let number = |at: usize| -> Result<f64, PlotError> {
            record[at].parse().map_err(|_| failed(format!("\"{}\" is not a number", &record[at])))
        };
        let day = number(time)? / 86_400.0;
        if fleet.days.last() != Some(&day) {
            fleet.days.push(day);
            fleet.received.push(0.0);
            fleet.executed.push(0.0);
            fleet.utilization.push(Vec::new());
        }
        let last = fleet.days.len() - 1;
        fleet.received[last] += number(received)?;
        fleet.executed[last] += number(executed)?;
        fleet.utilization[last].push(number(cpu)?);
    }
    if fleet.days.len() < 2 {
        return Err(failed("it has fewer than two steps; choose a smaller output.step_s".to_owned()));
    }
    fleet.step_s = (fleet.days[1] - fleet.days[0]) * 86_400.0;
    Ok(fleet)
}

/// Draws calls received and executed over time, and the CPU utilization of every region, into one SVG file.
///
/// # Errors
/// The time series cannot be read or the picture cannot be written.
pub fn received_executed(result: &Path, out: &Path) -> Result<(), PlotError> {
    let fleet = read(&result.join("timeseries.csv"))?;
    draw(&fleet, out).map_err(|e| PlotError::Draw { path: out.to_owned(), what: e.to_string() })
}

const BLUE: RGBColor = RGBColor(0, 114, 178);
const ORANGE: RGBColor = RGBColor(213, 94, 0);
const FONT: &str = "DejaVu Sans, Helvetica, Arial, sans-serif";

fn draw(fleet: &Fleet, out: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::new(out, (960, 560)).into_drawing_area();
    root.fill(&WHITE)?;
    let (top, bottom) = root.split_vertically(330);
    let end = fleet.days.last().copied().unwrap_or(1.0) + fleet.step_s / 86_400.0;
    let rate = |calls: &[f64]| -> Vec<(f64, f64)> {
        fleet.days.iter().zip(calls).map(|(&d, &n)| (d, n / fleet.step_s)).collect()
    };
    let (received, executed) = (rate(&fleet.received), rate(&fleet.executed));
    let most = received.iter().chain(&executed).map(|p| p.1).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(&top)
        .margin(12)
        .x_label_area_size(30)
        .y_label_area_size(64)
        .caption("Calls received and executed", (FONT, 18))
        .build_cartesian_2d(0.0..end, 0.0..most * 1.05)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .y_desc("calls per second")
        .axis_desc_style((FONT, 15))
        .label_style((FONT, 14))
        .draw()?;
    for (points, colour, label) in [(received, ORANGE, "received"), (executed, BLUE, "executed")] {
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], colour.stroke_width(3)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .label_font((FONT, 15))
        .draw()?;

    let highest = fleet.utilization.iter().flatten().fold(0.0f64, |a, &b| a.max(b)).max(0.05);
    let mut chart = ChartBuilder::on(&bottom)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(64)
        .caption("CPU utilization: every region (thin) and their mean (thick)", (FONT, 18))
        .build_cartesian_2d(0.0..end, 0.0..(highest * 105.0).min(105.0))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .x_desc("days from the run's start")
        .y_desc("percent")
        .axis_desc_style((FONT, 15))
        .label_style((FONT, 14))
        .draw()?;
    let regions = fleet.utilization.iter().map(Vec::len).min().unwrap_or(0);
    for r in 0..regions {
        let points = fleet.days.iter().zip(&fleet.utilization).map(|(&d, u)| (d, 100.0 * u[r]));
        chart.draw_series(LineSeries::new(points, BLUE.mix(0.25).stroke_width(1)))?;
    }
    let mean = fleet.days.iter().zip(&fleet.utilization);
    let mean = mean.map(|(&d, u)| (d, 100.0 * u.iter().sum::<f64>() / u.len() as f64));
    chart.draw_series(LineSeries::new(mean, BLUE.stroke_width(3)))?;
    root.present()?;
    Ok(())
}
