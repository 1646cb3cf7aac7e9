//! `power`: the facility's power by cause over the run, stacked: IT first, then overhead and network, with a line between.
//!
//! Reads ledger.parquet and ledger.json. Power of a bin \[kW\] = energy of the bin, summed over regions, over its length. Bins are averaged where there
//! are more than the picture can show.

use std::fs::{self, File};

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use plotters::style::BLACK;
use serde_json::Value as Json;

use super::super::frame::{Axis, Frame, Swatch, below, legend};
use super::super::paint::{CAUSES, IT_CAUSES};
use super::super::scale::Scale;
use super::super::sheet::{Area, Pen, Sheet, Size};
use super::super::source::Source;
use super::super::{Kind, PlotError, Request};
use super::Clock;

pub const KIND: Kind =
    Kind { name: "power", shows: "power by cause over time", reads: "ledger.parquet, ledger.json", draw };

/// More bins than this are averaged.
const MOST: usize = 480;

/// The ledger's columns that make up each of [`CAUSES`].
const COLUMNS: [&[&str]; 8] = [
    &["execution_dynamic_j", "execution_baseline_j"],
    &["cold_start_dynamic_j", "cold_start_baseline_j"],
    &["warm_idle_j"],
    &["idle_host_j"],
    &["boot_j"],
    &["off_j"],
    &["pue_overhead_j"],
    &["network_j"],
];

/// Mean power of each cause between instants.
struct Power {
    /// Ends of the stretches \[s\], from 0 on.
    edges: Vec<f64>,
    /// By stretch and cause \[kW\].
    kw: Vec<[f64; 8]>,
}

fn read(source: &Source) -> Result<Power, PlotError> {
    let (parquet, json) = (source.path("ledger.parquet"), source.path("ledger.json"));
    if !parquet.is_file() || !json.is_file() {
        return Err(PlotError::lacks(
            "the result has no ledger.parquet",
            "give the folder of a single run; a comparison keeps those of its runs with keep = \"all\"",
        ));
    }
    let text = fs::read_to_string(&json).map_err(|e| PlotError::table(&json, e))?;
    let facts: Json = serde_json::from_str(&text).map_err(|e| PlotError::table(&json, e))?;
    let seconds = |key: &str| {
        let ns = facts[key].as_f64().filter(|ns| *ns > 0.0);
        ns.map(|ns| ns * 1e-9).ok_or_else(|| PlotError::table(&json, format!("{key} is missing")))
    };
    let (end_s, step_s) = (seconds("end_ns")?, seconds("step_ns")?);
    let failed = |e: parquet::errors::ParquetError| PlotError::table(&parquet, e);
    let file = File::open(&parquet).map_err(|e| PlotError::table(&parquet, e))?;
    let reader = SerializedFileReader::new(file).map_err(failed)?;
    let mut joules: Vec<[f64; 8]> = Vec::new();
    for row in reader.get_row_iter(None).map_err(failed)? {
        let row = row.map_err(failed)?;
        let (mut bin, mut own) = (None, [0.0; 8]);
        for (name, field) in row.get_column_iter() {
            match field {
                Field::Int(n) if name == "bin" => bin = usize::try_from(*n).ok(),
                Field::Double(j) => {
                    if let Some(cause) = COLUMNS.iter().position(|c| c.contains(&name.as_str())) {
                        own[cause] += j;
                    }
                }
                _ => {}
            }
        }
        let bin = bin.ok_or_else(|| PlotError::table(&parquet, "column bin is missing"))?;
        if joules.len() <= bin {
            joules.resize(bin + 1, [0.0; 8]);
        }
        joules[bin].iter_mut().zip(own).for_each(|(sum, j)| *sum += j);
    }
    if joules.is_empty() {
        return Err(PlotError::table(&parquet, "it has no rows"));
    }
    let each = joules.len().div_ceil(MOST);
    let mut stretches: Vec<(f64, [f64; 8])> = Vec::new();
    for (i, part) in joules.chunks(each).enumerate() {
        let to = ((i * each + part.len()) as f64 * step_s).min(end_s);
        let before = stretches.last().map_or(0.0, |s| s.0);
        // A rest of a bin at the end is no stretch of its own: it counts to the one before.
        if to - before < 0.5 * each as f64 * step_s && i > 0 {
            stretches.last_mut().expect("a stretch is before it").0 = to;
        } else {
            stretches.push((to, [0.0; 8]));
        }
        let sum = &mut stretches.last_mut().expect("pushed above").1;
        part.iter().for_each(|bin| sum.iter_mut().zip(bin).for_each(|(s, j)| *s += j));
    }
    let (mut edges, mut kw) = (vec![0.0], Vec::new());
    for (to, joules) in stretches {
        let from = edges.last().copied().unwrap_or(0.0);
        kw.push(joules.map(|j| j / (to - from).max(1e-9) / 1000.0));
        edges.push(to);
    }
    Ok(Power { edges, kw })
}

fn draw(source: &Source, _: &Request, size: Size) -> Result<Sheet, PlotError> {
    let power = read(source)?;
    let clock = Clock::of(power.edges.last().copied().unwrap_or(0.0));
    let mut sheet = Sheet::new(size, false);
    let top = sheet.heading(KIND.shows, &source.said(KIND.reads));
    let drawn: Vec<usize> = (0..CAUSES.len()).filter(|&c| power.kw.iter().any(|p| p[c] > 0.0)).collect();
    // Read like the stack: what is on top comes first.
    let boxes = drawn.iter().rev().map(|&c| (Swatch::Box(CAUSES[c].2, 1.0), CAUSES[c].1.to_owned()));
    let line = (Swatch::Line(Pen::new(BLACK, 0.1), None), "IT in total".to_owned());
    let entries: Vec<(Swatch, String)> = boxes.chain([line]).collect();
    let top = legend(&mut sheet, top, &entries);
    let most = power.kw.iter().map(|p| p.iter().sum::<f64>()).fold(0.0, f64::max);
    let (unit, factor) = if most >= 1000.0 { ("MW", 1e-3) } else { ("kW", 1.0) };
    let y = Axis::new(Scale::of_figures(&[0.0, most * factor]), "mean power", unit);
    let x = clock.axis(source, &sheet);
    let em = sheet.em;
    let high = sheet.high(14.0);
    let area = Area {
        left: y.room(&sheet, high),
        top: top + 0.4 * em,
        right: sheet.width - 1.2 * em,
        bottom: top + 0.4 * em + high,
    };
    let frame = Frame::draw(&mut sheet, area, &x, &y);
    let edges: Vec<f64> = power.edges.iter().map(|t| t / clock.unit_s).collect();
    let mut floor = vec![0.0; power.kw.len()];
    for &c in &drawn {
        let roof: Vec<f64> = floor.iter().zip(&power.kw).map(|(low, p)| low + p[c] * factor).collect();
        let steps: Vec<(f64, f64, f64)> =
            (0..roof.len()).flat_map(|i| [(edges[i], floor[i], roof[i]), (edges[i + 1], floor[i], roof[i])]).collect();
        frame.band(&mut sheet, &steps, CAUSES[c].2, 1.0);
        floor = roof;
    }
    let it: Vec<f64> = power.kw.iter().map(|p| p[..IT_CAUSES].iter().sum::<f64>() * factor).collect();
    let line: Vec<(f64, f64)> = (0..it.len()).flat_map(|i| [(edges[i], it[i]), (edges[i + 1], it[i])]).collect();
    frame.line(&mut sheet, &line, Pen::new(BLACK, 0.1));
    sheet.height = area.bottom + below(&sheet, true);
    Ok(sheet)
}
