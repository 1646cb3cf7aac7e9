//! Electricity Maps' academic CSV: 80 and more columns, of which averages, and perhaps marginals, are carbon intensity.

use super::pair;
use crate::grid::import::raw::{Raw, RawRow, Says};
use crate::grid::import::table::Table;
use crate::grid::import::{ImportError, ImportSpec, Place};
use crate::grid::{SignalKind, Unit};

const AVERAGE: &str = "carbon_intensity_avg";
const DIRECT: &str = "carbon_intensity_direct_avg";
const MARGINAL: [&str; 2] = ["marginal_carbon_avg", "marginal_forecast_avg"];

/// Whether the header is this format's.
pub(super) fn is_like(table: &Table) -> bool {
    table.exact("datetime").is_some() && table.exact(AVERAGE).is_some()
}

pub(super) fn read(table: &Table, spec: &ImportSpec) -> Result<Raw, ImportError> {
    let time = table.need("datetime")?;
    let marginal = spec.column.as_deref().filter(|c| MARGINAL.iter().any(|m| table.exact(m) == table.exact(c)));
    let pair = pair::Pair { direct: table.exact(DIRECT), lca: table.exact(AVERAGE) };
    let note = pair.check(table)?;
    let (value, mut says) = match marginal {
        Some(column) => {
            // The file states no unit for its marginals: it is asked for.
            (table.need(column)?, Says { kind: Some(SignalKind::Marginal), ..Says::default() })
        }
        None => {
            let (value, basis) = pair.choose(table, spec).map_err(|mut e| {
                e.remedy += "; or choose column: marginal_carbon_avg";
                e
            })?;
            let factor_basis = note.is_none().then(|| pair::name(basis).to_owned());
            (value, Says { kind: Some(SignalKind::Average), factor_basis, ..Says::default() })
        }
    };
    says.boundary = marginal.is_none().then(|| "consumption mix, flow-traced".to_owned());
    says.source = Some("Electricity Maps, academic export".into());
    let zones = table.exact("zone_name");
    if let (Some(at), Some((_, first))) = (zones, table.rows.first()) {
        if let Some((place, other)) = table.rows.iter().find(|(_, r)| r[at] != first[at]) {
            let what = format!("zones {} and {} in one file", &first[at], &other[at]);
            return Err(table.error(*place, what, "split the file by zone"));
        }
        says.zone = Some(first[at].to_owned());
    }
    let updated = table.exact("updated_at");
    let mut raw = Raw { unit: marginal.is_none().then_some(Unit::GPerKwh), says, ..Raw::default() };
    for (place, cells) in &table.rows {
        let start = table.instant(*place, &cells[time], false)?;
        let mut row = RawRow::plain(*place, start, table.number(*place, &cells[value])?);
        if let Some(at) = updated.filter(|&at| !cells[at].is_empty()) {
            row.updated = Some(table.instant(*place, &cells[at], true)?);
        }
        raw.rows.push(row);
    }
    raw.notes.extend(note);
    if table.rows.is_empty() {
        return Err(table.error(Place::File, "no rows", "give a file with values"));
    }
    Ok(raw)
}
