//! A scrape of Electricity Maps' live answers: Unix seconds, steps of 20 to 60 minutes, the same hour more than once.

use jiff::Timestamp;

use super::pair;
use crate::grid::SignalKind;
use crate::grid::import::raw::{Raw, RawRow, Says};
use crate::grid::import::table::Table;
use crate::grid::import::{Basis, ImportError, ImportSpec, units};

/// Steps of up to an hour are how this format comes, longer ones are gaps.
const LONGEST_STEP_NS: i64 = 3_600_000_000_000;

/// Whether the header is this format's.
pub(super) fn is_like(table: &Table) -> bool {
    ["timestamp", "carbon_intensity_avg", "carbon_intensity_unit"].iter().all(|c| table.exact(c).is_some())
}

/// A row holds from `timestamp`, when it was read; `zone_datetime` is the hour that it describes.
pub(super) fn read(table: &Table, _: &ImportSpec) -> Result<Raw, ImportError> {
    let time = table.need("timestamp")?;
    let value = table.need("carbon_intensity_avg")?;
    let unit = table.need("carbon_intensity_unit")?;
    let zone = table.need("zone_name")?;
    let status = table.exact("status");
    let mut raw = Raw { longest_step_ns: Some(LONGEST_STEP_NS), ..Raw::default() };
    let mut refused = 0;
    for (place, cells) in &table.rows {
        let seconds = cells[time].parse::<f64>().ok().filter(|s| s.fract() == 0.0 && s.abs() < 1e11);
        let start = seconds.and_then(|s| Timestamp::from_second(s as i64).ok()).ok_or_else(|| {
            let remedy = "write Unix seconds, or say another format";
            table.error(*place, format!("{:?} is no time in Unix seconds", &cells[time]), remedy)
        })?;
        for (what, seen, cell) in
            [("unit", &mut raw.unit_text, &cells[unit]), ("zone", &mut raw.says.zone, &cells[zone])]
        {
            // A row whose request failed has neither.
            if cell.is_empty() {
                continue;
            }
            if let Some(before) = seen.as_ref().filter(|before| *before != cell) {
                let what = format!("{what} {cell}, but {before} before");
                return Err(table.error(*place, what, "split the file"));
            }
            *seen = Some(cell.to_owned());
        }
        let failed =
            status.is_some_and(|at| !["", "ok", "200", "success"].contains(&cells[at].to_lowercase().as_str()));
        refused += usize::from(failed);
        let value = if failed { None } else { table.number(*place, &cells[value])? };
        raw.rows.push(RawRow::plain(*place, start, value));
    }
    if refused > 0 {
        raw.notes.push(format!("{refused} rows have a status other than ok and count as gaps"));
    }
    raw.unit = raw.unit_text.as_deref().and_then(units::unit);
    raw.says = Says {
        kind: Some(SignalKind::Average),
        factor_basis: Some(pair::name(Basis::LifeCycle).into()),
        boundary: Some("consumption mix, flow-traced".into()),
        source: Some("Electricity Maps, live API".into()),
        ..raw.says
    };
    Ok(raw)
}
