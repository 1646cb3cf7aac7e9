//! Impact Framework's manifests: every value of every one that it computed against our own computing.

use serde_json::{Map, Value, json};

use super::super::world::{Context, Fault, Found, failed};
use super::only;
use super::plugins::{difference, rows, same};
use crate::impact::{self, Row};

/// `parameter-metadata` that the oracle's manifests leave out, as their sources state it: parameters by method over time and over
/// components. Source: the same files in the package @grnsft/if 1.1.0.
fn metadata(manifest: &str) -> &'static [(&'static str, &'static str, &'static [&'static str])] {
    const SUMS: &[&str] = &[
        "cpu-wattage",
        "cpu-wattage-times-duration",
        "cpu-energy-raw",
        "cpu-energy-kwh",
        "embodied-carbon",
        "carbon-operational",
        "carbon",
        "requests",
    ];
    match manifest {
        "pipelines/nesting.yaml" => &[
            ("avg", "sum", &["cpu/utilization"]),
            ("avg", "avg", &["cpu-factor", "cpu/thermal-design-power", "grid/carbon-intensity", "time-reserved"]),
            ("sum", "sum", SUMS),
            ("sum", "sum", &["network/energy"]),
            ("copy", "copy", &["vcpu-ratio", "cloud/instance-type", "cloud/region"]),
        ],
        "pipelines/pipeline-with-mocks.yaml" | "pipelines/outputs-if-diff/pipeline-with-mocks.yaml" => &[
            ("none", "none", &["cloud/instance-type", "cloud/region", "vcpus-total", "vcpus-allocated", "vcpu-ratio"]),
            ("avg", "avg", &["cpu/utilization", "cpu-factor", "cpu/thermal-design-power", "grid/carbon-intensity"]),
            ("sum", "sum", SUMS),
        ],
        "own/04-sci-end-to-end.yaml" => &[("sum", "sum", &["energy-kwh", "carbon-operational", "carbon", "requests"])],
        "own/05-timeseries-timesync.yaml" => &[("sum", "sum", &["carbon", "energy"])],
        _ => &[],
    }
}

/// A manifest of the oracle as a document that can be computed.
fn document(entry: &Value) -> Value {
    let mut plugins = entry["plugins"].clone();
    let mut parameters = Map::new();
    for (time, component, names) in metadata(entry["manifest"].as_str().unwrap_or_default()) {
        for name in *names {
            let method = json!({ "time": time, "component": component });
            parameters
                .insert((*name).to_owned(), json!({ "unit": "", "description": "", "aggregation-method": method }));
        }
    }
    for plugin in plugins.as_object_mut().into_iter().flat_map(Map::values_mut) {
        plugin["path"] = json!("builtin");
        plugin["parameter-metadata"] = json!({ "inputs": parameters });
    }
    let mut document = json!({ "name": "oracle", "initialize": { "plugins": plugins }, "tree": entry["tree"] });
    if !entry["aggregation"].is_null() {
        document["aggregation"] = entry["aggregation"].clone();
    }
    document
}

/// Parameters of SciM that Impact Framework ignores in a row of SciEmbodied, and that we refuse.
const IGNORED: &[&str] = &[
    "device/emissions-embodied",
    "device/expected-lifespan",
    "time-reserved",
    "resources-reserved",
    "resources-total",
];

/// Takes parameters out of every map, at any depth, and the plugin that would make random observations.
fn without(value: &mut Value, keys: &[&str]) {
    match value {
        Value::Object(map) => {
            map.retain(|k, _| !keys.contains(&k.as_str()));
            map.values_mut().for_each(|v| without(v, keys));
        }
        Value::Array(list) => list.iter_mut().for_each(|v| without(v, keys)),
        _ => {}
    }
}

/// What is compared by another rule than equality, parameter by parameter.
struct Rules {
    /// Means of TimeSync: Impact Framework leaves the last second of a bin of n seconds out.
    means: &'static [&'static str],
    /// Rounded to six decimals by Impact Framework.
    rounded: &'static [&'static str],
}

/// Compares the outputs of a node. The scores of a group are sums of scores there, and
/// carbon over requests here.
fn compare_rows(at: &str, group: bool, ours: &Value, theirs: &Value, rules: &Rules) -> Option<String> {
    let (Some(ours), Some(theirs)) = (ours.as_array(), theirs.as_array()) else {
        return Some(format!("{at}: no list of rows"));
    };
    if ours.len() != theirs.len() {
        return Some(format!("{at}: {} rows, theirs has {}", ours.len(), theirs.len()));
    }
    for (n, (a, b)) in ours.iter().zip(theirs).enumerate() {
        let (Some(own), Some(published)) = (a.as_object(), b.as_object()) else {
            return Some(format!("{at}[{n}]: no row"));
        };
        if let Some(more) = own.keys().find(|k| !published.contains_key(*k)) {
            return Some(format!("{at}[{n}]/{more} is ours alone"));
        }
        for (name, published) in published {
            let at = format!("{at}[{n}]/{name}");
            let own = &a[name];
            let numbers = own.as_f64().zip(published.as_f64());
            let fault = if difference(&at, own, published).is_none() {
                None
            } else if name == "sci" && group {
                let right = a["carbon"].as_f64().zip(a["requests"].as_f64()).map(|(carbon, units)| carbon / units);
                let fits = own.as_f64().zip(right).is_some_and(|(x, y)| same(x, y));
                (!fits).then(|| format!("{at}: {own} is not carbon over requests"))
            } else if name == "sci" && published.as_f64() == b["carbon"].as_f64() && own.is_null() {
                None
            } else if let (true, Some((x, y))) = (rules.rounded.contains(&name.as_str()), numbers) {
                (format!("{x:.6}") != format!("{y:.6}")).then(|| format!("{at}: {x} does not round to {y}"))
            } else if rules.means.contains(&name.as_str()) {
                None // checked against the observations
            } else {
                difference(&at, own, published)
            };
            if fault.is_some() {
                return fault;
            }
        }
    }
    None
}

/// The mean over each bin from the observations themselves, second by second; nothing observed counts 0.
fn check_means(at: &str, before: &[Row], bins: &[Row], means: &[&str]) -> Option<String> {
    // Second of the hour at which a row begins, and how many seconds it lasts.
    let span = |row: &Row| {
        let text = row.get("timestamp")?.as_str()?;
        let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
        Some((part(14..16)? * 60 + part(17..19)?, row.get("duration")?.as_i64()?))
    };
    for bin in bins {
        let Some((from, length)) = span(bin) else { return Some(format!("{at}: a bin without time")) };
        for name in means.iter().filter(|m| bin.contains_key(**m)) {
            let holds = |row: &&Row, t: i64| span(row).is_some_and(|(from, length)| (from..from + length).contains(&t));
            let value = |row: &Row| row.get(*name).and_then(Value::as_f64).unwrap_or(f64::NAN);
            let at_second = |t: i64| before.iter().find(|row| holds(row, t)).map_or(0.0, value);
            let right = (from..from + length).map(at_second).sum::<f64>() / length as f64;
            let ours = value(bin);
            if !same(ours, right) {
                return Some(format!("{at}/{name} at {from} s: ours {ours}, the mean is {right}"));
            }
        }
    }
    None
}

fn compare_tree(at: &str, ours: &Value, theirs: &Value, rules: &Rules) -> Vec<String> {
    let mut faults = Vec::new();
    for key in ["outputs", "aggregated", "inputs"] {
        match (ours.get(key), theirs.get(key)) {
            (None, None) => {}
            (Some(a), Some(b)) if key == "outputs" => {
                faults.extend(compare_rows(&format!("{at}/{key}"), theirs.get("children").is_some(), a, b, rules));
            }
            (Some(a), Some(b)) => {
                let (mut a, mut b) = (a.clone(), b.clone());
                if key == "aggregated" {
                    without(&mut a, &["sci"]);
                    without(&mut b, &["sci"]);
                }
                faults.extend(difference(&format!("{at}/{key}"), &a, &b));
            }
            (a, _) => faults.push(format!("{at}/{key}: ours {}, theirs is not so", a.is_some())),
        }
    }
    let empty = Map::new();
    let children = |v: &Value| v.get("children").and_then(Value::as_object).unwrap_or(&empty).clone();
    let (a, b) = (children(ours), children(theirs));
    if a.keys().ne(b.keys()) {
        faults.push(format!("{at}: other children"));
    }
    for (name, child) in &b {
        faults.extend(compare_tree(&format!("{at}/{name}"), a.get(name).unwrap_or(&Value::Null), child, rules));
    }
    faults
}

/// Checks the means of TimeSync in every component, against what the pipeline holds before TimeSync.
fn means_of(document: &Value, computed: &Value, means: &[&str]) -> Result<Option<String>, Fault> {
    fn leaves(
        at: &str,
        before: &Value,
        after: &Value,
        means: &[&str],
        count: &mut usize,
    ) -> Result<Option<String>, Fault> {
        let Some(children) = before.get("children").and_then(Value::as_object) else {
            *count += 1;
            return Ok(check_means(at, &rows(&before["outputs"])?, &rows(&after["outputs"])?, means));
        };
        for (name, child) in children {
            let fault = leaves(&format!("{at}/{name}"), child, &after["children"][name], means, count)?;
            if fault.is_some() {
                return Ok(fault);
            }
        }
        Ok(None)
    }
    let mut before = document.clone();
    cut_pipelines(&mut before["tree"]);
    before.as_object_mut().map(|map| map.remove("aggregation"));
    let before = impact::compute(&before).map_err(failed)?;
    let mut count = 0;
    let fault = leaves("", &before["tree"], computed, means, &mut count)?;
    Ok(fault.or_else(|| (count < 2).then(|| format!("only {count} components were looked at"))))
}

/// Leaves out of every pipeline what begins with TimeSync.
fn cut_pipelines(value: &mut Value) {
    if let Some(compute) = value.get_mut("compute").and_then(Value::as_array_mut) {
        let end = compute.iter().position(|n| n == "time-sync").unwrap_or(compute.len());
        compute.truncate(end);
    }
    if let Value::Object(map) = value {
        map.values_mut().for_each(cut_pipelines);
    }
}

/// Whether our computing refuses a document for a reason that holds this word.
fn refuses(document: &Value, word: &str) -> Option<String> {
    match impact::compute(document) {
        Ok(_) => Some(format!("is not refused for {word}")),
        Err(e) => (!e.to_string().contains(word)).then(|| format!("is refused for another reason than {word}: {e}")),
    }
}

/// A manifest of the oracle: what is wrong, if anything.
fn manifest(entry: &Value) -> Result<Option<String>, Fault> {
    let name = entry["manifest"].as_str().unwrap_or_default();
    let mut document = document(entry);
    let mut theirs = entry["tree"].clone();
    let plugins = entry["plugins"].as_object().ok_or_else(|| failed(format!("{name} has no plugins")))?;
    if plugins.contains_key("mock-observations") {
        // The observations were drawn at random; the oracle holds what was drawn, already regrouped.
        if let Some(fault) = refuses(&document, "MockObservations") {
            return Ok(Some(fault));
        }
        without(&mut document, &["mock-observations", "observe"]);
    }
    let embodied = plugins.values().any(|p| p["method"] == "SciEmbodied");
    if embodied && entry.to_string().contains("device/emissions-embodied") {
        if let Some(fault) = refuses(&document, "device/emissions-embodied") {
            return Ok(Some(fault));
        }
        without(&mut document, IGNORED);
        without(&mut theirs, IGNORED);
    }
    let drawn = name.contains("mocks") || name.contains("nesting");
    let rules = Rules {
        means: if drawn {
            &["cpu/utilization", "cpu-factor", "cpu/thermal-design-power", "grid/carbon-intensity"]
        } else {
            &[]
        },
        rounded: if name.contains("time-converter") { &["energy-per-duration"] } else { &[] },
    };
    let computed = match impact::compute(&document) {
        Ok(computed) => computed,
        Err(e) => return Ok(Some(e.to_string())),
    };
    let faults = compare_tree("", &computed["tree"], &theirs, &rules);
    if !faults.is_empty() {
        return Ok(Some(faults.join("; ")));
    }
    if drawn { means_of(&document, &computed["tree"], rules.means) } else { Ok(None) }
}

/// One of our own manifests with its metadata, against the file that the framework wrote.
fn output_file(context: &Context, name: &str) -> Result<Option<String>, Fault> {
    let read =
        |end: &str| impact::parse(&context.text(&format!("oracles/sci/manifests/{name}.{end}"))?).map_err(failed);
    let mut computed = impact::compute(&read("yml")?).map_err(failed)?;
    let mut theirs = read("output.yaml")?["tree"].clone();
    let tree = computed["tree"].clone();
    if name.starts_with("04") {
        // Scores of a group's steps are sums of scores there, with R of each component alone; ours is the sum of carbon over that of requests.
        let sci = computed["tree"]["aggregated"]["sci"].as_f64().unwrap_or(f64::NAN);
        if !same(sci, 328.561_170_376_712_3 / 505_010.0) {
            return Ok(Some(format!("the score is {sci}")));
        }
        for tree in [&mut theirs, &mut computed["tree"]] {
            for row in tree["outputs"].as_array_mut().into_iter().flatten() {
                row.as_object_mut().map(|row| row.remove("sci"));
            }
        }
    }
    let faults = compare_tree("", &computed["tree"], &theirs, &Rules { means: &[], rounded: &[] });
    if !faults.is_empty() {
        return Ok(Some(faults.join("; ")));
    }
    // What is written can be read again, and computes to the same.
    computed["tree"] = tree.clone();
    let again = impact::parse(&impact::print(&computed).map_err(failed)?).map_err(failed)?;
    Ok((again["tree"] != tree).then(|| "what is written is read as something else".to_owned()))
}

/// Rows that the framework regrouped into a tree, given flat.
fn regrouped(entries: &[Value]) -> Result<Option<String>, Fault> {
    let entry = entries.iter().find(|e| e["manifest"] == "features/regroup/success.yaml");
    let entry = entry.ok_or_else(|| failed("the oracle has no manifest that regroups"))?;
    let mut document = document(entry);
    let app = &mut document["tree"]["children"]["my-app"];
    let region = app["children"]["uk-west"]["children"].take();
    let mut flat = Vec::new();
    for kind in ["A1", "B1"] {
        flat.extend(rows(&region[kind]["inputs"])?);
    }
    app.as_object_mut().map(|app| app.remove("children"));
    app["inputs"] = json!(flat);
    let computed = impact::compute(&document).map_err(failed)?;
    Ok(difference("", &computed["tree"], &entry["tree"]))
}

/// All manifests of the oracle, four of our own with the files that the framework wrote, and one whose rows are given flat.
pub fn manifests(context: &Context, _: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let entries: Value =
        serde_json::from_str(&context.text("oracles/sci/impact_framework_manifests.json")?).map_err(failed)?;
    let entries = entries.as_array().ok_or_else(|| failed("the oracle is no list"))?;
    let mut cases = Vec::new();
    for entry in entries {
        cases.push((entry["manifest"].as_str().unwrap_or_default().to_owned(), manifest(entry)?));
    }
    for name in ["01-operational", "02-embodied-ts-rs", "04-sci-end-to-end", "05-timeseries-timesync"] {
        cases.push((name.to_owned(), output_file(context, name)?));
    }
    cases.push(("rows given flat".to_owned(), regrouped(entries)?));
    Ok(only(Found::Cases(cases)))
}
