//! The outcome as Markdown (docs/VALIDATION.md), for the terminal, as CSV and as JSON; no times, so that the same bytes come out anywhere.

use serde_json::{Value, json};

use super::catalogue::{Catalogue, Measure, RunSpec, Subject, Tier};
use super::judge::{Judged, Tolerance, Verdict};
use super::measure::Validated;

/// The hash of the code, as sweeps have it: what other code found is not taken over.
const CODE: &str = env!("SLACKWATER_CODE");

/// Rows of a table that are named where it is missed.
const NAMED: usize = 6;

/// Counts of verdicts: reproduced, not and known, unexpected, not run, failed.
fn counts(validated: &Validated) -> [usize; 5] {
    let count = |is: fn(&Verdict) -> bool| validated.judged().filter(|j| is(&j.verdict)).count();
    [
        count(|v| matches!(v, Verdict::Reproduced)),
        count(|v| matches!(v, Verdict::KnownGap(_))),
        count(|v| matches!(v, Verdict::Unexpected(_))),
        count(|v| matches!(v, Verdict::NotRun(_))),
        count(|v| matches!(v, Verdict::Failed(_))),
    ]
}

fn counted(validated: &Validated) -> String {
    let [reproduced, known, unexpected, not_run, failed] = counts(validated);
    let all = reproduced + known + unexpected + not_run + failed;
    let mut text =
        format!("{all} claims: {reproduced} reproduced, {known} not reproduced with a known reason, {not_run} not run");
    for (n, what) in [(unexpected, "unexpected"), (failed, "failed")] {
        if n > 0 {
            text += &format!(", {n} {what}");
        }
    }
    text
}

/// How a claim is measured, in a word or a path.
fn measured(judged: &Judged) -> String {
    match &judged.claim.measure {
        Measure::Run(RunSpec { scenario, .. }) | Measure::Published { scenario, .. } => format!("`{scenario}`"),
        Measure::Function { name, .. } => format!("`{name}`"),
        Measure::External { .. } => "–".to_owned(),
    }
}

/// The row of a claim in the document.
fn row(judged: &Judged) -> String {
    let claim = &judged.claim;
    let verdict = match &judged.verdict {
        Verdict::NotRun(what) => format!("not run: {what}"),
        verdict => verdict.mark().to_owned(),
    };
    let ours = if judged.ours.is_empty() { "–" } else { &judged.ours };
    let cells = [
        claim.id.as_str(),
        &claim.claim,
        &claim.source,
        &judged.published,
        ours,
        &format!("{}; {}", judged.tolerance, claim.why),
        &measured(judged),
        &verdict,
    ];
    format!("| {} |", cells.map(|cell| cell.replace('|', "/")).join(" | "))
}

/// What is missed, and why.
fn miss(judged: &Judged) -> String {
    let claim = &judged.claim;
    let ours = if judged.ours.is_empty() { "nothing" } else { &judged.ours };
    let mut text = format!(
        "- **{}**, {}: published {}, ours {ours} ({}). {}: {}",
        claim.id,
        claim.claim,
        judged.published,
        judged.tolerance,
        judged.verdict.mark().replace("**", ""),
        judged.verdict.said()
    );
    if !judged.missed.is_empty() {
        let more = judged.missed.len().saturating_sub(NAMED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        text += &format!(
            "\n  Outside (ours for published): {}{more}",
            judged.missed[..judged.missed.len().min(NAMED)].join("; ")
        );
    }
    text + "\n"
}

fn missed(validated: &Validated) -> Vec<&Judged> {
    let misses = |j: &&Judged| !matches!(j.verdict, Verdict::Reproduced | Verdict::NotRun(_));
    validated.judged().filter(misses).collect()
}

/// The document; `command` is the line that makes it.
pub fn markdown(validated: &Validated, command: &str) -> String {
    let mut text = format!(
        "# Validation: what is published, and what comes out here\n\n\
         This file is written by `{command}`, never by hand. The claims stand in `data/validation/`, one file per subject; DIR is a folder \
         with `oracles` and `data` in it, files of others that are not part of this repository.\n\n\
         **{}.** *Reproduced* means inside the tolerance; what is not stays here with its reason. A tolerance is followed by where it comes from.\n",
        counted(validated)
    );
    let misses = missed(validated);
    if !misses.is_empty() {
        text += "\n## Not reproduced\n\n";
        text.extend(misses.into_iter().map(miss));
    }
    for (subject, judged) in &validated.subjects {
        text += &format!("\n## {}\n\n{}\n\n", subject.subject, subject.about);
        text += "| claim | what | source | published | ours | tolerance | measured by | verdict |\n|---|---|---|---|---|---|---|---|\n";
        text.extend(judged.iter().map(|j| row(j) + "\n"));
    }
    text
}

/// The outcome for a terminal.
pub fn summary_text(validated: &Validated) -> String {
    let mut text = String::new();
    for (subject, judged) in &validated.subjects {
        text += &format!("{}\n", subject.subject);
        for j in judged {
            let claim = &j.claim;
            text += &format!("  {:<22} {}\n", claim.id, j.verdict.mark().replace("**", ""));
            text += &format!("      {} [{}]\n", claim.claim, claim.source);
            let ours = if j.ours.is_empty() { "–" } else { &j.ours };
            text += &format!("      published {}; ours {ours}; tolerance {}\n", j.published, j.tolerance);
            if !j.verdict.said().is_empty() {
                text += &format!("      {}\n", j.verdict.said());
            }
            let shown = j.missed.iter().take(NAMED);
            text.extend(shown.map(|row| format!("        outside: {row}\n")));
        }
        text.push('\n');
    }
    text + &counted(validated) + "\n"
}

/// The claims as they stand in the catalogue, without measuring.
pub fn list_text(catalogue: &Catalogue) -> String {
    let mut text = String::new();
    for subject in &catalogue.subjects {
        text += &format!("{}\n", subject.subject);
        for claim in &subject.claims {
            let tier = if claim.tier == Tier::Long { "long " } else { "quick" };
            let needs = match &claim.measure {
                Measure::External { takes } => format!("  ({takes})"),
                _ if claim.needs.is_empty() => String::new(),
                _ => format!("  (--data: {})", claim.needs.join(", ")),
            };
            text += &format!("  {:<22} {tier}  {}{needs}\n", claim.id, claim.claim);
        }
    }
    text
}

/// Verdicts by their names in JSON and CSV.
const NAMES: [&str; 5] = ["reproduced", "known gap", "unexpected", "not run", "failed"];

/// The outcomes that a file of `--json` holds, of claims that stand in the catalogue as they stood then and were run.
///
/// # Errors
/// It is no such file, or one that other code has written.
pub fn read_json(text: &str, catalogue: &Catalogue) -> Result<Vec<Judged>, String> {
    let file: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let written = file["code"].as_str().ok_or("it does not say by which code it was written")?;
    if written != CODE {
        return Err(format!(
            "it was written by code {written}, and this is {CODE}: what it found is not what this finds"
        ));
    }
    let mut known = Vec::new();
    for object in file["claims"].as_array().ok_or("it holds no claims")? {
        let text = |key: &str| object[key].as_str().ok_or_else(|| format!("an object has no {key}"));
        let told = match NAMES.iter().position(|n| text("verdict").is_ok_and(|v| v == *n)) {
            Some(0) => Verdict::Reproduced,
            Some(1) => Verdict::KnownGap(text("said")?.to_owned()),
            Some(2) => Verdict::Unexpected(text("said")?.to_owned()),
            Some(_) => continue,
            None => return Err(format!("{} has no verdict", text("id")?)),
        };
        let Some(holds) = told.held() else { continue };
        let id = text("id")?;
        let Some(claim) = catalogue.claims().find(|c| c.id == id) else { continue };
        let missed = object["outside"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        let mut judged = Judged {
            claim: claim.clone(),
            published: text("published")?.to_owned(),
            ours: text("ours")?.to_owned(),
            number: object["number"].as_f64(),
            tolerance: text("tolerance")?.to_owned(),
            verdict: Verdict::Reproduced,
            missed: missed.collect(),
        };
        judged.verdict = Verdict::of(&judged, holds);
        // A claim that was changed since then is measured anew; what is said of a gap is what the catalogue says now.
        let now = of_claim("", &judged);
        let same = |key: &str| object[key] == now[key];
        let told = claim.tolerance == (Tolerance::OfRows {}) || judged.tolerance == claim.tolerance.text(&claim.unit);
        if judged.published == Judged::published(claim)
            && told
            && ["claim", "source", "why", "unit"].into_iter().all(same)
        {
            known.push(judged);
        }
    }
    Ok(known)
}

/// The object of a claim.
fn of_claim(subject: &str, j: &Judged) -> Value {
    let (claim, verdict) = (&j.claim, &j.verdict);
    let name = match verdict {
        Verdict::Reproduced => NAMES[0],
        Verdict::KnownGap(_) => NAMES[1],
        Verdict::Unexpected(_) => NAMES[2],
        Verdict::NotRun(_) => NAMES[3],
        Verdict::Failed(_) => NAMES[4],
    };
    json!({
        "id": claim.id, "subject": subject, "claim": claim.claim, "source": claim.source, "published": j.published, "ours": j.ours,
        "number": j.number, "unit": claim.unit, "tolerance": j.tolerance, "why": claim.why, "verdict": name,
        "said": verdict.said(), "outside": j.missed,
    })
}

/// One object per claim.
fn objects(validated: &Validated) -> Vec<Value> {
    let of = |(subject, judged): &(Subject, Vec<Judged>)| {
        judged.iter().map(|j| of_claim(&subject.subject, j)).collect::<Vec<_>>()
    };
    validated.subjects.iter().flat_map(of).collect()
}

/// The code that measured, and one JSON object per claim.
pub fn json_text(validated: &Validated) -> String {
    format!("{:#}\n", json!({ "code": CODE, "claims": objects(validated) }))
}

/// One row per claim.
///
/// # Errors
/// None that a buffer in memory has.
pub fn csv_text(validated: &Validated) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let columns = [
        "id",
        "subject",
        "claim",
        "source",
        "published",
        "ours",
        "number",
        "unit",
        "tolerance",
        "why",
        "verdict",
        "said",
        "outside",
    ];
    writer.write_record(columns)?;
    for object in objects(validated) {
        let cell = |column: &str| match &object[column] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; "),
            other => other.to_string(),
        };
        writer.write_record(columns.map(cell))?;
    }
    let bytes = writer.into_inner().map_err(|e| csv::Error::from(e.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Where a document does not say what was found: for every claim that was measured, its row as it stands and as it should; for every
/// claim of the catalogue that the document lacks, its name.
pub fn check_document(document: &str, validated: &Validated) -> Vec<String> {
    let mut differences = Vec::new();
    for judged in validated.judged() {
        let name = format!("| {} |", judged.claim.id);
        let Some(there) = document.lines().find(|line| line.starts_with(&name)) else {
            differences.push(format!("the document lacks {}", judged.claim.id));
            continue;
        };
        let wanted = row(judged);
        if there != wanted && !matches!(judged.verdict, Verdict::NotRun(_)) {
            differences.push(format!("-{there}\n+{wanted}"));
        }
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::{Fault, Found, Row};

    fn validated() -> Validated {
        let claim = |id: &str, more: &str| {
            format!(
                "[[claim]]\nid = \"{id}\"\nclaim = \"it holds\"\nsource = \"paper, Table 1, 2020\"\npublished = 10.0\nunit = \"J\"\nwhy = \"two digits\"\n\
                 tolerance.relative = 0.05\nmeasure.external.takes = \"a trace\"\n{more}"
            )
        };
        let text = format!(
            "subject = \"Joules\"\nabout = \"By hand.\"\n{}{}{}",
            claim("X1", ""),
            claim("X2", "known_gap = { why = \"other servers\", rows = [\"first\"] }\n"),
            claim("X3", "")
        );
        let subject = Catalogue::of(&[("x", &text)]).expect("right").subjects.remove(0);
        let found = [
            Ok(Found::Number(10.1)),
            Ok(Found::Rows(vec![Row::new("first", 10.0, 12.0), Row::new("second", 10.0, 10.0)])),
            Err(Fault::Needs("a trace".to_owned())),
        ];
        let judged = subject.claims.iter().zip(&found).map(|(c, f)| Judged::of(c, f)).collect();
        Validated { subjects: vec![(subject, judged)] }
    }

    #[test]
    fn misses_come_first_and_every_claim_has_a_row() {
        let text = markdown(&validated(), "sim validate");
        assert!(
            text.contains("**3 claims: 1 reproduced, 1 not reproduced with a known reason, 1 not run.**"),
            "{text}"
        );
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what} is not in {text}"));
        assert!(at("## Not reproduced") < at("## Joules"));
        assert!(
            text.contains("known gap): other servers\n  Outside (ours for published): first: 12 for 10\n"),
            "{text}"
        );
        let first = "| X1 | it holds | paper, Table 1, 2020 | 10 J | 10.1 J | ± 5 %; two digits | – | reproduced |\n";
        assert!(text.contains(first), "{text}");
        assert!(text.contains("| not run: a trace |\n"), "{text}");
    }

    #[test]
    fn a_document_that_says_something_else_is_told_with_both_rows() {
        let validated = validated();
        let text = markdown(&validated, "sim validate");
        assert!(check_document(&text, &validated).is_empty());
        let other = check_document(&text.replace("10.1 J", "10.2 J"), &validated);
        assert_eq!(other.len(), 1);
        assert!(
            other[0].starts_with("-| X1") && other[0].contains("\n+| X1") && other[0].contains("10.1 J"),
            "{other:?}"
        );
        let lacking = text.replace("| X3 |", "| Y3 |");
        assert_eq!(check_document(&lacking, &validated), ["the document lacks X3"]);
    }

    #[test]
    fn what_was_written_as_json_is_taken_over_unless_the_claim_has_changed() {
        let validated = validated();
        let catalogue = |subject: Subject| Catalogue { subjects: vec![subject] };
        let (subject, judged) = validated.subjects[0].clone();
        let known = read_json(&json_text(&validated), &catalogue(subject.clone())).expect("what was written");
        assert_eq!(known, judged[..2], "what was not run is not taken over");
        let mut changed = subject;
        changed.claims[0].published = Some(11.0);
        let known = read_json(&json_text(&validated), &catalogue(changed)).expect("what was written");
        assert_eq!(known, judged[1..2]);
        let none = Catalogue { subjects: Vec::new() };
        assert!(read_json("{}", &none).is_err());
        let other = json_text(&Validated { subjects: Vec::new() }).replace(CODE, "0123");
        assert!(read_json(&other, &none).expect_err("other code").contains("written by code 0123"));
    }

    #[test]
    fn csv_and_json_have_a_row_per_claim() {
        let table = csv_text(&validated()).expect("in memory");
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(
            lines[1].starts_with(
                "X1,Joules,it holds,\"paper, Table 1, 2020\",10 J,10.1 J,10.1,J,± 5 %,two digits,reproduced"
            ),
            "{}",
            lines[1]
        );
        let objects: Value = serde_json::from_str(&json_text(&validated())).expect("JSON");
        assert_eq!(objects["code"], CODE);
        let objects = &objects["claims"];
        assert_eq!(objects[1]["outside"], json!(["first: 12 for 10"]));
        assert_eq!(objects[2]["number"], Value::Null);
        let shown = summary_text(&validated());
        assert!(shown.contains("X2                     NOT reproduced (known gap)\n"), "{shown}");
    }
}
