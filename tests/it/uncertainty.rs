//! How sure a score is, from a scenario and from the books of a finished run.

use std::fs;
use std::path::Path;
use std::process::Command;

use slackwater::report::{UNCERTAINTY, read_ledger};
use slackwater::sci::uncertainty::{Parts, default_spec, sample};
use slackwater::types::Seed;

use crate::lab::{Lab, Run, Table, repository, run_file};

/// The reference scenario has two regions; cut short.
const SHORT: &str = "workload.poisson.calls=2000";
const OWN: &str = "sci.uncertainty={samples=2000,intensity={factor.normal={mean=1.0,sd=0.1},common=false},\
                   embodied={factor.uniform={low=0.5,high=1.5}}}";

fn sim(arguments: &[&str]) -> (i32, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_sim")).arg("uncertainty").args(arguments).env("NO_COLOR", "1").output();
    let out = out.expect("sim runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (out.status.code().expect("sim ends by itself"), text(out.stdout), text(out.stderr))
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

#[test]
fn the_books_of_a_run_give_its_own_score_and_the_summary_its_interval() {
    let run = run_file(&repository("scenarios/reference.toml"), &[SHORT, OWN], 1);
    let record = read_ledger(&run.folder()).expect("the run kept its books");
    let spec = record.facts.uncertainty.clone().expect("the scenario says so");
    let u = sample(&Parts::of(&record.books()), &spec, spec.samples, Seed(record.facts.seed));
    assert_eq!(u.operational_g.run, run.number("carbon_g.operational"));
    assert_eq!(u.embodied_g.run, run.number("carbon_g.embodied"));
    let sci = u.sci_g_per_unit.expect("calls");
    assert_eq!(sci.run, run.number("sci.g_per_unit"));
    let keys = ["sci.p05_g_per_unit", "sci.p50_g_per_unit", "sci.p95_g_per_unit"];
    assert_eq!([sci.p05, sci.p50, sci.p95], keys.map(|key| run.number(key)));
    assert!(sci.p05 < sci.p50 && sci.p50 < sci.p95);
    // Without the table there are no such figures, and all others are the same.
    let plain = run_file(&repository("scenarios/reference.toml"), &[SHORT], 2);
    assert!(keys.iter().all(|key| plain.report.number(key).is_none()));
    let cells = |run: &Run| -> Vec<(String, String)> {
        let rest = run.report.summary.iter().filter(|e| !keys.contains(&e.key.as_str()));
        rest.map(|e| (e.key.clone(), e.cell())).collect()
    };
    assert_eq!(cells(&run), cells(&plain));
    let outputs = fs::read_to_string(repository("docs/outputs.md")).expect("readable");
    assert!(keys.iter().all(|key| outputs.contains(&format!("| `{key}` | gCO2e/R |"))));
}

#[test]
fn grams_by_kind_of_power_add_up_to_the_operational_emissions() {
    let run = run_file(&repository("scenarios/reference.toml"), &[SHORT], 1);
    let parts = Parts::of(&read_ledger(&run.folder()).expect("kept").books());
    let at = |text: &str| {
        let spec = toml::from_str(text).expect("a specification");
        sample(&parts, &spec, 100, Seed(1)).operational_g.p50
    };
    // O is linear in each kind: without all of them nothing is left, and what each takes away adds up to O.
    let none = "factor.uniform = { low = 0.0, high = 0.0 }";
    let kinds = ["idle_power", "dynamic_power", "boot_power", "off_power"];
    let without: Vec<String> = kinds.iter().map(|kind| format!("{kind}.{none}\n")).collect();
    let own = parts.operational_g;
    let gone: f64 = without.iter().map(|text| own - at(text)).sum();
    assert!((gone / own - 1.0).abs() < 1e-9, "{gone} of {own}");
    assert!(at(&without.concat()) <= 1e-9 * own);
    let overhead = own - at(&format!("pue_overhead.{none}"));
    assert!((overhead / run.number("carbon_g.operational_pue_overhead") - 1.0).abs() < 1e-9);
}

#[test]
fn the_command_prints_the_same_bytes_each_time_and_writes_table_and_picture() {
    let run = run_file(&repository("scenarios/reference.toml"), &[SHORT], 1);
    let folder = run.folder();
    let (csv, svg) = (folder.join("u.csv"), folder.join("u.svg"));
    let arguments = [path(&folder), "--samples", "1000", "--csv", path(&csv), "--svg", path(&svg)];
    let (code, text, error) = sim(&arguments);
    assert_eq!((code, error.as_str()), (0, ""));
    for words in [
        "90 % interval",
        "SCI (O + M) / R",
        "What matters most",
        "boundary  all hosts",
        "spreads: default",
        "PUE overhead",
    ] {
        assert!(text.contains(words), "{words} is missing:\n{text}");
    }
    assert_eq!(sim(&arguments).1, text);
    let table = Table::read(&csv);
    assert_eq!(table.rows[0].len(), UNCERTAINTY.len());
    assert_eq!(table.text("part").iter().filter(|p| *p == "input").count(), 7);
    let record = read_ledger(&folder).expect("kept");
    let u = sample(&Parts::of(&record.books()), default_spec(), 1000, Seed(record.facts.seed));
    assert_eq!(table.column("at_p05")[..3], [u.operational_g.p05, u.embodied_g.p05, u.total_g.p05]);
    let swing: Vec<f64> =
        table.column("at_p95").iter().zip(table.column("at_p05")).map(|(b, a)| (b - a).abs()).collect();
    assert!(swing[4..].windows(2).all(|pair| pair[0] >= pair[1]), "sorted by swing: {swing:?}");
    let picture = fs::read_to_string(&svg).expect("drawn");
    assert!(picture.starts_with("<svg") && picture.contains("all at once"));
    let document = fs::read_to_string(repository("docs/uncertainty.md")).expect("readable");
    for (name, unit, meaning) in UNCERTAINTY {
        assert!(document.contains(&format!("| `{name}` | {unit} | {meaning} |")), "docs/uncertainty.md lacks {name}");
    }
    let (_, other, _) = sim(&[path(&folder), "--samples", "1000", "--seed", "5"]);
    assert_ne!(other, text);
}

#[test]
fn a_lower_run_in_the_same_grid_is_lower_in_every_sample() {
    let lab = Lab::new(&fs::read_to_string(repository("scenarios/quickstart.toml")).expect("readable"));
    let set = ["workload.poisson.calls=500"];
    let (less, more) = (lab.run(&set), lab.run(&[set[0], "regions[0].hosts[0].count=3"]));
    let (code, text, error) = sim(&[path(&less.folder()), path(&more.folder()), "--samples", "500"]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(text.contains("A's score is below B's in 100.0 % of the samples"), "{text}");
    assert!(text.contains("A is lower") && text.contains("the ranking holds"), "{text}");
    let (_, text, _) = sim(&[path(&less.folder()), path(&less.folder()), "--samples", "500"]);
    assert!(text.contains("the ranking is no result"), "{text}");
    let hours = lab.run(&[set[0], "sci.functional_unit=\"execution-hour\""]);
    let (code, _, error) = sim(&[path(&less.folder()), path(&hours.folder())]);
    assert!(code == 2 && error.contains("have no order"), "{error}");
    assert!(!text.contains("warning"), "one run differs in nothing: {text}");
}

#[test]
fn scores_of_two_kinds_of_signal_are_not_ranked_and_other_bases_are_warned_of() {
    let lab = Lab::new(&fs::read_to_string(repository("scenarios/quickstart.toml")).expect("readable"))
        .file("g.csv", "time_utc,g_per_kwh\n2024-01-01T00:00:00Z,300\n2024-01-01T01:00:00Z,300\n");
    let run = |kind: &str, basis: &str, version: &str, years: &str| {
        let grid = format!(
            "regions[0].grid={{csv={{path='g.csv',zone='X',kind='{kind}',factor_basis='{basis}',source='s',licence='l',\
             dataset_version='{version}',past_end='hold'}}}}"
        );
        let years = format!("servers.epyc.lifetime_years={years}");
        lab.run(&["workload.poisson.calls=500", "time.start='2024-01-01T00:00:00Z'", &grid, &years])
    };
    let average = run("average", "direct", "2023", "4.0");
    let rank = |other: &Run| sim(&[path(&average.folder()), path(&other.folder()), "--samples", "200"]);
    let (code, text, error) = rank(&run("marginal", "direct", "2023", "4.0"));
    assert!(code == 2 && text.is_empty(), "{text}");
    for words in ["is scored on average intensity", "on marginal", "have no order", "help: run both"] {
        assert!(error.contains(words), "{words}: {error}");
    }
    for (other, warnings) in [
        (run("average", "life cycle", "2023", "4.0"), &["factor basis differs: A has direct; B has life cycle"][..]),
        (run("average", "direct", "2024", "4.0"), &["dataset version differs: A has 2023; B has 2024"]),
        (run("average", "direct", "2023", "5.0"), &["lifespan in years differs: A has 4; B has 5"]),
        (
            run("average", "life cycle", "2023", "5.0"),
            &["factor basis differs: A has direct; B has life cycle", "lifespan in years differs: A has 4; B has 5"],
        ),
    ] {
        let (code, text, error) = rank(&other);
        assert_eq!((code, error.as_str()), (0, ""));
        let found: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("warning: ")).collect();
        assert_eq!(found, warnings);
    }
}

#[test]
fn a_shared_host_keeps_its_owners_through_the_ledger() {
    let set = [SHORT, "servers.epyc.second_life.share=0.5"];
    let run = run_file(&repository("scenarios/reference.toml"), &set, 1);
    let record = read_ledger(&run.folder()).expect("kept");
    let group = &record.facts.groups[0];
    assert_eq!((group.embodied_kg, group.server_kg, group.lives.declared()), (750.0, 1500.0, 0.5));
    // The weight of the whole host, known exactly: M is the run's own and not twice that.
    let spec = "embodied.embodied_kg.uniform = { low = 1500.0, high = 1500.0 }";
    let u = sample(&Parts::of(&record.books()), &toml::from_str(spec).expect("right"), 100, Seed(1));
    assert_eq!(u.embodied_g.p50, run.number("carbon_g.embodied"));
    let alone = run_file(&repository("scenarios/reference.toml"), &[SHORT], 1);
    assert!((run.number("carbon_g.embodied") / alone.number("carbon_g.embodied") - 0.5).abs() < 1e-12);
    let text = run.report.summary.iter().find(|e| e.key == "sci.embodied").expect("said").cell();
    assert_eq!(text, "1500 kg x 0.5 (second life)");
    let (_, text, _) = sim(&[path(&run.folder()), "--samples", "100"]);
    assert!(text.contains("embodied  1500 kg x 0.5 (second life) per host"), "{text}");
}

#[test]
fn wrong_specifications_and_folders_are_named() {
    let run = run_file(&repository("scenarios/quickstart.toml"), &["workload.poisson.calls=100"], 1);
    let folder = run.folder();
    let file = folder.join("mine.toml");
    fs::write(&file, "[lifetime]\nby_server.xeon.lifetime_years.uniform = { low = 4.0, high = 6.0 }\n")
        .expect("writable");
    let (code, _, error) = sim(&[path(&folder), "--spec", path(&file)]);
    assert!(code == 2 && error.contains("mine.toml:2:") && error.contains("server types are epyc"), "{error}");
    let (code, _, error) = sim(&[path(&folder.join("no"))]);
    assert!(code == 2 && error.contains("ledger.json"), "{error}");
    let lab = Lab::new(&fs::read_to_string(repository("scenarios/quickstart.toml")).expect("readable"));
    let message = lab.fails(&["sci.uncertainty.idle_power.factor.uniform={low=2.0,high=1.0}"]);
    assert!(message.contains("low 2 is above high 1"), "{message}");
    let message = lab.fails(&["sci.uncertainty.embodied.by_server.xeon.factor.uniform={low=1.0,high=2.0}"]);
    assert!(message.contains("there is no server type \"xeon\""), "{message}");
}
