//! Every migration policy keeps the laws of its seam, and does what its rule says on fleets that can be checked by hand.

use super::*;
use crate::types::Seed;
use crate::workload::instances::{Class, NO_DEPLOYMENT};

const CORE: u64 = 1_000_000;
const GB: u64 = 1_000_000_000;

/// A fleet of hosts of 16 cores and 64 GB: (cores, GB, demand in cores) of each instance, host by host.
fn fleet(hosts: &[&[(u64, u64, u64)]]) -> (Vec<HostView>, Vec<ResidentView>) {
    let (mut views, mut residents) = (Vec::new(), Vec::new());
    for own in hosts {
        let first = residents.len() as u32;
        for &(cores, gb, demand) in *own {
            let number = residents.len() as u32;
            residents.push(ResidentView {
                token: InstanceToken(number),
                request: InstanceRequest {
                    instance: number,
                    cpu: cores * CORE,
                    memory: gb * GB,
                    trust_domain: 0,
                    deployment: NO_DEPLOYMENT,
                    class: Class::LatencySensitive,
                    priority: 0,
                },
                demand: demand * CORE,
                used: gb * GB,
            });
        }
        let sum = |part: fn(&(u64, u64, u64)) -> u64| own.iter().map(part).sum::<u64>();
        let physical = Capacity { cpu: 16 * CORE, memory: 64 * GB };
        views.push(HostView {
            region: RegionId(0),
            on: true,
            physical,
            promised: physical,
            reserved: Capacity { cpu: sum(|i| i.0) * CORE, memory: sum(|i| i.1) * GB },
            demand: sum(|i| i.2) * CORE,
            used: sum(|i| i.1) * GB,
            others: 0,
            residents: (first, residents.len() as u32),
        });
    }
    (views, residents)
}

fn ask(
    policy: &MigrationSpec,
    hosts: &[HostView],
    residents: &[ResidentView],
    waits: Option<(u64, u64)>,
) -> Vec<(u32, u32)> {
    let waiting = [waits.map(|(cores, gb)| InstanceRequest {
        instance: 999,
        cpu: cores * CORE,
        memory: gb * GB,
        trust_domain: 0,
        deployment: NO_DEPLOYMENT,
        class: Class::LatencySensitive,
        priority: 0,
    })];
    let mut orders = Vec::new();
    let fleet = Fleet { now: SimTime::from_secs_f64(3600.0), hosts, residents, waiting: &waiting };
    policy.build().moves(&fleet, &mut orders);
    orders.into_iter().map(|(token, host)| (token.0, host.0)).collect()
}

fn policies() -> Vec<MigrationSpec> {
    let consolidate = Consolidate { low: 0.5, high: 0.9, period_s: 300.0, most_moves: 100 };
    let relieve = RelieveOverload { high: 0.8, period_s: 300.0 };
    let defragment = Defragment { period_s: 600.0 };
    vec![
        MigrationSpec::None(NoMigration {}),
        MigrationSpec::Consolidate(consolidate.clone()),
        MigrationSpec::RelieveOverload(relieve.clone()),
        MigrationSpec::Defragment(defragment.clone()),
        MigrationSpec::Several(Several {
            of: vec![
                MigrationSpec::Consolidate(consolidate),
                MigrationSpec::RelieveOverload(relieve),
                MigrationSpec::Defragment(defragment),
            ],
        }),
    ]
}

#[test]
fn the_emptiest_hosts_are_emptied_onto_the_fullest_that_have_room() {
    let [_, consolidate, ..] = &policies()[..] else { unreachable!() };
    let (hosts, residents) = fleet(&[&[(8, 8, 2), (4, 4, 1)], &[(2, 2, 1)], &[(4, 4, 1), (2, 2, 1)]]);
    // Host 1 is emptied first, onto host 0 (12 + 2 of 16, at most 14.4); then nothing takes host 2's four cores.
    assert_eq!(ask(consolidate, &hosts, &residents, None), [(2, 0)]);
    let MigrationSpec::Consolidate(tight) = consolidate else { unreachable!() };
    let tight = MigrationSpec::Consolidate(Consolidate { high: 0.8, ..tight.clone() });
    // 14 of 16 is too much now: host 1 goes to host 2.
    assert_eq!(ask(&tight, &hosts, &residents, None), [(2, 2)]);
}

#[test]
fn a_host_that_is_too_busy_gives_up_what_moves_fastest() {
    let [_, _, relieve, ..] = &policies()[..] else { unreachable!() };
    let (hosts, residents) = fleet(&[&[(4, 8, 8), (4, 2, 4), (4, 1, 3)], &[(4, 4, 9)], &[(4, 4, 4)]]);
    // 15 of 16 cores: without the 1-GB instance 12, which is below 12.8; it goes to the least loaded host.
    assert_eq!(ask(relieve, &hosts, &residents, None), [(2, 2)]);
}

#[test]
fn room_in_pieces_becomes_room_for_the_one_that_waits() {
    let [_, _, _, defragment, _] = &policies()[..] else { unreachable!() };
    let (hosts, residents) = fleet(&[&[(4, 16, 1), (4, 2, 1)], &[(4, 1, 1), (4, 8, 1)], &[(8, 4, 1)]]);
    // Each has 8 cores free. For 12, host 1 need only give up its 1-GB instance, to the fullest of the others: host 0.
    assert_eq!(ask(defragment, &hosts, &residents, Some((12, 4))), [(2, 0)]);
    assert_eq!(ask(defragment, &hosts, &residents, Some((8, 4))), []);
    assert_eq!(ask(defragment, &hosts, &residents, None), []);
}

#[test]
fn every_policy_orders_only_what_is_possible() {
    for seed in 0..200 {
        let mut s = Seed(seed).stream("migration", 0);
        let lists: Vec<Vec<(u64, u64, u64)>> = (0..1 + s.below(12))
            .map(|_| (0..s.below(5)).map(|_| (1 + s.below(4), 1 + s.below(12), s.below(8))).collect())
            .collect();
        let lists: Vec<&[(u64, u64, u64)]> = lists.iter().map(Vec::as_slice).collect();
        let (mut hosts, residents) = fleet(&lists);
        for host in &mut hosts {
            host.on = host.residents.0 < host.residents.1 || s.below(2) == 0;
            host.region = RegionId(s.below(2) as u32);
            host.others = s.below(2) as u32;
        }
        for policy in policies() {
            let waits = (s.below(2) == 0).then(|| (1 + s.below(16), 1 + s.below(64)));
            let mut then = hosts.clone();
            let orders = ask(&policy, &hosts, &residents, waits);
            let is_chain = matches!(policy, MigrationSpec::Several(_));
            let mut seen = std::collections::BTreeSet::new();
            for (token, host) in orders {
                assert!(seen.insert(token), "{policy:?} moves an instance twice");
                let resident = residents[token as usize];
                let from = hosts
                    .iter()
                    .position(|h| (h.residents.0..h.residents.1).contains(&token))
                    .expect("it is somewhere");
                assert_ne!(from, host as usize);
                assert_eq!(hosts[from].region, hosts[host as usize].region);
                // The parts of a chain do not know of each other; the engine passes over what has become impossible.
                assert!(is_chain || then[host as usize].takes(&resident), "{policy:?} overfills a host");
                then[host as usize] = then[host as usize].with(&resident, false);
            }
        }
    }
}

#[test]
fn no_policy_sends_an_instance_where_the_memory_in_use_would_not_fit() {
    // Twice the memory is promised, and all of it is used: by promises the second host has room for the other's instance.
    let (mut hosts, residents) = fleet(&[&[(1, 8, 1)], &[(1, 60, 1)], &[(8, 10, 16)]]);
    hosts.iter_mut().for_each(|h| h.promised.memory *= 2);
    for policy in policies() {
        let orders = ask(&policy, &hosts, &residents, Some((16, 16)));
        assert!(!orders.contains(&(0, 1)), "{policy:?} orders {orders:?}");
        assert!(!orders.contains(&(2, 1)), "{policy:?} orders {orders:?}");
    }
}
