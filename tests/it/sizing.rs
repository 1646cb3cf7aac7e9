//! `sim size`: what it finds is what theory and exhaustive search find, whatever the threads; what cannot be sized is said.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use slackwater::scenario::load;
use slackwater::size::{Monotone, Options, Rule, SizeError, Sizing, Values, Verdict, Want, size, table};
use tempfile::TempDir;

use crate::lab::{Lab, Table, close};

/// Hosts of one core, calls of one second that need one core each, starts that take no time: M/M/c with c hosts.
const STATION: &str = r#"
[model]
cpu = "isolated"
queue.scope = "region"
[isolation.container]
start_median_s = 0.0
start_sigma = 0.0
start_cpu_core_s = 0.0
memory_overhead_mb = 0.0
memory_per_host_mb = 0.0
cpu_factor = 1.0
[scheduler.keep_alive.fixed]
keep_alive_s = inf
[scheduler.packing.first-fit]
[servers.core]
cores = 1
memory_mb = 1e6
power.constant.power_w = 1.0
embodied_kg = 100.0
lifetime_years = 4.0
[[regions]]
name = "here"
grid.constant.g_per_kwh = 100.0
hosts = [{ server = "core", count = 3 }]
[workload.poisson]
rate_per_s = 4.0
calls = 20_000
service.exponential = { mean_s = 1.0 }
"#;

fn options(slo: &[&str], vary: &str) -> Options {
    Options {
        slo: slo.iter().map(|&s| s.to_owned()).collect(),
        vary: vary.to_owned(),
        values: Values { from: None, to: None, integer: false, resolution: 0.01, want: None },
        rule: Rule { replications: 5, most: 10, confidence: 0.95, every: false },
        checks: 2,
        each: false,
        out: None,
        threads: 2,
    }
}

struct Done {
    dir: TempDir,
    sizing: Sizing,
}

fn try_size(lab: &Lab, set: &[&str], options: Options) -> Result<Done, SizeError> {
    let set: Vec<String> = set.iter().map(|&s| s.to_owned()).collect();
    let loaded = load(&lab.scenario(), &set)?;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let options = Options { out: Some(dir.path().join("out")), ..options };
    let sizing = size(&loaded, &options, &|_| {})?;
    Ok(Done { dir, sizing })
}

#[track_caller]
fn sized(lab: &Lab, set: &[&str], options: Options) -> Done {
    try_size(lab, set, options).unwrap_or_else(|e| panic!("the sizing fails: {e}"))
}

#[track_caller]
fn fails(lab: &Lab, options: Options, words: &[&str]) {
    let Err(error) = try_size(lab, &[], options) else { panic!("the sizing runs") };
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "the message does not say \"{word}\":\n{message}");
    }
}

impl Done {
    fn answer(&self) -> Option<f64> {
        let variant = &self.sizing.variants[0];
        variant.answer.map(|i| variant.rows[i].value)
    }

    fn table(&self, name: &str) -> Table {
        Table::read(&self.dir.path().join("out").join(name))
    }

    /// Every file but the manifest.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.dir.path().join("out")).expect("readable").map(|e| e.expect("readable"));
        let named =
            entries.map(|e| (e.file_name().to_string_lossy().into_owned(), fs::read(e.path()).expect("readable")));
        named.filter(|(name, _)| name != "manifest.json").collect()
    }
}

/// Mean wait in M/M/c at service rate 1 \[s\].
fn erlang_c_wait(servers: u32, load: f64) -> f64 {
    let b = (1..=servers).fold(1.0, |b, k| load * b / (f64::from(k) + load * b));
    let c = f64::from(servers);
    b / (1.0 - load / c * (1.0 - b)) / (c - load)
}

#[test]
fn the_fewest_hosts_are_those_of_erlang_c() {
    // Waits at 4 Erlang: 0.554 s with 5 servers, 0.142 s with 6. The bound lies far from both.
    let (bound, load) = (0.3, 4.0);
    let least = (5..).find(|&c| erlang_c_wait(c, load) <= bound).expect("waits fall");
    assert_eq!(least, 6);
    let done = sized(&Lab::new(STATION), &[], options(&["mean_latency_s <= 1.3", "violation_rate <= 0"], "hosts"));
    let variant = &done.sizing.variants[0];
    assert_eq!((done.answer(), variant.monotone), (Some(6.0), Monotone::Yes), "{}", table(&done.sizing));
    assert_eq!(variant.before.map(|i| variant.rows[i].value), Some(5.0));
    let mut compared = 0;
    for row in variant.rows.iter().filter(|row| row.replications.len() >= 5 && row.value > load) {
        let (wanted, seen) = (1.0 + erlang_c_wait(row.value as u32, load), row.objectives[0]);
        let off = (seen.mean - wanted).abs() / seen.half_width;
        eprintln!("{} hosts: {:.4} ± {:.4} s for {wanted:.4} s", row.value, seen.mean, seen.half_width);
        // The half width is 2.78 standard errors.
        assert!(off < 1.5, "{} hosts: {} is not {wanted}: off by {off} half widths", row.value, seen.mean);
        compared += 1;
    }
    assert!(compared >= 3, "{compared} values with five replications");
    assert!(table(&done.sizing).starts_with("6 hosts hold all objectives (5 fail: latency_s.mean "));
}

const FIXED: [&str; 4] =
    ["time.end=fixed", "time.duration_s=1000", "time.drain_limit_s=100", "workload.poisson.rate_per_s=1"];

#[test]
fn embodied_carbon_counts_every_host_and_the_most_that_a_budget_allows_is_exact() {
    let lab = Lab::new(STATION);
    let one = 100_000.0 * 1100.0 / (4.0 * 365.0 * 86_400.0);
    let budget = format!("carbon_g.embodied <= {}", 7.5 * one);
    let mut asked = options(&[&budget], "hosts[here]");
    (asked.values.from, asked.values.to, asked.values.want) = (Some(2.0), Some(40.0), Some(Want::Most));
    let done = sized(&lab, &FIXED, asked);
    assert_eq!(done.answer(), Some(7.0), "{}", table(&done.sizing));
    let frontier = done.table("size.csv");
    let (hosts, embodied) = (frontier.column("hosts[here]"), frontier.column("slo.1.carbon_g.embodied"));
    assert_eq!(hosts, frontier.column("hosts.total"));
    for (n, m) in hosts.iter().zip(&embodied) {
        close("M", *m, n * one, 1e-9);
    }
    assert!(hosts.windows(2).all(|w| w[0] < w[1]), "in the order of the values: {hosts:?}");
    assert!(table(&done.sizing).contains("alike"), "no seed moves M:\n{}", table(&done.sizing));
}

#[test]
fn the_answer_is_that_of_an_exhaustive_search_of_single_runs() {
    let lab = Lab::new(STATION);
    let mut asked = options(&["service_latency_s.p99 <= 7"], "hosts");
    asked.rule = Rule { replications: 2, most: 2, every: true, ..asked.rule };
    let set = ["workload.poisson.calls=2000", "seed=11"];
    let done = sized(&lab, &set, asked);
    let holds = |n: u32| {
        [11, 12].iter().all(|seed| {
            let (count, seed) = (format!("regions[0].hosts[0].count={n}"), format!("seed={seed}"));
            lab.run(&[set[0], &seed, &count]).number("service_latency_s.p99") <= 7.0
        })
    };
    let answer = (1..20).find(|&n| holds(n)).expect("some number of hosts holds");
    assert_eq!(done.answer(), Some(f64::from(answer)));
    assert_eq!(done.table("replications.csv").text("seed")[0], "11");
}

#[test]
fn a_real_key_is_found_to_its_resolution() {
    let lab = Lab::new(STATION);
    let mut asked = options(&["mean_latency_s <= 1.3"], "workload.poisson.rate_per_s");
    (asked.values.from, asked.values.to, asked.values.want) = (Some(1.0), Some(10.0), Some(Want::Most));
    asked.values.resolution = 0.05;
    let set = ["regions[0].hosts[0].count=6"];
    let done = sized(&lab, &set, asked);
    let answer = done.answer().expect("a rate of 1 holds");
    // The rate at which six servers wait 0.3 s.
    let wanted = (400..600).map(|r| f64::from(r) / 100.0).find(|r| erlang_c_wait(6, *r) > 0.3).expect("waits rise");
    assert!((0.92 * wanted..1.02 * wanted).contains(&answer), "{answer} for {wanted}");
    let variant = &done.sizing.variants[0];
    let before = variant.rows[variant.before.expect("higher rates fail")].value;
    assert!(before > answer && before <= answer * 1.0501, "{before} is the neighbour of {answer}");
}

const COMPARE: &str = r#"
[compare]
[[compare.axes]]
name = "rate"
key = "workload.poisson.rate_per_s"
numbers = [2, 4, 8]
"#;

#[test]
fn any_number_of_threads_gives_the_same_bytes_and_each_variant_is_sized_as_alone() {
    let lab = Lab::new(&format!("{STATION}{COMPARE}"));
    let set = ["workload.poisson.calls=3000"];
    let asked = |threads, each| Options { threads, each, ..options(&["mean_latency_s <= 1.5"], "hosts") };
    for each in [false, true] {
        let (one, two) = (sized(&lab, &set, asked(1, each)).files(), sized(&lab, &set, asked(5, each)).files());
        assert_eq!(one.len(), if each { 6 } else { 5 }, "{:?}", one.keys());
        for (name, bytes) in &one {
            // What was asked stands in size.json, but not the threads.
            assert!(*bytes == two[name], "{name} differs");
        }
    }
    let all = sized(&lab, &set, asked(3, true));
    let variants = all.table("variants.csv");
    assert_eq!(variants.text("rate"), ["2", "4", "8"]);
    for (i, rate) in ["2", "4", "8"].iter().enumerate() {
        let alone = sized(&lab, &[set[0], &format!("workload.poisson.rate_per_s={rate}")], asked(2, false));
        assert_eq!(alone.answer(), Some(variants.column("hosts")[i]), "rate {rate}");
    }
    assert!(variants.column("hosts").windows(2).all(|w| w[0] < w[1]), "{:?}", variants.column("hosts"));
}

#[test]
fn runs_that_fail_count_as_failing_with_their_message() {
    // A host of 1,000 MB has no room for calls of 2,000 MB.
    let lab = Lab::new(STATION);
    let set = ["workload.poisson.memory_mb=2000", "servers.core.memory_mb=1000", "workload.poisson.calls=100"];
    let done = sized(&lab, &set, options(&["mean_latency_s <= 1.5"], "hosts"));
    assert!(done.answer().is_none() && !done.sizing.holds());
    let variant = &done.sizing.variants[0];
    assert!(variant.rows.iter().all(|row| row.verdict.is_none_or(|v| v == Verdict::Fails)));
    let text = table(&done.sizing);
    assert!(text.contains("no value from 1 to 192 holds; tried 1, ") && text.contains("MB"), "{text}");
    assert!(done.table("size.csv").text("error").iter().all(|e| e.contains("MB")));
}

#[test]
fn what_cannot_be_sized_is_said() {
    let lab = Lab::new(STATION);
    let key = "scheduler.keep_alive.fixed.keep_alive_s";
    let some = "mean_latency_s <= 1.3";
    fails(
        &lab,
        options(&["latency_s.p98 <= 1"], "hosts"),
        &["no run has the figure", "did you mean \"latency_s.p95\"?"],
    );
    fails(&lab, options(&[some, "calls.cold < many"], "hosts"), &["\"many\"", "^^^^", "KEY OP NUMBER"]);
    fails(&lab, options(&[some], "hosts[there]"), &["no region is called \"there\"", "here"]);
    fails(&lab, options(&[some], key), &["needs --from"]);
    fails(&lab, options(&[some], "description"), &["takes a text"]);
    fails(&lab, options(&[some], "hosts[here"), &["needs --from"]);
    let mut asked = options(&[some], key);
    (asked.values.from, asked.values.to) = (Some(1.0), Some(10.0));
    fails(&lab, asked.clone(), &["needs --want"]);
    asked.values.want = Some(Want::Least);
    asked.vary = "scheduler.keep_alive.fixed.keep_alife_s".to_owned();
    fails(&lab, asked, &["keep_alife_s", "did you mean"]);
    let mut asked = options(&[some], "hosts");
    asked.values.from = Some(0.0);
    fails(&lab, asked, &["keeps at least one host"]);
    fails(&lab, Options { each: true, ..options(&[some], "hosts") }, &["compares nothing"]);
    let mut asked = options(&[some], "workload.poisson.rate_per_s");
    (asked.each, asked.values.from, asked.values.to) = (true, Some(1.0), Some(10.0));
    asked.values.want = Some(Want::Most);
    fails(&Lab::new(&format!("{STATION}{COMPARE}")), asked, &["an axis of [compare] (rate) sets it, too"]);
}

#[test]
fn the_program_sizes_and_says_with_its_exit_code_whether_anything_holds() {
    let lab = Lab::new(STATION);
    let sim = |arguments: &[&str]| {
        let few = ["--set", "workload.poisson.calls=2000", "--quiet"];
        let out = Command::new(env!("CARGO_BIN_EXE_sim"))
            .current_dir(lab.folder())
            .args(["size", "scenario.toml"])
            .args(arguments)
            .args(few)
            .output()
            .expect("sim runs");
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let result = |file: &str| fs::read(Path::new(lab.folder()).join("results/scenario-size").join(file)).ok();
    assert_eq!(sim(&["--slo", "mean_latency_s <= 1.3", "--vary", "hosts"]), (Some(0), String::new()));
    let first = result("size.csv").expect("written");
    let (code, message) = sim(&["--slo", "mean_latency_s <= fast", "--vary", "hosts"]);
    assert!(code == Some(2) && message.contains("\"fast\""), "{message}");
    assert_eq!(result("size.csv"), Some(first.clone()), "what was there is untouched");
    let (code, message) = sim(&["--slo", "mean_latency_s <= 0.5", "--max", "8"]);
    assert!(code == Some(3) && message.contains("no value that was tried holds"), "{code:?} {message}");
    assert_ne!(result("size.csv"), Some(first), "what was tried is written");
    let names = fs::read_dir(lab.folder().join("results")).expect("readable");
    assert_eq!(names.count(), 1, "nothing half-written stays");
    assert!(result("size.svg").is_some_and(|svg| svg.starts_with(b"<svg")));
}
