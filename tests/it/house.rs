//! The house rules that a program can check: who may know whom, how long a file may be, what may not be written.

use std::fs;
use std::path::{Path, PathBuf};

use crate::lab::repository;

/// Who may know whom, room by room.
const ROOMS: &[(&str, &[&str])] = &[
    ("types", &["types"]),
    ("stats", &["stats", "types"]),
    ("claim", &["claim", "types", "stats"]),
    ("contrast", &["contrast", "claim", "report", "types", "stats"]),
    ("workload", &["workload", "types", "stats"]),
    ("isolation", &["isolation", "types", "stats"]),
    ("grid", &["grid", "types", "stats"]),
    ("ledger", &["ledger", "types", "stats"]),
    ("cluster", &["cluster", "isolation", "ledger", "types", "stats"]),
    ("network", &["network", "types", "stats"]),
    ("scheduler", &["scheduler", "network", "cluster", "isolation", "ledger", "grid", "workload", "types", "stats"]),
    ("sim", &["sim", "network", "scheduler", "cluster", "isolation", "ledger", "grid", "workload", "types", "stats"]),
    ("sci", &["sci", "ledger", "grid", "types", "stats"]),
    ("plot", &["plot", "types"]),
    ("impact", &["impact", "sci", "ledger", "grid", "types", "stats"]),
];

/// All Rust files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the repository is readable") {
        let path = entry.expect("the repository is readable").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn is_test(path: &Path) -> bool {
    path.ends_with("tests.rs") || path.components().any(|c| c.as_os_str() == "tests")
}

/// The lines of a file that are part of the program: without comments, and without the tests at its end.
fn program(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).expect("the repository is readable");
    let lines: Vec<&str> = text.lines().collect();
    // Tests stand at the end of a file: `#[cfg(test)]` right before a `mod`.
    let tests = lines
        .windows(2)
        .position(|w| w[0].trim() == "#[cfg(test)]" && w[1].trim_start().starts_with("mod "))
        .unwrap_or(lines.len());
    let code = lines[..tests].iter().enumerate().filter(|(_, l)| !l.trim_start().starts_with("//"));
    code.map(|(n, l)| (n + 1, (*l).to_owned())).collect()
}

/// The room a file stands in: `src/grid/csv.rs` and `src/grid.rs` are both of `grid`.
fn room(path: &Path) -> String {
    let inner = path.strip_prefix(repository("src")).expect("the file stands in src");
    let first = inner.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The rooms that a line names after `crate::`, also inside braces.
fn named(line: &str) -> Vec<String> {
    let word = |s: &str| s.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut rooms = Vec::new();
    for rest in line.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(list) => rooms.extend(list.split(['{', '}', ',']).map(|s| word(s.trim()))),
            None => rooms.push(word(rest)),
        }
    }
    rooms.retain(|r| !r.is_empty());
    rooms
}

#[track_caller]
fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn every_room_knows_only_the_rooms_below_it() {
    let mut broken = Vec::new();
    let mut seen = 0;
    for path in files(&repository("src")) {
        let own = room(&path);
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == own) else { continue };
        seen += 1;
        if is_test(&path) {
            continue;
        }
        for (n, line) in program(&path) {
            for other in named(&line).iter().filter(|o| !allowed.contains(&o.as_str())) {
                broken.push(format!("{}:{n} {own} names {other}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(seen > 60, "only {seen} files were looked at");
    none("a room knows what it must not", &broken);
}

#[test]
fn nobody_but_the_door_and_the_report_knows_the_scenario() {
    let mut broken = Vec::new();
    for path in files(&repository("src")) {
        let own = room(&path);
        if is_test(&path)
            || ["scenario", "report", "run", "compare", "size", "sweep", "validate", "cli", "main", "lib"]
                .contains(&own.as_str())
        {
            continue;
        }
        for (n, line) in program(&path).iter().filter(|(_, l)| named(l).iter().any(|r| r == "scenario")) {
            broken.push(format!("{}:{n} {}", path.display(), line.trim()));
        }
    }
    none("the scenario is known below", &broken);
}

#[test]
fn only_the_catalogue_of_a_seam_knows_its_policies() {
    let mut broken = Vec::new();
    let mut policies = 0;
    let seams = [
        "admission",
        "dispatch",
        "keep_alive",
        "migration",
        "overcommit",
        "packing",
        "provisioning",
        "routing",
        "scaling",
        "shifting",
    ];
    for seam in seams {
        let folder = repository("src/scheduler").join(seam);
        let names: Vec<String> = files(&folder)
            .iter()
            .map(|p| p.file_stem().expect("a name").to_string_lossy().into_owned())
            .filter(|n| n != "mod" && n != "tests")
            .collect();
        policies += names.len();
        for path in files(&repository("src")) {
            if path.ends_with(format!("{seam}/mod.rs")) {
                continue;
            }
            let inside = path.starts_with(&folder);
            for (n, line) in program(&path) {
                for name in &names {
                    let known = line.contains(&format!("{seam}::{name}::"))
                        || inside && line.contains(&format!("super::{name}::"));
                    if known {
                        broken.push(format!("{}:{n} names {seam}/{name}.rs: {}", path.display(), line.trim()));
                    }
                }
            }
        }
    }
    assert!(policies >= 30, "only {policies} policies were found");
    none("a policy is known outside its catalogue", &broken);
}

#[test]
fn no_file_is_longer_than_600_lines() {
    let all = [files(&repository("src")), files(&repository("tests"))].concat();
    let long = |p: &&PathBuf| fs::read_to_string(p).expect("readable").lines().count() > 600;
    none("too long", &all.iter().filter(long).map(|p| p.display().to_string()).collect::<Vec<_>>());
}

/// Lines of the program in these rooms (all, if empty) that contain one of the words.
fn lines_with(rooms: &[&str], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(&repository("src")) {
        if is_test(&path) || !rooms.is_empty() && !rooms.contains(&room(&path).as_str()) {
            continue;
        }
        for (n, line) in program(&path) {
            let code = line.split("//").next().unwrap_or_default();
            if words.iter().any(|w| code.contains(w)) {
                found.push(format!("{}:{n} {}", path.display(), line.trim()));
            }
        }
    }
    found
}

#[test]
fn nothing_is_unwrapped_without_a_reason() {
    none("say with expect why this cannot fail", &lines_with(&[], &[".unwrap()"]));
}

#[test]
fn nothing_is_left_to_do() {
    none("unfinished", &lines_with(&[], &["todo!", "unimplemented!", "dbg!("]));
}

#[test]
fn no_hash_map_of_random_order_stands_where_decisions_are_made() {
    let words = [
        "std::collections::HashMap",
        "std::collections::HashSet",
        " HashMap<",
        "(HashMap<",
        " HashSet<",
        "HashMap::new",
    ];
    none("random order", &lines_with(&["sim", "scheduler", "cluster", "ledger"], &words));
}

#[test]
fn no_map_is_iterated_where_decisions_are_made() {
    // The hashed maps of the hot rooms, by the names of their fields.
    let maps = ["pending", "joinable", "domains", "by_host", "by_kind"];
    let known = lines_with(&["sim", "scheduler", "cluster", "ledger"], &["FxHashMap<", "FxHashSet<"]);
    let unknown: Vec<String> =
        known.into_iter().filter(|l| !maps.iter().any(|m| l.contains(&format!("{m}: ")))).collect();
    none("a hashed map that this test does not know", &unknown);
    let walks = ["iter()", "iter_mut()", "keys()", "values()", "values_mut()", "drain()", "retain("];
    let words: Vec<String> = maps.iter().flat_map(|m| walks.iter().map(move |w| format!("{m}.{w}"))).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    none("iterated", &lines_with(&["sim", "scheduler", "cluster", "ledger"], &words));
}
