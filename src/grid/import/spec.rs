//! How a third-party file is read, as a scenario writes it and as `sim grid` is told.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Format;
use crate::grid::{PastEnd, SignalKind, Unit};

/// A file of another provider: which of its values are read, what is done about its faults, and what it does not say itself.
///
/// What a format documents (unit, zone, kind, …) needs no key; a key that contradicts it is an error. The rest is mandatory:
/// a missing key is an error that names it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportSpec {
    /// The file, relative to the scenario's folder.
    pub path: PathBuf,
    /// The format, where the content does not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Column of values, in a file with several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Values by `direct` or by `life-cycle` factors, in a file with both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// `actual` values or the `forecast` ones, in a file with both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Which>,
    /// Instant of issue, in a file of several forecasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vintage: Option<String>,
    /// Unit of the values, where the file does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// The provider's code of the grid zone; chooses one in a file of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// `average` or `marginal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<SignalKind>,
    /// Emission factors: direct or life cycle, and whose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor_basis: Option<String>,
    /// Production or consumption mix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
    /// Who published the numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Under which terms they may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Year, export or retrieval date of the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_version: Option<String>,
    /// What becomes of missing rows and empty cells: `error` (default), `hold` or `same-hour-last-week`.
    #[serde(default)]
    pub gaps: Gaps,
    /// Longest gap that `hold` fills \[h\]. Default 3. Assumed: intensity keeps most of its value for some hours (lag-1
    /// autocorrelations of hourly residuals are 0.9 to 0.99 in data/grid/zones.csv); longer holds flatten the daily cycle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub max_hold_h: Option<f64>,
    /// What becomes of two different values of one instant: `error` (default) or `keep-last`, the one updated last or, where
    /// the file does not say when, the one further down.
    #[serde(default)]
    pub duplicates: Duplicates,
    /// Whether rows may be out of order, and are sorted; default false, then that is an error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sort: bool,
    /// Only rows whose stamp has one of these minutes are kept, each until the next kept one. Default: all rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep_minutes: Vec<u8>,
    /// First instant that is kept, UTC; a date is its midnight. Default: the file's first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// First instant that is no longer kept, UTC; a date is its midnight. Default: the file's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Resample to time-weighted means over bins of this length \[s\], at whole multiples of it since 1970. Default: as the
    /// file has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1.0))]
    pub step_s: Option<f64>,
    /// Longest distance of two stamps that is no gap \[s\]. Default: the longest one that two intervals in a row have, since
    /// steps may be mixed; for the live scrape an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1.0))]
    pub longest_step_s: Option<f64>,
    /// What lies past the end of the file: `error` (default), `repeat` or `hold`.
    #[serde(default)]
    pub past_end: PastEnd,
}

/// Which emission factors a value is by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Emissions at the chimney.
    Direct,
    /// Building, fuel supply and dismantling too.
    LifeCycle,
}

/// What happened, or what was expected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// What was measured or computed afterwards.
    Actual,
    /// What was forecast.
    Forecast,
}

/// What becomes of missing rows and empty cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Gaps {
    /// They are an error.
    #[default]
    Error,
    /// The value before holds, up to `max_hold_h`.
    Hold,
    /// The mean of the same time a week before.
    SameHourLastWeek,
}

/// What becomes of two different values of one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Duplicates {
    /// They are an error.
    #[default]
    Error,
    /// The one updated last counts.
    KeepLast,
}

/// See [`ImportSpec::max_hold_h`].
pub(super) const MAX_HOLD_H: f64 = 3.0;
