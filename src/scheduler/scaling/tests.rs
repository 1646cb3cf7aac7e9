//! The laws that every scaling policy keeps.

use super::*;
use crate::scheduler::tests::{catalogue, known, pool};
use crate::types::{Seed, SimTime};

/// How many sandboxes a policy wants for this pool.
pub(super) fn ask(policy: &mut dyn Scaling, pool: &PoolView, now_s: f64) -> u32 {
    policy.wanted(
        pool,
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

const REQUIRED: &[(&str, &str)] = &[("provisioned", "sandboxes = 3"), ("pre-warmed", "idle = 2")];

fn specs() -> Vec<(String, ScalingSpec)> {
    let entries = catalogue::<ScalingSpec>(REQUIRED);
    entries.into_iter().map(|text| (text.clone(), toml::from_str(&text).expect(&text))).collect()
}

/// What a policy wants for a random but repeatable demand of three pools in two regions.
fn answers(spec: &ScalingSpec, seed: u64) -> Vec<u32> {
    let mut policy = spec.build(&known(2));
    let mut random = Seed(seed).stream("contract", 0);
    let mut ask_next = |n: u32| {
        let mut view = pool(n % 3, n % 2);
        view.slots = 1 + random.below(4) as u32;
        view.running = random.below(20) as u32;
        view.mean_demand = random.exponential(5.0);
        view.peak = spec.sizing().map(|_| random.below(50) as u32);
        ask(policy.as_mut(), &view, f64::from(n))
    };
    (0..2000).map(&mut ask_next).collect()
}

#[test]
fn every_policy_answers_two_like_runs_alike() {
    for (name, spec) in specs() {
        assert_eq!(answers(&spec, 7), answers(&spec, 7), "{name}");
    }
}

#[test]
fn every_passive_policy_wants_nothing_and_starts_on_demand() {
    for (name, spec) in specs() {
        let policy = spec.build(&known(1));
        if policy.is_passive() {
            assert!(policy.on_demand() && policy.period().is_none() && spec.sizing().is_none(), "{name}");
            assert!(answers(&spec, 3).iter().all(|&n| n == 0), "{name}");
        }
    }
}

#[test]
fn every_policy_that_starts_nothing_on_demand_gives_each_pool_a_sandbox() {
    for (name, spec) in specs() {
        if !spec.build(&known(1)).on_demand() {
            assert!(answers(&spec, 5).iter().all(|&n| n > 0), "{name}: calls would wait for ever");
        }
    }
}

#[test]
fn every_policy_that_is_asked_again_names_a_period_above_nothing() {
    for (name, spec) in specs() {
        assert!(spec.build(&known(1)).period().is_none_or(|p| p > Duration::ZERO), "{name}");
        assert!(spec.sizing().is_none_or(|s| (0.0..=1.0).contains(&s.quantile)), "{name}");
    }
}

#[test]
fn every_table_reads_back_as_it_was_written() {
    for (name, spec) in specs() {
        let text = toml::to_string(&spec).expect("a policy is a table");
        assert_eq!(toml::from_str::<ScalingSpec>(&text).as_ref(), Ok(&spec), "{name}");
    }
}
