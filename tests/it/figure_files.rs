//! `sim plot`: the files that it writes, what it leaves out, and its exit codes.

use std::fs;
use std::path::Path;
use std::process::Command;

use slackwater::plot::CATALOGUE;

use crate::figures::sweep;

/// What `sim plot` answers: its exit code and both its outputs.
fn plot(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_sim")).arg("plot").arg(folder).args(arguments).output();
    let out = out.expect("sim runs");
    (out.status.code(), [out.stdout, out.stderr].map(|o| String::from_utf8_lossy(&o).into_owned()).concat())
}

#[test]
fn the_program_writes_what_a_result_has_the_data_for() {
    let sweep = sweep();
    let (code, text) = plot(sweep.folder(), &["--size", "column", "--format", "svg"]);
    assert_eq!(code, Some(0), "{text}");
    // A line per kind: the file that was written, or why it is left out.
    assert!(text.lines().count() == CATALOGUE.len(), "{text}");
    assert!(text.contains("left out power: the result has no ledger.parquet\n"), "{text}");
    let mut found: Vec<String> = fs::read_dir(sweep.folder().join("figures"))
        .expect("a folder of figures")
        .map(|e| e.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    found.sort();
    assert_eq!(found, ["frontier.svg", "heat-map.svg", "lines.svg", "sci.svg", "tornado.svg"]);
    let (code, text) = plot(sweep.folder(), &["--list"]);
    assert!(
        code == Some(0) && text.contains("can be drawn") && text.contains("the result has no ledger.parquet"),
        "{text}"
    );
    // One table that is damaged keeps only its own kind from being drawn.
    let damaged = crate::figures::sweep();
    fs::write(damaged.folder().join("frontier.csv"), "frontier,point\n0,0\n").expect("writable");
    let (code, text) = plot(damaged.folder(), &["--size", "column", "--format", "svg"]);
    assert!(code == Some(2) && text.contains("frontier: cannot read") && text.contains("left out power: "), "{text}");
    for name in ["sci", "lines", "heat-map", "tornado"] {
        assert!(damaged.folder().join(format!("figures/{name}.svg")).is_file(), "{name}: {text}");
    }
    let file = sweep.folder().join("one.png");
    let place = file.to_str().expect("a plain path");
    let (code, text) =
        plot(sweep.folder(), &["--kind", "lines", "--metric", "latency_s.p99", "--size", "column", "--out", place]);
    assert!(code == Some(0) && fs::read(&file).is_ok_and(|png| png.starts_with(b"\x89PNG")), "{text}");
    for (arguments, words) in [
        (&["--kind", "power"][..], "help: give the folder of a single run"),
        (&["--kind", "tornada"], "there is no figure \"tornada\""),
        (&["--out", place], "several kinds are drawn"),
    ] {
        let (code, text) = plot(sweep.folder(), arguments);
        assert!(code == Some(2) && text.contains(words), "{arguments:?}: {code:?} {text}");
    }
}
