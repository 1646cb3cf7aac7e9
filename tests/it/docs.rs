//! The documents that must keep step with the program.

use slackwater::report::{
    ACCOUNTS, BESIDE, CHARGED, DISTRIBUTIONS, FUNCTIONS, HOSTS, INSTANCES, INVOCATIONS, JOBS, LEDGER, METER,
    METER_FUNCTIONS, PUBLISHED, REGIONS, SCORES, TENANTS, TIMESERIES,
};
use slackwater::scheduler::overcommit::watch::{CELL_COLUMNS, MACHINE_COLUMNS};

use crate::lab::{Run, repository, run_file};

/// The table rows of docs/outputs.md below the heading that names a file: cells of each row.
fn rows_below(text: &str, heading: &str) -> Vec<Vec<String>> {
    let mut inside = false;
    let mut rows = Vec::new();
    for line in text.lines() {
        if line.starts_with('#') {
            inside = line.trim_start_matches(['#', ' ']).starts_with(heading);
        } else if inside && line.starts_with('|') {
            rows.push(line.trim_matches('|').split('|').map(|c| c.trim().trim_matches('`').to_owned()).collect());
        }
    }
    rows
}

#[track_caller]
fn names<'a>(text: &str, heading: &str, wanted: impl Iterator<Item = (&'a str, &'a str)>) {
    let rows = rows_below(text, heading);
    let mut missing = Vec::new();
    for (name, unit) in wanted {
        match rows.iter().find(|r| r[0] == name) {
            None => missing.push(format!("{name} is missing")),
            Some(row) if row.get(1).is_none_or(|u| u != unit) => {
                missing.push(format!("{name} has unit {:?} instead of {unit}", row.get(1)));
            }
            Some(_) => {}
        }
    }
    assert!(missing.is_empty(), "docs/outputs.md, {heading}:\n{}", missing.join("\n"));
}

fn outputs() -> String {
    std::fs::read_to_string(repository("docs/outputs.md")).expect("docs/outputs.md explains every output")
}

#[test]
fn every_column_is_documented_with_its_unit() {
    let tables = [
        ("timeseries.csv", TIMESERIES),
        ("regions.csv", REGIONS),
        ("functions.csv", FUNCTIONS),
        ("tenants.csv", TENANTS),
        ("hosts.csv", HOSTS),
        ("distributions.csv", DISTRIBUTIONS),
        ("beside.csv", BESIDE),
        ("published.csv", PUBLISHED),
        ("invocations.parquet", INVOCATIONS),
        ("instances.csv", INSTANCES),
        ("jobs.csv", JOBS),
        ("overcommit.csv", CELL_COLUMNS),
        ("overcommit_machines.csv", MACHINE_COLUMNS),
        ("accounts.parquet", ACCOUNTS),
        ("ledger.parquet", &LEDGER),
        ("scores.csv", SCORES),
        ("charged.csv", CHARGED),
        ("comparison.csv", slackwater::contrast::COLUMNS),
        ("meter.csv", METER),
        ("meter_functions.csv", METER_FUNCTIONS),
    ];
    for (file, columns) in tables {
        names(&outputs(), file, columns.iter().map(|c| (c.0, c.1)));
    }
}

#[test]
fn every_figure_of_the_summary_is_documented_with_its_unit() {
    let run = run_file(&repository("scenarios/quickstart.toml"), &["workload.poisson.calls=100"], 1);
    assert!(run.report.summary.len() > 60);
    names(&outputs(), "summary.json", run.report.summary.iter().map(|e| (e.key.as_str(), e.unit)));
    let with_instances = with_instances();
    let own = |key: &str| key.replace("overcommit.watched", "overcommit.NAME");
    let rows: Vec<(String, &str)> = with_instances.report.summary.iter().map(|e| (own(&e.key), e.unit)).collect();
    names(&outputs(), "summary.json", rows.iter().map(|(key, unit)| (key.as_str(), *unit)));
    let jobs = with_jobs();
    names(&outputs(), "summary.json", jobs.report.summary.iter().map(|e| (e.key.as_str(), e.unit)));
    let network = with_network();
    names(&outputs(), "summary.json", network.report.summary.iter().map(|e| (e.key.as_str(), e.unit)));
    let beside = with_all_ledgers();
    names(&outputs(), "summary.json", beside.report.summary.iter().map(|e| (e.key.as_str(), e.unit)));
}

/// A run with jobs that are shifted, and with their costs.
fn with_jobs() -> Run {
    let jobs = "jobs.few={ source = { periodic = { every_s = 3600.0, count = 3, length_s = 600.0 } }, slack = { fixed = { wait_s = 7200.0 } } }";
    let set = ["workload.poisson.calls=10", jobs, "scheduler.shifting=wait-awhile", "model.jobs.purchase={}"];
    run_file(&repository("scenarios/quickstart.toml"), &set, 1)
}

/// A run with a network of two regions, where sending has a price.
fn with_network() -> Run {
    run_file(
        &repository("scenarios/space.toml"),
        &["time.duration_s=60", "network.price_per_gb=0.02", "cost.currency=\"EUR\""],
        1,
    )
}

/// A run with instances and a watched predictor.
fn with_instances() -> Run {
    crate::lab::Lab::new(
        r#"
[instances.some.synthetic]
count = 5
duration_s = 3600.0
sizes.list.sizes = [{ cores = 1.0, memory_mb = 1000.0 }]
usage.constant.share = 0.5
[overcommit_watch]
horizon_s = 600.0
predictors = [{ name = "watched", policy.n-sigma = {} }]
[servers.box]
cores = 8
memory_mb = 8000
embodied_kg = 1000
lifetime_years = 4
[[regions]]
name = "here"
grid.constant.g_per_kwh = 100.0
hosts = [{ server = "box", count = 1 }]
"#,
    )
    .run(&[])
}

/// A run with every ledger beside carbon.
fn with_all_ledgers() -> Run {
    run_file(&repository("scenarios/beside-carbon.toml"), &["workload.poisson.calls=100"], 1)
}

#[test]
fn the_figures_of_a_meter_are_documented_with_their_units_and_no_others() {
    let set = ["workload.poisson.calls=100", "meter={ interval_s = 10.0 }"];
    let run = run_file(&repository("scenarios/quickstart.toml"), &set, 1);
    let own = || run.report.summary.iter().filter(|e| e.key.starts_with("meter."));
    let rows = rows_below(&outputs(), "The figures of a meter");
    assert_eq!(own().count(), 21);
    for entry in own() {
        let unit =
            rows.iter().find(|r| r[0].split(", ").any(|k| k.trim_matches('`') == entry.key)).map(|r| r[1].as_str());
        assert_eq!(unit, Some(entry.unit), "docs/outputs.md: {}", entry.key);
    }
    let documented: usize = rows.iter().map(|r| r[0].matches("meter.").count()).sum();
    assert_eq!(documented, own().count(), "docs/outputs.md has figures that do not exist");
}

#[test]
fn every_row_of_the_document_exists_in_the_program() {
    let run = with_all_ledgers();
    let (instances, jobs, network) = (with_instances(), with_jobs(), with_network());
    let tables =
        [TIMESERIES, REGIONS, FUNCTIONS, TENANTS, HOSTS, BESIDE, INVOCATIONS, INSTANCES, JOBS, &LEDGER, ACCOUNTS];
    let tables = [tables.concat(), CELL_COLUMNS.to_vec(), MACHINE_COLUMNS.to_vec()].concat();
    let mut known: Vec<&str> = tables.iter().map(|c| c.0).collect();
    known.extend(run.report.summary.iter().map(|e| e.key.as_str()));
    let of_instances: Vec<String> =
        instances.report.summary.iter().map(|e| e.key.replace("overcommit.watched", "overcommit.NAME")).collect();
    known.extend(of_instances.iter().map(String::as_str));
    known.extend(jobs.report.summary.iter().map(|e| e.key.as_str()));
    known.extend(network.report.summary.iter().map(|e| e.key.as_str()));
    for heading in [
        "summary.json",
        "timeseries.csv",
        "regions.csv",
        "functions.csv",
        "tenants.csv",
        "hosts.csv",
        "beside.csv",
        "invocations.parquet",
        "instances.csv",
        "jobs.csv",
        "overcommit.csv",
        "overcommit_machines.csv",
        "accounts.parquet",
    ] {
        for row in rows_below(&outputs(), heading) {
            let name = row[0].as_str();
            let is_name = name.contains(['.', '_']) && !name.contains([' ', '…', '*', '-']);
            assert!(!is_name || known.contains(&name), "docs/outputs.md, {heading}: {name} does not exist");
        }
    }
}

#[test]
fn every_figure_of_a_runs_course_is_documented_with_its_unit() {
    let run =
        run_file(&repository("scenarios/quickstart.toml"), &["workload.poisson.calls=100", "output.curve=true"], 1);
    let course = |key: &str| ["curve.", "quota.", "triggers."].iter().any(|start| key.starts_with(start));
    let known = slackwater::report::trigger_figures();
    let figures = run.report.summary.iter().filter(|e| course(&e.key)).chain(&known);
    let levels = ["p10", "p50", "p90", "p95", "p99"];
    let rows: Vec<(String, &str)> = figures
        .map(|e| {
            let parts: Vec<&str> = e.key.split('.').collect();
            let key =
                if let ["triggers", _, what] = parts[..] { format!("triggers.NAME.{what}") } else { e.key.clone() };
            (levels.iter().fold(key, |key, level| key.replace(&format!("_{level}"), "_PNN")), e.unit)
        })
        .map(|(key, unit)| (key.replace("cpu_spread_PNN", "cpu_spread_p95"), unit))
        .collect();
    assert!(rows.len() > 180, "{}", rows.len());
    names(&outputs(), "The figures of a run's course", rows.iter().map(|(key, unit)| (key.as_str(), *unit)));
}

/// The lines of scenarios/reference.toml below the head of one policy's table, active or commented, up to the next blank line or
/// table.
fn table_in_reference<'t>(text: &'t str, head: &str) -> Option<Vec<&'t str>> {
    let bare = |line: &'t str| line.trim_start_matches(['#', ' ']);
    let mut below = text.lines().skip_while(|line| !bare(line).starts_with(head));
    below.next()?;
    Some(below.take_while(|line| !line.is_empty() && !bare(line).starts_with("[scheduler.")).map(bare).collect())
}

#[test]
fn the_reference_shows_every_policy_with_every_key() {
    let text = std::fs::read_to_string(repository("scenarios/reference.toml")).expect("the reference scenario");
    let schema = slackwater::scenario::schema();
    let resolve = |part: &serde_json::Value| {
        let name = part["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/"));
        name.map_or_else(|| part.clone(), |name| schema["$defs"][name].clone())
    };
    let mut missing = Vec::new();
    let seams = schema["$defs"]["SchedulerSpec"]["properties"].as_object().expect("the seams");
    for (seam, catalogue) in seams {
        for variant in resolve(catalogue)["oneOf"].as_array().expect("a seam's policies") {
            let (name, policy) = variant["properties"].as_object().and_then(|p| p.iter().next()).expect("a name");
            let head = format!("[scheduler.{seam}.{name}]");
            let Some(lines) = table_in_reference(&text, &head) else {
                missing.push(head);
                continue;
            };
            for key in resolve(policy)["properties"].as_object().into_iter().flat_map(|keys| keys.keys()) {
                if !lines.iter().any(|line| line.starts_with(&format!("{key} = "))) {
                    missing.push(format!("{head} {key}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "scenarios/reference.toml lacks:\n{}", missing.join("\n"));
}
