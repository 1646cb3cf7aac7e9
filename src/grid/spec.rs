//! One grid source as a scenario writes it, and how it becomes a signal.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::csv::Layout;
use super::file::FileSpec;
use super::import::{ImportSpec, import};
use super::{GridError, PastEnd, Residual, Signal, SignalInfo, SignalKind, Typical, read_csv};
use crate::types::{Duration, Seed, SimTime};

/// Where a region's carbon intensity comes from.
///
/// ```toml
/// [grid.typical]
/// zone = "DE-LU"
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Spec {
    /// Typical days of an embedded zone in 2022 by month and UTC hour, with or without a random residual around them.
    Typical {
        /// Name of an embedded zone, for example `DE-LU`; `sim list` shows all.
        #[schemars(length(min = 1))]
        zone: String,
        /// Departure from the typical day: `ar1 = {}` (default) or `none = {}`.
        #[serde(default)]
        residual: Residual,
    },
    /// The same intensity at all times.
    Constant {
        /// Carbon intensity [gCO2e/kWh], >= 0.
        #[schemars(range(min = 0.0))]
        g_per_kwh: f64,
        /// Name of the zone in results; default `constant`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<String>,
        /// `average` (default) or `marginal`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<SignalKind>,
        /// Emission factors: direct or life cycle, and whose; default `not stated`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        factor_basis: Option<String>,
    },
    /// A CSV file `time_utc,g_per_kwh` with ISO 8601 stamps in order, or two columns of a wider one. What the numbers are must
    /// be said, nothing is guessed.
    Csv {
        /// The file, relative to the scenario's folder.
        path: PathBuf,
        /// Column of times; default `time_utc`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time_column: Option<String>,
        /// Column of values; default `g_per_kwh`. Another one needs a `unit`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value_column: Option<String>,
        /// Unit of the values; default `g-per-kwh`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<Unit>,
        /// Whether stamps without zone are UTC; default false, then they are refused.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        naive_stamps_are_utc: bool,
        /// The provider's code of the grid zone.
        #[schemars(length(min = 1))]
        zone: String,
        /// `average` or `marginal`.
        kind: SignalKind,
        /// Emission factors: direct or life cycle, and whose.
        #[schemars(length(min = 1))]
        factor_basis: String,
        /// Production or consumption mix; default `not stated`.
        #[serde(default = "not_stated")]
        boundary: String,
        /// Who published the numbers.
        #[schemars(length(min = 1))]
        source: String,
        /// Under which terms they may be used.
        #[schemars(length(min = 1))]
        licence: String,
        /// Year, export or retrieval date of the data.
        #[schemars(length(min = 1))]
        dataset_version: String,
        /// What lies past the end of the file: `error` (default), `repeat` or `hold`.
        #[serde(default)]
        past_end: PastEnd,
    },
    /// A file that `sim grid import` or `sim grid synth` wrote: its head says what the numbers are.
    File(FileSpec),
    /// A file of another provider, read as `sim grid import` does.
    Import(Box<ImportSpec>),
}

impl Spec {
    /// The file that it reads, relative to the scenario's folder.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Csv { path, .. } => Some(path),
            Self::File(file) => Some(&file.path),
            Self::Import(import) => Some(&import.path),
            Self::Typical { .. } | Self::Constant { .. } => None,
        }
    }
}

/// The unit of a file's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Grams per kilowatt-hour, the same as kilograms per megawatt-hour.
    GPerKwh,
    /// Pounds per megawatt-hour, of 0.45359237 kg each.
    LbPerMwh,
    /// Grams per megajoule.
    GPerMj,
}

impl Unit {
    /// What a value is multiplied by to be in g/kWh.
    pub fn factor(self) -> f64 {
        match self {
            Self::GPerKwh => 1.0,
            Self::LbPerMwh => 0.453_592_37,
            Self::GPerMj => 3.6,
        }
    }
}

fn not_stated() -> String {
    "not stated".into()
}

/// The signal of `spec` for a run that starts at `start_utc`, reaching at least to `horizon`: let that cover the run, its
/// drain and the look-ahead of its policies. Paths are relative to `base_dir`.
///
/// Errors: those of [`Typical::synthesize`], [`Signal::constant`], [`read_csv`], [`import`] and [`Signal::extend_to`], and
/// metadata of a CSV file left blank.
pub fn build(
    spec: &Spec,
    base_dir: &Path,
    start_utc: Timestamp,
    horizon: Duration,
    seed: Seed,
) -> Result<Signal, GridError> {
    match spec {
        Spec::Typical { zone, residual } => Typical::synthesize(zone, start_utc, horizon, *residual, seed),
        Spec::Constant { g_per_kwh, label, kind, factor_basis } => {
            let signal = Signal::constant(label.as_deref().unwrap_or("constant"), *g_per_kwh)?;
            Ok(signal.with_info(|info| {
                info.kind = kind.unwrap_or(info.kind);
                info.factor_basis = factor_basis.clone().unwrap_or_else(not_stated);
            }))
        }
        Spec::Csv {
            path,
            time_column,
            value_column,
            unit,
            naive_stamps_are_utc,
            zone,
            kind,
            factor_basis,
            boundary,
            source,
            licence,
            dataset_version,
            past_end,
        } => {
            let plain = Layout::default();
            if unit.is_none() && value_column.as_ref().is_some_and(|c| *c != plain.value) {
                return Err(GridError::NoUnit { zone: zone.clone(), column: value_column.clone().unwrap_or_default() });
            }
            let layout = Layout {
                wider: time_column.is_some() || value_column.is_some(),
                time: time_column.clone().unwrap_or(plain.time),
                value: value_column.clone().unwrap_or(plain.value),
                quantity: plain.quantity,
                factor: unit.map_or(1.0, Unit::factor),
                naive_is_utc: *naive_stamps_are_utc,
            };
            let texts = [
                ("zone", zone),
                ("factor_basis", factor_basis),
                ("boundary", boundary),
                ("source", source),
                ("licence", licence),
                ("dataset_version", dataset_version),
            ];
            if let Some((key, _)) = texts.iter().find(|(_, text)| text.trim().is_empty()) {
                return Err(GridError::BlankMetadata { zone: zone.clone(), key });
            }
            let info = SignalInfo {
                zone: zone.clone(),
                source: source.clone(),
                licence: licence.clone(),
                kind: *kind,
                factor_basis: factor_basis.clone(),
                boundary: boundary.clone(),
                dataset_version: dataset_version.clone(),
                step_s: 0.0,
                synthetic: false,
                seed: None,
                sha256: None,
            };
            read_csv(&base_dir.join(path), &layout, start_utc, info)?.extend_to(SimTime::ZERO + horizon, *past_end)
        }
        Spec::File(file) => file.build(base_dir, start_utc, horizon),
        Spec::Import(spec) => {
            import(base_dir, spec)?.signal(start_utc)?.extend_to(SimTime::ZERO + horizon, spec.past_end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::GramsPerKwh;

    const HOUR: Duration = Duration::from_secs(3600);

    fn spec(text: &str) -> Result<Spec, toml::de::Error> {
        toml::from_str(text)
    }

    fn built(text: &str, dir: &Path, horizon: Duration) -> Result<Signal, GridError> {
        build(&spec(text).unwrap(), dir, "2022-01-01T00:00:00Z".parse().unwrap(), horizon, Seed(1))
    }

    #[test]
    fn residual_defaults_to_ar1_and_can_be_switched_off() {
        let typical = |residual| Spec::Typical { zone: "GB".into(), residual };
        assert_eq!(spec("[typical]\nzone = 'GB'").unwrap(), typical(Residual::Ar1 {}));
        assert_eq!(spec("[typical]\nzone = 'GB'\nresidual.none = {}").unwrap(), typical(Residual::None {}));
        let signal = built("[typical]\nzone = 'GB'", Path::new(""), HOUR).unwrap();
        assert_eq!((signal.info().synthetic, signal.info().seed), (true, Some(1)));
    }

    #[test]
    fn unknown_and_missing_keys_are_refused() {
        for (text, part) in [
            ("[typical]\nzone = 'GB'\nzome = 1", "zome, available keys: zone, residual"),
            ("[typical]\nzone = 'GB'\nresidual.ar1 = { sd = 1 }", "unexpected keys in table: sd"),
            ("[constant]", "missing field `g_per_kwh`"),
            ("[csv]\npath = 'x.csv'\nzone = 'GB'\nkind = 'average'", "missing field `factor_basis`"),
            ("[watt-time]", "unknown variant `watt-time`"),
        ] {
            let error = spec(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn constant_carries_its_label_and_refuses_negative_values() {
        let signal = built("[constant]\ng_per_kwh = 250\nlabel = 'hydro'", Path::new(""), Duration::FOREVER).unwrap();
        assert_eq!((signal.info().zone.as_str(), signal.at(SimTime(5))), ("hydro", GramsPerKwh(250.0)));
        let error = built("[constant]\ng_per_kwh = -1.0", Path::new(""), HOUR).unwrap_err().to_string();
        assert!(error.contains("zone constant is -1 g/kWh"), "{error}");
    }

    #[test]
    fn csv_is_read_beside_the_scenario_and_continued_only_when_asked() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("x.csv"),
            "time_utc,g_per_kwh\n2022-01-01T00:00:00Z,100\n2022-01-01T00:30:00Z,200\n",
        )
        .unwrap();
        let text = "[csv]\npath = 'x.csv'\nzone = 'X'\nkind = 'marginal'\nfactor_basis = 'direct'\nsource = 'me'\n\
                    licence = 'CC0'\ndataset_version = '1'\n";
        let signal = built(text, dir.path(), HOUR).unwrap();
        assert_eq!((signal.info().step_s, signal.info().kind), (1800.0, SignalKind::Marginal));
        assert_eq!(signal.info().sha256.as_ref().map(String::len), Some(64));
        let error = built(text, dir.path(), Duration::from_secs(7200)).unwrap_err().to_string();
        assert!(error.contains("ends 3600 s after the run's start but the run needs 7200 s"), "{error}");
        let held = built(&format!("{text}past_end = 'hold'"), dir.path(), Duration::from_secs(7200)).unwrap();
        assert_eq!(held.at(SimTime::from_secs_f64(7200.0)), GramsPerKwh(200.0));
        let error = built(&text.replace("x.csv", "y.csv"), dir.path(), HOUR).unwrap_err().to_string();
        assert!(error.contains("y.csv"), "{error}");
        let error = built(&text.replace("'me'", "' '"), dir.path(), HOUR).unwrap_err().to_string();
        assert!(error.contains("leaves `source` blank"), "{error}");
    }

    #[test]
    fn schema_states_the_ranges() {
        let schema = schemars::schema_for!(Spec).to_value().to_string();
        assert!(schema.contains("\"minimum\":0"), "{schema}");
        assert!(schema.contains("\"additionalProperties\":false"), "{schema}");
    }
}
