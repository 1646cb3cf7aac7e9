//! `Time,Carbon Intensity`: the data of Let's Wait Awhile (Wiesner et al., Middleware 2021), in naive UTC.
//!
//! Published method: sum of generation times factor over sum of generation, imports at the factor of their origin, life-cycle
//! medians of the IPCC (2011).

use crate::grid::import::raw::{Raw, Says};
use crate::grid::import::table::Table;
use crate::grid::import::{ImportError, ImportSpec};
use crate::grid::{SignalKind, Unit};

/// Whether the header is this format's.
pub(super) fn is_like(table: &Table) -> bool {
    table.width() == 2 && table.exact("Time").is_some() && table.exact("Carbon Intensity").is_some()
}

pub(super) fn read(table: &Table, _: &ImportSpec) -> Result<Raw, ImportError> {
    let (time, value) = (table.need("Time")?, table.need("Carbon Intensity")?);
    let mut raw = Raw {
        unit: Some(Unit::GPerKwh),
        says: Says {
            kind: Some(SignalKind::Average),
            factor_basis: Some("life cycle, IPCC 2011 medians".into()),
            boundary: Some("production plus imports at the factor of their origin".into()),
            source: Some("Let's Wait Awhile data, from ENTSO-E".into()),
            licence: Some("none stated: do not redistribute".into()),
            ..Says::default()
        },
        ..Raw::default()
    };
    raw.take_plain(table, (time, value), true)?;
    Ok(raw)
}
