//! Impact Framework: every published vector, and every manifest of the oracle, against our own computing.
//!
//! A vector that we answer otherwise on purpose stands in a list with its reason, and our answer is checked.

use std::fs;

use serde_json::{Map, Value, json};
use slackwater::impact::{self, Method, Methods, Pair, Row, Step};

use crate::lab::shared;

/// Relative, of f64.
const TOLERANCE: f64 = 1e-9;

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}

/// Where two values differ, if they do.
fn difference(at: &str, ours: &Value, theirs: &Value) -> Option<String> {
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

fn oracle(name: &str) -> Option<Vec<Value>> {
    let text = fs::read_to_string(shared("oracles/sci")?.join(name)).expect("the oracle is readable");
    Some(serde_json::from_str(&text).expect("the oracle is a JSON list"))
}

fn rows(value: &Value) -> Vec<Row> {
    let rows = value.as_array().expect("a list of rows");
    rows.iter().map(|r| r.as_object().expect("a row is a map").clone()).collect()
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

fn run(vector: &Value) -> Result<Value, String> {
    let given = |key: &str| vector.get(key).filter(|v| *v != "undefined");
    let plugin = vector["plugin"].as_str().expect("a plugin");
    let computed = Step::new("tested", plugin, given("config"), given("mapping"))
        .and_then(|step| step.run(rows(&vector["inputs"]), &methods_of_the_unit_tests()));
    computed.map(|rows| json!(rows)).map_err(|e| e.to_string())
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
            for (row, value) in wanted.as_array_mut().expect("rows").iter_mut().zip(*values) {
                row[*name] = value.map_or(Value::Null, |x| json!(x));
            }
            let published = difference("", answer, &vector["expected"]).is_none();
            let same = || difference("", answer, &wanted);
            if published { Some("is as published: take it off the list".to_owned()) } else { same() }
        }
        (Ours::Unrounded(name, value), Ok(answer)) => {
            let theirs = vector["expected"][0][*name].as_f64().expect("a number");
            let rounds = (value * 1e6).round() / 1e6 == theirs;
            let mut wanted = vector["expected"].clone();
            wanted[0][*name] = json!(value);
            if rounds { difference("", answer, &wanted) } else { Some(format!("{value} does not round to {theirs}")) }
        }
    }
}

#[test]
fn every_published_vector_of_the_plugins_is_reproduced_or_answered_otherwise_on_purpose() {
    let Some(vectors) = oracle("impact_framework_unit.json") else { return };
    let (mut reproduced, mut refused, mut wrong) = (0, 0, Vec::new());
    let mut used = vec![0; BY_DESIGN.len()];
    // Rows of the embodied plugins, none of which is answered otherwise.
    let mut embodied = [0, 0];
    for (n, vector) in vectors.iter().enumerate() {
        let (plugin, test) = (vector["plugin"].as_str().expect("a plugin"), vector["test"].as_str().expect("a name"));
        let answer = run(vector);
        let fault = if vector.get("expected_error").is_some() {
            refused += 1;
            answer.as_ref().ok().map(|rows| format!("should be an error: {rows}"))
        } else if let Some(at) = BY_DESIGN.iter().position(|(p, t, _, _)| *p == plugin && test.ends_with(t)) {
            used[at] += 1;
            differs(vector, &answer, &BY_DESIGN[at].3)
        } else {
            reproduced += 1;
            if let Some(at) = ["SciEmbodied", "SciM"].iter().position(|p| *p == plugin) {
                embodied[at] += vector["expected"].as_array().map_or(0, Vec::len);
            }
            match &answer {
                Ok(rows) => difference("", rows, &vector["expected"]),
                Err(e) => Some(e.clone()),
            }
        };
        wrong.extend(fault.map(|f| format!("#{n} {plugin}, {test}: {f}")));
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
    let by_design: usize = used.iter().sum();
    println!(
        "vectors: {reproduced} reproduced, {refused} refused as published, {by_design} answered otherwise on purpose"
    );
    for ((plugin, test, why, _), _) in BY_DESIGN.iter().zip(&used) {
        println!("  otherwise: {plugin}, {test} {why}");
    }
    assert!(used.iter().all(|n| *n == 1), "each entry of the list names one vector: {used:?}");
    assert_eq!((vectors.len(), reproduced, refused, by_design), (108, 53, 43, 12));
    assert_eq!(embodied, [4, 5]);
}

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
    for (time, component, names) in metadata(entry["manifest"].as_str().expect("a name")) {
        for name in *names {
            let method = json!({ "time": time, "component": component });
            parameters
                .insert((*name).to_owned(), json!({ "unit": "", "description": "", "aggregation-method": method }));
        }
    }
    for plugin in plugins.as_object_mut().expect("plugins are a map").values_mut() {
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

/// Compares the outputs of a node; counts values, and those that differ on purpose. The scores of a group are sums of scores there, and
/// carbon over requests here.
fn compare_rows(
    at: &str,
    group: bool,
    ours: &Value,
    theirs: &Value,
    rules: &Rules,
    counts: &mut (usize, usize),
) -> Option<String> {
    let (ours, theirs) = (ours.as_array()?, theirs.as_array()?);
    if ours.len() != theirs.len() {
        return Some(format!("{at}: {} rows, theirs has {}", ours.len(), theirs.len()));
    }
    for (n, (a, b)) in ours.iter().zip(theirs).enumerate() {
        let (own, published) = (a.as_object().expect("a row"), b.as_object().expect("a row"));
        if let Some(more) = own.keys().find(|k| !published.contains_key(*k)) {
            return Some(format!("{at}[{n}]/{more} is ours alone"));
        }
        for (name, published) in published {
            counts.0 += 1;
            let at = format!("{at}[{n}]/{name}");
            let own = &a[name];
            let numbers = own.as_f64().zip(published.as_f64());
            let fault = if difference(&at, own, published).is_none() {
                None
            } else if name == "sci" && group {
                counts.1 += 1;
                let right = a["carbon"].as_f64().zip(a["requests"].as_f64()).map(|(carbon, units)| carbon / units);
                let fits = own.as_f64().zip(right).is_some_and(|(x, y)| same(x, y));
                (!fits).then(|| format!("{at}: {own} is not carbon over requests"))
            } else if name == "sci" && published.as_f64() == b["carbon"].as_f64() && own.is_null() {
                counts.1 += 1;
                None
            } else if let (true, Some((x, y))) = (rules.rounded.contains(&name.as_str()), numbers) {
                counts.1 += 1;
                (format!("{x:.6}") != format!("{y:.6}")).then(|| format!("{at}: {x} does not round to {y}"))
            } else if rules.means.contains(&name.as_str()) {
                counts.1 += 1;
                None // checked against the observations below
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
fn check_means(at: &str, before: &[Row], bins: &Value, means: &[&str]) -> Option<String> {
    let second = |row: &Row| -> i64 {
        let text = row["timestamp"].as_str().expect("a time");
        let (minute, second) = (&text[14..16], &text[17..19]);
        minute.parse::<i64>().expect("minutes") * 60 + second.parse::<i64>().expect("seconds")
    };
    for bin in rows(bins) {
        let (from, length) = (second(&bin), bin["duration"].as_i64().expect("whole seconds"));
        for name in means.iter().filter(|m| bin.contains_key(**m)) {
            let mut sum = 0.0;
            for t in from..from + length {
                let observed = before.iter().find(|r| {
                    let (from, length) = (second(r), r["duration"].as_i64().expect("whole seconds"));
                    (from..from + length).contains(&t)
                });
                sum += observed.map_or(0.0, |r| r[*name].as_f64().expect("a number"));
            }
            let (ours, right) = (bin[*name].as_f64().expect("a number"), sum / length as f64);
            if !same(ours, right) {
                return Some(format!("{at}/{name} at {from} s: ours {ours}, the mean is {right}"));
            }
        }
    }
    None
}

fn compare_tree(at: &str, ours: &Value, theirs: &Value, rules: &Rules, counts: &mut (usize, usize)) -> Vec<String> {
    let mut faults = Vec::new();
    for key in ["outputs", "aggregated", "inputs"] {
        match (ours.get(key), theirs.get(key)) {
            (None, None) => {}
            (Some(a), Some(b)) if key == "outputs" => {
                faults.extend(compare_rows(
                    &format!("{at}/{key}"),
                    theirs.get("children").is_some(),
                    a,
                    b,
                    rules,
                    counts,
                ));
            }
            (Some(a), Some(b)) => {
                let (mut a, mut b) = (a.clone(), b.clone());
                if key == "aggregated" {
                    without(&mut a, &["sci"]);
                    without(&mut b, &["sci"]);
                    counts.0 += b.as_object().map_or(0, Map::len);
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
        faults.extend(compare_tree(&format!("{at}/{name}"), a.get(name).unwrap_or(&Value::Null), child, rules, counts));
    }
    faults
}

#[test]
fn every_manifest_of_the_oracle_is_reproduced_value_by_value() {
    let Some(entries) = oracle("impact_framework_manifests.json") else { return };
    let mut faults = Vec::new();
    let (mut values, mut otherwise) = (0, 0);
    for entry in &entries {
        let name = entry["manifest"].as_str().expect("a name");
        let mut document = document(entry);
        let mut theirs = entry["tree"].clone();
        let embodied = entry["plugins"].as_object().expect("a map").values().any(|p| p["method"] == "SciEmbodied");
        let mocked = entry["plugins"].get("mock-observations").is_some();
        if mocked {
            // The observations were drawn at random; the oracle holds what was drawn, already regrouped.
            let refused = impact::compute(&document).expect_err("sim draws no observations").to_string();
            assert!(refused.contains("MockObservations"), "{name}: {refused}");
            without(&mut document, &["mock-observations", "observe"]);
        }
        if embodied && entry.to_string().contains("device/emissions-embodied") {
            let refused = impact::compute(&document).expect_err("ignored parameters are refused").to_string();
            assert!(refused.contains("device/emissions-embodied"), "{name}: {refused}");
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
        // In groups, the children of a run with random observations share keys by region and type only.
        match impact::compute(&document) {
            Err(e) => faults.push(format!("{name}: {e}")),
            Ok(computed) => {
                let mut counts = (0, 0);
                let found = compare_tree("", &computed["tree"], &theirs, &rules, &mut counts);
                faults.extend(found.into_iter().map(|f| format!("{name}{f}")));
                println!("  {name}: {} values, {} of them otherwise on purpose", counts.0, counts.1);
                values += counts.0;
                otherwise += counts.1;
                if drawn {
                    faults.extend(means_of(&document, &computed["tree"], rules.means).map(|f| format!("{name}{f}")));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    println!("manifests: {} computed; {values} values, {otherwise} of them otherwise on purpose", entries.len());
    assert_eq!(entries.len(), 21);
}

/// Checks the means of TimeSync in every component, against what the pipeline holds before TimeSync.
fn means_of(document: &Value, computed: &Value, means: &[&str]) -> Option<String> {
    let mut before = document.clone();
    cut_pipelines(&mut before["tree"]);
    before.as_object_mut().expect("a map").remove("aggregation");
    let before = impact::compute(&before).expect("the pipeline without TimeSync");
    fn leaves(at: &str, before: &Value, after: &Value, means: &[&str], count: &mut usize) -> Option<String> {
        let Some(children) = before.get("children").and_then(Value::as_object) else {
            *count += 1;
            return check_means(at, &rows(&before["outputs"]), &after["outputs"], means);
        };
        children.iter().find_map(|(n, c)| leaves(&format!("{at}/{n}"), c, &after["children"][n], means, count))
    }
    let mut count = 0;
    let fault = leaves("", &before["tree"], computed, means, &mut count);
    assert!(count >= 2, "only {count} components were looked at");
    fault
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

#[test]
fn the_four_manifests_with_their_metadata_give_the_output_files() {
    let Some(folder) = shared("oracles/sci/manifests") else { return };
    let rules = Rules { means: &[], rounded: &[] };
    for name in ["01-operational", "02-embodied-ts-rs", "04-sci-end-to-end", "05-timeseries-timesync"] {
        let manifest = impact::read(&folder.join(format!("{name}.yml"))).expect("a manifest");
        let published = impact::read(&folder.join(format!("{name}.output.yaml"))).expect("a manifest");
        let mut computed = impact::compute(&manifest).expect("right");
        let mut theirs = published["tree"].clone();
        if name.starts_with("04") {
            let total = &computed["tree"]["aggregated"];
            let sci = total["sci"].as_f64().expect("a score");
            assert!(same(sci, 328.5611703767123 / 505_010.0), "the sum of carbon over the sum of requests: {sci}");
            // The scores of a group's steps are sums of scores there, with R of each component alone.
            for row in theirs["outputs"].as_array_mut().expect("rows") {
                row.as_object_mut().expect("a row").remove("sci");
            }
            for row in computed["tree"]["outputs"].as_array_mut().expect("rows") {
                row.as_object_mut().expect("a row").remove("sci");
            }
        }
        let mut counts = (0, 0);
        let faults = compare_tree("", &computed["tree"], &theirs, &rules, &mut counts);
        assert!(faults.is_empty(), "{name}: {}", faults.join("\n"));
        assert!(counts.0 > 20 && counts.1 == 0, "{name}: {counts:?}");
        // What was written can be read again, and computes to the same.
        let again = impact::parse(&impact::print(&computed).expect("YAML")).expect("a manifest");
        assert_eq!(again["tree"], computed["tree"], "{name}");
    }
}

#[test]
fn rows_are_regrouped_as_the_published_tree_is() {
    let Some(entries) = oracle("impact_framework_manifests.json") else { return };
    let entry = entries.iter().find(|e| e["manifest"] == "features/regroup/success.yaml").expect("in the oracle");
    let mut document = document(entry);
    let app = &mut document["tree"]["children"]["my-app"];
    let region = app["children"]["uk-west"]["children"].take();
    let flat: Vec<Row> = ["A1", "B1"].iter().flat_map(|t| rows(&region[*t]["inputs"])).collect();
    app.as_object_mut().expect("a map").remove("children");
    app["inputs"] = json!(flat);
    let computed = impact::compute(&document).expect("right");
    assert_eq!(difference("", &computed["tree"], &entry["tree"]), None);
}
