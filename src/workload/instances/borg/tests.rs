//! Borg: small files of both shapes checked by hand, and what is wrong.

use super::{Priorities, class};
use crate::types::{Duration, Memory, SimTime};
use crate::workload::instances::Class;
use crate::workload::instances::tests::{Lab, drain, laws, note, plain};

const HEADER: &str = "start_time_us,end_time_us,collection_id,instance_index,priority,scheduling_class,cpu_request,memory_request,cpu_usage,memory_usage,user\n";

/// Task 7/0 runs 600 s, is away for 1200 s and comes back; 7/1 has a gap of 300 s; 8/0 was there before the trace.
const ROWS: &str = "0,600000000,8,0,360,3,0.1,0.2,0.05,0.1,eve\n\
                    300000000,900000000,8,0,360,3,0.1,0.2,0.06,0.1,eve\n\
                    900000000,1200000000,7,0,200,2,0.5,0.25,0.25,0.125,ann\n\
                    900000000,1200000000,7,1,25,0,0.5,0.25,0.1,0.125,ann\n\
                    1200000000,1500000000,7,0,200,2,0.5,0.25,0.5,0.25,ann\n\
                    1500000000,1800000000,7,1,25,0,0.5,0.25,0.2,0.125,ann\n\
                    2700000000,3000000000,7,0,200,2,0.5,0.25,0.125,0.125,ann\n";

fn spec(more: &str) -> String {
    format!(
        r#"{{"borg":{{"files":{{"csv":{{"usage":["u"]}}}},"host_cores":10,"host_memory_mb":1000,"priorities":"tiers-2019"{more}}}}}"#
    )
}

fn lab(rows: &str) -> Lab {
    let lab = Lab::new();
    std::fs::create_dir(lab.path().join("u")).expect("writable");
    lab.gz("u/usage-000.csv.gz", &(HEADER.to_owned() + rows), 0)
}

#[test]
fn windows_become_instances_that_may_come_back() {
    let lab = lab(ROWS);
    let mut source = lab.open(&spec("")).expect("opens");
    let all = drain(&mut *source).expect("readable");
    let seen: Vec<(&str, f64)> = all.iter().map(|a| (&*a.0.name, a.0.time.as_secs_f64())).collect();
    assert_eq!(seen, [("8/0", 0.0), ("7/0", 300.0), ("7/1", 300.0), ("7/0#2", 2100.0)]);
    assert_eq!(plain(&all[0].1), [(300.0, 0.6)]);
    assert_eq!(plain(&all[1].1), [(300.0, 2.5), (300.0, 5.0)]);
    assert_eq!(plain(&all[2].1), [(300.0, 1.0), (300.0, 1.0), (300.0, 2.0)]);
    assert_eq!(plain(&all[3].1), [(300.0, 1.25)]);
    let first = &all[1].0;
    assert_eq!((first.cpu, first.memory, first.priority), (5_000_000, Memory(250_000_000), 3));
    assert_eq!(all[1].1[0].memory, Some(Memory(125_000_000)));
    assert_eq!(all.iter().map(|a| a.0.class == Class::Batch).collect::<Vec<_>>(), [false, false, true, false]);
    assert_eq!(
        all.iter().map(|a| a.0.lifetime.expect("known").as_secs_f64()).collect::<Vec<_>>(),
        [300.0, 600.0, 900.0, 300.0]
    );
    assert_eq!(all.iter().map(|a| a.0.deployment).collect::<Vec<_>>(), [0, 1, 1, 1]);
    assert_eq!(all.iter().map(|a| a.0.account.0).collect::<Vec<_>>(), [0, 1, 1, 1]);
    assert_eq!(note(&*source, "windows").as_deref(), Some("7"));
    assert_eq!(note(&*source, "windows_before_the_origin_left_out").as_deref(), Some("1"));
    assert_eq!(note(&*source, "tasks_that_were_away_and_came_back").as_deref(), Some("1"));
    assert_eq!((source.span(), source.inputs().len()), (Some(Duration::from_secs(2400)), 1));
    laws(&|| lab.open(&spec("")).expect("opens"));
    // With a longer gap allowed it never left, and keeps its value.
    let all = drain(&mut *lab.open(&spec(r#","longest_gap_s":1200"#)).expect("opens")).expect("readable");
    assert_eq!(all.len(), 3);
    assert_eq!(plain(&all[1].1).iter().map(|p| p.0).sum::<f64>(), 2100.0);
    assert_eq!(all[1].0.time, SimTime::from_secs_f64(300.0));
}

#[test]
fn the_trace_of_2011_gives_the_same_as_its_plain_form() {
    let events = "0,,7,0,,0,ann,2,9,0.5,0.25,0,0\n0,,7,1,,0,ann,0,0,0.4,0.25,0,0\n5,,7,1,,8,ann,0,0,0.5,,0,0\n6,,7,1,,8,ann,0,0,0.5,0.25,0,0\n9,,7,0,4,1,ann,2,9,0.5,0.25,0,0\n";
    let usage = |begin: u64, index: u64, cpu: &str| {
        format!("{}000000,{}000000,7,{index},4,{cpu},0.125,0,0,0,0,0,0,0,0,0,0,1,0,0\n", begin, begin + 300)
    };
    let text = usage(900, 0, "0.25") + &usage(900, 1, "0.1") + &usage(900, 2, "0.9") + &usage(1200, 0, "0.5");
    let lab = Lab::new().file("e.csv", events).gz("part-00000-of-00500.csv.gz", &text, 0);
    let json = r#"{"borg":{"files":{"trace2011":{"task_events":["e.csv"],"task_usage":["part-00000-of-00500.csv.gz"]}},"host_cores":10,"host_memory_mb":1000}}"#;
    let mut source = lab.open(json).expect("opens");
    let all = drain(&mut *source).expect("readable");
    let seen: Vec<(&str, u64, u8)> = all.iter().map(|a| (&*a.0.name, a.0.cpu, a.0.priority)).collect();
    assert_eq!(seen, [("7/0", 5_000_000, 9), ("7/1", 5_000_000, 0)]);
    assert_eq!(plain(&all[0].1), [(300.0, 2.5), (300.0, 5.0)]);
    assert_eq!(all[1].0.class, Class::Batch);
    assert_eq!(note(&*source, "windows_of_tasks_without_request_left_out").as_deref(), Some("1"));
    assert_eq!(source.inputs().len(), 2);
    laws(&|| lab.open(json).expect("opens"));
    let wrong = Lab::new().file("e.csv", "0,,7,0,,9,ann,2,9,0.5,0.25,0,0\n").file("part-00000-of-00500.csv.gz", &text);
    assert!(wrong.fails(json).starts_with("e.csv, line 1: event type = \"9\" is not a code of 2011, from 0 to 8\n"));
}

#[test]
fn priorities_have_five_tiers_and_classes_two_sides() {
    let tiers: Vec<_> = [0, 99, 100, 115, 116, 119, 120, 359, 360, 450].map(|p| Priorities::Tiers2019.read(p)).into();
    assert_eq!(tiers, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4].map(Some));
    assert_eq!((Priorities::AsIs.read(255), Priorities::AsIs.read(256)), (Some(255), None));
    assert_eq!(
        [0, 1, 2, 3, 4].map(class).map(|c| c.map(Class::name)),
        [Some("batch"), Some("batch"), Some("latency-sensitive"), Some("latency-sensitive"), None]
    );
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let fix = "correct or remove the row";
    for (row, message) in [
        (
            "900,900,7,0,2,2,0.5,0.5,0.1,0.1,a\n",
            format!("end_time_us = 900 is not after start_time_us = 900\n  help: {fix}"),
        ),
        (
            "900,1000000000,7,0,2,5,0.5,0.5,0.1,0.1,a\n",
            format!("scheduling_class = 5 is not 0, 1, 2 or 3\n  help: {fix}"),
        ),
        (
            "900,1000000000,7,0,2,2,,0.5,0.1,0.1,a\n",
            format!("cpu_request = \"\" is not a finite number at or above 0\n  help: {fix}"),
        ),
        (
            "900,1000000000,7,0,2,2,0.5,0.5,NaN,0.1,a\n",
            format!("cpu_usage = \"NaN\" is not a finite number at or above 0\n  help: {fix}"),
        ),
        (
            "900,1000000000,7,0,2,2,0.5,0.5,500,0.1,a\n",
            format!("cpu_usage = \"500\" is not a fraction of the largest machine, from 0 to 10\n  help: {fix}"),
        ),
        (
            "-1,1000000000,7,0,2,2,0.5,0.5,0.1,0.1,a\n",
            format!("start_time_us = \"-1\" is not a whole number from 0\n  help: {fix}"),
        ),
    ] {
        assert_eq!(lab(row).fails(&spec("")), format!("u/usage-000.csv.gz, line 2: {message}"));
    }
    let rows = "900,1000000000,7,0,2,2,0.5,0.5,0.1,0.1,a\n800,1000000000,7,0,2,2,0.5,0.5,0.1,0.1,a\n";
    assert_eq!(
        lab(rows).fails(&spec("")),
        "u/usage-000.csv.gz, line 3: start_time_us = 800 comes after 900 before it\n  help: list the files in order of time, and sort \
         their rows by start_time_us"
    );
    let high = lab("900,1000000000,7,0,300,2,0.5,0.5,0.1,0.1,a\n").fails(&spec("").replace("tiers-2019", "as-is"));
    assert_eq!(
        high,
        "u/usage-000.csv.gz, line 2: priority = 300 is above 255\n  help: set priorities = \"tiers-2019\""
    );
    let unknown = Lab::new().file("u", "start_time_us,cpus\n").fails(&spec(""));
    assert!(unknown.starts_with("u: column \"cpus\" is unknown\n"), "{unknown}");
    let missing = Lab::new().file("u", "start_time_us,end_time_us\n").fails(&spec(""));
    assert!(missing.starts_with("u: column collection_id is missing\n"), "{missing}");
}
