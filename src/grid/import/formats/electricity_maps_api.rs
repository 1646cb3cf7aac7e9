//! Answers of the Electricity Maps API: a history, a past range (`data`) or a forecast.

use serde_json::Value;

use super::pair;
use crate::grid::import::entries::Answer;
use crate::grid::import::raw::{Raw, RawRow, Says};
use crate::grid::import::{Basis, ImportError, ImportSpec};
use crate::grid::{SignalKind, Unit};

const LISTS: [&str; 3] = ["history", "data", "forecast"];

/// The list of values, where the answer is of this format.
fn list(root: &Value) -> Option<(&'static str, &Value)> {
    let found = LISTS.into_iter().find_map(|name| Some((name, root.get(name)?)))?;
    let like = match found.1.as_array().map(|l| l.first()) {
        Some(Some(first)) => first.get("carbonIntensity").is_some(),
        Some(None) => root.get("zone").is_some(),
        None => false,
    };
    like.then_some(found)
}

/// Whether the answer is this format's.
pub(super) fn is_like(answer: &Answer) -> bool {
    list(&answer.root).is_some()
}

pub(super) fn read(answer: &Answer, spec: &ImportSpec) -> Result<Raw, ImportError> {
    let (name, values) = list(&answer.root).ok_or_else(|| {
        answer.error("no list `history`, `data` or `forecast` of values", "give the provider's answer unchanged")
    })?;
    let mut raw = Raw { unit: Some(Unit::GPerKwh), ..Raw::default() };
    let mut zone = answer.root.get("zone").and_then(Value::as_str).map(str::to_owned);
    let mut basis: Option<Basis> = None;
    for entry in answer.entries(name, values)? {
        let value = entry.number(entry.value.get("carbonIntensity"), "carbonIntensity")?;
        let mut row = RawRow::plain(entry.place, entry.instant("datetime")?, value);
        row.updated = entry.maybe_instant("updatedAt")?;
        row.estimated =
            entry.value.get("isEstimated").and_then(Value::as_bool).or((name == "forecast").then_some(true));
        if let Some(own) = entry.value.get("zone").and_then(Value::as_str) {
            if zone.as_deref().is_some_and(|z| z != own) {
                return Err(entry.error(format!("zone {own} among others"), "split the answer by zone"));
            }
            zone = Some(own.to_owned());
        }
        if let Some(text) = entry.value.get("emissionFactorType").and_then(Value::as_str) {
            let own = match text {
                "lifecycle" => Basis::LifeCycle,
                "direct" => Basis::Direct,
                other => {
                    let what = format!("emissionFactorType {other:?} is unknown");
                    return Err(entry.error(what, "`lifecycle` and `direct` are read"));
                }
            };
            if basis.is_some_and(|b| b != own) {
                return Err(entry.error("direct and life-cycle values in one answer", "fetch them apart"));
            }
            basis = Some(own);
        }
        raw.rows.push(row);
    }
    if let (Some(found), Some(wanted)) = (basis, spec.basis)
        && found != wanted
    {
        let what = format!("the values are {}, not on the basis that is asked for", pair::name(found));
        return Err(answer.error(what, "leave basis away, or fetch the other one"));
    }
    let updated = answer.root.get("updatedAt").and_then(Value::as_str);
    raw.says = Says {
        zone,
        kind: Some(SignalKind::Average),
        factor_basis: basis.or(spec.basis).map(|b| pair::name(b).to_owned()),
        boundary: Some("consumption mix, flow-traced".into()),
        source: Some(format!("Electricity Maps API, {name}")),
        licence: None,
        dataset_version: updated.map(|u| format!("updated {u}")),
    };
    Ok(raw)
}
