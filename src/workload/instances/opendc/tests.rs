//! OpenDC: small files checked by hand, the shared traces, and what is wrong.

use crate::types::{Duration, Memory, SimTime};
use crate::workload::instances::tests::{Col, Lab, drain, laws, note, open_at, parquet, plain, shared};
use crate::workload::instances::{Announced, Class, Instance, Usage};

const TASKS: &str = "required int32 id; required int64 submission_time; required int64 duration; required int32 cpu_count; \
                     required double cpu_capacity; required int64 mem_capacity;";
const FRAGMENTS: &str = "required int32 id; required int64 duration; required double cpu_usage;";
const SPEC: &str = r#"{"opendc":{"tasks":"t.parquet","fragments":"f.parquet"}}"#;
const HOUR: i64 = 3_600_000;

/// Task 1: 2 cores of 1000 MHz, 2 h, at 2000 MHz and then 1000 MHz. Task 0: 4 cores, an hour earlier.
fn tasks(lab: &Lab, unit: f64, hertz: f64) {
    let time = |ms: i64| (ms as f64 * unit) as i64;
    let at = 1_640_995_200_000;
    let columns = [
        Col::I32(vec![1, 0]),
        Col::I64(vec![time(at + HOUR), time(at)]),
        Col::I64(vec![time(2 * HOUR), time(HOUR)]),
        Col::I32(vec![2, 4]),
        Col::F64(vec![2000.0 * hertz, 4000.0 * hertz]),
        Col::I64(vec![1000, 2000]),
    ];
    parquet(&lab.path().join("t.parquet"), TASKS, &columns, 1);
}

fn fragments(lab: &Lab, ids: Vec<i32>, durations: Vec<i64>, usage: Vec<f64>, groups: usize) {
    let columns = [Col::I32(ids), Col::I64(durations), Col::F64(usage)];
    parquet(&lab.path().join("f.parquet"), FRAGMENTS, &columns, groups);
}

fn lab() -> Lab {
    let lab = Lab::new();
    tasks(&lab, 1.0, 1.0);
    fragments(&lab, vec![1, 1, 0, 0], vec![HOUR, HOUR, HOUR / 2, HOUR / 2], vec![2000.0, 1000.0, 4000.0, 4000.0], 2);
    lab
}

#[test]
fn tasks_and_fragments_become_instances_and_pieces() {
    let lab = lab();
    let mut source = lab.open(SPEC).expect("opens");
    let all = drain(&mut *source).expect("readable");
    let (first, pieces) = &all[0];
    assert_eq!(
        (&*first.name, first.time, first.cpu, first.memory),
        ("0", SimTime(0), 4_000_000, Memory(2_000_000_000))
    );
    // Two equal fragments are one piece: the usage at every instant is the same.
    assert_eq!(plain(pieces), [(3600.0, 4.0)]);
    let (second, pieces) = &all[1];
    assert_eq!((&*second.name, second.time), ("1", SimTime::from_secs_f64(3600.0)));
    assert_eq!(
        (second.cpu, second.cpu_limit, second.lifetime),
        (2_000_000, 2_000_000, Some(Duration::from_secs(7200)))
    );
    assert_eq!(plain(pieces), [(3600.0, 2.0), (3600.0, 1.0)]);
    assert_eq!(second.class, Class::LatencySensitive);
    assert_eq!(source.span(), Some(Duration::from_secs(3 * 3600)));
    assert_eq!(note(&*source, "trace_instant_at_the_run_start").as_deref(), Some("2022-01-01T00:00:00Z"));
    assert_eq!(note(&*source, "unit_of_times").as_deref(), Some("ms, by their magnitude"));
    laws(&|| lab.open(SPEC).expect("opens"));
}

#[test]
fn seconds_and_hertz_are_told_by_their_magnitude_and_give_the_same() {
    let wanted = drain(&mut *lab().open(SPEC).expect("opens")).expect("readable");
    let lab = Lab::new();
    tasks(&lab, 0.001, 1e6);
    fragments(&lab, vec![1, 1, 0], vec![3600, 3600, 3600], vec![2e9, 1e9, 4e9], 1);
    let mut source = lab.open(SPEC).expect("opens");
    assert_eq!(drain(&mut *source).expect("readable"), wanted);
    assert_eq!(note(&*source, "unit_of_times").as_deref(), Some("s, by their magnitude"));
    assert_eq!(note(&*source, "unit_of_cpu_capacity_and_usage").as_deref(), Some("Hz, by their magnitude"));
}

#[test]
fn core_mhz_and_memory_unit_are_used() {
    let lab = lab();
    let spec =
        SPEC.replace("\"f.parquet\"", "\"f.parquet\",\"core_mhz\":500,\"memory_unit\":\"KB\",\"class\":\"batch\"");
    let all = drain(&mut *lab.open(&spec).expect("opens")).expect("readable");
    let (second, pieces) = &all[1];
    assert_eq!((second.cpu, second.cpu_limit, second.memory), (2_000_000, 4_000_000, Memory(1_024_000)));
    assert_eq!(plain(pieces), [(3600.0, 4.0), (3600.0, 2.0)]);
    assert_eq!(second.class, Class::Batch);
}

#[test]
fn a_start_cuts_what_was_before() {
    let lab = lab();
    let spec = SPEC.replace("\"f.parquet\"", "\"f.parquet\",\"start\":\"2022-01-01T02:30:00Z\"");
    let all = drain(&mut *lab.open(&spec).expect("opens")).expect("readable");
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].0.time, all[0].0.lifetime), (SimTime(0), Some(Duration::from_secs(1800))));
    assert_eq!(plain(&all[0].1), [(1800.0, 1.0)]);
    laws(&|| lab.open(&spec).expect("opens"));
    // The run begins at the first submission here, so "run" moves nothing.
    let run = SPEC.replace("\"f.parquet\"", "\"f.parquet\",\"start\":\"run\"");
    let wanted = drain(&mut *lab.open(SPEC).expect("opens")).expect("readable");
    assert_eq!(drain(&mut *lab.open(&run).expect("opens")).expect("readable"), wanted);
}

#[test]
fn fragments_of_a_task_that_are_not_together_are_brought_together_in_order() {
    let lab = Lab::new();
    tasks(&lab, 1.0, 1.0);
    fragments(&lab, vec![1, 0, 1], vec![HOUR, HOUR, HOUR], vec![2000.0, 4000.0, 1000.0], 1);
    let wanted = drain(&mut *self::lab().open(SPEC).expect("opens")).expect("readable");
    assert_eq!(drain(&mut *lab.open(SPEC).expect("opens")).expect("readable"), wanted);
}

#[test]
fn what_is_wrong_is_named_with_its_row() {
    let lab = Lab::new();
    tasks(&lab, 1.0, 1.0);
    for (ids, durations, usage, message) in [
        (
            vec![1, 7],
            vec![HOUR; 2],
            vec![1.0; 2],
            "f.parquet, line 2: id 7 is not in the file of tasks\n  help: give both files of one trace; ids are numbers in both \
             or text in both",
        ),
        (
            vec![1, 0],
            vec![HOUR; 2],
            vec![1.0, f64::NAN],
            "f.parquet, line 2: duration = 3600000, cpu_usage = NaN: a duration is at least 0, and a demand from 0 to a million \
             cores\n  help: correct the row, and check the units",
        ),
        (
            vec![1, 0],
            vec![-1, HOUR],
            vec![1.0; 2],
            "f.parquet, line 1: duration = -1, cpu_usage = 1: a duration is at least 0, and a demand from 0 to a million \
             cores\n  help: correct the row, and check the units",
        ),
        (
            vec![1, 1],
            vec![HOUR; 2],
            vec![1.0; 2],
            "f.parquet: task 0 has no fragments\n  help: remove the task, or add what it uses",
        ),
    ] {
        fragments(&lab, ids, durations, usage, 1);
        assert_eq!(lab.fails(SPEC), message);
    }
    let columns = [Col::I32(vec![1]), Col::F64(vec![1.0])];
    parquet(&lab.path().join("f.parquet"), "required int32 id; required double cpu_usage;", &columns, 1);
    assert_eq!(
        lab.fails(SPEC),
        "f.parquet: column duration is missing\n  help: check that the right file is given; its columns are id, cpu_usage"
    );
    let text = lab.file("f.parquet", "id,duration,cpu_usage\n");
    assert!(text.fails(SPEC).starts_with("f.parquet: not readable as Parquet: "));
    let core = SPEC.replace("\"f.parquet\"", "\"f.parquet\",\"core_mhz\":0.5");
    assert!(text.fails(&core).starts_with("opendc: core_mhz = 0.5\n"));
}

#[test]
fn text_identifiers_are_read_too() {
    let lab = Lab::new();
    let schema = TASKS.replace("int32 id", "binary id (UTF8)");
    let columns = [
        Col::Text(vec!["a", "b"]),
        Col::I64(vec![5000, 0]),
        Col::I64(vec![1000, 2000]),
        Col::I32(vec![1, 1]),
        Col::F64(vec![1000.0, 1000.0]),
        Col::I64(vec![1, 1]),
    ];
    parquet(&lab.path().join("t.parquet"), &schema, &columns, 1);
    let columns = [Col::Text(vec!["b", "a"]), Col::I64(vec![2000, 1000]), Col::F64(vec![500.0, 250.0])];
    parquet(&lab.path().join("f.parquet"), &FRAGMENTS.replace("int32 id", "binary id (UTF8)"), &columns, 1);
    let all = drain(&mut *lab.open(SPEC).expect("opens")).expect("readable");
    assert_eq!(all.iter().map(|a| &*a.0.name).collect::<Vec<_>>(), ["b", "a"]);
    assert_eq!((plain(&all[0].1), plain(&all[1].1)), (vec![(2.0, 0.5)], vec![(1.0, 0.25)]));
}

#[test]
fn the_bitbrains_sample_has_its_counts() {
    let Some(folder) = shared("opendc-bitbrains-small") else { return };
    let spec = r#"{"opendc":{"tasks":"tasks.parquet","fragments":"fragments.parquet","memory_unit":"KB"}}"#;
    let mut source = open_at(&folder, spec).expect("opens");
    let all = drain(&mut *source).expect("readable");
    assert_eq!((all.len(), note(&*source, "fragments").as_deref()), (50, Some("276979")));
    // The conversion left gaps out of the fragments, but not out of the durations.
    assert_eq!(note(&*source, "tasks_whose_duration_is_not_the_sum_of_their_fragments").as_deref(), Some("50"));
    assert_eq!(note(&*source, "trace_instant_at_the_run_start").as_deref(), Some("2013-08-12T13:35:46Z"));
    // Core-hours used and asked for, computed from the two files by an independent program.
    let hours = |cores: &dyn Fn(&Instance, &Usage) -> u64| {
        let of = |(i, pieces): &(Instance, Vec<Usage>)| {
            pieces.iter().map(|p| cores(i, p) as f64 / 1e6 * p.duration.as_secs_f64() / 3600.0).sum::<f64>()
        };
        all.iter().map(of).sum::<f64>()
    };
    assert!((hours(&|_, p| p.cpu) / 22_320.225_371 - 1.0).abs() < 1e-5);
    assert!((hours(&|i, _| i.cpu) / 135_829.551_111 - 1.0).abs() < 1e-9);
    let biggest = all.iter().map(|a| a.0.memory.0).max();
    assert_eq!(biggest, Some(130_457_600 * 1024));
}

#[test]
fn the_surf_week_is_read_to_the_last_fragment() {
    let Some(folder) = shared("opendc-surf-week") else { return };
    let spec = r#"{"opendc":{"tasks":"tasks.parquet","fragments":"fragments.parquet"}}"#;
    let mut source = open_at(&folder, spec).expect("opens");
    assert_eq!(note(&*source, "fragments").as_deref(), Some("2323475"));
    assert_eq!(note(&*source, "pieces_of_usage").as_deref(), Some("1166906"));
    assert_eq!(note(&*source, "tasks_whose_duration_is_not_the_sum_of_their_fragments"), None);
    assert_eq!(note(&*source, "trace_instant_at_the_run_start").as_deref(), Some("2022-10-06T22:00:00Z"));
    let (mut count, mut time, mut core_hours) = (0, 0u64, 0.0);
    let mut announced = Announced::default();
    while source.next(&mut announced).expect("readable").is_some() {
        while let Some(piece) = source.usage(count).expect("readable") {
            time += piece.duration.0;
            core_hours += piece.cpu as f64 / 1e6 * piece.duration.as_secs_f64() / 3600.0;
        }
        count += 1;
    }
    assert_eq!((count, time), (6295, 2_323_475 * 30_000_000_000));
    // The sum of cpu_usage x duration over 2100 MHz, from an independent program.
    assert!((core_hours / 201_588.579_583 - 1.0).abs() < 1e-6, "{core_hours}");
    assert_eq!((announced.accounts.len(), announced.tenants.len()), (1, 1));
}

#[test]
fn the_formats_of_other_versions_are_read_or_refused() {
    let Some(folder) = shared("opendc-formats") else { return };
    let lab = Lab::new();
    let open = |tasks: &str, more: &str| {
        let tasks = folder.join(tasks);
        format!(r#"{{"opendc":{{"tasks":{tasks:?},"fragments":"f.parquet"{more}}}}}"#)
    };
    fragments(&lab, (0..4).collect(), vec![HOUR; 4], vec![3000.0; 4], 1);
    let workflow = lab.fails(&open("workflow_tasks.parquet", ""));
    assert!(
        workflow.ends_with(
            "workflow_tasks.parquet: tasks wait for others (column parents), which is not simulated\n  help: set dependencies = \
             \"ignore\" to start every task when it is submitted"
        ),
        "{workflow}"
    );
    let spec = open("workflow_tasks.parquet", r#","dependencies":"ignore""#);
    let mut source = lab.open(&spec).expect("opens");
    assert_eq!(drain(&mut *source).expect("readable").len(), 4);
    assert!(note(&*source, "not_simulated_dependencies").is_some());
    // The GPU fixture: seconds and Hz. Its fragments are not here; its tasks run two weeks at a quarter of a core.
    let ids: Vec<i32> = (0..25).collect();
    fragments(&lab, ids, vec![1_209_600; 25], vec![63_000_000.0; 25], 1);
    let mut source = lab.open(&open("small_gpu_tasks.parquet", "")).expect("opens");
    let all = drain(&mut *source).expect("readable");
    assert_eq!((all.len(), note(&*source, "unit_of_times").as_deref()), (25, Some("s, by their magnitude")));
    assert!(note(&*source, "not_simulated_gpus").is_some());
    assert_eq!(plain(&all[0].1), [(1_209_600.0, 0.25)]);
    // Version 2.0: text identifiers, camelCase, no capacity.
    let columns = [
        Col::Text(vec!["1019", "1023", "1052", "1073"]),
        Col::I64(vec![2_591_952_000, 2_591_952_000, 577_555_000, 1_823_266_000]),
        Col::F64(vec![1300.0; 4]),
    ];
    let schema = "required binary id (UTF8); required int64 duration; required double cpuUsage;";
    parquet(&lab.path().join("f.parquet"), schema, &columns, 1);
    let old = lab.fails(&open("trace-v2.0_tasks.parquet", ""));
    assert!(old.contains("column cpu_capacity is missing, so the speed of a core is not known"), "{old}");
    let mut source = lab.open(&open("trace-v2.0_tasks.parquet", r#","core_mhz":2600"#)).expect("opens");
    let all = drain(&mut *source).expect("readable");
    assert_eq!((&*all[0].0.name, all[0].0.time, plain(&all[0].1)), ("1019", SimTime(0), vec![(2_591_952.0, 0.5)]));
    assert_eq!(note(&*source, "tasks_whose_duration_is_not_the_sum_of_their_fragments"), None);
}
