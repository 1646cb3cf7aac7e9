//! `oootime,REGION`: a sample of WattTime's marginal signal with one named column per region, in naive UTC.

use crate::grid::SignalKind;
use crate::grid::import::raw::{Raw, Says};
use crate::grid::import::table::Table;
use crate::grid::import::{ImportError, ImportSpec, Place};

/// Whether the header is this format's.
pub(super) fn is_like(table: &Table) -> bool {
    table.exact("oootime").is_some() && table.width() >= 2
}

pub(super) fn read(table: &Table, spec: &ImportSpec) -> Result<Raw, ImportError> {
    let time = table.need("oootime")?;
    let regions: Vec<usize> = (0..table.width()).filter(|&at| at != time).collect();
    let value = match (&spec.column, regions.as_slice()) {
        (Some(column), _) => table.need(column)?,
        (None, [only]) => *only,
        (None, _) => {
            let names: Vec<&str> = regions.iter().map(|&at| table.name(at)).collect();
            let what = format!("{} regions: {}", names.len(), names.join(", "));
            return Err(table.error(Place::Line(1), what, "choose one with column"));
        }
    };
    let mut raw = Raw {
        says: Says {
            zone: Some(table.name(value).to_uppercase()),
            kind: Some(SignalKind::Marginal),
            source: Some("WattTime, sample".into()),
            ..Says::default()
        },
        ..Raw::default()
    };
    raw.take_plain(table, (time, value), true)?;
    Ok(raw)
}
