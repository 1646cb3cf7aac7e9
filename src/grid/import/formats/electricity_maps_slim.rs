//! `datetime_utc,ci_direct,ci_lca,estimated`: Electricity Maps values cut down to what is needed; `ci_lca` alone is legal.

use super::pair;
use crate::grid::import::raw::{Raw, RawRow, Says};
use crate::grid::import::table::Table;
use crate::grid::import::{ImportError, ImportSpec};
use crate::grid::{SignalKind, Unit};

/// Whether the header is this format's.
pub(super) fn is_like(table: &Table) -> bool {
    table.exact("datetime_utc").is_some() && (table.exact("ci_lca").is_some() || table.exact("ci_direct").is_some())
}

pub(super) fn read(table: &Table, spec: &ImportSpec) -> Result<Raw, ImportError> {
    let time = table.need("datetime_utc")?;
    let pair = pair::Pair { direct: table.exact("ci_direct"), lca: table.exact("ci_lca") };
    let (value, basis) = pair.choose(table, spec)?;
    let estimated = table.exact("estimated");
    let mut raw = Raw {
        unit: Some(Unit::GPerKwh),
        says: Says {
            kind: Some(SignalKind::Average),
            factor_basis: Some(pair::name(basis).into()),
            boundary: Some("consumption mix, flow-traced".into()),
            source: Some("Electricity Maps".into()),
            licence: Some("ODbL 1.0".into()),
            ..Says::default()
        },
        ..Raw::default()
    };
    for (place, cells) in &table.rows {
        let start = table.instant(*place, &cells[time], true)?;
        let mut row = RawRow::plain(*place, start, table.number(*place, &cells[value])?);
        row.estimated = estimated.map(|at| table.flag(*place, &cells[at])).transpose()?.flatten();
        raw.rows.push(row);
    }
    raw.notes.extend(pair.check(table)?);
    Ok(raw)
}
