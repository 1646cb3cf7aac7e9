//! `sim validate`: the catalogue against the committed document, verdicts and exit codes, the same bytes on any number of threads; and the oracles
//! of shared data through the claims that hold the program against them.

use std::path::PathBuf;
use std::process::{Command, Output};

use slackwater::validate::{
    Catalogue, Options, Validated, Verdict, check_document, csv_text, json_text, markdown, validate,
};

use crate::lab::{repository, shared};

/// These claims of the catalogue, measured.
#[track_caller]
pub fn measured(names: &[&str], data: Option<PathBuf>, jobs: usize) -> Validated {
    let names: Vec<String> = names.iter().map(|&n| n.to_owned()).collect();
    let catalogue = Catalogue::embedded().and_then(|all| all.only(&names)).expect("claims of the catalogue");
    validate(&catalogue, &Options { data, jobs, ..Options::default() }, &|_| {}).expect("a temporary folder")
}

/// Asserts that claims reproduce on the shared data, or miss as the catalogue says; does nothing where the data are absent.
#[track_caller]
pub fn hold(names: &[&str]) {
    let Some(oracles) = shared("oracles") else { return };
    let data = oracles.parent().expect("the oracles lie in a folder").to_owned();
    let validated = measured(names, Some(data), 2);
    for judged in validated.judged() {
        let good = matches!(judged.verdict, Verdict::Reproduced | Verdict::KnownGap(_));
        assert!(
            good,
            "{}: {} for {}: {:?} {:?}",
            judged.claim.id, judged.ours, judged.published, judged.verdict, judged.missed
        );
    }
}

fn sim(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sim")).arg("validate").args(arguments).output().expect("the program starts")
}

/// A claim about the 200 calls of the sample that comes with the program.
fn catalogue_of(calls: u32, gap: &str) -> String {
    format!(
        "subject = \"Sample\"\nabout = \"200 calls.\"\n[[claim]]\nid = \"T1\"\nclaim = \"so many calls are received\"\nsource = \"the file, 2026\"\n\
         published = {calls}.0\nwhy = \"a count\"\ntolerance.exact = {{}}\n{gap}\
         measure.run = {{ scenario = \"scenarios/checks/keep-alive.toml\", figure = \"calls.received\" }}\n"
    )
}

/// A known gap of that claim.
fn known(ours: u32) -> String {
    format!("known_gap = {{ why = \"the file has one fewer\", ours = {ours}.0, within = 0.5 }}\n")
}

#[test]
fn claims_of_the_quick_tier_reproduce_without_any_data() {
    let validated = measured(&["A1-worked*", "A2*", "A7*", "A8*", "O-opendc*", "B8-plain"], None, 2);
    assert!(validated.judged().count() > 10);
    for judged in validated.judged() {
        assert_eq!(judged.verdict, Verdict::Reproduced, "{}: {}", judged.claim.id, judged.ours);
    }
}

#[test]
fn what_needs_data_says_which_when_there_are_none() {
    let validated = measured(&["O-shapley", "C1-savings"], None, 1);
    let verdicts: Vec<&Verdict> = validated.judged().map(|j| &j.verdict).collect();
    let needed = Verdict::NotRun("needs `oracles/sci/shapley.json` below --data".to_owned());
    assert!(verdicts.contains(&&needed), "{verdicts:?}");
    assert!(verdicts.contains(&&Verdict::NotRun("the Google cluster trace v3 (2.4 TiB)".to_owned())), "{verdicts:?}");
    assert!(validated.holds(), "what is not run is no alarm");
}

#[test]
fn one_thread_and_two_give_the_same_bytes() {
    let bytes = |jobs| {
        let validated = measured(&["A1*", "A2*", "B8*", "A8*", "O-opendc*", "D2*"], None, jobs);
        [markdown(&validated, "sim validate"), json_text(&validated), csv_text(&validated).expect("in memory")]
    };
    assert_eq!(bytes(1), bytes(2));
}

#[test]
fn a_claim_that_is_false_ends_with_3_and_so_does_a_gap_that_is_gone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("claims.toml");
    let run = |text: &str| {
        std::fs::write(&file, text).expect("writable");
        let out = sim(&["--catalogue", file.to_str().expect("text")]);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (out.status.code(), text(out.stdout), text(out.stderr))
    };
    let (code, shown, _) = run(&catalogue_of(200, ""));
    assert_eq!(code, Some(0));
    assert!(
        shown.contains("1 claims: 1 reproduced") && shown.contains("published 200; ours 200; tolerance exact"),
        "{shown}"
    );
    let (code, shown, error) = run(&catalogue_of(201, ""));
    assert_eq!(code, Some(3));
    assert!(
        shown.contains("NOT REPRODUCED (unexpected)") && error.contains("T1: outside of the tolerance"),
        "{shown} {error}"
    );
    let (code, shown, _) = run(&catalogue_of(201, &known(200)));
    assert_eq!(code, Some(0));
    assert!(shown.contains("NOT reproduced (known gap)") && shown.contains("the file has one fewer"), "{shown}");
    let (code, _, error) = run(&catalogue_of(201, &known(150)));
    assert_eq!(code, Some(3), "another fault does not hide behind the gap");
    assert!(error.contains("T1: outside, but not at 150 ± 0.5 as it is known"), "{error}");
    let (code, _, error) = run(&catalogue_of(200, &known(200)));
    assert_eq!(code, Some(3));
    assert!(error.contains("remove known_gap"), "{error}");
    let (code, _, error) = run(&catalogue_of(200, "").replace("calls.received", "calls.recieved"));
    assert_eq!(code, Some(3), "{error}");
    assert!(error.contains("no figure calls.recieved"), "{error}");
}

#[test]
fn a_document_is_written_and_compared() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("VALIDATION.md");
    let path = file.to_str().expect("text");
    let written = sim(&["--only", "A1*", "--only", "A2*", "--write", path, "--quiet"]);
    assert!(written.status.success() && written.stdout.is_empty(), "{written:?}");
    assert!(sim(&["--only", "A2*", "--check", path]).status.success());
    let text = std::fs::read_to_string(&file).expect("written");
    std::fs::write(&file, text.replace("| 36 g | 36 g |", "| 36 g | 37 g |")).expect("writable");
    let out = sim(&["--only", "A2*", "--check", path]);
    let error = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(3));
    assert!(error.contains("\n-| A2-no-requests |") && error.contains("\n+| A2-no-requests |"), "{error}");
    let unknown = sim(&["--only", "Z*"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no claim is called \"Z*\""));
    assert_eq!(sim(&["--data", "/no/such/folder", "--only", "A1*"]).status.code(), Some(2));
}

#[test]
fn the_committed_document_has_the_claims_of_the_catalogue_and_says_what_they_say() {
    let document = std::fs::read_to_string(repository("docs/VALIDATION.md")).expect("docs/VALIDATION.md");
    let catalogue = Catalogue::embedded().expect("right");
    let rows = document.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let there: Vec<&str> = rows.filter(|id| *id != "claim").collect();
    let ids: Vec<&str> = catalogue.claims().map(|c| c.id.as_str()).collect();
    assert_eq!(there, ids, "write it anew: sim validate --data DIR --write docs/VALIDATION.md");
    for claim in catalogue.claims() {
        let line = document.lines().find(|l| l.starts_with(&format!("| {} |", claim.id))).expect("it has a row");
        assert!(line.contains(&claim.claim) && line.contains(&claim.source) && line.contains(&claim.why), "{line}");
    }
    let validated = measured(&["A1*", "A2*", "A7*", "A8*", "O-opendc*"], None, 1);
    assert_eq!(check_document(&document, &validated), Vec::<String>::new());
}

#[test]
fn every_scenario_that_claims_run_is_the_one_of_the_repository_and_right() {
    let catalogue = Catalogue::embedded().expect("right");
    let listed = sim(&["--list"]);
    let text = String::from_utf8(listed.stdout).expect("text");
    assert!(catalogue.claims().all(|c| text.contains(&c.id)), "{text}");
    for name in ["idle-host", "opendc-tiny", "simfaas", "station"] {
        let file = repository(&format!("scenarios/validation/{name}.toml"));
        slackwater::scenario::load(&file, &[]).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}
