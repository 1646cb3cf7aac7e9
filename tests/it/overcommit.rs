//! Savings against violations, and policies in effect: smaller versions of `scenarios/overcommit.toml` and
//! `scenarios/overcommit-in-effect.toml`.

use crate::lab::{Run, close, repository, run_file};

const DAY_S: f64 = 86_400.0;
const HOSTS: f64 = 10.0;
const CORES: f64 = 64.0;

/// A sixth of the machines for two and a half days, of which one and a half are judged.
fn watched(more: &[&str], threads: usize) -> Run {
    let small = [
        "regions[0].hosts[0].count=10",
        "instances.cell.synthetic.count=287",
        "instances.cell.synthetic.arrivals.rate_per_h=7.75",
        "instances.cell.synthetic.duration_s=216000",
        "time.duration_s=216000",
    ];
    run_file(&repository("scenarios/overcommit.toml"), &[&small, more].concat(), threads)
}

/// Savings and violation rate of a watched predictor.
fn of(run: &Run, name: &str) -> (f64, f64) {
    (run.number(&format!("overcommit.{name}.savings")), run.number(&format!("overcommit.{name}.violation_rate")))
}

#[test]
fn predictors_are_ordered_as_published() {
    let run = watched(&[], 1);
    let sweeps: [&[&str]; 3] = [
        &["n-sigma-2", "n-sigma-3", "n-sigma-5", "n-sigma-10"],
        &["rc-80", "rc-90", "rc-95", "rc-99"],
        &["machine-95", "machine-99"],
    ];
    for pair in sweeps.iter().flat_map(|sweep| sweep.windows(2)) {
        let (low, high) = (of(&run, pair[0]), of(&run, pair[1]));
        assert!(low.0 > high.0 && low.1 > high.1, "{} {low:?}, {} {high:?}", pair[0], pair[1]);
    }
    let (max, parts) = (of(&run, "max"), [of(&run, "n-sigma-5"), of(&run, "rc-99")]);
    assert!(parts.iter().all(|part| max.0 <= part.0 && max.1 <= part.1), "{max:?}, {parts:?}");
    let table = run.table("overcommit.csv");
    let names = table.text("predictor");
    assert_eq!(names.len(), 21);
    let oracle = of(&run, "oracle");
    assert_eq!(oracle.1, 0.0);
    let harmless: Vec<&String> = names.iter().filter(|n| *n != "oracle" && of(&run, n).1 == 0.0).collect();
    assert!(harmless.len() >= 2, "the test would say little: {harmless:?}");
    assert!(harmless.iter().all(|name| of(&run, name).0 < oracle.0), "{harmless:?}");
    // What follows from the definitions alone.
    assert_eq!(of(&run, "none").0, 0.0);
    close("borg-default", of(&run, "borg-default").0, 0.1, 1e-9);
    close("static ratio of 1.5", of(&run, "static-1.5").0, 1.0 / 3.0, 1e-9);
    // Every machine is judged in every step whose horizon lies in the run: the first after 5 minutes, the last a day before the end.
    let steps = table.column("steps")[0];
    let most = HOSTS * (1.5 * DAY_S / 300.0);
    assert!((0.8 * most..=most).contains(&steps), "{steps}");
}

#[test]
fn what_samples_say_agrees_with_what_was_used() {
    let run = watched(&[], 1);
    let [of_requested, requested, of_capacity] =
        ["used_over_requested", "requested_over_capacity", "used_over_capacity"]
            .map(|k| run.number(&format!("utilization.{k}")));
    close("use over capacity", of_requested * requested, of_capacity, 1e-9);
    // A sample is the highest demand of its interval: instances whose steps begin in between are counted with the larger of two.
    let sampled = run.number("multiplexing.demand_mean_cores") / (HOSTS * CORES);
    assert!(sampled > of_capacity && sampled < 1.08 * of_capacity, "{sampled}, {of_capacity}");
    // Where every step is one interval, the two are the same.
    let standing = "instances.cell={ synthetic={ count=280, duration_s=216000, usage={ like-borg={} }, sizes={ list={ sizes=[{ cores=2.0, memory_mb=4000.0 }] } } } }";
    let run = watched(&[standing], 1);
    let mean = run.number("instances.used_core_s") / (2.5 * DAY_S);
    close("mean demand", run.number("multiplexing.demand_mean_cores"), mean, 1e-9);
    close("requested", run.number("utilization.requested_over_capacity"), 280.0 * 2.0 / (HOSTS * CORES), 1e-9);
}

#[test]
fn a_watch_gives_the_same_bytes_on_one_thread_and_on_two() {
    assert!(watched(&[], 1).files() == watched(&[], 2).files());
}

/// A fifth of the machines for two days; all live six hours, as far as the oracle sees.
fn in_effect(policy: &str) -> Run {
    let policy = format!("scheduler.overcommit.{policy}");
    let set = [
        "regions[0].hosts[0].count=4",
        "instances.cell.synthetic.count=400",
        "instances.cell.synthetic.arrivals.rate_per_h=68",
        "instances.cell.synthetic.lifetime={ fixed={ life_s=21600 } }",
        "instances.cell.synthetic.duration_s=172800",
        "time.duration_s=172800",
        &policy,
    ];
    run_file(&repository("scenarios/overcommit-in-effect.toml"), &set, 1)
}

#[test]
fn the_oracle_places_most_of_all_that_never_run_short() {
    let figures = |policy: &str| {
        let run = in_effect(policy);
        (run.number("instances.placements"), run.number("instances.cpu_unserved_share"))
    };
    let oracle = figures("peak-oracle={ horizon_s=21600 }");
    // Its promise is exact here: what comes counts with its limit until the peak that it leads to is known, and nothing outlives the horizon.
    assert!(oracle.1.abs() < 1e-9, "{oracle:?}");
    let (none, borg, sigma) = (figures("none={}"), figures("borg-default={}"), figures("n-sigma={}"));
    for (name, other) in [("none", none), ("borg-default", borg), ("n-sigma", sigma)] {
        assert!(other.1.abs() < 1e-9 && other.0 < oracle.0, "{name}: {other:?}, {oracle:?}");
    }
    assert!(none.0 < borg.0 && borg.0 < sigma.0, "{none:?}, {borg:?}, {sigma:?}");
    let threefold = figures("static-ratio={ cpu_ratio=3.5 }");
    assert!(threefold.1 > 1e-3, "{threefold:?}");
}
