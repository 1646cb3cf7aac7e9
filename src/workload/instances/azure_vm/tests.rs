//! Azure VMs: small files checked by hand, the real heads of the files, and what is wrong.

use crate::types::RegionId;
use crate::types::{Duration, Memory, SimTime};
use crate::workload::WorkloadError;
use crate::workload::instances::feed::{Feed, Listed, Reading, Readings};
use crate::workload::instances::tests::{Lab, drain, laws, note, open_at, plain, shared};
use crate::workload::instances::{AccountBy, Announced, Class, Instances, NO_DEPLOYMENT};

/// b is created before a, though it stands after it; V2 buckets, CRLF.
const TABLE: &str = "a,sub1,dep1,600,1800,90,20,80,Delay-insensitive,2,4\r\n\
                     b,sub2,dep2,0,2591700,90,10,80,Unkown,>24,>64\r\n\
                     c,sub1,dep1,900,900,90,50,80,Interactive,4,1.75\r\n";
const READINGS: &str = "0,b,1,30,20\r\n300,b,1,30,10\r\n300,x,1,2,3\r\n600,a,1,60,50\r\n";
const LATER: &str = "600,b,1,40,30\n1200,a,1,80,70\n1200,b,1,80,40\n1500,a,0,0,0\n";

fn lab(table: &str, first: &str, second: &str) -> Lab {
    let lab = Lab::new();
    std::fs::create_dir(lab.path().join("r")).expect("writable");
    lab.gz("vmtable.csv.gz", table, 0)
        .gz("r/vm_cpu_readings-file-2-of-125.csv.gz", first, 0)
        .file("r/vm_cpu_readings-file-10-of-125.csv", second)
}

fn spec(more: &str) -> String {
    format!(r#"{{"azure-vm":{{"vmtable":"vmtable.csv.gz","readings":["r"]{more}}}}}"#)
}

#[test]
fn vms_come_in_order_of_time_and_use_what_their_readings_say() {
    let lab = lab(TABLE, READINGS, LATER);
    let mut source = lab.open(&spec("")).expect("opens");
    let all = drain(&mut *source).expect("readable");
    let names: Vec<&str> = all.iter().map(|a| &*a.0.name).collect();
    assert_eq!(names, ["b", "a", "c"]);
    let (b, pieces) = &all[0];
    assert_eq!((b.cpu, b.memory, b.class), (30_000_000, Memory(70 << 30), Class::LatencySensitive));
    // Alive at the last tick: one reading longer. The gap at 900 keeps 30 %; after the last reading avgcpu, 10 %.
    assert_eq!(b.lifetime, Some(Duration::from_secs(2_592_000)));
    let wanted = [(300.0, 6.0), (300.0, 3.0), (300.0, 9.0), (300.0, 9.0), (300.0, 12.0), (2_590_500.0, 3.0)];
    assert_eq!(plain(pieces), wanted);
    let (a, pieces) = &all[1];
    assert_eq!(
        (a.time, a.lifetime, a.class),
        (SimTime::from_secs_f64(600.0), Some(Duration::from_secs(1200)), Class::Batch)
    );
    assert_eq!(plain(pieces), [(300.0, 1.0), (300.0, 1.0), (300.0, 1.4), (300.0, 0.0)]);
    // No reading at all: avgcpu. Created and deleted at one tick: one reading long.
    let (c, pieces) = &all[2];
    assert_eq!((c.lifetime, c.memory), (Some(Duration::from_secs(300)), Memory(7 << 28)));
    assert_eq!(plain(pieces), [(300.0, 2.0)]);
    assert_eq!((a.deployment, c.deployment, b.deployment), (0, 0, 1));
    assert_eq!((b.account.0, a.account.0, c.account.0), (0, 1, 1));
    assert_eq!(note(&*source, "readings_of_vms_outside_the_table").as_deref(), Some("1"));
    assert_eq!(note(&*source, "files_of_readings").as_deref(), Some("2 of 2 read to their end"));
    assert_eq!(source.inputs().len(), 3);
    laws(&|| lab.open(&spec("")).expect("opens"));
}

#[test]
fn the_maximum_can_be_the_demand_and_the_table_can_stand_alone() {
    let lab = lab(TABLE, READINGS, LATER);
    let all = drain(&mut *lab.open(&spec(r#","reading":"max""#)).expect("opens")).expect("readable");
    assert_eq!(plain(&all[1].1)[0], (300.0, 1.2));
    let alone = r#"{"azure-vm":{"vmtable":"vmtable.csv.gz","account_by":"instance"}}"#;
    let all = drain(&mut *lab.open(alone).expect("opens")).expect("readable");
    assert_eq!(plain(&all[0].1), [(2_592_000.0, 3.0)]);
    assert_eq!(all.iter().map(|a| a.0.account.0).collect::<Vec<_>>(), [0, 1, 2]);
    laws(&|| lab.open(alone).expect("opens"));
}

#[test]
fn a_smaller_sample_is_a_part_of_a_larger_one() {
    let table: String = (0..1000).map(|i| format!("vm{i},s,d,{},2591700,9,9,9,Unknown,2,4\n", i * 300)).collect();
    let lab = lab(&table, READINGS, LATER);
    let names = |share: f64| -> Vec<Box<str>> {
        let all = drain(&mut *lab.open(&spec(&format!(r#","sample_vms":{share}"#))).expect("opens")).expect("readable");
        all.into_iter().map(|a| a.0.name).collect()
    };
    let (small, large) = (names(0.1), names(0.3));
    assert!(small.iter().all(|n| large.contains(n)));
    // Binomial, five standard deviations.
    assert!((52..=148).contains(&small.len()) && (227..=373).contains(&large.len()), "{} {}", small.len(), large.len());
}

#[test]
fn go_on_holds_no_history_and_goes_on() {
    let lab = lab(TABLE, READINGS, LATER);
    let mut source = lab.open(&spec(r#","after_eviction":"go-on""#)).expect("opens");
    let mut announced = Announced::default();
    while source.next(&mut announced).expect("readable").is_some() {}
    let first = source.usage(0).expect("readable").expect("a piece");
    source.rewind(0).expect("does nothing");
    let second = source.usage(0).expect("readable").expect("a piece");
    assert_eq!(plain(&[first, second]), [(300.0, 6.0), (300.0, 3.0)]);
}

/// Readings of 100 instances, every 300 s.
struct Made(u64);

impl Readings for Made {
    fn next(&mut self) -> Result<Option<Reading>, WorkloadError> {
        let begin = SimTime((self.0 / 100) * 300_000_000_000);
        let reading = Reading {
            number: (self.0 % 100) as u32,
            begin,
            end: begin + Duration::from_secs(300),
            cpu: self.0,
            memory: None,
        };
        self.0 += 1;
        Ok((self.0 <= 100 * 1000).then_some(reading))
    }
    fn progress(&self) -> f64 {
        0.0
    }
    fn notes(&self) -> Vec<(String, String)> {
        Vec::new()
    }
    fn inputs(&self) -> Vec<(std::path::PathBuf, String)> {
        Vec::new()
    }
}

#[test]
fn a_long_trace_waits_in_short_buffers() {
    let listed = |i: u32| Listed {
        name: format!("{i}").into(),
        tenant: 0,
        deployment: NO_DEPLOYMENT,
        begin: SimTime(0),
        end: SimTime::from_secs_f64(300_000.0),
        cpu: 1,
        cpu_limit: 1,
        memory: Memory(1),
        priority: 0,
        class: Class::Batch,
        fallback: None,
    };
    let mut feed = Feed::new(
        (0..100).map(listed).collect(),
        vec!["t".into()],
        AccountBy::Tenant,
        RegionId(0),
        Duration::from_secs(300),
        Made(0),
        Vec::new(),
        Vec::new(),
    );
    let mut announced = Announced::default();
    while feed.next(&mut announced).expect("made").is_some() {}
    for step in 0..1000u64 {
        for i in 0..100u32 {
            let piece = feed.usage(i).expect("made").expect("a piece");
            assert_eq!(piece.cpu, step * 100 + u64::from(i));
            assert!(feed.waiting() <= 200, "{} readings wait in step {step}", feed.waiting());
        }
    }
    assert_eq!(feed.usage(5).expect("made"), None);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let fails = |table: &str, first: &str, second: &str| lab(table, first, second).fails(&spec(""));
    let wrong_row = "correct or remove the row";
    for (table, message) in [
        ("a,s,d,0,300,9,9,9,Interactive,2\n", "the row has 10 cells instead of 11\n  help: complete or correct the row; a file that was cut off ends like this".to_owned()),
        ("a,s,d,0,300,9,nan,9,Interactive,2,4\n", format!("avgcpu = \"nan\" is not a finite number at or above 0\n  help: {wrong_row}")),
        ("a,s,d,0,300,9,130,9,Interactive,2,4\n", format!("avgcpu = \"130\" is not a share from 0 to 100 %\n  help: {wrong_row}")),
        ("a,s,d,-5,300,9,9,9,Interactive,2,4\n", format!("vmcreated = \"-5\" is not a finite number at or above 0\n  help: {wrong_row}")),
        ("a,s,d,600,300,9,9,9,Interactive,2,4\n", format!("vmdeleted = 300 comes before vmcreated = 600\n  help: {wrong_row}")),
        ("a,s,d,0,300,9,9,9,Batch,2,4\n", format!("vmcategory = \"Batch\" is not Delay-insensitive, Interactive or Unknown\n  help: {wrong_row}")),
        ("a,s,d,0,300,9,9,9,Unknown,>8,4\n", format!("vmcorecount = \">8\" is not a finite number at or above 0\n  help: {wrong_row}")),
    ] {
        assert_eq!(fails(table, READINGS, LATER), format!("vmtable.csv.gz, line 1: {message}"));
    }
    assert_eq!(
        fails(&(TABLE.to_owned() + TABLE), READINGS, LATER),
        "vmtable.csv.gz: vmid b is there twice\n  help: remove one of the rows"
    );
    assert_eq!(
        fails(TABLE, LATER, READINGS),
        "r/vm_cpu_readings-file-10-of-125.csv, line 1: timestamp = 0 comes after 1500 before it\n  help: list the files in order of \
         time, each once, and sort their rows by time"
    );
    assert_eq!(
        fails(TABLE, READINGS, "900,a,1,2\n"),
        "r/vm_cpu_readings-file-10-of-125.csv, line 1: the row has 4 cells instead of 5\n  help: complete or correct the row; a file \
         that was cut off ends like this"
    );
    assert_eq!(
        fails(TABLE, READINGS, "900,a,1,2,inf\n"),
        format!(
            "r/vm_cpu_readings-file-10-of-125.csv, line 1: avgcpu = \"inf\" is not a finite number at or above 0\n  help: {wrong_row}"
        )
    );
    let cut = lab(TABLE, READINGS, LATER).gz("r/vm_cpu_readings-file-2-of-125.csv.gz", READINGS, 12).fails(&spec(""));
    assert!(
        cut.starts_with("r/vm_cpu_readings-file-2-of-125.csv.gz: the gzip data are cut off or damaged after line "),
        "{cut}"
    );
    assert!(
        lab(TABLE, READINGS, LATER)
            .fails(&spec(r#","region":"east""#))
            .starts_with("azure-vm.region = \"east\" is not a region")
    );
    assert!(
        lab(TABLE, READINGS, LATER).fails(&spec(r#","sample_vms":1.5"#)).starts_with("azure-vm: sample_vms = 1.5\n")
    );
}

#[test]
fn the_real_heads_of_the_files_are_read() {
    let Some(folder) = shared("azure-vm-v1-tiny") else { return };
    let spec = r#"{"azure-vm":{"vmtable":"vmtable.csv.gz","readings":["vm_cpu_readings-file-1-of-125.csv.gz"]}}"#;
    let mut source = open_at(&folder, spec).expect("opens");
    let all = drain(&mut *source).expect("readable");
    assert_eq!((all.len(), note(&*source, "vms_in_the_table").as_deref()), (10, Some("10")));
    let counted = |key: &str| note(&*source, key).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    assert_eq!(counted("readings") + counted("readings_of_vms_outside_the_table"), 100);
    let batch = all.iter().filter(|a| a.0.class == Class::Batch).count();
    assert_eq!((batch, all.iter().filter(|a| a.0.cpu == 8_000_000).count()), (6, 4));
    let cores: f64 = all.iter().flat_map(|a| &a.1).map(|p| p.cpu as f64 / 1e6).sum();
    assert!(cores > 0.0);
    laws(&|| open_at(&folder, spec).expect("opens"));
}
