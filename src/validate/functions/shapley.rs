//! Shapley values of the closed form and of all coalitions against published ones.

use serde_json::Value;

use super::super::world::{Context, Fault, Found, Row, failed};
use super::only;
use crate::sci::shapley::{block_shares, coalitions};

fn numbers(value: &Value) -> Result<Vec<f64>, Fault> {
    let list = value.as_array().into_iter().flatten().map(Value::as_f64).collect::<Option<Vec<f64>>>();
    list.filter(|l| !l.is_empty()).ok_or_else(|| failed(format!("no list of numbers: {value}")))
}

/// Every player of every case.
pub fn values(context: &Context, _: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let cases: Value = serde_json::from_str(&context.text("oracles/sci/shapley.json")?).map_err(failed)?;
    let mut rows = Vec::new();
    for case in cases.as_array().into_iter().flatten() {
        let (name, inputs) = (case["name"].as_str().unwrap_or_default(), &case["inputs"]);
        let number = |v: &Value| v.as_f64().ok_or_else(|| failed(format!("{name} lacks a number")));
        let ours = match case["function"].as_str() {
            Some("peak_shapley") => {
                let (peaks, used) = (numbers(&inputs["player_peaks"])?, numbers(&inputs["player_resource_times"])?);
                let total = number(&inputs["attribution_total"])?;
                block_shares(total, &peaks, &used).ok_or_else(|| failed(format!("{name}: nothing is used")))?
            }
            Some("bruteforce_peak_shapley") => {
                let demands = inputs["demand"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(numbers)
                    .collect::<Result<Vec<_>, Fault>>()?;
                let values = coalitions(&demands).map_err(failed)?;
                let peak: f64 = values.iter().sum();
                rows.push(Row::new(format!("{name}, peak"), number(&case["peak"])?, peak));
                let total = number(&inputs["total"])?;
                values.iter().map(|v| total * v / peak).collect()
            }
            other => return Err(failed(format!("{name}: no such function {other:?}"))),
        };
        let wanted = numbers(&case["expected"])?;
        if wanted.len() != ours.len() {
            return Err(failed(format!("{name}: {} values for {}", ours.len(), wanted.len())));
        }
        let row =
            |(n, (ours, wanted)): (usize, (f64, f64))| Row::new(format!("{name}, player {}", n + 1), wanted, ours);
        rows.extend(ours.into_iter().zip(wanted).enumerate().map(row));
    }
    Ok(only(Found::Rows(rows)))
}
