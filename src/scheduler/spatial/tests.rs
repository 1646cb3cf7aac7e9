//! The programs over regions against hand-made examples and brute force.

use proptest::prelude::*;

use super::*;

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
