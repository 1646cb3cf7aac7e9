//! Figures of finished results, drawn from their tables alone: SVG for print, PNG for screens.
//!
//! One kind of figure is one file in `kinds/`: what it shows, what it reads, how it is drawn; one line in [`CATALOGUE`] makes it exist. A kind draws
//! on a [`Sheet`], from which both files are made, so that they have one layout. What the tables of other rooms' figures share with these
//! (palette, scales, short numbers) stands here, too. `docs/figures.md` explains each kind to its reader.

mod error;
mod frame;
mod kinds;
mod paint;
mod png;
mod points;
mod render;
mod scale;
mod sheet;
mod source;
mod table;
mod text;

use std::path::Path;

pub use error::PlotError;
pub use kinds::tornado::{Swing, Tornado, draw as draw_tornado};
pub use kinds::waterfall::{Step, Waterfall, draw as draw_waterfalls};
pub use paint::{COLOURS, FONT};
pub use scale::Scale;
pub use sheet::{Sheet, Size};
pub use text::{fit, short, width};

use source::Source;

/// What is asked for, beyond the kind.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The figures to show, by their keys.
    pub metrics: Vec<String>,
    /// The axis of a sweep or comparison that is laid out from left to right.
    pub x: Option<String>,
    /// The axis that is laid out upwards (`heat-map`).
    pub y: Option<String>,
    /// The axis with a line per value (`lines`).
    pub series: Option<String>,
}

/// A kind of figure.
pub struct Kind {
    /// What `--kind` and the file are called.
    pub name: &'static str,
    /// What it shows.
    pub shows: &'static str,
    /// The files that it is drawn from.
    pub reads: &'static str,
    draw: fn(&Source, &Request, Size) -> Result<Sheet, PlotError>,
}

/// All kinds of figures.
pub const CATALOGUE: &[Kind] = &[
    kinds::over_time::KIND,
    kinds::power::KIND,
    kinds::cdf::LATENCY,
    kinds::cdf::COLD_START,
    kinds::received::KIND,
    kinds::sci::KIND,
    kinds::frontier::KIND,
    kinds::lines::KIND,
    kinds::heat_map::KIND,
    kinds::waterfall::KIND,
    kinds::tornado::KIND,
];

/// A kind by its name.
///
/// # Errors
/// There is none of this name.
pub fn kind(name: &str) -> Result<&'static Kind, PlotError> {
    let known = || CATALOGUE.iter().map(|k| k.name).collect::<Vec<_>>().join(", ");
    let found = CATALOGUE.iter().find(|k| k.name == name);
    found.ok_or_else(|| PlotError::Unknown { name: name.to_owned(), known: known() })
}

/// Whether a folder is a result.
///
/// # Errors
/// It is none, or its manifest is damaged.
pub fn check(result: &Path) -> Result<(), PlotError> {
    Source::open(result).map(|_| ())
}

impl Kind {
    /// Draws this kind from a result's folder.
    ///
    /// # Errors
    /// The folder is no result, or lacks what the figure shows.
    pub fn draw(&self, result: &Path, request: &Request, size: Size) -> Result<Sheet, PlotError> {
        (self.draw)(&Source::open(result)?, request, size)
    }
}
