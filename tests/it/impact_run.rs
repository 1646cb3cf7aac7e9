//! Impact Framework: a finished run as a manifest that gives its score back, and what is wrong with manifests.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use slackwater::impact;

use crate::lab::{Lab, Run, repository, run_file};

const TWO_REGIONS: &str = r#"
seed = 7
[workload.poisson]
calls = 4000
rate_per_s = 0.5
functions = 5
service.constant = { length_s = 1.5 }
memory_mb = 256.0
cpu_cores = 1.0
[isolation.microvm]
[scheduler.keep_alive.fixed]
keep_alive_s = 60.0
[servers.small]
cores = 8.0
memory_mb = 32_000.0
embodied_kg = 900.0
lifetime_years = 4.0
[[regions]]
name = "london"
grid.typical = { zone = "GB" }
hosts = [{ server = "small", count = 1 }]
[[regions]]
name = "berlin"
grid.typical = { zone = "DE-LU" }
hosts = [{ server = "small", count = 2 }]
"#;

fn folder(run: &Run) -> &Path {
    &run.report.folder
}

#[track_caller]
fn close(what: &str, a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-9 * a.abs().max(b.abs()), "{what}: {a} against {b}");
}

fn at(value: &Value, path: &str) -> f64 {
    value.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} is no number in {value}"))
}

/// Exports a run, writes and reads the file, computes it, and compares with the run.
#[track_caller]
fn round_trip(run: &Run, step_s: f64, unit: &str) -> Value {
    let exported = impact::export(folder(run), step_s).expect("a result");
    let read = impact::parse(&impact::print(&exported).expect("YAML")).expect("a manifest");
    assert_eq!(read, exported, "writing loses nothing");
    let computed = impact::compute(&read).expect("a right manifest");
    let total = &computed["tree"]["aggregated"];
    let figure = |key: &str| run.report.number(key).unwrap_or_else(|| panic!("{key} is in every summary"));
    close("E", at(total, "/energy"), figure("energy_j.total") / 3.6e6);
    close("O", at(total, "/carbon-operational"), figure("carbon_g.operational"));
    close("M", at(total, "/carbon-embodied"), figure("carbon_g.embodied"));
    close("O + M", at(total, "/carbon"), figure("carbon_g.total"));
    close("R", at(total, &format!("/{unit}")), figure("sci.units"));
    close("SCI", at(total, "/sci-of-run"), figure("sci.g_per_unit"));
    for (name, child) in computed["tree"]["children"].as_object().expect("regions") {
        for (given, row) in
            child["inputs"].as_array().expect("rows").iter().zip(child["outputs"].as_array().expect("rows"))
        {
            let what = format!("{name} {}", row["timestamp"]);
            close(&what, at(row, "/carbon-operational"), at(given, "/carbon-operational"));
            close(&what, at(row, "/carbon"), at(given, "/carbon-operational") + at(given, "/carbon-embodied"));
        }
    }
    computed
}

#[test]
fn quickstart_exported_and_computed_gives_back_its_score_and_every_step() {
    let run = run_file(&repository("scenarios/quickstart.toml"), &[], 1);
    let computed = round_trip(&run, 900.0, "calls");
    let rows = computed["tree"]["children"]["london"]["outputs"].as_array().expect("rows");
    let mut table = csv::Reader::from_path(folder(&run).join("timeseries.csv")).expect("a table");
    let header = table.headers().expect("a header").clone();
    let column = |name: &str| header.iter().position(|h| h == name).expect("a column");
    let (operational, executed) = (column("operational_g"), column("executed"));
    let mut n = 0;
    for (record, row) in table.records().zip(rows) {
        let record = record.expect("a row");
        close(
            "operational_g of a step",
            at(row, "/carbon-operational"),
            record[operational].parse().expect("a number"),
        );
        close("executed of a step", at(row, "/calls"), record[executed].parse().expect("a number"));
        close("sci of a step", at(row, "/sci"), at(row, "/carbon") / at(row, "/calls"));
        n += 1;
    }
    assert!(n == rows.len() && n > 20, "{n} steps, {} rows", rows.len());
    assert_eq!(rows[4]["timestamp"], "2022-06-06T01:00:00.000Z");
    assert_eq!(computed["slackwater"]["seed"], 42);
    assert_eq!(computed["slackwater"]["signals"]["london"]["kind"], "average");
    round_trip(&run, 3600.0, "calls");
    round_trip(&run, 1e6 * 900.0, "calls");
}

#[test]
fn what_stands_beside_the_score_stands_beside_the_exported_one() {
    let lab = Lab::new(TWO_REGIONS);
    let other = "[servers.old]\ncores = 8.0\nmemory_mb = 32_000.0\nembodied_kg = 900.0\nlifetime_years = 6.5\n\
                 lifetime_basis = \"use\"\n[[regions]]\nname = \"london\"";
    let mixed = TWO_REGIONS.replacen("[[regions]]\nname = \"london\"", other, 1).replacen(
        "\"small\", count = 2",
        "\"old\", count = 2",
        1,
    );
    for (lab, lifetime) in [(lab, "4"), (Lab::new(&mixed), "4; 6.5 powered on")] {
        let run = lab.run(&[]);
        let facts = impact::export(folder(&run), 3600.0).expect("a result")["slackwater"].clone();
        assert_eq!(facts["lifetime-years"], lifetime);
        assert_eq!(facts["standard"], "SCI v1.1");
        let summary = fs::read(folder(&run).join("summary.json")).expect("a summary");
        let summary: Value = serde_json::from_slice(&summary).expect("JSON");
        // Every text of the summary's sci, under its name with hyphens; how functions share M does not touch the run's.
        let mut texts = 0;
        for (key, value) in summary["sci"]
            .as_object()
            .expect("a map")
            .iter()
            .filter(|(k, v)| v.is_string() && !k.starts_with("attribution"))
        {
            let key = if key == "unit" { "functional-unit".to_owned() } else { key.replace('_', "-") };
            assert_eq!(facts[&key], *value, "{key}");
            texts += 1;
        }
        assert_eq!(texts, 9);
    }
    // A summary that does not say it is refused.
    let run = Lab::new(TWO_REGIONS).run(&[]);
    let path = folder(&run).join("summary.json");
    let text = fs::read_to_string(&path).expect("a summary");
    assert!(text.contains("\"lifetime_years\""), "{text}");
    fs::write(&path, text.replacen("\"lifetime_years\"", "\"years\"", 1)).expect("writable");
    let error = impact::export(folder(&run), 3600.0).expect_err("no lifespan").to_string();
    assert!(error.contains("key sci.lifetime_years") && error.contains("help: give the results folder"), "{error}");
}

#[test]
fn several_regions_and_other_functional_units_add_up() {
    let lab = Lab::new(TWO_REGIONS);
    let computed = round_trip(&lab.run(&[]), 3600.0, "calls");
    assert_eq!(computed["tree"]["children"].as_object().expect("regions").len(), 2);
    round_trip(&lab.run(&["sci.functional_unit=execution-hour"]), 1800.0, "execution-hours");
    round_trip(&lab.run(&["sci.functional_unit=gb-hour"]), 900.0, "gigabyte-hours");
    round_trip(&lab.run(&["sci.functional_unit=cpu-hour"]), 3600.0, "core-hours");
    round_trip(&lab.run(&["sci.functional_unit=tenant-hour"]), 900.0, "tenant-hours");
    round_trip(&lab.run(&["sci.functional_unit=request"]), 900.0, "requests");
    let own = "sci.functional_unit={ user-defined = { name = 'Page 2', per_call = 1.5 } }";
    round_trip(&lab.run(&[own]), 900.0, "units-of-page");
}

#[test]
fn an_export_of_other_steps_or_of_another_folder_is_refused() {
    let run = Lab::new(TWO_REGIONS).run(&[]);
    for step in [0.0, -900.0, 300.0, 1000.0, f64::NAN, f64::INFINITY] {
        let error = impact::export(folder(&run), step).expect_err("no multiple").to_string();
        assert!(error.contains("--step") && error.contains("multiple of 900 s"), "{step}: {error}");
    }
    let table = folder(&run).join("timeseries.csv");
    let text = fs::read_to_string(&table).expect("a table");
    let cut: Vec<&str> = text.lines().collect();
    fs::write(&table, cut[..cut.len() - 2].join("\n")).expect("writable");
    let error = impact::export(folder(&run), 900.0).expect_err("truncated").to_string();
    assert!(error.contains("add up to"), "{error}");
    fs::write(&table, text.replacen("london", "paris", 1)).expect("writable");
    let error = impact::export(folder(&run), 900.0).expect_err("another region").to_string();
    assert!(error.contains("paris") && error.contains("timeseries.csv"), "{error}");
    fs::remove_file(&table).expect("there");
    let error = impact::export(folder(&run), 900.0).expect_err("missing").to_string();
    assert!(error.contains("timeseries.csv") && error.contains("help: give the results folder"), "{error}");
}

/// A small right manifest.
fn small() -> Value {
    json!({
        "name": "small",
        "aggregation": { "metrics": ["carbon", "sci"], "type": "both" },
        "initialize": { "plugins": { "score": { "path": "builtin", "method": "Sci", "config": { "functional-unit": "requests" } } } },
        "tree": {
            "pipeline": { "compute": ["score"] },
            "children": {
                "a": { "inputs": [
                    { "timestamp": "2024-01-01T00:00:00Z", "duration": 10, "carbon": 4, "requests": 0 },
                    { "timestamp": "2024-01-01T00:00:10Z", "duration": 0.5, "carbon": 6, "requests": 10 },
                ] },
                "b": { "inputs": [
                    { "timestamp": "2024-01-01T00:00:00Z", "duration": 10, "carbon": 2, "requests": 0 },
                    { "timestamp": "2024-01-01T00:00:10Z", "duration": 0.5, "carbon": 8, "requests": 30 },
                ] },
            },
        },
    })
}

#[test]
fn an_aggregated_score_is_all_carbon_over_all_units_and_undefined_without_units() {
    let computed = impact::compute(&small()).expect("right");
    let tree = &computed["tree"];
    assert_eq!(tree["children"]["a"]["outputs"][0]["sci"], Value::Null, "no units, no score");
    assert_eq!(tree["children"]["a"]["aggregated"]["sci"], json!(1), "carbon without units counts: (4 + 6) / 10");
    assert_eq!(tree["outputs"][0]["sci"], Value::Null);
    assert_eq!(tree["outputs"][1]["sci"], json!(0.35));
    assert_eq!(tree["aggregated"], json!({ "carbon": 20, "sci": 0.5 }));
    // All components serve the same requests: they are counted once.
    let mut copied = small();
    copied["initialize"]["plugins"]["score"]["parameter-metadata"] = json!({ "inputs": { "requests": {
        "unit": "1", "description": "r", "aggregation-method": { "time": "sum", "component": "copy" } } } });
    copied["tree"]["children"]["a"]["inputs"][1]["requests"] = json!(30);
    let computed = impact::compute(&copied).expect("right");
    close("copied", at(&computed, "/tree/aggregated/sci"), 20.0 / 30.0);
}

#[test]
fn the_list_form_of_older_manifests_computes_the_same() {
    let mut old = small();
    old["tree"]["pipeline"] = json!(["score"]);
    let (old, new) = (impact::compute(&old).expect("right"), impact::compute(&small()).expect("right"));
    assert_eq!(old["tree"]["aggregated"], new["tree"]["aggregated"]);
    assert_eq!(old["tree"]["children"], new["tree"]["children"]);
}

#[test]
fn a_wrong_manifest_is_refused_with_its_place_and_a_remedy() {
    type Break = fn(&mut Value);
    let cases: &[(&str, Break, &[&str])] = &[
        ("unknown key", |m| m["trees"] = json!({}), &["key trees", "no such key"]),
        (
            "unknown plugin key",
            |m| m["initialize"]["plugins"]["score"]["global-config"] = json!({}),
            &["plugin score", "global-config"],
        ),
        (
            "unknown config key",
            |m| m["initialize"]["plugins"]["score"]["config"]["unit"] = json!("x"),
            &["key unit", "functional-unit"],
        ),
        (
            "unknown method",
            |m| m["initialize"]["plugins"]["score"]["method"] = json!("Shell"),
            &["no method Shell", "SciEmbodied"],
        ),
        (
            "foreign code",
            |m| m["initialize"]["plugins"]["score"]["path"] = json!("./mine.js"),
            &["key path", "mine.js"],
        ),
        (
            "unknown step",
            |m| m["tree"]["pipeline"]["compute"] = json!(["scor"]),
            &["child a", "\"scor\"", "declares score"],
        ),
        ("observe", |m| m["tree"]["pipeline"]["observe"] = json!(["x"]), &["sim makes no observations"]),
        ("unknown phase", |m| m["tree"]["pipeline"]["run"] = json!(["x"]), &["key run"]),
        (
            "missing value",
            |m| {
                m["tree"]["children"]["b"]["inputs"][1].as_object_mut().expect("a row").remove("requests");
            },
            &["child b, plugin score, row 1, key requests", "missing"],
        ),
        (
            "text",
            |m| m["tree"]["children"]["b"]["inputs"][0]["carbon"] = json!("4"),
            &["row 0, key carbon", "not a number"],
        ),
        (
            "negative duration",
            |m| {
                m["aggregation"] = Value::Null;
                m["tree"]["children"]["b"]["inputs"][1]["duration"] = json!(-3600);
            },
            &["child b, row 1, key duration: -3600 is no duration", "seconds"],
        ),
        (
            "no duration",
            |m| m["tree"]["children"]["a"]["inputs"][0]["duration"] = json!(0),
            &["child a, row 0, key duration: 0 is no"],
        ),
        (
            "duration as text",
            |m| m["tree"]["children"]["a"]["inputs"][0]["duration"] = json!("10"),
            &["row 0, key duration: \"10\" is no"],
        ),
        (
            "duration of defaults",
            |m| {
                m["tree"]["defaults"] = json!({ "duration": -1 });
                m["tree"]["children"]["b"]["inputs"][1].as_object_mut().expect("a row").remove("duration");
            },
            &["child b, row 1, key duration: -1 is no"],
        ),
        (
            "duration of a row that is only regrouped",
            |m| {
                m["aggregation"] = Value::Null;
                m["tree"]["pipeline"] = json!({ "regroup": ["requests"] });
                m["tree"]["children"]["b"]["inputs"][1]["duration"] = json!(-1);
            },
            &["child b, row 1, key duration: -1 is no"],
        ),
        (
            "duration of a plugin",
            |m| {
                let config =
                    json!({ "input-parameter": "duration", "coefficient": -1, "output-parameter": "duration" });
                m["initialize"]["plugins"]["turn"] =
                    json!({ "path": "builtin", "method": "Coefficient", "config": config });
                m["tree"]["pipeline"]["compute"] = json!(["score", "turn"]);
            },
            &["child a, row 0, key duration: -10 is no"],
        ),
        ("negative", |m| m["tree"]["children"]["b"]["inputs"][0]["carbon"] = json!(-4), &["key carbon", "negative"]),
        (
            "no inputs",
            |m| m["tree"]["children"]["a"]["inputs"] = json!([]),
            &["child a", "neither inputs nor children"],
        ),
        ("config of a child", |m| m["tree"]["children"]["a"]["config"] = json!({}), &["child a", "key config"]),
        ("metric", |m| m["aggregation"]["metrics"] = json!(["energy"]), &["key energy", "parameter-metadata"]),
        ("type", |m| m["aggregation"]["type"] = json!("all"), &["key type", "both"]),
        ("steps", |m| m["tree"]["children"]["a"]["inputs"][1]["duration"] = json!(1), &["child tree", "TimeSync"]),
        ("tree", |m| m["tree"] = json!({ "children": {} }), &["children"]),
    ];
    for (name, change, words) in cases {
        let mut manifest = small();
        change(&mut manifest);
        let error = impact::compute(&manifest).expect_err(name).to_string();
        for word in *words {
            assert!(error.contains(word), "{name}: {word:?} is not in: {error}");
        }
        assert!(error.contains("\n  help: "), "{name}: {error}");
    }
    for (text, word) in [
        ("a: 1\na: 2\n", "duplicate"),
        ("a: [1\n", "is no YAML"),
        ("a: .nan\n", "is no YAML"),
        ("- 1\n", "no manifest"),
    ] {
        let error = impact::parse(text).and_then(|m| impact::compute(&m)).expect_err(text).to_string();
        assert!(error.contains(word), "{text:?}: {error}");
    }
}

#[test]
fn drives_and_memory_have_the_published_constants_of_teads() {
    let grams = |config: Value, row: Value| -> f64 {
        let mut row = row;
        row["duration"] = json!(126_144_000);
        let rows = vec![row.as_object().expect("a row").clone()];
        let step = impact::Step::new("m", "SciEmbodied", Some(&config), None).expect("right");
        let rows = step.run(rows, &impact::Methods::default()).expect("right");
        rows[0]["embodied-carbon"].as_f64().expect("a number")
    };
    close("base", grams(json!({}), json!({})), 1e6);
    close("SSD", grams(json!({}), json!({ "ssd": 1 })), 1.1e6);
    close("HDD", grams(json!({}), json!({ "hdd": 1 })), 1.05e6);
    close("GB", grams(json!({}), json!({ "memory": 32 })), 1e6 + 16.0 * 533.0 / 384.0 * 1000.0);
    // The constant per GB does not depend on the baseline's memory.
    close("GB", grams(json!({ "baseline-memory": 32 }), json!({ "memory": 48 })), 1e6 + 16.0 * 533.0 / 384.0 * 1000.0);
}

#[test]
fn time_sync_conserves_sums_below_the_second_and_refuses_what_it_cannot_know() {
    let config = json!({ "start-time": "2024-01-01T00:00:00Z", "end-time": "2024-01-01T00:00:04Z", "interval": 0.5, "allow-padding": true });
    let step = impact::Step::new("ts", "TimeSync", Some(&config), None).expect("right");
    let row = |at: &str, duration: f64, energy: f64| {
        json!({ "timestamp": at, "duration": duration, "energy": energy }).as_object().expect("a row").clone()
    };
    let rows = vec![row("2024-01-01T00:00:00.250Z", 0.9, 3.0), row("2024-01-01T00:00:02.150Z", 1.25, 5.0)];
    let mut methods = impact::Methods::default();
    let error = step.run(rows.clone(), &methods).expect_err("no method").to_string();
    assert!(error.contains("key energy") && error.contains("parameter-metadata"), "{error}");
    methods.set("energy", impact::Pair::both(impact::Method::Sum));
    let bins = step.run(rows, &methods).expect("right");
    assert_eq!(bins.len(), 8);
    close("sum", bins.iter().map(|b| b["energy"].as_f64().expect("a number")).sum(), 8.0);
    close("first bin", bins[0]["energy"].as_f64().expect("a number"), 3.0 * 0.25 / 0.9);
    assert_eq!(bins[7]["energy"], json!(0));
}

#[test]
fn the_program_computes_exports_and_fails_with_2_on_a_wrong_manifest() {
    let sim = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_sim")).args(args).output().expect("the program runs");
    let run = Lab::new(TWO_REGIONS).run(&[]);
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let done = sim(&["impact", "export", &folder(&run).to_string_lossy(), "--out", &path("run.yml")]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let done = sim(&["impact", "compute", &path("run.yml"), "--out", &path("out.yml")]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let printed = sim(&["impact", "compute", &path("run.yml")]);
    assert_eq!(printed.stdout, fs::read(path("out.yml")).expect("written"));
    fs::write(path("wrong.yml"), "name: wrong\ninitialize: {plugins: {}}\ntree: {children: {a: {inputs: []}}}\n")
        .expect("writable");
    let failed = sim(&["impact", "compute", &path("wrong.yml"), "--out", &path("none.yml")]);
    assert_eq!(failed.status.code(), Some(2));
    let message = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(message.contains("wrong.yml, child a, key inputs") && message.contains("help:"), "{message}");
    assert_eq!(fs::read_dir(dir.path()).expect("readable").count(), 3, "nothing is left of the attempt");
}
