//! The laws that every shifting policy keeps, on one job at a time with unlimited capacity.

mod published;

use proptest::prelude::*;

use super::*;
use crate::grid::{PerfectForecast, Signal};
use crate::scheduler::tests::catalogue;
use crate::types::SimTime;
use lab::{Lab, Ran, Task, at_h, hours, steps};

const REQUIRED: &[(&str, &str)] = &[
    ("start-at", "hours_utc = [3, 14.5]"),
    ("carbon-threshold", "ceiling_g_per_kwh = 300"),
    ("reserved-first", "inner.wait-awhile = {}"),
    ("spot-first", "inner.carbon-time = {}"),
    ("spot-reserved", "inner.ecovisor = {}"),
    // Less often than by default, to save time.
    ("paced-backlog", "period_s = 60"),
];

/// Every entry of the catalogue, and some again with other keys.
fn specs() -> Vec<(String, ShiftingSpec)> {
    let more = [
        "[lowest-window]\nreserve_s = 0\nmin_slack_s = 0",
        "[lowest-window]\nreserve_s = 0\nmin_slack_s = 0\nstep_s = 3600\nassumed_length_s = 7200",
        "[carbon-percentile.window.observed]",
        "[reserved-first.inner.paced-backlog]\nperiod_s = 60",
        "[spot-reserved.inner.reserved-first.inner.lowest-slot]",
    ];
    let entries = catalogue::<ShiftingSpec>(REQUIRED).into_iter().chain(more.map(str::to_owned));
    entries.map(|text| (text.clone(), toml::from_str(&text).expect(&text))).collect()
}

fn run(spec: &ShiftingSpec, lab: &Lab, task: &Task) -> Ran {
    lab.run(spec.build(Seed(5), hours(6.0)).as_mut(), task)
}

/// Three weeks of hours that look like a grid's: a day, and noise; in steps of 5 g/kWh, so that some are equal.
fn signal(seed: u64) -> Signal {
    let mut random = Seed(seed).stream("contract", 0);
    let value = |hour: u32| {
        let day = (f64::from(hour % 24) - 13.0).abs() * 12.0;
        ((200.0 + day + 120.0 * random.uniform()) / 5.0).round() * 5.0
    };
    steps(3600, &(0..21 * 24).map(value).collect::<Vec<_>>())
}

/// Tasks of many lengths and slacks, at odd times, known and unknown, announced and not.
fn tasks() -> Vec<Task> {
    let mut random = Seed(3).stream("tasks", 0);
    let mut all = Vec::new();
    for i in 0..120_u32 {
        let (length, slack) =
            (0.2 + 20.0 * random.uniform() * random.uniform(), 60.0 * random.uniform() * random.uniform());
        let mut task = Task::hours((150.0 * random.uniform() * 60.0).round() / 60.0, length, slack);
        task.suspends = i % 2 == 0;
        task.call = i % 8 == 1;
        if i % 5 == 3 {
            task.wanted = task.arrival + hours(4.0 * random.uniform());
        }
        task.estimate = match i % 7 {
            5 => None,
            6 => Some(Duration((task.length.0 as f64 * 2.0 * random.uniform()) as u64)),
            _ => task.estimate,
        };
        all.push(task);
    }
    all
}

/// Emissions of the lowest time in [arrival, wanted + slack + length] that is as long as the task: no schedule is below it.
fn bound(signal: &Signal, task: &Task) -> f64 {
    let end = task.wanted + task.slack + task.length;
    let mut parts = Vec::new();
    signal.steps(task.arrival, end, &mut parts);
    parts.sort_by(|a, b| a.g_per_kwh.total_cmp(&b.g_per_kwh));
    let (mut left, mut grams) = (task.length.0, 0.0);
    for part in parts {
        let used = left.min((part.to - part.from).0);
        grams += Duration(used).as_secs_f64() * part.g_per_kwh / 3600.0;
        left -= used;
    }
    grams
}

#[test]
fn without_slack_or_notice_work_runs_when_it_wants_to() {
    let lab = Lab::perfect(signal(1));
    for (name, spec) in specs() {
        for task in tasks().into_iter().filter(|t| t.wanted == t.arrival) {
            let task = Task { slack: Duration::ZERO, ..task };
            assert_eq!(run(&spec, &lab, &task), Ran(vec![(task.wanted, task.wanted + task.length)]), "{name} {task:?}");
        }
    }
}

#[test]
fn without_a_deadline_work_runs_when_it_wants_to() {
    let lab = Lab::perfect(signal(1));
    for (name, spec) in specs() {
        for task in tasks() {
            let task = Task { slack: Duration::FOREVER, ..task };
            assert_eq!(run(&spec, &lab, &task), Ran(vec![(task.wanted, task.wanted + task.length)]), "{name} {task:?}");
        }
    }
}

#[test]
fn under_constant_intensity_nothing_is_saved() {
    let lab = Lab::perfect(steps(3600, &[123.4; 21 * 24]));
    for (name, spec) in specs() {
        for task in tasks() {
            let (got, wanted) =
                (run(&spec, &lab, &task).g_per_kw(&lab.truth), 123.4 * task.length.as_secs_f64() / 3600.0);
            assert!((got - wanted).abs() <= 1e-12 * wanted, "{name} {task:?}: {got} is not {wanted}");
        }
    }
}

/// The laws of one run.
fn is_in_time(name: &str, task: &Task, ran: &Ran) {
    assert!(ran.start() >= task.arrival, "{name} {task:?}: {ran:?} starts before it arrives");
    assert!(ran.start() <= task.wanted + task.slack, "{name} {task:?}: {ran:?} starts too late");
    let ran_for: u64 = ran.0.iter().map(|(a, b)| (*b - *a).0).sum();
    assert_eq!(ran_for, task.length.0, "{name} {task:?}: {ran:?}");
    assert!(task.suspends || ran.0.len() == 1, "{name} suspends {task:?}: {ran:?}");
    if task.estimate == Some(task.length) {
        assert!(ran.end() <= task.wanted + task.slack + task.length, "{name} {task:?}: {ran:?} ends too late");
    }
}

#[test]
fn no_deadline_is_missed_and_no_schedule_is_below_the_bound() {
    for (seed, (name, spec)) in specs().into_iter().enumerate() {
        let lab = Lab::perfect(signal(seed as u64));
        let mut moved = 0;
        for task in tasks() {
            let ran = run(&spec, &lab, &task);
            is_in_time(&name, &task, &ran);
            moved += u32::from(ran.start() != task.wanted);
            let exact = task.estimate == Some(task.length) || ran.end() <= task.wanted + task.slack + task.length;
            let (got, least) = (ran.g_per_kw(&lab.truth), bound(&lab.truth, &task));
            assert!(!exact || got >= least * (1.0 - 1e-12), "{name} {task:?}: {got} is below {least}");
        }
        assert_eq!(moved > 20, !name.starts_with("[run-now]"), "{name} moves {moved} of 120");
    }
}

#[test]
fn patience_holds_for_unknown_lengths_as_well() {
    // What a policy plans beyond a length that it does not know keeps the wait within the slack.
    let lab = Lab::perfect(signal(8));
    for (name, spec) in specs() {
        for task in tasks().into_iter().filter(|t| t.wanted == t.arrival) {
            let task = Task { estimate: None, ..task };
            let ran = run(&spec, &lab, &task);
            assert!(ran.end() <= task.wanted + task.slack + task.length, "{name} {task:?}: {ran:?}");
        }
    }
}

#[test]
fn a_forecast_that_ends_early_or_knows_nothing_is_lived_with() {
    let truth = signal(9);
    for known_h in [1, 20, 60, 100] {
        let values: Vec<f64> = truth.intervals().map(|(_, _, g)| g.0).take(known_h).collect();
        let lab = Lab::new(truth.clone(), Box::new(PerfectForecast::new(steps(3600, &values))));
        for (name, spec) in specs() {
            for task in tasks() {
                is_in_time(&name, &task, &run(&spec, &lab, &task));
            }
        }
    }
}

#[test]
fn two_like_runs_are_alike_and_scale_does_not_matter_to_rules_without_a_level() {
    let lab = Lab::perfect(signal(2));
    let values: Vec<f64> = lab.truth.intervals().map(|(_, _, g)| g.0 * 3.7).collect();
    let scaled = Lab::perfect(steps(3600, &values));
    for (name, spec) in specs() {
        for task in tasks() {
            let ran = run(&spec, &lab, &task);
            assert_eq!(ran, run(&spec, &lab, &task), "{name} {task:?}");
            // A ceiling and a price of switching are levels.
            if !name.starts_with("[carbon-threshold]") && !name.starts_with("[pause-and-resume]") {
                assert_eq!(ran, run(&spec, &scaled, &task), "{name} {task:?}");
            }
        }
    }
}

#[test]
fn what_is_left_after_an_eviction_starts_before_its_patience_ends() {
    let lab = Lab::perfect(signal(4));
    let profile = lab::profile();
    let kinds = [None, Some(crate::workload::jobs::Interruption::default())];
    for (name, spec) in specs() {
        for interruption in kinds {
            let kind = crate::workload::jobs::JobKind { interruption, ..Default::default() };
            for (waited_h, done_h) in [(0.0, 3.0), (5.0, 1.0), (9.0, 2.0), (11.0, 4.0)] {
                let (wanted, now) = (at_h(30.0), at_h(30.0 + waited_h + done_h));
                let work = Work {
                    arrival: wanted,
                    wanted,
                    slack: hours(9.0),
                    length: Some(hours(4.0)),
                    done: hours(done_h),
                    waited: hours(waited_h),
                    kind: Some(&kind),
                    ..lab::work(&profile, now)
                };
                let mut plan = Plan::default();
                spec.build(Seed(1), hours(0.0)).plan(&work, &lab.view(now), &mut plan);
                let first = plan.first().unwrap_or(plan.again);
                let ticks = plan.held && plan.pieces.is_empty();
                assert!(ticks || first >= now && first <= work.may_wait_until(now), "{name} {work:?}: {plan:?}");
            }
        }
    }
}

#[test]
fn every_table_reads_back_as_it_was_written() {
    for (name, spec) in specs() {
        let text = toml::to_string(&spec).expect("a policy is a table");
        assert_eq!(toml::from_str::<ShiftingSpec>(&text).as_ref(), Ok(&spec), "{name}");
    }
}

#[test]
fn policies_without_a_meaning_of_their_own_keys_are_refused() {
    for text in ["[start-at]", "[carbon-threshold]", "[reserved-first]", "[spot-first]", "[spot-reserved]"] {
        let error = toml::from_str::<ShiftingSpec>(text).expect_err(text).to_string();
        assert!(error.contains("missing field"), "{text}: {error}");
    }
}

/// The rules that minimise the job's own carbon, and so can only gain from more slack.
const MINIMISING: [&str; 3] = [
    "[lowest-window]\nreserve_s = 0\nmin_slack_s = 0",
    "[lowest-window]\nreserve_s = 0\nmin_slack_s = 0\nstep_s = 1800",
    "[wait-awhile]",
];

proptest! {
    #[test]
    fn more_slack_is_never_worse_for_rules_that_minimise(
        values in proptest::collection::vec(0.0_f64..1000.0, 120),
        at_s in 0_u64..40_000,
        length_s in 1_u64..100_000,
        slack_s in 0_u64..100_000,
        more_s in 0_u64..60_000,
        suspends: bool,
    ) {
        let lab = Lab::perfect(steps(3600, &values));
        for text in MINIMISING {
            let spec: ShiftingSpec = toml::from_str(text).expect("right keys");
            let with = |slack_s| {
                let task = Task::job(SimTime::from_secs_f64(at_s as f64), Duration::from_secs(length_s), Duration::from_secs(slack_s));
                run(&spec, &lab, &Task { suspends, ..task }).g_per_kw(&lab.truth)
            };
            let (less, more) = (with(slack_s), with(slack_s + more_s));
            prop_assert!(more <= less * (1.0 + 2e-9), "{text}: {more} with more slack, {less} with less");
        }
    }

    #[test]
    fn wait_awhile_reaches_the_bound_with_a_known_length(
        values in proptest::collection::vec(0.0_f64..1000.0, 120),
        at_s in 0_u64..40_000,
        length_s in 1_u64..100_000,
        slack_s in 0_u64..100_000,
    ) {
        let lab = Lab::perfect(steps(3600, &values));
        let task = Task::job(SimTime::from_secs_f64(at_s as f64), Duration::from_secs(length_s), Duration::from_secs(slack_s));
        let task = Task { suspends: true, ..task };
        let got = run(&ShiftingSpec::WaitAwhile(WaitAwhile::default()), &lab, &task).g_per_kw(&lab.truth);
        let least = bound(&lab.truth, &task);
        prop_assert!((got - least).abs() <= 1e-9 * least.max(1e-9), "{got} is not {least}");
    }
}
