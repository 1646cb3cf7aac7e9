//! The bounds in space against brute force, against their laws, and with capacity.

use proptest::prelude::*;

use super::idle::Idle;
use super::*;

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

/// The least sum of so many of the values, trying every choice.
fn choice(values: &[f64], count: usize) -> f64 {
    let Some((first, rest)) = values.split_first() else { return if count == 0 { 0.0 } else { f64::INFINITY } };
    let without = choice(rest, count);
    if count == 0 { without } else { without.min(first + choice(rest, count - 1)) }
}

/// The least sum of a job that runs its next step in any allowed zone, moves counted; it is in `here` before step `t`.
fn roam(world: &World, set: &[usize], here: usize, t: usize, left: usize) -> f64 {
    if left == 0 {
        return 0.0;
    }
    let by = |&z: &usize| {
        let c = |z: usize| world.zones[z][t];
        let move_ = if z == here { 0.0 } else { world.transfer * (c(here) + c(z)) / 2.0 };
        move_ + c(z) + roam(world, set, z, t + 1, left - 1)
    };
    set.iter().map(by).fold(f64::INFINITY, f64::min)
}

fn world() -> impl Strategy<Value = World> {
    (1..4usize, 4..9usize).prop_flat_map(|(zones, steps)| {
        let series = prop::collection::vec(prop::collection::vec(0.0..500.0f64, steps), zones);
        let ways = prop::collection::vec(prop::collection::vec(any::<bool>(), zones), zones);
        let transfer = prop_oneof![Just(0.0), 0.0..1.0f64];
        (series, ways, transfer).prop_map(|(zones, ways, transfer)| {
            let set = |(home, ways): (usize, &Vec<bool>)| (0..ways.len()).filter(|&z| z == home || ways[z]).collect();
            let allowed = ways.iter().enumerate().map(set).collect();
            World { zones, allowed, transfer }
        })
    })
}

#[test]
fn the_example_of_the_docs_holds() {
    let world = World::open(vec![vec![100.0, 100.0], vec![300.0, 20.0]]);
    let bounds = world.bounds(Shape { length: 2, slack: 0 });
    let first = bounds[0].means();
    assert_eq!((first.base, first.one, first.one_fixed, first.free), (100.0, 100.0, 100.0, 60.0));
    let second = bounds[1].means();
    assert_eq!((second.base, second.one, second.one_fixed, second.free), (160.0, 100.0, 100.0, 60.0));
    let costly = World { transfer: 0.5, ..world };
    // A move of half a job-step at the mean of 100 and 20 is 30 over two steps; at the mean of 300 and 100 it is 100 over two.
    let bounds = costly.bounds(Shape { length: 2, slack: 0 });
    assert_eq!((bounds[0].means().free, bounds[1].means().one, bounds[1].means().free), (75.0, 150.0, 125.0));
    assert_eq!(bounds[0].free_defer, None);
}

#[test]
fn what_does_not_fit_into_the_series_has_no_arrival() {
    let world = World::open(vec![vec![1.0; 5]]);
    assert_eq!(world.arrivals(Shape { length: 3, slack: 2 }), 1);
    assert_eq!(world.arrivals(Shape { length: 3, slack: 3 }), 0);
    assert!(world.bounds(Shape { length: 3, slack: 3 })[0].base.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_bound_is_what_brute_force_finds(world in world(), length in 1..4usize, slack in 0..4usize) {
        let job = Shape { length, slack };
        let n = length as f64;
        for (home, bounds) in world.bounds(job).into_iter().enumerate() {
            prop_assert_eq!(bounds.base.len(), world.arrivals(job));
            for a in 0..world.arrivals(job) {
                let set = &world.allowed[home];
                let run = |z: usize, at: usize| world.zones[z][at..at + length].iter().sum::<f64>();
                let later = |z: usize| (0..=slack).map(|k| run(z, a + k)).fold(f64::INFINITY, f64::min);
                let pieces = |z: usize| choice(&world.zones[z][a..a + length + slack], length);
                let moved = |z: usize| if z == home { 0.0 } else { world.transfer * (world.zones[home][a] + world.zones[z][a]) / 2.0 };
                let best = |of: &dyn Fn(usize) -> f64| set.iter().map(|&z| of(z) + moved(z)).fold(f64::INFINITY, f64::min);
                prop_assert!(close(bounds.base[a] * n, run(home, a)));
                prop_assert!(close(bounds.defer[a] * n, later(home)));
                prop_assert!(close(bounds.interrupt[a] * n, pieces(home)));
                prop_assert!(close(bounds.one[a] * n, best(&|z| run(z, a))));
                prop_assert!(close(bounds.one_defer[a] * n, best(&later)));
                prop_assert!(close(bounds.one_interrupt[a] * n, best(&pieces)));
                let fixed = world.cleanest(home);
                prop_assert!(close(bounds.one_fixed[a] * n, run(fixed, a) + moved(fixed)));
                prop_assert!(close(bounds.free[a] * n, roam(&world, set, home, a, length)));
                if world.transfer == 0.0 {
                    let least: Vec<f64> = (a..a + length + slack)
                        .map(|t| set.iter().map(|&z| world.zones[z][t]).fold(f64::INFINITY, f64::min)).collect();
                    let windows = least.windows(length).map(|w| w.iter().sum::<f64>()).fold(f64::INFINITY, f64::min);
                    prop_assert!(close(bounds.free_defer.as_ref().expect("moves are free")[a] * n, windows));
                    prop_assert!(close(bounds.free_interrupt.as_ref().expect("moves are free")[a] * n, choice(&least, length)));
                }
            }
        }
    }

    #[test]
    fn more_freedom_never_costs_more(world in world(), length in 1..4usize, slack in 0..3usize) {
        let job = Shape { length, slack };
        let at_most = |a: f64, b: f64| a <= b * (1.0 + 1e-12) + 1e-9;
        let all = world.bounds(job);
        let more = world.bounds(Shape { length, slack: slack + 1 });
        let wider = World { allowed: vec![(0..world.zones.len()).collect(); world.zones.len()], ..world.clone() }.bounds(job);
        for (home, b) in all.iter().enumerate() {
            for a in 0..b.base.len() {
                for (low, high) in [
                    (b.free[a], b.one[a]), (b.one[a], b.one_fixed[a]), (b.one[a], b.base[a]),
                    (b.interrupt[a], b.defer[a]), (b.defer[a], b.base[a]),
                    (b.one_defer[a], b.one[a]), (b.one_defer[a], b.defer[a]),
                    (b.one_interrupt[a], b.one_defer[a]), (b.one_interrupt[a], b.interrupt[a]),
                    (wider[home].one[a], b.one[a]), (wider[home].free[a], b.free[a]), (wider[home].one_interrupt[a], b.one_interrupt[a]),
                ] {
                    prop_assert!(at_most(low, high), "{low} {high}");
                }
                if let (Some(defer), Some(interrupt)) = (&b.free_defer, &b.free_interrupt) {
                    prop_assert!(at_most(defer[a], b.free[a]) && at_most(defer[a], b.one_defer[a]));
                    prop_assert!(at_most(interrupt[a], defer[a]) && at_most(interrupt[a], b.one_interrupt[a]));
                }
            }
            // The same arrivals with a step more of slack.
            for a in 0..more[home].base.len() {
                let m = &more[home];
                prop_assert!(at_most(m.defer[a], b.defer[a]) && at_most(m.interrupt[a], b.interrupt[a]));
                prop_assert!(at_most(m.one_defer[a], b.one_defer[a]) && at_most(m.one_interrupt[a], b.one_interrupt[a]));
                if let (Some(m), Some(b)) = (&m.free_interrupt, &b.free_interrupt) {
                    prop_assert!(at_most(m[a], b[a]));
                }
            }
        }
    }

    #[test]
    fn a_move_that_costs_more_saves_less_and_one_that_costs_too_much_is_not_made(
        world in world(), length in 1..4usize, extra in 0.0..2.0f64,
    ) {
        let job = Shape { length, slack: 1 };
        let dearer = World { transfer: world.transfer + extra, ..world.clone() };
        let never = World { transfer: 1e9, ..world.clone() };
        for ((b, d), n) in world.bounds(job).iter().zip(dearer.bounds(job)).zip(never.bounds(job)) {
            for a in 0..b.base.len() {
                prop_assert!(b.one[a] <= d.one[a] + 1e-9 && b.free[a] <= d.free[a] + 1e-9);
                prop_assert!(close(n.one_defer[a], b.defer[a]) && close(n.one_interrupt[a], b.interrupt[a]));
            }
        }
    }

    #[test]
    fn greedy_is_the_optimum_where_all_may_run_everywhere_and_idle_room_helps(
        zones in prop::collection::vec((0.0..500.0f64, 0.1..1.0f64), 1..7), idle in 0.0..0.99f64,
    ) {
        let (intensity, capacity): (Vec<f64>, Vec<f64>) = zones.into_iter().unzip();
        let n = capacity.len();
        let open = vec![(0..n).collect::<Vec<_>>(); n];
        let own: Vec<Vec<usize>> = (0..n).map(|z| vec![z]).collect();
        let of = |idle: f64, allowed: &[Vec<usize>]| Idle { capacity: &capacity, idle, allowed }.mean(&intensity);
        let greedy = of(idle, &open);
        let home = Idle { capacity: &capacity, idle, allowed: &open }.at_home(&intensity);
        prop_assert!(greedy <= home + 1e-9 && of(0.0, &open) >= home - 1e-9);
        prop_assert!(of((idle + 0.99) / 2.0, &open) <= greedy + 1e-9, "more room never costs more");
        // Where the load may stay or go to one other zone, it is between the two; parts are whole, hence the tolerance.
        let two: Vec<Vec<usize>> = (0..n).map(|z| if z == 0 { vec![0] } else { vec![0, z] }).collect();
        let restricted = of(idle, &two);
        prop_assert!(greedy <= restricted + 1e-2 && restricted <= home + 1e-2, "{greedy} {restricted} {home}");
        if n > 1 {
            prop_assert!((of(idle, &own) - home).abs() < 1e-2);
        }
    }
}

#[test]
fn idle_room_is_filled_in_the_order_of_intensity() {
    let open = [vec![0, 1], vec![0, 1]];
    let idle = Idle { capacity: &[1.0, 1.0], idle: 0.2, allowed: &open };
    assert!(close(idle.mean(&[100.0, 300.0]), 175.0) && close(idle.at_home(&[100.0, 300.0]), 200.0));
    assert!(close(Idle { idle: 0.5, ..idle.clone() }.mean(&[100.0, 300.0]), 100.0));
    assert!(close(Idle { idle: 0.0, ..idle.clone() }.mean(&[300.0, 100.0]), 200.0));
    // Three zones of which the second may only go to the first, the third to the second: 0.5 leave the third for the room that the second leaves.
    let chain = [vec![0], vec![0, 1], vec![1, 2]];
    let idle = Idle { capacity: &[1.0, 1.0, 1.0], idle: 0.5, allowed: &chain };
    assert!(close(idle.mean(&[100.0, 200.0, 400.0]), (1.0 * 100.0 + 0.5 * 200.0) / 1.5));
}
