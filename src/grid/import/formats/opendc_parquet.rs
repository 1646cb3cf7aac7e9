//! OpenDC's Parquet file of carbon intensity: `timestamp` and `carbon_intensity` in g/kWh.

use std::fs::File;
use std::path::Path;

use jiff::Timestamp;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::super::raw::{Raw, RawRow, Says};
use crate::grid::Unit;
use crate::grid::import::{ImportError, Place, stamp};

/// `timestamp` is milliseconds since 1970, a Parquet timestamp, or text with a zone.
pub(super) fn read(path: &Path, file: &str) -> Result<Raw, ImportError> {
    let unreadable = |e: &dyn std::fmt::Display| {
        let remedy = "check that the file is complete, and compressed with snappy, zstd, gzip or not at all";
        ImportError::new(file, Place::File, format!("not readable as Parquet: {e}"), remedy)
    };
    let reader = File::open(path)
        .map_err(|e| unreadable(&e))
        .and_then(|f| SerializedFileReader::new(f).map_err(|e| unreadable(&e)))?;
    let mut raw = Raw {
        unit: Some(Unit::GPerKwh),
        says: Says { source: Some("OpenDC carbon trace".into()), ..Says::default() },
        ..Raw::default()
    };
    for (at, row) in reader.get_row_iter(None).map_err(|e| unreadable(&e))?.enumerate() {
        let row = row.map_err(|e| unreadable(&e))?;
        let place = Place::Row(at + 1);
        let cell = |name: &str| {
            row.get_column_iter().find(|(n, _)| n.as_str() == name).map(|(_, field)| field).ok_or_else(|| {
                let names: Vec<&str> = row.get_column_iter().map(|(n, _)| n.as_str()).collect();
                let remedy = "OpenDC's columns are timestamp and carbon_intensity";
                ImportError::new(file, Place::File, format!("no column {name}, but {}", names.join(", ")), remedy)
            })
        };
        let outside = |found: &Field| {
            let remedy = "write milliseconds since 1970, a Parquet timestamp, or text with a zone";
            ImportError::new(file, place, format!("timestamp {found} is no instant"), remedy)
        };
        let start = match cell("timestamp")? {
            f @ (Field::TimestampMillis(ms) | Field::Long(ms)) => {
                Timestamp::from_millisecond(*ms).map_err(|_| outside(f))?
            }
            f @ Field::TimestampMicros(us) => Timestamp::from_microsecond(*us).map_err(|_| outside(f))?,
            Field::Str(text) => stamp::instant(text, false, file, place)?,
            f => return Err(outside(f)),
        };
        let value = match cell("carbon_intensity")? {
            Field::Double(x) => Some(*x),
            Field::Float(x) => Some(f64::from(*x)),
            Field::Null => None,
            f => {
                let what = format!("carbon_intensity {f} is no floating-point number");
                return Err(ImportError::new(file, place, what, "write a column of doubles"));
            }
        };
        raw.rows.push(RawRow::plain(place, start, value));
    }
    Ok(raw)
}
