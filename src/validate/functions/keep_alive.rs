//! Keep-alive replays of one trace against two independent implementations: every row of `oracles/faas`.

use super::super::judge::Tolerance;
use super::super::world::{Context, Fault, Found, Row, failed};
use super::only;
use crate::report::number;

const SCENARIO: &str = "scenarios/checks/keep-alive.toml";
/// Quantiles come from a histogram of 0.05 %.
const HISTOGRAM: Tolerance = Tolerance::Relative(5e-4);
/// Half of the last of nine printed decimals.
const PRINTED: Tolerance = Tolerance::Absolute(5.0e-10 * (1.0 + 1e-6));

/// Half of the last of three printed decimals \[MB·s\], and what a double of a billion cannot tell apart.
const PRINTED_MB_S: Tolerance = Tolerance::Absolute(5.0e-4 + 2.0e-7);

/// All rows of the table: cold starts exactly, mean latency to its printed digits, quantiles and idle memory.
pub fn replays(context: &Context, _: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let table = context.table("oracles/faas/expected_keepalive.csv")?;
    let (mut cold, mut mean, mut quantiles, mut idle) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for r in table.indices() {
        let cell = |name: &str| table.cell(r, name);
        let workload = context.file(&format!("oracles/faas/{}.csv", cell("workload")?))?;
        let run = context.run(
            SCENARIO,
            &[
                format!("workload.calls.path={}", workload.display()),
                format!("scheduler.keep_alive.fixed.keep_alive_s={}", cell("keep_alive_s")?),
                format!("scheduler.keep_alive.fixed.clock_restarts={}", cell("timer_restarts")?),
                format!("model.sandbox.reuse_order={}", cell("reuse_order")?),
                format!("isolation.container.start_median_s={}", cell("cold_start_s")?),
            ],
        )?;
        let ours = |key: &str| number(&run, key).ok_or_else(|| failed(format!("no figure {key}")));
        let what = format!("{}, {}, {} s", cell("reference")?, cell("reuse_order")?, cell("keep_alive_s")?);
        cold.push(Row::new(&what, table.number(r, "cold_starts")?, ours("calls.cold")?).under(Tolerance::Exact {}));
        mean.push(Row::new(&what, table.number(r, "mean_latency_s")?, ours("latency_s.mean")?).under(PRINTED));
        for p in ["p50", "p95", "p99", "p999"] {
            let theirs = table.number(r, &format!("{p}_s"))?;
            quantiles.push(Row::new(format!("{what}, {p}"), theirs, ours(&format!("latency_s.{p}"))?).under(HISTOGRAM));
        }
        if !cell("idle_mb_s")?.is_empty() {
            let theirs = table.number(r, "idle_mb_s")?;
            idle.push(Row::new(&what, theirs, ours("memory.idle_mb_s")?).under(PRINTED_MB_S));
        }
    }
    let named = [("cold", cold), ("mean", mean), ("quantiles", quantiles), ("idle", idle)];
    Ok(named.map(|(name, rows)| (name.to_owned(), Found::Rows(rows))).into())
}

/// A row of dslab-faas' results on many hosts.
pub fn basic(context: &Context, with: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let given = super::super::world::Given(with);
    let workload = context.file("oracles/faas/w_1e5.csv")?;
    let set = with.get("set").and_then(toml::Value::as_array).into_iter().flatten();
    let set = set.filter_map(|v| v.as_str().map(str::to_owned));
    let set: Vec<String> = [format!("workload.calls.path={}", workload.display())].into_iter().chain(set).collect();
    let run = context.run(SCENARIO, &set)?;
    let ours = |key: &str| number(&run, key).ok_or_else(|| failed(format!("no figure {key}")));
    let row = |key: &str, name: &str, tolerance| Ok(Row::new(key, given.number(name)?, ours(key)?).under(tolerance));
    Ok(only(Found::Rows(vec![
        row("calls.cold", "cold", Tolerance::Exact {})?,
        row("latency_s.mean", "mean_s", PRINTED)?,
        row("latency_s.p50", "p50_s", HISTOGRAM)?,
        row("latency_s.p95", "p95_s", HISTOGRAM)?,
        row("latency_s.p99", "p99_s", HISTOGRAM)?,
        row("memory.idle_mb_s", "idle_mb_s", Tolerance::Relative(1e-6))?,
    ])))
}
