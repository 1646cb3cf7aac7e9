//! Shifting through the whole program: laws that hold for every policy of the catalogue.
//!
//! One region, one host with room for all, made-up hours of carbon intensity, 200 jobs over five days.

use crate::lab::{Lab, Run, close};

/// One region whose host has room for all jobs, with 10 W per busy core; hourly intensity in grid.csv.
pub const WORLD: &str = r#"
[time]
start = "2022-06-06T00:00:00Z"
drain_limit_s = 345600.0
end = "fixed"
[output]
ledger_step_s = 3600.0
step_s = 86400.0
jobs = true
[sci]
functional_unit = "instance"
[servers.box]
cores = 1000
memory_mb = 1000000
power.linear = { idle_w = 100.0, max_w = 10100.0 }
embodied_kg = 1000.0
lifetime_years = 4.0
[[regions]]
name = "here"
pue = 1.25
hosts = [{ server = "box", count = 1 }]
grid.csv = { path = "grid.csv", zone = "X", kind = "average", factor_basis = "made up", source = "me", licence = "none", dataset_version = "1" }
"#;

/// About 200 jobs of half an hour to eight hours in five days, which may wait twelve hours.
const JOBS: &str = r#"
[jobs.work]
slack.fixed.wait_s = 43200.0
[jobs.work.source.synthetic]
arrivals.rate_per_h = 1.7
duration_s = 432000.0
length.uniform = { low_s = 1800.0, high_s = 28800.0 }
cores = [{ cores = 1.0 }, { cores = 2.0 }]
"#;

const SUSPENDS: &str = "jobs.work.interruption={}";

/// Hourly values from so many hours before the run on, as a file of intensity.
pub fn hourly(before_h: i64, values: &[f64]) -> String {
    let row = |(h, value): (i64, &f64)| {
        let at = jiff::Timestamp::from_second(1_654_473_600 + (h - before_h) * 3600).expect("an instant");
        format!("{at},{value}\n")
    };
    let rows: String = (0..).zip(values).map(row).collect();
    format!("time_utc,g_per_kwh\n{rows}")
}

/// Hours from eight days before the run to fourteen days after its start: a day, and what is left to chance.
fn signal() -> String {
    let mut state = 7_u64;
    let mut chance = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1_u32 << 24)
    };
    let values: Vec<f64> =
        (0..22 * 24).map(|h| 150.0 + 20.0 * (f64::from(h % 24) - 13.0).abs() + 120.0 * chance()).collect();
    hourly(192, &values)
}

fn lab() -> Lab {
    Lab::new(&format!("{WORLD}{JOBS}")).file("grid.csv", &signal())
}

/// Keys that have no default.
const REQUIRED: &[(&str, &str)] = &[
    ("start-at", "hours_utc = [3, 14.5]"),
    ("carbon-threshold", "ceiling_g_per_kwh = 280"),
    ("reserved-first", "inner = { wait-awhile = {} }"),
    ("spot-first", "inner = { carbon-time = {} }"),
    ("spot-reserved", "inner = { ecovisor = {} }"),
];

/// Every policy of the catalogue but the baseline: its name, and how a scenario asks for it.
fn policies() -> Vec<(String, String)> {
    let schema = slackwater::scenario::schema();
    let variants = schema["$defs"]["ShiftingSpec"]["oneOf"].as_array().expect("a catalogue is one of several tables");
    let names = variants.iter().map(|v| v["properties"].as_object().and_then(|p| p.keys().next()).expect("a name"));
    let policy = |name: &String| {
        let keys = REQUIRED.iter().find(|(n, _)| n == name).map_or("", |(_, keys)| keys);
        (name.clone(), format!("scheduler.shifting={{ {name} = {{ {keys} }} }}"))
    };
    let all: Vec<_> = names.filter(|n| *n != "run-now").map(policy).collect();
    assert_eq!(all.len(), 18, "the catalogue has grown: tell what it needs here");
    all
}

/// Runs once with jobs that run through, and once with jobs that may be suspended.
#[track_caller]
fn both(lab: &Lab, set: &[&str]) -> [Run; 2] {
    [lab.run(set), lab.run(&[set, &[SUSPENDS]].concat())]
}

const WINDOW: &str = "scheduler.shifting={ lowest-window = { reserve_s = 0.0, min_slack_s = 0.0 } }";
const AWHILE: &str = "scheduler.shifting={ wait-awhile = {} }";

#[test]
fn without_slack_no_policy_moves_anything() {
    let lab = lab();
    for (name, policy) in policies() {
        for run in both(&lab, &[&policy, "jobs.work.slack={ none = {} }"]) {
            assert!(run.number("jobs.finished") > 150.0, "{name}");
            assert_eq!(run.number("shifting.saved_operational_g"), 0.0, "{name}");
            assert_eq!(run.number("shifting.delay_max_s"), 0.0, "{name}");
            assert_eq!(run.number("shifting.saved_energy_share"), 0.0, "{name}");
            assert_eq!(run.number("jobs.suspensions"), 0.0, "{name}");
        }
    }
}

#[test]
fn without_slack_an_elastic_job_is_still_scaled_and_compat_still_looks_one_step_ahead() {
    let lab = lab();
    let elastic = r#"jobs.work.scale={ measured = { throughput = [1.0, 2.0], power_w = [10.0, 20.0] } }"#;
    let none = "jobs.work.slack={ none = {} }";
    let scaler = "scheduler.shifting={ carbon-scaler = {} }";
    let run = lab.run(&[scaler, none, elastic, SUSPENDS]);
    assert!(run.number("shifting.saved_operational_share") > 0.01);
    assert_eq!(run.number("shifting.missed_deadline"), 0.0);
    assert!(run.number("jobs.most_nodes_mean") > 1.0);
    let compat = r#"scheduler.shifting={ wait-awhile = { compat = "lets-wait-awhile-2021" } }"#;
    let run = lab.run(&[compat, none, SUSPENDS]);
    assert!(run.number("shifting.saved_operational_g") > 0.0);
    let late = run.number("shifting.delay_max_s");
    assert!(late > 0.0 && late <= 3600.0 + 1e-6, "{late}");
}

#[test]
fn constant_intensity_leaves_nothing_to_save() {
    // The same energy is summed over other bins: it differs by rounding, some 200 additions of 1e-16 each.
    let lab = lab().file("grid.csv", &hourly(192, &[321.0; 22 * 24]));
    for (name, policy) in policies() {
        for run in both(&lab, &[&policy]) {
            let saved = run.number("shifting.saved_operational_share");
            assert!(saved.abs() <= 1e-12, "{name}: {saved}");
            let energy = run.number("shifting.saved_energy_share");
            assert!(energy.abs() <= 1e-12, "{name}: {energy}");
        }
    }
}

#[test]
fn more_slack_never_saves_less_under_a_perfect_forecast() {
    let lab = lab();
    for policy in [WINDOW, AWHILE] {
        for suspends in [&[][..], &[SUSPENDS]] {
            let mut last = -1.0;
            for hours in [0, 1, 2, 4, 8, 12, 24, 48] {
                let slack = format!("jobs.work.slack.fixed.wait_s={}", hours * 3600);
                let saved = lab.run(&[&[policy, &slack], suspends].concat()).number("shifting.saved_operational_g");
                // A start moves only for more than 1e-9 of the mean.
                assert!(saved >= last - 1e-8 * saved.abs(), "{policy}, {hours} h: {saved} after {last}");
                assert!(hours < 2 || saved > 0.0, "{policy}, {hours} h: {saved}");
                last = saved;
            }
        }
    }
}

/// No policy beats the optimum, misses a deadline or changes energy, under one forecast.
fn laws_under(forecast: &str) {
    let lab = lab();
    let mut best: f64 = 0.0;
    for (name, policy) in policies() {
        for (run, kind) in both(&lab, &[&policy, forecast]).into_iter().zip(["through", "suspended"]) {
            let what = format!("{name}, {kind}, {forecast}");
            let share = run.number("shifting.saved_of_bound_share");
            assert!(share <= 1.0 + 1e-9, "{what}: {share} of what can be saved");
            best = best.max(share);
            assert_eq!(run.number("jobs.finished"), run.number("jobs.arrived"), "{what}");
            assert_eq!(run.number("shifting.missed_deadline"), 0.0, "{what}");
            // Nothing but rounding: powers are the same, suspending is free, idle hosts draw on.
            let energy = run.number("shifting.saved_energy_share");
            assert!(energy.abs() <= 1e-12, "{what}: energy changes by {energy}");
            close(&what, run.number("jobs.core_h"), run.number("jobs.work_core_h"), 1e-9);
            assert!(run.number("shifting.delay_max_s") <= 43_200.0 + 1e-6, "{what}");
        }
    }
    assert!(best > 0.5, "{best}");
}

#[test]
fn no_policy_beats_the_offline_optimum_or_misses_a_deadline_with_a_perfect_forecast() {
    laws_under("regions[0].forecast.perfect={}");
}

#[test]
fn no_policy_beats_the_offline_optimum_or_misses_a_deadline_with_a_noisy_forecast() {
    laws_under("regions[0].forecast.iid-noise={ relative_sd = 0.3 }");
}

#[test]
fn no_policy_beats_the_offline_optimum_or_misses_a_deadline_with_yesterday_s_hours() {
    laws_under("regions[0].forecast.persistence={}");
}

#[test]
fn two_policies_reach_the_optimum_and_no_other_forecast_does() {
    let lab = lab();
    let window = lab.run(&[WINDOW]);
    close("one piece", window.number("shifting.saved_of_bound_share"), 1.0, 1e-8);
    let awhile = lab.run(&[AWHILE, SUSPENDS]);
    close("in parts", awhile.number("shifting.saved_of_bound_share"), 1.0, 1e-8);
    assert!(awhile.number("shifting.bound_saved_share") > window.number("shifting.bound_saved_share") + 0.01);
    let noisy = lab.run(&[AWHILE, SUSPENDS, "regions[0].forecast.iid-noise={ relative_sd = 0.3 }"]);
    assert!(noisy.number("shifting.saved_of_bound_share") < 0.95);
    // The bound is of the signal, not of what is believed of it.
    assert_eq!(noisy.number("shifting.bound_saved_share"), awhile.number("shifting.bound_saved_share"));
}

#[test]
fn the_baseline_is_the_run_that_starts_everything_at_once() {
    let lab = lab();
    let noise = "regions[0].forecast.iid-noise={ relative_sd = 0.3 }";
    for seed in ["seed=1", "seed=2"] {
        let at_once = lab.run(&[seed, noise, SUSPENDS]);
        assert_eq!(at_once.report.number("shifting.run_now_operational_g"), None, "nothing to compare with");
        for policy in [AWHILE, WINDOW, "scheduler.admission={ cap = {} }"] {
            let run = lab.run(&[seed, noise, SUSPENDS, policy]);
            for (figure, own) in [
                ("shifting.run_now_operational_g", "carbon_g.operational"),
                ("shifting.run_now_missed_deadline", "jobs.missed_deadline"),
                ("shifting.run_now_unfinished", "jobs.unfinished"),
                ("shifting.run_now_queued_mean_s", "jobs.queued_mean_s"),
            ] {
                assert_eq!(run.number(figure), at_once.number(own), "{policy}: {figure}");
            }
            let saved = at_once.number("carbon_g.operational") - run.number("carbon_g.operational");
            assert_eq!(run.number("shifting.saved_operational_g"), saved, "{policy}");
            close(policy, run.number("jobs.core_h"), run.number("jobs.work_core_h"), 1e-9);
        }
    }
    let [one, two] = ["seed=1", "seed=2"].map(|seed| lab.run(&[seed]).number("carbon_g.operational"));
    assert!(one != two, "another seed is another traffic");
}

#[test]
fn the_same_scenario_gives_the_same_bytes_on_any_number_of_threads() {
    let lab = lab();
    let noise = "regions[0].forecast.iid-noise={ relative_sd = 0.3 }";
    let run = |threads| crate::lab::run_file(&lab.scenario(), &[AWHILE, SUSPENDS, noise], threads).files();
    let (one, again, two) = (run(1), run(1), run(2));
    assert!(one.contains_key("jobs.csv") && one.contains_key("summary.csv"), "{:?}", one.keys());
    for (name, bytes) in &one {
        assert!(*bytes == again[name], "{name} differs the second time");
        assert!(*bytes == two[name], "{name} differs on two threads");
    }
    let other = crate::lab::run_file(&lab.scenario(), &[AWHILE, SUSPENDS, noise, "seed=43"], 1).files();
    assert!(one["jobs.csv"] != other["jobs.csv"], "another seed draws other jobs");
}

/// 300 calls of ten minutes that may take four hours, on sandboxes that start at once.
const CALLS: &str = r#"
[isolation.process]
start_model = "lognormal"
start_median_s = 0.0
start_sigma = 0.0
start_cpu_core_s = 0.0
limit_creations = false
[workload.poisson]
rate_per_s = 0.005
calls = 300
deadline_s = 14400.0
service.constant.length_s = 600.0
"#;

#[test]
fn calls_with_deadlines_pass_through_the_same_policies() {
    let text = WORLD.replace("jobs = true", "invocations = true");
    let lab = Lab::new(&format!("{text}{CALLS}")).file("grid.csv", &signal());
    let mut moved = Vec::new();
    for (name, policy) in policies() {
        let run = lab.run(&[&policy, "sci.functional_unit=call"]);
        let missed = run.number("shifting.missed_deadline");
        assert!(missed <= run.number("shifting.run_now_missed_deadline"), "{name} misses {missed} deadlines");
        let calls = run.calls();
        assert_eq!(calls.len(), 300, "{name}");
        for call in &calls {
            let wait = call.release - call.arrival;
            assert!((0.0..=13_800.0 + 1e-6).contains(&wait), "{name}: a call waits {wait} s");
        }
        let longest = calls.iter().map(|c| c.release - c.arrival).fold(0.0, f64::max);
        close(&name, run.number("shifting.delay_max_s") + 1.0, longest + 1.0, 1e-6);
        if longest > 0.0 {
            moved.push(name);
        }
    }
    // Those that know of reserved cores alone leave calls to their inner policy, or alone.
    assert_eq!(moved.len(), 17, "{moved:?}");
    assert!(!moved.contains(&"all-wait-threshold".to_owned()));
}
