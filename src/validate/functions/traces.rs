//! Statistics of trace samples, as importers read them, against the same statistics computed by others.

use super::super::judge::Tolerance;
use super::super::world::{Context, Fault, Found, Given, Row, failed};
use super::only;
use crate::types::Seed;
use crate::workload::azure2019::{Azure2019, Spec, Statistics};

const SAMPLE: &str = "data/traces/azure-functions-2019-500f";

/// A statistic by its name in the claim.
fn statistic(s: &Statistics, name: &str) -> Option<f64> {
    Some(match name {
        "functions" => s.functions as f64,
        "apps" => s.apps as f64,
        "owners" => s.owners as f64,
        "minutes" => s.minutes as f64,
        "calls" => s.invocations as f64,
        "calls per second" => s.invocations_per_s,
        "cells that are not zero, %" => 100.0 * s.nonzero_cells,
        "calls of the top 5" => s.calls.top_share(5),
        "calls of the top 93" => s.calls.top_share(93),
        "Gini" => s.gini,
        "called once" => s.called_once,
        "at most once a minute" => s.at_most_one_per_minute,
        "median of average durations, ms" => s.average_ms.at(0.5),
        "p99 of average durations, ms" => s.average_ms.at(0.99),
        "average below 1 s, %" => 100.0 * s.average_ms.share_below(1000.0),
        "log-mean of durations" => s.lognormal.mu,
        "sigma of durations" => s.lognormal.sigma,
        "mean call, ms" => s.mean_call_ms,
        "mean concurrency" => s.mean_concurrency,
        "median of mean memory, MB" => s.mean_memory_mb.at(0.5),
        "p99 of mean memory, MB" => s.mean_memory_mb.at(0.99),
        "median index of dispersion" => s.minute_iod.at(0.5),
        _ => {
            let trigger = s.triggers.iter().find(|t| Some(t.trigger) == name.strip_prefix("functions of trigger "));
            trigger?.functions as f64
        }
    })
}

/// Rows of a statistic's name, its value, and the decimals to which it is printed.
pub fn azure_2019(context: &Context, with: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let folder = context.file(SAMPLE)?;
    let spec: Spec =
        toml::from_str("invocations = 'invocations.csv'\ndurations = 'durations.csv'\nmemory = 'memory.csv'")
            .map_err(failed)?;
    let statistics = Azure2019::open(spec, &folder, Seed(1)).map_err(failed)?.statistics();
    let mut rows = Vec::new();
    for list in Given(with).lists("rows")? {
        let [name, value, decimals] = &list[..] else { return Err(failed("a name, a value, decimals")) };
        let value = value.as_float().or_else(|| value.as_integer().map(|i| i as f64));
        let (Some(name), Some(value), Some(decimals)) = (name.as_str(), value, decimals.as_integer()) else {
            return Err(failed("a name, a value, decimals"));
        };
        let ours = statistic(&statistics, name).ok_or_else(|| failed(format!("no statistic is called {name}")))?;
        let half = 0.5 * 10_f64.powi(-(decimals as i32)) * (1.0 + 1e-9);
        let tolerance = if decimals == 0 { Tolerance::Exact {} } else { Tolerance::Absolute(half) };
        rows.push(Row::new(name, value, ours).under(tolerance));
    }
    Ok(only(Found::Rows(rows)))
}
