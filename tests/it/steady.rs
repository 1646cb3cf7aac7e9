//! `sim steady`: warm-up, mean and interval of one run, against a run by hand and the queue with infinitely many servers.

use std::path::Path;
use std::process::Command;

use slackwater::report::{Steady, SteadyColumn, steady};

use crate::lab::Lab;

/// One host with room for everything, starts that take no time.
fn station(workload: &str) -> Lab {
    Lab::new(&format!(
        r#"
[model]
cpu = "isolated"
[output]
ledger_step_s = 10.0
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
[servers.station]
cores = 400
memory_mb = 1e9
power.constant.power_w = 1.0
embodied_kg = 1.0
lifetime_years = 1.0
[[regions]]
name = "here"
grid.constant.g_per_kwh = 1.0
hosts = [{{ server = "station", count = 1 }}]
{workload}
"#
    ))
}

/// A call of ten minutes every ten seconds for five hours: from the tenth minute on sixty are running.
fn by_hand() -> Lab {
    let mut calls = String::from("arrival_time_s,function_id,duration_s,memory_mb\n");
    (0..1800).for_each(|i| calls += &format!("{},a,600,100\n", i * 10));
    let lab = station("[time]\nduration_s = 18000.0\n[workload.calls]\npath = \"calls.csv\"\n");
    lab.file("calls.csv", &calls)
}

fn looked_at(result: &Path, columns: &[&str]) -> Steady {
    let columns: Vec<String> = columns.iter().map(|&c| c.to_owned()).collect();
    steady(result, &columns, None, 0.95).unwrap_or_else(|e| panic!("{e}"))
}

fn column<'s>(steady: &'s Steady, name: &str) -> &'s SteadyColumn {
    steady.columns.iter().find(|c| c.name == name).unwrap_or_else(|| panic!("no column {name}"))
}

/// Runs `sim steady`: exit code, standard output and error.
fn sim(result: &Path, arguments: &[&str]) -> (i32, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_sim")).arg("steady").arg(result).args(arguments).output();
    let out = out.expect("sim runs");
    let text = |bytes| String::from_utf8(bytes).expect("messages are text");
    (out.status.code().expect("sim ends by itself"), text(out.stdout), text(out.stderr))
}

#[test]
fn a_run_by_hand_has_the_warm_up_and_the_mean_of_its_calls() {
    let run = by_hand().run(&["output.step_s=60"]);
    let s = looked_at(&run.folder(), &[]);
    // Five hours of minutes; the ten minutes in which the last calls end are drain.
    assert_eq!((s.steps, s.step_s, s.settle_s), (300, 60.0, 0.0));
    let names: Vec<&str> = s.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["cpu_utilization", "executed", "running_mean"], "nothing waits");
    for (name, wanted) in [("cpu_utilization", 0.15), ("executed", 6.0), ("running_mean", 60.0)] {
        let c = column(&s, name);
        assert_eq!((c.warm_up_s, c.left), (Some(600.0), 290), "{name}");
        let b = c.batches.expect("long enough");
        assert!((b.means.mean / wanted - 1.0).abs() < 1e-9 && c.interval.half_width() < 1e-9 * wanted, "{name}: {c:?}");
    }
    let (code, out, _) = sim(&run.folder(), &[]);
    assert_eq!(code, 0);
    assert!(out.contains("300 whole steps of 60 s until arrivals end; warm-up by MSER-5, 95 % intervals"), "{out}");
    assert!(out.contains("output.settle_s = 600 leaves the warm-up out of the figures curve.* (now 0)"), "{out}");
}

#[test]
fn without_a_duration_the_series_ends_with_the_last_arrival() {
    let run = by_hand().run(&["output.step_s=60", "time.duration_s=10000000"]);
    assert!(looked_at(&run.folder(), &[]).steps > 300, "a duration is believed");
    let mut calls = String::from("arrival_time_s,function_id,duration_s,memory_mb\n");
    (0..1800).for_each(|i| calls += &format!("{},a,600,100\n", i * 10));
    let run = station("[workload.calls]\npath = \"calls.csv\"\n").file("calls.csv", &calls).run(&["output.step_s=60"]);
    // The last call arrives in minute 299, which is left out as it may not be full.
    assert_eq!(looked_at(&run.folder(), &["running_mean"]).steps, 299);
}

#[test]
fn intervals_of_infinitely_many_servers_cover_what_littles_law_says() {
    // One call a second, exponential service of mean 100 s, nobody waits: 100 are running, and the warm-up fades with e^(-t/100).
    let lab =
        station("[workload.poisson]\nrate_per_s = 1.0\ncalls = 20_000\nservice.exponential = { mean_s = 100.0 }\n");
    let (mut covered, mut effective) = (0, 0.0);
    for seed in 1..=8 {
        let run = lab.run(&["output.step_s=10", &format!("seed={seed}")]);
        let s = looked_at(&run.folder(), &["running_mean"]);
        let c = column(&s, "running_mean");
        let warm_up = c.warm_up_s.expect("a warm-up");
        assert!((50.0..=2000.0).contains(&warm_up), "seed {seed}: {warm_up}");
        let b = c.batches.expect("long enough");
        eprintln!(
            "seed {seed}: warm-up {warm_up} s, {:.2} in {:?}, effective {:.0}",
            b.means.mean, c.interval, b.effective
        );
        covered += usize::from(c.interval.contains(100.0));
        effective += b.effective / 8.0;
    }
    // With 95 % each, fewer than six of eight happen once in 170 times.
    assert!(covered >= 6, "{covered} of 8");
    // The autocorrelation is e^(-t/100): 20,000 s are worth 20,000 / 200 independent values; an estimate of 28 batches is uncertain by 26 %.
    assert!((50.0..200.0).contains(&effective), "{effective}");
}

#[test]
fn what_cannot_be_looked_at_is_said_with_the_remedy() {
    let run = by_hand().run(&["output.step_s=600"]);
    let fails = |arguments: &[&str]| {
        let (code, out, error) = sim(&run.folder(), arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{error}");
        error
    };
    let short = fails(&[]);
    assert!(short.starts_with("30 whole steps of 600 s before the end of arrivals are too few"), "{short}");
    assert!(short.contains("help: set a smaller output.step_s"), "{short}");
    let unknown = fails(&["runing_mean"]);
    assert!(unknown.contains("did you mean \"running_mean\"?"), "{unknown}");
    let unknown = fails(&["region"]);
    assert!(unknown.starts_with("timeseries.csv has no figure \"region\"\n  help: "), "{unknown}");
    let region = fails(&["--region", "there"]);
    assert!(region.starts_with("timeseries.csv has no region \"there\"\n  help: "), "{region}");
    assert!(fails(&["--confidence", "95"]).starts_with("a confidence of 95 is none\n  help: "));
    let (code, _, error) = sim(run.folder().parent().expect("a folder around it"), &[]);
    assert!(code == 2 && error.contains("help: give a results folder of sim run"), "{error}");
}
