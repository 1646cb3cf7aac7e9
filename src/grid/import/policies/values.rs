//! Values become grams per kilowatt-hour: negative ones are an error, zeros are counted, NaN is a gap.

use crate::grid::import::raw::RawRow;
use crate::grid::import::{ImportError, units};
use crate::grid::{Quantity, Unit};

/// Converts all values; how many are zero.
pub(in crate::grid::import) fn convert(rows: &mut [RawRow], unit: Unit, file: &str) -> Result<usize, ImportError> {
    let mut zeros = 0;
    for row in rows {
        row.value = row.value.filter(|v| !v.is_nan());
        let Some(value) = &mut row.value else { continue };
        let fails = |what: String, remedy: &str| Err(ImportError::new(file, row.place, what, remedy));
        if value.is_infinite() {
            return fails(format!("{value} is not finite"), "correct the value, or leave the cell empty");
        }
        if *value < 0.0 {
            let what = format!("{value} {} is negative; {} must be >= 0", units::name(unit), Quantity::INTENSITY.name);
            return fails(what, "correct the value, or leave the cell empty and choose what becomes of gaps");
        }
        *value *= unit.factor();
        zeros += usize::from(*value == 0.0);
    }
    Ok(zeros)
}
