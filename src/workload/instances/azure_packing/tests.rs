//! The trace for packing: small tables checked by hand, and what is wrong.

use crate::types::{Duration, Memory, SimTime};
use crate::workload::instances::Class;
use crate::workload::instances::tests::{Lab, drain, laws, note, plain};

const TYPES: &str =
    "id,vmTypeId,machineId,core,memory,hdd,ssd,nic\n0,0,5,0.5,0.25,,0,0\n1,0,6,0.25,0.125,,0,0\n2,1,6,0.1,0.2,,0,0\n";
const VMS: &str = "vmId,tenantId,vmTypeId,priority,starttime,endtime\n\
                   10,1,0,1,0.5,0.75\n11,2,0,0,-3.25,\n12,1,0,0,-2,-1\n13,1,1,0,0,1\n14,1,0,0,2,2\n";

fn lab(vms: &str, types: &str) -> Lab {
    Lab::new().file("vm.csv", vms).gz("type.csv.gz", types, 0)
}

fn spec(more: &str) -> String {
    format!(
        r#"{{"azure-packing":{{"files":{{"csv":{{"vm":"vm.csv","vm_type":"type.csv.gz"}}}},"machine_id":5,"host_cores":40,"host_memory_mb":100000{more}}}}}"#
    )
}

#[test]
fn fractions_days_and_priorities_become_instances() {
    let lab = lab(VMS, TYPES);
    let mut source = lab.open(&spec("")).expect("opens");
    let all = drain(&mut *source).expect("readable");
    assert_eq!(all.iter().map(|a| &*a.0.name).collect::<Vec<_>>(), ["vm11", "vm10"]);
    let (old, pieces) = &all[0];
    assert_eq!((old.time, old.lifetime), (SimTime(0), Some(Duration::from_secs(90 * 86_400))));
    assert_eq!((old.cpu, old.memory), (20_000_000, Memory(25_000_000_000)));
    assert_eq!((old.priority, old.class), (1, Class::LatencySensitive));
    assert_eq!(plain(pieces), [(7_776_000.0, 20.0)]);
    let (new, pieces) = &all[1];
    assert_eq!((new.time, new.priority, new.class), (SimTime::from_secs_f64(43_200.0), 0, Class::Batch));
    assert_eq!(plain(pieces), [(21_600.0, 20.0)]);
    for (key, wanted) in [
        ("instances", "2 of 5 rows"),
        ("left_out_of_a_type_that_the_machine_cannot_run", "1"),
        ("left_out_as_ended_before_the_trace", "1"),
        ("left_out_as_without_life", "1"),
        ("alive_before_the_trace", "1"),
        ("without_end_taken_as_90_days", "1"),
    ] {
        assert_eq!(note(&*source, key).as_deref(), Some(wanted), "{key}");
    }
    laws(&|| lab.open(&spec("")).expect("opens"));
    let used = spec(r#","usage":{"like-borg":{}}"#);
    laws(&|| lab.open(&used).expect("opens"));
}

#[test]
fn types_of_other_machines_can_be_taken() {
    let all = drain(&mut *lab(VMS, TYPES).open(&spec(r#","other_types":"other-machine""#)).expect("opens"))
        .expect("readable");
    let other = all.iter().find(|a| &*a.0.name == "vm13").expect("it is taken");
    assert_eq!((other.0.cpu, other.0.memory), (4_000_000, Memory(20_000_000_000)));
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let head = "vmId,tenantId,vmTypeId,priority,starttime,endtime\n";
    for (row, message) in [
        ("1,1,0,2,0,1\n", "priority = 2 is neither 0 nor 1"),
        ("1,1,0,0,1,0.5\n", "endtime = 0.5 comes before starttime = 1"),
        ("1,1,0,0,nan,1\n", "starttime = \"nan\" is not a number of days"),
        ("1,x,0,0,0,1\n", "tenantId = \"x\" is not a whole number"),
    ] {
        let text = lab(&(head.to_owned() + row), TYPES).fails(&spec(""));
        assert_eq!(text, format!("vm.csv, line 2: {message}\n  help: correct or remove the row"));
    }
    assert_eq!(
        lab(VMS, TYPES).fails(&spec("").replace("\"machine_id\":5", "\"machine_id\":9")),
        "azure-packing: machine_id = 9 is in no row of the table vmType\n  help: choose one of: 5, 6"
    );
    let missing = lab("vmId,tenantId,vmTypeId,priority,starttime\n", TYPES).fails(&spec(""));
    assert!(missing.starts_with("vm.csv: column endtime is missing\n"), "{missing}");
    let fraction = lab(VMS, &TYPES.replace("0.5,0.25", "1.5,0.25")).fails(&spec(""));
    assert!(fraction.starts_with("type.csv.gz, line 2: core = \"1.5\" is not a fraction of a machine"), "{fraction}");
    let none = lab(head, TYPES).fails(&spec(""));
    assert!(none.starts_with("azure-packing: no VM of 0 is left\n"), "{none}");
}

const DATABASE: &str = r#"{"azure-packing":{"files":{"sqlite":{"path":"t.sqlite"}},"machine_id":5,"host_cores":40,"host_memory_mb":100000}}"#;

#[cfg(not(feature = "sqlite"))]
#[test]
fn without_sqlite_the_error_says_what_to_do() {
    let text = Lab::new().file("t.sqlite", "SQLite format 3").fails(DATABASE);
    assert!(text.starts_with("t.sqlite: this program was built without SQLite\n  help: build it with `cargo build --release --features sqlite`"), "{text}");
}

#[cfg(feature = "sqlite")]
#[test]
fn the_database_and_its_export_give_the_same() {
    let lab = lab(VMS, TYPES);
    let database = rusqlite::Connection::open(lab.path().join("t.sqlite")).expect("writable");
    database
        .execute_batch(
            "create table vmType (id integer, vmTypeId integer, machineId integer, core real, memory real, hdd real, ssd real, nic real);
             insert into vmType values (0,0,5,0.5,0.25,null,0,0),(1,0,6,0.25,0.125,null,0,0),(2,1,6,0.1,0.2,null,0,0);
             create table vm (vmId integer, tenantId integer, vmTypeId integer, priority integer, starttime real, endtime real);
             insert into vm values (10,1,0,1,0.5,0.75),(11,2,0,0,-3.25,null),(12,1,0,0,-2,-1),(13,1,1,0,0,1),(14,1,0,0,2,2);",
        )
        .expect("valid");
    drop(database);
    let wanted = drain(&mut *lab.open(&spec("")).expect("opens")).expect("readable");
    assert_eq!(drain(&mut *lab.open(DATABASE).expect("opens")).expect("readable"), wanted);
    let bad = Lab::new().file("t.sqlite", "not a database, but long enough to be looked at").fails(DATABASE);
    assert!(bad.starts_with("t.sqlite: not readable as the trace's database: "), "{bad}");
}
