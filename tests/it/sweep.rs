//! Sweeps: what they run, what they write, and that nothing of it depends on threads, parts or interruptions.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use slackwater::sweep::{Earlier, Finished, Meter, Options, Plan, Shard, SweepError, merge, sweep};

use crate::lab::{Lab, Table, repository};

/// A scenario of some hundred calls that runs in milliseconds.
const SCENARIO: &str = r#"
seed = 7
time.duration_s = 600.0
[workload.poisson]
calls = 150
rate_per_s = 0.5
functions = 5
service.lognormal = { median_s = 0.4, sigma = 0.8 }
memory_mb = 128.0
cpu_cores = 1.0
[isolation.microvm]
[scheduler.keep_alive.fixed]
keep_alive_s = 30.0
[servers.small]
cores = 8.0
memory_mb = 16000.0
embodied_kg = 1000.0
lifetime_years = 4.0
[[regions]]
name = "here"
grid.constant = { g_per_kwh = 200.0, label = "assumed" }
hosts = [{ server = "small", count = 1 }]
"#;

/// Three isolations, four keep-alive times, three replications.
pub const GRID: &str = r#"
scenario = "scenario.toml"
replications = 3
metrics = ["sci", "latency_s.mean"]
baseline = { isolation = "microvm" }
[[frontier]]
minimize = ["sci", "latency_s.mean"]
[[axes]]
name = "isolation"
values = [{ name = "container", set = ["isolation=container"] }, { name = "microvm" }, { name = "wasm", set = ["isolation=wasm"] }]
[[axes]]
name = "keep_alive"
key = "scheduler.keep_alive.fixed.keep_alive_s"
list = [0, 10, 100, 1000]
"#;

/// All that a sweep writes which may not depend on how it ran.
const TABLES: [&str; 7] =
    ["runs.csv", "runs.parquet", "columns.csv", "points.csv", "differences.csv", "frontier.csv", "sensitivity.csv"];

/// A small scenario, the file of a sweep of it, and their results.
pub struct Swept {
    pub lab: Lab,
}

impl Swept {
    pub fn new(sweep: &str) -> Self {
        Self { lab: Lab::new(SCENARIO).file("sweep.toml", sweep) }
    }

    fn file(&self) -> PathBuf {
        self.lab.folder().join("sweep.toml")
    }

    pub fn out(&self, name: &str) -> PathBuf {
        self.lab.folder().join("results").join(name)
    }

    pub fn write(&self, sweep: &str) {
        fs::write(self.file(), sweep).expect("writable");
    }

    pub fn plan(&self) -> Result<Plan, SweepError> {
        Plan::read(&self.file(), &[])
    }

    fn try_run(&self, name: &str, change: impl FnOnce(&mut Options)) -> Result<Finished, SweepError> {
        let mut options = Options {
            out: self.out(name),
            jobs: 2,
            earlier: Earlier::Refuse,
            retry_failed: false,
            shard: Shard::WHOLE,
        };
        change(&mut options);
        sweep(&self.plan()?, &options, &Meter::default())
    }

    #[track_caller]
    pub fn run(&self, name: &str, change: impl FnOnce(&mut Options)) -> Finished {
        self.try_run(name, change).unwrap_or_else(|e| panic!("{e}"))
    }

    pub fn table(&self, name: &str, table: &str) -> Table {
        Table::read(&self.out(name).join(table))
    }

    /// What is wrong with a sweep file, plain.
    #[track_caller]
    fn wrong(sweep: &str) -> String {
        match Self::new(sweep).plan() {
            Ok(_) => panic!("nothing is wrong with\n{sweep}"),
            Err(error) => error.to_string(),
        }
    }
}

/// The files of a results folder that all ways of running must agree on.
fn tables(folder: &Path) -> BTreeMap<&'static str, Vec<u8>> {
    TABLES.iter().filter_map(|name| Some((*name, fs::read(folder.join(name)).ok()?))).collect()
}

#[track_caller]
fn same(a: &Path, b: &Path) {
    let (x, y) = (tables(a), tables(b));
    assert_eq!(x.keys().collect::<Vec<_>>(), y.keys().collect::<Vec<_>>());
    for (name, bytes) in &x {
        assert!(*bytes == y[name], "{name} differs between {} and {}", a.display(), b.display());
    }
    assert!(x.contains_key("runs.csv") && x.contains_key("runs.parquet"));
}

#[test]
fn every_point_runs_with_the_same_seeds_and_gives_what_a_single_run_gives() {
    let swept = Swept::new(GRID);
    let finished = swept.run("grid", |_| {});
    assert_eq!((finished.ran.done, finished.ran.failed), (36, 0));
    let runs = swept.table("grid", "runs.csv");
    assert_eq!(runs.rows.len(), 36);
    assert_eq!(runs.column("seed")[..3], [7.0, 8.0, 9.0]);
    assert_eq!(runs.text("isolation")[12], "microvm");
    // Point 6 is microvm with 100 s; its second replication has seed 8.
    let row = 6 * 3 + 1;
    assert_eq!((runs.column("point")[row], runs.column("keep_alive")[row]), (6.0, 100.0));
    let single = swept.lab.run(&["scheduler.keep_alive.fixed.keep_alive_s=100", "seed=8"]);
    for key in ["sci.g_per_unit", "latency_s.p99", "calls.cold", "energy_j.total", "memory.idle_mean_mb"] {
        assert_eq!(runs.column(key)[row].to_bits(), single.number(key).to_bits(), "{key}");
    }
    // Common random numbers: the same calls arrive at every point.
    let received = runs.column("calls.received");
    assert!((0..36).all(|i| received[i] == received[i % 3]), "{received:?}");
}

#[test]
fn every_column_has_a_unit_and_parquet_says_what_csv_says() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let swept = Swept::new(GRID);
    swept.run("grid", |_| {});
    let (runs, columns) = (swept.table("grid", "runs.csv"), swept.table("grid", "columns.csv"));
    let header = fs::read_to_string(swept.out("grid").join("runs.csv")).expect("readable");
    let header: Vec<&str> = header.lines().next().expect("a header").split(',').collect();
    assert_eq!(columns.text("column"), header);
    assert!(columns.text("unit").iter().all(|unit| !unit.is_empty()));
    let unit = |name: &str| columns.text("unit")[header.iter().position(|h| *h == name).expect(name)].clone();
    assert_eq!(
        (unit("keep_alive"), unit("sci.g_per_unit"), unit("isolation")),
        ("s".into(), "gCO2e/R".into(), "text".into())
    );
    let file = fs::File::open(swept.out("grid").join("runs.parquet")).expect("there");
    let reader = SerializedFileReader::new(file).expect("Parquet");
    let mut rows = 0;
    for (i, row) in reader.get_row_iter(None).expect("rows").enumerate() {
        let row = row.expect("a row");
        for (name, field) in row.get_column_iter() {
            let csv = &runs.text(name)[i];
            match field {
                parquet::record::Field::Null => assert!(csv.is_empty(), "{name}: {csv}"),
                parquet::record::Field::Str(text) => assert_eq!(text, csv, "{name}"),
                parquet::record::Field::Double(x) => assert_eq!(x.to_bits(), csv.parse::<f64>().expect(name).to_bits()),
                parquet::record::Field::Long(n) => assert_eq!(n.to_string(), *csv, "{name}"),
                other => panic!("{name}: {other:?}"),
            }
        }
        rows += 1;
    }
    assert_eq!(rows, 36);
}

#[test]
fn one_thread_or_three_write_the_same_bytes() {
    let swept = Swept::new(GRID);
    swept.run("one", |o| o.jobs = 1);
    swept.run("three", |o| o.jobs = 3);
    same(&swept.out("one"), &swept.out("three"));
}

#[test]
fn parts_that_are_merged_are_the_whole() {
    let swept = Swept::new(GRID);
    swept.run("whole", |_| {});
    for index in [3, 1, 4, 2] {
        let finished = swept.run("parts", |o| o.shard = Shard { index, count: 4 });
        assert_eq!(finished.ran.done, 9);
        assert!(finished.runs.is_none());
    }
    let merged = merge(&[swept.out("parts")], &swept.out("parts"), false).expect("all is there");
    assert!(merged.written && merged.runs.double == 0 && merged.runs.missing.is_empty());
    same(&swept.out("whole"), &swept.out("parts"));
    // The same from single parts, in any order, into a place of its own.
    let part = |i: usize| swept.out("parts").join(format!("parts/{i}-of-4"));
    merge(&[part(4), part(2), part(1), part(3)], &swept.out("elsewhere"), false).expect("all is there");
    same(&swept.out("whole"), &swept.out("elsewhere"));
}

#[test]
fn a_merge_says_what_is_missing_or_double() {
    let swept = Swept::new(GRID);
    for index in [1, 2, 4] {
        swept.run("parts", |o| o.shard = Shard { index, count: 4 });
    }
    let place = [swept.out("parts")];
    let merged = merge(&place, &swept.out("parts"), false).expect("an answer");
    assert_eq!((merged.written, merged.runs.missing_runs, merged.runs.len()), (false, 9, 27));
    assert!(merged.runs.missing[0].starts_with("point 0: 1 of its replications"), "{:?}", merged.runs.missing);
    assert!(!swept.out("parts").join("runs.csv").exists());
    assert!(merge(&place, &swept.out("parts"), true).expect("what is there").written);
    assert_eq!(swept.table("parts", "runs.csv").rows.len(), 27);

    // A part under another name is double and harmless; with another figure it is an error.
    let (two, copy) = (swept.out("parts").join("parts/2-of-4"), swept.out("parts").join("parts/copy"));
    fs::create_dir(&copy).expect("writable");
    for file in ["plan.json", "journal.jsonl"] {
        fs::copy(two.join(file), copy.join(file)).expect("readable");
    }
    assert_eq!(merge(&place, &swept.out("parts"), true).expect("harmless").runs.double, 9);
    let text = fs::read_to_string(copy.join("journal.jsonl")).expect("readable");
    let changed = text.replacen("\"seed\":8", "\"seed\":800", 1);
    assert_ne!(text, changed);
    fs::write(copy.join("journal.jsonl"), changed).expect("writable");
    let Err(error) = merge(&place, &swept.out("parts"), true) else { panic!("two runs with one number differ") };
    assert!(error.to_string().contains("twice with different figures"), "{error}");

    // Parts of an earlier plan do not count where the newest one is; named one by one, they do not belong together.
    fs::remove_dir_all(&copy).expect("writable");
    swept.write(&GRID.replace("1000]", "2000]"));
    swept.run("parts", |o| o.shard = Shard { index: 3, count: 4 });
    let newest = merge(&place, &swept.out("parts"), true).expect("what is there").runs;
    assert_eq!((newest.len(), newest.left_out), (9, 27));
    let parts = [1, 3].map(|i| swept.out("parts").join(format!("parts/{i}-of-4")));
    let Err(error) = merge(&parts, &swept.out("elsewhere"), true) else { panic!("the axes differ") };
    assert!(error.to_string().contains("they differ in") && error.to_string().contains("axes"), "{error}");
}

#[test]
fn killed_at_twenty_instants_and_resumed_a_sweep_is_as_if_nothing_had_happened() {
    let swept = Swept::new(GRID);
    swept.run("whole", |_| {});
    let out = swept.out("killed");
    let journal = out.join("parts/1-of-1/journal.jsonl");
    let lines = || fs::read_to_string(&journal).map_or(0, |text| text.lines().count());
    let start = |resume: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
        command.arg("sweep").arg(swept.file()).arg("--out").arg(&out).args(["--jobs", "2", "--quiet"]);
        if resume {
            command.arg("--resume");
        }
        command.spawn().expect("the program starts")
    };
    let mut state = slackwater::types::Seed(3).stream("kill", 0);
    let (mut killed, mut most) = (0, 0);
    for attempt in 0.. {
        let mut child = start(attempt > 0);
        // From before the first run to some runs later; the whole takes longer.
        std::thread::sleep(Duration::from_micros(state.below(60_000)));
        // It may just have ended by itself.
        let _ = child.kill();
        let ended = child.wait().expect("it was started").success();
        let now = lines();
        assert!(now >= most, "attempt {attempt} lost runs: {most} lines, then {now}");
        most = now;
        if ended && killed >= 20 {
            break;
        }
        killed += usize::from(!ended);
        if ended {
            same(&swept.out("whole"), &out);
            // Done before the twentieth kill: once more from the beginning.
            fs::remove_dir_all(&out).expect("writable");
            most = 0;
            continue;
        }
        assert!(attempt < 2000, "the sweep never ends");
        if killed >= 20 {
            assert!(start(true).wait().expect("it was started").success());
            break;
        }
    }
    assert!(killed >= 20);
    same(&swept.out("whole"), &out);
}

#[test]
fn what_is_done_is_not_run_again() {
    let swept = Swept::new(GRID);
    swept.run("grid", |_| {});
    let again = swept.run("grid", |o| o.earlier = Earlier::Resume);
    assert_eq!((again.ran.done, again.ran.reused), (36, 36));
    let refused = swept.try_run("grid", |_| {}).err().expect("there are runs").to_string();
    assert!(refused.contains("36 runs") && refused.contains("--resume"), "{refused}");

    // More replications and other figures: what is there stays.
    swept.write(
        &GRID
            .replace("replications = 3", "replications = 4")
            .replace("\"sci\", \"latency_s.mean\"]\nbaseline", "\"energy\"]\nbaseline"),
    );
    let more = swept.run("grid", |o| o.earlier = Earlier::Resume);
    assert_eq!((more.ran.done, more.ran.reused), (48, 36));
    swept.run("new", |_| {});
    same(&swept.out("new"), &swept.out("grid"));

    // A value in the middle of an axis numbers all points anew: runs are known by what they are.
    swept.write(&GRID.replace("[0, 10, 100, 1000]", "[0, 10, 50, 100, 1000]"));
    let wider = swept.run("grid", |o| o.earlier = Earlier::Resume);
    assert_eq!((wider.ran.done, wider.ran.reused), (45, 36));
    swept.run("wider", |_| {});
    same(&swept.out("wider"), &swept.out("grid"));

    // Fewer again: those that are too many are left out.
    swept.write(&GRID.replace("replications = 3", "replications = 2"));
    swept.run("grid", |o| o.earlier = Earlier::Resume);
    assert_eq!(swept.table("grid", "runs.csv").rows.len(), 24);

    let anew = swept.run("grid", |o| o.earlier = Earlier::Overwrite);
    assert_eq!((anew.ran.done, anew.ran.reused), (24, 0));
}

/// The scenario with calls and intensities from files.
fn with_files() -> String {
    let scenario = SCENARIO.replace(
        "[workload.poisson]\ncalls = 150\nrate_per_s = 0.5\nfunctions = 5\nservice.lognormal = { median_s = 0.4, sigma = 0.8 }\nmemory_mb = 128.0\ncpu_cores = 1.0",
        "[workload.calls]\npath = \"calls.csv\"",
    );
    let grid = "grid.csv = { path = \"grid.csv\", zone = \"X\", kind = \"average\", factor_basis = \"direct\", source = \"s\", licence = \"l\", dataset_version = \"1\", past_end = \"repeat\" }";
    scenario.replace("grid.constant = { g_per_kwh = 200.0, label = \"assumed\" }", grid)
}

fn calls(last: &str) -> String {
    format!("arrival_time_s,function_id,duration_s,memory_mb\n1.0,a,0.5,128\n2.0,a,{last},128\n")
}

fn intensities(value: u32) -> String {
    let rows: String = (0..96).map(|h| format!("2022-06-{:02}T{:02}:00:00Z,{value}\n", 6 + h / 24, h % 24)).collect();
    format!("time_utc,g_per_kwh\n{rows}")
}

#[test]
fn a_run_whose_input_file_has_changed_is_run_again() {
    let lab = Lab::new(&with_files())
        .file("sweep.toml", GRID)
        .file("calls.csv", &calls("0.5"))
        .file("grid.csv", &intensities(100));
    let swept = Swept { lab };
    let resume = || swept.run("grid", |o| o.earlier = Earlier::Resume).ran.reused;
    swept.run("grid", |_| {});
    assert_eq!(resume(), 36);
    for (n, (file, text)) in [("calls.csv", calls("5.0")), ("grid.csv", intensities(300))].into_iter().enumerate() {
        fs::write(swept.lab.folder().join(file), text).expect("writable");
        assert_eq!(resume(), 0, "{file} has changed");
        let fresh = format!("new-{n}");
        swept.run(&fresh, |_| {});
        same(&swept.out(&fresh), &swept.out("grid"));
        assert_eq!(resume(), 36, "{file} has not changed since");
    }
}

#[test]
fn the_same_scenario_in_another_folder_is_another_run() {
    let swept = |last: &str| Swept {
        lab: Lab::new(&with_files())
            .file("sweep.toml", GRID)
            .file("calls.csv", &calls(last))
            .file("grid.csv", &intensities(100)),
    };
    let (one, other) = (swept("0.5"), swept("9.0"));
    one.run("grid", |_| {});
    let finished = other.run("grid", |o| (o.out, o.earlier) = (one.out("grid"), Earlier::Resume));
    assert_eq!(finished.ran.reused, 0);
    other.run("new", |_| {});
    same(&other.out("new"), &one.out("grid"));
}

#[test]
fn folders_of_runs_follow_their_numbers() {
    let keep = GRID.replace("replications = 3", "replications = 1\nkeep = \"summary\"");
    let swept = Swept::new(&keep);
    swept.run("kept", |_| {});
    swept.write(&keep.replace("[0, 10, 100, 1000]", "[0, 5, 10]"));
    swept.run("kept", |o| o.earlier = Earlier::Resume);
    let runs = swept.table("kept", "runs.csv");
    assert_eq!(runs.rows.len(), 9);
    for (point, keep_alive) in runs.column("keep_alive").iter().enumerate() {
        let manifest =
            fs::read_to_string(swept.out("kept").join(format!("runs/{point}/0/manifest.json"))).expect("there");
        let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
        let said = manifest["scenario"]["scheduler"]["keep_alive"]["fixed"]["keep_alive_s"].as_f64();
        assert_eq!(said, Some(*keep_alive), "point {point}");
    }
    assert!(!swept.out("kept").join("runs/9").exists(), "there are nine points");
}

#[test]
fn a_failed_run_is_a_row_with_its_error() {
    // Two hosts' worth of cores for one call: nothing fits.
    let sweep = "scenario = \"scenario.toml\"\nreplications = 2\n[[axes]]\nname = \"cores\"\nkey = \"workload.poisson.cpu_cores\"\nlist = [1.0, -1.0]\n";
    let swept = Swept::new(sweep);
    let finished = swept.run("rows", |_| {});
    assert_eq!((finished.ran.done, finished.ran.failed), (4, 2));
    let runs = swept.table("rows", "runs.csv");
    let errors = runs.text("error");
    assert!(errors[0].is_empty() && errors[2].contains("cpu_cores"), "{errors:?}");
    assert!(runs.text("sci.g_per_unit")[2].is_empty());
    assert_eq!(swept.table("rows", "points.csv").column("point").iter().filter(|p| **p == 1.0).count(), 0);
    assert_eq!(swept.run("rows", |o| o.earlier = Earlier::Resume).ran.reused, 4, "it would fail again");
    let retried = swept.run("rows", |o| {
        (o.earlier, o.retry_failed) = (Earlier::Resume, true);
    });
    assert_eq!((retried.ran.reused, retried.ran.failed), (2, 2));
}

#[test]
fn two_sweeps_cannot_work_in_one_folder() {
    let swept = Swept::new(GRID);
    let out = swept.out("shared");
    fs::create_dir_all(out.join("parts")).expect("writable");
    let held = fs::File::create(out.join("lock")).expect("writable");
    held.lock().expect("free");
    let output = Command::new(env!("CARGO_BIN_EXE_sim")).arg("sweep").arg(swept.file()).arg("--out").arg(&out).output();
    let output = output.expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("another sim works in") && said.contains("--out"), "{said}");
    drop(held);
    assert_eq!(swept.run("shared", |_| {}).ran.done, 36);
    // Nor can a part be thrown away while it runs; tables of what is there can be made meanwhile.
    let shard = |o: &mut Options| (o.shard, o.earlier) = (Shard { index: 1, count: 2 }, Earlier::Overwrite);
    swept.run("halves", shard);
    let halves = swept.out("halves");
    let journal = fs::read(halves.join("parts/1-of-2/journal.jsonl")).expect("there");
    let (held, whole) = (fs::File::open(halves.join("parts/1-of-2/lock")), fs::File::open(halves.join("lock")));
    held.as_ref().expect("there").lock().expect("free");
    whole.as_ref().expect("there").lock_shared().expect("free");
    assert!(matches!(swept.try_run("halves", shard), Err(SweepError::Busy { .. })));
    assert_eq!(fs::read(halves.join("parts/1-of-2/journal.jsonl")).expect("there"), journal);
    assert!(merge(std::slice::from_ref(&halves), &halves, true).expect("what is there").written);
    drop((held, whole));
    // A folder that holds something else is left alone.
    fs::create_dir_all(swept.out("thesis")).expect("writable");
    fs::write(swept.out("thesis").join("chapter.tex"), "x").expect("writable");
    fs::write(swept.out("file"), "x").expect("writable");
    assert!(matches!(swept.try_run("file", |_| {}), Err(SweepError::Taken { .. })));
    assert!(matches!(swept.try_run("thesis", |o| o.earlier = Earlier::Overwrite), Err(SweepError::Taken { .. })));
}

#[test]
fn a_point_runs_until_its_interval_is_narrow_enough_whoever_is_faster() {
    let rule = GRID.replace(
        "replications = 3",
        "replications = 4\nuntil = [\"half_width(latency_s.mean) < 8 %\"]\nmost_replications = 25",
    );
    let swept = Swept::new(&rule);
    swept.run("one", |o| o.jobs = 1);
    swept.run("three", |o| o.jobs = 3);
    same(&swept.out("one"), &swept.out("three"));
    let points = swept.table("one", "points.csv");
    let (metric, runs) = (points.text("metric"), points.column("runs"));
    let [mean, low, high] = ["mean", "t_low", "t_high"].map(|c| points.column(c));
    let mut counts = Vec::new();
    for i in (0..metric.len()).filter(|&i| metric[i] == "latency_s.mean") {
        let narrow = (high[i] - low[i]) / 2.0 < 0.08 * mean[i];
        assert!(narrow || runs[i] == 25.0, "point {i}: {} runs", runs[i]);
        assert!(runs[i] >= 4.0);
        counts.push(runs[i]);
    }
    assert!(counts.iter().any(|n| *n != counts[0]), "all points have {counts:?}");
    // Parts of such a sweep are whole points.
    for index in 1..=3 {
        swept.run("parts", |o| o.shard = Shard { index, count: 3 });
    }
    merge(&[swept.out("parts")], &swept.out("parts"), false).expect("all is there");
    same(&swept.out("one"), &swept.out("parts"));
}

#[test]
fn the_problems_of_a_sweep_file_stand_at_their_lines() {
    let axis = "[[axes]]\nname = \"x\"\nkey = \"scheduler.keep_alive.fixed.keep_alive_s\"\n";
    let start = "scenario = \"scenario.toml\"\n";
    let of = |text: &str| Swept::wrong(&format!("{start}{text}"));
    let unknown = of(&format!("replicatons = 3\n{axis}list = [1]\n"));
    assert!(unknown.contains("sweep.toml:2") && unknown.contains("replications"), "{unknown}");
    let none = of(axis);
    assert!(none.contains("the axis has no values") && none.contains("sweep.toml:2"), "{none}");
    let both = of(&format!("{axis}list = [1]\nlinear = {{ from = 1, to = 2, count = 2 }}\n"));
    assert!(both.contains("list and linear"), "{both}");
    let sample = of(&format!("{axis}uniform = {{ from = 1, to = 2 }}\n"));
    assert!(sample.contains("add [sample]"), "{sample}");
    let ends = of(&format!("{axis}linear = {{ from = 1, to = 1, count = 2 }}\n"));
    assert!(ends.contains("no width"), "{ends}");
    let key = of("[[axes]]\nname = \"x\"\nkey = \"scheduler.keepalive\"\nlist = [1, 2]\n");
    assert!(key.contains("keepalive") && key.contains("keep_alive"), "{key}");
    let seed = of("[[axes]]\nname = \"x\"\nkey = \"seed\"\nlist = [1, 2]\n");
    assert!(seed.contains("replications"), "{seed}");
    let zip = of(&format!(
        "{axis}zip = \"a\"\nlist = [1, 2]\n[[axes]]\nname = \"y\"\nkey = \"regions[0].pue\"\nzip = \"a\"\nlist = [1, 2, 3]\n"
    ));
    assert!(zip.contains("cannot advance together"), "{zip}");
    let metric = of(&format!("metrics = [\"sic\"]\n{axis}list = [1]\n"));
    assert!(metric.contains("sweep.toml:2") && metric.contains("sic"), "{metric}");
    let baseline = of(&format!("baseline = {{ x = \"3\" }}\n{axis}list = [1, 2]\n"));
    assert!(baseline.contains("is no value of x") && baseline.contains("1, 2"), "{baseline}");
    let until = of(&format!("until = [\"half_width(sci) > 1 %\"]\n{axis}list = [1]\n"));
    assert!(until.contains("never end"), "{until}");
    let absent = Swept::wrong(&format!("scenario = \"none.toml\"\n{axis}list = [1]\n"));
    assert!(absent.contains("none.toml"), "{absent}");
}

#[test]
fn every_sweep_of_the_repository_is_right_and_the_reference_has_every_key() {
    let folder = repository("scenarios/sweeps");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).expect("there").map(|e| e.expect("readable").path()).collect();
    files.sort();
    assert!(files.len() >= 4);
    for file in &files {
        let plan = Plan::read(file, &[]).unwrap_or_else(|e| panic!("{e}"));
        assert!(plan.described.points > 1, "{}", file.display());
    }
    let text = fs::read_to_string(folder.join("reference.toml")).expect("there");
    let schema = serde_json::to_value(schemars::schema_for!(slackwater::sweep::SweepSpec)).expect("JSON");
    let of = |part: &serde_json::Value| -> Vec<String> {
        part["properties"].as_object().map_or(Vec::new(), |p| p.keys().cloned().collect())
    };
    let keys = of(&schema).into_iter().chain(schema["$defs"].as_object().expect("parts").values().flat_map(of));
    for key in keys {
        let there = text.lines().any(|l| l.contains(&format!("{key} =")) || l.contains(&format!("[{key}]")));
        assert!(there, "scenarios/sweeps/reference.toml lacks {key}");
    }
}
