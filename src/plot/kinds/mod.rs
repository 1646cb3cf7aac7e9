//! The kinds of figures, one file each.

pub mod cdf;
pub mod frontier;
pub mod heat_map;
pub mod lines;
pub mod over_time;
pub mod power;
pub mod received;
pub mod sci;
pub mod tornado;
pub mod waterfall;

use super::frame::{Axis, Frame};
use super::points::Points;
use super::scale::Scale;
use super::sheet::{Area, Sheet};
use super::source::Source;
use super::table::Table;
use super::{PlotError, Request};

/// A rest of a step at the run's end that is shorter than this part of a step is not drawn.
const REST: f64 = 0.1;

/// The rows of timeseries.csv by step and region.
pub(super) struct Series {
    pub table: Table,
    /// Starts of the steps \[s\].
    pub times: Vec<f64>,
    pub regions: Vec<String>,
    /// Ends of the steps \[s\]: the last one may be shorter.
    pub ends: Vec<f64>,
}

impl Series {
    pub(super) fn read(source: &Source) -> Result<Self, PlotError> {
        let table = Table::read(&source.path("timeseries.csv"))?;
        let region = table.column("region")?;
        let mut regions: Vec<String> = Vec::new();
        for row in 0..table.len() {
            let name = table.text(row, region);
            if regions.iter().any(|r| r == name) {
                break;
            }
            regions.push(name.to_owned());
        }
        let mut times = table.numbers("time_s")?;
        times.dedup();
        if times.len() < 2 {
            return Err(PlotError::lacks(
                "timeseries.csv has fewer than two steps",
                "run again with a smaller output.step_s, or for longer",
            ));
        }
        if table.len() != times.len() * regions.len() {
            return Err(PlotError::table(&table.path, "its steps do not all have the same regions"));
        }
        let step_s = times[1] - times[0];
        let last = times[times.len() - 1];
        let end = end_s(source).filter(|end| *end > last && *end < last + step_s).unwrap_or(last + step_s);
        let (end, last) = if end - last < REST * step_s { (last, times.len() - 1) } else { (end, times.len()) };
        times.truncate(last);
        let ends = times.iter().skip(1).copied().chain([end]).collect();
        Ok(Self { table, times, regions, ends })
    }

    /// A figure by step as stairs over time in a unit.
    pub(super) fn stairs(&self, unit_s: f64, values: &[f64]) -> Vec<(f64, f64)> {
        let steps = self.times.iter().zip(&self.ends).zip(values);
        steps.flat_map(|((&from, &to), &x)| [(from / unit_s, x), (to / unit_s, x)]).collect()
    }

    /// A column of each region, by step.
    pub(super) fn by_region(&self, name: &str) -> Result<Vec<Vec<f64>>, PlotError> {
        let all = self.table.numbers(name)?;
        let n = self.regions.len();
        Ok((0..n).map(|r| all.iter().skip(r).step_by(n).take(self.times.len()).copied().collect()).collect())
    }

    pub(super) fn clock(&self) -> Clock {
        Clock::of(self.ends.last().copied().unwrap_or(0.0))
    }
}

/// When a run ended \[s\], as its summary says.
fn end_s(source: &Source) -> Option<f64> {
    let table = Table::read(&source.path("summary.csv")).ok()?;
    let (key, value) = (table.find("key")?, table.find("value")?);
    (0..table.len())
        .find(|&row| table.text(row, key) == "run.simulated_s")
        .and_then(|row| table.number(row, value).ok())
}

/// A time axis in hours or days.
pub(super) struct Clock {
    end: f64,
    /// Seconds of its unit.
    pub unit_s: f64,
    name: &'static str,
}

impl Clock {
    pub(super) fn of(end_s: f64) -> Self {
        let (unit_s, name) = if end_s > 4.0 * 86_400.0 { (86_400.0, "d") } else { (3600.0, "h") };
        Self { end: end_s / unit_s, unit_s, name }
    }

    pub(super) fn axis(&self, source: &Source, sheet: &Sheet) -> Axis {
        let start = source.start();
        let name = if start.is_empty() { "time from the run's start".to_owned() } else { format!("time from {start}") };
        Axis::new(Scale::of_time(self.end, (sheet.across() / 4.0).min(12.0)), name, self.name)
    }
}

/// Stacks panels over one horizontal axis from `top` on, and says where they end.
pub(super) fn stack(sheet: &mut Sheet, top: f64, x: &Axis, panels: &[(Axis, f64)]) -> (Vec<Frame>, f64) {
    let em = sheet.em;
    let left = panels.iter().map(|(y, high)| y.room(sheet, sheet.high(*high))).fold(0.0, f64::max);
    let mut y = top;
    let mut frames = Vec::new();
    for (i, (axis, high)) in panels.iter().enumerate() {
        let last = i + 1 == panels.len();
        let area =
            Area { left, top: y + 0.4 * em, right: sheet.width - 1.2 * em, bottom: y + 0.4 * em + sheet.high(*high) };
        let x = if last { x.clone() } else { x.clone().silent() };
        frames.push(Frame::draw(sheet, area, &x, axis));
        y = area.bottom + super::frame::below(sheet, last);
    }
    sheet.height = y;
    (frames, y)
}

/// The figures that are asked for, or the first that the result was analysed by.
pub(super) fn metrics(
    points: &Points,
    request: &Request,
    fallback: &[&str],
    most: usize,
) -> Result<Vec<String>, PlotError> {
    for key in &request.metrics {
        points.unit(key)?;
    }
    if !request.metrics.is_empty() {
        return Ok(request.metrics.clone());
    }
    let defined = |key: &&str| points.means(key).iter().any(|x| x.is_finite());
    let known: Vec<String> = fallback.iter().filter(|k| defined(k)).take(most).map(|k| (*k).to_owned()).collect();
    if known.is_empty() {
        Err(PlotError::lacks("no figure of the result is defined", "name one with --metric"))
    } else {
        Ok(known)
    }
}
