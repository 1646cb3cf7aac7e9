//! Our own format, what `sim grid import` writes; see [`crate::grid::file`] for its head.

use crate::grid::Unit;
use crate::grid::file::Head;
use crate::grid::import::raw::{Raw, RawRow, Says};
use crate::grid::import::table::Table;
use crate::grid::import::{ImportError, ImportSpec};

/// Whether the header is this format's.
pub(super) fn is_like(table: &Table) -> bool {
    table.exact("time_utc").is_some() && table.exact("g_per_kwh").is_some()
}

pub(super) fn read(table: &Table, _: &ImportSpec) -> Result<Raw, ImportError> {
    let (time, value) = (table.need("time_utc")?, table.need("g_per_kwh")?);
    let estimated = table.exact("estimated");
    let mut raw = Raw { unit: Some(Unit::GPerKwh), longest_step_ns: Some(i64::MAX), ..Raw::default() };
    for (place, cells) in &table.rows {
        let start = table.instant(*place, &cells[time], false)?;
        let mut row = RawRow::plain(*place, start, table.number(*place, &cells[value])?);
        row.estimated = estimated.map(|at| table.flag(*place, &cells[at])).transpose()?.flatten();
        raw.rows.push(row);
    }
    if let Some(head) = Head::of(table.comments(), &table.file)? {
        if let Some(last) = raw.rows.last_mut() {
            last.end = Some(head.end_instant(&table.file)?);
        }
        raw.longest_step_ns = Some((head.longest_step_s * 1e9).round() as i64);
        raw.unit_text = Some(head.unit_original);
        raw.synthetic = Some((head.synthetic, head.seed));
        raw.says = Says {
            zone: Some(head.zone),
            kind: Some(head.kind),
            factor_basis: Some(head.factor_basis),
            boundary: Some(head.boundary),
            source: Some(head.source),
            licence: Some(head.licence),
            dataset_version: Some(head.dataset_version),
        };
    }
    Ok(raw)
}
