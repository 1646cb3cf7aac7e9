//! The Electricity Maps portal's CSV: one zone and year, direct and life-cycle values side by side, naive UTC stamps.

use super::pair;
use crate::grid::SignalKind;
use crate::grid::import::raw::{Raw, RawRow, Says};
use crate::grid::import::table::Table;
use crate::grid::import::{ImportError, ImportSpec, Place, units};

/// Whether the header is this format's.
pub(super) fn is_like(table: &Table) -> bool {
    table.with(&["datetime", "utc"]).is_some()
        && table.with(&["zone", "id"]).is_some()
        && columns(table) != (None, None)
}

/// The direct and the life-cycle column: later exports write `life cycle` for `LCA`, and yet later ones `Carbon intensity` in small.
fn columns(table: &Table) -> (Option<usize>, Option<usize>) {
    let lca = table.with(&["carbon", "intensity", "lca"]).or_else(|| table.with(&["carbon", "intensity", "life"]));
    (table.with(&["carbon", "intensity", "direct"]), lca)
}

pub(super) fn read(table: &Table, spec: &ImportSpec) -> Result<Raw, ImportError> {
    let time = table.with(&["datetime", "utc"]).ok_or_else(|| table.lacks("Datetime (UTC)"))?;
    let zone_at = table.with(&["zone", "id"]).ok_or_else(|| table.lacks("Zone Id"))?;
    let estimated = table.with(&["data", "estimated"]);
    let (direct, lca) = columns(table);
    let pair = pair::Pair { direct, lca };
    let (value, basis) = pair.choose(table, spec)?;
    let text = table.name(value);
    let unit_text = text.split_whitespace().find(|part| part.contains('/')).unwrap_or(text).to_owned();
    let mut zones: Vec<&str> = table.rows.iter().map(|(_, r)| &r[zone_at]).collect();
    zones.sort_unstable();
    zones.dedup();
    let zone = match (&spec.zone, zones.as_slice()) {
        (_, [only]) => (*only).to_owned(),
        (Some(wanted), _) if zones.contains(&wanted.as_str()) => wanted.clone(),
        _ => {
            let what = format!("{} zones: {}", zones.len(), zones.join(", "));
            return Err(table.error(Place::File, what, "choose one with zone"));
        }
    };
    let mut raw = Raw {
        unit: units::unit(&unit_text),
        unit_text: Some(unit_text),
        says: Says {
            zone: Some(zone.clone()),
            kind: Some(SignalKind::Average),
            factor_basis: Some(pair::name(basis).into()),
            boundary: Some("consumption mix, flow-traced".into()),
            source: Some("Electricity Maps, portal export".into()),
            licence: Some("ODbL 1.0".into()),
            dataset_version: None,
        },
        ..Raw::default()
    };
    for (place, cells) in table.rows.iter().filter(|(_, cells)| cells[zone_at] == zone) {
        let start = table.instant(*place, &cells[time], true)?;
        let mut row = RawRow::plain(*place, start, table.number(*place, &cells[value])?);
        row.estimated = estimated.map(|at| table.flag(*place, &cells[at])).transpose()?.flatten();
        raw.rows.push(row);
    }
    raw.notes.extend(pair.check(table)?);
    Ok(raw)
}
