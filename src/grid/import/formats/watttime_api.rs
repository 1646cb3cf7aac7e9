//! Answers of the WattTime API, version 3: historical values, one forecast, or forecasts as they were issued.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::grid::SignalKind;
use crate::grid::import::entries::{Answer, Entry};
use crate::grid::import::raw::{Raw, RawRow, Says};
use crate::grid::import::{ImportError, ImportSpec, stamp, units};

/// Whether the answer is this format's.
pub(super) fn is_like(answer: &Answer) -> bool {
    let first = answer.root.get("data").unwrap_or(&answer.root).get(0);
    first.is_some_and(|f| f.get("point_time").is_some() || f.get("generated_at").is_some())
        || answer.root.pointer("/meta/signal_type").is_some()
}

pub(super) fn read(answer: &Answer, spec: &ImportSpec) -> Result<Raw, ImportError> {
    let data = answer.root.get("data").unwrap_or(&answer.root);
    let mut entries = answer.entries("data", data)?;
    let meta = answer.root.get("meta");
    let text = |key: &str| meta.and_then(|m| m.get(key)).and_then(Value::as_str).map(str::to_owned);
    let signal = text("signal_type");
    let kind = match signal.as_deref() {
        None => None,
        Some("co2_moer") => Some(SignalKind::Marginal),
        Some("co2_aoer") => Some(SignalKind::Average),
        Some("health_damage") => {
            let what = "signal_type \"health_damage\" is damage to health in money, not carbon";
            return Err(answer.error(what, "fetch co2_moer (marginal) or co2_aoer (average)"));
        }
        Some(other) => {
            let what = format!("signal_type {other:?} is unknown");
            return Err(answer.error(what, "co2_moer (marginal) and co2_aoer (average) are read"));
        }
    };
    let period = meta.and_then(|m| m.get("data_point_period_seconds")).and_then(Value::as_i64).filter(|&s| s > 0);
    let forecast = entries.iter().any(|e| e.value.get("generated_at").is_some());
    let mut issued = None;
    if forecast {
        let (at, list) = vintage(answer, &entries, spec)?;
        issued = Some(at);
        entries = answer.entries("forecast", list)?;
    }
    let mut raw = Raw { unit_text: text("units"), ..Raw::default() };
    raw.unit = raw.unit_text.as_deref().and_then(units::unit);
    let mut version = None;
    for entry in entries {
        let start = entry.instant("point_time")?;
        let value = entry.number(entry.value.get("value"), "value")?;
        let mut row = RawRow::plain(entry.place, start, value);
        row.end = period.and_then(|s| start.checked_add(SignedDuration::from_secs(s)).ok());
        row.estimated = forecast.then_some(true);
        raw.rows.push(row);
        version = version.or_else(|| entry.value.get("version").and_then(Value::as_str));
    }
    let model = meta.and_then(|m| m.pointer("/model/date")).and_then(Value::as_str).or(version);
    let model = model.map(|date| format!("model {date}"));
    raw.says = Says {
        zone: text("region"),
        kind,
        source: Some("WattTime API, version 3".to_owned() + if forecast { ", forecast" } else { "" }),
        dataset_version: match (model, issued) {
            (model, None) => model,
            (None, Some(at)) => Some(format!("issued {at}")),
            (Some(model), Some(at)) => Some(format!("{model}, issued {at}")),
        },
        ..Says::default()
    };
    Ok(raw)
}

/// The forecast that is asked for: a forecast is a set of vintages, and a series is one of them.
fn vintage<'a>(
    answer: &Answer,
    entries: &[Entry<'a>],
    spec: &ImportSpec,
) -> Result<(Timestamp, &'a Value), ImportError> {
    let issued = entries.iter().map(|e| e.instant("generated_at")).collect::<Result<Vec<_>, _>>()?;
    let wanted = match (&spec.vintage, issued.as_slice()) {
        (None, [only]) => *only,
        (None, all) => {
            let (first, last) = (all[0], all[all.len() - 1]);
            let what = format!("{} forecasts, issued {first} to {last}", all.len());
            return Err(answer.error(what, "choose one with vintage, its instant of issue"));
        }
        (Some(text), _) => stamp::given("vintage", text, &answer.file)?,
    };
    let found = issued.iter().position(|at| *at == wanted).ok_or_else(|| {
        let all: Vec<String> = issued.iter().take(5).map(ToString::to_string).collect();
        let remedy = format!("the first ones are {}", all.join(", "));
        answer.error(format!("no forecast was issued at {wanted}"), remedy)
    })?;
    let list = entries[found].value.get("forecast");
    Ok((wanted, list.ok_or_else(|| entries[found].error("no list `forecast`", "give the answer unchanged"))?))
}
