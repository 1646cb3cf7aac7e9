//! Queues with closed forms: the formulas against their published table, and runs of a station against the formulas.

use super::super::world::{Context, Fault, Found, Given, Row, failed};
use super::only;
use crate::report::number;

const STATION: &str = "scenarios/validation/station.toml";
/// So many, so that three standard errors of their mean are missed by chance in one of 300 rows.
const REPLICATIONS: u64 = 30;

fn erlang_b(servers: u32, load: f64) -> f64 {
    (1..=servers).fold(1.0, |b, k| load * b / (f64::from(k) + load * b))
}

/// Probability of waiting in M/M/c.
fn erlang_c(servers: u32, load: f64) -> f64 {
    let b = erlang_b(servers, load);
    b / (1.0 - load / f64::from(servers) * (1.0 - b))
}

/// The formulas for rows of servers, load, probability of waiting, mean wait, mean number waiting at service rate 1.
pub fn erlang(_: &Context, with: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let mut rows = Vec::new();
    for list in Given(with).lists("rows")? {
        let [c, a, wait, mean, number] = numbers(&list)?;
        let (servers, p) = (c as u32, erlang_c(c as u32, a));
        let w = p / (c - a);
        for (what, published, ours) in [("C", wait, p), ("Wq", mean, w), ("Lq", number, a * w)] {
            rows.push(Row::new(format!("{what}({servers}, {a})"), published, ours));
        }
    }
    Ok(only(Found::Rows(rows)))
}

fn numbers<const N: usize>(list: &[toml::Value]) -> Result<[f64; N], Fault> {
    let number = |v: &toml::Value| v.as_float().or_else(|| v.as_integer().map(|i| i as f64));
    let all: Option<Vec<f64>> = list.iter().map(number).collect();
    all.and_then(|a| a.try_into().ok()).ok_or_else(|| failed(format!("{N} numbers are wanted: {list:?}")))
}

/// Runs of the station, each row with seeds of its own, so that one unlikely sequence of arrivals is seen in one row: rows of a name, overrides, the figure (wait, time, running or lost), what the closed form gives.
pub fn station(context: &Context, with: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let given = Given(with);
    let first = given.number("first_seed")? as u64;
    let mut rows = Vec::new();
    for (n, list) in given.lists("rows")?.into_iter().enumerate() {
        let [name, set, figure, wanted] = &list[..] else {
            return Err(failed("a name, overrides, a figure, a number"));
        };
        let text = |v: &toml::Value| v.as_str().map(str::to_owned).ok_or_else(|| failed("a text is wanted"));
        let (name, figure, [wanted]) = (text(name)?, text(figure)?, numbers(std::slice::from_ref(wanted))?);
        let set: Vec<String> = set.as_array().into_iter().flatten().map(text).collect::<Result<_, Fault>>()?;
        let replicate = |seed: u64| {
            let set: Vec<String> = set.iter().cloned().chain([format!("seed={seed}")]).collect();
            measured(context, &set, &figure)
        };
        let values = (0..REPLICATIONS)
            .map(|r| first + 100 * n as u64 + r)
            .map(replicate)
            .collect::<Result<Vec<f64>, Fault>>()?;
        let Found::Mean { mean, error } = Found::mean(&values) else { return Err(failed("no mean")) };
        // A mean that is off by a seventh must be seen.
        if error > 0.05 * wanted {
            return Err(failed(format!("{name}: a standard error of {error} says nothing about {wanted}")));
        }
        rows.push(Row { error: Some(error), ..Row::new(name, wanted, mean) });
    }
    Ok(only(Found::Rows(rows)))
}

fn measured(context: &Context, set: &[String], figure: &str) -> Result<f64, Fault> {
    let summary = context.run(STATION, set)?;
    let of = |key: &str| number(&summary, key).ok_or_else(|| failed(format!("no figure {key}")));
    // Busy sandboxes over the run x its length: what calls took in execution.
    let executing = of("sandboxes.busy_mean")? * of("run.simulated_s")?;
    match figure {
        "wait" => Ok(of("latency_s.mean")? - executing / of("calls.executed")?),
        "time" => of("latency_s.mean"),
        "running" => of("sandboxes.busy_mean"),
        "lost" => Ok(of("calls.rejected")? / of("calls.received")?),
        other => Err(failed(format!("a station has no figure {other}"))),
    }
}
