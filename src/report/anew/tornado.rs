//! The tornado of a run's score: what it would be with one uncertain input low or high, and with all at once.

use std::path::Path;

use super::uncertainty::{range, scale};
use super::{ReportError, write_file};
use crate::plot::{Size, Swing, Tornado, draw_tornado};
use crate::sci::uncertainty::Uncertain;

/// Draws the tornado of a run into an SVG file.
///
/// # Errors
/// The score is undefined, or the picture cannot be written.
pub fn tornado(u: &Uncertain, name: &str, out: &Path) -> Result<(), ReportError> {
    let (units, unit) = scale(u);
    let what = if u.units > 0.0 { "score" } else { "O + M" };
    let swing = |s: &crate::sci::uncertainty::Swing| Swing {
        name: format!("{} ({})", s.name, range(s.input)),
        ends: [s.low_g / units, s.high_g / units],
        variance_share: s.variance_share,
    };
    let picture = Tornado {
        title: format!("{name}: what the uncertainty of the {what} comes from"),
        said: "sim uncertainty: one input at a time, all others at their medians".to_owned(),
        figure: (what.to_owned(), unit),
        central: u.central_g / units,
        swings: u.swings.iter().map(swing).collect(),
        whole: [u.total_g.p05 / units, u.total_g.p95 / units],
    };
    let drawn = draw_tornado(&picture, Size::Screen).and_then(|sheet| sheet.svg());
    let svg = drawn.map_err(|e| ReportError::Table { path: out.to_owned(), what: e.to_string() })?;
    write_file(out, |file| file.write_all(svg.as_bytes()))
}
