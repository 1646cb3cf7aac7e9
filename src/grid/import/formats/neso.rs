//! Answers of the UK's carbon intensity API (NESO): half-hours with explicit ends, national or by region.

use serde_json::Value;

use crate::grid::import::entries::{Answer, Entry};
use crate::grid::import::raw::{Raw, RawRow, Says};
use crate::grid::import::{ImportError, ImportSpec, Which};
use crate::grid::{SignalKind, Unit};

/// The parts of `data`, which is a list or, for one region, an object.
fn parts(root: &Value) -> &[Value] {
    match root.get("data") {
        Some(Value::Array(list)) => list,
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        _ => &[],
    }
}

/// Whether the answer is this format's. An empty list of this provider looks like that of others.
pub(super) fn is_like(answer: &Answer) -> bool {
    let half_hour = |v: &Value| v.get("from").is_some() && v.get("to").is_some();
    parts(&answer.root).first().is_some_and(|first| half_hour(first) || first.pointer("/data/0").is_some_and(half_hour))
}

pub(super) fn read(answer: &Answer, spec: &ImportSpec) -> Result<Raw, ImportError> {
    let parts = parts(&answer.root);
    let Some(first) = parts.first() else {
        let remedy = "fetch the span again: the provider answers so with success while data are late";
        return Err(answer.error("`data` is empty or missing", remedy));
    };
    let (zone, rows) = if first.get("data").is_some() {
        let at = choose(answer, parts, spec)?;
        let list = parts[at].get("data").unwrap_or(&Value::Null);
        let rows = answer.entries("data", list)?;
        (spec.zone.clone().or_else(|| label(&parts[at])), rows.into_iter().map(|e| (e, e.value)).collect())
    } else if let Some(regions) = first.get("regions").and_then(Value::as_array) {
        let at = choose(answer, regions, spec)?;
        let zone = label(&regions[at]);
        let mut rows = Vec::new();
        for e in answer.entries("data", &answer.root["data"])? {
            let own = e.value["regions"].as_array().and_then(|l| l.iter().find(|r| label(r) == zone));
            rows.push((e, own.ok_or_else(|| e.error(format!("no region {zone:?}"), "fetch the span again"))?));
        }
        (spec.zone.clone().or(zone), rows)
    } else {
        (
            Some("GB".to_owned()),
            answer.entries("data", &answer.root["data"])?.into_iter().map(|e| (e, e.value)).collect(),
        )
    };
    read_rows(answer, zone, &rows, spec)
}

fn read_rows(
    answer: &Answer,
    zone: Option<String>,
    rows: &[(Entry<'_>, &Value)],
    spec: &ImportSpec,
) -> Result<Raw, ImportError> {
    let which = spec.value.unwrap_or(Which::Actual);
    let key = match which {
        Which::Actual => "actual",
        Which::Forecast => "forecast",
    };
    if !rows.iter().any(|(_, v)| v.pointer(&format!("/intensity/{key}")).is_some()) {
        let what = format!("no entry has an `{key}` intensity");
        return Err(answer.error(what, "choose value: forecast (regions have nothing else) or actual"));
    }
    let mut raw = Raw {
        unit: Some(Unit::GPerKwh),
        says: Says {
            zone,
            kind: Some(SignalKind::Average),
            source: Some(format!("NESO Carbon Intensity API, {key}")),
            licence: Some("CC BY 4.0".into()),
            ..Says::default()
        },
        ..Raw::default()
    };
    for (entry, value) in rows {
        let number = entry.number(value.pointer(&format!("/intensity/{key}")), key)?;
        let mut row = RawRow::plain(entry.place, entry.instant("from")?, number);
        row.end = Some(entry.instant("to")?);
        row.estimated = (which == Which::Forecast).then_some(true);
        raw.rows.push(row);
    }
    if which == Which::Actual {
        raw.notes.push("actual values are revised for 24 hours and more; fetch recent ones again".into());
    }
    Ok(raw)
}

/// What a region is called.
fn label(region: &Value) -> Option<String> {
    region.get("shortname").and_then(Value::as_str).map(str::to_owned)
}

/// The region that `zone` names by short name or number, or the only one.
fn choose(answer: &Answer, regions: &[Value], spec: &ImportSpec) -> Result<usize, ImportError> {
    let is = |region: &Value, wanted: &str| {
        ["shortname", "dnoregion", "regionid"].iter().any(|key| match region.get(key) {
            Some(Value::String(text)) => text.eq_ignore_ascii_case(wanted),
            Some(Value::Number(number)) => number.to_string() == wanted,
            _ => false,
        })
    };
    match (&spec.zone, regions) {
        (Some(wanted), _) if regions.iter().any(|r| is(r, wanted)) => {
            Ok(regions.iter().position(|r| is(r, wanted)).expect("one was found"))
        }
        (None, [_]) => Ok(0),
        _ => {
            let names: Vec<String> = regions.iter().filter_map(label).collect();
            let what = match &spec.zone {
                Some(zone) => format!("no region {zone:?}"),
                None => format!("{} regions", regions.len()),
            };
            Err(answer.error(what, format!("choose zone: one of {}", names.join(", "))))
        }
    }
}
