//! `timestamp,carbon_intensity`: averages in g/kWh derived from ENTSO-E's generation per type, with `Z` stamps.

use crate::grid::import::raw::{Raw, Says};
use crate::grid::import::table::Table;
use crate::grid::import::{ImportError, ImportSpec};
use crate::grid::{SignalKind, Unit};

/// Whether the header is this format's.
pub(super) fn is_like(table: &Table) -> bool {
    table.exact("timestamp").is_some() && table.exact("carbon_intensity").is_some()
}

pub(super) fn read(table: &Table, _: &ImportSpec) -> Result<Raw, ImportError> {
    let (time, value) = (table.need("timestamp")?, table.need("carbon_intensity")?);
    let mut raw = Raw {
        unit: Some(Unit::GPerKwh),
        says: Says {
            kind: Some(SignalKind::Average),
            source: Some("ENTSO-E generation, derived".into()),
            ..Says::default()
        },
        ..Raw::default()
    };
    raw.take_plain(table, (time, value), false)?;
    Ok(raw)
}
