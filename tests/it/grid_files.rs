//! Carbon-intensity files from a provider to a score: `sim grid`, and the sources `file` and `import` of a scenario.

use std::path::Path;
use std::process::Command;

use crate::lab::{Lab, close};

/// One host, one call of an hour at 00:30 on 1 January 2022.
const WORLD: &str = r#"
[time]
start = "2022-01-01T00:30:00Z"
duration_s = 3600.0
end = "fixed"
drain_limit_s = 0.0
[workload.calls]
path = "calls.csv"
[isolation.wasm]
[servers.box]
cores = 1.0
memory_mb = 1000.0
power.linear = { idle_w = 100.0, max_w = 100.0 }
embodied_kg = 0.0
lifetime_years = 4.0
[[regions]]
name = "here"
pue = 1.0
grid.import = { path = "eia.csv", zone = "US-X", dataset_version = "2022" }
hosts = [{ server = "box", count = 1 }]
"#;

const CALLS: &str = "arrival_time_s,function_id,duration_s,memory_mb\n0,a,1,1\n";
/// 100 g/kWh to 01:00, nothing to 02:00, 300 to 03:00.
const EIA: &str =
    "timestamp,avg_CI\n2022-01-01 00:00:00+00:00,100\n2022-01-01 01:00:00+00:00,\n2022-01-01 02:00:00+00:00,300\n";

fn lab() -> Lab {
    Lab::new(WORLD).file("calls.csv", CALLS).file("eia.csv", EIA)
}

/// Runs `sim` in a folder: exit code, what it prints, what it complains about.
fn sim(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_sim"))
        .current_dir(folder)
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .expect("sim runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.code().unwrap_or(-1), text(&out.stdout), text(&out.stderr))
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
}

#[test]
fn another_providers_file_is_scored_as_it_stands() {
    let gap = lab().fails(&[]);
    has(
        &gap,
        &["eia.csv", "no value from 2022-01-01T01:00:00Z to 2022-01-01T02:00:00Z", "choose gaps", "docs/grid.md"],
    );
    // 0.05 kWh at 100 g/kWh and 0.05 kWh at the held 100 g/kWh; later 0.05 kWh of each of 100 and 300.
    let held = "regions[0].grid.import.gaps=\"hold\"";
    close("held", lab().run(&[held]).number("carbon_g.operational"), 10.0, 1e-12);
    let later = lab().run(&[held, "time.start=2022-01-01T01:30:00Z"]);
    close("later", later.number("carbon_g.operational"), 0.05 * 100.0 + 0.05 * 300.0, 1e-12);
    let unsaid = lab().fails(&[held, "regions[0].grid={ import = { path = \"eia.csv\", gaps = \"hold\" } }"]);
    has(&unsaid, &["nobody says zone, dataset_version"]);
    let unknown = lab().fails(&["regions[0].grid.import.gaps=\"zero\""]);
    has(&unknown, &["hold", "same-hour-last-week"]);
}

#[test]
fn run_that_is_longer_than_its_signal_is_told_how_to_stop_repeat_or_hold() {
    let set = ["regions[0].grid.import.gaps=\"hold\"", "time.duration_s=90000.0", "time.drain_limit_s=600.0"];
    let with = |more: &str| -> Vec<&'static str> {
        let more: &'static str = Box::leak(more.to_owned().into_boxed_str());
        set.iter().copied().chain([more]).collect()
    };
    let error = lab().fails(&set);
    // 02:30 h after the start the data end; 600 s of drain and a second must fit before.
    has(&error, &["ends 9000 s", "repeat", "hold", "time.duration_s = 8399"]);
    lab().run(&with("time.duration_s=8399.0"));
    has(&lab().fails(&with("time.duration_s=8400.0")), &["ends 9000 s"]);
    has(&lab().fails(&with("time.drain_limit_s=9000.0")), &["lower time.drain_limit_s"]);
    for rule in ["repeat", "hold"] {
        lab().run(&with(&format!("regions[0].grid.import.past_end=\"{rule}\"")));
    }
}

#[test]
fn imported_file_scores_as_its_source_does() {
    let lab = lab();
    let folder = lab.folder();
    let import = ["grid", "import", "eia.csv", "--zone", "US-X", "--dataset-version", "2022", "--out", "own.csv"];
    let (code, _, error) = sim(folder, &import);
    assert_eq!(code, 2);
    has(&error, &["eia.csv: no value from", "choose gaps"]);
    assert!(!folder.join("own.csv").exists());
    let (code, told, error) = sim(folder, &[&import[..], &["--gaps", "hold", "--retrieved", "2023-02-01"]].concat());
    assert_eq!((code, error.as_str()), (0, ""));
    has(
        &told,
        &[
            "format eia",
            "1 rows without a value",
            "(by the format)",
            "3 intervals, 1 estimated (1 filled here), 2 unknown",
        ],
    );
    let text = std::fs::read_to_string(folder.join("own.csv")).expect("written");
    let head = [
        "# zone = \"US-X\"",
        "# kind = \"average\"",
        "# factor_basis = \"direct\"",
        "# boundary = \"production mix\"",
        "# licence = \"public domain\"",
        "# retrieved = \"2023-02-01\"",
        "# end = \"2022-01-01T03:00:00Z\"",
        "# filled = 1",
        "# made_by = \"sim grid import --format eia --gaps hold\"",
        "\n2022-01-01T01:00:00Z,100,yes\n",
    ];
    has(&text, &head);
    let own = "regions[0].grid={ file = { path = \"own.csv\" } }";
    let direct = lab.run(&["regions[0].grid.import.gaps=\"hold\"", "time.start=2022-01-01T01:30:00Z"]);
    let through = lab.run(&[own, "time.start=2022-01-01T01:30:00Z"]);
    assert_eq!(direct.number("carbon_g.operational"), through.number("carbon_g.operational"));
    // A finished run is scored on it as on any other signal.
    let results = through.folder();
    let (code, scores, error) = sim(folder, &["score", &results.to_string_lossy(), "--signal", "own.csv"]);
    assert_eq!((code, error.as_str()), (0, ""));
    has(&scores, &["own"]);
    // A head without its zone names the key.
    std::fs::write(folder.join("own.csv"), text.replace("# zone", "# zome")).expect("writable");
    has(&lab.fails(&[own]), &["own.csv", "lacks zone"]);
}

#[test]
fn figures_and_synthetic_years_come_from_the_command_line() {
    let lab = lab();
    let folder = lab.folder();
    let synth = |residual: &str, out: &str| {
        let arguments =
            ["grid", "synth", "--zone", "GB", "--days", "31", "--seed", "7", "--residual", residual, "--out", out];
        let (code, _, error) = sim(folder, &arguments);
        assert_eq!((code, error.as_str()), (0, ""));
        std::fs::read_to_string(folder.join(out)).expect("written")
    };
    let (first, again, typical) = (synth("ar1", "a.csv"), synth("ar1", "b.csv"), synth("none", "c.csv"));
    assert_eq!(first, again);
    has(&first, &["# synthetic = true", "# seed = 7", "--residual ar1"]);
    assert!(typical.contains("# synthetic = true") && !typical.contains("# seed"));
    let (code, json, _) = sim(folder, &["grid", "stats", "a.csv", "c.csv", "eia.csv", "--json"]);
    assert_eq!(code, 0);
    let all: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let figure = |file: usize, key: &str| all[file]["stats"][key].clone();
    assert_eq!((figure(0, "n"), figure(1, "n"), figure(2, "n")), (744.into(), 744.into(), 2.into()));
    assert_eq!((figure(2, "gaps"), figure(2, "mean_g_per_kwh")), (1.into(), 200.0.into()));
    // Typical days leave no residual, and every day is the same.
    assert!(figure(1, "residual_sd_g_per_kwh").as_f64().is_some_and(|sd| sd < 1e-9));
    assert!(figure(0, "residual_sd_g_per_kwh").as_f64().is_some_and(|sd| sd > 10.0));
    let (_, table, _) = sim(folder, &["grid", "stats", "eia.csv"]);
    has(&table, &["eia.csv (eia)", "mean [g/kWh]", "200.0", "1 (1 h)"]);
    let (code, _, error) = sim(folder, &["grid", "synth", "--zone", "gb", "--out", "x.csv"]);
    assert_eq!(code, 2);
    has(&error, &["\"gb\"", "did you mean \"GB\""]);
    let (code, _, error) = sim(folder, &["grid", "stats", "eia.csv", "--format", "eai"]);
    assert_eq!(code, 2);
    has(&error, &["eai", "lets-wait-awhile"]);
}
