//! The contract of the sandboxes: every mechanism in every scope, every keep-alive and scaling policy, every rule for memory that
//! does not suffice keeps calls, joules and grams, and gives the same bytes twice. That no host ever promises more than it may is
//! asserted by the engine itself in these builds.

use std::collections::BTreeMap;

use slackwater::isolation::catalogue;

use crate::lab::{Lab, Run, close};

const HOSTS: f64 = 4.0;
const IDLE_W: f64 = 100.0;
const PUE: f64 = 1.2;
/// 360 g/kWh: grams per joule.
const G_PER_J: f64 = 1e-4;

/// Six bursty tenants in two trust domains with two functions of different size each, in two regions of two crowded hosts.
fn world() -> Lab {
    Lab::new(
        r#"
[time]
drain_limit_s = 800
[servers.box]
cores = 3
memory_mb = 1600
power.linear = { idle_w = 100.0, max_w = 160.0 }
embodied_kg = 900
lifetime_years = 5
[[regions]]
name = "here"
pue = 1.2
grid.constant.g_per_kwh = 360.0
hosts = [{ server = "box", count = 2 }]
[[regions]]
name = "there"
pue = 1.2
grid.constant.g_per_kwh = 360.0
hosts = [{ server = "box", count = 2 }]
[runtime]
connect_s = 0.02
dependencies_mb = 0.5
warmup_calls = 1
warmup_factor = 1.5
[scheduler.overcommit.static-ratio]
memory_ratio = 1.6
[workload.tenants]
tenants = 6
functions_per_tenant = 2
requests_per_hour = 800.0
duration_s = 200.0
service.lognormal = { median_s = 1.0, sigma = 0.8 }
memory_mb = 150.0
memory_sigma = 0.5
trust_domains = 2
shape.bursty = { on_share = 0.3, on_mean_s = 30.0 }
"#,
    )
}

const KEEP_ALIVE: [(&str, &str); 11] = [
    ("fixed", "{ keep_alive_s = 20.0 }"),
    ("none", "{}"),
    ("by-trigger", "{ http_s = 15.0 }"),
    ("hybrid-histogram", "{ range_s = 300.0, bin_s = 2.0 }"),
    ("hybrid-histogram-production", "{ lead_s = 2.0 }"),
    ("faascache-hist", "{ fallback_s = 40.0 }"),
    ("greedy-dual", "{ budget_mb = 500.0 }"),
    ("lru-budget", "{ budget_mb = 400.0 }"),
    ("break-even", "{ start_energy_j = 300.0 }"),
    ("carbon-aware", "{ max_keep_s = 60.0, step_s = 5.0 }"),
    ("oracle", "{ max_idle_s = 30.0, prewarm = true }"),
];
const SCALING: [(&str, &str); 5] = [
    ("on-demand", "{}"),
    ("provisioned", "{ sandboxes = 1 }"),
    ("peak", "{ headroom = 0.7 }"),
    ("autoscaled", "{ period_s = 5.0, stabilisation_s = 20.0 }"),
    ("pre-warmed", "{ idle = 1, period_s = 5.0 }"),
];
const SCOPES: [&str; 4] = ["request", "function", "tenant", "trust-domain"];
const EXHAUSTION: [&str; 4] = ["count", "swap", "kill", "evict"];
const EVICTION: [&str; 4] = ["lru", "greedy-dual", "largest", "none"];

/// One combination. What is not named is taken in turn by `turn`.
fn settings(turn: usize, mechanism: &str, scope: &str, keep: (&str, &str), scaling: (&str, &str)) -> Vec<String> {
    let exhaustion = EXHAUSTION[turn % 3];
    let several = scope != "request" && (turn / 2).is_multiple_of(2);
    let mut own = vec![format!("scope = \"{scope}\"")];
    if several {
        own.push("calls_per_sandbox = 3, call_memory_share = 0.5".into());
    } else {
        // What all but the shared runtime have by default.
        own.push("calls_per_sandbox = 1".into());
    }
    if (turn / 4).is_multiple_of(2) {
        own.push("pause_after_s = 2.0, resume_s = 0.05, paused_memory_share = 0.3".into());
        own.push("snapshot_after_s = 8.0, restore_s = 0.1, warm_memory_share = 0.7, busy_memory_share = 0.9".into());
    }
    if turn % 7 == 2 {
        own.push("start_energy = \"measured\", start_energy_j = 9.0".into());
    }
    if turn % 8 == 5 {
        own.push("creations_per_s_per_host = 0.4".into());
    }
    let mut set = vec![
        format!("isolation={{ {mechanism} = {{ {} }} }}", own.join(", ")),
        format!("scheduler.keep_alive.{}={}", keep.0, keep.1),
        format!("scheduler.scaling.{}={}", scaling.0, scaling.1),
        format!("model.sandbox.eviction={}", EVICTION[(turn / 3) % 4]),
        format!("model.memory={{ exhaustion = \"{exhaustion}\", reclaim = {} }}", turn % 5 != 1),
    ];
    if exhaustion != "swap" && turn % 4 == 3 {
        set.push(format!("model.cpu={}", ["isolated", "ignored"][(turn / 4) % 2]));
    }
    if !several && scope != "request" && turn.is_multiple_of(3) {
        set.push("model.sandbox.cold_wait=any-freed".into());
    }
    if turn % 6 == 4 {
        set.push("model.queue={ timeout_s = 3.0, backfill = true }".into());
    }
    set
}

/// What must not get lost. The energy of functions is compared with that of the hosts, cause by cause: the two are booked apart.
#[track_caller]
fn all_is_kept(what: &str, run: &Run) {
    let n = |key: &str| run.number(key);
    assert_eq!(n("calls.received"), n("calls.executed") + n("calls.rejected") + n("calls.unfinished"), "{what}");
    let functions = run.table("functions.csv");
    for key in ["received", "executed", "rejected", "cold"] {
        assert_eq!(functions.sum(key), n(&format!("calls.{key}")), "{what}: {key}");
    }
    let total = n("energy_j.total");
    let same = |part: &str, ours: f64, wanted: f64, whole: f64| {
        assert!((ours - wanted).abs() <= 1e-9 * whole, "{what}: {part}: {ours} is not {wanted} (of {whole})");
    };
    let causes = ["execution", "cold_start", "warm_idle", "idle_host", "boot", "off"];
    let it: f64 = causes.iter().map(|c| n(&format!("energy_j.{c}"))).sum();
    same("overhead", n("energy_j.pue_overhead"), it * (PUE - 1.0), total);
    same("sum of causes", it + n("energy_j.pue_overhead"), total, total);
    for cause in &causes[..3] {
        let of_hosts = n(&format!("energy_j.{cause}"));
        same(cause, functions.sum(&format!("{cause}_j")), of_hosts, total);
    }
    let nobodys = PUE * (n("energy_j.idle_host") + n("energy_j.boot") + n("energy_j.off"));
    same("unattributed", n("energy_j.unattributed"), nobodys, total);
    same("operational", n("carbon_g.operational"), total * G_PER_J, total * G_PER_J);
    same("unattributed O", n("carbon_g.unattributed_operational"), nobodys * G_PER_J, total * G_PER_J);
    let it_of = |f: usize| -> f64 { causes.iter().map(|c| functions.column(&format!("{c}_j"))[f]).sum() };
    let (joules, grams) = (functions.column("energy_j"), functions.column("operational_g"));
    for f in 0..functions.rows.len() - 1 {
        same("energy of a function", joules[f], it_of(f) * PUE, total);
        same("O of a function", grams[f], joules[f] * G_PER_J, total * G_PER_J);
    }
    // Embodied emissions follow memory as the baseline does.
    let (embodied, whole) = (n("carbon_g.embodied"), IDLE_W * HOSTS * n("run.simulated_s"));
    let idle_share = n("energy_j.idle_host") / whole;
    same("unattributed M", n("carbon_g.unattributed_embodied"), embodied * idle_share, embodied);
    same("M", functions.sum("embodied_g"), embodied, embodied);

    let gone = ["sandboxes.expired", "sandboxes.evicted", "sandboxes.over_budget"];
    let gone: f64 = gone.iter().chain(&["exhaustion.reclaimed", "exhaustion.killed"]).map(|k| n(k)).sum();
    assert!(gone <= n("sandboxes.started"), "{what}: {gone} sandboxes of {} went", n("sandboxes.started"));
    assert!(n("exhaustion.lost_j") <= n("energy_j.execution") * (1.0 + 1e-12), "{what}: more was lost than executed");
    let tiers = ["ready", "paused"].map(|t| run.number(&format!("memory.idle_{t}_mean_mb")));
    close(&format!("{what}: idle memory"), tiers.iter().sum(), n("memory.idle_mean_mb"), 1e-9);
}

/// Counts what happened in the runs, so that none of it is missing from all of them.
#[derive(Default)]
struct Seen(BTreeMap<&'static str, f64>);

impl Seen {
    fn note(&mut self, run: &Run) {
        for key in [
            "calls.waited",
            "calls.timed_out",
            "sandboxes.expired",
            "sandboxes.evicted",
            "sandboxes.over_budget",
            "sandboxes.resumed",
            "sandboxes.prewarmed",
            "sandboxes.prewarmed_in_vain",
            "sandboxes.creations_limited",
            "exhaustion.memory_events",
            "exhaustion.reclaimed",
            "exhaustion.killed",
            "exhaustion.retried",
            "exhaustion.lost_s",
        ] {
            *self.0.entry(key).or_default() += run.number(key);
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
    let set: Vec<&str> = set.iter().map(String::as_str).collect();
    let what = format!("{set:?}");
    let run = lab.run(&set);
    assert!(run.number("calls.received") > 150.0, "{what}: too little to do");
    all_is_kept(&what, &run);
    seen.note(&run);
    assert!(run.files() == lab.run(&set).files(), "{what} is not the same twice");
}

#[test]
fn every_mechanism_keeps_the_contract_in_every_scope() {
    let lab = world();
    let mut seen = Seen::default();
    let all = catalogue().iter().flat_map(|e| SCOPES.map(|scope| (e.name.as_str(), scope)));
    for (turn, (mechanism, scope)) in all.enumerate() {
        let (keep, scaling) = (KEEP_ALIVE[turn % 11], SCALING[turn % 5]);
        keeps_the_contract(&lab, &settings(turn, mechanism, scope, keep, scaling), &mut seen);
    }
    seen.has_everything();
}

#[test]
fn every_keep_alive_policy_keeps_the_contract_with_every_scaling_policy_in_every_scope() {
    let lab = world();
    let mut seen = Seen::default();
    let mut turn = 0;
    for scope in SCOPES {
        for keep in KEEP_ALIVE {
            for scaling in SCALING {
                turn += 1;
                keeps_the_contract(&lab, &settings(turn, "microvm", scope, keep, scaling), &mut seen);
            }
        }
    }
    seen.has_everything();
}

/// The names that an enumeration of the schema allows.
pub fn names(of: &str) -> Vec<String> {
    let schema = slackwater::scenario::schema();
    let spec = &schema["$defs"][of];
    let variants = spec["oneOf"].as_array().unwrap_or_else(|| panic!("{of} is an enumeration")).clone();
    let name = |v: &serde_json::Value| match v["const"].as_str() {
        Some(word) => word.to_owned(),
        None => v["required"][0].as_str().expect("a table of one name").to_owned(),
    };
    let mut names: Vec<String> = variants.iter().map(name).collect();
    names.sort();
    names
}

#[test]
fn the_contract_runs_every_name_of_the_schema() {
    let sorted = |list: Vec<&str>| {
        let mut list: Vec<String> = list.into_iter().map(str::to_owned).collect();
        list.sort();
        list
    };
    let lists = [
        ("KeepAliveSpec", KEEP_ALIVE.iter().map(|k| k.0).collect()),
        ("ScalingSpec", SCALING.iter().map(|s| s.0).collect()),
        ("Scope", SCOPES.to_vec()),
        ("Exhaustion", EXHAUSTION.to_vec()),
        ("Eviction", EVICTION.to_vec()),
        ("IsolationSpec", catalogue().iter().map(|e| e.name.as_str()).collect()),
    ];
    for (of, ours) in lists {
        assert_eq!(sorted(ours), names(of), "{of}: add the name to the contract's list");
    }
}
