//! The formats that are read: one file each, and a line in the catalogue below.

mod actual_and_forecast;
mod carbon_aware_sdk;
mod eia;
mod electricity_maps_academic;
mod electricity_maps_api;
mod electricity_maps_live;
mod electricity_maps_portal;
mod electricity_maps_slim;
mod entsoe;
mod lets_wait_awhile;
mod neso;
mod opendc_parquet;
mod pair;
mod slackwater;
mod watttime_api;
mod watttime_csv;
mod watttime_sample;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::entries::Answer;
use super::raw::Raw;
use super::table::Table;
use super::{ImportError, ImportSpec, Place};

/// A format of carbon-intensity files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// CSV of the Electricity Maps portal.
    ElectricityMapsPortal,
    /// `datetime_utc,ci_direct,ci_lca,estimated`.
    ElectricityMapsSlim,
    /// CSV of Electricity Maps for research, 80 and more columns.
    ElectricityMapsAcademic,
    /// Scrape of Electricity Maps' live answers.
    ElectricityMapsLive,
    /// JSON of the Electricity Maps API: history, past range or forecast.
    ElectricityMapsApi,
    /// JSON of the WattTime API, version 3.
    WatttimeApi,
    /// CSV of WattTime's client: `point_time,value`.
    WatttimeCsv,
    /// WattTime sample: `oootime` and one column per region.
    WatttimeSample,
    /// JSON of the UK's carbon intensity API.
    Neso,
    /// JSON of the Green Software Foundation's SDK.
    CarbonAwareSdk,
    /// Parquet of OpenDC.
    OpendcParquet,
    /// `timestamp,avg_CI`, derived from EIA-930.
    Eia,
    /// `timestamp,carbon_intensity`, derived from ENTSO-E.
    Entsoe,
    /// `Time,Carbon Intensity`, as Let's Wait Awhile has it.
    LetsWaitAwhile,
    /// `UTC time,carbon_intensity,avg_carbon_intensity_forecast`.
    ActualAndForecast,
    /// What `sim grid import` writes.
    Slackwater,
}

/// How a CSV format is known and read.
type OfTable = (Format, &'static str, fn(&Table) -> bool, fn(&Table, &ImportSpec) -> Result<Raw, ImportError>);
/// How a JSON format is known and read.
type OfAnswer = (Format, &'static str, fn(&Answer) -> bool, fn(&Answer, &ImportSpec) -> Result<Raw, ImportError>);

/// The CSV formats with their names.
const TABLES: [OfTable; 11] = {
    use Format as F;
    [
        (F::Slackwater, "slackwater", slackwater::is_like, slackwater::read),
        (
            F::ElectricityMapsPortal,
            "electricity-maps-portal",
            electricity_maps_portal::is_like,
            electricity_maps_portal::read,
        ),
        (F::ElectricityMapsSlim, "electricity-maps-slim", electricity_maps_slim::is_like, electricity_maps_slim::read),
        (F::ElectricityMapsLive, "electricity-maps-live", electricity_maps_live::is_like, electricity_maps_live::read),
        (
            F::ElectricityMapsAcademic,
            "electricity-maps-academic",
            electricity_maps_academic::is_like,
            electricity_maps_academic::read,
        ),
        (F::WatttimeCsv, "watttime-csv", watttime_csv::is_like, watttime_csv::read),
        (F::WatttimeSample, "watttime-sample", watttime_sample::is_like, watttime_sample::read),
        (F::Eia, "eia", eia::is_like, eia::read),
        (F::ActualAndForecast, "actual-and-forecast", actual_and_forecast::is_like, actual_and_forecast::read),
        (F::Entsoe, "entsoe", entsoe::is_like, entsoe::read),
        (F::LetsWaitAwhile, "lets-wait-awhile", lets_wait_awhile::is_like, lets_wait_awhile::read),
    ]
};

/// The JSON formats with their names.
const ANSWERS: [OfAnswer; 4] = {
    use Format as F;
    [
        (F::ElectricityMapsApi, "electricity-maps-api", electricity_maps_api::is_like, electricity_maps_api::read),
        (F::WatttimeApi, "watttime-api", watttime_api::is_like, watttime_api::read),
        (F::Neso, "neso", neso::is_like, neso::read),
        (F::CarbonAwareSdk, "carbon-aware-sdk", carbon_aware_sdk::is_like, carbon_aware_sdk::read),
    ]
};

const PARQUET: &str = "opendc-parquet";

impl Format {
    /// The format's name, as a scenario writes it.
    pub fn name(self) -> &'static str {
        let tables = TABLES.iter().map(|t| (t.0, t.1));
        let answers = ANSWERS.iter().map(|a| (a.0, a.1));
        tables.chain(answers).find(|(format, _)| *format == self).map_or(PARQUET, |(_, name)| name)
    }

    /// All names.
    pub fn names() -> Vec<&'static str> {
        TABLES.iter().map(|t| t.1).chain(ANSWERS.iter().map(|a| a.1)).chain([PARQUET]).collect()
    }
}

/// Reads a file in the format that its content or, if given, `spec.format` says.
pub(super) fn read(path: &Path, file: &str, bytes: &[u8], spec: &ImportSpec) -> Result<(Raw, Format), ImportError> {
    let parquet = bytes.starts_with(b"PAR1");
    let first = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).iter().find(|b| !b.is_ascii_whitespace());
    let Some(first) = first else {
        let remedy = "fetch the span again: some providers answer so, with success, while data are late";
        return Err(ImportError::new(file, Place::File, "the file is empty", remedy));
    };
    let unknown = |found: String| {
        let remedy = format!("say the format: one of {}", Format::names().join(", "));
        ImportError::new(file, Place::File, format!("unknown format: {found}"), remedy)
    };
    let other = |is: &str| {
        let wanted = spec.format.map_or("", Format::name);
        ImportError::new(file, Place::File, format!("is {is}, and {wanted} is not"), "correct or leave away format")
    };
    if parquet {
        return match spec.format {
            None | Some(Format::OpendcParquet) => Ok((opendc_parquet::read(path, file)?, Format::OpendcParquet)),
            Some(_) => Err(other("Parquet")),
        };
    }
    if matches!(first, b'{' | b'[') {
        let answer = Answer::read(bytes, file)?;
        let found = match spec.format {
            None => ANSWERS.iter().find(|a| (a.2)(&answer)).ok_or_else(|| {
                let keys = answer.root.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>().join(", "));
                unknown(format!("JSON {}", keys.map_or("list".into(), |k| format!("with the keys {k}"))))
            })?,
            Some(format) => ANSWERS.iter().find(|a| a.0 == format).ok_or_else(|| other("JSON"))?,
        };
        return Ok(((found.3)(&answer, spec)?, found.0));
    }
    // Comments are lines of our own files only.
    let table = Table::read(bytes, file, *first == b'#')?;
    let found = match spec.format {
        None => TABLES
            .iter()
            .find(|t| (t.2)(&table))
            .ok_or_else(|| unknown(format!("CSV with the header {:?}", table.header())))?,
        Some(format) => TABLES.iter().find(|t| t.0 == format).ok_or_else(|| other("no JSON and no Parquet"))?,
    };
    Ok(((found.3)(&table, spec)?, found.0))
}
