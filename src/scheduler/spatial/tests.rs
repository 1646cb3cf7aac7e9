//! The programs over regions against hand-made examples and brute force.

use proptest::prelude::*;

use super::*;
use crate::network::Network;
use crate::types::{Duration, RegionId, SimTime};

fn millis(ms: u64) -> Duration {
    Duration(ms * 1_000_000)
}

fn costs(rows: &[&[i64]]) -> Vec<Option<Cost>> {
    let cost = |&c: &i64| (c >= 0).then_some(Cost([0, c, 0]));
    rows.iter().flat_map(|row| row.iter().map(cost)).collect()
}

#[test]
fn two_origins_share_a_cheap_place_as_solved_by_hand() {
    let dealt = transport(&[3, 2], &[4, 9], &costs(&[&[1, 5], &[1, 2]]));
    assert_eq!(dealt, Dealt { sent: vec![3, 0, 1, 1], unplaced: vec![0, 0] });
}

#[test]
fn three_origins_take_detours_as_solved_by_hand() {
    // Each has a supply of 10; places hold 10, 15 and 8. The third may not go to the first place. In the optimum the first gets 10 of the
    // first origin (1 instead of 4 or 9), the second origin 10 in the second place (2), the third 5 there (3) and 5 in the third (6).
    let cost = costs(&[&[1, 4, 9], &[2, 2, 9], &[-1, 3, 6]]);
    let dealt = transport(&[10, 10, 10], &[10, 15, 8], &cost);
    assert_eq!(dealt.unplaced, [0, 0, 0]);
    assert_eq!(dealt.total(&cost), [0, 10 + 20 + 15 + 30, 0]);
    // With 3 units less room in the third place, 0 in excess: 33 - 3 = 30 units of room hold all 30.
    assert_eq!(transport(&[10, 10, 10], &[10, 15, 5], &cost).unplaced, [0, 0, 0]);
    assert_eq!(transport(&[10, 10, 10], &[10, 15, 4], &cost).unplaced.iter().sum::<u64>(), 1);
}

#[test]
fn the_first_objective_counts_before_the_second() {
    let cost = [Some(Cost([0, 9, 0])), Some(Cost([1, 0, 0]))];
    assert_eq!(transport(&[5], &[3, 9], &cost).sent, [3, 2], "room that is late is taken last");
    let cost = [Some(Cost([0, 1, 7])), Some(Cost([0, 1, 2]))];
    assert_eq!(transport(&[5], &[9, 9], &cost).sent, [0, 5], "of equals the nearer one");
}

/// The most that can be sent and its least cost, unit by unit.
fn brute(supply: &mut [u64], room: &mut [u64], cost: &[Option<Cost>]) -> (u64, i128) {
    let places = room.len();
    let Some(i) = supply.iter().position(|&s| s > 0) else { return (0, 0) };
    supply[i] -= 1;
    // The unit may stay unplaced.
    let (sent, total) = brute(supply, room, cost);
    let mut best = (sent, total);
    for j in 0..places {
        let Some(step) = cost[i * places + j] else { continue };
        if room[j] == 0 {
            continue;
        }
        room[j] -= 1;
        let (sent, total) = brute(supply, room, cost);
        room[j] += 1;
        let candidate = (sent + 1, total + i128::from(step.0[1]));
        if candidate.0 > best.0 || candidate.0 == best.0 && candidate.1 < best.1 {
            best = candidate;
        }
    }
    supply[i] += 1;
    best
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn transport_is_what_brute_force_finds(
        supply in prop::collection::vec(0..3u64, 3),
        room in prop::collection::vec(0..4u64, 3),
        cost in prop::collection::vec(prop::option::weighted(0.8, 0..20i64), 9),
    ) {
        let cost: Vec<Option<Cost>> = cost.into_iter().map(|c| c.map(|c| Cost([0, c, 0]))).collect();
        let dealt = transport(&supply, &room, &cost);
        for i in 0..3 {
            prop_assert_eq!(dealt.sent[3 * i..3 * i + 3].iter().sum::<u64>() + dealt.unplaced[i], supply[i]);
            prop_assert!(dealt.arriving(i, 3) <= room[i]);
        }
        prop_assert!(dealt.sent.iter().zip(&cost).all(|(&sent, cost)| sent == 0 || cost.is_some()));
        let sent: u64 = dealt.sent.iter().sum();
        prop_assert_eq!((sent, dealt.total(&cost)[1]), brute(&mut supply.clone(), &mut room.clone(), &cost));
    }
}

fn program<'a>(
    supply: &'a [u64],
    calls_per_host: &'a [u64],
    hosts: &'a [u32],
    most_hosts: Option<u32>,
    cost: &'a [Option<Cost>],
) -> Program<'a> {
    Program { supply, calls_per_host, hosts, least_hosts: 0, most_hosts, cost }
}

#[test]
fn hosts_are_on_where_calls_are_cheap_as_solved_by_hand() {
    // 200 calls; hosts of 60 calls, two in each region; of equals calls stay at home.
    let cost = [Some(Cost([0, 100, 0])), Some(Cost([0, 300, 9])), Some(Cost([0, 100, 9])), Some(Cost([0, 300, 0]))];
    let planned = program(&[100, 100], &[60, 60], &[2, 2], None, &cost).solve();
    assert_eq!(planned.hosts, [2, 2]);
    assert_eq!(planned.dealt.sent, [100, 0, 20, 80]);
    assert!(planned.proven);
    // Two hosts for all: 80 calls are left over, and it is not proven that nothing else leaves fewer.
    let short = program(&[100, 100], &[60, 60], &[2, 2], Some(2), &cost).solve();
    assert_eq!(
        (short.hosts.iter().sum::<u32>(), short.dealt.unplaced.iter().sum::<u64>(), short.proven),
        (2, 80, false)
    );
}

#[test]
fn a_host_too_few_makes_rounding_matter() {
    // Hosts of 10 calls, one in the cheap region, 15 calls from each of two origins, three hosts in all: the third region is dear, but only there two
    // hosts' worth of calls are together; 10 in the cheap one leave 20 for two hosts of one of the others.
    let cost = costs(&[&[1, 2, 3], &[1, 3, 2]]);
    let planned = program(&[15, 15], &[10, 10, 10], &[1, 5, 5], Some(3), &cost).solve();
    assert_eq!(planned.hosts, [1, 1, 1]);
    assert_eq!(planned.dealt.total(&cost)[1], 10 + 20 + 20);
    assert!(planned.proven);
}

#[test]
fn calls_without_room_in_reach_go_to_the_nearest_region_with_room() {
    let near = millis(50);
    let far = millis(150);
    let farther = millis(250);
    let zero = Duration::ZERO;
    let network = Network::new(3, vec![zero, far, farther, far, zero, near, farther, near, zero]);
    let cost = Objective::Carbon.costs(&[100.0, 500.0, 50.0], &network, millis(100));
    let dealt = transport(&[30, 0, 0], &[10, 15, 50], &cost);
    assert_eq!(dealt.sent[..3], [10, 15, 5], "150 ms before 250 ms, whatever the carbon");
    let mut violations = Violations::default();
    violations.count(&dealt, &cost);
    assert_eq!((violations.calls, violations.late, violations.unplaced), (30, 20, 0));
    let full = transport(&[90, 0, 0], &[10, 15, 50], &cost);
    violations.count(&full, &cost);
    assert_eq!((violations.programs, violations.late, violations.unplaced), (2, 85, 15));
}

#[test]
fn calls_are_dealt_by_weight_and_evenly() {
    let mut deal = Deal::new(vec![5, 1, 1]);
    let order: Vec<usize> = (0..7).filter_map(|_| deal.next(|_| true)).collect();
    assert_eq!(order, [0, 0, 1, 0, 2, 0, 0]);
    let mut half = Deal::new(vec![1, 0, 1]);
    let order: Vec<usize> = (0..4).filter_map(|_| half.next(|_| true)).collect();
    assert_eq!(order, [0, 2, 0, 2]);
    assert_eq!(half.next(|place| place == 1), None, "a place without weight gets nothing");
    assert_eq!(half.next(|place| place == 2), Some(2));
}

fn load(arrived: u64, core_s: f64) -> crate::scheduler::RegionLoad {
    crate::scheduler::RegionLoad { arrived, work: arrived as f64 * core_s, ..Default::default() }
}

#[test]
fn traffic_is_expected_as_it_was_an_interval_or_a_day_ago() {
    let at = SimTime::from_secs_f64;
    let mut last = Traffic::new(100.0, Expects::LastInterval);
    assert!(!last.is_due(at(99.9)) && last.is_due(at(100.0)));
    let expected = last.close(at(100.0), &[load(30, 2.0), load(10, 2.0)], None);
    assert_eq!(expected, Expected { calls: vec![30, 10], core_s: Some(2.0) });
    assert!(!last.is_due(at(199.0)));
    // Two intervals have passed: half of the 5 calls each, and the call that just comes counts for the next interval.
    let expected = last.close(at(300.0), &[load(36, 2.0), load(10, 2.0)], Some(RegionId(0)));
    assert_eq!(expected.calls, [3, 0]);
    let mut day = Traffic::new(43_200.0, Expects::SameTimeYesterday);
    let sums = [10, 30, 60, 100];
    let expected: Vec<u64> =
        (0..4).map(|n| day.close(at(43_200.0 * (n + 1) as f64), &[load(sums[n], 1.0)], None).calls[0]).collect();
    assert_eq!(expected, [10, 10, 20, 30], "after the first day, what the interval of a day ago had");
    assert!(Traffic::conflict(7.0, Expects::SameTimeYesterday).is_some());
    assert_eq!(Traffic::conflict(7.0, Expects::LastInterval), None);
}

/// The best numbers of hosts, trying all: unplaced calls and the three costs.
fn every(program: &Program<'_>, most: u32) -> (u64, [i128; 3]) {
    let regions = program.hosts.len();
    let mut best = (u64::MAX, [i128::MAX; 3]);
    let mut hosts = vec![0u32; regions];
    loop {
        if hosts.iter().sum::<u32>() <= most {
            let room: Vec<u64> = hosts.iter().zip(program.calls_per_host).map(|(&s, &c)| u64::from(s) * c).collect();
            let dealt = transport(program.supply, &room, program.cost);
            best = best.min((dealt.unplaced.iter().sum(), dealt.total(program.cost)));
        }
        let Some(j) = (0..regions).find(|&j| hosts[j] < program.hosts[j]) else { return best };
        hosts[..j].fill(0);
        hosts[j] += 1;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn branch_and_bound_finds_what_trying_all_finds(
        supply in prop::collection::vec(0..40u64, 3),
        calls_per_host in prop::collection::vec(1..12u64, 3),
        hosts in prop::collection::vec(0..5u32, 3),
        most in 1..10u32,
        main in prop::collection::vec(0..30i64, 9),
        late in prop::collection::vec(prop::bool::weighted(0.2), 9),
    ) {
        let cost: Vec<Option<Cost>> = main.iter().zip(&late).enumerate()
            .map(|(at, (&c, &late))| Some(Cost([if late && at % 4 != 0 { 100 } else { 0 }, c, 0]))).collect();
        let program = program(&supply, &calls_per_host, &hosts, Some(most), &cost);
        let planned = program.solve();
        let best = every(&program, most);
        let found = (planned.dealt.unplaced.iter().sum::<u64>(), planned.dealt.total(&cost));
        prop_assert!(planned.hosts.iter().sum::<u32>() <= most);
        for j in 0..3 {
            prop_assert!(planned.hosts[j] <= hosts[j]);
            prop_assert!(planned.dealt.arriving(j, 3) <= u64::from(planned.hosts[j]) * calls_per_host[j]);
        }
        // A deal that keeps every limit exists: then it is found, and the best of them.
        if best.0 == 0 && best.1[0] == 0 {
            prop_assert_eq!(found, best);
            prop_assert!(planned.proven);
        } else {
            prop_assert!(found >= best && !planned.proven);
        }
    }

    #[test]
    fn each_objective_is_least_in_its_own_measure_and_limits_hold(
        supply in prop::collection::vec(1..50u64, 4),
        room in prop::collection::vec(20..60u64, 4),
        weights in prop::collection::vec(10.0..900.0f64, 4),
        at in prop::collection::vec(0..140u64, 4),
    ) {
        let ms = |a: u64, b: u64| millis(a.abs_diff(b));
        let rtt: Vec<Duration> = at.iter().flat_map(|&a| at.iter().map(move |&b| ms(a, b))).collect();
        let network = Network::new(4, rtt);
        let most = millis(100);
        let costs = |objective: Objective| objective.costs(&weights, &network, most);
        let (carbon, latency) = (costs(Objective::Carbon), costs(Objective::Latency));
        let (greenest, nearest) = (transport(&supply, &room, &carbon), transport(&supply, &room, &latency));
        let on_time = |d: &Dealt| d.unplaced.iter().all(|&n| n == 0) && d.total(&carbon)[0] == 0;
        prop_assert_eq!(on_time(&greenest), on_time(&nearest), "whether the limits can be kept does not depend on the objective");
        for dealt in [&greenest, &nearest] {
            (0..4).for_each(|j| assert!(dealt.arriving(j, 4) <= room[j]));
        }
        if on_time(&greenest) {
            let grams = |d: &Dealt| d.total(&carbon)[1];
            let rtt = |d: &Dealt| d.total(&latency)[1];
            prop_assert!(grams(&greenest) <= grams(&nearest) && rtt(&nearest) <= rtt(&greenest));
        }
    }
}

#[test]
fn twelve_regions_with_hundreds_of_hosts_are_planned_and_proven() {
    let mut random = crate::types::Seed(7).stream("regions", 0);
    let mut most_nodes_were_enough = 0;
    for _ in 0..10 {
        let supply: Vec<u64> = (0..12).map(|_| 1000 + random.below(100_000)).collect();
        let calls_per_host: Vec<u64> = (0..12).map(|_| 2000 + random.below(2000)).collect();
        let hosts: Vec<u32> = (0..12).map(|_| 10 + random.below(30) as u32).collect();
        let weights: Vec<f64> = (0..12).map(|_| 20.0 + random.below(800) as f64).collect();
        let at: Vec<u64> = (0..12).map(|_| random.below(140)).collect();
        let rtt = at.iter().flat_map(|&a| at.iter().map(move |&b| millis(a.abs_diff(b)))).collect();
        let cost = Objective::Carbon.costs(&weights, &Network::new(12, rtt), millis(100));
        let least: u64 = supply.iter().sum::<u64>().div_ceil(2500);
        let planned = program(&supply, &calls_per_host, &hosts, Some(least as u32 + 4), &cost).solve();
        most_nodes_were_enough += u32::from(planned.proven || !planned.dealt.unplaced.iter().all(|&n| n == 0));
    }
    assert!(most_nodes_were_enough >= 8, "{most_nodes_were_enough}");
}
