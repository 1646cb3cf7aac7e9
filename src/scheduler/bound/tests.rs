//! The bounds against brute force, against each other, and against published upper bounds.

use proptest::prelude::*;

use super::*;
use crate::grid::Signal;
use crate::scheduler::shifting::lab_scaling;
use crate::workload::jobs::{Interruption, JobKind, Scale};

const HOUR_NS: u64 = 3_600_000_000_000;

fn hourly(g: &[f64]) -> Signal {
    let info = Signal::constant("X", 0.0).expect("a constant").info().clone();
    let starts = (0..g.len() as i64).map(|h| h * HOUR_NS as i64).collect();
    Signal::new(info, starts, g.to_vec(), g.len() as i64 * HOUR_NS as i64).expect("an hourly signal")
}

fn at(hours: f64) -> SimTime {
    SimTime::from_secs_f64(hours * 3600.0)
}

/// A job of 1 kW and one core, in hours.
fn task(earliest: f64, length: f64, slack: f64, interruptible: bool) -> Task {
    Task {
        earliest: at(earliest),
        deadline: at(earliest + length + slack),
        length: Duration::from_secs_f64(length * 3600.0),
        levels: vec![Level { speed: 1.0, power_w: 1000.0, cores: 1.0 }],
        interruptible,
    }
}

fn close(a: f64, b: f64, relative: f64) -> bool {
    (a - b).abs() <= relative * a.abs().max(b.abs()).max(1e-9)
}

#[test]
fn the_examples_of_the_docs_hold() {
    let signal = hourly(&[100.0, 50.0, 200.0]);
    let grams = |t: Task| unlimited(&[t], &signal).expect("a bound")[0];
    for suspend in [false, true] {
        assert!(close(grams(task(0.0, 1.0, 2.0, suspend)), 50.0, 1e-12));
        assert!(close(grams(task(0.0, 2.0, 1.0, suspend)), 150.0, 1e-12));
        assert!(close(grams(task(0.5, 1.0, 0.0, suspend)), 75.0, 1e-12));
        assert!(close(grams(task(0.5, 0.25, 0.0, suspend)), 25.0, 1e-12));
        assert_eq!(grams(task(0.5, 0.0, 1.0, suspend)), 0.0);
    }
    let two = [task(0.0, 1.0, 1.0, true), task(0.0, 1.0, 1.0, true)];
    let signal = hourly(&[100.0, 50.0]);
    assert!(close(limited(&two, &signal, 2.0).expect("a bound"), 100.0, 1e-6));
    assert!(close(limited(&two, &signal, 1.0).expect("a bound"), 150.0, 1e-6));
}

#[test]
fn what_has_no_bound_says_why() {
    let signal = hourly(&[100.0, 50.0]);
    let late = unlimited(&[task(0.0, 1.0, 0.0, true), task(1.0, 2.0, 0.0, true)], &signal).expect_err("no time");
    assert!(late.to_string().contains("job 1 (counted from 0) needs 7200 s at least, but has 3600 s"), "{late}");
    let full = limited(&[task(0.0, 2.0, 0.0, true), task(0.0, 1.0, 1.0, true)], &signal, 1.0).expect_err("no room");
    assert!(full.to_string().contains("no schedule on 1 cores"), "{full}");
    let year = hourly(&[1.0; 8760]);
    let many: Vec<Task> = (0..6).map(|_| task(0.0, 10.0, 8750.0, true)).collect();
    let large = limited(&many, &year, 1.0).expect_err("too large");
    assert!(large.to_string().contains("52560 variables, 50000 at most"), "{large}");
}

#[test]
fn a_job_becomes_the_task_that_it_is() {
    let mut job = Job {
        name: "j".into(),
        arrival: SimTime(5),
        wanted: SimTime(7),
        length: Duration(100),
        estimate: None,
        slack: Duration(11),
        account: crate::types::FunctionId(0),
        region: crate::types::RegionId(0),
        kind: 0,
        class: 0,
        cpu: 500_000,
        memory: crate::types::Memory(1),
        nodes: 2,
    };
    let mut kind = JobKind::default();
    let rigid = Task::of(&job, &kind, 3.0);
    assert_eq!((rigid.earliest, rigid.deadline, rigid.interruptible), (SimTime(5), SimTime(118), false));
    assert_eq!(rigid.levels, [Level { speed: 1.0, power_w: 3.0, cores: 1.0 }]);
    kind.interruption = Some(Interruption::default());
    kind.scale = Some(Scale { throughput: vec![2.0, 3.0], power_w: Vec::new() });
    kind.power_w = Some(10.0);
    job.slack = Duration::FOREVER;
    let elastic = Task::of(&job, &kind, 3.0);
    assert_eq!((elastic.deadline, elastic.interruptible), (SimTime::NEVER, true));
    assert_eq!(elastic.levels[0], Level { speed: 2.0 / 3.0, power_w: 10.0, cores: 0.5 });
    assert_eq!(elastic.levels[1], Level { speed: 1.0, power_w: 20.0, cores: 1.0 });
}

/// The lowest cost of whole hours for an elastic job, trying every number of nodes in every hour.
fn brute(g: &[f64], levels: &[Level], hours: f64) -> f64 {
    if hours <= 1e-9 {
        return 0.0;
    }
    let Some((first, rest)) = g.split_first() else { return f64::INFINITY };
    let mut lowest = brute(rest, levels, hours);
    for level in levels {
        let share = (hours / level.speed).min(1.0);
        let own = first * level.power_w / 1000.0 * share;
        lowest = lowest.min(own + brute(rest, levels, hours - level.speed * share));
    }
    lowest
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn unlimited_is_what_brute_force_finds(
        g in prop::collection::vec(0.0..500.0f64, 3..9),
        length in 1..4usize,
    ) {
        prop_assume!(length <= g.len());
        let signal = hourly(&g);
        let slack = (g.len() - length) as f64;
        let of = |suspend| unlimited(&[task(0.0, length as f64, slack, suspend)], &signal).expect("a bound")[0];
        let level = [Level { speed: 1.0, power_w: 1000.0, cores: 1.0 }];
        prop_assert!(close(of(true), brute(&g, &level, length as f64), 1e-9));
        let windows = g.windows(length).map(|w| w.iter().sum::<f64>()).fold(f64::INFINITY, f64::min);
        prop_assert!(close(of(false), windows, 1e-9));
        prop_assert!(of(true) <= of(false) * (1.0 + 1e-12));
    }

    #[test]
    fn any_stretch_at_any_instant_is_at_least_the_bound(
        g in prop::collection::vec(0.0..500.0f64, 12),
        earliest in 0.0..4.0f64,
        length in 0.01..4.0f64,
        slack in 0.0..4.0f64,
        at_share in 0.0..1.0f64,
    ) {
        let signal = hourly(&g);
        let t = task(earliest, length, slack, false);
        let bound = unlimited(std::slice::from_ref(&t), &signal).expect("a bound")[0];
        let from = SimTime(t.earliest.0 + ((t.deadline.0 - t.earliest.0 - t.length.0) as f64 * at_share) as u64);
        let stretch = signal.integral(from, from + t.length) / 3600.0;
        prop_assert!(bound <= stretch * (1.0 + 1e-9) + 1e-9, "{} {}", bound, stretch);
        let best = signal.lowest_start(t.earliest, SimTime(t.deadline.0 - t.length.0), t.length);
        prop_assert!(close(bound, signal.integral(best, best + t.length) / 3600.0, 1e-8));
    }

    #[test]
    fn an_elastic_bound_is_below_every_allocation_and_reached_by_concave_profiles(
        g in prop::collection::vec(1.0..500.0f64, 4),
        gains in prop::collection::vec(0.2..1.0f64, 2),
        hours in 1..5u32,
    ) {
        let signal = hourly(&g);
        let levels = [
            Level { speed: 1.0, power_w: 1000.0, cores: 1.0 },
            Level { speed: 1.0 + gains[0], power_w: 2000.0, cores: 2.0 },
            Level { speed: 1.0 + gains[0] + gains[0] * gains[1], power_w: 3000.0, cores: 3.0 },
        ];
        let t = Task { levels: levels.to_vec(), ..task(0.0, f64::from(hours), 4.0 - f64::from(hours), true) };
        let bound = unlimited(std::slice::from_ref(&t), &signal).expect("a bound")[0];
        let tried = brute(&g, &levels, f64::from(hours));
        prop_assert!(bound <= tried * (1.0 + 1e-9), "{} {}", bound, tried);
        let program = limited(&[t], &signal, 100.0).expect("a bound");
        prop_assert!(close(bound, program, 1e-6), "{} {}", bound, program);
    }

    #[test]
    fn capacity_never_lowers_the_bound_and_ample_capacity_leaves_it(
        g in prop::collection::vec(0.0..500.0f64, 24),
        jobs in prop::collection::vec((0.0..10.0f64, 0.5..5.0f64, 0.0..9.0f64, 1..4u32), 1..8),
    ) {
        let signal = hourly(&g);
        let tasks: Vec<Task> = jobs
            .iter()
            .map(|&(earliest, length, slack, cores)| {
                let level = Level { speed: 1.0, power_w: 100.0 * f64::from(cores), cores: f64::from(cores) };
                Task { levels: vec![level], ..task(earliest, length, slack, true) }
            })
            .collect();
        let free: f64 = unlimited(&tasks, &signal).expect("a bound").iter().sum();
        let ample = limited(&tasks, &signal, 1000.0).expect("a bound");
        prop_assert!(close(free, ample, 1e-6), "{} {}", free, ample);
        let mut before = ample;
        for cores in [16.0, 8.0, 6.0, 5.0, 4.0, 3.0] {
            match limited(&tasks, &signal, cores) {
                Ok(grams) => {
                    prop_assert!(grams >= before * (1.0 - 1e-6), "{} on {} cores, {} on more", grams, cores, before);
                    before = grams;
                }
                Err(error) => prop_assert_eq!(error, BoundError::NoRoom { cores }),
            }
        }
    }
}

/// Published: EuroSys 2024, re-implemented; every zone, length and slack, for every hour of arrival of a year.
#[test]
fn the_published_upper_bounds_hold_in_all_zones() {
    let Some(table) = lab_scaling::shared("oracles/carbon/shifting_upper_bound_2022.csv") else {
        return;
    };
    let table = std::fs::read_to_string(table).expect("the oracle's table");
    let rows: Vec<Vec<&str>> = table.lines().skip(1).map(|l| l.split(',').collect()).collect();
    assert_eq!(rows.len(), 130);
    let of_zone = |rows: &[Vec<&str>]| {
        let g = lab_scaling::ci_lca(rows[0][0]).expect("the zone's signal");
        let signal = hourly(&g[..8760]);
        for row in rows {
            let number = |at: usize| row[at].parse::<f64>().expect("a number");
            let (hours, slack) = (number(1), number(2));
            let last = 8760 - hours as usize - slack as usize;
            let saved = |suspend| {
                let tasks: Vec<Task> = (0..=last).map(|a| task(a as f64, hours, slack, suspend)).collect();
                unlimited(&tasks, &signal).expect("a bound").iter().sum::<f64>()
            };
            let base: f64 = (0..=last).map(|a| g[a..a + hours as usize].iter().sum::<f64>()).sum();
            let mean_base = base / (last + 1) as f64 / hours;
            assert!(close(mean_base, number(4), 1e-6), "{row:?}: base {mean_base}");
            for (suspend, at) in [(false, 5), (true, 6)] {
                let percent = 100.0 * (1.0 - saved(suspend) / base);
                assert!(close(percent, number(at), 1e-6), "{row:?}: {percent}");
            }
        }
    };
    std::thread::scope(|scope| {
        rows.chunk_by(|a, b| a[0] == b[0]).for_each(|zone| {
            scope.spawn(move || of_zone(zone));
        });
    });
}
