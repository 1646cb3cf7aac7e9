//! Bitbrains: small files checked by hand, the real VM, and what is wrong.

use crate::types::{Duration, Memory, SimTime};
use crate::workload::instances::tests::{Lab, drain, laws, note, open_at, plain, shared};

const HEADER: &str = "Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ];\tCPU usage [MHZ];\tCPU usage [%];\tMemory \
                      capacity provisioned [KB];\tMemory usage [KB];\tDisk read throughput [KB/s];\tDisk write throughput \
                      [KB/s];\tNetwork received throughput [KB/s];\tNetwork transmitted throughput [KB/s]\n";
const SPEC: &str = r#"{"bitbrains":{"files":["vms"],"account_by":"instance"}}"#;

fn row(time: &str, cores: u32, usage: &str, used_kb: u32) -> String {
    format!("{time};\t{cores};\t{};\t{usage};\t0.0;\t4096.0;\t{used_kb};\t0.0;\t0.0;\t0.0;\t0.0\n", cores * 1000)
}

fn lab(first: &str, second: &str) -> Lab {
    let lab = Lab::new();
    std::fs::create_dir(lab.path().join("vms")).expect("writable");
    lab.file("vms/10.csv", first).gz("vms/9.csv.gz", second, 0)
}

fn two() -> Lab {
    // A gap of 900 s; VM 9 begins 300 s later.
    let a = row("1376314846", 2, "500.0", 1024) + &row("1376315147", 2, "1000", 2048) + &row("1376316047", 2, "0", 0);
    let b = row("1376315146", 1, "250", 512);
    lab(&(HEADER.to_owned() + &a), &(HEADER.to_owned() + &b))
}

#[test]
fn a_row_holds_until_the_next_and_a_gap_keeps_it() {
    let lab = two();
    let mut source = lab.open(SPEC).expect("opens");
    let all = drain(&mut *source).expect("readable");
    let names: Vec<&str> = all.iter().map(|a| &*a.0.name).collect();
    assert_eq!(names, ["10", "9"]);
    assert_eq!(plain(&all[0].1), [(301.0, 0.5), (900.0, 1.0), (300.0, 0.0)]);
    assert_eq!(all[0].1[0].memory, Some(Memory(1024 * 1024)));
    assert_eq!((all[0].0.cpu, all[0].0.memory), (2_000_000, Memory(4096 * 1024)));
    assert_eq!((all[1].0.time, all[1].0.lifetime), (SimTime::from_secs_f64(300.0), Some(Duration::from_secs(300))));
    assert_eq!(plain(&all[1].1), [(300.0, 0.25)]);
    assert_eq!(note(&*source, "gaps_that_keep_the_value_before").as_deref(), Some("1"));
    assert_eq!(note(&*source, "rows").as_deref(), Some("4"));
    laws(&|| lab.open(SPEC).expect("opens"));
}

#[test]
fn milliseconds_are_told_from_seconds() {
    let lab = lab(
        &(HEADER.to_owned() + &row("1376314846000", 2, "500", 1)),
        &(HEADER.to_owned() + &row("1376315146", 1, "0", 1)),
    );
    let all = drain(&mut *lab.open(SPEC).expect("opens")).expect("readable");
    assert_eq!(all[1].0.time, SimTime::from_secs_f64(300.0));
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let good = HEADER.to_owned() + &row("1376315146", 1, "0", 1);
    for (text, message) in [
        (
            HEADER.to_owned() + &row("10", 1, "nan", 1),
            "vms/10.csv, line 2: CPU usage [MHZ] = \"nan\" is not a finite number at or above 0\n  help: correct or remove the row",
        ),
        (
            HEADER.to_owned() + &row("10", 1, "-3", 1),
            "vms/10.csv, line 2: CPU usage [MHZ] = \"-3\" is not a finite number at or above 0\n  help: correct or remove the row",
        ),
        (
            HEADER.to_owned() + &row("600", 1, "0", 1) + &row("300", 1, "0", 1),
            "vms/10.csv, line 3: Timestamp [ms] = 300000 does not come after the row before it\n  help: sort the file by time, and \
             remove doubled rows",
        ),
        (
            HEADER.to_owned() + "1;\t2\n",
            "vms/10.csv, line 2: the row has 2 cells instead of 11\n  help: complete or correct the row; a file that was cut off \
             ends like this",
        ),
        (HEADER.to_owned(), "vms/10.csv: the file has no row\n  help: download it again, or leave it out"),
    ] {
        assert_eq!(lab(&text, &good).fails(SPEC), message);
    }
    let extended = lab("1631911500    21.2    22.10\n", &good).fails(SPEC);
    assert!(
        extended.starts_with("vms/10.csv: the first line is not the header of a Bitbrains file\n  help: "),
        "{extended}"
    );
    let cut = lab(&good, &good).gz("vms/9.csv.gz", &good, 9).fails(SPEC);
    assert!(cut.starts_with("vms/9.csv.gz: the gzip data are cut off or damaged after line "), "{cut}");
    let double = lab(&good, &good).file("vms/9.csv", &good).fails(SPEC);
    assert!(double.starts_with("bitbrains: two files are named 9\n"), "{double}");
}

#[test]
fn the_real_vm_has_its_rows_and_gaps() {
    let Some(folder) = shared("bitbrains-gwa-t12") else { return };
    let mut source = open_at(&folder, r#"{"bitbrains":{"files":["fastStorage_one_vm.csv"]}}"#).expect("opens");
    assert_eq!(note(&*source, "rows").as_deref(), Some("8619"));
    // Eight of 600 s, three of 900 s, one of 1200 s, one of 1500 s.
    assert_eq!(note(&*source, "gaps_that_keep_the_value_before").as_deref(), Some("13"));
    assert_eq!(note(&*source, "trace_instant_at_the_run_start").as_deref(), Some("2013-08-12T13:40:46Z"));
    let all = drain(&mut *source).expect("readable");
    assert_eq!((&*all[0].0.name, all[0].0.cpu, all[0].0.memory), ("fastStorage_one_vm", 1_000_000, Memory(1 << 31)));
    // 19.0667 of 2599.999309 MHz in the first row.
    assert_eq!(all[0].1[0].cpu, 7333);
}
