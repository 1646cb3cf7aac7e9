//! Impact Framework's plugins: every vector of their unit tests against our own computing.
//!
//! A vector that we answer otherwise on purpose stands in a list with its reason, and our answer is checked.

use serde_json::{Value, json};

use super::super::world::{Context, Fault, Found, failed};
use crate::impact::{Method, Methods, Pair, Row, Step};

/// Relative, of f64.
const TOLERANCE: f64 = 1e-9;

pub(super) fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}

/// Where two values differ, if they do.
pub(super) fn difference(at: &str, ours: &Value, theirs: &Value) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            let missing = b.keys().find(|k| !a.contains_key(*k)).map(|k| format!("{at}/{k} is missing"));
            let more = || a.keys().find(|k| !b.contains_key(*k)).map(|k| format!("{at}/{k} is ours alone"));
            missing.or_else(more).or_else(|| b.iter().find_map(|(k, v)| difference(&format!("{at}/{k}"), &a[k], v)))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(n, (a, b))| difference(&format!("{at}[{n}]"), a, b))
        }
        (Value::Number(a), Value::Number(b)) if same(a.as_f64()?, b.as_f64()?) => None,
        _ if ours == theirs => None,
        _ => Some(format!("{at}: ours {ours}, theirs {theirs}")),
    }
}

pub(super) fn rows(value: &Value) -> Result<Vec<Row>, Fault> {
    let rows =
        value.as_array().and_then(|rows| rows.iter().map(|r| r.as_object().cloned()).collect::<Option<Vec<Row>>>());
    rows.ok_or_else(|| failed(format!("no list of rows: {value}")))
}

/// The methods that the unit tests of TimeSync set up; the vectors do not hold them.
fn methods_of_the_unit_tests() -> Methods {
    let mut methods = Methods::default();
    for (name, method) in [
        ("carbon", Method::Sum),
        ("cpu/utilization", Method::Avg),
        ("time-reserved", Method::Avg),
        ("resources-total", Method::Copy),
    ] {
        methods.set(name, Pair::both(method));
    }
    methods
}

fn run(vector: &Value) -> Result<Result<Value, String>, Fault> {
    let given = |key: &str| vector.get(key).filter(|v| *v != "undefined");
    let plugin = vector["plugin"].as_str().ok_or_else(|| failed("a vector names no plugin"))?;
    let inputs = rows(&vector["inputs"])?;
    let computed = Step::new("tested", plugin, given("config"), given("mapping"))
        .and_then(|step| step.run(inputs, &methods_of_the_unit_tests()));
    Ok(computed.map(|rows| json!(rows)).map_err(|e| e.to_string().lines().next().unwrap_or_default().to_owned()))
}

/// What we answer where Impact Framework is wrong.
enum Ours {
    /// An error that says this.
    Refuses(&'static str),
    /// This parameter with these values, row by row; null is no value. All others as published.
    Says(&'static str, &'static [Option<f64>]),
    /// This value, which rounds to the published one at six decimals.
    Unrounded(&'static str, f64),
}

const YEAR_S: f64 = 31_556_952.0;

/// Vectors by plugin and the end of their name, why we differ, and what we answer.
const BY_DESIGN: &[(&str, &str, &str, Ours)] = &[
    (
        "Sci",
        "successfully executes when `mapping` has valid data.",
        "the mapping names a parameter that Sci does not have; it is ignored there",
        Ours::Refuses("no such parameter to map"),
    ),
    ("Sci", "fallbacks to carbon value, if functional unit is 0.", "R = 0 has no score", Ours::Says("sci", &[None])),
    (
        "Sci",
        "returns a result with vary input duration.",
        "the functional unit is named and missing; there R = 1",
        Ours::Refuses("parameter is missing"),
    ),
    (
        "Sci",
        "returns a result when the value of `functional-unit-time` is separated by hyphen.",
        "as above",
        Ours::Refuses("parameter is missing"),
    ),
    (
        "Sci",
        "returns a result either `carbon` or both of `carbon-operational` and `carbon-embodied` are in the input.",
        "as above",
        Ours::Refuses("parameter is missing"),
    ),
    (
        "Interpolation",
        "returns result when the elements of `x` is not in acsending order.",
        "x and y are sorted apart there; the point (50, 1.02) gives 0.32 + 35/40 · 0.70",
        Ours::Says("interpolation-result", &[Some(0.9325)]),
    ),
    (
        "Interpolation",
        "successfully executes when the config parameter contains an arithmetic expression.",
        "180 % is outside the points; there 0",
        Ours::Refuses("lies outside the points"),
    ),
    (
        "TimeConverter",
        "successfully applies TimeConverter strategy to given input.",
        "rounded to six decimals there",
        Ours::Unrounded("energy-per-duration", 1e4 / YEAR_S * 3600.0),
    ),
    (
        "TimeConverter",
        "successfully executes when the `mapping` is not empty object.",
        "as above",
        Ours::Unrounded("energy-per-duration", 1e4 / YEAR_S * 3600.0),
    ),
    (
        "TimeConverter",
        "returns a result when `new-time-unit` is a different time unit than `duration`.",
        "as above",
        Ours::Unrounded("energy-per-duration", 1e4 / YEAR_S * 2_628_336.0),
    ),
    (
        "TimeConverter",
        "successfully executes when the config output parameter contains an arithmetic expression.",
        "as above",
        Ours::Unrounded("energy-per-duration", 2e4 / YEAR_S * 3600.0),
    ),
    (
        "TimeSync",
        "returns a result when `mapping` has valid data.",
        "the mean leaves the last second of a bin out there; three seconds of 5 and then padding of 1 s",
        Ours::Says("time-allocated", &[Some(17.0 / 5.0), Some(16.0 / 4.0)]),
    ),
];

/// Checks our answer to a vector that we answer otherwise.
fn differs(vector: &Value, answer: &Result<Value, String>, ours: &Ours) -> Option<String> {
    match (ours, answer) {
        (Ours::Refuses(word), Err(e)) if e.contains(word) => None,
        (Ours::Refuses(word), other) => Some(format!("should be refused with {word:?}: {other:?}")),
        (_, Err(e)) => Some(format!("is refused: {e}")),
        (Ours::Says(name, values), Ok(answer)) => {
            let mut wanted = vector["expected"].clone();
            for (row, value) in wanted.as_array_mut().into_iter().flatten().zip(*values) {
                row[*name] = value.map_or(Value::Null, |x| json!(x));
            }
            let published = difference("", answer, &vector["expected"]).is_none();
            let same = || difference("", answer, &wanted);
            if published { Some("is as published: take it off the list".to_owned()) } else { same() }
        }
        (Ours::Unrounded(name, value), Ok(answer)) => {
            let theirs = vector["expected"][0][*name].as_f64().unwrap_or(f64::NAN);
            let rounds = (value * 1e6).round() / 1e6 == theirs;
            let mut wanted = vector["expected"].clone();
            wanted[0][*name] = json!(value);
            if rounds { difference("", answer, &wanted) } else { Some(format!("{value} does not round to {theirs}")) }
        }
    }
}

/// Every vector against what is published, and those that are answered otherwise against what the reason demands.
pub fn vectors(context: &Context, _: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let vectors: Value =
        serde_json::from_str(&context.text("oracles/sci/impact_framework_unit.json")?).map_err(failed)?;
    let (mut published, mut otherwise) = (Vec::new(), Vec::new());
    for vector in vectors.as_array().into_iter().flatten() {
        let text = |key: &str| vector[key].as_str().unwrap_or_default();
        let (plugin, test) = (text("plugin"), text("test"));
        let last = test.rsplit(" > ").next().unwrap_or(test).trim();
        let (name, answer) = (format!("{plugin}, {last}"), run(vector)?);
        let fault = match (&answer, vector.get("expected_error")) {
            (Ok(rows), Some(_)) => Some(format!("should be an error: {rows}")),
            (Err(_), Some(_)) => None,
            (Ok(rows), None) => difference("", rows, &vector["expected"]),
            (Err(e), None) => Some(e.clone()),
        };
        if let Some((_, _, why, ours)) = BY_DESIGN.iter().find(|(p, t, ..)| *p == plugin && test.ends_with(t)) {
            otherwise.push((format!("{name} ({why})"), differs(vector, &answer, ours)));
        }
        published.push((name, fault));
    }
    let lost = BY_DESIGN.len() - otherwise.len();
    if lost > 0 {
        otherwise.push((
            "the list of vectors that are answered otherwise".to_owned(),
            Some(format!("{lost} of it are not in the oracle")),
        ));
    }
    Ok(vec![("published".to_owned(), Found::Cases(published)), ("otherwise".to_owned(), Found::Cases(otherwise))])
}
