//! Results on disk, side by side.

use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::*;

/// A folder of results.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.path().join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(path, text).expect("writable");
    }

    /// A single run; undefined figures are not numbers.
    fn run(&self, name: &str, seed: u64, sci: f64, scenario: &Json) {
        let cell = if sci.is_finite() { sci.to_string() } else { String::new() };
        let rows = format!(
            "calls.executed,400,1,calls that finished\nsci.unit,call,text,the unit\nsci.g_per_unit,{cell},gCO2e/R,the score\n"
        );
        self.write(&format!("{name}/summary.csv"), &format!("key,value,unit,meaning\n{rows}"));
        let manifest =
            json!({ "program": "slackwater sim", "version": "1", "seed": seed, "scenario": scenario, "inputs": [] });
        self.write(&format!("{name}/manifest.json"), &manifest.to_string());
    }

    /// Replications with the seeds 1, 2, ….
    fn runs(&self, name: &str, scores: &[f64]) -> String {
        for (seed, sci) in (1..).zip(scores) {
            self.run(&format!("{name}-{seed}"), seed, *sci, &json!({}));
        }
        format!("{name}={}", self.0.path().join(format!("{name}-*")).display())
    }

    /// A sweep over `kind` and `rate`; rows are kind, rate, seed, error, score.
    fn sweep(&self, name: &str, rows: &[(&str, &str, u64, &str, f64)]) -> String {
        let about = "column,unit,role,meaning\npoint,1,id,\nreplication,1,id,\nseed,1,id,\nkind,text,axis,\nrate,1/s,axis,\nerror,text,error,\n\
                     sci.g_per_unit,gCO2e/R,metric,the score\nsci.unit,text,text,the unit\n";
        self.write(&format!("{name}/columns.csv"), about);
        let mut table = "point,replication,seed,kind,rate,error,sci.g_per_unit,sci.unit\n".to_owned();
        for (kind, rate, seed, error, sci) in rows {
            let cell = if error.is_empty() { sci.to_string() } else { String::new() };
            table += &format!("0,0,{seed},{kind},{rate},{error},{cell},call\n");
        }
        self.write(&format!("{name}/runs.csv"), &table);
        self.write(
            &format!("{name}/manifest.json"),
            &json!({ "kind": "sweep", "scenario": {}, "missing": ["point 7"] }).to_string(),
        );
        self.place(name)
    }

    fn place(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }
}

fn options(claims: &[&str]) -> Options {
    let claims = claims.iter().map(|&c| c.to_owned()).collect();
    Options { baseline: None, figures: Vec::new(), all: false, confidence: 0.95, claims }
}

fn side_by_side(places: &[String], claims: &[&str]) -> Contrast {
    contrast(places, &options(claims)).unwrap_or_else(|e| panic!("{e}"))
}

fn fails(places: &[String], claims: &[&str]) -> String {
    contrast(places, &options(claims)).expect_err("something is wrong").to_string()
}

fn outcomes(contrast: &Contrast) -> Vec<Outcome> {
    contrast.verdicts.iter().map(|v| v.outcome).collect()
}

use Outcome::{Fails, Holds, Undecided};

const A: [f64; 3] = [10.0, 20.0, 30.0];
const B: [f64; 3] = [9.0, 19.1, 28.9];

#[test]
fn replications_are_paired_by_seed() {
    let desk = Desk::new();
    let found = side_by_side(&[desk.runs("a", &A), desk.runs("b", &B)], &[]);
    let block = found.blocks.iter().find(|b| b.figure.key == "sci.g_per_unit").expect("the score is shown");
    let [base, own] = &block.lines[..] else { panic!("{} lines", block.lines.len()) };
    assert_eq!((base.estimate.mean, base.difference), (20.0, None));
    let difference = own.difference.expect("pairs");
    assert!(difference.paired && (difference.value + 1.0).abs() < 1e-12);
    // Differences -1, -0.9, -1.1: s = 0.1, and t of 0.975 with 2 degrees of freedom is 4.302653.
    let interval = difference.interval(0.95);
    let half = 4.302_652_73 * 0.1 / 3.0_f64.sqrt();
    assert!((interval.low + 1.0 + half).abs() < 1e-8 && (interval.high + 1.0 - half).abs() < 1e-8);
    assert!((own.relative + 0.05).abs() < 1e-12);
}

#[test]
fn a_claim_must_hold_with_confidence_on_the_paired_differences() {
    let desk = Desk::new();
    let places = [desk.runs("a", &A), desk.runs("b", &B)];
    for (claim, outcome) in [
        ("sci < baseline", Holds),
        ("sci(b) < sci(a)", Holds),
        ("baseline > sci", Holds),
        ("sci > baseline", Fails),
        ("sci >= baseline", Fails),
        // left - right is 0, 1.1, 1.9: mean 1, s = 0.954, so at most 1 + 2.920 × 0.551 and at least less than 0.
        ("sci < 0.9 * baseline", Undecided),
        ("sci > 0.9 * baseline", Undecided),
        ("sci == baseline", Fails),
        ("sci != baseline", Holds),
        ("executed == executed(a)", Holds),
        ("executed != 400", Fails),
        ("sci / baseline < 1", Holds),
        ("abs(sci - baseline) < 1.5", Holds),
        ("mean(sci) < 19.1", Holds),
        ("mean(sci - baseline) > -0.5", Fails),
        // 4.303 × 9.95 / √3 = 24.7.
        ("half_width(sci) < 24", Fails),
        ("half_width(sci) < 25", Holds),
        ("half_width(sci - baseline) < 0.25", Holds),
    ] {
        assert_eq!(outcomes(&side_by_side(&places, &[claim])), [outcome], "{claim}");
    }
    let found = side_by_side(&places, &["sci < baseline and sci < 0.9 * baseline"]);
    assert_eq!(outcomes(&found), [Holds, Undecided]);
    assert_eq!(found.broken().len(), 1);
    // The one-sided margin: t of 0.95 with 2 degrees of freedom is 2.919986.
    let [low, high] = found.verdicts[0].ends;
    let margin = 2.919_985_58 * 0.1 / 3.0_f64.sqrt();
    assert!((low + 1.0 + margin).abs() < 1e-8 && (high + 1.0 - margin).abs() < 1e-8);
}

#[test]
fn runs_without_common_seeds_are_independent_and_what_mixes_them_is_undecided() {
    let desk = Desk::new();
    let a = desk.runs("a", &A);
    for (seed, sci) in (11..).zip(B) {
        desk.run(&format!("b-{seed}"), seed, sci, &json!({}));
    }
    let found = side_by_side(
        &[a, format!("b={}", desk.place("b-*"))],
        &["sci < baseline", "sci < 20 * baseline", "sci / baseline < 5", "sci < 1000"],
    );
    assert_eq!(outcomes(&found), [Undecided, Holds, Undecided, Holds]);
    assert!(found.verdicts[2].why.contains("mixes a and b"), "{}", found.verdicts[2].why);
    assert!(found.verdicts[0].why.contains("independent"), "{}", found.verdicts[0].why);
    assert!(!found.blocks[0].lines[1].difference.expect("apart").paired);
    assert!(found.notes.iter().any(|n| n.contains("do not share seeds")), "{:?}", found.notes);
}

#[test]
fn single_runs_are_compared_as_they_are_and_said_to_have_no_interval() {
    let desk = Desk::new();
    desk.run("a", 1, 10.0, &json!({ "x": 1 }));
    desk.run("b", 1, 9.0, &json!({ "x": 2, "y": { "z": true } }));
    let places = [desk.place("a"), desk.place("b")];
    let found = side_by_side(&places, &["sci < 0.95 * baseline", "sci < 0.5 * baseline", "sci < 10"]);
    assert_eq!(outcomes(&found), [Holds, Fails, Holds]);
    assert!(found.verdicts.iter().all(|v| v.why.contains("no interval is known")));
    let text = text(&found);
    for line in ["  x: 1 -> 2", "  y: only in b: {\"z\":true}"] {
        assert!(text.lines().any(|l| l == line), "no line \"{line}\" in\n{text}");
    }
}

#[test]
fn a_result_beside_itself_differs_in_nothing_and_is_not_better() {
    let desk = Desk::new();
    desk.run("a", 1, 10.0, &json!({ "x": 1 }));
    let twice = [format!("old={}", desk.place("a")), format!("new={}", desk.place("a"))];
    let found = side_by_side(&twice, &["sci < baseline", "sci <= baseline", "sci == baseline"]);
    assert_eq!(outcomes(&found), [Fails, Holds, Holds]);
    assert!(found.blocks.iter().all(|b| b.lines[1].difference.is_some_and(|d| d.value == 0.0)));
    assert!(text(&found).contains("new and old have the same scenario, seed, program and inputs"));
    // One result alone can be held against numbers, and against itself.
    let alone = side_by_side(&[desk.place("a")], &["sci < 11", "sci < baseline"]);
    assert_eq!(outcomes(&alone), [Holds, Fails]);
    let many = desk.runs("m", &A);
    let found = side_by_side(&[many.clone(), many.replace("m=", "n=")], &["sci < baseline", "sci >= baseline"]);
    assert_eq!(outcomes(&found), [Fails, Holds]);
}

#[test]
fn undefined_figures_decide_nothing() {
    let desk = Desk::new();
    let places = [desk.runs("a", &A), desk.runs("b", &[9.0, f64::NAN, 28.9])];
    let found = side_by_side(&places, &["sci < baseline", "sci != baseline", "1 / (sci(a) - sci(a)) > 0"]);
    assert_eq!(outcomes(&found), [Undecided; 3]);
    assert_eq!(found.verdicts[0].why, "sci is undefined in the run of b with seed 2");
    assert!(found.verdicts[2].why.contains("divides by 0"), "{}", found.verdicts[2].why);
    let block = found.blocks.iter().find(|b| b.figure.key == "sci.g_per_unit").expect("shown");
    assert_eq!(block.lines[1].difference.map(|d| d.runs), Some(2));
}

#[test]
fn sweeps_are_joined_on_their_axes_and_what_has_no_partner_is_named() {
    let desk = Desk::new();
    let a = [
        ("vm", "0.50", 1, "", 8.0),
        ("vm", "0.50", 2, "", 9.0),
        ("wasm", "0.50", 1, "", 4.0),
        ("wasm", "0.50", 2, "", 4.5),
        ("vm", "4", 1, "", 3.0),
        ("vm", "4", 2, "", 3.1),
    ];
    let b = [
        ("vm", "0.5", 1, "", 6.0),
        ("vm", "0.5", 2, "", 7.1),
        ("vm", "0.5", 3, "", 7.0),
        ("wasm", "0.5", 1, "", 3.0),
        ("wasm", "0.5", 2, "no host has room", 0.0),
        ("wasm", "9", 1, "", 1.0),
    ];
    let places = [desk.sweep("a", &a), desk.sweep("b", &b)];
    let found = side_by_side(&places, &["sci < baseline"]);
    let block = &found.blocks[0];
    let lines: Vec<_> = block.lines.iter().map(|l| (join::said(&l.at), l.side, l.estimate.runs)).collect();
    let [vm, wasm] = ["kind = vm, rate = 0.5", "kind = wasm, rate = 0.5"].map(str::to_owned);
    assert_eq!(lines, [(vm.clone(), 0, 2), (vm.clone(), 1, 3), (wasm.clone(), 0, 2), (wasm.clone(), 1, 1)]);
    assert_eq!(block.lines[1].difference.map(|d| (d.runs, d.paired)), Some((2, true)));
    assert_eq!(block.lines[3].difference.map(|d| (d.runs, d.value)), Some((1, -1.0)));
    let notes = found.notes.join("\n");
    for words in [
        "b: the run with seed 2 at kind = wasm, rate = 0.5 failed and is left out: no host has room",
        "only in a, not in b: kind = vm, rate = 4",
        "b: the sweep is not complete: point 7",
        "only in b, not in a: kind = wasm, rate = 9",
        "a and b: runs whose seed the other has not: 1",
    ] {
        assert!(notes.contains(words), "no \"{words}\" in\n{notes}");
    }
    let verdicts: Vec<_> = found.verdicts.iter().map(|v| (v.at.clone(), v.outcome)).collect();
    assert_eq!(verdicts, [(vm, Holds), (wasm, Holds)]);
    assert!(found.verdicts[1].why.contains("failed runs are left out"));
}

#[test]
fn a_word_that_is_no_result_is_a_value_of_an_axis() {
    let desk = Desk::new();
    let rows = [
        ("vm", "1", 1, "", 8.0),
        ("vm", "1", 2, "", 9.0),
        ("wasm", "1", 1, "", 4.0),
        ("wasm", "1", 2, "", 4.1),
        ("vm", "4", 1, "", 3.0),
        ("vm", "4", 2, "", 3.1),
        ("wasm", "4", 1, "", 5.0),
        ("wasm", "4", 2, "", 5.2),
    ];
    let place = [desk.sweep("a", &rows)];
    let found = side_by_side(&place, &["sci(wasm) < sci(vm)", "sci(4) < sci(1)"]);
    let verdicts: Vec<_> = found.verdicts.iter().map(|v| (v.at.as_str(), v.outcome)).collect();
    assert_eq!(verdicts, [("rate = 1", Holds), ("rate = 4", Fails), ("kind = vm", Holds), ("kind = wasm", Fails)]);
    assert!(fails(&place, &["sci(vn) < 1"]).contains("no result is named \"vn\""));
}

#[test]
fn wrong_claims_are_pointed_at_before_anything_is_judged() {
    let desk = Desk::new();
    let places = [desk.runs("a", &A), desk.runs("b", &B)];
    for (claim, words) in [
        ("sci < 0.9 * baselin", ["no run has the figure \"baselin\"", "\n                ^^^^^^^\n"]),
        ("sci <", ["a value is missing", "help: "]),
        ("scy < 1", ["no run has the figure \"scy\"", "Near: "]),
        ("sci(c) < 1", ["no result is named \"c\"", "the results are a, b, and baseline (a)"]),
        ("sci(1 + 1) < 1", ["is no name of a result", "    ^^^^^\n"]),
        ("a < 1", ["no run has the figure \"a\"", "write FIGURE(a), for example sci(a)"]),
        ("sci.unit < 1", ["\"sci.unit\" is a text", "^^^^^^^^"]),
        ("baseline < 1", ["names no figure that baseline could be of", "write sci"]),
        ("mean(1) < 1", ["mean of what is the same in every run", "name a figure"]),
        ("mean(sci, sci) < 1", ["mean takes one argument", "^^^"]),
        ("sci(a, b) < 1", ["takes the name of one result", "^"]),
    ] {
        let error = fails(&places, &[claim]);
        assert!(error.starts_with("--assert: "), "{error}");
        for word in words {
            assert!(error.contains(word), "{claim}: no \"{word}\" in\n{error}");
        }
    }
}

#[test]
fn what_is_no_result_is_refused_with_the_reason() {
    let desk = Desk::new();
    desk.run("a", 1, 1.0, &json!({ "x": 1 }));
    desk.run("a-2", 2, 1.0, &json!({ "x": 2 }));
    desk.run("twin", 1, 1.0, &json!({ "x": 1 }));
    desk.write("notes/readme.txt", "hello");
    desk.write("bare/manifest.json", "{}");
    desk.write("torn/manifest.json", "{");
    desk.write("torn/summary.csv", "key,value,unit,meaning\n");
    let sweep = desk.sweep("s", &[("vm", "1", 1, "", 1.0)]);
    for (place, words) in [
        (desk.place("nowhere"), ["there is no such folder", "sim run"]),
        (desk.place("notes"), ["no finished result of sim (it has no manifest.json)", "--resume"]),
        (desk.place("bare"), ["no summary.csv, compare.csv or runs.csv", "help: "]),
        (desk.place("torn"), ["cannot be read", "manifest.json"]),
        (format!("x={},{}", desk.place("a"), desk.place("a-2")), ["no replication of", "x differs"]),
        (format!("x={},{}", desk.place("a"), desk.place("twin")), ["has its seed, 1", "sim run --seed"]),
        (format!("x={},{sweep}", desk.place("a")), ["only single runs", "a name each"]),
    ] {
        let error = fails(std::slice::from_ref(&place), &[]);
        for word in words {
            assert!(error.contains(word), "{place}: no \"{word}\" in\n{error}");
        }
    }
}

#[test]
fn the_baseline_is_the_one_named_or_the_first() {
    let desk = Desk::new();
    desk.run("a", 1, 10.0, &json!({}));
    desk.run("b", 1, 9.0, &json!({}));
    let [a, b] = ["a", "b"].map(|name| desk.place(name));
    let with = |places: [String; 2], baseline: Option<&str>| {
        contrast(&places, &Options { baseline: baseline.map(str::to_owned), ..options(&[]) })
    };
    let of = |places, baseline| with(places, baseline).map(|c| c.baseline).map_err(|e| e.to_string());
    assert_eq!(of([a.clone(), b.clone()], None), Ok(0));
    assert_eq!(of([a.clone(), b.clone()], Some("b")), Ok(1));
    assert_eq!(of([a.clone(), format!("baseline={b}")], None), Ok(1));
    let error = of([a.clone(), format!("baseline={b}")], Some("a")).expect_err("two meanings");
    assert!(error.contains("a result is named \"baseline\""), "{error}");
    let error = of([a, b], Some("c")).expect_err("no such name");
    assert!(error.contains("no result is named \"c\"") && error.contains("a, b"), "{error}");
}

#[test]
fn the_text_fits_a_hundred_columns_and_long_lists_are_cut() {
    let desk = Desk::new();
    let long = "a-name-that-is-much-longer-than-the-column-in-which-it-stands";
    let rates: Vec<String> = (0..40).map(|i| format!("{i}")).collect();
    let rows: Vec<_> =
        rates.iter().flat_map(|r| [(long, r.as_str(), 1, "", 1.5), (long, r.as_str(), 2, "", 1e-7)]).collect();
    let sweep = desk.sweep("s", &rows);
    let places = [format!("{long}={sweep}"), format!("other={sweep}")];
    let found = side_by_side(&places, &["sci < baseline"]);
    let short = text(&found);
    let whole = text(&contrast(&places, &Options { all: true, ..options(&[]) }).expect("right"));
    assert!(short.contains("… and 28 more points") && !whole.contains("more points"));
    for line in short.lines().filter(|l| !l.contains(&desk.place(""))) {
        assert!(line.chars().count() <= 100, "{} columns: {line}", line.chars().count());
    }
}

#[test]
fn the_table_and_the_document_hold_what_is_shown() {
    let desk = Desk::new();
    let found = side_by_side(&[desk.runs("a", &A), desk.runs("b", &B)], &["sci < baseline"]);
    let at = |name: &str| desk.0.path().join(name);
    write_csv(&found, &at("out.csv")).expect("writable");
    write_json(&found, &at("out.json")).expect("writable");
    let table = fs::read_to_string(at("out.csv")).expect("written");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        lines[..2],
        [
            "figure,unit,result,runs,mean,deviation,difference,t_low,t_high,relative,relative_low,relative_high,pairs",
            "sci.g_per_unit,gCO2e/R,a,3,20,10,,,,,,,"
        ]
    );
    assert!(lines[2].starts_with("sci.g_per_unit,gCO2e/R,b,3,19,") && lines[2].ends_with(",3"), "{}", lines[2]);
    let read = |path: &Path| -> Json { serde_json::from_slice(&fs::read(path).expect("written")).expect("JSON") };
    let document = read(&at("out.json"));
    assert_eq!(document["baseline"], "a");
    assert_eq!(document["claims"][0]["outcome"], "holds");
    assert_eq!(document["figures"][0]["values"][1]["pairs"], 3);
}
