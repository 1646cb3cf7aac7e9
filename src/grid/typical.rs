//! The embedded default: typical days of 19 zones in 2022, and synthetic signals drawn around them.
//!
//! Both files are compiled in from `data/grid/`; origin, licence and hashes are in `data/SOURCES.md`. Electricity Maps
//! zones are under the ODbL 1.0: results that publish these numbers name Electricity Maps, and databases derived from them
//! are shared alike.

use std::sync::OnceLock;

use jiff::tz::Offset;
use jiff::{Timestamp, civil};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{GridError, Signal, SignalInfo, SignalKind};
use crate::types::{Duration, Seed, Stream};

const ZONES: &str = include_str!("../../data/grid/zones.csv");
const DAYS: &str = include_str!("../../data/grid/typical_day_by_month.csv");
const HOUR_NS: i64 = 3_600_000_000_000;

/// How a synthetic signal departs from the typical day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Residual {
    /// An hourly AR(1) process with the zone's standard deviation and lag-1 autocorrelation: weather, demand, outages.
    Ar1 {},
    /// Nothing: every day of a month is its typical day. Understates what shifting can save between days.
    None {},
}

impl Default for Residual {
    fn default() -> Self {
        Residual::Ar1 {}
    }
}

/// One zone of the embedded data: its year in figures and its typical days.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoneInfo {
    /// The provider's code.
    pub zone: String,
    /// Origin of the hourly values.
    pub source: String,
    /// Emission factors (direct, life cycle).
    pub factor_basis: String,
    /// Production or consumption mix.
    pub boundary: String,
    /// Terms of use.
    pub licence: String,
    /// Hours with a value in 2022.
    pub hours: u32,
    /// Mean of the year [g/kWh].
    pub mean_g_per_kwh: f64,
    /// Lowest hour of the year [g/kWh].
    pub min_g_per_kwh: f64,
    /// Highest hour of the year [g/kWh].
    pub max_g_per_kwh: f64,
    /// Standard deviation of value - mean of its month and hour [g/kWh], population.
    pub residual_sd_g_per_kwh: f64,
    /// Correlation of that residual with the one of the hour before.
    pub residual_lag1_autocorrelation: f64,
    /// Mean by month (0 is January) and UTC hour [g/kWh].
    pub typical_g_per_kwh: [[f64; 24]; 12],
}

/// One row of `zones.csv`.
#[derive(Deserialize)]
struct ZoneRow {
    zone: String,
    source: String,
    factor_basis: String,
    licence: String,
    hours: u32,
    mean_g_per_kwh: f64,
    min_g_per_kwh: f64,
    max_g_per_kwh: f64,
    residual_sd_g_per_kwh: f64,
    residual_lag1_autocorrelation: f64,
}

/// One row of `typical_day_by_month.csv`; its p10 and p90 are not used here.
#[derive(Deserialize)]
struct DayRow {
    zone: String,
    month: usize,
    hour_utc: usize,
    mean_g_per_kwh: f64,
}

/// The embedded typical days.
#[derive(Debug)]
pub struct Typical {
    zones: Vec<ZoneInfo>,
    sha256: String,
}

impl Typical {
    /// The embedded data, read once.
    fn get() -> &'static Typical {
        static DATA: OnceLock<Typical> = OnceLock::new();
        DATA.get_or_init(|| {
            let mut zones: Vec<ZoneInfo> = ::csv::Reader::from_reader(ZONES.as_bytes())
                .deserialize::<ZoneRow>()
                .map(|row| ZoneInfo::from(row.expect("embedded zones.csv is well-formed: a test reads it")))
                .collect();
            for row in ::csv::Reader::from_reader(DAYS.as_bytes()).deserialize() {
                let row: DayRow = row.expect("embedded typical_day_by_month.csv is well-formed: a test reads it");
                let zone = zones.iter_mut().find(|z| z.zone == row.zone).expect("embedded files hold the same zones");
                zone.typical_g_per_kwh[row.month - 1][row.hour_utc] = row.mean_g_per_kwh;
            }
            let sha256 = super::csv::hex(&Sha256::digest(DAYS.as_bytes()));
            Typical { zones, sha256 }
        })
    }

    /// All embedded zones, in the order of the file.
    pub fn zones() -> &'static [ZoneInfo] {
        &Typical::get().zones
    }

    /// The zone of this exact name.
    ///
    /// Errors: an unknown name, with the nearest known one and the list of all.
    pub fn zone(name: &str) -> Result<&'static ZoneInfo, GridError> {
        Typical::zones().iter().find(|z| z.zone == name).ok_or_else(|| GridError::UnknownZone {
            zone: name.into(),
            hint: nearest(name).map(|z| format!("; did you mean {z:?}?")).unwrap_or_default(),
            known: Typical::zones().iter().map(|z| z.zone.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// An hourly signal [g/kWh] of `zone` from `start_utc` for at least `horizon`.
    ///
    /// Formula: value = mean of its UTC month and hour + x_t, clamped to the year's minimum and maximum of the zone, with
    /// x_0 ~ N(0, sd²) and x_t = rho x_(t-1) + sd sqrt(1 - rho²) e_t (stationary from the start), sd and rho being the
    /// zone's. Intervals begin on UTC hours: the first one holds `start_utc` and may begin before the run, the last one ends
    /// on the first UTC hour at or after the horizon.
    /// Draws: one normal per interval from a stream of its own per zone, the first for the interval that holds the run's
    /// start. No draw precedes it, a longer horizon keeps the beginning, another zone changes nothing, but another start
    /// hour gives another residual for the same calendar hour.
    /// Source: typical days and residual figures derived from hourly data of 2022 (`data/SOURCES.md`). The years other than
    /// 2022 are not modelled: a start in 2026 gets the days of 2022.
    /// Errors: AR(1) has the right hour-to-hour memory but no weekly cycle, one sd for all months and no skew (the data have
    /// skewness +2.0 in NO, -1.2 in US-PJM, within ±0.6 elsewhere); zones are independent of each other. The clamp moves the
    /// year's mean by under 0.11 % and takes under 2.7 % off the residual's sd, except where the year's minimum is near its
    /// mean (20 years measured): NO +3.3 % and -15 %, CA-ON +2.5 % and -7.2 %, US-BPAT +0.8 % and -4.1 %.
    ///
    /// Returns an error for an unknown zone or a span past the year 9999.
    pub fn synthesize(
        zone: &str,
        start_utc: Timestamp,
        horizon: Duration,
        residual: Residual,
        seed: Seed,
    ) -> Result<Signal, GridError> {
        let z = Typical::zone(zone)?;
        let too_long = |what: String| GridError::SpanTooLong { zone: zone.into(), what };
        let into_hour = start_utc.as_nanosecond().rem_euclid(i128::from(HOUR_NS)) as i64;
        let needed = i64::try_from(horizon.0).map_err(|_| too_long("more than 292 years".into()))?;
        let hours = (into_hour.saturating_add(needed) as u64).div_ceil(HOUR_NS as u64).max(1);
        let first = start_utc.as_nanosecond() - i128::from(into_hour);
        let mut noise = match residual {
            Residual::Ar1 {} => Some(Ar1::new(z, seed)),
            Residual::None {} => None,
        };
        let mut starts = Vec::with_capacity(hours as usize);
        let mut values = Vec::with_capacity(hours as usize);
        for hour in 0..hours as i64 {
            let stamp = Timestamp::from_nanosecond(first + i128::from(hour) * i128::from(HOUR_NS))
                .map_err(|e| too_long(e.to_string()))?;
            let utc: civil::DateTime = Offset::UTC.to_datetime(stamp);
            let mean = z.typical_g_per_kwh[utc.month() as usize - 1][utc.hour() as usize];
            let departure = noise.as_mut().map_or(0.0, Ar1::draw);
            starts.push(hour * HOUR_NS - into_hour);
            values.push((mean + departure).clamp(z.min_g_per_kwh, z.max_g_per_kwh));
        }
        let info = SignalInfo {
            zone: z.zone.clone(),
            source: format!("synthetic: month-by-hour means of {}", z.source)
                + if noise.is_some() { " plus AR(1) residual" } else { "" },
            licence: z.licence.clone(),
            kind: SignalKind::Average,
            factor_basis: z.factor_basis.clone(),
            boundary: z.boundary.clone(),
            dataset_version: "typical day by month, 2022".into(),
            step_s: 0.0,
            synthetic: true,
            seed: noise.is_some().then_some(seed.0),
            sha256: Some(Typical::get().sha256.clone()),
        };
        let end = hours as i64 * HOUR_NS - into_hour;
        Signal::new(info, starts, values, end)
    }
}

/// The residual process of one zone [g/kWh], stationary from its first draw.
#[derive(Debug)]
struct Ar1 {
    stream: Stream,
    rho: f64,
    sd: f64,
    last: Option<f64>,
}

impl Ar1 {
    fn new(zone: &ZoneInfo, seed: Seed) -> Self {
        Ar1 {
            stream: seed.derive("grid-residual").derive(&zone.zone).into_stream(),
            rho: zone.residual_lag1_autocorrelation,
            sd: zone.residual_sd_g_per_kwh,
            last: None,
        }
    }

    fn draw(&mut self) -> f64 {
        let e = self.stream.standard_normal();
        let x = match self.last {
            None => self.sd * e,
            Some(x) => self.rho * x + self.sd * libm::sqrt(1.0 - self.rho * self.rho) * e,
        };
        self.last = Some(x);
        x
    }
}

impl From<ZoneRow> for ZoneInfo {
    fn from(row: ZoneRow) -> Self {
        let (factors, boundary) = row.factor_basis.split_once(", ").unwrap_or((&row.factor_basis, "not stated"));
        ZoneInfo {
            factor_basis: factors.into(),
            boundary: boundary.into(),
            zone: row.zone,
            source: row.source,
            licence: row.licence,
            hours: row.hours,
            mean_g_per_kwh: row.mean_g_per_kwh,
            min_g_per_kwh: row.min_g_per_kwh,
            max_g_per_kwh: row.max_g_per_kwh,
            residual_sd_g_per_kwh: row.residual_sd_g_per_kwh,
            residual_lag1_autocorrelation: row.residual_lag1_autocorrelation,
            typical_g_per_kwh: [[f64::NAN; 24]; 12],
        }
    }
}

/// The known zone that `name` most likely means: the same but for case, the only one that has it as a part between
/// hyphens, or the one most similar in spelling.
fn nearest(name: &str) -> Option<&'static str> {
    let wanted = name.to_uppercase();
    let zones = || Typical::zones().iter().map(|z| z.zone.as_str());
    let shares_a_part = |z: &&str| z.split('-').any(|p| wanted.split('-').any(|w| w == p && w != "US"));
    let mut by_part = zones().filter(shares_a_part);
    if let (Some(only), None) = (by_part.next(), by_part.next()) {
        return Some(only);
    }
    zones()
        .map(|z| (strsim::normalized_damerau_levenshtein(&wanted, z), z))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|best| best.0 >= 0.5)
        .map(|best| best.1)
}

#[cfg(test)]
mod tests;
