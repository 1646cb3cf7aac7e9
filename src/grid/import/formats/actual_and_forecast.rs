//! `UTC time,carbon_intensity,avg_carbon_intensity_forecast`: what happened and one day-ahead forecast per hour.

use crate::grid::import::raw::{Raw, RawRow, Says};
use crate::grid::import::table::Table;
use crate::grid::import::{ImportError, ImportSpec, Place, Which};
use crate::grid::{SignalKind, Unit};

const ACTUAL: &str = "carbon_intensity";
const FORECAST: &str = "avg_carbon_intensity_forecast";

/// Whether the header is this format's.
pub(super) fn is_like(table: &Table) -> bool {
    ["UTC time", ACTUAL, FORECAST].iter().all(|c| table.exact(c).is_some())
}

pub(super) fn read(table: &Table, spec: &ImportSpec) -> Result<Raw, ImportError> {
    let time = table.need("UTC time")?;
    let which = spec.value.ok_or_else(|| {
        let what = format!("`{ACTUAL}` and `{FORECAST}` stand side by side");
        table.error(Place::Line(1), what, "choose value: actual or forecast")
    })?;
    let (value, name) = match which {
        Which::Actual => (table.need(ACTUAL)?, "actual"),
        Which::Forecast => (table.need(FORECAST)?, "day-ahead forecast"),
    };
    let mut raw = Raw {
        unit: Some(Unit::GPerKwh),
        says: Says {
            kind: Some(SignalKind::Average),
            source: Some(format!("actual-and-forecast table, {name}")),
            ..Says::default()
        },
        ..Raw::default()
    };
    for (place, cells) in &table.rows {
        let start = table.instant(*place, &cells[time], true)?;
        let mut row = RawRow::plain(*place, start, table.number(*place, &cells[value])?);
        row.estimated = (which == Which::Forecast).then_some(true);
        raw.rows.push(row);
    }
    Ok(raw)
}
