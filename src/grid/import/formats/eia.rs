//! `timestamp,avg_CI`: direct averages of the production mix, derived from EIA-930 hourly generation. Empty cells are gaps.

use crate::grid::import::raw::{Raw, Says};
use crate::grid::import::table::Table;
use crate::grid::import::{ImportError, ImportSpec};
use crate::grid::{SignalKind, Unit};

/// Whether the header is this format's.
pub(super) fn is_like(table: &Table) -> bool {
    table.exact("timestamp").is_some() && table.exact("avg_ci").is_some()
}

pub(super) fn read(table: &Table, _: &ImportSpec) -> Result<Raw, ImportError> {
    let (time, value) = (table.need("timestamp")?, table.need("avg_CI")?);
    let mut raw = Raw {
        unit: Some(Unit::GPerKwh),
        says: Says {
            kind: Some(SignalKind::Average),
            factor_basis: Some("direct".into()),
            boundary: Some("production mix".into()),
            source: Some("EIA-930 hourly generation, derived".into()),
            licence: Some("public domain".into()),
            ..Says::default()
        },
        ..Raw::default()
    };
    raw.take_plain(table, (time, value), false)?;
    Ok(raw)
}
