//! The laws that every provisioning policy keeps.

use super::*;
use crate::scheduler::tests::{catalogue, known};
use crate::types::Seed;

/// So many hosts up of 20 with 10 cores and 10 GiB each, of which cores are demanded and hosts' worth of memory reserved.
pub(super) fn fleet(up: u32, cores: f64, memory: f64) -> FleetView {
    let gib = f64::from(1u32 << 30);
    FleetView {
        region: RegionId(0),
        hosts: 20,
        on: up,
        coming: 0,
        cpu_per_host: 10e6,
        memory_per_host: 10.0 * gib,
        cpu: (cores * 1e6) as u64,
        memory: (memory * 10.0 * gib) as u64,
        waiting: 0,
        waiting_cpu: 0,
        waiting_memory: 0,
        way_back: Duration::ZERO,
    }
}

/// How many hosts a policy wants.
pub(super) fn ask(policy: &mut dyn Provisioning, fleet: &FleetView, now_s: f64) -> u32 {
    policy.wanted(
        fleet,
        &View {
            now: SimTime::from_secs_f64(now_s),
            regions: &[],
            forecasts: &[],
            observed: &[],
            reserved: Default::default(),
            network: &crate::network::NOWHERE,
        },
    )
}

fn specs() -> Vec<(String, ProvisioningSpec)> {
    let entries = catalogue::<ProvisioningSpec>(&[]);
    entries.into_iter().map(|text| (text.clone(), toml::from_str(&text).expect(&text))).collect()
}

/// What a policy wants for a random but repeatable load of two regions, with what it saw.
fn answers(spec: &ProvisioningSpec, seed: u64) -> Vec<(FleetView, u32)> {
    let mut policy = spec.build(&known(2));
    let mut random = Seed(seed).stream("contract", 0);
    let period_s = policy.period().map_or(20.0, Duration::as_secs_f64);
    let mut ask_next = |n: u32| {
        let up = random.below(21) as u32;
        let mut view = fleet(up, random.exponential(60.0), random.exponential(5.0));
        view.region = RegionId(n % 2);
        view.coming = random.below(u64::from(up) + 1) as u32 * u32::from(random.below(2) == 0);
        view.on = up - view.coming;
        if random.below(3) == 0 {
            view.waiting = random.below(50) as u32;
            view.waiting_cpu = u64::from(view.waiting) * 1_000_000;
        }
        view.way_back = Duration::from_secs(random.below(300));
        (view, ask(policy.as_mut(), &view, f64::from(n / 2) * period_s))
    };
    (0..4000).map(&mut ask_next).collect()
}

#[test]
fn every_policy_answers_two_like_runs_alike_and_within_the_fleet() {
    for (name, spec) in specs() {
        let first = answers(&spec, 7);
        assert_eq!(first, answers(&spec, 7), "{name}");
        assert!(first.iter().all(|(view, wanted)| *wanted <= view.hosts), "{name}");
    }
}

#[test]
fn no_policy_lets_anything_wait_while_hosts_wait_too() {
    for (name, spec) in specs() {
        let all = answers(&spec, 3);
        let mut waited = 0;
        for (view, wanted) in all.iter().filter(|(view, _)| view.waiting > 0 && view.up() < view.hosts) {
            waited += 1;
            let least = if view.coming == 0 { view.up() + 1 } else { view.up() };
            assert!(*wanted >= least, "{name}: {wanted} are wanted for {view:?}");
        }
        assert!(waited > 100);
    }
}

#[test]
fn every_policy_that_is_asked_names_a_period_above_nothing_and_has_defaults_that_go_together() {
    for (name, spec) in specs() {
        assert!(spec.build(&known(2)).period().is_none_or(|p| p > Duration::ZERO), "{name}");
        assert!(spec.conflicts().is_empty(), "{name}");
    }
}

#[test]
fn every_table_reads_back_as_it_was_written() {
    for (name, spec) in specs() {
        let text = toml::to_string(&spec).expect("a policy is a table");
        assert_eq!(toml::from_str::<ProvisioningSpec>(&text).as_ref(), Ok(&spec), "{name}");
    }
}

#[test]
fn what_is_needed_is_the_larger_of_cpu_and_memory() {
    let mut view = fleet(4, 15.0, 2.5);
    assert_eq!(view.needed(), 2.5);
    view.waiting_cpu = 15_000_000;
    assert_eq!(view.needed(), 3.0);
    assert_eq!((view.least(), FleetView { waiting: 1, ..view }.least()), (0, 5));
}
