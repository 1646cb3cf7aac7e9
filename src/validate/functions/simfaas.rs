//! SimFaaS' steady state of one function: the mean of replications inside its published ranges.
//!
//! The oracle holds the smallest and largest value of three runs. As its file asks, the mean of at least five of our replications, of the same
//! length and from the same empty pool, is compared with that range widened by its own width on both sides.

use serde_json::Value;

use super::super::judge::Tolerance;
use super::super::world::{Context, Fault, Found, Given, Row, failed};
use super::only;
use crate::report::{Entry, number};

const SCENARIO: &str = "scenarios/validation/simfaas.toml";

fn overrides(set: &Value, seed: u64) -> Result<Vec<String>, Fault> {
    let number = |key: &str| set[key].as_f64().ok_or_else(|| failed(format!("the oracle has no {key}")));
    let (rate, until) = (number("arrival_rate_per_s")?, number("max_time_s")?);
    // Ten standard deviations more than arrive, so that the run is cut by time.
    let calls = (rate * until + 10.0 * (rate * until).sqrt()).ceil();
    Ok(vec![
        format!("time.duration_s={until:?}"),
        format!("isolation.container.start_mean_s={:?}", number("cold_mean_s")?),
        format!("scheduler.keep_alive.fixed.keep_alive_s={:?}", number("expiration_threshold_s")?),
        format!("workload.poisson.rate_per_s={rate:?}"),
        format!("workload.poisson.calls={calls}"),
        format!("workload.poisson.service.exponential.mean_s={:?}", number("warm_mean_s")?),
        format!("seed={seed}"),
    ])
}

/// A figure of the oracle by its name there.
fn figure(summary: &[Entry], name: &str) -> Result<f64, Fault> {
    let of = |key: &str| number(summary, key).ok_or_else(|| failed(format!("no figure {key}")));
    let running = of("sandboxes.busy_mean")? + of("sandboxes.starting_mean")?;
    match name {
        "requests" => of("calls.received"),
        "cold_requests" => of("calls.cold"),
        "p_cold" => of("calls.cold_share"),
        "p_reject" => Ok(of("calls.rejected")? / of("calls.received")?),
        "avg_servers" => Ok(running + of("sandboxes.idle_mean")?),
        "avg_running" => Ok(running),
        "avg_idle" => of("sandboxes.idle_mean"),
        // Undefined where nothing expires, hence outside every range.
        "avg_lifespan_s" => Ok(number(summary, "sandboxes.lifetime_mean_s").unwrap_or(f64::NAN)),
        _ => Err(failed(format!("the oracle has a figure {name} that is not known here"))),
    }
}

/// A set of the oracle with so many replications; `also` holds further overrides.
pub fn set(context: &Context, with: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let given = Given(with);
    let (name, replications) = (given.text("set")?, given.number("replications")? as u64);
    let also = with.get("also").and_then(toml::Value::as_array).into_iter().flatten();
    let also: Vec<String> = also.filter_map(|v| v.as_str().map(str::to_owned)).collect();
    let oracle: Value = serde_json::from_str(&context.text("oracles/faas/simfaas.json")?).map_err(failed)?;
    let sets = oracle["sets"].as_array().into_iter().flatten();
    let set =
        sets.into_iter().find(|s| s["name"] == *name).ok_or_else(|| failed(format!("the oracle has no set {name}")))?;
    let replicate = |seed: u64| context.run(SCENARIO, &[overrides(set, seed)?, also.clone()].concat());
    let runs = (1..=replications).map(replicate).collect::<Result<Vec<_>, Fault>>()?;
    let mut rows = Vec::new();
    for (key, range) in set["expected"].as_object().into_iter().flatten() {
        let (Some(low), Some(high)) = (range[0].as_f64(), range[1].as_f64()) else {
            return Err(failed(format!("{key} has no range")));
        };
        let width = high - low;
        let values = runs.iter().map(|run| figure(run, key)).collect::<Result<Vec<f64>, Fault>>()?;
        let Found::Mean { mean, error } = Found::mean(&values) else { return Err(failed("no mean")) };
        // A model that is off by the width of what is accepted is then off by two standard errors or more.
        if also.is_empty() && (error > 1.5 * width || error > 0.01 * mean.abs()) {
            return Err(failed(format!("{key}: a standard error of {error} says nothing of {mean}")));
        }
        let accepted = Tolerance::Range { low: low - width, high: high + width };
        rows.push(Row { error: Some(error), ..Row::new(key, (low + high) / 2.0, mean) }.under(accepted));
    }
    Ok(only(Found::Rows(rows)))
}
