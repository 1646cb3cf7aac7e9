//! Power models: the reference values of every formula, and the published profiles of CPUs.

use serde_json::Value;

use super::super::world::{Context, Fault, Found, Row, failed};
use super::only;
use crate::cluster::power::{PowerModel, PowerSpec};

/// The SPECpower tables that the reference page prints, by the names of the reference file \[W at 0, 10, … 100 %\].
const TABLES: [(&str, [f64; 11]); 3] = [
    ("HpMl110G4", [86.0, 89.4, 92.6, 96.0, 99.5, 102.0, 106.0, 108.0, 112.0, 114.0, 117.0]),
    ("HpMl110G5", [93.7, 97.0, 101.0, 105.0, 110.0, 116.0, 121.0, 125.0, 129.0, 133.0, 135.0]),
    ("IbmX3550X5670", [66.0, 107.0, 120.0, 131.0, 143.0, 156.0, 173.0, 191.0, 211.0, 229.0, 247.0]),
];

fn model(text: &str) -> Result<Box<dyn PowerModel>, Fault> {
    toml::from_str::<PowerSpec>(text).map_err(failed)?.build().map_err(failed)
}

/// All rows of the reference file but those of machines whose tables are not in the reference page.
pub fn models(context: &Context, _: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let table = context.table("oracles/sci/power_models.csv")?;
    let (mut rows, mut left_out) = (Vec::new(), 0);
    for r in table.indices() {
        let (name, parameters, u) =
            (table.cell(r, "model")?, table.cell(r, "params")?, table.number(r, "utilization")?);
        let value = |key: &str| {
            let found = parameters.split(';').find_map(|p| p.strip_prefix(&format!("{key}=")));
            found.ok_or_else(|| failed(format!("{name} has no {key} in {parameters}")))
        };
        let ends = || Ok::<String, Fault>(format!("idle_w = {}, max_w = {}", value("idle")?, value("max")?));
        let (text, at) = match name {
            "linear" | "square" | "cubic" => (format!("{name} = {{ {} }}", ends()?), u),
            "sqrt" => (format!("square-root = {{ {} }}", ends()?), u),
            "mse(fan r=1.4)" => (format!("fan = {{ {}, exponent = 1.4 }}", ends()?), u),
            "asymptotic" => {
                (format!("asymptotic = {{ {}, alpha = {}, dvfs = {} }}", ends()?, value("a")?, value("dvfs")?), u)
            }
            "spec-linear-interp" => {
                let Some((_, points)) = TABLES.iter().find(|(name, _)| *name == parameters) else {
                    left_out += 1;
                    continue;
                };
                (format!("table = {{ power_w = {points:?} }}"), u)
            }
            "teads-linear(util %)" => (format!("teads = {{ tdp_w = {}.0 }}", value("tdp")?), u / 100.0),
            other => return Err(failed(format!("there is no power model {other}"))),
        };
        rows.push(Row::new(format!("{name} {parameters} at {u}"), table.number(r, "watts")?, model(&text)?.watts(at)));
    }
    Ok(only(Found::Part { rows, left_out, why: "their SPECpower tables are not at hand".to_owned() }))
}

/// Coefficients of Boavizta's CPU profiles, and the watts that it prints with them.
pub fn profiles(context: &Context, _: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let cases: Value = serde_json::from_str(&context.text("oracles/sci/boavizta.json")?).map_err(failed)?;
    let mut rows = Vec::new();
    for case in cases.as_array().into_iter().flatten() {
        let part = &case["response"]["verbose"];
        let of = |key: &str| part["params"]["value"][key].as_f64();
        let (Some(a), Some(b), Some(c), Some(d)) = (of("a"), of("b"), of("c"), of("d")) else { continue };
        let model = model(&format!("logarithmic = {{ a = {a:?}, b = {b:?}, c = {c:?}, d = {d:?} }}"))?;
        for (u, key) in [(0.0, "min"), (0.5, "value"), (1.0, "max")] {
            let watts = part["avg_power"][key].as_f64().ok_or_else(|| failed("a profile without watts"))?;
            rows.push(Row::new(format!("{} at {u}", case["name"]), watts, model.watts(u)));
        }
    }
    Ok(only(Found::Rows(rows)))
}
