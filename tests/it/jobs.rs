//! Batch jobs of a scenario: what its keys may be, and what goes wrong with them.

use std::collections::BTreeMap;

use slackwater::scenario::{self, build_loaded, load};
use slackwater::workload::jobs::JobsSpec;

use crate::lab::{Lab, repository};

const WORLD: &str = r#"
[servers.box]
cores = 8
memory_mb = 8000
embodied_kg = 1000
lifetime_years = 4
[[regions]]
name = "here"
grid.constant.g_per_kwh = 100.0
hosts = [{ server = "box", count = 1 }]
"#;

/// The problems of a scenario with these jobs, as one line.
fn problems(lab: &Lab, set: &[&str]) -> String {
    let set: Vec<String> = set.iter().map(|s| (*s).to_owned()).collect();
    let loaded = load(&lab.scenario(), &set);
    let error = loaded.and_then(|l| build_loaded(&l, false).map(|_| ())).expect_err("the scenario is wrong");
    error.render(scenario::Look::Plain).split_whitespace().filter(|w| *w != "|").collect::<Vec<_>>().join(" ")
}

#[test]
fn a_scenario_may_consist_of_jobs_alone_and_its_lists_are_checked() {
    let jobs = "[jobs.mine]\nsource.csv.path = \"jobs.csv\"\nslack.fixed.wait_s = 3600\n";
    let good = Lab::new(&format!("{WORLD}{jobs}")).file("jobs.csv", "arrival_s,length_s\n0,60\n");
    let loaded = load(&good.scenario(), &[]).expect("valid");
    assert!(build_loaded(&loaded, false).is_ok());
    let bad = Lab::new(&format!("{WORLD}{jobs}")).file("jobs.csv", "arrival_s,length_s\n0,sixty\n");
    let message = problems(&bad, &[]);
    for words in
        ["source.csv.path = \"jobs.csv\"", "jobs.csv, line 2", "length_s = \"sixty\" is not a number of seconds"]
    {
        assert!(message.contains(words), "{words}: {message}");
    }
    let message = problems(&good, &["jobs.mine.region=there"]);
    assert!(message.contains("region = \"there\" is not a region of this scenario"), "{message}");
    let message = problems(&good, &["jobs.mine.slack.fixed.wait_h=1"]);
    assert!(message.contains("wait_h") && message.contains("wait_s"), "{message}");
}

/// The commented lines of the reference about jobs, as TOML: each table alone, alternatives (`# # key`) apart.
fn reference_tables() -> Vec<(String, Vec<String>)> {
    let text = std::fs::read_to_string(repository("scenarios/reference.toml")).expect("readable");
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines() {
        // A line without a comment ends a table: it belongs to a nameless one.
        let Some(line) = line.strip_prefix("# ") else {
            tables.push((String::new(), Vec::new()));
            continue;
        };
        if line.starts_with('[') {
            tables.push((line.split('#').next().unwrap_or("").trim().to_owned(), Vec::new()));
        } else if let Some((_, keys)) = tables.last_mut().filter(|_| line.contains(" = ")) {
            keys.push(line.to_owned());
        }
    }
    tables.retain(|(header, _)| header.starts_with("[jobs."));
    tables
}

#[derive(serde::Deserialize)]
struct Jobs {
    jobs: BTreeMap<String, JobsSpec>,
}

#[test]
fn the_reference_shows_every_key_of_jobs_and_each_line_is_valid() {
    let tables = reference_tables();
    assert_eq!(tables.len(), 7);
    let (_, common) = tables.iter().find(|(header, _)| header == "[jobs.made]").expect("the keys of any source");
    let (_, synthetic) = tables.iter().find(|(h, _)| h == "[jobs.made.source.synthetic]").expect("the generator");
    let plain = |keys: &[String]| keys.iter().filter(|k| !k.starts_with('#')).cloned().collect::<Vec<_>>();
    let valid = |text: String| match toml::from_str::<Jobs>(&text) {
        Ok(parsed) => assert_eq!(parsed.jobs.len(), 1),
        Err(e) => panic!("{text}\n{e}"),
    };
    for (header, keys) in &tables {
        let alternatives = keys.iter().filter_map(|k| k.strip_prefix("# "));
        if header == "[jobs.made]" {
            let source = "[jobs.made.source.periodic]\nevery_s = 1.0\ncount = 1\nlength_s = 1.0\n";
            valid(format!("{source}{header}\n{}", plain(keys).join("\n")));
            for alternative in alternatives {
                // The two lines of by-length belong together.
                let pair = ["slack.by-length.classes = []", "slack.by-length.else = { name = \"x\", wait_s = 1.0 }"];
                let other =
                    pair.iter().find(|p| alternative.starts_with("slack.by-length") && p[..20] != alternative[..20]);
                valid(format!("{source}{header}\n{alternative}\n{}", other.unwrap_or(&"")));
            }
        } else {
            valid(format!("{header}\n{}", plain(keys).join("\n")));
            for alternative in alternatives {
                let rest: Vec<_> = plain(keys).into_iter().filter(|k| !k.starts_with("length.")).collect();
                valid(format!("{header}\n{}\n{alternative}", rest.join("\n")));
            }
        }
    }
    let schema = scenario::schema();
    for (definition, keys) in [("JobsSpec", common), ("SyntheticJobsSpec", synthetic)] {
        for key in schema["$defs"][definition]["properties"].as_object().expect("keys").keys() {
            let shown = keys.iter().any(|k| k.trim_start_matches("# ").starts_with(key.as_str()));
            assert!(shown || key == "source", "{key} of {definition} is not in scenarios/reference.toml");
        }
    }
}
