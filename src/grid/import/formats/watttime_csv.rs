//! `point_time,value`, as WattTime's client writes it. Neither unit nor signal stands in the file: both are asked for.

use crate::grid::import::raw::{Raw, Says};
use crate::grid::import::table::Table;
use crate::grid::import::{ImportError, ImportSpec};

/// Whether the header is this format's.
pub(super) fn is_like(table: &Table) -> bool {
    table.exact("point_time").is_some() && table.exact("value").is_some()
}

pub(super) fn read(table: &Table, _: &ImportSpec) -> Result<Raw, ImportError> {
    let (time, value) = (table.need("point_time")?, table.need("value")?);
    let mut raw =
        Raw { says: Says { source: Some("WattTime, client export".into()), ..Says::default() }, ..Raw::default() };
    raw.take_plain(table, (time, value), false)?;
    Ok(raw)
}
