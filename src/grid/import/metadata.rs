//! What the numbers are: said by the format, the file or whoever imports; what nobody says is an error.

use super::raw::Raw;
use super::{Format, ImportError, ImportSpec, Place, units};
use crate::grid::{SignalInfo, Unit};

/// Choices that a format does not offer are refused rather than passed over.
pub(super) fn check_choices(format: Format, spec: &ImportSpec, file: &str) -> Result<(), ImportError> {
    use Format as F;
    let offered: &[&str] = match format {
        F::ElectricityMapsPortal | F::ElectricityMapsSlim | F::ElectricityMapsAcademic => &["column", "basis"],
        F::ElectricityMapsApi => &["basis"],
        F::WatttimeApi => &["vintage"],
        F::WatttimeSample => &["column"],
        F::Neso | F::ActualAndForecast => &["value"],
        F::ElectricityMapsLive
        | F::WatttimeCsv
        | F::CarbonAwareSdk
        | F::OpendcParquet
        | F::Eia
        | F::Entsoe
        | F::LetsWaitAwhile
        | F::Slackwater => &[],
    };
    let given = [
        ("column", spec.column.is_some()),
        ("basis", spec.basis.is_some()),
        ("value", spec.value.is_some()),
        ("vintage", spec.vintage.is_some()),
    ];
    match given.iter().find(|(key, given)| *given && !offered.contains(key)) {
        None => Ok(()),
        Some((key, _)) => {
            let what = format!("{key} is given, but the format {} has nothing to choose by it", format.name());
            Err(ImportError::new(file, Place::File, what, format!("leave {key} away")))
        }
    }
}

/// The unit of the values.
pub(super) fn unit(raw: &Raw, spec: &ImportSpec, format: Format, file: &str) -> Result<Unit, ImportError> {
    let fails = |what: String, remedy: &str| Err(ImportError::new(file, Place::File, what, remedy));
    match (raw.unit, &raw.unit_text, spec.unit) {
        (None, Some(text), _) => fails(
            format!("unit {text:?} is not known"),
            "known are g/kWh, kg/MWh, lbs/MWh and g/MJ of CO2 (nothing is guessed)",
        ),
        (None, None, None) => fails(
            format!("neither the file nor the format {} says the unit", format.name()),
            "say unit: g-per-kwh, lb-per-mwh or g-per-mj (nothing is guessed)",
        ),
        (Some(found), _, Some(said)) if found != said => fails(
            format!("unit {} is said, but the values are in {}", units::name(said), units::name(found)),
            "leave unit away",
        ),
        (Some(unit), ..) | (None, None, Some(unit)) => Ok(unit),
    }
}

/// The metadata, and which keys of it the format or the file documents.
pub(super) fn resolve(
    raw: &Raw,
    spec: &ImportSpec,
    sha256: &str,
    file: &str,
) -> Result<(SignalInfo, Vec<&'static str>), ImportError> {
    let says = &raw.says;
    let fails = |what: String, remedy: &str| Err(ImportError::new(file, Place::File, what, remedy));
    if let (Some(found), Some(said)) = (says.kind, spec.kind)
        && found != said
    {
        let what = format!("kind {} is said, but the values are {}", said.name(), found.name());
        return fails(what, "leave kind away, or choose another column");
    }
    if let (Some(found), Some(said)) = (&says.zone, &spec.zone)
        && !found.eq_ignore_ascii_case(said)
    {
        return fails(format!("zone {said} is said, but the file is of {found}"), "correct zone or leave it away");
    }
    let texts = [
        ("zone", &spec.zone, &says.zone),
        ("factor_basis", &spec.factor_basis, &says.factor_basis),
        ("boundary", &spec.boundary, &says.boundary),
        ("source", &spec.source, &says.source),
        ("licence", &spec.licence, &says.licence),
        ("dataset_version", &spec.dataset_version, &says.dataset_version),
    ];
    let mut missing: Vec<&str> = Vec::new();
    let mut documented = Vec::new();
    let mut found: Vec<String> = Vec::new();
    for (key, said, says) in texts {
        let text = said.as_ref().or(says.as_ref()).map(|t| t.trim()).filter(|t| !t.is_empty());
        if text.is_none() {
            missing.push(key);
        }
        if said.is_none() && text.is_some() {
            documented.push(key);
        }
        found.push(text.unwrap_or_default().to_owned());
    }
    let kind = spec.kind.or(says.kind);
    if kind.is_none() {
        missing.insert(usize::from(missing.first() == Some(&"zone")), "kind");
    }
    if spec.kind.is_none() && kind.is_some() {
        documented.push("kind");
    }
    let (Some(kind), true) = (kind, missing.is_empty()) else {
        return fails(
            format!("nobody says {}", missing.join(", ")),
            "say what the numbers are (keys of [regions.grid.import], options of `sim grid import`); results cannot be read without it",
        );
    };
    let [zone, factor_basis, boundary, source, licence, dataset_version] =
        <[String; 6]>::try_from(found).expect("one text per key");
    let (synthetic, seed) = raw.synthetic.unwrap_or((false, None));
    let info = SignalInfo {
        zone,
        source,
        licence,
        kind,
        factor_basis,
        boundary,
        dataset_version,
        step_s: 0.0,
        synthetic,
        seed,
        sha256: Some(sha256.to_owned()),
    };
    Ok((info, documented))
}
