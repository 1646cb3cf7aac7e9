//! The contract of instances: whatever rules, predictors, migration and packing there are, instances, joules and grams are kept,
//! nothing stays reserved, and the same scenario gives the same bytes.

use std::collections::BTreeMap;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use crate::contract::names;
use crate::lab::{Lab, Run, close, run_file};

/// 360 and 720 g/kWh: grams per joule.
const G_PER_J: [f64; 2] = [1e-4, 2e-4];

/// Two regions, each with hosts of two sizes, crowded by instances of both classes that come, change, and go within minutes.
fn world() -> Lab {
    Lab::new(
        r#"
[time]
duration_s = 4000.0
[output]
instances = true
ledger_step_s = 65.0
step_s = 130.0
account_step_s = 130.0
[model.memory]
exhaustion = "evict"
[model.instances]
restart_delay_s = 7.0
sample_s = 10.0
[servers.small]
cores = 4
memory_mb = 4000
power.linear = { idle_w = 100.0, max_w = 160.0 }
embodied_kg = 900
lifetime_years = 5
[servers.large]
cores = 8
memory_mb = 7000
power.table.power_w = [120.0, 180.0, 210.0, 220.0]
embodied_kg = 1500
lifetime_years = 4
[[regions]]
name = "here"
pue = 1.2
grid.constant.g_per_kwh = 360.0
hosts = [{ server = "small", count = 2 }, { server = "large", count = 1 }]
[[regions]]
name = "there"
pue = 1.2
grid.constant.g_per_kwh = 720.0
hosts = [{ server = "small", count = 2 }, { server = "large", count = 1 }]
[instances.made.synthetic]
count = 12
arrivals = { rate_per_h = 700.0 }
duration_s = 500.0
sizes.list.sizes = [{ cores = 1.0, memory_mb = 1000.0, weight = 4.0 }, { cores = 3.0, memory_mb = 1500.0 }, { cores = 6.0, memory_mb = 3000.0, weight = 0.4 }]
lifetime.lognormal = { median_s = 60.0, sigma = 0.8 }
usage.iid = { mean_cores = 1.2, distribution.exponential = {} }
step_s = 13.0
memory_share = 0.8
tenants = 5
batch_share = 0.4
deployment_size = 3
"#,
    )
}

const CALLS: &str = r#"workload.poisson={ rate_per_s = 2.0, calls = 900, functions = 6, memory_mb = 200.0, cpu_cores = 0.7, service.lognormal = { median_s = 1.0, sigma = 0.8 } }"#;

const OVERCOMMIT: [(&str, &str); 12] = [
    ("none", "{}"),
    ("static-ratio", "{ memory_ratio = 2.0, cpu_ratio = 1.5 }"),
    ("borg-default", "{ sample_s = 10.0, memory_ratio = 2.0 }"),
    ("resource-central", "{ sample_s = 10.0, memory_ratio = 2.0 }"),
    ("n-sigma", "{ sample_s = 10.0, memory_ratio = 2.0 }"),
    ("machine-percentile", "{ sample_s = 10.0, memory_ratio = 2.0 }"),
    (
        "max",
        "{ sample_s = 10.0, memory_ratio = 2.0, of = [{ n-sigma = { sample_s = 10.0 } }, { resource-central = { sample_s = 10.0 } }] }",
    ),
    (
        "mean",
        "{ sample_s = 10.0, memory_ratio = 2.0, of = [{ n-sigma = { sample_s = 10.0 } }, { usage-max = { sample_s = 10.0 } }] }",
    ),
    ("autopilot", "{ sample_s = 10.0, memory_ratio = 2.0 }"),
    ("usage-max", "{ sample_s = 10.0, memory_ratio = 2.0 }"),
    ("average", "{ sample_s = 10.0, memory_ratio = 2.0 }"),
    ("peak-oracle", "{ sample_s = 10.0, memory_ratio = 2.0, horizon_s = 60.0 }"),
];
const MIGRATION: [(&str, &str); 5] = [
    ("none", "{}"),
    ("consolidate", "{ period_s = 15.0, low = 0.6, high = 0.9 }"),
    ("relieve-overload", "{ period_s = 15.0, high = 0.7 }"),
    ("defragment", "{ period_s = 15.0 }"),
    (
        "several",
        "{ of = [{ defragment = { period_s = 15.0 } }, { relieve-overload = { period_s = 15.0, high = 0.7 } }] }",
    ),
];
const PACKING: [(&str, &str); 16] = [
    ("warm-first", "{}"),
    ("first-fit", "{}"),
    ("next-fit", "{}"),
    ("best-fit", "{}"),
    ("worst-fit", "{}"),
    ("round-robin", "{}"),
    ("random", "{}"),
    ("power-of-two-choices", "{}"),
    ("locality-groups", "{}"),
    ("least-loaded", "{}"),
    ("dot-product", "{}"),
    ("l2-norm", "{}"),
    ("cosine", "{}"),
    ("tetris", "{}"),
    ("rules", "{}"),
    ("lowest-carbon", "{}"),
];
const EXHAUSTION: [&str; 4] = ["count", "swap", "kill", "evict"];

/// One combination: two names, and the rest in turn.
fn settings(turn: usize, overcommit: (&str, &str), migration: (&str, &str), packing: (&str, &str)) -> Vec<String> {
    let bit = |n: usize| (turn >> n) & 1;
    let migration_cost = ["{ bandwidth_mb_per_s = 40.0, dirty_mb_per_s = 30.0, cores = 0.5 }", "{}"][(turn / 3) % 2];
    let mut set = vec![
        format!("scheduler.overcommit.{}={}", overcommit.0, overcommit.1),
        format!("scheduler.migration.{}={}", migration.0, migration.1),
        format!("scheduler.packing.{}={}", packing.0, packing.1),
        format!("model.memory.exhaustion={}", EXHAUSTION[(turn / 2) % 4]),
        format!(
            "model.instances={{ restart_delay_s = 7.0, sample_s = 10.0, contention = \"{}\", order = \"{}\", backfill = {}, start_s = {}, evicted = \"{}\", memory_overhead_mb = {}, migration = {migration_cost} }}",
            ["lose", "stretch"][bit(0)],
            ["fifo", "priority"][(turn / 5) % 2],
            [0, 3][(turn / 7) % 2],
            ["0.0", "2.0"][(turn / 3 + turn) % 2],
            ["restart", "resume"][(turn / 4) % 2],
            ["0.0", "40.0"][(turn / 6) % 2],
        ),
    ];
    if turn % 3 == 1 {
        set.push("scheduler.provisioning.threshold={ hold_s = 40.0, evict_idle = true }".into());
    }
    if !turn.is_multiple_of(3) {
        set.push(CALLS.into());
        if turn % 4 == 1 {
            set.push("isolation={ microvm = { start_energy = \"measured\", start_energy_j = 9.0 } }".into());
        }
    }
    if turn % 11 == 6 {
        set.push("time.duration_s=333.0".into());
    }
    set
}

/// Sums the columns of accounts.parquet by name.
fn periods(run: &Run) -> BTreeMap<String, f64> {
    let file = std::fs::File::open(run.folder().join("accounts.parquet")).expect("account_step_s is set");
    let reader = SerializedFileReader::new(file).expect("a Parquet file");
    let mut sums = BTreeMap::new();
    for row in reader.get_row_iter(None).expect("rows") {
        for (name, field) in row.expect("a row").get_column_iter() {
            if let Field::Double(x) = field {
                assert!(x.is_finite(), "{name} is {x}");
                assert!(*x >= -1e-6, "{name} is {x}");
                *sums.entry(name.clone()).or_default() += x;
            }
        }
    }
    sums
}

/// What must not get lost.
#[track_caller]
fn all_is_kept(what: &str, run: &Run, set: &[String]) {
    let n = |key: &str| run.number(key);
    let has = |part: &str| set.iter().any(|s| s.contains(part));
    let ends = ["finished", "killed", "running", "waiting"];
    let ended: f64 = ends.iter().map(|e| n(&format!("instances.{e}"))).sum();
    assert_eq!(n("instances.asked"), ended, "{what}");
    let told = run.table("instances.csv");
    let states = told.text("ending");
    for end in ends {
        let rows = states.iter().filter(|s| *s == end).count() as f64;
        assert_eq!(rows, n(&format!("instances.{end}")), "{what}: {end}");
    }
    for (column, key) in [("wanted_core_s", "instances.wanted_core_s"), ("got_core_s", "instances.used_core_s")] {
        close(&format!("{what}: {column}"), told.sum(column), n(key), 1e-9);
    }
    for (column, key) in [("evictions", "instances.evicted"), ("migrations", "migrations.done")] {
        if let Some(total) = run.report.number(key) {
            assert_eq!(told.sum(column), total, "{what}: {column}");
        }
    }
    let (wanted, used) = (told.column("wanted_core_s"), told.column("got_core_s"));
    let evictions = told.column("evictions");
    for i in 0..wanted.len() {
        let (w, u) = (wanted[i], used[i]);
        assert!(u >= 0.0 && u <= w * (1.0 + 1e-9) + 1e-9, "{what}: instance {i} got {u} of {w}");
    }
    assert!(evictions.iter().sum::<f64>() == 0.0 || has("memory"), "{what}");

    let total = n("energy_j.total");
    let same = |part: &str, ours: f64, wanted: f64, whole: f64| {
        assert!((ours - wanted).abs() <= 1e-9 * whole, "{what}: {part}: {ours} is not {wanted} (of {whole})");
    };
    let causes = ["execution", "cold_start", "warm_idle", "idle_host", "boot", "off"];
    let it: f64 = causes.iter().map(|c| n(&format!("energy_j.{c}"))).sum();
    same("sum of causes", it + n("energy_j.pue_overhead"), total, total);
    let functions = run.table("functions.csv");
    for cause in &causes[..3] {
        same(cause, functions.sum(&format!("{cause}_j")), n(&format!("energy_j.{cause}")), total);
    }
    same("functions", functions.sum("energy_j"), total, total);
    same("hosts", run.table("hosts.csv").sum("energy_j"), total, total);
    let regions = run.table("regions.csv");
    same("regions", regions.sum("energy_j"), total, total);
    let grams: f64 = regions.column("energy_j").iter().zip(G_PER_J).map(|(j, g)| j * g).sum();
    same("operational", n("carbon_g.operational"), grams, grams);
    same("O of functions", functions.sum("operational_g"), grams, grams);
    same("M of functions", functions.sum("embodied_g"), n("carbon_g.embodied"), n("carbon_g.embodied"));
    for (name, bytes) in run.files() {
        if name.ends_with(".csv") || name.ends_with(".json") {
            let text = String::from_utf8(bytes).expect("text");
            assert!(!text.contains("NaN") && !text.contains("nan,") && !text.contains("inf,"), "{what}: {name}");
        }
    }
    let sums = periods(run);
    assert!(sums.len() > 3, "{what}: accounts.parquet has {sums:?}");
}

#[derive(Default)]
struct Seen(BTreeMap<&'static str, f64>);

impl Seen {
    fn note(&mut self, run: &Run) {
        for key in [
            "instances.waited",
            "instances.evicted",
            "instances.killed",
            "instances.running",
            "instances.lost_core_s",
            "migrations.done",
            "migrations.broken_off",
            "energy_j.off",
        ] {
            *self.0.entry(key).or_default() += run.report.number(key).unwrap_or(0.0);
        }
    }

    #[track_caller]
    fn has_everything(&self) {
        let missing: Vec<_> = self.0.iter().filter(|(_, n)| **n == 0.0).collect();
        assert!(missing.is_empty(), "no run gets to {missing:?}");
    }
}

#[track_caller]
fn keeps_the_contract(lab: &Lab, set: &[String], seen: &mut Seen) {
    let words: Vec<&str> = set.iter().map(String::as_str).collect();
    let what = format!("{words:#?}");
    let run = lab.run(&words);
    assert!(run.number("instances.asked") > 50.0, "{what}: too little to do");
    all_is_kept(&what, &run, set);
    if !words.iter().any(|w| w.starts_with("time.duration")) {
        assert_eq!(run.number("instances.waiting") + run.number("instances.running"), 0.0, "{what}: some never end");
    }
    seen.note(&run);
    assert!(run.files() == run_file(&lab.scenario(), &words, 2).files(), "{what} is not the same with two threads");
}

#[test]
fn every_predictor_keeps_the_contract_with_every_migration() {
    let lab = world();
    let mut seen = Seen::default();
    let mut turn = 0;
    for overcommit in OVERCOMMIT {
        for migration in MIGRATION {
            turn += 1;
            keeps_the_contract(&lab, &settings(turn, overcommit, migration, PACKING[turn % 15]), &mut seen);
        }
    }
    seen.has_everything();
}

#[test]
fn every_packing_keeps_the_contract_with_every_rule() {
    let lab = world();
    let mut seen = Seen::default();
    for turn in 0..60 {
        let (overcommit, migration) = (OVERCOMMIT[[1, 4, 0, 11][turn % 4]], MIGRATION[(turn / 4 + turn) % 5]);
        keeps_the_contract(&lab, &settings(turn, overcommit, migration, PACKING[turn % 15]), &mut seen);
    }
    seen.has_everything();
}

#[test]
fn the_contract_of_instances_runs_every_name_of_the_schema() {
    let lists: [(&str, Vec<&str>); 4] = [
        ("OvercommitSpec", OVERCOMMIT.iter().map(|p| p.0).collect()),
        ("MigrationSpec", MIGRATION.iter().map(|p| p.0).collect()),
        ("PackingSpec", PACKING.iter().map(|p| p.0).collect()),
        ("Exhaustion", EXHAUSTION.to_vec()),
    ];
    for (of, mut ours) in lists {
        ours.sort_unstable();
        assert_eq!(ours, names(of), "{of}: add the name to the contract's list");
    }
}
