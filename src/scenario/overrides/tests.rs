use super::super::verify::tests::sample::{GOOD, Level, Packing, Sample, Shifting, schema};
use super::super::{Document, check_against_schema};

/// The good document with these arguments, as its type.
#[track_caller]
fn with(arguments: &[&str]) -> Sample {
    let mut document = Document::parse("s.toml", GOOD).unwrap();
    for argument in arguments {
        document.set(argument, &schema()).unwrap();
    }
    let problems = check_against_schema(&document, &schema());
    assert!(problems.is_empty(), "{}", document.report(problems));
    document.deserialize().unwrap()
}

/// The report on the good document with this argument.
fn report(argument: &str) -> String {
    let mut document = Document::parse("s.toml", GOOD).unwrap();
    match document.set(argument, &schema()) {
        Err(problem) => document.report(vec![*problem]).to_string(),
        Ok(()) => document.report(check_against_schema(&document, &schema())).to_string(),
    }
}

#[track_caller]
fn says(report: &str, parts: &[&str]) {
    for part in parts {
        assert!(report.contains(part), "no {part:?} in\n{report}");
    }
}

#[test]
fn plain_values_are_replaced_and_made() {
    let sample =
        with(&["seed=9", "name = hello", "servers.old.level=low", "servers.new.cores=4", "scheduler.keep_alive_s=inf"]);
    assert_eq!((sample.seed, sample.name.as_deref()), (9, Some("hello")));
    assert_eq!(sample.servers["old"].level, Level::Low);
    assert_eq!(sample.servers["new"].cores, 4.0);
}

#[test]
fn strings_need_no_quotes_where_the_schema_wants_a_string() {
    assert_eq!(with(&["name=2022"]).name.as_deref(), Some("2022"));
    assert_eq!(with(&["name=\"a=b\""]).name.as_deref(), Some("a=b"));
    assert_eq!(with(&["start=2023-01-01T00:00:00Z"]).start.as_deref(), Some("2023-01-01T00:00:00Z"));
    assert_eq!(with(&["regions[0].hosts[0].server=true"]).regions[0].hosts[0].server, "true");
}

#[test]
fn array_elements_are_named_by_brackets_or_dots() {
    let sample = with(&["regions[1].hosts[0].count=5", "regions.0.hosts.1.count=6", "servers.old.points[0][1]=80"]);
    assert_eq!((sample.regions[1].hosts[0].count, sample.regions[0].hosts[1].count), (5, 6));
    assert_eq!(sample.servers["old"].points[0], (0.0, 80.0));
    assert_eq!(with(&["servers.\"a.b\".cores=4"]).servers["a.b"].cores, 4.0);
}

#[test]
fn a_new_variant_replaces_the_old_one() {
    assert!(matches!(with(&["scheduler.packing=first-fit"]).scheduler.packing, Packing::First(f) if !f.prefer_warm));
    let sample = with(&["scheduler.packing.worst-fit.prefer_warm=true", "scheduler.shifting=now"]);
    assert!(matches!(sample.scheduler.packing, Packing::Worst(f) if f.prefer_warm));
    assert_eq!(sample.scheduler.shifting, Some(Shifting::Now));
    let sample = with(&["scheduler.shifting=never", "scheduler.shifting.carbon-threshold.ceiling_g_per_kwh=5"]);
    let expected = Shifting::CarbonThreshold { ceiling_g_per_kwh: 5.0, share: None };
    assert_eq!(sample.scheduler.shifting, Some(expected));
}

#[test]
fn a_parameter_of_the_present_variant_keeps_the_others() {
    let sample = with(&["scheduler.shifting.carbon-threshold.share=0.5"]);
    let expected = Shifting::CarbonThreshold { ceiling_g_per_kwh: 250.0, share: Some(0.5) };
    assert_eq!(sample.scheduler.shifting, Some(expected));
}

#[test]
fn a_wrong_value_is_shown_in_the_argument() {
    let expected = r#"  x regions[0].hosts[1].pue must be a number from 1 to 10, found 0.3
   ,-[command line:1:31]
 1 | --set regions[0].hosts[1].pue=0.3
   :                               ^|^
   :                                `-- out of range
   `----

1 problem in s.toml
"#;
    assert_eq!(report("regions[0].hosts[1].pue=0.3"), expected);
    says(&report("seed=many"), &["must be an integer, 0 or more, found the string \"many\"", "[command line:1:12]"]);
}

#[test]
fn an_unknown_key_or_variant_is_shown_in_the_argument() {
    says(
        &report("sede=1"),
        &["unknown key \"sede\" in the top level", "[command line:1:7]", "did you mean", "--set sede=1"],
    );
    says(&report("scheduler.packing=bset-fit"), &["cannot hold \"bset-fit\"", "[command line:1:25]", "\"best-fit\"?"]);
    says(&report("scheduler.packing.prefer_warm=true"), &["belongs into [scheduler.packing.best-fit]"]);
}

#[test]
fn a_missing_key_of_a_new_table_is_shown_in_the_argument() {
    let report = report("servers.new.level=high");
    says(&report, &["[servers.new] needs the key \"cores\"", "[command line:1:7]"]);
}

#[test]
fn paths_that_lead_nowhere_are_refused() {
    says(&report("regions[2].on=true"), &["there is no regions[2]: regions has 2 elements", "are [0] to [1]"]);
    says(&report("regions.x.on=true"), &["there is no regions.x: regions has 2 elements"]);
    says(&report("seed.x=1"), &["the key leads into [seed], which is no table", "[command line:1:7]", "^^^|^^"]);
    says(&report("servers[0]=1"), &["the key leads into [servers], which is no array"]);
}

#[test]
fn arguments_without_key_or_value_are_refused() {
    for argument in ["seed", "=3", ""] {
        says(&report(argument), &["sets nothing", "write KEY=VALUE", "[command line:1:7]"]);
    }
    says(&report("seed="), &["x seed has no value", "[command line:1:12]"]);
    says(&report("servers.old.points=[1"), &["servers.old.points has a value that is not TOML"]);
    says(
        &report("seed=99999999999999999999"),
        &["the integer 99999999999999999999 is too large", "[command line:1:12]"],
    );
}
