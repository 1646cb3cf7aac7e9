pub mod sample;

use sample::{GOOD, Sample, schema};

use super::super::{Document, Look, check_against_schema, schema_for_editors, unsupported};

/// The report on a text.
fn report(text: &str) -> String {
    let document = match Document::parse("s.toml", text) {
        Ok(document) => document,
        Err(report) => return report.to_string(),
    };
    document.report(check_against_schema(&document, &schema())).render(Look::Plain)
}

/// The report on the good document with one part replaced.
fn report_with(old: &str, new: &str) -> String {
    assert!(GOOD.contains(old), "{old}");
    report(&GOOD.replacen(old, new, 1))
}

/// Asserts that the report on a text is exactly this.
#[track_caller]
fn shows(report: &str, expected: &str) {
    assert!(report == expected.trim_start_matches('\n'), "found\n{report}\nexpected{expected}");
}

/// Asserts that a report has one problem, at this place, with these lines.
#[track_caller]
fn says(report: &str, parts: &[&str]) {
    assert!(report.ends_with("\n1 problem in s.toml\n"), "{report}");
    for part in parts {
        assert!(report.contains(part), "no {part:?} in\n{report}");
    }
}

/// `packing` in another form than the good document's.
fn packing(new: &str) -> String {
    report_with("keep_alive_s = inf\n\n[scheduler.packing.best-fit]\nprefer_warm = true", new)
}

#[test]
fn a_good_document_has_no_problems_and_becomes_its_type() {
    let document = Document::parse("s.toml", GOOD).unwrap();
    assert_eq!(check_against_schema(&document, &schema()), []);
    let sample: Sample = document.deserialize().unwrap();
    assert_eq!(sample.start.as_deref(), Some("2022-06-06T00:00:00Z"));
    assert_eq!(sample.regions[1].hosts[0].count, 2);
    assert_eq!(sample.scheduler.keep_alive_s, f64::INFINITY);
}

#[test]
fn an_unknown_key_is_shown_with_the_allowed_ones_and_a_guess() {
    shows(
        &report_with("cores = 16", "coers = 16"),
        r#"
  x unknown key "coers" in [servers.old]
    ,-[s.toml:14:1]
 13 | [servers.old]
 14 | coers = 16
    : ^^|^^
    :   `-- not a key of this table
 15 | points = [[0, 90.0], [1, 200]]
    `----
  help: did you mean "cores"?
        allowed keys: cores, points, level, table

1 problem in s.toml
"#,
    );
}

#[test]
fn a_key_of_the_top_level_in_a_table_is_told_where_it_belongs() {
    let report = report_with("keep_alive_s = inf", "keep_alive_s = inf\nseed = 5");
    says(&report, &["[s.toml:6:1]", "\"seed\" belongs to the top level: put it above the first [table]"]);
}

#[test]
fn a_missing_key_is_shown_at_the_table_header() {
    shows(
        &report_with("count = 2\n", ""),
        r#"
  x regions[1].hosts[0] needs the key "count"
    ,-[s.toml:25:1]
 24 | 
 25 | [[regions.hosts]]
    : ^^^^^^^^|^^^^^^^^
    :         `-- "count" is missing
 26 | server = "old"
    `----
  help: count: How many hosts.
        add count = … (an integer from 1 to 4294967295)

1 problem in s.toml
"#,
    );
}

#[test]
fn a_missing_key_of_an_inline_table_is_shown_at_the_table() {
    let report = report_with("{ server = \"old\", count = 3 }", "{ server = \"old\" }");
    says(
        &report,
        &["regions[0].hosts[0] needs the key \"count\"", "[s.toml:20:10]", "    :          ^^^^^^^^^|^^^^^^^^\n"],
    );
}

#[test]
fn a_missing_table_is_shown_at_the_top() {
    for text in ["", "seed = 1\n"] {
        let report = report(text);
        says(&report, &["the top level needs the key \"regions\"", "[s.toml:1:1]", "add [[regions]], once per entry"]);
        says(&report, &["regions: The regions with their hosts, at least one.\n"]);
    }
}

#[test]
fn a_number_in_quotes_is_told_to_lose_them() {
    shows(
        &report_with("cores = 16", "cores = \"16\""),
        r#"
  x servers.old.cores must be a number, 0.001 or more, found the string "16"
    ,-[s.toml:14:9]
 13 | [servers.old]
 14 | cores = "16"
    :         ^^|^
    :           `-- found the string "16"
 15 | points = [[0, 90.0], [1, 200]]
    `----
  help: remove the quotes: 16

1 problem in s.toml
"#,
    );
}

#[test]
fn numbers_out_of_range_are_shown_with_the_range() {
    let report = report_with("count = 1, pue = 1", "count = 1, pue = 0.5");
    says(&report, &["regions[0].hosts[1].pue must be a number from 1 to 10, found 0.5", "[s.toml:20:76]"]);
    let report = report_with("share = 1", "share = 0");
    says(&report, &["grid.carbon-threshold.share must be a number greater than 0 and at most 1, found 0", ":31:9]"]);
    let report = report_with("count = 2", "count = 4294967296");
    says(&report, &["must be an integer from 1 to 4294967295, found 4294967296", "[s.toml:27:9]", "out of range"]);
    let report = report_with("seed = 7", "seed = -7");
    says(&report, &["seed must be an integer, 0 or more, found -7", " 1 | seed = -7\n   :        ^|\n"]);
    let report = report_with("seed = 7", "seed = 9223372036854775808");
    says(&report, &["the integer 9223372036854775808 is too large", "[s.toml:1:8]", "does not fit in 64 bits"]);
}

#[test]
fn a_float_for_an_integer_is_told_to_lose_its_point() {
    let report = report_with("seed = 7", "seed = 7.0");
    says(&report, &["seed must be an integer, 0 or more, found the number 7.0", "write 7 without a decimal point"]);
    says(&report_with("seed = 7", "seed = 7.5"), &["found the number 7.5", "not an integer"]);
}

#[test]
fn infinite_numbers_need_permission_and_nan_never_has_it() {
    says(&report_with("cores = 16", "cores = inf"), &["0.001 or more, found inf", ":14:9]", "not a finite number"]);
    says(&report_with("cores = 16", "cores = nan"), &["found nan", "not a finite number"]);
    says(&report_with("keep_alive_s = inf", "keep_alive_s = nan"), &["found nan", "[s.toml:5:16]"]);
    says(&report_with("keep_alive_s = inf", "keep_alive_s = -inf"), &["found -inf", "out of range"]);
}

#[test]
fn a_misspelt_variant_is_shown_with_the_allowed_names() {
    shows(
        &report_with("[scheduler.packing.best-fit]", "[scheduler.packing.bset-fit]"),
        r#"
  x [scheduler.packing] cannot hold "bset-fit"
   ,-[s.toml:7:1]
 6 | 
 7 | [scheduler.packing.bset-fit]
   : ^^^^^^^^^^^^^^|^^^^^^^^^^^^^
   :               `-- no such name
 8 | prefer_warm = true
   `----
  help: did you mean "best-fit"?
        allowed: first-fit, best-fit, worst-fit

1 problem in s.toml
"#,
    );
}

#[test]
fn an_enum_without_variant_is_shown_how_to_write_one() {
    let expected = "for example write the table [scheduler.packing.first-fit]\n        or in one line: packing = { first-fit = {} }";
    says(&packing("[scheduler.packing]\n"), &["[scheduler.packing] is empty", "[s.toml:5:1]", expected]);
    says(
        &packing("packing = 3"),
        &["scheduler.packing must be a table, found the integer 3", "[s.toml:5:11]", expected],
    );
}

#[test]
fn an_enum_with_two_variants_points_at_both() {
    shows(
        &report_with("[scheduler.packing.best-fit]", "[scheduler.packing.worst-fit]\n[scheduler.packing.best-fit]"),
        r#"
  x [scheduler.packing] holds 2 choices: "worst-fit", "best-fit"
   ,-[s.toml:8:20]
 6 | 
 7 | [scheduler.packing.worst-fit]
   :                    ^^^^|^^^^
   :                        `-- first choice
 8 | [scheduler.packing.best-fit]
   :                    ^^^^|^^^
   :                        `-- one choice too many
 9 | prefer_warm = true
   `----
  help: keep one of them and delete the others

1 problem in s.toml
"#,
    );
}

#[test]
fn a_string_in_place_of_a_variant_is_told_to_become_a_table() {
    shows(
        &packing("packing = \"best-fit\""),
        r#"
  x scheduler.packing must be a table, found the string "best-fit"
   ,-[s.toml:5:11]
 4 | [scheduler]
 5 | packing = "best-fit"
   :           ^^^^^|^^^^
   :                `-- a name alone is not enough
 6 | 
   `----
  help: write the table [scheduler.packing.best-fit]
        or in one line: packing = { best-fit = {} }

1 problem in s.toml
"#,
    );
    says(&packing("packing = \"bestfit\""), &["scheduler.packing cannot be \"bestfit\"", "did you mean \"best-fit\"?"]);
    let report = report_with("name = \"north\"", "name = \"north\"\ngrid = \"carbon-threshold\"");
    says(&report, &["write the table [regions.grid.carbon-threshold] under its [[regions]]"]);
    says(&report, &["or in one line: grid = { carbon-threshold = { ceiling_g_per_kwh = … } }"]);
}

#[test]
fn a_parameter_beside_its_variant_is_told_where_it_belongs() {
    let report = packing("packing.best-fit = {}\npacking.prefer_warm = true");
    says(&report, &["[s.toml:6:9]", "\"prefer_warm\" belongs into [scheduler.packing.best-fit]"]);
    let report = packing("[scheduler.packing]\nprefer_warm = true");
    says(&report, &["\"prefer_warm\" is a key of first-fit, best-fit, worst-fit: name one of them first"]);
    let report = packing("[scheduler.packing]\ntype = \"best-fit\"");
    says(&report, &["cannot hold \"type\"", "write the table [scheduler.packing.best-fit]"]);
}

#[test]
fn a_word_written_as_a_table_is_told_to_become_a_word() {
    let report = packing("[scheduler.shifting.now]").replace("2 problems", "1 problem");
    assert!(report.contains("write scheduler.shifting = \"now\""), "{report}");
}

#[test]
fn a_misspelt_word_is_shown_with_the_allowed_ones() {
    let report = report_with("level = \"high\"", "level = \"hgih\"");
    says(
        &report,
        &["servers.old.level cannot be \"hgih\"", "[s.toml:16:9]", "did you mean \"high\"?", "allowed: low, high"],
    );
}

#[test]
fn arrays_of_the_wrong_length_are_shown() {
    let shorter = report_with("[1, 200]]", "[1]]");
    says(&shorter, &["servers.old.points[1] must have exactly 2 elements, found 1", "[s.toml:15:22]"]);
    says(&report("regions = []"), &["regions must have at least 1 element, found 0", "[s.toml:1:11]"]);
}

#[test]
fn a_table_in_place_of_an_array_of_tables_is_told_to_double_its_brackets() {
    let report = report_with("[[regions.hosts]]", "[regions.hosts]");
    says(&report, &["regions[1].hosts must be an array, found a table", "write [[regions.hosts]] with two brackets"]);
}

#[test]
fn strings_and_dates_are_checked() {
    let report = report_with("name = \"north\"", "name = 2022-01-01");
    says(&report, &["regions[0].name must be a string, found the date", "put it in quotes: \"2022-01-01\""]);
    says(&report_with("name = \"north\"", "name = \"\""), &["regions[0].name must not be empty", "[s.toml:19:8]"]);
    says(&report_with("00:00:00Z", "00:00:00"), &["say in which zone, for example UTC: 2022-06-06T00:00:00Z"]);
    says(&report_with("2022-06-06T00:00:00Z", "\"noon\""), &["start must be an instant", "found \"noon\""]);
}

#[test]
fn broken_toml_is_shown_at_its_first_error() {
    let report = report_with("seed = 7", "seed = 7\nseed = 8\nname = x\nname = [");
    assert!(report.contains("the key \"seed\" is given twice\n   ,-[s.toml:2:1]"), "{report}");
    assert!(report.contains("a string must stand in quotes\n   ,-[s.toml:3:8]"), "{report}");
    assert!(report.ends_with("help: write \"x\"\n\n2 problems in s.toml\n"), "{report}");
    says(&report_with("seed = 7", "seed = "), &["this is not TOML: a value is missing", "[s.toml:1:8]"]);
}

#[test]
fn all_problems_of_a_document_are_shown_in_reading_order() {
    let text = GOOD.replace("seed = 7", "sede = 7").replace("cores = 16", "").replace("count = 2", "count = \"two\"");
    let document = Document::parse("s.toml", text).unwrap();
    let report = document.report(check_against_schema(&document, &schema()));
    assert_eq!(
        report.brief(),
        "s.toml:1:1: unknown key \"sede\" in the top level\n\
         s.toml:13:1: [servers.old] needs the key \"cores\"\n\
         s.toml:27:9: regions[1].hosts[0].count must be an integer from 1 to 4294967295, found the string \"two\"\n"
    );
    assert!(report.to_string().ends_with("3 problems in s.toml\n"));
    assert!(report.render(Look::Coloured).contains("\u{1b}["));
    assert!(!report.render(Look::Drawn).contains("\u{1b}["));
}

#[test]
fn columns_count_characters_and_windows_line_ends_are_harmless() {
    let report = report("name = \"ü\"\r\nregions = [{ name = \"ö\", hosts = 3 }]\r\n");
    says(&report, &["regions[0].hosts must be an array, found the integer 3", "[s.toml:2:34]"]);
}

#[test]
fn places_of_later_problems_are_found_by_path() {
    let document = Document::parse("s.toml", GOOD).unwrap();
    let text = |path: &str| document.place_of(path).map(|p| GOOD[p.range()].to_owned());
    assert_eq!(text("regions[1].hosts[0].count").as_deref(), Some("2"));
    assert_eq!(text("regions[0].hosts[1].pue.none").as_deref(), Some("1"));
    assert_eq!(text("regions[1].pue").as_deref(), Some("[[regions]]"));
    assert_eq!(text("scheduler.packing").as_deref(), Some("packing"));
    assert_eq!(text("scheduler.packing.best-fit.x").as_deref(), Some("[scheduler.packing.best-fit]"));
    assert_eq!(text("workload"), None);
    let problem = document.problem_at("regions[1].name", "no such zone", "unknown").help("see `sim list`");
    let report = document.report(vec![problem]).to_string();
    says(&report, &["x no such zone", "[s.toml:23:8]", "help: see `sim list`"]);
}

#[test]
fn what_the_check_accepts_serde_accepts_and_the_reverse() {
    const PATHS: [&str; 24] = [
        "name",
        "seed",
        "start",
        "scheduler",
        "scheduler.packing",
        "scheduler.packing.best-fit",
        "scheduler.packing.best-fit.prefer_warm",
        "scheduler.packing.worst-fit",
        "scheduler.shifting",
        "scheduler.shifting.carbon-threshold",
        "scheduler.shifting.carbon-threshold.share",
        "scheduler.keep_alive_s",
        "servers",
        "servers.old",
        "servers.old.points",
        "servers.old.points[1]",
        "servers.old.level",
        "servers.old.table",
        "regions",
        "regions[0]",
        "regions[0].hosts",
        "regions[0].hosts[0].count",
        "regions[0].grid",
        "extra",
    ];
    const VALUES: [&str; 26] = [
        "1",
        "0",
        "-3",
        "5000000000",
        "1.0",
        "0.5",
        "inf",
        "nan",
        "true",
        "'high'",
        "'now'",
        "'best-fit'",
        "''",
        "[]",
        "{}",
        "2022-06-06T00:00:00Z",
        "2022-06-06",
        "[1, 2.5]",
        "[[1, 2]]",
        "[[1, 2, 3]]",
        "{ cores = 1 }",
        "{ x = { cores = 2 } }",
        "{ carbon-threshold = { ceiling_g_per_kwh = 3 } }",
        "{ ceiling_g_per_kwh = 1, share = 1 }",
        "[{ server = 'a', count = 1 }]",
        "{ now = 1, never = 2 }",
    ];
    // serde takes an array for a struct, field by field, and a table for a word.
    const BEYOND_SERDE: [&str; 6] =
        ["out of range", "not a finite number", "empty string", "0 elements here", "cannot be read", "found an array"];
    let schema = schema();
    assert_eq!(unsupported(&schema), Vec::<String>::new());
    let mut accepted = 0;
    for path in PATHS {
        for value in VALUES {
            let mut document = Document::parse("s.toml", GOOD).unwrap();
            document.set(&format!("{path}={value}"), &schema).unwrap();
            let problems = check_against_schema(&document, &schema);
            let parsed = document.deserialize::<Sample>();
            if problems.is_empty() {
                accepted += 1;
                assert!(parsed.is_ok(), "{path}={value}: {parsed:?}");
            } else if parsed.is_ok() {
                let beyond = problems.iter().all(|p| BEYOND_SERDE.contains(&p.label.as_str()));
                assert!(beyond, "{path}={value} is fine for serde, but {problems:?}");
            }
            for problem in &problems {
                assert_eq!(problem.place.as_ref().map(|p| p.source), Some(1), "{path}={value}: {problem:?}");
            }
        }
    }
    assert!(accepted > 60, "{accepted}");
}

#[test]
fn the_schema_for_editors_is_draft_seven_without_foreign_formats() {
    let schema = schema_for_editors::<Sample>();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    let text = schema.to_string();
    assert!(text.contains("\"definitions\"") && !text.contains("uint32") && !text.contains("\"double\""), "{text}");
}

#[test]
fn constructs_that_are_not_understood_are_listed() {
    let schema = serde_json::json!({ "type": "object", "properties": { "a": { "type": "string", "pattern": "x" } } });
    assert_eq!(unsupported(&schema), ["#/properties/a/pattern"]);
    let schema = serde_json::json!({ "properties": { "a": { "not": {} }, "b": { "$ref": "#/x" } } });
    assert_eq!(unsupported(&schema).len(), 4);
}
